"""The rendering of a conversion: all that runs, as source text that means the same to plain Python.

`Conversion.text` has what was rewritten in place.  What is put into the tree only (bindings of builtins, exchanged
objects, yield points of loops) is written here too, and every line stays the line that it was:

- ``path.open()`` becomes ``_rewriter_exchange(path).open()``;
- a yield point stands before the first statement of its loop, ``A and B; statement``, or before what that evaluates
  first, ``if A and B or (condition):`` (what gives way returns nothing);
- what follows a star import (`stars`) is joined to it with a ``;``;
- bindings take a blank line before the first statement, or stand on a line with another one (`opening`).

A line is added only where none of that can be: a module or a fair loop that begins with a class, say.

The places are read off the converted tree, whose nodes have the original's positions.  In f-strings Python 3.11
does not know them, and ``{x=}`` shows what is written: such strings are written anew from the tree.
"""

from __future__ import annotations

import ast
import sys

from rewriter import graft, loops, methods, opening, stars
from rewriter.patched import PREFIX, private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rewriter.conversion import Conversion

    Place = tuple[int, int]  # line and column, which counts UTF-8 bytes, as in ast

# What comes first where several pieces begin at one place.
_CLOSING, _STATEMENT, _HEAD, _OBJECT, _CALL, _REPLACED = range(6)

_POINT = "{0}.overdue and {0}.give_way()".format(private(loops.NAME))
_WRAPPERS = {private(methods.EXCHANGE), private(methods.OFFLOADED)}
_EXACT = sys.version_info >= (3, 12)  # positions inside f-strings
# What a compound statement evaluates first.
_HEADS: dict[type[ast.AST], str] = {
    ast.AsyncFor: "iter",
    ast.For: "iter",
    ast.If: "test",
    ast.Match: "subject",
    ast.While: "test",
}


class Unwritable(Exception):
    """A place of the tree that no text of as many lines gives."""


class Piece:
    """Text that takes the place of what is between *start* and *end*; *rank* orders pieces of one start."""

    __slots__ = ("end", "rank", "start", "text")

    def __init__(self, start: Place, end: Place, text: str, *rank: int) -> None:
        self.start = start
        self.end = end
        self.text = text
        self.rank = rank


def rendered(conversion: Conversion, first: Sequence[str] = ()) -> str:
    """The whole converted text of *conversion*, with the statements *first* before all others.

    Raises Unwritable.
    """
    lines = conversion.original.split("\n")
    encoded = [line.encode() for line in lines]
    bound = [statement for statement in conversion.tree.body if graft.binds(statement)]
    body = [statement for statement in conversion.tree.body if not graft.binds(statement)]
    pieces = _Pieces(encoded, {(edit.start, edit.end) for edit in conversion.edits})
    pieces.read(body)
    for edit in conversion.edits:
        if not pieces.covers(edit.start):
            rank = _CALL if edit.start == edit.end else _REPLACED
            pieces.append(Piece(edit.start, edit.end, edit.replacement, rank))
    statements = [*first, *map(ast.unparse, bound)]
    if statements:
        start, end, text = opening.place(lines, body, "; ".join(statements))
        pieces.append(Piece(start, end, text, _STATEMENT))
    return _joined(encoded, pieces)


def _joined(lines: list[bytes], pieces: list[Piece]) -> str:
    for piece in sorted(pieces, key=lambda piece: (piece.start, piece.rank), reverse=True):
        (first, start), (last, end) = piece.start, piece.end
        middle = piece.text.encode().split(b"\n")
        tail = lines[last - 1][end:]
        middle[0] = lines[first - 1][:start] + middle[0]
        middle[-1] += tail
        lines[first - 1 : last] = middle
    return b"\n".join(lines).decode()


