"""Import statements of every shape and random programs mean the same: a moment of ``python -m tests.fuzz``."""

from __future__ import annotations

import ast
import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewriter.conversion import convert
from tests import fuzz
from tests.rewriter.conftest import wide_mapping
from tests.rewriter.sameness import check

MAPPING = wide_mapping()
GREEN = "runtime.green."

modules = st.sampled_from(
    [
        "socket",
        "time",
        "os",
        "os.path",
        "http",
        "http.client",
        "http.cookies",
        "urllib.parse",
        "urllib.request",
        "concurrent.futures.thread",
        "re",
        "xml.dom",
        "socketio",
        "é",
        "a.os.b",
    ]
)
aliases = st.sampled_from(["", "", " as x", " as socket", " as os"])
gaps = st.sampled_from([" ", "  ", "\t", " \\\n ", " \\\n\\\n\t"])


commas = st.sampled_from([",", ", ", " ,", ", \\\n"])
inner_commas = st.sampled_from([",", ", # é\n", ",\n\n"])


@st.composite
def imports(draw: st.DrawFn) -> str:
    gap = draw(gaps)
    if draw(st.booleans()):
        clauses = draw(st.lists(st.builds(str.__add__, modules, aliases), min_size=1, max_size=4))
        text = clauses[0] + "".join(draw(commas) + clause for clause in clauses[1:])
        return f"import{gap}{text}"
    names = st.builds(str.__add__, st.sampled_from(["a", "os", "client"]), aliases)
    listed = draw(st.lists(names, min_size=1, max_size=3))
    if draw(st.booleans()):
        text = f"({draw(inner_commas).join(listed)}{draw(st.sampled_from(['', ',', chr(10)]))})"
    else:
        text = ", ".join(listed)
    return f"from{gap}{draw(modules)}{draw(gaps)}import{draw(gaps)}{text}"


@st.composite
def blocks(draw: st.DrawFn) -> str:
    line = "; ".join(draw(st.lists(st.one_of(imports(), st.just("é = 'é'")), min_size=1, max_size=3)))
    line += draw(st.sampled_from(["", ";", "  # é", " ;# x"]))
    head = draw(
        st.sampled_from(
            ["", "if 1: ", "if 1:\n\t", "try: {}\nfinally: ", "if 1:\n  pass\n  ", "for é in [1]:\n "]
        )
    )
    return head.format("pass") + line


programs = st.lists(blocks(), min_size=1, max_size=4).map("\n".join)


@settings(deadline=None)  # the machine may have other work
@given(programs)
def test_any_import_binds_the_same_names_to_the_same_things_or_their_counterparts(source: str) -> None:
    original = ast.parse(source)
    conversion = convert(source, "x.py", MAPPING)
    check(original, conversion)
    plain, converted = bindings(source), bindings(conversion.text())
    assert plain.keys() == converted.keys()
    for name, path in converted.items():
        assert path.removeprefix(GREEN) == plain[name]
        if path.startswith(GREEN):
            assert any(part in MAPPING.modules for part in prefixes(plain[name]))
        else:
            assert plain[name] not in MAPPING.modules or attribute_only(plain[name])


def prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def attribute_only(path: str) -> bool:
    """Whether a fake path is that of a name taken from an unmapped module, such as ``os`` in ``a.os``."""
    return path.partition(".")[0] not in MAPPING.modules


class Fake:
    """A module that is known by its path only."""

    def __init__(self, path: str) -> None:
        self.__dict__["path"] = path

    def __getattr__(self, name: str) -> Fake:
        if name.startswith("__"):
            raise AttributeError(name)
        return Fake(f"{self.path}.{name}")


def bindings(source: str) -> dict[str, str]:
    """What each name is bound to when *source* runs against an import system of fakes."""

    def fake_import(name: str, *rest: Any) -> Fake:
        fromlist = rest[2] if len(rest) > 2 else None
        return Fake(name if fromlist else name.partition(".")[0])

    names: dict[str, Any] = {"__builtins__": {"__import__": fake_import}}
    exec(source, names)
    return {name: value.path for name, value in names.items() if isinstance(value, Fake)}


def test_random_programs_do_the_same_at_the_same_places() -> None:
    """Five seconds of programs that no run has had before; the seed is in the failure."""
    end = time.monotonic() + 5
    seed = int(os.environ.get("UNSTALL_SEED", "0")) or random.randrange(10**9)
    count, found = fuzz.fuzz(seed, lambda count: time.monotonic() > end or count == 300)
    assert not found, found
    assert count


@pytest.mark.parametrize("declaration", ["global f", "f: open"])
def test_what_runs_nothing_gets_no_line(declaration: str) -> None:
    """What is put before statements stands on the line of the first that runs: in functions and modules."""
    loop = f"for time in [1, 2]:\n {declaration}\n open(1)\nfor x in [1]:\n {declaration}"
    function = "\n".join(f" {line}" for line in loop.splitlines())
    assert not fuzz.failure(f"{declaration}\n{loop}\ndef y():\n{function}\ny()\n")
    assert not fuzz.failure(f"class x:\n{function}\n def y():\n  {declaration}\n  open(1)\nx.y()\n")


SOURCE = "import time\ntry:\n  time.sleep(open(1))\nfinally:\n  print(\n    2)\n"


@pytest.mark.parametrize(
    ("spoilt", "what"),
    [
        (lambda tree: tree.body.append(ast.parse("open(3)").body[0]), "events"),
        (lambda tree: tree.body.append(ast.parse("x = 1").body[0]), "names"),
        (lambda tree: tree.body.append(ast.parse("1/0").body[0]), "end"),
        (lambda tree: ast.increment_lineno(tree.body[-1], 2), ""),
    ],
)
def test_a_difference_is_found(
    spoilt: Callable[[ast.Module], object], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done, what is left, how it ends, and where."""
    assert not fuzz.failure(SOURCE)
    real = fuzz.convert

    def convert(*arguments: Any, **more: Any) -> Any:
        conversion = real(*arguments, **more)
        spoilt(conversion.tree)
        return conversion

    monkeypatch.setattr(fuzz, "convert", convert)
    monkeypatch.setattr(fuzz, "check", lambda *_: None)
    monkeypatch.setattr(fuzz, "same_code", lambda *_: None)
    found = fuzz.failure(SOURCE)
    assert found.startswith(what)
    assert found
    assert fuzz.smallest("x = 1\n" + SOURCE).count("\n") < SOURCE.count("\n") + 1
