"""Star imports, which may bring something that is called like a builtin: ``from compat import *`` brings an ``open``.

What a module of the program has is not known before it is imported.  So after each such import, on its line and in
the tree only, it is looked what the name means now:

    _rewriter_open = _rewriter_unless_shadowed(open, "open", _rewriter_open)

What the standard library's modules bring is known (`names.STAR_NAMES`).

Rejected: leaving the names of such modules alone.  Whoever says ``from tkinter import *`` prints and opens files too.
"""

from __future__ import annotations

import ast
import sys

from rewriter.patched import private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PLACE = "runtime.replacement.unless_shadowed"
NAME = "unless_shadowed"


def follow(tree: ast.Module, names: Iterable[str]) -> bool:
    """Look, after each star import in *tree*, what *names* mean; whether there is one."""
    wanted = sorted(names)
    places = [(block, statement) for block in _blocks(tree) for statement in block if _is_unknown(statement)]
    for block, statement in places:
        index = block.index(statement) + 1
        block[index:index] = [_look(name, statement) for name in wanted]
    return bool(places)


def follows(statement: ast.stmt) -> bool:
    """Whether `follow` made *statement*."""
    value = statement.value if isinstance(statement, ast.Assign) else None
    function = value.func if isinstance(value, ast.Call) else None
    return isinstance(function, ast.Name) and function.id == private(NAME)


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """The lists of statements of the module's own scope, the only one in which there are star imports."""
    stack = [tree.body]
    while stack:
        block = stack.pop()
        yield block
        for statement in block:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            for holder in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                for field in ("body", "orelse", "finalbody"):
                    inner = getattr(holder, field, None)
                    if isinstance(inner, list):
                        stack.append(inner)


def _is_unknown(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.ImportFrom) or statement.names[0].name != "*":
        return False
    top = (statement.module or "").partition(".")[0]
    return bool(statement.level) or (top not in sys.stdlib_module_names and top != "runtime")


def _look(name: str, after: ast.stmt) -> ast.Assign:
    def load(identifier: str) -> ast.Name:
        return ast.Name(identifier, ast.Load())

    looked = ast.Call(load(private(NAME)), [load(name), ast.Constant(name), load(private(name))], [])
    statement = ast.Assign([ast.Name(private(name), ast.Store())], looked)
    for node in ast.walk(statement):
        if isinstance(node, (ast.stmt, ast.expr)):
            ast.copy_location(node, after)
    return statement
