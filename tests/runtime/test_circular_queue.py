"""The compiled core's queue does what `collections.deque` does, in either form."""

from __future__ import annotations

import gc
import importlib.util
import sys
import threading
from collections import deque
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runtime
from runtime import circular_queue


def _as_written() -> ModuleType:
    path = Path(runtime.__file__).with_name("circular_queue.py")
    spec = importlib.util.spec_from_file_location("circular_queue_as_written", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FORMS = [circular_queue.CircularQueue, _as_written().CircularQueue]


class Item:
    """Compared by identity, as what waits in a queue is."""


ITEMS = [Item() for _ in range(30)]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["append", "appendleft"]), st.sampled_from(ITEMS)),
        st.tuples(st.sampled_from(["index", "remove"]), st.sampled_from(ITEMS)),
        st.tuples(st.just("popleft")),
        st.tuples(st.just("rotate"), st.integers(-40, 40)),
    ),
    max_size=80,
)


def _outcome(queue: Any, name: str, *arguments: Any) -> Any:
    try:
        return getattr(queue, name)(*arguments)
    except (IndexError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("form", FORMS, ids=["as it runs", "as written"])
@given(first=st.lists(st.sampled_from(ITEMS)), steps=STEPS)
def test_it_does_what_a_deque_does(form: Any, first: list[Item], steps: list[Any]) -> None:
    """Each step has the same outcome, and leaves the same items in the same order."""
    queue, model = form(first), deque(first)
    for step in steps:
        assert _outcome(queue, *step) == _outcome(model, *step)
        assert (list(queue), len(queue), bool(queue)) == (list(model), len(model), bool(model))


@pytest.mark.parametrize("form", FORMS, ids=["as it runs", "as written"])
def test_a_burst_leaves_no_room_taken(form: Any) -> None:
    """Nor any item: what was popped is kept by nobody."""
    queue = form()
    before = sys.getsizeof([]) + gc.get_referents(queue)[0].__sizeof__()
    items = [Item() for _ in range(5000)]
    for item in items:
        queue.append(item)
    counts = [sys.getrefcount(item) for item in items]
    assert [queue.popleft() for _ in items] == items
    assert [sys.getrefcount(item) for item in items] == [count - 1 for count in counts]
    assert sys.getsizeof([]) + gc.get_referents(queue)[0].__sizeof__() == before


@pytest.mark.skipif(runtime.core.reason is not None, reason="atomic in its compiled form only")
def test_os_threads_may_append_while_one_takes() -> None:
    """Nothing is lost, nothing comes twice, and each thread's items come in its order."""
    queue = circular_queue.CircularQueue()
    threads = [
        threading.Thread(target=lambda i=i: [queue.append((i, n)) for n in range(20_000)]) for i in range(3)
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        taken: list[tuple[int, int]] = []
        while len(taken) < 60_000:
            if queue:
                taken.append(queue.popleft())
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not queue
    for i in range(3):
        assert [n for by, n in taken if by == i] == list(range(20_000))
