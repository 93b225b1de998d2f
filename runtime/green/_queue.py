"""``_queue``: a ``SimpleQueue`` whose ``get`` lets others run."""

from __future__ import annotations

import _queue
from types import GenericAlias

from runtime.fifo import Fifo
from runtime.overlay import forward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SimpleQueue(Fifo):
    """Simple, unbounded, reentrant FIFO queue."""

    __slots__ = ()
    __class_getitem__: Any = classmethod(GenericAlias)


SimpleQueue.__module__ = "_queue"

forward(globals(), _queue)
