"""How a hub waits.  One file for each mechanism, one interface, chosen by what the system offers.

Only a backend makes a system call that waits.  Rejected: building on ``selectors``, which has no edge-triggered
registration and returns named tuples that cost more than the wait itself.
"""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runtime.backends.alarm import Alarm

    class Backend(Protocol):
        """What a hub asks of the system.

        ``edge`` says whether `add` registers a descriptor once, edge-triggered, for both directions.  ``alarm`` is
        registered from the start, readable after `notify`; whoever sees it silences it.
        """

        edge: bool
        alarm: Alarm
        descriptor: int  # of an epoll set, which the compiled core may ask by itself; or -1

        def add(self, fd: int) -> None:
            """Register *fd* for both directions, edge-triggered (only when ``edge``)."""

        def interest(self, fd: int, mask: int) -> None:
            """Level-triggered: wait for *mask* (``READ | WRITE``) on *fd* from now on; 0 forgets it."""

        def remove(self, fd: int) -> None:
            """Forget *fd*; without effect when it is unknown or closed."""

        def wait(self, timeout: float | None) -> list[tuple[int, int]]:
            """Wait up to *timeout* seconds (None: for ever) and return (descriptor, bits) of what is ready."""

        def notify(self) -> None:
            """Make `wait` return, now or next time.  Called from any OS thread and from signal handlers."""

        def close(self) -> None:
            """Give the system's resources back."""


# What a waiter waits for, and what a backend reports: the bits of poll(2), which are epoll's as well.
READ = 0x1
WRITE = 0x4
HANGUP = (
    0x2000 | 0x10 | 0x8 | 0x2
)  # the peer is gone, an error, urgent data: reading goes on without another event
READABLE = READ | HANGUP | 0x20
WRITABLE = WRITE | 0x10 | 0x8 | 0x20


def choose() -> Backend:
    """Make the best backend that works here."""
    if hasattr(select, "epoll"):
        from runtime.backends.epoll import Epoll

        return Epoll()
    from runtime.backends.poll import Poll

    return Poll()
