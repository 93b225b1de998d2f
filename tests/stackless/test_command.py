"""`python -m tests.stackless` says of each test what became of it, whatever the test does to its process."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from tests.stackless.__main__ import Run, report
from tests.stackless.exclusions import Exclusion

ROOT = pathlib.Path(__file__).parent.parent.parent
TESTS = """
import os, unittest
import stackless
from stackless import _test_nostacklesscall
import _teststackless


class Some(unittest.TestCase):
    def test_good(self):
        stackless.tasklet(_teststackless.test_cframe)(2)
        stackless.run()
        self.assertEqual(_test_nostacklesscall(len, "ab"), 2)

    def test_bad(self):
        self.fail("as it should")

    def test_crash(self):
        os._exit(3)

    def test_last(self):
        with self.assertRaises(TaskletExit):
            raise TaskletExit

    def test_soft(self):
        self.fail("wants soft switching")

    test_soft.enable_softswitch = True
"""


def test_the_command_runs_converted_tests_and_goes_on_after_a_crash(tmp_path: pathlib.Path) -> None:
    (tmp_path / "support.py").write_text("")
    (tmp_path / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "tests.stackless", str(tmp_path), "test_some"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "test_some: 2 passed, 0 skipped by themselves, 0 excluded; 2 wrong",
        "  failed: test_some.Some.test_bad: AssertionError: as it should",
        "  crashed or hung: test_some.Some.test_crash: ",
        "in all: 2 passed, 0 skipped by themselves, 0 excluded",
    ]


@pytest.mark.parametrize(
    ("kind", "exclusions", "wrong"),
    [
        ("passed", [], []),
        ("failed", [], ["failed: test_x.C.test_a_H: why"]),
        ("failed", [Exclusion("test_x.C.test_a_H", "")], []),
        ("failed", [Exclusion("test_x.C", "", whole=True)], []),
        ("passed", [Exclusion("test_x.C.test_a_H", "")], ["stale exclusion: test_x.C.test_a_H: passed"]),
        (
            "passed",
            [Exclusion("test_x.C", "", whole=True)],
            ["stale exclusion: test_x.C: nothing of it fails"],
        ),
        (
            "passed",
            [Exclusion("test_x.D.test_b", "")],
            ["stale exclusion: test_x.D.test_b: nothing of it fails"],
        ),
        ("passed", [Exclusion("test_y.D.test_b", "")], []),
    ],
)
def test_a_report_tells_what_is_wrong_and_what_is_excluded_for_nothing(
    kind: str, exclusions: list[Exclusion], wrong: list[str]
) -> None:
    run = Run("test_x", outcomes={"test_x.C.test_a_H": (kind, "Traceback\nwhy")}, tests=["test_x.C.test_a_H"])
    assert report(run, exclusions, verbose=False) == wrong
