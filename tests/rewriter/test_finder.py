"""The finder asks everybody else, exchanges one kind of loader, and stays out of what is not in scope."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path

import pytest

from rewriter.finder import Finder
from rewriter.loader import ConvertingLoader
from rewriter.mapping import Mapping
from rewriter.scope import Scope
from tests.rewriter.conftest import Hook


class Editable:
    """What an editable install puts on sys.meta_path: it knows a module that no path entry has."""

    def __init__(self, name: str, path: Path, loader: type[SourceFileLoader] = SourceFileLoader) -> None:
        self.name, self.path, self.loader = name, str(path), loader
        self.asked: list[str] = []

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        self.asked.append(fullname)
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(
            fullname, self.path, loader=self.loader(fullname, self.path)
        )


def test_a_module_out_of_scope_costs_no_question(mapping: Mapping, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Editable("never", Path("x"))
    monkeypatch.setattr(sys, "meta_path", [other])
    assert Finder(Scope(["app"]), mapping).find_spec("appendix") is None
    assert other.asked == []


def test_a_module_of_an_editable_install_is_converted(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "emod.py").write_text("import time\n")
    sys.meta_path.append(Editable("emod", tmp_path / "src" / "emod.py"))
    hook("emod")
    assert isinstance(importlib.import_module("emod").__loader__, ConvertingLoader)


def test_another_hooks_loader_is_left_alone(hook: Hook, tmp_path: Path) -> None:
    class Special(SourceFileLoader):
        pass

    (tmp_path / "smod.py").write_text("import time\n")
    sys.meta_path.insert(0, Editable("smod", tmp_path / "smod.py", Special))
    hook("smod")
    assert type(importlib.import_module("smod").__loader__) is Special


def test_a_hook_that_asks_everybody_too_does_not_go_round_in_circles(hook: Hook, tmp_path: Path) -> None:
    class Curious:
        def __init__(self) -> None:
            self.busy = 0

        def find_spec(
            self, name: str, path: Sequence[str] | None, target: object = None
        ) -> ModuleSpec | None:
            self.busy += 1
            assert self.busy < 3
            for finder in sys.meta_path:
                spec = finder.find_spec(name, path) if finder is not self else None
                if spec is not None:
                    return spec
            return None

    (tmp_path / "cmod.py").write_text("import time\n")
    hook("cmod")
    sys.meta_path.insert(1, Curious())
    assert isinstance(importlib.import_module("cmod").__loader__, ConvertingLoader)


def test_what_nobody_finds_is_not_found(hook: Hook) -> None:
    hook("nothere")
    with pytest.raises(ModuleNotFoundError, match="No module named 'nothere'"):
        importlib.import_module("nothere")


def test_finding_reads_and_converts_nothing(
    hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "amod.py").write_text("x = (")
    finder = hook("amod")
    monkeypatch.setattr(ConvertingLoader, "get_data", None)
    spec = finder.find_spec("amod")
    assert spec is not None
    assert spec.origin == str(tmp_path / "amod.py")


@pytest.mark.parametrize(
    "path",
    [
        "/a/b.py", "/a/b.c.py", "/a/b", "/a/.py", "/a/b.pyw", "/b.py", "b.py", "./b.py", "/a//b.py", "/a/__init__.py",
        "a\\b.py",
    ],
)  # fmt: skip
@pytest.mark.parametrize("prefix", [None, "/elsewhere"])
def test_a_spec_says_where_python_keeps_the_bytecode(
    path: str, prefix: str | None, mapping: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other tools look there, whoever has found out."""
    monkeypatch.setattr(sys, "pycache_prefix", prefix)
    monkeypatch.setattr(sys, "meta_path", [Editable("anymod", Path("x"))])
    monkeypatch.setattr(sys.meta_path[0], "path", path)
    spec = Finder(Scope(["anymod"]), mapping).find_spec("anymod")
    plain = sys.meta_path[0].find_spec("anymod")
    assert spec is not None
    assert plain is not None
    assert isinstance(spec.loader, ConvertingLoader)
    assert spec.cached == plain.cached
    if path.endswith(".py"):
        assert plain.cached == importlib.util.cache_from_source(str(plain.origin))


def test_a_hook_that_comes_later_is_asked(hook: Hook, tmp_path: Path) -> None:
    """Or goes, or changes its place: what is on sys.meta_path at the time counts."""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "vmod.py").write_text("import time\nvalue = 1\n")
    finder = hook("vmod")
    assert finder.find_spec("vmod") is None
    late = Editable("vmod", tmp_path / "one" / "vmod.py")
    sys.meta_path.append(late)
    spec = finder.find_spec("vmod")
    assert spec is not None
    assert spec.origin == late.path
    sys.meta_path.remove(late)
    assert finder.find_spec("vmod") is None


def test_a_name_of_the_scripts_folder_must_be_found_there(mapping: Mapping, tmp_path: Path) -> None:
    own, installed = tmp_path / "own", tmp_path / "installed"
    for folder in (own / "data", installed / "data"):
        folder.mkdir(parents=True)
    (installed / "data" / "__init__.py").write_text("")
    finder = Finder(Scope([], folders={"data": str(own)}), mapping)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(own), str(installed)])
        patch.setattr(sys, "meta_path", [PathFinder])
        spec = finder.find_spec("data")
        assert spec is not None
        assert type(spec.loader) is SourceFileLoader
        (own / "data" / "__init__.py").write_text("")
        importlib.invalidate_caches()
        spec = finder.find_spec("data")
        assert spec is not None
        assert type(spec.loader) is ConvertingLoader


def test_the_finder_says_its_scope(mapping: Mapping) -> None:
    assert (
        repr(Finder(Scope(["b", "a"], ["a.x"]), mapping))
        == "<rewriter.Finder of Scope(['a', 'b'], excluded=['a.x'])>"
    )
