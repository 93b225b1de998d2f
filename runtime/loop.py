"""The event loop of converted code: asyncio's own, with a selector that waits in the hub.

Everything else of asyncio is the plain one: futures, tasks, transports and their C code are the same objects for
converted and unconverted code, and need nothing else to let other tasklets run.  Rejected: a twin of asyncio, whose
tasks the C code would not know; a loop over the hub's own timers and watches, which would have to follow asyncio's
transports release by release.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import warnings
from _thread import _local
from asyncio import base_events
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from runtime import handover
from runtime.backends import READ
from runtime.green import selectors
from runtime.hub import Hub, existing_hub, get_hub
from runtime.overlay import rebind
from runtime.signals import take_sigint
from runtime.thread_state import attach, detach

if TYPE_CHECKING:
    from selectors import SelectorKey

    from runtime.tasklet import Tasklet
    from runtime.watch import Watch

_TURN = 0.002  # seconds that a loop which always has something to do keeps the hub from looking for I/O


_DefaultSelector: Any = selectors.DefaultSelector  # type: ignore[attr-defined]


class Selector(_DefaultSelector):  # type: ignore[misc]
    """Waits in the hub, for a descriptor of its own where it has one (epoll(7), kqueue)."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: Tasklet | None = (
            None  # who waits here and may be woken without a byte to the loop's pipe
        )
        self._watch: Watch | None = None
        self._served = 0.0  # when the hub last looked for I/O, in monotonic seconds

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """What is ready, or becomes so within *timeout* seconds (None: ever).  Others run in any case."""
        hub = existing_hub()
        if hub is None or not (hub.tasklets or hub.timers) or not hasattr(self, "fileno"):
            return super().select(timeout)  # type: ignore[no-any-return]
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            self._let_others_in(hub)
            return ready  # type: ignore[no-any-return]
        deadline = None if timeout is None else monotonic() + timeout
        self.waiting = hub.current
        try:
            hub.wait(self._watch_in(hub), READ, deadline)
        finally:
            self.waiting = None
        return super().select(0)  # type: ignore[no-any-return]

    def _let_others_in(self, hub: Hub) -> None:
        now = monotonic()
        if now - self._served > _TURN:
            self._served = now
            hub.give_way()
        elif hub.ready:
            hub.schedule()

    def _watch_in(self, hub: Hub) -> Watch:
        watch = self._watch
        if watch is None or watch.hub is not hub or watch.closed:
            if watch is not None:
                watch.close()
            watch = self._watch = hub.watch(self.fileno())
        return watch

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        super().close()


class Pending(Protocol):
    """Something that waits for an event loop from outside, in a tasklet."""

    @property
    def tasklet(self) -> Tasklet:
        """Who waits."""

    def abandon(self) -> None:
        """The loop is closed; called by whoever closes it."""


class SelectorEventLoop(asyncio.SelectorEventLoop):
    """asyncio's event loop, waiting in the hub of the OS thread that runs it.

    Args:
        selector: one made by converted code, or by `runtime.green.selectors`; by default one that suits the hub.
    """

    tasklet: Tasklet | None = None  # who runs it
    hub: Hub | None = None  # where it runs

    def __init__(self, selector: Any = None) -> None:
        self.pending: set[Pending] = set()
        super().__init__(Selector() if selector is None else selector)

    def run_forever(self) -> None:
        if self.is_running():
            super().run_forever()  # says so
        hub = get_hub()
        loops = running_loops()
        attach()
        self.hub, self.tasklet = hub, hub.current
        loops.append(self)
        try:
            super().run_forever()
        finally:
            loops.remove(self)
            self.hub = self.tasklet = None
            detach()
            for waiting in self.pending:
                waiting.tasklet.wake()  # it may have given up, and need not wait for a loop that has stopped

    def _write_to_self(self) -> None:
        selector = self._selector  # type: ignore[attr-defined]
        waiting = selector.waiting if isinstance(selector, Selector) else None
        if waiting is not None:
            waiting.wake()
        else:
            super()._write_to_self()  # type: ignore[misc]

    def close(self) -> None:
        super().close()
        while self.pending:
            self.pending.pop().abandon()

    async def create_server(self, *args: Any, **kwargs: Any) -> asyncio.Server:
        """A TCP server; in a program that is reloaded, one whose listeners outlive the process."""
        if handover.current is None:
            return await super().create_server(*args, **kwargs)
        from runtime.green import socket

        names = {"socket": socket}
        create_server: Any = rebind(base_events.BaseEventLoop.create_server, names, base_events)
        return await create_server(self, *args, **kwargs)  # type: ignore[no-any-return]

    # Signals.

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        """Have *callback* called by this loop, which must be the main tasklet's, when *sig* arrives."""
        hub = existing_hub()
        if hub is not None and hub.current is not hub.main:
            raise RuntimeError("set_wakeup_fd only works in main thread of the main interpreter")
        super().add_signal_handler(sig, callback, *args)

    def remove_signal_handler(self, sig: int) -> bool:
        removed = super().remove_signal_handler(sig)
        hub = existing_hub()
        if removed and sig == signal.SIGINT and hub is not None and hub.tasklets:
            take_sigint(hub)  # asyncio has put the plain default handler in its place
        return removed


# Its repr() and its pickled name are asyncio's.
for _name in ("__module__", "__name__", "__qualname__"):
    setattr(SelectorEventLoop, _name, getattr(asyncio.SelectorEventLoop, _name))


class DefaultEventLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """asyncio's policy, with loops that wait in the hub; a tasklet has its own current event loop, as threads do."""

    _loop_factory = SelectorEventLoop
    _local: Any

    def get_event_loop(self) -> asyncio.AbstractEventLoop:
        hub = existing_hub()
        if hub is not None and hub.current is not hub.main:
            attach()
            if self._local._loop is None:
                raise RuntimeError(f"There is no current event loop in thread {hub.current.name!r}.")
        elif self._local._loop is None and not self._local._set_called and _in_main_thread():
            if sys.version_info >= (3, 12):
                warnings.warn(
                    "There is no current event loop", DeprecationWarning, skip_file_prefixes=_PACKAGES
                )
            self.set_event_loop(self.new_event_loop())
        return super().get_event_loop()

    def set_event_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        attach()
        try:
            super().set_event_loop(loop)
        finally:
            detach()


_PACKAGES = (os.path.dirname(__file__), os.path.dirname(asyncio.__file__))
_beside: WeakKeyDictionary[asyncio.AbstractEventLoopPolicy, DefaultEventLoopPolicy] = WeakKeyDictionary()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def cooperative(policy: asyncio.AbstractEventLoopPolicy) -> asyncio.AbstractEventLoopPolicy:
    """What converted code sees for *policy*, the process's: asyncio's own default makes loops that wait in the hub.

    Both have the same attributes, so both know the same current event loop and the same child watcher.
    """
    if type(policy) is not asyncio.DefaultEventLoopPolicy:
        return policy
    own = _beside.get(policy)
    if own is None:
        own = _beside[policy] = DefaultEventLoopPolicy.__new__(DefaultEventLoopPolicy)
        own.__dict__ = vars(policy)
    return own


_here: Any = _local()


def running_loops() -> list[SelectorEventLoop]:
    """The loops that tasklets of the calling OS thread run, the one that has run longest first."""
    try:
        return _here.loops  # type: ignore[no-any-return]
    except AttributeError:
        _here.loops = []
        return _here.loops  # type: ignore[no-any-return]
