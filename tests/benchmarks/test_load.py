"""The load in Python does what the one in C does, against one server."""

from __future__ import annotations

import sys

import pytest

from benchmarks import serving
from benchmarks.compiler import CompileError, compiler
from benchmarks.sample import TooSlowError, command_of
from benchmarks.table import BENCHMARKS


@pytest.mark.parametrize(("name", "tls"), [("echo", False), ("tls-echo", True)])
@pytest.mark.parametrize("compiled", [True, False], ids=["C", "Python"])
def test_every_request_is_answered_whole(
    name: str, tls: bool, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(serving, "compiler", lambda: None)
        assert serving._load_command(tls)[0] == sys.executable
    request = b"x" * 100_000  # several reads, several records
    with (
        serving.started(command_of(BENCHMARKS[name].peers["threads"])) as (_pid, port),
        serving.Load(port, tls, request, (3, 3, 20, len(request), len(request))) as load,
    ):
        load.warm_up()
        assert load.run() > 0


@pytest.mark.parametrize(("name", "tls"), [("echo", False), ("tls-echo", True)])
def test_the_floor_in_c_answers_whole(name: str, tls: bool) -> None:
    """Else it would be no floor."""
    if compiler() is None:
        pytest.skip("no C compiler")
    try:
        command = command_of(BENCHMARKS[name].peers["C on epoll"])
    except CompileError as error:
        pytest.skip(f"no C compiler that finds OpenSSL: {error}")
    request = b"x" * 100_000
    with (
        serving.started(command) as (_pid, port),
        serving.Load(port, tls, request, (3, 3, 20, len(request), len(request))) as load,
    ):
        load.warm_up()
        assert load.run() > 0


def test_more_than_was_sent_is_noticed() -> None:
    """A load that expects fewer bytes than the server sends does not count them as an answer."""
    with (
        serving.started(command_of(BENCHMARKS["echo"].peers["threads"])) as (_pid, port),
        serving.Load(port, False, b"x" * 100, (1, 1, 1, 100, 60)) as load,
        pytest.raises(serving.MeasurementError, match="100 bytes came where 60 were due"),
    ):
        load.warm_up()


def test_a_load_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """That says nothing against the server, and is told apart from a failure."""
    monkeypatch.setattr(serving, "PATIENCE", 0.3)
    with (
        pytest.raises(TooSlowError),
        serving.started(command_of(BENCHMARKS["echo"].peers["threads"])) as (_pid, port),
        serving.Load(port, False, b"x", (1, 10_000_000, 0, 1, 1)) as load,
    ):
        load.warm_up()
