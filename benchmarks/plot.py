"""Plots of a run, a file of SVG for each benchmark: `python -m benchmarks plot FILE.json FOLDER`.

Bars of the medians, a thin line from the lowest to the highest round, our bar in a colour of its own. Written by hand:
a plotting library would be the largest thing that the benchmarks need. Colours follow the reader's light or dark
setting; nothing in the file is fetched or run.
"""

from __future__ import annotations

import argparse
import datetime
import html
import pathlib
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.goals import read
from benchmarks.report import FORMATS, OK
from benchmarks.table import OURS

WIDTH: Final = 760  # pixels, all of them
MARGIN: Final = 16
ROW: Final = 27
BAR: Final = 17
LETTER: Final = 7.1  # of a label, on average; a reader's font may differ a little
VALUES: Final = 150  # beside the longest bar: its figure and its ratio
FOOTER_LETTERS: Final = 122  # in a line
LONGEST: Final = 8.0  # times the middle of all bars: what is longer is cut, and shows it

STYLE: Final = """
  svg { color-scheme: light dark }
  .paper { fill: #ffffff } .grid { stroke: #d8dee4 } .range { stroke: #24292f; stroke-width: 1.5 }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328 }
  .head { font-size: 15px; font-weight: 600 } .faint { fill: #59636e; font-size: 11px } .none { fill: #59636e }
  .bar { fill: #9aa7b4 } .ours { fill: #1f6feb } .us { font-weight: 600 } .cut { fill: #ffffff }
  .ratio { fill: #59636e }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .grid { stroke: #30363d } .range { stroke: #e6edf3 }
    text { fill: #e6edf3 } .faint, .none, .ratio { fill: #9198a1 }
    .bar { fill: #57606a } .ours { fill: #4493f8 } .cut { fill: #0d1117 }
  }
"""


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _footer(run: Mapping[str, Any], peers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where the figures come from, in lines that fit."""
    machine = run["machine"]
    place = (
        f"CPython {machine['python']}, {machine['system']}, {machine['cores']} cores"
        f"{' of ' + machine['processor'] if machine['processor'] else ''}; greenlet {machine['greenlet']}"
    )
    known = {peer["peer"].split()[0]: peer["version"] for peer in peers if peer["version"]}
    versions = "".join(f", {name} {version}" for name, version in known.items())
    day = datetime.datetime.fromisoformat(run["date"]).date()
    rounds = f"median of {run['rounds']} round{'s' * (run['rounds'] > 1)}, the line is lowest to highest"
    lines = [f"{' '.join(run['command'])} ({day}; {rounds})", place + versions]
    return [part for line in lines for part in textwrap.wrap(line, FOOTER_LETTERS)]


def draw(benchmark: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """The plot of one benchmark, as `--json` has it, of this run."""
    figure = benchmark["figure"]
    shown = FORMATS[figure]
    peers = benchmark["peers"]
    medians = [peer[figure] for peer in peers if peer[figure] is not None]
    longest = min(max(medians, default=1.0), LONGEST * statistics.median(medians or [1.0])) or 1.0
    left = MARGIN + LETTER * max(len(peer["peer"]) for peer in peers) + 10
    space = WIDTH - MARGIN - VALUES - left
    top = MARGIN + 44
    footer = _footer(run, peers)
    height = top + ROW * len(peers) + 14 + 15 * len(footer) + MARGIN
    name, _, about = benchmark["title"].partition(": ")
    parts = [
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>',
        _text(MARGIN, MARGIN + 14, f"{name}: {about}", "head"),
        _text(MARGIN, MARGIN + 31, f"shorter is better; the last column is by {peers[0]['peer']}'s", "faint"),
        f'<path class="grid" d="M{left:.1f} {top - 3}V{top + ROW * len(peers)}"/>',
    ]
    for i, peer in enumerate(peers):
        y = top + ROW * i
        middle = y + BAR / 2 + 4.5
        us = " us" if peer["peer"].startswith(OURS) else ""
        parts.append(_text(left - 8, middle, peer["peer"], us.strip(), "end"))
        if peer[figure] is None:
            parts.append(_text(left + 8, middle, peer["status"], "none"))
            continue
        length = space * min(peer[figure] / longest, 1.0)
        kind = "bar ours" if us else "bar"
        parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{y}" width="{max(length, 1):.1f}" height="{BAR}" rx="2"/>'
        )
        rounds = peer[f"{figure}_rounds"]
        low, high = (space * min(value / longest, 1.0) for value in (min(rounds), max(rounds)))
        if peer[figure] > longest:
            x = left + length - 18
            parts.append(
                f'<path class="cut" d="M{x:.1f} {y}h4l-4 {BAR}h-4zM{x + 8:.1f} {y}h4l-4 {BAR}h-4z"/>'
            )
        elif high - low > 2:
            parts.append(f'<path class="range" d="M{left + low:.1f} {y + BAR / 2}H{left + high:.1f}"/>')
        end = left + max(length, high if peer[figure] <= longest else 0) + 8
        value = shown(peer[figure]) + ("" if peer["status"] == OK else " *")
        parts.append(_text(end, middle, value, us.strip()))
        if peer["ratio"] is not None:
            parts.append(_text(WIDTH - MARGIN, middle, f"{peer['ratio']:.2f}", f"ratio{us}", "end"))
    bottom = top + ROW * len(peers) + 20
    parts += [_text(MARGIN, bottom + 15 * i, line, "faint") for i, line in enumerate(footer)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{html.escape(benchmark['title'])}</title>\n<style>{STYLE}</style>\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def write(run: Mapping[str, Any], folder: pathlib.Path) -> list[pathlib.Path]:
    """Draw every benchmark of the run into the folder, which is made if its parent exists."""
    folder.mkdir(exist_ok=True)
    files = []
    for benchmark in run["benchmarks"]:
        files.append(folder / f"{benchmark['name']}.svg")
        files[-1].write_text(draw(benchmark, run), encoding="utf-8")
    return files


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks plot", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("file", type=pathlib.Path, metavar="FILE.json", help="what `--json` wrote")
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER", help="where the plots go")
    given = parser.parse_args(arguments)
    try:
        for file in write(read(given.file), given.folder):
            print(file)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"cannot write to {given.folder}: {error.strerror}")
    return 0
