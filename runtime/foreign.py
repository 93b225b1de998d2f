"""Counterparts from elsewhere: what somebody else wrote for a module that is not in the standard library.

`add` makes ``runtime.green.slowdb`` importable for a module ``slowdb``; it is the very module that was named as its
counterpart.  From then on ``slowdb`` has a row in the table as a standard module has, so imports by any way find it.
What stands below a module with such a row and has none of its own is plain.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from runtime.table import MODULES
from runtime.twins import PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Module -> where its counterpart stands; a package whose parts only have counterparts stands for itself.
FOREIGN: dict[str, str] = {}


def add(name: str, counterpart: str) -> None:
    """Have the module *counterpart* stand for the module *name* in converted code.

    Raises:
        ValueError: *name* has a counterpart already.
    """
    if name in MODULES and FOREIGN.get(name) != name:
        raise ValueError(f"{name} has a counterpart already")
    if not FOREIGN:
        sys.meta_path.insert(0, Finder)
    package = name
    while package:
        FOREIGN.setdefault(package, package)
        MODULES.setdefault(package, "foreign")
        package = package.rpartition(".")[0]
    FOREIGN[name] = counterpart


class Finder:
    """Finds ``runtime.green.*`` for the modules in `FOREIGN`, and for what stands below them."""

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        name = fullname.removeprefix(PREFIX)
        if name == fullname or name.partition(".")[0] not in FOREIGN:
            return None
        loader: Any = _Loader(name)
        return ModuleSpec(fullname, loader, is_package=True)


class _Loader:
    """Puts the module that is named in the place of the empty one that the import system made."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        place = FOREIGN.get(self._name, self._name)
        counterpart: Any = importlib.import_module(place)
        if place != self._name and not hasattr(counterpart, "__path__") and _is_package(self._name):
            counterpart.__path__ = []  # so that what stands below the package can be imported
        sys.modules[module.__spec__.name] = counterpart


def _is_package(name: str) -> bool:
    try:
        return hasattr(importlib.import_module(name), "__path__")
    except ImportError:
        return False
