"""``os``: reading and writing descriptors, and waiting for children, let others run.

A descriptor closes with a word to whoever waits on it.  Children are waited for on a worker thread.
"""

from __future__ import annotations

import os
from typing import Any

from runtime import pipes
from runtime.hub import existing_hub
from runtime.overlay import builtin, forward
from runtime.workers import offload_if_shared

__path__: list[str] = []


@builtin
def close(_: Any, fd: int) -> None:
    """Close a descriptor; a tasklet that waits on it gets ``EBADF``."""
    hub = existing_hub()
    if hub is not None:
        watch = hub.watches.get(fd)
        if watch is not None and not watch.edge:
            watch.close()
    os.close(fd)


@builtin
def read(_: Any, fd: int, length: int, /) -> bytes:
    """Read up to *length* bytes."""
    return pipes.read(os.read, fd, length)


@builtin
def readv(_: Any, fd: int, buffers: Any, /) -> int:
    """Read into several buffers."""
    return pipes.read(os.readv, fd, buffers)


@builtin
def write(_: Any, fd: int, data: Any, /) -> int:
    """Write *data*; returns how many bytes were taken."""
    return pipes.write(fd, data)


@builtin
def writev(_: Any, fd: int, buffers: Any, /) -> int:
    """Write several buffers."""
    return pipes.writev(fd, buffers)


if not hasattr(os, "readv"):
    del readv, writev


def _waiting(name: str) -> Any:
    original = getattr(os, name)

    def call(_: Any, *args: Any, **kwargs: Any) -> Any:
        return offload_if_shared(original, *args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = original.__doc__
    return builtin(call)


for _name in ("system", "waitpid", "wait", "wait3", "wait4", "waitid"):
    if hasattr(os, _name):
        globals()[_name] = _waiting(_name)

forward(globals(), os)
