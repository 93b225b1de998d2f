"""The sources of a target that is looked at, not run: where they are, and what conversion makes of each.

Nothing of the target is imported.  A module or package is found as ``import`` finds it; of a script, the modules beside
it count that it imports, directly or not; of a folder, everything in it.  Folders whose names begin with a dot,
virtual environments and ``__pycache__`` are passed over.
"""

from __future__ import annotations

import ast
import os
import sys

from rewriter import config, plugins, program
from rewriter.conversion import Conversion, convert
from rewriter.errors import RewriterError
from rewriter.mapping import Mapping, shadowed, standard
from rewriter.scope import Scope, find_quietly
from rewriter.target import Target, is_standard_target, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rewriter.options import Options
    from rewriter.settings import Settings


class Unreadable(Exception):
    """A source that cannot be converted: *line* of *path*, or 0, and what is wrong there."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path = path
        self.line = line
        self.message = message


class Source:
    """One file of Python: the module's *name*, its *path*, and where it is in its *tree*.

    shown: the path, relative to the current folder if it is below that.
    """

    __slots__ = ("name", "path", "relative", "shown")

    def __init__(self, name: str, path: str, relative: str) -> None:
        self.name = name
        self.path = path
        self.relative = relative
        self.shown = shown(path)

    @property
    def package(self) -> str:
        """Where the module's relative imports start."""
        is_package = os.path.basename(self.path) == "__init__.py"
        return self.name if is_package else self.name.rpartition(".")[0]

    def read(self) -> bytes:
        """What stands in the file.  Raises Unreadable."""
        try:
            with open(self.path, "rb") as file:
                return file.read()
        except OSError as error:
            raise Unreadable(self.shown, 0, error.strerror or str(error)) from None

    def converted(self, mapping: Mapping) -> Conversion:
        """What becomes of it.  Raises Unreadable."""
        import warnings

        data = self.read()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                # Some errors are found by the compiler only.
                compile(data, self.shown, "exec", dont_inherit=True)
                return convert(data, self.shown, mapping, package=self.package)
            except SyntaxError as error:
                raise Unreadable(self.shown, error.lineno or 0, f"syntax error: {error.msg}") from None
            except (ValueError, RecursionError, MemoryError) as error:  # a null byte; too deep
                raise Unreadable(self.shown, 0, str(error)) from None
            except Exception as error:
                raise Unreadable(self.shown, 0, f"the rewriter failed on it: {error}") from None


class Tree:
    """A file or folder of sources: *path*, where it belongs below the output, and the *name* of its module.

    The name of a folder of top-level modules is empty.
    """

    __slots__ = ("name", "path", "relative")

    def __init__(self, name: str, path: str, relative: str) -> None:
        self.name = name
        self.path = path
        self.relative = relative

    def files(self, leave_out: str = "") -> Iterator[tuple[str, str]]:
        """All files, each with where it is below the output, in order; not those in the folder *leave_out*."""
        if os.path.isfile(self.path):
            yield self.path, self.relative
            return
        for folder, names, files in os.walk(self.path):
            names[:] = sorted(name for name in names if _is_entered(os.path.join(folder, name), leave_out))
            for file in sorted(files):
                path = os.path.join(folder, file)
                below = os.path.relpath(path, self.path)
                if os.path.isfile(path) and not file.endswith((".pyc", ".pyo")):
                    yield path, os.path.normpath(os.path.join(self.relative, below))

    def module(self, path: str) -> str:
        """The name of the module in the file at *path*, in here."""
        if path == self.path:
            return self.name
        below = os.path.relpath(path, self.path).removesuffix(".py")
        parts = [part for part in (self.name, *below.split(os.sep)) if part]
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        return ".".join(parts)


class Program:
    """A target with what its configuration says.

    trees: the target's own files.
    """

    def __init__(self, options: Options) -> None:
        program.import_runtime()
        self.target, self.root = _found(options)
        if self.root is not None:
            sys.path.insert(0, self.root)
        folder = os.path.abspath(options.target) if os.path.isdir(options.target) else self.target.folder
        places = [options, config.environment(), config.load(folder), plugins.rules()]
        hidden = shadowed(sys.path)
        if options.seen == "--eject":  # what is written knows of no plug-in
            hidden |= plugins.counterparts()
        if is_standard_target(self.target, hidden):
            raise RewriterError(
                f"{self.target.name} is part of the standard library, which is never converted in place"
            )
        self.scope: Scope = program.scope_of(
            self.target, places, hidden, standard=False, with_deps=options.with_deps
        )
        self.settings: Settings = config.settings(places)
        self.mapping: Mapping = standard(shadowed=hidden, settings=self.settings)
        self.trees: list[Tree] = _trees(self.target, self.scope)
        if not self.trees:
            raise RewriterError(f"{self.target.name} has no Python source")

    def covers(self, name: str, path: str) -> bool:
        """Whether the module called *name*, found at *path*, is converted."""
        if name == "__main__":
            return name not in self.scope.excluded
        return self.scope.covers(name) and self.scope.admits(name, path)

    def sources(self) -> list[Source]:
        """The modules of the target that are converted, in order."""
        found: dict[str, Source] = {}
        for tree in self.trees:
            for path, relative in tree.files():
                if path.endswith((".py", ".pyw")) or path == tree.path:
                    name = tree.module(path)
                    if self.covers(name, path):
                        found.setdefault(os.path.realpath(path), Source(name, path, relative))
        return sorted(found.values(), key=lambda source: source.shown.split(os.sep))


