"""``queue`` and ``_queue`` between tasklets and OS threads."""

from __future__ import annotations

import threading

import pytest

import runtime
from runtime.green import queue

pytestmark = pytest.mark.usefixtures("backend")
kinds = pytest.mark.parametrize("kind", ["Queue", "SimpleQueue"])


@kinds
def test_a_getter_lets_others_run_and_gets_what_comes(kind: str) -> None:
    """In the order of putting, whoever waits first."""
    box = getattr(queue, kind)()
    got: list[tuple[str, int]] = []

    def get(name: str) -> None:
        got.append((name, box.get()))

    getters = [runtime.spawn(get, name) for name in "ab"]
    runtime.schedule()
    box.put(1)
    box.put(2)
    for getter in getters:
        getter.join()
    assert got == [("a", 1), ("b", 2)]


@kinds
def test_it_crosses_os_threads(kind: str) -> None:
    """Tasklets of one thread put, tasklets of another get; each item comes once."""
    box = getattr(queue, kind)()
    got: list[int] = []

    def produce() -> None:
        with runtime.TaskGroup() as group:
            for start in range(4):
                group.spawn(lambda start=start: [box.put(start * 100 + n) for n in range(100)])

    def consume() -> None:
        got.extend(box.get() for _ in range(100))

    thread = threading.Thread(target=produce)
    thread.start()
    with runtime.TaskGroup() as group:
        for _ in range(4):
            group.spawn(consume)
    thread.join()
    assert sorted(got) == list(range(400))
    assert box.empty()


@kinds
def test_time_runs_out(kind: str) -> None:
    """The plain module's exception; the item that comes later is not lost to who gave up."""
    box = getattr(queue, kind)()
    with pytest.raises(queue.Empty):
        box.get(timeout=0.001)
    with pytest.raises(queue.Empty):
        box.get_nowait()
    with pytest.raises(ValueError, match="'timeout' must be a non-negative number"):
        box.get(timeout=-1)
    box.put("x")
    assert box.get() == "x"


@kinds
def test_an_item_does_not_go_to_a_dead_getter(kind: str) -> None:
    """Killed in the moment of the put: the next one gets it."""
    box = getattr(queue, kind)()
    first, second = runtime.spawn(box.get), runtime.spawn(box.get)
    runtime.schedule()
    box.put("x")
    first.kill(wait=False)
    runtime.schedule()
    runtime.schedule()
    if first.error is None:  # it had the item already
        assert first.result() == "x"
        box.put("y")
        assert second.result() == "y"
    else:
        assert second.result(5) == "x"
    box.put("z")  # nobody waits: neither the dead one nor the other took it
    assert box.get(timeout=5) == "z"


def test_a_full_queue_keeps_its_putter_waiting() -> None:
    """Until somebody takes something out."""
    box = queue.Queue(1)
    box.put(1)
    putter = runtime.spawn(box.put, 2)
    runtime.schedule()
    assert not putter.done
    assert box.get() == 1
    putter.join()
    assert box.get() == 2


def test_put_from_a_finalizer_in_the_middle_of_a_get() -> None:
    """SimpleQueue promises that."""
    box = queue.SimpleQueue()

    class Late:
        def __del__(self) -> None:
            box.put("late")

    getter = runtime.spawn(box.get)
    runtime.schedule()
    late = Late()
    del late
    assert getter.result(5) == "late"
