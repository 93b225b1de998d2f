"""``time``: ``sleep`` lets others run."""

from __future__ import annotations

import time as _time

from runtime.hub import existing_hub
from runtime.overlay import builtin, forward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_plain_sleep = _time.sleep
_monotonic = _time.monotonic


@builtin
def sleep(_: Any, seconds: float, /) -> None:
    """Wait for *seconds*, letting other tasklets run; 0 lets each of them run once."""
    hub = existing_hub()
    if hub is None or not (hub.tasklets or hub.timers):
        _plain_sleep(seconds)
        return
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < 9e9:
        if not hasattr(seconds, "__index__") or not 0 <= seconds.__index__() < 9e9:
            _plain_sleep(seconds)  # raises what it has to say about it
            return
        seconds = seconds.__index__()
    if seconds:
        hub.sleep(_monotonic() + seconds)
    else:
        hub.schedule()


forward(globals(), _time)
