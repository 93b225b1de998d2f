"""The memory of Python frames: given to who begins, taken back from who ends, and in the end the system's."""

from __future__ import annotations

import gc
import os
import threading

import pytest

import runtime
from tests.runtime.conftest import Program

CROWD = 3000  # more than are kept for later


def descend(depth: int) -> int:
    """Be *depth* calls deep, wait there, and come back."""
    if depth == 0:
        runtime.schedule()
        return 0
    return 1 + descend(depth - 1)


def test_each_of_many_has_frames_of_its_own() -> None:
    """However deep it is when it waits: in one chunk, in the next, and in many."""
    depths = [0, 1, 50, 90, 130, 131, 132, 133, 200, 500, 900] * 40
    tasklets = [runtime.spawn(descend, depth) for depth in depths]
    assert [tasklet.result() for tasklet in tasklets] == depths


def test_who_begins_again_and_again_is_given_what_others_had() -> None:
    """In waves, of which each ends in another order."""
    for step in (1, 7, 64, 333):
        tasklets = [runtime.spawn(runtime.sleep, 1000) for _ in range(1000)]
        runtime.schedule()
        for start in range(step):
            for tasklet in tasklets[start::step]:
                tasklet.kill()
        assert all(tasklet.done for tasklet in tasklets)
        assert runtime.spawn(descend, 300).result() == 300


def test_a_thread_that_ends_before_its_tasklets_leaves_the_memory_whole() -> None:
    """What they had is freed by others, or never; those that come after them are not disturbed."""

    def abandon(left: list[runtime.Tasklet]) -> None:
        left.extend(runtime.spawn(descend, depth) for depth in [0, 10, 200] * 50)
        runtime.schedule()
        left.extend(runtime.spawn(runtime.sleep, 1000) for _ in range(100))
        runtime.schedule()

    for _ in range(3):
        left: list[runtime.Tasklet] = []
        thread = threading.Thread(target=abandon, args=(left,))
        thread.start()
        thread.join()
        del left
        gc.collect()
        depths = [0, 5, 150] * 100
        assert [tasklet.result() for tasklet in [runtime.spawn(descend, depth) for depth in depths]] == depths


def test_two_threads_may_begin_and_end_tasklets_at_once() -> None:
    done: list[int] = []

    def work() -> None:
        for _ in range(10):
            tasklets = [runtime.spawn(descend, depth) for depth in [0, 20, 140] * 50]
            done.append(sum(tasklet.result() for tasklet in tasklets))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [160 * 50] * 30


@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="the system does not say how much memory is in use"
)
def test_the_system_gets_back_what_a_crowd_had(program: Program) -> None:
    """All but what is kept for later."""
    done = program(
        """
        import gc, os, sys
        import runtime

        def resident():
            gc.collect()
            size, pages, shared = open("/proc/self/statm").read().split()[:3]
            return (int(pages) - int(shared)) * os.sysconf("SC_PAGE_SIZE")

        def crowd(count):
            tasklets = [runtime.spawn(runtime.sleep, 1000) for _ in range(count)]
            runtime.schedule()
            used = resident()
            for tasklet in tasklets:
                tasklet.kill()
            return used

        crowd(600)
        before = resident()
        used = crowd(int(sys.argv[1]))
        print(used - before, resident() - before)
        """,
        str(CROWD),
    )
    used, left = map(int, done.stdout.split())
    assert used > CROWD * 4096
    assert used - left > CROWD * 2048  # half of the pages that their frames began in


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_goes_on_with_its_own(program: Program) -> None:
    """Forked from a tasklet, with others that wait in both."""
    done = program(
        """
        import os
        import runtime

        def descend(depth):
            if depth == 0:
                runtime.schedule()
                return 0
            return 1 + descend(depth - 1)

        def work():
            child = os.fork()
            tasklets = [runtime.spawn(descend, depth) for depth in [0, 30, 200] * 100]
            total = sum(tasklet.result() for tasklet in tasklets)
            if child == 0:
                os._exit(0 if total == 23000 else 1)
            assert os.waitpid(child, 0)[1] == 0
            return total

        others = [runtime.spawn(runtime.sleep, 1000) for _ in range(300)]
        runtime.schedule()
        print(runtime.spawn(work).result())
        for other in others:
            other.kill()
        """
    )
    assert done.stdout == "23000\n", done.stderr
