"""Memory maps: ``flush`` waits for the disk on a worker thread.

``mmap.flush`` calls msync(2) with the interpreter's lock held, so a worker that called it would stop everybody too.
What it waits for is that the file's dirty pages get to the disk; fdatasync(2) of a descriptor of the same file has the
system write them, and is called without the lock.  A worker does that, and the flush finds nothing left to write.
"""

from __future__ import annotations

import mmap as _mmap
import os

from runtime.workers import offload_if_shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class mmap(_mmap.mmap):
    """A memory map of a file."""

    __module__ = "mmap"
    _file: int | None = None  # a descriptor of the file, for as long as it is mapped

    def __new__(cls, *args: Any, **kwargs: Any) -> mmap:
        self = super().__new__(cls, *args, **kwargs)
        given = {**dict(zip(_ARGUMENTS, args, strict=False)), **kwargs}
        fileno = given.get("fileno", -1)
        if isinstance(fileno, int) and fileno >= 0 and _written_back(given):
            self._file = os.dup(fileno)
        return self

    def __repr__(self) -> str:
        plain = super().__repr__()
        return plain.replace("<mmap ", "<mmap.mmap ", 1) if type(self) is mmap else plain

    def flush(self, *args: Any) -> Any:
        """Write what changed in memory back to the file."""
        file = self._file
        if file is not None and not self.closed:
            offload_if_shared(_write_back, file)
        return super().flush(*args)

    def close(self) -> None:
        """Unmap it."""
        super().close()
        self._forget()

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


_ARGUMENTS = ("fileno", "length", "flags", "prot", "access", "offset")


def _written_back(given: dict[str, Any]) -> bool:
    """Whether what changes in memory goes to the file, and the map may keep a descriptor of it."""
    return (
        given.get("access", _mmap.ACCESS_DEFAULT) not in (_mmap.ACCESS_READ, _mmap.ACCESS_COPY)
        and bool(given.get("flags", _mmap.MAP_SHARED) & _mmap.MAP_SHARED)
        and bool(given.get("prot", _mmap.PROT_WRITE) & _mmap.PROT_WRITE)
        and bool(given.get("trackfd", True))
    )


def _write_back(file: int) -> None:
    try:
        own = os.dup(file)  # the map may be closed meanwhile, by somebody who was interrupted
    except OSError:
        return
    try:
        os.fdatasync(own)
    except OSError:
        pass  # the flush will say it
    finally:
        os.close(own)
