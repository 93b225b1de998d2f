"""The target: what the command line's word means, as ``python`` would take it.

A word that is an existing file is that file.  Otherwise a module or package of that name is meant (so
``python -m rewriter app`` is ``python -m app`` although a folder ``app`` stands there), otherwise a folder.
"""

from __future__ import annotations

import os
import sys

from rewriter.errors import RewriterError
from rewriter.mapping import top_level_names
from rewriter.scope import find_quietly, is_standard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from rewriter.options import Kind as Asked

    Kind = Literal["module", "file", "container", "code"]


class Target:
    """A program to run: *name* is the module's name, the path as given, or the code."""

    __slots__ = ("kind", "name", "package")

    def __init__(self, kind: Kind, name: str, *, package: bool = False) -> None:
        self.kind = kind
        self.name = name
        self.package = package

    @property
    def path(self) -> str:
        """The absolute path of a file, not normalized, as ``__main__.__file__`` is."""
        return os.path.join(os.getcwd(), self.name)

    @property
    def first_argument(self) -> str:
        """What stands first in ``sys.argv`` until the program runs."""
        return {"module": "-m", "code": "-c"}.get(self.kind, self.name)

    @property
    def first_on_path(self) -> str | None:
        """What Python puts first on ``sys.path``; None when it is told not to (``-P``, ``-I``)."""
        if self.kind == "container":
            return self.path
        if sys.flags.safe_path:
            return None
        if self.kind == "code":
            return ""
        return os.getcwd() if self.kind == "module" else os.path.dirname(os.path.realpath(self.name))

    @property
    def folder(self) -> str:
        """The folder the program lives in: where its configuration is looked for."""
        if self.kind == "file":
            return os.path.dirname(os.path.realpath(self.name))
        if self.kind == "container":
            return self.path if os.path.isdir(self.path) else os.path.dirname(self.path)
        return os.getcwd()

    def own_modules(self) -> dict[str, str]:
        """The top-level names under a file's folder, each with that folder, where they must be found."""
        folder = self.folder
        if self.kind == "module" or not os.path.isdir(folder) or _is_library(folder):
            return {}
        return dict.fromkeys(top_level_names(folder, namespaces=True), folder)


def resolve(asked: Asked, word: str) -> Target:
    """What *word* means.  ``sys.path`` must be the program's.  Raises RewriterError when it means nothing."""
    if asked == "code":
        return Target("code", word)
    if asked == "target":
        if os.path.isfile(word):
            return Target("container" if is_zip(word) else "file", word)
        if os.path.exists(word) and not os.path.isdir(word):  # a FIFO, /dev/stdin, <(process substitution)
            return Target("file", word)
    module = word.isidentifier() or all(part.isidentifier() for part in word.split("."))
    if module:
        spec = find_quietly(word)
        if spec is not None:
            return Target("module", word, package=spec.submodule_search_locations is not None)
    if asked == "target" and os.path.isdir(word):
        if os.path.isfile(os.path.join(word, "__main__.py")):
            return Target("container", word)
        raise RewriterError(f"folder {word} has no __main__.py")
    if asked == "module" and not module:
        raise RewriterError(f"{word!r} is no module name")
    if module and asked == "module":
        raise RewriterError(f"no module is called {word}")
    if module and not word.endswith((".py", ".pyw", ".pyz", ".zip")):
        raise RewriterError(f"no module and no file is called {word}")
    raise RewriterError(f"no such file: {word}")


def is_standard_target(target: Target, hidden: frozenset[str]) -> bool:
    """Whether a module of the standard library is run, not one of the program's that is called the same."""
    if target.kind != "module" or not is_standard(target.name):
        return False
    top = target.name.partition(".")[0]
    spec = find_quietly(top)
    origin = os.path.abspath(spec.origin) if spec is not None and spec.origin else ""
    return top not in hidden and not origin.startswith(os.path.join(os.getcwd(), ""))


def is_zip(path: str) -> bool:
    """Whether Python would import ``__main__`` from the file at *path* instead of running its text."""
    with open(path, "rb") as file:
        if file.read(4) in (b"PK\x03\x04", b"PK\x05\x06"):
            return True
    if path.endswith((".py", ".pyw", ".pyc")):
        return False
    import zipimport  # a zip may have a #! line, or be the tail of anything

    try:
        zipimport.zipimporter(path)
    except zipimport.ZipImportError:
        return False
    return True


def _is_library(folder: str) -> bool:
    if os.path.basename(folder).endswith("-packages"):
        return True
    return os.path.samefile(folder, os.path.dirname(os.__file__))
