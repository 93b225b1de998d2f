"""What asyncio and the interpreter keep for each OS thread, kept for each tasklet that runs an event loop.

The running loop, the hooks of asynchronous generators, the depth of coroutines' origins and what the event loop
policy remembers ("the current event loop") belong to an OS thread.  All tasklets of a thread share these places, so
one that has put something there takes it along while it waits and brings it back when it goes on.

Values are exchanged, not saved and restored: what is found when a tasklet comes back is the others', and is theirs
again at its next wait.  A tasklet that never touched an event loop has no state, and its waits cost what they did.
"""

from __future__ import annotations

import sys
import threading
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from runtime.hub import get_hub

if TYPE_CHECKING:
    from runtime.tasklet import Tasklet


class ThreadState:
    """The values of one tasklet while it waits, and of the others while it runs."""

    __slots__ = ("_away", "_current", "_depth", "_hooks", "_running")

    def __init__(self) -> None:
        self._running: Any = None
        self._hooks: Any = (None, None)
        self._depth = 0
        self._current: dict[str, Any] = {}
        self._away: Any = None  # where `_current` was taken from, while its tasklet waits

    def exchange(self) -> None:
        """Put what is kept here into the OS thread's places, and what was there here."""
        running = events._get_running_loop()
        events._set_running_loop(self._running)
        self._running = running
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(*self._hooks)
        self._hooks = hooks
        depth = sys.get_coroutine_origin_tracking_depth()
        if depth != self._depth:
            sys.set_coroutine_origin_tracking_depth(self._depth)
            self._depth = depth
        place = self._away
        if place is None:
            place = self._away = _place()
        else:
            self._away = None
        if place is not None:
            self._exchange_current(place)

    def leave_current(self) -> None:
        """What the policy remembers so far is others'; the tasklet begins with nothing."""
        place = _place()
        if place is not None:
            self._exchange_current(place)

    def _exchange_current(self, place: threading.local) -> None:
        values = vars(place)
        found = values.copy()
        values.clear()
        values.update(self._current)
        self._current = found


def _place() -> threading.local | None:
    """Where the policy remembers the current event loop of an OS thread."""
    place = getattr(getattr(events, "_event_loop_policy", None), "_local", None)
    return place if isinstance(place, threading.local) else None


def attach() -> None:
    """Have the current tasklet keep its own state from now on."""
    hub = get_hub()
    me = hub.current
    if me.thread_state is not None:
        return
    state = ThreadState()
    if me is not hub.main:
        state.leave_current()
        me.when_done(_return)
    me.thread_state = state


def detach() -> None:
    """Have the main tasklet wait as before once it has no event loop; that of another tasklet ends with it."""
    hub = get_hub()
    if hub.current is hub.main and events._get_running_loop() is None:
        place = _place()
        if place is None or getattr(place, "_loop", None) is None:
            hub.main.thread_state = None


@contextmanager
def own_loop() -> Iterator[None]:
    """For a block that runs an event loop of whatever kind."""
    attach()
    try:
        yield
    finally:
        detach()


def _return(tasklet: Tasklet) -> None:
    """*tasklet* ends: leave the others what is theirs."""
    state, tasklet.thread_state = tasklet.thread_state, None
    if state is not None:
        state.exchange()
