"""``builtins``: the plain module, but for what has a counterpart.

What a program puts in the place of a builtin (``mock.patch("builtins.open")``) holds for converted code too: the
counterparts look whether the plain builtin is still the interpreter's.
"""

from __future__ import annotations

import builtins
import importlib

from runtime.overlay import forward
from runtime.table import BUILTINS

for _name, _place in BUILTINS.items():
    _where, _, _attribute = _place.rpartition(".")
    globals()[_name] = getattr(importlib.import_module(_where), _attribute)
forward(globals(), builtins, state=True)
