"""The mapping: which names conversion replaces in one program, and the tag of its bytecode.

A view of ``runtime.table`` minus what the program itself shadows: a ``queue.py`` beside the script is what
``import queue`` means in plain Python, so it is what it means here.  The tag stands in the name of every
cached bytecode file; it holds the version of the tool and a hash of all that decides what comes out of a
conversion. It decides nothing about *which* modules are converted: that is the scope's, and changes no
module's outcome.

Rejected: one cache file per module with the hash inside.  Two programs with different settings that share a
library would convert it again and again in turn.
"""

from __future__ import annotations

import os
import sys
from importlib.util import source_hash

from rewriter import __version__
from rewriter.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Dict

# Counts up whenever the same source converts to something else under the same version.
REVISION = 5


class Mapping:
    """Module and builtin names with a counterpart, methods with one, functions to offload, fair loops: for one program.

    methods: what those of plain objects are called.
    offload, offload_methods: functions and methods by their full names; the methods by what they are called.
    """

    __slots__ = (
        "builtins", "fair", "guarded", "methods", "modules", "needles", "offload", "offload_methods", "settings", "tag",
    )  # fmt: skip

    def __init__(
        self,
        modules: Iterable[str],
        builtins: Dict[str, str],
        settings: Settings | None = None,
        methods: Iterable[str] = (),
    ) -> None:
        from runtime.table import GUARDED

        self.settings = settings = settings or Settings()
        self.modules = frozenset(modules)
        self.builtins = dict(builtins)
        self.methods = frozenset(methods)
        self.offload = settings.offload
        self.offload_methods = _methods(settings.offload)
        self.fair = settings.fair
        self.guarded = {
            name: tuple(word.encode() for word in words)
            for name, (words, _) in GUARDED.items()
            if name in self.modules
        }
        tops = {name.partition(".")[0].encode() for name in self.modules}.difference(
            map(str.encode, self.guarded)
        )
        tops = tops.union(*self.guarded.values())
        called = {name.rpartition(".")[2] for name in self.offload}
        loops = {"for", "while"} if self.fair else set()
        wanted = called | loops | self.methods | set(self.builtins)
        self.needles = tuple(sorted(tops | {name.encode() for name in wanted}))
        names = sorted(self.modules), sorted(self.builtins.items()), sorted(self.methods)
        outcome = repr((REVISION, settings.outcome(), *names, _foreign(self.modules)))
        self.tag = f"unstall-{__version__.replace('.', '_')}-{source_hash(outcome.encode()).hex()[:12]}"

    def mentioned(self, source: bytes) -> bool:
        """Whether any mapped name occurs at all: a search of the bytes that spares most modules a parse."""
        return any(needle in source for needle in self.needles)

    def seen_by(self, source: bytes) -> Mapping:
        """What holds for *source*: without the modules whose counterpart it does not ask for."""
        left_out = [name for name, words in self.guarded.items() if not any(word in source for word in words)]
        if not left_out:
            return self
        from copy import copy

        view = copy(self)
        view.modules = self.modules.difference(left_out)
        return view

    def import_changes(self, name: str, asname: str | None) -> bool:
        """Whether ``import name [as asname]`` binds or loads something that has a counterpart.

        ``import urllib.parse`` binds ``urllib``, which has one although ``urllib.parse`` does not.
        """
        return name in self.modules or (asname is None and name.partition(".")[0] in self.modules)


def _methods(names: Iterable[str]) -> dict[str, list[str]]:
    """Those of the full *names* that may be a method's, ``module.Class.method``, by what the method is called."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        if name.count(".") > 1:
            found.setdefault(name.rpartition(".")[2], []).append(name)
    return found


def _foreign(modules: frozenset[str]) -> list[tuple[str, str]]:
    """Those of *modules* whose counterparts come from plug-ins, and where they stand."""
    foreign = sys.modules.get("runtime.foreign")
    if foreign is None:
        return []
    return sorted((name, place) for name, place in foreign.FOREIGN.items() if name in modules)


def standard(*, shadowed: Iterable[str] = (), settings: Settings | None = None) -> Mapping:
    """The mapping of ``runtime.table`` without the top-level names in *shadowed*."""
    from runtime.table import BUILTINS, METHODS, MODULES, STACKLESS_BUILTINS

    hidden = frozenset(shadowed)
    modules = [name for name in MODULES if name.partition(".")[0] not in hidden]
    return Mapping(modules, BUILTINS | STACKLESS_BUILTINS, settings, frozenset().union(*METHODS.values()))


def shadowed(path: Iterable[str]) -> frozenset[str]:
    """Mapped top-level names that a folder on *path* before the standard library's takes for itself.

    Built-in and frozen modules are found before any path entry, so nothing shadows them.  A module for which a
    plug-in has a counterpart is on the path anyway; it is the program's own if it is in the program's folder.
    """
    import _imp

    from runtime.table import MODULES

    path = list(path)
    tops = {name for name in MODULES if "." not in name and name not in sys.builtin_module_names}
    foreign = {name for name in tops if MODULES[name] == "foreign"}
    candidates = {name for name in tops - foreign if not _imp.is_frozen(name)}
    library = os.path.dirname(os.path.abspath(os.__file__))
    hidden: set[str] = set()
    if foreign and path and not sys.flags.safe_path:
        hidden |= foreign & top_level_names(path[0] or os.curdir)
    for entry in path:
        if os.path.abspath(entry or os.curdir) == library:
            break
        hidden.update(candidates.intersection(top_level_names(entry or os.curdir)))
    return frozenset(hidden)


def top_level_names(folder: str, *, namespaces: bool = False) -> set[str]:
    """Names that ``import`` would find in *folder*: modules and packages; with *namespaces*, any sub-folder.

    Virtual environments and folders of installed packages are left out.
    """
    from importlib.machinery import all_suffixes

    suffixes = tuple(all_suffixes())
    names: set[str] = set()
    try:
        entries = os.listdir(folder)
    except OSError:
        return names
    for entry in entries:
        stem = entry.partition(".")[0]
        if not stem.isidentifier():
            continue
        if "." in entry:
            if entry.endswith(suffixes):
                names.add(stem)
            continue
        if entry.startswith("__"):
            continue
        inside = os.path.join(folder, entry)
        if os.path.isfile(os.path.join(inside, "__init__.py")) or (
            namespaces and os.path.isdir(inside) and not os.path.exists(os.path.join(inside, "pyvenv.cfg"))
        ):
            names.add(stem)
    return names
