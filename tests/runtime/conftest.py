"""What the runtime's tests share: tests that run in an OS thread of their own on each backend, and real processes."""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import runtime
from runtime import hub as hub_module
from runtime.backends.poll import Poll

ROOT = str(Path(runtime.__file__).parent.parent)
LIMIT = 60  # seconds after which a test counts as hanging; none takes a tenth of it
Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=["epoll", "poll"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test in a fresh OS thread, whose hub waits by this backend; what it leaves behind harms no other."""
    if request.param == "poll":
        monkeypatch.setattr(hub_module, "choose", Poll)
    return str(request.param)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if "backend" not in pyfuncitem.fixturenames:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    run_in_thread(lambda: pyfuncitem.obj(**arguments))
    return True


def run_in_thread(function: Callable[[], object]) -> None:
    """Call *function* in an OS thread of its own and raise what it raised; say where it hangs if it does."""
    errors: list[BaseException] = []

    def body() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(LIMIT)
    if thread.is_alive():
        with tempfile.TemporaryFile("w+") as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            pytest.fail(f"the test hangs:\n{file.read()}", pytrace=False)
    if errors:
        raise errors[0]


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a process that finds both packages and nothing of ours besides."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return clean | {"PYTHONPATH": ROOT}


@pytest.fixture
def program(tmp_path: Path, environment: dict[str, str]) -> Program:
    """Run *source* in a process of its own, by plain Python or ``converted``."""

    def run(source: str, *arguments: str, converted: bool = False) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "prog.py"
        path.write_text(textwrap.dedent(source))
        command = [sys.executable, "-W", "ignore::DeprecationWarning"]
        command += [*(["-m", "rewriter"] if converted else []), str(path), *arguments]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False
        )

    return run


@pytest.fixture
def converse(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start *source* as a process to talk to; it is killed at the end of the test if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, *, converted: bool = True) -> subprocess.Popen[str]:
        path = tmp_path / "prog.py"
        path.write_text(textwrap.dedent(source))
        command = [sys.executable, *(["-m", "rewriter"] if converted else []), str(path)]
        process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
