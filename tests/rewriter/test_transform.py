"""What each form of import becomes, to the character."""

from __future__ import annotations

import ast
import sys
from typing import Any

import pytest

from rewriter.conversion import convert
from rewriter.mapping import Mapping
from tests.rewriter.conftest import wide_mapping

BECOMES = {
    "import socket": "from runtime.green import socket",
    "import socket as s": "from runtime.green import socket as s",
    "import  socket": "from  runtime.green import socket",
    "import socket as  s": "from runtime.green import socket as  s",
    "import http.client": "import runtime.green.http.client as http; from runtime.green import http",
    "import http.client as hc": "import runtime.green.http.client as hc",
    "import os.path": "import runtime.green.os.path as os; from runtime.green import os",
    "import urllib.parse": "import runtime.green.urllib.parse as urllib; from runtime.green import urllib",
    "import concurrent.futures.thread": (
        "import runtime.green.concurrent.futures.thread as concurrent; from runtime.green import concurrent"
    ),
    "import a, socket, b.c": "import a; from runtime.green import socket; import b.c",
    "import socket,time": "from runtime.green import socket; from runtime.green import time",
    "import a,\\\n  socket , \\\n\tb": "import a;\\\n  from runtime.green import socket ; \\\n\timport b",
    "import \\\n  socket": "from \\\n  runtime.green import socket",
    "import socket \\\n as s": "from runtime.green import socket \\\n as s",
    "import http \\\n . client as c": "import runtime.green.http \\\n . client as c",
    "from time import sleep": "from runtime.green.time import sleep",
    "from time import sleep as s, time": "from runtime.green.time import sleep as s, time",
    "from time import (sleep,  # for a while\n    time,\n)": (
        "from runtime.green.time import (sleep,  # for a while\n    time,\n)"
    ),
    "from http.client import *": "from runtime.green.http.client import *",
    "from http import client": "from runtime.green.http import client",
    "from urllib import parse": "from runtime.green.urllib import parse",
    "if x: import socket, os": "if x: from runtime.green import socket; from runtime.green import os",
    "x = 1; import socket; y = 2": "x = 1; from runtime.green import socket; y = 2",
    "import socket;": "from runtime.green import socket;",
    "import socket  # plain": "from runtime.green import socket  # plain",
    "class A:\n    import socket": "class A:\n    from runtime.green import socket",
    "def f():\n\timport os\n\treturn os": "def f():\n\tfrom runtime.green import os\n\treturn os",
    "try: import socket\nexcept ImportError: import os": (
        "try: from runtime.green import socket\nexcept ImportError: from runtime.green import os"
    ),
    "match x:\n case 1: import os\n case _:\n  import time": (
        "match x:\n case 1: from runtime.green import os\n case _:\n  from runtime.green import time"
    ),
    "while x: pass\nelse: import os": "while x: pass\nelse: from runtime.green import os",
    "try: pass\nfinally: import os": "try: pass\nfinally: from runtime.green import os",
    "'é'; import os; 'é'": "'é'; from runtime.green import os; 'é'",
}


@pytest.mark.parametrize("source", BECOMES)
def test_imports_of_mapped_modules_become_imports_of_counterparts(source: str, mapping: Mapping) -> None:
    conversion = convert(source, "x.py", mapping)
    assert conversion.text() == BECOMES[source]
    assert ast.dump(conversion.tree) == ast.dump(ast.parse(BECOMES[source]))


UNCHANGED = [
    "import re",
    "import urllib3, socketio, timeit",
    "import xml.dom, json.decoder",
    "import urllib.parse as p",
    "from urllib.parse import quote",
    "from os.path import join",
    "from . import socket",
    "from .socket import time",
    "from .. import time as t",
    "from app.socket import time",
    "from __future__ import annotations",
    "socket = time = 1",
    "'import socket'",
    "# import socket",
]


@pytest.mark.parametrize("source", UNCHANGED)
def test_what_has_no_counterpart_is_left_alone(source: str, mapping: Mapping) -> None:
    conversion = convert(source, "x.py", mapping)
    assert not conversion.edits
    assert conversion.text() == source


