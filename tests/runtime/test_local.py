"""``threading.local`` between tasklets and OS threads."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from runtime.green.threading import local

import runtime

pytestmark = pytest.mark.usefixtures("backend")


def test_each_tasklet_sees_its_own_attributes() -> None:
    """Neither the maker's nor a sibling's."""
    mine = local()
    mine.x = "maker"
    seen: list[object] = []

    def work(name: str) -> None:
        seen.append(hasattr(mine, "x"))
        mine.x = name
        runtime.schedule()
        seen.append(mine.x)

    for tasklet in [runtime.spawn(work, name) for name in "ab"]:
        tasklet.join()
    assert seen == [False, False, "a", "b"]
    assert mine.x == "maker"


def test_each_os_thread_sees_its_own_attributes() -> None:
    """The main tasklets of two threads are two."""
    mine = local()
    mine.x = 1
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(hasattr(mine, "x")))
    thread.start()
    thread.join()
    assert seen == [False]


def test_a_subclass_is_initialised_in_each_tasklet() -> None:
    """Its __init__ runs again with the same arguments, and sees only its own attributes."""

    class Counter(local):
        def __init__(self, start: int) -> None:
            self.value = start

    counter = Counter(5)
    counter.value += 1
    assert runtime.spawn(lambda: counter.value).result() == 5
    assert counter.value == 6


def test_attributes_go_with_the_tasklet_and_with_the_object() -> None:
    """Whichever ends first frees the value."""

    class Value:
        pass

    mine = local()

    def work(mine: local) -> weakref.ref[Value]:
        mine.x = Value()
        return weakref.ref(mine.x)

    reference = runtime.spawn(work, mine).result()
    gc.collect()
    assert reference() is None
    mine.x = Value()
    reference = weakref.ref(mine.x)
    del mine
    gc.collect()
    assert reference() is None


def test_a_cycle_through_the_object_is_collected() -> None:
    """A value that refers to its local object goes with it, as it does in plain Python."""

    class Value:
        owner: object

    value = Value()
    value.owner = local()
    value.owner.x = value  # type: ignore[attr-defined]
    reference = weakref.ref(value)
    del value
    gc.collect()
    assert reference() is None


def test_many_short_lived_objects_leave_nothing_behind() -> None:
    """A tasklet that makes one after the other keeps no list of those that are gone."""
    for _ in range(5000):
        local().x = 1
    place = runtime.current().locals
    assert place is not None
    assert len(place.keys) < 500


def test_a_failed_init_is_tried_again() -> None:
    """As in plain Python, the next access in that tasklet calls __init__ once more."""
    calls: list[int] = []

    class Flaky(local):
        def __init__(self) -> None:
            calls.append(1)
            if len(calls) == 2:
                raise OSError("second")
            self.x = len(calls)

    flaky = Flaky()

    def work() -> int:
        with pytest.raises(OSError):
            _ = flaky.x
        return int(flaky.x)

    assert runtime.spawn(work).result() == 3