def shown(path: str) -> str:
    """*path* as it is reported: relative to the current folder, if it is below that."""
    absolute = os.path.abspath(path)
    here = os.path.join(os.getcwd(), "")
    return absolute.removeprefix(here) if absolute.startswith(here) else absolute


def _found(options: Options) -> tuple[Target, str | None]:
    """The target, and what stands first on ``sys.path`` for it."""
    word = options.target
    here = [os.getcwd()]
    sys.path[:0] = here
    try:
        is_module = all(part.isidentifier() for part in word.split(".")) and find_quietly(word) is not None
        if options.kind == "target" and not is_module and os.path.isdir(word):
            folder = os.path.abspath(word)
            if os.path.isfile(os.path.join(folder, "__init__.py")):
                name = os.path.basename(folder)
                above = os.path.dirname(folder)
                while os.path.isfile(os.path.join(above, "__init__.py")):
                    name = f"{os.path.basename(above)}.{name}"
                    above = os.path.dirname(above)
                return Target("module", name, package=True), above
            return Target("container", word), folder
        target = resolve(options.kind, word)
    finally:
        del sys.path[: len(here)]
    source = target.kind == "module" or (target.kind == "file" and os.path.isfile(word))
    if not source or word.endswith(".pyc"):
        raise RewriterError(f"{options.seen} takes a module, a file of Python source or a folder, not {word}")
    first = target.first_on_path
    return target, os.path.abspath(first) if first is not None else os.getcwd()


def _trees(target: Target, scope: Scope) -> list[Tree]:
    if target.kind == "module":
        return trees_of(target.name)
    if target.kind == "container":
        return [Tree("", os.path.abspath(target.name), "")]
    path = os.path.realpath(target.name) if os.path.isfile(target.name) else target.path
    script = Tree("__main__", path, os.path.basename(path))
    found: dict[str, list[Tree]] = {}
    waiting = [script]
    while waiting:
        for name in _imported(waiting.pop()):
            if name not in found and name in scope.folders:
                found[name] = _beside(name, scope.folders[name])
                waiting += found[name]
    return [script, *(tree for name in sorted(found) for tree in found[name])]


def trees_of(name: str) -> list[Tree]:
    """Where the module or package called *name* is; nothing if it has no source."""
    spec = find_quietly(name)
    below = os.path.join(*name.split("."))
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        folders = [os.path.abspath(folder) for folder in spec.submodule_search_locations]
        return [Tree(name, folder, below) for folder in folders if os.path.isdir(folder)]
    if spec.origin is None or not spec.origin.endswith(".py"):
        return []
    return [Tree(name, os.path.abspath(spec.origin), f"{below}.py")]


def _beside(name: str, folder: str) -> list[Tree]:
    """The module or package called *name* in *folder*."""
    path = os.path.join(folder, name)
    if os.path.isfile(os.path.join(path, "__init__.py")):
        return [Tree(name, path, name)]
    if os.path.isfile(f"{path}.py"):
        return [Tree(name, f"{path}.py", f"{name}.py")]
    return [Tree(name, path, name)] if os.path.isdir(path) else []


def _imported(tree: Tree) -> set[str]:
    """The top-level names that the modules of *tree* import."""
    names: set[str] = set()
    for path, _ in tree.files():
        if path.endswith((".py", ".pyw")) or path == tree.path:
            try:
                parsed = ast.parse(Source("", path, "").read())
            except (SyntaxError, ValueError, RecursionError, Unreadable):
                continue  # reported by whoever converts it
            for node in ast.walk(parsed):
                if isinstance(node, ast.Import):
                    names.update(alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    names.add(node.module.partition(".")[0])
    return names


def _is_entered(folder: str, leave_out: str) -> bool:
    name = os.path.basename(folder)
    if name.startswith(".") or name == "__pycache__" or os.path.islink(folder):
        return False
    if os.path.exists(os.path.join(folder, "pyvenv.cfg")):
        return False
    return not leave_out or os.path.abspath(folder) != leave_out
