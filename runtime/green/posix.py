"""``posix``: what `os` takes from it, with counterparts where `os` has them."""

from __future__ import annotations

import posix as _posix

from runtime.green import os as _os
from runtime.overlay import forward

# Copied, since its constants are looked for with ``vars()`` and nobody assigns to it.
for _name, _value in vars(_posix).items():
    if not _name.startswith("__"):
        globals()[_name] = vars(_os).get(_name, _value)

forward(globals(), _posix)
