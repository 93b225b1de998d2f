"""What `python -m benchmarks guard` says; CI runs the command itself, which takes a minute."""

from __future__ import annotations

import pytest

from benchmarks import guard


def test_without_the_tools_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    guard._instructions.cache_clear()
    assert guard.main([]) == 0
    reasons = {line.split("  ")[-1].strip() for line in capsys.readouterr().out.splitlines()[1:]}
    assert reasons == {"no strace", "no valgrind"}


def test_more_than_the_bound_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = iter([1100, 5600, 100, 200])
    monkeypatch.setattr(guard, "_collected", lambda command, surroundings: next(counted))
    monkeypatch.setattr(guard.subprocess, "run", lambda *words, **options: None)
    row = guard.Instructions("a thing", 10.0, 10.0, ("ours",), ("floor",))
    monkeypatch.setattr(guard, "ROWS", [row])
    guard._instructions.cache_clear()
    assert guard.main([]) == 1
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "a",
        "thing",
        "45.000",
        "10.000",
        "TOO",
        "MUCH",
    ]
    guard._instructions.cache_clear()
