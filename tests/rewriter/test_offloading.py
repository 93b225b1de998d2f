"""Calls that are named in the configuration go to worker threads."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from rewriter import graft
from rewriter.conversion import convert
from rewriter.mapping import Mapping
from rewriter.settings import Settings
from tests.rewriter.conftest import Run

NAMES = ("lib.slow", "lib.sub.slow", "app.own.slow")
MAPPING = Mapping((), {}, Settings(offload=NAMES))
OFFLOAD = "_rewriter_offload"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import lib\nlib.slow()", f"{OFFLOAD}(lib.slow)"),
        ("import lib\nx = lib.slow(1, *a, b=2, **c)", f"x = {OFFLOAD}(lib.slow, 1, *a, b=2, **c)"),
        ("import lib as other\nother.slow(1)", f"{OFFLOAD}(other.slow, 1)"),
        ("import lib.sub\nlib.sub.slow(1)", f"{OFFLOAD}(lib.sub.slow, 1)"),
        ("from lib import slow\nslow(k=1)", f"{OFFLOAD}(slow, k=1)"),
        ("from lib import slow as s, quick\ns(1); quick(1)", f"{OFFLOAD}(s, 1); quick(1)"),
        ("from lib import sub\nf(sub.slow(sub.slow()))", f"f({OFFLOAD}(sub.slow, {OFFLOAD}(sub.slow)))"),
        ("from .own import slow\nslow(1)", f"{OFFLOAD}(slow, 1)"),
        ("from . import own\nown.slow(1)", f"{OFFLOAD}(own.slow, 1)"),
        ("import lib\nlib.slow(x for x in y)", f"{OFFLOAD}(lib.slow, (x for x in y))"),
        ("import lib\nlib.slow((x for x in y))", f"{OFFLOAD}(lib.slow, (x for x in y))"),
        ("import lib\n(lib.slow)(1)", f"{OFFLOAD}((lib.slow), 1)"),
        ("import lib\n(lib . slow # c\n (1))", f"({OFFLOAD}(lib . slow # c\n , 1))"),
        ("import lib\nlib.slow(lib.slow)", f"{OFFLOAD}(lib.slow, lib.slow)"),
    ],
)
def test_a_call_is_rewritten_in_place(source: str, expected: str) -> None:
    """The function first, then its arguments; every position stays."""
    conversion = convert(source, "x.py", MAPPING, package="app")
    assert conversion.text().partition("\n")[2] == expected
    tree = conversion.tree
    tree.body = [statement for statement in tree.body if not graft.binds(statement)]
    assert ast.dump(ast.parse(conversion.text())) == ast.dump(tree)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == OFFLOAD:
            call.func = call.args.pop(0)
    assert ast.dump(tree, include_attributes=True) == ast.dump(ast.parse(source), include_attributes=True)


@pytest.mark.parametrize(
    "source",
    [
        "import lib\nlib.quick()",
        "import lib\nlib.slow",
        "import lib\nlib.slow.other()",
        "import other as lib\nlib.slow()",
        "import lib\nlib = x\nlib.slow()",
        "import lib\ndef f(lib): lib.slow()",
        "from lib import slow\ndef slow(): pass\nslow()",
        "x.slow()",
        "from ..own import slow\nslow()",
        "import lib\nlib.slow()  # rewriter: skip",
    ],
)
def test_anything_else_stays(source: str) -> None:
    """Other names, names that are bound otherwise as well, and what a comment leaves alone."""
    assert convert(source, "x.py", MAPPING, package="app").text() == source


def test_others_run_during_the_call(run: Run, tmp_path: Path) -> None:
    """From the command line, from the configuration, and from code; the outcome is the call's."""
    (tmp_path / "slow.py").write_text("import time\ndef wait(n):\n    time.sleep(0.3)\n    return n / 1\n")
    (tmp_path / "prog.py").write_text(
        textwrap.dedent("""
        import slow, threading, time
        ticks = []
        def tick():
            while threads[0].is_alive():
                ticks.append(1)
                time.sleep(0.01)
        def work():
            print(slow.wait(2))
            try:
                slow.wait("x")
            except TypeError as error:
                print("TypeError")
        threads = [threading.Thread(target=f) for f in (work, tick)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(len(ticks) > 10)
    """)
    )
    expected = "2.0\nTypeError\nTrue\n"
    exclude = ("--no-convert", "slow")
    assert run("-m", "rewriter", *exclude, "--offload", "slow.wait", "prog.py").stdout == expected
    assert run("-m", "rewriter", *exclude, "prog.py").stdout == "2.0\nTypeError\nFalse\n"
    code = "import rewriter; rewriter.install('prog', offload=['slow.wait']); import prog"
    assert run("-c", code).stdout == expected
    (tmp_path / "pyproject.toml").write_text('[tool.rewriter]\noffload = ["slow.wait"]\nexclude = ["slow"]\n')
    assert run("-m", "rewriter", "prog.py").stdout == expected


