"""A program that fails says the same, to the caret, as it does under plain Python.

The programs are in ``failing.txt``: ``===`` begins one, ``$`` says how it is run (``prog.py`` by default), ``>`` begins
a file.  Of the many, every third is run; all of them with UNSTALL_SWEEP=1 in the environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.rewriter.conftest import Run

Case = tuple[list[str], dict[str, str]]


def read_cases(text: str) -> dict[str, Case]:
    """Each program by its name: the arguments for Python, and its files."""
    cases: dict[str, Case] = {}
    for part in text.split("=== ")[1:]:
        name, _, body = part.partition("\n")
        command, files, file = ["prog.py"], {}, "prog.py"
        for line in body.splitlines(keepends=True):
            if line.startswith("$ "):
                command = line[2:].split()
            elif line.startswith("> "):
                file = line[2:].strip()
            else:
                files[file] = files.get(file, "") + line
        if command == ["-c"]:
            command = ["-c", files.pop("prog.py")]
        cases[name] = command, files
    return cases


CASES = read_cases(Path(__file__).with_name("failing.txt").read_text(encoding="utf-8"))


def lay(folder: Path, files: dict[str, str], archive: str = "", encoding: str = "utf-8") -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding=encoding)
    if archive:
        with zipfile.ZipFile(folder / archive, "w") as file:
            for name, text in files.items():
                file.writestr(name, text)


def told(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    """What came of it, without what differs from run to run."""
    texts = []
    for text in (done.stdout, done.stderr):
        text = re.sub("0x[0-9a-f]+", "0x…", text)
        text = re.sub(r"repeated \d+ more", "repeated … more", text)  # our frames count for the limit, too
        text = re.sub(r"after 0\.0\d+ seconds", "after … seconds", text)
        texts.append(re.sub(r"fd=\d+", "fd=…", text))
    return done.returncode, texts[0], texts[1]


@pytest.mark.parametrize("name", list(CASES)[:: 1 if os.environ.get("UNSTALL_SWEEP") else 3])
def test_a_failing_program_says_the_same(name: str, tmp_path: Path, run: Run) -> None:
    command, files = CASES[name]
    outcomes = []
    for how in ((), ("-m", "rewriter")):
        lay(tmp_path, files, "prog.zip" if command == ["prog.zip"] else "")
        outcomes.append(told(run(*how, *command, input="")))
    assert outcomes[1] == outcomes[0]
    assert outcomes[0][2], "it fails"


def test_the_development_mode_shows_our_frames(tmp_path: Path, run: Run) -> None:
    """Whoever looks for a mistake of ours sees where it came from."""
    lay(tmp_path, {"prog.py": "import time\ntime.sleep('x')\n"})
    hidden, shown = (run(*flags, "-m", "rewriter", "prog.py").stderr for flags in ((), ("-X", "dev")))
    ours = os.path.join("runtime", "green", "time.py")
    assert ours not in hidden
    assert ours in shown


def test_the_development_mode_shows_them_where_a_program_shows_its_errors(tmp_path: Path, run: Run) -> None:
    lay(
        tmp_path,
        {
            "prog.py": (
                "import logging, sys, time, traceback\n"
                "logging.basicConfig(stream=sys.stderr)\n"
                "try:\n    time.sleep('x')\n"
                "except TypeError:\n    traceback.print_exc(); logging.exception('x')\n"
            )
        },
    )
    hidden, shown = (run(*flags, "-m", "rewriter", "prog.py").stderr for flags in ((), ("-X", "dev")))
    ours = os.path.join("runtime", "green", "time.py")
    assert hidden.count(ours) == 0
    assert shown.count(ours) == 2


def test_an_installed_converter_hides_frames_of_threads_too(tmp_path: Path, run: Run) -> None:
    lay(
        tmp_path,
        {
            "prog.py": "import rewriter; rewriter.install('app'); import app\n",
            "app.py": (
                "import threading, time\n"
                "t = threading.Thread(target=lambda: time.sleep('x'), name='T'); t.start(); t.join()\n"
            ),
        },
    )
    done = run("prog.py")
    assert "Exception in thread T" in done.stderr
    assert os.path.join("runtime", "green", "time.py") not in done.stderr
