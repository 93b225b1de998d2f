"""What converted code assigns to a module it assigns to the one that everybody sees; put back, both are as before."""

from __future__ import annotations

import importlib
import logging
import time
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import runtime.green.http.client
import runtime.green.unittest.mock

import runtime.green
import runtime.green.logging
import runtime.green.time
from tests.runtime.conftest import Program

green_logging: Any = runtime.green.logging
green_time: Any = runtime.green.time
client = importlib.import_module("http.client")
green_client: Any = runtime.green.http.client
green_mock: Any = runtime.green.unittest.mock

CASES = [  # a counterpart, its module, a name: a twin's function, class and setting; of state, a replaced one and not
    (green_client, client, "parse_headers"),
    (green_client, client, "HTTPConnection"),
    (green_client, client, "_MAXHEADERS"),
    (green_time, time, "sleep"),
    (green_time, time, "perf_counter"),
    (green_logging, logging, "StreamHandler"),
    (green_logging, logging, "Formatter"),
]


@pytest.mark.parametrize(("green", "plain", "name"), CASES)
@pytest.mark.parametrize("back", ["ours", "theirs"])
def test_both_see_it_and_both_get_theirs_back(green: Any, plain: Any, name: str, back: str) -> None:
    before = getattr(green, name), getattr(plain, name)
    fake = object()
    setattr(green, name, fake)
    assert getattr(green, name) is getattr(plain, name) is fake
    setattr(green, name, before[0] if back == "ours" else before[1])
    assert (getattr(green, name), getattr(plain, name)) == before


@pytest.mark.parametrize(("green", "plain", "name"), CASES)
def test_mock_patches_both(green: Any, plain: Any, name: str) -> None:
    before = getattr(green, name), getattr(plain, name)
    with mock.patch.object(green, name) as outer:
        assert getattr(green, name) is getattr(plain, name) is outer
        with mock.patch.object(green, name) as inner:
            assert getattr(green, name) is getattr(plain, name) is inner
        assert getattr(green, name) is getattr(plain, name) is outer
    assert (getattr(green, name), getattr(plain, name)) == before


def test_the_mock_of_converted_code_finds_counterparts_by_name() -> None:
    with green_mock.patch("time.sleep") as fake:
        green_time.sleep(1)
    fake.assert_called_once_with(1)


def test_a_wrapper_around_a_counterpart_does_not_come_round_to_itself() -> None:
    """Everyone sees it, and what it calls stands on the plain function that was there before."""
    calls = []
    before = green_time.sleep, time.sleep
    sleep = green_time.sleep
    green_time.sleep = lambda seconds: (calls.append(seconds), sleep(seconds))
    try:
        green_time.sleep(0)
        time.sleep(0.001)
    finally:
        green_time.sleep = sleep
    assert calls == [0, 0.001]
    assert (green_time.sleep, time.sleep) == before


def test_a_mock_takes_nothing_from_the_hub(program: Program) -> None:
    """Tasklets and threads wake each other up though os.read and os.write are a test's, and select too."""
    done = program(
        """
        import os, select, threading, time
        from unittest import mock

        patches = [mock.patch("os.write"), mock.patch("select.epoll"), mock.patch("time.monotonic")]
        with mock.patch("os.read") as read, patches[0], patches[1], patches[2]:
            native = threading.Thread(target=time.sleep, args=(0.01,))
            native.start()
            native.join()
            read.return_value = b"fake"
            print(os.read(0, 1), time.monotonic is not None)
        import runtime
        print(runtime.offload(sum, [1, 2]))
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("b'fake' True\n3\n", "")


@pytest.mark.parametrize(("green", "plain"), [(green_logging, logging), (green_client, client)])
def test_what_was_not_there_is_not_there_again(green: Any, plain: Any) -> None:
    green.unstall = 1
    assert plain.unstall == 1
    green.unstall = 2
    del green.unstall
    assert not hasattr(green, "unstall")
    assert not hasattr(plain, "unstall")
    with pytest.raises(AttributeError):
        del green.unstall


@pytest.mark.parametrize(("green", "plain", "name"), CASES)
def test_what_was_deleted_can_be_put_back(green: Any, plain: Any, name: str) -> None:
    before = getattr(green, name), getattr(plain, name)
    delattr(green, name)
    try:
        assert not hasattr(green, name)
        assert not hasattr(plain, name)
    finally:
        setattr(green, name, before[0])
    assert (getattr(green, name), getattr(plain, name)) == before


def test_a_setting_that_differs_is_one_setting_once_it_is_assigned() -> None:
    """``tempfile.tempdir`` is None in the one module that was not asked yet; None is what is assigned then."""
    plain, green = importlib.import_module("tempfile"), importlib.import_module("runtime.green.tempfile")
    before = plain.tempdir, green.tempdir
    vars(plain)["tempdir"], vars(green)["tempdir"] = None, "/somewhere"
    try:
        green.tempdir = "/elsewhere"
        green.tempdir = None
        assert (plain.tempdir, green.tempdir) == (None, None)
        green.tempdir = "/somewhere"
        assert (plain.tempdir, green.tempdir) == ("/somewhere", "/somewhere")
    finally:
        vars(plain)["tempdir"], vars(green)["tempdir"] = before


def test_what_the_import_system_binds_stays_where_it_is() -> None:
    """The plain package keeps its own submodule."""
    plain = importlib.import_module("http")
    green = importlib.import_module("runtime.green.http")
    assert plain.client is client
    assert green.client is green_client
    green.client = green_client
    assert plain.client is client


def test_the_twins_own_statements_write_to_the_twin_alone() -> None:
    request = importlib.import_module("urllib.request")
    green = importlib.import_module("runtime.green.urllib.request")
    before = request._opener
    green.install_opener(green.build_opener())
    try:
        assert request._opener is before
    finally:
        green.install_opener(None)


def test_the_class_of_a_counterpart_makes_plain_modules() -> None:
    from runtime.green import os, threading

    for counterpart in (os, threading):
        made = type(counterpart)("made", "what for")
        assert type(made) is ModuleType
        assert (made.__name__, made.__doc__) == ("made", "what for")
        del made.__name__

    class Kind(type(os)):  # type: ignore[misc]
        pass

    assert isinstance(Kind("made"), Kind)
