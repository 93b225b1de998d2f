"""How a hub waits.  One file for each mechanism, one interface, chosen by what the system offers.

Only a backend makes a system call that waits.  Rejected: building on ``selectors``, which has no edge-triggered
registration and returns named tuples that cost more than the wait itself.
"""

from __future__ import annotations

import select
from typing import Protocol

READ = 1
WRITE = 2


class Backend(Protocol):
    """What a hub asks of the system.

    ``edge`` says whether `add` registers a descriptor once, edge-triggered, for both directions.
    """

    edge: bool

    def add(self, fd: int) -> None:
        """Register *fd* for both directions, edge-triggered (only when ``edge``)."""

    def interest(self, fd: int, mask: int) -> None:
        """Level-triggered: wait for *mask* (``READ | WRITE``) on *fd* from now on; 0 forgets it."""

    def remove(self, fd: int) -> None:
        """Forget *fd*; without effect when it is unknown or closed."""

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        """Wait up to *timeout* seconds (None: for ever) and return (descriptor, mask) of what is ready."""

    def notify(self) -> None:
        """Make `wait` return, now or next time.  Called from any OS thread and from signal handlers."""

    def close(self) -> None:
        """Give the system's resources back."""


def choose() -> Backend:
    """Make the best backend that works here."""
    if hasattr(select, "epoll"):
        from runtime.backends.epoll import Epoll

        return Epoll()
    from runtime.backends.poll import Poll

    return Poll()
