"""Skip comments: ``# rewriter: skip`` leaves something as it is.

| where it stands | what it leaves |
|---|---|
| before the first statement of the file (a docstring is none) | the file |
| in a simple statement, on any of its lines | the statement, and what shares its last line by ``;`` |
| at the head of a compound statement, or on a decorator | all of it, its other clauses included |
| at ``else``, ``elif``, ``except``, ``finally`` or ``case`` | that clause |
| on a line of its own anywhere else | nothing |

Read off Python's tokens, which know lines, heads and blocks alike; the syntax tree does not know where an ``else`` is.
"""

from __future__ import annotations

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from tokenize import TokenInfo

SKIP = "rewriter: skip"
_CLAUSES = frozenset({"elif", "else", "except", "finally"})  # that go on with a statement, at its own depth


class _Line:
    """A logical line: the first word, the physical lines, the depth of its block, whether a skip comment is in it."""

    __slots__ = ("depth", "first", "last", "skip", "word")

    def __init__(self, token: TokenInfo, depth: int) -> None:
        self.word = token.string
        self.first = self.last = token.start[0]
        self.depth = depth
        self.skip = False


def skipped_lines(text: str, first: int) -> set[int]:
    """The lines of *text* that skip comments leave as they are; *first* is where its first statement begins.

    A statement is left alone as a whole or not at all.
    """
    if SKIP not in text:
        return set()
    lines = list(_logical_lines(text, first))
    if any(line.word == "" for line in lines):
        return set(range(1, text.count("\n") + 2))
    skipped: set[int] = set()
    for index, line in enumerate(lines):
        if line.skip:
            start = _start(lines, index)
            end = _end(lines, start)
            skipped.update(range(lines[start].first, lines[end].last + 1))
    return skipped


def _logical_lines(text: str, first: int) -> Iterator[_Line]:
    """The logical lines of *text*; one without a word for a skip comment that leaves the file."""
    import tokenize

    depth = 0
    line: _Line | None = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if SKIP not in token.string:
                continue
            if token.start[0] < first:
                yield _Line(token._replace(string=""), depth)
            if line is not None:
                line.skip = True
        elif token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type == tokenize.NEWLINE:
            if line is not None:
                line.last = token.start[0]
                yield line
            line = None
        elif token.type not in (tokenize.NL, tokenize.ENDMARKER) and line is None:
            line = _Line(token, depth)


def _start(lines: list[_Line], index: int) -> int:
    """The index of the first decorator of what *lines* [*index*] is the head of, or a decorator."""
    while index and lines[index - 1].word == "@" and lines[index - 1].depth == lines[index].depth:
        index -= 1
    return index


def _end(lines: list[_Line], index: int) -> int:
    """The index of the last line of what *lines* [*index*] begins."""
    head = lines[index]
    decorates = head.word == "@"
    for end in range(index + 1, len(lines)):
        line = lines[end]
        if line.depth > head.depth:
            continue
        if line.depth == head.depth:
            if decorates:  # up to the function or class
                decorates = line.word == "@"
                continue
            if line.word in _CLAUSES and head.word not in _CLAUSES:
                continue
        return end - 1
    return len(lines) - 1
