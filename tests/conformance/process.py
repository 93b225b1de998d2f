"""Drives the runner over one test file: a process, and a fresh one after every test that hung or crashed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

from tests.conformance.files import RESOURCES

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
RUNNER = HERE / "runner.py"

PLAIN = ()
CONVERTED = ("-m", "rewriter", "--convert", "test")
GEVENT = ("-m", "gevent.monkey")
PASSED = frozenset({"passed", "expected failure"})
RESTARTS = 20  # hung and crashed tests of one file after which the rest of it counts as not run
START = 120.0  # seconds for importing the test file: a first conversion is slow
LAST_WORDS = 3.0  # seconds for the traceback after SIGABRT


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one test: unittest's words, or `hung`, `crashed`, `not run`."""

    kind: str
    seconds: float = 0.0
    detail: str = ""
    waited: int | None = None  # times a tasklet waited in it, if that is counted

    @property
    def passed(self) -> bool:
        return self.kind in PASSED


@dataclasses.dataclass
class FileRun:
    """The outcomes of one file by full id, in the order of running; `problem` when not even a list of tests
    came."""

    module: str
    outcomes: dict[str, Outcome] = dataclasses.field(default_factory=dict)
    problem: str | None = None
    skipped: str | None = None  # why the whole file does not apply here, in its own words
    seconds: float = 0.0
    left_out: Collection[str] = ()


def run_file(
    module: str,
    *,
    under: tuple[str, ...],
    timeout: float,
    usual: Mapping[str, float] | None = None,
    only: Collection[str] | None = None,
    leave_out: Collection[str] = (),
) -> FileRun:
    """Run `module` (as `test.test_queue`) under what Python's arguments `under` make it run under.

    A test may take `timeout` seconds, or five times what it took in `usual` if that is more. One that takes
    longer has hung: its process group is killed, and the tests after it are run in a fresh process.
    """
    run = FileRun(module, left_out=leave_out)
    began = time.monotonic()
    for _ in range(RESTARTS + 1):
        with tempfile.TemporaryDirectory(prefix="cf-") as folder:
            attempt = _Attempt(run, under, timeout, usual or {}, pathlib.Path(folder))
            finished = attempt.drive(only)
        if finished or run.problem:
            break
    else:
        for name in attempt.tests:
            run.outcomes.setdefault(
                name, Outcome("not run", detail=f"{RESTARTS} tests before it hung or crashed")
            )
    run.seconds = time.monotonic() - began
    return run


# Set when the whole run is given up: whatever runs is stopped within a moment.
given_up = threading.Event()


class _Attempt:
    """One process over what is left of a file."""

    def __init__(
        self,
        run: FileRun,
        under: tuple[str, ...],
        timeout: float,
        usual: Mapping[str, float],
        folder: pathlib.Path,
    ) -> None:
        self.run = run
        self.under = under
        self.timeout = timeout
        self.usual = usual
        self.folder = folder
        self.tests: list[str] = []
        self.listed = False
        self.done = False
        self.altered = False
        self.current: str | None = None
        self.deadline = time.monotonic() + max(START, timeout)

    def drive(self, only: Collection[str] | None) -> bool:
        """True when the file has been run to its end."""
        job, events, work = self.folder / "job", self.folder / "events", self.folder / "w"
        work.mkdir()
        skip = [*self.run.outcomes, *self.run.left_out]
        task = {
            "module": self.run.module,
            "skip": skip,
            "only": list(only) if only else None,
            "resources": RESOURCES.get(self.run.module.removeprefix("test."), ()),
        }
        job.write_text(json.dumps(task))
        events.touch()
        with (self.folder / "output").open("w+b") as output:
            process = subprocess.Popen(
                [sys.executable, *self.under, str(RUNNER), str(job), str(events)],
                cwd=work,
                env=self.environment(work),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                with events.open("rb") as stream:
                    hung = self.watch(process, stream)
            finally:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)  # whatever the tests left behind, too
                process.wait()
            output.seek(max(0, output.seek(0, os.SEEK_END) - 100_000))
            words = output.read().decode(errors="replace")
        return self.conclude(process.returncode, hung, words)

    def environment(self, work: pathlib.Path) -> dict[str, str]:
        """The same for both runs; the project is importable from anywhere, and bytecode is cached."""
        environment = os.environ | {"TMPDIR": str(work), "LC_ALL": "C.UTF-8"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONWARNINGS"):
            environment.pop(name, None)
        return environment

    def watch(self, process: subprocess.Popen[bytes], stream: Any) -> bool:
        """Follow the events until the process ends; False, or True when it had to be stopped."""
        line = b""
        while True:
            ended = process.poll() is not None
            while more := stream.readline():
                line += more
                if line.endswith(b"\n"):
                    self.event(json.loads(line))
                    line = b""
            if ended:
                return False
            if given_up.is_set():
                raise KeyboardInterrupt
            if time.monotonic() > self.deadline:
                process.send_signal(signal.SIGABRT)  # faulthandler says where it hangs
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LAST_WORDS)
                return True
            time.sleep(0.02)

    def event(self, event: dict[str, Any]) -> None:
        limit = self.timeout
        if event["event"] == "tests":
            self.tests, self.listed = event["tests"], True
        elif event["event"] == "skipped":
            self.run.skipped, self.listed = event["reason"], True
        elif event["event"] == "start":
            self.current = event["test"]
            limit = max(limit, 5 * self.usual.get(event["test"], 0.0))
        elif event["event"] == "end":
            self.current = None
            self.run.outcomes[event["test"]] = Outcome(
                event["outcome"], event["seconds"], event["detail"], event["waited"]
            )
        elif event["event"] == "done":
            self.done = True
            self.altered = self.altered or event["altered"]
        self.deadline = time.monotonic() + limit

    def conclude(self, code: int, hung: bool, output: str) -> bool:
        """Record what no event could say: a hang, a crash, a failed start, a bad end."""
        words = output[-4000:]
        if not self.listed:
            self.run.problem = ("hung while it was imported\n" if hung else f"exit code {code}\n") + words
            return True
        if self.run.skipped:
            return True
        if self.done:
            # regrtest's word for threads, children and the like that a test leaves behind
            warnings = "\n".join(line for line in output.splitlines() if line.startswith("Warning -- "))
            behind = Outcome("failed", detail=warnings or "altered") if self.altered else Outcome("passed")
            self.run.outcomes[f"{self.run.module}:environment"] = behind
            ended = (
                Outcome("hung" if hung else "crashed", detail=words) if hung or code else Outcome("passed")
            )
            self.run.outcomes[f"{self.run.module}:exit"] = ended
            return True
        outcome = Outcome(
            "hung" if hung else "crashed", detail=words if hung else f"exit code {code}\n{words}"
        )
        # Between two tests it is a fixture of the next one's class that hangs, or one of the last one's: the
        # next one is blamed, and left out, so that every attempt leaves fewer tests than the one before.
        left = [name for name in self.tests if name not in self.run.outcomes]
        name = self.current or (left[0] if left else f"{self.run.module}:exit")
        self.run.outcomes[name] = outcome
        return not left or left == [name]
