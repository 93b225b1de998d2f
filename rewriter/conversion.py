"""A conversion: the source of one module in; its converted text, and the syntax tree to compile, out.

    bytes -> does any mapped name occur? -> tree of the original -> what to rewrite -> text of each such place
          -> converted text (same lines)  and  converted tree (original positions)

The text of a rewritten place comes from the transformer; its tree is parsed from that text and grafted into
the tree of the original (graft.py).  So positions are the original's by construction, and whatever was not
rewritten is the very tree that Python made of the original: one parse, each SyntaxWarning once.

The bindings of replaced builtins (``from runtime.green.builtins import open as _rewriter_open``) are a
statement of the tree, after the docstring and the ``__future__`` imports, without a position.  Rejected:
text before the first statement, which ``;`` cannot join to a compound statement and no added line may hold;
and an injection by the loader, which code that is compiled but run by others (``runpy``, a debugger) would
miss.
"""

from __future__ import annotations

import ast
import io
import re
import unicodedata
from importlib.util import decode_source

from rewriter import graft, loops, methods, offloading, stars
from rewriter.mapping import Mapping
from rewriter.names import builtin_loads
from rewriter.patched import private
from rewriter.skips import skipped_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Edit:
    """A place of the original and what stands there instead.  Columns count UTF-8 bytes, as in ast."""

    __slots__ = ("end", "replacement", "start")

    def __init__(self, start: tuple[int, int], end: tuple[int, int], replacement: str) -> None:
        self.start = start
        self.end = end
        self.replacement = replacement

    @classmethod
    def of(cls, node: ast.stmt | ast.expr, replacement: str) -> Edit:
        """*replacement* takes the place of *node*."""
        return cls((node.lineno, node.col_offset), _end(node), replacement)

    def __repr__(self) -> str:
        return f"<Edit {self.start}-{self.end} {self.replacement!r}>"


class Conversion:
    """What became of one source.

    tree: to compile; every position is the original's.
    edits: the places rewritten, in no order; empty when nothing was.
    builtins: the replaced builtin names that the tree binds at its start (the text does not).
    exchanged: how many calls of methods in the tree ask what their object is (those in the text do not).
    fair: the loops of the tree have yield points (those of the text do not).
    """

    __slots__ = ("builtins", "edits", "exchanged", "fair", "mapping", "original", "tree")

    def __init__(self, original: str, tree: ast.Module, mapping: Mapping) -> None:
        self.original = original
        self.tree = tree
        self.mapping = mapping
        self.edits: list[Edit] = []
        self.builtins: set[str] = set()
        self.exchanged = 0
        self.fair = False

    def text(self) -> str:
        """The converted text, with the original's lines and line ends."""
        lines = [line.encode() for line in self.original.split("\n")]
        for edit in sorted(self.edits, key=lambda edit: edit.start, reverse=True):
            (first, start), (last, end) = edit.start, edit.end
            head, tail = lines[first - 1][:start], lines[last - 1][end:]
            middle = edit.replacement.encode().split(b"\n")
            assert len(middle) == last - first + 1, "a replacement has as many lines as what it replaces"
            middle[0] = head + middle[0]
            middle[-1] += tail
            lines[first - 1 : last] = middle
        return "\n".join(line.decode() for line in lines)


