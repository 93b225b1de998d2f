"""Standard input: ``sys.stdin``, ``input()``, ``fileinput`` and ``getpass`` beside others, and as plain alone."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

TICKER = """
import threading, time, sys
ticks = []
def tick():
    while not done:
        ticks.append(1)
        time.sleep(0.005)
done = []
ticker = threading.Thread(target=tick)
ticker.start()
print('ready', flush=True)
"""


@pytest.mark.parametrize(
    "read",
    [
        "first = sys.stdin.readline(); second = next(sys.stdin)",
        "first = input() + '\\n'; second = sys.stdin.readline()",
        "from sys import stdin; first = stdin.readline(); second = input('') + '\\n'",
        "import fileinput; both = iter(fileinput.input()); first = next(both); second = next(both)",
        "data = sys.stdin.buffer.read().decode(); first, second = data.splitlines(True)",
        "first, second = sys.stdin.read().splitlines(True)",
        "import os; first = os.read(0, 4).decode(); second = sys.stdin.read()",
    ],
)
def test_others_run_while_a_line_is_waited_for(
    tmp_path: Path, environment: dict[str, str], read: str
) -> None:
    """Whatever the way of reading, and nothing of what was written is lost between them."""
    program = f"{TICKER}\n{read}\ndone.append(1); ticker.join()\nprint([first, second], len(ticks) > 5)\n"
    (tmp_path / "prog.py").write_text(program)
    with subprocess.Popen(
        [sys.executable, "-m", "rewriter", "prog.py"],
        env=environment, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.2)
        process.stdin.write(b"one\n")
        process.stdin.flush()
        time.sleep(0.2)
        out, err = process.communicate(b"two\n", timeout=60)
    assert (out.decode(), err.decode()) == ("['one\\n', 'two\\n'] True\n", "")


def test_alone_it_is_as_plain(tmp_path: Path, environment: dict[str, str]) -> None:
    """Lines, the end of the file, what is assigned to sys.stdin, and the names of the files."""
    source = textwrap.dedent("""
        import io, sys
        print(sys.stdin.name, sys.stdin.mode, sys.stdin.fileno(), sys.stdin.encoding, sys.stdin.errors)
        print(input("prompt "), [line for line in sys.stdin])
        try:
            input()
        except EOFError as error:
            print(error)
        sys.stdin = io.StringIO("other\\n")
        print(input(), sys.stdin.read() == "", sys.__stdin__.name)
        del sys.stdin
        try:
            input()
        except RuntimeError as error:
            print(error)
        print(sys.argv, isinstance(sys.__stdin__, io.TextIOWrapper))
        sys.argv = ["new"]
        import importlib
        print(importlib.import_module("sys").argv)
    """)
    (tmp_path / "prog.py").write_text(source)
    said = [
        subprocess.run(
            [sys.executable, *options, "prog.py", "x"],
            env=environment, cwd=tmp_path, input="one\ntwo\nthree", capture_output=True, text=True, check=False,
        )
        for options in ((), ("-m", "rewriter"))
    ]  # fmt: skip
    assert said[0].stdout == said[1].stdout
    assert (said[0].stderr, said[1].stderr) == ("", "")


def test_a_terminal_is_waited_for(tmp_path: Path, environment: dict[str, str]) -> None:
    """The prompt is shown first; the line comes when it was typed."""
    program = (
        f"{TICKER}\nname = input('name? ')\ndone.append(1); ticker.join()\nprint(name, len(ticks) > 5)\n"
    )
    (tmp_path / "prog.py").write_text(program)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "rewriter", "prog.py"], env=environment, cwd=tmp_path,
        stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(theirs)
        said = b""
        while not said.endswith(b"name? "):
            said += os.read(ours, 100)
        time.sleep(0.2)
        os.write(ours, b"Ada\n")
        assert process.wait(60) == 0
        assert b"Ada True" in os.read(ours, 1000)
    os.close(ours)


def test_ctrl_c_ends_the_wait_for_a_terminal(tmp_path: Path, environment: dict[str, str]) -> None:
    """Also when no other tasklet is left, so that it is the plain call that waits."""
    program = (
        "import threading, time\nthreading.Thread(target=int).start()\ntime.sleep(0.01)\ninput('name? ')\n"
    )
    (tmp_path / "prog.py").write_text(program)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "rewriter", "prog.py"], env=environment, cwd=tmp_path,
        stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(theirs)
        assert process.stderr is not None
        said = b""
        while not said.endswith(b"name? "):  # plain Python prompts there
            assert select.select([process.stderr], [], [], 20)[0]
            said += os.read(process.stderr.fileno(), 100)
        time.sleep(0.3)  # between the prompt and the wait a signal is missed, as under plain Python
        process.send_signal(signal.SIGINT)
        try:
            assert b"KeyboardInterrupt" in process.communicate(timeout=20)[1]
        finally:
            process.kill()
        assert process.returncode == -signal.SIGINT
    os.close(ours)


def test_only_code_that_asks_for_it_gets_the_counterpart(tmp_path: Path, environment: dict[str, str]) -> None:
    """All other converted modules keep the plain sys."""
    (tmp_path / "other.py").write_text("import sys, time\nplain = sys\n")
    (tmp_path / "prog.py").write_text(
        "import sys, other\nprint(sys is other.plain, other.plain is sys.modules['sys'])  # not stdin's\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "rewriter", "prog.py"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("False True\n", "")
