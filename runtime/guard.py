"""Guards: what keeps tasklets out of a file object in which another one waits.

C code that reads a buffered file holds a lock with an owner, the OS thread; so the second tasklet that comes while
the first one waits gets "reentrant call", and a text file would lose what it had decoded.  A Python method around
each C method would cure it, and cost more than most of these calls take.  Hence a guard that costs nothing until
somebody waits: file objects are of a class that overrides nothing, and only while a raw call lets others run are
they of a *guarded* subclass (``__class__`` is exchanged), whose methods queue.

A tasklet that came through the fast class holds nothing, so nobody can be told when its call is over.  It need not
be: another one of its OS thread runs only when it has switched, and then it is in a raw wait (known) or its call is
over.  While anybody queues the class stays guarded, so the queue is served in order.

When a second OS thread uses a file its class stays guarded, for those two may be in C code at once.  Over a raw
object that does not announce its waits (a program's own) the class is guarded from the start.

Rejected: one lock for each call (200 ns where a line takes 60); a lock below the C code (too late: the text layer
has looked at its state already).
"""

from __future__ import annotations

import _io
import errno
import os
from _thread import RLock, allocate_lock, get_ident
from abc import ABCMeta
from collections import OrderedDict
from collections.abc import Callable, Iterator
from weakref import ref

from runtime.hub import existing_hub, get_hub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from runtime.hub import Hub
    from runtime.tasklet import Tasklet

    T = TypeVar("T")


class Side:
    """One direction of a file: who is inside, who waits in a raw call, who queues.

    ``caught``: the tasklet that a wait found in a call which began in the fast class and may still go on.
    ``driven``: tasklets that a close drives out of their waits, with what they get.
    """

    __slots__ = ("_free", "caught", "depth", "driven", "holder", "queue", "waiting")

    def __init__(self) -> None:
        self._free = allocate_lock()
        self.holder = 0
        self.depth = 0
        self.caught = 0
        self.waiting: list[Tasklet] = []
        self.queue: OrderedDict[object, Tasklet] = OrderedDict()  # by a token for each wait
        self.driven: dict[Tasklet, OSError] = {}

    def __repr__(self) -> str:
        return f"<Side: holder {self.holder or None}, {len(self.waiting)} waiting, {len(self.queue)} queued>"

    def enter(self, top: bool = True, first: bool = False) -> bool:
        """Begin a call, when it is the caller's turn; True if `leave` must end it.

        Args:
            top: nothing of the same file is above this object, so this is a call of its own and no part of another.
            first: before all who queue.
        """
        hub = existing_hub()
        me = get_ident() if hub is None else hub.current.ident
        if self.holder == me:
            self.depth += 1
            return True
        if self.waiting and hub is not None and hub.current in self.waiting:
            return False  # a signal handler, in the midst of the wait: as under plain Python
        mine = self.caught == me and not top
        if self.waiting or (self.queue and not mine) or not self._free.acquire(False):
            self._queue_up(first)
        if not mine:
            self.caught = 0
        self.holder = me
        self.depth = 1
        return True

    def _queue_up(self, first: bool) -> None:
        hub = get_hub()
        queue = self.queue
        token = object()
        queue[token] = hub.current
        if first:
            queue.move_to_end(token, last=False)
        try:
            while self.waiting or next(iter(queue)) is not token or not self._free.acquire(False):
                hub.park()
            del queue[token]
        except BaseException:
            del queue[token]
            self.call_next()
            raise

    def leave(self) -> None:
        """End a call."""
        self.depth -= 1
        if not self.depth:
            self.holder = 0
            self._free.release()
            self.call_next()

    def call_next(self) -> None:
        """Let the first in the queue look whether it is its turn."""
        queue = self.queue
        while queue:
            try:
                queue[next(iter(queue))].wake()
                return
            except (KeyError, RuntimeError, StopIteration):  # it has left, in another OS thread
                pass


