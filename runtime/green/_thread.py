"""``_thread``: threads are tasklets, and locks work between tasklets and between OS threads.

Everything in ``threading`` follows from this, as its twin runs over it.  It offers what each Python's ``threading.py``
imports: 3.11 and 3.12 end a thread with a sentinel lock, 3.13 with a handle.  With ``threads = "native"`` the
functions that start threads are the original's; the locks are still these, each OS thread waiting in its own hub.
"""

from __future__ import annotations

import _thread
import atexit
import os
import sys
from collections.abc import Callable
from weakref import WeakSet

import runtime.lock
from runtime.hub import get_hub
from runtime.local import local as _local
from runtime.lock import Lock
from runtime.overlay import builtin, forward
from runtime.start import native_threads
from runtime.strand import EMPTY
from runtime.tasklet import Tasklet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_local.__module__ = "_thread"
_local.__name__ = _local.__qualname__ = "_local"


class lock(Lock):
    """``_thread.lock``."""

    __slots__ = ()

    def __init_subclass__(cls, /, **_: Any) -> None:
        raise TypeError("type '_thread.lock' is not an acceptable base type")


class RLock(runtime.lock.RLock):
    """``_thread.RLock``."""

    __slots__ = ()


lock.__module__ = RLock.__module__ = "_thread"
LockType = lock

if sys.version_info >= (3, 13):
    allocate_lock = allocate = lock
else:
    _new, _init = lock.__new__, lock.__init__

    def _refuse(cls: type[lock]) -> lock:
        raise TypeError("cannot create '_thread.lock' instances")

    lock.__new__ = _refuse  # type: ignore[assignment]

    @builtin
    def allocate_lock(_: Any) -> lock:
        """Make a lock."""
        made = _new(lock)
        _init(made)
        return made

    allocate = allocate_lock

_live: dict[Tasklet, _ThreadHandle | None] = {}  # the threads that have not ended, and their handles
_main_ident = _thread.get_ident() if not hasattr(_thread, "_get_main_thread_ident") else 0


@builtin
def get_ident(_: Any) -> int:
    """A number that no other live thread or tasklet of this process has; the OS thread's for its main tasklet."""
    return get_hub().current.thread_ident


def _check(function: Any, args: Any, kwargs: Any) -> None:
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")
    if kwargs is not None and not isinstance(kwargs, dict):
        raise TypeError("optional 3rd arg must be a dictionary")


def _spawn(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None,
    handle: _ThreadHandle | None = None,
) -> Tasklet:
    sys.audit("_thread.start_new_thread", function, args, kwargs or {})
    tasklet = _Thread(function, args, kwargs, daemon=True, context=EMPTY)
    _live[tasklet] = handle
    return tasklet.start()


class _Thread(Tasklet):
    """A tasklet that nobody asks how it ended."""

    __slots__ = ()

    def fail(self, error: BaseException) -> None:
        """Show *error*, unless it is `SystemExit`."""
        if isinstance(error, SystemExit):
            return
        try:
            _show(error, self._function)
        except BaseException as another:
            super().fail(another)

    def finish(self) -> None:
        """It has ended; called by the hub."""
        super().finish()
        self._value = None  # nobody asks for it, and a handle would keep it
        _live.pop(self, None)
        sentinel = _sentinels.pop(self, None)
        if sentinel is not None and sentinel.locked():
            sentinel.release()


def _show(error: BaseException, function: object) -> None:
    """Show an error that leaves a thread, which ran *function*."""
    from runtime.tracebacks import hide_frames

    hide_frames(error)
    hook: Any = sys.unraisablehook
    if hook is not sys.__unraisablehook__:
        hook(_Unraisable(error, function))
    elif sys.stderr is not None:  # the original takes nothing but what the interpreter makes
        sys.stderr.write(_unraisable_text(error, function))


def _unraisable_text(error: BaseException, function: object) -> str:
    """What the interpreter writes of an error that leaves a thread."""
    import traceback

    head, frames = f"by: {function!r}", traceback.extract_tb(error.__traceback__)
    if sys.version_info >= (3, 13):  # without carets since then
        head = f"by {function!r}:"
        frames = traceback.StackSummary.from_list([tuple(frame) for frame in frames])
    return "".join((
        f"Exception ignored in thread started {head}\nTraceback (most recent call last):\n",
        *frames.format(),
        *traceback.format_exception_only(error),
    ))  # fmt: skip


class _Unraisable:
    """What ``sys.unraisablehook`` gets for an error that leaves a thread."""

    def __init__(self, error: BaseException, function: object) -> None:
        self.exc_type = type(error)
        self.exc_value = error
        self.exc_traceback = error.__traceback__
        self.err_msg = "Exception ignored in thread started by"
        self.object: object = function
        if sys.version_info >= (3, 13):
            self.err_msg += f" {function!r}"
            self.object = None


@builtin
def _excepthook(_: Any, args: Any, /) -> None:
    """Show an error that ended a thread, as `threading.excepthook` does."""
    from runtime.tracebacks import hide_frames

    error = getattr(args, "exc_value", None)
    if isinstance(error, BaseException):
        hide_frames(error)
    _thread._excepthook(args)


