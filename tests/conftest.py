"""In CI nothing skips silently: a skip whose reason is not listed in ``allowed_skips.txt`` fails the run.

A run that was started in the background of a shell inherits an ignored SIGINT; the tests of Ctrl-C need it back.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

_ALLOWED = Path(__file__).with_name("allowed_skips.txt")


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _reasons() -> list[str]:
    lines = _ALLOWED.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("CI") or reporter is None:
        return
    allowed = _reasons()
    surprises = []
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not any(reason.startswith(known) for known in allowed):
            surprises.append(f"{report.nodeid}: {reason}")
    if surprises:
        reporter.write_line("")
        reporter.write_line(f"skipped for a reason that {_ALLOWED.name} does not list:", red=True)
        for surprise in surprises:
            reporter.write_line(f"  {surprise}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
