"""Twins: counterparts made by running a pure-Python standard module's own code once more.

The code object is the stock one; only its globals differ.  Their private ``__builtins__`` hold an ``__import__`` that
gives counterparts and a ``__build_class__`` that decides which classes are the original's and which derive from them
(`runtime.classes`).

A twin owns its module globals.  Nothing that reads or writes them is shared, since an ``install_opener`` shared with
the original would set a variable that the twin's ``urlopen`` never reads.

`Finder` makes ``runtime.green.<name>`` importable for every name of the standard library below a row of the table;
a module without a row is the plain one.
"""

from __future__ import annotations

import atexit
import builtins
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, ModuleType

from runtime.classes import Classes
from runtime.hub import existing_hub
from runtime.modules import of
from runtime.start import arguments_of_child
from runtime.table import BUILTINS, GUARDED, MODULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PREFIX = "runtime.green."


def counterpart(name: str) -> ModuleType:
    """What converted code gets for the standard module *name*: its counterpart, or itself if it has none."""
    full = PREFIX + name if name.partition(".")[0] in MODULES else name
    module = sys.modules.get(full)
    if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
        return module  # what C code does first, too; an import within a function comes here at each call
    return importlib.import_module(full)


def import_counterpart(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """``__import__`` for converted code: absolute imports of standard modules give counterparts."""
    if level or type(name) is not str:
        return _import(name, globals, locals, fromlist or (), level)
    top = name.partition(".")[0]
    if top not in MODULES or top in GUARDED:
        return _import(name, globals, locals, fromlist or (), 0)
    return _imported(name, fromlist)


def import_in_twin(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """``__import__`` for twins: as `import_counterpart`, also of what stands beside one, and of ``builtins``."""
    importer = "" if globals is None else globals["__name__"]
    if level:
        assert globals is not None
        name = importlib.import_module("importlib.util").resolve_name(
            "." * level + name, globals["__package__"]
        )
    top = name.partition(".")[0]
    if name == "builtins":
        return importlib.import_module(PREFIX + name)
    if top not in MODULES or (top in GUARDED and importer not in GUARDED[top][1]):
        return _import(name, globals, locals, fromlist or (), 0)
    return _imported(name, fromlist)


def _imported(name: str, fromlist: Sequence[str] | None) -> ModuleType:
    module = counterpart(name)
    if not fromlist:
        top = name.partition(".")[0]
        return module if top == name else counterpart(top)
    for attribute in fromlist:
        if f"{name}.{attribute}" in MODULES:
            counterpart(f"{name}.{attribute}")
    return module


_import = builtins.__import__


class _TwinLoader:
    """Runs a standard module's code again."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        name = module.__spec__.name.removeprefix(PREFIX)
        original = importlib.import_module(name)
        assert original.__spec__ is not None
        assert original.__spec__.loader is not None
        code: CodeType | None = original.__spec__.loader.get_code(name)  # type: ignore[attr-defined]
        if code is None:
            raise ImportError(f"no code to make a twin of {name!r}", name=name)
        namespace = vars(module)
        private = dict(vars(builtins))
        for builtin, place in BUILTINS.items():
            where, _, attribute = place.rpartition(".")
            if builtin != "__import__":
                private[builtin] = getattr(importlib.import_module(where), attribute)
        private["__import__"] = import_in_twin
        classes = Classes(original, code, namespace)
        private["__build_class__"] = classes
        if classes.asks:
            private["isinstance"] = classes.isinstance
        namespace["__builtins__"] = private
        for attribute in ("__name__", "__package__", "__file__", "__cached__"):
            if attribute in vars(original):
                namespace[attribute] = vars(original)[attribute]
        exec(code, namespace)
        classes.share_data()
        if hasattr(original, "__path__"):
            _load_lazily(namespace, name)
        module.__class__ = of(original)
        after = _AFTER.get(name)
        if isinstance(after, str):
            where, _, attribute = after.rpartition(".")
            after = getattr(importlib.import_module(where), attribute)
        if after is not None:
            after(namespace, original)


def _load_lazily(namespace: dict[str, Any], package: str) -> None:
    """Have a twin's submodules loaded when somebody asks for them."""
    own = namespace.get("__getattr__")

    def __getattr__(name: str) -> Any:
        if own is not None:
            try:
                return own(name)
            except AttributeError:
                pass
        if not name.startswith("__"):
            try:
                return importlib.import_module(f"{PREFIX}{package}.{name}")
            except ModuleNotFoundError:
                pass
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    namespace["__getattr__"] = __getattr__


class _PlainLoader:
    """Gives the plain module: the one in ``sys.modules`` takes the place of the empty one that was made for it."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        name = module.__spec__.name
        sys.modules[name] = plain = importlib.import_module(name.removeprefix(PREFIX))
        if hasattr(plain, "__path__"):
            _plain.add(name)
            if Below not in sys.meta_path:  # not before: each finder is asked about each module
                others = sys.meta_path
                others.insert(others.index(PathFinder) if PathFinder in others else 0, Below)


_plain: set[str] = set()  # names under which there is the plain package


class Below:
    """Finds what is below a plain package under a counterpart's name.

    That package's own path would lead to its files, which would be executed once more.
    """

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname.startswith(PREFIX) and fullname.rpartition(".")[0] in _plain:
            return Finder.find_spec(fullname)
        return None


class Finder:
    """Finds ``runtime.green.*`` where there is no file: twins and plain modules."""

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not fullname.startswith(PREFIX):
            return None
        name = fullname.removeprefix(PREFIX)
        loader: Any = _loader(MODULES.get(name))
        original = importlib.import_module(name)
        return ModuleSpec(fullname, loader, is_package=hasattr(original, "__path__"))


def _loader(kind: str | None) -> Any:
    if kind == "twin":
        return _TwinLoader()
    if kind == "offloads":
        from runtime.offloads import Loader

        return Loader()
    return _PlainLoader()


def _join_at_exit(namespace: dict[str, Any], original: ModuleType) -> None:
    """The end of the program waits for the twin's non-daemon threads, as it does for the original's.

    ``_register_atexit`` of the original runs before it joins its own threads.
    """
    original._register_atexit(namespace["_shutdown"])
    atexit.register(_end_locals)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _make_main(namespace))


def _make_main(namespace: dict[str, Any]) -> None:
    """In a forked child the tasklet that forked is the main thread, with a native identifier of its own.

    The versions before 3.12.2 let one that `threading` did not start stay a dummy, which `_shutdown` fails on.
    """
    if type(namespace["_main_thread"]) is namespace["_DummyThread"]:
        namespace["_active"].clear()
        namespace["_main_thread"] = namespace["_MainThread"]()
    elif namespace["_HAVE_THREAD_NATIVE_ID"]:
        namespace["_main_thread"]._set_native_id()


def _end_locals() -> None:
    """What ``threading.local`` objects hold for daemon threads ends while there are still modules."""
    hub = existing_hub()
    for tasklet in list(hub.tasklets) if hub is not None else ():
        tasklet.locals = None


def _pass_over_frames(namespace: dict[str, Any], original: ModuleType) -> None:
    """What is shown of an error, or of a stack, is what plain Python would show."""
    from runtime.disguise import disguise
    from runtime.tracebacks import frames_outward, without_us

    walk, walk_with_positions = namespace["walk_tb"], namespace["_walk_tb_with_full_positions"]

    def walk_stack(f: Any) -> Any:
        if f is None:  # who asked `StackSummary.extract`, which asks two others
            f = sys._getframe().f_back.f_back.f_back.f_back  # type: ignore[union-attr]
        for frame in frames_outward(f):
            yield frame, frame.f_lineno

    def walk_tb(tb: Any) -> Any:
        return walk(without_us(tb))

    def _walk_tb_with_full_positions(tb: Any) -> Any:
        return walk_with_positions(without_us(tb))

    for function in (walk_stack, walk_tb, _walk_tb_with_full_positions):
        disguise(function, namespace[function.__name__])
        namespace[function.__name__] = function


def _exclude_tasklets(namespace: dict[str, Any], original: ModuleType) -> None:
    """A handler that waits keeps other tasklets out: a plain RLock would let in those of its OS thread."""
    from runtime.lock import RLock

    logging = importlib.import_module("logging")

    def createLock(self: Any) -> None:
        self.lock = RLock()
        logging._register_at_fork_reinit_lock(self)

    for kind in list(namespace.values()):
        if isinstance(kind, type) and issubclass(kind, logging.Handler):
            kind.createLock = createLock  # type: ignore[attr-defined]


def _prepare_programs(namespace: dict[str, Any], original: ModuleType) -> None:
    """Programs get what a process that converts hands on; `os` sees to those that ``posix_spawn`` starts."""
    fork_exec = namespace.get("_fork_exec")
    if fork_exec is None:  # a system without processes
        return

    def _fork_exec(arguments: Any, path: Any, *rest: Any) -> int:
        started: int = fork_exec(arguments_of_child(path, arguments), path, *rest)
        return started

    namespace["_fork_exec"] = _fork_exec


# What is done to a new twin, given its namespace and its original; a string says where that is found.
_AFTER: dict[str, str | Callable[[dict[str, Any], ModuleType], None]] = {
    "email.utils": "runtime.headers.remember_date",
    "http.client": "runtime.headers.shorten",
    "logging.handlers": _exclude_tasklets,
    "queue": "runtime.queues.hasten",
    "subprocess": _prepare_programs,
    "threading": _join_at_exit,
    "traceback": _pass_over_frames,
}


def install() -> None:
    """Put the finder behind all others: files in ``runtime/green`` come first."""
    if not any(isinstance(finder, type) and finder is Finder for finder in sys.meta_path):
        sys.meta_path.append(Finder)
