"""Runs an unmodified module under another project's monkeypatching: `patched gevent|eventlet MODULE
[args…]`."""

# mypy: disable-error-code="import-untyped,import-not-found"
from __future__ import annotations

import sys


def gevent() -> None:
    import gevent.monkey

    gevent.monkey.patch_all()


def eventlet() -> None:
    import warnings

    warnings.simplefilter("ignore")  # eventlet announces its own end of life on import
    import eventlet

    eventlet.monkey_patch()


def main() -> None:
    {"gevent": gevent, "eventlet": eventlet}[sys.argv[1]]()
    import runpy

    sys.argv[:] = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
