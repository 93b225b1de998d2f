"""Children of ``subprocess``, ``os.posix_spawn``, ``os.spawn*`` and ``os.exec*`` convert what their parent converts.

Where converted code starts this very interpreter, its arguments are exchanged at the last moment:

    python -u -m app.worker 1    becomes    python -u -c PROGRAM -m app.worker 1

PROGRAM installs what is installed here, and goes on as the interpreter would have with the words behind it.  The module
or script that is run is converted if it is in scope, and so is what is in scope and imported, by whatever it is.  All
of it can be read in the child's command line; its children inherit from it.

Nothing is exchanged for ``-m`` and a module out of scope, for options that are not known to change nothing here, for an
interactive child or one that reads its program from standard input, for another interpreter, and for a shell.  In doubt
a child becomes what it was to be: where anything fails before the program begins (the rewriter is not there for it, the
script is missing), PROGRAM executes the interpreter once more with the original words.

Rejected: an environment variable with a ``.pth`` file that reads it (plain grandchildren would see it, and ``env={}``
would not); ``-m rewriter`` with options (found on the child's own path, and its error messages are not Python's).
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident

from rewriter import plugins, program
from rewriter.inherit import installed_finders
from rewriter.installation import activate
from rewriter.mapping import shadowed
from rewriter.scope import Scope, find_quietly
from rewriter.settings import Settings
from rewriter.target import Target, is_zip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from rewriter.finder import Finder

    # A scope, where its packages are, and the settings.  Paths are bytes, since the child may have another encoding.
    Installed = tuple[list[str], list[str], dict[str, bytes], dict[str, bytes], tuple[Any, ...]]

_PROGRAM = """\
import sys; start = frozenset(sys.modules); import os; path = sys.path
sys.path = [*filter(None, path), os.fsdecode({root})]
try: from rewriter.children import resumed; run = resumed(start, path, {options!a}, {installed!a})
except Exception: os.execv({executable}, [{name}, *{options!a}, *sys.argv[1:]])
run()
"""
_LONGEST = 100_000  # bytes; Linux takes 128 KiB for one argument (MAX_ARG_STRLEN)

# The interpreter's options without a value with which nothing changes here; W and X have one.  Others are left alone:
# they ask for an interactive child (i), show something and end (V, h, ?), skip a line of the script (x), trace (v, d).
_SWITCHES = frozenset("bBEIOPqsSu")


# In the parent.


def exchanged(path: Any, arguments: Any) -> Any:
    """The arguments that the program at *path* (or the one of a tuple) is started with in place of *arguments*."""
    try:
        finders = [finder for finder in installed_finders() if finder.mapping.settings.children]
        return _exchanged(path, arguments, finders) if finders else arguments
    except Exception:  # whatever is wrong with them, who starts the program says it better
        return arguments


def _exchanged(path: Any, arguments: Sequence[Any], finders: list[Finder]) -> Sequence[Any]:
    if isinstance(path, tuple):
        (path,) = path
    executable, name = os.fsdecode(path), os.fsdecode(arguments[0])
    words = [os.fsdecode(word) for word in arguments[1:]]
    split = _split(words) if _is_this_interpreter(executable) else None
    if split is None:
        return arguments
    options, rest = split
    if rest[0] == "-m" and not any(finder.scope.covers(rest[1]) for finder in finders):
        return arguments
    if rest[0] == "-c":
        rest[1].encode()  # if that fails, Python is to say what is wrong with it
    text = _PROGRAM.format(
        root=os.fsencode(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
        executable=os.fsencode(executable),
        name=os.fsencode(name),
        options=options,
        installed=[_installed(finder, is_script=rest[0] not in ("-m", "-c")) for finder in finders],
    )
    if len(text.encode()) > _LONGEST:
        return arguments
    return [arguments[0], *options, "-c", text, *rest]


def _is_this_interpreter(executable: str) -> bool:
    """Whether *executable* is in this interpreter's environment: in the same folder, under any of its names."""
    if executable == sys.executable:
        return bool(executable)
    own = os.path.dirname(sys.executable)
    return os.path.dirname(executable) == own != "" and os.path.samefile(executable, sys.executable)


def _split(words: list[str]) -> tuple[list[str], list[str]] | None:
    """The interpreter's options, and from the target on the rest; None for words that are to be left alone."""
    options: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "-":
            return None
        if not word.startswith("-"):
            return options, [word, *words[index:]]
        for place, letter in enumerate(word[1:], 1):
            if letter in _SWITCHES:
                continue
            value = word[place + 1 :]
            if letter not in "cmWX" or (not value and index == len(words)):
                return None
            apart = [] if value else [words[index]]
            index += len(apart)
            if letter in "cm":
                options += [word[:place]] if place > 1 else []
                return options, [f"-{letter}", *(apart or [value]), *words[index:]]
            options += [word, *apart]
            break
        else:
            options.append(word)
    return None


def _installed(finder: Finder, *, is_script: bool) -> Installed:
    scope = finder.scope
    tops = {name.partition(".")[0] for name in scope.named} - {"__main__"}
    homes = {top: home for top in sorted(tops) if (home := _home(top))} if is_script else {}
    settings = finder.mapping.settings.arguments()
    return sorted(scope.named), sorted(scope.excluded), _encoded(scope.folders), _encoded(homes), settings


