"""The opening of a module: where statements can stand that run before all others, on no line of their own."""

from __future__ import annotations

import ast
import re

from rewriter import graft
from rewriter.patched import PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rewriter.rendering import Place

# What defines a function without calling anything, if it is all that its head consists of.
_QUIET = (
    *(
        ast.Attribute,
        ast.BinOp,
        ast.Constant,
        ast.Dict,
        ast.List,
        ast.Name,
        ast.Set,
        ast.Subscript,
        ast.Tuple,
    ),
    *(ast.UnaryOp, ast.arg, ast.arguments, ast.expr_context, ast.operator, ast.unaryop),
)
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+", re.ASCII)


def place(lines: list[str], body: list[ast.stmt], code: str) -> tuple[Place, Place, str]:
    """Where the simple statements *code* stand in a module: the place, its end, and the text to put there.

    After the docstring, the ``__future__`` imports, and functions whose definition calls nothing; on a blank line if
    there is one, else before or after a simple statement or before a comment; a line is added if there is nothing.

    Args:
        lines: the module's.
        body: the module's statements.
        code: to stand there.
    """
    index = graft.docstring(ast.Module(body, []))
    while index < len(body) and _is_future(body[index]):
        index += 1
    fixed = index  # what has to stay first, and can be joined to
    while True:
        statement = body[index] if index < len(body) else None
        after = _last_line(body[index - 1]) if index else _heading(lines)
        before = graft.first_line(statement) if statement is not None else len(lines) + 1
        free = [number for number in range(after + 1, before) if not _continues(lines, number)]
        blank = [number for number in free if not lines[number - 1].strip(" \t")]
        if blank:
            number = blank[-1] if statement is not None else blank[0]
            end = "\n" if number == len(lines) else ""
            return (number, 0), (number, len(lines[number - 1])), f"{code}{end}"
        if index and index == fixed:
            assert body[index - 1].end_lineno is not None
            return *_at_end(body[index - 1]), f"; {code}"
        if statement is not None and not is_compound(statement):
            return *_at(statement), f"{code}; "
        for number in reversed(free):
            line = lines[number - 1]
            if line.lstrip(" \t").startswith("#"):
                return (number, 0), (number, len(line) - len(line.lstrip(" \t"))), f"{code}  "
        if isinstance(statement, (ast.Try, ast.TryStar)) and not is_compound(statement.body[0]):
            return *_at(statement.body[0]), f"{code}; "
        if statement is None:
            end_of_file = len(lines), len(lines[-1].encode())
            return end_of_file, end_of_file, f"\n{code}\n"
        if not _only_defines(statement):
            break
        index += 1
    first = graft.first_line(body[index]), 0
    return first, first, f"{code}\n"


def is_compound(statement: ast.stmt) -> bool:
    """Whether *statement* has statements inside, so that nothing can share its line."""
    return hasattr(statement, "body") or isinstance(statement, ast.Match)


def _at(statement: ast.stmt) -> tuple[Place, Place]:
    start = statement.lineno, statement.col_offset
    return start, start


def _at_end(statement: ast.stmt) -> tuple[Place, Place]:
    assert statement.end_lineno is not None
    assert statement.end_col_offset is not None
    end = statement.end_lineno, statement.end_col_offset
    return end, end


def _last_line(statement: ast.stmt) -> int:
    assert statement.end_lineno is not None
    return statement.end_lineno


def _heading(lines: list[str]) -> int:
    """How many lines only a comment can stand on: those up to the one that names the encoding, and a ``#!``."""
    for number in (2, 1):
        if len(lines) >= number and _CODING.match(lines[number - 1]):
            return number
    return int(lines[0].startswith("#!"))


def _continues(lines: list[str], number: int) -> bool:
    return number > 1 and lines[number - 2].endswith("\\")


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _only_defines(statement: ast.stmt) -> bool:
    """Whether *statement* is a function whose definition runs nothing that could need what is bound."""
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) or statement.decorator_list:
        return False
    evaluated = [statement.args, *([statement.returns] if statement.returns else [])]
    return all(
        isinstance(node, _QUIET) and not (isinstance(node, ast.Name) and node.id.startswith(PREFIX))
        for part in evaluated
        for node in ast.walk(part)
    )
