"""Waiting for child processes.

Whoever waits asks without waiting (``WNOHANG``) each time that something may have happened, so a status is taken by
exactly the call that returns it: a tasklet that is killed while it waits takes nothing, and the child can still be
waited for.  What tells that something may have happened:

- for the end of one child, a pidfd (pidfd_open(2)) that the hub waits for;
- for anything else (any child, a group, a stop), a *sentry*: an OS thread in ``waitid(WNOWAIT)``, which takes
  nothing either.  Tasklets that wait for the same share one; one that nobody needs any more ends with the next event;
- where the system has neither, naps.

Rejected: a handler for ``SIGCHLD``, which belongs to the program; worker threads in ``waitpid``, each of which takes
the status when its caller has gone.
"""

from __future__ import annotations

import os
from _thread import allocate_lock, start_new_thread
from collections import namedtuple
from collections.abc import Callable

from runtime.backends import READ
from runtime.hub import Hub
from runtime.naps import Naps
from runtime.pipes import until
from runtime.signals import shield
from runtime.tasklet import Tasklet
from runtime.workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


class Quarry(namedtuple("Quarry", "idtype id events")):
    """What is waited for, in the words of waitid(2)."""

    __slots__ = ()

    @classmethod
    def of_waitpid(cls, pid: int, options: int) -> Quarry:
        """What ``waitpid(pid, options)`` waits for."""
        events = os.WEXITED | options & os.WCONTINUED | (os.WSTOPPED if options & os.WUNTRACED else 0)
        if pid == -1:
            return cls(os.P_ALL, 0, events)
        if pid > 0:
            return cls(os.P_PID, pid, events)
        return cls(os.P_PGID, -pid or os.getpgrp(), events)


class _Sentry:
    """An OS thread that waits for a change of state of one quarry, once, and wakes whoever else does."""

    __slots__ = ("done", "failed", "quarry", "waiting")

    def __init__(self, quarry: Quarry) -> None:
        self.quarry = quarry
        self.waiting: list[Tasklet] = []
        self.done = False
        self.failed = False  # it cannot see what its callers see: a child of one OS thread, an unknown option

    def watch(self) -> None:
        shield()
        idtype, id_, events = self.quarry
        try:
            os.waitid(idtype, id_, events | os.WNOWAIT)
        except OSError:
            self.failed = True
        with _guard:
            _sentries.pop(self.quarry, None)
        self.done = True
        for tasklet in self.waiting.copy():
            tasklet.wake()


# Shells run beside one another, as many as there are callers: none must wait for another to end.
commands = Workers(limit=1024)
_guard = allocate_lock()
_sentries: dict[Quarry, _Sentry] = {}


def _forked() -> None:
    global _guard
    _guard = allocate_lock()
    _sentries.clear()
    commands._reset()


os.register_at_fork(after_in_child=_forked)


def _sentry(quarry: Quarry) -> _Sentry | None:
    """The sentry for *quarry*; None where there can be none."""
    if not hasattr(os, "waitid"):
        return None
    with _guard:
        sentry = _sentries.get(quarry)
        if sentry is None:
            sentry = _Sentry(quarry)
            try:
                start_new_thread(sentry.watch, ())
            except RuntimeError:  # the system gives no thread
                return None
            _sentries[quarry] = sentry
        return sentry


def _pidfd(quarry: Quarry) -> int:
    """A descriptor that is readable once *quarry* has ended, or -1."""
    if quarry.events & ~os.WNOWAIT == os.WEXITED and hasattr(os, "pidfd_open"):
        try:
            if quarry.idtype == os.P_PID:
                return os.pidfd_open(quarry.id)
            if quarry.idtype == os.P_PIDFD:
                return os.dup(quarry.id)
        except OSError:  # an old kernel, a sandbox, no descriptor left
            pass
    return -1


def wait(hub: Hub, attempt: Callable[[], T | None], quarry: Callable[[], Quarry]) -> T:
    """Call *attempt*, which must not wait, until it returns something; let others run meanwhile.

    Args:
        hub: the caller's.
        attempt: returns None while there is nothing to report.
        quarry: what it looks for; asked when the first attempt has found nothing.
    """
    outcome = attempt()
    if outcome is not None:
        return outcome
    target = quarry()
    pidfd = _pidfd(target)
    if pidfd >= 0:
        try:
            until(hub, pidfd, READ)
            outcome = attempt()
        finally:
            os.close(pidfd)
    naps = Naps()
    while outcome is None:
        sentry = _sentry(target)
        if sentry is None:
            naps.take()
        else:
            _stand_by(hub, sentry)
            if sentry.failed:
                naps.take()
        outcome = attempt()
    return outcome


def _stand_by(hub: Hub, sentry: _Sentry) -> None:
    me = hub.current
    sentry.waiting.append(me)
    try:
        while not sentry.done:
            hub.park()
    finally:
        sentry.waiting.remove(me)
