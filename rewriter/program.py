"""The program: run the target so that it cannot tell, and neither can who reads its traceback.

Modules and packages, folders and zips run through ``runpy._run_module_as_main``, the function that ``python
-m`` itself calls, so that ``__main__``, ``sys.argv`` and errors are its work.  A file or ``-c`` code runs
in a fresh ``__main__`` made like the interpreter's own.  Nothing of the rewriter stays behind as
``__main__``.

An exception of the program leaves through the interpreter, which prints it by ``sys.excepthook`` and sets the
exit code.  On its way out it collects frames of ours; so, at the last moment, after the program has ended, a
hook is put before the program's hook that takes them out.  Rejected: printing the traceback here and exiting
with 1 (not the interpreter's words when a hook fails, and Ctrl-C has to end by SIGINT); ``runpy.run_path``
(consults no finder).

Not hidden: ``inspect.stack()`` in the program ends in a few frames of ours.  Modules inside a zip run as they
are, only its ``__main__`` is converted.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from types import ModuleType

from rewriter import config, plugins
from rewriter.errors import RewriterError, RewriterWarning, refuse
from rewriter.finder import Finder
from rewriter.installation import activate, expand
from rewriter.loader import ConversionFailed, ConvertingLoader, converted_code, masked
from rewriter.mapping import Mapping, shadowed, top_level_names
from rewriter.options import Options
from rewriter.patched import ConvertedModule
from rewriter.scope import OWN, Scope, check_findable
from rewriter.target import Target, is_standard_target, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, TracebackType
    from typing import Any


def prepare(options: Options, at_start: frozenset[str]) -> Callable[[], None]:
    """Make the process ready for the program; what is returned runs it.  Raises RewriterError."""
    import_runtime()
    looked_in = [] if sys.flags.safe_path else [os.getcwd()]  # for a module
    sys.path[:0] = looked_in
    target = resolve(options.kind, options.target)
    del sys.path[: len(looked_in)]
    first = target.first_on_path
    if first is not None:
        sys.path.insert(0, first)
    places = [options, config.environment(), config.load(target.folder), plugins.rules()]
    hidden = shadowed(sys.path)
    standard = is_standard_target(target, hidden)
    scope = scope_of(target, places, hidden, standard=standard, with_deps=options.with_deps)
    finder = activate(scope, hidden=hidden, settings=config.settings(places)).finder
    sys.argv[:] = [target.first_argument, *options.arguments]
    if standard:
        sys.meta_path.insert(0, _Once(target, finder.mapping))
    give_back(first, at_start)
    run = runner(target, None if "__main__" in scope.excluded else finder.mapping)

    def run_or_refuse() -> None:
        try:
            run()
        except SystemExit as leaving:
            _refuse_missing_module(leaving)
            raise

    return run_or_refuse


def import_runtime() -> None:
    """Import our other half, and take what Python put first on ``sys.path`` for the rewriter off again.

    Never from the program's folder, which may have a ``runtime`` of its own.
    """
    if not sys.flags.safe_path and sys.path:
        del sys.path[0]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path.append(root)
    try:
        import runtime.table  # noqa: F401
    finally:
        sys.path.pop()


def scope_of(
    target: Target,
    places: Sequence[config.Config],
    hidden: frozenset[str],
    *,
    standard: bool,
    with_deps: bool = False,
) -> Scope:
    """What is converted for *target*; *hidden* are mapped names that the program has for itself.

    Raises RewriterError for a name that is none, or of nothing that can be converted.
    """
    converted: set[str] = set()
    own = target.own_modules()
    for place in places:
        where = place.where_is("convert")
        for name in sorted(expand(place.convert, where=where)):
            problem = check_findable(name, own=hidden | own.keys())
            if problem is not None:
                raise RewriterError(f"{where}{problem}")
            converted.add(name)
    if with_deps:
        converted |= _dependencies(target)
    if target.kind == "container":
        converted.add("__main__")
    elif target.kind == "module" and not standard:
        converted.add(target.name.partition(".")[0])
    return Scope(converted, config.excluded(places), own)


def _dependencies(target: Target) -> set[str]:
    """What the target's distribution declares, or else the ``[project]`` it stands in."""
    from rewriter.dependencies import packages_required, with_dependencies

    if target.kind == "module":
        top = target.name.partition(".")[0]
        try:
            return with_dependencies(top) - {top}
        except LookupError:
            pass
    path = config.nearest(target.folder)
    if path is not None:
        with open(path, "rb") as file:
            project = config.parsed(path, file.read()).get("project")
        if isinstance(project, dict):
            return packages_required([str(item) for item in project.get("dependencies", ())])
    raise RewriterError(
        "--with-deps: no installed distribution and no [project] in a pyproject.toml "
        f"declares the dependencies of {target.name}"
    )


class _Once(Finder):
    """Converts a module of the standard library for its run as ``__main__``, and never as an import."""

    inherited = False

    def __init__(self, target: Target, mapping: Mapping) -> None:
        self.name = f"{target.name}.__main__" if target.package else target.name
        super().__init__(Scope({self.name}), mapping)
        # Already imported by us, it would be taken from there.
        self._imported = sys.modules.pop(self.name, None)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        if self._imported is not None:
            sys.modules[fullname] = self._imported
        return super().find_spec(fullname, path, target)


