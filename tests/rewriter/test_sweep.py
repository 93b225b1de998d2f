"""A sample of what ``python -m tests.sweep`` looks at: every 60th file of the standard library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import sweep


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """A sweep raises it for its own process."""
    before = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(before)


SAMPLE = list(sweep.files_of(sweep.LIBRARY))[7::60]


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: str(path.relative_to(sweep.LIBRARY)))
def test_nothing_changes_but_what_is_rewritten(path: Path) -> None:
    kind, words = sweep.outcome(str(path))
    assert kind in ("same", "refused"), words


def test_what_changes_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A position, a line, and what is refused: each is named, and the exit code says so."""
    good, bad, refused = (tmp_path / f"{name}.py" for name in ("good", "bad", "refused"))
    good.write_text("import time\ntime.sleep(open(1))\n")
    bad.write_text("import time\n")
    refused.write_text("import time\nreturn\n")
    assert sweep.outcome(str(good)) == ("same", "rewritten")
    assert sweep.outcome(str(refused))[0] == "refused"
    real = sweep.convert

    def moved(*arguments: object, **more: object) -> object:
        conversion = real(*arguments, **more)  # type: ignore[arg-type]
        conversion.tree.body[-1].col_offset += 1
        return conversion

    monkeypatch.setattr(sweep, "convert", moved)
    assert sweep.outcome(str(bad))[0] == "different"
    monkeypatch.undo()
    assert sweep.main([str(tmp_path), "--jobs", "1"]) == 0
    assert "3 files" in capsys.readouterr().out
