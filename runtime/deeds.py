"""What the ring carries out instead of a worker thread: functions of ``os``, each with the operation that it becomes.

Where a function asks for what the ring does not do, or the kernel does not know the operation, a worker makes the call.
So it does where the arguments are wrong, and says what is wrong with them.

Opening is left to threads: a FIFO that waits for its other side would hold one of the few threads that the kernel has
for all of a ring's operations.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from errno import EAGAIN, ECANCELED, EINTR, EINVAL, ENOSYS, EOPNOTSUPP
from struct import Struct

from runtime import here, uring
from runtime.uring import Operation, ring_of
from runtime.workers import offload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.hub import Hub

    Deed = tuple[Operation, tuple[Any, ...], tuple[Any, ...]]  # with what is audited, and what an error names

_HERE = -100  # AT_FDCWD
_NO_FOLLOW, _REMOVE_FOLDER, _FOLLOW, _NO_AUTOMOUNT, _EMPTY_PATH = 0x100, 0x200, 0x400, 0x800, 0x1000
_DATA_ONLY = 1  # of FSYNC
_BASIC = 0x7FF  # the fields of struct statx that struct stat has
_UNDECIDED = {EAGAIN, ECANCELED, EINTR, EINVAL, ENOSYS, EOPNOTSUPP}  # let the plain call say it
_LARGEST = (1 << 31) - 4096  # bytes written at once; more, the system takes in parts


def carry_out(name: str, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Have *call*, the function *name* of ``os``, carried out while others run: by the ring, or a worker."""
    deed = _DEEDS.get(name)
    ring = None if deed is None else ring_of(here.get_hub())
    if ring is None or deed is None:
        return offload(call, *args, **kwargs)
    try:
        operation, audited, named = deed(*args, **kwargs)
    except (AttributeError, OverflowError, TypeError, ValueError):
        return offload(call, *args, **kwargs)
    if not ring.knows(operation.opcode):
        return offload(call, *args, **kwargs)
    if audited:
        sys.audit(*audited)
    result = ring.ask(operation)
    if result >= 0:
        made = _RESULTS.get(operation.opcode)
        return None if made is None else made(operation)
    if -result in _UNDECIDED:
        return offload(call, *args, **kwargs)
    raise OSError(-result, os.strerror(-result), *named)


def write(hub: Hub, fd: int, octets: bytes) -> int | None:
    """Have the ring write *octets* at *fd*'s position; an interruption comes with the next wait.  None: it cannot.

    Returns:
        How many were written.
    """
    ring = ring_of(hub)
    if ring is None or not ring.knows(uring.WRITE) or len(octets) > _LARGEST:
        return None
    result = ring.finish(Operation(uring.WRITE, fd, octets, 0, len(octets), None, -1))
    if result >= 0:
        return result
    if -result in _UNDECIDED:
        return None
    raise OSError(-result, os.strerror(-result))


def _path(path: Any) -> bytes:
    octets = os.fsencode(path)
    if b"\0" in octets:
        raise ValueError("embedded null byte")
    return octets + b"\0"


def _folder(dir_fd: int | None) -> int:
    return _HERE if dir_fd is None else _descriptor(dir_fd)


def _audited(dir_fd: int | None) -> int:
    return -1 if dir_fd is None else dir_fd


def _descriptor(fd: Any) -> int:
    if not isinstance(fd, int):
        fd = fd.fileno()
    if not 0 <= fd < 1 << 31:
        raise OverflowError
    return int(fd)


def _fsync(fd: Any) -> Deed:
    return Operation(uring.FSYNC, _descriptor(fd)), (), ()


def _fdatasync(fd: Any) -> Deed:
    return Operation(uring.FSYNC, _descriptor(fd), flags=_DATA_ONLY), (), ()


def _pwrite(fd: int, data: Any, offset: int, /) -> Deed:
    view = memoryview(data)
    if not view.c_contiguous:
        raise TypeError
    octets = bytes(view)
    if len(octets) > _LARGEST or not 0 <= offset < 1 << 62:
        raise OverflowError
    return Operation(uring.WRITE, _descriptor(fd), octets, 0, len(octets), None, offset), (), ()


