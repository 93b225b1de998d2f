"""Waiting for children: others run meanwhile, each status goes to one caller, and an interruption takes none."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import runtime
from runtime import children
from runtime.green import os as green_os
from tests.runtime.conftest import Program
from tests.runtime.ticker import Ticker

pytestmark = pytest.mark.usefixtures("backend", "way")


@pytest.fixture(params=["pidfd", "sentry", "naps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the end of a child is noticed."""
    if request.param != "pidfd":
        monkeypatch.delattr(os, "pidfd_open")
    if request.param == "naps":
        monkeypatch.setattr(children, "_sentry", lambda quarry: None)
    return str(request.param)


class Child:
    """A process that ends with *code* when it is told to, or after a while."""

    def __init__(self, code: int = 3, *, group: bool = False) -> None:
        self._process = subprocess.Popen(
            ["sh", "-c", f"read -r line; exit {code}"],
            stdin=subprocess.PIPE,
            process_group=0 if group else None,
        )
        self.pid = self._process.pid
        self._guard = threading.Timer(20, self._process.kill)
        self._guard.daemon = True
        self._guard.start()

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def forget(self) -> None:
        self._guard.cancel()
        self.end()
        self._process.wait()


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.forget()


CALLS: dict[str, Callable[[int], object]] = {
    "waitpid": lambda pid: green_os.waitpid(pid, 0),
    "wait4": lambda pid: green_os.wait4(pid, 0)[:2],
    "waitid": lambda pid: green_os.waitid(os.P_PID, pid, os.WEXITED),
    "wait": lambda pid: green_os.wait(),
    "wait3": lambda pid: green_os.wait3(0)[:2],
    "any": lambda pid: green_os.waitpid(-1, 0),
    "stops": lambda pid: green_os.waitpid(pid, os.WUNTRACED),
}


@pytest.mark.parametrize("call", CALLS)
def test_others_run_while_a_child_is_waited_for(child: Child, call: str) -> None:
    """The child ends only because another tasklet says so; its status arrives."""
    with Ticker(child.end):
        found = CALLS[call](child.pid)
    if call == "waitid":
        assert (found.si_pid, found.si_status) == (child.pid, 3)  # type: ignore[attr-defined]
    else:
        assert found == (child.pid, 3 << 8)
    with pytest.raises(ChildProcessError):
        os.waitpid(child.pid, 0)


@pytest.mark.parametrize("call", CALLS)
def test_a_tasklet_killed_while_it_waits_takes_no_status(child: Child, call: str) -> None:
    """The child can still be waited for, and no descriptor is left."""
    runtime.schedule()  # makes the hub
    before = len(os.listdir("/proc/self/fd"))
    tasklet = runtime.spawn(CALLS[call], child.pid)
    runtime.sleep(0.01)
    assert not tasklet.done
    tasklet.kill()
    assert len(os.listdir("/proc/self/fd")) == before
    child.end()
    assert os.waitpid(child.pid, 0) == (child.pid, 3 << 8)


def test_a_timeout_ends_the_wait(child: Child) -> None:
    """TimeoutError comes, and the child is still there."""
    with pytest.raises(TimeoutError), runtime.timeout(0.01):
        green_os.waitpid(child.pid, 0)
    assert os.waitpid(child.pid, os.WNOHANG) == (0, 0)


def test_tasklets_that_wait_for_any_child_get_one_each() -> None:
    """Three wait, three end; nobody gets another's or none."""
    three = [Child(code) for code in (1, 2, 3)]
    waiting = [runtime.spawn(green_os.wait) for _ in three]
    with Ticker(lambda: [child.end() for child in three]):
        found = [tasklet.result(20) for tasklet in waiting]
    assert sorted(found) == sorted((child.pid, code << 8) for code, child in enumerate(three, 1))
    with pytest.raises(ChildProcessError):
        green_os.wait()
    for child in three:
        child.forget()


def test_a_child_that_another_has_waited_for_is_no_child_any_more(child: Child) -> None:
    """Of two that wait for the same child one gets it and the other ECHILD, as threads do."""
    waiting = [runtime.spawn(green_os.waitpid, child.pid, 0) for _ in range(2)]
    with Ticker(child.end):
        for tasklet in waiting:
            tasklet.join(20)
    assert sorted(type(tasklet.error) for tasklet in waiting if tasklet.error) == [ChildProcessError]


def test_a_group_is_waited_for() -> None:
    """waitpid(-group) takes the member and not another child that ended before."""
    other, member = Child(1), Child(2, group=True)
    other.end()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    with Ticker(member.end):
        assert green_os.waitpid(-member.pid, 0) == (member.pid, 2 << 8)
    assert os.waitpid(other.pid, 0) == (other.pid, 1 << 8)
    for child in (other, member):
        child.forget()


def test_a_stop_is_reported() -> None:
    """WUNTRACED and WCONTINUED see what happens to a child that lives on."""
    child = Child()
    with Ticker(lambda: os.kill(child.pid, signal.SIGSTOP)):
        _, status = green_os.waitpid(child.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    with Ticker(lambda: os.kill(child.pid, signal.SIGCONT)):
        _, status = green_os.waitpid(child.pid, os.WCONTINUED)
    assert os.WIFCONTINUED(status)
    child.forget()


def test_what_is_wrong_is_said_as_plain_python_says_it() -> None:
    """No such child, a wrong type, an unknown option."""
    with Ticker():
        runtime.sleep(0.02)
        with pytest.raises(ChildProcessError):
            green_os.waitpid(os.getpid(), 0)
        with pytest.raises(TypeError):
            green_os.waitpid("1", 0)
        with pytest.raises(OSError, match="Invalid argument"):
            green_os.waitpid(-1, 1 << 20)


def test_a_shell_runs_beside_others(tmp_path: Path) -> None:
    """system() returns the status as plain Python does, and a dozen shells do not wait for one another."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    fd = os.open(fifo, os.O_RDWR)
    shells = [runtime.spawn(green_os.system, f"read -r line < {fifo}; exit 4") for _ in range(12)]
    with Ticker(lambda: os.write(fd, b"\n" * 12)):
        assert [shell.result(20) for shell in shells] == [4 << 8] * 12
    os.close(fd)


def test_spawned_programs_and_popen_let_others_run(program: Program) -> None:
    """os.spawnlp(P_WAIT) and os.popen() wait through counterparts, and give what they give."""
    done = program(
        """
        import os, threading, time

        ticks = 0

        def tick():
            global ticks
            while True:
                time.sleep(0.001)
                ticks += 1

        threading.Thread(target=tick, daemon=True).start()
        print(os.spawnlp(os.P_WAIT, "sh", "sh", "-c", "sleep 0.1; exit 5"), ticks > 5)
        ticks = 0
        with os.popen("sleep 0.1; echo said; exit 6") as pipe:
            pass
        ticks = 0
        pipe = os.popen("exec >&-; sleep 0.1; exit 6")
        print(os.waitstatus_to_exitcode(pipe.close()), ticks > 5)
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("5 True\n6 True\n", "")
