"""Fuzzers: of the state in valid streams, and of bytes. Not part of the test run; see docs/fuzzing.md."""
