"""Hears of changes to files: by watchdog where the system tells, by looking again and again where it does not.

Watched is where the program's files are, and no more: the folders of its top-level modules by themselves, its packages
with what is below, and the folders of symbolic links on the way to them.  What is heard is a hint (see files.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from runtime import sleep, spawn
from runtime.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EVENTS: Any = [
    FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent,
    DirCreatedEvent, DirMovedEvent, DirDeletedEvent,
]  # fmt: skip
_LOOK = 0.5  # seconds between two looks where the system tells nothing


class Watching:
    """Calls *heard* with a path when something may have happened to it, from any OS thread.

    Args:
        heard: must be quick and safe to call from another OS thread.
        recursive: folders to watch with everything below them, whatever files there are.
    """

    def __init__(self, heard: Callable[[str], object], recursive: Iterable[str] = ()) -> None:
        self._heard = heard
        self._extra = [os.path.abspath(folder) for folder in recursive]
        self._observer: Any = None
        self._watches: dict[tuple[str, str, bool], Any] = {}
        self._polling = False

    @property
    def polls(self) -> bool:
        """Whether some of the files are looked at again and again."""
        return self._polling

    def watch(self, files: Iterable[str]) -> None:
        """Watch *files*, instead of those before."""
        wanted: set[tuple[str, str, bool]] = set()
        for folder in self._extra:
            wanted.add((folder, os.path.realpath(folder), True))
        for path in files:
            folder, recursive = _place(path)
            wanted.add((folder, os.path.realpath(folder), recursive))
            wanted.update((place, os.path.realpath(place), False) for place in _links(path))
        for key in self._watches.keys() - wanted:
            watch = self._watches.pop(key)
            if watch is not None:
                self._observer.unschedule(watch)
        for key in wanted - self._watches.keys():
            self._watches[key] = self._schedule(key[0], key[2])
        if None in self._watches.values() and not self._polling:
            self._polling = True
            spawn(self._poll)

    def _schedule(self, folder: str, recursive: bool) -> Any:
        """A watch of *folder*; None if the system tells nothing about it."""
        if mounts.slow(folder):
            return None
        try:
            if self._observer is None:
                self._observer = Observer()
                self._observer.start()
            return self._observer.schedule(
                _Handler(self._heard), folder, recursive=recursive, event_filter=_EVENTS
            )
        except OSError:  # no more of inotify's watches or instances, or none at all
            return None

    def _poll(self) -> None:
        while self._polling:
            sleep(_LOOK)
            if self._polling:
                self._heard("")

    def end(self) -> None:
        """Watch nothing any more."""
        self._polling = False
        if self._observer is not None:
            self._observer.stop()


class _Handler(FileSystemEventHandler):
    def __init__(self, heard: Callable[[str], object]) -> None:
        self._heard = heard

    def dispatch(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._heard(os.fsdecode(path))


def _place(path: str) -> tuple[str, bool]:
    """The folder to watch for *path*, and whether with what is below: the outermost package that it is in, if any."""
    folder = os.path.dirname(path)
    package = None
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        package, folder = folder, os.path.dirname(folder)
    return (package, True) if package is not None else (folder, False)


def _links(path: str) -> list[str]:
    """The folders that hold the symbolic links on the way to *path*."""
    found: list[str] = []
    while True:
        parent = os.path.dirname(path)
        if parent == path:
            return found
        if os.path.islink(path):
            found.append(parent)
        path = parent
