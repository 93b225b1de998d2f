"""The registry of rings: which thread of this process has which, and what becomes of it as its thread ends.

A thread is an OS thread, or a tasklet that converted code has started as one; whatever it is, its ring is made by its
first call of Stackless.
"""

from __future__ import annotations

import os
from _thread import _count, _local

from runtime import deadlock, monitor, workers
from runtime.hub import Hub, get_hub
from runtime.stackless import callbacks
from runtime.stackless.ring import Ring, guard
from runtime.stackless.task import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.tasklet import Tasklet

helpers = 0  # threads of the watchdog's, that put nobody into a ring

# The rings of this process, by the runtime's tasklet for each thread's own code.
rings: dict[Tasklet, Ring] = {}


def here() -> Ring:
    """The ring of the calling thread."""
    task = get_hub().current
    if type(task) is Task:
        return task.ring
    return rings.get(task) or _begin(task)


def _begin(root: Tasklet) -> Ring:
    from runtime.stackless.tasklet import tasklet

    hub = root.hub
    ring = Ring(hub, root)
    ring.main = main = object.__new__(tasklet)
    main._of_thread(ring, root)
    with guard:
        rings[root] = ring
    ring.current = main
    if root is hub.main:
        _ends.end = _End(ring)
    else:
        root.when_done(_ended)
    if callbacks.scheduling is not None:
        callbacks.arrived(ring, main)
    return ring


def _return_from_run(hub: Hub) -> bool:
    """Nobody on *hub* can ever go on by itself: whoever is in `run` can, and may then help the others."""
    for ring in list(rings.values()):
        watchdog = ring.watchdog()
        if ring.hub is hub and watchdog._queue is None and not ring.threadblock:
            ring.insert(watchdog)
            return True
    return False


deadlock.when_certain(_return_from_run)


def of_thread(ident: int) -> Ring | None:
    """The ring of the thread *ident*; None if there is no such thread, or an OS thread that has not used Stackless."""
    for root, ring in list(rings.items()):
        if root.ident == ident:
            return ring
    for hub in monitor.hubs():
        for task in list(hub.tasklets):
            if task.ident == ident and type(task) is not Task:
                return _begin(task)
    return None


def _ended(root: Tasklet) -> None:
    """A thread has ended: what it had not started is nobody's, what it had is killed."""
    ring = rings.pop(root, None)
    if ring is None:
        return
    from runtime.stackless.tasklet import tasklet

    with guard:
        ring.dead = True
        ring.main = main = object.__new__(tasklet)  # for what is killed; the old one has ended
        main._of_thread(ring, root)
        ready = ring.hub.ready
        mine: list[Task] = [task for task in list(ready) if type(task) is Task and task.ring is ring]
        for task in mine:
            if task.greenlet is None:
                ready.remove(task)
                task.scheduled = False
                ring._forget(task)
                if task.face is not None:
                    task.face._queue = None
        mine = [task for task in list(ring.hub.tasklets) if type(task) is Task and task.ring is ring]
        for task in mine:
            face = task.restored()
            task.abandon(face)
            if not face._direction:
                face._queue = None


class _Ends(_local):
    end: _End


class _End:
    """Goes with its OS thread."""

    __slots__ = ("ring",)

    def __init__(self, ring: Ring) -> None:
        self.ring = ring

    def __del__(self) -> None:
        ring = self.ring
        if rings and rings.pop(ring.root, None) is not None:
            ring.dead = True  # its greenlets vanish with the thread, without running their ``finally``


_ends = _Ends()


def _forked() -> None:
    """In a forked child nobody is left but the tasklet that forked: it is the main one now."""
    hub = get_hub()
    task = hub.current
    old = task.ring if type(task) is Task else rings.get(task)
    rings.clear()
    if old is not None:
        face = old._restored(task)
        ring = Ring(hub, task)
        ring.main = ring.current = face
        ring.runcount = 1
        face._ring = face._queue = rings[task] = ring
        if type(task) is Task:
            task.ring = ring


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def alone(ring: Ring) -> bool:
    """Whether no other thread could put somebody into *ring*: each one has an empty ring itself."""
    known = list(rings.values())
    hubs = {one.hub for one in known}.union(monitor.hubs())
    members = dict.fromkeys(hubs, 0)
    for one in known:
        members[one.hub] += one.members
    threads = sum(1 + len(hub.tasklets) - members[hub] for hub in hubs)
    without = 1 + _count() - monitor.running() - workers.idle() - helpers - len({hub.thread for hub in hubs})
    blocked = sum(one.blocked for one in known if one is not ring)
    return threads + max(0, without) - blocked <= 1
