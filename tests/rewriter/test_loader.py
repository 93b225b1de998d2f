"""The loader and its cache, along the checklist of pytest's own assertion rewriter and what came up since."""

from __future__ import annotations

import importlib
import importlib.resources
import inspect
import os
import pkgutil
import signal
import subprocess
import sys
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

import runtime.green
from rewriter import conversion, loader
from rewriter.errors import RewriterWarning
from rewriter.loader import ConvertingLoader
from rewriter.mapping import Mapping
from tests.rewriter.conftest import ROOT, Hook, Run, wide_mapping

SOURCE = "import time\nvalue = 1\n"


def caches(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.pyc"))


def again(name: str) -> ModuleType:
    """Import *name* as a new process would."""
    for loaded in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[loaded]
    importlib.invalidate_caches()
    return importlib.import_module(name)


def is_converted(module: ModuleType) -> bool:
    assert module.time is time or module.time is runtime.green.time
    return module.time is not time


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the sources converted, in order: empty when all came from the cache."""
    paths: list[str] = []
    real = conversion.convert

    def counted(source: bytes, path: str, mapping: Mapping, **more: str) -> conversion.Conversion:
        paths.append(path)
        return real(source, path, mapping, **more)

    monkeypatch.setattr(conversion, "convert", counted)
    return paths


def test_a_module_is_converted_and_cached_beside_pythons_own(
    hook: Hook, tmp_path: Path, conversions: list[str], mapping: Mapping
) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    again("amod")
    hook("amod")
    assert is_converted(again("amod"))
    assert is_converted(again("amod"))
    assert len(conversions) == 1
    tag = sys.implementation.cache_tag
    assert caches(tmp_path) == [f"amod.{tag}-{mapping.tag}.pyc", f"amod.{tag}.pyc"]


def test_pythons_own_bytecode_stays_plain(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    finder = hook("amod")
    assert is_converted(again("amod"))
    sys.meta_path.remove(finder)
    assert not is_converted(again("amod"))


def test_an_edit_of_same_size_and_second_is_seen(hook: Hook, tmp_path: Path) -> None:
    path = tmp_path / "amod.py"
    path.write_text(SOURCE)
    stamp = path.stat().st_mtime_ns
    hook("amod")
    assert again("amod").value == 1
    path.write_text(SOURCE.replace("1", "2"))
    os.utime(path, ns=(stamp, stamp))
    assert again("amod").value == 2


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that loaders have read, in order."""
    names: list[str] = []
    real = SourceFileLoader.get_data

    def counted(self: SourceFileLoader, path: str) -> bytes:
        names.append(os.path.basename(path).partition(".")[0] + os.path.splitext(path)[1])
        return real(self, path)

    monkeypatch.setattr(SourceFileLoader, "get_data", counted)
    return names


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Has the loader look at files so many seconds later: from a few on, their times can be relied on."""
    now = time.time_ns

    def shift(seconds: int) -> None:
        monkeypatch.setattr("rewriter.loader.time_ns", lambda: now() + seconds * 10**9)

    return shift


def test_a_source_that_was_not_touched_is_not_read(
    hook: Hook, tmp_path: Path, conversions: list[str], reads: list[str], later: Callable[[int], None]
) -> None:
    """From the second run on, once it is a few seconds old; before that, its hash is asked for."""
    path = tmp_path / "amod.py"
    path.write_text(SOURCE)
    hook("amod")
    for old in (0, 10):
        later(old)
        for _ in range(2):
            del reads[:]
            again("amod")
        assert ("amod.py" in reads) == (not old)
    assert len(conversions) == 1


def test_a_source_that_was_touched_only_is_not_converted_again(
    hook: Hook, tmp_path: Path, conversions: list[str], reads: list[str], later: Callable[[int], None]
) -> None:
    """A tree that was copied or checked out anew has other times; they are put down, where that can be."""
    path = tmp_path / "amod.py"
    path.write_text(SOURCE)
    later(10)
    hook("amod")
    again("amod")
    os.utime(path, (1e9, 1e9))
    for is_read in (True, False):
        del reads[:]
        assert is_converted(again("amod"))
        assert ("amod.py" in reads) == is_read
    assert len(conversions) == 1


def test_an_old_source_that_is_edited_is_converted_again(
    hook: Hook, tmp_path: Path, conversions: list[str], later: Callable[[int], None]
) -> None:
    """To one of the same size, too, and the same time."""
    path = tmp_path / "amod.py"
    path.write_text(SOURCE)
    os.utime(path, (1e9, 1e9))
    later(10)
    hook("amod")
    assert again("amod").value == 1
    path.write_text(SOURCE.replace("1", "2"))
    os.utime(path, (1e9, 1e9))
    assert again("amod").value == 2
    assert len(conversions) == 2


def test_a_process_that_is_killed_while_it_writes_leaves_no_half_file(tmp_path: Path, run: Run) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    code = (
        "import os, signal, sys\n"
        "from rewriter import loader\n"
        "from rewriter.finder import Finder; from rewriter.scope import Scope\n"
        "from rewriter.mapping import standard\n"
        "if sys.argv[1:]:\n"
        "    real = os.write\n"
        "    loader.os.write = lambda fd, data: (real(fd, data[:40]), os.kill(os.getpid(), signal.SIGKILL))\n"
        "sys.meta_path.insert(0, Finder(Scope(['amod']), standard()))\n"
        "import amod; print(amod.value, 'libcst' in sys.modules)\n"
    )
    assert run("-c", code, "killed").returncode == -signal.SIGKILL
    assert caches(tmp_path) == []
    assert [run("-c", code).stdout for _ in range(2)] == ["1 True\n", "1 False\n"]


def test_another_configuration_converts_again(hook: Hook, tmp_path: Path, conversions: list[str]) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    hook("amod")
    assert is_converted(again("amod"))
    hook("amod", by=Mapping({"socket"}, {}))
    assert not is_converted(again("amod"))
    assert len(caches(tmp_path)) == 2


def test_another_version_has_another_tag(mapping: Mapping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewriter.mapping.__version__", "9.9.9")
    assert wide_mapping().tag != mapping.tag
    monkeypatch.undo()
    monkeypatch.setattr("rewriter.mapping.REVISION", -1)
    assert wide_mapping().tag != mapping.tag


@pytest.mark.parametrize("damage", [b"", b"\0" * 16, b"\0" * 400])
def test_a_damaged_cache_is_made_again(
    hook: Hook, tmp_path: Path, conversions: list[str], damage: bytes
) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    hook("amod")
    again("amod")
    (pyc,) = tmp_path.rglob("*.pyc")
    pyc.write_bytes(damage)
    assert is_converted(again("amod"))
    assert is_converted(again("amod"))
    assert len(conversions) == 2


def test_a_truncated_cache_is_made_again(hook: Hook, tmp_path: Path, conversions: list[str]) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    hook("amod")
    again("amod")
    (pyc,) = tmp_path.rglob("*.pyc")
    whole = pyc.read_bytes()
    for length in range(0, len(whole), 13):
        pyc.write_bytes(whole[:length])
        assert is_converted(again("amod"))
    assert pyc.read_bytes() == whole


def test_where_pycache_is_a_file_nothing_is_cached(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    (tmp_path / "__pycache__").write_text("")
    hook("amod")
    assert is_converted(again("amod"))
    assert (tmp_path / "__pycache__").read_text() == ""


@pytest.mark.parametrize("failing", ["open", "write", "replace"])
def test_what_cannot_be_written_is_not_cached(
    hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """A read-only tree fails at the first step, a full disk at the second."""

    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "amod.py").write_text(SOURCE)
    hook("amod")
    with monkeypatch.context() as patch:
        patch.setattr(loader.os, failing, refuse)
        assert is_converted(again("amod"))
    assert list((tmp_path / "__pycache__").rglob("*")) == []


def test_a_disk_that_takes_a_part_gets_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(loader.os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    loader.write(str(tmp_path / "new" / "file"), b"0123456789", 0o644)
    assert (tmp_path / "new" / "file").read_bytes() == b"0123456789"
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_two_processes_that_convert_at_once_agree(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"mod{number}.py").write_text("import socket, time\n" * 50 + f"value = {number}\n")
    names = [f"mod{number}" for number in range(10)]
    code = (
        "import sys; sys.stdin.readline()\n"
        "from rewriter.finder import Finder; from rewriter.scope import Scope\n"
        "from tests.rewriter.conftest import wide_mapping\n"
        f"sys.meta_path.insert(0, Finder(Scope({names}), wide_mapping()))\n"
        f"print([__import__(name).value for name in {names}])\n"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{tmp_path}"
    start = lambda: subprocess.Popen(  # noqa: E731
        [sys.executable, "-c", code],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    both = [start(), start()]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        output, _ = process.communicate(timeout=60)
        assert output == f"{list(range(10))}\n"
    assert len(caches(tmp_path)) == 10
    assert [path for path in (tmp_path / "__pycache__").iterdir() if path.suffix != ".pyc"] == []


def test_dont_write_bytecode_and_the_cache_prefix_are_respected(
    hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    hook("amod")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert is_converted(again("amod"))
    assert caches(tmp_path) == []
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "elsewhere"))
    assert is_converted(again("amod"))
    assert not (tmp_path / "__pycache__").exists()
    assert len(caches(tmp_path / "elsewhere")) == 1


def test_a_cache_hit_imports_neither_libcst_nor_the_conversion(tmp_path: Path, run: Run) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    code = (
        "import sys\n"
        "from rewriter.finder import Finder; from rewriter.scope import Scope\n"
        "from rewriter.mapping import standard\n"
        "sys.meta_path.insert(0, Finder(Scope(['amod']), standard()))\n"
        "import amod\n"
        "print([m for m in ('libcst', 'watchdog', 'rewriter.conversion', 'tomllib') if m in sys.modules])\n"
    )
    first, second = run("-c", code), run("-c", code)
    assert "libcst" in first.stdout, first.stderr
    assert second.stdout == "[]\n", second.stderr


def test_a_moved_tree_shows_its_new_place_in_tracebacks(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "apkg").mkdir()
    (tmp_path / "apkg" / "__init__.py").write_text("import time\ndef f(): pass\n")
    hook("apkg", "bpkg")
    again("apkg")
    (tmp_path / "apkg").rename(tmp_path / "bpkg")
    module = again("bpkg")
    assert module.f.__code__.co_filename == str(tmp_path / "bpkg" / "__init__.py")


def test_a_failed_conversion_warns_runs_plain_and_is_not_cached(
    hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **more: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(conversion, "convert", fail)
    (tmp_path / "amod.py").write_text(SOURCE)
    hook("amod")
    for _ in range(2):
        told = r"module amod runs unconverted.*RecursionError: too deep"
        with pytest.warns(RewriterWarning, match=told) as caught:
            assert not is_converted(again("amod"))
        assert (caught[0].filename, len(caught)) == (str(tmp_path / "amod.py"), 1)
    assert caches(tmp_path) == []


def test_a_syntax_error_in_an_import_looks_as_in_plain_python(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "amod.py").write_text("import time\nx = (\n")

    def shown() -> str:
        with pytest.raises(SyntaxError) as caught:
            exec("import amod")
        return "".join(traceback.format_exception(caught.value))

    plain = shown()
    hook("amod")
    assert shown() == plain


def test_source_reload_and_introspection_are_the_users_own(hook: Hook, tmp_path: Path) -> None:
    source = "import time\n\n\nclass A:\n    import socket\n\n    def f(self):\n        return time, open\n"
    (tmp_path / "amod.py").write_text(source)
    hook("amod")
    module = again("amod")
    assert isinstance(module.__loader__, ConvertingLoader)
    assert module.__spec__ is not None
    assert module.__loader__ is module.__spec__.loader
    assert module.__file__ == str(tmp_path / "amod.py")
    assert inspect.getsource(module) == source
    assert inspect.getsource(module.A.f) == "    def f(self):\n        return time, open\n"
    assert module.__loader__.get_source("amod") == source
    (tmp_path / "amod.py").write_text(source + "value = 7\n")
    reloaded = importlib.reload(module)
    assert reloaded is module
    assert module.value == 7
    assert is_converted(module)


def test_packages_resources_and_pkgutil_work_as_ever(hook: Hook, tmp_path: Path) -> None:
    package = tmp_path / "apkg"
    (package / "sub").mkdir(parents=True)
    (package / "__init__.py").write_text("import time\n")
    (package / "data.txt").write_text("payload")
    (package / "sub" / "__init__.py").write_text("from .. import time\n")
    (package / "sub" / "leaf.py").write_text("import time\nfrom . import __name__ as parent\n")
    hook("apkg")
    module = again("apkg")
    leaf = importlib.import_module("apkg.sub.leaf")
    assert is_converted(leaf)
    assert leaf.parent == "apkg.sub"
    assert pkgutil.get_data("apkg", "data.txt") == b"payload"
    assert importlib.resources.files("apkg").joinpath("data.txt").read_text() == "payload"
    found = [info.name for info in pkgutil.walk_packages(module.__path__, "apkg.")]
    assert found == ["apkg.sub", "apkg.sub.leaf"]


def test_namespace_packages_pass_through_and_their_modules_convert(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "anspace").mkdir()
    (tmp_path / "anspace" / "leaf.py").write_text(SOURCE)
    hook("anspace")
    assert again("anspace").__file__ is None
    assert is_converted(importlib.import_module("anspace.leaf"))


def test_modules_in_a_zip_pass_through(hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("zmod.py", SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path / "lib.zip"))
    hook("zmod")
    assert not is_converted(again("zmod"))


def test_nothing_is_converted_below_an_excluded_name(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "apkg").mkdir()
    for name in ("__init__", "one", "two"):
        (tmp_path / "apkg" / f"{name}.py").write_text(SOURCE)
    hook("apkg", excluded=("apkg.two",))
    again("apkg")
    assert is_converted(importlib.import_module("apkg.one"))
    assert not is_converted(importlib.import_module("apkg.two"))


def test_unconverted_modules_get_no_warning_and_no_loader(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "amod.py").write_text(SOURCE)
    hook("bmod")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = again("amod")
    assert not isinstance(module.__loader__, ConvertingLoader)
    del sys.modules["amod"]
