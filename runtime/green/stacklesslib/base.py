"""``stacklesslib.base``: flags of the current tasklet for a ``with``, and a channel that wakes whoever waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic as time

from runtime import stackless
from runtime.stackless import atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["SignalChannel", "atomic", "block_trap", "ignore_nesting", "switch_trap", "time"]


@contextmanager
def block_trap(trap: bool = True) -> Iterator[None]:
    """Inside it the current tasklet gets an error where it would be blocked."""
    me = stackless.getcurrent()
    before, me.block_trap = me.block_trap, trap
    try:
        yield
    finally:
        me.block_trap = before


@contextmanager
def ignore_nesting(flag: bool = True) -> Iterator[None]:
    """Inside it the current tasklet's `ignore_nesting` is *flag*."""
    me = stackless.getcurrent()
    before = me.set_ignore_nesting(flag)
    try:
        yield
    finally:
        me.set_ignore_nesting(before)


@contextmanager
def switch_trap() -> Iterator[None]:
    """Inside it every switch is an error."""
    stackless.switch_trap(1)
    try:
        yield
    finally:
        stackless.switch_trap(-1)


class SignalChannel(stackless.channel):
    """A channel on which nobody waits to send: who signals goes on, and a signal that nobody waits for is lost."""

    def __init__(self) -> None:
        self.preference = 1

    def signal(self, value: Any = None) -> None:
        """Wake the first that waits."""
        if self.balance < 0:
            self.send(value)

    def signal_all(self, value: Any = None) -> None:
        """Wake all that wait now."""
        for _ in range(-self.balance):
            self.signal(value)

    asignal = signal
    asignal_all = signal_all
