"""Many short processes, many look-ups of names, at a time: as it is, converted, and monkeypatched."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable

from benchmarks.peers.stopwatch import run

PROCESSES = 20  # at a time
NAMES = 100  # at a time


def threaded(action: Callable[[], None], count: int, threads: int) -> None:
    """`threads` threads do it `count` times altogether."""
    done: list[int] = []

    def work(share: int) -> None:
        for _ in range(share):
            action()
        done.append(share)

    crowd = [threading.Thread(target=work, args=(len(range(i, count, threads)),)) for i in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert sum(done) == count


def process() -> None:
    subprocess.run(["true"], check=True)


def look_up(host: str) -> None:
    for _family, _type, _protocol, _name, address in socket.getaddrinfo(
        host, 80, socket.AF_INET, socket.SOCK_STREAM
    ):
        assert address == ("127.0.0.1", 80)


if __name__ == "__main__":
    run(
        {
            "processes": lambda count: threaded(process, count, PROCESSES),
            "numeric": lambda count: threaded(lambda: look_up("127.0.0.1"), count, NAMES),
            "localhost": lambda count: threaded(lambda: look_up("localhost"), count, NAMES),
        }
    )
