"""The bridge between tasklets and coroutines; `runtime.crossing` has its two ends.

Both share the OS thread: the tasklet that runs an event loop waits in the hub like any other, so either side goes on
while the other one waits.  A coroutine that no loop claims runs on a loop of the OS thread's own (`_SharedLoop`),
which runs only while it has something to do and is closed at the end of the program.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
import threading
from _thread import _local
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from time import monotonic
from typing import Any, TypeVar, cast

from runtime.hub import Hub, get_hub
from runtime.loop import SelectorEventLoop, running_loops
from runtime.strand import EMPTY
from runtime.tasklet import Tasklet, TaskletExit

T = TypeVar("T")
_home: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar(
    "_home", default=None
)  # whose coroutine waits


class _SharedLoop(SelectorEventLoop):
    """The loop of an OS thread for coroutines that come from tasklets; a daemon tasklet runs it while it has work.

    It stays open in between, since what was made on it (a session, a lock) belongs to it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.home = get_hub()
        self.forsaken = False
        self._runner: Tasklet | None = None

    def ensure(self) -> None:
        """Have it run, if it does not."""
        if not self.is_closed() and (self._runner is None or self._runner.done):
            self._runner = Tasklet(self.run_forever, name="asyncio", daemon=True, context=EMPTY).start()

    def _write_to_self(self) -> None:
        if self.is_running():
            super()._write_to_self()
        elif get_hub() is self.home:
            self.ensure()
        else:
            self.home.main.interrupt(self.ensure)

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]
        if not self.pending and self._has_nothing_to_do():
            self.stop()

    def _has_nothing_to_do(self) -> bool:
        own: Any = self
        return (
            not own._ready
            and all(timer.cancelled() for timer in own._scheduled)
            and len(own._selector.get_map()) <= 1  # its own pipe
            and not asyncio.all_tasks(self)
        )

    def end(self) -> None:
        """Cancel what still runs on it, wait for that, and close it."""
        if self.is_running():
            self.call_soon_threadsafe(self.stop)
            assert self._runner is not None
            self._runner.join()
        runner = asyncio.Runner(loop_factory=lambda: self)
        runner.get_loop()
        runner.close()

    def forsake(self) -> None:
        """In a forked child: leave it as it is, for ever; what it waits with is shared with the parent."""
        self.forsaken = True
        for end in (self._ssock, self._csock):  # type: ignore[attr-defined]
            end.close()
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]

    def __del__(self) -> None:
        if not self.forsaken:
            super().__del__()


_here: Any = _local()


def _shared_loop(hub: Hub) -> _SharedLoop | None:
    """The one of *hub*, if it has been needed so far."""
    end: _End | None = getattr(_here, "end", None)
    if end is None or end.loop.is_closed():
        return None
    if end.loop.home is not hub:  # we are a forked child
        end.loop.forsake()
        return None
    return end.loop


def _make_shared_loop() -> _SharedLoop:
    loop = _SharedLoop()
    _here.end = _End(loop)
    if threading.current_thread() is threading.main_thread():
        atexit.register(_end_shared_loop)
    return loop


def _end_shared_loop() -> None:
    loop = _shared_loop(get_hub())
    if loop is not None:
        loop.end()


class _End:
    """Goes with its OS thread, whose tasklets vanish with it, and closes the loop that nobody runs any more."""

    __slots__ = ("loop",)

    def __init__(self, loop: _SharedLoop) -> None:
        self.loop = loop

    def __del__(self) -> None:
        if not self.loop.is_running() and not self.loop.forsaken:
            self.loop.close()


def _choose_loop(hub: Hub) -> asyncio.AbstractEventLoop:
    """The loop for a coroutine of the current tasklet.

    A tasklet that runs a loop itself gets the shared one: two such that chose one another's would wait for ever.
    """
    home = _home.get()
    if home is not None and home.is_running():
        return home
    shared = _shared_loop(hub)
    if shared is None and asyncio.events._get_running_loop() is None:
        for loop in running_loops():
            if loop.hub is hub:
                return loop
    return shared or _make_shared_loop()


