"""Tracebacks without this project's frames, for errors that end a program or a thread, or that are formatted.

``time.sleep("x")`` fails inside C under plain Python and inside a function of ours in converted code.  Whoever reads
the traceback looks for his own line, and the frames after it say nothing about his program.  The interpreter's
development mode (``-X dev``) leaves them in, for those who look for a mistake of ours.

The frames go where a traceback is shown: at the end of a program or thread, and in the counterparts of ``traceback``,
``logging`` and ``unittest``.  Rejected: taking them off where an error leaves a counterpart.  Each of some hundred
functions would have to do it, those that are compiled cannot, and it would cost each error that is caught.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

_NAMES = ("runtime", "rewriter")
_OURS = tuple(os.path.join(os.path.dirname(os.path.dirname(__file__)), name, "") for name in _NAMES)
_MODULES = tuple(f"{name}." for name in _NAMES)
_COMPILED = tuple(f"{name}/" for name in _NAMES)  # what a compiled function says about its file
_MASKED = "<frozen importlib._bootstrap_external>"  # what the rewriter's functions say that run modules


def hide_frames(error: BaseException) -> None:
    """Take this project's frames out of the traceback of *error*, and of all errors that are shown with it."""
    if sys.flags.dev_mode:
        return
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        trace = without_us(each.__traceback__)
        if trace is not each.__traceback__:
            each.__traceback__ = trace
        waiting += (each.__cause__, each.__context__)
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def without_us(trace: TracebackType | None) -> TracebackType | None:
    """*trace* without our frames, which are taken out of it; None if there are no others."""
    if sys.flags.dev_mode:
        return trace
    frames = []
    while trace is not None:
        if not _is_ours(trace.tb_frame):
            frames.append(trace)
        trace = trace.tb_next
    for frame, after in zip(frames, [*frames[1:], None], strict=False):
        if frame.tb_next is not after:
            frame.tb_next = after
    return frames[0] if frames else None


def frames_outward(frame: FrameType | None) -> Iterator[FrameType]:
    """*frame* and those that called it, without ours, and without those that run a program for us."""
    while frame is not None:
        if sys.flags.dev_mode or not _is_ours(frame):
            yield frame
        elif frame.f_globals.get("__name__") == "rewriter.program":
            return
        frame = frame.f_back


def _is_ours(frame: FrameType) -> bool:
    # By the file, since code of the library also runs over our names.
    file = frame.f_code.co_filename
    return file.startswith(_OURS) or (
        (file == _MASKED or file.startswith(_COMPILED))
        and str(frame.f_globals.get("__name__")).startswith(_MODULES)
    )