LOADS = {
    "open(1)": "_rewriter_open(1)",
    "f = open": "f = _rewriter_open",
    "x.open(open=open(1))": "x.open(open=_rewriter_open(1))",
    "f'{open(1)} é {open(2)!r:{open(3)}}'": (
        "f'{_rewriter_open(1)} é {_rewriter_open(2)!r:{_rewriter_open(3)}}'"
    ),
    "y = ('é'\n  f'{open(1)}', open(2))": "y = ('é'\n  f'{_rewriter_open(1)}', _rewriter_open(2))",
    "é = open(1), open": "é = _rewriter_open(1), _rewriter_open",
    "def f(open): open(1)\nopen(2)": "def f(open): open(1)\n_rewriter_open(2)",
    "lambda open: open(1), lambda: open(2)": "lambda open: open(1), lambda: _rewriter_open(2)",
    "def f(x=open): pass": "def f(x=_rewriter_open): pass",
    "@open\ndef f(): pass": "@_rewriter_open\ndef f(): pass",
    "def f(x: open) -> open: y: open = open(x)": "def f(x: open) -> open: y: open = _rewriter_open(x)",
    "class A(open): x = open": "class A(_rewriter_open): x = _rewriter_open",
    "class A:\n def open(self): return open(1)\n x = open": (
        "class A:\n def open(self): return _rewriter_open(1)\n x = open"
    ),
    "[open for open in open(1)]": "[open for open in _rewriter_open(1)]",
    "[open(x) for x in open(1) if open(2)]": (
        "[_rewriter_open(x) for x in _rewriter_open(1) if _rewriter_open(2)]"
    ),
    "def f():\n [(open := 1) for x in y]\n open(1)": "def f():\n [(open := 1) for x in y]\n open(1)",
    "def f():\n open = 1\n def g(): return open": "def f():\n open = 1\n def g(): return open",
    "def f():\n open = 1\n class A:\n  def g(self): open()": (
        "def f():\n open = 1\n class A:\n  def g(self): open()"
    ),
    "def f():\n try: pass\n except E as open: pass\n open(1)": (
        "def f():\n try: pass\n except E as open: pass\n open(1)"
    ),
    "def f(x):\n match x:\n  case [*open]: open\n": "def f(x):\n match x:\n  case [*open]: open\n",
    "def f(x):\n match x:\n  case {**open}: open\n": "def f(x):\n match x:\n  case {**open}: open\n",
    "def f(x):\n match x:\n  case open(): open\n": (
        "def f(x):\n match x:\n  case _rewriter_open(): _rewriter_open\n"
    ),
    "def f():\n import io.open as open\n open(1)": "def f():\n import io.open as open\n open(1)",
    "def f():\n for open in x: open": "def f():\n for open in x: open",
    "def f():\n with x as open: open": "def f():\n with x as open: open",
    "def f():\n del open": "def f():\n del open",
    "open(1)\ndef f():\n global open\n open = 1": "open(1)\ndef f():\n global open\n open = 1",
    "open(1)\nopen = 2": "open(1)\nopen = 2",
    "if x: from tokenize import open\nopen(1)": "if x: from tokenize import open\nopen(1)",
    "from tkinter import *\nopen(1)": "from tkinter import *\n_rewriter_open(1)",
    "from codecs import *\nopen(1)": "from runtime.green.codecs import *\nopen(1)",
    "async def f():\n async with open(1) as x: await open(2)": (
        "async def f():\n async with _rewriter_open(1) as x: await _rewriter_open(2)"
    ),
    "class A:\n def __open(self): return __import__('x')": (
        "class A:\n def __open(self): return _rewriter___import__('x')"
    ),
    "print(f'{x!r}', file=open(1))": "_rewriter_print(f'{x!r}', file=_rewriter_open(1))",
}


