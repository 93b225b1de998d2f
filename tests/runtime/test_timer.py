"""Timers: order, cancelling, and a heap that does not grow with what was cancelled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.timer import Timers


def test_they_fire_in_order_of_time_and_then_of_setting() -> None:
    """Once each, and not before they are due."""
    timers, fired = Timers(), list[str]()
    for when, name in [(2.0, "c"), (1.0, "a"), (3.0, "d"), (1.0, "b")]:
        timers.at(when, lambda name=name: fired.append(name))  # type: ignore[misc]
    assert timers.next() == 1.0
    timers.fire(2.5)
    assert fired == ["a", "b", "c"]
    assert (len(timers), timers.next()) == (1, 3.0)
    timers.fire(2.5)
    assert fired == ["a", "b", "c"]


def test_a_cancelled_one_does_not_fire_and_twice_is_once() -> None:
    """Neither counts any more."""
    timers, fired = Timers(), list[int]()
    timer = timers.at(1.0, lambda: fired.append(1))
    timers.cancel(timer)
    timers.cancel(timer)
    assert (len(timers), timers.next()) == (0, None)
    timers.fire(9.0)
    assert fired == []
    assert not timer.fired


def test_cancelling_what_fired_does_nothing() -> None:
    """The count of cancelled ones stays right."""
    timers = Timers()
    timer = timers.at(1.0, int)
    timers.at(2.0, int)
    timers.fire(1.0)
    timers.cancel(timer)
    assert len(timers) == 1


def test_ten_thousand_timeouts_that_never_fire_take_no_room() -> None:
    """The heap is swept when most of it is cancelled."""
    timers = Timers()
    kept = timers.at(1e9, int)
    for number in range(10_000):
        timers.cancel(timers.at(1e6 + number, int))
    assert len(timers._heap) < 500
    assert (len(timers), timers.next()) == (1, kept.when)


def test_an_action_may_set_and_cancel_timers() -> None:
    """One that is due already fires in the same round."""
    timers, fired = Timers(), list[str]()
    victim = timers.at(2.0, lambda: fired.append("victim"))

    def act() -> None:
        timers.cancel(victim)
        timers.at(1.5, lambda: fired.append("new"))

    timers.at(1.0, act)
    timers.fire(3.0)
    assert fired == ["new"]
    assert len(timers) == 0


@given(st.lists(st.tuples(st.sampled_from(["at", "cancel", "fire"]), st.integers(0, 30)), max_size=200))
def test_they_agree_with_a_list(steps: list[tuple[str, int]]) -> None:
    """Whatever is set, cancelled and fired in whatever order."""
    timers, pending, made = Timers(), dict[int, float](), []
    fired: list[int] = []
    expected: list[int] = []
    for step, number in steps:
        if step == "at":
            key = len(made)
            made.append(timers.at(float(number), lambda key=key: fired.append(key)))  # type: ignore[misc]
            pending[key] = float(number)
        elif step == "cancel" and made:
            key = number % len(made)
            timers.cancel(made[key])
            pending.pop(key, None)
        elif step == "fire":
            due = sorted((when, key) for key, when in pending.items() if when <= number)
            expected += [key for _, key in due]
            for _, key in due:
                del pending[key]
            timers.fire(float(number))
        assert len(timers) == len(pending)
        assert timers.next() == (min(pending.values()) if pending else None)
    assert fired == expected