class _Pieces(list[Piece]):
    """What is in a tree and not in its text."""

    def __init__(self, lines: list[bytes], edited: set[tuple[Place, Place]]) -> None:
        super().__init__()
        self._lines = lines
        self._edited = edited
        self._strings: list[tuple[Place, Place]] = []  # written anew

    def covers(self, place: Place) -> bool:
        """Whether *place* is in a string that is written anew."""
        return any(start <= place < end for start, end in self._strings)

    def read(self, body: list[ast.stmt]) -> None:
        """Find all of them at or below *body*."""
        stack: list[ast.AST] = list(body)
        while stack:
            node = stack.pop()
            if isinstance(node, ast.JoinedStr):
                if self._string(node):
                    continue
            elif isinstance(node, ast.Assign) and stars.follows(node):
                self._insert(_end(node), f"; {ast.unparse(node)}", _STATEMENT)
                continue
            elif _is_wrapper(node):
                node = self._object(node)
                stack.append(node)
                continue
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)) and _is_point(node.body[0]):
                self._loop(node.body[1])
                children = ast.iter_child_nodes(node)
                stack += [child for child in children if child is not node.body[0]]
                continue
            stack += ast.iter_child_nodes(node)

    def _insert(self, place: Place, text: str, *rank: int) -> None:
        line, column = place
        before = self._lines[line - 1][:column][-1:]
        # What follows a keyword at once, as in `return[x][0].open()`, would become part of it.
        gap = (
            " "
            if before and rank[0] != _CLOSING and (before.isalnum() or before in b"_" or before > b"\x7f")
            else ""
        )
        self.append(Piece(place, place, gap + text, *rank))

    def _object(self, node: ast.AST) -> ast.expr:
        """Wrap what stands in the wrappers that *node* is the outermost of; returns it."""
        before, after = "", ""
        while _is_wrapper(node):
            assert isinstance(node, ast.Call)
            before += f"{ast.unparse(node.func)}("
            after = "".join(f", {ast.unparse(argument)}" for argument in node.args[1:]) + ")" + after
            node = node.args[0]
        assert isinstance(node, ast.expr)
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            before, after = f"{before}(", f"){after}"
        line, column = _end(node)
        self._insert((node.lineno, node.col_offset), before, _OBJECT, -line, -column)
        self._insert((line, column), after, _CLOSING)
        return node

    def _loop(self, statement: ast.stmt) -> None:
        """Write the yield point of a loop whose first statement is *statement*."""
        while isinstance(statement, (ast.Try, ast.TryStar)):
            statement = statement.body[0]
        head = _head(statement)
        if head is not None:
            self._insert((head.lineno, head.col_offset), f"{_POINT} or (", _HEAD)
            self._insert(_end(head), ")", _CLOSING)
            return
        place = graft.first_line(statement), statement.col_offset
        if opening.is_compound(statement):
            indent = self._lines[place[0] - 1][: place[1]].decode()
            self._insert(place, f"{_POINT}\n{indent}", _STATEMENT)
        else:
            self._insert(place, f"{_POINT}; ", _STATEMENT)

    def _string(self, string: ast.JoinedStr) -> bool:
        """Write *string* anew if something in it differs from what is written, and its places are not to be had."""
        if not any(isinstance(node, ast.Name) and node.id.startswith(PREFIX) for node in ast.walk(string)):
            return True
        start, end = (string.lineno, string.col_offset), _end(string)
        whole = (start, end) in self._edited
        if _EXACT and not whole and not any(_shows_text(node) for node in ast.walk(string)):
            return False
        try:
            text = ast.unparse(string)
        except ValueError as error:
            raise Unwritable(f"line {string.lineno}: {error}") from None
        missing = end[0] - start[0] - text.count("\n")
        if missing < 0:
            raise Unwritable(f"line {string.lineno}: an f-string of more lines than there are")
        self._strings.append((start, end))
        self.append(Piece(start, end, f"({text}{chr(10) * missing})", _REPLACED))
        return True


def _is_wrapper(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WRAPPERS


def _is_point(statement: ast.stmt) -> bool:
    test = statement.test if isinstance(statement, ast.If) else None
    value = test.value if isinstance(test, ast.Attribute) else None
    return isinstance(value, ast.Name) and value.id == private(loops.NAME)


def _head(statement: ast.stmt) -> ast.expr | None:
    """The expression of a compound *statement* that is evaluated first, if it has one."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    if decorators:
        return decorators[0]
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return statement.items[0].context_expr
    head: ast.expr | None = getattr(statement, _HEADS.get(type(statement), ""), None)
    return head


def _shows_text(node: ast.AST) -> bool:
    """Whether *node* is an f-string that may have a ``{x=}``."""
    if not isinstance(node, ast.JoinedStr):
        return False
    return any(
        isinstance(value, ast.Constant) and str(value.value).rstrip().endswith("=") for value in _before(node)
    )


def _before(string: ast.JoinedStr) -> Iterator[ast.expr]:
    """The parts of *string* that something is put in after."""
    for value, following in zip(string.values, string.values[1:], strict=False):
        if isinstance(following, ast.FormattedValue):
            yield value


def _end(node: ast.expr | ast.stmt) -> Place:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset
