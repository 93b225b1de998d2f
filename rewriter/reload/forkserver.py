"""The fork server: has imported what does not change between two saves, and forks a generation of the program.

    python -m rewriter.reload.forkserver DESCRIPTOR [the options and the target of python -m rewriter]

The descriptor is one end of a socket to the supervisor, which says ``preload`` (import these modules), ``fork`` (a
generation) and ``become`` (be one, where forking is not safe).  What a generation runs is what ``python -m rewriter``
would have run: the same preparation, then, in the fork, the same program.  When the supervisor dies, so do the
generations.
"""

import sys

_AT_START = frozenset(name for name in sys.modules if name.partition(".")[0] != "rewriter")

import gc  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
from collections.abc import Callable, Iterable  # noqa: E402
from time import monotonic, sleep  # noqa: E402
from typing import Any, NoReturn  # noqa: E402

from rewriter import command, program  # noqa: E402
from rewriter.errors import RewriterError, refuse  # noqa: E402
from rewriter.reload.child import Link, Reporter, is_own  # noqa: E402
from rewriter.reload.wire import Wire  # noqa: E402

_GRACE = 2.0  # seconds from SIGTERM to SIGKILL for the generations of a supervisor that has died


class ForkServer:
    """Serves the supervisor at the other end of *wire*."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._children: set[int] = set()
        self._wakeups: tuple[int, int] = os.pipe()
        for fd in self._wakeups:
            os.set_blocking(fd, False)
        # The terminal sends Ctrl-C to all of us: it is for the program, which is not to miss it as it is born.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        self._handler = signal.getsignal(signal.SIGCHLD)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wakeups[1])

    def serve(self) -> Link:
        """Do what the supervisor says; returns in a process that is to run the program."""
        while True:
            try:
                link = self._turn()
            except BrokenPipeError:
                self._end_all()
            if link is not None:
                return link

    def _turn(self) -> Link | None:
        """Wait for one thing to happen, and see to it."""
        ready, _, _ = select.select([self._wire.fileno(), self._wakeups[0]], [], [])
        if self._wakeups[0] in ready:
            self._reap()
        if self._wire.fileno() not in ready:
            return None
        received = self._wire.receive()
        if received is None:
            self._end_all()
        message, fds = received
        if message["do"] == "preload":
            self._wire.send({"preloaded": self._preload(message["modules"], message["path"])})
            return None
        if message["do"] == "become":
            _die_with_parent()
            return self._generation(fds)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            return self._generation(fds)
        for fd in fds:
            os.close(fd)
        self._children.add(pid)
        self._wire.send({"forked": pid})
        return None

    def _generation(self, fds: list[int]) -> Link:
        """Be a process that never was anything but the program."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, self._handler)
        for fd in self._wakeups:
            os.close(fd)
        self._wire.close()
        importlib.invalidate_caches()
        wire, orders = fds
        return Link(Wire(socket.socket(fileno=wire)), orders)

    def _preload(self, names: Iterable[str], path: list[str]) -> str | None:
        """Import *names*, found by *path*; returns the one that makes forking unsafe, and stops there."""
        silence = _Silence()
        own_path, sys.path = sys.path, path
        try:
            for name in names:
                if name in sys.modules:
                    continue
                before = set(sys.modules)
                try:
                    importlib.import_module(name)
                except BaseException:  # whatever is wrong with it, the program will see
                    continue
                new = [sys.modules.get(other) for other in sys.modules.keys() - before]
                if _threads() > 1 or any(is_own(getattr(module, "__file__", None)) for module in new):
                    return name
        finally:
            sys.path = own_path
            silence.end()
        gc.collect()
        gc.freeze()
        return None

    def _reap(self) -> None:
        try:
            os.read(self._wakeups[0], 4096)
        except BlockingIOError:
            pass
        for pid in list(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._children.discard(pid)
                self._wire.send({"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _end_all(self) -> NoReturn:
        """The supervisor has died: nothing is to be left behind."""
        deadline = monotonic() + _GRACE
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._children:
                os.kill(pid, number)
            while self._children and (number == signal.SIGKILL or monotonic() < deadline):
                for pid in list(self._children):
                    if os.waitpid(pid, os.WNOHANG)[0]:
                        self._children.discard(pid)
                sleep(0.01)
        os._exit(1)


class _Silence:
    """Nothing is printed: the program has printed it, importing the same."""

    def __init__(self) -> None:
        self._kept = [os.dup(fd) for fd in (1, 2)]
        null = os.open(os.devnull, os.O_WRONLY)
        for fd in (1, 2):
            os.dup2(null, fd)
        os.close(null)

    def end(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, kept in zip((1, 2), self._kept, strict=True):
            os.dup2(kept, fd)
            os.close(kept)


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        import threading

        return threading.active_count()


def _die_with_parent() -> None:
    """Have the system end this process when the supervisor dies, where it can (prctl(2))."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(signal.SIGTERM))


def main() -> None:
    """Serve, and run the program in what is forked."""
    descriptor, *words = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    sys.argv[1:] = words
    try:
        options = command.parse(words)
        run: Callable[[], Any] = program.prepare(options, _AT_START)
    except RewriterError as error:
        refuse(str(error))
    import rewriter.transform  # noqa: F401  (what a change needs)
    from runtime import handover

    wire = Wire(socket.socket(fileno=int(descriptor)))
    link = ForkServer(wire).serve()
    handover.begin(link)
    sys.meta_path.insert(0, Reporter(link))
    if options.kind == "target" and os.path.isfile(options.target):
        link.imported(os.path.abspath(options.target))
    link.busy()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    run()


if __name__ == "__main__":
    main()
