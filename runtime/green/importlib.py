"""``importlib``: importing by name gives converted code what an import statement would."""

from __future__ import annotations

import importlib
from types import ModuleType

from runtime import twins
from runtime.overlay import forward
from runtime.table import GUARDED, MODULES

__path__: list[str] = []


def import_module(name: str, package: str | None = None) -> ModuleType:
    """Import a module; *package* is needed for a relative name."""
    full = name
    if name.startswith(".") and package:
        full = importlib.import_module("importlib.util").resolve_name(name, package)
    if full.partition(".")[0] in MODULES and full not in GUARDED:
        return twins.counterpart(full)
    return importlib.import_module(name, package)


forward(globals(), importlib)