def convert(source: bytes | str, path: str, mapping: Mapping, *, package: str = "") -> Conversion:
    """Convert *source*, found at *path* (which warnings and errors name), of a module in *package*.

    Raises SyntaxError where Python does, and whatever the transformer fails with.
    """
    tree = compile(source, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    text = _decoded(source)
    mapping = mapping.seen_by(text.encode())
    conversion = Conversion(text, tree, mapping)
    imports = [place for place in _statements(tree.body) if _changes(place[0][place[1]], mapping)]
    loads = builtin_loads(tree, _written(mapping.builtins, text))
    calls = offloading.calls(tree, mapping.offload, package) if mapping.offload else []
    called = _method_calls(tree, text, mapping, calls)
    if not imports and not loads and not calls and not called and not mapping.fair:
        return conversion
    first = next((graft.first_line(statement) for statement in tree.body[graft.docstring(tree) :]), 0)
    skipped = skipped_lines(text, first)
    if skipped:
        imports = [place for place in imports if place[0][place[1]].lineno not in skipped]
        loads = [name for name in loads if name.lineno not in skipped]
        calls = [call for call in calls if call.lineno not in skipped]
        called = [call for call in called if call.lineno not in skipped]
    if imports:
        _convert_imports(conversion, imports)
    bindings: dict[str, str] = {}
    if loads:
        _convert_loads(conversion, loads)
        bindings = {name: mapping.builtins[name] for name in sorted(conversion.builtins)}
        if stars.follow(tree, conversion.builtins):
            bindings[stars.NAME] = stars.PLACE
    if calls:
        _convert_calls(conversion, calls)
        bindings[offloading.NAME] = offloading.PLACE
    for call in called:
        bindings |= methods.exchange(call, mapping.methods, mapping.offload_methods)
        conversion.exchanged += 1
    if mapping.fair and loops.make_fair(tree, skipped):
        conversion.fair = True
        bindings[loops.NAME] = loops.PLACE
    if bindings:
        graft.bind(tree, bindings)
    return conversion


def _written(names: Iterable[str], text: str) -> list[str]:
    """Those of *names* that stand in *text*: most modules use none, and need no search of the tree."""
    if not text.isascii():
        return list(names)  # which may be written in other letters: identifiers are normalized
    return [name for name in names if re.search(rf"\b{name}\b", text)]


def _decoded(source: bytes | str) -> str:
    if isinstance(source, str):
        return io.IncrementalNewlineDecoder(None, True).decode(source)
    return decode_source(source)


# Imports.

_Place = tuple[list[ast.stmt], int]


def _statements(body: list[ast.stmt]) -> Iterator[_Place]:
    """Every statement at or below *body*, as the list that holds it and its index, innermost last."""
    stack = [body]
    while stack:
        block = stack.pop()
        for index, statement in enumerate(block):
            yield block, index
            for holder in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                for field in ("body", "orelse", "finalbody"):
                    inner = getattr(holder, field, None)
                    if isinstance(inner, list):
                        stack.append(inner)


def _changes(statement: ast.stmt, mapping: Mapping) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.level == 0 and statement.module in mapping.modules
    return isinstance(statement, ast.Import) and any(
        mapping.import_changes(alias.name, alias.asname) for alias in statement.names
    )


def _convert_imports(conversion: Conversion, places: list[_Place]) -> None:
    from rewriter.transform import import_statement

    lines = [line.encode() for line in conversion.original.split("\n")]
    # Backwards, so that an index stays right while the statements after it multiply.
    for block, index in sorted(places, key=lambda place: place[1], reverse=True):
        statement = block[index]
        edit = Edit.of(statement, import_statement(_segment(lines, statement), conversion.mapping))
        graft.replace(block, index, ast.parse(edit.replacement).body)
        conversion.edits.append(edit)


def _end(node: ast.stmt | ast.expr) -> tuple[int, int]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset


def _segment(lines: list[bytes], node: ast.stmt | ast.expr) -> str:
    assert node.end_lineno is not None
    inside = lines[node.lineno - 1 : node.end_lineno]
    inside[-1] = inside[-1][: node.end_col_offset]
    inside[0] = inside[0][node.col_offset :]
    return b"\n".join(inside).decode()


# Names.


def _convert_loads(conversion: Conversion, loads: list[ast.Name]) -> None:
    lines = [line.encode() for line in conversion.original.split("\n")]
    inside = _in_formatted_strings(conversion.tree, loads, lines)
    for name in loads:
        if id(name) not in inside:
            conversion.edits.append(Edit.of(name, private(name.id)))
    strings = {id(string): string for string in inside.values()}
    for key, string in strings.items():
        from rewriter.transform import formatted_string

        held = {id(name) for name in loads if id(name) in inside and inside[id(name)] is string}
        called = {name.id for name in loads if id(name) in held}
        every = {id(node) for node in ast.walk(string) if isinstance(node, ast.Name) and node.id in called}
        if every != held:  # also the name of something else in here: no telling which is which
            loads = [name for name in loads if id(name) not in held]
            continue
        text = formatted_string(_segment(lines, string), conversion.mapping, sorted(called))
        conversion.edits.append(Edit.of(strings[key], text))
    for name in loads:
        conversion.builtins.add(name.id)
        name.id = private(name.id)


def _in_formatted_strings(
    tree: ast.Module, loads: list[ast.Name], lines: list[bytes]
) -> dict[int, ast.JoinedStr]:
    """The names without a position of their own (before Python 3.12), each with the f-string it stands in."""
    lost = {id(name) for name in loads if unicodedata.normalize("NFKC", _segment(lines, name)) != name.id}
    found: dict[int, ast.JoinedStr] = {}
    exact = _positions_in_formatted_strings()
    if exact and not lost:
        return found
    wanted = lost if exact else {id(name) for name in loads}
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.JoinedStr):
            found.update((id(inner), node) for inner in ast.walk(node) if id(inner) in wanted)
        else:
            stack.extend(ast.iter_child_nodes(node))
    return found


