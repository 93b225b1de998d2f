"""Which requests to a terminal wait until its output has been sent (ioctl_tty(2), termios(3)).

They have no form that does not wait, and change nothing before the wait is over, so a worker thread makes them.
"""

from __future__ import annotations

import termios

# Each sends or discards input only after the output has drained; the BRK ones drain, or send a break for a while.
DRAINING = frozenset(
    getattr(termios, name)
    for name in ("TCSETSW", "TCSETSF", "TCSETAW", "TCSETAF", "TCSBRK", "TCSBRKP")
    if hasattr(termios, name)
)
WHEN_DRAINED = frozenset({termios.TCSADRAIN, termios.TCSAFLUSH})  # for tcsetattr
