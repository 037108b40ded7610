"""With the real frameworks, each in an environment that its pins allow; `.ci/run` says which."""
