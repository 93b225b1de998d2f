"""What tests put in the place of a builtin, in the module that uses it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

import rewriter
from tests.rewriter.conftest import Run


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A converted module that opens a file."""
    (tmp_path / "patched_app.py").write_text(
        "def read(path):\n    with open(path) as file:\n        return file.read()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with rewriter.install("patched_app"):
        import patched_app  # type: ignore[import-not-found]

        yield patched_app
    del sys.modules["patched_app"]


def test_the_modules_own_name_can_be_patched(app: Any, tmp_path: Path) -> None:
    """As the documentation of mock has it; afterwards all is as before."""
    (tmp_path / "file").write_text("real")
    before = dict(vars(app))
    for _ in range(2):
        with mock.patch("patched_app.open", mock.mock_open(read_data="fake")) as fake:
            assert app.read("anything") == "fake"
            fake.assert_called_once_with("anything")
        assert app.read(tmp_path / "file") == "real"
    assert vars(app) == before
    assert not hasattr(app, "open")


def test_it_can_be_set_and_taken_away(app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("real")
    monkeypatch.setattr(app, "open", mock.mock_open(read_data="fake"), raising=False)
    assert app.read("anything") == "fake"
    monkeypatch.undo()
    assert app.read(tmp_path / "file") == "real"


def test_nothing_public_is_added(app: Any) -> None:
    """A star import takes what the source defines, and no more."""
    found: dict[str, object] = {}
    exec("from patched_app import *", found)
    assert set(found) == {"__builtins__", "read"}
    assert isinstance(app, ModuleType)


def test_a_module_without_such_a_builtin_is_a_plain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "patched_other.py").write_text("import time\nopen = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with rewriter.install("patched_other"):
        import patched_other  # type: ignore[import-not-found]
    assert type(patched_other) is ModuleType
    patched_other.open = 2
    assert patched_other.open == 2
    del sys.modules["patched_other"]


def test_the_main_module_too(tmp_path: Path, run: Run) -> None:
    (tmp_path / "main.py").write_text(
        "from unittest import mock\n"
        "def read():\n"
        "    return open('nowhere').read()\n"
        "with mock.patch('__main__.open', mock.mock_open(read_data='fake')):\n"
        "    print(read())\n"
        "try:\n"
        "    read()\n"
        "except FileNotFoundError:\n"
        "    print('gone')\n"
    )
    done = run("-m", "rewriter", "main.py")
    assert (done.stdout, done.stderr) == ("fake\ngone\n", "")
