"""``queue`` and ``_queue`` between tasklets and OS threads."""

from __future__ import annotations

import functools
import queue as plain_queue
import threading
from collections import deque
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import runtime
from runtime.green import queue
from runtime.green import threading as green_threading

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


def _put_first(self: Any, item: object) -> None:
    self.queue.appendleft(item)


def _refuse(self: Any, *args: object) -> None:
    raise ZeroDivisionError


@functools.cache
def _kinds(module: Any) -> dict[str, type]:
    """Classes of queues: the module's own, and what programs make of them."""

    class Counted(module.Queue):  # type: ignore[misc]
        """The length is not that of the deque."""

        def _qsize(self) -> int:
            return len(self.queue) // 2

    class Listed(module.Queue):  # type: ignore[misc]
        def _init(self, maxsize: int) -> None:
            self.queue = []

        def _put(self, item: object) -> None:
            self.queue.append(item)

        def _get(self) -> object:
            return self.queue.pop(0)

    derived = {
        "first in, last out": {"_put": _put_first},
        "refuses what is put": {"_put": _refuse},
        "refuses to give": {"_get": _refuse},
    }
    return {
        "plain": module.Queue,
        "lifo": module.LifoQueue,
        "priority": module.PriorityQueue,
        "counted": Counted,
        "listed": Listed,
        **{name: type(name, (module.Queue,), methods) for name, methods in derived.items()},
    }


_OPERATIONS = ["put", "put", "get", "put_nowait", "get_nowait", "task_done", "qsize", "full", "shutdown"]
_waits = some.sampled_from([(), (False,), (True, -1), (True, 0), (False, -1), (1, 0.0)])
_steps = some.lists(some.tuples(some.sampled_from(_OPERATIONS), some.integers(0, 5), _waits), max_size=30)


def _say(module: ModuleType, kind: str, maxsize: int, steps: list[Any], own: bool) -> list[str]:
    """What each of *steps* does to a queue, and what is in it then."""
    box: Any = _kinds(module)[kind](maxsize)
    if own:  # of this one object only
        box._put = lambda item: box.queue.append(("own", item))
    said = []
    for name, item, wait in steps:
        call = getattr(box, name, None)
        if call is None:  # `shutdown` came with 3.13
            continue
        args = {"put": (item, *(wait or (False,))), "get": wait or (False,), "put_nowait": (item,)}.get(
            name, ()
        )
        try:
            result = repr(call(*args))
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        said.append(
            f"{name}{args}: {result}, {list(box.queue)}, {box.unfinished_tasks}, {box.mutex.locked()}"
        )
    return said


@given(
    kind=some.sampled_from(list(_kinds(plain_queue))),
    maxsize=some.integers(-1, 3),
    steps=_steps,
    own=some.booleans(),
)
def test_calls_that_do_not_wait_do_what_plain_ones_do(
    kind: str, maxsize: int, steps: list[Any], own: bool
) -> None:
    assert _say(queue, kind, maxsize, steps, own) == _say(plain_queue, kind, maxsize, steps, own)


def test_whoever_holds_the_mutex_keeps_others_out() -> None:
    box = queue.Queue()
    done: list[str] = []
    with box.mutex:
        callers = [runtime.spawn(lambda: (box.put(1), done.append("put")))]
        callers += [runtime.spawn(lambda: (box.get(), done.append("got")))]
        runtime.schedule()
        assert not done
        assert box.queue == deque()
    for caller in callers:
        caller.join()
    assert done == ["put", "got"]


def test_a_mutex_of_another_kind_is_used_as_such() -> None:
    box = queue.Queue()
    box.mutex = lock = green_threading.RLock()
    box.not_empty, box.not_full = green_threading.Condition(lock), green_threading.Condition(lock)
    box.all_tasks_done = green_threading.Condition(lock)
    with lock:
        box.put(1)
        assert box.get() == 1
        box.task_done()
    assert not box.unfinished_tasks


def test_the_last_task_that_is_done_ends_the_wait_for_all() -> None:
    box = queue.Queue()
    for item in range(3):
        box.put(item)
    waiter = runtime.spawn(box.join)
    for _ in range(2):
        box.get()
        box.task_done()
        runtime.schedule()
        assert not waiter.done
    box.task_done()
    waiter.join()
    with pytest.raises(ValueError, match="too many times"):
        box.task_done()


def test_what_is_changed_in_the_class_later_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a test replaces a method; and it counts no longer when that is undone."""
    box = queue.Queue(1)
    box.put(1)
    with monkeypatch.context() as patch:
        patch.setattr(queue.Queue, "_get", lambda self: ("patched", self.queue.popleft()))
        assert box.get() == ("patched", 1)
        box.put(2)
    assert box.get() == 2
    with monkeypatch.context() as patch:
        patch.setattr(queue.Queue, "_qsize", lambda self: 1)
        with pytest.raises(queue.Full):
            box.put(3, block=False)
    box.put(3)
    with monkeypatch.context() as patch:
        patch.setattr(
            queue.Queue, "maxsize", property(lambda self: 5, lambda self, size: None), raising=False
        )
        box.put(4, block=False)
    assert [box.get(), box.get()] == [3, 4]


@pytest.mark.parametrize("name", ["queue", "maxsize", "unfinished_tasks", "not_empty", "not_full"])
def test_an_attribute_that_is_missing_is_named(name: str) -> None:
    """By the error that the library's methods give, and the queue can be used when it is there again."""
    box = queue.Queue()
    kept = box.__dict__.pop(name)

    def use() -> None:
        for _ in range(2):
            box.put(1)
            box.get()

    with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
        use()
    assert not box.mutex.locked()
    setattr(box, name, kept)
    box.queue.clear()
    box.put(1)
    assert box.get() == 1