class Guard:
    """What the objects of one file share: its sides and the state of their classes.

    Args:
        duplex: reading and writing are independent of each other (a socket).
        permanent: the raw object does not say when it waits.
    """

    __slots__ = ("_above", "_swapped", "permanent", "reading", "text", "writing")

    def __init__(self, *, duplex: bool = False, permanent: bool = False) -> None:
        self.reading = Side()
        self.writing = Side() if duplex else self.reading
        self.permanent = permanent
        self.text = False  # a text object is among them
        self._above: list[ref[Any]] = []
        self._swapped: list[Any] = []  # of a guarded class at present; empty if permanent

    def __repr__(self) -> str:
        return f"<Guard: {self.reading!r}, {self.writing!r}>"

    def add(self, layer: Any) -> None:
        """*layer* stands on the file from now on."""
        layer._guard = self
        self.text = self.text or isinstance(layer, _io.TextIOWrapper)
        if self.permanent:
            _exchange(layer)
            return
        self._above.append(ref(layer))
        with _exchanging:
            if self._swapped:
                self._swap(layer)

    def sides(self) -> tuple[Side, ...]:
        return (self.reading,) if self.writing is self.reading else (self.reading, self.writing)

    def wait(self, raw: Any, side: Side, call: Callable[..., T], *args: Any) -> T:
        """Make *call*, which lets others run, for *raw*."""
        me = get_hub().current
        with _exchanging:
            side.waiting.append(me)
            if side.holder != me.ident:
                side.caught = me.ident
            if not self._swapped and not self.permanent:
                self._swap_all(raw)
        try:
            return call(*args)
        finally:
            side.waiting.remove(me)
            if side.driven:
                error = side.driven.pop(me, None)
                if error is not None and me.interrupts and error in me.interrupts:
                    me.interrupts.remove(error)  # the wait was over before it came
            side.call_next()
            self.relax()

    def keep(self, raw: Any) -> None:
        """Another OS thread uses *raw*: the classes stay guarded from now on.

        A thread that enters C code in the fast class while a tasklet of another one waits there would stop, and all
        its tasklets with it.
        """
        with _exchanging:
            if not self.permanent:
                self._swap_all(raw)
                self._swapped = []
                self.permanent = True

    def _swap_all(self, raw: Any) -> None:
        self._swap(raw)
        for known in self._above:
            layer = known()
            if layer is not None:
                self._swap(layer)

    def _swap(self, layer: Any) -> None:
        if isinstance(layer, _io.TextIOWrapper):
            try:
                below: Any = layer.buffer
            except ValueError:  # detached
                return
            if isinstance(type(below), Kind):
                below._guard = self
                self._swap(below)
        if not any(layer is known for known in self._swapped):
            layer._guard = self
            _exchange(layer)
            self._swapped.append(layer)

    def relax(self) -> None:
        """Go back to the fast classes, if nobody waits or queues."""
        if not self._swapped or any(side.waiting or side.queue for side in self.sides()):
            return
        with _exchanging:
            if any(side.waiting or side.queue for side in self.sides()):
                return
            layers, self._swapped = self._swapped, []
            for layer in layers:
                layer.__class__ = type(layer)._fast

    def drive_out(self) -> None:
        """Have whoever waits in a raw call get ``EBADF`` there."""
        hub = existing_hub()
        me = None if hub is None else hub.current
        with _exchanging:
            for side in self.sides():
                for tasklet in side.waiting:
                    if tasklet is not me:
                        error = OSError(errno.EBADF, os.strerror(errno.EBADF))
                        side.driven[tasklet] = error
                        tasklet.interrupt(error)


_exchanging = RLock()  # guards the exchange of classes; never held across a switch


def guard_of(raw: Any) -> Guard:
    """The guard of *raw*, made when somebody first waits."""
    try:
        return raw._guard  # type: ignore[no-any-return]
    except AttributeError:
        guard = raw._guard = Guard()
        for known in getattr(raw, "_above", ()):
            layer = known()
            if layer is not None:
                guard.add(layer)
        return guard


def busy_with(raw: Any) -> Hub | None:
    """`busy`, and always if *raw* belongs to another OS thread."""
    hub = existing_hub()
    if getattr(raw, "_thread", None) not in (None, get_ident()):
        guard_of(raw).keep(raw)
        return get_hub()
    return hub if hub is not None and (hub.tasklets or hub.timers) else None


def _exchange(layer: Any) -> None:
    kind = type(layer)
    if not hasattr(kind, "_fast"):
        layer.__class__ = guarded(kind)


class Kind(ABCMeta):
    """The class of the file classes: plain instances count as theirs.  ``_plain`` is the plain class of each.

    From ``ABCMeta``, so that a class may be derived from one of them and an abstract one, as from the plain ones.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        if isinstance(made, cls):
            cls._join(made, args, kwargs)
        return made

    def __instancecheck__(cls, instance: Any) -> bool:
        plain = vars(cls).get("_plain")
        return super().__instancecheck__(instance) if plain is None else isinstance(instance, plain)

    def __subclasscheck__(cls, subclass: type) -> bool:
        plain = vars(cls).get("_plain")
        return super().__subclasscheck__(subclass) if plain is None else issubclass(subclass, plain)


_READS = ("__next__", "peek", "read", "read1", "readinto", "readinto1", "readline", "readlines")
_WRITES = ("detach", "flush", "reconfigure", "seek", "tell", "truncate", "write", "writelines")


def guarded(kind: Any) -> type:
    """The subclass of *kind*, a file class, whose methods queue."""
    made: type | None = vars(kind).get("_guarded")
    if made is None:
        names = dict.fromkeys(("__doc__", "__module__", "__qualname__"))
        namespace: dict[str, Any] = {name: getattr(kind, name) for name in names}
        namespace.update(__slots__=(), _fast=kind, close=_close(kind.close))
        if not issubclass(kind, _io._RawIOBase):
            text = issubclass(kind, _io.TextIOWrapper)
            for name, writes in _directions():
                if hasattr(kind, name):
                    namespace[name] = _method(name, getattr(kind, name), writes, text)
        made = type(kind)(kind.__name__, (kind,), namespace)
        kind._guarded = made
    return made


def _directions() -> Iterator[tuple[str, bool]]:
    for name in _READS:
        yield name, False
    for name in _WRITES:
        yield name, True


def _method(name: str, fast: Callable[..., Any], writes: bool, text: bool) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard: Guard = self._guard
        side = guard.writing if writes else guard.reading
        took = side.enter(text or not guard.text)
        try:
            return fast(self, *args, **kwargs)
        finally:
            if took:
                side.leave()
                guard.relax()

    method.__name__ = name
    method.__qualname__ = getattr(fast, "__qualname__", name)
    method.__doc__ = fast.__doc__
    return method


def _close(fast: Callable[[Any], None]) -> Callable[[Any], None]:
    def close(self: Any) -> None:
        guard: Guard = self._guard
        guard.drive_out()
        entered: list[Side] = []
        try:
            for side in guard.sides():
                if side.enter(first=True):
                    entered.append(side)
            fast(self)
        finally:
            for side in entered:
                side.leave()
            guard.relax()

    close.__doc__ = fast.__doc__
    return close
