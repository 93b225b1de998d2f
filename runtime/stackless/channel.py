"""The channel of Stackless 3.7: senders and receivers meet, and the channel says which of them goes on at once."""

from __future__ import annotations

from collections import OrderedDict

from runtime.stackless import callbacks
from runtime.stackless.bomb import of_class, of_raise
from runtime.stackless.registry import here
from runtime.stackless.ring import guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Self

    from runtime.stackless.ring import Ring
    from runtime.stackless.tasklet import tasklet


class channel:
    """A meeting place; values go from senders to receivers, and nothing is buffered.

    preference: who goes on at once when a sender and a receiver meet: -1 the receiver, which is the default, 1 the
        sender, 0 whoever came last.
    schedule_all: neither: both go to the end.
    """

    __slots__ = ("__weakref__", "_balance", "_closing", "_preference", "_queue", "_schedule_all")

    _queue: OrderedDict[int, tasklet] | None
    _balance: int
    _preference: int
    _closing: bool
    _schedule_all: bool

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Self:
        self = object.__new__(cls)
        self._queue = None  # who waits, by id; all of them send, or all receive
        self._balance = 0
        self._preference = -1
        self._closing = self._schedule_all = False
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} balance={self._balance} at {id(self):#x}>"

    # Meeting.

    def send(self, value: Any, /) -> None:
        """Hand *value* to a receiver, waiting for one.

        Raises:
            ValueError: it would have to wait, and the channel is closed.
            RuntimeError: it would have to wait, and must not, or could never go on.
        """
        return self._meet(value, 1)  # type: ignore[no-any-return]

    def receive(self) -> Any:
        """Take a value from a sender, waiting for one.

        Raises:
            ValueError, RuntimeError: as `send`.
        """
        return self._meet(None, -1)

    def send_exception(self, exc: Any, /, *args: Any) -> None:
        """Have ``exc(*args)`` raised in a receiver."""
        self._meet(of_class(exc, args, "channel.send_exception"), 1)

    def send_throw(self, exc: Any, val: Any = None, tb: Any = None, /) -> None:
        """Have ``raise exc, val, tb`` done in a receiver."""
        self._meet(of_raise(exc, val, tb), 1)

    def send_sequence(self, seq: Iterable[Any], /) -> int:
        """Send each of *seq*; how many they were."""
        count = 0
        for value in seq:
            self.send(value)
            count += 1
        return count

    def __iter__(self) -> channel:
        return self

    def __next__(self) -> Any:
        if self._closing and self._balance <= 0:
            raise StopIteration
        return self.receive()

    next = __next__

    def _meet(self, value: Any, direction: int) -> Any:
        ring = here()
        me = ring.face()
        before, me.tempval = me.tempval, value
        try:
            with guard:
                if self._balance * direction < 0:
                    other, own, stays = self._serve(ring, me, direction)
                else:
                    other = None
                    self._enqueue(ring, me, direction)
            if other is None:
                return ring.pause()
        except BaseException:
            if me.tempval is value:
                me.tempval = before
            raise
        if not own:
            if callbacks.channels is not None:
                callbacks.used(self, me, direction > 0, False)
        elif self._schedule_all:
            return ring.schedule()
        elif not stays:
            del me
            return ring.switch(other, last=True)
        return ring.go_on(ring.hub.current)

    def _serve(self, ring: Ring, me: tasklet, direction: int) -> tuple[tasklet, bool, bool]:
        """Exchange values with the first that waits: who it was, if it is of our thread, if we go on at once."""
        assert self._queue is not None
        other = next(iter(self._queue.values()))
        own = other._ring is ring
        stays = not own or (not self._schedule_all and self._preference != -direction)
        if own:
            if callbacks.channels is not None:
                callbacks.used(self, me, direction > 0, False)
            if not stays:
                ring.check_trap()
        self._forget(other)
        other.tempval, me.tempval = me.tempval, other.tempval
        other._handed = True
        if stays or self._schedule_all:
            other._ring.insert(other)
        else:
            ring._enter(other)
        return other, own, stays

    def _enqueue(self, ring: Ring, me: tasklet, direction: int) -> None:
        """Have *me* wait here."""
        if callbacks.channels is not None:
            callbacks.used(self, me, direction > 0, True)
        if me._block_trap:
            raise RuntimeError("this tasklet does not like to be blocked.")
        if self._closing:
            raise ValueError("Send/receive operation on a closed channel")
        if self._queue is None:
            self._queue = OrderedDict()
        self._queue[id(me)] = me
        self._balance += direction
        ring.leave(me, self, direction)

    def _forget(self, face: tasklet) -> None:
        """*face* does not wait any more."""
        assert self._queue is not None
        del self._queue[id(face)]
        self._balance -= face._direction
        face._queue = None
        face._direction = 0

    # State.

    def close(self) -> None:
        """Nobody may wait here any more; who waits goes on waiting."""
        self._closing = True

    def open(self) -> None:
        """Take `close` back."""
        self._closing = False

    @property
    def balance(self) -> int:
        """How many wait to send; negative: to receive."""
        return self._balance

    @property
    def closing(self) -> bool:
        """`close` was called."""
        return self._closing

    @property
    def closed(self) -> bool:
        """`close` was called and nobody waits."""
        return self._closing and not self._balance

    @property
    def queue(self) -> tasklet | None:
        """The first that waits."""
        return next(iter(self._queue.values()), None) if self._queue else None

    def _waiting(self) -> list[tasklet]:
        return list(self._queue.values()) if self._queue else []

    @property
    def preference(self) -> int:
        """Who goes on at once: see the class."""
        return self._preference

    @preference.setter
    def preference(self, value: Any) -> None:
        if not isinstance(value, int):
            raise TypeError("preference must be set to an integer")
        self._preference = (value > 0) - (value < 0)

    @property
    def schedule_all(self) -> int:
        """1 if both go to the end of the runnables; overrides `preference`."""
        return int(self._schedule_all)

    @schedule_all.setter
    def schedule_all(self, value: Any) -> None:
        if not isinstance(value, int):
            raise TypeError("preference must be set to a bool or integer")
        self._schedule_all = bool(value)

    # Copies.

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Raises TypeError if tasklets that have started wait at it."""
        flags = self._closing, self._preference, self._schedule_all
        if self._balance:
            raise TypeError(
                "a channel at which tasklets wait cannot be pickled: greenlet keeps them on the C stack"
            )
        return type(self), (), flags

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__reduce_ex__(2)

    def __setstate__(self, state: tuple[bool, int, bool]) -> None:
        self._closing, self._preference, self._schedule_all = state
