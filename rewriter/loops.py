"""Fair loops: each loop's body begins by letting others run, if it has held them up.

``if _rewriter_fairness.overdue: _rewriter_fairness.give_way()`` stands on the line on which the next statement begins
to run, so no tracer sees a line of its own.  (On the line of the loop's head it would: CPython tests a ``while`` at its
end once more.)  Comprehensions have no place for a statement and stay as they are.
"""

from __future__ import annotations

import ast

from rewriter.evaluation import begins
from rewriter.patched import private

PLACE = "runtime.fairness.fairness"
NAME = "fairness"


def make_fair(tree: ast.Module, skipped: set[int]) -> bool:
    """Put a yield point into every loop of *tree*, but those that begin on *skipped* lines; whether there are any."""
    loops = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.For, ast.While, ast.AsyncFor)) and node.lineno not in skipped
    ]
    for loop in loops:
        loop.body.insert(0, _yield_point(begins(loop.body[0])))
    return bool(loops)


def _yield_point(line: int) -> ast.If:
    def attribute(name: str) -> ast.Attribute:
        return ast.Attribute(ast.Name(private(NAME), ast.Load()), name, ast.Load())

    point = ast.If(attribute("overdue"), [ast.Expr(ast.Call(attribute("give_way"), [], []))], [])
    for node in ast.walk(point):
        if isinstance(node, (ast.stmt, ast.expr)):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    return point
