"""Twins: the standard modules' own code once more, with counterparts bound and shared classes shared."""

from __future__ import annotations

import concurrent.futures
import importlib
import inspect
import pickle
import queue
import sys
import types
import urllib.error

import pytest
import runtime.green.concurrent.futures
import runtime.green.http.client
import runtime.green.http.server
import runtime.green.queue
import runtime.green.selectors
import runtime.green.socketserver
import runtime.green.threading
import runtime.green.urllib.request

import runtime.green
from runtime import twins
from runtime.table import MODULES

TWINS = sorted(name for name, kind in MODULES.items() if kind == "twin")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", TWINS)
def test_it_has_the_originals_names_and_none_of_its_functions(name: str) -> None:
    """A function that belongs to the original would read the original's globals."""
    plain, green = importlib.import_module(name), importlib.import_module(f"runtime.green.{name}")
    late = {key for key in vars(plain) if f"{name}.{key}" in sys.modules}
    missing = {key for key in set(vars(plain)) - set(vars(green)) - late if not hasattr(green, key)}
    assert missing <= {"__cached__", "__builtins__", "__warningregistry__"}
    assert green.__name__ == f"runtime.green.{name}" or green.__name__ == name
    for key, value in vars(green).items():
        if isinstance(value, types.FunctionType) and value.__code__.co_filename == plain.__file__:
            assert value.__globals__ is vars(green), key


def test_an_import_of_what_is_there_is_soon_done() -> None:
    """C code imports within a call, too: `datetime` does for each ``timetuple``, and so a server for each date."""
    called: list[str] = []
    time = twins.import_in_twin("time")

    def note(frame: types.FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        again = twins.import_in_twin("time")
    finally:
        sys.setprofile(None)
    assert again is time is runtime.green.time
    assert called == ["import_in_twin", "_imported", "counterpart"]


def test_a_module_that_is_being_made_is_not_taken_for_whole() -> None:
    """The import system is asked, which waits for who makes it."""
    name = "runtime.green.queue"
    spec = sys.modules[name].__spec__
    assert spec is not None
    asked: list[str] = []
    usual = importlib.import_module
    spec._initializing = True  # type: ignore[attr-defined]
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(twins.importlib, "import_module", lambda name: (asked.append(name), usual(name))[1])
            assert twins.counterpart("queue") is sys.modules[name]
    finally:
        spec._initializing = False  # type: ignore[attr-defined]
    assert asked == [name]


def test_exceptions_and_enums_are_the_originals() -> None:
    """So that each world catches what the other raises."""
    green = runtime.green
    assert green.queue.Empty is queue.Empty
    assert green.queue.Full is queue.Full
    assert green.http.client.HTTPException is importlib.import_module("http.client").HTTPException
    assert green.http.HTTPStatus is importlib.import_module("http").HTTPStatus
    assert green.concurrent.futures.CancelledError is concurrent.futures.CancelledError
    assert green.threading.BrokenBarrierError is importlib.import_module("threading").BrokenBarrierError
    assert green.urllib.error is urllib.error


def test_a_class_derives_from_its_original_where_that_changes_nothing() -> None:
    """asyncio asserts that a future is one."""
    assert isinstance(runtime.green.concurrent.futures.Future(), concurrent.futures.Future)
    assert isinstance(runtime.green.queue.Queue(), queue.Queue)
    assert issubclass(runtime.green.queue.PriorityQueue, runtime.green.queue.Queue)


def test_it_binds_counterparts_and_leaves_the_rest() -> None:
    """What it imports is the counterpart if there is one."""
    client = runtime.green.http.client
    assert client.socket is runtime.green.socket
    assert client.re is importlib.import_module("re")
    assert runtime.green.socketserver.threading is runtime.green.threading


def test_state_belongs_to_the_twin() -> None:
    """install_opener() in converted code is seen there and nowhere else."""
    plain = importlib.import_module("urllib.request")
    green = runtime.green.urllib.request
    before = plain._opener
    opener = green.build_opener()
    try:
        green.install_opener(opener)
        assert green._opener is opener
        assert plain._opener is before
    finally:
        green.install_opener(None)


@pytest.mark.parametrize(
    ("name", "fromlist", "gives"),
    [
        ("queue", (), "runtime.green.queue"),
        ("http.client", (), "runtime.green.http"),
        ("http.client", ("HTTPConnection",), "runtime.green.http.client"),
        ("urllib", ("request", "parse"), "runtime.green.urllib"),
        ("json", (), "json"),
        ("os.path", (), "runtime.green.os"),
        ("os.path", ("join",), "os.path"),
    ],
)
def test_import_gives_counterparts(name: str, fromlist: tuple[str, ...], gives: str) -> None:
    """As an import statement in converted code does, in each of its forms."""
    module = twins.import_counterpart(name, {}, {}, fromlist, 0)
    assert module is importlib.import_module(gives)
    for attribute in fromlist:
        assert hasattr(module, attribute)


def test_a_module_that_there_is_not_is_said_to_be_missing_by_its_own_name() -> None:
    """Nobody asked for runtime.green."""
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'http\.nothing'"):
        twins.import_counterpart("http.nothing", {}, {}, (), 0)


def test_instances_of_shared_classes_can_be_pickled() -> None:
    """In converted and plain processes alike."""
    error = pickle.loads(pickle.dumps(runtime.green.concurrent.futures.TimeoutError("late")))
    assert isinstance(error, TimeoutError)
    assert pickle.loads(pickle.dumps(runtime.green.queue.Empty())).__class__ is queue.Empty


def test_positions_are_the_stock_files() -> None:
    """Tracebacks show the standard library's own source."""
    code = runtime.green.queue.Queue.join.__code__
    assert code.co_filename == queue.__file__
    assert code.co_firstlineno == queue.Queue.join.__code__.co_firstlineno


def test_what_is_quicker_here_shows_the_stock_source() -> None:
    put = runtime.green.queue.Queue.put
    assert put.__qualname__ == "Queue.put"
    assert inspect.getsource(put) == inspect.getsource(queue.Queue.put)
    assert inspect.signature(put) == inspect.signature(queue.Queue.put)
    assert inspect.getdoc(put) == inspect.getdoc(queue.Queue.put)


def test_what_is_below_a_plain_package_is_executed_once() -> None:
    """``email`` has a counterpart, ``email.mime`` has none: what is in there is the plain one."""
    import importlib.resources.abc as plain_abc
    from email.mime import text as plain

    green = importlib.import_module("runtime.green.email.mime.text")
    assert green is plain
    assert importlib.import_module("runtime.green.importlib.resources.abc") is plain_abc


def test_import_module_takes_relative_names_too() -> None:
    import runtime.green.http.client

    from runtime.green import importlib as green_importlib

    assert green_importlib.import_module(".client", "http") is runtime.green.http.client
    assert green_importlib.import_module("..parse", "urllib.request") is importlib.import_module(
        "urllib.parse"
    )
    with pytest.raises(TypeError, match="the 'package' argument is required"):
        green_importlib.import_module(".client")
