"""The tutorial's programs print what stands under them; the commands of the documents run."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

from tests.runtime.conftest import Program
from tests.stackless.exclusions import PATH, ExclusionError, parse

ROOT = pathlib.Path(__file__).parent.parent.parent
TUTORIAL = (ROOT / "docs" / "tutorial" / "README.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", TUTORIAL, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^```sh\n(.*?)^```", TUTORIAL, re.DOTALL | re.MULTILINE)


def test_every_program_of_the_tutorial_says_what_it_prints() -> None:
    assert len(PROGRAMS) == TUTORIAL.count("```python") > 10


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_of_the_tutorial_prints_what_stands_under_it(program: Program, number: int) -> None:
    source, printed = PROGRAMS[number]
    done = program(source, converted=True)
    output = "\n".join(line for line in done.stderr.splitlines() if "ResourceWarning" not in line)
    assert (done.stdout, output, done.returncode) == (printed, "", 0)


def test_the_commands_of_the_tutorial_run() -> None:
    for command in COMMANDS:
        words = command.split()
        assert words[0] == "python"
        done = subprocess.run(
            [sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr


def test_the_exclusions_can_be_read_and_are_all_about_tests() -> None:
    found = parse(PATH.read_text())
    assert found
    assert all(exclusion.id.startswith("test_") for exclusion in found)


@pytest.mark.parametrize(
    "text",
    [
        '[[exclusion]]\nid = "test_x"\nreason = "too short"\n',
        '[[exclusion]]\nid = "test_x"\nreason = "a reason of five words"\nother = 1\n',
        '[[exclusion]]\nid = "test_x"\nreason = "a reason of five words"\n' * 2,
        "nonsense",
    ],
)
def test_a_bad_list_of_exclusions_is_refused(text: str) -> None:
    with pytest.raises(ExclusionError):
        parse(text)


def test_exclusions_cover_what_they_say() -> None:
    rows = [
        'id = "test_x.Class.test_a_H"',
        'id = "test_y"\nwhole = true',
        'id = "test_z.Class.test_b"\nprotocols = true',
    ]
    text = "\n".join(f'[[exclusion]]\n{row}\nreason = "a reason of five words"' for row in rows)
    one, whole, protocols = parse(text)
    assert [one.covers(name) for name in ("test_x.Class.test_a_H", "test_x.Class.test_a_H2")] == [True, False]
    assert [whole.covers(name) for name in ("test_y.A.test_q", "test_yy.A.test_q")] == [True, False]
    covered = [
        protocols.covers(f"test_z.Class.test_b{end}") for end in ("_H", "_C3_H", "_P0_H", "_C3", "_more_H")
    ]
    assert covered == [True, True, True, False, False]
