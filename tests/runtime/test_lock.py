"""Locks between tasklets and between OS threads: nobody starves, nothing is lost."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

import runtime
from runtime.green import threading as threading_twin
from runtime.hub import get_hub
from runtime.lock import Lock, RLock

pytestmark = pytest.mark.usefixtures("backend")


def test_waiters_get_it_in_the_order_of_their_coming() -> None:
    """Also when the one that releases wants it back at once."""
    lock = Lock()
    order: list[str] = []

    def work(name: str) -> None:
        for _ in range(3):
            with lock:
                order.append(name)
                runtime.schedule()

    tasklets = [runtime.spawn(work, name) for name in "abc"]
    for tasklet in tasklets:
        tasklet.join()
    assert "".join(order) == "abcabcabc"


def test_two_os_threads_of_tasklets_exclude_one_another() -> None:
    """A counter that is read, and written after a switch, loses nothing."""
    lock = Lock()
    counter = 0

    def work() -> None:
        nonlocal counter
        for _ in range(50):
            with lock:
                seen = counter
                runtime.schedule()
                counter = seen + 1

    def thread() -> None:
        with runtime.TaskGroup() as group:
            for _ in range(5):
                group.spawn(work)

    threads = [threading.Thread(target=thread) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert counter == 2 * 5 * 50
    assert not lock.locked()


@pytest.mark.parametrize("end", ["kill", "timeout"])
def test_a_waiter_that_gives_up_does_not_keep_it(end: str) -> None:
    """Even one to which the lock was handed at that moment gives it back."""
    lock = Lock()
    lock.acquire()

    def want() -> bool:
        if end == "kill":
            with lock:
                return True
        return lock.acquire(timeout=0.001) and not lock.release()

    waiters = [runtime.spawn(want) for _ in range(3)]
    runtime.schedule()
    time.sleep(0.002)  # the timeouts are due, and nobody has looked
    lock.release()  # handed to the first one, which has not run since
    for waiter in waiters if end == "kill" else ():
        waiter.kill(wait=False)
    for waiter in waiters:
        waiter.join()
    assert lock.acquire(timeout=5)


def test_many_waiters_are_killed_in_linear_time() -> None:
    """Last come, first killed: 20,000 take seconds if each one searches the whole queue."""
    lock = Lock()
    lock.acquire()
    waiters = [runtime.spawn(lock.acquire) for _ in range(20_000)]
    runtime.schedule()
    began = time.process_time()
    for waiter in reversed(waiters):
        waiter.kill(wait=False)
    for waiter in waiters:
        waiter.join()
    assert time.process_time() - began < 3


@pytest.mark.parametrize("kind", [Lock, RLock])
def test_arguments_are_checked_as_the_plain_lock_does(kind: type[Lock] | type[RLock]) -> None:
    """The same errors with the same words."""
    plain = threading.Lock() if kind is Lock else threading.RLock()
    lock = kind()
    for arguments in [(False, 1), (True, -2), (True, 1e300), (True, 1e11), (True, float("nan")), (True, "1")]:
        with pytest.raises((ValueError, OverflowError, TypeError)) as ours:
            lock.acquire(*arguments)  # type: ignore[arg-type]
        with pytest.raises((ValueError, OverflowError, TypeError)) as theirs:
            plain.acquire(*arguments)  # type: ignore[arg-type]
        assert (ours.type, str(ours.value)) == (theirs.type, str(theirs.value))
    with pytest.raises(RuntimeError) as refused:
        lock.release()
    with pytest.raises(RuntimeError) as plainly:
        plain.release()
    assert str(refused.value) == str(plainly.value)


def test_a_reentrant_lock_belongs_to_its_tasklet() -> None:
    """Another tasklet of the same OS thread can neither take nor release it."""
    lock = RLock()
    lock.acquire()
    lock.acquire()

    def other() -> tuple[bool, str]:
        taken = lock.acquire(False)
        with pytest.raises(RuntimeError) as refused:
            lock.release()
        return taken, str(refused.value)

    assert runtime.spawn(other).result() == (False, "cannot release un-acquired lock")
    lock.release()
    assert runtime.spawn(lock.acquire, False).result() is False
    lock.release()
    assert runtime.spawn(lock.acquire, False).result() is True


def test_a_killed_waiter_of_a_condition_swallows_no_notification() -> None:
    """Killed before it is notified, at that moment, or while it takes the lock again: somebody gets it."""
    for moment in ("before", "at", "after"):
        condition = threading_twin.Condition(Lock())
        woken: list[str] = []

        def wait(name: str, condition: Any = condition, woken: list[str] = woken) -> None:
            with condition:
                condition.wait()
                woken.append(name)

        first, second = runtime.spawn(wait, "first"), runtime.spawn(wait, "second")
        runtime.schedule()
        if moment == "before":
            first.kill()
        with condition:
            condition.notify()
            if moment == "after":
                runtime.schedule()  # it is notified, and waits for the lock
            if moment != "before":
                first.kill(wait=False)
        for _ in range(4):
            runtime.schedule()
        assert woken == ["second" if moment == "before" else "first"]
        assert not isinstance(first._error, RuntimeError)
        with condition:
            condition.notify_all()
        second.join()
        assert not condition._lock.locked()


def test_who_gives_way_on_the_way_to_a_free_lock_is_killed_later() -> None:
    """Else the release of a semaphore, which takes a lock, could fail and lose a permit."""
    semaphore = threading_twin.Semaphore(1)
    hub = get_hub()
    went_on: list[bool] = []

    def work() -> None:
        with semaphore:
            hub.overdue = True
            runtime.current().interrupt(runtime.TaskletExit())
        went_on.append(True)
        runtime.schedule()
        went_on.append(False)

    runtime.spawn(work).join()
    assert went_on == [True]
    assert semaphore._value == 1
