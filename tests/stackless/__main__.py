"""The command line: `python -m tests.stackless FOLDER [FILE…]`, from the root of the repository.

FOLDER is ``Stackless/unittests`` of a checkout of Stackless Python's branch 3.7-slp; none of it is kept here.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from tests.stackless.exclusions import PATH, Exclusion, ExclusionError, parse

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
KINDS = {"passed": "passed", "skipped": "skipped by themselves"}
TIMEOUT = 20.0  # seconds that a test, or an import, may take


@dataclasses.dataclass
class Run:
    """What became of the tests of one file."""

    name: str
    outcomes: dict[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    tests: list[str] = dataclasses.field(default_factory=list)
    soft: int = 0  # tests that are there once more, with soft switching
    problem: str = ""


def run(folder: pathlib.Path, name: str, exclusions: list[Exclusion], only: list[str] | None) -> Run:
    """Run the tests of the file *name*; those that are excluded in a process of their own, that spoils nothing."""
    result = Run(name)
    _run(folder, result, [])  # which only says what there is
    wanted = [test for test in result.tests if only is None or test in only]
    apart = [test for test in wanted if any(one.covers(test) for one in exclusions)]
    for part in ([test for test in wanted if test not in apart], apart):
        if part and not result.problem:
            _run(folder, result, part)
    return result


def _run(folder: pathlib.Path, result: Run, only: list[str]) -> None:
    """Run *only*; one that hangs or crashes ends its process, and a fresh one does the rest."""
    while True:
        with tempfile.TemporaryDirectory() as scratch:
            done, current, words = _attempt(folder, result, only, pathlib.Path(scratch))
        if done:
            return
        if not result.tests:
            result.problem = words
            return
        left = [test for test in only if test not in result.outcomes]
        result.outcomes[current or left[0]] = ("crashed or hung", words[-3000:])
        if len(left) == 1:
            return


def _attempt(
    folder: pathlib.Path, result: Run, only: list[str], scratch: pathlib.Path
) -> tuple[bool, str | None, str]:
    job, events, output = scratch / "job", scratch / "events", scratch / "output"
    job.write_text(json.dumps({"skip": list(result.outcomes), "only": only}))
    events.touch()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(HERE / "runner.py"), str(folder), result.name, str(job), str(events)]
    done, current, line = False, None, ""
    with output.open("wb") as sink, events.open() as stream:
        process = subprocess.Popen(
            command, cwd=scratch, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 3 * TIMEOUT
        try:
            while True:
                ended = process.poll() is not None
                while more := stream.readline():
                    line += more
                    if not line.endswith("\n"):
                        continue  # the rest of it is being written
                    event, line = json.loads(line), ""
                    deadline = time.monotonic() + TIMEOUT
                    if "tests" in event:
                        result.tests, result.soft = event["tests"], event["soft"]
                    elif "start" in event:
                        current = event["start"]
                    elif "end" in event:
                        current = None
                        result.outcomes[event["end"]] = event["kind"], event["detail"]
                    else:
                        done = True
                if ended:
                    break
                if time.monotonic() > deadline:
                    process.send_signal(signal.SIGABRT)
                    time.sleep(1.0)
                    break
                time.sleep(0.01)
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    return done, current, output.read_text(errors="replace")


def report(run_: Run, exclusions: list[Exclusion], verbose: bool) -> list[str]:
    """What is wrong with a file's run, a line each."""
    if run_.problem:
        return [f"{run_.name} does not run: {run_.problem.strip().splitlines()[-1]}"]
    wrong = []
    used: dict[str, bool] = {one.id: False for one in exclusions if one.id.split(".")[0] == run_.name}
    for test, (kind, detail) in run_.outcomes.items():
        exclusion = next((one for one in exclusions if one.covers(test)), None)
        if exclusion is not None:
            failed = kind not in ("passed", "skipped")
            used[exclusion.id] = used[exclusion.id] or failed
            if not exclusion.many and not failed:
                used[exclusion.id] = True
                wrong.append(f"stale exclusion: {test}: {kind}")
        elif kind not in ("passed", "skipped"):
            last = detail.strip().splitlines()[-1] if detail.strip() else ""
            wrong.append(f"{kind}: {test}: {last}")
            if verbose:
                wrong.append(detail)
    wrong += [f"stale exclusion: {name}: nothing of it fails" for name, needed in used.items() if not needed]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stackless", description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("files", nargs="*", metavar="FILE", help="test_channel, …; all by default")
    parser.add_argument("--only", action="append", metavar="ID", help="run this test only; may be repeated")
    parser.add_argument("--verbose", action="store_true", help="print whole tracebacks")
    given = parser.parse_args()
    folder = given.folder.resolve()
    if not (folder / "support.py").exists():
        parser.error(f"{folder} is no folder of Stackless's unit tests")
    try:
        exclusions = parse(PATH.read_text(encoding="utf-8"))
    except ExclusionError as error:
        parser.error(str(error))
    good = True
    total = dict.fromkeys((*KINDS.values(), "excluded"), 0)
    for name in given.files or sorted(path.stem for path in folder.glob("test_*.py")):
        whole = next((one for one in exclusions if one.whole and one.id == name), None)
        if whole is not None and not given.files:
            print(f"{name}: excluded: {whole.reason}")
            continue
        result = run(folder, name, exclusions, given.only)
        wrong = report(result, exclusions, given.verbose)
        good = good and not wrong
        counts = dict.fromkeys(total, 0)
        for test, (kind, _) in result.outcomes.items():
            if any(one.covers(test) for one in exclusions):
                counts["excluded"] += 1
            elif kind in KINDS:
                counts[KINDS[kind]] += 1
        for key, count in counts.items():
            total[key] += count
        print(f"{name}: {', '.join(f'{count} {key}' for key, count in counts.items())}; {len(wrong)} wrong")
        for line in wrong:
            print(f"  {line}")
        sys.stdout.flush()
    print(f"in all: {', '.join(f'{count} {key}' for key, count in total.items())}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
