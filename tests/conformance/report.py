"""The table of a run, for the terminal and for docs/conformance.md."""

from __future__ import annotations

import pathlib
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version

from tests.conformance.comparison import Comparison, last_line
from tests.conformance.exclusions import Exclusion
from tests.conformance.process import Outcome

HEAD = ("file", "ran", "passed", "excluded", "broken", "waited", "plain, s", "converted, s")

INTRODUCTION = """\
# Conformance

CPython's own tests, run converted and compared test by test with a plain run on the same Python: what
passes plain must pass converted. The tests are the installed ones, unmodified; nothing in them or in
`test.support` is neutered. Made by

    python -m tests.conformance --write docs/conformance.md

*ran*: tests that pass under plain Python. *passed*: of these, the ones that pass converted. *excluded*: the
ones in `tests/conformance/exclusions.toml`, each with its reason. *broken*: neither. *waited*: tests in which
a tasklet really waited for something. The rows `:environment` and `:exit` among the tests stand for what a
file leaves behind and how its process ends. A test that broke and passed when it was run once more, by
itself, is counted as passed and named. With names of files the command replaces their rows only.
"""


def row(comparison: Comparison) -> tuple[str, ...]:
    name = comparison.module.removeprefix("test.")
    if comparison.problem:
        return (name, "—", "—", "—", "all", "", "", "")
    if comparison.plain.skipped:
        return (name, "0", "0", "0", "0", "", "", "")
    return (
        name,
        str(comparison.expected),
        str(len(comparison.passed)),
        str(len(comparison.excluded)),
        str(len(comparison.broken)),
        "" if comparison.waited is None else str(comparison.waited),
        f"{comparison.plain.seconds:.1f}",
        f"{comparison.converted.seconds:.1f}",
    )


