"""``logging``: the one tree of loggers, with the counterparts of its submodules."""

from __future__ import annotations

import logging

from runtime.overlay import forward

__path__: list[str] = []

forward(globals(), logging, state=True)
