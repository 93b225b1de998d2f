"""The files a program is made of, and whether their contents have changed.

Events of the file system are hints that something may have happened; this decides.  A file counts as changed when its
contents do: a ``touch``, a save of the same text and a rename there and back are none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from time import time_ns

from rewriter.reload.child import signature

_UNKNOWN = b"?"  # no digest: it was seen in a state that is gone


class Files:
    """Paths, each with the contents that the last attempt to run the program saw."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[list[int] | None, bytes | None]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._known))

    def __contains__(self, path: object) -> bool:
        return path in self._known

    def __len__(self) -> int:
        return len(self._known)

    def add(self, path: str, seen: list[int] | None) -> None:
        """*path* was about to be read when it had the signature *seen*."""
        contents = digest(path)  # first: what is read after the look may be what was saved after it
        self._known[path] = (seen, contents if signature(path) == seen else _UNKNOWN)

    def keep(self, paths: Iterable[str]) -> None:
        """Forget all but *paths*."""
        wanted = set(paths)
        self._known = {path: known for path, known in self._known.items() if path in wanted}

    def changed(self) -> dict[str, bool]:
        """The paths with other contents than those known, each with whether it is there at all."""
        found: dict[str, bool] = {}
        for path, (seen, known) in self._known.items():
            now = signature(path)
            if now == seen and known is not _UNKNOWN:
                continue
            contents = digest(path)
            if contents == known:
                self._known[path] = (now, known)
            else:
                found[path] = bool(contents and now and now[2])
        return found

    def emptied(self, seconds: float) -> bool:
        """Whether one of the paths is empty since less than *seconds*: somebody may be about to write to it."""
        now = time_ns()
        return any(
            seen is not None and not seen[2] and abs(now - seen[0]) < seconds * 1e9
            for seen, _ in self._known.values()
        )

    def accept(self, paths: Iterable[str]) -> None:
        """What *paths* contain now is what the next attempt sees."""
        for path in paths:
            self._known[path] = (signature(path), digest(path))


def digest(path: str) -> bytes | None:
    """A digest of the contents of *path*; None if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.blake2b(file.read(), digest_size=16).digest()
    except OSError:
        return None
