"""Methods of plain objects: which objects are exchanged, for what, and that everything else is left alone."""

from __future__ import annotations

import datetime
import io
import os
import pathlib
import subprocess
import sys
import types
import unittest.mock
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import runtime
from runtime import methods
from runtime.green.io import TextIOWrapper
from runtime.methods import exchange, offloaded
from runtime.table import METHODS
from tests.runtime.ticker import Ticker

ALL = sorted(METHODS["pathlib.Path"])
Here = type(pathlib.Path())


# Paths.


def written(path: pathlib.Path) -> Callable[[], None]:
    """What writes into a FIFO that somebody waits to read from."""

    def write() -> None:
        fd = os.open(path, os.O_WRONLY)
        os.write(fd, b"x\n")
        os.close(fd)

    return write


def unbound(method: Any, path: pathlib.Path, mode: str) -> Any:
    with method(path, mode) as file:
        return file.read()


def through(mode: str, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    def use(path: Any) -> Any:
        with exchange(path).open(mode, *args, **kwargs) as file:
            return file.read() if "r" in mode else file.write("x" if "b" not in mode else b"x")

    return use


class Shouting(Here):  # type: ignore[misc, valid-type]
    """Overrides a method, by way of `super` and by way of the class."""

    def read_text(self, *args: Any, **kwargs: Any) -> str:
        return exchange(super()).read_text(*args, **kwargs).upper()  # type: ignore[no-any-return]

    def read_bytes(self) -> bytes:
        return exchange(pathlib.Path).read_bytes(self).upper()  # type: ignore[no-any-return]


class Opening(Here):  # type: ignore[misc, valid-type]
    """Opens itself in its own way."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return exchange(super()).open(*args, **kwargs)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    ("use", "outcome"),
    [
        (lambda path: exchange(path).read_text(), "x\n"),
        (lambda path: exchange(path).read_text(encoding="utf-8", errors="strict"), "x\n"),
        (lambda path: exchange(path).read_bytes(), b"x\n"),
        (through("r"), "x\n"),
        (through("r", 4096, "utf-8"), "x\n"),
        (through("rb"), b"x\n"),
        (through("rb", buffering=0), b"x\n"),
        (lambda path: exchange(pathlib.Path).read_text(path), "x\n"),
        (lambda path: unbound(exchange(Here).open, path, "rb"), b"x\n"),
        (lambda path: exchange(Shouting(path)).read_text(), "X\n"),
        (lambda path: exchange(Shouting(path)).read_bytes(), b"X\n"),
        (lambda path: exchange(Opening(path)).read_text(), "x\n"),
    ],
)
def test_a_path_is_read_while_others_run(
    tmp_path: pathlib.Path, use: Callable[[Any], object], outcome: object
) -> None:
    """A FIFO to which nobody writes until others have run."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with Ticker(written(path)):
        assert use(path) == outcome


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    ("use", "outcome"),
    [
        (lambda path: exchange(path).write_text("abc"), 3),
        (lambda path: exchange(path).write_bytes(memoryview(b"ab")), 2),
        (through("w"), 1),
        (through("w", 1), 1),
        (through("wb", 0), 1),
        (lambda path: exchange(Here).write_text(path, "ab", newline=""), 2),
    ],
)
def test_a_path_is_written_while_others_run(
    tmp_path: pathlib.Path, use: Callable[[Any], object], outcome: object
) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    opened: list[int] = []
    with Ticker(lambda: opened.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))):
        assert use(path) == outcome
    os.close(opened.pop())


@pytest.mark.parametrize("name", ALL)
def test_each_method_of_the_table_is_one_of_paths_and_exchanged(name: str) -> None:
    """Called unbound too: it is not the plain one."""
    assert callable(getattr(pathlib.Path, name))
    assert getattr(exchange(pathlib.Path()), name) != getattr(pathlib.Path(), name)
    assert getattr(exchange(pathlib.Path), name) is not getattr(pathlib.Path, name)