def give_back(first: str | None, at_start: frozenset[str]) -> None:
    """Forget modules that we imported from elsewhere although the program has its own of that name.

    In plain Python ``import queue`` beside a ``queue.py`` finds that file.
    """
    import _imp

    folder = first if first is not None else None
    if folder is None or not os.path.isdir(folder or os.curdir):
        return
    own = top_level_names(folder or os.curdir)
    for name in own & OWN:
        if not _is_ours(name, folder):
            import warnings

            warnings.warn_explicit(
                f"`import {name}` finds the module of the unstall project, not the program's own",
                RewriterWarning,
                os.path.join(folder, name),
                1,
            )
    taken = own.intersection(sys.modules) - at_start - OWN - set(sys.builtin_module_names) - {"__main__"}
    for name in list(sys.modules):
        top = name.partition(".")[0]
        if top in taken and not _imp.is_frozen(top):
            del sys.modules[name]


def _is_ours(name: str, folder: str) -> bool:
    found = getattr(sys.modules.get(name), "__file__", None)
    return found is None or os.path.abspath(found).startswith(os.path.join(os.path.abspath(folder), ""))


# Running.


def runner(target: Target, mapping: Mapping | None) -> Callable[[], None]:
    """What runs *target*, a script or code converted by *mapping*, or plain; the finders see to everything else."""
    return lambda: _leave_cleanly(_run_as_main(target, mapping))


def _run_as_main(target: Target, mapping: Mapping | None) -> Callable[[], None]:
    import builtins

    main = ModuleType("__main__")
    main.__class__ = ConvertedModule
    main.__dict__["__builtins__"] = builtins
    if sys.version_info < (3, 14):
        main.__dict__.update(__annotations__={})
    from importlib.machinery import BuiltinImporter

    main.__loader__ = BuiltinImporter
    sys.modules["__main__"] = main
    if target.kind == "code":
        return _code_runner(target, main, mapping)
    if target.kind == "file":
        return _file_runner(target, main, mapping)
    from runpy import _run_module_as_main  # type: ignore[attr-defined]

    if target.kind == "container":
        return lambda: _run_module_as_main("__main__", False)
    return lambda: _run_module_as_main(target.name)


def _file_runner(target: Target, main: ModuleType, mapping: Mapping | None) -> Callable[[], None]:
    path = target.path
    loader: SourceFileLoader | SourcelessFileLoader
    if path.endswith(".pyc"):
        loader = SourcelessFileLoader("__main__", path)
    elif mapping is None:
        loader = SourceFileLoader("__main__", path)
    else:
        loader = ConvertingLoader("__main__", path, mapping)
    main.__loader__ = loader
    main.__dict__.update(__file__=path, __cached__=None)

    @masked
    def run() -> None:
        try:
            code: CodeType | None
            if type(loader) is SourceFileLoader:  # Python keeps no bytecode of a script
                code = loader.source_to_code(loader.get_data(path), path)
            else:
                code = loader.get_code("__main__")
        except Exception as error:  # a syntax error in a script has no traceback
            raise error.with_traceback(None)
        exec(code, main.__dict__)  # type: ignore[arg-type]
        # As the interpreter does when a script has come to its end.
        main.__dict__.pop("__file__", None)
        main.__dict__.pop("__cached__", None)

    return run


def _code_runner(target: Target, main: ModuleType, mapping: Mapping | None) -> Callable[[], None]:
    source = f"{target.name}\n"

    @masked
    def run() -> None:
        code = None
        try:
            if mapping is not None:
                code = converted_code(source, "<string>", mapping, module="__main__")
        except ConversionFailed as failure:
            failure.warn()
        if code is None:
            code = compile(source, "<string>", "exec", dont_inherit=True)
        if sys.version_info >= (3, 13):  # tracebacks show the code since then
            import linecache

            if hasattr(linecache, "_interactive_cache"):
                linecache._register_code(code, source, "<string>")  # type: ignore[attr-defined]
            else:  # 3.13.0
                linecache.cache["<string>"] = (len(source), None, source.splitlines(True), "<string>")
        exec(code, main.__dict__)

    return run


@masked
def _leave_cleanly(run: Callable[[], None]) -> None:
    """Run the program; what it raises passes through, and is shown without our frames."""
    try:
        run()
    except SystemExit:
        raise
    except BaseException:
        sys.excepthook = _Hook(sys.excepthook)
        raise


def _refuse_missing_module(leaving: SystemExit) -> None:
    """Say it in our own words when runpy itself, not the program, found that there is nothing to run."""
    trace = leaving.__traceback__
    last = None
    while trace is not None:
        last, trace = trace.tb_frame, trace.tb_next
    if last is not None and last.f_code.co_name == "_run_module_as_main" and isinstance(leaving.code, str):
        refuse(leaving.code.partition(": ")[2])


class _Hook:
    """Stands before the program's ``sys.excepthook`` for the one exception that ends it."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self._hook = hook

    def __call__(self, kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        sys.excepthook = self._hook
        from runtime.tracebacks import hide_frames

        value.__traceback__ = without_us(trace)
        hide_frames(value)
        sys.last_traceback = trace = value.__traceback__
        try:
            self._hook(kind, value, trace)
        except Exception as failure:  # what the interpreter does then, without our frame
            inner = failure.__traceback__.tb_next if failure.__traceback__ is not None else None
            print("Error in sys.excepthook:", file=sys.stderr)
            sys.__excepthook__(type(failure), failure.with_traceback(inner), inner)
            print("\nOriginal exception was:", file=sys.stderr)
            sys.__excepthook__(kind, value, trace)


def without_us(trace: TracebackType | None) -> TracebackType | None:
    """*trace* from the program's first frame on."""
    while trace is not None and trace.tb_frame.f_globals is not globals():
        trace = trace.tb_next
    while trace is not None and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    return trace
