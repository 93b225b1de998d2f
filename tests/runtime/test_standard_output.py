"""Standard output and error: whatever the way of writing, a reader that is slow stops nobody else."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime import standard_output
from tests.runtime.conftest import LIMIT, Program

# The main thread goes on while another one writes, and says so on a pipe of its own.
BESIDE = """
import logging, os, sys, threading, time
def speak():
    {}
writer = threading.Thread(target=speak)
writer.start()
for _ in range(30):
    time.sleep(0.002)
os.write(int(sys.argv[1]), b"going on")
writer.join()
"""
WAYS = {
    "print": "print('x' * 200000)",
    "prints": "for _ in range(2500): print('x' * 79)",
    "flushed": "for _ in range(2500): print('x' * 79, flush=True)",
    "print to the file": "print('x' * 200000, file=sys.stdout)",
    "letters": "print('\\xe4' * 99999, 'x', end='', file=sys.__stdout__)",
    "write": "sys.stdout.write('x' * 200000)",
    "write and flush": "sys.stdout.write('x' * 4000); sys.stdout.flush(); sys.stdout.write('x' * 196000)",
    "writelines": "sys.stdout.writelines(['x' * 9 + chr(10)] * 20000)",
    "a method kept": "write = sys.stdout.write; [write('x' * 100) for _ in range(2000)]",
    "reconfigured": "sys.stdout.reconfigure(line_buffering=True); [print('x' * 79) for _ in range(2500)]",
    "buffer": "sys.stdout.buffer.write(b'x' * 200000); sys.stdout.buffer.flush()",
    "raw": "sys.stdout.buffer.raw.write(b'x' * 200000)",
    "over the buffer": (
        "import io; out = io.TextIOWrapper(sys.stdout.buffer); out.write('x' * 200000); out.flush(); out.detach()"
    ),
    "shutil": "import io, shutil; shutil.copyfileobj(io.BytesIO(b'x' * 200000), sys.stdout.buffer)",
    "logging": "logging.StreamHandler(sys.stdout).handle(logging.makeLogRecord({'msg': 'x' * 200000}))",
}
ON_ERROR = {
    "print": "print('x' * 200000, file=sys.stderr)",
    "lines": "for _ in range(2500): sys.stderr.write('x' * 79 + chr(10))",
    "logging": "for _ in range(25): logging.warning('x' * 8000)",
    "handler": "logging.getLogger().addHandler(logging.StreamHandler()); logging.getLogger().error('x' * 200000)",
    "server": (
        "import http.server as h; it = h.BaseHTTPRequestHandler.__new__(h.BaseHTTPRequestHandler); "
        "it.client_address = ('here', 1); it.log_message('x' * 200000)"
    ),
}


@contextlib.contextmanager
def sink(kind: str) -> Iterator[tuple[int, int]]:
    """What a program writes to, and where that comes out."""
    if kind == "socket":
        ours, theirs = (one.detach() for one in socket.socketpair())
    elif kind == "terminal":
        ours, theirs = pty.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    else:
        ours, theirs = os.pipe()
    open_ones = {ours, theirs}
    try:
        yield ours, theirs
    finally:
        for fd in open_ones:
            with contextlib.suppress(OSError):
                os.close(fd)


def everything(fd: int) -> bytes:
    parts = []
    while True:
        assert select.select([fd], [], [], LIMIT)[0], "nothing comes any more"
        try:
            part = os.read(fd, 1 << 16)
        except OSError:  # a terminal that has no other side any more
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def says_that_it_goes_on(fd: int) -> bool:
    return bool(select.select([fd], [], [], 30)[0]) and os.read(fd, 99) == b"going on"


def beside(
    tmp_path: Path, environment: dict[str, str], statement: str, kind: str, name: str, *options: str
) -> tuple[bool, bytes]:
    """Whether others ran while *statement* could not write all, and what it wrote."""
    (tmp_path / "prog.py").write_text(BESIDE.format(statement))
    said, says = os.pipe()
    with sink(kind) as (ours, theirs):
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, name: theirs}
        process = subprocess.Popen(
            [sys.executable, *options, "-m", "rewriter", "prog.py", str(says)],
            env=environment, cwd=tmp_path, pass_fds=(says,), **streams,
        )  # fmt: skip
        os.close(theirs)
        os.close(says)
        try:
            went_on = says_that_it_goes_on(said)
            written = everything(ours)
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()
            process.wait()
            os.close(said)
    return went_on, written


@pytest.mark.parametrize("way", WAYS)
def test_others_run_while_output_waits(way: str, tmp_path: Path, environment: dict[str, str]) -> None:
    """And all of it arrives, once."""
    went_on, written = beside(tmp_path, environment, WAYS[way], "pipe", "stdout")
    assert went_on
    assert 199_000 < len(written) < 205_000
    assert set(written.decode()) <= {"x", "\n", "\xe4", " "}


@pytest.mark.parametrize("way", ON_ERROR)
def test_others_run_while_an_error_waits(way: str, tmp_path: Path, environment: dict[str, str]) -> None:
    went_on, written = beside(tmp_path, environment, ON_ERROR[way], "pipe", "stderr")
    assert went_on
    assert written.count(b"x") >= 196_000


@pytest.mark.parametrize("kind", ["socket", "terminal"])
@pytest.mark.parametrize("way", ["print", "prints", "buffer", "logging"])
def test_whatever_it_is(kind: str, way: str, tmp_path: Path, environment: dict[str, str]) -> None:
    """A socket, or a terminal that nobody looks at."""
    statement = WAYS[way].replace("200000", "2000000").replace("2500", "4000")
    went_on, written = beside(tmp_path, environment, statement, kind, "stdout")
    assert went_on
    assert written.count(b"x") in (2_000_000, 4000 * 79)


def test_without_a_buffer(tmp_path: Path, environment: dict[str, str]) -> None:
    for way in ("print", "prints", "buffer"):
        went_on, written = beside(tmp_path, environment, WAYS[way], "pipe", "stdout", "-u")
        assert went_on
        assert written.count(b"x") in (200_000, 2500 * 79)


def test_what_is_printed_at_once_stays_together(tmp_path: Path, environment: dict[str, str]) -> None:
    """Three tasklets print lines into a pipe that is full most of the time."""
    source = """
        import threading
        def speak(who):
            for number in range(1500):
                print(who, number, str(number % 7) * (number * 37 % 300), sep=";", end="|\\n", flush=number % 3 == 0)
        speakers = [threading.Thread(target=speak, args=(who,)) for who in "abc"]
        for each in speakers:
            each.start()
    """
    (tmp_path / "prog.py").write_text(textwrap.dedent(source))
    with subprocess.Popen(
        [sys.executable, "-m", "rewriter", "prog.py"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        numbers = dict.fromkeys("abc", 0)
        written = everything(process.stdout.fileno()).decode()
    for line in written.splitlines():
        who, number, rest = line.split(";")
        assert int(number) == numbers[who], "each speaker's in order"
        assert rest == str(int(number) % 7) * (int(number) * 37 % 300) + "|"
        numbers[who] += 1
    assert numbers == dict.fromkeys("abc", 1500)


def test_the_order_is_that_of_plain_python(tmp_path: Path, environment: dict[str, str]) -> None:
    """Converted and unconverted code write by turns, while others run and nothing is read yet."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "plain.py").write_text("import sys\ndef speak(text): print(text); sys.stdout.write('-')\n")
    source = """
        import sys, threading, time
        sys.path.append("library")
        import plain
        done = threading.Event()
        threading.Thread(target=done.wait).start()
        if "-m" in sys.orig_argv:
            import runtime.pipes
            assert runtime.pipes.busy() is not None
        for number in range(400):
            print("ours", number, "x" * (number % 90))
            plain.speak(f"theirs {number}")
            sys.stdout.write("y" * number)
        done.set()
    """
    (tmp_path / "prog.py").write_text(textwrap.dedent(source))
    said = [
        subprocess.run(
            [sys.executable, *options, "prog.py"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            check=True,
        ).stdout
        for options in ((), ("-m", "rewriter"))
    ]
    assert said[0] == said[1]


def test_it_is_as_plain(program: Program) -> None:
    """Alone, and while another thread lives: what is written, errors, and what becomes of sys.stdout."""
    source = r"""
        import contextlib, io, os, pickle, sys, threading
        class Bad:
            def __str__(self):
                raise KeyError("bad")
        class Own:
            def __init__(self): self.said = []
            def write(self, text): self.said.append(text)
            def flush(self): self.said.append("flushed")
        class Kept:
            say = print
        class Word(str):
            def __str__(self): return "word"
        def attempt(*values, **options):
            try:
                print(*values, **options)
            except Exception as error:
                print(type(error).__name__, error)
        def everything():
            print(); print("a", 1, None, 2.5, sep="-", end="!\n"); print(Word("x"), Word("y"), sep=Word("z"))
            print("a", "b", sep=None, end=None, file=None, flush=True)
            attempt("one", Bad()); attempt(Bad()); attempt(1, sep=1); attempt(1, end=b"x"); attempt(1, nothing=1)
            attempt(1, file=5); attempt(1, file=sys.stdout, nothing=2); attempt("a", "\\udc80", "b")
            own = Own()
            print("x", "y", file=own, flush=True)
            print(own.said)
            print("to the file", file=sys.stdout)
            Kept().say("kept"); list(map(print, "ab"))
            print(type(pickle.loads(pickle.dumps(print))).__name__, print.__name__)
            with contextlib.redirect_stdout(io.StringIO()) as caught:
                print("caught"); sys.stdout.write("too")
            print(repr(caught.getvalue()))
            old = sys.stdout
            sys.stdout = mine = io.StringIO()
            print(sys.stdout is mine)
            sys.stdout = old
            print(mine.getvalue(), sys.stdout is old, sys.stdout is sys.__stdout__, sys.stdout is sys.stdout)
            with contextlib.redirect_stdout(sys.stderr):
                print("to the other"); sys.stdout.flush()
            sys.stdout = None
            print("nowhere")
            del sys.stdout
            try:
                print("lost")
            except RuntimeError as error:
                sys.__stdout__.write(f"{error}\n")
            sys.stdout = sys.__stdout__
            out = sys.stdout
            print(isinstance(out, io.TextIOWrapper), isinstance(out.buffer, io.BufferedWriter), repr(out),
                  isinstance(out.buffer.raw, io.FileIO), isinstance(out, io.IOBase), out.fileno(), out.isatty(),
                  out.encoding, out.errors, out.line_buffering, out.closed, out.writable(), out.readable(), out.name,
                  out.mode, out.newlines, out.buffer is out.buffer, out.buffer.raw is out.buffer.raw,
                  out.write("four\n"), out.buffer.write(b"") , bool(out), hash(out) == hash(out))
            for call in (lambda: out.write(5), lambda: out.read(), lambda: next(out), lambda: out.buffer.write("x"),
                         lambda: out.writelines(5), lambda: out.writelines([5]), lambda: out.tell(),
                         lambda: out.nothing, lambda: out.truncate(), lambda: out.reconfigure(nothing=1),
                         lambda: pickle.dumps(out), lambda: out.buffer.raw.write("x"), lambda: out.buffer.read()):
                try:
                    print(call())
                except Exception as error:
                    print(type(error).__name__, error)
            out.note = 1
            print(sys.__stdout__.note, vars(out)["note"], "note" in dir(out)); del out.note
            write = out.write
            out.write = lambda text: write(text.upper())
            print("loud"); sys.stdout.write("loud\n")
            del out.write
            sys.stdout.writelines(["l1\n", "l2\n"])
            out.flush(); out.buffer.write(b"bytes\n"); out.buffer.flush(); out.buffer.writelines([b"more\n"])
            out.flush()
        sys.stdout.reconfigure(errors="strict")
        everything()
        done = threading.Event()
        thread = threading.Thread(target=done.wait)
        thread.start()
        everything()
        again = io.TextIOWrapper(sys.stdout.detach(), encoding="latin-1", write_through=True)
        sys.stdout = again
        print("in another encoding")
        try:
            sys.__stdout__.write("x")
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
        done.set()
        thread.join()
        with sys.stderr as err:
            err.write("last words\n")
        print(sys.stderr.closed)
        sys.stdout.close()
    """
    plain, ours = (program(source, converted=converted) for converted in (False, True))
    assert ours.stdout == plain.stdout
    assert (ours.stderr, ours.returncode) == (plain.stderr, plain.returncode)
    assert plain.returncode == 0, plain.stderr


def test_the_plain_sys_keeps_the_plain_file() -> None:
    """Whoever saves and restores it in converted code; what is not the interpreter's own passes through."""
    from runtime.green import sys as green

    file = sys.__stdout__
    assert type(file).__module__ == "_io"
    ours = green.__stdout__
    assert ours is not file
    assert ours is green.__stdout__
    before = sys.stdout
    try:
        green.stdout = ours
        assert sys.stdout is file
        assert green.stdout is ours
        green.stdout = before
        assert sys.stdout is before
        assert green.stdout is before
    finally:
        sys.stdout = before
    assert standard_output.unwrap(ours) is file
    assert standard_output.counterpart(ours) is ours
    assert standard_output.unwrap(None) is None


GONE = """
import sys, threading, time
threading.Thread(target=time.sleep, args=(0.05,)).start()
sys.stdin.readline()
{}
"""


@pytest.mark.parametrize(
    "statement",
    [
        "print('x' * 99999)",
        "for _ in range(9999): print('x' * 79)",
        "print('x')",
        "print('x', flush=True)",
        "sys.stdout.buffer.write(b'x' * 99999)",
        "import os; sys.stdout.flush(); os._exit(3)",
        "print('x' * 5, end=''); raise SystemExit(7)",
    ],
)
def test_a_reader_that_is_gone(statement: str, tmp_path: Path, environment: dict[str, str]) -> None:
    """The error and the exit code are plain Python's."""
    (tmp_path / "prog.py").write_text(GONE.format(statement))
    ends = []
    for options in ((), ("-m", "rewriter")):
        process = subprocess.Popen(
            [sys.executable, *options, "prog.py"], env=environment, cwd=tmp_path,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write("now\n")
        process.stdin.close()
        complaint = process.stderr.read()
        ends.append((process.wait(LIMIT), [line for line in complaint.splitlines() if line[:1].strip()]))
        process.stderr.close()
    assert ends[0] == ends[1]


@pytest.mark.parametrize("stuck", ["main", "other"])
@pytest.mark.parametrize(
    "statement",
    ["print('x' * 200000)", "print('x' * 200000, file=sys.stderr)", "logging.error('x' * 200000)"],
)
def test_ctrl_c_ends_a_program_that_cannot_write(
    statement: str, stuck: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Even if its complaint goes to the same full pipe, as to a pager: then as soon as that is read."""
    source = f"""
        import logging, os, sys, threading, time
        def speak(): {statement}
        def tick():
            time.sleep(0.1)
            os.write(int(sys.argv[1]), b"going on")
            time.sleep(999)
        main, other = (speak, tick) if {stuck!r} == "main" else (tick, speak)
        threading.Thread(target=other, daemon=True).start()
        main()
    """
    (tmp_path / "prog.py").write_text(textwrap.dedent(source))
    said, says = os.pipe()
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "rewriter", "prog.py", str(says)],
        env=environment, cwd=tmp_path, pass_fds=(says,), stdout=writing, stderr=writing,
    )  # fmt: skip
    os.close(writing)
    os.close(says)
    try:
        assert says_that_it_goes_on(said)
        process.send_signal(signal.SIGINT)
        written = everything(reading)
        assert process.wait(LIMIT) == -signal.SIGINT
        assert b"KeyboardInterrupt" in written
    finally:
        process.kill()
        process.wait()
        os.close(said)
        os.close(reading)


def test_ctrl_c_ends_a_program_whose_terminal_nobody_looks_at(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """At first its main tasklet, and then its end, which waits for what it was writing."""
    source = """
        import os, sys, threading, time
        threading.Thread(target=lambda: [print("x" * 79) for _ in range(4000)], daemon=True).start()
        time.sleep(0.1)
        os.write(int(sys.argv[1]), b"going on")
        time.sleep(999)
    """
    (tmp_path / "prog.py").write_text(textwrap.dedent(source))
    said, says = os.pipe()
    with sink("terminal") as (_, theirs):
        process = subprocess.Popen(
            [sys.executable, "-m", "rewriter", "prog.py", str(says)], env=environment, cwd=tmp_path,
            pass_fds=(says,), stdout=theirs, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.close(says)
        assert process.stderr is not None
        try:
            assert says_that_it_goes_on(said)
            for _ in range(LIMIT):
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1)
                    break
            assert process.returncode == -signal.SIGINT
            assert "KeyboardInterrupt" in process.stderr.read()
        finally:
            process.kill()
            process.communicate()
            os.close(said)


@pytest.mark.parametrize("write", ["print", "sys.stdout.write"])
def test_ctrl_c_ends_a_call_that_waits_alone(
    write: str, converse: Callable[..., subprocess.Popen[str]]
) -> None:
    """No other tasklet is left, so it is the plain call that waits."""
    process = converse(f"""
        import sys, threading, time
        threading.Thread(target=int).start()
        time.sleep(0.01)
        {write}("x" * 200000)
    """)
    assert process.stderr is not None
    assert process.stdout is not None
    held = bytes(4)
    while int.from_bytes(held, sys.byteorder) < 60_000:
        held = fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4))
    process.send_signal(signal.SIGINT)
    complaint = b""
    while b"KeyboardInterrupt" not in complaint:
        assert select.select([process.stderr], [], [], 20)[0], "it goes on waiting"
        complaint += os.read(process.stderr.fileno(), 9999)
    process.communicate(timeout=LIMIT)
    assert process.returncode == -signal.SIGINT


def test_a_tasklet_that_is_killed_leaves_the_file_free(
    converse: Callable[..., subprocess.Popen[str]],
) -> None:
    """What it had not written yet is not; the next one is."""
    process = converse("""
        import sys, threading
        import runtime
        stuck = runtime.spawn(print, "x" * 200000)
        runtime.sleep(0.05)
        stuck.kill()
        late = runtime.spawn(print, "late")
        sys.stderr.write(f"{stuck.done} {late.done}\\n")
        late.join()
    """)
    assert process.stderr is not None
    assert process.stderr.readline() == "True False\n"
    out, err = process.communicate(timeout=LIMIT)
    assert out.endswith("late\n")
    assert out.count("x") < 200000
    assert err == ""


def test_a_child_can_write_while_its_parent_cannot(converse: Callable[..., subprocess.Popen[str]]) -> None:
    process = converse("""
        import os, sys, threading, time, warnings
        warnings.simplefilter("ignore")
        threading.Thread(target=print, args=("x" * 200000,)).start()
        time.sleep(0.05)
        if os.fork() == 0:
            os.dup2(2, 1)
            threading.Thread(target=time.sleep, args=(0.05,)).start()
            print("child", "\\n", flush=True)
            os._exit(0)
        os.wait()
    """)
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any("child" in line for line in lines)
    out, _ = process.communicate(timeout=LIMIT)
    assert out.count("x") >= 199_000


def test_a_descriptor_that_is_exchanged(tmp_path: Path, environment: dict[str, str]) -> None:
    """Each write goes by what the descriptor is then."""
    statement = (
        "print('a', flush=True); old = os.dup(1); os.dup2(os.open(os.devnull, os.O_WRONLY), 1); "
        "print('b' * 200000, flush=True); os.dup2(old, 1); print('x' * 200000)"
    )
    went_on, written = beside(tmp_path, environment, statement, "pipe", "stdout")
    assert went_on
    assert written == b"a\n" + b"x" * 200_000 + b"\n"


def test_handlers_of_logging(program: Program, tmp_path: Path) -> None:
    """Those that converted code makes have a lock for tasklets and the counterpart; all are of one class to it."""
    source = """
        import logging, sys
        import library
        made = logging.StreamHandler()
        print(made.stream is sys.stderr, type(made) is logging.StreamHandler, repr(made))
        theirs = library.handler()
        print(isinstance(theirs, logging.StreamHandler), isinstance(made, library.logging.StreamHandler))
        print(issubclass(logging.FileHandler, logging.StreamHandler), isinstance(made, logging.FileHandler))
        class Own(logging.StreamHandler):
            def __init__(self):
                super().__init__(stream=sys.stdout)
            def format(self, record):
                return "own: " + super().format(record)
        print(isinstance(made, Own), isinstance(Own(), logging.Handler))
        logging.warning("to standard error")
        logging.root.addHandler(Own())
        logging.root.handlers[0].setStream(sys.stdout)
        logging.error("twice, by line %d of %s", 18, "prog.py")
        logging.basicConfig(force=True, stream=sys.stdout, format="%(filename)s:%(lineno)d:%(funcName)s:%(message)s")
        logging.critical("with its place")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("an error")
        import logging.config
        logging.config.dictConfig({
            "version": 1, "handlers": {"it": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}},
            "root": {"handlers": ["it"], "level": "INFO"},
        })
        logging.info("configured")
        print(type(logging.root.handlers[0]) is logging.StreamHandler)
    """
    (tmp_path / "library.py").write_text("import logging\ndef handler(): return logging.StreamHandler()\n")
    plain, ours = (program(source, converted=converted) for converted in (False, True))
    assert (ours.stdout, ours.stderr) == (plain.stdout, plain.stderr)
    assert plain.returncode == 0, plain.stderr
