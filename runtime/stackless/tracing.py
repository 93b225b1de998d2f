"""Tracing of single tasklets, for the debuggers that were made for Stackless.

In CPython a trace function is the thread's, and so it is here: an ordinary debugger, profiler or coverage sees all
tasklets.  From the first time that a program sets ``trace_function`` or ``profile_function`` of a tasklet, each has its
own, as in Stackless: they are exchanged at each switch that a call of Stackless makes.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.stackless.tasklet import tasklet

used = False


def stop() -> None:
    """The next one has functions of its own, or none."""
    sys.setprofile(None)
    sys.settrace(None)


def leave(face: tasklet) -> None:
    """*face*, which runs, is about to wait: keep its functions."""
    face._tracing = sys.gettrace(), sys.getprofile()
    stop()


def enter(face: tasklet) -> None:
    """*face* goes on: put its functions in place."""
    kept, face._tracing = face._tracing, None
    if kept is not None:
        trace, profile = kept
        sys.settrace(trace)
        sys.setprofile(profile)


def get(face: tasklet, running: bool) -> tuple[Any, Any]:
    """The trace and the profile function of *face*."""
    if running or not used:
        return sys.gettrace(), sys.getprofile()
    return face._tracing or (None, None)


def put(face: tasklet, running: bool, functions: tuple[Any, Any]) -> None:
    """Give *face* a trace and a profile function."""
    global used
    used = True
    if running:
        trace, profile = functions
        sys.settrace(trace)
        sys.setprofile(profile)
    else:
        face._tracing = functions
