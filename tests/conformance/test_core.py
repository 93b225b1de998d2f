"""The fast core of CPython's own tests passes converted; and the judge of it judges rightly."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytest

from tests.conformance import report
from tests.conformance.comparison import compare, judge
from tests.conformance.exclusions import Exclusion, ExclusionError, load, parse
from tests.conformance.files import CORE, module_name
from tests.conformance.process import FileRun, Outcome, run_file
from tests.conformance.report import Section

has_tests = pytest.mark.skipif(
    importlib.util.find_spec("test.support") is None, reason="Python without its tests"
)


@has_tests
@pytest.mark.parametrize("name", CORE)
def test_what_passes_plain_passes_converted(name: str) -> None:
    comparison = compare(module_name(name), load(), timeout=20)
    assert comparison.good, comparison.failures()
    assert comparison.expected >= 4


# -- the judge ---------------------------------------------------------------------------------------

RUDE = """
import os, time, unittest

class Rude(unittest.TestCase):
    def test_a_passes(self): pass
    def test_b_crashes(self): os._exit(7)
    def test_c_fails(self): self.fail("on purpose")
    def test_d_hangs(self): time.sleep(600)
    def test_e_skips(self): self.skipTest("on purpose")
    @unittest.expectedFailure
    def test_f_expects(self): self.fail("as expected")
    def test_g_subtests(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
    def test_h_passes(self): pass
"""


@has_tests
@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_a_crash_and_a_hang_cost_one_test_each(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rude_tests.py").write_text(RUDE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = run_file("rude_tests", under=(), timeout=2)
    kinds = {name.removeprefix("rude_tests"): outcome.kind for name, outcome in run.outcomes.items()}
    assert kinds == {
        ".Rude.test_a_passes": "passed",
        ".Rude.test_b_crashes": "crashed",
        ".Rude.test_c_fails": "failed",
        ".Rude.test_d_hangs": "hung",
        ".Rude.test_e_skips": "skipped",
        ".Rude.test_f_expects": "expected failure",
        ".Rude.test_g_subtests": "failed",
        ".Rude.test_h_passes": "passed",
        ":environment": "passed",
        ":exit": "passed",
    }
    assert "exit code 7" in run.outcomes["rude_tests.Rude.test_b_crashes"].detail
    assert "test_d_hangs" in run.outcomes["rude_tests.Rude.test_d_hangs"].detail  # faulthandler's traceback


def ran(**kinds: str) -> FileRun:
    return FileRun("test.test_x", {f"test.test_x.{name}": Outcome(kind) for name, kind in kinds.items()})


def test_what_fails_or_is_skipped_or_missing_only_when_converted_is_broken() -> None:
    plain = ran(a="passed", b="passed", c="passed", d="passed", e="failed", f="skipped")
    comparison = judge(plain, ran(a="passed", b="failed", c="skipped", e="failed", f="skipped"), {})
    assert comparison.passed == ["test.test_x.a"]
    assert list(comparison.broken) == ["test.test_x.b", "test.test_x.c", "test.test_x.d"]
    assert not comparison.good


def test_an_excluded_test_may_fail_but_must_neither_pass_nor_be_unknown() -> None:
    names = ["test.test_x.a", "test.test_x.b", "test.test_x.gone", "test.test_other.gone"]
    exclusions = {name: Exclusion(name, "a reason in four words") for name in names}
    comparison = judge(ran(a="passed", b="passed"), ran(a="failed", b="passed"), exclusions)
    assert list(comparison.excluded) == ["test.test_x.a"]
    assert comparison.stale == {"test.test_x.b": "it passes", "test.test_x.gone": "there is no such test"}
    assert not comparison.good


def test_a_file_that_cannot_be_imported_converted_is_not_good() -> None:
    broken = FileRun("test.test_x", problem="exit code 1\nImportError: no")
    comparison = judge(ran(a="passed"), broken, {})
    assert not comparison.good
    assert "does not run converted" in comparison.failures()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[exclusion]]\nid = "x"', "a reason"),
        ('[[exclusion]]\nid = "x"\nreason = "fails"', "a reason"),
        ('[[exclusion]]\nid = "x"\nreason = "a reason in words"\nwhy = 1', "a reason"),
        ('[exclude]\nid = "x"', "unknown table"),
        ("[[", "exclusions.toml"),
        ('[[exclusion]]\nid = "x"\nreason = "a reason in words"\n' * 2, "twice"),
    ],
)
def test_a_wrong_list_of_exclusions_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ExclusionError, match=complaint):
        parse(text)


def test_an_exclusion_for_another_python_does_not_apply() -> None:
    text = '[[exclusion]]\nid = "x"\nreason = "a reason in words"\npython = ["2.7"]'
    assert parse(text) == {}


def test_writing_the_document_keeps_the_sections_of_other_pythons(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "conformance.md"
    path.write_text("# Old\n\n## Python 2.7.18 on VAX\n\nas it was\n")
    comparison = judge(ran(a="passed", b="passed"), ran(a="passed", b="failed"), {})
    for _ in range(2):
        report.write(path, report.this_python(), report.Section.of([comparison], {}))
    text = path.read_text()
    assert "## Python 2.7.18 on VAX\n\nas it was\n" in text
    assert text.count(f"## Python {sys.version_info.major}.{sys.version_info.minor}") == 1
    assert "| x |" not in text
    assert "| test_x | 2 | 1 | 0 | 1 |" in text
    assert "- `test.test_x.b`: failed: " in text


def test_a_run_of_some_files_replaces_what_is_said_of_them_only(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "conformance.md"
    title = report.this_python()

    def run_of(module: str, b: str) -> Section:
        plain, converted = ran(a="passed", b="passed"), ran(a="passed", b=b)
        for run in (plain, converted):
            run.module = module
            run.outcomes = {name.replace("test.test_x", module): o for name, o in run.outcomes.items()}
        return report.Section.of([judge(plain, converted, {})], {})

    first = run_of("test.test_x", "failed")
    first.update(run_of("test.test_x_y", "failed"))
    report.write(path, title, first)
    report.write(path, title, run_of("test.test_x", "passed"), whole=False)
    text = path.read_text()
    assert "| test_x | 2 | 2 | 0 | 0 |" in text
    assert "| test_x_y | 2 | 1 | 0 | 1 |" in text
    assert "| all | 4 | 3 | 0 | 1 |" in text
    assert "- `test.test_x_y.b`: failed:" in text
    assert "- `test.test_x.b`" not in text
