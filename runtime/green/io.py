"""``io``: files whose waits let others run; see `runtime.files`."""

from __future__ import annotations

import io

from runtime.files import (
    BufferedRandom,
    BufferedReader,
    BufferedRWPair,
    BufferedWriter,
    FileIO,
    TextIOWrapper,
    open,
)
from runtime.overlay import forward

__all__ = io.__all__
_ = BufferedRandom, BufferedReader, BufferedRWPair, BufferedWriter, FileIO, TextIOWrapper, open

forward(globals(), io)
