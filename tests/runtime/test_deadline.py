"""``timeout()``: bounded blocks."""

from __future__ import annotations

import pytest

import runtime
from runtime.green import socket
from runtime.hub import get_hub

pytestmark = pytest.mark.usefixtures("backend")


def test_a_wait_in_the_block_is_ended() -> None:
    """The error comes at the end of the block; the object says that it expired."""
    with pytest.raises(TimeoutError), runtime.timeout(0.001) as limit:
        runtime.sleep(1000)
    assert limit.expired


def test_a_block_in_time_is_left_alone() -> None:
    """No timer and no interrupt stays behind."""
    with runtime.timeout(1000) as limit:
        runtime.sleep(0.001)
    assert not limit.expired
    assert len(get_hub().timers) == 0
    assert not runtime.current().interrupts


def test_no_limit() -> None:
    """None is no limit."""
    with runtime.timeout(None) as limit:
        runtime.schedule()
    assert not limit.expired


@pytest.mark.parametrize(("outer", "inner"), [(0.001, 1000), (1000, 0.001), (0.001, 0.001)])
def test_nested_blocks_end_at_the_shorter_limit(outer: float, inner: float) -> None:
    """The one whose time is up raises; the other one does not interrupt anything afterwards."""
    ended: list[str] = []
    try:
        with runtime.timeout(outer):
            try:
                with runtime.timeout(inner):
                    runtime.sleep(1000)
            except TimeoutError:
                ended.append("inner")
                runtime.schedule()
    except TimeoutError:
        ended.append("outer")
    runtime.sleep(0.01)
    assert ended[0] == ("inner" if inner < outer else "outer" if outer < inner else ended[0])
    assert not runtime.current().interrupts


def test_an_expiry_after_the_last_wait_is_no_error() -> None:
    """A block that completed is complete, and the next wait is not interrupted."""
    with runtime.timeout(1000) as limit:
        limit._expire()  # now, with no wait to come
    assert limit.expired
    runtime.schedule()


def test_an_except_exception_inside_does_not_swallow_it() -> None:
    """What unwinds the block is no Exception."""
    with pytest.raises(TimeoutError), runtime.timeout(0.001):  # noqa: PT012
        try:
            runtime.sleep(1000)
        except Exception:
            runtime.sleep(1000)


def test_only_the_tasklet_of_the_block_is_interrupted() -> None:
    """Others sleep on."""
    other = runtime.spawn(runtime.sleep, 1000)
    with pytest.raises(TimeoutError), runtime.timeout(0.001):
        runtime.sleep(1000)
    assert other.alive
    other.kill()


def test_a_socket_is_usable_after_a_timeout_in_it() -> None:
    """The wait that was ended leaves no trace on the descriptor."""
    a, b = socket.socketpair()
    with a, b:
        for _ in range(3):
            with pytest.raises(TimeoutError), runtime.timeout(0.001):
                a.recv(1)
        b.send(b"x")
        assert a.recv(1) == b"x"