def total(rows: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The last row; files that did not run count for nothing."""
    counted = [cells for cells in rows if cells[1].isdecimal()]
    waited = [int(cells[5]) for cells in counted if cells[5]]
    return (
        "all",
        *(str(sum(int(cells[i]) for cells in counted)) for i in range(1, 5)),
        str(sum(waited)) if waited else "",
        *(f"{sum(float(cells[i] or 0) for cells in counted):.1f}" for i in (6, 7)),
    )


def text(comparisons: Sequence[Comparison]) -> str:
    """The table in columns."""
    rows = [row(comparison) for comparison in comparisons]
    lines = [HEAD, *rows, total(rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(line[i].rjust(widths[i]) for i in range(1, len(HEAD)))]
        ).rstrip()
        for line in lines
    )


def quoted(outcome: Outcome) -> str:
    """Kind and last line of a failure, as Markdown leaves them alone."""
    return re.sub(r"([<>*_`|\[\]])", r"\\\1", f"{outcome.kind}: {last_line(outcome)}"[:200])


class Section:
    """The part of the document about one Python: a row for each file, and lists of what there is to say of tests."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, ...]] = {}
        self.lists: dict[str, list[tuple[str, str]]] = {}

    @classmethod
    def of(cls, comparisons: Sequence[Comparison], exclusions: Mapping[str, Exclusion]) -> Section:
        """What came of a run."""
        self = cls()
        self.rows = {cells[0]: cells for cells in map(row, comparisons)}
        self.lists = {
            "Skips itself": [(c.module, c.plain.skipped) for c in comparisons if c.plain.skipped],
            "Does not run": [
                (c.module, last_line(Outcome("", detail=c.problem))) for c in comparisons if c.problem
            ],
            "Broken": [(name, quoted(o)) for c in comparisons for name, o in c.broken.items()],
            "Excluded": [(name, exclusions[name].reason) for c in comparisons for name in c.excluded],
            "Passed on the second try": [
                (name, quoted(o)) for c in comparisons for name, o in c.again.items()
            ],
        }
        return self

    @classmethod
    def parsed(cls, text: str) -> Section:
        """What `str` made."""
        self = cls()
        entries: list[tuple[str, str]] = []
        for line in text.splitlines():
            if line.startswith("| test_"):
                cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
                self.rows[cells[0]] = cells
            elif found := re.match(r"- `([^`]+)`: (.*)", line):
                entries.append((found[1], found[2]))
            elif line.endswith(":"):
                entries = self.lists.setdefault(line[:-1], [])
        return self

    def update(self, newer: Section) -> None:
        """Replace what is said of the files in *newer*."""
        about = tuple(f"test.{name}{mark}" for name in newer.rows for mark in (".", ":"))
        for title in {**self.lists, **newer.lists}:
            kept = [entry for entry in self.lists.get(title, []) if not f"{entry[0]}.".startswith(about)]
            self.lists[title] = [*kept, *newer.lists.get(title, [])]
        parts = tuple(f"{name}." for name in newer.rows)  # a package was run as one, or is now
        self.rows = {name: cells for name, cells in self.rows.items() if not name.startswith(parts)}
        self.rows.update(newer.rows)

    def __str__(self) -> str:
        rows = list(self.rows.values())
        lines = ["| " + " | ".join(HEAD) + " |", "|---|" + "--:|" * (len(HEAD) - 1)]
        lines += ["| " + " | ".join(cells) + " |" for cells in [*rows, total(rows)]]
        for title, entries in self.lists.items():
            if entries:
                lines += ["", f"{title}:", "", *(f"- `{name}`: {why}" for name, why in entries)]
        return "\n".join(lines)


def beside(ours: Sequence[Comparison], theirs: Sequence[Comparison], peer: str) -> str:
    """The part of the document that compares with a *peer*: what passes plain and does not pass there."""
    head = ("file", "ran", "unstall: not passed", f"{peer}: not passed")
    rows = []
    for own, other in zip(ours, theirs, strict=True):
        counts = [str(own.expected), _lost(own), _lost(other)] if not own.plain.skipped else ["0", "0", "0"]
        rows.append((own.module.removeprefix("test."), *counts))
    ran = [sum(int(row[i]) for row in rows) for i in (1, 2, 3)]
    rows.append(("all", str(ran[0]), *(f"{lost} ({lost / (ran[0] or 1):.1%})" for lost in ran[1:])))
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    lines.insert(1, "|---|--:|--:|--:|")
    return (
        f"What passes plain and not under each: excluded or broken, counted alike. {peer} {version(peer)} runs\n"
        f"the same unmodified files by `python -m {peer}.monkey`. The files are those of CPython's tests that\n"
        f"{peer}'s own repository runs; made by\n\n"
        f"    python -m tests.conformance {peer} --peer {peer} --write docs/conformance.md\n\n"
        + "\n".join(lines)
    )


def _lost(comparison: Comparison) -> str:
    return str(
        len(comparison.excluded) + len(comparison.broken) if not comparison.problem else comparison.ran
    )


def write(path: pathlib.Path, title: str, body: str | Section, *, whole: bool = True) -> None:
    """Replace the section about what *title* begins with; others stay.

    Args:
        whole: replace all of it, not only what is said of the files in *body*.
    """
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    found = re.findall(r"^## ([^\n]*)\n\n(.*?)\s*(?=^## |\Z)", old, re.MULTILINE | re.DOTALL)
    sections = {_order(head): (head, text) for head, text in found}
    if not whole and isinstance(body, Section) and _order(title) in sections:
        merged = Section.parsed(sections[_order(title)][1])
        merged.update(body)
        body = merged
    sections[_order(title)] = (title, str(body))
    parts = [f"\n## {head}\n\n{text}\n" for _, (head, text) in sorted(sections.items())]
    path.write_text(INTRODUCTION + "".join(parts), encoding="utf-8")


def this_python() -> str:
    """The title of the section about this Python."""
    return f"Python {platform.python_version()} on {platform.system()}"


def _order(title: str) -> tuple[str, ...]:
    """What a section is about, a minor version or a peer: of each there is one, the versions first."""
    what, subject, *_ = title.split()
    return ("", *(part.zfill(3) for part in subject.split(".")[:2])) if what == "Python" else (what, subject)
