"""``--check``: the calls of a target that can wait, and what becomes of each.  Nothing of the target is run."""

from __future__ import annotations

import sys

from rewriter import findings
from rewriter.findings import Finding
from rewriter.seeing import complain
from rewriter.sources import Program, Source, Unreadable
from rewriter.uses import Reader
from rewriter.verdict import BLOCKING, Judge, is_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rewriter.options import Options


def check(options: Options) -> int:
    """Report on standard output; returns the exit code: 1 if something stays blocking, 2 after errors, or 0."""
    program = Program(options)
    judge = Judge(program.scope)
    found: list[Finding] = []
    errors: list[Unreadable] = []
    sources = program.sources()
    for source in sources:
        try:
            found += _in_source(source, program, judge)
        except Unreadable as error:
            complain(str(error))
            errors.append(error)
    unique = sorted(set(found), key=lambda finding: finding.key)
    report = {"json": findings.as_json, "sarif": findings.as_sarif}.get(options.format, findings.as_text)
    sys.stdout.write(report(unique, errors, len(sources)))
    if errors:
        return 2
    return int(any(finding.verdict.fate in BLOCKING for finding in unique))


def _in_source(source: Source, program: Program, judge: Judge) -> list[Finding]:
    conversion = source.converted(program.mapping)
    lines = [line.encode() for line in conversion.original.split("\n")]
    found = []
    for use in Reader(source.package, is_class).read(conversion.tree):
        verdict = judge.judge(use)
        if verdict is not None:
            line = lines[use.line - 1] if use.line <= len(lines) else b""
            column = len(line[: use.column].decode(errors="replace")) + 1
            name = use.name.removeprefix("builtins.")
            found.append(Finding(source.shown, use.line, column, name, verdict))
    return found
