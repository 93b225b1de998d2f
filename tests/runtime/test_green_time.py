"""The counterpart of ``time``."""

from __future__ import annotations

import pytest

import runtime
from runtime.green import time
from tests.runtime.conftest import Program


def test_sleep_lets_others_run(backend: str) -> None:
    """Also for zero seconds."""
    log: list[str] = []
    runtime.spawn(log.append, "a")
    time.sleep(0)
    assert log == ["a"]
    runtime.spawn(log.append, "b")
    time.sleep(0.001)
    assert log == ["a", "b"]


@pytest.mark.parametrize("wrong", [-1, float("nan"), "1", None])
def test_wrong_lengths_are_refused_as_by_the_plain_function(backend: str, wrong: object) -> None:
    """With the same exception, whether or not there are other tasklets."""
    import time as plain

    with pytest.raises((TypeError, ValueError, OverflowError)) as expected:
        plain.sleep(wrong)  # type: ignore[arg-type]
    other = runtime.spawn(runtime.sleep, 1000)
    with pytest.raises(expected.type) as got:
        time.sleep(wrong)
    assert str(got.value) == str(expected.value)
    other.kill()


def test_a_sleep_for_ever_lets_others_run(program: Program) -> None:
    """A thread that sleeps for 1e9 seconds stops nobody."""
    done = program(
        """
        import faulthandler, os, runtime
        from runtime.green import time

        faulthandler.dump_traceback_later(10, exit=True)
        runtime.Tasklet(time.sleep, (1e9,), daemon=True).start()
        runtime.schedule()
        print("others run", flush=True)
        os._exit(0)
        """
    )
    assert done.stdout == "others run\n"
