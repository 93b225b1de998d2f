"""The list of Stackless's own tests that need not pass: read from exclusions.toml, and checked."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import sys
import tomllib

PATH = pathlib.Path(__file__).with_name("exclusions.toml")


class ExclusionError(Exception):
    """The file is wrong; one line that says where."""


@dataclasses.dataclass(frozen=True)
class Exclusion:
    """A test, by its full id; with ``whole`` all of a class or file, with ``protocols`` one for each of pickle's."""

    id: str
    reason: str
    whole: bool = False
    protocols: bool = False
    python: tuple[str, ...] = ()

    def covers(self, test: str) -> bool:
        """Whether it is about *test*."""
        if self.protocols:
            return re.fullmatch(re.escape(self.id) + r"(_[CP]\d)?_H", test) is not None
        return test == self.id or (self.whole and test.startswith(f"{self.id}."))

    @property
    def many(self) -> bool:
        """It is about more than one test."""
        return self.whole or self.protocols


def parse(text: str) -> list[Exclusion]:
    """The exclusions that apply to this Python.

    Raises:
        ExclusionError: the text is wrong.
    """
    found: list[Exclusion] = []
    try:
        rows = tomllib.loads(text).get("exclusion", [])
    except tomllib.TOMLDecodeError as error:
        raise ExclusionError(f"exclusions.toml: {error}") from None
    for number, row in enumerate(rows, 1):
        if (
            set(row) - {"id", "reason", "whole", "protocols", "python"}
            or len(str(row.get("reason", "")).split()) < 4
        ):
            raise ExclusionError(f"exclusions.toml: entry {number} needs an id and a reason in words")
        row["python"] = tuple(row.get("python", ()))
        exclusion = Exclusion(**row)
        if any(exclusion.id == other.id for other in found):
            raise ExclusionError(f"exclusions.toml: {exclusion.id} stands there twice")
        if not exclusion.python or f"{sys.version_info.major}.{sys.version_info.minor}" in exclusion.python:
            found.append(exclusion)
    return found
