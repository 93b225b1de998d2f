"""Stackless: our own tests of its API, and the command that runs Stackless Python's (`python -m tests.stackless`)."""
