"""Outlets: what is written to the interpreter's own standard output and error goes out without stopping the others.

The plain file stays the one buffer, so converted and unconverted code say things in the order in which plain Python
would.  Its C code writes to a blocking descriptor and cannot wait in the hub.  Hence it is called only where what it
may write fits:

===================== =======================================================================================
descriptor            how the plain file's write to it does not wait
===================== =======================================================================================
regular file, device  in place
null
pipe                  at once while there is much room; else in steps, each when the system says that it is writable:
                      then it takes ``PIPE_BUF`` bytes (pipe(7)), and a step writes once, and no more than that
stream socket         at once when it is writable: then a third of its buffer is free
terminal              a worker thread, when it is writable (a stopped one is not): it promises nothing
everything else       a worker thread
===================== =======================================================================================

A pipe is a ring of pages, and two that follow one another hold more than a page together; so what is in it says
how many are free at least.  While they are many, the plain call writes nothing that does not fit: some 8 KiB lie in
the text layer, and a page in the buffer below.  When they are not, the text layer is made to hold less
(``_CHUNK_SIZE``), and both are emptied before each step.  So what is left there when the reader goes away, and with it
the exit code, is what plain Python leaves.

Calls queue, so what one of them writes stays together.  Another *process* that fills the same pipe between the look
and the write is not kept out; then that write waits as it would under plain Python.

Rejected: a buffer of our own over a copy of the descriptor (output of unconverted code would come out of order), and a
worker thread for everything: it would hold the lock of the plain buffer while the pipe is full, where neither Ctrl-C
nor the end of the program gets it away.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import signal
import stat
import sys
from _thread import LockType, allocate_lock
from collections.abc import Callable, Iterator
from fcntl import fcntl, ioctl

from greenlet import getcurrent

from runtime.backends import WRITE
from runtime.hub import Hub, existing_hub
from runtime.lock import Lock
from runtime.mounts import mounts
from runtime.pipes import PIECE, ready, until
from runtime.signals import unwrap
from runtime.workers import Call, Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from runtime.tasklet import Tasklet

    Way = Literal["in place", "in steps", "when writable", "aside"]

_STEP = PIECE // 2  # bytes: what a call adds in one step is less
_LEAST = 4096  # bytes: where the system promises less for a pipe, steps would be too small to be of use
_ROOM = 1 << 16  # bytes: the least buffer of a socket for what is said above
_PAGE = os.sysconf("SC_PAGE_SIZE")
_GETPIPE_SZ = 1032  # fcntl(2); Linux
_FEW, _MANY = (
    3,
    11,
)  # free pages of a pipe: for what lies in the layers at most; for that, and again after a call
_AGAIN = 0.25  # seconds between two looks at the end of the program
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Outlet:
    """The way out of one of the interpreter's files.

    Args:
        plain: the file; a `TextIOWrapper` over a buffered or a raw file.
    """

    __slots__ = (
        "_buffer", "_chunk", "_holder", "_identity", "_pages", "_queue", "_size", "_tight", "_way", "plain",
    )  # fmt: skip

    def __init__(self, plain: Any) -> None:
        self.plain = plain
        self._buffer = plain.buffer
        self._size = 0 if hasattr(self._buffer, "readall") else _size(self._buffer)
        self._chunk: int = plain._CHUNK_SIZE
        self._tight = False  # the text layer holds less than a step
        self._identity: tuple[int, ...] = ()
        self._way: Way = "aside"
        self._pages = 0  # of the pipe; 0 if it is none
        self.forget()
        _all.append(self)

    def __repr__(self) -> str:
        return f"<Outlet of {self.plain!r}, {self._way}>"

    def forget(self) -> None:
        """Nobody is at it: so at the start, and in a forked child."""
        self._queue = Lock()
        self._holder: Tasklet | None = None

    def write(self, hub: Hub, text: str, flush: bool = False) -> int:
        """``write`` of the text layer; then perhaps ``flush``."""
        small = len(text) < (_STEP // 2 if text.isascii() else _STEP // 20)
        return self._do(hub, self._write_in_steps, self._plainly, text, flush, small=small)  # type: ignore[no-any-return]

    def write_bytes(self, hub: Hub, data: Any) -> int:
        """``write`` of the buffer under the text layer."""
        try:
            view = memoryview(data).cast("B")
        except TypeError:
            return self._buffer.write(data)  # type: ignore[no-any-return]  # says what is wrong
        with view:
            small = len(view) < _STEP
            return self._do(  # type: ignore[no-any-return]
                hub, self._write_bytes_in_steps, self._buffer.write, view, text=False, small=small
            )

    def call(self, hub: Hub, call: Callable[[], Any], *, text: bool) -> Any:
        """Make *call*, a flush, say: it writes what lies in the buffer, and in the *text* layer, and no more."""
        drain = self._drain if text else self._drain_buffer

        def in_steps(hub: Hub, fd: int) -> Any:
            drain(hub, fd)
            return call()

        return self._do(hub, in_steps, call, text=text)

    def together(self, hub: Hub, call: Callable[..., Any], *args: Any) -> Any:
        """Make *call*, which calls this outlet several times, as one."""
        took = self._enter(hub)
        try:
            return call(*args)
        finally:
            if took:
                self._leave()

    # Whose turn it is.

    def _do(
        self,
        hub: Hub,
        in_steps: Callable[..., Any],
        plainly: Callable[..., Any],
        *args: Any,
        text: bool = True,
        small: bool = True,
    ) -> Any:
        """Call ``plainly(*args)``, or do the same ``in_steps(hub, fd, *args)``, when nobody else is at it.

        Args:
            text: the text layer is concerned.
            small: what is added is no more than a step.
        """
        way = self._way_out()
        took = None if way == "in place" else self._enter(hub)
        if took is None:
            return plainly(*args)
        try:
            fd = self._buffer.fileno()
            if way == "in steps":
                if small and self._free(fd) >= _MANY:
                    self._loosen()
                    return plainly(*args)
                if not text or self._tight or self._tighten(hub, fd):
                    return in_steps(hub, fd, *args)
            elif way == "when writable":
                until(hub, fd, WRITE)
            mine, took = took, False
            return self._aside(hub, mine, plainly, *args)
        finally:
            if took:
                self._leave()

    def _enter(self, hub: Hub) -> bool | None:
        """Wait for the caller's turn; True if `_leave` must end it, None if the caller cannot wait."""
        if getcurrent() is hub.greenlet:
            return None
        me = hub.current
        if self._holder is me:  # a signal handler in the midst of a wait, or one of several calls
            return False
        self._queue.acquire()
        self._holder = me
        return True

    def _leave(self) -> None:
        self._holder = None
        self._queue.release()

    # What there is.

    def _way_out(self) -> Way:
        """How to write to what the descriptor is now: somebody may have exchanged it (``os.dup2``)."""
        try:
            fd = self._buffer.fileno()
            status = os.fstat(fd)
        except (OSError, ValueError):
            return "in place"  # the call will say what is wrong
        identity = status.st_dev, status.st_ino, status.st_rdev
        if identity != self._identity:
            self._way = _look(fd, status, self._size)
            self._pages = _pages(fd) if self._way == "in steps" and stat.S_ISFIFO(status.st_mode) else -1
            self._identity = identity
        return self._way

    def _free(self, fd: int) -> int:
        """How many pages are free at least: one may be all that is left."""
        if self._pages < 0:  # a socket
            return _MANY if ready(fd, WRITE) else 0
        return self._pages and self._pages - 2 * (-_held(fd) // -_PAGE)

    def _loosen(self) -> None:
        if self._tight:
            self._tight = False
            self._limit(self._chunk)

    def _tighten(self, hub: Hub, fd: int) -> bool:
        """See that less than a step lies in the text layer, whoever writes; False if what lies there is too much."""
        self._limit(_STEP)
        if self._free(fd) < _FEW and _pending(self.plain) > PIECE:
            return False
        self._tight = True
        self._drain(hub, fd)
        return True

    def _limit(self, size: int) -> None:
        try:
            self.plain._CHUNK_SIZE = min(self._chunk, size)
        except ValueError:  # detached
            pass

    # The ways.

    def _plainly(self, text: str, flush: bool) -> int:
        plain = self.plain
        count: int = plain.write(text)
        if flush:
            plain.flush()
        return count

    def _write_in_steps(self, hub: Hub, fd: int, text: str, flush: bool) -> int:
        plain = self.plain
        try:
            pieces = _pieces(text, plain.encoding, plain.errors)
        except UnicodeError:
            return self._plainly(text, flush)  # fails before anything is written
        there = self._drain(hub, fd)
        left = len(text)
        for piece in pieces:
            if not there or not _writable(hub, fd):  # nobody will read it: as plain Python says so
                self._loosen()
                return self._plainly(text, flush)
            plain.write(piece)
            left -= len(piece)
            if left or flush:
                plain.flush()
        return len(text)

    def _write_bytes_in_steps(self, hub: Hub, fd: int, view: memoryview) -> int:
        buffer = self._buffer
        there = self._drain_buffer(hub, fd)
        for start in range(0, len(view), _STEP - 1):
            if not there or not _writable(hub, fd):
                return buffer.write(view)  # type: ignore[no-any-return]
            piece = view[start : start + _STEP - 1]
            buffer.write(piece)
            if start + len(piece) < len(view):
                buffer.flush()
        return len(view)

    def _drain(self, hub: Hub, fd: int) -> bool:
        """Send what lies in the layers; False if nobody will read it."""
        if not self._drain_buffer(hub, fd) or not _writable(hub, fd):
            return False
        self.plain.flush()
        return True

    def _drain_buffer(self, hub: Hub, fd: int) -> bool:
        if not _writable(hub, fd):
            return False
        self._buffer.flush()
        return True

    def _aside(self, hub: Hub, took: bool, call: Callable[..., Any], *args: Any) -> Any:
        """Make *call* on a worker thread.

        If the caller is killed or timed out, the call goes on, and the turn ends with it.
        """
        running = allocate_lock()

        def make() -> Any:
            try:
                return call(*args)
            finally:
                _running.remove(running)
                running.release()
                if took:
                    self._leave()

        running.acquire()
        _running.append(running)
        call_aside = Call(hub.current, make, (), {})
        try:
            _workers.submit(call_aside)
        except RuntimeError:  # the system gives no thread
            return make()
        return call_aside.wait(hub)


def _size(buffer: Any) -> int:
    """How much a buffered file holds back."""
    return buffer.__sizeof__() - type(buffer).__basicsize__  # type: ignore[no-any-return]


def _pending(plain: Any) -> int:
    """How much lies in the text layer at most: it does not say, but what it refers to is known to the collector."""
    known = gc.get_referents(plain)
    return sum(
        len(part)
        for found in known
        for part in (found if isinstance(found, (list, tuple)) else (found,))
        if isinstance(part, (str, bytes))
    )


def _look(fd: int, status: os.stat_result, size: int) -> Way:
    """How to write to *fd* through a buffer of *size*."""
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFREG:
        return "aside" if mounts.slow(fd) else "in place"
    if kind == stat.S_IFCHR and status.st_rdev == os.stat(os.devnull).st_rdev:
        return "in place"
    if os.isatty(fd):
        return "when writable"
    if size <= PIECE >= _LEAST and (kind == stat.S_IFIFO or (kind == stat.S_IFSOCK and _roomy(fd))):
        return "in steps"
    return "aside"


def _roomy(fd: int) -> bool:
    """Whether *fd* is a stream socket with a buffer that is large enough."""
    import _socket

    it = _socket.socket(fileno=fd)
    try:
        return (
            it.type == _socket.SOCK_STREAM and it.getsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF) >= _ROOM
        )
    finally:
        it.detach()


