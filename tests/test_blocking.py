"""None of the standard library's blocking calls stops the others: beside each of them a thread goes on ticking.

The operations are those of ``python -m benchmarks.stalls``; the figures are its business.  Here a call that is held up
for 0.6 s may let no more than half of that pass between two ticks, so that a busy machine fails nothing.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.stalls import measure, operations

ROOT = pathlib.Path(__file__).parent.parent
NAMES = operations()
PARTS = 6  # processes that share the operations; they wait more than they compute


def part(number: int) -> list[str]:
    return NAMES[number::PARTS]


@pytest.fixture(scope="module")
def running() -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "rewriter", "benchmarks.peers.blocking"]
    started = [
        subprocess.Popen([*command, *part(number)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(PARTS)
    ]  # fmt: skip
    yield started
    for process in started:
        process.kill()
        process.communicate()


def again(name: str) -> dict[str, Any]:
    """Once more, alone: what stops the others does so each time, what else the machine did does not."""
    return measure("unstall", name)


def test_there_are_at_least_sixty() -> None:
    assert len(set(NAMES)) >= 60


@pytest.mark.parametrize("number", range(PARTS))
def test_others_tick_while_it_waits(number: int, running: list[subprocess.Popen[str]]) -> None:
    said, complaint = running[number].communicate(timeout=120)
    assert running[number].returncode == 0, complaint
    results = [json.loads(line) for line in said.splitlines()]
    assert [result["name"] for result in results] == part(number)
    held_up = [result["name"] for result in results if result["error"] or result["gap"] > 0.3]
    assert [result for result in map(again, held_up) if result["error"] or result["gap"] > 0.3] == []
    assert [result for result in results if result["seconds"] < 0.1] == [], "nothing held it up"
