"""``--diff`` shows what runs, of the modules in scope, without importing any of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rewriter.command import parse
from rewriter.errors import RewriterError
from tests.rewriter.conftest import ROOT, Run


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A package, whose import fails; and a script that imports a module beside it."""
    package = tmp_path / "app"
    (package / "sub").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('was imported')\n")
    (package / "disk.py").write_text("'doc'\n\nx = open(1).read()\ny = p.read_text()\n")
    (package / "sub" / "__init__.py").write_text("")
    (package / "sub" / "net.py").write_bytes(b"import socket\r\nfor a in b: pass")
    (package / "sub" / "legacy.py").write_text("import time\n")
    (tmp_path / "script.py").write_text("import helper\nimport time\n")
    (tmp_path / "helper.py").write_text("import queue\n")
    (tmp_path / "other.py").write_text("import time\n")
    return tmp_path


def test_a_package_with_all_that_runs(app: Path, run: Run) -> None:
    done = run("-m", "rewriter", "--diff", "app")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == (
        "--- app/disk.py\n+++ app/disk.py (converted)\n@@ -1,4 +1,4 @@\n 'doc'\n-\n"
        "-x = open(1).read()\n-y = p.read_text()\n"
        "+from runtime.methods import exchange as _rewriter_exchange; "
        "from runtime.files import open as _rewriter_open\n"
        "+x = _rewriter_open(1).read()\n+y = _rewriter_exchange(p).read_text()\n"
        "--- app/sub/legacy.py\n+++ app/sub/legacy.py (converted)\n@@ -1 +1 @@\n"
        "-import time\n+from runtime.green import time\n"
        "--- app/sub/net.py\n+++ app/sub/net.py (converted)\n@@ -1,2 +1,2 @@\n"
        "-import socket\n+from runtime.green import socket\n"
        " for a in b: pass\n\\ No newline at end of file\n"
    )


def files(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith("--- ")]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["script.py"], ["helper.py", "script.py"]),
        (["script"], ["script.py"]),
        (["app.sub"], ["app/sub/legacy.py", "app/sub/net.py"]),
        (["-m", "app.sub.net"], ["app/sub/net.py"]),
        (["./app/sub"], ["app/sub/legacy.py", "app/sub/net.py"]),
        (["--no-convert", "app.sub.legacy", "app"], ["app/disk.py", "app/sub/net.py"]),
        (["app", "--no-convert", "app.sub"], ["app/disk.py"]),
        (["."], ["app/disk.py", "app/sub/legacy.py", "app/sub/net.py", "helper.py", "other.py", "script.py"]),
    ],
)
def test_what_a_target_consists_of(app: Path, run: Run, words: list[str], shown: list[str]) -> None:
    done = run("-m", "rewriter", "--diff", *words)
    assert (done.stderr, done.returncode) == ("", 0)
    assert files(done.stdout) == shown


def test_the_configuration_holds(app: Path, run: Run) -> None:
    (app / "pyproject.toml").write_text('[tool.rewriter]\nexclude = ["app.disk"]\nfair = true\n')
    done = run("-m", "rewriter", "--diff", "app")
    assert files(done.stdout) == ["app/sub/legacy.py", "app/sub/net.py"]
    assert "for a in b: _rewriter_fairness.overdue and _rewriter_fairness.give_way(); pass" in done.stdout


def test_nothing_to_show_is_said(app: Path, run: Run) -> None:
    (app / "dull.py").write_text("x = 1\n")
    done = run("-m", "rewriter", "--diff", "dull.py")
    assert (done.stdout, done.returncode) == ("", 0)
    assert done.stderr == "rewriter: conversion changes nothing in dull.py (1 module looked at)\n"


def test_what_cannot_be_read_is_said_and_the_rest_shown(app: Path, run: Run) -> None:
    (app / "app" / "broken.py").write_text("import time\nx = (\n")
    done = run("-m", "rewriter", "--diff", "app")
    assert (len(files(done.stdout)), done.returncode) == (3, 2)
    assert done.stderr == "rewriter: error: app/broken.py:2: syntax error: '(' was never closed\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--diff"], "no target: "),
        (["--diff", "-c", "pass"], "--diff takes a module, a file or a folder, not code"),
        (["--diff", "--check", "app"], "--diff or --check, not both"),
        (["--diff", "app", "other"], "one target at a time: app, or other"),
        (["--diff", "--format", "json", "app"], "--format belongs to --check"),
        (["--check", "--format=xml", "app"], "--format must be text, json or sarif, not 'xml'"),
        (["--eject=", "app"], "--eject needs the name of a folder to write to"),
    ],
)
def test_what_is_not_understood_is_named(words: list[str], message: str) -> None:
    with pytest.raises(RewriterError) as caught:
        parse(words)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("fifo.py", "--diff takes a module, a file of Python source or a folder, not fifo.py"),
        ("json", "json is part of the standard library, which is never converted in place"),
        ("nosuch", "no module and no file is called nosuch"),
        ("./nosuch", "no such file: ./nosuch"),
    ],
)
def test_a_target_that_is_none(app: Path, run: Run, word: str, message: str) -> None:
    os.mkfifo(app / "fifo.py")
    done = run("-m", "rewriter", "--diff", word)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"rewriter: error: {message}\n", 2)


def test_what_follows_a_program_that_is_run_belongs_to_it() -> None:
    options = parse(["app", "--diff"])
    assert (options.seen, options.arguments) == ("", ["--diff"])


def test_colours_are_for_a_terminal(app: Path) -> None:
    pty = pytest.importorskip("pty")

    def shown(**environment: str) -> bytes:
        parent, child = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "rewriter", "--diff", "other.py"],
            cwd=app,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, **environment},
            stdout=child,
        ) as process:
            os.close(child)
            data = b""
            try:
                while piece := os.read(parent, 1000):
                    data += piece
            except OSError:  # the other side is closed
                pass
            process.wait(60)
        os.close(parent)
        return data

    assert b"\x1b[31m-import time\x1b[0m" in shown()
    assert b"\x1b" not in shown(NO_COLOR="1")


def test_a_reader_that_has_gone_is_no_error(app: Path) -> None:
    lines = "".join(f"import time as t{number}\n" for number in range(20_000))
    (app / "long.py").write_text(lines)
    command = [sys.executable, "-m", "rewriter", "--diff", "long.py"]
    with subprocess.Popen(
        command,
        cwd=app,
        env={**os.environ, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_ctrl_c_is_no_error(run: Run) -> None:
    code = (
        "import sys\nfrom rewriter import command, diff\ndef show(options): raise KeyboardInterrupt\n"
        "diff.show = show\nsys.argv[1:] = ['--diff', 'app']\ncommand.main()"
    )
    done = run("-c", code)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 130)


def test_it_is_not_imported_by_a_program(run: Run) -> None:
    names = ["seeing", "sources", "rendering", "opening", "diff", "check", "eject"]
    code = f"import sys; print([n for n in {names} if 'rewriter.' + n in sys.modules])"
    assert run("-m", "rewriter", "-c", code).stdout == "[]\n"
