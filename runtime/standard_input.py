"""Standard input for converted code: a file of its own over the same descriptor, whose reads let others run.

The plain ``sys.stdin`` is C code over a blocking descriptor and cannot be made to wait in the hub.  So converted code
reads by a buffer of its own: what it has read ahead, unconverted code does not see, nor the other way round.
"""

from __future__ import annotations

import _io
import builtins
import sys
from weakref import WeakKeyDictionary

from runtime.backends import READ
from runtime.files import open
from runtime.overlay import builtin
from runtime.pipes import busy, until
from runtime.replacement import call_replacement
from runtime.standard_output import counterpart as output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_known: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # the interpreter's own file -> ours


def counterpart(stdin: Any) -> Any:
    """What converted code gets for *stdin*; itself if it is not the interpreter's own file (a test's, say)."""
    if type(stdin) is not _io.TextIOWrapper or stdin.closed:
        return stdin
    known = _known.get(stdin)
    if known is None:
        try:
            fd = stdin.fileno()
        except (OSError, ValueError):
            return stdin
        known = open(fd, "r", encoding=stdin.encoding, errors=stdin.errors, closefd=False)
        known.buffer.raw.name = stdin.name
        _known[stdin] = known
    return known


def unwrap(file: Any) -> Any:
    """The interpreter's own file of which *file* is the counterpart; itself if it is none."""
    for plain, ours in _known.items():
        if ours is file:
            return plain
    return file


_input = builtins.input


@builtin
def input(_: Any, prompt: object = "", /) -> str:
    if builtins.input is not _input:
        return call_replacement("input", _ask, (prompt,), {})  # type: ignore[no-any-return]
    return _ask(prompt)


def _ask(prompt: object = "") -> str:
    stdin, stdout = getattr(sys, "stdin", None), getattr(sys, "stdout", None)
    ours = counterpart(stdin)
    if ours is stdin or stdout is None or stdin is None:
        return _input(prompt)
    if stdin.isatty():
        return _typed(prompt)
    sys.audit("builtins.input", prompt)
    if sys.stderr is not None:
        output(sys.stderr).flush()
    output(stdout).write(str(prompt))
    output(stdout).flush()
    line: str = ours.readline()
    if not line:
        raise EOFError("EOF when reading a line")
    line = line.removesuffix("\n")
    sys.audit("builtins.input/result", line)
    return line


def _typed(prompt: object) -> str:
    """From a terminal: the plain call, which edits the line; beside others, when a line has been typed."""
    hub = busy()
    if hub is None:
        return _input(prompt)
    output(sys.stdout).write(str(prompt))
    output(sys.stdout).flush()
    until(hub, sys.stdin.fileno(), READ)
    return _input()


input.__func__.__module__ = "builtins"  # type: ignore[attr-defined]
input.__func__.__doc__ = _input.__doc__  # type: ignore[attr-defined]
