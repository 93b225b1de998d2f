"""``posix``: what `os` takes from it, with counterparts where `os` has them."""

from __future__ import annotations

import os
import posix

from runtime.green import os as _os
from runtime.overlay import forward

for _name in vars(posix):
    if not _name.startswith("__") and getattr(_os, _name, None) is not getattr(os, _name, None):
        globals()[_name] = getattr(_os, _name)

forward(globals(), posix)
