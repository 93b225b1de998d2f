"""``sys``: the plain module, to which everything is forwarded both ways, but for the standard files.

``sys`` is the state of the interpreter, so what is assigned to it is assigned to the plain module.  Only code that
mentions one of the files gets this one: a look-up costs a little more here.  A counterpart that is assigned, by who
puts back what it found, leaves the plain file there.
"""

from __future__ import annotations

import sys

from runtime import standard_input, standard_output
from runtime.overlay import forward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_plain = sys
forward(globals(), sys)


class _Both(type(_plain.modules[__name__])):  # type: ignore[misc]
    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_plain, name, standard_input.unwrap(standard_output.unwrap(value)))

    def __delattr__(self, name: str) -> None:
        delattr(_plain, name)

    def __eq__(self, other: object) -> bool:
        return other is self or other is _plain

    def __hash__(self) -> int:
        return hash(_plain)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return vars(_plain)

    @property
    def stdin(self) -> Any:
        return standard_input.counterpart(_plain.stdin)

    @property
    def stdout(self) -> Any:
        return standard_output.counterpart(_plain.stdout)

    @property
    def stderr(self) -> Any:
        return standard_output.counterpart(_plain.stderr)

    @property
    def __stdout__(self) -> Any:
        return standard_output.counterpart(_plain.__stdout__)

    @property
    def __stderr__(self) -> Any:
        return standard_output.counterpart(_plain.__stderr__)


_Both.__name__ = _Both.__qualname__ = "module"
_Both.__module__ = "builtins"
_plain.modules[__name__].__class__ = _Both
