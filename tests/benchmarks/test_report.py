"""The table, the plots and the goals say of a run what was measured."""

from __future__ import annotations

import json
import pathlib
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from benchmarks import goals, plot
from benchmarks.report import NOT_INSTALLED, Result, Row, amount, as_json, command, size, table
from benchmarks.sample import Options, Sample
from benchmarks.table import BENCHMARKS, OURS


def test_the_ratio_is_the_median_over_rounds_and_to_us() -> None:
    ours, theirs = Row(OURS), Row("theirs")
    ours.samples = [Sample(1e-6, 1e-6), Sample(2e-6, 2e-6), Sample(4e-6, 4e-6)]
    theirs.samples = [Sample(3e-6, 1e-6), Sample(4e-6, 2e-6), Sample(8e-6, 4e-6)]
    assert theirs.ratio(ours) == 2.0
    absent = Row("absent", NOT_INSTALLED)
    text = table(Result("switch", BENCHMARKS["switch"], Options(), [ours, theirs, absent]))
    assert text.splitlines() == [
        "switch: CPU time per yield",
        "           median  lowest  highest  by unstall's  wall",
        "  unstall    2 µs    1 µs     4 µs          1.00  2 µs",
        "  theirs     4 µs    3 µs     8 µs          2.00  2 µs",
        "  absent   not installed",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.5 s"), (0.0012, "1.2 ms"), (1.5e-5, "15 µs"), (3.1e-7, "310 ns"), (0.0, "0 ns")],
)
def test_amounts_are_printed_in_the_unit_that_suits(seconds: float, text: str) -> None:
    assert amount(seconds) == text


def test_sizes_are_bytes_or_kibibytes() -> None:
    assert [size(300), size(9999), size(10_240)] == ["300 B", "9999 B", "10.0 KiB"]


def test_a_benchmark_of_memory_has_its_ratio_of_memory() -> None:
    ours, theirs = Row(OURS), Row("gevent")
    ours.samples = [Sample(5e-6, 1e-5, 2000.0)]
    theirs.samples = [Sample(1e-6, 1e-5, 3000.0)]
    text = table(Result("blocked", BENCHMARKS["blocked"], Options(), [ours, theirs]))
    assert text.splitlines() == [
        "blocked: memory per blocked task",
        "           median  lowest  highest  by unstall's   wall   CPU",
        "  unstall  2000 B  2000 B   2000 B          1.00  10 µs  5 µs",
        "  gevent   3000 B  3000 B   3000 B          1.50  10 µs  1 µs",
    ]


def test_the_command_is_told_without_where_the_figures_went() -> None:
    words = ["echo", "--json", "/somewhere/x.json", "--rounds", "5", "--svg=/somewhere", "--size", "64"]
    assert command(words) == ["echo", "--rounds", "5", "--size", "64"]


def saved(name: str, **cpu: list[float]) -> dict[str, Any]:
    """A run of one benchmark as it is saved; each peer's rounds."""
    rows = []
    for peer, rounds in cpu.items():
        rows.append(Row(peer.replace("_", " ")))
        rows[-1].samples = [Sample(seconds, seconds, seconds) for seconds in rounds]
    rows.append(Row("absent", NOT_INSTALLED))
    return dict(json.loads(as_json([Result(name, BENCHMARKS[name], Options(), rows)], 3)))


def test_a_plot_is_svg_with_every_peer_its_figure_and_where_it_comes_from(tmp_path: pathlib.Path) -> None:
    run = saved("echo", unstall=[1e-5, 1.2e-5, 2e-5], gevent=[9e-6], threads=[1e-3])
    (file,) = plot.write(run, tmp_path / "plots")
    assert file.name == "echo.svg"
    tree = ElementTree.parse(file)
    space = "{http://www.w3.org/2000/svg}"
    words = [text.text for text in tree.iter(f"{space}text")]
    for expected in ("unstall", "12 µs", "gevent", "9 µs", "0.90", "absent", NOT_INSTALLED, "1 ms"):
        assert expected in words
    bars = {bar.get("class"): float(bar.get("width") or 0) for bar in tree.iter(f"{space}rect")}
    assert set(bars) == {"paper", "bar ours", "bar"}
    assert len([bar for bar in tree.iter(f"{space}path") if bar.get("class") == "cut"]) == 1  # the threads'
    foot = " ".join(word or "" for word in words[-4:])
    assert run["machine"]["python"] in foot
    assert run["date"][:10] in foot
    assert "python -m benchmarks" in foot


@pytest.mark.parametrize(
    ("goal", "rounds", "reached", "ok"),
    [
        (goals.Goal("a", "echo", "gevent", 0.5), ([1.0, 2.0, 9.0], [4.0, 4.0, 9.0]), 0.5, True),
        (goals.Goal("a", "echo", "gevent", 0.5), ([3.0, 2.0, 9.0], [4.0, 3.9, 9.0]), 0.75, False),
        (goals.Goal("a", "echo", "gevent", figure="memory", plus=400.0), ([1400.0], [1000.0]), 400.0, True),
        (goals.Goal("a", "echo", "gevent", figure="memory", plus=400.0), ([1401.0], [1000.0]), 401.0, False),
    ],
)
def test_a_goal_is_the_median_over_rounds_of_the_ratio_within_each(
    goal: goals.Goal, rounds: tuple[list[float], list[float]], reached: float, ok: bool
) -> None:
    run = saved("echo", unstall=rounds[0], gevent=rounds[1])
    found = goals.outcome(goal, {"echo": run["benchmarks"][0]})
    assert (found.reached, found.ok) == (reached, ok)


def test_what_was_not_measured_is_neither_reached_nor_missed(tmp_path: pathlib.Path, capsys: Any) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(saved("echo", unstall=[4.5], gevent=[10.0], C_on_epoll=[1.0])))
    assert goals.main([str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    echo = [line.split("  ")[-1].strip() for line in lines if line.startswith("echo, 1 KiB, 100 ")]
    assert echo == ["not measured", "ok", "NOT REACHED"]
    assert lines[-1] == f"1 of 2 reached, {len(goals.GOALS) - 2} not measured"


def test_of_several_runs_the_last_that_has_a_benchmark_counts(tmp_path: pathlib.Path, capsys: Any) -> None:
    files = []
    for name, ours in (("echo", 9.0), ("spawn", 9.0), ("echo", 4.0)):
        files.append(tmp_path / f"{len(files)}.json")
        files[-1].write_text(json.dumps(saved(name, unstall=[ours], gevent=[10.0])))
    assert goals.main([str(file) for file in files]) == 1
    lines = capsys.readouterr().out.splitlines()
    verdicts = [line.split("  ")[-1].strip() for line in lines if "gevent" in line and "not run" not in line]
    assert verdicts == ["ok", "NOT REACHED"]  # the echo of the last run, the only spawn


def test_every_goal_is_about_a_peer_that_is_measured() -> None:
    for goal in goals.GOALS:
        assert {OURS, goal.peer} <= BENCHMARKS[goal.benchmark].peers.keys()
        assert goal.figure == "wall" or goal.figure == BENCHMARKS[goal.benchmark].figure
