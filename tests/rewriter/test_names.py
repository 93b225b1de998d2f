"""Names are resolved as Python resolves them: its own compiler is the oracle."""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator
from types import CodeType

from hypothesis import given, settings
from hypothesis import strategies as st

from rewriter.names import STAR_NAMES, builtin_loads

NAMES = ("open", "other")

names = st.sampled_from(NAMES)
expressions = st.recursive(
    st.sampled_from(["open", "other", "1"]),
    lambda inner: st.one_of(
        st.builds("lambda {}={}: {}".format, names, inner, inner).map("({})".format),
        st.builds("[{} for {} in {} if {}]".format, inner, names, inner, inner),
        st.builds("({} for {} in {} for {} in {})".format, inner, *[names, inner] * 2),
        st.builds("{}({})".format, inner, inner),
    ),
    max_leaves=6,
)
simple = st.one_of(
    expressions,
    st.builds("x = {}".format, expressions),
    st.builds("(open := {})".format, expressions),
    st.just("open = 1"),
    st.just("import open"),
    st.just("del open"),
)


def _indented(head: str, body: list[str]) -> str:
    return "\n".join([head, *(f" {line}" for part in body for line in part.split("\n"))])


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda b, d, a: _indented(f"@{d}\ndef f({a}={d}):", b), body, expressions, names),
        st.builds(lambda b, e: _indented(f"class A({e}):", b), body, expressions),
        st.builds(lambda b: _indented("if x:", b), body),
        st.builds(lambda b: _indented("def open():", b), body),
    )


programs = st.lists(st.recursive(simple, _blocks, max_leaves=8), min_size=1, max_size=4).map("\n".join)


@settings(deadline=None)  # the machine may have other work
@given(programs)
def test_the_loads_found_are_those_that_the_compiler_makes_global(source: str) -> None:
    try:
        instructions = list(_instructions(compile(source, "x.py", "exec")))
        tree = ast.parse(source)
    except SyntaxError:  # what the strategy cannot know: a walrus in a comprehension of a class body, …
        return
    found = [(n.lineno, n.col_offset) for n in builtin_loads(tree, ["open"])]
    assert len(found) == len(set(found)), "each load is given once"
    loads = {(place, op) for place, op in instructions if op.startswith("LOAD_")}
    if any(op in ("STORE_NAME module", "DELETE_NAME module", "STORE_GLOBAL") for _, op in instructions):
        assert not found, "the module has a name of its own"
        return
    wrong = {op for place, op in loads if place in found} - {
        "LOAD_GLOBAL",
        "LOAD_NAME class",
        "LOAD_NAME module",
    }
    assert not wrong
    missed = {op for place, op in loads if place not in found} & {"LOAD_GLOBAL", "LOAD_NAME module"}
    assert not missed


def _instructions(code: CodeType) -> Iterator[tuple[tuple[int, int], str]]:
    """Where the compiled *code* uses the name, and how; whether of a module or a class, too."""
    for instruction in dis.get_instructions(code):
        if instruction.argval == "open" and instruction.positions is not None:
            kind = (
                (" module" if code.co_name == "<module>" else " class")
                if "_NAME" in instruction.opname
                else ""
            )
            line, column = instruction.positions.lineno, instruction.positions.col_offset
            yield (line or 0, column or 0), instruction.opname + kind
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _instructions(constant)


def test_the_list_of_star_imports_that_shadow_a_builtin_is_true() -> None:
    for module, names in STAR_NAMES.items():
        star: dict[str, object] = {}
        exec(f"from {module} import *", star)
        for name in names:
            assert star[name] is not getattr(__import__("builtins"), name)
