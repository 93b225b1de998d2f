"""Timers of one hub: a binary heap with lazy deletion.

A cancelled timer stays in the heap until it is due, or until more than half of the heap is cancelled; then one
sweep drops them all.  Most timeouts are cancelled, so this beats a removal for each (libevent and gevent's libev
loop pay a sift on every cancel).  Only the hub's own OS thread touches its timers.

Times are readings of ``time.monotonic()``, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count

from runtime.strand import Strand


class Timer:
    """At ``when``, ``action`` is called, or woken if it is a tasklet; ``fired`` says that it has been."""

    __slots__ = ("action", "fired", "when")

    def __init__(self, when: float, action: Callable[[], object] | Strand) -> None:
        self.when = when
        self.action: Callable[[], object] | Strand | None = action
        self.fired = False

    def __repr__(self) -> str:
        state = "fired" if self.fired else "cancelled" if self.action is None else "pending"
        return f"<Timer at {self.when:.3f} {state}>"


class Timers:
    """The pending timers of a hub, earliest first; equal times fire in the order they were set."""

    __slots__ = ("_cancelled", "_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def at(self, when: float, action: Callable[[], object] | Strand) -> Timer:
        """Set a timer: a tasklet is woken, any other ``action()`` called in the hub, once, not before *when*.

        The call must not wait.
        """
        timer = Timer(when, action)
        heappush(self._heap, (when, next(self._order), timer))
        return timer

    def cancel(self, timer: Timer) -> None:
        """Take *timer* back; without effect once it fired or was cancelled."""
        if timer.action is None:
            return
        timer.action = None
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            # In place: a signal handler may be setting a timer in the middle of this.
            self._heap[:] = [entry for entry in self._heap if entry[2].action is not None]
            heapify(self._heap)
            self._cancelled = 0

    def next(self) -> float | None:
        """When the earliest pending timer is due, or None when there is none."""
        heap = self._heap
        while heap:
            when, _, timer = heap[0]
            if timer.action is not None:
                return when
            heappop(heap)
            self._cancelled -= 1
        return None

    def fire(self, now: float) -> None:
        """Run every action that is due at *now*."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            timer = heappop(heap)[2]
            action = timer.action
            if action is None:
                self._cancelled -= 1
                continue
            timer.action = None
            timer.fired = True
            if isinstance(action, Strand):
                tasklet: Strand = action
                tasklet.rouse()
            else:
                action()
