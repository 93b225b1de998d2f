"""``stacklesslib.util``: calls in tasklets, timeouts and cancellation, a channel with a queue."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from time import monotonic
from weakref import WeakKeyDictionary

from runtime import stackless
from runtime.green.stacklesslib.base import SignalChannel as SignalChannel
from runtime.green.stacklesslib.base import atomic as atomic
from runtime.green.stacklesslib.base import block_trap as block_trap
from runtime.green.stacklesslib.base import ignore_nesting as ignore_nesting
from runtime.green.stacklesslib.base import switch_trap as switch_trap
from runtime.green.stacklesslib.errors import CancelledError, TimeoutError
from runtime.hub import get_hub
from runtime.tasklet import TaskletExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WaitTimeoutError = TimeoutError


class local:
    """Attributes that differ from tasklet to tasklet."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        object.__setattr__(self, "_values", WeakKeyDictionary())

    def get_dict(self) -> dict[str, Any]:
        """Those of the current tasklet."""
        own: dict[str, Any] = object.__getattribute__(self, "_values").setdefault(stackless.getcurrent(), {})
        return own

    def __getattr__(self, name: str) -> Any:
        try:
            return self.get_dict()[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self.get_dict()[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self.get_dict()[name]
        except KeyError:
            raise AttributeError(name) from None


def send_throw(channel: stackless.channel, exc: Any, val: Any = None, tb: Any = None) -> None:
    """`channel.send_throw`."""
    channel.send_throw(exc, val, tb)


def tasklet_throw(
    tasklet: stackless.tasklet, exc: Any, val: Any = None, tb: Any = None, pending: bool = False
) -> Any:
    """`tasklet.throw`."""
    return tasklet.throw(exc, val, tb, pending)


# Timeouts.


class _Interruption(BaseException):
    """Unwinds the block of a `timeout` or a `cancellable`; no ``except Exception`` inside swallows it."""


@contextmanager
def timeout(delay: float | None, blocked: bool = False, exc: Any = None) -> Iterator[None]:
    """Raise *exc*, by default a `TimeoutError`, in the block when it takes longer than *delay* seconds.

    Args:
        delay: None or a negative number is no limit.
        blocked: only if the tasklet is blocked on a channel at that moment.
        exc: a class of exceptions, or one.
    """
    if delay is None or delay < 0:
        yield
        return
    me = stackless.getcurrent()
    mine = _Interruption()

    def expire() -> None:
        if not blocked or me.blocked:
            me._throw_later(stackless.bomb(_Interruption, mine))

    hub = get_hub()
    timer = hub.timers.at(monotonic() + delay, expire)
    try:
        yield
    except _Interruption as error:
        if error is not mine:
            raise
        if exc is None:
            raise TimeoutError(f"timed out after {delay}s") from None
        raise (exc if isinstance(exc, BaseException) else exc()) from None
    finally:
        hub.timers.cancel(timer)


_timeout = timeout


def channel_wait(chan: stackless.channel, timeout: float | None = None, exc: Any = None) -> Any:
    """Receive from *chan*, for *timeout* seconds at most."""
    with _timeout(timeout, blocked=True, exc=exc):
        return chan.receive()


def timeout_call(function: Callable[[], Any], delay: float | None) -> tuple[bool, Any]:
    """Call *function*: True and its result, or False and the `TimeoutError`."""
    try:
        with timeout(delay):
            return True, function()
    except TimeoutError as error:
        return False, error


def timeout_function(delay: float | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: each call may take *delay* seconds."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def limited(*args: Any, **kwargs: Any) -> Any:
            with timeout(delay):
                return function(*args, **kwargs)

        return limited

    return decorate


class Timeouts:
    """One limit of *delay* seconds for several operations, each in a ``with timeouts.timeout():``."""

    def __init__(self, delay: float | None, blocked: bool = False, exc: Any = None) -> None:
        self.blocked = blocked
        self.exc = exc
        self.deadline = None if delay is None or delay < 0 else monotonic() + delay

    def delay(self) -> float | None:
        """Seconds that are left; None without a limit."""
        return None if self.deadline is None else self.deadline - monotonic()

    def timeout(self) -> Any:
        """For a ``with``."""
        left = self.delay()
        if left is not None and left <= 0:
            if not self.blocked:
                raise self.exc or TimeoutError("timed out")
            left = 0.0
        return _timeout(left, self.blocked, self.exc)


class cancellable:
    """For a ``with``: `cancel`, called by another tasklet, ends the block with a `CancelledError`."""

    def __init__(self) -> None:
        self.tasklet: Any = None
        self.exception: CancelledError | None = None
        self._mine = _Interruption()

    def __enter__(self) -> cancellable:
        self.tasklet = stackless.getcurrent()
        return self

    def __exit__(self, kind: Any, error: Any, tb: Any) -> None:
        self.tasklet = None
        if error is self._mine:
            self.exception = CancelledError(*self._mine.args)
            raise self.exception from None

    def cancel(self, *args: Any) -> None:
        """End the block, if it is still running; *args* are the error's."""
        task, self.tasklet = self.tasklet, None
        if task is not None:
            self._mine.args = args
            task.throw(self._mine)

    def cancelled(self) -> bool:
        """Whether the block was cancelled."""
        return self.exception is not None

    def match(self, val: BaseException) -> bool:
        """Whether *val* is the error that it ended with."""
        return val is self.exception


# Calls in tasklets.


def tasklet_new(
    function: Callable[..., Any], args: Iterable[Any] = (), kwargs: Mapping[str, Any] = {}
) -> stackless.tasklet:
    """Call *function* in a new tasklet, in its turn."""
    return stackless.tasklet(function)(*args, **kwargs)


def tasklet_run(
    function: Callable[..., Any], args: Iterable[Any] = (), kwargs: Mapping[str, Any] = {}
) -> stackless.tasklet:
    """Call *function* in a new tasklet, now."""
    task = tasklet_new(function, args, kwargs)
    task.run()
    return task


def tasklet_call(
    function: Callable[..., Any],
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] = {},
    dispatcher: Callable[..., Any] = tasklet_run,
    timeout: float | None = None,
    on_abandoned: Callable[[], object] | None = None,
) -> Any:
    """Call *function* in another tasklet and return its result, or raise its error.

    Args:
        function, args, kwargs: what to call.
        dispatcher: called with a function, it sees that this is called somewhere.
        timeout: seconds that the caller waits.
        on_abandoned: called if the caller has left before *function* has returned.

    Raises:
        TimeoutError: *timeout* has passed.
        CancelledError: the tasklet was killed.
    """
    answer = stackless.channel()
    ended = False

    def body() -> None:
        nonlocal ended
        try:
            try:
                value = function(*args, **kwargs)
            except TaskletExit as error:
                raise CancelledError(*error.args) from None
            finally:
                ended = True
        except BaseException:
            if not answer.closing:
                answer.send_throw(*sys.exc_info())
        else:
            if not answer.closing:
                answer.send(value)

    dispatcher(body)
    try:
        return channel_wait(answer, timeout)
    finally:
        answer.close()
        if on_abandoned is not None and not ended:
            on_abandoned()


# Channels.


class ChannelSequenceMixin:
    """Sending and receiving sequences, for what has `send` and `receive`."""

    def send_sequence(self, sequence: Iterable[Any]) -> None:
        """Send each of *sequence*."""
        for value in sequence:
            self.send(value)  # type: ignore[attr-defined]

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        try:
            return self.receive()  # type: ignore[attr-defined]
        except ValueError as error:
            if "closed channel" not in str(error):
                raise
            raise StopIteration from None


class QueueChannel(ChannelSequenceMixin, stackless.channel):  # type: ignore[misc]
    """A channel that holds up to *max_len* values, any number if that is negative, so that a sender need not wait."""

    def __init__(self, max_len: int = -1) -> None:
        self.value_queue: deque[tuple[bool, Any]] = deque()
        self.max_len = max_len

    @property
    def balance(self) -> int:
        """How many values can be received; negative: how many wait for one."""
        return len(self.value_queue) + super().balance

    def _put(self, value: tuple[bool, Any]) -> None:
        room = self.max_len < 0 or len(self.value_queue) < self.max_len
        if not self.closing and super().balance == 0 and room:
            self.value_queue.append(value)
        else:
            super().send(value)

    def send(self, value: Any, /) -> None:
        """Hand *value* over, or keep it if there is room."""
        self._put((True, value))

    def send_exception(self, exc: Any, /, *args: Any) -> None:
        """Have ``exc(*args)`` raised in a receiver."""
        self.send_throw(exc, args)

    def send_throw(self, exc: Any, val: Any = None, tb: Any = None, /) -> None:
        """Have ``raise exc, val, tb`` done in a receiver."""
        self._put((False, stackless.bomb(exc, val, tb)))

    def receive(self) -> Any:
        """Take the oldest value."""
        waiting = super().balance
        if waiting > 0:  # of a sender that found no room
            before, self.preference = self.preference, -1
            try:
                self.value_queue.append(super().receive())
            finally:
                self.preference = before
        good, value = self.value_queue.popleft() if self.value_queue else super().receive()
        if not good:
            value.explode()
        return value


qchannel = QueueChannel
