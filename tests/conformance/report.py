"""The table of a run, for the terminal and for docs/conformance.md."""

from __future__ import annotations

import pathlib
import platform
import re
from collections.abc import Mapping, Sequence
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
itself, is counted as passed and named.
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


def total(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    counted = [comparison for comparison in comparisons if not comparison.problem]
    waited = [comparison.waited for comparison in counted if comparison.waited is not None]
    return (
        "all",
        str(sum(comparison.expected for comparison in counted)),
        str(sum(len(comparison.passed) for comparison in counted)),
        str(sum(len(comparison.excluded) for comparison in counted)),
        str(sum(len(comparison.broken) for comparison in counted)),
        str(sum(waited)) if waited else "",
        f"{sum(comparison.plain.seconds for comparison in counted):.1f}",
        f"{sum(comparison.converted.seconds for comparison in counted):.1f}",
    )


def text(comparisons: Sequence[Comparison]) -> str:
    """The table in columns."""
    lines = [HEAD, *map(row, comparisons), total(comparisons)]
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


def section(comparisons: Sequence[Comparison], exclusions: Mapping[str, Exclusion]) -> str:
    """The part of the document about this Python."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|" + "--:|" * (len(HEAD) - 1)]
    lines += ["| " + " | ".join(cells) + " |" for cells in [*map(row, comparisons), total(comparisons)]]
    lists = {
        "Skips itself": [(c.module, c.plain.skipped) for c in comparisons if c.plain.skipped],
        "Does not run": [
            (c.module, last_line(Outcome("", detail=c.problem))) for c in comparisons if c.problem
        ],
        "Broken": [(name, quoted(o)) for c in comparisons for name, o in c.broken.items()],
        "Excluded": [(name, exclusions[name].reason) for c in comparisons for name in c.excluded],
        "Passed on the second try": [(name, quoted(o)) for c in comparisons for name, o in c.again.items()],
    }
    for title, entries in lists.items():
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


def write(path: pathlib.Path, title: str, body: str) -> None:
    """Replace the section *title* of the document, up to the first white space after its version; others stay."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    found = re.findall(r"^## ([^\n]*)\n\n(.*?)\s*(?=^## |\Z)", old, re.MULTILINE | re.DOTALL)
    sections = {_order(head): (head, text) for head, text in found}
    sections[_order(title)] = (title, body)
    parts = [f"\n## {head}\n\n{text}\n" for _, (head, text) in sorted(sections.items())]
    path.write_text(INTRODUCTION + "".join(parts), encoding="utf-8")


def this_python() -> str:
    """The title of the section about this Python."""
    return f"Python {platform.python_version()} on {platform.system()}"


def _order(title: str) -> tuple[str, ...]:
    """What a section is about, a minor version or a peer: of each there is one, the versions first."""
    what, subject, *_ = title.split()
    return ("", *(part.zfill(3) for part in subject.split(".")[:2])) if what == "Python" else (what, subject)
