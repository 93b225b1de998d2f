"""Runs one file of Stackless Python's unit tests in this process, converted: `runner.py FOLDER MODULE JOB EVENTS`.

JOB is a JSON file: which tests to run, and which of them to leave out.  To EVENTS, a file, a line of JSON is written
when a test starts and when it ends.  What those tests need of Stackless's C code is given to them here, as far as it
makes sense: `_teststackless`, and what `get_thread_info` says beyond what is documented.
"""

from __future__ import annotations

import builtins
import faulthandler
import importlib
import json
import os
import sys
import traceback
import types
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import rewriter
from runtime import stackless
from runtime.stackless.tasklet import by_ident
from runtime.tasklet import TaskletExit

SERIALS, WATCHDOGS = 1 << 30, 1 << 31


def thread_info(thread_id: int = -1, flags: int = 0) -> tuple[Any, ...]:
    """`get_thread_info` with what the tests look at: serial numbers of C stacks, which never change, and watchdogs."""
    info: tuple[Any, ...] = documented(thread_id)
    if flags & SERIALS:
        info += (0, 0, None)
    if flags & WATCHDOGS:
        ring = by_ident(thread_id)
        info += (ring.watchdogs if ring is not None else None,)
    return info


documented = stackless.get_thread_info


def call(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Stackless's ways to call something from C code."""
    return function(*args, **kwargs)


def schedule_often(switches: int, words: int = 0) -> None:
    """What `_teststackless.test_cframe` does."""
    for _ in range(switches):
        stackless.schedule()


def outside() -> None:
    """What `stackless.test_outside` does: run what there is."""
    stackless.run()


def with_stacks() -> list[Any]:
    """Those of the calling thread's tasklets that have started and not ended."""
    ring = by_ident(-1)
    assert ring is not None
    found = [task.restored() for task in ring.hub.tasklets if getattr(task, "ring", None) is ring]
    return [face for face in found if face.alive]


def prepare() -> None:
    """Give the tests what they import."""
    module: Any = stackless
    module.get_thread_info = thread_info
    module._test_nostacklesscall = call
    module.test_cframe_nr = schedule_often
    module.test_outside = outside
    c_code: Any = types.ModuleType("_teststackless")
    c_code.test_cframe = schedule_often
    c_code.test_cstate = call
    sys.modules["_teststackless"] = c_code
    builtins.TaskletExit = TaskletExit  # type: ignore[attr-defined]  # what a class body assigns to itself
    import test.support as support

    if not hasattr(support, "run_unittest"):  # which later Pythons have no more, and nobody calls
        support.run_unittest = None  # type: ignore[attr-defined]


def tests_in(suite: unittest.TestSuite | unittest.TestCase) -> Iterator[unittest.TestCase]:
    if isinstance(suite, unittest.TestCase):
        yield suite
    else:
        for part in suite:
            yield from tests_in(part)


class Result(unittest.TestResult):
    """Reports each test, with the worst that happened in it."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._outcome: tuple[str, str] = ("passed", "")

    def tell(self, **event: object) -> None:
        os.write(self._fd, (json.dumps(event) + "\n").encode())

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._outcome = ("passed", "")
        self.tell(start=test.id())

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        kind, detail = self._outcome
        self.tell(end=test.id(), kind=kind, detail=detail[-3000:])

    def _worse(self, kind: str, error: Any) -> None:
        self._outcome = (kind, "".join(traceback.format_exception(*error)))

    def addError(self, test: Any, error: Any) -> None:
        self._worse("error", error)

    def addFailure(self, test: Any, error: Any) -> None:
        self._worse("failed", error)

    def addSubTest(self, test: Any, subtest: Any, error: Any) -> None:
        if error is not None:
            self._worse("failed", error)

    def addSkip(self, test: Any, reason: str) -> None:
        self._outcome = ("skipped", reason)


def main() -> None:
    folder, name, job, events = sys.argv[1:]
    faulthandler.enable()
    with open(job, encoding="utf-8") as file:
        wanted = json.load(file)
    prepare()
    sys.path.insert(0, folder)
    rewriter.install("support", name)
    support: Any = importlib.import_module("support")
    support.get_tasklets_with_cstate = with_stacks
    module = importlib.import_module(name)
    result = Result(events)
    found = list(tests_in(unittest.defaultTestLoader.loadTestsFromModule(module)))
    hard = [
        test for test in found if not getattr(getattr(test, test._testMethodName), "enable_softswitch", False)
    ]
    result.tell(tests=[test.id() for test in hard], soft=len(found) - len(hard))
    for test in hard:
        if test.id() in wanted["only"] and test.id() not in wanted["skip"]:
            test.run(result)
    result.tell(done=True)
    os._exit(0)


if __name__ == "__main__":
    main()
