"""``--diff``: what conversion does to the modules of a target, as a unified diff."""

from __future__ import annotations

import difflib
import os
import sys

from rewriter.rendering import Unwritable, rendered
from rewriter.seeing import complain, remark
from rewriter.sources import Program, Source, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rewriter.mapping import Mapping
    from rewriter.options import Options

_COLOURS = {"@": "36", "-": "31", "+": "32"}
_HEAD = "1"


def show(options: Options) -> int:
    """Write the differences to standard output; returns the exit code: 0, or 2 if some source cannot be read."""
    program = Program(options)
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    code = 0
    shown = False
    sources = program.sources()
    for source in sources:
        try:
            for number, line in enumerate(difference(source, program.mapping)):
                shown = True
                colour = _HEAD if number < 2 else _COLOURS.get(line[:1])
                painted = f"\x1b[{colour}m{line}\x1b[0m" if coloured and colour else line
                sys.stdout.write(f"{painted}\n")
        except (Unreadable, Unwritable) as error:
            where = "" if isinstance(error, Unreadable) else f"{source.shown}: cannot be shown as text: "
            complain(f"{where}{error}")
            code = 2
    if not shown and not code:
        modules = f"{len(sources)} module{'s' if len(sources) != 1 else ''}"
        remark(f"conversion changes nothing in {program.target.name} ({modules} looked at)")
    return code


def difference(source: Source, mapping: Mapping) -> Iterator[str]:
    """The lines of the unified diff of *source* and what runs in its place.  Raises Unreadable and Unwritable."""
    conversion = source.converted(mapping)
    before, after = conversion.original, rendered(conversion)
    if before == after:
        return
    name = source.shown
    lines = difflib.unified_diff(_lines(before), _lines(after), name, f"{name} (converted)", lineterm="")
    for number, line in enumerate(lines):
        text, end, _ = line.partition("\n")
        yield text
        if not end and number > 1 and not line.startswith("@"):
            yield "\\ No newline at end of file"


def _lines(text: str) -> list[str]:
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])
