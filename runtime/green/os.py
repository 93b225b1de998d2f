"""``os``: descriptors, children, and paths on slow file systems are waited for while others run.

A descriptor closes with a word to whoever waits on it.  `runtime.pipes` reads and writes, `runtime.transfers` moves
data in the kernel, `runtime.children` waits for processes, and `runtime.mounts` knows which paths are slow: one table
says which arguments of which function name a path.
"""

from __future__ import annotations

import builtins
import errno
import os
import sys
from collections.abc import Callable
from time import monotonic
from types import FunctionType

from runtime import children, pages, pipes, transfers
from runtime.backends import READ, WRITE
from runtime.children import Quarry
from runtime.deeds import carry_out
from runtime.files import open_waiting
from runtime.hub import Hub, existing_hub
from runtime.mounts import mounts
from runtime.naps import Naps
from runtime.overlay import builtin, forward, rebind
from runtime.pages import NOWAIT, load
from runtime.pipes import busy
from runtime.start import arguments_of_child
from runtime.twins import import_counterpart
from runtime.workers import offload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__path__: list[str] = []


# Descriptors.


@builtin
def close(_: Any, fd: int) -> None:
    """Close a descriptor; a tasklet that waits on it gets ``EBADF``."""
    hub = existing_hub()
    if hub is not None:
        watch = hub.watches.get(fd)
        if watch is not None and not watch.edge:
            watch.close()
    os.close(fd)


