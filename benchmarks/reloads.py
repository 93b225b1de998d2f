"""How long it takes from a save to the first answer by the new code, and what breaks meanwhile.

    python -m benchmarks.reloads [--peers A,B] [--edits N] [--json FILE]

One server, with a dependency that takes long to import, is edited again and again under a client that never stops:
each request on a connection of its own.  Peers are the reloaders of uvicorn and werkzeug (the one that looks once a
second).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

MODULES = 150  # of the dependency
LINES = 200  # of each of them
START = 60.0  # seconds that a server may take to come up
PATIENCE = 5.0  # seconds after which an edit counts as lost
PAUSE = 0.25  # seconds from an answer to the next edit

STANDARD = """
import http.server
import dependency
import greeting

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(greeting.TEXT)
    def log_message(self, *arguments):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""
ASGI = """
import dependency
import greeting

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": greeting.TEXT})
"""
WSGI = """
import logging
import dependency
import greeting
from werkzeug.serving import run_simple

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", str(len(greeting.TEXT)))])
    return [greeting.TEXT]

if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    run_simple("127.0.0.1", PORT, app, use_reloader=True, reloader_type="stat", threaded=True)
"""

PEERS = {
    "unstall": ("rewriter", STANDARD, ["-m", "rewriter", "--reload", "server.py"]),
    "uvicorn": (
        "uvicorn", ASGI,
        ["-m", "uvicorn", "server:app", "--reload", "--port", "PORT", "--log-level", "critical", "--no-access-log"],
    ),
    "werkzeug": ("werkzeug", WSGI, ["server.py"]),
}  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(peer: str, folder: pathlib.Path) -> Iterator[int]:
    """The peer's server in *folder*, up; gives its port."""
    _, code, words = PEERS[peer]
    port = free_port()
    package = folder / "lib" / "site-packages" / "dependency"
    package.mkdir(parents=True)
    names = [f"part{number}" for number in range(MODULES)]
    (package / "__init__.py").write_text("".join(f"from dependency import {name}\n" for name in names))
    body = "".join(f"def f{i}(a, b={i}):\n    return [a * b for _ in range(b)]\n" for i in range(LINES // 2))
    for name in names:
        (package / f"{name}.py").write_text(body)
    (folder / "server.py").write_text(code.replace("PORT", str(port)))
    (folder / "greeting.py").write_text('TEXT = b"0"\n')
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), str(package.parent)])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(
        [sys.executable, *(word.replace("PORT", str(port)) for word in words)],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + START
        while True:
            with contextlib.suppress(OSError):
                if ask(port) == b"0":
                    break
            if time.monotonic() > deadline:
                raise SystemExit(f"{peer} does not come up")
            time.sleep(0.05)
        time.sleep(1.0)  # the watcher may come up after the server
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ask(port: int) -> bytes:
    """The body of one answer.  Raises OSError for a refusal, a reset or an answer that is cut off."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while octets := connection.recv(65536):
            answer += octets
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank or b" 200 " not in head.partition(b"\r\n")[0] + b" ":
        raise ConnectionError("no answer")
    return body


class Client:
    """Asks again and again, in a thread; knows when each answer came first, and what broke."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask_on)
        self.first: dict[bytes, float] = {}
        self.answers = 0
        self.broken = 0

    def _ask_on(self) -> None:
        while not self._done.is_set():
            try:
                body = ask(self._port)
            except OSError:
                self.broken += 1
                time.sleep(0.002)
            else:
                self.answers += 1
                self.first.setdefault(body, time.monotonic())
                time.sleep(0.0005)

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        self._thread.join()


def measure(peer: str, edits: int) -> dict[str, object]:
    """Edit the peer's server; the seconds from save to new answer, and how many requests were broken."""
    with tempfile.TemporaryDirectory(prefix="reload-") as name:
        folder = pathlib.Path(name).resolve()
        with serving(peer, folder) as port, Client(port) as client:
            seconds = []
            lost = 0
            for number in range(1, edits + 1):
                text = str(number).encode()
                (folder / "greeting.py").write_text(f"TEXT = {text!r}\n")
                saved = time.monotonic()
                while text not in client.first and time.monotonic() < saved + PATIENCE:
                    time.sleep(0.001)
                if text in client.first:
                    seconds.append(client.first[text] - saved)
                else:
                    lost += 1
                time.sleep(PAUSE)
    return {
        "name": peer,
        "seconds": seconds,
        "lost": lost,
        "answers": client.answers,
        "broken": client.broken,
    }


def line(result: dict[str, object]) -> str:
    """A row of the table."""
    seconds = [float(second) for second in result["seconds"]]  # type: ignore[attr-defined]
    median, worst = (f"{1000 * f(seconds):.0f}" if seconds else "—" for f in (statistics.median, max))
    return f"| {result['name']} | {median} | {worst} | {result['broken']} | {result['answers']} | {result['lost']} |"


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks.reloads", description=__doc__.partition("\n")[0]
    )
    arguments.add_argument("--peers", metavar="A,B", help=f"some of {', '.join(PEERS)} (default: all)")
    arguments.add_argument("--edits", type=int, default=50, metavar="N", help="saves (default: 50)")
    arguments.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there too")
    given = arguments.parse_args()
    names = [name.strip() for name in given.peers.split(",")] if given.peers else list(PEERS)
    for name in names:
        if name not in PEERS:
            arguments.error(f"there is no peer {name!r}; there are {', '.join(PEERS)}")
    if given.edits < 1:
        arguments.error("--edits must be positive")
    results = []
    print("| reloader | save to new answer, ms, median | worst | requests broken | answered | edits lost |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in names:
        if importlib.util.find_spec(PEERS[name][0]) is None:
            print(f"| {name} | not installed | | | | |", flush=True)
            continue
        results.append(measure(name, given.edits))
        print(line(results[-1]), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
