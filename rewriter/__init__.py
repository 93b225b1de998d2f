"""Rewrite modules as they are imported, so that their blocking calls reach the cooperative runtime.

This file is the public surface and stays light: ``python -m rewriter`` passes through it.  Everything else is
imported on first use.

    import rewriter
    rewriter.install("app", "requests+deps")    # before the first import of either
    import app

PYTEST_DONT_REWRITE: its assertions are no tests.
"""

from __future__ import annotations

from rewriter.errors import RewriterError, RewriterWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rewriter.installation import Installation

__all__ = ["RewriterError", "RewriterWarning", "__version__", "install"]

__version__ = "0.1.0"


def install(
    *packages: str,
    exclude: Iterable[str] = (),
    threads: str | None = None,
    offload: Iterable[str] = (),
    fair: bool | None = None,
    monitor_ms: int | None = None,
    children: bool | None = None,
) -> Installation:
    """Convert *packages* and their submodules from now on, as they are imported.

    packages: names as ``import`` takes them; ``"requests+deps"`` means the package and its declared,
        installed dependencies.  Without any, ``REWRITER_CONVERT`` and ``convert`` of ``[tool.rewriter]`` in the
        nearest ``pyproject.toml`` (upwards from the current directory) are taken, and what is configured there holds
        where the arguments say nothing.
    exclude: names that stay as they are.  Where both lists name a part of a module's path, the longer wins.
    threads: ``"tasklet"`` (the default) makes ``threading.Thread`` in converted code a tasklet, ``"native"`` an OS
        thread.
    offload: functions and methods by their full names (``"cx_Oracle.connect"``, ``"PIL.Image.Image.save"``) that
        converted modules call on worker threads.
    fair: loops of converted modules let others run when they have held them up (20 ms).
    monitor_ms: milliseconds after which a scheduler that stands still is reported, each time, with its stack;
        by default it is reported after a second, once per place.
    children: Python programs that converted code starts convert the same modules (by default they do).

    Returns a handle: ``handle.uninstall()`` ends the conversion of further imports (modules imported
    meanwhile stay converted); as a context manager it does so at the end of the block.  Several stack.

    Raises RewriterError for an empty request, a malformed name, a part of the standard library (never
    converted in place), an argument of another type or value, or ``+deps`` of a package that no installed distribution
    provides.  Warns (RewriterWarning) of modules that were imported before, and of packages that cannot be
    found now.
    """
    from rewriter.installation import install as _install

    return _install(
        packages,
        exclude=exclude,
        threads=threads,
        offload=offload,
        fair=fair,
        monitor_ms=monitor_ms,
        children=children,
    )
