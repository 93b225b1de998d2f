"""``builtins``: the plain module, to which everything is forwarded both ways, but for what has a counterpart.

What a program puts in the place of a builtin (``mock.patch("builtins.open")``) holds for converted code too: the
counterparts look whether the plain builtin is still the interpreter's.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from operator import attrgetter

from runtime.overlay import forward
from runtime.table import BUILTINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_plain = builtins
_counterparts = {
    name: (getattr(builtins, name), attrgetter(attribute)(importlib.import_module(where)))
    for name, (where, _, attribute) in ((name, place.rpartition(".")) for name, place in BUILTINS.items())
}
forward(globals(), builtins)


class _Both(type(sys.modules[__name__])):  # type: ignore[misc]
    def __setattr__(self, name: str, value: Any) -> None:
        if name in _counterparts and value is _counterparts[name][1]:
            value = _counterparts[name][0]  # put back by who had read it here
        setattr(_plain, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_plain, name)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        """The plain module's: who looks there what to put back later, as `mock.patch` does, finds that."""
        return vars(_plain)


def _counterpart(name: str) -> property:
    original, ours = _counterparts[name]

    def get(module: Any) -> Any:
        current = getattr(_plain, name)
        return ours if current is original else current

    return property(get)


for _name in _counterparts:
    setattr(_Both, _name, _counterpart(_name))
_Both.__name__ = _Both.__qualname__ = "module"
_Both.__module__ = "builtins"
sys.modules[__name__].__class__ = _Both
