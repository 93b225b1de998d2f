"""Files: the standard ``io`` classes, whose raw level lets others run while it waits.

======================== ====================================================================================
descriptor               how no call on it waits in the system
======================== ====================================================================================
regular file             read with ``RWF_NOWAIT``; what is not in memory is fetched first, by the ring or a worker
                         thread. Written in place: that is, into memory; on a slow file system by either
the same without that    in place (tmpfs, ``/proc``)
flag
pipe, socket             tried with ``RWF_NOWAIT``, waited for in the hub
FIFO, terminal, device   waited for in the hub, then the plain call; written in pieces of ``PIPE_BUF``
in non-blocking mode     the plain call, which answers None
opening a FIFO, or on a  a thread; a descriptor that comes after an interruption is closed
slow file system
======================== ====================================================================================

With nobody else to run, the plain call.  `runtime.guard` keeps the levels above consistent.
"""

from __future__ import annotations

import _io
import builtins
import errno
import os
import stat
import sys
import warnings
from _thread import allocate_lock, get_ident, start_new_thread
from collections.abc import Callable
from functools import partial
from itertools import permutations
from operator import index
from weakref import ref

from runtime import deeds
from runtime.backends import READ, WRITE
from runtime.guard import Guard, busy_with, guard_of
from runtime.guarded import Kind
from runtime.hub import Hub, get_hub
from runtime.mounts import mounts
from runtime.overlay import builtin
from runtime.pages import NOWAIT, fill, load, take
from runtime.pipes import PIECE, busy, ready
from runtime.replacement import call_replacement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    How = Literal["regular", "nowait", "polled", "in place"]

_REFUSED = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ESPIPE}  # no RWF_NOWAIT for this descriptor
_LARGEST = 1 << 30  # bytes that one call takes in any case
_CHUNK = 1 << 16  # bytes read at once where the length is unknown
_Plain = _io.FileIO
_readinto, _write, _readall = _Plain.readinto, _Plain.write, _Plain.readall
_readable, _writable = _Plain.readable, _Plain.writable


class _Named:
    """Says the name that the plain class says, whatever this one is called by C code."""

    __slots__ = ()

    def __repr__(self) -> str:
        text = super().__repr__()
        kind = type(self)
        if vars(getattr(kind, "_fast", kind)).get("_plain") is None or text.startswith("<_io."):
            return text
        return f"<_io.{text[1:]}"


class _FileKind(Kind):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if busy() is not None and args and len(args) < 4 and not kwargs.get("opener"):
            kwargs["opener"] = None if isinstance(args[0], int) else open_waiting
        return super().__call__(*args, **kwargs)


