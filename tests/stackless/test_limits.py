"""`run` with a limit: what computes for too long is interrupted, what lets others run is not."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from runtime import stackless
from runtime.green import threading, time
from runtime.stackless import watchdog
from tests.runtime.conftest import Program


def spin() -> None:
    number = 0
    while True:
        number += 1


def polite(times: int) -> None:
    for _ in range(times):
        stackless.schedule()


LARGE = watchdog.COUNTED + 1  # is measured, not counted, where that is possible


@pytest.mark.parametrize("limit", [10, 1000, LARGE])
def test_a_tasklet_that_spins_is_interrupted_paused_and_given_back(limit: int) -> None:
    task = stackless.tasklet(spin)()
    assert stackless.run(limit) is task
    assert (task.alive, task.paused, task.scheduled) == (True, True, False)
    assert task.frame is not None
    assert task.frame.f_code is spin.__code__
    task.insert()
    assert stackless.run(limit) is task
    task.kill()
    assert not task.alive


@pytest.mark.parametrize("limit", [1000, LARGE])
def test_who_lets_others_run_in_time_is_not_interrupted(limit: int) -> None:
    tasks = [stackless.tasklet(polite)(100) for _ in range(3)]
    assert stackless.run(limit) is None
    assert not any(task.alive for task in tasks)


@pytest.mark.parametrize("limit", [400, LARGE])
def test_who_waits_for_something_begins_anew(limit: int) -> None:
    def body() -> None:
        for _ in range(30):
            sum(range(10))
            time.sleep(0.001)

    task = stackless.tasklet(body)()
    assert stackless.run(limit) is None
    assert not task.alive


def test_threads_have_limits_of_their_own() -> None:
    log: list[object] = []

    def body() -> None:
        task = stackless.tasklet(spin)()
        log.append(stackless.run(500) is task)
        task.kill()

    threads = [threading.Thread(target=body) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log == [True, True]


def test_a_total_limit_is_for_all_together() -> None:
    tasks = [stackless.tasklet(polite)(10_000) for _ in range(3)]
    assert stackless.run(2000, totaltimeout=True) in tasks
    for task in tasks:
        task.kill()
    stackless.run()


def test_a_soft_limit_waits_for_a_switch_and_leaves_everybody_in_place() -> None:
    log: list[int] = []

    def busy() -> None:
        while True:
            for _ in range(1000):
                pass
            log.append(1)
            stackless.schedule()

    tasks = [stackless.tasklet(busy)() for _ in range(2)]
    assert stackless.run(500, soft=True, totaltimeout=True) is None
    assert log
    assert all(task.scheduled for task in tasks)
    for task in tasks:
        task.kill()
    stackless.run()


def test_an_atomic_section_is_not_interrupted() -> None:
    log: list[str] = []

    def careful() -> None:
        with stackless.atomic():
            for _ in range(5000):
                pass
            log.append("whole")
        spin()

    task = stackless.tasklet(careful)()
    assert stackless.run(100) is task
    assert log == ["whole"]
    task.kill()


def test_the_switch_trap_holds_for_limits_too() -> None:
    log: list[str] = []

    def trapped() -> None:
        stackless.switch_trap(1)
        for _ in range(5000):
            pass
        log.append("whole")
        stackless.switch_trap(-1)
        spin()

    task = stackless.tasklet(trapped)()
    assert stackless.run(100) is task
    assert log == ["whole"]
    task.kill()


def test_only_the_outermost_limit_counts() -> None:
    log: list[Any] = []

    def inner() -> None:
        log.append(stackless.run(10))

    task = stackless.tasklet(inner)()
    other = stackless.tasklet(polite)(50)
    assert stackless.run(10**6) is None
    assert log == [None]
    assert not task.alive
    assert not other.alive


def test_nothing_is_watched_after_a_limited_run() -> None:
    stackless.tasklet(polite)(3)
    stackless.run(1000)
    assert sys.gettrace() is None or "watchdog" not in repr(sys.gettrace())
    if sys.version_info >= (3, 12):
        assert watchdog._tool is not None
        assert sys.monitoring.get_events(watchdog._tool) == 0


def test_a_tracer_of_the_program_stays() -> None:
    def tracer(frame: Any, event: str, arg: Any) -> Any:
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        stackless.tasklet(polite)(3)
        stackless.run(1000)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_the_idiom_for_uncooperative_tasklets_gives_everyone_a_turn(program: Program) -> None:
    source = """
        import stackless

        log = []

        def selfish(name):
            count = 0
            while count < 20_000:
                count += 1
                if count % 5_000 == 0:
                    log.append(name)

        for name in "ab":
            stackless.tasklet(selfish)(name)
        interrupted = 0
        while stackless.runcount > 1:
            t = stackless.run(5_000)
            if t is not None:
                interrupted += 1
                t.insert()
        assert log != sorted(log), log
        print(sorted(log), interrupted > 5)
    """
    done = program(source, converted=True)
    assert (done.stdout, done.stderr) == (f"{['a'] * 4 + ['b'] * 4} True\n", "")
