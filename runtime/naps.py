"""Naps: how to wait for what the system has no event for.

Each nap is twice as long as the one before, so what takes a moment is seen at once and what takes long costs little.
An attempt between two naps either succeeds or leaves nothing behind, so an interruption loses nothing; a worker
thread in its place would go on waiting, and take what nobody wants any more.
"""

from __future__ import annotations

from time import monotonic

from runtime.hub import get_hub

SHORTEST, LONGEST = 0.001, 0.02  # seconds


class Naps:
    """Growing naps of the calling tasklet, up to an optional *deadline* (monotonic seconds)."""

    __slots__ = ("_deadline", "_next")

    def __init__(self, deadline: float | None = None) -> None:
        self._deadline = deadline
        self._next = SHORTEST

    def __repr__(self) -> str:
        return f"<Naps: the next takes {self._next} s>"

    def take(self) -> bool:
        """Let others run for a nap; False, at once, when the deadline has passed."""
        now = monotonic()
        until = now + self._next
        if self._deadline is not None:
            if now >= self._deadline:
                return False
            until = min(until, self._deadline)
        get_hub().sleep(until)
        self._next = min(self._next * 2, LONGEST)
        return True
