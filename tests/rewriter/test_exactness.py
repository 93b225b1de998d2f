"""A program prints what it prints under plain Python, whatever it asks about itself.

The programs are in ``exact.txt``, in the form of `test_tracebacks`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rewriter.conftest import Run
from tests.rewriter.test_tracebacks import lay, read_cases, told

CASES = read_cases(Path(__file__).with_name("exact.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_a_program_sees_the_same_of_itself(name: str, tmp_path: Path, run: Run) -> None:
    command, files = CASES[name]
    outcomes = []
    for how in ((), ("-m", "rewriter")):
        lay(tmp_path, files, encoding="latin-1" if name == "latin-1" else "utf-8")
        outcomes.append(told(run(*how, *command, input="")))
    assert outcomes[1] == outcomes[0]
    assert outcomes[0][0] == 0, outcomes[0][2]
