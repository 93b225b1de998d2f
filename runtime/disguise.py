"""A function of ours in the place of one of the standard library's, for speed or for what it passes over."""

from __future__ import annotations

from functools import update_wrapper
from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def disguise(function: Callable[..., Any], original: Callable[..., Any]) -> None:
    """Have *function* show the name, the signature, the text and the source of *original*."""
    update_wrapper(function, original)
    if isinstance(function, FunctionType):  # not compiled: it has frames, which reports name
        function.__code__ = function.__code__.replace(co_qualname=original.__qualname__)
