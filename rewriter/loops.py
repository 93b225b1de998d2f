"""Fair loops: each loop's body begins by letting others run, if it has held them up.

``if _rewriter_fairness.overdue: _rewriter_fairness.give_way()`` stands on the line on which the next statement begins
to run, so no tracer sees a line of its own.  (On the line of the loop's head it would: CPython tests a ``while`` at its
end once more.)  Comprehensions have no place for a statement and stay as they are.
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


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_Loop = ast.For | ast.While | ast.AsyncFor


def make_fair(tree: ast.Module, skipped: set[int]) -> bool:
    """Put a yield point into every loop of *tree*, but those that begin on *skipped* lines; whether there are any."""
    loops = [(loop, local) for loop, local in _loops(tree) if loop.lineno not in skipped]
    for loop, local in loops:
        loop.body.insert(0, _yield_point(_line(loop, local)))
    return bool(loops)


def _loops(tree: ast.Module) -> Iterator[tuple[_Loop, bool]]:
    """The loops of *tree*, and whether each is in a function's own code."""
    stack: list[tuple[ast.AST, bool]] = [(tree, False)]
    while stack:
        node, local = stack.pop()
        if isinstance(node, _Loop):
            yield node, local
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            local = not isinstance(node, ast.ClassDef)
        stack += [(child, local) for child in ast.iter_child_nodes(node)]


def _line(loop: _Loop, local: bool) -> int:
    """The line that runs after the head of *loop*: that of the first statement of which there is code."""
    line = begins(loop.body, in_function=local)
    if line is None and isinstance(loop, ast.While):
        line = begins([ast.Expr(loop.test)], in_function=local)
    if line is not None:
        return line
    assert not isinstance(loop, ast.While)
    return _ends(loop.target)


def _ends(target: ast.expr) -> int:
    """The line on which *target* is bound, or the last part of it."""
    while isinstance(target, ast.Starred) or (isinstance(target, (ast.Tuple, ast.List)) and target.elts):
        target = target.value if isinstance(target, ast.Starred) else target.elts[-1]
    return target.end_lineno or target.lineno if isinstance(target, ast.Attribute) else target.lineno


def _yield_point(line: int) -> ast.If:
    def attribute(name: str) -> ast.Attribute:
        return ast.Attribute(ast.Name(private(NAME), ast.Load()), name, ast.Load())

    point = ast.If(attribute("overdue"), [ast.Expr(ast.Call(attribute("give_way"), [], []))], [])
    for node in ast.walk(point):
        if isinstance(node, (ast.stmt, ast.expr)):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    return point
