"""Which paths lie on slow file systems: on a network, or served by a process (FUSE).

A look at such a path may wait for minutes, one at a local disk hardly ever; so only the former is worth a worker
thread.  The mount table (``/proc/self/mountinfo``, proc(5)) is read at most every few seconds and paths are compared
by prefix, so nothing here touches a file system that may wait.  That is why symbolic links are not followed: a link on
a local disk to something slow counts as local.
"""

from __future__ import annotations

import os
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SLOW = {
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "fuseblk", "gfs2", "glusterfs", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "virtiofs",
}  # fmt: skip
_AGE = 5.0  # seconds a look at the mount table is good for
_TABLE = "/proc/self/mountinfo"


class Mounts:
    """The mount table.

    ``clear_until``: there is no slow mount before that time (monotonic seconds); the one thing to test on the way
    to a call, and in the past as long as there is one.
    """

    __slots__ = ("_due", "_points", "_table", "clear_until")

    def __init__(self, table: str = _TABLE) -> None:
        self._table = table
        self._points: tuple[tuple[bytes, bool], ...] = ()  # mount points, the longest first, and whether slow
        self._due = 0.0
        self.clear_until = 0.0

    def __repr__(self) -> str:
        return f"<Mounts: {', '.join(os.fsdecode(point) for point, slow in self._points if slow) or 'none'} slow>"

    def clear(self) -> bool:
        """Whether there is no slow mount; reads the table again if the last look is too old."""
        now = monotonic()
        if now < self._due:
            return self.clear_until > 0
        self._due = now + _AGE
        found: dict[bytes, bool] = {}  # a later mount covers an earlier one on the same point
        for line in _read(self._table).splitlines():
            fields = line.split(b" ")
            try:
                kind = os.fsdecode(fields[fields.index(b"-", 6) + 1])
            except (ValueError, IndexError):
                continue
            found[_unescape(fields[4])] = kind in SLOW or kind.startswith("fuse.")
        self._points = tuple(sorted(found.items(), key=lambda item: -len(item[0])))
        self.clear_until = 0.0 if any(found.values()) else self._due
        return self.clear_until > 0

    def slow(self, path: Any, dir_fd: Any = None) -> bool:
        """Whether *path* lies on a slow file system: a str, bytes, path object or descriptor; None is here."""
        if self.clear():
            return False
        try:
            where = _absolute(path, dir_fd)
        except (OSError, TypeError, ValueError):
            return False  # the call itself will say what is wrong
        for point, slow in self._points:
            if where == point or where.startswith(point if point.endswith(b"/") else point + b"/"):
                return slow
        return False


def _absolute(path: Any, dir_fd: Any) -> bytes:
    if path is None:
        return os.getcwdb()
    if isinstance(path, int):
        return os.fsencode(os.readlink(f"/proc/self/fd/{int(path)}"))
    name = os.fsencode(path)
    if not name.startswith(b"/"):
        name = os.path.join(os.getcwdb() if dir_fd is None else _absolute(dir_fd, None), name)
    return b"/" + os.path.normpath(name).lstrip(b"/")


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(fd, 65536):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def _unescape(field: bytes) -> bytes:
    """Space, tab, newline and backslash stand in the table as backslash and three octal digits."""
    first, *rest = field.split(b"\\")
    return first + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in rest)


mounts = Mounts()
