"""Handlers of logging that wait: records never interleave, others run, and the tree of loggers is the one of all."""

from __future__ import annotations

import logging
import logging.handlers as plain_handlers
import pickle
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

import runtime
from runtime.green import logging as green
from runtime.green import queue as green_queue
from runtime.green.logging import config as green_config
from runtime.green.logging import handlers
from tests.runtime.ticker import Ticker

# Imported on the main thread, which the twin of `threading` takes for that.
pytestmark = pytest.mark.usefixtures("backend")


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    it = logging.getLogger("test_logging_handlers")
    it.propagate = False
    it.setLevel(logging.INFO)
    yield it
    for handler in it.handlers[:]:
        it.removeHandler(handler)
        handler.close()


def read_exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        assert part
        data += part
    return data


def test_records_do_not_interleave_when_sending_waits(logger: logging.Logger) -> None:
    """The peer reads nothing until all tasklets have a record under way; then it finds each in one piece."""
    from runtime.green import socket as green_socket

    listener = socket.create_server(("127.0.0.1", 0))
    handler = handlers.SocketHandler("127.0.0.1", listener.getsockname()[1])
    logger.addHandler(handler)
    senders = [runtime.spawn(logger.info, f"{number}" * 1_000_000) for number in range(5)]
    runtime.sleep(0.01)
    assert not all(sender.done for sender in senders)
    connection, _ = listener.accept()
    green_connection = green_socket.socket(fileno=connection.detach())
    seen = []
    for _ in senders:
        (size,) = struct.unpack(">L", read_exactly(green_connection, 4))
        seen.append(pickle.loads(read_exactly(green_connection, size))["msg"])
    assert sorted(seen) == [f"{number}" * 1_000_000 for number in range(5)]
    for sender in senders:
        sender.result(30)
    green_connection.close()
    listener.close()


def test_a_handler_waits_for_its_lock_while_others_run(logger: logging.Logger) -> None:
    """What another tasklet holds is waited for: a plain RLock would let this one in."""

    class Handler(handlers.DatagramHandler):
        def emit(self, record: logging.LogRecord) -> None:
            events.append(f"begin {record.msg}")
            runtime.sleep(0.001)
            events.append(f"end {record.msg}")

    events: list[str] = []
    logger.addHandler(Handler("127.0.0.1", 9))
    with Ticker():
        both = [runtime.spawn(logger.info, word) for word in ("one", "two")]
        for each in both:
            each.result(30)
        runtime.sleep(0.02)
    assert events == ["begin one", "end one", "begin two", "end two"]


def test_a_killed_tasklet_leaves_the_handler_free(logger: logging.Logger) -> None:
    class Handler(handlers.DatagramHandler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.msg == "slow":
                runtime.sleep(60)
            seen.append(record.msg)

    seen: list[str] = []
    logger.addHandler(Handler("127.0.0.1", 9))
    slow = runtime.spawn(logger.info, "slow")
    runtime.sleep(0)
    slow.kill()
    logger.info("next")
    assert seen == ["next"]


def test_handlers_are_instances_in_both_worlds() -> None:
    """And registered in the one list that logging.shutdown() goes through."""
    handler = handlers.SysLogHandler(address=("127.0.0.1", 9))
    assert isinstance(handler, plain_handlers.SysLogHandler)
    assert isinstance(handler, logging.Handler)
    assert any(reference() is handler for reference in logging._handlerList)  # type: ignore[attr-defined]
    handler.close()


def test_there_is_one_tree_of_loggers() -> None:
    """What converted code assigns to the module is assigned to the original."""
    assert green.getLogger("a.b") is logging.getLogger("a.b")
    assert green.Handler is logging.Handler
    before = logging.raiseExceptions
    try:
        green.raiseExceptions = not before
        assert logging.raiseExceptions is (not before)
    finally:
        green.raiseExceptions = before
    assert logging.raiseExceptions is before
    assert green.raiseExceptions is before
    assert green.handlers is handlers


def test_a_configuration_of_converted_code_finds_the_counterparts(logger: logging.Logger) -> None:
    """dictConfig() resolves "logging.handlers.SocketHandler" to what converted code would import."""
    configuration: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"it": {"class": "logging.handlers.SocketHandler", "host": "127.0.0.1", "port": 9}},
        "loggers": {logger.name: {"handlers": ["it"]}},
    }
    green_config.dictConfig(configuration)
    assert type(logger.handlers[0]) is handlers.SocketHandler


def test_a_listener_of_a_queue_is_a_tasklet(logger: logging.Logger) -> None:
    class Target(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.msg)

    seen: list[str] = []
    records: Any = green_queue.Queue()
    logger.addHandler(handlers.QueueHandler(records))
    listener = handlers.QueueListener(records, Target())
    listener.start()
    logger.info("hello")
    listener.stop()
    assert seen == ["hello"]
