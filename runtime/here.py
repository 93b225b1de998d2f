"""The hub of the calling OS thread: made on first use, given back as the thread ends."""

from __future__ import annotations

from _thread import _local
from collections.abc import Callable
from sys import is_finalizing

from runtime import primitives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.hub import Hub


class _Place(_local):
    hub: Hub | None = None  # in the class, since to look in vain for what is not there takes 2 us
    end: _End


_place = _Place()
_make: Callable[[], Hub]


def made_by(make: Callable[[], Hub]) -> None:
    """Have *make* called where an OS thread has no hub yet."""
    global _make
    _make = make


def get_hub() -> Hub:
    """The hub of the calling OS thread, made on first use."""
    hub = primitives.remembered(_place)
    if hub is None:
        hub = _make()
        keep(hub)
    return hub  # type: ignore[no-any-return]


def existing_hub() -> Hub | None:
    """The hub of the calling OS thread, if it has one."""
    return primitives.remembered(_place)  # type: ignore[no-any-return]


def keep(hub: Hub) -> None:
    """Make *hub* that of the calling OS thread, instead of another if need be."""
    _place.hub = hub
    _place.end = _End(hub)  # which ends the other one's
    primitives.remember(hub)


class _End:
    """Goes with its OS thread and gives back what the hub took from the system."""

    __slots__ = ("hub",)

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def __del__(self) -> None:
        if not is_finalizing():  # then the system takes it all back, and what `end` calls is gone
            primitives.forget(self.hub)
            self.hub.end()
