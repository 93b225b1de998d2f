"""The table is complete, and says what is so: of every public callable of the running Python's standard library."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from runtime import fates
from runtime.calls import ALONE, CALLS, COOPERATIVE, NEVER, OFFLOADED, SKIPPED, Call
from runtime.fates import here, row_of
from runtime.table import BUILTINS, CONDITIONAL, METHODS, MODULES
from tests import coverage

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.filterwarnings("ignore")  # what later versions have dropped says so

ROWS = [row for row in CALLS if here(row)]


def modules_of(row: Call) -> list[str]:
    """The modules of *row* that can be imported here."""
    found = []
    for name in row.module.split():
        if name.startswith("_"):
            found.append(name)
        else:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    importlib.import_module(name)
            except ImportError:
                continue
            found.append(name)
    return found


Library = dict[str, tuple[list[str], str | None, list[str]]]


@pytest.fixture(scope="module")
def library() -> Library:
    """Of each module: what no row is about, the fate of all that is in it, and what it calls.

    By a process of its own, since it imports the whole standard library.
    """
    source = (
        "import importlib, json\n"
        "from tests import coverage\n"
        "from runtime.fates import row_of\n"
        "found = {}\n"
        "for name in coverage.modules():\n"
        "    row = row_of(name, '*')\n"
        "    calls = sorted(coverage.calls(importlib.import_module(name)))\n"
        "    found[name] = [*coverage.unclassified(name)], row and row.fate, calls\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_every_public_callable_is_classified(library: Library) -> None:
    missing = [name for names, _, _ in library.values() for name in names]
    assert missing == [], "no row of runtime/calls.py or runtime/table.py is about these"


# Modules that cannot wait, though they use names that have counterparts.
APART = {
    "argparse": "the size of the terminal",
    "asyncio": "what its loops wait for stands in runtime/loop.py",
    "contextlib": "os.chdir",
    "encodings": "the classes of codecs",
    "multiprocessing.resource_tracker": "a word to a pipe",
    "multiprocessing.shared_memory": "memory",
    "pickletools": "codecs.escape_decode",
    "random": "the hash of a seed",
}


# Replaced for what they show of an error; they wait as the original does.
SHOWING = {"logging.FileHandler", "logging.Formatter", "traceback"}


def test_twins_and_rows_follow_from_what_the_code_calls(library: Library) -> None:
    """What calls something with a counterpart is a twin, or a row says why not; what does not is no twin."""
    wrong = []
    for name, (_, fate, calls) in library.items():
        apart = name in APART or name.partition(".")[0] in APART
        if name not in MODULES and not apart and calls and fate != ALONE:
            wrong.append(f"{name} is said to be {fate}, but calls {calls}")
    for name, kind in MODULES.items():
        above = any(other.startswith(f"{name}.") for other in MODULES)  # a package that they are found in
        idle = name in library and not library[name][2] and name not in SHOWING
        if kind == "twin" and not above and idle:
            wrong.append(f"{name} is a twin for nothing")
    assert wrong == []


def test_the_walk_sees_what_is_not_classified(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function, a class and a method without a row are found."""
    kept = tuple(row for row in CALLS if "sleep" not in row.names and "socket.recv" not in row.names)
    monkeypatch.setattr(fates, "CALLS", kept)
    assert list(coverage.unclassified("time")) == ["time.sleep"]
    assert "socket.socket" in list(coverage.unclassified("socket"))
    monkeypatch.setattr(fates, "CALLS", ())
    assert "json.loads" in list(coverage.unclassified("json"))


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row.module.partition(' ')[0]}:{row.names.split()[0]}"
)
def test_a_row_names_something(row: Call) -> None:
    """Every module of a row is one of the standard library, and every name is in it."""
    for name in row.module.split():
        top = name.partition(".")[0]
        assert top in sys.stdlib_module_names or importlib.util.find_spec(top) is not None
    for name in modules_of(row):
        module = importlib.import_module(name)
        for pattern in row.names.split():
            assert pattern == "*" or coverage.named(module, pattern), f"{name}.{pattern}"


