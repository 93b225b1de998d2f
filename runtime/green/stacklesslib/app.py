"""``stacklesslib.app``: waiting, which needs no framework here, and calls at a later time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import monotonic

from runtime import stackless
from runtime.green import threading
from runtime.hub import sleep as _sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Condition: Any = threading.Condition
Event: Any = threading.Event
Lock: Any = threading.Lock
RLock: Any = threading.RLock
Semaphore: Any = threading.Semaphore


def sleep(delay: float) -> None:
    """Let the others run, for *delay* seconds at least."""
    _sleep(max(0.0, delay))


def install_stackless() -> None:
    """Nothing: what is here always lets others run."""


install_vanilla = install_stackless


class Handle:
    """A call that is to be made; `cancel` takes it back."""

    __slots__ = ("callback", "interval")

    def __init__(self, callback: Callable[[], object], interval: float) -> None:
        self.callback: Callable[[], object] | None = callback
        self.interval = interval

    def cancel(self) -> bool:
        """Take it back; False if it was made, or taken back before."""
        there = self.callback is not None
        self.callback = None
        return there


class EventQueue:
    """Calls to be made later, by a tasklet of their own; times are readings of ``time.monotonic()``, in seconds."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Handle]] = []
        self._order = count()
        self._offset = 0.0
        self._alarm: stackless.tasklet | None = None
        self._alarm_at = 0.0

    def __len__(self) -> int:
        return sum(handle.callback is not None for _, _, handle in self._heap)

    time = staticmethod(monotonic)

    def reschedule(self, delta_t: float) -> None:
        """Have everything that waits now made *delta_t* seconds later."""
        self._heap = [(when + delta_t, order, handle) for when, order, handle in self._heap]
        self._wake()

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Handle:
        """Call *callback* as soon as possible."""
        return self.call_at(monotonic(), callback, *args)

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Call *callback* in *delay* seconds."""
        return self.call_at(monotonic() + delay, callback, *args)

    call_later_threadsafe = call_later

    def call_at(self, deadline: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Call *callback* at *deadline*."""
        return self._add(deadline, Handle(lambda: callback(*args), -1))

    def call_repeatedly(self, interval: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Call *callback* every *interval* seconds."""
        return self._add(monotonic() + interval, Handle(lambda: callback(*args), interval))

    def _add(self, when: float, handle: Handle) -> Handle:
        heappush(self._heap, (when, next(self._order), handle))
        self._wake()
        return handle

    def due_delay(self) -> float | None:
        """Seconds until the next call; None if there is none."""
        while self._heap and self._heap[0][2].callback is None:
            heappop(self._heap)
        return self._heap[0][0] - monotonic() if self._heap else None

    @property
    def is_due(self) -> bool:
        """Whether a call is to be made now."""
        delay = self.due_delay()
        return delay is not None and delay <= 0

    def pump(self) -> int:
        """Make the calls that are due; how many they were."""
        made = 0
        while self.is_due:
            when, _, handle = heappop(self._heap)
            callback = handle.callback
            assert callback is not None
            if handle.interval >= 0:
                heappush(self._heap, (when + handle.interval, next(self._order), handle))
            else:
                handle.callback = None
            made += 1
            callback()
        return made

    def cancel_sleep(self) -> None:
        """Nothing: nobody sleeps on a call."""

    def _wake(self) -> None:
        """See that a tasklet is there to make the next call in time."""
        delay = self.due_delay()
        if delay is None or (self._alarm is not None and self._alarm_at <= monotonic() + delay):
            return
        self._alarm_at = monotonic() + delay
        self._alarm = stackless.tasklet(self._serve)(self._alarm_at)

    def _serve(self, mine: float) -> None:
        while mine == self._alarm_at:
            delay = self.due_delay()
            if delay is None:
                self._alarm = None
                return
            self._alarm_at = mine = monotonic() + delay
            sleep(delay)
            if mine == self._alarm_at:
                self.pump()


event_queue = EventQueue()
