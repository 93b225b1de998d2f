"""``--check`` finds the calls that can wait, says what becomes of each, and runs nothing of the target."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest

from rewriter.conversion import convert
from rewriter.findings import uri_of
from rewriter.mapping import standard
from rewriter.scope import Scope
from rewriter.settings import Settings
from rewriter.uses import Reader
from rewriter.verdict import ALONE, COOPERATIVE, OFFLOADED, UNCONVERTED, Judge, is_class
from tests.rewriter.conftest import Run


def judged(source: str, *, offload: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> list[str]:
    """The calls in *source*, a module of the package ``app``, in order: ``line name: fate``."""
    mapping = standard(settings=Settings(offload=offload))
    tree = convert(textwrap.dedent(source), "x.py", mapping, package="app").tree
    judge = Judge(Scope(["app"], excluded))
    uses = sorted(Reader("app", is_class).read(tree), key=lambda use: (use.line, use.column))
    verdicts = [(use, judge.judge(use)) for use in uses]
    return [f"{use.line} {use.name}: {verdict.fate}" for use, verdict in verdicts if verdict is not None]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        # what it is called where it comes from
        ("import time; time.sleep(1)", ["1 time.sleep: cooperative"]),
        ("import time as t; t.sleep(1)", ["1 time.sleep: cooperative"]),
        ("from time import sleep as s; s(1)", ["1 time.sleep: cooperative"]),
        ("import http.client\nhttp.client.HTTPConnection()", ["2 http.client.HTTPConnection: cooperative"]),
        ("import http.client as c\nc.HTTPConnection()", ["2 http.client.HTTPConnection: cooperative"]),
        ("import http.client as http, os\nhttp.HTTPConnection()", ["2 http.client.HTTPConnection: cooperative"]),
        ("from http import client\nclient.HTTPConnection()", ["2 http.client.HTTPConnection: cooperative"]),
        ("def f():\n import time\n return lambda: [time.sleep(x) for x in y]", ["3 time.sleep: cooperative"]),
        ("try:\n import ssl\nexcept E:\n ssl = None\nssl.SSLContext()", ["5 ssl.SSLContext: cooperative"]),
        ("def f():\n global time\n import time\ndef g():\n time.sleep(1)", ["5 time.sleep: cooperative"]),
        ("import time\ndef f(time=time.sleep(2)): time.sleep(3)", ["2 time.sleep: cooperative"]),
        # what means something else there
        ("import time\ndef f(time): time.sleep(1)", []),
        ("import time\n[time.sleep(1) for time in x]", []),
        ("class C:\n import time\n def f(self): time.sleep(1)", []),
        ("def open(x): pass\nopen(1)", []),
        ("x.sleep(1); sleep(1)", []),
        # each fate
        ("import hashlib; hashlib.scrypt()", ["1 hashlib.scrypt: offloaded"]),
        ("import os; os.chroot('x')", ["1 os.chroot: left alone"]),
        ("import requests.api as r; r.get('x')", ["1 requests.api.get: not converted"]),
        ("from app import a; from . import b; from .c import d; a.f(); b.f(); d()", []),
        ("import runtime; runtime.sleep(1)", []),
        # builtins and methods
        ("open('x'); len('x'); __import__('x')", ["1 builtins.open: cooperative"]),
        ("input()", ["1 builtins.input: cooperative"]),
        ("f'''{open('x')}'''", ["1 builtins.open: cooperative"]),
        ("p.read_text()", ["1 .read_text: cooperative"]),
        ("import gzip; gzip.open('x')", ["1 gzip.open: cooperative"]),
        ("from pathlib import Path; Path('x').read_text()", ["1 pathlib.Path.read_text: cooperative"]),
        ("from pathlib import Path; Path('x'); Path('x').exists()", ["1 pathlib.Path.exists: left alone"]),
        # what cannot wait, in modules that are left alone as a whole
        ("import os; os.path.join('x', 'y'); os.path.exists('x')", ["1 os.path.exists: left alone"]),
        ("import json, logging; json.dumps(1); json.load(f); logging.getLogger()", []),
        ("import glob; glob.escape('x'); glob.glob('x')", ["1 glob.glob: left alone"]),
        ("import queue, time; queue.Empty(); time.time()", []),
        # comments
        ("import time  # rewriter: skip\ntime.sleep(1)", ["2 time.sleep: left alone"]),
        ("open('x')  # rewriter: skip", ["1 builtins.open: left alone"]),
    ],
)  # fmt: skip
def test_what_is_found(source: str, found: list[str]) -> None:
    assert judged(source) == found


def test_what_the_settings_say_counts() -> None:
    source = "import db, PIL.Image\ndb.connect(1)\ndb.close()\nx.save()"
    assert judged(source) == [f"2 db.connect: {UNCONVERTED}", f"3 db.close: {UNCONVERTED}"]
    offload = ("db.connect", "PIL.Image.Image.save")
    found = [f"2 db.connect: {OFFLOADED}", f"3 db.close: {UNCONVERTED}", f"4 .save: {OFFLOADED}"]
    assert judged(source, offload=offload) == found
    assert judged(source, offload=offload, excluded=("db",)) == [found[0], found[2]]


FATES = (COOPERATIVE, OFFLOADED, ALONE, UNCONVERTED)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    package = tmp_path / "app"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('was imported')\n")
    (package / "b c.py").write_text(
        "import os, requests\nx = 'é', os.chroot('f'); os.chroot\nrequests.get(1)\n"
    )
    (package / "a.py").write_text("import time\ntime.sleep(1)\n")
    return tmp_path


TEXT = """\
app/a.py:2:1: time.sleep: cooperative: a timer of the hub
app/b c.py:2:10: os.chroot: left alone (blocks): rare, and waits only on slow file systems (--offload os.chroot)
app/b c.py:3:1: requests.get: not converted: blocks if it waits (--convert requests, or --offload requests.get)
3 calls that can wait in 3 modules: 1 cooperative, 0 offloaded, 1 left alone, 1 not converted
"""


def test_the_text(app: Path, run: Run) -> None:
    done = run("-m", "rewriter", "--check", "app")
    assert (done.stdout, done.stderr, done.returncode) == (TEXT, "", 1)
    assert run("-m", "rewriter", "--check", "app", "--format", "text").stdout == TEXT


def test_the_cures_cure(app: Path, run: Run) -> None:
    options = ["--convert", "requests+deps", "--offload", "os.chroot"]
    done = run("-m", "rewriter", "--check", *options, "app")
    assert done.returncode == 0
    assert done.stdout.endswith(": 1 cooperative, 1 offloaded, 0 left alone, 0 not converted\n")


def test_the_json(app: Path, run: Run) -> None:
    (app / "app" / "bad.py").write_text("import time\n(\n")
    done = run("-m", "rewriter", "--check", "app", "--format=json")
    assert done.returncode == 2
    assert done.stderr == "rewriter: error: app/bad.py:2: syntax error: '(' was never closed\n"
    report = json.loads(done.stdout)
    assert list(report) == ["version", "tool", "python", "modules", "summary", "findings", "errors"]
    assert (report["version"], report["modules"]) == (1, 4)
    assert report["summary"] == dict(zip(FATES, (1, 0, 1, 1), strict=True))
    assert report["findings"][0] == {
        "file": "app/a.py",
        "line": 2,
        "column": 1,
        "name": "time.sleep",
        "fate": "cooperative",
        "why": "a timer of the hub",
        "cure": None,
    }
    assert report["findings"][2]["cure"] == "--convert requests, or --offload requests.get"
    assert report["errors"] == [
        {"file": "app/bad.py", "line": 2, "message": "syntax error: '(' was never closed"}
    ]


def test_the_sarif(app: Path, run: Run) -> None:
    (app / "app" / "bad.py").write_bytes(b"# coding: nope\n")
    done = run("-m", "rewriter", "--check", "app", "--format", "sarif")
    assert done.returncode == 2
    log = json.loads(done.stdout)
    assert log["version"] == "2.1.0"
    (session,) = log["runs"]
    driver: dict[str, Any] = session["tool"]["driver"]
    rules = [rule["id"] for rule in driver["rules"]]
    results = session["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("left-alone", "warning"),
        ("not-converted", "warning"),
    ]
    assert {result["ruleId"] for result in results} <= set(rules)
    assert results[0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "app/b%20c.py"},
                "region": {"startLine": 2, "startColumn": 10},
            }
        }
    ]
    (invocation,) = session["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "app/bad.py"


def test_paths_are_uris() -> None:
    assert uri_of(PureWindowsPath(r"app\b c.py")) == "app/b%20c.py"
    assert uri_of(PureWindowsPath(r"C:\app\é.py")) == "file:///C:/app/%C3%A9.py"
    assert uri_of(PurePosixPath("/app/b c.py")) == "file:///app/b%20c.py"


def test_the_order_does_not_change(app: Path, run: Run) -> None:
    texts = {
        run("-m", "rewriter", "--check", "app", env={"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2", "3")
    }
    assert texts == {TEXT}


def test_nothing_that_blocks(app: Path, run: Run) -> None:
    done = run("-m", "rewriter", "--check", "app.a")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == (
        "1 call that can wait in 1 module: 1 cooperative, 0 offloaded, 0 left alone, 0 not converted"
    )


def test_a_file_that_cannot_be_read(app: Path, run: Run) -> None:
    (app / "null.py").write_bytes(b"import time\0")
    done = run("-m", "rewriter", "--check", "null.py")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("rewriter: error: null.py: ")