def test_no_name_has_two_rows() -> None:
    """None says things twice, or two things."""
    seen: dict[tuple[str, str], Call] = {}
    for row in ROWS:
        for module in row.module.split():
            for name in row.names.split():
                assert (module, name) not in seen, f"{module}.{name} has two rows"
                seen[module, name] = row


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row.module.partition(' ')[0]}:{row.names.split()[0]}"
)
def test_a_row_says_what_is_so(row: Call) -> None:
    """What is cooperative or offloaded has a counterpart; what is left alone or cannot wait is the original."""
    wanted = row.fate in (COOPERATIVE, OFFLOADED)
    for module in modules_of(row):
        if row.names == "*":
            assert not wanted
            assert MODULES.get(module) != "twin", f"{module} is a twin: the row of calls.py is of no use"
            if module in MODULES:
                names = [name for name, _ in coverage.public(importlib.import_module(module))]
                found = [name for name in names if row_of(module, name) is row]
                if module == "builtins":
                    found = [name for name in found if name not in BUILTINS]
                replaced = {f"{module}.{name}" for name in found if coverage.replaced(module, name)}
                assert replaced <= SHOWING
            continue
        called = {f"{kind}.{name}" for kind, names in METHODS.items() for name in names}
        methods = {f"{module}.{name}" for name in row.names.split()} & called
        assert MODULES.get(module) in ("overlay", "offloads") or methods or not wanted
        for name in row.names.split():
            owner = name.partition(".")[0]
            assert (f"{module}.{name}" in called) == wanted or not methods
            assert module != "builtins" or owner not in BUILTINS
            if module not in MODULES:
                continue
            if wanted or "." not in name:
                assert coverage.replaced(module, owner) == wanted, name


def test_every_row_is_used() -> None:
    """Each name of each row decides what becomes of some callable: it is the row that is found for it."""
    idle = []
    for row in ROWS:
        for name in modules_of(row):
            module = importlib.import_module(name)
            for pattern in row.names.split():
                found = coverage.named(module, pattern)
                if pattern != "*" and not any(row_of(name, full) is row for full in found):
                    idle.append(f"{name}.{pattern}")
    assert idle == []


def test_a_module_of_offloads_has_rows_that_offload() -> None:
    for name, kind in MODULES.items():
        if kind == "offloads":
            assert any(row.fate is OFFLOADED and name in row.module.split() for row in ROWS), name


def test_fates_are_the_four() -> None:
    assert {row.fate for row in CALLS} == {COOPERATIVE, OFFLOADED, ALONE, NEVER}
    assert all(row.why for row in CALLS)


def test_conditional_rows_hold_for_a_supported_python() -> None:
    """And are there where they should be."""
    for name, (kind, since, until) in CONDITIONAL.items():
        assert since < until
        assert (MODULES.get(name) == kind) == (since <= sys.version_info[:2] < until)


def test_skipped_modules_are_modules() -> None:
    for name in SKIPPED:
        assert name in sys.stdlib_module_names or (name == "lib2to3" and sys.version_info >= (3, 13))


def test_builtins_have_counterparts() -> None:
    for name, place in BUILTINS.items():
        where, _, attribute = place.rpartition(".")
        assert hasattr(importlib.import_module("builtins"), name)
        assert hasattr(importlib.import_module(where), attribute)


def test_the_page_is_made_from_the_table() -> None:
    """`python -m tests.coverage --write` makes it."""
    assert coverage.PAGE.read_text() == coverage.page()


def test_the_start_of_a_program_does_not_import_the_rows() -> None:
    """They are for those who import a module with offloaded calls."""
    done = subprocess.run(
        [sys.executable, "-c", "import runtime.green, sys; print('runtime.calls' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "False"
