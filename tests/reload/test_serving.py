"""A save is answered by the new code; nobody who asks meanwhile is refused or forgotten."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.reload.conftest import SERVER, Program, Start, request

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a POSIX system is needed to hand descriptors on")


def test_edits_under_a_client_that_never_stops(server: Program) -> None:
    answers: list[str] = []
    failures: list[Exception] = []
    done = threading.Event()

    def ask_on() -> None:
        while not done.is_set():
            try:
                answers.append(server.ask())
            except Exception as failure:
                failures.append(failure)

    client = threading.Thread(target=ask_on)
    client.start()
    try:
        for number in range(10):
            server.reloaded(lambda number=number: server.save("greeting.py", f'TEXT = "{number}"'))  # type: ignore[misc]
            seen = len(answers)
            while len(answers) < seen + 5:
                time.sleep(0.001)
    finally:
        done.set()
        client.join()
    assert not failures
    order = [answer for i, answer in enumerate(answers) if not i or answers[i - 1] != answer]
    assert order == ["one", *map(str, range(10))]  # and never back to an older one


def test_the_port_stays_although_any_was_asked_for(server: Program) -> None:
    port = server.port()
    before = len(server.lines)
    server.reloaded(lambda: server.save("greeting.py", 'TEXT = "two"'))
    assert int(server.line(r"^port (\d+)", before)[1]) == port
    assert server.ask() == "two"


def test_the_old_code_answers_as_long_as_the_new_is_broken(server: Program) -> None:
    good = "one"
    for number, broken in enumerate(
        ["TEXT = ", "raise RuntimeError('on purpose')", "import nothing_called_so", "import sys; sys.exit(3)"]
    ):
        before = len(server.lines)
        server.save("greeting.py", broken)
        server.line("the old code goes on answering", before)
        assert server.count("^Traceback") == min(number + 1, 3)  # once each
        assert server.ask() == good
        good = f"mended {number}"
        server.reloaded(lambda text=good: server.save("greeting.py", f"TEXT = {text!r}"))  # type: ignore[misc]
        assert server.ask() == good


def test_a_request_under_way_is_answered_by_the_code_that_began_it(start: Start) -> None:
    slow = SERVER.replace(
        "        body =",
        "        import time; print('asked', flush=True); time.sleep(1.0)\n        body =",
    )
    program = start("server.py", server=slow, greeting='TEXT = "old"')
    program.line("watching")
    with socket.create_connection(("127.0.0.1", program.port()), 20) as connection:
        answer: list[str] = []
        asking = threading.Thread(target=lambda: answer.append(request(connection)))
        asking.start()
        program.line("asked")
        program.save("greeting.py", 'TEXT = "new"')
        program.line("reloaded in")
        asking.join()
        assert answer == ["old"]


def test_an_idle_connection_that_is_kept_alive_is_closed(server: Program) -> None:
    with socket.create_connection(("127.0.0.1", server.port()), 20) as connection:
        assert request(connection) == "one"
        time.sleep(0.1)  # so that the kernel sees that it is idle, not in the midst of a request
        server.reloaded(lambda: server.save("greeting.py", 'TEXT = "two"'))
        assert connection.recv(1) == b""  # a browser would connect again, and see the new code
    assert server.ask() == "two"


def test_a_unix_socket_and_an_event_loop_are_handed_on_too(start: Start, tmp_path: Path) -> None:
    code = """
import asyncio, greeting
async def answer(reader, writer):
    await reader.readline()
    writer.write(greeting.TEXT.encode())
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
    program = start("aio.py", aio=code, greeting='TEXT = "one"')
    program.line("watching")
    port = program.port()

    def ask() -> bytes:
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(b"\n")
            return connection.makefile("rb").read()

    assert ask() == b"one"
    program.reloaded(lambda: program.save("greeting.py", 'TEXT = "two"'))
    assert ask() == b"two"

    path = str(tmp_path / "s")
    code = f"""
import os, socket, greeting
listener = socket.socket(socket.AF_UNIX)
listener.bind({path!r})
listener.listen()
while True:
    connection, _ = listener.accept()
    connection.sendall(greeting.TEXT.encode())
    connection.close()
"""
    program = start("unix.py", unix=code, greeting='TEXT = "one"')
    program.line("watching")
    for text in ("one", "two", "three"):
        if text != "one":
            program.reloaded(lambda text=text: program.save("greeting.py", f'TEXT = "{text}"'))  # type: ignore[misc]
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            assert client.makefile("rb").read() == text.encode()


