"""``logging``: the one tree of loggers, with the counterparts of its submodules, and handlers that wait.

It is the original in all but its submodules, what makes a `StreamHandler`, and a `Formatter` that shows errors without
our frames, which handlers use that have no other: what converted code assigns to it (``logging.raiseExceptions =
False``) is assigned to the original, whose functions read it.
"""

from __future__ import annotations

import logging
import sys
from abc import ABCMeta

from runtime.lock import RLock
from runtime.overlay import forward, rebind
from runtime.standard_output import counterpart
from runtime.tracebacks import hide_frames, without_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__path__: list[str] = []


class _Kind(ABCMeta):
    """Instances of the original count as such of the counterpart, and so do its subclasses."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _original(cls)) if _is_ours(cls) else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _original(cls)) if _is_ours(cls) else super().__subclasscheck__(subclass)


def _is_ours(kind: type) -> bool:
    return vars(kind).get("_counterpart") is True


def _original(kind: type) -> type:
    return kind.__bases__[0]


class Formatter(logging.Formatter, metaclass=_Kind):
    _counterpart = True

    def formatException(self, ei: Any) -> str:
        if isinstance(ei[1], BaseException):
            hide_frames(ei[1])
        return logging.Formatter.formatException(self, (ei[0], ei[1], without_us(ei[2])))


_defaultFormatter = Formatter()


_format = rebind(logging.Handler.format, globals(), logging)


class FileHandler(logging.FileHandler, metaclass=_Kind):
    _counterpart = True
    format = _format


class StreamHandler(logging.StreamHandler, metaclass=_Kind):  # type: ignore[type-arg]
    _counterpart = True
    format = _format

    def __init__(self, stream: Any = None) -> None:
        logging.StreamHandler.__init__(self, counterpart(sys.stderr if stream is None else stream))

    def createLock(self) -> None:
        self.lock = RLock()  # type: ignore[assignment]
        logging._register_at_fork_reinit_lock(self)  # type: ignore[attr-defined]


for _class in (FileHandler, Formatter, StreamHandler):
    _class.__module__ = "logging"
    _class.__doc__ = getattr(logging, _class.__name__).__doc__

# These make a handler where there is none.
forward(
    globals(),
    logging,
    (
        "basicConfig", "critical", "debug", "error", "exception", "fatal", "info", "log", "warn", "warning",
    ),
    state=True,
)  # fmt: skip