def test_what_it_opens_is_a_counterpart_s_file(tmp_path: pathlib.Path) -> None:
    """With the name and the mode that the plain one has."""
    path = tmp_path / "file"
    assert exchange(path).write_text("é", encoding="latin-1") == 1
    with exchange(path).open(encoding="latin-1") as file, path.open(encoding="latin-1") as plain:
        assert issubclass(type(file), TextIOWrapper)
        assert type(plain) is io.TextIOWrapper
        assert (file.name, file.mode, file.encoding) == (plain.name, plain.mode, plain.encoding)
        assert file.read() == plain.read() == "é"


WRONG: list[Callable[[Any], object]] = [
    lambda path: path.open("q"),
    lambda path: path.open("rb", encoding="utf-8"),
    lambda path: path.open(buffering=0),
    lambda path: path.open(nonsense=1),
    lambda path: path.read_text(encoding="nonsense"),
    lambda path: path.read_text(1, 2, 3, 4),
    lambda path: path.write_text(b"x"),
    lambda path: path.write_bytes("x"),
    lambda path: (path / "none").open(),
    lambda path: path.read_text(),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_is_wrong_is_said_as_the_plain_one_says_it(tmp_path: pathlib.Path, number: int) -> None:
    """The same error with the same words, for a file and for a folder."""

    class Exchanging(Here):  # type: ignore[misc, valid-type]
        """A path whose methods are called as converted code calls them."""

        def __getattribute__(self, name: str) -> Any:
            return (
                getattr(exchange(pathlib.Path(self)), name) if name in ALL else super().__getattribute__(name)
            )

    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path):
        said = []
        for kind in (pathlib.Path, Exchanging):
            try:
                said.append(("fine", WRONG[number](kind(path))))
            except Exception as error:
                said.append((type(error).__name__, str(error)))
        assert said[0] == said[1]


