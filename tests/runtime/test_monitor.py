"""The report of a scheduler that stands still: who, where, and the option that cures it; once per place."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import runtime
from runtime import stacks, strand
from tests.runtime.conftest import Program

STALL = """
    import threading, time
    import {module}

    def tick():
        for _ in range(3):
            time.sleep(0.01)

    thread = threading.Thread(target=tick)
    thread.start()
    for _ in range({times}):
        {call}
    thread.join()
"""


@pytest.fixture
def stall(program: Program, tmp_path: Path) -> Callable[..., str]:
    """What is said on stderr when *call* into unconverted modules stands still, the words alone."""

    def run(call: str, times: int = 1, **modules: str) -> str:
        for name, text in modules.items():
            path = tmp_path / "lib" / name.replace("__", "/")
            path = path.with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        source = STALL.format(
            module="sys; sys.path.insert(0, 'lib'); " + _imports(modules), call=call, times=times
        )
        done: subprocess.CompletedProcess[str] = program(source, converted=True)
        assert done.returncode == 0, done.stderr
        return done.stderr

    return run


def _imports(modules: dict[str, str]) -> str:
    names = {name.split("__")[0] for name in modules}
    return "; ".join(f"import {name}" for name in sorted(names)) or "pass"


WAIT = "import time as clock\ndef wait(): clock.sleep(1.3)\n"


def test_an_unconverted_package_is_named_with_its_cure(stall: Callable[..., str]) -> None:
    """File, line and function are where it waits."""
    said = stall("library.wait()", library=WAIT)
    assert said.count("unstall:") == 1
    assert "library.py:2 in wait. Convert it: --convert library+deps (or --threads native)." in said
    assert "1 tasklet held up" in said


def test_of_several_packages_the_outermost_is_named(stall: Callable[..., str]) -> None:
    """A program knows the one it calls, not the one below."""
    said = stall("outer.wait()", outer="import inner\ndef wait(): inner.wait()\n", inner=WAIT)
    assert "inner, " in said
    assert "inner.py:2 in wait. Convert it: --convert outer+deps" in said


def test_a_place_is_reported_once(stall: Callable[..., str]) -> None:
    """However often it stands still."""
    assert stall("library.wait()", times=2, library=WAIT).count("unstall:") == 1


def test_converted_code_that_computes_is_told_how_to_let_others_in(stall: Callable[..., str]) -> None:
    """There is no package to convert."""
    said = stall("end = time.monotonic() + 1.3\n        while time.monotonic() < end: pass")
    assert said.count("unstall:") == 1
    assert "runtime.offload()" in said
    assert "time.sleep(0)" in said
    assert "--convert" not in said


def test_waiting_together_is_not_reported(stall: Callable[..., str]) -> None:
    """Nor is a program that has nothing to do."""
    assert stall("time.sleep(1.3)") == ""


def test_who_is_told_of_a_first_tasklet_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The monitor looks as soon as it is told; finding none it would sleep while there is one."""
    seen: list[int] = []
    monkeypatch.setattr(strand, "_first", [lambda hub: seen.append(len(hub.tasklets))])
    runtime.spawn(int).join()
    runtime.spawn(int).join()
    assert seen == [1, 1]


def test_threads_that_come_and_go_do_not_end_it(program: Program) -> None:
    """Hubs by the hundred while it looks at them; afterwards it still marks who is overdue, and keeps none of them."""
    done = program(
        """
        import gc, runtime, threading, time
        from runtime import monitor
        from runtime.hub import get_hub

        def body():
            runtime.spawn(time.sleep, 0).join()

        holder = runtime.spawn(runtime.sleep, 1000)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            threads = [threading.Thread(target=body) for _ in range(30)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        hub = get_hub()
        hub.overdue = False
        end = time.monotonic() + 10
        while not hub.overdue and time.monotonic() < end:
            pass
        del threads, thread
        gc.collect()
        print(hub.overdue, len(monitor.hubs()))
        holder.kill()
        """
    )
    assert done.stdout == "True 1\n", done.stderr
    assert "Traceback" not in done.stderr


def test_the_hub_of_a_thread_that_has_ended_stands_still_for_nobody(program: Program) -> None:
    """Another thread may have got the number of its thread, and wait as it likes."""
    done = program(
        """
        import threading, time
        import runtime

        kept = []

        def leave():
            kept.append(runtime.Tasklet(runtime.sleep, (100,), daemon=True).start())
            runtime.schedule()

        for _ in range(2):
            thread = threading.Thread(target=leave)
            thread.start()
            thread.join()
        waiting = threading.Thread(target=time.sleep, args=(1.5,))
        waiting.start()
        waiting.join()
        print(all(tasklet.hub.ended for tasklet in kept))
        """
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_stacks_are_not_asked_for_beside_other_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that makes one has two states meanwhile, at which CPython crashes."""
    for name in ("_interpreters", "_xxsubinterpreters"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert threading.get_ident() in (stacks.frames() or ())
    monkeypatch.setitem(sys.modules, "_interpreters", sys)
    assert stacks.frames() is None
