"""Plug-ins: the example of docs/plugins.md, built and installed, and what else may be said or go wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rewriter import plugins
from tests.rewriter.conftest import ROOT, Run

PAGE = Path(ROOT, "docs", "plugins.md").read_text()
# The library that the example is about; `slowdb.query` is to run on another OS thread, others run meanwhile.
LIBRARY = """\
import threading, time

class Error(Exception): pass

def query(text):
    time.sleep(0.05)
    return text, threading.get_ident() == threading.main_thread().ident
"""


def block(after: str, language: str = "python") -> str:
    """The first block of code of the page after the words *after*."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE[PAGE.index(after) :], re.DOTALL)
    assert found is not None
    return found[1]


def install(folder: Path, name: str, **files: str) -> Path:
    """Install a plug-in called *name*, whose rules are `rules` and whose other modules are *files*."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[console_scripts]\nx = y:z\n\n[rewriter.rules]\n{name} = {name}_rules\n"
    )
    (folder / f"{name}_rules.py").write_text(files.pop("rules"))
    for module, text in files.items():
        (folder / f"{module}.py").write_text(text)
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages, with the example's library and plug-in."""
    site = tmp_path / "site"
    (site / "slowdb_unstall").mkdir(parents=True)
    (site / "slowdb_unstall" / "__init__.py").write_text("")
    (site / "slowdb_unstall" / "rules.py").write_text(block("the rules:"))
    (site / "slowdb_unstall" / "green.py").write_text(block("the counterpart:"))
    info = site / "slowdb_unstall-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(block("entry_points.txt", "ini"))
    (site / "slowdb.py").write_text(LIBRARY)
    (site / "slowdb_tools.py").write_text(
        "import threading\ndef vacuum(): return threading.current_thread().name\n"
    )
    (site / "slowdb_native.py").write_text("import time\n")
    return site


@pytest.fixture
def python(site: Path, run: Run) -> Run:
    """Run Python where the plug-in is installed."""
    path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
    return lambda *arguments, **more: run(*arguments, env=path, **more)


def test_the_program_of_the_page(tmp_path: Path, python: Run) -> None:
    """Its queries run at the same time on worker threads."""
    (tmp_path / "main.py").write_text(block("A program is not changed"))
    done = python("-m", "rewriter", "main.py")
    assert sorted(done.stdout.splitlines()) == [f"('select {number}', False)" for number in range(3)]
    assert done.stderr == ""


def test_every_way_to_import_it_and_what_is_not_converted(tmp_path: Path, python: Run) -> None:
    (tmp_path / "lib.py").write_text("import slowdb\n")
    (tmp_path / "main.py").write_text(
        "import importlib, lib, slowdb, slowdb as s\n"
        "from slowdb import query, Error\n"
        "def local():\n"
        "    import slowdb\n"
        "    return slowdb\n"
        "found = [slowdb, s, local(), importlib.import_module('slowdb'), __import__('slowdb')]\n"
        "print({module.__name__ for module in found}, query is slowdb.query, Error is lib.slowdb.Error)\n"
        "print(lib.slowdb.__name__)\n"
    )
    done = python("-m", "rewriter", "--no-convert", "lib", "main.py")
    assert (done.stdout, done.stderr) == ("{'slowdb_unstall.green'} True True\nslowdb\n", "")


def test_its_offloads_and_exclusions(tmp_path: Path, python: Run) -> None:
    """A program that names an excluded package itself converts it."""
    (tmp_path / "main.py").write_text(
        "import slowdb_native, slowdb_tools, threading\n"
        "print(slowdb_tools.vacuum() == threading.main_thread().name, slowdb_native.time.__name__,\n"
        "    slowdb_native.time.__spec__.name)\n"
    )
    (tmp_path / "all.py").write_text("import main\n")
    done = python("-m", "rewriter", "all.py")
    assert (done.stdout, done.stderr) == ("False time time\n", "")
    done = python("-m", "rewriter", "--convert", "slowdb_native", "all.py")
    assert (done.stdout, done.stderr) == ("False time runtime.green.time\n", "")
    (tmp_path / "pyproject.toml").write_text('[tool.rewriter]\nexclude = ["slowdb_native"]\n')
    done = python("-m", "rewriter", "--convert", "slowdb_native", "all.py")
    assert (done.stdout, done.stderr) == ("False time runtime.green.time\n", "")


def test_it_holds_for_install_for_children_and_for_the_views(tmp_path: Path, python: Run) -> None:
    (tmp_path / "app.py").write_text("import slowdb\nprint(slowdb.__name__)\n")
    assert (
        python("-c", "import rewriter; rewriter.install('app'); import app").stdout
        == "slowdb_unstall.green\n"
    )
    (tmp_path / "main.py").write_text("import subprocess, sys; subprocess.run([sys.executable, 'app.py'])\n")
    assert python("-m", "rewriter", "main.py").stdout == "slowdb_unstall.green\n"
    (tmp_path / "spawn.py").write_text(
        "import multiprocessing\n"
        "def show(): import app\n"
        "if __name__ == '__main__':\n"
        "    child = multiprocessing.get_context('spawn').Process(target=show)\n"
        "    child.start(); child.join()\n"
    )
    assert python("-m", "rewriter", "spawn.py").stdout == "slowdb_unstall.green\n"
    assert "from runtime.green import slowdb\n" in python("-m", "rewriter", "--diff", "app.py").stdout
    assert python("-m", "rewriter", "--check", "app.py").returncode == 0
    assert python("-m", "rewriter", "--eject", "out", "app.py").returncode == 0
    assert "; import slowdb\n" in (tmp_path / "out" / "app.py").read_text()


