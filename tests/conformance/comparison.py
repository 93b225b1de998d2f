"""One test file, plain and converted, test by test: what passes plain must pass converted."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from tests.conformance.exclusions import Exclusion
from tests.conformance.process import CONVERTED, PLAIN, FileRun, Outcome, run_file

EXCLUDED = 5.0  # seconds that a test may take which is not expected to pass
SECOND_TRIES = 12  # more broken tests than that in a file are no accident of timing


@dataclasses.dataclass
class Comparison:
    """What came of one file. `broken`, `stale` and `problem` are what makes the run fail."""

    module: str
    plain: FileRun
    converted: FileRun
    passed: list[str] = dataclasses.field(default_factory=list)
    excluded: dict[str, Outcome] = dataclasses.field(default_factory=dict)
    broken: dict[str, Outcome] = dataclasses.field(default_factory=dict)
    stale: dict[str, str] = dataclasses.field(default_factory=dict)
    again: dict[str, Outcome] = dataclasses.field(default_factory=dict)  # broken in company, passed alone

    @property
    def problem(self) -> str | None:
        if self.plain.problem:
            return f"{self.module} does not run under plain Python: {self.plain.problem}"
        if self.converted.skipped and not self.plain.skipped:
            return f"{self.module} skips itself only when converted: {self.converted.skipped}"
        if self.converted.problem:
            return f"{self.module} does not run converted: {self.converted.problem}"
        return None

    @property
    def good(self) -> bool:
        return not (self.problem or self.broken or self.stale)

    @property
    def expected(self) -> int:
        """Tests that pass under plain Python."""
        return len(self.passed) + len(self.excluded) + len(self.broken)

    @property
    def ran(self) -> int:
        """Tests that passed under plain Python, although the other run came to nothing."""
        return sum(outcome.passed for outcome in self.plain.outcomes.values())

    @property
    def waited(self) -> int | None:
        """Tests in which a tasklet waited; None if the runtime does not count."""
        counts = [
            outcome.waited for outcome in self.converted.outcomes.values() if outcome.waited is not None
        ]
        return sum(count > 0 for count in counts) if counts else None

    def failures(self) -> str:
        """Everything that is wrong, a line each."""
        lines = [self.problem] if self.problem else []
        lines += [
            f"broken: {name}: {outcome.kind}: {last_line(outcome)}" for name, outcome in self.broken.items()
        ]
        lines += [f"stale exclusion: {name}: {why}" for name, why in self.stale.items()]
        return "\n".join(lines)


def last_line(outcome: Outcome) -> str:
    """What an outcome comes to: the error's own words, or the innermost frames of what hangs."""
    frames = re.findall(
        r'File ".*?([^/"]+)", line (\d+) in (\w+)', outcome.detail.rpartition("Current thread")[2]
    )
    if outcome.kind == "hung" and frames:
        return " < ".join(f"{name}:{line} {function}" for name, line, function in frames[:4])
    lines = [line.strip() for line in outcome.detail.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def compare(
    module: str,
    exclusions: Mapping[str, Exclusion],
    *,
    timeout: float,
    under: tuple[str, ...] = CONVERTED,
) -> Comparison:
    """Run `module` plain, then converted (or *under* something else).

    Tests that break are tried once more, alone, in a fresh process.
    """
    plain = run_file(module, under=PLAIN, timeout=2 * timeout)
    if plain.problem or plain.skipped:
        return Comparison(module, plain, FileRun(module))
    usual = {name: outcome.seconds for name, outcome in plain.outcomes.items()}
    # What hangs or crashes under plain Python is not compared, and would only cost another process. What is
    # excluded runs in a process of its own, last, so that it spoils nothing for the others: a thread that it
    # leaves behind, or the time that a hang takes.
    fatal = [name for name, outcome in plain.outcomes.items() if outcome.kind in ("hung", "crashed")]
    apart = [name for name in exclusions if name in plain.outcomes and ":" not in name and name not in fatal]
    converted = run_file(module, under=under, timeout=timeout, usual=usual, leave_out=[*fatal, *apart])
    if apart and not converted.problem:
        excluded = run_file(module, under=under, timeout=EXCLUDED, usual=usual, only=apart)
        for name in apart:
            if name in excluded.outcomes:
                converted.outcomes[name] = excluded.outcomes[name]
    result = judge(plain, converted, exclusions)
    if not result.problem and len(result.broken) <= SECOND_TRIES:
        for name in [name for name in result.broken if ":" not in name]:
            alone = run_file(module, under=under, timeout=timeout, usual=usual, only=[name])
            if name in alone.outcomes and alone.outcomes[name].passed:
                result.again[name] = result.broken.pop(name)
                result.passed.append(name)
    return result


def judge(plain: FileRun, converted: FileRun, exclusions: Mapping[str, Exclusion]) -> Comparison:
    """Compare two runs of a file."""
    result = Comparison(plain.module, plain, converted)
    if result.problem:
        return result
    for name, outcome in plain.outcomes.items():
        now = converted.outcomes.get(name)
        if now is None:
            if ":" in name:  # the last process was killed: how it would have ended is not known
                continue
            now = Outcome("not run", detail="it is not among the converted file's tests")
        if name in exclusions:
            if now.passed:
                result.stale[name] = "it passes"
                result.passed.append(name)
            elif outcome.passed:
                result.excluded[name] = now
        elif outcome.passed:
            if now.passed:
                result.passed.append(name)
            else:
                result.broken[name] = now
    for name, exclusion in exclusions.items():
        if exclusion.belongs_to(plain.module) and name not in plain.outcomes:
            result.stale[name] = "there is no such test"
    return result
