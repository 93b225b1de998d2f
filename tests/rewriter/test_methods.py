"""Calls of methods that ask what their object is: which ones, in the same order, at the same places."""

from __future__ import annotations

import ast
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from rewriter import graft
from rewriter.conversion import Conversion, convert
from rewriter.mapping import Mapping, standard
from rewriter.settings import Settings
from tests.rewriter.conftest import Run
from tests.rewriter.sameness import codes, lines, places, same_code
from tests.rewriter.test_conversion import library_files

METHODS = frozenset({"open", "read"})
MAPPING = Mapping((), {}, Settings(offload=["a.B.save", "c.d.save", "a.P.open", "a.other"]), METHODS)
E = "_rewriter_exchange"
O = "_rewriter_offloaded"  # noqa: E741


def statements(conversion: Conversion) -> list[ast.stmt]:
    """Those of the tree that the source has, too."""
    return [statement for statement in conversion.tree.body if not graft.binds(statement)]


class _Undo(ast.NodeTransformer):
    """Takes out what was put in."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return node.args[0] if isinstance(node.func, ast.Name) and node.func.id in (E, O) else node


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("p.open()", f"{E}(p).open()"),
        ("x = p.read(1, *a, b=2, **c)", f"x = {E}(p).read(1, *a, b=2, **c)"),
        ("p.open().read()", f"{E}({E}(p).open()).read()"),
        ("(p / 'x').open()", f"{E}(p / 'x').open()"),
        ("p.q[0].open(p.open())", f"{E}(p.q[0]).open({E}(p).open())"),
        ("(p := x).open()", f"{E}((p := x)).open()"),
        ("(p.open)()", f"{E}(p).open()"),
        ("(x for x in y).open()", f"{E}((x for x in y)).open()"),
        ("async def f(): await p.open()", f"async def f(): await {E}(p).open()"),
        ("async def f(): (await p).open()", f"async def f(): {E}(await p).open()"),
        ("def f(): (yield).open()", f"def f(): {E}((yield)).open()"),
        ("f'{p.read()!r:{q.read()}} {p.x}'", f"f'{{{E}(p).read()!r:{{{E}(q).read()}}}} {{p.x}}'"),
        ("@p.open()\ndef f(x=p.read()): pass", f"@{E}(p).open()\ndef f(x={E}(p).read()): pass"),
        ("p.open().x += 1", f"{E}(p).open().x += 1"),
        ("del p.open().x, p.open()[0]", f"del {E}(p).open().x, {E}(p).open()[0]"),
        ("p.open()[0], q = 1, 2", f"{E}(p).open()[0], q = 1, 2"),
        ("with p.open() as f: f.read()", f"with {E}(p).open() as f: {E}(f).read()"),
        ("class A:\n def m(self): super().open()", f"class A:\n def m(self): {E}(super()).open()"),
        ("[p.open() for p in q.open()]", f"[{E}(p).open() for p in {E}(q).open()]"),
        ("lambda: p.open()", f"lambda: {E}(p).open()"),
        ("x: int = p.read()", f"x: int = {E}(p).read()"),
        ("b.save(1)", f"{O}({O}(b, 'a.B.save'), 'c.d.save').save(1)"),
    ],
)
def test_the_object_of_a_call_is_exchanged(source: str, expected: str) -> None:
    """Wherever the call stands; the text stays."""
    wanted = MAPPING if "save" in source else Mapping((), {}, methods=METHODS)
    conversion = convert(source, "x.py", wanted)
    found = ast.Module(statements(conversion), [])
    assert ast.unparse(found) == ast.unparse(ast.parse(expected))
    assert conversion.text() == source
    assert conversion.exchanged == expected.count(f"{E}(") + source.count(".save")
    undone = _Undo().visit(found)
    assert ast.dump(undone, include_attributes=True) == ast.dump(ast.parse(source), include_attributes=True)


@pytest.mark.parametrize(
    "source",
    [
        "open(p)",
        "p.open",
        "f = p.open",
        "p.opens()",
        "p.open[0]()",
        "p.open.x()",
        "p.open = 1",
        "del p.open",
        "map(p.read, q)",
        "'x'.read()",
        "f'{x}'.read()",
        "[p].read()",
        "('%s' % p).read()",
        "match p:\n    case q.open():\n        pass",
        "def f(x: p.open(), *a: p.open()) -> p.open(): pass",
        "x: p.open()",
        "p.open()  # rewriter: skip",
        "with p.open() as f:  # rewriter: skip\n    pass",
        "# rewriter: skip\np.open()",
        "x.other()",
        *(["type X = p.open()", "def f[T: p.open()](): pass"] if sys.version_info >= (3, 12) else []),
    ],
)
def test_anything_else_stays(source: str) -> None:
    """Attributes that are not called, other names, what a comment leaves alone, and annotations, which are read."""
    conversion = convert(source, "x.py", MAPPING)
    assert not conversion.exchanged
    assert ast.dump(conversion.tree) == ast.dump(ast.parse(source))


def test_what_is_offloaded_by_its_name_asks_nothing() -> None:
    """And a call that is both offloaded and exchanged is offloaded."""
    conversion = convert("from a import B\nB.save(1)\np.open()", "x.py", MAPPING)
    said = [ast.unparse(statement) for statement in statements(conversion)]
    assert said == ["from a import B", "_rewriter_offload(B.save, 1)", f"{E}({O}(p, 'a.P.open')).open()"]


def test_what_is_bound_is_what_is_used() -> None:
    """One name for each of the two, in the modules that use it."""
    for source, names in (("p.open()", {E, O}), ("p.read()", {E}), ("p.save()", {O}), ("p.other()", set())):
        bound = {
            alias.asname
            for statement in convert(source, "x.py", MAPPING).tree.body
            if graft.binds(statement)
            for alias in statement.names  # type: ignore[attr-defined]
        }
        assert bound == names


def test_the_table_s_methods_are_exchanged_by_default() -> None:
    """In modules that import nothing, too; and the cache knows of them."""
    source = b"def f(p): return p.read_text()"
    assert standard().mentioned(source)
    assert convert(source, "x.py", standard()).exchanged == 1
    assert Mapping((), {}, methods={"open"}).tag != Mapping((), {}).tag


# Places.  Names that are called so often that any file of the library shows something.
NAMES = (
    "add",
    "append",
    "close",
    "encode",
    "find",
    "format",
    "get",
    "group",
    "items",
    "join",
    "pop",
    "read",
    "split",
)
COMMON = Mapping((), {}, methods=NAMES)


@pytest.mark.parametrize("path", library_files()[::3], ids=lambda path: path.name)
def test_every_place_of_the_library_s_code_is_the_original_s(path: Path) -> None:
    """A traceback shows the same carets, a tracer the same lines."""
    source = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            plain = compile(source, "x.py", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return
        tree = convert(source, "x.py", COMMON).tree
        converted = compile(tree, "x.py", "exec", dont_inherit=True)
    same_code(plain, converted)


SHAPES = [
    "p.open(\n 1,\n 2)",
    "(p\n .open()\n .read(\n 1))",
    "(\np\n).open()",
    "(p or\n q).open()",
    "(p if\n q else\n r).open(\n)",
    "(p\n / q\n / r).open(1)",
    "f(p)(\n1).open()",
    "p[\n0].open(1)",
    "(p.\n open)(\n 1)",
    "(not\n p).open()",
    "p.q\\\n.open()",
    "(x for x in\n p).open()",
    "(p\n .x\n .open(**k))",
    "(p\n .x\n .open(*a))",
    "(p.x()\n .open(k=1)\n .read())",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_call_over_several_lines_keeps_its_places(shape: str) -> None:
    source = f"def f(p, q, r, f, a, k):\n{textwrap.indent(shape, ' ')}\n return p"
    plain = compile(source, "x.py", "exec").co_consts[0]
    tree = convert(source, "x.py", Mapping((), {}, methods=METHODS)).tree
    (converted,) = (code for code in codes(compile(tree, "x.py", "exec")) if code.co_name == "f")
    assert lines(converted) == lines(plain)
    assert places(converted) == places(plain)


class Recorder:
    """Writes down what is done with it."""

    def __init__(self, log: list[str], name: str = "") -> None:
        self._log, self._name = log, name

    def __getattr__(self, name: str) -> Recorder:
        self._log.append(f"get {self._name}.{name}")
        return Recorder(self._log, f"{self._name}.{name}")

    def __call__(self, *args: object, **kwargs: object) -> Recorder:
        self._log.append(f"call {self._name}")
        return Recorder(self._log, f"{self._name}()")


def did(code: CodeType) -> list[str]:
    log: list[str] = []
    names: dict[str, Any] = {name: Recorder(log, name) for name in "pqr"}
    exec(code, names)
    return log


def test_the_order_of_evaluation_stays() -> None:
    """The object, its attribute, the arguments, the call; and nothing is asked of it besides."""
    source = "p.x.open(q.read(r.y), *[q.z], k=r.read()).read(q.w)"
    mapping = Mapping((), {}, Settings(offload=["a.B.read"]), METHODS)
    converted = compile(convert(source, "x.py", mapping).tree, "x.py", "exec")
    assert did(converted) == did(compile(source, "x.py", "exec"))
    assert any(E in code.co_names for code in codes(converted))


def traced(code: CodeType) -> Iterator[tuple[int, str]]:
    seen: list[tuple[int, str]] = []

    def trace(frame: Any, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != "x.py":
            return None
        seen.append((frame.f_lineno, event))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        exec(code, {"p": Recorder([])})
    finally:
        sys.settrace(before)
    yield from seen


def test_a_tracer_sees_what_it_sees_of_the_original() -> None:
    source = "def f():\n x = (p.a\n  .open(\n  p.b)\n  .read())\n return x\nf()\n(p\n .open())\n"
    converted = compile(convert(source, "x.py", MAPPING).tree, "x.py", "exec")
    assert list(traced(converted)) == list(traced(compile(source, "x.py", "exec")))


def test_a_traceback_shows_the_line_and_the_carets_of_the_original(run: Run, tmp_path: Path) -> None:
    """For a missing file, a wrong argument and an attribute that is missing; frames inside of `open` apart."""
    (tmp_path / "prog.py").write_text(
        textwrap.dedent("""
        import pathlib, traceback
        def whole(p):
            return [len(p.read_text(encoding="utf-8")), 1]
        def lines(p):
            return (p / "x"
                    ).open(
                        "rb").read()
        def wrong(p):
            return 1 + len(p.read_text(nonsense=1) or p.x)
        def missing(p):
            return 1 + p.read_text(1).x
        for function, argument in (
            (whole, pathlib.Path("none")), (lines, pathlib.Path("none")), (wrong, pathlib.Path("prog.py")),
            (missing, 5), (pathlib.Path.write_text, pathlib.Path("x")), (whole, pathlib.Path(".")),
        ):
            try:
                function(argument)
            except Exception as error:
                for line in "".join(traceback.format_exception(error)).split("\\n  File ")[1:]:
                    if "prog.py" in line.split("\\n")[0]:
                        print(line)
                print(repr(error))
        """)
    )
    plain, converted = run("prog.py"), run("-m", "rewriter", "prog.py")
    assert converted.stderr == plain.stderr == ""
    assert converted.stdout == plain.stdout
    assert plain.stdout.count("^^") >= 4
