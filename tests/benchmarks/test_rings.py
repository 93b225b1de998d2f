"""`python -m benchmarks.rings` measures every row, and says clearly which ones cannot be measured here."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from benchmarks import rings
from benchmarks.compiler import CompileError, compiler
from tests.benchmarks.test_command import children, gone
from tests.runtime.test_uring import FORBIDDEN

ROOT = pathlib.Path(__file__).parents[2]
IO_URING_SETUP = 425
COMMAND = [sys.executable, "-m", "benchmarks.rings"]


def run(*arguments: str, **surroundings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=os.environ | surroundings, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def program() -> str:
    """The program in C, on a system where it can use a ring."""
    if compiler() is None:
        pytest.skip("no C compiler")
    try:
        path = str(rings.program())
    except CompileError as error:
        if "io_uring.h" not in str(error):
            raise
        pytest.skip("there is no io_uring here: the compiler has no header for it")
    tried = subprocess.run([path, "echo-ring", "1", "1"], capture_output=True, text=True, check=False)
    if tried.returncode == rings.NOT_HERE:
        pytest.skip(f"there is no io_uring here: {tried.stderr.strip()}")
    return path


def test_every_row_is_measured_or_needs_a_newer_kernel(program: str, tmp_path: pathlib.Path) -> None:
    """How many operations a wait brings is known: a batch is there before it is worked off."""
    file = tmp_path / "figures.json"
    done = run("--rounds", "2", "--operations", "50", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    saved = json.loads(file.read_text())
    assert len(saved["rows"]) == sum(len(rings.WAYS[name]) for name, *_ in rings.OPERATIONS)
    waits = {}
    for row in saved["rows"]:
        title = f"{row['name']}, {row['at_a_time']} at a time: {row['way']}"
        assert title in done.stdout
        if row["missing"] is not None:
            assert "ring" in row["way"]
            assert "needs Linux" in row["missing"]
            continue
        assert len(row["samples"]) == 2
        for sample in row["samples"]:
            assert sample["cpu"] > 0
            assert sample["wall"] > 0
            waits[title] = sample["a_wait"]
    expected = {  # the lowest and the highest; a busy system may hand on what was sent a little later
        "echo, 100 at a time: epoll": (1, 100),
        "echo, 1 at a time: ring": (0.5, 0.5),  # one wait for what is received, one for what is sent
        "accept, 16 at a time: epoll, edge-triggered": (1, 16),
        "accept, 16 at a time: epoll, level-triggered": (1, 1),
        "accept, 16 at a time: ring": (1, 1),
        "connect, 16 at a time: epoll": (1, 16),
        "child, 20 at a time: pidfd and epoll": (20, 20),
        "child, 20 at a time: waitid that blocks": (1, 1),
    }
    for title, (lowest, highest) in expected.items():
        assert lowest <= waits[title] <= highest, title


def test_where_it_is_forbidden_epoll_is_measured_alone(program: str) -> None:
    """As in containers; what forbids it is handed on to the program that is executed."""
    code = f"""{FORBIDDEN}
import os, sys
forbid({IO_URING_SETUP}, {errno.EPERM})
os.execv(sys.executable, sys.argv[1:])
"""
    words = [sys.executable, "-c", code, *COMMAND, "--rounds", "1", "--operations", "20"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("|").split(" | ") for line in done.stdout.splitlines()[2:]]
    measured = {row[0].rpartition(": ")[2]: "not measured" not in row[1] for row in rows}
    assert measured == {way: "ring" not in way for ways in rings.WAYS.values() for way in ways}
    for row in rows:
        if "ring" in row[0]:
            assert row[1] == "not measured: no io_uring: Operation not permitted"


@pytest.mark.parametrize(
    "words", [[], ["no-such-row", "1", "1"], ["echo-ring", "0", "1"], ["echo-ring", "129", "1"]]
)
def test_the_program_refuses_what_it_cannot_do(program: str, words: list[str]) -> None:
    refused = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: rings ROW AT_A_TIME OPERATIONS")


def test_ctrl_c_ends_what_was_started(program: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--operations", "100000000"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("round 1 of 5: echo")
    started: list[int] = []
    while len(started) < 2:  # one that measures, and its other side
        assert process.poll() is None
        started = children(process.pid)
        started += [other for pid in started for other in children(pid)]
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == rings.INTERRUPTED
    process.stderr.close()
    for pid in started:
        gone(pid)


def as_program(monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path, script: str) -> None:
    """Let a shell script that is given the row's name stand for the program."""
    path = folder / "rings"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    monkeypatch.setattr(rings, "program", lambda: path)
    monkeypatch.setattr(sys, "argv", ["rings", "--rounds", "3"])


def test_a_row_that_cannot_be_measured_says_so_and_the_others_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = '{"cpu": 2.5, "wall": 3.5, "a_wait": 1.0}'
    script = f"case $1 in *-ring) echo waitid: needs Linux 6.7 >&2; exit 3;; *) echo '{measured}';; esac"
    as_program(monkeypatch, tmp_path, script)
    assert rings.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert "| child, 1 at a time: pidfd and epoll | 2.50 (2.50) | 1.00 | 3.50 (3.50) | 1 |" in lines
    assert "| child, 1 at a time: ring | not measured: waitid: needs Linux 6.7 |  |  |  |" in lines


def test_a_row_that_fails_ends_the_run_with_its_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    as_program(monkeypatch, tmp_path, "echo rings: connect: Connection refused >&2; exit 1")
    assert rings.main() == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "cannot measure: echo-epoll: rings: connect: Connection refused (exit code 1)"


def test_the_ratio_is_the_median_over_rounds_and_to_the_first_row() -> None:
    base, other = (rings.Row("echo", 1, 10, way, way) for way in ("epoll", "ring"))
    base.samples = [{"cpu": cpu, "wall": 1.0, "a_wait": 1.0} for cpu in (1.0, 2.0, 4.0)]
    other.samples = [{"cpu": cpu, "wall": 1.0, "a_wait": 0.5} for cpu in (3.0, 4.0, 8.0)]
    assert other.cells(base) == ["echo, 1 at a time: ring", "4.00 (3.00)", "2.00", "1.00 (1.00)", "0.5"]


def test_without_a_compiler_it_says_so() -> None:
    refused = run(CC="/nowhere/cc")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "cannot measure: no C compiler\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rounds", "0"], "0 is not positive"),
        (["--operations", "many"], "invalid positive value: 'many'"),
        (["--json", "/no/such/folder/x.json"], "no such folder: /no/such/folder"),
    ],
)
def test_bad_input_is_refused_in_one_clear_line_with_code_2(arguments: list[str], complaint: str) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert complaint in refused.stderr.splitlines()[-1]