def test_others_run_during_a_method_s_call(run: Run, tmp_path: Path) -> None:
    """Of an object whose class this module does not import; not of another class, nor where it is overridden."""
    (tmp_path / "slow.py").write_text(
        textwrap.dedent("""
        import time
        class Client:
            def wait(self, n):
                time.sleep(0.3)
                return n / 1
        class Derived(Client):
            pass
        class Own(Client):
            def wait(self, n):
                return super().wait(n) + 0.5
        class Other:
            wait = Client.wait
        """)
    )
    (tmp_path / "use.py").write_text("def use(client, n):\n    return client.wait(n)\n")
    (tmp_path / "prog.py").write_text(
        textwrap.dedent("""
        import slow, threading, time, use
        def tick():
            while worker.is_alive():
                ticks.append(1)
                time.sleep(0.01)
        for kind in slow.Client, slow.Derived, slow.Own, slow.Other:
            ticks, said = [], []
            worker = threading.Thread(target=lambda: said.append(use.use(kind(), 2)))
            ticker = threading.Thread(target=tick)
            worker.start(); ticker.start()
            worker.join(); ticker.join()
            print(kind.__name__, said, len(ticks) > 10)
        try:
            use.use(slow.Client(), "x")
        except TypeError as error:
            print(error)
        """)
    )
    done = run("-m", "rewriter", "--no-convert", "slow", "--offload", "slow.Client.wait", "prog.py")
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Client [2.0] True",
        "Derived [2.0] True",
        "Own [2.5] False",
        "Other [2.0] False",
        "unsupported operand type(s) for /: 'str' and 'int'",
    ]


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("offload", '"slow.wait"', "a list of functions by their full names, like module.function"),
        ("offload", '["wait"]', "a list of functions by their full names, like module.function"),
        ("fair", '"yes"', "true or false"),
        ("monitor_ms", "0", "a number of milliseconds, 1 at least"),
        ("monitor_ms", "true", "a number of milliseconds, 1 at least"),
    ],
)
def test_a_wrong_value_is_refused(run: Run, tmp_path: Path, key: str, value: str, problem: str) -> None:
    """With the file, the key, and what it must be."""
    (tmp_path / "prog.py").write_text("")
    (tmp_path / "pyproject.toml").write_text(f"[tool.rewriter]\n{key} = {value}\n")
    done = run("-m", "rewriter", "prog.py")
    assert done.returncode == 2
    assert f"[tool.rewriter] {key} must be {problem}, not " in done.stderr
    assert str(tmp_path / "pyproject.toml") in done.stderr


@pytest.mark.parametrize(
    "options", [("--offload", "wait"), ("--monitor", "x"), ("--monitor=0",), ("--offload",)]
)
def test_a_wrong_option_is_refused(run: Run, tmp_path: Path, options: tuple[str, ...]) -> None:
    """In one line."""
    (tmp_path / "prog.py").write_text("")
    done = run("-m", "rewriter", *options, "prog.py")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "string",
    [
        "f'{lib.slow(1)}'",
        "f'{lib.slow(1)} {open(x)}'",
        "f'{x}' f'{lib.slow(open)}'",
        "f'''\n{\n lib.slow(1)}'''",
    ],
)
def test_a_call_in_a_formatted_string_is_rewritten(string: str) -> None:
    """Before Python 3.12 nobody knows where in the text it stands: that must not spoil what is around it."""
    mapping = Mapping((), {"open": "builtins.open"}, Settings(offload=NAMES))
    conversion = convert(f"import lib\ny = {string}; z = 1", "x.py", mapping)
    assert f"{OFFLOAD}(lib.slow" in ast.unparse(conversion.tree)
    assert conversion.text().endswith("; z = 1")
    ast.parse(conversion.text())
