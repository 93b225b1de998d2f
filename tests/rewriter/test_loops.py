"""Fair loops: what is put into them, where, and that they let others run."""

from __future__ import annotations

import ast
import sys
import textwrap
from pathlib import Path

import pytest

from rewriter.conversion import convert
from rewriter.mapping import Mapping
from rewriter.settings import Settings
from runtime.fairness import fairness
from tests.rewriter.conftest import Run

FAIR = Mapping((), {}, Settings(fair=True))


def converted(source: str) -> str:
    return ast.unparse(convert(textwrap.dedent(source), "x.py", FAIR).tree)


def test_every_loop_begins_with_a_yield_point() -> None:
    """Nested ones, in functions and classes, and the async kind; comprehensions have no place for one."""
    said = converted("""
        for a in b: pass
        while c:
            for d in e: f()
        else:
            g()
        class K:
            async def m(self):
                async for h in i:
                    pass
        [j for j in k]
    """)
    assert said.count("_rewriter_fairness.overdue") == 4
    assert said.count("import fairness as _rewriter_fairness") == 1


def test_a_comment_leaves_a_loop_as_it_is() -> None:
    """And a module without loops gets nothing."""
    assert "fairness" not in converted("for a in b:  # rewriter: skip\n    pass\n")
    assert "fairness" not in converted("[a for a in b]")


@pytest.mark.parametrize(
    "body",
    [
        "y = 0\nfor x in [0, 1]:\n    y += x\n    if x: continue\n    y += 1\nwhile y:\n    y -= 1",
        "for x in [1, 2]:\n    global total\n    total = x",
        "for x in [1, 2]:\n    global total\n    continue",
        "for x in [1, 2]:\n    y: int\n    y = x",
        "for x in [1, 2]:\n    (y): int\n    global total; total = 1",
        "for x in [1, 2]:\n    g().a: int\n    y = x",
        "for x in [1, 2]:\n    class K:\n        for x in [1, 2]:\n            y: int\n            z = y = x",
        "for x in [1, 2]:\n    lambda: 1\n    'words'\n    pass",
        "for x in [1, 2]:\n    global total\nelse:\n    total = 1",
        "for x in [\n  1, 2]:\n    global total",
        "for (a,\n  b) in ([\n  (1, 2)]):\n    global total",
        "for g()[\n  0\n  ] in [1, 2]:\n    global total",
        "for g(\n  ).a in [\n  1, 2]:\n    y: int",
        "x = [0, 1, 2]\nwhile x.pop():\n    global total",
        "x = [0, 0, 1, 1]\nwhile (\n  x.pop() and\n  x.pop()):\n    y: int",
        "x = [0, 0, 1, 1]\nwhile (\n  x.pop() or\n  x\n  .pop()):\n    y: int",
    ],
)
@pytest.mark.parametrize("local", [True, False])
def test_no_tracer_sees_a_line_more(body: str, local: bool) -> None:
    """The lines that are reported are the plain program's, in order."""
    if local:
        body = f"def f():\n{textwrap.indent(body, '    ')}\nf()\n"
    source = f"class G(dict): pass\ng = G\n{body}\n"

    def lines(code: object) -> list[int]:
        seen: list[int] = []

        def trace(frame: object, event: str, argument: object) -> object:
            if event == "line":
                seen.append(frame.f_lineno)  # type: ignore[attr-defined]
            return trace

        before = sys.gettrace()
        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            exec(code, {"__name__": "program"})  # type: ignore[arg-type]
        finally:
            sys.settrace(before)
        return seen

    fairness.overdue = False  # whatever ran before: nobody is to give way here
    plain = lines(compile(source, "x.py", "exec", dont_inherit=True))
    fair = lines(compile(convert(source, "x.py", FAIR).tree, "x.py", "exec", dont_inherit=True))
    assert len(plain) > 4, "it loops"
    assert fair == plain


def test_a_loop_that_computes_does_not_hold_up_others(run: Run, tmp_path: Path) -> None:
    """A ticker ticks while a thread spins, and the threads spin in turns; without the option neither happens."""
    (tmp_path / "prog.py").write_text(
        textwrap.dedent("""
        import threading, time
        ticks, turns = [], []
        def spin(name):
            end = time.monotonic() + 0.8
            while time.monotonic() < end:
                if turns[-1:] != [name]:
                    turns.append(name)
        def tick():
            for _ in range(3):
                time.sleep(0.01)
                ticks.append(any(t.is_alive() for t in spinners))
        spinners = [threading.Thread(target=spin, args=(n,)) for n in "ab"]
        threads = [*spinners, threading.Thread(target=tick)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(any(ticks), len(turns) > 3)
    """)
    )
    done = run("-m", "rewriter", "--fair", "prog.py")
    assert (done.stdout, done.stderr) == ("True True\n", "")
    assert run("-m", "rewriter", "prog.py").stdout == "False False\n"
