"""debugpy, which editors debug with, stops in a converted program where it stops in the plain one."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.rewriter.conftest import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("debugpy") is None, reason="debugpy is not installed"
)

PROGRAM = """\
import app
import threading

print(app.total([1, 2]))
thread = threading.Thread(target=app.total, args=([3],))
thread.start()
thread.join()
"""
APP = """\
import time
from pathlib import Path

def total(numbers):
    found = 0
    for number in numbers:
        time.sleep(0)
        found += number  # stop
    with open(__file__) as file:
        words = len(file.read()) and len(Path(__file__).read_text())
    return found if words else None
"""
STOP = APP[: APP.index("# stop")].count("\n") + 1
PATIENCE = 30.0


class Client:
    """A client of the Debug Adapter Protocol: requests and their answers, and the events that come between."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._file = self._socket.makefile("rb")
        self._events: list[dict[str, Any]] = []
        self._sent = 0

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request without waiting for its answer; returns its number."""
        self._sent += 1
        request = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        return self._sent

    def ask(self, command: str, **arguments: Any) -> Any:
        """Send a request; returns the body of the answer."""
        number = self.send(command, **arguments)
        while True:
            message = self._read()
            if message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return message.get("body")

    def event(self, *names: str) -> dict[str, Any]:
        """The next event that is called one of *names*."""
        while True:
            for position, event in enumerate(self._events):
                if event["event"] in names:
                    return self._events.pop(position)
            self._read()

    def _read(self) -> dict[str, Any]:
        length = 0
        while line := self._file.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the debugger has gone"
        message: dict[str, Any] = json.loads(self._file.read(length))
        if message["type"] == "event":
            self._events.append(message)
        return message


def _where(client: Client, thread: int, folder: Path) -> list[Any]:
    """The program's own frames, innermost first, and what the innermost knows."""
    frames = client.ask("stackTrace", threadId=thread)["stackFrames"]
    own = [frame for frame in frames if Path(frame["source"].get("path", "")).parent == folder]
    scope = client.ask("scopes", frameId=own[0]["id"])["scopes"][0]
    known = client.ask("variables", variablesReference=scope["variablesReference"])["variables"]
    value = client.ask("evaluate", expression="found + 100", frameId=own[0]["id"], context="watch")["result"]
    variables = {each["name"]: re.sub(" at 0x.*", "", each["value"]) for each in known}
    return [[(frame["name"], frame["line"]) for frame in own], variables, value]


def _debugged(folder: Path, *how: str) -> list[Any]:
    """Where the program stops, first at the breakpoint, then at each step, and what it knows there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    debugger = [
        "-X",
        "frozen_modules=off",
        "-m",
        "debugpy",
        "--listen",
        f"127.0.0.1:{port}",
        "--wait-for-client",
    ]
    process = subprocess.Popen(
        [sys.executable, *debugger, *how, "prog.py"],
        cwd=folder, env=environment | {"PYTHONPATH": ROOT}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        client = _connected(process, port)
        client.ask("initialize", adapterID="test", linesStartAt1=True, pathFormat="path")
        client.send("attach", justMyCode=False)
        client.event("initialized")
        breakpoints = client.ask(
            "setBreakpoints", source={"path": str(folder / "app.py")}, breakpoints=[{"line": STOP}]
        )
        assert breakpoints["breakpoints"][0]["verified"]
        client.ask("configurationDone")
        stops = []
        commands = (
            ["next"] * 3 + ["continue"] + ["next"] * 4 + ["continue"] * 9
        )  # a thread's first stop among these
        while (event := client.event("stopped", "terminated"))["event"] == "stopped":
            thread = event["body"]["threadId"]
            stops.append((event["body"]["reason"], *_where(client, thread, folder)))
            client.send(commands.pop(0), threadId=thread)
        client.close()
        output, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, output) == (0, "3\n"), errors
    return stops


def _connected(process: subprocess.Popen[str], port: int) -> Client:
    while True:
        assert process.poll() is None, process.communicate()[1]
        try:
            return Client(port)
        except ConnectionRefusedError:
            time.sleep(0.02)


def test_a_debugger_stops_at_the_same_lines(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    (tmp_path / "app.py").write_text(APP)
    plain = _debugged(tmp_path)
    assert [reason for reason, *_ in plain].count("breakpoint") == 3
    assert _debugged(tmp_path, "-m", "rewriter") == plain
