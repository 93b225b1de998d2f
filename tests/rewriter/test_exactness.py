"""A program prints what it prints under plain Python, whatever it asks about itself.

The programs are in ``exact.txt``, in the form of `test_tracebacks`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.rewriter.conftest import Run
from tests.rewriter.test_tracebacks import lay, read_cases, told

CASES = read_cases(Path(__file__).with_name("exact.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_a_program_sees_the_same_of_itself(name: str, tmp_path: Path, run: Run) -> None:
    command, files = CASES[name]
    outcomes = []
    for how in ((), ("-m", "rewriter")):
        lay(tmp_path, files, encoding="latin-1" if name == "latin-1" else "utf-8")
        outcomes.append(told(run(*how, *command, input="")))
    assert outcomes[1] == outcomes[0]
    assert outcomes[0][0] == 0, outcomes[0][2]


COVERED = """\
import time, os
import threading
import json
from pathlib import Path

def work(n):
    total = 0
    for i in range(n):
        if i % 2:
            total += i
        elif i > 100:
            total -= 1
        time.sleep(0)
    else:
        total += 1
    while total > 50:
        total -= 1
    try:
        text = (
            Path(__file__)
            .read_text()
        )
        open("/nosuch")
    except OSError:
        return [x for x in text if x == "é"]
    return None

threads = [threading.Thread(target=work, args=(n,)) for n in (1, 3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if os.environ.get("NOSUCH"):
    print("never")
"""


@pytest.mark.parametrize("options", [[], ["--fair"]])
def test_coverage_counts_the_same_lines_and_branches(options: list[str], tmp_path: Path, run: Run) -> None:
    """Told that there are greenlets, as its documentation asks for (``concurrency = greenlet``)."""
    (tmp_path / "prog.py").write_text(COVERED, encoding="utf-8")
    counted = []
    for concurrency, how in (("thread", []), ("greenlet", ["-m", "rewriter", *options])):
        measure = ["--branch", f"--concurrency={concurrency}", "--include=prog.py"]
        done = run("-m", "coverage", "run", *measure, *how, "prog.py")
        assert done.returncode == 0, done.stderr
        assert run("-m", "coverage", "json", "-q", "-o", "found.json").returncode == 0
        (found,) = json.loads((tmp_path / "found.json").read_text())["files"].values()
        counted.append({key: found[key] for key in found if key.startswith(("executed", "missing"))})
    assert counted[1] == counted[0]
    assert counted[0]["missing_branches"]
