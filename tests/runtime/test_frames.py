"""The Python frames of a tasklet that waits can be walked from anywhere, and are as they were when it goes on."""

from __future__ import annotations

import gc
import inspect
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from types import FrameType

import pytest
from greenlet import greenlet

import runtime
from runtime.hub import get_hub

Step = Callable[[Callable[[], None]], None]


def directly(go_on: Callable[[], None]) -> None:
    go_on()


def through_c(go_on: Callable[[], None]) -> None:
    """The next function is called by C code, not by the interpreter's loop."""
    sorted([0], key=lambda _: go_on() or 0)  # type: ignore[func-returns-value]


def through_a_generator(go_on: Callable[[], None]) -> None:
    def generate() -> Iterator[None]:
        yield go_on()

    for _ in generate():
        pass


def through_a_class(go_on: Callable[[], None]) -> None:
    class _Calls:
        def __init__(self) -> None:
            go_on()

    _Calls()


STEPS: list[Step] = [directly, through_c, through_a_generator, through_a_class]
WAYS = [(step,) * times for step in STEPS for times in (1, 2, 3, 4, 7)] + [tuple(STEPS), tuple(STEPS[::-1])]


def deep(way: tuple[Step, ...], end: Callable[[], None]) -> None:
    """Call *end* at the end of *way*."""
    if way:
        way[0](lambda: deep(way[1:], end))
    else:
        end()


def names(frame: FrameType | None) -> list[str]:
    """The functions of this file that *frame* was called by, innermost first."""
    found = []
    while frame is not None:
        if frame.f_code.co_filename == __file__:
            found.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return found


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0].__name__}-{len(way)}-{way[-1].__name__}")
def test_who_waits_can_be_walked_from_another_tasklet(way: tuple[Step, ...]) -> None:
    """However it got there; from the frame that it kept itself, and from the one that is asked for."""
    kept: list[FrameType] = []
    expected: list[list[str]] = []
    after: list[list[str]] = []

    def wait() -> None:
        kept.append(sys._getframe())
        expected.append(names(sys._getframe()))
        runtime.schedule()
        after.append(names(sys._getframe()))

    tasklet = runtime.spawn(deep, way, wait)
    runtime.schedule()
    junk = [bytes(100) * index for index in range(100)]  # whoever runs meanwhile writes over the C stack
    deep((through_c,) * 20, lambda: None)
    assert names(kept[0]) == expected[0]
    assert names(tasklet.frame) == expected[0]
    assert [entry.name for entry in traceback.extract_stack(kept[0])][-1] == "wait"
    assert inspect.getframeinfo(kept[0]).function == "wait"
    runtime.schedule()
    assert after == expected
    assert tasklet.frame is None
    assert names(kept[0])[0].endswith("wait")  # it outlives the call, as a frame does that somebody keeps
    del junk


def test_what_a_tasklet_does_not_do_leaves_no_frame() -> None:
    """One that has not begun, one that runs, and one that has ended."""
    seen: list[FrameType | None] = []
    tasklet = runtime.Tasklet(lambda: seen.append(get_hub().current.frame))
    assert tasklet.frame is None
    tasklet.start()
    assert tasklet.frame is None
    tasklet.join()
    assert seen == [None]
    assert tasklet.frame is None


def test_an_error_goes_through_the_frames_of_one_who_waited() -> None:
    """And its traceback has all of them."""

    def fail() -> None:
        runtime.schedule()
        raise ValueError("from below")

    tasklet = runtime.spawn(deep, tuple(STEPS), fail)
    with pytest.raises(ValueError, match="from below") as caught:
        tasklet.result()
    found = [entry.frame.f_code.co_name for entry in traceback_entries(caught.value)]
    assert found.count("deep") == len(STEPS) + 1
    assert found[-1] == "fail"


def traceback_entries(error: BaseException) -> list[inspect.FrameInfo]:
    assert error.__traceback__ is not None
    return inspect.getinnerframes(error.__traceback__)


@pytest.mark.parametrize("way", [tuple(STEPS), (through_c,) * 7], ids=["few", "many"])
def test_a_kill_unwinds_them(way: tuple[Step, ...]) -> None:
    ended: list[str] = []

    def wait() -> None:
        try:
            while True:
                runtime.schedule()
        finally:
            ended.extend(names(sys._getframe()))

    tasklet = runtime.spawn(deep, way, wait)
    runtime.schedule()
    expected = names(tasklet.frame)
    tasklet.kill()
    assert ended == expected


def test_another_thread_can_walk_them() -> None:
    """While they wait, and under the lock of the interpreter."""
    tasklets = [runtime.spawn(deep, way, lambda: runtime.sleep(60)) for way in WAYS]
    runtime.schedule()
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.extend(names(tasklet.frame) for tasklet in tasklets))
    thread.start()
    thread.join()
    assert [len(each) for each in found] == [len(names(tasklet.frame)) for tasklet in tasklets]
    assert all(each[0].endswith("<lambda>") and "deep" in each for each in found)
    for tasklet in tasklets:
        tasklet.kill()


def test_what_the_frames_hold_lives_until_they_have_ended() -> None:
    class Held:
        pass

    held: list[weakref.ref[Held]] = []

    def wait() -> None:
        mine = Held()
        held.append(weakref.ref(mine))
        runtime.schedule()
        assert mine is not None

    tasklet = runtime.spawn(deep, (through_c, directly), wait)
    runtime.schedule()
    gc.collect()
    assert held[0]() is not None
    frame = tasklet.frame
    assert frame is not None
    del frame
    tasklet.join()
    gc.collect()
    assert held[0]() is None


def test_a_trace_function_goes_on_with_who_waited() -> None:
    """The lines after the wait are traced in the frame that was left, with the callers it had."""
    lines: list[tuple[str, str | None]] = []

    def trace(frame: FrameType, event: str, _: object) -> object:
        if frame.f_code.co_name == "wait" and event in ("line", "return"):
            back = frame.f_back
            lines.append((event, back.f_code.co_name if back else None))
        return trace

    def wait() -> None:
        runtime.schedule()
        runtime.schedule()

    def traced() -> None:
        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            deep((directly,), wait)
        finally:
            sys.settrace(None)

    before = sys.gettrace()
    try:
        runtime.spawn(traced).join()
    finally:
        sys.settrace(before)
    assert lines == [("line", "deep"), ("line", "deep"), ("return", "deep")]


def test_greenlets_of_a_tasklet_s_own_may_wait() -> None:
    """Each has frames of its own; the tasklet goes on in the one that waited."""
    seen: list[list[str]] = []

    def inner() -> None:
        runtime.schedule()
        seen.append(names(sys._getframe()))

    def outer() -> None:
        own = greenlet(inner)
        deep((through_c,), own.switch)
        seen.append(names(sys._getframe()))

    tasklet = runtime.spawn(outer)
    runtime.schedule()
    assert names(tasklet.frame)[0].endswith("inner")
    tasklet.join()
    assert [each[0].rpartition(".")[2] for each in seen] == ["inner", "outer"]


def test_a_thread_that_ends_with_tasklets_that_wait_leaves_them() -> None:
    """They vanish, and what looks at them later finds nothing that is not there."""
    left: list[runtime.Tasklet] = []

    def abandon() -> None:
        left.append(runtime.spawn(deep, tuple(STEPS), lambda: runtime.sleep(60)))
        runtime.schedule()

    thread = threading.Thread(target=abandon)
    thread.start()
    thread.join()
    gc.collect()
    assert names(left[0].frame)[1:2] == ["deep"]
    left.clear()
    gc.collect()
