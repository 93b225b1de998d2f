"""``stacklesslib.main``: the main loop that kept tasklets, timers and sockets going; here the scheduler does."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from runtime import stackless
from runtime.green import threading
from runtime.green.stacklesslib.app import EventQueue as EventQueue
from runtime.green.stacklesslib.app import event_queue as event_queue
from runtime.green.stacklesslib.app import sleep as sleep
from runtime.green.stacklesslib.base import time as elapsed_time
from runtime.hub import get_hub
from runtime.stackless.registry import here

__all__ = ["EventQueue", "MainLoop", "elapsed_time", "event_queue", "mainloop", "set_channel_pref", "sleep"]


def set_channel_pref(channel: stackless.channel) -> None:
    """Have who sends to *channel* go on."""
    channel.preference = 1


class MainLoop:
    """A loop that serves what waits, calls pumps of the program and runs tasklets, over and over.

    ``max_wait_time``: seconds that it waits at most, so that the pumps are called.
    """

    def __init__(self) -> None:
        self.max_wait_time = 0.01
        self.running = True
        self.pumps: list[Callable[[], object]] = []
        self.event_queue = event_queue
        self.exception: object = None
        self._break = threading.Event()

    def add_pump(self, pump: Callable[[], object]) -> None:
        """Have *pump* called in each round."""
        if pump not in self.pumps:
            self.pumps.append(pump)

    def remove_pump(self, pump: Callable[[], object]) -> None:
        """Have it called no more."""
        if pump in self.pumps:
            self.pumps.remove(pump)

    def pump_pumps(self) -> None:
        """Call the pumps."""
        for pump in list(self.pumps):
            pump()

    def get_wait_time(self, time: float = 0.0) -> float:
        """Seconds that the loop may wait now."""
        if len(here().runnables()) > 1:
            return 0.0
        delay = self.event_queue.due_delay()
        return self.max_wait_time if delay is None else min(self.max_wait_time, max(delay, 0.0))

    def adjust_wait_times(self, deltaSeconds: float) -> None:
        """Have all calls that wait made later."""
        self.event_queue.reschedule(deltaSeconds)

    def interruptable_wait(self, delay: float) -> None:
        """Wait for *delay* seconds or until `interrupt_wait`; the others run."""
        self._break.wait(delay)
        self._break.clear()

    def interrupt_wait(self) -> None:
        """End a wait, from any thread."""
        self._break.set()

    def raw_sleep(self, delay: float) -> None:
        """Wait; the others run."""
        sleep(delay)

    def pump(self, run_for: int = 0) -> None:
        """Serve what waits, without waiting."""
        self.pump_pumps()
        self.event_queue.pump()
        get_hub().serve()

    def run_tasklets(self, run_for: int = 0) -> stackless.tasklet | None:
        """Run those that are ready, not those that still wait for something; errors go to `handle_error`."""
        ring = here()
        before, ring.pumped = ring.pumped, True
        try:
            return stackless.run(run_for)
        except Exception as error:
            self.handle_error((type(error), error, error.__traceback__))
            return None
        finally:
            ring.pumped = before

    def handle_error(self, ei: tuple[type[BaseException], BaseException, object]) -> None:
        """Print an error that a tasklet has not caught."""
        traceback.print_exception(ei[1])

    def wait(self) -> None:
        """Wait until there is something to do."""
        delay = self.get_wait_time()
        if delay:
            self.interruptable_wait(delay)

    def loop(self) -> None:
        """One round."""
        self.wait()
        self.pump()
        self.run_tasklets()

    def run(self) -> None:
        """Go round until `stop`."""
        while self.running:
            self.loop()

    def stop(self) -> None:
        """End `run`."""
        self.running = False


mainloopClass = MainLoop
mainloop = MainLoop()
