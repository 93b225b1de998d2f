"""Counterparts of builtins; the table's ``BUILTINS`` lists them."""

from runtime.twins import import_counterpart as __import__  # noqa: F401
