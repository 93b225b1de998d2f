"""``stacklesslib.locks``: the locks of ``threading``, which work between tasklets and between threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtime import stackless
from runtime.green import threading
from runtime.green.stacklesslib.errors import TimeoutError
from runtime.green.stacklesslib.util import channel_wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

Barrier: Any = threading.Barrier
BoundedSemaphore: Any = threading.BoundedSemaphore
BrokenBarrierError: Any = threading.BrokenBarrierError
Condition: Any = threading.Condition
Event: Any = threading.Event
Lock: Any = threading.Lock
RLock: Any = threading.RLock
Semaphore: Any = threading.Semaphore


class LockMixin:
    """Makes what has `acquire` and `release` usable in a ``with``."""

    def __enter__(self) -> Any:
        self.acquire()  # type: ignore[attr-defined]
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()  # type: ignore[attr-defined]


@contextmanager
def released(lock: Any) -> Iterator[None]:
    """Inside it *lock*, which is held, is free."""
    lock.release()
    try:
        yield
    finally:
        lock.acquire()


def lock_channel_wait(chan: stackless.channel, timeout: float | None) -> bool:
    """Wait for *chan*; False when *timeout* seconds passed first."""
    try:
        channel_wait(chan, timeout)
    except TimeoutError:
        return False
    return True


def wait_for_condition(cond: Any, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
    """Wait at *cond* until *predicate* is true, or *timeout* seconds have passed; what it was last."""
    return cond.wait_for(predicate, timeout)


class NLCondition(LockMixin):
    """A condition without a lock, for tasklets of one thread: they are not interrupted between a look and a wait."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """There is nothing to acquire."""
        return True

    def release(self) -> None:
        """There is nothing to release."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for a notification; False when *timeout* seconds passed first."""
        with self._condition:
            return self._condition.wait(timeout)

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until *predicate* is true."""
        with self._condition:
            return self._condition.wait_for(predicate, timeout)

    def notify(self, n: int = 1) -> None:
        """Wake *n* that wait."""
        with self._condition:
            self._condition.notify(n)

    def notify_all(self) -> None:
        """Wake all that wait."""
        with self._condition:
            self._condition.notify_all()


class ValueEvent(stackless.channel):
    """An event that is set once, with a value for whoever waits, or fails.

    Args:
        timeout: seconds after which it fails by itself.
        timeoutException: what it fails with then.
        timeoutExceptionValue: that exception's argument.
    """

    def __new__(
        cls, timeout: float | None = None, timeoutException: Any = None, timeoutExceptionValue: Any = None
    ) -> Any:
        self = stackless.channel.__new__(cls)
        self.preference = 1
        if timeout is not None:
            from runtime.green.stacklesslib.app import event_queue

            value = timeoutExceptionValue or "Event timed out"
            event_queue.call_later(timeout, self.abort, timeoutException or TimeoutError, value)
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def set(self, value: Any = None) -> None:
        """Give everybody who waits *value*.

        Raises:
            RuntimeError: it was set, or has failed, before.
        """
        self._finish(lambda: self.send(value))

    def abort(self, exception: Any = None, *value: Any) -> None:
        """Raise *exception* in everybody who waits."""
        if not self.closed:
            self._finish(lambda: self.send_exception(exception or RuntimeError, *value))

    def _finish(self, act: Callable[[], None]) -> None:
        if self.closing:
            raise RuntimeError("ValueEvent object already signaled or aborted")
        while self.balance < 0:
            act()
        self.close()

    def wait(self) -> Any:
        """Wait for the value.

        Raises:
            RuntimeError: it was set, or has failed, before.
        """
        if self.closing:
            raise RuntimeError("ValueEvent object already signaled or aborted")
        return self.receive()
