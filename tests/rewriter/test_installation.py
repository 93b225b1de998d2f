"""Opting in from code: ``rewriter.install``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rewriter
import runtime
import runtime.green  # puts its finder on sys.meta_path, which the tests put back
from rewriter.installation import Installation
from rewriter.loader import ConvertingLoader


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """With which ``threads`` the runtime was started; modules one, two and three can be imported."""
    modes: list[str] = []
    monkeypatch.setattr(runtime, "start", lambda threads="tasklet": modes.append(threads), raising=False)
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two", "three"):
        (tmp_path / f"mod_{name}.py").write_text("import time\n")
    importlib.invalidate_caches()
    yield modes
    for name in ("one", "two", "three"):
        sys.modules.pop(f"mod_{name}", None)


def is_converted(name: str) -> bool:
    sys.modules.pop(name, None)
    return isinstance(importlib.import_module(name).__loader__, ConvertingLoader)


def test_named_packages_are_converted_until_uninstalled(started: list[str]) -> None:
    handle = rewriter.install("mod_one")
    assert isinstance(handle, Installation)
    assert started == ["tasklet"]
    assert is_converted("mod_one")
    assert not is_converted("mod_two")
    handle.uninstall()
    handle.uninstall()
    assert not handle.installed
    assert not is_converted("mod_one")


def test_as_a_context_manager_it_ends_with_the_block_even_on_an_error(started: list[str]) -> None:
    handle = rewriter.install("mod_one", threads="native")
    with pytest.raises(ZeroDivisionError), handle:
        raise ZeroDivisionError(is_converted("mod_one"))
    assert not handle.installed
    assert started == ["native"]
    assert repr(handle).startswith("<rewriter.Installation uninstalled, Scope(['mod_one']")


def test_installations_stack_and_come_off_in_any_order(started: list[str]) -> None:
    first = rewriter.install("mod_one", "mod_two")
    second = rewriter.install("mod_three", "mod_two", exclude=["mod_one"])
    assert is_converted("mod_one")
    assert is_converted("mod_three")
    first.uninstall()
    assert not is_converted("mod_one")
    assert is_converted("mod_two")
    second.uninstall()
    assert not is_converted("mod_two")


def test_modules_imported_before_are_named_in_a_warning_at_the_call(started: list[str]) -> None:
    importlib.import_module("mod_one")
    with pytest.warns(rewriter.RewriterWarning, match="imported before .*: mod_one$") as caught:
        rewriter.install("mod_one", "mod_two")
    assert caught[0].filename == __file__


def test_a_package_that_cannot_be_found_is_named_in_a_warning(started: list[str]) -> None:
    with pytest.warns(rewriter.RewriterWarning, match="called mod_ones; did you mean mod_one"):
        rewriter.install("mod_ones")


def test_without_names_the_configuration_is_taken(started: list[str], tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.rewriter]\nconvert = ["mod_one", "mod_two"]\nexclude = ["mod_two"]\nthreads = "native"\n'
    )
    with rewriter.install():
        assert is_converted("mod_one")
        assert not is_converted("mod_two")
    assert started == ["native"]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ([], {}, "nothing to convert"),
        (["json"], {}, "part of the standard library"),
        (["a-b"], {}, "no module name"),
        (["mod_one"], {"threads": "green"}, 'threads must be "tasklet" or "native", not \'green\''),
        (["mod_one"], {"exclude": "mod_two"}, "exclude must be a list of module names, not 'mod_two'"),
        (["mod_one"], {"exclude": ["mod two"]}, "no module name"),
        (["mod_one"], {"offload": ["slow"]}, "offload must be a list of functions by their full names"),
        (["mod_one"], {"fair": "yes"}, "fair must be true or false, not 'yes'"),
        (["mod_one"], {"monitor_ms": 0}, "monitor_ms must be a number of milliseconds, 1 at least, not 0"),
        (["mod_one+deps"], {}, "no installed distribution provides it"),
        (["mod_ones+deps"], {}, "did you mean mod_one"),
    ],
)
def test_a_request_that_cannot_be_met_installs_nothing(
    started: list[str], arguments: list[str], options: dict[str, object], message: str
) -> None:
    before = list(sys.meta_path)
    with pytest.raises(rewriter.RewriterError, match=message):
        rewriter.install(*arguments, **options)  # type: ignore[arg-type]
    assert sys.meta_path == before
    assert started == []


def test_two_kinds_of_threads_in_one_process_are_refused(
    started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(threads: str) -> None:
        raise RuntimeError(f"not {threads}")

    monkeypatch.setattr(runtime, "start", refuse)
    before = list(sys.meta_path)
    with pytest.raises(rewriter.RewriterError, match="not native"):
        rewriter.install("mod_one", threads="native")
    assert sys.meta_path == before


def test_the_public_names_are_those_promised() -> None:
    assert sorted(rewriter.__all__) == ["RewriterError", "RewriterWarning", "__version__", "install"]
    pyproject = Path(rewriter.__file__).parent.parent / "pyproject.toml"
    assert f'version = "{rewriter.__version__}"' in pyproject.read_text()
