"""Auto-reload: save a file, and the next request is answered by the new code.

    python -m rewriter --reload app
    rewriter.reload.run("app", "--port", "8000")

A supervisor (supervisor.py) watches what the program imported (watching.py, files.py), forks the next generation of it
from a process that holds what did not change (forkserver.py), and keeps its listening sockets (`runtime.handover`).
POSIX only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

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
        ready: seconds after which a program that waits for no connections counts as having come up.
        grace: seconds that a replaced generation has to finish what it is serving.
        forks: fork each generation from a process that has imported what does not change; False starts afresh.
        quiet: print only what is wrong.

    Returns:
        The exit code of the program; negative if a signal ended it.

    Raises:
        RewriterError: the words make no sense, or this system has none of what it takes.
    """
    from rewriter.command import parse
    from rewriter.config import nearest
    from rewriter.errors import RewriterError

    if os.name != "posix":
        raise RewriterError("--reload needs a POSIX system: descriptors are handed from process to process")
    from rewriter.reload.selection import Selection
    from rewriter.reload.supervisor import Supervisor

    options = parse(words)
    is_file = options.kind == "target" and os.path.isfile(options.target)
    folder = os.path.dirname(os.path.realpath(options.target)) if is_file else os.getcwd()
    selection = Selection(include, exclude, folders, nearest(folder))
    return Supervisor(words, selection, ready=ready, grace=grace, forks=forks, quiet=quiet).run()
