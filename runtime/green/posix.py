"""``posix``: what `os` takes from it, with counterparts where `os` has them."""

from __future__ import annotations

import posix as _posix

from runtime.green import os as _os
from runtime.overlay import forward

globals().update(
    (name, value) for name, value in vars(_os).items() if name in vars(_posix) and name[:2] != "__"
)

forward(globals(), _posix)
