"""With ``--monitor`` a stall is reported each time, with its stack, and with who holds the lock it is about."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path


def test_the_holder_of_a_native_lock_is_named(tmp_path: Path, environment: dict[str, str]) -> None:
    """A library's lock, held by a tasklet that waits, stops the next one that wants it; it goes on by itself."""
    (tmp_path / "library.py").write_text(
        textwrap.dedent("""
        import threading
        class Client:
            def __init__(self):
                self._lock = threading.Lock()
            def call(self, function):
                lock = self._lock
                if not lock.acquire(timeout=0.5):
                    return None
                try:
                    return function()
                finally:
                    lock.release()
        """)
    )
    (tmp_path / "prog.py").write_text(
        textwrap.dedent("""
        import library, threading, time
        client = library.Client()
        def hold():
            client.call(lambda: time.sleep(0.05))
        def want():
            client.call(lambda: None)
        threads = [threading.Thread(target=f) for f in (hold, want)]
        for t in threads: t.start()
        for t in threads: t.join()
        """)
    )
    done = subprocess.run(
        [sys.executable, "-m", "rewriter", "--no-convert", "library", "--monitor", "100", "prog.py"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "unstall: nothing else has run for 0." in done.stderr
    assert "in want" in done.stderr  # the stack
    assert "It may wait for <locked _thread.lock object" in done.stderr
    assert "library.py" in done.stderr.partition("may hold: ")[2]
    assert done.stderr.count("unstall:") == 1
