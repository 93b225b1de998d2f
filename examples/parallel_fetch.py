"""Several pieces of plain code fetch from slow servers, and a timeline shows who waited when.

    python examples/parallel_fetch.py               # one after another, then in OS threads
    python -m rewriter examples/parallel_fetch.py   # the same threads, all on one OS thread

Each piece is `urllib.request.urlopen(...)` and a loop over `readline()`: blocking code as anyone writes it.
Run one after another they take as long as all of them together. Run in `threading.Thread`s they take as long
as one; under plain Python each thread is then an OS thread, converted they are tasklets and share the main
one. How many OS threads the pieces ran on is asked of the kernel: it is measured, not claimed.

The slow servers live in a child process, which stays plain Python: they cost the fetching side nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

WIDTH = 48  # columns of the timeline
NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]


# -- the slow servers (child process) --------------------------------------------------------------


class SlowHandler(http.server.BaseHTTPRequestHandler):
    """Answers with a few lines of text and waits before each of them."""

    delay = 1.0  # seconds for the whole answer
    chunks = 4

    def do_GET(self) -> None:
        _host, port = self.connection.getsockname()
        line = f"hello from port {port}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(line) * self.chunks))
        self.end_headers()
        for _ in range(self.chunks):
            time.sleep(self.delay / self.chunks)
            self.wfile.write(line)

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve_slowly(count: int, delay: float, chunks: int) -> None:
    """Serve on `count` free ports, print them on one line, and stay until standard input is closed."""
    SlowHandler.delay, SlowHandler.chunks = delay, chunks
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowHandler) for _ in range(count)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(*(server.server_address[1] for server in servers), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()


@contextlib.contextmanager
def slow_servers(count: int, delay: float, chunks: int) -> Iterator[list[str]]:
    """Start the servers in a child process, give their URLs, and end the child in any case."""
    command = [sys.executable, os.path.abspath(__file__), "--serve-slowly", f"--count={count}"]
    command += [f"--delay={delay}", f"--chunks={chunks}"]
    # A child that shares the terminal gets Ctrl-C too; it ends then, as when stdin closes.
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        ports = child.stdout.readline().split()
        if len(ports) != count:
            raise SystemExit("parallel_fetch: the slow servers did not start")
        yield [f"http://127.0.0.1:{port}/" for port in ports]
    finally:
        child.stdin.close()
        child.stdout.close()
        child.wait()


# -- the pieces of plain code ----------------------------------------------------------------------


class Fetch:
    """One piece: fetches one page, and remembers when something happened and on which OS thread."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.events: list[tuple[float, str]] = []
        self.size = 0
        self.os_thread = 0
        self.error: Exception | None = None

    def note(self, what: str) -> None:
        self.events.append((time.monotonic(), what))

    def run(self) -> None:
        self.os_thread = os_thread_id()
        try:
            self.note("begin")
            with urllib.request.urlopen(self.url, timeout=60) as page:
                while data := page.readline():
                    self.size += len(data)
                    self.note("data")
            self.note("end")
        except OSError as error:
            self.error = error
            self.note("failed")


def os_thread_id() -> int:
    """The kernel's id of the OS thread that runs this, whatever Python's `threading` says of it."""
    try:
        return int(os.readlink("/proc/thread-self").rpartition("/")[2])
    except OSError:  # not Linux
        return threading.get_native_id()


def one_after_another(fetches: list[Fetch]) -> None:
    for fetch in fetches:
        fetch.run()


def in_threads(fetches: list[Fetch]) -> None:
    # Daemons: Ctrl-C ends the program without waiting for pages that are still on their way.
    threads = [threading.Thread(target=fetch.run, name=fetch.name, daemon=True) for fetch in fetches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


WAYS = {"serial": ("one after another", one_after_another), "threads": ("in threads", in_threads)}


# -- the timeline ----------------------------------------------------------------------------------


def show(title: str, fetches: list[Fetch], began: float) -> float:
    """Print what happened in order, then one bar per piece; return the seconds that all of it took."""
    events = sorted((when - began, fetch.name, what) for fetch in fetches for when, what in fetch.events)
    took = events[-1][0]
    print(f"\n== {title} ==")
    for when, name, what in events:
        print(f"  {when:6.2f} s  {name:8} {what}")
    print(f"\n  {'':8} 0 s{f'{took:.2f} s':>{WIDTH - 3}}")
    for fetch in fetches:
        print(f"  {fetch.name:8} {bar(fetch, began, took)}  {fetch.size} bytes")
    used = len({fetch.os_thread for fetch in fetches})
    plural = "s" if used != 1 else ""
    print(f"\n  {title}: {len(fetches)} pieces, {took:.2f} s, on {used} OS thread{plural}", flush=True)
    return took


def bar(fetch: Fetch, began: float, took: float) -> str:
    """`.` not begun or done, `-` waiting, `#` something arrived."""

    def column(when: float) -> int:
        return min(WIDTH - 1, int((when - began) / took * WIDTH))

    cells = ["."] * WIDTH
    first, last = column(fetch.events[0][0]), column(fetch.events[-1][0])
    cells[first : last + 1] = "-" * (last + 1 - first)
    for when, what in fetch.events:
        if what == "data":
            cells[column(when)] = "#"
    return "".join(cells)


# -- command line ----------------------------------------------------------------------------------


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600")
    return value


def count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 1000")
    return value


def main() -> int:
    description, _, epilog = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-n", "--count", type=count, default=3, help="pieces, a server each (default: 3)")
    parser.add_argument("--delay", type=positive, default=1.0, help="seconds one answer takes (default: 1)")
    parser.add_argument("--chunks", type=count, default=4, help="parts an answer arrives in (default: 4)")
    parser.add_argument("--only", choices=WAYS, help="in this way only (default: both)")
    parser.add_argument("--serve-slowly", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_slowly:
        serve_slowly(options.count, options.delay, options.chunks)
        return 0

    failed = False
    seconds = []
    with slow_servers(options.count, options.delay, options.chunks) as urls:
        for key, (title, way) in WAYS.items():
            if options.only in (None, key):
                names = [NAMES[i] if i < len(NAMES) else f"piece{i}" for i in range(options.count)]
                fetches = [Fetch(name, url) for name, url in zip(names, urls, strict=True)]
                began = time.monotonic()
                way(fetches)
                seconds.append(show(title, fetches, began))
                for fetch in fetches:
                    if fetch.error is not None:
                        failed = True
                        print(f"parallel_fetch: {fetch.name}: {fetch.error}", file=sys.stderr)
    if len(seconds) == 2 and not failed:
        print(f"\nIn threads it took {seconds[1] / seconds[0]:.0%} of the time.")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
