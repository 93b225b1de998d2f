"""What ``--check`` found, as text, as JSON and as SARIF.  docs/seeing.md describes the formats."""

from __future__ import annotations

import json
import sys
from pathlib import PurePath
from urllib.parse import quote

from rewriter import __version__
from rewriter.verdict import BLOCKING, FATES, Verdict
from runtime.calls import ALONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rewriter.sources import Unreadable

VERSION = 1  # of the JSON: counts up when what somebody relies on changes its meaning or goes

_RULES = {
    "left-alone": "A call that waits as in plain Python, and holds up all tasklets of its OS thread",
    "not-converted": "A call into a package that is not converted: if it waits, it holds up all tasklets",
}


class Finding:
    """A call that can wait: where, what, and what becomes of it.  *line* and *column* (of characters) begin at 1."""

    __slots__ = ("column", "file", "line", "name", "verdict")

    def __init__(self, file: str, line: int, column: int, name: str, verdict: Verdict) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.name = name
        self.verdict = verdict

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        """What orders findings, and tells them apart."""
        return self.file, self.line, self.column, self.name, self.verdict.fate

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Finding) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def message(self) -> str:
        """What becomes of it, and what would cure that."""
        verdict = self.verdict
        cure = f" ({verdict.cure})" if verdict.cure else ""
        blocks = " (blocks)" if verdict.fate == ALONE else ""
        return f"{self.name}: {verdict.fate}{blocks}: {verdict.why}{cure}"


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many of *findings* have each fate."""
    return {fate: sum(finding.verdict.fate == fate for finding in findings) for fate in FATES}


def as_text(findings: Sequence[Finding], errors: Sequence[Unreadable], modules: int) -> str:
    """A line for each finding, and one that sums up; the errors were said already."""
    lines = [f"{found.file}:{found.line}:{found.column}: {found.message()}" for found in findings]
    parts = [f"{number} {fate}" for fate, number in counts(findings).items()]
    calls = f"{len(findings)} call{'' if len(findings) == 1 else 's'} that can wait"
    looked = f"{modules} module{'' if modules == 1 else 's'}"
    unread = f", {len(errors)} not read" if errors else ""
    return "\n".join([*lines, f"{calls} in {looked}: {', '.join(parts)}{unread}"]) + "\n"


def as_json(findings: Sequence[Finding], errors: Sequence[Unreadable], modules: int) -> str:
    """One object."""
    return _dumped(
        {
            "version": VERSION,
            "tool": {"name": "unstall", "version": __version__},
            "python": "{}.{}".format(*sys.version_info[:2]),
            "modules": modules,
            "summary": counts(findings),
            "findings": [
                {
                    "file": found.file,
                    "line": found.line,
                    "column": found.column,
                    "name": found.name,
                    "fate": found.verdict.fate,
                    "why": found.verdict.why,
                    "cure": found.verdict.cure or None,
                }
                for found in findings
            ],
            "errors": [
                {"file": error.path, "line": error.line or None, "message": error.message} for error in errors
            ],
        }
    )


def as_sarif(findings: Sequence[Finding], errors: Sequence[Unreadable], modules: int) -> str:
    """A log of SARIF 2.1.0, with what stays blocking as results."""
    results = [
        {
            "ruleId": found.verdict.fate.replace(" ", "-"),
            "level": "warning",
            "message": {"text": found.message()},
            "locations": [_location(found.file, found.line, found.column)],
        }
        for found in findings
        if found.verdict.fate in BLOCKING
    ]
    notifications = [
        {
            "level": "error",
            "message": {"text": error.message},
            "locations": [_location(error.path, error.line)],
        }
        for error in errors
    ]
    rules = [{"id": rule, "shortDescription": {"text": text}} for rule, text in _RULES.items()]
    return _dumped(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {"driver": {"name": "unstall", "version": __version__, "rules": rules}},
                    "columnKind": "unicodeCodePoints",
                    "invocations": [
                        {
                            "executionSuccessful": not errors,
                            "toolExecutionNotifications": notifications,
                        }
                    ],
                    "results": results,
                }
            ],
        }
    )


def _location(file: str, line: int, column: int = 0) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": uri_of(PurePath(file))}}
    if line:
        place["region"] = {"startLine": line} | ({"startColumn": column} if column else {})
    return {"physicalLocation": place}


def uri_of(path: PurePath) -> str:
    """The URI of an absolute *path*, or the reference of a relative one."""
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
