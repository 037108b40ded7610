"""The command line: the public API's first customer."""

from safeload.cli.running import main

__all__ = ["main"]
