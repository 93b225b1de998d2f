"""Plug-ins: what an installed distribution says about modules that are not converted, its own or another's.

A distribution with an entry point in the group ``rewriter.rules`` names an object (a module, most simply) with any of

    counterparts    {"slowdb": "slowdb_unstall.green"}: what stands for a module in converted code
    offload         ["slowdb.vacuum"]: functions and methods that converted code calls on worker threads
    exclude         ["slowdb.native"]: modules that stay as they are, unless the program names them itself

The object is imported before anything is converted.  One that cannot be used is named in a warning, and is not used.

The group is looked for in the bytes of each ``entry_points.txt`` on ``sys.path``.  Rejected: importlib.metadata, which
takes 30 ms to import, in a program that may have no plug-in at all.
"""

from __future__ import annotations

import os
import sys

from rewriter.config import KEYS, Config
from rewriter.errors import RewriterWarning
from rewriter.scope import OWN, is_standard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

GROUP = "rewriter.rules"
_FOLDERS = (".dist-info", ".egg-info")

_installed: Config | None = None


def rules() -> Config:
    """What all plug-ins ask for, as the last place of the configuration; their counterparts are there from now on."""
    global _installed
    if _installed is None:
        _installed = Config(lambda key: f"plug-in: {key.name}")
        for plugin in sorted(_found()):
            try:
                _use(plugin, _installed)
            except Exception as error:
                _warn(f"the plug-in {plugin} cannot be used: {type(error).__name__}: {error}")
    return _installed


def counterparts() -> frozenset[str]:
    """The top-level modules for which plug-ins have counterparts."""
    foreign = sys.modules.get("runtime.foreign")
    return (
        frozenset(name.partition(".")[0] for name in foreign.FOREIGN) if foreign is not None else frozenset()
    )


class _Plugin(tuple[str, str, str]):
    """The name of an entry point, the place of its object and the distribution it belongs to."""

    __slots__ = ()

    def __str__(self) -> str:
        name, place, distribution = self
        return f"{name} ({place}, of {distribution})"


def _found() -> Iterator[_Plugin]:
    seen = set()
    for entry in sys.path:
        try:
            names = os.listdir(entry or os.curdir)
        except OSError:
            continue
        for name in names:
            if not name.endswith(_FOLDERS):
                continue
            distribution = name.rpartition(".")[0].partition("-")[0]
            if distribution not in seen:  # of one that is there twice, the first is what is imported
                seen.add(distribution)
                for plugin, place in _entry_points(os.path.join(entry, name, "entry_points.txt")):
                    yield _Plugin((plugin, place, distribution))


def _entry_points(path: str) -> Iterator[tuple[str, str]]:
    """The entry points of our group in the file at *path*, each with the place of its object."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        data = os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
    if GROUP.encode() not in data:
        return
    group = ""
    for line in data.decode(errors="replace").splitlines():
        line = line.strip()
        if line.startswith("["):
            group = line.strip("[] ")
        elif group == GROUP and "=" in line and line[0] not in "#;":
            name, _, place = line.partition("=")
            yield name.strip(), place.partition("[")[0].strip()


def _use(plugin: _Plugin, config: Config) -> None:
    """Add what *plugin* asks for to *config*: all of it, or nothing where something is wrong."""
    from importlib import import_module

    module, _, attribute = plugin[1].partition(":")
    found: Any = import_module(module.strip())
    for part in filter(None, attribute.strip().split(".")):
        found = getattr(found, part)
    own = Config(lambda key: key.name)
    for name in ("offload", "exclude"):
        own.take(KEYS[name], list(getattr(found, name, ())))
    counterparts: dict[str, str] = dict(getattr(found, "counterparts", {}))
    if not (own.offload or own.exclude or counterparts):
        raise ValueError("it has neither counterparts nor offload nor exclude")
    for name in [*own.exclude, *counterparts, *counterparts.values()]:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(f"{name!r} is no module name")
    for name in counterparts:
        if is_standard(name) or name.partition(".")[0] in OWN:
            raise ValueError(f"{name} is not for a plug-in to replace")
    if counterparts:
        from runtime import foreign

        taken = sorted(name for name in counterparts if foreign.FOREIGN.get(name, name) != name)
        if taken:
            raise ValueError(f"another plug-in has a counterpart for {', '.join(taken)}")
        for name, counterpart in counterparts.items():
            foreign.add(name, counterpart)
    config.offload += own.offload
    config.exclude += own.exclude


def _warn(message: str) -> None:
    import warnings

    warnings.warn(message, RewriterWarning, stacklevel=4)
