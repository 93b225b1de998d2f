"""Which frames are ours, and what is left of a traceback without them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType

import pytest

from runtime import tracebacks


@pytest.fixture(autouse=True)
def _no_development_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """In which nothing is taken out."""
    flags = {name: getattr(sys.flags, name) for name in dir(sys.flags) if not name.startswith("_")}
    monkeypatch.setattr(tracebacks.sys, "flags", type("Flags", (), flags | {"dev_mode": False})())


def function(file: str, module: str, body: str, **names: object) -> Callable[[], None]:
    """A function that stands in *file*, of *module*."""
    namespace = {"__name__": module, **names}
    exec(compile(f"def function():\n    {body}\n", file, "exec"), namespace)
    return namespace["function"]  # type: ignore[return-value]


def shown(call: Callable[[], None]) -> list[str]:
    """The files of the frames that are left of an error in *call*."""
    with pytest.raises(ZeroDivisionError) as caught:
        call()
    tracebacks.hide_frames(caught.value)
    trace: TracebackType | None = caught.value.__traceback__
    files = []
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    return files[1:]


@pytest.mark.parametrize(
    ("file", "module", "hidden"),
    [
        (tracebacks.__file__, "runtime.tracebacks", True),
        (tracebacks.__file__, "anything", True),
        ("runtime/hub.py", "runtime.hub", True),  # compiled
        ("runtime/hub.py", "__main__", False),  # a program that has a folder of that name
        ("/app/runtime/hub.py", "runtime.hub", False),
        ("<frozen importlib._bootstrap_external>", "rewriter.loader", True),
        ("<frozen importlib._bootstrap_external>", "importlib._bootstrap_external", False),
        ("/usr/lib/python3/os.py", "runtime.green.os", False),  # the library's code over our names
    ],
)
def test_a_frame_is_ours_by_its_file(file: str, module: str, hidden: bool) -> None:
    inner = function(file, module, "1 / 0")
    outer = function("/app/outer.py", "app", "inner()", inner=inner)
    assert shown(outer) == ["/app/outer.py", file][: 1 if hidden else 2]


def test_frames_between_others_go_too() -> None:
    callback = function("/app/callback.py", "app", "1 / 0")
    ours = function(tracebacks.__file__, "runtime.group", "callback()", callback=callback)
    outer = function("/app/outer.py", "app", "ours()", ours=ours)
    assert shown(outer) == ["/app/outer.py", "/app/callback.py"]


def test_nothing_may_be_left() -> None:
    ours = function(tracebacks.__file__, "runtime.group", "1 / 0")
    with pytest.raises(ZeroDivisionError) as caught:
        ours()
    assert caught.value.__traceback__ is not None
    assert tracebacks.without_us(caught.value.__traceback__.tb_next) is None


def test_the_development_mode_leaves_them_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracebacks.sys.flags, "dev_mode", True)
    ours = function(tracebacks.__file__, "runtime.group", "1 / 0")
    assert shown(ours) == [tracebacks.__file__]