def _mkdir(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> Deed:
    operation = Operation(uring.MKDIRAT, _folder(dir_fd), _path(path), 0, mode)
    return operation, ("os.mkdir", path, mode, _audited(dir_fd)), (path,)


def _rmdir(path: Any, *, dir_fd: int | None = None) -> Deed:
    operation = Operation(uring.UNLINKAT, _folder(dir_fd), _path(path), flags=_REMOVE_FOLDER)
    return operation, ("os.rmdir", path, _audited(dir_fd)), (path,)


def _remove(path: Any, *, dir_fd: int | None = None) -> Deed:
    operation = Operation(uring.UNLINKAT, _folder(dir_fd), _path(path))
    return operation, ("os.remove", path, _audited(dir_fd)), (path,)


def _rename(src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> Deed:
    # The second folder stands where others have their length.
    second = _folder(dst_dir_fd) & 0xFFFFFFFF
    operation = Operation(uring.RENAMEAT, _folder(src_dir_fd), _path(src), 0, second, _path(dst))
    audited = "os.rename", src, dst, _audited(src_dir_fd), _audited(dst_dir_fd)
    return operation, audited, (src, None, dst)


def _link(
    src: Any,
    dst: Any,
    *,
    src_dir_fd: int | None = None,
    dst_dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> Deed:
    second = _folder(dst_dir_fd) & 0xFFFFFFFF
    first = _folder(src_dir_fd)
    follows = follow_symlinks and (src_dir_fd, dst_dir_fd) != (None, None)  # as `os.link` does
    flags = _FOLLOW if follows else 0
    operation = Operation(uring.LINKAT, first, _path(src), 0, second, _path(dst), flags=flags)
    audited = "os.link", src, dst, _audited(src_dir_fd), _audited(dst_dir_fd)
    return operation, audited, (src, None, dst)


def _symlink(src: Any, dst: Any, target_is_directory: bool = False, *, dir_fd: int | None = None) -> Deed:
    operation = Operation(uring.SYMLINKAT, _folder(dir_fd), _path(src), second=_path(dst))
    return operation, ("os.symlink", src, dst, _audited(dir_fd)), (src, None, dst)


def _stat(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> Deed:
    if isinstance(path, int):
        if dir_fd is not None or not follow_symlinks:
            raise TypeError
        return _fstat(path)[0], (), (path,)
    flags = _NO_AUTOMOUNT if follow_symlinks else _NO_AUTOMOUNT | _NO_FOLLOW
    return Operation(uring.STATX, _folder(dir_fd), _path(path), 0, _BASIC, _room(), flags=flags), (), (path,)


def _lstat(path: Any, *, dir_fd: int | None = None) -> Deed:
    if isinstance(path, int):
        raise TypeError
    return _stat(path, dir_fd=dir_fd, follow_symlinks=False)


def _fstat(fd: int) -> Deed:
    return Operation(uring.STATX, _descriptor(fd), b"\0", 0, _BASIC, _room(), flags=_EMPTY_PATH), (), ()


# Of struct statx: block size, links, user, group, mode, inode, size, blocks; seconds and nanoseconds of access, birth,
# change and modification; the numbers of the device it is, and of the one it is on.
_STATX = Struct("=4xI8xIIIH2xQQQ8xqI4xqI4xqI4xqI4xIIII112x")


def _room() -> bytes:
    return bytes(bytearray(_STATX.size))


def _status(operation: Operation) -> os.stat_result:
    assert operation.second is not None
    (size_of_block, links, user, group, mode, inode, size, blocks,
     accessed, accessed_ns, _, _, changed, changed_ns, modified, modified_ns,
     major, minor, on_major, on_minor) = _STATX.unpack(operation.second)  # fmt: skip
    times = ((accessed, accessed_ns), (modified, modified_ns), (changed, changed_ns))
    return os.stat_result(
        (
            *(mode, inode, os.makedev(on_major, on_minor), links, user, group, size),
            *(seconds for seconds, _ in times),
            *(seconds + 1e-9 * rest for seconds, rest in times),
            *(seconds * 10**9 + rest for seconds, rest in times),
            *(size_of_block, blocks, os.makedev(major, minor)),
        )
    )


_RESULTS: dict[int, Callable[[Operation], Any]] = {
    uring.STATX: _status,
    uring.WRITE: lambda operation: operation.result,
}
_DEEDS: dict[str, Callable[..., Deed]] = {
    "fdatasync": _fdatasync,
    "fstat": _fstat,
    "fsync": _fsync,
    "link": _link,
    "lstat": _lstat,
    "mkdir": _mkdir,
    "pwrite": _pwrite,
    "remove": _remove,
    "rename": _rename,
    "replace": _rename,
    "rmdir": _rmdir,
    "stat": _stat,
    "symlink": _symlink,
    "unlink": _remove,
}
