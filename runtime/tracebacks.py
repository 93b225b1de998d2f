"""Tracebacks without this project's frames, for errors that end a program or a thread.

``time.sleep("x")`` fails inside C under plain Python and inside a function of ours in converted code.  Whoever reads
the traceback looks for his own line, and the frames after it say nothing about his program.  The interpreter's
development mode (``-X dev``) leaves them in, for those who look for a mistake of ours.

What a program formats by itself (``traceback.print_exc()``, ``logging.exception()``) shows them.  Rejected: taking them
off where an error leaves a counterpart, which each of some hundred functions would have to do.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

_OURS = tuple(
    os.path.join(os.path.dirname(os.path.dirname(__file__)), name, "") for name in ("runtime", "rewriter")
)


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
        trace = _without_us(each.__traceback__)
        if trace is not each.__traceback__:
            each.__traceback__ = trace
        waiting += (each.__cause__, each.__context__)
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def _without_us(trace: TracebackType | None) -> TracebackType | None:
    """*trace* without our frames; as it is if there are no others."""
    frames = []
    rest = trace
    while rest is not None:
        if not _is_ours(rest.tb_frame):
            frames.append(rest)
        rest = rest.tb_next
    if not frames:
        return trace
    for frame, after in zip(frames, [*frames[1:], None], strict=True):
        if frame.tb_next is not after:
            frame.tb_next = after
    return frames[0]


def _is_ours(frame: FrameType) -> bool:
    # By the file, since code of the library also runs over our names; the loader's says it is the import system's.
    return frame.f_code.co_filename.startswith(_OURS) or str(frame.f_globals.get("__name__")).startswith(
        "rewriter."
    )
