"""What an import costs, in calls, which are the same on each run: the import system's own and ours, Python's and C's.

`python -m benchmarks.instructions` counts more closely, and takes longer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rewriter.conftest import Run

MODULES = 20
SOURCE = "import time\nfrom typing import Any\n\n\ndef wait(seconds: Any) -> None:\n    time.sleep(seconds)\n"
COUNT = """\
import sys, importlib.util, time, typing
how = sys.argv[1]
if how != "plain":
    import rewriter, runtime.green.time
    rewriter.install("package" if how == "converted" else "pytest")
calls = 0
def count(frame, event, argument):
    global calls
    calls += event in ("call", "c_call")
sys.setprofile(count)
import package
sys.setprofile(None)
print(calls)
"""


@pytest.fixture
def calls(tmp_path: Path, run: Run) -> dict[str, float]:
    """How many there are to import a module whose bytecode is there, by how it is imported."""
    package = tmp_path / "package"
    package.mkdir()
    for number in range(MODULES):
        (package / f"module{number}.py").write_text(SOURCE)
    (package / "__init__.py").write_text("".join(f"from . import module{n}\n" for n in range(MODULES)))
    (tmp_path / "count.py").write_text(COUNT)
    (tmp_path / "age.py").write_text(
        # Two seconds later, as far as we can see.
        "import time; now = time.time_ns; time.time_ns = lambda: now() + 10**10\n"
        "import rewriter; rewriter.install('package'); import package\n"
    )
    aged = run("age.py")
    assert aged.returncode == 0, aged.stderr
    counted = {}
    for how in ("plain", "converted", "elsewhere"):
        for _ in range(2):
            done = run("count.py", how)
            assert (done.returncode, done.stderr) == (0, "")
        counted[how] = int(done.stdout) / MODULES
    return counted


def test_out_of_scope_it_is_a_question(calls: dict[str, float]) -> None:
    """The question is three calls, and the import system asks each finder under a lock, by four of its own."""
    assert calls["plain"] < calls["elsewhere"] < calls["plain"] + 8


def test_converted_it_is_no_more_than_pythons(calls: dict[str, float]) -> None:
    """What finding, waiting and checking take is what Python's way to the bytecode takes."""
    assert calls["converted"] < calls["plain"]
