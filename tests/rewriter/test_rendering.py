"""What is rendered means what runs: compiled plainly, it gives the converted tree, on the same lines."""

from __future__ import annotations

import ast
import sys
import warnings
from pathlib import Path

import pytest

from rewriter import graft
from rewriter.conversion import Conversion, convert
from rewriter.mapping import Mapping, standard
from rewriter.rendering import Unwritable, rendered
from rewriter.settings import Settings
from tests.rewriter.test_conversion import LIBRARY, SHAPES, library_files

OFFLOAD = ("os.stat", "os.path.join", "re.compile", "lib.slow", "any.Thing.append", "any.Thing.get")
EVERYTHING = standard(settings=Settings(offload=OFFLOAD, fair=True))
FAIRNESS = "_rewriter_fairness"


class Apart(ast.NodeTransformer):
    """Takes out bindings and yield points, in the tree's form and the text's, and counts the points."""

    def __init__(self) -> None:
        self.points = 0
        self.bound: list[str] = []

    def of(self, tree: ast.AST) -> str:
        found = self.visit(tree)
        for node in ast.walk(found):
            if isinstance(node, ast.Constant):
                node.kind = None
        return ast.dump(found)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        if not graft.binds(node):
            return node
        self.bound.append(ast.unparse(node))
        return None

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if FAIRNESS in ast.unparse(node.test) and isinstance(node.test, ast.Attribute):
            self.points += 1
            return None
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if self._is_point(node.value):
            self.points += 1
            return None
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        if isinstance(node.op, ast.Or) and self._is_point(node.values[0]):
            self.points += 1
            (_, own) = node.values
            return self.visit(own)  # type: ignore[no-any-return]
        return self.generic_visit(node)

    @staticmethod
    def _is_point(node: ast.expr) -> bool:
        return (
            isinstance(node, ast.BoolOp)
            and isinstance(node.op, ast.And)
            and ast.unparse(node) == f"{FAIRNESS}.overdue and {FAIRNESS}.give_way()"
        )