@pytest.mark.parametrize("source", LOADS)
def test_loads_of_a_builtin_and_nothing_else_called_like_it_are_replaced(
    source: str, mapping: Mapping
) -> None:
    conversion = convert(source, "x.py", mapping)
    assert conversion.text() == LOADS[source]
    bound = sorted(conversion.builtins)
    bindings = "".join(f"from builtins import {name} as _rewriter_{name}\n" for name in reversed(bound))
    assert ast.dump(conversion.tree) == ast.dump(ast.parse(bindings + LOADS[source]))


GENERIC = {
    "def f[open](x=open): open(1)\nopen(2)": "def f[open](x=open): open(1)\n_rewriter_open(2)",
    "class A[open](B[open]): x = open\nopen(2)": "class A[open](B[open]): x = open\n_rewriter_open(2)",
    "type X = open\nopen(2)": "type X = open\n_rewriter_open(2)",
    "f'{open(f'{open(\"é\")}')}'": "f'{_rewriter_open(f'{_rewriter_open(\"é\")}')}'",
}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="new syntax")
@pytest.mark.parametrize("source", GENERIC)
def test_type_parameters_and_nested_quotes(source: str, mapping: Mapping) -> None:
    assert convert(source, "x.py", mapping).text() == GENERIC[source]


def test_an_f_string_that_mixes_both_meanings_is_left_alone_or_told_apart(mapping: Mapping) -> None:
    source = "f'{open(1)} {(lambda open: open(2))(3)}'"
    text = convert(source, "x.py", mapping).text()
    assert text in (source, "f'{_rewriter_open(1)} {(lambda open: open(2))(3)}'")


SKIPPED = {
    "import os  # rewriter: skip\nimport time": "import os  # rewriter: skip\nfrom runtime.green import time",
    "import socket, \\\n time  # rewriter: skip": "import socket, \\\n time  # rewriter: skip",
    "from time import (  # rewriter: skip\n sleep)": "from time import (  # rewriter: skip\n sleep)",
    "open(1)  # rewriter: skip\nopen(2)": "open(1)  # rewriter: skip\n_rewriter_open(2)",
    "with open(1):  # rewriter: skip\n open(2)": "with open(1):  # rewriter: skip\n open(2)",
    "x = (open(1),\n open(2))  # rewriter: skip": "x = (open(1),\n open(2))  # rewriter: skip",
    "# rewriter: skip\nimport socket": "# rewriter: skip\nimport socket",
    "#!/bin/x\n# rewriter: skip\n'doc'\nimport os": "#!/bin/x\n# rewriter: skip\n'doc'\nimport os",
    "'doc'\n# rewriter: skip\nimport os": "'doc'\n# rewriter: skip\nimport os",
    "'# rewriter: skip'\nimport os": "'# rewriter: skip'\nfrom runtime.green import os",
    "x = 1\n# rewriter: skip\nimport os": "x = 1\n# rewriter: skip\nfrom runtime.green import os",
}


@pytest.mark.parametrize("source", SKIPPED)
def test_a_skip_comment_leaves_its_statement_or_file_alone(source: str, mapping: Mapping) -> None:
    assert convert(source, "x.py", mapping).text() == SKIPPED[source]


STARTS = {
    "": None,
    "'doc'\n": "doc",
    "from __future__ import annotations\n": None,
    "'d'; from __future__ import generators\n": "d",
}


@pytest.mark.parametrize("start", STARTS)
def test_replaced_builtins_are_bound_after_docstring_and_future_imports(start: str, mapping: Mapping) -> None:
    tree = convert(start + "def f(): return open, __doc__", "x.py", mapping).tree
    names: dict[str, Any] = {"__doc__": None}
    exec(compile(tree, "x.py", "exec", dont_inherit=True), names)
    assert names["f"]() == (open, STARTS[start])
    assert names["_rewriter_open"] is open


def test_text_keeps_the_number_of_lines_of_every_example() -> None:
    for source in [*BECOMES, *LOADS, *SKIPPED]:
        assert convert(source, "x.py", wide_mapping()).text().count("\n") == source.count("\n")
