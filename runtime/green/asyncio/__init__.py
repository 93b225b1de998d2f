"""``asyncio``: the plain one, with event loops that wait in the hub.

Futures, tasks, streams and locks are forwarded: they wait through their loop.  What makes or runs a loop is here,
and ``run_coroutine_threadsafe``, whose future is waited for outside of any loop.
"""

from __future__ import annotations

import asyncio as _asyncio
from asyncio import tasks as _tasks
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

from runtime.loop import DefaultEventLoopPolicy as DefaultEventLoopPolicy
from runtime.loop import SelectorEventLoop
from runtime.overlay import forward, rebind
from runtime.thread_state import own_loop
from runtime.twins import counterpart

T = TypeVar("T")

if hasattr(_asyncio, "EventLoop"):
    EventLoop = SelectorEventLoop

forward(globals(), _asyncio)  # before its submodules ask for one another

events: Any = counterpart("asyncio.events")
runners: Any = counterpart("asyncio.runners")
get_event_loop = events.get_event_loop
get_event_loop_policy = events.get_event_loop_policy
new_event_loop = events.new_event_loop
set_event_loop = events.set_event_loop

_run = runners.Runner.run


def _run_apart(self: Any, coro: Coroutine[Any, Any, T], *, context: Context | None = None) -> T:
    with own_loop():  # of whatever kind, if the program has a factory or a policy of its own
        return _run(self, coro, context=context)


_run_apart.__doc__ = _run.__doc__
_run_apart.__name__, _run_apart.__qualname__ = _run.__name__, _run.__qualname__
runners.Runner.run = _run_apart
Runner, run = runners.Runner, runners.run

run_coroutine_threadsafe = rebind(
    _tasks.run_coroutine_threadsafe,
    {"__name__": "asyncio.tasks", "concurrent": counterpart("concurrent")},
    _tasks,
)
