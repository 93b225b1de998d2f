"""``logging``: the one tree of loggers, with the counterparts of its submodules, and handlers that wait.

It is the original in all but its submodules and what makes a `StreamHandler`: what converted code assigns to it
(``logging.raiseExceptions = False``) is assigned to the original, whose functions read it.
"""

from __future__ import annotations

import logging
import sys
from abc import ABCMeta

from runtime.lock import RLock
from runtime.overlay import forward
from runtime.standard_output import counterpart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__path__: list[str] = []


class _Kind(ABCMeta):
    """Plain handlers count as instances, and their classes as subclasses, of the counterpart."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return (
            isinstance(instance, logging.StreamHandler)
            if _is_ours(cls)
            else super().__instancecheck__(instance)
        )

    def __subclasscheck__(cls, subclass: type) -> bool:
        return (
            issubclass(subclass, logging.StreamHandler)
            if _is_ours(cls)
            else super().__subclasscheck__(subclass)
        )


def _is_ours(kind: type) -> bool:
    return vars(kind).get("_counterpart") is True


class StreamHandler(logging.StreamHandler, metaclass=_Kind):  # type: ignore[type-arg]
    _counterpart = True

    def __init__(self, stream: Any = None) -> None:
        logging.StreamHandler.__init__(self, counterpart(sys.stderr if stream is None else stream))

    def createLock(self) -> None:
        self.lock = RLock()  # type: ignore[assignment]
        logging._register_at_fork_reinit_lock(self)  # type: ignore[attr-defined]


StreamHandler.__module__ = "logging"
StreamHandler.__doc__ = logging.StreamHandler.__doc__

# These make a handler where there is none.
forward(
    globals(),
    logging,
    (
        "basicConfig", "critical", "debug", "error", "exception", "fatal", "info", "log", "warn", "warning",
    ),
    state=True,
)  # fmt: skip
