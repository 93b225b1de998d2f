"""Which files are watched besides those that the program imports, and which of these are not.

A pattern with a slash is matched against the path below the folder, one without against the file's name (fnmatch).
Files that git ignores are left out, as are caches, virtual environments and what begins with a dot.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from runtime.green import subprocess

_PYTHON = "*.py"
_CACHES = {"__pycache__", "node_modules", "build", "dist"}


class Selection:
    """See the module.

    Args:
        include: patterns of files to watch, imported or not.
        exclude: patterns of files not to watch, imported or not.
        folders: where the included ones are; Python files there are included.
        configuration: the file that decides what is converted, if there is one.
        target: the file that is run, if it is one.
    """

    def __init__(
        self,
        include: Iterable[str],
        exclude: Iterable[str],
        folders: Iterable[str],
        configuration: str | None,
        target: str | None,
    ) -> None:
        self._include = list(include)
        self._exclude = list(exclude)
        self._configuration = configuration
        self._target = target and os.path.abspath(target)
        self._place = target and os.path.realpath(target)
        self.folders = [os.path.abspath(folder) for folder in folders]
        if self.folders:
            self._include.append(_PYTHON)
        elif self._include:
            self.folders = [os.getcwd()]
        self._files = [path for folder in self.folders for path in _listed(folder) if self.covers(path)]
        self._heard: set[str] = set()

    def files(self) -> list[str]:
        """The files that are watched whether they are imported or not."""
        return [*self._files, *filter(None, [self._configuration])]

    def covers(self, path: str) -> bool:
        """Whether *path* is included."""
        return any(_matches(path, self._include, folder) for folder in self.folders) and not self.excludes(
            path
        )

    def excludes(self, path: str) -> bool:
        """Whether *path* is excluded."""
        return any(_matches(path, self._exclude, folder) for folder in self.folders or [os.getcwd()])

    def hear(self, path: str) -> bool:
        """Something may have happened to *path*; whether that matters.  From any OS thread."""
        if not self.covers(path):
            return False
        self._heard.add(path)
        return True

    def new(self, known: Container[str]) -> list[str]:
        """Included files that have come since and are not *known*."""
        heard = [self._heard.pop() for _ in range(len(self._heard))]
        found = [path for path in heard if path not in known and os.path.isfile(path)]
        if found:
            found = [path for path in found if path in _listed(os.path.dirname(path))]
            self._files += found
        return found

    def moved(self) -> list[str]:
        """The target, if a symbolic link on the way to it leads elsewhere since the last look."""
        place = self._target and os.path.realpath(self._target)
        moved = place != self._place
        self._place = place
        return [self._target] if moved and self._target else []

    def decides(self, paths: Iterable[str]) -> bool:
        """Whether one of *paths*, which have changed, decides what is prepared for the program before it runs."""
        return any(path in (self._configuration, self._target) for path in paths)

    def busy(self) -> bool:
        """Whether git is at work here."""
        folders = (os.getcwd(), *self.folders)
        return any(os.path.exists(os.path.join(folder, ".git", "index.lock")) for folder in folders)


def _matches(path: str, patterns: Sequence[str], folder: str) -> bool:
    below = os.path.join(folder, "")
    if not path.startswith(below):
        return False
    inner, name = path[len(below) :].replace(os.sep, "/"), os.path.basename(path)
    return any(fnmatchcase(inner if "/" in pattern else name, pattern) for pattern in patterns)


def _listed(folder: str) -> set[str]:
    """The files below *folder* that somebody may edit."""
    try:
        listing = subprocess.run(
            ["git", "-C", folder, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return set(_walk(folder))
    return {os.path.join(folder, os.fsdecode(name)) for name in listing.split(b"\0") if name}


def _walk(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [
            name for name in folders
            if not name.startswith(".") and name not in _CACHES
            and not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))
        ]  # fmt: skip
        for name in files:
            if not name.startswith("."):
                yield os.path.join(place, name)
