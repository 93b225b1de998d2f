"""Converted modules in which somebody from outside puts something in the place of a builtin.

``mock.patch("app.open", mock_open())`` sets ``app.open``, which the module's code would find before the builtin.
Converted code says `PREFIX` ``open``, so that nothing is seen in the module that is not in its source; hence what is
set under the builtin's name is set under that one too, until it is deleted.

Rejected: binding ``open`` itself at the module's start.  A star import would take it along, over an ``open`` that the
importing module has from elsewhere.
"""

from __future__ import annotations

import importlib
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PREFIX = "_rewriter_"


def private(name: str) -> str:
    """What a replaced builtin is called in converted code.  One underscore: no class mangles it."""
    return PREFIX + name


class ConvertedModule(ModuleType):
    """A module whose code may use builtins that have counterparts.  An existing module is made one."""

    def __new__(cls, *args: Any, **kwargs: Any) -> ModuleType:  # type: ignore[misc]
        """``type(module)("name")`` is a module like any other."""
        return (
            ModuleType(*args, **kwargs) if cls is ConvertedModule else super().__new__(cls, *args, **kwargs)
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if _place(self, name):
            super().__setattr__(private(name), value)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        place = _place(self, name)
        if place:
            where, _, attribute = place.rpartition(".")
            super().__setattr__(private(name), getattr(importlib.import_module(where), attribute))


def _place(module: ModuleType, name: str) -> str:
    """Where the counterpart of the builtin *name* stands, if the code of *module* uses that."""
    if private(name) not in module.__dict__:
        return ""
    from runtime.table import BUILTINS  # at import time the path may lead to a `runtime` of the program's own

    return BUILTINS.get(name, "")


ConvertedModule.__name__ = ConvertedModule.__qualname__ = "module"
ConvertedModule.__module__ = "builtins"


_PRIVATE: tuple[str, ...] | None = None


def let_patch(module: ModuleType) -> None:
    """Make *module*, which was just executed, one of this kind if its code uses such a builtin."""
    global _PRIVATE
    if _PRIVATE is None:
        from runtime.table import BUILTINS

        _PRIVATE = tuple(map(private, BUILTINS))
    if type(module) is ModuleType and not module.__dict__.keys().isdisjoint(_PRIVATE):
        module.__class__ = ConvertedModule
