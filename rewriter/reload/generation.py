"""One run of the program, as the supervisor sees it."""

from __future__ import annotations

import os
import signal
from time import monotonic

from runtime import sleep, spawn
from runtime.green import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rewriter.reload.wire import Wire

_KILL = 2.0  # seconds from SIGTERM to SIGKILL


class Generation:
    """A process that runs the program.

    Args:
        number: 1 for the first.
        wire: where it asks and tells.
        orders: written to when it is to retire.
    """

    def __init__(self, number: int, wire: Wire, orders: int) -> None:
        self.number = number
        self.wire = wire
        self.pid = 0
        self.heard = 0.0  # when it last said something, in monotonic seconds; 0: it has not
        self.listeners: set[str] = set()
        self.files: set[str] = set()
        self.waits = False  # for connections, or for the leave to do so
        self.alive = True
        self.stopped = threading.Event()  # it accepts no more
        self._orders = orders

    def __repr__(self) -> str:
        return f"<Generation {self.number}, process {self.pid}{'' if self.alive else ', ended'}>"

    def answer(self, *fds: int) -> None:
        """Answer what it asked, with *fds*."""
        try:
            self.wire.send({}, fds)
        except OSError:
            pass  # it has ended meanwhile

    def signal(self, number: int) -> None:
        if self.alive and self.pid:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def retire(self, grace: float) -> None:
        """Have it accept no more and answer what it has accepted, for *grace* seconds at most."""
        try:
            os.write(self._orders, b"retire")
        except OSError:
            pass
        spawn(self._end_after, grace)

    def end(self) -> None:
        """End it; by force if it does not end by itself soon."""
        self.signal(signal.SIGTERM)
        spawn(self.kill_after, _KILL)

    def _end_after(self, seconds: float) -> None:
        self._wait(seconds)
        if self.alive:
            self.end()

    def kill_after(self, seconds: float) -> None:
        """End it by force unless it ends within *seconds*; waits for that."""
        self._wait(seconds)
        self.signal(signal.SIGKILL)

    def _wait(self, seconds: float) -> None:
        deadline = monotonic() + seconds
        while self.alive and monotonic() < deadline:
            sleep(0.02)

    def ended(self) -> None:
        """It has ended."""
        if self.alive:
            self.alive = False
            self.stopped.set()
            os.close(self._orders)
