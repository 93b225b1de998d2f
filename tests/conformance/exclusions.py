"""The list of tests that need not pass converted: read from exclusions.toml, and checked."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
import tomllib

PATH = pathlib.Path(__file__).with_name("exclusions.toml")


class ExclusionError(Exception):
    """The file is wrong; one line that says where."""


@dataclasses.dataclass(frozen=True)
class Exclusion:
    id: str
    reason: str
    python: tuple[str, ...] = ()  # versions as 3.12; none means all

    @property
    def applies(self) -> bool:
        return not self.python or f"{sys.version_info.major}.{sys.version_info.minor}" in self.python

    def belongs_to(self, module: str) -> bool:
        """Whether it is about the test file `module`."""
        return self.id.startswith((f"{module}.", f"{module}:"))


def parse(text: str) -> dict[str, Exclusion]:
    """The exclusions that apply to this Python, by id. Raises ExclusionError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExclusionError(f"exclusions.toml: {error}")
    for key in data:
        if key != "exclusion":
            raise ExclusionError(f"exclusions.toml: unknown table {key!r}")
    found: dict[str, Exclusion] = {}
    for number, row in enumerate(data.get("exclusion", []), 1):
        unknown = set(row) - {"id", "reason", "python"}
        if unknown or not isinstance(row.get("id"), str) or len(str(row.get("reason", "")).split()) < 4:
            raise ExclusionError(
                f"exclusions.toml: entry {number} needs an id and a reason in words, and nothing else"
            )
        exclusion = Exclusion(row["id"], row["reason"], tuple(row.get("python", ())))
        if exclusion.applies:
            if exclusion.id in found:
                raise ExclusionError(f"exclusions.toml: {exclusion.id} stands there twice")
            found[exclusion.id] = exclusion
    return found


def load() -> dict[str, Exclusion]:
    return parse(PATH.read_text(encoding="utf-8"))
