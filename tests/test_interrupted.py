"""Interruptions leave nothing behind and lose nothing: a sample of ``python -m tests.interrupted``, and its check."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SECONDS = 20  # of interruptions


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_sample_of_all_interruptions_leaves_nothing() -> None:
    """``python -m tests.interrupted --sample … --seed …`` makes the same choices again."""
    seed = random.randrange(1 << 32)
    done = _run("-m", "tests.interrupted", "--sample", str(SECONDS), "--seed", str(seed))
    assert done.returncode == 0, f"seed {seed}:\n{done.stdout}{done.stderr}"
    made = int(done.stdout.splitlines()[-1].split()[0])
    assert made >= 20, done.stdout


@pytest.mark.parametrize(
    ("what", "body", "said"),
    [
        ("a descriptor", "kept.append(os.pipe())", "descriptor "),
        ("a lock", "kept.append(Lock()); kept[-1].acquire()", "lock <locked"),
        ("a tasklet", "runtime.spawn(runtime.sleep, 1000)", "tasklet <Tasklet"),
        ("a timer", "get_hub().timers.at(1e9, int)", "timer <Timer"),
        ("a lost hand-over", "held.append(1)", "what it says of itself does not hold"),
    ],
)
def test_it_reports_what_is_left(what: str, body: str, said: str) -> None:
    script = f"""
        import os, runtime
        from runtime.hub import get_hub
        from runtime.lock import Lock
        from tests import interrupted
        kept, held = [], []

        def careless(scene):
            def call():
                try:
                    runtime.sleep(1000)
                except runtime.TaskletExit:
                    {body}
                    raise
            return call, lambda: not held

        interrupted.PATIENCE = 0.05
        interrupted.interruptible.OPERATIONS["careless"] = careless
        interrupted.remember()
        problems = interrupted.interrupt("careless", interrupted.Point(1))[1]
        print(*problems, sep="\\n", flush=True)
        os._exit(0)
    """
    done = _run("-c", textwrap.dedent(script))
    assert done.returncode == 0, done.stderr
    assert said in done.stdout, what
