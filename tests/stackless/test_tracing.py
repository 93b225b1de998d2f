"""Tracing is the thread's until somebody sets a tasklet's; then each tasklet has its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from runtime import stackless
from runtime.stackless import tracing


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What `trace` has seen; there is no tracer before, and none after."""
    trace_before, profile_before = sys.gettrace(), sys.getprofile()
    sys.settrace(None)
    sys.setprofile(None)
    monkeypatch.setattr(tracing, "used", False)
    seen.clear()
    yield seen
    sys.settrace(trace_before)
    sys.setprofile(profile_before)


seen: list[str] = []


def trace(frame: FrameType, event: str, arg: Any) -> Any:
    if event == "call" and frame.f_code.co_name.startswith("step"):
        seen.append(frame.f_code.co_name)
    return None


def step_a() -> None:
    pass


def step_b() -> None:
    pass


def walk() -> None:
    step_a()
    stackless.schedule()
    step_b()


def test_a_tracer_of_the_thread_sees_all_tasklets(calls: list[str]) -> None:
    tasks = [stackless.tasklet(walk)() for _ in range(2)]
    sys.settrace(trace)
    assert tasks[0].trace_function is trace
    stackless.run()
    sys.settrace(None)
    assert sorted(calls) == ["step_a", "step_a", "step_b", "step_b"]


@pytest.mark.parametrize("kind", ["trace_function", "profile_function"])
def test_a_tracer_of_a_tasklet_sees_that_and_no_other(calls: list[str], kind: str) -> None:
    traced, other = stackless.tasklet(walk)(), stackless.tasklet(walk)()
    setattr(traced, kind, trace)
    assert getattr(traced, kind) is trace
    assert getattr(other, kind) is None
    stackless.run()
    assert calls == ["step_a", "step_b"]
    assert (sys.gettrace(), sys.getprofile(), getattr(traced, kind)) == (None, None, None)


def test_a_tracer_can_be_set_and_taken_away_in_between(calls: list[str]) -> None:
    task = stackless.tasklet(walk)()
    task.run()
    task.trace_function = trace
    stackless.run()
    assert calls == ["step_b"]
    task = stackless.tasklet(walk)()
    task.trace_function = trace
    task.run()
    task.trace_function = None
    stackless.run()
    assert calls == ["step_b", "step_a"]


def test_a_tracer_of_the_current_tasklet_is_the_threads(calls: list[str]) -> None:
    stackless.getcurrent().trace_function = trace
    assert sys.gettrace() is trace
    stackless.tasklet(walk)()
    stackless.run()
    assert sys.gettrace() is trace
    stackless.getcurrent().trace_function = None
    assert sys.gettrace() is None
    assert calls == []


def test_a_tasklet_with_a_tracer_may_be_interrupted_by_an_error(calls: list[str]) -> None:
    def fail() -> None:
        raise KeyError

    stackless.getcurrent().trace_function = trace
    stackless.tasklet(fail)()
    with pytest.raises(KeyError):
        stackless.run()
    assert sys.gettrace() is trace
    sys.settrace(None)


def test_a_dead_tasklet_has_no_tracer(calls: list[str]) -> None:
    task = stackless.tasklet()
    assert task.trace_function is None
    with pytest.raises(RuntimeError, match="not alive"):
        task.trace_function = trace
