"""Tasklets run in the order of the ring, which `run`, `insert`, `remove` and `switch` change as the manual says."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import textwrap
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from runtime import stackless
from runtime.stackless import TaskletExit


def counter(log: list[str], name: str, times: int) -> None:
    for number in range(times):
        log.append(f"{name}{number}")
        stackless.schedule()


def test_tasklets_take_turns_in_the_order_in_which_they_were_made() -> None:
    log: list[str] = []
    stackless.tasklet(counter)(log, "a", 2)
    stackless.tasklet(counter)(log, "b", 3)
    assert stackless.getruncount() == 3
    assert stackless.run() is None
    assert log == ["a0", "b0", "a1", "b1", "b2"]


def test_schedule_returns_what_it_is_given_and_the_current_tasklet_by_default() -> None:
    assert stackless.schedule("x") == "x"
    assert stackless.schedule() is stackless.getcurrent()
    assert stackless.current is stackless.main


def test_a_tasklet_can_be_made_step_by_step() -> None:
    got: list[Any] = []
    task = stackless.tasklet()
    assert not task.alive
    task.bind(lambda *args, **kwargs: got.append((args, kwargs)))
    assert not task.alive
    task.bind(None, (1,), {"x": 2})
    assert (task.alive, task.paused, task.scheduled) == (True, True, False)
    task.insert()
    assert (task.paused, task.scheduled) == (False, True)
    stackless.run()
    assert got == [((1,), {"x": 2})]
    assert not task.alive
    task.bind(got.append)("again")
    stackless.run()
    assert got[1] == "again"


def test_who_is_next_and_before_in_the_ring() -> None:
    first, second = stackless.tasklet(int)(), stackless.tasklet(int)()
    main = stackless.getmain()
    assert (main.next, first.next, second.next) == (first, second, main)
    assert (main.prev, first.prev, second.prev) == (second, main, first)
    first.remove()
    assert main.next is second
    assert first.next is None
    first.insert()
    assert (main.next, second.next) == (second, first)
    stackless.run()


def test_run_of_a_scheduled_tasklet_goes_on_with_those_after_it() -> None:
    log: list[str] = []
    tasks = [stackless.tasklet(counter)(log, name, 1) for name in "abc"]
    tasks[1].run()
    assert log == ["b0", "c0"]
    stackless.run()
    assert log == ["b0", "c0", "a0"]


def test_run_of_a_paused_tasklet_comes_back_next() -> None:
    log: list[str] = []
    other = stackless.tasklet(counter)(log, "other", 1)
    task = stackless.tasklet(counter)(log, "a", 1).remove()
    task.run()
    assert log == ["a0"]
    stackless.run()
    assert log == ["a0", "other0"]
    assert not other.alive


def test_switch_pauses_the_caller() -> None:
    main = stackless.getmain()
    seen: list[bool] = []

    def back() -> None:
        seen.append(main.paused)
        main.insert()

    stackless.tasklet(back)().switch()
    assert seen == [True]
    assert not main.paused


def test_schedule_remove_waits_for_whoever_inserts_and_gets_the_tempval() -> None:
    got: list[Any] = []
    task = stackless.tasklet(lambda: got.append(stackless.schedule_remove("mine")))()
    stackless.run()
    assert (task.paused, task.tempval) == (True, "mine")
    task.tempval = "yours"
    task.insert()
    stackless.run()
    assert got == ["yours"]


def test_a_paused_tasklet_that_nobody_knows_is_killed_at_once() -> None:
    log: list[str] = []

    def body() -> None:
        try:
            stackless.schedule_remove(None)
        finally:
            log.append("finally")

    task = stackless.tasklet(body)()
    stackless.run()
    gone = weakref.ref(task)
    del task
    assert gone() is None
    assert log == ["finally"]


def test_a_paused_tasklet_in_a_cycle_is_killed_in_its_turn_once_it_is_collected() -> None:
    log: list[str] = []

    def body() -> None:
        try:
            stackless.schedule_remove()  # whose value is the tasklet itself
        finally:
            log.append("finally")

    stackless.tasklet(body)()
    stackless.run()
    stackless.schedule()
    gc.collect()
    stackless.run()
    assert log == ["finally"]


def test_a_tasklet_that_has_ended_is_collected_without_the_collector() -> None:
    gc.disable()
    try:
        task = stackless.tasklet(lambda: None)()
        stackless.run()
        gone = weakref.ref(task)
        del task
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: stackless.tasklet(42), TypeError, "tasklet function must be a callable or None"),
        (lambda: stackless.tasklet().run(), RuntimeError, "unbound"),
        (lambda: stackless.tasklet().insert(), RuntimeError, "unbound"),
        (lambda: stackless.tasklet().setup(), RuntimeError, "was not bound to a function"),
        (lambda: stackless.getcurrent().bind(int), RuntimeError, "can't .re.bind the current tasklet"),
        (lambda: stackless.getcurrent().remove(), RuntimeError, "current tasklet cannot be removed"),
        (lambda: setattr(stackless.getcurrent(), "block_trap", "x"), TypeError, "bool or integer"),
        (lambda: stackless.schedule(1, 2), TypeError, "positional argument"),
        (lambda: stackless.run("x"), TypeError, "an integer is required"),
        (lambda: stackless.set_channel_callback(1), TypeError, "channel callback must be callable"),
        (lambda: stackless.enable_softswitch(True), RuntimeError, "greenlet switches C stacks"),
        (lambda: stackless.get_thread_info(1), RuntimeError, "Thread id not found"),
        (lambda: stackless.tasklet().bind_thread(1), ValueError, "bad thread"),
        (lambda: stackless.tasklet().throw(42), TypeError, "exceptions must be classes, or instances, not int"),
        (lambda: stackless.pickle_flags(8), ValueError, "undefined bits"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_a_tasklet_knows_where_it_is_and_how_deep() -> None:
    def inner() -> None:
        stackless.schedule_remove(None)

    def outer() -> None:
        inner()

    task = stackless.tasklet(outer)()
    assert (task.frame, task.recursion_depth, task.nesting_level, task.restorable) == (None, 0, 0, True)
    task.run()
    assert task.frame is not None
    assert (task.frame.f_code, task.recursion_depth) == (inner.__code__, 2)
    assert not task.restorable
    task.run()
    assert (task.frame, task.recursion_depth) == (None, 0)


def test_what_has_not_started_can_be_pickled_and_what_has_cannot() -> None:
    task = stackless.tasklet(counter)([], "a", 1)
    copy = pickle.loads(pickle.dumps(task))
    assert (copy.alive, copy.scheduled) == (True, True)
    task.run()
    with pytest.raises(TypeError, match="C stack"):
        pickle.dumps(task)
    with pytest.raises(RuntimeError, match="C state"):
        task.remove().bind_thread(stackless.getmain().thread_id)
    task.kill()
    stackless.run()


def test_subclasses_may_have_attributes_of_their_own() -> None:
    class Named(stackless.tasklet):
        def __init__(self, function: Any, name: str) -> None:
            super().__init__(function)
            self.name = name

    seen: list[str] = []
    Named(lambda: seen.append(stackless.getcurrent().name), "Ada")()
    stackless.run()
    assert seen == ["Ada"]


def test_the_switch_trap_refuses_every_switch_and_changes_nothing() -> None:
    channel = stackless.channel()
    task = stackless.tasklet(channel.receive)()
    task.run()
    other = stackless.tasklet(int)()
    stackless.switch_trap(1)
    try:
        for call in (
            stackless.schedule,
            stackless.schedule_remove,
            stackless.run,
            other.run,
            other.switch,
            lambda: channel.send(1),
            task.kill,
        ):
            with pytest.raises(RuntimeError, match="switch_trap"):
                call()
            assert (task.blocked, other.scheduled, stackless.getruncount()) == (True, True, 2)
    finally:
        assert stackless.switch_trap(-1) == 1
    channel.send(1)
    stackless.run()


def test_run_can_be_nested_and_the_inner_one_ends_first() -> None:
    log: list[str] = []

    def inner() -> None:
        stackless.tasklet(counter)(log, "deep", 1)
        stackless.run()
        log.append("inner")
        assert stackless.getmain().paused

    stackless.tasklet(inner)()
    stackless.run()
    log.append("outer")
    assert log == ["deep0", "inner", "outer"]


def test_a_nested_run_gets_the_errors_and_the_outer_one_goes_on() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    def inner() -> None:
        stackless.tasklet(fail)()
        with pytest.raises(ZeroDivisionError):
            stackless.run()

    task = stackless.tasklet(inner)()
    stackless.run()
    assert not task.alive


def test_waking_the_main_tasklet_lets_the_runs_below_it_go_on_too() -> None:
    log: list[str] = []

    def wake() -> None:
        stackless.getmain().run()
        log.append("woken")

    def inner() -> None:
        stackless.tasklet(wake)()
        stackless.run()
        log.append("inner")

    stackless.tasklet(inner)()
    stackless.run()
    assert log == []
    stackless.run()
    assert sorted(log) == ["inner", "woken"]


def test_the_schedule_callback_sees_who_was_and_who_is() -> None:
    seen: list[tuple[Any, Any]] = []
    task = stackless.tasklet(stackless.schedule)()
    main = stackless.getmain()
    stackless.set_schedule_callback(lambda previous, next_: seen.append((previous, next_)))
    stackless.run()
    assert stackless.set_schedule_callback(None) is not None
    assert (main, task) in seen
    assert seen[-1] == (task, main)


def test_an_error_in_the_schedule_callback_is_reported_and_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(previous: Any, next_: Any) -> None:
        raise ValueError("not today")

    stackless.tasklet(int)()
    stackless.set_schedule_callback(fail)
    stackless.run()
    stackless.set_schedule_callback(None)
    assert "not today" in capsys.readouterr().err


def test_a_module_for_debuggers_is_there() -> None:
    assert stackless.getdebug() is stackless.debug is False
    assert stackless.getuncollectables() == stackless.uncollectables == []
    assert stackless.getcurrentid() == stackless.getmain().thread_id
    assert stackless.threads[0] == stackless.getmain().thread_id
    assert stackless.get_thread_info(-1) == (stackless.main, stackless.current, 1)
    assert TaskletExit().code is None
    assert issubclass(TaskletExit, SystemExit)


def calls_made(function: Callable[[], object]) -> int:
    """How many functions *function* calls."""
    count = 0

    def see(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def test_the_work_to_wake_or_kill_many_grows_with_their_number_and_not_faster() -> None:
    def block(count: int) -> tuple[stackless.channel, list[stackless.tasklet]]:
        channel = stackless.channel()
        channel.preference = 1
        tasks = [stackless.tasklet(channel.receive)() for _ in range(count)]
        stackless.run()
        return channel, tasks

    def wake(count: int) -> int:
        channel, _ = block(count)

        def work() -> None:
            while channel.balance < 0:
                channel.send(None)
            stackless.run()

        return calls_made(work)

    def kill(count: int) -> int:
        _, tasks = block(count)
        return calls_made(lambda: [task.kill() for task in reversed(tasks)])

    def clear(count: int) -> int:
        for _ in range(count):
            stackless.tasklet(int)()

        def work() -> None:
            while (task := stackless.getcurrent().next) is not stackless.getcurrent():
                assert task is not None
                task.remove()

        return calls_made(work)

    for work in (wake, kill, clear):
        assert work(400) < 5 * work(100), work


def test_a_tasklet_that_waits_for_its_turn_is_small() -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tasks = [stackless.tasklet(int)() for _ in range(5000)]
        each = (tracemalloc.get_traced_memory()[0] - before) / len(tasks)
    finally:
        tracemalloc.stop()
    stackless.run()
    assert each < 1000


def test_a_forked_child_has_the_tasklet_that_forked_and_no_other() -> None:
    source = """
        import os
        from runtime import stackless

        def body():
            pid = os.fork()
            if not pid:
                assert stackless.getcurrent() is stackless.getmain()
                assert stackless.getruncount() == 1
                stackless.tasklet(print)("child", flush=True)
                stackless.run()
                os._exit(0)
            os.waitpid(pid, 0)

        stackless.tasklet(body)()
        stackless.tasklet(print)("parent", flush=True)
        stackless.run()
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (sorted(done.stdout.split()), done.stderr) == (["child", "parent"], "")