def _positions_in_formatted_strings() -> bool:
    import sys

    return sys.version_info >= (3, 12)


# Calls.


def _convert_calls(conversion: Conversion, calls: list[ast.Call]) -> None:
    """``f(x)`` becomes ``offload(f, x)``: something before the function, and a comma for the parenthesis."""
    lines = [line.encode() for line in conversion.original.split("\n")]
    offload = private(offloading.NAME)
    unplaced = set() if _positions_in_formatted_strings() else _formatted(conversion.tree, calls)
    for call in calls:
        function = call.func
        call.func = ast.copy_location(ast.Name(offload, ast.Load()), function)
        arguments = call.args[:]
        call.args.insert(0, function)
        if id(call) in unplaced:
            continue  # its text could not be told from what stands around it; the tree is what runs
        line, column = _opening(lines, _end(function))
        last, close = _end(call)
        rest = ", " if arguments or call.keywords else ""
        if len(arguments) == 1 and isinstance(arguments[0], ast.GeneratorExp) and not call.keywords:
            argument = arguments[0]
            if (argument.lineno, argument.col_offset) == (line, column):  # the parentheses are both's
                rest = ", ("
                conversion.edits.append(Edit((last, close - 1), (last, close), "))"))
        start = (call.lineno, call.col_offset)
        conversion.edits.append(Edit(start, start, f"{offload}("))
        conversion.edits.append(Edit((line, column), (line, column + 1), rest))


def _formatted(tree: ast.Module, calls: list[ast.Call]) -> set[int]:
    """Those of *calls*, by their ids, that stand in f-strings."""
    wanted = set(map(id, calls))
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))
    return {id(node) for string in strings for node in ast.walk(string) if id(node) in wanted}


def _opening(lines: list[bytes], place: tuple[int, int]) -> tuple[int, int]:
    """Where the parenthesis after *place* opens; between them may be white space, comments and ``)``."""
    number, column = place
    while True:
        line = lines[number - 1]
        code = line[column:].partition(b"#")[0]
        found = code.find(b"(")
        if found >= 0:
            return number, column + found
        number, column = number + 1, 0


def _method_calls(tree: ast.Module, text: str, mapping: Mapping, calls: list[ast.Call]) -> list[ast.Call]:
    """The calls of methods that ask what their object is; not those of *calls*, of which it is known."""
    names = [name for name in mapping.methods | mapping.offload_methods.keys() if name in text]
    if not names:
        return []
    known = set(map(id, calls))
    return [call for call in methods.calls(tree, names) if id(call) not in known]
