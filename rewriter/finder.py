"""The meta path finder: gives modules in scope a converting loader.

The name decides first, before any file is touched; what is out of scope costs one call and a few set
look-ups.  For the rest the other finders on ``sys.meta_path`` are asked, all of them, so that editable
installs and other hooks work as ever.  Only a loader that is exactly ``SourceFileLoader`` is exchanged:
namespace packages, extension modules, frozen modules, zip files (but for their ``__main__``) and other hooks'
loaders pass through.

Nothing is read or rewritten here: ``find_spec`` runs under the global import lock.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from importlib.machinery import SourceFileLoader
from zipimport import zipimporter

from rewriter.loader import ConvertingLoader, ConvertingZipLoader
from rewriter.mapping import Mapping
from rewriter.scope import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class Finder:
    """Finds the modules in *scope* and has them converted by *mapping*.

    inherited: child processes get one like it.
    """

    inherited = True

    def __init__(self, scope: Scope, mapping: Mapping) -> None:
        self.scope = scope
        self.mapping = mapping
        self._asking: set[tuple[int, str]] = set()
        self._seen: list[object] = []  # what was on `sys.meta_path`
        self._others: list[Any] = []  # of these, those that are asked

    def __repr__(self) -> str:
        return f"<rewriter.Finder of {self.scope!r}>"

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give, with a converting loader; None out of scope."""
        if not self.scope.covers(fullname):
            return None
        key = (get_ident(), fullname)
        if key in self._asking:  # another hook that asks everybody else has come round to us
            return None
        self._asking.add(key)
        try:
            spec = self._ask_others(fullname, path, target)
        finally:
            self._asking.discard(key)
        if spec is None:
            return None
        loader = spec.loader
        if type(loader) is SourceFileLoader and self.scope.admits(fullname, loader.path):
            spec.loader = ours = ConvertingLoader(loader.name, loader.path, self.mapping)
            if spec.origin == loader.path:
                spec.cached = ours.plain_bytecode  # None: Python finds out
        elif fullname == "__main__" and isinstance(loader, zipimporter):
            spec.loader = ConvertingZipLoader(os.path.join(loader.archive, loader.prefix), self.mapping)
        return spec

    def _ask_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        if sys.meta_path != self._seen:
            self._seen = list(sys.meta_path)
            self._others = [finder for finder in self._seen if not isinstance(finder, Finder)]
        for finder in self._others:
            find_spec = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find_spec(fullname, path, target) if find_spec is not None else None
            if spec is not None:
                return spec
        return None
