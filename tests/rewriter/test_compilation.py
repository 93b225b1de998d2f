"""``--compile``: what a run would convert is converted before, and the run finds it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rewriter import compilation, conversion
from rewriter.mapping import standard
from rewriter.progress import Progress
from tests.rewriter.conftest import ROOT, Run

SOURCE = "import socket, time\n\n\ndef f():\n    return open(time.__name__)\n"
RUN = "import sys, {}; print('libcst' in sys.modules)\n"


def caches(folder: Path) -> dict[str, bytes]:
    """What was converted, without the stamp at the end, which a run may put down when the source is older."""
    found = folder.rglob("*unstall*.pyc")
    return {
        str(path.relative_to(folder)): path.read_bytes().removesuffix(b"unstall\n")[:-24] for path in found
    }


def package(folder: Path, modules: int) -> Path:
    (folder / "app").mkdir()
    (folder / "app" / "__init__.py").write_text("")
    for number in range(modules):
        (folder / "app" / f"mod{number}.py").write_text(SOURCE)
    return folder


@pytest.mark.parametrize("modules", [3, 40], ids=["few", "many"])
def test_a_run_finds_what_was_compiled(tmp_path: Path, run: Run, modules: int) -> None:
    """Everything is in the cache, by the same tag, and nothing else is left in the folder."""
    package(tmp_path, modules)
    names = ", ".join(f"app.mod{number}" for number in range(modules))
    (tmp_path / "app" / "__main__.py").write_text(RUN.format(names))
    done = run("-m", "rewriter", "--compile", "app")
    assert (done.stdout, done.stderr) == ("", f"rewriter: {modules + 2} modules converted\n")
    assert done.returncode == 0
    before = caches(tmp_path)
    assert len(before) == modules + 2 == len(list((tmp_path / "app" / "__pycache__").iterdir()))
    assert run("-m", "rewriter", "app").stdout == "False\n"
    assert caches(tmp_path) == before
    again = run("-m", "rewriter", "--compile", "app")
    assert again.stderr == f"rewriter: 0 modules converted, {modules + 2} up to date\n"


def test_the_configuration_decides_what_and_how(tmp_path: Path, run: Run) -> None:
    """Packages that are converted besides the target are compiled, with the settings of the run."""
    package(tmp_path, 1)
    (tmp_path / "lib.py").write_text(SOURCE)
    (tmp_path / "main.py").write_text(RUN.format("app.mod0, lib"))
    (tmp_path / "pyproject.toml").write_text('[tool.rewriter]\nconvert = ["lib"]\nfair = true\n')
    assert run("-m", "rewriter", "--compile", "app", env={"REWRITER_EXCLUDE": "app.mod0"}).returncode == 0
    assert sorted(name.partition(".")[0] for name in caches(tmp_path)) == [
        "__pycache__/lib",
        "app/__pycache__/__init__",
    ]
    done = run("-m", "rewriter", "--compile", "--threads", "native", "main.py")
    assert done.stderr == "rewriter: 4 modules converted\n"
    before = caches(tmp_path)
    assert run("-m", "rewriter", "--threads", "native", "main.py").stdout == "False\n"
    assert caches(tmp_path) == before


def test_several_targets_and_dependencies(tmp_path: Path, run: Run) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(SOURCE)
    done = run(
        "-m", "rewriter", "--compile", "one", "two.py", "greenlet+deps", "--no-convert", "greenlet.tests"
    )
    assert done.stderr.splitlines()[-1].endswith("modules converted")
    assert {name.partition(".")[0] for name in caches(tmp_path)} == {"__pycache__/one", "__pycache__/two"}
    missing = run("-m", "rewriter", "--compile", "one", "three")
    assert (missing.returncode, missing.stderr) == (
        2,
        "rewriter: error: no module and no file is called three\n",
    )


@pytest.mark.parametrize("modules", [3, 40], ids=["few", "many"])
def test_errors_name_the_file_and_the_rest_goes_on(tmp_path: Path, run: Run, modules: int) -> None:
    package(tmp_path, modules)
    (tmp_path / "app" / "wrong.py").write_text("import time\nx = (\n")
    (tmp_path / "app" / "nul.py").write_bytes(b"\0")
    (tmp_path / "app" / "sub").mkdir()
    (tmp_path / "app" / "sub" / "__pycache__").write_text("")
    (tmp_path / "app" / "sub" / "leaf.py").write_text(SOURCE)
    done = run("-m", "rewriter", "--compile", "app")
    lines = sorted(done.stderr.splitlines())
    assert lines[0].startswith("rewriter: " + str(modules + 1) if modules < 9 else "rewriter: 41")
    assert lines[1].startswith("rewriter: error: app/nul.py: ")
    assert (
        lines[2] == "rewriter: error: app/sub/leaf.py: its bytecode cannot be written to app/sub/__pycache__"
    )
    assert lines[3].startswith("rewriter: error: app/wrong.py: line 2: syntax error: ")
    assert (done.returncode, len(caches(tmp_path))) == (2, modules + 1)


def test_what_cannot_be_converted_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **more: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(conversion, "convert", fail)
    (tmp_path / "amod.py").write_text(SOURCE)
    is_new, error = compilation._compile(("amod", str(tmp_path / "amod.py"), standard()))
    assert is_new
    assert "RecursionError: too deep" in error
    assert caches(tmp_path) == {}


def test_it_writes_where_python_is_told_not_to(tmp_path: Path, run: Run) -> None:
    package(tmp_path, 1)
    assert run("-B", "-m", "rewriter", "--compile", "app").returncode == 0
    assert len(caches(tmp_path)) == 2


def test_an_interrupt_leaves_whole_files_only(tmp_path: Path) -> None:
    """Ctrl-C reaches all processes; one exit code, no traceback, no temporary file."""
    package(tmp_path, 300)
    cache = tmp_path / "app" / "__pycache__"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    process = subprocess.Popen(
        [sys.executable, "-m", "rewriter", "--compile", "app"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": ROOT},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (cache.exists() and list(cache.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGINT)
    try:
        _, said = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # a child left behind would spoil other tests
        process.communicate()
        raise
    assert (process.returncode, said) == (130, b"")
    names = os.listdir(cache)
    assert 0 < len(names) < 301
    assert all(name.endswith(".pyc") for name in names)
    assert all((cache / name).read_bytes().endswith(b"unstall\n") for name in names)


def test_a_terminal_shows_how_far_it_is(tmp_path: Path) -> None:
    package(tmp_path, 20)
    main, other = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "rewriter", "--compile", "app"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": ROOT},
        stderr=other,
        timeout=60,
        check=True,
    )
    os.close(other)
    shown = os.read(main, 65536).decode()
    os.close(main)
    assert shown.startswith("\rrewriter: 1 of 21 modules")
    assert shown.endswith("\r\x1b[Krewriter: 21 modules converted\r\n")


def test_a_long_first_conversion_says_so_once_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[int, bytes]] = []
    terminals = {2}
    monkeypatch.setattr("rewriter.progress.os.isatty", lambda fd: fd in terminals)
    monkeypatch.setattr("rewriter.progress.os.write", lambda fd, data: said.append((fd, data)))
    progress = Progress()
    with progress:
        pass
    assert said == []
    for _ in range(3):
        progress.seconds = 2
        with progress:
            pass
    assert said == [
        (2, b"rewriter: converting modules for the first time (1 so far); the next run will not\n"),
    ]
    elsewhere = Progress()
    elsewhere.seconds = 2
    terminals.clear()
    with elsewhere:
        pass
    assert len(said) == 1
