"""``multiprocessing.util``: the plain module, whose state is everybody's, with locks and locals for tasklets."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from multiprocessing import util
from typing import Any

from runtime.green import os, threading
from runtime.overlay import forward
from runtime.start import program_of_child


class ForkAwareThreadLock:
    """A lock that is free in a forked child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.acquire = self._lock.acquire
        self.release = self._lock.release
        util.register_after_fork(self, ForkAwareThreadLock._at_fork_reinit)

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()

    def __enter__(self) -> Any:
        return self._lock.__enter__()

    def __exit__(self, *exc: object) -> Any:
        return self._lock.__exit__(*exc)


class ForkAwareLocal(threading.local):  # type: ignore[name-defined,misc]
    """Attributes of one tasklet each, of which a forked child has none."""

    def __init__(self) -> None:
        util.register_after_fork(self, _clear)

    def __reduce__(self) -> Any:
        return type(self), ()


def _clear(local: ForkAwareLocal) -> None:
    local.__dict__.clear()


for _class in (ForkAwareThreadLock, ForkAwareLocal):
    _class.__module__ = "multiprocessing.util"


def spawnv_passfds(path: Any, args: Sequence[Any], passfds: Sequence[int]) -> int:
    """Start a program that inherits *passfds*; one that is Python's ``-c`` code prepares itself as this process."""
    args = list(args)
    if "-c" in args:
        where = args.index("-c") + 1
        args[where] = program_of_child(args[where])
    return util.spawnv_passfds(path, args, passfds)


def _cleanup_tests() -> None:
    importlib.import_module("runtime.green.multiprocessing.forkserver")._forkserver._stop()
    util._cleanup_tests()  # type: ignore[attr-defined]


_ = os
forward(globals(), util, rebound=("close_all_fds_except", "close_fds"))
