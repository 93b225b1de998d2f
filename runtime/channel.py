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


class _Line:
    """Those who wait, first come, first served; many may leave at once, in any order.  Guarded by the channel."""

    __slots__ = ("count", "first", "last")

    def __init__(self) -> None:
        self.count = 0
        self.first: _Party | None = None
        self.last: _Party | None = None

    def join(self, party: _Party) -> None:
        """Put *party* at the end."""
        last = self.last
        if last is None:
            self.first = party
        else:
            last.after = party
            party.before = last
        self.last = party
        self.count += 1

    def leave(self, party: _Party) -> None:
        """Take *party* out."""
        before, after = party.before, party.after
        if before is None:
            self.first = after
        else:
            before.after = after
        if after is None:
            self.last = before
        else:
            after.before = before
        party.before = party.after = None
        self.count -= 1

    def take(self) -> _Party:
        """Take the first out; there is one."""
        party = self.first
        assert party is not None
        self.leave(party)
        return party


class Rendezvous:
    """What a channel does, without types of its values."""

    __slots__ = ("__weakref__", "_closing", "_guard", "_receivers", "_senders")

    def __init__(self) -> None:
        self._guard: Any = primitives.latch()
        self._senders = _Line()
        self._receivers = _Line()
        self._closing = False

    def __repr__(self) -> str:
        return f"<Channel{' closed' if self.closed else ''} balance={self.balance}>"

    @property
    def balance(self) -> int:
        """How many senders wait; negative: how many receivers."""
        return self._senders.count - self._receivers.count

    @property
    def closed(self) -> bool:
        """Closed, and nobody is left who sends."""
        return self._closing and not self._senders.count

    def send(self, value: Any) -> None:
        """Hand *value* to a receiver, waiting for one.

        Raises:
            ChannelClosed: the channel was closed.
        """
        self._send(value, None)

    def send_exception(self, error: BaseException) -> None:
        """Have *error* raised in a receiver, waiting for one."""
        self._send(None, error)

    def _send(self, value: Any, error: BaseException | None) -> None:
        hub = here.get_hub()
        primitives.hold(self._guard)
        try:
            if self._closing:
                raise ChannelClosed("send on a closed channel")
            if self._receivers.count:
                receiver = self._receivers.take()
                receiver.value = value
                receiver.error = error
                receiver.met = True
                receiver.tasklet.rouse()
                return
            me = _Party(hub.current, value, error)
            self._senders.join(me)
        finally:
            primitives.free(self._guard)
        self._meet(hub, me, self._senders)

    def receive(self) -> Any:
        """Take a value from a sender, waiting for one.

        Raises:
            ChannelClosed: the channel was closed and nobody sends.
        """
        return self._receive()

    def _receive(self) -> Any:
        hub = here.get_hub()
        party = self._sender(hub)
        if not party.met:
            self._meet(hub, party, self._receivers)
        return self._take(party)

    def _sender(self, hub: Hub) -> _Party:
        """A sender, who is met; the current tasklet, who waits to be met, where there is none."""
        primitives.hold(self._guard)
        try:
            if self._senders.count:
                party = self._senders.take()
                party.met = True
                party.tasklet.rouse()
            elif self._closing:
                raise ChannelClosed("receive on a closed channel")
            else:
                party = _Party(hub.current, None, None)
                self._receivers.join(party)
        finally:
            primitives.free(self._guard)
        return party

    def _meet(self, hub: Hub, me: _Party, line: _Line) -> None:
        """Wait until somebody met *me*."""
        try:
            while not me.met:
                hub.park()
        except BaseException as error:
            primitives.hold(self._guard)
            met = me.met
            if not met:
                line.leave(me)
            primitives.free(self._guard)
            if not met:
                raise
            # The other side has gone on: what was handed over must not be lost.  The interruption comes next time.
            hub.current.interrupt(error)

    def _take(self, party: _Party) -> Any:
        if party.error is not None:
            error, party.error = party.error, None
            try:
                raise error
            finally:
                del error  # whose traceback refers to this frame
        return party.value

    def close(self) -> None:
        """No more sends.  Receivers that wait get `ChannelClosed`; senders that wait may still be received from."""
        primitives.hold(self._guard)
        try:
            self._closing = True
            while self._receivers.count:
                receiver = self._receivers.take()
                receiver.error = ChannelClosed("receive on a closed channel")
                receiver.met = True
                receiver.tasklet.rouse()
        finally:
            primitives.free(self._guard)

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                value = self.receive()
            except ChannelClosed:
                return
            yield value


class Channel(Rendezvous, Generic[T]):
    """A meeting place; ``for value in channel`` receives until it is closed."""

    __slots__ = ()

    if TYPE_CHECKING:

        def send(self, value: T) -> None: ...
        def receive(self) -> T: ...
        def __iter__(self) -> Iterator[T]: ...
