"""The classes of a twin: which are the original's own, which derive from them, which stand alone."""

from __future__ import annotations

import builtins
import copy
import importlib
import pickle
import textwrap
from types import ModuleType
from typing import Any

import pytest
import runtime.green.concurrent.futures
import runtime.green.http.client
import runtime.green.multiprocessing.managers
import runtime.green.subprocess
import runtime.green.urllib.request

from runtime.classes import Classes

green_tarfile: Any = importlib.import_module("runtime.green.tarfile")


def pair(source: str, **differing: Any) -> tuple[ModuleType, dict[str, Any], Classes]:
    """A module of *source*, and the namespace of its twin, in which the globals *differing* have other values."""
    code = compile(textwrap.dedent(source), "<module>", "exec")
    original = ModuleType("original")
    vars(original).update(dict.fromkeys(differing))
    exec(code, vars(original))
    namespace: dict[str, Any] = {"__name__": "original", **differing}
    classes = Classes(original, code, namespace)
    namespace["__builtins__"] = dict(vars(builtins), __build_class__=classes)
    if classes.asks:
        namespace["__builtins__"]["isinstance"] = classes.isinstance
    exec(code, namespace)
    classes.share_data()
    return original, namespace, classes


def test_super_passes_over_the_original() -> None:
    """The next one is the base's counterpart, once, in each way of saying it."""
    plain, twin, classes = pair(
        """
        class Base:
            def say(self): return [what]
        class Middle(Base):
            def say(self): return ["middle", what, *super().say()]
        class Named(Middle):
            def say(self): return ["named", *super(Named, self).say()]
        class Last(Named):
            def say(self): return ["last", *super().say()]
            @classmethod
            def make(cls): return super().__new__(cls)
        """,
        what="twin",
    )
    assert classes.fates == dict.fromkeys(("Base", "Middle", "Named", "Last"), "derived")
    assert twin["Last"].make().say() == ["last", "named", "middle", "twin", "twin"]
    assert plain.Last().say() == ["last", "named", "middle", None, None]
    assert isinstance(twin["Last"](), plain.Named)


def test_mixins_keep_their_order() -> None:
    plain, twin, _ = pair(
        """
        class Server:
            def serve(self): return ["server", mark]
        class Mixin:
            def serve(self): return ["mixin", mark, *super().serve()]
        class Both(Mixin, Server):
            pass
        """,
        mark="!",
    )
    assert twin["Both"]().serve() == ["mixin", "!", "server", "!"]
    assert plain.Both().serve() == ["mixin", None, "server", None]


def test_slots_are_the_originals() -> None:
    """No instance gets larger, or a dictionary."""
    plain, twin, _ = pair(
        """
        class Point:
            __slots__ = ("x", "y")
            def __init__(self): self.x = self.y = what
        class Named(Point):
            __slots__ = ("name",)
            def greet(self): return super().__init__(), what
        """,
        what=1,
    )
    named = twin["Named"]()
    assert (named.x, named.y) == (1, 1)
    assert not hasattr(named, "__dict__")
    assert twin["Named"].__basicsize__ == plain.Named.__basicsize__
    assert plain.Point.y.__get__(named) == 1


def test_what_uses_nothing_that_differs_is_the_originals() -> None:
    """However deep: through functions, classes and bases."""
    plain, twin, classes = pair(
        """
        import re
        def pure(text): return re.sub("a", "b", text)
        def waits(): return what
        class Data:
            def text(self): return pure("a")
        class More(Data):
            def __len__(self): return len(self.text())
        class Uses:
            def __init__(self): waits()
        class Makes:
            def make(self): return Uses()
        class Under(Makes):
            pass
        class Opens:
            def read(self, path): return open(path).read()
        class Knob:
            def limit(self): return LIMIT
        LIMIT = 10
        class After:
            def limit(self): return LIMIT
        """,
        what=1,
    )
    shared = {name for name, fate in classes.fates.items() if fate == "shared"}
    assert shared == {"Data", "More"}
    assert twin["Data"] is plain.Data
    twin["LIMIT"] = 20
    assert twin["After"]().limit() == 20
    assert plain.After().limit() == 10


