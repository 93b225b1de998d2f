"""``termios``: what waits for a terminal's output does so on a worker thread."""

from __future__ import annotations

import termios as _termios

from runtime.overlay import builtin, forward
from runtime.terminals import WHEN_DRAINED
from runtime.workers import offload_if_shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@builtin
def tcdrain(_: Any, fd: Any, /) -> None:
    """Wait until all output has been sent."""
    offload_if_shared(_termios.tcdrain, fd)


@builtin
def tcsendbreak(_: Any, fd: Any, duration: int, /) -> None:
    """Send a break."""
    offload_if_shared(_termios.tcsendbreak, fd, duration)


@builtin
def tcsetattr(_: Any, fd: Any, when: int, attributes: list[Any], /) -> None:
    """Set the attributes of a terminal, at once or when its output has been sent."""
    if when in WHEN_DRAINED:
        offload_if_shared(_termios.tcsetattr, fd, when, attributes)
    else:
        _termios.tcsetattr(fd, when, attributes)


forward(globals(), _termios)
