"""An installation: one finder on ``sys.meta_path``, and the way to take it off again.

Both ``rewriter.install`` and the command line end here.  Installations stack: the newest is asked first, and
each passes on what its own scope does not cover.
"""

from __future__ import annotations

import os
import sys

from rewriter import plugins
from rewriter.config import KEYS, environment, excluded, given, load
from rewriter.config import settings as settings_of
from rewriter.errors import RewriterError, RewriterWarning
from rewriter.finder import Finder
from rewriter.mapping import shadowed, standard
from rewriter.scope import Scope, check_findable, check_name
from rewriter.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any, Literal

    from rewriter.mapping import Mapping


class Installation:
    """The handle of one installed finder."""

    def __init__(self, finder: Finder) -> None:
        self.finder = finder

    def __repr__(self) -> str:
        state = "installed" if self.installed else "uninstalled"
        return f"<rewriter.Installation {state}, {self.finder.scope!r}>"

    @property
    def installed(self) -> bool:
        """Whether imports are still converted by this installation."""
        return self.finder in sys.meta_path

    def uninstall(self) -> None:
        """End the conversion of further imports; what was imported stays converted.  Twice is fine."""
        if self.installed:
            sys.meta_path.remove(self.finder)

    def __enter__(self) -> Installation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.uninstall()


def install(packages: Iterable[str], **asked: Any) -> Installation:
    """See ``rewriter.install``: *asked* are the keys of `config.KEYS` besides ``convert``."""
    arguments = given({"convert": packages, **asked})
    places = [arguments]
    if not arguments.convert:
        places += [environment(), load(os.curdir)]
    places.append(plugins.rules())
    own = shadowed(sys.path)
    converted: set[str] = set()
    for place in places:
        where = "" if place is arguments else place.where_is("convert")
        converted |= expand(place.convert, where=where)
    if not converted:
        raise RewriterError(
            f"nothing to convert: name a package, or set convert in [tool.rewriter] or {KEYS['convert'].variable}"
        )
    for name in sorted(converted):
        problem = check_findable(name, own=own)
        if problem is not None and "standard library" in problem:
            raise RewriterError(problem)
        if problem is not None:
            _warn(problem)
    installation = activate(Scope(converted, excluded(places)), hidden=own, settings=settings_of(places))
    missed = late(installation.finder)
    if missed:
        _warn(f"imported before the rewriter was installed, so not converted: {', '.join(missed)}")
    return installation


def activate(
    scope: Scope,
    *,
    hidden: Iterable[str] = (),
    settings: Settings | None = None,
    kind: Callable[[Scope, Mapping], Finder] = Finder,
) -> Installation:
    """Put a finder for *scope*, made by *kind*, first, and prepare the process for converted code."""
    import runtime.imports  # which loaders need: no import of the program's is to pay for it
    from rewriter.inherit import inherited
    from runtime import monitor
    from runtime.start import prepare_children

    settings = settings or Settings()
    plugins.rules()
    mode: Literal["tasklet", "native"] = "native" if settings.threads == "native" else "tasklet"
    try:
        runtime.start(threads=mode)
    except RuntimeError as error:  # an earlier installation chose the other kind of threads
        raise RewriterError(str(error)) from None
    if settings.monitor_ms is not None:
        monitor.report_after(settings.monitor_ms / 1000)
    finder = kind(scope, standard(shadowed=hidden, settings=settings))
    sys.meta_path.insert(0, finder)
    prepare_children(inherited, _exchanged)
    return Installation(finder)


def _exchanged(path: Any, arguments: Any) -> Any:
    from rewriter.children import exchanged

    return exchanged(path, arguments)


def expand(asked: Iterable[str], *, where: str = "") -> set[str]:
    """Names with ``+deps`` resolved.  Raises RewriterError for a name that is none or has no distribution."""
    names: set[str] = set()
    for name in asked:
        plain = name.removesuffix("+deps")
        check_name(plain, where=where)
        if plain == name:
            names.add(name)
            continue
        from rewriter.dependencies import with_dependencies

        try:
            names |= with_dependencies(plain)
        except LookupError:
            problem = check_findable(plain) or "no installed distribution provides it, so none are declared"
            raise RewriterError(f"{where}{name}: {problem}") from None
    return names


def late(finder: Finder) -> list[str]:
    """The modules in the scope of *finder* that have been imported already, and not been converted."""
    return sorted(name for name in sys.modules if _is_late(name, finder))


def _is_late(name: str, finder: Finder) -> bool:
    from rewriter.loader import ConvertingLoader

    if name == "__main__" or not finder.scope.covers(name):
        return False
    spec = getattr(sys.modules[name], "__spec__", None)
    return not isinstance(getattr(spec, "loader", None), ConvertingLoader)


def _warn(message: str) -> None:
    import warnings

    warnings.warn(message, RewriterWarning, stacklevel=4)
