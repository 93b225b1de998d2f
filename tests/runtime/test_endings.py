"""The end of the program is quiet, whatever still runs by then."""

from __future__ import annotations

from tests.runtime.conftest import Program


def test_a_thread_of_somebody_elses_that_still_runs_is_not_complained_of(program: Program) -> None:
    """Converted code that asks for its own thread there gets a dummy, which goes with the thread."""
    done = program(
        """
        import _thread, time
        import runtime
        from runtime.green import threading

        def body():
            threading.current_thread()
            runtime.spawn(threading.current_thread).join()
            ready.append(True)
            time.sleep(100)

        ready = []
        _thread.start_new_thread(body, ())
        while not ready:
            time.sleep(0.001)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
