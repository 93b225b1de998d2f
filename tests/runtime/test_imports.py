"""Modules that several tasklets import at once, while their top level waits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

Program = Callable[..., "subprocess.CompletedProcess[str]"]


def _run(program: Program, tmp_path: Path, source: str, **modules: str) -> str:
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text)
    done = program(source, converted=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


SLOW = "import time\nfirst = 1\ntime.sleep(0.1)\nlast = 2\n"


def test_the_second_importer_waits_for_the_first(program: Program, tmp_path: Path) -> None:
    """Whatever the form of the import, and from a native thread's tasklets as well."""
    source = """
        import threading, importlib
        def a():
            import slow
            print(slow.last)
        def b():
            from slow import last
            print(last)
        def c():
            print(importlib.import_module("slow").last)
        threads = [threading.Thread(target=f) for f in (a, b, c, a)]
        for t in threads: t.start()
        for t in threads: t.join()
    """
    assert _run(program, tmp_path, source, slow=SLOW).split() == ["2"] * 4


def test_others_run_meanwhile(program: Program, tmp_path: Path) -> None:
    """Neither who makes the module nor who waits for it holds up a third."""
    source = """
        import threading, time
        import importlib
        ticks = []
        def tick():
            while len(ticks) < 3:
                ticks.append("made" if "slow" in done else "tick")
                time.sleep(0.005)
        done = []
        def get():
            import slow
            done.append("slow")
        threads = [threading.Thread(target=f) for f in (get, get, tick)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(*ticks)
    """
    assert _run(program, tmp_path, source, slow=SLOW).split() == ["tick"] * 3


def test_a_circle_within_one_tasklet_sees_the_half_made_module(program: Program, tmp_path: Path) -> None:
    """As under plain Python."""
    source = "import one; print(one.seen, one.two.late)"
    one = "import time\nearly = 1\ntime.sleep(0.01)\nimport two\nseen = two.seen\n"
    two = "import time\nimport one\nseen = one.early\ntime.sleep(0.01)\nlate = hasattr(one, 'seen')\n"
    assert _run(program, tmp_path, source, one=one, two=two).split() == ["1", "False"]


def test_a_circle_of_tasklets_is_broken(program: Program, tmp_path: Path) -> None:
    """Each makes a module that imports the other's: nobody waits for ever."""
    source = """
        import threading
        def first():
            import one
        def second():
            import two
        threads = [threading.Thread(target=f) for f in (first, second)]
        for t in threads: t.start()
        for t in threads: t.join()
        import one, two
        print(one.done, two.done)
    """
    one = "import time\ntime.sleep(0.05)\nimport two\ndone = 1\n"
    two = "import time\ntime.sleep(0.05)\nimport one\ndone = 2\n"
    assert _run(program, tmp_path, source, one=one, two=two).split() == ["1", "2"]


def test_a_module_that_fails_lets_the_others_go_on(program: Program, tmp_path: Path) -> None:
    """They get it as far as it went, as under plain Python, or try again themselves."""
    source = """
        import threading
        def get():
            try:
                import broken
                print("half")
            except ZeroDivisionError:
                print("failed")
        threads = [threading.Thread(target=get) for _ in range(3)]
        for t in threads: t.start()
        for t in threads: t.join()
        try:
            import broken
        except ZeroDivisionError:
            print("again")
    """
    words = _run(program, tmp_path, source, broken="import time\ntime.sleep(0.05)\n1 / 0\n").split()
    assert words[0] == "failed"
    assert words[-1] == "again"
    assert len(words) == 4


def test_a_kill_of_one_who_waits_is_not_lost(program: Program, tmp_path: Path) -> None:
    """The import system swallows errors; the kill comes at the next wait."""
    source = """
        import runtime, time
        log = []
        def get():
            import slow
            log.append(hasattr(slow, "last"))
            time.sleep(0)
            log.append("survived")
        maker, waiter = runtime.spawn(get), runtime.spawn(get)
        time.sleep(0.02)
        waiter.kill()
        maker.join()
        print(*log)
    """
    assert _run(program, tmp_path, source, slow=SLOW).split() == ["False", "True", "survived"]


def test_a_fork_while_another_makes_a_module(program: Program, tmp_path: Path) -> None:
    """In the child nobody will finish it, so nobody waits."""
    source = """
        import os, runtime, time
        def get():
            import slow
        maker = runtime.spawn(get)
        time.sleep(0.02)
        pid = os.fork()
        if not pid:
            import slow
            os._exit(7 if slow.first and not hasattr(slow, "last") else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert _run(program, tmp_path, source, slow=SLOW).split() == ["7"]


def test_afterwards_the_spec_is_the_plain_one(program: Program, tmp_path: Path) -> None:
    """Nothing is left of the waiting, and the spec looks as it always does."""
    source = """
        import importlib.machinery, slow
        print(type(slow.__spec__) is importlib.machinery.ModuleSpec, slow.__spec__._initializing)
    """
    assert _run(program, tmp_path, source, slow="x = __spec__\n").split() == ["True", "False"]


def test_executed_again_a_module_is_not_waited_for(program: Program, tmp_path: Path) -> None:
    """A module that is reloaded is there, as under plain Python."""
    source = """
        import importlib, threading, time
        import slow
        reloading = threading.Thread(target=importlib.reload, args=(slow,))
        reloading.start()
        time.sleep(0.01)
        import slow as again
        print(reloading.is_alive(), again.last)
        reloading.join()
    """
    assert _run(program, tmp_path, source, slow=SLOW).split() == ["True", "2"]
