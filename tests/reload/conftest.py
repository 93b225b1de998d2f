"""A program under ``python -m rewriter --reload``: edited, asked, and read."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parent.parent.parent)
TIMEOUT = 20.0  # seconds; what takes that long hangs

SERVER = """
import http.server, sys
import greeting

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = greeting.TEXT.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("port", server.server_address[1], flush=True)
server.serve_forever()
"""


class Program:
    """A supervised program in *folder*; what it and its supervisor print is in `lines`."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._came = threading.Condition()
        environment = {**os.environ, "PYTHONPATH": ROOT}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rewriter", "--reload", *words],
            cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._came:
                self.lines.append(line.rstrip("\n"))
                self._came.notify_all()
        with self._came:
            self.lines.append("END")
            self._came.notify_all()

    def line(self, pattern: str, after: int = 0) -> re.Match[str]:
        """The first line from number *after* on that *pattern* is in, when it comes."""
        deadline = time.monotonic() + TIMEOUT
        with self._came:
            while True:
                for line in self.lines[after:]:
                    found = re.search(pattern, line)
                    if found:
                        return found
                left = deadline - time.monotonic()
                assert left > 0, f"no {pattern!r} in:\n" + "\n".join(self.lines)
                assert "END" not in self.lines, f"no {pattern!r} in:\n" + "\n".join(self.lines)
                self._came.wait(left)

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, line)) for line in list(self.lines))

    def save(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def reloaded(self, act: Callable[[], object]) -> re.Match[str]:
        """What is printed about the reload that *act* causes."""
        before = len(self.lines)
        act()
        return self.line("reloaded in", before)

    def port(self) -> int:
        return int(self.line(r"^port (\d+)")[1])

    def ask(self) -> str:
        """The answer to one request on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port()), TIMEOUT) as connection:
            return request(connection, close=True)

    def wait(self) -> int:
        code = self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        return code

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._reader.join(TIMEOUT)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()


def request(connection: socket.socket, *, close: bool = False) -> str:
    """The body of the answer to a request on *connection*."""
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"Connection: close\r\n" * close + b"\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer:
        octets = connection.recv(65536)
        if not octets:
            raise ConnectionError(f"closed after {answer!r}")
        answer += octets
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
    while len(body) < length:
        body += connection.recv(65536)
    return body.decode()


Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a program of the files given by name, with the words given."""
    programs: list[Program] = []

    def begin(*words: str, **files: str) -> Program:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        programs.append(Program(tmp_path, *words))
        return programs[-1]

    yield begin
    for program in programs:
        program.end()


@pytest.fixture
def server(start: Start) -> Program:
    """The HTTP server above, up; what it says is TEXT of greeting.py."""
    program = start("server.py", server=SERVER, greeting='TEXT = "one"')
    program.line("watching")
    return program
