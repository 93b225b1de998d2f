"""Runs one of CPython's test files in this process: `runner.py JOB EVENTS`, both names of files.

JOB is JSON: the module, which of its tests to leave out or to run only, and the resources it may use. To
EVENTS a line of JSON is appended when a test starts and when it ends, at once, so that after a crash or a
kill it still says which test it was. The settings are regrtest's defaults (no network, no other costly
resource); nothing in the tests or in `test.support` is touched.

The same file runs plain and converted; it imports nothing of this project's.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import sys
import time
import traceback
import unittest
from collections.abc import Iterator
from typing import Any

DETAIL = 6000  # characters kept of a traceback


class Events:
    """The file of events. A write is one system call: no buffer is lost in a crash or doubled by a fork."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.pid = os.getpid()

    def write(self, event: str, **fields: object) -> None:
        if (
            os.getpid() == self.pid
        ):  # a test that forks and forgets to _exit would report in the child as well
            os.write(self.fd, (json.dumps({"event": event, **fields}) + "\n").encode())


def waits() -> int | None:
    """How often a tasklet of this OS thread has waited so far, if a runtime is there that counts it."""
    hub = getattr(sys.modules.get("runtime.hub"), "existing_hub", lambda: None)()
    return getattr(hub, "waits", None)


class Result(unittest.TestResult):
    """Reports every test to Events, once, with the worst that happened in it."""

    WORSE = ("passed", "skipped", "expected failure", "unexpected success", "failed", "error")

    def __init__(self, events: Events) -> None:
        super().__init__()
        self.events = events
        self.seen: dict[str, int] = {}
        self.current: str | None = None
        self.outcome = "passed"
        self.detail = ""
        self.began = 0.0
        self.waited = 0

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.current = self.unique(test.id())
        self.outcome, self.detail = "passed", ""
        self.events.write("start", test=self.current)
        self.began = time.monotonic()
        self.waited = waits() or 0

    def unique(self, name: str) -> str:
        self.seen[name] = again = self.seen.get(name, 0) + 1
        return name if again == 1 else f"{name}#{again}"

    def stopTest(self, test: unittest.TestCase) -> None:
        if self.current is None:  # 3.12.1 does not start a test that a decorator skips (gh-106584)
            return
        seconds = time.monotonic() - self.began
        now = waits()
        self.events.write(
            "end",
            test=self.current,
            outcome=self.outcome,
            seconds=seconds,
            waited=None if now is None else now - self.waited,
            detail=self.detail,
        )
        self.current = None
        super().stopTest(test)

    def note(self, test: Any, outcome: str, detail: str = "") -> None:
        if self.current is None:  # setUpClass, setUpModule and their opposites: not within any test
            name = self.unique(test.id())
            self.events.write("start", test=name)
            self.events.write("end", test=name, outcome=outcome, seconds=0.0, waited=None, detail=detail)
        elif self.WORSE.index(outcome) > self.WORSE.index(self.outcome):
            self.outcome, self.detail = outcome, detail

    def addError(self, test: Any, err: Any) -> None:
        self.note(test, "error", told(err))

    def addFailure(self, test: Any, err: Any) -> None:
        self.note(test, "failed", told(err))

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self.note(test, "failed" if failed else "error", f"{subtest}\n{told(err)}")

    def addSkip(self, test: Any, reason: str) -> None:
        # A skipped subtest leaves the test what it is; unittest reports both in the same way.
        if self.current is None or test.id() == self.current.partition("#")[0]:
            self.note(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self.note(test, "expected failure", told(err))

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.note(test, "unexpected success")


def told(err: Any) -> str:
    return "".join(traceback.format_exception(*err))[-DETAIL:]


def tests_of(suite: unittest.TestSuite | unittest.TestCase) -> Iterator[unittest.TestCase]:
    if isinstance(suite, unittest.TestSuite):
        for part in suite:
            yield from tests_of(part)
    else:
        yield suite


def main() -> None:
    job_path, events_path = sys.argv[1:]
    del sys.argv[1:]
    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    events = Events(events_path)
    if sys.stderr is not None:
        faulthandler.enable(all_threads=True)  # SIGABRT from the watching process shows where a test hangs

    support: Any = importlib.import_module("test.support")
    support.use_resources = job["resources"]
    # What regrtest keeps at 0 or False, running a file by itself.
    support.verbose = 0
    loader = unittest.TestLoader()
    try:
        module = importlib.import_module(job["module"])
    except unittest.SkipTest as reason:
        events.write("skipped", reason=str(reason))
        return
    suite = loader.loadTestsFromModule(module)
    if loader.errors:
        raise SystemExit("\n".join(map(str, loader.errors)))

    seen: dict[str, int] = {}
    chosen = unittest.TestSuite()
    names = []
    left_out, only = set(job["skip"]), job["only"] and set(job["only"])
    result = Result(events)
    for test in tests_of(suite):
        plain_name = test.id()
        seen[plain_name] = again = seen.get(plain_name, 0) + 1
        name = plain_name if again == 1 else f"{plain_name}#{again}"
        if name in left_out or (only and name not in only):
            result.seen[plain_name] = again  # the next of the same name keeps its number
            continue
        names.append(name)
        chosen.addTest(test)
    events.write("tests", tests=names)
    chosen.run(result)
    altered = bool(getattr(support, "environment_altered", False))
    events.write("done", altered=altered)


if __name__ == "__main__":
    main()