class FileIO(_Named, _io.FileIO, metaclass=_FileKind):
    """The raw file.  ``_above``: what stands on it, until there is a guard."""

    __slots__ = ("_above", "_guard", "_how", "_late", "_thread")
    _plain = _io.FileIO

    _above: tuple[ref[Any], ...]
    _guard: Guard
    _how: How
    _late: BaseException | None  # what ended a write that had sent a part
    _thread: int  # the OS thread that opened it

    @staticmethod
    def _join(made: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        made._thread = get_ident()

    def readinto(self, buffer: Any, /) -> int | None:
        hub = busy_with(self)
        if hub is None:
            return _readinto(self, buffer)
        if _is_regular(self):
            count = fill(self.fileno(), buffer)
            if count >= 0:
                return count
        if self.closed or not _readable(self):
            return _readinto(self, buffer)
        try:
            view = memoryview(buffer).cast("B")
        except TypeError:
            return _readinto(self, buffer)
        with view:
            return _fill(self, hub, view) if view and not view.readonly else _readinto(self, buffer)

    def read(self, size: int | None = -1, /) -> Any:  # bytes, or None
        size = -1 if size is None else index(size)
        if size < 0 and not self.closed and _readable(self):
            return self.readall()
        hub = busy_with(self)
        if hub is None or size <= 0 or self.closed or not _readable(self):
            return _Plain.read(self, size)
        if size <= _LARGEST and _is_regular(self):
            found = take(self.fileno(), size)
            if found is not None:
                return found
        octets = bytearray(size)
        with memoryview(octets) as view:
            count = _fill(self, hub, view)
            return None if count is None else bytes(view[:count])

    def readall(self) -> bytes | None:  # type: ignore[override]
        hub = busy_with(self)
        if hub is None or self.closed or not _readable(self):
            return _readall(self)
        fd = self.fileno()
        how = _how(self, fd)
        if how == "in place":
            return _readall(self)
        whole = bytearray()
        size = _CHUNK
        if how == "regular":
            found = take(fd, _CHUNK)
            if found is not None:
                if len(found) < _CHUNK:
                    return found
                whole += found
            size = max(512, os.fstat(fd).st_size - os.lseek(fd, 0, os.SEEK_CUR) + 1)
        try:
            while True:
                octets = bytearray(size)
                with memoryview(octets) as view:
                    count = _fill(self, hub, view)
                    if not count:
                        return None if count is None and not whole else bytes(whole)
                    whole += view[:count]
                size = _CHUNK
        except BaseException:
            if whole and how == "regular":
                os.lseek(fd, -len(whole), os.SEEK_CUR)
            raise

    def write(self, data: Any, /) -> int:
        late = getattr(self, "_late", None)
        if late is not None:
            self._late = None
            raise late
        hub = busy_with(self)
        if hub is None or self.closed or not _writable(self):
            return _write(self, data)
        try:
            view = memoryview(data).cast("B")
        except TypeError:
            return _write(self, data)  # says what is wrong, or knows better
        with view:
            return _drain(self, hub, view)


def _is_regular(file: FileIO) -> bool:
    """Whether *file* is known to be one."""
    try:
        return file._how == "regular"
    except AttributeError:
        return False


def _how(file: FileIO, fd: int) -> How:
    try:
        return file._how
    except AttributeError:
        mode = os.fstat(fd).st_mode
        if stat.S_ISREG(mode) or stat.S_ISBLK(mode):
            file._how = "regular" if NOWAIT else "in place"
        else:
            file._how = "nowait" if NOWAIT and not stat.S_ISCHR(mode) else "polled"
        return file._how


def _wait(file: FileIO, hub: Hub, fd: int, mask: int) -> None:
    """Wait once, in the hub; what cannot be waited for is read and written in place from now on."""
    guard = guard_of(file)
    try:
        guard.wait(file, guard.reading if mask == READ else guard.writing, hub.wait_fd, fd, mask)
    except PermissionError:
        file._how = "in place"


def _refused(file: FileIO, error: OSError) -> bool:
    """Whether *error* says that the descriptor does not take the flag; then another way is taken from now on."""
    if error.errno not in _REFUSED:
        return False
    file._how = "in place" if file._how == "regular" else "polled"
    return True


def _fill(file: FileIO, hub: Hub, view: memoryview) -> int | None:
    """`readinto` while others run."""
    fd = file.fileno()
    if _how(file, fd) == "regular":  # which has no mode
        return _fill_from_pages(file, fd, view)
    if not os.get_blocking(fd):
        return _readinto(file, view)
    while file._how == "nowait":
        try:
            return os.preadv(fd, [view], -1, NOWAIT)
        except BlockingIOError:
            if not os.get_blocking(fd):
                return None
            _wait(file, hub, fd, READ)
        except OSError as error:
            if not _refused(file, error):
                raise
    while file._how == "polled" and not ready(fd, READ):
        _wait(file, hub, fd, READ)
    return _readinto(file, view)


def _fill_from_pages(file: FileIO, fd: int, view: memoryview) -> int | None:
    """From a regular file comes as much as is asked for, or all that is left."""
    got = 0
    loaded = False
    while got < len(view):
        try:
            count = os.preadv(fd, [view[got:]], -1, NOWAIT)
        except BlockingIOError:
            if loaded:  # and gone again
                count = _readinto(file, view[got:])
            else:
                loaded = True
                guard = guard_of(file)
                try:
                    guard.wait(file, guard.reading, load, fd, len(view) - got)
                except BaseException:
                    if got and not file.closed:
                        os.lseek(fd, -got, os.SEEK_CUR)
                    raise
                continue
        except OSError as error:
            if not got and _refused(file, error):
                return _readinto(file, view)
            raise
        if not count:
            break
        got += count
    return got


def _drain(file: FileIO, hub: Hub, octets: memoryview) -> int:
    """`write` while others run: all of *data*, or what was sent before an error or an interruption."""
    fd = file.fileno()
    how = _how(file, fd)
    if how in ("regular", "in place") or not os.get_blocking(fd):
        if how == "regular" and mounts.slow(fd):
            guard = guard_of(file)
            return guard.wait(file, guard.writing, _write_slowly, hub, fd, bytes(octets))
        return _write(file, octets)
    sent = 0
    total = len(octets)
    while sent < total:
        try:
            if file._how == "nowait":
                sent += os.pwritev(fd, [octets[sent:]], -1, NOWAIT)
            elif file._how == "in place" or ready(fd, WRITE):
                sent += os.write(fd, octets[sent : sent + PIECE])
            else:
                _wait(file, hub, fd, WRITE)
        except BlockingIOError:
            try:
                _wait(file, hub, fd, WRITE)
            except BaseException as error:
                if not sent:
                    raise
                _postpone(file, error)
                return sent
        except BaseException as error:
            if isinstance(error, OSError) and _refused(file, error):
                continue
            if not sent:
                raise
            _postpone(file, error)
            return sent
    return sent


def _write_slowly(hub: Hub, fd: int, octets: bytes) -> int:
    written = deeds.write(hub, fd, octets)
    return _finish(hub, os.write, fd, octets) if written is None else written


def _postpone(file: FileIO, error: BaseException) -> None:
    """A part was sent, and the buffer above must know of it: it calls again at once, and then gets *error*.

    Who writes to the raw file itself gets it now, as from a handler that raises in a plain call.
    """
    if not isinstance(error, OSError) and not getattr(file, "_above", ()):
        raise error
    file._late = error


def _finish(hub: Hub, call: Callable[..., int], *args: Any) -> int:
    """`offload` a call whose outcome must not be lost; an interruption comes with the next wait."""
    outcome: list[Any] = []
    me = hub.current
    if me.interrupts:  # of the wait before
        me.deliver()

    def run() -> None:
        try:
            outcome.append(call(*args))
        except OSError as error:
            outcome.append(error)
        me.wake()

    interrupts: list[BaseException] = []
    start_new_thread(run, ())
    while not outcome:
        try:
            hub.park()
        except BaseException as error:
            interrupts.append(error)
    for interrupt in interrupts:
        me.interrupt(interrupt)
    if isinstance(outcome[0], OSError):
        raise outcome[0]
    return outcome[0]  # type: ignore[no-any-return]


# Opening.


class _Opening:
    """An ``os.open`` in a thread of its own."""

    def __init__(self, path: Any, flags: int, mode: int, dir_fd: int | None) -> None:
        self._args = path, flags, mode
        self._dir_fd = dir_fd
        self._guard = allocate_lock()
        self._given_up = False
        self._fd = -1
        self._error: BaseException | None = None
        self._done = False
        self._tasklet = get_hub().current

    def _run(self) -> None:
        try:
            fd = os.open(*self._args, dir_fd=self._dir_fd)
        except BaseException as error:
            self._error = error
            fd = -1
        with self._guard:
            self._done = True
            self._fd = fd
            if self._given_up and fd >= 0:
                os.close(fd)
        self._tasklet.wake()

    def wait(self, hub: Hub) -> int:
        start_new_thread(self._run, ())
        try:
            while not self._done:
                hub.park()
        except BaseException:
            with self._guard:
                self._given_up = True
                if self._fd >= 0:
                    os.close(self._fd)
            raise
        if self._error is not None:
            raise self._error
        return self._fd


def open_waiting(path: Any, flags: int, mode: int = 0o666, dir_fd: int | None = None) -> int:
    """``os.open`` that lets others run while a FIFO has no peer, or a slow file system is asked."""
    hub = busy()
    if hub is None:
        return os.open(path, flags, mode, dir_fd=dir_fd)
    if mounts.slow(path, dir_fd):
        return _Opening(path, flags, mode, dir_fd).wait(hub)
    if not flags & os.O_NONBLOCK and flags & os.O_ACCMODE != os.O_RDWR:
        try:
            waits = stat.S_ISFIFO(os.stat(path, dir_fd=dir_fd).st_mode)
        except (OSError, ValueError):
            waits = False
        if waits:
            return _Opening(path, flags, mode, dir_fd).wait(hub)
    return os.open(path, flags, mode, dir_fd=dir_fd)


# The levels above.


def announces(raw: Any) -> bool:
    """Whether *raw* says when it lets others run."""
    kind = type(raw)
    return getattr(kind, "_fast", kind) in ANNOUNCING


def stand_on(raw: Any, layer: Any) -> None:
    """*layer* was put onto *raw*."""
    if announces(raw):
        if hasattr(raw, "_guard"):
            raw._guard.add(layer)
        else:
            raw._above = (*getattr(raw, "_above", ()), ref(layer))
    elif type(raw) not in _NEVER:
        guard = Guard(permanent=True)
        if isinstance(raw, FileIO):
            raw._guard = guard
        guard.add(layer)


class _Buffered(_Named):
    """What the buffered classes share."""

    __slots__ = ()

    @staticmethod
    def _join(made: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            raw = made.raw
        except ValueError:  # detached, or not initialised
            return
        stand_on(raw, made)

    def readlines(self: Any, hint: Any = -1, /) -> Any:
        return _whole(self, False, super().readlines, hint)  # type: ignore[misc]

    def writelines(self: Any, lines: Any, /) -> Any:
        return _whole(self, True, super().writelines, lines)  # type: ignore[misc]


def _whole(file: Any, writes: bool, call: Callable[..., Any], argument: Any) -> Any:
    """Make *call*, which is several to the file, as one."""
    if busy() is None:
        return call(argument)
    guard = _guard_under(file)
    if guard is None:
        return call(argument)
    side = guard.writing if writes else guard.reading
    took = side.enter()
    try:
        return call(argument)
    finally:
        if took:
            side.leave()
            guard.relax()


def _guard_under(file: Any) -> Guard | None:
    try:
        return file._guard  # type: ignore[no-any-return]
    except AttributeError:
        pass
    try:
        raw = file.buffer.raw if isinstance(file, _io.TextIOWrapper) else file.raw
    except (AttributeError, ValueError):
        return None
    return guard_of(raw) if announces(raw) else None


class BufferedReader(_Buffered, _io.BufferedReader, metaclass=Kind):
    __slots__ = ("_guard",)
    _plain = _io.BufferedReader


class BufferedWriter(_Buffered, _io.BufferedWriter, metaclass=Kind):
    __slots__ = ("_guard",)
    _plain = _io.BufferedWriter


class BufferedRandom(_Buffered, _io.BufferedRandom, metaclass=Kind):
    __slots__ = ("_guard",)
    _plain = _io.BufferedRandom


class BufferedRWPair(_Buffered, _io.BufferedRWPair, metaclass=Kind):
    """Whose two halves are independent of each other."""

    __slots__ = ("_guard",)
    _plain = _io.BufferedRWPair

    @staticmethod
    def _join(made: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        raws = args[:2]
        if len(raws) == 2 and all(type(raw) in _NEVER for raw in raws):
            return
        known = len(raws) == 2 and all(map(announces, raws))
        guard = Guard(duplex=True, permanent=not known)
        for raw in raws if known else ():
            raw._guard = guard
        guard.add(made)


class TextIOWrapper(_Buffered, _io.TextIOWrapper, metaclass=Kind):
    __slots__ = ("_guard",)
    _plain = _io.TextIOWrapper

    @staticmethod
    def _join(made: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            below = made.buffer
            raw = below.raw if isinstance(below, (BufferedReader, BufferedWriter, BufferedRandom)) else below
        except (AttributeError, ValueError):
            return
        guard = getattr(below, "_guard", None)
        if isinstance(guard, Guard):
            guard.add(made)
        elif type(below) in _NEVER:
            return
        else:
            stand_on(raw, made)

    def detach(self) -> Any:
        below = super().detach()
        if isinstance(below, (BufferedReader, BufferedWriter, BufferedRandom)) and hasattr(
            type(below), "_join"
        ):
            type(below)._join(below, (), {})
        return below


# What never lets others run: what is in memory, and the plain classes, which wait in the system.
_NEVER = {
    _io.BytesIO, _io.FileIO, _io.BufferedReader, _io.BufferedWriter, _io.BufferedRandom, _io.BufferedRWPair,
}  # fmt: skip
ANNOUNCING: set[type] = {FileIO}
for _kind in (FileIO, BufferedReader, BufferedWriter, BufferedRandom, BufferedRWPair, TextIOWrapper):
    _kind.__module__ = "_io"
    _kind.__doc__ = _kind._plain.__doc__


_MODES: dict[str, tuple[str, Any, bool]] = {}  # mode -> of the raw file, class of the buffered one, text?
for _base, _class in {
    "r": BufferedReader,
    "w": BufferedWriter,
    "a": BufferedWriter,
    "x": BufferedWriter,
}.items():
    for _plus in ("", "+"):
        for _sort in ("", "t", "b"):
            for _order in permutations(_base + _plus + _sort):
                _MODES["".join(_order)] = _base + _plus, BufferedRandom if _plus else _class, _sort != "b"
_make: Any = type.__call__  # without what `Kind` does for others


@builtin
def open(_: Any, *args: Any, **kwargs: Any) -> Any:
    if builtins.open is not _io.open:
        return call_replacement("open", partial(_open, _), args, kwargs)
    return _open(_, *args, **kwargs)


def _open(
    _: Any,
    file: Any,
    mode: Any = "r",
    buffering: Any = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: Any = True,
    opener: Any = None,
) -> Any:
    known = _MODES.get(mode) if type(mode) is str else None
    if known is None or (not known[2] and not (encoding is errors is newline is None)):
        return _io.open(
            file, mode, buffering, encoding, errors, newline, closefd, opener
        )  # says what is wrong
    raw_mode, kind, text = known
    if type(file) is not str and not hasattr(file, "__index__"):
        file = os.fspath(file)
    if type(buffering) is not int:
        buffering = index(buffering)
    if not text and buffering == 1:
        words = "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used"
        warnings.warn(words, RuntimeWarning, stacklevel=3)
    if opener is None and busy() is not None and not isinstance(file, int):
        opener = open_waiting
    result = raw = _make(FileIO, file, raw_mode, closefd, opener)
    raw._thread = get_ident()
    try:
        line_buffering = buffering == 1
        if buffering < 0 or line_buffering:
            line_buffering = line_buffering or raw.isatty()
            buffering = raw._blksize
        elif not buffering:
            if text:
                raise ValueError("can't have unbuffered text I/O")
            return raw
        result = _make(kind, raw, buffering)
        if text:
            if encoding is None and sys.flags.warn_default_encoding:
                encoding = _io.text_encoding(None, 3)
            result = _make(TextIOWrapper, result, encoding, errors, newline, line_buffering)
            result.mode = mode
        raw._above = (ref(result),)
        return result
    except BaseException:
        result.close()
        raise


_open.__qualname__ = "open"  # in what is said of wrong arguments
open.__func__.__wrapped__ = _open  # type: ignore[attr-defined]
open.__func__.__module__ = "_io"  # type: ignore[attr-defined]
open.__func__.__doc__ = _io.open.__doc__  # type: ignore[attr-defined]
__all__ = [
    "BufferedRWPair", "BufferedRandom", "BufferedReader", "BufferedWriter", "FileIO", "TextIOWrapper", "open",
]  # fmt: skip
