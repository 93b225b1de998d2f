"""``select``: what is ready now, what comes while others run, and odd descriptors."""

from __future__ import annotations

import os
import select as plain_select
import socket as plain_socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import runtime
from runtime.green import select, socket

pytestmark = pytest.mark.usefixtures("backend")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    a, b = socket.socketpair()
    with a, b:
        yield a, b


def _by_select(sock: Any, timeout: float | None) -> bool:
    return bool(select.select([sock], [], [], timeout)[0])


def _by_poll(sock: Any, timeout: float | None) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return poll.poll(None if timeout is None else timeout * 1000) == [(sock.fileno(), select.POLLIN)]


def _by_epoll(sock: Any, timeout: float | None) -> bool:
    with select.epoll() as epoll:
        epoll.register(sock, select.EPOLLIN)
        return epoll.poll(timeout) == [(sock.fileno(), select.EPOLLIN)]


Wait = Callable[[Any, "float | None"], bool]
waits = pytest.mark.parametrize("wait", [_by_select, _by_poll, _by_epoll])


@waits
def test_it_waits_while_others_run(wait: Wait, pair: tuple[socket.socket, socket.socket]) -> None:
    """Until one of them makes the descriptor ready."""
    a, b = pair
    order: list[str] = []

    def write() -> None:
        order.append("write")
        b.send(b"x")

    def look() -> None:
        order.append("look")
        assert wait(a, None)
        order.append("ready")

    looker, writer = runtime.spawn(look), runtime.spawn(write)
    looker.join()
    writer.join()
    assert order == ["look", "write", "ready"]


@waits
def test_time_runs_out(wait: Wait, pair: tuple[socket.socket, socket.socket]) -> None:
    """And a wait of no time waits for nothing; neither lets the other side down."""
    a, b = pair
    ticks: list[int] = []

    def tick() -> None:
        while True:
            ticks.append(1)
            runtime.sleep(0.001)

    ticker = runtime.spawn(tick)
    assert not wait(a, 0)
    assert not wait(a, 0.02)
    assert len(ticks) > 2
    b.send(b"x")
    assert wait(a, 0)
    assert wait(a, 5)
    ticker.kill()


@waits
def test_several_tasklets_wait_for_one_descriptor(
    wait: Wait, pair: tuple[socket.socket, socket.socket]
) -> None:
    """All of them are told."""
    a, b = pair
    waiting = [runtime.spawn(wait, a, 5) for _ in range(3)]
    runtime.schedule()
    b.send(b"x")
    assert [each.result(5) for each in waiting] == [True] * 3


@waits
def test_a_kill_leaves_nothing_behind(wait: Wait, pair: tuple[socket.socket, socket.socket]) -> None:
    """Neither a descriptor nor a watch."""
    a, b = pair
    runtime.schedule()  # makes the hub, which has descriptors of its own
    with plain_socket.socket() as probe:
        free = probe.fileno()
    waiting = runtime.spawn(wait, a, None)
    runtime.schedule()
    waiting.kill()
    with plain_socket.socket() as probe:
        assert probe.fileno() == free
    assert not wait(a, 0)
    b.send(b"x")
    assert wait(a, 0)


def test_a_socket_that_hung_up_is_not_spun_on(pair: tuple[socket.socket, socket.socket]) -> None:
    """The system reports the hang-up again and again to whoever waits for urgent data only."""
    a, b = pair
    b.close()
    a.shutdown(socket.SHUT_RDWR)
    ticker = runtime.spawn(runtime.sleep, 10)
    before = time.process_time()
    assert select.select([], [], [a], 0.2) == ([], [], [])
    assert time.process_time() - before < 0.1
    ticker.kill()


def test_a_regular_file_is_always_ready() -> None:
    """Also beside a socket that never is."""
    ticker = runtime.spawn(runtime.sleep, 10)
    with open(__file__, "rb") as file:
        a, b = socket.socketpair()
        with a, b:
            assert select.select([file, a], [file], [], 5) == ([file], [file], [])
    ticker.kill()


def test_bad_arguments_are_refused_as_by_the_plain_module() -> None:
    """The same errors, alone and beside others."""
    cases: list[tuple[Any, ...]] = [
        ([-1], [], []),
        ([object()], [], []),
        ([], [], [], -1),
        ([], [], [], "x"),
        (1,),
    ]
    for beside in (False, True):
        other = runtime.spawn(runtime.sleep, 10 if beside else 0)
        if not beside:
            other.join()
        for arguments in cases:
            with pytest.raises((ValueError, TypeError, OSError)) as ours:
                select.select(*arguments)
            with pytest.raises((ValueError, TypeError, OSError)) as theirs:
                plain_select.select(*arguments)
            assert ours.type is theirs.type
        other.kill()


def test_an_epoll_object_is_shared_with_plain_code(pair: tuple[socket.socket, socket.socket]) -> None:
    """By its descriptor."""
    a, b = pair
    with select.epoll() as ours:
        ours.register(a, select.EPOLLIN)
        theirs = plain_select.epoll.fromfd(os.dup(ours.fileno()))
        b.send(b"x")
        assert theirs.poll(1) == [(a.fileno(), select.EPOLLIN)]
        theirs.close()
    assert ours.closed
    with pytest.raises(ValueError, match="closed"):
        ours.poll(0)


def test_poll_is_refused_twice_at_once(pair: tuple[socket.socket, socket.socket]) -> None:
    """As by the plain object."""
    a, _ = pair
    poll = select.poll()
    poll.register(a, select.POLLIN)
    waiting = runtime.spawn(poll.poll)
    runtime.schedule()
    with pytest.raises(RuntimeError, match=r"concurrent poll\(\) invocation"):
        poll.poll()
    waiting.kill()
    assert poll.poll(0) == []
