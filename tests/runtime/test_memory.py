"""What a tasklet had goes with it: others that wait keep nothing of it."""

from __future__ import annotations

import gc
import weakref

import pytest

import runtime

pytestmark = pytest.mark.usefixtures("backend")


class Value:
    pass


def test_a_killed_tasklet_is_gone_with_what_its_frames_held() -> None:
    """Although the hub, or a tasklet that still waits, switched to it last."""

    def work() -> None:
        value = Value()
        references.append(weakref.ref(value))
        runtime.sleep(1000)
        del value

    references: list[weakref.ref[Value]] = []
    other = runtime.spawn(runtime.sleep, 1000)
    victim = runtime.spawn(work)
    runtime.sleep(0.001)
    victim.kill()
    del victim
    gc.collect()
    assert references[0]() is None
    other.kill()


def test_a_finished_tasklet_is_gone_at_once() -> None:
    """Without the garbage collector, whoever waits meanwhile."""
    waiting = [runtime.spawn(runtime.sleep, 1000) for _ in range(3)]
    runtime.schedule()
    finished = runtime.spawn(Value)
    reference = weakref.ref(finished.result())
    gone = weakref.ref(finished)
    gc.disable()
    try:
        del finished
        assert gone() is None
        assert reference() is None
    finally:
        gc.enable()
    for tasklet in waiting:
        tasklet.kill()
