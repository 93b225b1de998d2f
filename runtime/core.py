"""Which form of the core runs: compiled, or as it is written.

The modules of the core are ordinary files of this package.  A build with a C compiler puts their compiled forms into a
folder beside them, which is searched first.  They are left alone where `UNSTALL_PURE` is set in the environment, where
one is missing or older than its source (while this project is being worked on), and in further interpreters of a
process, for which they are not made.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

MODULES = (
    "circular_queue",
    "here",
    "strand",
    "timer",
    "watch",
    "hub",
    "flow",
    "lock",
    "tls",
    "channel",
    "fifo",
    "queues",
    "guard",
    "stream",
    "uring",
    "pages",
)

_HERE = os.path.dirname(__file__)
_FOLDER = os.path.join(_HERE, "compiled")

reason: str | None  # why the core runs as it is written; None where it is compiled


def _choose(package: ModuleType) -> None:
    """Have the modules of *package* found in their compiled form, where that can run."""
    global reason
    reason = _missing()
    if reason is not None:
        return
    plain = package.__path__
    package.__path__ = [_FOLDER, *plain]
    try:
        import_module(f"{package.__name__}.{MODULES[0]}")
    except ImportError as error:
        package.__path__ = plain
        reason = str(error)


def _missing() -> str | None:
    """What keeps the compiled form from being used, as far as its files say."""
    if os.environ.get("UNSTALL_PURE"):
        return "UNSTALL_PURE is set"
    try:
        there = {entry.name: entry.stat().st_mtime for entry in os.scandir(_FOLDER)}
    except OSError:
        return "not built"
    built = [there.get(module + EXTENSION_SUFFIXES[0]) for module in MODULES]
    if None in built:
        return "not built for this Python"
    if os.path.exists(os.path.join(os.path.dirname(_HERE), "pyproject.toml")):
        oldest = min(filter(None, built))
        for entry in os.scandir(_HERE):
            stem, _, suffix = entry.name.rpartition(".")
            source = suffix in ("pxd", "h") or (suffix == "py" and stem in MODULES)
            if source and entry.stat().st_mtime > oldest:
                return f"runtime/{entry.name} has changed since it was built"
    return None


_choose(sys.modules[__package__])
