"""``# rewriter: skip``: what each place leaves alone."""

from __future__ import annotations

import textwrap

import pytest

from rewriter.conversion import convert
from rewriter.mapping import Mapping
from rewriter.settings import Settings

# In each source, `open` is written where it is to be converted and `OPEN` where it is to be left alone.
SKIP = "# rewriter: skip"
SOURCES = {
    "a statement": "open(1)\nOPEN(2)  # SKIP\nopen(3)",
    "what shares its line": "open(1)\nOPEN(2); OPEN(3)  # SKIP\nopen(4)",
    "any line of a statement": "x = 1\nx = (OPEN(1),  # SKIP\n     OPEN(2),\n)\nopen(3)",
    "a line of its own in a statement": "x = 1\nx = (OPEN(1),\n     # SKIP\n     OPEN(2),\n)\nopen(3)",
    "its last line": "x = 1\nx = [\n    OPEN(1),\n]  # SKIP\nopen(2)",
    "a continued line": "x = 1\nx = OPEN(1) + \\\n    OPEN(2)  # SKIP\nopen(3)",
    "the end of a string over lines": "x = 1\nOPEN('''\n''')  # SKIP\nopen(3)",
    "among other comments": "open(1)\nOPEN(2)  # type: ignore  # rewriter: skip  # why\nopen(3)",
    "without spaces": "open(1)\nOPEN(2)#rewriter: skip\nopen(3)",
    "in a string it is none": "open(1)\nopen('# SKIP')\nopen(3)",
    "in a docstring it is none": "'''\n# SKIP\n'''\nopen(1)",
    "a line of its own": "open(1)\n# SKIP\nopen(2)",
    "a line of its own in a block": "def f():\n    # SKIP\n    open(1)",
    "a line of its own at the end": "open(1)\n# SKIP",
    "a file": "# SKIP\nOPEN(1)\ndef f():\n    OPEN(2)",
    "a file, after its docstring": "'''x'''\n\n# SKIP\n\nfrom __future__ import annotations\nOPEN(1)",
    "a file, on its docstring": "'''x'''  # SKIP\nOPEN(1)",
    "after a future import it is too late": "from __future__ import annotations\n# SKIP\nopen(1)",
    "on the first statement": "OPEN(1)  # SKIP\nopen(2)",
    "a function": "def f(x=OPEN(1)):  # SKIP\n    OPEN(2)\n\n    def g():\n        OPEN(3)\nopen(4)",
    "a function with decorators": "@d(OPEN(1))\n@e\ndef f():  # SKIP\n    OPEN(2)\nopen(3)",
    "a decorator": "@d(OPEN(1))\n@e(OPEN(2))  # SKIP\nasync def f():\n    OPEN(3)\nopen(4)",
    "a decorator of the first statement": "@d(OPEN(1))  # SKIP\ndef f(): OPEN(2)\nopen(3)",
    "the head of several lines": "def f(\n    x=OPEN(1),\n    y=2,  # SKIP\n):\n    OPEN(2)\nopen(3)",
    "a class": "class A(B):  # SKIP\n    x = OPEN(1)\n\n    def f(self):\n        OPEN(2)\nopen(3)",
    "a method": "class A:\n    x = open(1)\n    def f():  # SKIP\n        OPEN(2)\n    def g():\n        open(3)",
    "an if, all of it": "if OPEN(1):  # SKIP\n    OPEN(2)\nelif OPEN(3):\n    OPEN(4)\nelse:\n    OPEN(5)\nopen(6)",
    "an if on a line": "if x: OPEN(1)  # SKIP\nelse: OPEN(2)\nopen(3)",
    "an elif": "if open(1):\n    open(2)\nelif OPEN(3):  # SKIP\n    OPEN(4)\nelif open(5):\n    open(6)",
    "an else": "if open(1):\n    open(2)\nelse:  # SKIP\n    OPEN(3)\nopen(4)",
    "a try, all of it": (
        "try:  # SKIP\n    OPEN(1)\nexcept OPEN(2):\n    OPEN(3)\nelse:\n    OPEN(4)\nfinally:\n    OPEN(5)\nopen(6)"
    ),
    "an except": "try:\n    open(1)\nexcept E:  # SKIP\n    OPEN(2)\nfinally:\n    open(3)",
    "a finally": "try:\n    open(1)\nfinally:  # SKIP\n    OPEN(2)\nopen(3)",
    "a for with its else": "for x in OPEN(1):  # SKIP\n    OPEN(2)\nelse:\n    OPEN(3)\nopen(4)",
    "a while": "if 1:\n    while OPEN(1):  # SKIP\n        OPEN(2)\n    open(3)",
    "a with": "with OPEN(1) as f, OPEN(2):  # SKIP\n    OPEN(3)\nopen(4)",
    "a with in parentheses": "with (\n    OPEN(1) as f,  # SKIP\n    OPEN(2),\n):\n    OPEN(3)\nopen(4)",
    "a match": "match OPEN(1):  # SKIP\n    case 1:\n        OPEN(2)\n    case 2: OPEN(3)\ncase = open(4)",
    "a case": "match open(1):\n    case 1:  # SKIP\n        OPEN(2)\n    case 2:\n        open(3)",
    "the last statement of a block": "if x:\n    open(1)\n    OPEN(2)  # SKIP\nelse:\n    open(3)",
    "after a block, on a line of its own": "if x:\n    open(1)\n    # SKIP\nopen(2)",
    "with tabs and form feeds": "x = 1\n\x0cdef f():  # SKIP\n\tOPEN(1)\n\n\x0copen(2)",
    "in a formatted string": "x = 1\nf'{OPEN(1)} # SKIP'  # SKIP\nf'{open(1)} # SKIP'",
    "a lambda": "x = 1\nf = lambda: (  # SKIP\n    OPEN(1)\n)\nopen(2)",
    "no line end": "open(1)\nOPEN(2)  # SKIP",
}


@pytest.mark.parametrize("case", SOURCES)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_it_leaves_alone(case: str, end: str) -> None:
    template = SOURCES[case].replace("# SKIP", SKIP).replace("\n", end)
    source = template.replace("OPEN", "open")
    text = convert(source, "x.py", Mapping((), {"open": "builtins.open"})).text()
    expected = template.replace("open(", "_rewriter_open(").replace("OPEN", "open")
    assert text == expected.replace(end, "\n")


def test_imports_calls_methods_and_loops_are_left_alone() -> None:
    """Whatever is converted; what stands after it is."""
    code = textwrap.dedent("""\
        import a
        def f(path):  {}
            import socket, http.client as c
            from time import sleep
            for x in y:
                a.slow(path.open())
            else:
                while z:
                    pass
    """)
    everything = Mapping(
        {"socket", "http", "http.client", "time"}, {}, Settings(offload=["a.slow"], fair=True), ["open"]
    )
    left, converted = (convert(code.format(comment), "x.py", everything) for comment in (SKIP, ""))
    assert (left.edits, left.exchanged, left.fair) == ([], 0, False)
    assert (len(converted.edits), converted.exchanged, converted.fair) == (4, 1, True)