def test_the_rules_are_part_of_the_key_of_the_cache(tmp_path: Path, site: Path, python: Run) -> None:
    (tmp_path / "app.py").write_text("import slowdb\nprint(slowdb.__name__)\n")
    (tmp_path / "main.py").write_text("import app\n")
    assert python("-m", "rewriter", "main.py").stdout == "slowdb_unstall.green\n"
    (site / "slowdb_unstall-1.0.dist-info" / "entry_points.txt").rename(site / "entry_points.txt")
    assert python("-m", "rewriter", "main.py").stdout == "slowdb\n"
    assert len(list((tmp_path / "__pycache__").glob("app*"))) == 2


def test_a_program_s_own_module_of_that_name_wins(tmp_path: Path, python: Run) -> None:
    (tmp_path / "slowdb.py").write_text("mine = True\n")
    (tmp_path / "main.py").write_text("import slowdb; print(slowdb.mine)\n")
    assert python("-m", "rewriter", "main.py").stdout == "True\n"


def test_submodules_of_a_package(tmp_path: Path, run: Run) -> None:
    """One has a counterpart and the other is plain, below a counterpart and below a package without."""
    for package in ("one", "two"):
        (tmp_path / "site" / package).mkdir(parents=True)
        for module in ("__init__", "slow", "errors"):
            (tmp_path / "site" / package / f"{module}.py").write_text("import time\n")
    install(
        tmp_path / "site",
        "both",
        rules="counterparts = {'one': 'green_one', 'one.slow': 'green_slow', 'two.slow': 'green_slow'}\n",
        green_one="kind = 'green'\n",
        green_slow="kind = 'slow'\n",
    )
    (tmp_path / "main.py").write_text(
        "import one, one.slow, one.errors, two.slow, two.errors\n"
        "from one import slow\n"
        "from two import errors, slow as other\n"
        "import one.errors as plain\n"
        "print(one.kind, one.slow.kind, one.errors.__name__, two.__name__, two.slow.kind, two.errors.__name__)\n"
        "print(slow is other is one.slow, errors.__name__, plain is one.errors)\n"
    )
    path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'site'}"}
    done = run("-m", "rewriter", "--no-convert", "one,two", "main.py", env=path)
    assert done.stderr == ""
    assert done.stdout == "green slow one.errors two slow two.errors\nTrue two.errors True\n"


BROKEN = {
    "no module": ("raise ImportError('no such thing')\n", "ImportError: no such thing"),
    "an error": ("1 / 0\n", "ZeroDivisionError: division by zero"),
    "nothing said": ("x = 1\n", "ValueError: it has neither counterparts nor offload nor exclude"),
    "an offload that is none": (
        "offload = ['x']\n",
        "offload must be a list of functions by their full names",
    ),
    "no name": ("counterparts = {'a-b': 'c'}\n", "'a-b' is no module name"),
    "no names": ("counterparts = 7\n", "TypeError: "),
    "the standard library": ("counterparts = {'socket': 'x'}\n", "socket is not for a plug-in to replace"),
    "this project": ("counterparts = {'runtime.hub': 'x'}\n", "runtime.hub is not for a plug-in to replace"),
    "all or nothing": ("offload = ['time.sleep']\nexclude = ['a b']\n", "'a b' is no module name"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_plug_in_that_cannot_be_used_is_named_and_the_program_runs(
    tmp_path: Path, run: Run, case: str
) -> None:
    rules, message = BROKEN[case]
    install(tmp_path / "site", "broken", rules=rules)
    (tmp_path / "main.py").write_text("print('ran')\n")
    done = run("-m", "rewriter", "main.py", env={"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'site'}"})
    assert done.stdout == "ran\n"
    assert "the plug-in broken (broken_rules, of broken) cannot be used: " in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_of_two_for_the_same_module_the_first_is_used(tmp_path: Path, run: Run) -> None:
    for name in ("beta", "alpha"):
        install(
            tmp_path / "site",
            name,
            rules=f"counterparts = {{'slowdb': '{name}_green'}}\n",
            slowdb="",
            **{f"{name}_green": ""},
        )
    (tmp_path / "main.py").write_text("import slowdb; print(slowdb.__name__)\n")
    done = run("-m", "rewriter", "main.py", env={"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'site'}"})
    assert done.stdout == "alpha_green\n"
    assert "plug-in beta (beta_rules, of beta) cannot be used" in done.stderr


def test_looking_for_them_is_cheap_and_imports_nothing(tmp_path: Path) -> None:
    """A hundred distributions with entry points of others: in the order of a few times what reading them takes."""
    folder = tmp_path / "site"
    for number in range(100):
        info = folder / f"dist{number}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "entry_points.txt").write_text("[console_scripts]\nx = y:z\n" * 10)
    code = (
        "import sys, time\n"
        f"sys.path.append({str(folder)!r})\n"
        "from rewriter import plugins\n"
        "before = set(sys.modules); began = time.process_time()\n"
        "rules = plugins.rules()\n"
        "print(time.process_time() - began, sorted(set(sys.modules) - before), rules.exclude)\n"
    )
    environment = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=True
    )
    seconds, rest = done.stdout.split(" ", 1)
    assert rest == "[] []\n"
    began = time.process_time()
    for info in folder.iterdir():
        (info / "entry_points.txt").read_bytes()
    assert float(seconds) < 10 * (time.process_time() - began) + 0.01


def test_the_same_distribution_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is found first is the one that is imported."""
    for place in ("one", "two"):
        install(tmp_path / place, "twice", rules="exclude = ['x']\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "one"), str(tmp_path / "two")])
    assert list(plugins._found()) == [("twice", "twice_rules", "twice")]
