"""The counterpart of ``subprocess``: others run while a program does, and nothing else differs."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess as plain
import sys

import pytest

import runtime
from runtime.green import subprocess
from tests.runtime.ticker import Ticker

pytestmark = pytest.mark.usefixtures("backend")

READS = [sys.executable, "-Sc", "import sys; sys.stdout.write(sys.stdin.read()); sys.exit(3)"]


def _start(**options: object) -> plain.Popen[bytes]:
    return subprocess.Popen(READS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)


def test_classes_are_the_originals_or_derive_from_them() -> None:
    """Exceptions and results mean one thing in both worlds, and a result can be pickled."""
    assert subprocess.TimeoutExpired is plain.TimeoutExpired
    assert subprocess.CalledProcessError is plain.CalledProcessError
    assert issubclass(subprocess.Popen, plain.Popen)
    done = subprocess.run(["true"], check=True)
    assert pickle.loads(pickle.dumps(done)).args == ["true"]
    assert isinstance(done, plain.CompletedProcess)


def test_others_run_while_a_program_is_waited_for() -> None:
    """wait() returns when another tasklet has made the program end."""
    process = _start()
    assert process.stdin is not None
    with process, Ticker(process.stdin.close):
        assert process.wait() == 3


def test_others_run_while_a_program_is_talked_to() -> None:
    """communicate() moves more than a pipe holds both ways."""
    data = os.urandom(1 << 20)
    with Ticker():
        done = subprocess.run(READS, input=data, stdout=subprocess.PIPE, timeout=30)
    assert (done.stdout, done.returncode) == (data, 3)


def test_others_run_while_a_timeout_does() -> None:
    """wait(timeout) raises the shared TimeoutExpired, and the program lives on."""
    with _start() as process:
        with Ticker(), pytest.raises(plain.TimeoutExpired) as caught:
            process.wait(timeout=0.1)
        assert caught.value.timeout == 0.1
        assert process.poll() is None
        assert process.communicate(b"x") == (b"x", None)


def test_run_kills_a_program_that_takes_too_long() -> None:
    """run(timeout) raises, with what was said so far, and the program is gone."""
    with Ticker(), pytest.raises(plain.TimeoutExpired) as caught:
        subprocess.run(["sh", "-c", "echo said; exec sleep 20"], stdout=subprocess.PIPE, timeout=0.3)
    assert caught.value.stdout == b"said\n"


def test_a_program_that_does_not_exist_is_reported() -> None:
    """The error of the child that could not start comes through the pipe."""
    with Ticker():
        runtime.sleep(0.02)
        with pytest.raises(FileNotFoundError):
            subprocess.run(["/nonexistent"], check=False)
        with pytest.raises(plain.CalledProcessError):
            subprocess.run(["false"], check=True)


def test_a_tasklet_killed_in_wait_leaves_the_program_to_others() -> None:
    """The next wait() gets the status."""
    process = _start()
    assert process.stdin is not None
    with process:
        tasklet = runtime.spawn(process.wait)
        runtime.sleep(0.01)
        tasklet.kill()
        process.stdin.close()
        assert process.wait(10) == 3


def test_several_tasklets_wait_for_one_program() -> None:
    """All get its status."""
    process = _start()
    assert process.stdin is not None
    with process:
        waiting = [runtime.spawn(process.wait) for _ in range(3)]
        with Ticker(process.stdin.close):
            assert [tasklet.result(20) for tasklet in waiting] == [3, 3, 3]


def test_a_program_gets_the_descriptors_the_group_and_the_signals_it_is_given() -> None:
    """pass_fds, a session of its own, and an unblocked SIGTERM."""
    r, w = os.pipe()
    script = f"echo via >&{w}; sleep 0.1; kill -TERM $$; sleep 20"
    with Ticker():
        done = subprocess.run(["bash", "-c", script], pass_fds=[w], start_new_session=True, check=False)
    os.close(w)
    assert os.read(r, 10) == b"via\n"
    os.close(r)
    assert done.returncode == -signal.SIGTERM


def test_shells_say_what_they_said() -> None:
    """getoutput, check_output with text, and a pipe into another program."""
    with Ticker():
        runtime.sleep(0.02)
        assert subprocess.getstatusoutput("echo a; exit 2") == (2, "a")
        assert subprocess.check_output(["echo", "ä"], text=True, encoding="utf-8") == "ä\n"
        first = subprocess.Popen(["echo", "through"], stdout=subprocess.PIPE)
        assert subprocess.check_output(["cat"], stdin=first.stdout) == b"through\n"
        with first:
            pass


def test_a_program_that_nobody_waited_for_is_reported_and_cleaned_up() -> None:
    """ResourceWarning as under plain Python; the twin's own list of such programs is emptied."""
    process = subprocess.Popen(["sh", "-c", "read -r line"], stdin=subprocess.PIPE)
    pid, stdin = process.pid, process.stdin
    with pytest.warns(ResourceWarning, match=f"subprocess {pid} is still running"):
        del process
    assert [left.pid for left in subprocess._active] == [pid]
    assert stdin is not None
    stdin.close()
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    subprocess._cleanup()
    assert subprocess._active == []
    assert not any(left.pid == pid for left in plain._active)  # type: ignore[attr-defined]
