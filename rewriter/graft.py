"""Grafting: converted statements take the original's place in its syntax tree, and its positions.

Everything that was not rewritten stays the node that Python made of the original, so line, column and end of
every node are those of the source on disk: tracebacks with carets, coverage, debuggers and
``inspect.getsource`` see the user's own code.

Rejected: parsing the converted text as a whole and mapping each column back.  It gives the same tree (a test
compares them) for a second parse, which says every SyntaxWarning twice.
"""

from __future__ import annotations

import ast

from rewriter.evaluation import begins
from rewriter.patched import PREFIX, private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as Dict


def replace(block: list[ast.stmt], index: int, statements: list[ast.stmt]) -> None:
    """Put *statements* where ``block[index]``, the import statement they were converted from, stands."""
    original = block[index]
    assert isinstance(original, (ast.Import, ast.ImportFrom))
    if isinstance(original, ast.ImportFrom):
        (statement,) = statements
        assert isinstance(statement, ast.ImportFrom)
        assert [(a.name, a.asname) for a in statement.names] == [(a.name, a.asname) for a in original.names]
        original.module = statement.module  # all else, the places of the names included, stays
        return
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, (ast.stmt, ast.alias)):
                ast.copy_location(node, original)
    block[index : index + 1] = statements


def bind(tree: ast.Module, builtins: Dict[str, str]) -> None:
    """Bind the private name of each of *builtins* (name -> its counterpart's place) at the module's start.

    Not before the docstring and the ``__future__`` imports, which must stay first.  The statements stand on the
    line of the one after them, so no tracer sees a line of them.  (Without a position, which is what the compiler
    gives to artificial code, some versions report a line 0.)
    """
    index = docstring(tree)
    while index < len(tree.body) and _is_future(tree.body[index]):
        index += 1
    line = begins(tree.body[index:], in_function=False) or tree.body[index].lineno
    for name, counterpart in builtins.items():
        module, _, attribute = counterpart.rpartition(".")
        alias = ast.alias(attribute, private(name))
        statement = ast.ImportFrom(module, [alias], 0)
        for node in (alias, statement):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
        tree.body.insert(index, statement)


def binds(statement: ast.stmt) -> bool:
    """Whether `bind` made *statement*."""
    return isinstance(statement, ast.ImportFrom) and (statement.names[0].asname or "").startswith(PREFIX)


def first_line(statement: ast.stmt) -> int:
    """The line on which *statement* begins, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def docstring(tree: ast.Module) -> int:
    """How many statements the module's docstring takes: 0 or 1."""
    return int(ast.get_docstring(tree, clean=False) is not None)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
