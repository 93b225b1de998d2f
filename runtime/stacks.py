"""Where the OS threads are: `sys._current_frames`, when it can be asked.

A thread that runs another interpreter has two states, and the interpreter (up to 3.13 at least) crashes when it meets
both: the frame of the first is dropped, which no collector of its own knows.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_OF_INTERPRETERS = ("_interpreters", "_xxsubinterpreters")  # without them nobody has made one


def frames() -> dict[int, FrameType] | None:
    """The innermost frame of each thread, by its number; None where the program has other interpreters."""
    if any(name in sys.modules for name in _OF_INTERPRETERS):
        return None
    return sys._current_frames()