@builtin
def open(_: Any, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    """Open a file; a FIFO's other side is waited for on a thread, as is a slow file system."""
    if busy() is None:
        return os.open(path, flags, mode, dir_fd=dir_fd)
    return open_waiting(path, flags, mode, dir_fd)


@builtin
def read(_: Any, fd: int, length: int, /) -> bytes:
    """Read up to *length* bytes."""
    return pipes.read_bytes(fd, length)


@builtin
def readv(_: Any, fd: int, buffers: Any, /) -> int:
    """Read into several buffers."""
    return pipes.read_buffers(fd, buffers)


@builtin
def write(_: Any, fd: int, data: Any, /) -> int:
    """Write *data*; returns how many bytes were taken."""
    return pipes.write(fd, data)


@builtin
def writev(_: Any, fd: int, buffers: Any, /) -> int:
    """Write several buffers."""
    return pipes.write_buffers(fd, buffers)


@builtin
def pread(_: Any, fd: int, length: int, offset: int, /) -> bytes:
    """Read up to *length* bytes at *offset*."""
    return pages.pread(fd, length, offset)


@builtin
def preadv(_: Any, fd: int, buffers: Any, offset: int, flags: int = 0, /) -> int:
    """Read into several buffers at *offset*."""
    if busy() is not None and isinstance(offset, int) and not flags & NOWAIT:
        load(fd, sum(memoryview(buffer).nbytes for buffer in buffers), offset)
    return os.preadv(fd, buffers, offset, flags)


@builtin
def eventfd_read(_: Any, fd: int) -> int:
    """Read an eventfd's value."""
    return pipes.read(os.eventfd_read, fd)


@builtin
def eventfd_write(_: Any, fd: int, value: int) -> None:
    """Add *value* to an eventfd."""
    hub = busy()
    if hub is not None and pipes.waits(fd, WRITE):
        pipes.until(hub, fd, WRITE)
    os.eventfd_write(fd, value)


@builtin
def sendfile(
    _: Any, out_fd: int, in_fd: int, offset: int | None, count: int, *args: Any, **kwargs: Any
) -> int:
    """Copy *count* bytes from *in_fd* to *out_fd*."""
    hub = busy()
    whole = (
        isinstance(count, int) and count > 0 and (offset is None or (isinstance(offset, int) and offset >= 0))
    )
    if (
        hub is None
        or args
        or kwargs
        or not whole
        or not pipes.waits(out_fd, WRITE)
        or sys.platform != "linux"
    ):
        return os.sendfile(out_fd, in_fd, offset, count, *args, **kwargs)
    return transfers.sendfile(hub, out_fd, in_fd, offset, count)


@builtin
def splice(_: Any, src: int, dst: int, count: int, *args: Any, **kwargs: Any) -> int:
    """Move *count* bytes from a pipe to a descriptor or the other way."""
    hub = busy()
    kwargs.update(zip(("offset_src", "offset_dst", "flags"), args, strict=False))
    forbids = kwargs.get("flags", 0) & getattr(os, "SPLICE_F_NONBLOCK", 0)
    if hub is None or forbids or not (pipes.waits(src, READ) and pipes.waits(dst, WRITE)):
        return os.splice(src, dst, count, **kwargs)
    return transfers.splice(hub, src, dst, count, kwargs)


@builtin
def lockf(_: Any, fd: int, command: int, length: int, /) -> None:
    """Apply, test or remove a lock on an open file."""
    if busy() is None or command != os.F_LOCK:
        return os.lockf(fd, command, length)
    naps = Naps()
    while True:
        try:
            return os.lockf(fd, os.F_TLOCK, length)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        naps.take()


@builtin
def getrandom(_: Any, size: int, flags: int = 0) -> bytes:
    """Random bytes from the system."""
    if busy() is None or flags & os.GRND_NONBLOCK:
        return os.getrandom(size, flags)
    try:
        return os.getrandom(size, flags | os.GRND_NONBLOCK)
    except BlockingIOError:
        return offload(os.getrandom, size, flags)


# Children.


def _taken(outcome: Any) -> Any:
    return outcome if outcome[0] else None


def _wait(hub: Hub, call: Callable[[int], Any], pid: int, options: int) -> Any:
    """*call* takes options and waits for *pid*."""
    return children.wait(
        hub, lambda: _taken(call(options | os.WNOHANG)), lambda: Quarry.of_waitpid(pid, options)
    )


def _waiting_for(options: Any) -> Hub | None:
    return busy() if isinstance(options, int) and not options & os.WNOHANG else None


@builtin
def wait(_: Any) -> tuple[int, int]:
    """Wait for the end of any child; returns its number and status."""
    hub = busy()
    if hub is None:
        return os.wait()
    return _wait(hub, lambda options: os.waitpid(-1, options), -1, 0)


@builtin
def waitpid(_: Any, pid: int, options: int, /) -> tuple[int, int]:
    """Wait for a child; returns its number and status."""
    hub = _waiting_for(options)
    if hub is None or not isinstance(pid, int):
        return os.waitpid(pid, options)
    return _wait(hub, lambda options: os.waitpid(pid, options), pid, options)


@builtin
def wait3(_: Any, options: int) -> tuple[int, int, Any]:
    """Wait for any child; returns its number, status and resource usage."""
    hub = _waiting_for(options)
    if hub is None:
        return os.wait3(options)
    return _wait(hub, os.wait3, -1, options)


@builtin
def wait4(_: Any, pid: int, options: int) -> tuple[int, int, Any]:
    """Wait for a child; returns its number, status and resource usage."""
    hub = _waiting_for(options)
    if hub is None or not isinstance(pid, int):
        return os.wait4(pid, options)
    return _wait(hub, lambda options: os.wait4(pid, options), pid, options)


@builtin
def waitid(_: Any, idtype: int, id: int, options: int, /) -> Any:
    """Wait for a change of state of a child."""
    hub = _waiting_for(options)
    if hub is None or not isinstance(idtype, int) or not isinstance(id, int):
        return os.waitid(idtype, id, options)
    events = options & (os.WEXITED | os.WSTOPPED | os.WCONTINUED)
    return children.wait(
        hub, lambda: os.waitid(idtype, id, options | os.WNOHANG), lambda: Quarry(idtype, id, events)
    )


@builtin
def system(_: Any, command: Any) -> int:
    """Run *command* in a shell, on an OS thread of its own, and return its status."""
    if busy() is None:
        return os.system(command)
    return children.commands.call(os.system, (command,), {})


# Programs.


@builtin
def execv(_: Any, path: Any, argv: Any, /) -> NoReturn:
    """Replace this process by the program at *path*."""
    os.execv(path, arguments_of_child(path, argv))


@builtin
def execve(_: Any, path: Any, argv: Any, env: Any) -> NoReturn:
    """Replace this process by the program at *path*, with *env* for an environment."""
    os.execve(path, arguments_of_child(path, argv), env)


@builtin
def posix_spawn(_: Any, path: Any, argv: Any, env: Any, /, **kwargs: Any) -> int:
    """Start the program at *path*; returns its number."""
    return os.posix_spawn(path, arguments_of_child(path, argv), env, **kwargs)


@builtin
def posix_spawnp(_: Any, path: Any, argv: Any, env: Any, /, **kwargs: Any) -> int:
    """Start a program that is looked for on ``PATH``; returns its number."""
    return os.posix_spawnp(path, arguments_of_child(path, argv), env, **kwargs)


# Paths: (position, keyword, keyword of the directory it is relative to) of each argument that names one.

_PATH = ((0, "path", "dir_fd"),)
_TWO = ((0, "src", "src_dir_fd"), (1, "dst", "dst_dir_fd"))
_FD = ((0, "fd", ""),)
_PATHS: dict[str, tuple[tuple[int, str, str], ...]] = {
    **dict.fromkeys(("access", "chdir", "chmod", "chown", "lchown", "lstat", "stat", "utime"), _PATH),
    **dict.fromkeys(("listdir", "mkdir", "mkfifo", "mknod", "readlink", "remove", "rmdir", "unlink"), _PATH),
    **dict.fromkeys(("getxattr", "listxattr", "removexattr", "setxattr", "pathconf", "statvfs"), _PATH),
    **dict.fromkeys(("chflags", "lchflags", "lchmod", "truncate"), _PATH),
    **dict.fromkeys(("link", "rename", "replace"), _TWO),
    "symlink": ((1, "dst", "dir_fd"),),
    **dict.fromkeys(("fchdir", "fchmod", "fchown", "fpathconf", "fstat", "fstatvfs", "ftruncate"), _FD),
    **dict.fromkeys(("pwrite", "pwritev"), _FD),
}

# The stock code that calls any of these, or looks at what may have been assigned here (`environ`).
_STOCK = (
    "_execvpe", "_fwalk", "_spawnvef", "exec", "fdopen", "fwalk", "get_exec_path", "getenv", "makedirs", "popen",
    "_walk", "removedirs", "renames", "spawn", "walk",
)  # fmt: skip

# These always wait for the disk.
_DISK = ("copy_file_range", "fdatasync", "fsync", "posix_fallocate", "sync")


def _named(name: str, call: Callable[..., Any], original: Any) -> Any:
    call.__name__ = call.__qualname__ = name
    call.__doc__ = original.__doc__
    return builtin(call)


def _on_slow_paths(name: str, places: tuple[tuple[int, str, str], ...]) -> Any:
    original = getattr(os, name)

    def call(_: Any, *args: Any, **kwargs: Any) -> Any:
        if monotonic() < mounts.clear_until or mounts.clear() or busy() is None:
            return original(*args, **kwargs)
        for position, keyword, directory in places:
            path = args[position] if position < len(args) else kwargs.get(keyword)
            if mounts.slow(path, kwargs.get(directory)):
                return carry_out(name, original, *args, **kwargs)
        return original(*args, **kwargs)

    return _named(name, call, original)


def _to_disk(name: str) -> Any:
    original = getattr(os, name)

    def call(_: Any, *args: Any, **kwargs: Any) -> Any:
        if busy() is None:
            return original(*args, **kwargs)
        return carry_out(name, original, *args, **kwargs)

    return _named(name, call, original)


class _Entries:
    """What `scandir` returns for a slow directory: all its entries, read by a worker thread."""

    def __init__(self, path: Any) -> None:
        with os.scandir(path) as entries:
            self._entries = iter(list(entries))

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def close(self) -> None:
        self._entries = iter(())

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@builtin
def scandir(_: Any, path: Any = None) -> Any:
    """An iterator over the entries of a directory."""
    if monotonic() < mounts.clear_until or mounts.clear() or busy() is None or not mounts.slow(path):
        return os.scandir(path)
    return offload(_Entries, path)


for _name, _places in _PATHS.items():
    if hasattr(os, _name):
        globals()[_name] = _on_slow_paths(_name, _places)
for _name in _DISK:
    if hasattr(os, _name):
        globals()[_name] = _to_disk(_name)
for _name in ("eventfd_read", "eventfd_write", "getrandom", "lockf", "posix_fallocate", "preadv", "readv"):
    if not hasattr(os, _name):
        globals().pop(_name, None)
for _name in ("posix_spawn", "posix_spawnp", "sendfile", "splice", "wait3", "wait4", "waitid", "writev"):
    if not hasattr(os, _name):
        globals().pop(_name, None)

forward(globals(), os)


# What `os` itself has written in Python over these.


class _Live(dict):  # type: ignore[type-arg]
    """Globals for the stock code: whatever this module says at that moment.

    The interpreter looks names up by ``__getitem__`` where the globals are not exactly a dict.
    """

    def __contains__(self, name: object) -> bool:
        return name in globals() or hasattr(os, str(name))

    def __missing__(self, name: str) -> Any:
        try:
            return getattr(_this, name)
        except AttributeError:
            raise KeyError(name) from None


_this = sys.modules[__name__]
_builtins = {**vars(builtins), "__import__": import_counterpart}
_live = _Live(
    {name: value for name, value in _builtins.items() if not hasattr(os, name)},  # a miss costs an exception
    __name__="os",
    __builtins__=_builtins,
)
for _name, _function in list(vars(os).items()):
    if isinstance(_function, FunctionType) and _name.startswith(_STOCK) and _name not in globals():
        globals()[_name] = rebind(_function, _live, os)

# `os.stat in os.supports_dir_fd` is to hold for these as well.
for _name in [_name for _name in dir(os) if _name.startswith("supports_")]:
    _known = getattr(os, _name)
    if isinstance(_known, set):
        globals()[_name] = _known | {globals().get(_function.__name__, _function) for _function in _known}
