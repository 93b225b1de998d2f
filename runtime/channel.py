"""The channel: Stackless's synchronous rendezvous between tasklets, of one OS thread or of several.

A sender and a receiver meet: whoever comes first waits for the other, first come, first served, and nothing is
buffered.  A latch guards the meeting (two OS threads may arrive at once); it is never held across a switch.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import GenericAlias

from runtime import here, primitives
from runtime.strand import Strand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, TypeVar

    from runtime.hub import Hub

    T = TypeVar("T")
else:
    T = None

    class Generic:
        """What ``Channel[int]`` needs; `typing` would be a fifth of the start-up time."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)


class ChannelClosed(ValueError):
    """A channel that was closed cannot be sent to, nor, once nobody is sending, received from."""


class _Party:
    """Somebody who waits at a channel, with what is handed over."""

    __slots__ = ("after", "before", "error", "met", "tasklet", "value")

    def __init__(self, tasklet: Strand, value: Any, error: BaseException | None) -> None:
        self.tasklet = tasklet
        self.value = value
        self.error = error
        self.met = False
        self.before: _Party | None = None
        self.after: _Party | None = None

    def outcome(self) -> Any:
        """The value that was handed over.

        Raises:
            BaseException: the error that was.
        """
        if self.error is None:
            return self.value
        error, self.error = self.error, None
        try:
            raise error
        finally:
            del error  # whose traceback refers to this frame


class Rendezvous:
    """What a channel does, without types of its values.

    Those who wait are all senders or all receivers.  They stand in a line, first come, first served, and many may
    leave it at once, in any order.
    """

    __slots__ = ("__weakref__", "_balance", "_closing", "_first", "_guard", "_last")

    def __init__(self) -> None:
        self._guard: Any = primitives.latch()
        self._balance = 0
        self._first: _Party | None = None
        self._last: _Party | None = None
        self._closing = False

    def __repr__(self) -> str:
        return f"<Channel{' closed' if self.closed else ''} balance={self.balance}>"

    @property
    def balance(self) -> int:
        """How many senders wait; negative: how many receivers."""
        return self._balance

    @property
    def closed(self) -> bool:
        """Closed, and nobody is left who sends."""
        return self._closing and self._balance <= 0

    def send(self, value: Any) -> None:
        """Hand *value* to a receiver, waiting for one.

        Raises:
            ChannelClosed: the channel was closed.
        """
        self._send(value, None)

    def send_exception(self, error: BaseException) -> None:
        """Have *error* raised in a receiver, waiting for one."""
        self._send(None, error)

    def receive(self) -> Any:
        """Take a value from a sender, waiting for one.

        Raises:
            ChannelClosed: the channel was closed and nobody sends.
        """
        return self._receive()

    def close(self) -> None:
        """No more sends.  Receivers that wait get `ChannelClosed`; senders that wait may still be received from."""
        left = []
        primitives.hold(self._guard)
        try:
            self._closing = True
            while self._balance < 0:
                receiver = self._take()
                receiver.error = ChannelClosed("receive on a closed channel")
                receiver.met = True
                left.append(receiver)
        finally:
            primitives.free(self._guard)
        for receiver in left:
            receiver.tasklet.rouse()

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                value = self.receive()
            except ChannelClosed:
                return
            yield value

    # The meeting, in small pieces: what stands on the stack below a wait is kept for each who waits.  Nobody is woken
    # under the guard: that may ring another OS thread, by code in which a signal handler may run that uses the channel.

    def _send(self, value: Any, error: BaseException | None) -> None:
        hub = here.get_hub()
        party = self._give(hub, value, error)
        if party.met:
            party.tasklet.rouse()
        else:
            self._wait(hub, party)

    def _receive(self) -> Any:
        hub = here.get_hub()
        party = self._ask(hub)
        if party.met:
            party.tasklet.rouse()
        else:
            self._wait(hub, party)
        return party.outcome()

    def _give(self, hub: Hub, value: Any, error: BaseException | None) -> _Party:
        """A receiver, who is met; the current tasklet, who waits to be met, where there is none."""
        primitives.hold(self._guard)
        try:
            if self._closing:
                raise ChannelClosed("send on a closed channel")
            if self._balance < 0:
                party = self._take()
                party.value = value
                party.error = error
                party.met = True
            else:
                party = _Party(hub.current, value, error)
                self._join(party, 1)
        finally:
            primitives.free(self._guard)
        return party

    def _ask(self, hub: Hub) -> _Party:
        """A sender, who is met; the current tasklet, who waits to be met, where there is none."""
        primitives.hold(self._guard)
        try:
            if self._balance > 0:
                party = self._take()
                party.met = True
            elif self._closing:
                raise ChannelClosed("receive on a closed channel")
            else:
                party = _Party(hub.current, None, None)
                self._join(party, -1)
        finally:
            primitives.free(self._guard)
        return party

    def _wait(self, hub: Hub, me: _Party) -> None:
        """Wait until somebody met *me*."""
        try:
            while not me.met:
                hub.park()
        except BaseException as error:
            primitives.hold(self._guard)
            met = me.met
            if not met:
                self._leave(me)
            primitives.free(self._guard)
            if not met:
                raise
            # The other side has gone on: what was handed over must not be lost.  The interruption comes next time.
            hub.current.interrupt(error)

    # The line, guarded.

    def _join(self, party: _Party, step: int) -> None:
        """Put *party* at the end; *step* is 1 for a sender, -1 for a receiver."""
        last = self._last
        if last is None:
            self._first = party
        else:
            last.after = party
            party.before = last
        self._last = party
        self._balance += step

    def _take(self) -> _Party:
        """Take the first out; there is one."""
        party = self._first
        assert party is not None
        self._leave(party)
        return party

    def _leave(self, party: _Party) -> None:
        """Take *party* out."""
        before, after = party.before, party.after
        if before is None:
            self._first = after
        else:
            before.after = after
        if after is None:
            self._last = before
        else:
            after.before = before
        party.before = party.after = None
        self._balance += -1 if self._balance > 0 else 1


class Channel(Rendezvous, Generic[T]):
    """A meeting place; ``for value in channel`` receives until it is closed."""

    __slots__ = ()

    if TYPE_CHECKING:

        def send(self, value: T) -> None: ...
        def receive(self) -> T: ...
        def __iter__(self) -> Iterator[T]: ...
