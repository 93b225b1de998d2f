"""Auto-reload: save a file, and the next request is answered by the new code.

    python -m rewriter --reload app
    rewriter.reload.run("app", "--port", "8000")

A supervisor (supervisor.py) watches what the program imported (watching.py, files.py), forks the next generation of it
from a process that holds what did not change (forkserver.py), and keeps its listening sockets (`runtime.handover`).
POSIX only.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

    from rewriter.options import Options

__all__ = ["run"]

READY = 2.0
GRACE = 10.0


def run(
    *words: str,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    folders: Iterable[str] = (),
    ready: float = READY,
    grace: float = GRACE,
    forks: bool = True,
    quiet: bool = False,
) -> int:
    """Run a program, and run it again whenever its files change, until it or Ctrl-C ends.

    Args:
        words: what ``python -m rewriter`` takes: options, the target, its arguments.
        include: patterns of files besides those imported whose changes count too (``"*.html"``).
        exclude: patterns of files whose changes do not count.
        folders: where the included files are; the current folder by default.  All Python files in them count.
        ready: seconds without an import after which a program that waits for no connections has come up.
        grace: seconds that a replaced generation has to finish what it is serving.
        forks: fork each generation from a process that has imported what does not change; False starts afresh.
        quiet: print only what is wrong.

    Returns:
        The exit code of the program; negative if a signal ended it.

    Raises:
        RewriterError: the words make no sense, or this system has none of what it takes.
    """
    from rewriter.command import parse
    from rewriter.errors import RewriterError

    options = parse(words)
    for name, values in (("include", include), ("exclude", exclude), ("dir", folders)):
        options.reload.setdefault(f"--reload-{name}", []).extend(values)
    if ready < 0 or grace < 0:
        raise RewriterError("ready and grace are numbers of seconds, 0 at least")
    return _run(options, words, ready=ready, grace=grace, forks=forks, quiet=quiet)


def supervise(options: Options, words: Sequence[str]) -> NoReturn:
    """What ``python -m rewriter --reload`` does; *words* are the command line.  Raises RewriterError."""
    from rewriter.program import import_runtime
    from rewriter.reload.ending import leave

    import_runtime()
    ready, grace = _seconds(options, "--reload-ready", READY), _seconds(options, "--reload-grace", GRACE)
    forks, quiet = "--reload-fresh" not in options.reload, "--quiet" in options.reload
    leave(_run(options, words, ready=ready, grace=grace, forks=forks, quiet=quiet))


def _seconds(options: Options, name: str, default: float) -> float:
    from rewriter.errors import RewriterError

    values = options.reload.get(name)
    if not values:
        return default
    try:
        seconds = float(values[-1])
        if not 0 <= seconds < 1e6:
            raise ValueError
    except ValueError:
        raise RewriterError(f"{name} must be a number of seconds, not {values[-1]!r}") from None
    return seconds


def _run(
    options: Options, words: Sequence[str], *, ready: float, grace: float, forks: bool, quiet: bool
) -> int:
    from rewriter.config import nearest
    from rewriter.errors import RewriterError

    if os.name != "posix":
        raise RewriterError("--reload needs a POSIX system: descriptors are handed from process to process")
    folders = options.reload.get("--reload-dir", [])
    for folder in folders:
        if not os.path.isdir(folder):
            raise RewriterError(f"--reload-dir: there is no folder {folder}")
    from rewriter.reload.selection import Selection
    from rewriter.reload.supervisor import Supervisor

    is_file = options.kind == "target" and os.path.isfile(options.target)
    place = os.path.dirname(os.path.realpath(options.target)) if is_file else os.getcwd()
    include, exclude = options.reload.get("--reload-include", []), options.reload.get("--reload-exclude", [])
    selection = Selection(include, exclude, folders, nearest(place), options.target if is_file else None)
    return Supervisor(words, selection, ready=ready, grace=grace, forks=forks, quiet=quiet).run()
