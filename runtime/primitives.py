"""The few operations that the compiled core makes without the interpreter, and their plain forms.

Who compiles the core takes this module's ``.pxd`` instead: functions of C with the same names.  So the core is written
once, in Python, and says ``primitives.switch(target)`` either way.  What is here has no state and makes no decision.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections import deque
from time import monotonic as monotonic

from greenlet import getcurrent as getcurrent
from greenlet import greenlet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from runtime.strand import Strand


def switch(target: greenlet) -> None:
    """Run *target* until somebody switches back."""
    target.switch()


def leave(me: Strand, target: greenlet) -> None:
    """Run *target* until somebody switches back to *me*, which runs now; *me*'s ``place`` is where its frames are."""
    target.switch()


def frame(place: int) -> FrameType | None:
    """The innermost frame that was left at *place*; None where a greenlet has it, as it always has here."""
    return None


def worker(work: Callable[[], None]) -> Callable[[], None]:
    """*work*, to be run by fresh greenlets: where the core is compiled, with memory that is kept for the next."""
    return work


def begin(target: greenlet, below: bool) -> None:
    """Run *target*, which is fresh, until somebody switches back; *below*: its stack leaves room for another's."""
    target.switch()


def queue() -> deque[Any]:
    """A queue to which any OS thread can append."""
    return deque()


def push(queue: deque[Any], item: Any) -> None:
    """Put *item* at the end of *queue*, somebody else's."""
    queue.append(item)


def pop(queue: deque[Any]) -> Any:
    """Take the first of *queue*, somebody else's, which is not empty."""
    return queue.popleft()


def lift(items: list[Any], place: int) -> Any:
    """Take what is at *place* of *items*, which keeps None there."""
    item = items[place]
    items[place] = None
    return item


def lay(items: list[Any], place: int, item: Any) -> None:
    """Put *item* at *place* of *items*."""
    items[place] = item


def contents(thing: Any) -> dict[str, Any]:
    """The dictionary of *thing*'s attributes, whatever its class says."""
    return object.__getattribute__(thing, "__dict__")  # type: ignore[no-any-return]


def version(kind: type) -> Any:
    """Of a class: another one if it has been changed since.  As written there is none that could be relied on."""
    return object()


def remembered(place: Any) -> Any:
    """The hub that was put down for the calling OS thread, or None; *place* is where it is kept."""
    return place.hub


def remember(hub: object) -> None:
    """Put *hub* down for the calling OS thread; who does keeps it alive, and says `forget` before it goes."""


def forget(hub: object) -> None:
    """Take *hub* back, if it is the calling OS thread's."""


def latch() -> Any:
    """What one taker at a time can hold; free at first."""
    return allocate_lock()


def take(latch: Any) -> bool:
    """Take *latch* if it is free; atomic."""
    return latch.acquire(False)  # type: ignore[no-any-return]


def hold(latch: Any) -> None:
    """Take *latch*, waiting in the system while another OS thread has it: for what is held for a moment."""
    latch.acquire()


def taken(latch: Any) -> bool:
    """Whether somebody holds *latch*."""
    return latch.locked()  # type: ignore[no-any-return]


def free(latch: Any) -> None:
    """Free *latch*, which is taken."""
    latch.release()
