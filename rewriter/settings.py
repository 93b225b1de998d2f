"""The settings of one program: what conversion and the runtime do, besides which modules are converted."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Settings:
    """*threads*: ``"tasklet"`` or ``"native"``; *offload*: functions and methods to call on worker threads, by their
    full names; *fair*: yield points in loops; *monitor_ms*: after how many milliseconds a scheduler that stands still
    is reported with its stack, None for the default report; *children*: programs that are started inherit all of it.
    """

    __slots__ = ("children", "fair", "monitor_ms", "offload", "threads")

    def __init__(
        self,
        threads: str = "tasklet",
        offload: Iterable[str] = (),
        fair: bool = False,
        monitor_ms: int | None = None,
        children: bool = True,
    ) -> None:
        self.threads = threads
        self.offload = frozenset(offload)
        self.fair = fair
        self.monitor_ms = monitor_ms
        self.children = children

    def __repr__(self) -> str:
        return f"<Settings {', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)}>"

    def arguments(self) -> tuple[str, list[str], bool, int | None, bool]:
        """What makes them again, with a readable ``repr``."""
        return self.threads, sorted(self.offload), self.fair, self.monitor_ms, self.children

    def outcome(self) -> tuple[object, ...]:
        """What decides about the outcome of a conversion, and so about its cache."""
        return self.threads, sorted(self.offload), self.fair
