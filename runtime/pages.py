"""Reading regular files from the page cache, so that the disk holds nobody up.

What a read would take is looked for with ``RWF_NOWAIT`` (preadv2(2)), which fails instead of waiting for the disk.
If it is not there a worker thread reads it first; then the call is made in place and finds it in memory.  So the
call itself is the plain one, an interruption meanwhile loses no byte, and nothing is written to the caller's buffers
behind his back.  Where the system has no such flag, or the file system not (tmpfs), the call is made in place.
"""

from __future__ import annotations

import os
import stat

from runtime.workers import offload

NOWAIT = getattr(os, "RWF_NOWAIT", 0)
STRIDE = 1 << 18  # bytes looked at in one call


def load(fd: int, length: int, offset: int | None = None) -> None:
    """Have *length* bytes of *fd* in memory; at *offset*, or at its position.  Without effect on other files."""
    if not NOWAIT:
        return
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return
        start = os.lseek(fd, 0, os.SEEK_CUR) if offset is None else offset
        missing = _missing(fd, start, min(start + length, status.st_size))
    except (OSError, OverflowError):
        return  # the call itself will say it
    if missing:
        offload(_touch, fd, *missing)


def _missing(fd: int, start: int, end: int) -> tuple[int, int] | None:
    """The part from the first byte that is not in memory."""
    scratch = bytearray(max(0, min(STRIDE, end - start)))
    while start < end:
        try:
            count = os.preadv(fd, [memoryview(scratch)[: end - start]], start, NOWAIT)
        except BlockingIOError:
            return start, end
        if not count:
            return None
        start += count
    return None


def _touch(fd: int, start: int, end: int) -> None:
    scratch = bytearray(min(STRIDE, end - start))
    try:
        while start < end:
            count = os.preadv(fd, [memoryview(scratch)[: end - start]], start)
            if not count:
                return
            start += count
    except OSError:
        pass
