"""What the rewriter's tests share: a mapping with more builtins than the table has, and real processes."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rewriter
from rewriter.finder import Finder
from rewriter.mapping import Mapping
from rewriter.scope import Scope
from rewriter.settings import Settings
from runtime.table import MODULES

ROOT = str(Path(rewriter.__file__).parent.parent)
Hook = Callable[..., Finder]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def mapping() -> Mapping:
    """The table's modules; ``open`` and ``print`` besides, which it may not have."""
    return wide_mapping()


def wide_mapping() -> Mapping:
    names = ("__import__", "open", "print")
    return Mapping(MODULES, {name: f"builtins.{name}" for name in names}, Settings("test"))


@pytest.fixture
def hook(
    mapping: Mapping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Finder]]:
    """Convert the named modules, which are found in tmp_path, from now on until the end of the test."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    tops: set[str] = set()

    def install(*names: str, excluded: tuple[str, ...] = (), by: Mapping = mapping) -> Finder:
        tops.update(name.partition(".")[0] for name in names)
        finder = Finder(Scope(names, excluded), by)
        sys.meta_path.insert(0, finder)
        return finder

    yield install
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in tops:
            del sys.modules[name]


def python(folder: Path, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    """Run the tested Python with *arguments* in *folder*, unconverted unless they say ``-m rewriter``."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {"PYTHONPATH": ROOT, "PYTHONHASHSEED": "0"}
    environment |= more.pop("env", {})  # type: ignore[arg-type]
    options = {"cwd": folder, "timeout": 60, "capture_output": True, "text": True} | more
    return subprocess.run([sys.executable, *arguments], env=environment, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`python` in tmp_path."""
    return functools.partial(python, tmp_path)
