"""Import statements of every shape mean the same converted, with counterparts for what has one."""

from __future__ import annotations

import ast
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rewriter.conversion import convert
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
