"""``stacklesssocket``: the module by which Stackless programs had their sockets let others run.

Here they do so anyway, and nothing needs to be installed: the functions that did are there, and change nothing global.
What is left of the sockets' manager is the choice who looks after the network: the scheduler, so that `stackless.run`
goes on while somebody waits for a socket, or the program, which calls `pump` in a loop of its own.
"""

from __future__ import annotations

import socket as _socket
from collections.abc import Callable

from runtime import stackless
from runtime.green.socket import *  # noqa: F403
from runtime.hub import get_hub
from runtime.stackless.registry import here
from runtime.twins import counterpart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

managerRunning = False
poll_interval = 0.05  # kept for programs that set it


def install(pi: float | None = None) -> None:
    """Sockets let others run already.

    Args:
        pi: once the seconds between two looks at the sockets; they are woken at once here.
    """


def uninstall() -> None:
    """Sockets go on letting others run."""


def StartManager() -> None:
    """Have the scheduler look after the network; `stackless.run` goes on while somebody waits."""
    global managerRunning
    managerRunning = True
    stacklesssocket_manager(StartManager)


def StopManager() -> None:
    """Have the program look after the network, by `pump`; `stackless.run` returns when only waiting is left."""
    global managerRunning
    managerRunning = False
    stacklesssocket_manager(None)


def ManageSockets() -> None:
    """Look after the network; there is nothing to do."""


def stacklesssocket_manager(manager: Callable[[], object] | None) -> None:
    """Have *manager* look after the network: any function but `StartManager` means that the program calls `pump`.

    *manager* itself was called for each new socket, and is not here.
    """
    here().pumped = manager is not StartManager


def pump() -> None:
    """Wake those whose sockets are ready, without waiting."""
    get_hub().serve()


def can_timeout() -> bool:
    """Sockets have timeouts."""
    return True


def make_channel() -> stackless.channel:
    """A channel."""
    return stackless.channel()


def __getattr__(name: str) -> Any:
    try:
        return getattr(counterpart("socket"), name)
    except AttributeError:
        raise AttributeError(f"module 'stacklesssocket' has no attribute {name!r}") from None


__all__ = [
    *_socket.__all__,
    "ManageSockets",
    "StartManager",
    "StopManager",
    "can_timeout",
    "install",
    "make_channel",
    "pump",
    "stacklesssocket_manager",
    "uninstall",
]
