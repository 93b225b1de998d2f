"""A tasklet that ticks beside a call, to show that the call lets others run."""

from __future__ import annotations

from collections.abc import Callable

import runtime


class Ticker:
    """Ticks every millisecond; after five ticks it calls *then*, once, which lets the call beside it end.

    So a call that stops the scheduler does not return at all.  Without *then* the call beside it lasts longer than a
    millisecond, and has seen two ticks: one that was ready as it began, and one whose time came meanwhile.
    """

    def __init__(self, then: Callable[[], object] | None = None) -> None:
        self.ticks = 0
        self._then = then
        self._least = 2 if then is None else 5

    def __enter__(self) -> Ticker:
        self._tasklet = runtime.spawn(self._run)
        return self

    def _run(self) -> None:
        while True:
            self.ticks += 1
            if self.ticks == 5 and self._then is not None:
                self._then()
            runtime.sleep(0.001)

    def __exit__(self, *exc: object) -> None:
        self._tasklet.kill()
        if exc[0] is None:
            assert self.ticks >= self._least
