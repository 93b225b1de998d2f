"""The package that the import benchmark imports: ordinary modules, made by rule, the same on every run.

A module has about 200 lines: imports, classes, functions, docstrings. Every second one uses something that
waits, as in a program that opted in; the others are what the rewriter should let through at once.
"""

from __future__ import annotations

import os
import pathlib

_WRITTEN = 1_700_000_000.0

_PLAIN_HEAD = '''"""Module {number} of a generated package."""

import collections
import functools
import itertools
from typing import Any
'''

_WAITING_HEAD = '''"""Module {number} of a generated package."""

import socket
import threading
import time
from queue import Empty, Queue
from typing import Any
from urllib.request import urlopen
'''

_PLAIN_CLASS = '''

class Table{n}:
    """Keeps rows by key."""

    def __init__(self, rows: "list[dict[str, Any]]") -> None:
        self.rows = rows
        self.index: "dict[str, list[int]]" = {{}}
        for position, row in enumerate(rows):
            self.index.setdefault(str(row.get("key")), []).append(position)

    def find(self, key: str, default: Any = None) -> Any:
        positions = self.index.get(key)
        if not positions:
            return default
        return [self.rows[p] for p in positions if self.rows[p].get("alive", True)]

    def total(self, field: str, *, scale: float = {n}.5) -> float:
        try:
            return sum(float(row[field]) for row in self.rows if field in row) * scale
        except (TypeError, ValueError) as error:
            raise ValueError(f"{{field}} of table {n}: {{error}}") from error
'''

_WAITING_CLASS = '''

class Client{n}:
    """Talks to a server and remembers what it heard."""

    def __init__(self, address: "tuple[str, int]", patience: float = {n}.0) -> None:
        self.address = address
        self.patience = patience
        self.lock = threading.Lock()
        self.heard: "Queue[bytes]" = Queue()

    def ask(self, question: bytes) -> bytes:
        with self.lock, socket.create_connection(self.address, self.patience) as sock:
            sock.sendall(question)
            answer = b""
            while data := sock.recv(4096):
                answer += data
        self.heard.put(answer)
        return answer

    def fetch(self, path: str, tries: int = 3) -> Any:
        for attempt in range(tries):
            try:
                with urlopen(f"http://{{self.address[0]}}:{{self.address[1]}}/{{path}}") as page:
                    return page.read()
            except OSError:
                time.sleep(0.1 * 2**attempt)
        try:
            return self.heard.get(timeout=self.patience)
        except Empty:
            return None
'''


def generate(folder: pathlib.Path, modules: int) -> int:
    """Write `folder/generated/`, a package that imports that many modules; returns how many lines they have."""
    package = folder / "generated"
    package.mkdir()
    names = [f"part{number:03}" for number in range(modules)]
    (package / "__init__.py").write_text("".join(f"from generated import {name}\n" for name in names))
    lines = 0
    for number, name in enumerate(names):
        head, body = (_WAITING_HEAD, _WAITING_CLASS) if number % 2 else (_PLAIN_HEAD, _PLAIN_CLASS)
        text = head.format(number=number) + "".join(body.format(n=n) for n in range(8))
        (package / f"{name}.py").write_text(text)
        lines += text.count("\n")
    for file in package.iterdir():  # as old as what is installed is
        os.utime(file, (_WRITTEN, _WRITTEN))
    return lines
