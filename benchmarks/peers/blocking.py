"""Plain blocking calls, one for each family, each held up for 0.6 s while a thread ticks every 5 ms.

What holds a call up is another process (``sh``), so nothing in this one has to run for it to end.  Printed is a line of
JSON for each operation: its name, how long it took, and the longest gap between two ticks meanwhile.

    python -m benchmarks.peers.blocking [NAME…]
"""

# ruff: noqa: B008 (a default holds what an operation was prepared with)
from __future__ import annotations

import asyncio
import bz2
import codecs
import concurrent.futures
import contextlib
import fcntl
import fileinput
import gzip
import hashlib
import http.client
import io
import json
import logging
import lzma
import mailbox
import multiprocessing
import os
import pathlib
import queue
import sched
import select
import selectors
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
import xmlrpc.client
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

T = TypeVar("T")
HELD = 0.6  # seconds
TICK = 0.005
OPERATIONS: dict[str, Callable[[Stage], object]] = {}


class Stage:
    """What an operation needs around it; all of it is gone at the end."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.stack = stack
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.ready: list[Callable[[], object]] = []

    def later(
        self, script: str, stdin: int = subprocess.DEVNULL, stdout: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Have ``sh`` run *script* after the time."""
        words = ["sh", "-c", f"sleep {HELD}; {script}"]
        child = subprocess.Popen(
            words, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, cwd=self.folder
        )
        self.stack.callback(child.wait)
        self.stack.callback(child.kill)
        return child

    def python(self, source: str, *fds: int) -> None:
        """Run *source* in a process of its own, plain, and wait until it says that it is ready."""
        words = [sys.executable, "-I", "-c", source, *map(str, fds)]
        child = subprocess.Popen(words, pass_fds=fds, cwd=self.folder, stdout=subprocess.PIPE)
        self.stack.callback(child.wait)
        self.stack.callback(child.kill)
        assert child.stdout is not None
        self.said = child.stdout.readline().decode().strip()
        self.stack.callback(child.stdout.close)

    def pipe(self) -> tuple[int, int]:
        """A pipe into which something is written later."""
        reading, writing = os.pipe()
        self.stack.callback(os.close, reading)
        self.stack.callback(os.close, writing)
        self.later("echo x", stdout=writing)
        return reading, writing

    def sink(self) -> int:
        """The end for writing of a pipe with room."""
        reading, writing = os.pipe()
        self.stack.callback(os.close, reading)
        self.stack.callback(os.close, writing)
        return writing

    def source(self) -> BinaryIO:
        """A file."""
        return self.stack.enter_context(open(__file__, "rb"))

    def full_pipe(self) -> int:
        """The end of a full pipe for writing, from which something is read later."""
        reading, writing = os.pipe()
        self.stack.callback(os.close, writing)
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(65536))
        os.set_blocking(writing, True)
        self.later("cat >/dev/null", stdin=reading)
        os.close(reading)
        return writing

    def fifo(self) -> str:
        """The path of a FIFO that is opened and written to later."""
        path = str(self.folder / "fifo")
        os.mkfifo(path)
        self.later("echo x >fifo")
        return path

    def socket(self, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket to which something is sent later."""
        a, b = socket.socketpair(socket.AF_UNIX, kind)
        self.stack.callback(a.close)
        self.later("echo x", stdout=b.fileno())
        self.stack.callback(b.close)
        return a

    def full_socket(self) -> socket.socket:
        """A socket that takes no more, until something is read from its peer later."""
        a, b = socket.socketpair()
        self.stack.callback(a.close)
        a.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                a.send(bytes(65536))
        a.setblocking(True)
        self.later("cat >/dev/null", stdin=b.fileno())
        b.close()
        return a

    def held(self, *names: str) -> threading.Thread:
        """A thread that takes its time."""
        return threading.Thread(target=time.sleep, args=(HELD,))

    def server(self, what: str) -> tuple[str, int]:
        """A plain server process that takes its time before it answers."""
        self.python(SERVERS[what])
        return "127.0.0.1", int(self.said)


_LISTEN = """
import socket, sys, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True)
"""
SERVERS = {
    "accepts late": """
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(60)
""",
    "http": _LISTEN + "c, _ = s.accept(); c.recv(9999); time.sleep(0.6); "
    "c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nok'); c.close()",
    "xmlrpc": """
