"""Which form of the core runs: compiled, or as it is written.

The modules of the core are ordinary files of this package.  A build with a C compiler puts their compiled forms into a
folder beside them, which is searched first.  They are left alone where `UNSTALL_PURE` is set in the environment, where
one is missing or older than its source (while this project is being worked on), and in further interpreters of a
process, for which they are not made.
"""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES

MODULES = ("here", "strand", "timer", "watch", "hub", "uring", "pages")

_HERE = os.path.dirname(__file__)
_FOLDER = os.path.join(_HERE, "compiled")


def _reason() -> str | None:
    """Why the core runs as it is written; None where the compiled form can run."""
    if os.environ.get("UNSTALL_PURE"):
        return "UNSTALL_PURE is set"
    try:
        there = {entry.name: entry.stat().st_mtime for entry in os.scandir(_FOLDER)}
    except OSError:
        return "not built"
    at_work = os.path.exists(os.path.join(os.path.dirname(_HERE), "pyproject.toml"))
    for module in MODULES:
        name = module + EXTENSION_SUFFIXES[0]
        if name not in there:
            return "not built for this Python"
        if at_work and os.stat(os.path.join(_HERE, f"{module}.py")).st_mtime > there[name]:
            return f"runtime/{module}.py has changed since it was built"
    return None


reason = _reason()


def search(path: list[str]) -> list[str]:
    """The package's search *path*, with the compiled core first where that can run."""
    return path if reason else [_FOLDER, *path]
