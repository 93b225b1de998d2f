"""``importlib``: importing by name gives converted code what an import statement would."""

from __future__ import annotations

import importlib
from types import ModuleType

from runtime import twins
from runtime.overlay import forward
from runtime.table import GUARDED, NAMES

__path__: list[str] = []


def import_module(name: str, package: str | None = None) -> ModuleType:
    """Import a module; *package* is needed for a relative name."""
    if not name.startswith(".") and name.partition(".")[0] in NAMES and name not in GUARDED:
        return twins.counterpart(name)
    return importlib.import_module(name, package)


forward(globals(), importlib)
