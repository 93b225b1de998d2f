"""What a program wants to be told: of every switch, of every use of a channel, of errors that leave a tasklet."""

from __future__ import annotations

import sys
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.stackless.channel import channel
    from runtime.stackless.ring import Ring
    from runtime.stackless.tasklet import tasklet

scheduling: Callable[[Any, Any], object] | None = None  # (previous, next)
channels: Callable[[Any, Any, int, int], object] | None = None  # (channel, tasklet, sending, willblock)
errors: Callable[[Any, Any, Any], object] | None = None  # (type, value, traceback)
busy = False  # one of them is running


def leaving(ring: Ring, face: tasklet | None = None) -> None:
    """The current tasklet of *ring* is about to wait, or has ended."""
    ring.previous = ring.face() if face is None else face


def arrived(ring: Ring, face: tasklet) -> None:
    """*face* runs again, or for the first time."""
    global busy
    previous, ring.previous = ring.previous, None
    if previous is face or scheduling is None or busy:
        return
    busy = True
    try:
        scheduling(previous, face)
    except BaseException as error:
        _report("Error in scheduling callback", error)
    finally:
        busy = False


def used(at: channel, face: tasklet, sending: bool, willblock: bool) -> None:
    """*face* sends or receives.

    Raises:
        RuntimeError: from within a callback.
    """
    global busy
    assert channels is not None
    if busy:
        raise RuntimeError("Recursive channel call due to callbacks!")
    busy = True
    try:
        channels(at, face, int(sending), int(willblock))
    finally:
        busy = False


def handled(error: BaseException) -> BaseException | None:
    """Give *error*, which leaves a tasklet, to the handler; what the main tasklet is to get instead."""
    if errors is None:
        return error
    try:
        errors(type(error), error, error.__traceback__)
    except BaseException as worse:
        return worse
    return None


def _report(where: str, error: BaseException) -> None:
    if sys.stderr is not None:
        import traceback

        sys.stderr.write(f"Exception ignored in: {where!r}\n{''.join(traceback.format_exception(error))}")