def test_a_warning_names_the_caller(tmp_path: pathlib.Path, environment: dict[str, str]) -> None:
    """As does the plain one's, of an encoding that was not given."""
    (tmp_path / "prog.py").write_text(
        "import pathlib\n"
        "p = pathlib.Path('file')\n"
        "p.write_text('x')\n"
        "p.open().close()\n"
        "p.open('rb').close()\n"
        "p.read_text()\n"
        "p.read_text('utf-8')\n"
        "pathlib.Path.open(p).close()\n"
    )
    said = []
    for tool in ([], ["-m", "rewriter"]):
        done = subprocess.run(
            [sys.executable, "-X", "warn_default_encoding", *tool, "prog.py"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        said.append([line for line in done.stderr.splitlines() if "prog.py" in line])
    assert said[0] == said[1]
    assert [line.split(":")[1] for line in said[0]] == ["3", "4", "6", "8"]


def test_what_a_subclass_overrides_or_somebody_patches_is_called(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the class, in an object, in what `pathlib` opens by; the exchange is for the very function of the class."""

    class Own(Here):  # type: ignore[misc, valid-type]
        def read_text(self, *args: Any) -> str:
            return "own"

        def open(self, *args: Any, **kwargs: Any) -> Any:
            return (
                io.StringIO("opened") if "b" not in args and kwargs.get("mode") != "rb" else io.BytesIO(b"b")
            )

    assert exchange(Own("x")).read_text() == "own"
    assert exchange(Own("x")).open().read() == "opened"
    assert exchange(Own("x")).read_bytes() == b"b"
    with unittest.mock.patch.object(pathlib.Path, "read_text", return_value="patched"):
        assert exchange(tmp_path).read_text() == "patched"
    with unittest.mock.patch.object(pathlib.Path, "open", side_effect=lambda **_: io.StringIO("patched")):
        assert exchange(tmp_path).open().read() == "patched"
        assert exchange(tmp_path).read_text() == "patched"
    monkeypatch.setattr(io, "open", lambda *args: io.StringIO("io.open"))
    assert exchange(tmp_path).open().read() == "io.open"
    assert exchange(tmp_path).read_text() == "io.open"


def test_paths_are_learnt_of_when_they_are_there(environment: dict[str, str]) -> None:
    """Nothing imports `pathlib` for it, and what was asked before does not matter."""
    source = (
        "import sys\n"
        "for name in [name for name in sys.modules if name.startswith('pathlib')]:\n"
        "    del sys.modules[name]\n"  # an editable installation has imported it
        "from runtime.methods import exchange\n"
        "print(exchange(sys) is sys, 'pathlib' in sys.modules)\n"
        "import pathlib\n"
        "path = pathlib.Path()\n"
        "print(exchange(path) is path, exchange(sys) is sys)\n"
    )
    command = [sys.executable, "-c", source]
    said = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert said == "True False\nFalse True\n"


def test_another_pathlib_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its methods are called; and what it has instead of a class is no reason to fail."""
    for other in (None, object(), ModuleType("pathlib"), types.SimpleNamespace(Path=1)):
        monkeypatch.setattr(methods, "_kinds", (object,))
        monkeypatch.setitem(sys.modules, "pathlib", other)  # type: ignore[arg-type]
        assert exchange(NAME) is NAME
        assert methods._kinds == (object,)
    own = ModuleType("pathlib")
    exec("class Path:\n def open(self): return 'own'\n def read_text(self): return self.open()", vars(own))
    monkeypatch.setitem(sys.modules, "pathlib", own)
    assert exchange(own.Path()).open() == "own"
    assert exchange(own.Path()).read_text() == "own"


# Everything else.


class Odd(type):
    """A class of classes that are like nothing else."""

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("asked")

    __hash__ = None  # type: ignore[assignment]

    def __instancecheck__(cls, thing: object) -> bool:
        raise AssertionError("asked")

    def __subclasscheck__(cls, kind: type) -> bool:
        raise AssertionError("asked")

    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError("asked")


class Asked(metaclass=Odd):
    """An object that cannot be asked anything."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError("asked")


def test_anything_else_comes_back_unasked() -> None:
    """Whatever its class does, or pretends; so does a class, and a `super`, of something else."""

    class Base:
        def open(self) -> str:
            return "base"

    class Derived(Base):
        def open(self) -> str:
            return exchange(super()).open() + "+"  # type: ignore[no-any-return]

    spoof = unittest.mock.MagicMock(spec=pathlib.Path)
    assert isinstance(spoof, pathlib.Path)
    things = [
        None,
        1,
        "x",
        os,
        sys,
        open,
        Asked(),
        Base,
        Base(),
        type,
        spoof,
        lambda: 1,
        pathlib.PurePath("x"),
    ]
    for thing in [*things, pathlib.PurePath, super(Derived, Derived()), super(Derived), [], Asked]:
        assert exchange(thing) is thing
        assert offloaded(thing, "pathlib.PosixPath.read_bytes") is thing
    assert spoof.mock_calls == []
    assert Derived().open() == "base+"


# What the configuration names.


class Slow:
    """Methods of every kind, which say in which OS thread they run."""

    def method(self) -> object:
        return runtime_thread()

    @classmethod
    def of_class(cls) -> object:
        return cls, runtime_thread()

    @staticmethod
    def static() -> object:
        return runtime_thread()

    @property
    def prop(self) -> Callable[[], object]:
        return runtime_thread


class Slower(Slow):
    """Overrides nothing."""


class Quick(Slow):
    """Overrides one, and calls it."""

    def method(self) -> object:
        return "quick", offloaded(super(), f"{__name__}.Slow.method").method()


def runtime_thread() -> int:
    import _thread

    return _thread.get_native_id()


def on_worker(thing: Any, name: str, *args: Any, where: str = f"{__name__}.Slow") -> bool:
    outcome = getattr(offloaded(thing, f"{where}.{name}"), name)(*args)
    thread = outcome[1] if isinstance(outcome, tuple) else outcome
    assert isinstance(thread, int)
    return thread != runtime_thread()


@pytest.mark.usefixtures("backend")
def test_a_named_method_runs_on_a_worker() -> None:
    """Of its class and of those derived from it, bound, of the class or static."""
    for kind in (Slow, Slower):
        assert on_worker(kind(), "method")
        assert on_worker(kind(), "of_class")
        assert on_worker(kind(), "static")
        assert on_worker(kind, "method", kind())
        assert on_worker(kind, "of_class")
        assert on_worker(kind, "static")
    assert on_worker(Quick(), "method"), "its `super` does"
    assert offloaded(Slower(), f"{__name__}.Slow.of_class").of_class()[0] is Slower


@pytest.mark.usefixtures("backend")
def test_what_has_another_one_keeps_it() -> None:
    """Overridden, put into the object, of a class that is not derived from it, or no method at all."""
    thing = Slow()
    assert not on_worker(thing, "prop")
    assert not on_worker(Slow(), "method", where=f"{__name__}.Slower")
    assert on_worker(Slower(), "method", where=f"{__name__}.Slower")
    thing.method = lambda: runtime_thread()  # type: ignore[method-assign]
    assert not on_worker(thing, "method")

    class Other(Slow):
        def method(self) -> object:
            return runtime_thread()

        of_class = static = None  # type: ignore[assignment]

    assert not on_worker(Other(), "method")
    assert offloaded(Other(), f"{__name__}.Slow.static").static is None


@pytest.mark.usefixtures("backend")
def test_methods_of_c_types_are_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound ones, those of the class, and those of a derived class that does not override them."""
    called: list[object] = []
    monkeypatch.setattr(
        "runtime.workers.offload", lambda function, *args: called.append(function) or function(*args)
    )

    class Derived(bytearray):
        def lower(self) -> bytearray:
            return bytearray(b"derived")

    for thing in (bytearray(b"Ab"), Derived(b"Ab")):
        assert offloaded(thing, "builtins.bytearray.upper").upper() == b"AB"
    assert offloaded(bytearray, "builtins.bytearray.upper").upper(bytearray(b"a")) == b"A"
    assert offloaded(bytearray, "builtins.bytearray.fromhex").fromhex("41") == b"A"
    assert offloaded(datetime.datetime, "datetime.datetime.fromtimestamp").fromtimestamp(0).year in (
        1969,
        1970,
    )
    assert len(called) == 5
    assert offloaded(Derived(b"Ab"), "builtins.bytearray.lower").lower() == b"derived"
    assert offloaded(b"Ab", "builtins.bytearray.upper").upper() == b"AB"
    assert len(called) == 5


@pytest.mark.usefixtures("backend")
def test_a_class_is_found_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a package, inside of another class; a function of that name, or nothing, means no method."""
    package, module = ModuleType("late_package"), ModuleType("late_package.part")
    thing = Slow()
    where = "late_package.part.Outer.Slow"
    monkeypatch.setattr(methods, "_named", methods._Methods())
    assert not on_worker(thing, "method", where=where)
    monkeypatch.setitem(sys.modules, "late_package", package)
    assert not on_worker(thing, "method", where=where)
    monkeypatch.setitem(sys.modules, "late_package.part", module)
    assert not on_worker(thing, "method", where=where), "it is being imported"
    module.Outer = type("Outer", (), {"Slow": Slow})  # type: ignore[attr-defined]
    assert on_worker(thing, "method", where=where)
    for name in (
        "late_package.part.method",
        "late_package.part.Outer.Slow.nothing",
        f"{__name__}.NAME.method",
    ):
        assert offloaded(thing, name) is thing
    assert methods._named["late_package.part.method"].kinds == ()


NAME = "no class"


@pytest.mark.usefixtures("backend")
def test_the_outcome_is_the_method_s() -> None:
    """What it returns, with its arguments, and what it raises."""

    class Failing(Slow):
        pass

    with pytest.raises(TypeError, match="positional argument"):
        offloaded(Failing(), f"{__name__}.Slow.method").method(1)
    ticks: list[int] = []
    ticker = runtime.spawn(lambda: ticks.append(1))
    assert isinstance(offloaded(Slow(), f"{__name__}.Slow.method").method(), int)
    assert ticks, "others run meanwhile"
    ticker.join()
