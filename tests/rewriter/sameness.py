"""What a conversion has to leave as it was: the lines, what was not rewritten, and every position."""

from __future__ import annotations

import ast
import dis
import inspect
import warnings
from collections.abc import Iterator
from itertools import groupby
from types import CodeType

from rewriter import graft, loops, methods, offloading, stars
from rewriter.conversion import Conversion
from rewriter.patched import private

POSITION = ("lineno", "col_offset", "end_lineno", "end_col_offset")
_WRAPPERS = {private(methods.EXCHANGE), private(methods.OFFLOADED)}


class Undo(ast.NodeTransformer):
    """Takes out what is in a converted tree and not in its text; with *offload*, also the calls that are offloaded."""

    def __init__(self, *, offload: bool = False) -> None:
        self._offload = private(offloading.NAME) if offload else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if graft.binds(node) else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if stars.follows(node) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if ast.unparse(node.test) == f"{private(loops.NAME)}.overdue":
            return None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name):
            if node.func.id in _WRAPPERS:
                return node.args[0]
            if node.func.id == self._offload:
                node.func = node.args.pop(0)
        return node


def check(original: ast.Module, conversion: Conversion) -> None:
    """Same lines outside edits, text and tree agree, and every position is the original's."""
    check_text(conversion)
    same_places(original, conversion.tree)


def check_text(conversion: Conversion) -> None:
    """As many lines, the same outside the edits, and the text's tree is the tree, from which goes what only it has."""
    text = conversion.text()
    before, after = conversion.original.split("\n"), text.split("\n")
    edited = {line for edit in conversion.edits for line in range(edit.start[0], edit.end[0] + 1)}
    assert len(before) == len(after)
    pairs = enumerate(zip(before, after, strict=True), 1)
    assert all(old == new for number, (old, new) in pairs if number not in edited)
    bound = [s for s in conversion.tree.body if graft.binds(s)]
    assert len(bound) >= len(conversion.builtins)
    conversion.tree = Undo().visit(conversion.tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ast.dump(ast.parse(text)) == ast.dump(conversion.tree)


def same_places(old: ast.AST, new: ast.AST) -> None:
    assert [getattr(old, name, None) for name in POSITION] == [getattr(new, name, None) for name in POSITION]
    if isinstance(old, ast.Name):
        assert isinstance(new, ast.Name)
        assert new.id in (old.id, private(old.id))
        return
    if isinstance(old, ast.ImportFrom):
        assert isinstance(new, ast.ImportFrom)
        assert new.module in (old.module, f"runtime.green.{old.module}")
    assert type(old) is type(new)
    for field in old._fields:
        before, after = getattr(old, field), getattr(new, field)
        if isinstance(before, list):
            same_lists(before, after)
        elif isinstance(before, ast.AST):
            same_places(before, after)
        elif not isinstance(old, ast.ImportFrom):
            assert before == after


def same_lists(before: list[ast.AST | None], after: list[ast.AST | None]) -> None:
    """An import may have become several statements, all of them in its place."""
    rest = iter(after)
    new = next(rest, None)
    for old in before:
        if isinstance(old, ast.Import):
            assert new is not None
            first = new
            while new is not None and all(getattr(old, p) == getattr(new, p, None) for p in POSITION):
                new = next(rest, None)
            assert new is not first
            continue
        if isinstance(old, ast.AST):
            assert isinstance(new, ast.AST)
            same_places(old, new)
        else:
            assert old == new
        new = next(rest, None)
    assert next(rest, None) is None


def same_code(plain: CodeType, converted: CodeType) -> None:
    """The same functions, each with the same lines, and the same places of calls and attributes."""
    rest = list(codes(plain))
    for new in codes(converted):
        # Either may have one more: a first constant stays in code, also where nothing that is reached uses it.
        old = next((old for old in rest if _head(old) == _head(new)), None)
        if old is None:
            continue
        del rest[: rest.index(old) + 1]
        if old.co_name == "<module>":  # which binds
            assert {line for *_, line in new.co_lines()} <= {line for *_, line in old.co_lines()}
            continue
        # As sets: the compiler repeats short ends of code, or does not.
        assert set(lines(new)) == set(lines(old)), old.co_name
        if "super" not in old.co_names:  # of which 3.12 makes no call
            assert set(places(new)) == set(places(old)), old.co_name


def _head(code: CodeType) -> list[object]:
    # A class's variables are only those of inlined comprehensions, with the names that these do not bind.
    return [
        code.co_name,
        code.co_firstlineno,
        *(code.co_varnames if code.co_flags & inspect.CO_OPTIMIZED else ()),
    ]


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


_CALLS = ("CALL", "LOAD_ATTR", "LOAD_METHOD")


def lines(code: CodeType) -> list[int | None]:
    return [line for line, _ in groupby(place[0] for place in code.co_positions())]


def places(code: CodeType) -> list[object]:
    """Those of calls and attributes, which tracebacks show, without repetitions."""
    wanted = (i.positions for i in dis.get_instructions(code) if i.opname.startswith(_CALLS))
    return [place for place, _ in groupby(wanted)]