def _pages(fd: int) -> int:
    """How many pages *fd*, a pipe, has; 0 where the system does not say."""
    try:
        return fcntl(fd, _GETPIPE_SZ) // _PAGE
    except OSError:
        return 0


def _held(fd: int) -> int:
    """How many bytes lie in *fd*, a pipe."""
    from termios import FIONREAD

    return int.from_bytes(ioctl(fd, FIONREAD, bytes(4)), sys.byteorder)


def _writable(hub: Hub, fd: int) -> bool:
    """Wait until *fd* can be written to; False if nobody reads it any more."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    while not (found := poll.poll(0)):
        hub.wait_fd(fd, WRITE)
    return not found[0][1] & _GONE


def _pieces(text: str, encoding: str, errors: str) -> Iterator[str]:
    """*text* in pieces of which each is a step, however it is encoded and its line ends are translated.

    Raises:
        UnicodeError: some of it has no such encoding.
    """
    step = _STEP // 2 - 1
    if not text.isascii() or encoding != "utf-8":
        if len(text.encode(encoding, errors)) * 2 + 8 < _STEP:
            return iter((text,))
        most = max(len(character.encode(encoding, errors)) for character in set(text))
        step = max(1, (_STEP - 9) // (2 * most))
    if len(text) <= step:
        return iter((text,))
    return (text[start : start + step] for start in range(0, len(text), step))


_workers = Workers(limit=sys.maxsize)
_all: list[Outlet] = []
_running: list[LockType] = []  # each is held while a thread writes


def _forget() -> None:
    _running.clear()
    _workers._reset()
    for outlet in _all:
        outlet.forget()


def _await() -> None:
    """The end of the program: wait for what is still being written, as the interpreter's own flush would.

    A worker that cannot write holds the lock of the plain buffer, without which the interpreter cannot end.  So Ctrl-C
    ends the process now.
    """
    if not _running:
        return
    before = signal.getsignal(signal.SIGINT)
    ours = unwrap(before) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    hub = existing_hub()
    for lock in list(_running):
        while not lock.acquire(timeout=_AGAIN):
            if hub is not None:
                hub.ticks += 1  # this is no stall: the program has ended
    if ours:
        signal.signal(signal.SIGINT, before)


atexit.register(_await)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