def test_connections_wait_while_a_crashed_server_is_mended(start: Start) -> None:
    code = """
import socket, greeting
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.sendall(greeting.TEXT.encode())
    connection.close()
"""
    program = start("server.py", server=code, greeting="TEXT = 'one'")
    program.line("watching")
    program.reloaded(lambda: program.save("greeting.py", "TEXT = None"))
    with socket.create_connection(("127.0.0.1", program.port()), 20):
        program.line("the program has ended .exit code 1.")
    with socket.create_connection(("127.0.0.1", program.port()), 20) as waiting:
        program.save("greeting.py", "TEXT = 'two'")
        assert waiting.makefile("rb").read() == b"two"


def test_a_module_that_starts_a_thread_of_the_system_makes_each_start_a_fresh_one(
    start: Start, tmp_path: Path
) -> None:
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()\n"
    )
    code = f"import sys; sys.path.append({str(library)!r}); import threaded\n{SERVER}"
    program = start("server.py", server=code, greeting='TEXT = "one"')
    program.line("importing threaded makes forking unsafe")
    program.reloaded(lambda: program.save("greeting.py", 'TEXT = "two"'))
    assert program.ask() == "two"


def test_nothing_is_left_when_the_supervisor_is_killed(server: Program) -> None:
    server.process.send_signal(signal.SIGKILL)
    server.wait()  # all who have its output have ended
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port()), 20)


def test_a_listener_that_is_copied_and_closed_is_handed_on(start: Start) -> None:
    """As frameworks' development servers do it."""
    code = SERVER.replace(
        'server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)',
        """
import socket
first = socket.create_server(("127.0.0.1", 0))
server = http.server.ThreadingHTTPServer(first.getsockname(), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.fromfd(first.fileno(), socket.AF_INET, socket.SOCK_STREAM)
server.server_address = first.getsockname()
first.close()
""",
    )
    program = start("server.py", server=code, greeting='TEXT = "one"')
    program.line("watching")
    port = program.port()
    with socket.create_connection(("127.0.0.1", port), 20):
        program.reloaded(lambda: program.save("greeting.py", 'TEXT = "two"'))
    assert program.ask() == "two"
    assert program.port() == port
    assert program.count("^port") == 2


def test_the_old_code_answers_as_long_as_files_change(start: Start) -> None:
    """What a generation has read is out of date when it is ready to serve: however long that goes on, it does not."""
    program = start("--reload-ready", "0.2", "server.py", server=SERVER, greeting='TEXT = "one"')
    program.line("watching")
    before = len(program.lines)
    done = threading.Event()

    def save_on() -> None:
        number = 0
        while not done.wait(0.002):
            number += 1
            program.save(
                "greeting.new", f"import time; time.sleep(0.3); print('read', flush=True); TEXT = '{number}'"
            )
            os.replace(program.folder / "greeting.new", program.folder / "greeting.py")  # never half written

    saver = threading.Thread(target=save_on)
    saver.start()
    try:
        program.line("^read", before)
        for _ in range(10):
            assert program.ask() == "one"
            time.sleep(0.1)
    finally:
        done.set()
        saver.join()
    program.line("reloaded in", before)


def test_saves_that_come_faster_than_reloads(server: Program) -> None:
    """An import may read a file that is just being written: that generation never answers."""
    answers: list[int] = []
    failures: list[Exception] = []
    done = threading.Event()
    server.reloaded(lambda: server.save("greeting.py", "TEXT = '0'"))

    def ask_on() -> None:
        while not done.is_set():
            try:
                answers.append(int(server.ask()))
            except Exception as failure:
                failures.append(failure)

    client = threading.Thread(target=ask_on)
    client.start()
    try:
        for number in range(1, 61):
            server.save("greeting.py", f"TEXT = '{number}'" if number % 7 else "TEXT = ")
            time.sleep((0.005, 0.02, 0.04, 0.08, 0.15)[number % 5])
        while answers[-1] != 60 and not failures and client.is_alive():
            time.sleep(0.01)
    finally:
        done.set()
        client.join()
    assert not failures, "\n".join(server.lines)
    assert answers == sorted(answers)
