"""What a program puts in the place of a builtin (``builtins.print = shout``): its counterpart calls that.

The replacement often calls what it replaced, as it was read before, which is the counterpart.
"""

from __future__ import annotations

import builtins
from _thread import get_ident
from collections.abc import Callable

from runtime.hub import existing_hub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_within: set[tuple[int, str]] = set()  # who is in the replacement of what


def unless_shadowed(found: Any, name: str, counterpart: Any) -> Any:
    """*counterpart* of the builtin *name*, or what is *found* under that name instead of the builtin."""
    return counterpart if found is getattr(builtins, name, None) else found


def call_replacement(
    name: str, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call what stands in the place of the builtin *name*; from within that, *original*."""
    hub = existing_hub()
    key = get_ident() if hub is None else hub.current.ident, name
    if key in _within:
        return original(*args, **kwargs)
    _within.add(key)
    try:
        return getattr(builtins, name)(*args, **kwargs)
    finally:
        _within.discard(key)
