"""`python -m benchmarks.peers.imports HOOK FOLDER`: import the package `generated` from FOLDER, with a hook.

What the package uses of the standard library is there before, so the import is that of the package alone.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time

_USED = (
    "collections",
    "functools",
    "itertools",
    "queue",
    "socket",
    "threading",
    "time",
    "typing",
    "urllib.request",
)


def _unstall(package: str) -> None:
    import rewriter

    rewriter.install(package)
    for name in _USED:
        importlib.import_module(f"runtime.green.{name}")


def _elsewhere(package: str) -> None:  # installed, but for another package
    import rewriter

    rewriter.install("benchmarks.peers")


def _pytest(package: str) -> None:
    import pytest
    from _pytest.config import _prepareconfig

    _prepareconfig(["-p", "no:cacheprovider", "-c", "/dev/null"])
    pytest.register_assert_rewrite(package)


def _typeguard(package: str) -> None:
    from typeguard import install_import_hook

    install_import_hook(package)


def _beartype(package: str) -> None:
    from beartype.claw import beartype_package

    beartype_package(package)


HOOKS = {
    "plain": lambda package: None,
    "unstall": _unstall,
    "unstall-elsewhere": _elsewhere,
    "pytest": _pytest,
    "typeguard": _typeguard,
    "beartype": _beartype,
}


_YOUNG = 3.0  # seconds: a source that was written since is read each time, as its age cannot be relied on


def _wait_until_old(folder: str) -> None:
    """Return when the package is as old as one that is installed, which its times as set do not say."""
    package = os.path.join(folder, "generated")
    written = max(os.stat(os.path.join(package, name)).st_ctime for name in os.listdir(package))
    time.sleep(max(0.0, written + _YOUNG - time.time()))


def main() -> None:
    hook, folder = sys.argv[1:]
    _wait_until_old(folder)
    for name in _USED:
        importlib.import_module(name)
    sys.path.insert(0, folder)
    HOOKS[hook]("generated")
    gc.collect()
    gc.freeze()  # what was there before is looked at in none of them
    cpu, wall = time.process_time(), time.perf_counter()
    package = importlib.import_module("generated")
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert package.part000.Table0([]).find("x") is None
    print(json.dumps({"cpu": cpu, "wall": wall}))


if __name__ == "__main__":
    main()
