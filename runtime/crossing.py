"""Over the bridge: `wait_for` from a tasklet to a coroutine, `to_async` the other way.

Functions of their own since the bridge needs `asyncio`, which is imported by whoever goes over.  (A ``__getattr__`` of
the package `runtime` would do as well, but Python looks up each ``runtime.schedule`` afresh where a module has one.)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeVar

    T = TypeVar("T")


def wait_for(
    awaitable: Awaitable[T], timeout: float | None = None, *, loop: asyncio.AbstractEventLoop | None = None
) -> T:
    """Wait in a tasklet for a coroutine, task, future or other awaitable, and return its result.

    A future or task is waited for wherever its loop runs: in another tasklet or in another OS thread.  Anything else
    becomes a task, with a copy of the tasklet's context variables: of the loop whose coroutine waits for this tasklet
    (`to_async`); or else of the shared loop of this OS thread, which is made when one is needed and none runs; or else
    of the loop that has run longest here.

    A tasklet that is killed or interrupted while it waits cancels the task and goes on when that has ended.

    Args:
        awaitable: what to wait for.
        timeout: seconds after which it is cancelled; None waits for ever.
        loop: where it runs, instead of that choice; running in another tasklet or OS thread.

    Raises:
        TimeoutError: it did not end in time, and has been cancelled.
        asyncio.CancelledError: somebody else has cancelled it.
        RuntimeError: the calling tasklet runs the loop itself, which cannot go on meanwhile: ``await`` it there.
        TypeError: *awaitable* cannot be awaited.
        BaseException: what it raised.
    """
    from runtime import bridge

    return bridge.wait_for(awaitable, timeout, loop=loop)


async def to_async(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Run ``function(*args, **kwargs)``, which may wait as blocking code does, in a tasklet of this OS thread.

    It sees a copy of the context variables.  A coroutine that is cancelled meanwhile kills the tasklet and goes on
    when that has ended.

    Raises:
        RuntimeError: the running loop does not wait in the hub, so no tasklet would run while it waits.
        TaskletKilled: somebody else has killed the tasklet.
        BaseException: what *function* raised.
    """
    from runtime import bridge

    return await bridge.to_async(function, *args, **kwargs)
