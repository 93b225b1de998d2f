"""The order of evaluation: which part of a statement or expression is evaluated before all others.

What is put before a statement, and must not be seen by a tracer, stands on the line on which that begins to run.
"""

from __future__ import annotations

import ast
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_INLINED = sys.version_info >= (3, 12)  # comprehensions

# Of a node, the parts that are evaluated first: the first one that there is.
_FIRST: dict[type[ast.AST], tuple[str, ...]] = {
    ast.AnnAssign: ("value",),
    ast.Assert: ("test",),
    ast.Assign: ("value",),
    ast.AsyncFor: ("iter",),
    ast.AsyncFunctionDef: ("decorator_list", "args"),
    ast.AsyncWith: ("items",),
    ast.Attribute: ("value",),
    ast.AugAssign: ("target",),
    ast.Await: ("value",),
    ast.BinOp: ("left",),
    ast.BoolOp: ("values",),
    ast.Call: ("func",),
    ast.ClassDef: ("decorator_list",),
    ast.Compare: ("left",),
    ast.Expr: ("value",),
    ast.For: ("iter",),
    ast.FormattedValue: ("value",),
    ast.FunctionDef: ("decorator_list", "args"),
    ast.If: ("test",),
    ast.IfExp: ("test",),
    ast.JoinedStr: ("values",),
    ast.Lambda: ("args",),
    ast.List: ("elts",),
    ast.Match: ("subject",),
    ast.NamedExpr: ("value",),
    ast.Raise: ("exc",),
    ast.Return: ("value",),
    ast.Set: ("elts",),
    ast.Subscript: ("value",),
    ast.Tuple: ("elts",),
    ast.UnaryOp: ("operand",),
    ast.While: ("test",),
    ast.With: ("items",),
    ast.Yield: ("value",),
    ast.YieldFrom: ("value",),
    ast.arguments: ("defaults",),
    ast.withitem: ("context_expr",),
}
if _INLINED:
    _FIRST |= dict.fromkeys((ast.DictComp, ast.ListComp, ast.SetComp), ("generators",))
    _FIRST[ast.comprehension] = ("iter",)


def first(node: ast.AST) -> ast.AST:
    """The part of *node* with a position that is evaluated before all others; may be *node*."""
    found = node
    while True:
        for field in _FIRST.get(type(node), ()):
            part = getattr(node, field, None)
            if isinstance(part, list):
                part = part[0] if part else None
            if part is not None and not isinstance(part, ast.Starred) and not _is_constant(node):
                node = part
                break
        else:
            return found
        if isinstance(node, (ast.stmt, ast.expr)):
            found = node


def begins(block: Sequence[ast.stmt], *, in_function: bool) -> int | None:
    """The line on which *block* begins to run; None if nothing in it does."""
    for statement in block:
        if not _declares(statement, in_function):
            line: int = first(statement).lineno  # type: ignore[attr-defined]
            return line
    return None


def _declares(statement: ast.stmt, in_function: bool) -> bool:
    """Whether *statement* only tells the compiler something."""
    if isinstance(statement, ast.AnnAssign):  # elsewhere the annotation is evaluated
        return in_function and statement.value is None and isinstance(statement.target, ast.Name)
    return isinstance(statement, (ast.Global, ast.Nonlocal))


def _is_constant(node: ast.AST) -> bool:
    """Whether *node* is a display that the compiler makes one constant of."""
    elements = getattr(node, "elts", None)
    return elements is not None and all(isinstance(element, ast.Constant) for element in elements)
