"""Each example does what it says, under plain Python and converted; order is asserted, never milliseconds."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
TIMEOUT = 60.0  # seconds; a run that needs that long hangs

PLAIN = [sys.executable]
CONVERTED = [sys.executable, "-m", "rewriter"]

both = pytest.mark.parametrize("python", [PLAIN, CONVERTED], ids=["plain", "converted"])


def run(python: list[str], example: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*python, str(EXAMPLES / example), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False)


class Server:
    """An example that serves: where it listens, and what it printed once it has ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"listening on (\S+) port (\d+)", first)
        if not found:
            process.kill()
            raise AssertionError(f"it did not start: {first}{process.communicate()}")
        self.address = (found[1], int(found[2]))

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=TIMEOUT)

    def end(self) -> tuple[int, str]:
        """Wait for it to end; return its exit code and the rest of its output."""
        output, errors = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, output + errors


@contextlib.contextmanager
def serving(python: list[str], example: str, *arguments: str) -> Iterator[Server]:
    command = [*python, str(EXAMPLES / example), "--port", "0", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield Server(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()


def events(output: str) -> list[tuple[str, str]]:
    """(who, what) in order of time."""
    return re.findall(r"^ +[\d.]+ s +(\w+) +(\w+)$", output, re.MULTILINE)


# -- parallel_fetch ----------------------------------------------------------------------------------


@both
def test_threads_overlap_every_fetch_begins_before_any_gets_data(python: list[str]) -> None:
    done = run(python, "parallel_fetch.py", "--only", "threads", "--count", "4", "--delay", "0.4")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    happened = events(done.stdout)
    begun = [i for i, (_who, what) in enumerate(happened) if what == "begin"]
    assert begun == [0, 1, 2, 3]
    assert sum(what == "data" for _who, what in happened) == 16
    assert sum(what == "end" for _who, what in happened) == 4


def test_converted_threads_run_on_one_os_thread() -> None:
    done = run(CONVERTED, "parallel_fetch.py", "--only", "threads", "--count", "5", "--delay", "0.2")
    assert "5 pieces" in done.stdout, done.stderr
    assert re.search(r"on 1 OS thread$", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.skipif(not os.path.exists("/proc/thread-self"), reason="asks the kernel, as Linux lets us")
def test_plain_threads_are_os_threads_and_the_count_is_measured() -> None:
    done = run(PLAIN, "parallel_fetch.py", "--only", "threads", "--count", "5", "--delay", "0.2")
    assert re.search(r"on 5 OS threads$", done.stdout, re.MULTILINE), done.stdout


@both
def test_without_threads_a_fetch_begins_when_the_one_before_has_ended(python: list[str]) -> None:
    done = run(python, "parallel_fetch.py", "--only", "serial", "-n3", "--delay", "0.2", "--chunks", "2")
    assert done.returncode == 0, done.stderr
    one = ["begin", "data", "data", "end"]
    assert [what for _who, what in events(done.stdout)] == one * 3
    assert re.search(r"on 1 OS thread$", done.stdout, re.MULTILINE)


@both
def test_both_ways_run_by_default_and_are_compared(python: list[str]) -> None:
    done = run(python, "parallel_fetch.py", "--count", "2", "--delay", "0.2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("== one after another ==") < done.stdout.index("== in threads ==")
    percent = re.search(r"In threads it took (\d+)% of the time", done.stdout)
    assert percent is not None
    assert int(percent[1]) < 100


@both
def test_ctrl_c_ends_the_fetching_without_a_traceback(python: list[str]) -> None:
    command = [*python, str(EXAMPLES / "parallel_fetch.py"), "--count", "1", "--delay", "0.5"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if "one after another: 1 pieces" in line:  # now the threads are at it
                process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 130


# -- echo --------------------------------------------------------------------------------------------


@both
def test_echo_gives_back_what_it_gets_and_ends_when_it_has_served_enough(python: list[str]) -> None:
    with serving(python, "echo.py", "--serve", "3") as server:
        clients = [server.connect() for _ in range(3)]
        for i, client in enumerate(clients):
            client.sendall(b"%d" % i * 100_000)
            client.shutdown(socket.SHUT_WR)
        for i, client in enumerate(clients):
            with client, client.makefile("rb") as answer:
                assert answer.read() == b"%d" % i * 100_000
        code, output = server.end()
    assert code == 0, output
    assert re.fullmatch(r"echo: 3 connections, [123] at a time, 300000 bytes\n", output)


@both
def test_echo_lets_no_more_in_than_it_should_and_the_next_when_one_leaves(python: list[str]) -> None:
    with serving(python, "echo.py", "--max", "2", "--serve", "3") as server:
        first, second, third = (server.connect() for _ in range(3))
        for client in (first, second, third):
            client.sendall(b"x")
        assert first.recv(1) == second.recv(1) == b"x"
        first.close()
        assert third.recv(1) == b"x"  # waits until the first has left
        second.close()
        third.close()
        code, output = server.end()
    assert (code, output) == (0, "echo: 3 connections, 2 at a time, 3 bytes\n")


@both
def test_echo_ends_cleanly_on_ctrl_c_with_a_client_connected(python: list[str]) -> None:
    with serving(python, "echo.py") as server, server.connect() as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        server.process.send_signal(signal.SIGINT)
        if python == PLAIN:  # just before accept() CPython forgets a signal: press again
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.process.wait(5.0)
            server.process.send_signal(signal.SIGINT)
        code, output = server.end()
    assert code == 0, output
    assert output.startswith("echo: 1 connections, 1 at a time")
    assert "Traceback" not in output


def test_converted_echo_holds_a_thousand_connections_on_few_os_threads() -> None:
    count = 1000
    with serving(CONVERTED, "echo.py") as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(count)]
        selector = stack.enter_context(selectors.DefaultSelector())
        for client in clients:
            client.sendall(b"x")
            selector.register(client, selectors.EVENT_READ)
        answered = 0
        while answered < count:
            ready = selector.select(TIMEOUT)
            assert ready, f"{answered} of {count} were answered"
            for key, _events in ready:
                assert isinstance(key.fileobj, socket.socket)
                assert key.fileobj.recv(1) == b"x"
                selector.unregister(key.fileobj)
                answered += 1
        tasks = pathlib.Path(f"/proc/{server.process.pid}/task")
        if tasks.exists():
            assert len(list(tasks.iterdir())) < 12
        server.process.send_signal(signal.SIGINT)
        code, output = server.end()
    assert code == 0, output
    assert output.startswith("echo: 1000 connections, 1000 at a time")


def test_echo_refuses_a_taken_port_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(PLAIN, "echo.py", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert done.stderr.startswith("echo: cannot listen on 127.0.0.1 port")
    assert done.stderr.count("\n") == 1


# -- chat --------------------------------------------------------------------------------------------


class Guest:
    """A test's end of one chat connection."""

    def __init__(self, server: Server, name: str) -> None:
        self.connection = server.connect()
        self.lines = self.connection.makefile("r", encoding="utf-8", newline="\r\n")
        assert self.hears() == "Welcome. What is your name?"
        self.says(name)

    def says(self, line: str, end: str = "\r\n") -> None:
        self.connection.sendall((line + end).encode())

    def hears(self) -> str:
        return self.lines.readline().removesuffix("\r\n")

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.lines.close()
        self.connection.close()


@both
def test_chat_guests_hear_each_other_and_not_themselves(python: list[str]) -> None:
    with serving(python, "chat.py") as server, Guest(server, "Ada") as ada:
        assert ada.hears() == "* Hello Ada. Here: Ada"
        with Guest(server, "ADA") as ben:
            assert ben.hears() == "* ADA is taken. Another one?"
            ben.says("not a name")
            assert ben.hears().startswith("* A name has")
            ben.says("Ben")
            assert ben.hears() == "* Hello Ben. Here: Ada, Ben"
            assert ada.hears() == "* Ben came"
            ada.says("good morning")
            ben.says("hello, ü", end="\n")
            assert ben.hears() == "<Ada> good morning"
            assert ada.hears() == "<Ben> hello, ü"
            ben.says("/nick Benjamin")
            assert ben.hears() == "* You are Benjamin now"
            assert ada.hears() == "* Ben is Benjamin now"
            ada.says("/who")
            assert ada.hears() == "* Here: Ada, Benjamin"
            ben.says("/dance")
            assert ben.hears() == "* There is no /dance. /help lists what there is."
            ben.says("/help")
            assert [ben.hears().split(":")[0] for _ in range(5)] == [
                "* /nick NAME", "* /who", "* /me DOES", "* /help", "* /quit",
            ]  # fmt: skip
            ben.says("/me waves")
            assert ada.hears() == "* Benjamin waves"
            ben.says("/quit")
            assert ben.hears() == "* Good bye."
            assert ben.hears() == ""
            assert ada.hears() == "* Benjamin left"
        server.process.send_signal(signal.SIGINT)
        code, output = server.end()
    assert (code, output) == (0, "chat: closed\n")


@both
def test_chat_survives_rude_guests(python: list[str]) -> None:
    with serving(python, "chat.py") as server, Guest(server, "Ada") as ada:
        assert ada.hears() == "* Hello Ada. Here: Ada"
        with server.connect() as nameless:
            assert nameless.recv(10) == b"Welcome. W"
        with Guest(server, "Mallory") as mallory:
            assert mallory.hears() == "* Hello Mallory. Here: Ada, Mallory"
            assert ada.hears() == "* Mallory came"
            mallory.connection.sendall(b"\xff\xfd\x03\x1b[31m" + b"x" * 5000 + b"\r\nstill here\r\n")
            assert ada.hears() == "<Mallory> [31m" + "x" * (1000 - 8)
            assert ada.hears() == "<Mallory> still here"
        assert ada.hears() == "* Mallory left"


@both
def test_chat_drops_a_guest_who_does_not_read_and_delays_nobody(python: list[str]) -> None:
    with serving(python, "chat.py") as server, Guest(server, "Ada") as ada, Guest(server, "Deaf") as deaf:
        assert ada.hears() == "* Hello Ada. Here: Ada"
        assert ada.hears() == "* Deaf came"
        assert deaf.hears() == "* Hello Deaf. Here: Ada, Deaf"
        line = "x" * 900
        for _ in range(20_000):  # 18 MB: more than the sockets' buffers and the outbox take
            ada.says(line)
        assert ada.hears() == "* Deaf left"


# -- all ---------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_help_is_printed_and_a_bad_option_is_refused_with_code_2(python: list[str], example: str) -> None:
    helped = run(python, example, "--help")
    assert helped.returncode == 0, helped.stderr
    assert helped.stdout.startswith("usage: ")
    refused = run(python, example, "--no-such-option")
    assert refused.returncode == 2
    assert "--no-such-option" in refused.stderr


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_imports_nothing_of_ours(example: str) -> None:
    text = (EXAMPLES / example).read_text(encoding="utf-8")
    assert not re.search(r"^\s*(?:import|from)\s+(?:runtime|rewriter|greenlet)\b", text, re.MULTILINE)
