"""Signals, exit codes, standard input and programs that serve nobody."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.reload.conftest import ROOT, SERVER, Program, Start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a POSIX system is needed to hand descriptors on")

LOOP = """
import time
import greeting
try:
    print("says", greeting.TEXT, flush=True)
    while True:
        time.sleep(0.01)
finally:
    print("ends", greeting.TEXT, flush=True)
"""


def test_the_exit_code_of_a_program_that_ends_by_itself(start: Start) -> None:
    program = start("done.py", done="print('done')")
    assert program.wait() == 0
    assert program.count("^done$") == 1


@pytest.mark.parametrize("words", [("nothing_called_so",), ("--threads", "x", "done.py")])
def test_what_is_refused_ends_at_once(start: Start, words: tuple[str, ...]) -> None:
    program = start(*words)
    assert program.wait() == 2
    assert program.count("^rewriter: error: ") == 1


def test_a_program_that_fails_waits_for_a_save(start: Start) -> None:
    program = start("a.py", a="import sys\nsys.exit(3)")
    program.line(r"the program has ended \(exit code 3\); the next save starts it again")
    program.save("a.py", "print('mended', flush=True)")
    program.line("^mended$")
    assert program.wait() == 0


def test_a_program_that_does_not_compile_waits_for_a_save(start: Start) -> None:
    program = start("a.py", a="import b\nb.f()", b="def f(:")
    program.line("SyntaxError")
    program.line("the next save starts it again")
    program.save("b.py", "def f(): print('mended', flush=True)")
    program.line("^mended$")
    assert program.wait() == 0


def test_a_missing_module_that_is_written_then(start: Start) -> None:
    program = start("a.py", a="import b\nb.f()")
    program.line("ModuleNotFoundError")
    program.line("the next save starts it again")
    program.save("b.py", "def f(): print('there', flush=True)")
    program.line("^there$")
    assert program.wait() == 0


def test_a_program_that_serves_nobody_never_runs_twice_at_a_time(start: Start) -> None:
    program = start("--reload-ready", "0.2", "loop.py", loop=LOOP, greeting="TEXT = 'one'")
    program.line("watching 2 files")
    program.reloaded(lambda: program.save("greeting.py", "TEXT = 'two'"))
    program.line("says two")
    before = len(program.lines)
    program.save("greeting.py", "TEXT = ")
    program.line("the new code is broken; the old code goes on", before)
    program.line("SyntaxError", before)
    assert program.process.poll() is None


def test_ctrl_c_from_a_kill_is_handed_on_and_ends_with_the_program(start: Start) -> None:
    program = start("--reload-ready", "0.2", "loop.py", loop=LOOP, greeting="TEXT = 'one'")
    program.line("watching")
    program.process.send_signal(signal.SIGINT)
    assert program.wait() == -signal.SIGINT  # as Python ends that is interrupted
    assert program.count("^ends one$") == 1
    assert program.count("^KeyboardInterrupt$") == 1


def test_ctrl_c_in_a_terminal_reaches_the_program_once(tmp_path: Path) -> None:
    (tmp_path / "loop.py").write_text(LOOP.replace("ends", "line from", 1) + "")
    (tmp_path / "greeting.py").write_text("TEXT = 'one'")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _IN_TERMINAL, sys.executable, "-m", "rewriter", "--reload", "loop.py"],
        cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    os.close(theirs)
    output = b""
    try:
        while b"says one" not in output:
            output += os.read(ours, 4096)
        os.write(ours, b"\x03")
        while True:
            try:
                octets = os.read(ours, 4096)
            except OSError:  # the terminal is left by everybody
                break
            if not octets:
                break
            output += octets
    finally:
        code = process.wait(20)
        os.close(ours)
    assert code == -signal.SIGINT
    assert output.count(b"line from one") == 1
    assert output.count(b"KeyboardInterrupt") == 1


_IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_second_ctrl_c_ends_what_does_not_end(start: Start) -> None:
    code = """
import signal, time
signal.signal(signal.SIGINT, lambda *_: print("not yet", flush=True))
print("up", flush=True)
while True:
    time.sleep(0.01)
"""
    program = start("stubborn.py", stubborn=code)
    program.line("^up$")
    program.process.send_signal(signal.SIGINT)
    program.line("^not yet$")
    time.sleep(0.2)
    assert program.process.poll() is None
    program.process.send_signal(signal.SIGINT)
    assert program.wait() == -signal.SIGINT


def test_terminate_ends_all_of_it(server: Program) -> None:
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == -signal.SIGTERM


def test_the_program_reads_standard_input(start: Start) -> None:
    program = start("ask.py", ask="print('got', input(), flush=True)")
    assert program.process.stdin is not None
    program.process.stdin.write("words\n")
    program.process.stdin.flush()
    program.line("^got words$")
    assert program.wait() == 0


def test_quiet_prints_what_is_wrong_only(start: Start) -> None:
    program = start("--quiet", "server.py", server=SERVER, greeting='TEXT = "one"')
    program.port()
    program.save("greeting.py", "TEXT = ")
    program.line("the old code goes on answering")
    before = len(program.lines)
    program.save("greeting.py", 'TEXT = "two"')
    program.line("^port", before)
    assert program.count("reloaded|watching") == 0


def test_from_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sys\nprint(sys.argv)")
    code = "import rewriter.reload; print(rewriter.reload.run('a.py', 'x', quiet=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}, text=True,
        capture_output=True, timeout=20, check=True,
    )  # fmt: skip
    assert done.stdout == "['a.py', 'x']\n0\n"
    assert done.stderr == ""
