"""The counterparts: ``runtime.green.socket`` stands for ``socket``.  ``runtime.table`` lists them.

A file here is an overlay, written by hand.  Everything else is made by `runtime.twins`.
"""

from importlib import import_module
from types import ModuleType

from runtime import twins
from runtime.table import NAMES

twins.install()


def __getattr__(name: str) -> ModuleType:
    if name in NAMES:
        return import_module(f"runtime.green.{name}")
    raise AttributeError(f"module 'runtime.green' has no attribute {name!r}")
