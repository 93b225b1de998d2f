"""``stacklesslib.monkeypatch``: had the standard library's modules replaced for the whole process.

A converted module has counterparts of its own, which is what this was for; so all of it does nothing, and no other
module is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def patch_all() -> None:
    """Nothing: converted code is patched, and no other is."""


patch_misc = patch_ssl = patch_select = patch_thread = patch_threading = patch_all


def patch_socket(will_be_pumped: bool = True) -> None:
    """Nothing: sockets let others run.

    Args:
        will_be_pumped: the program calls `stacklesslib.main.mainloop`, which serves sockets as everything else.
    """


@contextmanager
def Unpatched() -> Iterator[None]:
    """Inside it everything is as outside."""
    yield