def _encoded(paths: dict[str, str]) -> dict[str, bytes]:
    return {name: os.fsencode(path) for name, path in paths.items()}


def _decoded(paths: dict[str, bytes]) -> dict[str, str]:
    return {name: os.fsdecode(path) for name, path in paths.items()}


def _home(top: str) -> str:
    """The folder in which the package or module called *top* is, if it is in one."""
    module = sys.modules.get(top)
    spec = getattr(module, "__spec__", None) if module is not None else find_quietly(top)
    if spec is None:
        return ""
    places = list(spec.submodule_search_locations or ()) or ([spec.origin] if spec.has_location else [])
    return os.path.realpath(os.path.dirname(places[0])) if places and places[0] else ""


# In the child.


def resumed(
    at_start: frozenset[str], path: list[str], options: list[str], installed: list[Installed]
) -> Callable[[], None]:
    """Make the process what its parent is; what is returned runs what the words in ``sys.argv`` mean.

    Args:
        at_start: the modules that Python itself had imported.
        path: the child's own ``sys.path``; now it leads to this project as well.
        options: the interpreter's.
        installed: what the parent has.

    Raises:
        Exception: in any case of doubt, before anything of the program was run.
    """
    words = sys.argv[1:]
    target = _target(words)
    clean, sys.path = sys.path, path
    if not sys.flags.safe_path:
        del path[0]
    first = target.first_on_path
    if first is not None:
        path.insert(0, first)
    later = _Later(first, path, clean)
    owners = []
    for converted, excluded, folders, homes, settings in installed:
        scope = Scope(converted, excluded, _decoded(folders))
        owners.append(_is_own(target, scope, {**_decoded(homes), **scope.folders}))
        if target.kind == "container":
            scope.converted = scope.converted - {"__main__"} | ({"__main__"} if owners[-1] else set())
        later.add(scope, Settings(*settings))
    sys.meta_path.insert(0, later)
    mapping = None
    if any(owners) or target.kind == "module":
        for finder, owns in zip(later.prepare(), owners, strict=True):
            mapping = finder.mapping if owns else mapping
    sys.argv[:] = [target.first_argument, *words[1 if target.kind in ("file", "container") else 2 :]]
    sys.orig_argv[1:] = [*options, *words]
    program.give_back(first, at_start)
    return program.runner(target, mapping)


class _Later:
    """Stands for the finders in a child whose main module is plain, until it imports something that is converted.

    So a child that needs nothing of all this has neither its descriptors nor its modules.  What is first imported on
    another thread than the main one stays plain: the runtime has to be started on that.
    """

    def __init__(self, first: str | None, path: list[str], clean: list[str]) -> None:
        self._first = first  # on the program's path, which is here as it was at the start
        self._path = path.copy()
        self._clean = clean  # leads to this project, and to nothing of the program's folder
        self._thread = get_ident()
        self._installed: list[tuple[Scope, Settings]] = []

    def add(self, scope: Scope, settings: Settings) -> None:
        """Have a finder for *scope* in place then, newer than those before."""
        self._installed.append((scope, settings))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if get_ident() != self._thread or not any(scope.covers(fullname) for scope, _ in self._installed):
            return None
        try:
            finders = self.prepare()
        except Exception:  # what the rewriter needs is not there: all stays plain
            return None
        specs = (finder.find_spec(fullname, path, target) for finder in reversed(finders))
        return next((spec for spec in specs if spec is not None), None)

    def prepare(self) -> list[Finder]:
        """Put the finders in place; the newest comes last."""
        sys.meta_path.remove(self)
        before = frozenset(sys.modules)
        path, sys.path = sys.path, self._clean
        try:
            import runtime.table  # noqa: F401
        finally:
            sys.path = path
        plugins.rules()
        hidden = shadowed(self._path)
        finders = [
            activate(scope, hidden=hidden, settings=settings).finder for scope, settings in self._installed
        ]
        program.give_back(self._first, before)
        return finders


def _target(words: list[str]) -> Target:
    if words[0] == "-c":
        return Target("code", words[1])
    if words[0] == "-m":
        return Target("module", words[1])
    name = words[0]
    if os.path.isdir(name):
        os.stat(os.path.join(name, "__main__.py"))
        return Target("container", name)
    if not os.path.isfile(name):
        raise FileNotFoundError(name)
    return Target("container" if is_zip(name) else "file", name)


def _is_own(target: Target, scope: Scope, homes: dict[str, str]) -> bool:
    """Whether a script, folder or zip is what *scope* converts: by the name that it has as a module.

    homes: where the top-level packages of the scope are.  A script that stands in a folder whose modules are converted
    is converted, too, whatever it is called.
    """
    if target.kind not in ("file", "container") or "__main__" in scope.excluded:
        return False
    path = os.path.realpath(target.path)
    if target.kind == "container":
        if not os.path.isdir(path):
            return os.path.dirname(path) in scope.folders.values() and "__main__" in scope.converted
        path = os.path.join(path, "__main__.py")
    folder, file = os.path.split(path)
    name = file.partition(".")[0]
    if folder in map(os.path.realpath, scope.folders.values()) and name not in scope.excluded:
        return True
    while folder != os.path.dirname(folder):
        top = name.partition(".")[0]
        if scope.covers(name) and os.path.realpath(homes.get(top, "")) == folder:
            return True
        folder, part = os.path.split(folder)
        name = f"{part}.{name}"
    return False
