"""``asyncio.events``: the functions that give a loop give one that waits in the hub.

The policy of the process stays the program's own: one that it has set (uvloop's) is asked as it is.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, AbstractEventLoopPolicy
from asyncio import events as _events

from runtime.loop import cooperative
from runtime.overlay import forward


def get_event_loop_policy() -> AbstractEventLoopPolicy:
    """The current event loop policy."""
    return cooperative(_events.get_event_loop_policy())


def get_event_loop() -> AbstractEventLoop:
    """The running event loop, or else the policy's current one."""
    running = _events._get_running_loop()
    return running if running is not None else get_event_loop_policy().get_event_loop()


def set_event_loop(loop: AbstractEventLoop | None) -> None:
    """Make *loop* the current one of the calling thread."""
    get_event_loop_policy().set_event_loop(loop)


def new_event_loop() -> AbstractEventLoop:
    """A new event loop, as the policy makes them."""
    return get_event_loop_policy().new_event_loop()


forward(globals(), _events)
