"""Worker threads for calls that have no cooperative form.

Idle workers wait on a plain lock each and end after a while.  A call starts a worker if none is idle and the bound
is not reached; else it queues.  A call that offloads another runs it in place, so workers never wait for one another
and a queue cannot deadlock.

A call runs with its caller's signal mask (what it starts inherits that); an idle worker takes no signal.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
from _thread import _local, allocate_lock, start_new_thread
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context

from runtime.hub import existing_hub, get_hub
from runtime.signals import shield

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from runtime.hub import Hub
    from runtime.tasklet import Tasklet

    T = TypeVar("T")

LIMIT = min(8, (os.cpu_count() or 1) + 4)  # workers at most; they wait in the system, they do not compute
_LINGER = 10.0  # seconds an idle worker stays


class Call:
    """One call on a worker, for a tasklet."""

    __slots__ = ("args", "context", "done", "error", "function", "kwargs", "mask", "tasklet", "value")

    def __init__(
        self, tasklet: Tasklet, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.tasklet = tasklet
        self.context: Context | None = copy_context()
        self.mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, ())
        self.function: Callable[..., Any] | None = function
        self.args = args
        self.kwargs = kwargs
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = False

    def run(self) -> None:
        context, function = self.context, self.function
        assert context is not None
        assert function is not None
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self.mask)
        try:
            self.value = context.run(function, *self.args, **self.kwargs)
        except BaseException as error:
            self.error = error
        shield()
        # A worker that goes on holding them would keep the caller's objects alive.
        self.context = self.function = None
        self.args = ()
        self.kwargs = {}
        self.done = True
        self.tasklet.wake()

    def wait(self, hub: Hub) -> Any:
        """Wait for it, in the tasklet that it is for; what it returned or raised."""
        while not self.done:
            hub.park()
        if self.error is not None:
            error, self.error = self.error, None
            try:
                raise error
            finally:
                del error  # whose traceback refers to this frame
        return self.value


class Workers:
    """A bounded set of worker threads."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._reset()
        _all.append(self)

    def _reset(self) -> None:
        self._guard = allocate_lock()
        self._calls: deque[Call] = deque()
        self._idle: list[Any] = []  # the locks that idle workers wait on
        self._count = 0

    def __repr__(self) -> str:
        return f"<Workers: {self._count} of {self.limit}, {len(self._idle)} idle, {len(self._calls)} calls queued>"

    def call(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        """`offload` to one of these workers."""
        if getattr(_here, "worker", False):
            return copy_context().run(function, *args, **kwargs)  # it is on a worker thread already
        hub = get_hub()
        call = Call(hub.current, function, args, kwargs)
        self.submit(call)
        return call.wait(hub)  # type: ignore[no-any-return]

    def submit(self, call: Call) -> None:
        """Have *call* made.

        Raises:
            RuntimeError: the system gives no thread; it will not be made.
        """
        with self._guard:
            self._calls.append(call)
            if self._idle:
                self._idle.pop().release()
                return
            if self._count >= self.limit:
                return
            self._count += 1
        try:
            start_new_thread(self._work, ())
        except RuntimeError:  # the system gives no thread
            with self._guard:
                self._count -= 1
                if self._count == 0:
                    self._calls.remove(call)
                    raise

    def _work(self) -> None:
        shield()
        _here.worker = True
        bell = allocate_lock()
        bell.acquire()
        while True:
            with self._guard:
                call = self._calls.popleft() if self._calls else None
                if call is None:
                    self._idle.append(bell)
            if call is not None:
                call.run()
                del call
                continue
            if bell.acquire(timeout=_LINGER):
                continue
            with self._guard:
                if bell in self._idle:
                    self._idle.remove(bell)
                    self._count -= 1
                    return
            bell.acquire()  # rung at the last moment


def idle() -> int:
    """How many worker threads wait for a call."""
    return sum(len(workers._idle) for workers in _all)


_here = _local()
_all: list[Workers] = []
_workers = Workers()
os.register_at_fork(after_in_child=_workers._reset)


def offload(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Call ``function(*args, **kwargs)`` on a worker thread, letting other tasklets run meanwhile.

    The call sees a copy of the caller's context variables.  If the caller is killed or timed out while it waits, the
    call goes on and its outcome is dropped.

    Raises:
        BaseException: what *function* raised.
    """
    return _workers.call(function, args, kwargs)


def offload_if_shared(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """`offload`, or a plain call where no other tasklet would profit from it."""
    hub = existing_hub()
    if hub is None or not (hub.tasklets or hub.timers):
        return function(*args, **kwargs)
    return offload(function, *args, **kwargs)
