"""The scope: which modules are converted, decided by name.

A name covers its submodules.  Where the converted and the excluded both name a part of a module's path, the
longer name wins; at the same name the exclusion does.  The standard library is never converted in place: a
counterpart stands for what blocks there.

``a+deps`` is resolved in dependencies.py, before a scope is made.  Rejected: patterns (``app.*.views``);
nobody needed one, and prefixes are a set look-up.
"""

from __future__ import annotations

import os
import sys

from rewriter.errors import RewriterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec

# Converting these would run the scheduler on itself, or the rewriter in its own import.
OWN = frozenset({"greenlet", "libcst", "rewriter", "runtime"})


class Scope:
    """A set of converted and a set of excluded names; *folders* binds a name to where it must be found."""

    __slots__ = ("_converted", "_tops", "excluded", "folders")

    def __init__(
        self, converted: Iterable[str], excluded: Iterable[str] = (), folders: dict[str, str] | None = None
    ) -> None:
        named = frozenset(converted)
        tops = {name.partition(".")[0] for name in named}
        self.folders = {name: folder for name, folder in (folders or {}).items() if name not in tops}
        self.converted = named | self.folders.keys()
        self.excluded = frozenset(excluded) | OWN

    @property
    def converted(self) -> frozenset[str]:
        """The converted names."""
        return self._converted

    @converted.setter
    def converted(self, names: frozenset[str]) -> None:
        self._converted = names
        self._tops = frozenset(name.partition(".")[0] for name in names)

    @property
    def named(self) -> frozenset[str]:
        """The converted names that are not bound to a folder."""
        return self.converted - self.folders.keys()

    def __repr__(self) -> str:
        return f"Scope({sorted(self.converted)}, excluded={sorted(self.excluded - OWN)})"

    def covers(self, fullname: str) -> bool:
        """Whether the module called *fullname* is converted, wherever it is found."""
        if fullname.partition(".")[0] not in self._tops:  # said of most modules of a process
            return False
        name = fullname
        while name not in self._converted:
            if name in self.excluded:
                return False
            name, dot, _ = name.rpartition(".")
            if not dot:
                return False
        return name not in self.excluded

    def admits(self, fullname: str, path: str) -> bool:
        """Whether a module that is covered is converted although it is found at *path*.

        A folder beside the script makes its name the program's own, unless an installed package of that name
        turns out to be what ``import`` finds.
        """
        if not self.folders:
            return True
        folder = self.folders.get(fullname.partition(".")[0])
        return folder is None or _inside(path, folder)


def _inside(path: str, folder: str) -> bool:
    absolute = os.path.abspath(path)
    return absolute.startswith(os.path.join(os.path.abspath(folder), ""))


def is_standard(name: str) -> bool:
    """Whether *name* belongs to the standard library (by name: a program's own module may shadow it)."""
    return name.partition(".")[0] in sys.stdlib_module_names


def check_name(name: str, *, where: str = "") -> None:
    """Raise RewriterError unless *name*, of a package to convert, is one that ``import`` takes."""
    if not name or not all(part.isidentifier() for part in name.split(".")):
        hint = " (write package+deps for a package and its dependencies)" if "+" in name else ""
        raise RewriterError(f"{where}{name!r} is no module name{hint}")


def check_findable(name: str, *, own: Iterable[str] = ()) -> str | None:
    """What is wrong with *name* as a package to convert, or None.

    *own* are names that the program itself provides, whatever the standard library calls the same.
    """
    top = name.partition(".")[0]
    if is_standard(name) and top not in own:
        return f"{name} is part of the standard library, which is never converted in place"
    if name in sys.modules or find_quietly(name) is not None:
        return None
    return f"no package to convert is called {name}{_suggestion(name)}"


def find_quietly(name: str) -> ModuleSpec | None:
    """The spec of *name*, found without importing anything: a parent would run before it is converted.

    A package that computes its ``__path__`` can hold more than is found here.
    """
    import importlib.util
    from importlib.machinery import PathFinder

    top, _, rest = name.partition(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    walked = top
    while spec is not None and rest:
        if spec.submodule_search_locations is None:
            return None
        part, _, rest = rest.partition(".")
        walked = f"{walked}.{part}"
        spec = PathFinder.find_spec(walked, list(spec.submodule_search_locations))
    return spec


def _suggestion(name: str) -> str:
    import difflib

    from rewriter.dependencies import packages_of
    from rewriter.mapping import top_level_names

    provided = {package for package in packages_of(name) if not package.startswith("_")}
    if provided:
        return f"; the distribution {name} provides {', '.join(sorted(provided))}"
    known: set[str] = set()
    for entry in sys.path:
        known |= top_level_names(entry or os.curdir)
    close = difflib.get_close_matches(name.partition(".")[0], sorted(known), n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""