class _Call:
    """One awaitable that a tasklet waits for."""

    __slots__ = ("awaitable", "done", "error", "future", "loop", "tasklet")

    def __init__(self, awaitable: Awaitable[Any], loop: asyncio.AbstractEventLoop, tasklet: Tasklet) -> None:
        self.awaitable = awaitable
        self.loop = loop
        self.tasklet = tasklet
        self.future: asyncio.Future[Any] | None = awaitable if asyncio.isfuture(awaitable) else None
        self.error: BaseException | None = None
        self.done = False

    def submit(self) -> None:
        """Have it begin in its loop."""
        if isinstance(self.loop, SelectorEventLoop):
            self.loop.pending.add(self)
        self._in_loop(self._begin)

    def cancel(self) -> None:
        self._in_loop(self._cancel)

    def _in_loop(self, callback: Callable[[], None]) -> None:
        try:
            self.loop.call_soon_threadsafe(callback, context=copy_context())
        except RuntimeError as error:  # it is closed
            self._fail(error)

    # In the loop.

    def _begin(self) -> None:
        if self.done:
            return
        try:
            future = asyncio.ensure_future(self.awaitable, loop=self.loop)
        except BaseException as error:
            self._fail(error)
        else:
            self.future = future
            future.add_done_callback(self._ended)

    def _cancel(self) -> None:
        if self.future is not None:
            self.future.cancel()

    def _ended(self, _: object) -> None:
        if isinstance(self.loop, SelectorEventLoop):
            self.loop.pending.discard(self)
        self.done = True
        self.tasklet.wake()

    def abandon(self) -> None:
        self._fail(RuntimeError(f"{self.loop!r} was closed before {self.awaitable!r} was done"))

    def _fail(self, error: BaseException) -> None:
        if not self.done:
            if self.future is None and asyncio.iscoroutine(self.awaitable):
                self.awaitable.close()
            self.error = error
            self._ended(None)

    # In the tasklet.

    def wait(self, hub: Hub, deadline: float | None) -> bool:
        """Wait for its end; if interrupted or late, cancel it and wait for that.  False when it was late."""
        try:
            while not self.done:
                if deadline is not None and monotonic() >= deadline:
                    self._end(hub)
                    return False
                hub.park_until(deadline)
        except BaseException:
            self._end(hub)
            raise
        return True

    def _end(self, hub: Hub) -> None:
        self.cancel()
        late: list[BaseException] = []
        while not self.done:
            if not self.loop.is_running() and not isinstance(self.loop, _SharedLoop):
                self._fail(asyncio.CancelledError())  # as it will be, if ever the loop runs again
                break
            try:
                hub.park()
            except BaseException as error:
                late.append(error)
        for put_off in late:
            hub.current.interrupt(put_off)

    def result(self) -> Any:
        try:
            if self.error is not None:
                raise self.error
            assert self.future is not None
            return self.future.result()
        finally:
            del self  # it refers to the error, whose traceback refers to this frame


def wait_for(
    awaitable: Awaitable[T], timeout: float | None = None, *, loop: asyncio.AbstractEventLoop | None = None
) -> T:
    """See `runtime.crossing.wait_for`."""
    hub = get_hub()
    if asyncio.isfuture(awaitable):
        future = cast("asyncio.Future[T]", awaitable)
        if loop is not None and loop is not future.get_loop():
            raise ValueError(f"{future!r} belongs to another loop than {loop!r}")
        if future.done():
            return future.result()
        loop = future.get_loop()
    elif not inspect.isawaitable(awaitable):
        raise TypeError(f"an awaitable was expected, got {awaitable!r}")
    elif not asyncio.iscoroutine(awaitable):
        awaitable = _awaited(awaitable)
    if loop is None:
        loop = _choose_loop(hub)
    elif loop is asyncio.events._get_running_loop():
        if asyncio.iscoroutine(awaitable):
            awaitable.close()
        raise RuntimeError(f"{loop!r} is run by the tasklet that would wait for it: await it in a coroutine")
    call = _Call(awaitable, loop, hub.current)
    try:
        call.submit()
        if not call.wait(hub, None if timeout is None else monotonic() + timeout):
            try:
                return cast("T", call.result())  # it ended by itself at the last moment
            except asyncio.CancelledError as error:
                raise TimeoutError(f"{awaitable!r} did not end within {timeout} s") from error
        return cast("T", call.result())
    finally:
        del call, awaitable  # they refer to the error, whose traceback refers to this frame


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def to_async(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """See `runtime.crossing.to_async`."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SelectorEventLoop):
        raise RuntimeError(
            f"tasklets do not run while {loop!r} waits; start the loop by asyncio.run() in a converted module, "
            "or by runtime.green.asyncio.run()"
        )
    context = copy_context()
    context.run(_home.set, loop)
    tasklet = Tasklet(function, args, kwargs, context=context)
    ended = asyncio.Event()

    def end(_: Tasklet) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)

    tasklet.when_done(end)
    tasklet.start()
    cancelled: asyncio.CancelledError | None = None
    try:
        while not tasklet.done:
            try:
                await ended.wait()
            except asyncio.CancelledError as error:
                cancelled = error
                tasklet.kill(wait=False)
        if cancelled is not None and isinstance(tasklet.error, (TaskletExit, type(None))):
            raise cancelled
        return cast("T", tasklet.result())
    except GeneratorExit:  # the coroutine is dropped
        tasklet.kill(wait=False)
        raise
    finally:
        del cancelled, tasklet  # what they refer to refers to this frame
