"""``sys``: the plain module, to which everything is forwarded both ways, but for ``stdin``.

``sys`` is the state of the interpreter, so what is assigned to it is assigned to the plain module.  Only code that
mentions ``stdin`` gets this one: a look-up costs a little more here.
"""

from __future__ import annotations

import sys

from runtime.overlay import forward
from runtime.standard import counterpart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_plain = sys
forward(globals(), sys)


class _Both(type(_plain.modules[__name__])):  # type: ignore[misc]
    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_plain, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_plain, name)

    @property
    def stdin(self) -> Any:
        return counterpart(_plain.stdin)


_Both.__name__ = _Both.__qualname__ = "module"
_Both.__module__ = "builtins"
_plain.modules[__name__].__class__ = _Both
