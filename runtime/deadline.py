"""``with timeout(seconds):`` bounds everything in the block that waits cooperatively."""

from __future__ import annotations

from time import monotonic
from types import TracebackType

from runtime.hub import get_hub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.tasklet import Tasklet
    from runtime.timer import Timer


class _Expired(SystemExit):
    """Unwinds the block; not an ``Exception``, so that no ``except OSError`` inside swallows it.

    A ``SystemExit``, since an asyncio task keeps any other error to itself and the block would go on.
    """


class timeout:
    """Raise ``TimeoutError`` when the block takes longer than *seconds*.

    The wait that is going on at that moment is interrupted; code that does not wait is not.  Blocks nest.

    Args:
        seconds: how long; None is no limit.

    Raises:
        TimeoutError: at the end of the block, from a wait inside it.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timer: Timer | None = None
        self._expired: _Expired | None = None
        self._tasklet: Tasklet | None = None

    @property
    def expired(self) -> bool:
        """Whether the time has run out."""
        return self._expired is not None

    def __enter__(self) -> timeout:
        if self._seconds is not None:
            hub = get_hub()
            self._tasklet = hub.current
            self._timer = hub.timers.at(monotonic() + self._seconds, self._expire)
        return self

    def _expire(self) -> None:
        assert self._tasklet is not None
        self._expired = _Expired()
        self._tasklet.interrupt(self._expired)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is None or self._tasklet is None:
            return
        get_hub().timers.cancel(self._timer)
        if self._expired is None:
            return
        if error is self._expired:
            # What is raised must not keep, by this frame, what the block's frames had.
            self._expired.__traceback__ = self._tasklet = error = None
            raise TimeoutError(f"timed out after {self._seconds} s") from None
        # It was not delivered: the block ended first, or with something else.
        if self._tasklet.interrupts and self._expired in self._tasklet.interrupts:
            self._tasklet.interrupts.remove(self._expired)
