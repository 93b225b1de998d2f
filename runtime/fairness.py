"""Yield points in converted loops (``fair = true``): a loop that computes lets others run every 20 ms.

The rewriter puts ``if fairness.overdue: fairness.give_way()`` at the start of each loop's body: a load and a branch,
unless the stall monitor has found that a tasklet holds up others (`runtime.monitor`).
"""

from __future__ import annotations

from runtime.hub import existing_hub


class Fairness:
    """``overdue``: some tasklet of this process has run for long while others were ready."""

    __slots__ = ("overdue",)

    def __init__(self) -> None:
        self.overdue = False

    def give_way(self) -> None:
        """Let others run if it is the caller that is overdue."""
        self.overdue = False
        hub = existing_hub()
        if hub is not None and hub.overdue:
            hub.give_way()


fairness = Fairness()
