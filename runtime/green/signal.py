"""``signal``: handlers set by converted code run in the main tasklet."""

from __future__ import annotations

import signal as _signal
from typing import Any

from runtime import signals
from runtime.overlay import forward


def signal(signalnum: int, handler: Any, /) -> Any:
    """Set the action for a signal; returns the previous one."""
    return signals.unwrap(_signal.signal(signalnum, signals.wrap(handler)))


def getsignal(signalnum: int, /) -> Any:
    """The current action for a signal."""
    return signals.unwrap(_signal.getsignal(signalnum))


forward(globals(), _signal)
