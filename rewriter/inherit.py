"""Children convert the same scope: what a process that ``multiprocessing`` spawns runs before anything else.

A forked child has inherited everything.  A spawned one, and the fork server, start as ``python -c`` with code of
``multiprocessing``'s own; before it stands a call that installs what is installed here, so that it holds when the
main module is imported.  The code runs as the counterpart of ``multiprocessing``, and ``__mp_main__`` is converted if
``__main__`` was.  All of it can be read in the child's command line.

A fork server converts what was installed when it started.  Children of plain code, and of ``subprocess``, are plain.

Rejected: an environment variable (grandchildren of plain code would see it as well, and something would have to read
it); an object in the preparation data whose unpickling installs (the fork server gets none).
"""

from __future__ import annotations

import os
import sys

from rewriter.finder import Finder
from rewriter.installation import activate
from rewriter.loader import ConvertingLoader
from rewriter.mapping import Mapping, standard
from rewriter.scope import Scope
from rewriter.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    View = tuple[list[str], tuple[Any, ...]]  # of a mapping: what it leaves out, and its settings
    Installed = tuple[list[str], list[str], dict[str, str], View]  # a scope, and its mapping
    Main = tuple[str, View]  # a converted script's path, and its mapping

# The empty entry is the child's folder, where a `runtime` of the program's own may be.
_PROGRAM = """\
import sys; path = sys.path; sys.path = [*filter(None, path), {root!r}]; \
from rewriter.inherit import take_over; sys.path = path; take_over{arguments!r}; \
{program}"""


def inherited(program: str) -> str:
    """What a child runs for *program*, which begins with an import from ``multiprocessing``."""
    finders = [finder for finder in sys.meta_path if type(finder) is Finder]
    main = _main()
    if not finders and main is None:
        return program
    arguments = [_installed(finder) for finder in reversed(finders)], main
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    green = program.replace("from multiprocessing.", "from runtime.green.multiprocessing.", 1)
    return _PROGRAM.format(root=root, arguments=arguments, program=green)


def take_over(installed: list[Installed], main: Main | None) -> None:
    """In the child: install what is *installed* in the parent, the oldest first."""
    for converted, excluded, folders, (hidden, settings) in installed:
        activate(Scope(converted, excluded, folders), hidden=hidden, settings=Settings(*settings))
    if main is not None:
        from runtime.green.multiprocessing import spawn

        path, (hidden, arguments) = main
        vars(spawn)["runpy"] = _Runner(path, standard(shadowed=hidden, settings=Settings(*arguments)))


def _installed(finder: Finder) -> Installed:
    scope = finder.scope
    return sorted(scope.converted), sorted(scope.excluded), scope.folders, _view(finder.mapping)


def _main() -> Main | None:
    main = sys.modules.get("__main__")
    loader = getattr(main, "__loader__", None)
    if isinstance(loader, ConvertingLoader) and getattr(main, "__spec__", None) is None:
        return os.path.abspath(loader.path), _view(loader.mapping)
    return None  # plain, or found by its name


def _view(mapping: Mapping) -> View:
    from runtime.table import NAMES

    hidden = {name for name in NAMES if "." not in name} - mapping.modules
    return sorted(hidden), mapping.settings.arguments()


class _Runner:
    """``runpy``, as ``multiprocessing`` uses it, that converts the main script."""

    def __init__(self, path: str, mapping: Mapping) -> None:
        self._path = path
        self._mapping = mapping

    def run_path(self, path: str, *, run_name: str) -> dict[str, Any]:
        """Run the script at *path* and return its globals."""
        import runpy

        if not os.path.exists(path) or not os.path.samefile(path, self._path):
            return runpy.run_path(path, run_name=run_name)
        loader = ConvertingLoader(run_name, path, self._mapping)
        run: Any = runpy._run_module_code  # type: ignore[attr-defined]
        found: dict[str, Any] = run(loader.get_code(run_name), None, run_name, pkg_name="", script_name=path)
        found["__loader__"] = loader  # its own children are to find it
        return found

    def __getattr__(self, name: str) -> Any:
        import runpy

        return getattr(runpy, name)
