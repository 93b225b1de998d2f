"""Which row of `runtime.calls` is about a callable."""

from __future__ import annotations

import sys

from runtime.calls import CALLS, Call

_NEW = sys.version_info[:2]


def here(row: Call) -> bool:
    """Whether this Python has what *row* names."""
    return row.since <= _NEW < row.until and row.system in ("", sys.platform)


def matches(pattern: str, name: str) -> bool:
    """Whether *name* is *pattern*, or begins with what stands before the ``*`` at its end."""
    return pattern == name or (pattern.endswith("*") and name.startswith(pattern[:-1]))


def row_of(module: str, name: str) -> Call | None:
    """The row that says most precisely what becomes of *name* in *module*."""
    where = module
    while where:
        best: tuple[int, Call] | None = None
        for row in CALLS:
            if where in row.module.split() and here(row):
                for pattern in row.names.split():
                    # A package's own row holds for its submodules only if it is about all of it.
                    if matches(pattern, name) and (where == module or pattern == "*"):
                        rank = len(pattern) + (pattern == name)
                        if best is None or rank > best[0]:
                            best = rank, row
        if best is not None:
            return best[1]
        where = where.rpartition(".")[0]
    return None
