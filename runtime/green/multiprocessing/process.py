"""``multiprocessing.process``: the plain module, whose state is everybody's, and a parent that can be waited for."""

from __future__ import annotations

from multiprocessing import process
from multiprocessing.process import _ParentProcess as _Plain  # type: ignore[attr-defined]
from typing import Any

from runtime.overlay import forward


class _ParentProcess(_Plain):  # type: ignore[misc]
    """The process that started this one."""

    def is_alive(self) -> bool:
        from runtime.green.multiprocessing.connection import wait  # type: ignore[import-not-found]

        return not wait([self._sentinel], timeout=0)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the parent ends, up to *timeout* seconds."""
        from runtime.green.multiprocessing.connection import wait

        wait([self._sentinel], timeout=timeout)


_ParentProcess.__module__ = "multiprocessing.process"


def parent_process() -> Any:
    """The process that started this one, or None in the first of all."""
    parent = process.parent_process()
    if type(parent) is _Plain:
        parent.__class__ = _ParentProcess
    return parent


forward(globals(), process)
