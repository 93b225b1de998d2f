"""The pytest plugin, in pytests of its own: what is converted, and that all else is as it was."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rewriter.pytest import pytest_load_initial_conftests
from tests.rewriter.conftest import ROOT, Run

PLAIN = "time.__spec__.name == 'time'"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package, a library that is not converted, a conftest.py and a package of tests."""
    for name, text in {
        "app/__init__.py": "import threading, time\ndef threads(): return threading\n",
        "lib.py": "import time\n",
        "conftest.py": "import time\nimport pytest\n@pytest.fixture\ndef kind(): return time.__spec__.name\n",
        "tests/__init__.py": "",
        "tests/conftest.py": "import time\nimport pytest\n@pytest.fixture\ndef inner(): return time.__spec__.name\n",
        "pytest.ini": "[pytest]\nfilterwarnings = error\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def tests(project: Path, run: Run) -> Run:
    """Run pytest with *arguments* in the project; the first one is the text of the test module."""

    def ran(text: str, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
        (project / "tests" / "test_app.py").write_text(text)
        path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{project}"}
        more["env"] = path | more.pop("env", {})  # type: ignore[operator]
        return run("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, **more)

    return ran


def passed(done: subprocess.CompletedProcess[str], number: int = 1) -> bool:
    assert re.search(rf"(^|\s){number} passed in", done.stdout), done.stdout + done.stderr
    return done.stderr == ""


# Which of app, lib, conftest.py, tests/conftest.py and the test module are converted.
KINDS = """\
import sys, time
import app, lib

def test_kinds(kind, inner):
    kinds = [app.time.__spec__.name, lib.time.__spec__.name, kind, inner, time.__spec__.name]
    assert [kind != "time" for kind in kinds] == [{}], "libcst" in sys.modules
"""
NOTHING = "False, False, False, False, False"
APP = "True, False, False, False, False"
ALL = "True, False, True, True, True"


def test_without_being_asked_it_does_nothing(tests: Run) -> None:
    done = tests(
        KINDS.format(NOTHING)
        + "    assert not {'runtime', 'rewriter.finder', 'rewriter.assertions'} & {*sys.modules}\n"
    )
    assert passed(done)
    assert "rewriter" not in done.stdout


ASKED = {
    "an option": (["-p", "rewriter.pytest", "--convert", "app"], {}, "", APP),
    "the plugin without entry points": (
        ["-p", "rewriter.pytest", "--convert=app"], {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, "", APP,
    ),
    "the environment": ([], {"REWRITER_CONVERT": "app"}, "", APP),
    "the file": ([], {}, '[tool.rewriter]\nconvert = ["app"]\n', APP),
    "pytest's configuration": (["-o", "rewriter_convert=app", "-o", "rewriter_tests=true"], {}, "", ALL),
    "all tests but": (
        ["--convert", "app", "--convert-tests"], {"REWRITER_EXCLUDE": "tests.conftest"}, "",
        "True, False, True, False, True",
    ),
    "importlib": (["--convert", "app", "--convert-tests", "--import-mode=importlib"], {}, "", ALL),
    "plain assertions": (["--convert", "app,tests", "--assert=plain"], {}, "", "True, False, False, True, True"),
    "switched off": (["-p", "no:rewriter.pytest"], {"REWRITER_CONVERT": "app"}, "", NOTHING),
}  # fmt: skip


@pytest.mark.parametrize("case", ASKED)
def test_who_asks_gets(tests: Run, project: Path, case: str) -> None:
    arguments, environment, file, kinds = ASKED[case]
    if file:
        (project / "pyproject.toml").write_text(file)
    assert passed(tests(KINDS.format(kinds), *arguments, env=environment))


def test_the_second_run_takes_what_the_first_left_and_sees_an_edit(tests: Run, project: Path) -> None:
    text = KINDS.format(ALL) + "    import os; assert ('libcst' in sys.modules) == ('FIRST' in os.environ)\n"
    asked = ["--convert", "app", "--convert-tests"]
    first = {"FIRST": "1"}
    assert passed(tests(text, *asked, env=first))
    assert len(list(project.rglob("*unstall*-pytest-*.pyc"))) == 3  # of a test module and two conftest.py
    verbose = tests(text, "-v", *asked)
    assert passed(verbose)
    assert "\nrewriter: converts app, the tests\n" in verbose.stdout
    assert passed(tests(text.replace("import os", "import  os"), *asked, env=first))
    assert len(list(project.rglob("conftest*.pyc"))) == 2


THREADS = """\
import threading, time
import pytest
import app

@pytest.fixture
def ticks():
    ticks = []
    thread = threading.Thread(target=lambda: [(time.sleep(0.01), ticks.append(n)) for n in range(3)])
    thread.start()
    yield ticks
    thread.join()
    assert ticks == [0, 1, 2]

@pytest.mark.parametrize("number", range(3))
def test_threads_are_tasklets(ticks, number):
    here, lock = threading.get_native_id(), threading.Lock()
    found = []
    def work():
        with lock:
            time.sleep(0.01)
            found.append(threading.get_native_id())
    threads = [app.threads().Thread(target=work) for _ in range(number)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert found == [here] * number
    while len(ticks) < 3: time.sleep(0.01)

def test_what_a_test_starts_is_converted():
    import subprocess, sys
    code = "import app; print(app.time.__spec__.name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "runtime.green.time\\n"

def test_errors_and_waits_of_the_test(monkeypatch, tmp_path):
    monkeypatch.setattr(time, "sleep", lambda seconds: 7)
    assert time.sleep(100) == 7
    (tmp_path / "file").write_text("x")
    with pytest.raises(AssertionError, match="assert 'x' == 'y'"):
        assert (tmp_path / "file").read_text() == "y"
"""


def test_tests_wait_cooperatively(tests: Run) -> None:
    assert passed(tests(THREADS, "--convert", "app", "--convert-tests"), 5)


FAILING = '''\
"""Assertions that fail."""
import socket, time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
import app

class Thing:
    name = "thing"
    def open(self): return 3

def offloaded(number): return number
here = Path(__file__)

def test_compare(): assert [1, 2, 3] == [1, 2, 4]
def test_module(): assert time.altzone == "x"
def test_builtin(): assert len(open(__file__).mode) == 7
def test_method(): assert here.read_text()[:3] == "no"
def test_no_path(): assert Thing().open() == 4, "a message"
def test_arguments(): assert here.open("rb").read(3) == b""
def test_in(): assert socket.AF_INET in {here.name}
def test_not(): assert not time.time
def test_walrus(): assert (n := len(here.read_bytes()[:4])) > 10
def test_all(): assert all(part == 1 for part in here.parts[:1])
def test_name(): assert isinstance(here.open, str)
def test_error(): here.open(7)
def test_multiline():
    assert (
        here.read_text()[:2]
        == "xx"
    )
'''


def test_messages_are_those_of_plain_tests(tests: Run, project: Path) -> None:
    """Also those of what conversion exchanges; addresses and file handles aside."""

    def failures(*arguments: str) -> str:
        done = tests(FAILING, "-W", "default", *arguments)
        text = done.stdout[: done.stdout.index("\n===", done.stdout.index("= FAILURES ="))]
        return re.sub(r"0x[0-9a-f]+", "", text)

    plain, converted = failures(), failures("--convert", "app", "--convert-tests")
    assert plain.count("\nE ") >= 12
    assert converted == plain


def test_a_syntax_error_is_shown_as_ever(tests: Run) -> None:
    done = tests("x = (\n", "--convert-tests")
    said = [line.removeprefix("E").strip() for line in done.stdout.splitlines() if line[:1] == "E"]
    assert [line for line in said if "tests/test_app.py" not in line] == [
        "x = (",
        "^",
        "SyntaxError: '(' was never closed",
    ]


def test_the_debugger_stops_in_the_test(tests: Run) -> None:
    text = "import time\ndef test_it():\n    number = 41\n    time.sleep(0)\n    assert number == 42\n"
    done = tests(text, "--convert-tests", "--pdb", input="p number + 1\np time.__spec__.name\nq\n")
    assert "(Pdb) 42" in done.stdout
    assert "'runtime.green.time'" in done.stdout
    assert "-> assert number == 42" in done.stdout


def test_where_conversion_fails_the_tests_run_plain(tests: Run, project: Path) -> None:
    """With a warning that names the module."""
    (project / "pytest.ini").write_text("[pytest]\n")
    (project / "sabotage.py").write_text(
        "from rewriter import conversion\n"
        "def fail(*arguments, **more): raise RecursionError('too deep')\n"
        "conversion.convert = fail\n"
    )
    done = tests(
        "import time\ndef test_it(): assert " + PLAIN, "-p", "sabotage", "--convert", "tests.test_app"
    )
    assert "1 passed, 1 warning in" in done.stdout
    assert "module tests.test_app runs unconverted: the rewriter failed on it (RecursionError" in done.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("json", "json is part of the standard library"),
        ("a-b", "--convert: 'a-b' is no module name"),
        (",", "--convert must be names of packages, separated by commas, not ','"),
    ],
)
def test_requests_that_cannot_be_met_are_usage_errors(tmp_path: Path, text: str, message: str) -> None:
    config: Any = SimpleNamespace(
        known_args_namespace=SimpleNamespace(rewriter_convert=[text], rewriter_tests=False),
        getini=lambda name: [],
        rootpath=tmp_path,
    )
    with pytest.raises(pytest.UsageError, match=f"^rewriter: {message}"):
        pytest_load_initial_conftests(config)


def test_what_was_imported_before_is_named(tests: Run, project: Path) -> None:
    (project / "early.py").write_text("import app\n")
    (project / "pytest.ini").write_text("[pytest]\n")
    done = tests(KINDS.format(NOTHING), "-p", "early", "--convert", "app")
    assert "imported before pytest's plugins were loaded, so not converted: app" in done.stdout


def test_under_the_rewriter_itself_nothing_is_in_the_way(project: Path, tests: Run, run: Run) -> None:
    """`python -m rewriter -m pytest` imports this project before pytest looks for its plugin."""
    (project / "tests" / "test_app.py").write_text("import time\ndef test_it(): assert " + PLAIN)
    done = run("-m", "rewriter", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 passed in" in done.stdout
    assert "warning" not in done.stdout + done.stderr