import xmlrpc.server, time
s = xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False)
s.register_function(lambda: time.sleep(0.6) or 1, "wait"); print(s.server_address[1], flush=True); s.handle_request()
""",
    "silent": _LISTEN + "c, _ = s.accept(); time.sleep(0.6); c.close()",
    "late greeting": _LISTEN
    + "c, _ = s.accept(); time.sleep(0.6); c.sendall(b'220 hello\\r\\n'); time.sleep(9)",
    "connects late": _LISTEN + "time.sleep(0.6)",
}


def operation(function: Callable[[Stage], object]) -> Callable[[Stage], object]:
    OPERATIONS[function.__name__] = function
    return function


def each(**calls: Callable[[Stage], Callable[[], object]]) -> None:
    """Operations that are an expression: *calls* prepare and return what is to be measured."""
    OPERATIONS.update(calls)


def _cpu(call: Callable[[T], object], argument: Callable[[int], T]) -> Callable[[], object]:
    """*call* with an argument that keeps it busy for about as long as the others are held up."""
    size = 1
    while True:
        value = argument(size)
        began = time.perf_counter()
        call(value)
        took = time.perf_counter() - began
        if took > 0.1:
            break
        size *= 4
    value = argument(int(size * HELD / took) + 1)
    return lambda: call(value)


def _locked_file(stage: Stage, how: str) -> int:
    path = stage.folder / "locked"
    path.write_bytes(b"x")
    stage.python(
        f"import fcntl, time; f = open('locked', 'r+'); fcntl.{how}(f, 2); print(flush=True); time.sleep(0.6)"
    )
    fd = os.open(path, os.O_RDWR)
    stage.stack.callback(os.close, fd)
    return fd


def _locked_database(stage: Stage) -> sqlite3.Connection:
    stage.python(
        "import sqlite3, time; c = sqlite3.connect('db', isolation_level=None); c.execute('create table t (x)'); "
        "c.execute('begin exclusive'); print(flush=True); time.sleep(0.6); c.execute('commit')"
    )
    connection = sqlite3.connect(stage.folder / "db", timeout=30)
    stage.stack.callback(connection.close)
    return connection


def _child(stage: Stage) -> subprocess.Popen[bytes]:
    return stage.later("exit 3")


def _held_lock(stage: Stage, lock: threading.Lock | threading.Semaphore) -> Callable[[], object]:
    lock.acquire()
    timer = threading.Timer(HELD, lock.release)
    return lambda: (timer.start(), lock.acquire(), timer.join())


def _queue(stage: Stage, box: queue.Queue[int] | queue.SimpleQueue[int]) -> Callable[[], object]:
    timer = threading.Timer(HELD, box.put, (1,))
    return lambda: (timer.start(), box.get(), timer.join())


def _full_queue() -> Callable[[], object]:
    box: queue.Queue[int] = queue.Queue(1)
    box.put(1)
    timer = threading.Timer(HELD, box.get)
    return lambda: (timer.start(), box.put(2), timer.join())


def _condition() -> Callable[[], object]:
    condition = threading.Condition()

    def notify() -> None:
        with condition:
            condition.notify_all()

    def wait() -> None:
        timer = threading.Timer(HELD, notify)
        with condition:
            timer.start()
            condition.wait()
        timer.join()

    return wait


def _barrier() -> Callable[[], object]:
    barrier = threading.Barrier(2)
    timer = threading.Timer(HELD, barrier.wait)
    return lambda: (timer.start(), barrier.wait(), timer.join())


def _event() -> Callable[[], object]:
    event = threading.Event()
    timer = threading.Timer(HELD, event.set)
    return lambda: (timer.start(), event.wait(), timer.join())


def _pool(kind: type[concurrent.futures.Executor]) -> Callable[[], object]:
    def run() -> object:
        with kind(max_workers=1) as pool:  # type: ignore[call-arg]
            return pool.submit(time.sleep, HELD).result()

    return run


def _scheduler() -> object:
    scheduler = sched.scheduler()
    scheduler.enter(HELD, 1, int)
    return scheduler.run()


def _signals(call: Callable[[], object]) -> Callable[[], object]:
    def run() -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        try:
            call()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    return run


def _poll(stage: Stage) -> Callable[[], object]:
    poll = select.poll()
    poll.register(stage.pipe()[0], select.POLLIN)
    return poll.poll


def _epoll(stage: Stage) -> Callable[[], object]:
    epoll = stage.stack.enter_context(select.epoll())
    epoll.register(stage.pipe()[0], select.EPOLLIN)
    return epoll.poll


def _selector(stage: Stage) -> Callable[[], object]:
    selector = stage.stack.enter_context(selectors.DefaultSelector())
    selector.register(stage.socket(), selectors.EVENT_READ)
    return selector.select


def _tls(stage: Stage) -> Callable[[], object]:
    host, port = stage.server("silent")
    context = ssl.create_default_context()

    def shake() -> None:
        with socket.create_connection((host, port)) as sock, contextlib.suppress(OSError):
            context.wrap_socket(sock, server_hostname="localhost")

    return shake


def _smtp(stage: Stage) -> Callable[[], object]:
    import smtplib

    host, port = stage.server("late greeting")
    return lambda: smtplib.SMTP(host, port).close()


def _accept(stage: Stage) -> Callable[[], object]:
    listener = stage.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    stage.python(
        f"import socket, time; print(flush=True); time.sleep(0.6); socket.create_connection({listener.getsockname()})"
    )
    return lambda: listener.accept()[0].close()


def _connect(stage: Stage) -> Callable[[], object]:
    path = str(stage.folder / "listener")
    stage.python(
        "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('listener'); s.listen(0); "
        "a = socket.socket(socket.AF_UNIX); a.connect('listener'); print(flush=True); time.sleep(0.6); "
        "b = s.accept(); c = s.accept()"
    )
    sock = stage.stack.enter_context(socket.socket(socket.AF_UNIX))
    return lambda: sock.connect(path)


def _process(stage: Stage) -> Callable[[], object]:
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(HELD,))
    process.start()
    return process.join


def _put_later(box: multiprocessing.Queue[int]) -> None:
    time.sleep(HELD)
    box.put(1)


def _process_queue(stage: Stage) -> Callable[[], object]:
    context = multiprocessing.get_context("fork")
    box: multiprocessing.Queue[int] = context.Queue()
    process = context.Process(target=_put_later, args=(box,))
    process.start()
    return lambda: (box.get(), process.join())


def _process_pool(stage: Stage) -> Callable[[], object]:
    pool = stage.stack.enter_context(multiprocessing.get_context("fork").Pool(1))
    return lambda: pool.apply(time.sleep, (HELD,))


def _from_file(
    stage: Stage, fd: int, mode: str, call: Callable[[io.IOBase], object], **more: int
) -> Callable[[], object]:
    file = os.fdopen(os.dup(fd), mode, **more)  # type: ignore[call-overload]
    stage.stack.callback(file.close)
    return lambda: call(file)


def _copied(stage: Stage) -> Callable[[], object]:
    path = stage.fifo()

    def copy() -> None:
        with open(path, "rb") as source, io.BytesIO() as target:
            shutil.copyfileobj(source, target)

    return copy


def _zipped(stage: Stage) -> Callable[[], object]:
    path = str(stage.folder / "fifo")
    os.mkfifo(path)
    (stage.folder / "x.gz").write_bytes(gzip.compress(b"x"))
    stage.later("cat x.gz >fifo")
    return lambda: gzip.open(path).close()


def _archived(stage: Stage) -> Callable[[], object]:
    path = str(stage.folder / "fifo")
    os.mkfifo(path)
    (stage.folder / "x").write_bytes(b"x")
    stage.later("tar cf - x >fifo")
    return lambda: tarfile.open(path, "r|").getnames()


def _locked_mailbox(stage: Stage) -> Callable[[], object]:
    """A mailbox on whose file another process has a lock; it tries again until that has gone."""
    path = str(stage.folder / "mbox")
    box = mailbox.mbox(path)
    stage.stack.callback(box.close)
    (stage.folder / "mbox.lock").touch()
    stage.later("rm mbox.lock")

    def lock() -> None:
        while True:
            try:
                return box.lock()
            except mailbox.ExternalClashError:
                time.sleep(0.01)

    return lock


def _lines(stage: Stage) -> Callable[[], object]:
    path = stage.fifo()

    def lines() -> list[str]:
        with fileinput.FileInput(path) as files:
            return list(files)

    return lines


def _typed(stage: Stage, call: Callable[[], object]) -> Callable[[], object]:
    """With what is written to it later as the standard input."""
    reading, _ = stage.pipe()
    saved = os.dup(0)
    os.dup2(reading, 0)
    stage.stack.callback(os.close, saved)
    stage.stack.callback(os.dup2, saved, 0)
    return call


def _said(stage: Stage, call: Callable[[str], object]) -> Callable[[], object]:
    """With a full pipe as the standard output, from which something is read later."""
    sys.stdout.flush()
    saved = os.dup(1)

    def restore() -> None:
        # What an interruption has left in the buffer goes nowhere.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)

    os.dup2(stage.full_pipe(), 1)
    stage.stack.callback(restore)
    return lambda: call("x")


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]
    def handleError(self, record: logging.LogRecord) -> None:
        raise


def _logged(text: str) -> None:
    handler = _Handler(sys.stdout)
    handler.emit(logging.LogRecord("blocking", logging.INFO, __file__, 1, text, None, None))
    handler.close()


DATA = os.urandom(1 << 16)
HTTP = "http://{}:{}/"
each(
    # time and threads
    time_sleep=lambda s: lambda: time.sleep(HELD),
    lock_acquire=lambda s: _held_lock(s, threading.Lock()),
    semaphore_acquire=lambda s: _held_lock(s, threading.Semaphore()),
    condition_wait=lambda s: _condition(),
    event_wait=lambda s: _event(),
    barrier_wait=lambda s: _barrier(),
    thread_join=lambda s: (lambda t: lambda: (t.start(), t.join()))(s.held()),
    timer_join=lambda s: (lambda t: lambda: (t.start(), t.join()))(threading.Timer(HELD, int)),
    queue_get=lambda s: _queue(s, queue.Queue()),
    simple_queue_get=lambda s: _queue(s, queue.SimpleQueue()),
    queue_put=lambda s: _full_queue(),
    thread_pool=lambda s: _pool(concurrent.futures.ThreadPoolExecutor),
    sched_run=lambda s: _scheduler,
    asyncio_run=lambda s: lambda: asyncio.run(asyncio.sleep(HELD)),
    # sockets
    socket_recv=lambda s: lambda a=s.socket(): a.recv(9),
    socket_recv_into=lambda s: lambda a=s.socket(): a.recv_into(bytearray(9)),
    socket_recvfrom=lambda s: lambda a=s.socket(socket.SOCK_DGRAM): a.recvfrom(9),
    socket_recvfrom_into=lambda s: lambda a=s.socket(): a.recvfrom_into(bytearray(9)),
    socket_recvmsg=lambda s: lambda a=s.socket(): a.recvmsg(9),
    socket_recvmsg_into=lambda s: lambda a=s.socket(): a.recvmsg_into([bytearray(9)]),
    socket_makefile=lambda s: lambda a=s.socket(): a.makefile("rb").readline(),
    socket_send=lambda s: lambda a=s.full_socket(): a.send(DATA),
    socket_sendall=lambda s: lambda a=s.full_socket(): a.sendall(DATA),
    socket_sendmsg=lambda s: lambda a=s.full_socket(): a.sendmsg([DATA]),
    socket_sendfile=lambda s: lambda a=s.full_socket(): a.sendfile(s.source()),
    socket_accept=_accept,
    socket_connect=_connect,
    ssl_handshake=_tls,
    http_client=lambda s: (lambda c: lambda: (c.request("GET", "/"), c.getresponse().read()))(
        http.client.HTTPConnection(*s.server("http"))
    ),
    urlopen=lambda s: lambda url=HTTP.format(*s.server("http")): urllib.request.urlopen(url).read(),
    xmlrpc_call=lambda s: lambda url=HTTP.format(*s.server("xmlrpc")): xmlrpc.client.ServerProxy(url).wait(),
    smtp_greeting=_smtp,
    # waiting for descriptors
    select_select=lambda s: lambda fd=s.pipe()[0]: select.select([fd], [], []),
    select_poll=_poll,
    select_epoll=_epoll,
    selectors_select=_selector,
    # descriptors and files
    os_read=lambda s: lambda fd=s.pipe()[0]: os.read(fd, 9),
    os_readv=lambda s: lambda fd=s.pipe()[0]: os.readv(fd, [bytearray(9)]),
    os_write=lambda s: lambda fd=s.full_pipe(): os.write(fd, DATA),
    os_writev=lambda s: lambda fd=s.full_pipe(): os.writev(fd, [DATA]),
    os_sendfile=lambda s: (
        lambda a=s.full_socket(), f=s.source(): os.sendfile(a.fileno(), f.fileno(), 0, 4096)
    ),
    os_splice=lambda s: lambda a=s.pipe()[0], b=s.sink(): os.splice(a, b, 9),
    open_fifo=lambda s: lambda path=s.fifo(): open(path, "rb").close(),
    read_fifo=lambda s: lambda path=s.fifo(): open(path).read(),  # noqa: SIM115
    path_read_text=lambda s: lambda path=s.fifo(): pathlib.Path(path).read_text(),
    shutil_copyfileobj=_copied,
    gzip_open=_zipped,
    tarfile_stream=_archived,
    codecs_open=lambda s: lambda path=s.fifo(): codecs.open(path, encoding="utf-8").close(),
    fileinput_lines=_lines,
    mailbox_lock=_locked_mailbox,
    os_open=lambda s: lambda path=s.fifo(): os.close(os.open(path, os.O_RDONLY)),
    file_readline=lambda s: _from_file(s, s.pipe()[0], "r", lambda f: f.readline()),
    file_next=lambda s: _from_file(s, s.pipe()[0], "r", next),  # type: ignore[arg-type]
    file_read_unbuffered=lambda s: _from_file(s, s.pipe()[0], "rb", lambda f: f.read(9), buffering=0),  # type: ignore[attr-defined]
    file_write=lambda s: _from_file(s, s.full_pipe(), "wb", lambda f: (f.write(DATA), f.flush())),  # type: ignore[attr-defined]
    stdin_readline=lambda s: _typed(s, lambda: sys.stdin.readline()),
    builtin_input=lambda s: _typed(s, lambda: input()),
    # processes
    subprocess_run=lambda s: lambda: subprocess.run(["sleep", str(HELD)], check=True),
    subprocess_check_output=lambda s: lambda: subprocess.check_output(["sh", "-c", f"sleep {HELD}; echo x"]),
    popen_wait=lambda s: _child(s).wait,
    popen_communicate=lambda s: (
        lambda: subprocess.Popen(
            ["sh", "-c", f"sleep {HELD}; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ).communicate(b"x")
    ),
    os_system=lambda s: lambda: os.system(f"sleep {HELD}"),
    os_popen=lambda s: lambda: os.popen(f"sleep {HELD}; echo x").read(),
    os_waitpid=lambda s: lambda pid=_spawned(): os.waitpid(pid, 0),
    os_waitid=lambda s: lambda pid=_spawned(): os.waitid(os.P_PID, pid, os.WEXITED),
    os_wait4=lambda s: lambda pid=_spawned(): os.wait4(pid, 0),
    os_spawn=lambda s: lambda: os.spawnlp(os.P_WAIT, "sleep", "sleep", str(HELD)),
    process_join=_process,
    process_queue=_process_queue,
    process_pool=_process_pool,
    process_executor=lambda s: _pool(concurrent.futures.ProcessPoolExecutor),
    # signals, locks of the system, databases
    sigwait=lambda s: _signals(
        lambda: (s.later(f"kill -USR1 {os.getpid()}"), signal.sigwait({signal.SIGUSR1}))
    ),
    sigtimedwait=lambda s: _signals(lambda: signal.sigtimedwait({signal.SIGUSR1}, HELD)),
    flock=lambda s: lambda fd=_locked_file(s, "flock"): fcntl.flock(fd, fcntl.LOCK_EX),
    lockf=lambda s: lambda fd=_locked_file(s, "lockf"): fcntl.lockf(fd, fcntl.LOCK_EX),
    os_lockf=lambda s: lambda fd=_locked_file(s, "lockf"): os.lockf(fd, os.F_LOCK, 0),
    sqlite3_execute=lambda s: lambda c=_locked_database(s): c.execute("select * from t").fetchall(),
    # computing without the interpreter's lock
    hashlib_scrypt=lambda s: _cpu(
        lambda n: hashlib.scrypt(b"x", salt=b"y", n=1024, r=8, p=n, maxmem=1 << 30), int
    ),
    hashlib_pbkdf2=lambda s: _cpu(lambda n: hashlib.pbkdf2_hmac("sha256", b"x", b"y", n * 1000), int),
    hashlib_sha256=lambda s: _cpu(hashlib.sha256, DATA.__mul__),
    zlib_compress=lambda s: _cpu(zlib.compress, DATA.__mul__),
    bz2_compress=lambda s: _cpu(bz2.compress, DATA.__mul__),
    lzma_compress=lambda s: _cpu(lzma.compress, DATA.__mul__),
    # standard output
    builtin_print=lambda s: _said(s, lambda text: print(text, flush=True)),
    stdout_write=lambda s: _said(s, lambda text: (sys.stdout.write(text), sys.stdout.flush())),
    stdout_buffer=lambda s: _said(
        s, lambda text: (sys.stdout.buffer.write(text.encode()), sys.stdout.buffer.flush())
    ),
    logging_stream=lambda s: _said(s, _logged),
)


def _spawned() -> int:
    return os.posix_spawnp("sleep", ["sleep", str(HELD)], os.environ)


def measure(name: str) -> dict[str, object]:
    """Run one operation beside a ticking thread."""
    gaps: list[float] = []
    stop = threading.Event()
    ticking = threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        ticking.set()
        while not stop.is_set():
            time.sleep(TICK)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    with contextlib.ExitStack() as stack:
        call = OPERATIONS[name](Stage(stack))
        assert callable(call)
        ticker = threading.Thread(target=tick)
        ticker.start()
        ticking.wait()
        time.sleep(5 * TICK)
        del gaps[:]
        began = time.perf_counter()
        error = None
        try:
            call()
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
        took = time.perf_counter() - began
        time.sleep(2 * TICK)
        stop.set()
        ticker.join()
    return {"name": name, "seconds": round(took, 3), "gap": round(max(gaps, default=took), 4), "error": error}


def chosen(names: list[str]) -> Iterator[str]:
    for name in names or OPERATIONS:
        if name not in OPERATIONS:
            sys.exit(f"there is no operation {name!r}; there are {', '.join(OPERATIONS)}")
        yield name


if __name__ == "__main__":
    for each_name in list(chosen(sys.argv[1:])):
        print(json.dumps(measure(each_name)), flush=True)
