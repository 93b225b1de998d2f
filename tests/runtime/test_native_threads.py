"""``threads = "native"``: converted code starts OS threads, each with a hub of its own for its tasklets."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def native(tmp_path: Path, environment: dict[str, str]) -> Callable[[str], str]:
    def run(source: str) -> str:
        path = tmp_path / "prog.py"
        path.write_text(textwrap.dedent(source))
        done = subprocess.run(
            [sys.executable, "-m", "rewriter", "--threads", "native", str(path)],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_threads_are_threads_of_the_system(native: Callable[[str], str]) -> None:
    """Each has its number, and one that spins does not hold up the others."""
    said = native("""
        import threading, time
        main, ids, stop = threading.get_native_id(), set(), threading.Event()
        def spin():
            while not stop.is_set():
                pass
        def work():
            ids.add(threading.get_native_id())
            time.sleep(0.05)
        spinner = threading.Thread(target=spin)
        workers = [threading.Thread(target=work) for _ in range(3)]
        for t in [spinner, *workers]: t.start()
        for t in workers: t.join()
        stop.set(); spinner.join()
        print(len(ids - {main}), threading.active_count())
    """)
    assert said.split() == ["3", "1"]


def test_locks_queues_and_sockets_work_between_them(native: Callable[[str], str]) -> None:
    """What waits in one is woken by another."""
    said = native("""
        import queue, socket, threading
        box, lock, count = queue.Queue(), threading.Lock(), 0
        a, b = socket.socketpair()
        def work():
            global count
            for _ in range(1000):
                with lock:
                    count += 1
            box.put(a.recv(1))
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads: t.start()
        b.sendall(b"xyz")
        print(count if [t.join() for t in threads] else 0, sorted(box.get() for _ in threads))
    """)
    assert said.strip() == "3000 [b'x', b'y', b'z']"


def test_each_has_tasklets_of_its_own(native: Callable[[str], str]) -> None:
    """A hub in each, and tasklets that live in the one that started them."""
    said = native("""
        import runtime, threading, time
        seen = []
        def body():
            with runtime.TaskGroup() as group:
                for _ in range(3):
                    group.spawn(lambda: (time.sleep(0.01), seen.append(threading.get_native_id())))
        threads = [threading.Thread(target=body) for _ in range(2)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(len(seen), len(set(seen)))
    """)
    assert said.split() == ["6", "2"]


def test_errors_locals_and_the_end_are_as_ever(native: Callable[[str], str]) -> None:
    """excepthook, threading.local, and non-daemon threads that are waited for."""
    said = native("""
        import atexit, threading, time
        threading.excepthook = lambda args: print("hook", args.exc_value)
        here = threading.local()
        here.x = 1
        def fails(): raise ValueError(hasattr(here, "x"))
        def late():
            time.sleep(0.05)
            print("late")
        t = threading.Thread(target=fails); t.start(); t.join()
        atexit.register(print, "atexit")
        threading.Thread(target=late).start()
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    """)
    assert said.splitlines() == ["hook False", "late", "atexit"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_in_one_of_them(native: Callable[[str], str]) -> None:
    """The child has that thread alone and goes on waiting."""
    said = native("""
        import os, threading, time, warnings
        warnings.simplefilter("ignore")
        def body():
            pid = os.fork()
            if not pid:
                time.sleep(0.01)
                os._exit(threading.active_count())
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        other = threading.Thread(target=time.sleep, args=(0.3,)); other.start()
        t = threading.Thread(target=body); t.start(); t.join()
    """)
    assert said.split() == ["1"]