def test_classes_that_use_each_other_differ_together() -> None:
    """Whichever is looked at first."""
    _, _, classes = pair(
        """
        class First:
            def other(self): return Second()
        class Second:
            def other(self): return First(), Third()
        class Third:
            def other(self): return First(), what
        class Left:
            def other(self): return Right()
        class Right:
            def other(self): return Left()
        """,
        what=1,
    )
    assert classes.fates == {
        "First": "derived",
        "Second": "derived",
        "Third": "derived",
        "Left": "shared",
        "Right": "shared",
    }


def test_data_is_the_originals() -> None:
    """By a class statement, by a call, and by a decorator."""
    plain, twin, _ = pair(
        """
        import enum, typing, collections
        class Colour(enum.Enum):
            RED = 1
            def now(self): return what
        class Failure(Exception):
            def now(self): return what
        Pair = collections.namedtuple("Pair", "a b")
        class Triple(typing.NamedTuple):
            a: int
        @enum._simple_enum(enum.IntEnum)
        class Status:
            OK = 200
            def now(self): return what
        """,
        what=1,
    )
    for name in ("Colour", "Failure", "Pair", "Triple", "Status"):
        assert twin[name] is getattr(plain, name), name


def test_what_cannot_be_derived_from_stands_alone() -> None:
    """And so does what is above it, for super() would find the original there."""
    plain, twin, classes = pair(
        """
        class Counted:
            known = []
            def __init_subclass__(cls): Counted.known.append(cls)
            def say(self): return what
        class Above(Counted):
            def say(self): return super().say()
        Final = Above
        """,
        what=1,
    )
    assert classes.fates == {"Counted": "alone", "Above": "alone"}
    assert twin["Above"]().say() == 1
    assert plain.Counted.known == [plain.Above]


def test_the_module_takes_the_originals_instances_for_its_own() -> None:
    """Wherever it asks, in whatever form; for all else it asks as ever."""
    plain, twin, _ = pair(
        """
        class Info:
            name = what
        def known(value): return isinstance(value, Info), isinstance(value, (int, (str, Info)))
        """,
        what=1,
    )
    assert twin["Info"] is not plain.Info
    assert twin["known"](plain.Info()) == twin["known"](twin["Info"]()) == (True, True)
    assert twin["known"](1) == (False, True)
    assert twin["known"](None) == (False, False)
    assert plain.known(twin["Info"]()) == (True, True)


def test_a_module_that_does_not_ask_keeps_the_fast_builtin() -> None:
    _, _, classes = pair(
        """
        class Info:
            name = what
        def known(value): return isinstance(value, int)
        """,
        what=1,
    )
    assert not classes.asks


def test_a_pickle_holds_the_original_and_a_copy_does_not() -> None:
    """Whoever reads it need not have this project."""
    info = green_tarfile.TarInfo("name")
    assert type(pickle.loads(pickle.dumps(info))) is importlib.import_module("tarfile").TarInfo
    for made in (copy.copy(info), copy.deepcopy(info)):
        assert type(made) is green_tarfile.TarInfo
        assert made.name == "name"

    assert type(pickle.loads(pickle.dumps(Own("mine")))) is Own


class Own(green_tarfile.TarInfo):
    """A program's own class is pickled by its own name."""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("concurrent.futures", "ThreadPoolExecutor"),
        ("http.client", "HTTPResponse"),
        ("http.client", "HTTPSConnection"),
        ("subprocess", "Popen"),
        ("threading", "Timer"),
        ("urllib.request", "HTTPRedirectHandler"),
    ],
)
def test_isinstance_of_unconverted_code_holds(module: str, name: str) -> None:
    green = getattr(importlib.import_module(f"runtime.green.{module}"), name)
    plain = getattr(importlib.import_module(module), name)
    assert green is not plain
    assert issubclass(green, plain)


def test_what_anybody_may_hand_over_is_shared() -> None:
    assert runtime.green.urllib.request.Request is importlib.import_module("urllib.request").Request
    assert runtime.green.subprocess.CompletedProcess is importlib.import_module("subprocess").CompletedProcess
