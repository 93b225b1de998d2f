"""``builtins`` for twins: the plain module, but for what has a counterpart.

Converted code has the plain one, which may be handed to ``exec``, and finds counterparts by their bare names.
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
