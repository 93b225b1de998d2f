"""What the project promises its users, each seen from outside: a plain program run by ``python -m rewriter``."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import textwrap

import pytest

ROOT = pathlib.Path(__file__).parent.parent

SERVER = """
    import threading, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(0.5)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 200

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
"""


def run(folder: pathlib.Path, *parts: str, options: tuple[str, ...] = ()) -> str:
    program = folder / "program.py"
    program.write_text("".join(textwrap.dedent(part) for part in parts))
    done = subprocess.run(
        [sys.executable, "-m", "rewriter", *options, str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_hundred_threads_wait_as_long_as_one_on_few_os_threads(tmp_path: pathlib.Path) -> None:
    """One after another they would take 50 s."""
    out = run(
        tmp_path,
        SERVER,
        """
        import os
        from urllib.request import urlopen

        got = []
        began = time.monotonic()
        threads = [threading.Thread(target=lambda: got.append(urlopen(url).read())) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [b"ok"] * 100
        assert time.monotonic() - began < 10
        print(len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 1)
        """,
    )
    assert int(out) < 12


def test_an_excluded_module_sees_the_plain_world(tmp_path: pathlib.Path) -> None:
    (tmp_path / "outside.py").write_text(
        "import builtins, select, socket, sys, threading, time\n"
        "def check(sock):\n"
        "    assert type(time.sleep).__name__ == 'builtin_function_or_method'\n"
        "    assert type(select.select).__name__ == 'builtin_function_or_method'\n"
        "    assert socket.socket is sys.modules['socket'].socket\n"
        "    assert threading is sys.modules['threading'] and threading.active_count() == 1\n"
        "    assert builtins.open.__module__ in ('io', '_io')\n"
        "    assert isinstance(sock, socket.socket) and type(sock) is not socket.socket\n"
    )
    out = run(
        tmp_path,
        """
        import outside, socket, threading, time, queue, sys
        release = threading.Event()
        for _ in range(5):
            threading.Thread(target=release.wait).start()
        assert threading.active_count() == 6
        with socket.socket() as sock:
            outside.check(sock)
        try:
            queue.Queue().get(timeout=0.01)
        except sys.modules["queue"].Empty:
            print("caught by the plain name")
        release.set()
        """,
        options=("--no-convert", "outside"),
    )
    assert out == "caught by the plain name\n"


def test_fifty_thousand_sleepers_fit_into_bounded_memory(tmp_path: pathlib.Path) -> None:
    out = run(
        tmp_path,
        """
        import resource, threading, time
        woken = []
        def sleeper():
            time.sleep(1)
            woken.append(1)
        import runtime
        tasklets = [runtime.spawn(sleeper) for _ in range(50_000)]
        for tasklet in tasklets:
            tasklet.join()
        assert len(woken) == 50_000
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        """,
    )
    assert int(out) < 768  # MiB


def test_requests_cooperates_when_it_is_converted(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("requests")
    out = run(
        tmp_path,
        SERVER,
        """
        import requests
        order = []
        def get(number):
            order.append("begin")
            assert requests.get(url).text == "ok"
            order.append("end")
        threads = [threading.Thread(target=get, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(order == ["begin"] * 8 + ["end"] * 8)
        """,
        options=("--convert", "requests+deps"),
    )
    assert out == "True\n"