def same(conversion: Conversion, *, more: int = 0) -> str:
    """The text of *conversion*, which has as many lines as the original and *more*, and gives its tree."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = rendered(conversion)
        tree = ast.parse(text)
        compile(text, "x.py", "exec", dont_inherit=True)
    written, runs = Apart(), Apart()
    assert written.of(tree) == runs.of(conversion.tree)
    assert (written.points, sorted(written.bound)) == (runs.points, sorted(runs.bound))
    added = text.rstrip("\n").count("\n") - conversion.original.rstrip("\n").count("\n")
    at_the_end = " as _rewriter_" in text.rstrip("\n").rpartition("\n")[2]
    assert added == more or (at_the_end and added <= 1)
    return text


@pytest.mark.parametrize("path", library_files(), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_the_library_rendered_means_what_runs(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return
        conversion = convert(path.read_bytes(), str(path), EVERYTHING)
    lines = rendered(conversion).count("\n") - conversion.original.count("\n")
    assert lines <= 3
    same(conversion, more=lines)


@pytest.mark.parametrize("shape", SHAPES)
def test_odd_shapes(shape: str) -> None:
    begins_with_if = shape == "tabs"
    same(convert(SHAPES[shape], "x.py", EVERYTHING), more=int(begins_with_if))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("p.open()", "_rewriter_exchange(p).open()"),
        ("p.open().open()", "_rewriter_exchange(_rewriter_exchange(p).open()).open()"),
        ("(a / b).open()", "(_rewriter_exchange(a / b)).open()"),
        ("(a) / b.open()", "(a) / _rewriter_exchange(b).open()"),
        ("p[open].open()", "_rewriter_exchange(p[_rewriter_open]).open()"),
        ("open(x).open()", "_rewriter_exchange(_rewriter_open(x)).open()"),
        ("def f(): return[p][0].open()", "def f(): return _rewriter_exchange([p][0]).open()"),
        ("def f(): (yield p).open()", "def f(): (_rewriter_exchange((yield p))).open()"),
        ("(p := q).open()", "(_rewriter_exchange(p := q)).open()"),
        ("x.get(1)", "_rewriter_offloaded(x, 'any.Thing.get').get(1)"),
        ("f'é{p.open()}'", None),
        ("f'{p.open()=} {x.get(1)}'", None),
        ("f'{open(1)} {p.open()}'; y = p.open()", None),
        ("f'{ｏｐｅｎ(1)} {p.open()}'", None),  # noqa: RUF001
        ("(f'{p.open()}'\n f'{q.open()}'); y = p.open()", None),
        ("f'''{p.open()}\n{q.open()}''', p.open()", None),
        (
            "import lib\nlib.slow(1).open()",
            "import lib\n_rewriter_exchange(_rewriter_offload(lib.slow, 1)).open()",
        ),
        ("import lib\nf'{lib.slow(1)}'", None),
    ],
)
def test_what_is_exchanged_is_written_where_it_stands(source: str, expected: str | None) -> None:
    mapping = standard(settings=Settings(offload=OFFLOAD))
    text = same(convert(f"'doc'\n\n{source}", "x.py", mapping))
    assert "_rewriter_" in text.partition("\n")[2].partition("\n")[2]
    if expected is not None:
        assert text.partition("\n")[2].partition("\n")[2] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = open", "B; x = _rewriter_open"),
        ("\nx = open", "B\nx = _rewriter_open"),
        ("'doc'\nx = open", "'doc'; B\nx = _rewriter_open"),
        ("'doc'; x = open", "'doc'; B; x = _rewriter_open"),
        ("'doc' # c\nif open: pass", "'doc'; B # c\nif _rewriter_open: pass"),
        (
            "from __future__ import (\n annotations)\nopen",
            "from __future__ import (\n annotations); B\n_rewriter_open",
        ),
        ("'doc'\n\nfrom __future__ import annotations\n\n\n@a\ndef f(): open", None),
        ("# c\nif open: pass", "B  # c\nif _rewriter_open: pass"),
        ("#!x\n# coding: utf-8\n# c\nif open: pass", "#!x\n# coding: utf-8\nB  # c\nif _rewriter_open: pass"),
        ("#!x\nopen", "#!x\nB; _rewriter_open"),
        ("'doc' \\\n\nopen", "'doc'; B \\\n\n_rewriter_open"),
        ("try:\n    open\nexcept E: pass", "try:\n    B; _rewriter_open\nexcept E: pass"),
        ("def f(a, b=None): open\nf()", "def f(a, b=None): _rewriter_open\nB; f()"),
        ("def f(): open", "def f(): _rewriter_open\nB\n"),
        ("def f(): open\n", "def f(): _rewriter_open\nB\n"),
        ("def f(): pass\n\nclass C: open", "def f(): pass\nB\nclass C: _rewriter_open"),
    ],
)
def test_bindings_take_no_line(source: str, expected: str | None) -> None:
    mapping = Mapping((), {"open": "m.open"})
    text = same(convert(source, "x.py", mapping))
    if expected is not None:
        assert text.replace("from m import open as _rewriter_open", "B") == expected


@pytest.mark.parametrize(
    "source",
    [
        "class C: open",
        "if open: pass",
        "for x in open(1): pass",
        "def f(a=open): pass\n",
        "@open\ndef f(): pass\n",
    ],
)
def test_a_line_is_added_only_where_there_is_no_place(source: str) -> None:
    text = same(convert(source, "x.py", Mapping((), {"open": "m.open"})), more=1)
    assert text.startswith("from m import open as _rewriter_open\n")


@pytest.mark.parametrize(
    ("source", "added"),
    [
        ("while a: b", 0),
        ("while a:\n b", 0),
        ("while a:\n\tif(b): c", 0),
        ("while a:\n if b or c: d", 0),
        ("while a:\n for x in *y, z:\n  for w in x.open(): d", 0),
        ("while a:\n try:\n  with b, c as d: pass\n finally: pass", 0),
        ("while a:\n with (b as c, d): pass", 0),
        ("while a:\n match b, c:\n  case 1: pass", 0),
        ("while a:\n @b\n @c\n class D: pass", 0),
        ("while a:\n while (b := c): d", 0),
        ("def f():\n while a:\n  if (yield b): c", 0),
        ("async def f():\n async for a in b:\n  async with c: d", 0),
        ("while a:\n import os, re", 0),
        ("while a:\n 'text'.x; y", 0),
        ("while a:\n class D: pass", 1),
        ("while a:\n\tdef d(): pass\n", 1),
    ],
)
def test_yield_points_take_no_line(source: str, added: int) -> None:
    text = same(convert(f"\n{source}", "x.py", EVERYTHING), more=added)
    assert text.count(f"{FAIRNESS}.give_way()") == text.count("for ") + text.count("while ")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="f-strings have places since then")
def test_an_f_string_that_cannot_be_written_is_said() -> None:
    with pytest.raises(Unwritable, match="line 2"):
        rendered(convert("\nf\"{open('\xa0').read()} {p.open()}\"", "x.py", standard()))
