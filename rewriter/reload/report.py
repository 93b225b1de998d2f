"""What the supervisor prints: one line for each thing that happens, on standard error."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

_RED, _GREEN, _DIM, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
_NAMED = 3  # files of a change that are named


class Report:
    """Prints to standard error, in colours on a terminal unless ``NO_COLOR`` is set.

    Args:
        quiet: print only what is wrong.
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._colours = (
            sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
        )  # fmt: skip

    def say(self, words: str) -> None:
        if not self._quiet:
            self._print(words, _GREEN)

    def warn(self, words: str) -> None:
        """Print what is wrong."""
        self._print(words, _RED)

    def _print(self, words: str, colour: str) -> None:
        if sys.stderr is None:
            return
        now = time.strftime("[%H:%M:%S]")
        line = f"{_DIM}{now}{_PLAIN} {colour}{words}{_PLAIN}" if self._colours else f"{now} {words}"
        try:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass


def named(paths: Iterable[str]) -> str:
    """*paths* for a line: relative where they are below the current folder, and not too many."""
    names = sorted(_short(path) for path in paths)
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _short(path: str) -> str:
    here = os.path.join(os.getcwd(), "")
    return path[len(here) :] if path.startswith(here) else path
