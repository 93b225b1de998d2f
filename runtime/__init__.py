"""The cooperative runtime: tasklets, channels and the counterparts of the standard library's blocking modules.

Usable on its own (``from runtime.green import socket``) or through the rewriter's import hook, which has converted
modules import the counterparts without being told.

    >>> import runtime
    >>> with runtime.TaskGroup() as group:
    ...     twice = group.spawn(lambda: 2 * 21)
    >>> twice.result()
    42

PYTEST_DONT_REWRITE: its assertions are no tests.
"""

from runtime import core as core  # first: it decides in which form the others are imported

# isort: split

from runtime import deadlock, monitor, shutdown, signals
from runtime import forks as forks  # its hooks
from runtime.channel import Channel, ChannelClosed
from runtime.crossing import to_async, wait_for
from runtime.deadline import timeout
from runtime.deadlock import Deadlock
from runtime.group import TaskGroup
from runtime.hub import current, schedule, sleep, when_stuck
from runtime.start import start
from runtime.strand import when_first
from runtime.tasklet import (
    Tasklet,
    TaskletExit,
    TaskletKilled,
    spawn,
)
from runtime.workers import offload

when_first(signals.take_sigint)
when_first(monitor.watch)
when_first(shutdown.join_at_exit)
when_stuck(deadlock.look)

__all__ = [
    "Channel",
    "ChannelClosed",
    "Deadlock",
    "TaskGroup",
    "Tasklet",
    "TaskletExit",
    "TaskletKilled",
    "current",
    "offload",
    "schedule",
    "sleep",
    "spawn",
    "start",
    "timeout",
    "to_async",
    "wait_for",
]
