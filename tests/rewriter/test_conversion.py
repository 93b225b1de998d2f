"""Positions and meaning: what was not rewritten is the original's tree, in the standard library too."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from pathlib import Path

import pytest

from rewriter import transform
from rewriter.conversion import convert
from rewriter.loader import ConversionFailed, converted_code
from rewriter.mapping import Mapping
from tests.rewriter.sameness import check, codes

LIBRARY = Path(os.__file__).parent


def library_files() -> list[Path]:
    """Every 40th source file of the running Python; all of them with UNSTALL_SWEEP=1 in the environment."""
    every = sorted(path for path in LIBRARY.rglob("*.py") if "site-packages" not in path.parts)
    return every if os.environ.get("UNSTALL_SWEEP") else every[::40]


@pytest.mark.parametrize("path", library_files(), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_conversion_of_the_library_changes_only_what_it_rewrites(path: Path, mapping: Mapping) -> None:
    source = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            original = ast.parse(source)
            compile(source, str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            with pytest.raises((SyntaxError, ValueError)):
                compile(convert(source, str(path), mapping).tree, "x", "exec", dont_inherit=True)
            return
        conversion = convert(source, str(path), mapping)
        compile(conversion.tree, str(path), "exec", dont_inherit=True)
        check(original, conversion)


SHAPES = {
    "utf-8": "import os\nx = 'é', open\n".encode(),
    "BOM": b"\xef\xbb\xbfimport os, re\nx = '\xc3\xa9', open\n",
    "latin-1": b"# -*- coding: latin-1 -*-\nx = '\xe9'; import os, re; y = '\xe9', open\n",
    "CRLF": b"import os, \\\r\n  re\r\nx = '''a\r\nb''', open\r\n",
    "CR": b"import os, re\rx = open\r",
    "form feed": b"import os\n\x0cimport time, re\n\x0c\ndef f():\n  return open\n",
    "tabs": b"if 1:\n\timport os, re\n\tx = open\n",
    "no final newline": b"import os",
    "other separators": "import os\nx = '\x0b\x0c\x1c\u2028\u2029\x85'; import time, re; y = open\n".encode(),
    "type comments": b"import os  # type: ignore\nx = open  # type: int\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_encodings_line_ends_and_odd_characters_keep_their_places(shape: str, mapping: Mapping) -> None:
    source = SHAPES[shape]
    conversion = convert(source, "x.py", mapping)
    assert conversion.edits
    check(ast.parse(source), conversion)


def test_code_without_rewriting_is_what_python_compiles() -> None:
    path = LIBRARY / "textwrap.py"
    source = b"# mentions os\n" + path.read_bytes()
    plain = compile(source, "x.py", "exec", dont_inherit=True)
    code = converted_code(source, "x.py", Mapping({"os"}, {}), module="x")
    assert code is not None
    assert code == plain
    assert [list(c.co_positions()) for c in codes(code)] == [list(c.co_positions()) for c in codes(plain)]


def test_optimization_and_future_flags_are_as_asked(mapping: Mapping) -> None:
    source = "from __future__ import annotations\nimport os\ndef f(x: os.P):\n 'doc'\n assert x, os\n"
    for level in (0, 1, 2):
        names: dict[str, object] = {}
        code = converted_code(source, "x.py", mapping, module="x", optimize=level)
        assert code is not None
        function = next(c for c in codes(code) if c.co_name == "f")
        plain = compile(source, "x.py", "exec", dont_inherit=True, optimize=level)
        assert function == next(c for c in codes(plain) if c.co_name == "f")
        del names


def test_bindings_have_no_line_of_their_own(mapping: Mapping) -> None:
    source = "'doc'\n\n\nx = 1\ny = open\n"
    code = converted_code(source, "x.py", mapping, module="x")
    plain = compile(source, "x.py", "exec", dont_inherit=True)
    assert code is not None
    assert {line for *_, line in code.co_lines()} == {line for *_, line in plain.co_lines()}


def test_a_syntax_warning_is_said_once(mapping: Mapping) -> None:
    source = b"import os\nx = '\\d', open\ny = 1 is 1\n"
    with warnings.catch_warnings(record=True) as plain:
        warnings.simplefilter("always")
        compile(source, "x.py", "exec", dont_inherit=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert converted_code(source, "x.py", mapping, module="x") is not None
    assert [(str(w.message), w.lineno) for w in caught] == [(str(w.message), w.lineno) for w in plain]
    assert len(plain) == 2


def test_a_failure_of_the_transformer_names_module_and_reason(
    mapping: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicException(BaseException):
        """What libcst's Rust raises."""

    for failure in (ValueError("odd"), RecursionError(), PanicException("index out of range")):

        def fail(text: str, mapping: Mapping, failure: BaseException = failure) -> str:
            raise failure

        monkeypatch.setattr(transform, "import_statement", fail)
        with pytest.raises(ConversionFailed, match=f"module app.x .*{type(failure).__name__}"):
            converted_code(b"import os", "x.py", mapping, module="app.x")


def test_an_interrupt_during_conversion_is_no_failure(
    mapping: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(text: str, mapping: Mapping) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(transform, "import_statement", interrupted)
    with pytest.raises(KeyboardInterrupt):
        converted_code(b"import os", "x.py", mapping, module="x")


@pytest.mark.parametrize(
    "source",
    [
        b"import os\nx = (",
        b"import os\nreturn 1",
        b"import os\n\x00",
        b"# coding: nope\nimport os",
        b"import os\n'\xff'",
    ],
)
def test_what_python_refuses_is_left_to_python(source: bytes, mapping: Mapping) -> None:
    assert converted_code(source, "x.py", mapping, module="x") is None


@pytest.mark.parametrize(
    "expression",
    ["(" * 150 + ")" * 150, "+".join(["1"] * 900), "not " * 300 + "1", "x" + ".a" * 500, "x" + "[0]" * 180],
)
def test_deep_nesting_elsewhere_does_not_stop_conversion(expression: str, mapping: Mapping) -> None:
    source = f"import os\ndef f(): {expression}\nopen(1)"
    compile(source, "x.py", "exec")
    assert converted_code(source, "x.py", mapping, module="x") is not None


def test_syntax_that_libcst_cannot_read_elsewhere_does_not_stop_conversion(
    mapping: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = transform.cst.parse_statement
    monkeypatch.setattr(transform.cst, "parse_statement", lambda text: (seen.append(text), real(text))[1])
    assert convert("import os\nx = t\n", "x.py", mapping).edits
    assert seen == ["import os"], "libcst is given nothing but the statement to rewrite"


def test_libcst_is_not_imported_where_nothing_is_rewritten(run: object) -> None:
    code = (
        "import sys; from rewriter.loader import converted_code; from rewriter.mapping import standard\n"
        "converted_code(b'# os\\nx = 1', 'x.py', standard(), module='x')\n"
        "print([m for m in ('libcst', 'watchdog', 'tomllib', 'argparse') if m in sys.modules])"
    )
    assert run("-c", code).stdout == "[]\n"  # type: ignore[operator]
    assert sys.version_info >= (3, 11)
