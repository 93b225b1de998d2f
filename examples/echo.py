"""An echo server, one thread per connection: the first network program in every book.

    python examples/echo.py --port 7777              # a few thousand connections, an OS thread each
    python -m rewriter examples/echo.py --port 7777  # 10,000 connections on one OS thread

    nc 127.0.0.1 7777

Nothing here knows about conversion. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
import threading
from collections.abc import Callable

try:
    import resource
except ImportError:  # Windows: no such limit
    resource = None  # type: ignore[assignment]

CHUNK = 64 * 1024  # bytes asked of one recv()
SPARE = 64  # descriptors that are not connections: standard streams, the listener, the interpreter's own


def descriptors_for(connections: int) -> int:
    """Lift the soft limit of open files as far as needed; return how many connections fit under it."""
    if resource is None:
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    if hard != resource.RLIM_INFINITY and hard < wanted:
        wanted = hard
        print(f"echo: {hard} files may be open here: --max is {max(1, hard - SPARE)} now", file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, wanted - SPARE)


class EchoServer:
    """Accepts in the calling thread, echoes in one thread per connection.

    At most `maximum` connections are open at a time; the next ones wait in the listener's backlog rather than
    being turned away. After `serve` connections, unless None, `run` waits for the open ones and returns.
    """

    def __init__(self, host: str, port: int, maximum: int, serve: int | None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family, backlog=1024)
        self.room = threading.BoundedSemaphore(maximum)
        self.serve = serve
        self.lock = threading.Lock()
        self.accepted = self.open = self.most = self.bytes = 0
        self.threads: set[threading.Thread] = set()

    def run(self) -> None:
        with self.listener:
            while self.serve is None or self.accepted < self.serve:
                self.room.acquire()
                connection, _peer = self.listener.accept()
                # A daemon: Ctrl-C ends the program although clients are still connected.
                thread = threading.Thread(target=self.echo, args=(connection,), daemon=True)
                with self.lock:
                    self.accepted += 1
                    self.open += 1
                    self.most = max(self.most, self.open)
                    self.threads.add(thread)
                try:
                    thread.start()
                except RuntimeError as error:  # out of OS threads: this client goes, the others stay
                    print(f"echo: {error} ({self.open} connections are open)", file=sys.stderr)
                    connection.close()
                    self.leave(thread, 0)
        for thread in list(self.threads):
            thread.join()

    def echo(self, connection: socket.socket) -> None:
        echoed = 0
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while data := connection.recv(CHUNK):
                    connection.sendall(data)
                    echoed += len(data)
        except OSError:
            pass  # the client is gone: nothing is owed to it
        finally:
            self.leave(threading.current_thread(), echoed)

    def leave(self, thread: threading.Thread, echoed: int) -> None:
        with self.lock:
            self.open -= 1
            self.bytes += echoed
            self.threads.discard(thread)
        self.room.release()


def number(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: an integer from `low` to `high`."""

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    parse.__name__ = "number"
    return parse


def main() -> int:
    description, _, epilog = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=number(0, 65535), default=7777, help="0: a free one (default: 7777)")
    text = "connections open at a time; the next ones wait (default: 10000)"
    parser.add_argument("--max", type=number(1, 1_000_000), default=10_000, metavar="N", help=text)
    text = "end after N connections (default: serve until Ctrl-C)"
    parser.add_argument("--serve", type=number(1, 1_000_000_000), metavar="N", help=text)
    options = parser.parse_args()
    maximum = descriptors_for(options.max)
    try:
        server = EchoServer(options.host, options.port, maximum, options.serve)
    except OSError as error:
        print(f"echo: cannot listen on {options.host} port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    host, port = server.listener.getsockname()[:2]
    print(f"echo: listening on {host} port {port}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    print(f"echo: {server.accepted} connections, {server.most} at a time, {server.bytes} bytes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
