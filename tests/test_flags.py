"""The interpreter's options and environment mean under `python -m rewriter` what they mean without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Imports every kind of counterpart, and prints what the options change.
PROGRAM = """\
\"\"\"What it does.\"\"\"
import codecs, queue, select, socket, subprocess, sys, tarfile, threading, time, zlib

def work(number):
    time.sleep(0.01 * (3 - number))
    done.append(number)

done = []
threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(done), __doc__, __debug__, sys.flags.isolated, sys.flags.dev_mode, sys.flags.utf8_mode)
print(tarfile.__name__, codecs.__name__, queue.__name__, bool(queue.Queue.__doc__), sys.dont_write_bytecode)
"""
OPTIONS = [
    ["-O"],
    ["-OO"],
    ["-W", "error"],
    ["-I"],
    ["-B"],
    ["-E"],
    ["-P"],
    ["-X", "dev"],
    ["-X", "utf8"],
    ["-X", "frozen_modules=off"],
    ["-X", "no_debug_ranges"],
]


@pytest.mark.parametrize("options", OPTIONS, ids="".join)
def test_an_option_means_what_it_does_without(options: list[str], tmp_path: Path) -> None:
    """Same output, and nothing on standard error; the second time with the cache that the first may have left."""
    (tmp_path / "app.py").write_text(PROGRAM)
    plain = _run([*options, "app.py"], tmp_path)
    assert plain.returncode == 0, plain.stderr
    for _ in range(2):
        done = _run([*options, "-m", "rewriter", "app.py"], tmp_path)
        assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, plain.stderr, 0)


def test_no_bytecode_is_written_where_that_is_unwanted(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import part\n")
    (tmp_path / "part.py").write_text("import time\n")
    done = _run(["-m", "rewriter", "app.py"], tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert (done.stdout, done.stderr) == ("", "")
    assert sorted(os.listdir(tmp_path)) == ["app.py", "part.py"]
    assert _run(["-m", "rewriter", "app.py"], tmp_path).returncode == 0
    assert "__pycache__" in os.listdir(tmp_path)


def test_import_times_are_shown(tmp_path: Path) -> None:
    """Those of the program's modules among them."""
    (tmp_path / "app.py").write_text("import part\n")
    (tmp_path / "part.py").write_text("import queue\n")
    done = _run(["-X", "importtime", "-m", "rewriter", "app.py"], tmp_path)
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    assert done.returncode == 0
    assert "part" in names
    assert all(line.startswith("import time:") for line in done.stderr.splitlines())


def test_a_program_may_be_embedded(tmp_path: Path) -> None:
    """Installed in an interpreter that somebody else has started, by a string of code."""
    (tmp_path / "part.py").write_text("import time\ndef nap(): time.sleep(0)\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import rewriter; rewriter.install('part')\n"
        "import part; part.nap(); print(part.time.__spec__.name)\n"
    )
    done = _run(["-c", code], tmp_path)
    assert (done.stdout, done.stderr) == ("runtime.green.time\n", "")


def _run(arguments: list[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment | more,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
