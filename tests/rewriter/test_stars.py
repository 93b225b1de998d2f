"""After a star import a name means what it brings, or the counterpart of the builtin."""

from __future__ import annotations

import ast
import sys
import types

import pytest

from rewriter import stars
from rewriter.conversion import convert
from rewriter.mapping import Mapping, standard
from rewriter.rendering import rendered


def looks(source: str, mapping: Mapping) -> list[int]:
    """The lines on which it is looked what ``open`` means."""
    tree = convert(source, "x.py", mapping).tree
    return sorted(
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and stars.follows(node)
    )


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("from compat import *\nopen(1)\n", [1]),
        ("open(1)\nif x:\n  from . import *\nelse:\n  try: from ..a.b import *\n  except E: pass\n", [3, 5]),
        ("from socket import *\nfrom os.path import *\nopen(1)\n", []),
        ("from os import *\nopen(1)\n", []),
        ("from compat import *\nx = 1\n", []),
        ("from compat import a\nopen(1)\n", []),
    ],
)
def test_it_is_looked_after_imports_of_what_is_not_known(source: str, lines: list[int]) -> None:
    """And only where the name is used."""
    assert looks(source, standard()) == lines


@pytest.mark.parametrize("text", [False, True])
def test_what_is_brought_counts_from_there_on(text: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In what runs, and in what ``--eject`` writes, on as many lines."""
    brings = types.ModuleType("compat_that_brings")
    vars(brings)["open"] = "brought"
    for module in (brings, types.ModuleType("compat_that_does_not")):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    source = (
        "seen = [open]\n"
        "def later(): return open\n"
        "if True: from compat_that_does_not import *; seen.append(open)\n"
        "from compat_that_brings import *\n"
        "seen += [open, later()]\n"
    )
    conversion = convert(source, "x.py", standard())
    if text:
        assert rendered(conversion).count("\n") - source.count("\n") in (0, 1)
    names: dict[str, object] = {}
    exec(rendered(conversion) if text else compile(conversion.tree, "x.py", "exec"), names)
    from runtime.files import open as counterpart

    assert names["seen"] == [counterpart, counterpart, "brought", "brought"]
