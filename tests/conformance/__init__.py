"""CPython's own tests, run plain and converted, compared test by test: `python -m tests.conformance
--help`."""
