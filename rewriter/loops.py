"""Fair loops: each loop's body begins by letting others run, if it has held them up.

``if _rewriter_fairness.overdue: _rewriter_fairness.give_way()`` stands on the line on which the next statement begins
to run, so no tracer sees a line of its own.  (On the line of the loop's head it would: CPython tests a ``while`` at its
end once more.)  Comprehensions have no place for a statement and stay as they are, as do loops whose body runs nothing
(``global x``).
"""

from __future__ import annotations

import ast

from rewriter.evaluation import begins
from rewriter.patched import private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = "runtime.fairness.fairness"
NAME = "fairness"


_FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef
_Loop = ast.For | ast.AsyncFor | ast.While


def make_fair(tree: ast.Module, skipped: set[int]) -> bool:
    """Put a yield point into every loop of *tree*, but those that begin on *skipped* lines; whether there are any."""
    found = False
    for loop, in_function in _loops(tree):
        line = begins(loop.body, in_function=in_function)
        if line is not None and loop.lineno not in skipped:
            loop.body.insert(0, _yield_point(line))
            found = True
    return found


def _loops(tree: ast.Module) -> Iterator[tuple[_Loop, bool]]:
    """Every loop, and whether its variables are a function's."""
    stack: list[tuple[ast.AST, bool]] = [(tree, False)]
    while stack:
        node, in_function = stack.pop()
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            yield node, in_function
        elif isinstance(node, _FUNCTIONS):
            in_function = True
        elif isinstance(node, ast.ClassDef):
            in_function = False
        stack += [(child, in_function) for child in ast.iter_child_nodes(node)]


def _yield_point(line: int) -> ast.If:
    def attribute(name: str) -> ast.Attribute:
        return ast.Attribute(ast.Name(private(NAME), ast.Load()), name, ast.Load())

    point = ast.If(attribute("overdue"), [ast.Expr(ast.Call(attribute("give_way"), [], []))], [])
    for node in ast.walk(point):
        if isinstance(node, (ast.stmt, ast.expr)):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    return point
