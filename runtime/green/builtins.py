"""Counterparts of builtins; the table's ``BUILTINS`` lists them."""

from runtime.files import open
from runtime.standard import input
from runtime.twins import import_counterpart as __import__

__all__ = ["__import__", "input", "open"]
