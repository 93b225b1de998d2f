"""A word on the terminal when a run spends long on converting modules for the first time.

The next run takes them from the cache, so nobody would know why this one was slow.  One line, once, and only where
standard error is a terminal.
"""

from __future__ import annotations

import os
from time import perf_counter

_PATIENCE = 1.0  # seconds of conversion before anything is said


class Progress:
    """How long the conversions of this process have taken so far; used as a context, around each."""

    def __init__(self) -> None:
        self.modules = 0
        self.seconds = 0.0
        self.silent = False
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = perf_counter()
        if self.seconds > _PATIENCE and not self.silent:
            self.silent = True
            self._tell()

    def __exit__(self, *error: object) -> None:
        self.modules += 1
        self.seconds += perf_counter() - self._began

    def _tell(self) -> None:
        line = f"rewriter: converting modules for the first time ({self.modules} so far); the next run will not\n"
        try:
            if os.isatty(2):
                os.write(2, line.encode())
        except OSError:
            pass


progress = Progress()
