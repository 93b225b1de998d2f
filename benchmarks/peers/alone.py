"""Blocking calls of a program with one thread and nothing else to run: `socket COUNT`, `file COUNT FILE`."""

from __future__ import annotations

import socket
import sys

from benchmarks.peers.stopwatch import run


def socket_pair(count: int) -> None:
    """A byte goes in at one end and comes out at the other."""
    one, other = socket.socketpair()
    got = 0
    with one, other:
        for _ in range(count):
            one.send(b"x")
            got += len(other.recv(1024))
    assert got == count


def file(count: int) -> None:
    """Open, read whole, close."""
    path = sys.argv[3]
    got = 0
    for _ in range(count):
        with open(path, "rb") as opened:
            got += len(opened.read())
    assert got == count * 4096


if __name__ == "__main__":
    run({"socket": socket_pair, "file": file})
