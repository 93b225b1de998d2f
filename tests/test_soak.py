"""A slice of ``python -m tests.soak``: ten seconds of a thousand tasklets that do everything at once."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_thousand_tasklets_do_everything_at_once() -> None:
    seed = random.randrange(1 << 32)
    command = [sys.executable, "-W", "ignore", "-m", "tests.soak", "--seconds", "10", "--tasklets", "1000"]
    done = subprocess.run(
        [*command, "--seed", str(seed)], cwd=ROOT, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, f"seed {seed}:\n{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0 problems"
