"""The listening sockets that outlive a generation, as the supervisor keeps them."""

from __future__ import annotations

import os
from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Listeners:
    """Descriptors of listeners, by what the program calls them."""

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._fds

    def get(self, key: str) -> int | None:
        return self._fds.get(key)

    def put(self, key: str, fd: int) -> None:
        """Keep *fd*, instead of what was kept before."""
        self.drop(key)
        self._fds[key] = fd

    def drop(self, key: str) -> None:
        """Close what is kept for *key*, if anything is."""
        fd = self._fds.pop(key, None)
        if fd is not None:
            os.close(fd)

    def keep(self, keys: Iterable[str]) -> None:
        """Drop all but *keys*."""
        for key in self._fds.keys() - set(keys):
            self.drop(key)


def name_of(key: Any) -> str:
    """A key as it came over the wire, as one that can be looked up."""
    return repr(key)