@builtin
def start_new_thread(
    _: Any, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, /
) -> int:
    """Start ``function(*args, **kwargs)`` as a tasklet and return its identifier."""
    _check(function, args, kwargs)
    if native_threads():
        return _thread.start_new_thread(function, args, kwargs or {})
    return _spawn(function, args, kwargs).ident


start_new = start_new_thread


@builtin
def exit(_: Any) -> None:
    """End the calling thread, by ``SystemExit``."""
    raise SystemExit


exit_thread = exit


@builtin
def _count(_: Any) -> int:
    """How many threads run that were started here."""
    return len(_live) + (_thread._count() if native_threads() else 0)


# 3.11, 3.12: a lock that is released when the tasklet ends.

_sentinels: dict[Tasklet, Lock] = {}


@builtin
def _set_sentinel(_: Any) -> Lock:
    sentinel = Lock()
    tasklet = get_hub().current
    if tasklet in _live:
        _sentinels[tasklet] = sentinel
    elif native_threads() and hasattr(_thread, "_set_sentinel"):
        return _thread._set_sentinel()
    return sentinel


# 3.13: a handle for each thread.


class _ThreadHandle:
    """One thread: its identifier, and whether it is done."""

    __slots__ = ("__weakref__", "_done", "_joining", "_native", "_tasklet", "ident")

    def __init__(self) -> None:
        self.ident: int | None = None
        self._tasklet: Tasklet | None = None
        self._native: Any = None
        self._done = False
        self._joining = False

    def is_done(self) -> bool:
        if self._native is not None:
            return self._native.is_done()
        return self._done or (self._tasklet is not None and self._tasklet.done)

    def _set_done(self) -> None:
        if self.ident is None:
            raise RuntimeError("thread not started")
        if self._native is not None:
            self._native._set_done()
        self._done = True

    def join(self, timeout: float | None = None, /) -> None:
        """Wait until it is done, up to *timeout* seconds (None or negative: for ever)."""
        if self.ident is None:
            raise RuntimeError("thread not started")
        if timeout is not None and timeout < 0:
            timeout = None
        if self._native is not None:
            self._join_native(timeout)
            return
        if self.is_done():
            return
        if self.ident == get_ident():
            raise RuntimeError("Cannot join current thread")
        if self._tasklet is None:
            raise RuntimeError("Cannot join a thread that was not started here")
        self._tasklet.join(timeout)

    def _join_native(self, timeout: float | None) -> None:
        from runtime.workers import offload_if_shared

        offload_if_shared(self._native.join, -1 if timeout is None else timeout)

    def __repr__(self) -> str:
        return f"<_thread._ThreadHandle object: ident={self.ident or 0}>"


_ThreadHandle.__module__ = "_thread"
_joined_at_exit: WeakSet[_ThreadHandle] = WeakSet()


def _forked() -> None:
    """In a forked child only the tasklet that forked is left; it is the main thread's now."""
    global _main_ident
    me = get_hub().current
    _main_ident = me.ident
    for tasklet, handle in list(_live.items()):
        if tasklet is not me:
            del _live[tasklet]
            _sentinels.pop(tasklet, None)
            if handle is not None:
                handle._done = True


os.register_at_fork(after_in_child=_forked)


@builtin
def start_joinable_thread(
    _: Any, function: Callable[[], Any], handle: _ThreadHandle | None = None, daemon: bool = True
) -> _ThreadHandle:
    """Start ``function()`` as a tasklet; *handle* will stand for it."""
    if not callable(function):
        raise TypeError("thread function must be callable")
    if handle is None:
        handle = _ThreadHandle()
    elif not isinstance(handle, _ThreadHandle):
        raise TypeError("'handle' must be a _ThreadHandle")
    if handle.ident is not None:
        raise RuntimeError("thread already started")
    if native_threads():
        handle._native = _thread.start_joinable_thread(function, daemon=daemon)  # type: ignore[attr-defined]
        handle.ident = handle._native.ident
    else:
        handle._tasklet = _spawn(function, (), None, handle)
        handle.ident = handle._tasklet.ident
    if not daemon:
        _joined_at_exit.add(handle)
    return handle


@builtin
def _make_thread_handle(_: Any, ident: int) -> _ThreadHandle:
    handle = _ThreadHandle()
    handle.ident = ident
    return handle


@builtin
def _get_main_thread_ident(_: Any) -> int:
    return _main_ident or _thread._get_main_thread_ident()  # type: ignore[attr-defined]


@builtin
def _shutdown(_: Any) -> None:
    """Wait for every non-daemon thread."""
    me = get_ident()
    while True:
        waiting = [handle for handle in _joined_at_exit if not handle.is_done() and handle.ident != me]
        if not waiting:
            return
        for handle in waiting:
            handle.join()


@atexit.register
def _leave_dummies() -> None:
    """What stands for a thread that still runs is dropped with the modules, when there is no list to take it from."""
    kind: Any = getattr(sys.modules.get("runtime.green.threading"), "_DeleteDummyThreadOnDel", None)
    if kind is not None:
        kind.__del__ = lambda dummy: None


@builtin
def interrupt_main(_: Any, signum: int = 2, /) -> None:
    """Simulate the arrival of a signal in the main thread."""
    _thread.interrupt_main(signum)  # type: ignore[arg-type]


forward(globals(), _thread)
