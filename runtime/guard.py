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
from collections import OrderedDict
from collections.abc import Callable
from weakref import ref

from runtime import here
from runtime.guarded import Kind, guarded
from runtime.strand import Strand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from runtime.hub import Hub

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
        self.waiting: list[Strand] = []
        self.queue: OrderedDict[object, Strand] = OrderedDict()  # by a token for each wait
        self.driven: dict[Strand, OSError] = {}

    def __repr__(self) -> str:
        return f"<Side: holder {self.holder or None}, {len(self.waiting)} waiting, {len(self.queue)} queued>"

    def enter(self, top: bool = True, first: bool = False) -> bool:
        """Begin a call, when it is the caller's turn; True if `leave` must end it.

        Args:
            top: nothing of the same file is above this object, so this is a call of its own and no part of another.
            first: before all who queue.
        """
        hub = here.existing_hub()
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
        hub = here.get_hub()
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
                tasklet = queue[next(iter(queue))]
            except (KeyError, RuntimeError, StopIteration):  # it has left, in another OS thread
                continue
            tasklet.rouse()
            return


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
            exchange(layer)
            return
        self._above.append(ref(layer))
        with _exchanging:
            if self._swapped or not self.idle():  # who waits may be alone on a raw file
                self._swap(layer)

    def sides(self) -> tuple[Side, ...]:
        return (self.reading,) if self.writing is self.reading else (self.reading, self.writing)

    def wait(self, raw: Any, side: Side, call: Callable[..., T], *args: Any) -> T:
        """Make *call*, which lets others run, for *raw*."""
        me = self.begin(raw, side)
        try:
            return call(*args)
        finally:
            self.end(side, me)

    def begin(self, raw: Any, side: Side) -> Strand:
        """The current tasklet is about to make a call for *raw* that lets others run; returns it, for `end`."""
        me = here.get_hub().current
        _acquire()
        try:
            side.waiting.append(me)
            if side.holder != me.ident:
                side.caught = me.ident
            if not self._swapped and not self.permanent:
                self._swap_all(raw)
        finally:
            _release()
        return me

    def end(self, side: Side, me: Strand) -> None:
        """The call of tasklet *me* is over."""
        side.waiting.remove(me)
        if side.driven:
            error = side.driven.pop(me, None)
            if error is not None and me.interrupts and error in me.interrupts:
                me.interrupts.remove(error)  # the wait was over before it came
        if side.queue:
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
        if type(raw) not in CLOSING:
            self._swap(raw)
        for known in self._above:
            layer = known()
            if layer is not None:
                self._swap(layer)

    def _swap(self, layer: Any) -> None:
        if self.text and isinstance(layer, _io.TextIOWrapper):
            try:
                below: Any = layer.buffer
            except ValueError:  # detached
                return
            if isinstance(type(below), Kind):
                below._guard = self
                self._swap(below)
        for known in self._swapped:
            if known is layer:
                return
        layer._guard = self
        exchange(layer)
        self._swapped.append(layer)

    def relax(self) -> None:
        """Go back to the fast classes, if nobody waits or queues."""
        if not self._swapped or not self.idle():
            return
        _acquire()
        try:
            if self.idle():
                layers, self._swapped = self._swapped, []
                for layer in layers:
                    layer.__class__ = type(layer)._fast
        finally:
            _release()

    def idle(self) -> bool:
        """Nobody waits or queues."""
        reading, writing = self.reading, self.writing
        if reading.waiting or reading.queue:
            return False
        return writing is reading or not (writing.waiting or writing.queue)

    def drive_out(self) -> None:
        """Have whoever waits in a raw call get ``EBADF`` there."""
        hub = here.existing_hub()
        me = None if hub is None else hub.current
        with _exchanging:
            for side in self.sides():
                for tasklet in side.waiting:
                    if tasklet is not me:
                        error = OSError(errno.EBADF, os.strerror(errno.EBADF))
                        side.driven[tasklet] = error
                        tasklet.interrupt(error)


CLOSING: set[type] = set()  # raw classes whose own `close` drives out who waits: they need no guarded one
_exchanging = RLock()  # guards the exchange of classes; never held across a switch
_acquire, _release = _exchanging.acquire, _exchanging.release  # in a wait: ``with`` takes five times as long


def exchange(layer: Any) -> None:
    """Make *layer*, a file object, one of the guarded subclass."""
    kind = type(layer)
    other = getattr(kind, "_guarded", None)
    if other is None or other._fast is not kind:  # of a base class; or *layer* is guarded already
        if hasattr(kind, "_fast"):
            return
        other = guarded(kind)
    layer.__class__ = other


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
    return busy_with_owned(raw, getattr(raw, "_thread", None))


def busy_with_owned(raw: Any, owner: int | None) -> Hub | None:
    """`busy_with`, for a *raw* of which is known which OS thread made it."""
    hub = here.existing_hub()
    if owner is not None and owner != (get_ident() if hub is None else hub.thread):
        guard_of(raw).keep(raw)
        return here.get_hub()
    return hub if hub is not None and (hub.tasklets or hub.timers) else None
