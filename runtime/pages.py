"""Reading regular files from the page cache, so that the disk holds nobody up.

What a read would take is looked for with ``RWF_NOWAIT`` (preadv2(2)), which fails instead of waiting for the disk.
If it is not there, the hub's ring reads it, or a worker thread where there is no ring.  `pread` has it read into bytes
of its own.  `load` has it read into memory that nobody looks at; then the call is made in place and finds it in the
cache: so that call is the plain one, position and all, an interruption meanwhile loses no byte, and nothing is written
to the caller's buffers behind his back.  Where the system has no such flag, or the file system not (tmpfs), the call is
made in place.
"""

from __future__ import annotations

import os
import stat
from errno import EAGAIN

from runtime import here, kernel
from runtime.kernel import NOWAIT as NOWAIT
from runtime.uring import READ, Operation, ring_of
from runtime.workers import offload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.hub import Hub

STRIDE = 1 << 18  # bytes looked at, or read ahead, in one call
_PIECE = 1 << 20  # bytes of a caller's that one operation reads


def pread(fd: int, length: int, offset: int) -> bytes:
    """``os.pread``, which lets others run while the disk is read."""
    hub = here.existing_hub()
    if hub is None or not (hub.tasklets or hub.timers):
        return os.pread(fd, length, offset)
    if not (isinstance(fd, int) and isinstance(length, int) and isinstance(offset, int)):
        return os.pread(fd, length, offset)  # says what is wrong, or knows better
    if not (0 <= fd < 1 << 31 and 0 < length < 1 << 31 and 0 <= offset < 1 << 62):
        return os.pread(fd, length, offset)
    octets = kernel.read(fd, length, offset)
    if type(octets) is int and octets != EAGAIN:
        return os.pread(fd, length, offset)
    if type(octets) is bytes and len(octets) == length:
        return octets
    return _rest(hub, fd, length, offset, octets)


def _rest(hub: Hub, fd: int, length: int, offset: int, octets: bytes | int) -> bytes:
    """The whole of `pread`, of which *octets* were in memory: all that is left of the file, or as much as is asked."""
    got = 0
    parts: list[bytes] = []
    while True:
        if type(octets) is not bytes:
            try:
                octets = _fetched(hub, fd, length - got, offset + got)
            except OSError:
                if not got:
                    raise
                break  # as the system reports it: the error comes with the next call
        if not octets:
            break
        parts.append(octets)
        got += len(octets)
        if got >= length:
            break
        octets = kernel.read(fd, length - got, offset + got)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _fetched(hub: Hub, fd: int, length: int, offset: int) -> bytes:
    """What is not in memory, or the beginning of it."""
    ring = ring_of(hub)
    if ring is not None:
        room = kernel.room(min(length, _PIECE))
        count = ring.ask(Operation(READ, fd, room, 0, len(room), None, offset))
        if count >= 0:
            return room if count == len(room) else room[:count]
    return offload(os.pread, fd, length, offset)


def take(fd: int, length: int) -> bytes | None:
    """Up to *length* bytes from a file's position on, or as far as the file goes, if all of them are in memory.

    Returns:
        None if not, or on an error; then the position is as it was.
    """
    octets = kernel.read(fd, length, -1)
    if type(octets) is not bytes or len(octets) == length:
        return octets if type(octets) is bytes else None
    more = kernel.read(fd, length - len(octets), -1)
    if type(more) is bytes:
        if not more:
            return octets
        os.lseek(fd, -len(more), os.SEEK_CUR)
    os.lseek(fd, -len(octets), os.SEEK_CUR)
    return None


def fill(fd: int, buffer: Any) -> int:
    """Fill *buffer* from a file's position on, or as far as the file goes, if all of it is in memory.

    Returns:
        How many bytes; negative if not, or on an error, and then the position is as it was.
    """
    return kernel.fill(fd, buffer)


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
    if missing is not None:
        first, end = missing
        if not _read_ahead(here.get_hub(), fd, first, end):
            offload(_touch, fd, first, end)


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


def _read_ahead(hub: Hub, fd: int, start: int, end: int) -> bool:
    """Have the ring read that part; False if it cannot."""
    ring = ring_of(hub)
    if ring is None:
        return False
    while start < end:
        length = min(STRIDE, end - start)
        count = ring.ask(Operation(READ, fd, ring.scratch(STRIDE), 0, length, None, start))
        if count <= 0:
            return count == 0
        start += count
    return True


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
