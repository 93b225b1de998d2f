"""``builtins`` in twins: counterparts where there are some, and everything else the interpreter's own."""

from __future__ import annotations

import builtins
import inspect
from pathlib import Path
from unittest import mock

import pytest
import runtime.green.gzip
from runtime.green.unittest import mock as green_mock

import runtime.green
import runtime.green.builtins
from runtime.files import open as green_open
from runtime.table import BUILTINS
from tests.runtime.conftest import Program

green = runtime.green.builtins


@pytest.mark.parametrize("name", BUILTINS)
def test_it_gives_the_counterparts(name: str) -> None:
    assert getattr(green, name) is not getattr(builtins, name)
    assert name in dir(green)


def test_what_is_assigned_is_seen_everywhere() -> None:
    """As ``builtins._ = gettext`` is."""
    green._unstall = 1
    try:
        assert builtins._unstall == 1  # type: ignore[attr-defined]
        assert green._unstall == 1
    finally:
        del green._unstall
    assert not hasattr(builtins, "_unstall")


def test_a_patched_builtin_holds_for_the_counterpart(tmp_path: Path) -> None:
    """It is called with the very arguments, and afterwards nothing is left."""
    with mock.patch("builtins.open", mock.mock_open(read_data="fake")) as fake:
        assert green_open("nowhere", "r").read() == "fake"
        fake.assert_called_once_with("nowhere", "r")
        assert green.open("nowhere").read() == "fake"
    assert green.open is green_open
    with pytest.raises(FileNotFoundError):
        green_open(tmp_path / "nowhere")


def test_patching_and_putting_back_by_converted_code_leaves_the_plain_builtin() -> None:
    """What was read here is the counterpart; what is put back is the interpreter's own."""
    plain = builtins.open
    saved = green.open
    green.open = fake = mock.Mock()
    try:
        assert builtins.open is fake
    finally:
        green.open = saved
    assert builtins.open is plain
    assert green.open is saved


def test_the_twin_of_mock_puts_back_what_it_has_patched() -> None:
    """Converted tests say ``mock.patch("builtins.open")``; within each other, too."""
    plain = builtins.open
    with green_mock.patch("builtins.int") as patched:
        assert builtins.int is patched
    assert builtins.int is int
    with green_mock.patch("builtins.open") as outer:
        with green_mock.patch("builtins.open") as inner:
            assert builtins.open is inner
        assert builtins.open is outer
        assert green.open("anything") is outer.return_value
    assert builtins.open is plain
    assert green.open is green_open


def test_what_a_program_puts_in_its_place_may_call_the_builtin(program: Program) -> None:
    """As it was read before; and it can be taken back."""
    source = """
        import builtins, io, sys
        from unittest import mock
        old_print, old_open, old_input = print, open, input
        def shout(*values, **options):
            old_print("(", *values, ")", **options)
        def open_it(path, *more):
            sys.stderr.write(f"opening {path}\\n")
            return old_open(path, *more)
        def ask(prompt):
            return old_input(prompt.upper())
        builtins.print, builtins.open, builtins.input = shout, open_it, ask
        sys.stdin = io.StringIO("answer\\n")
        print("hello", open("/dev/null").read(), input("say "))
        builtins.print, builtins.open, builtins.input = old_print, old_open, old_input
        print("hello", open("/dev/null").name)
        with mock.patch("builtins.print") as patched:
            print("nobody hears")
        print(patched.mock_calls)
    """
    plain, ours = (program(source, converted=converted) for converted in (False, True))
    assert (ours.stdout, ours.stderr) == (plain.stdout, plain.stderr)
    assert plain.stdout.startswith("SAY ( hello  answer )\nhello /dev/null\n")


def test_open_shows_the_plain_ones_arguments() -> None:
    assert str(inspect.signature(green_open)).startswith("(file")
    parameters = inspect.signature(green_open).parameters
    assert list(parameters) == list(inspect.signature(builtins.open).parameters)
    with pytest.raises(TypeError, match=r"^open\(\) missing"):
        green_open()
    with pytest.raises(TypeError, match=r"^open\(\) got an unexpected keyword argument 'colour'"):
        green_open("x", colour=1)
