"""Looking at a target instead of running it: ``--diff``, ``--check``, ``--eject`` and ``--compile``.

What they share: errors in one line, and silence where whoever reads them has gone or pressed Ctrl-C.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from rewriter.options import Options

_INTERRUPTED = 130  # what shells show for a program that ended by SIGINT, and by SIGPIPE
_UNREAD = 141


def run(options: Options) -> NoReturn:
    """Do what *options* ask for, and exit.  Raises RewriterError."""
    try:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        code = _action(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer has no reader either; the interpreter would complain of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _UNREAD
    except KeyboardInterrupt:
        code = _INTERRUPTED
    raise SystemExit(code)


def _action(options: Options) -> int:
    if options.seen == "--diff":
        from rewriter.diff import show

        return show(options)
    if options.seen == "--check":
        from rewriter.check import check

        return check(options)
    if options.seen == "--compile":
        from rewriter.compilation import compile_all

        return compile_all(options)
    from rewriter.eject import eject

    return eject(options)


def complain(message: str) -> None:
    """Say on standard error what is wrong, and go on."""
    sys.stderr.write(f"rewriter: error: {message}\n")


def remark(message: str) -> None:
    """Say something on standard error that is no error."""
    sys.stderr.write(f"rewriter: {message}\n")
