"""The benchmarks' command runs, says clearly what is wrong, and writes JSON of a stable shape."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from benchmarks.generate import generate
from benchmarks.report import NOT_INSTALLED, Result, Row, amount, table
from benchmarks.sample import Options, Sample
from benchmarks.table import BENCHMARKS, OURS

ROOT = pathlib.Path(__file__).parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no-such-benchmark"], "no benchmark 'no-such-benchmark'"),
        (["switch", "--peers", "no-such-peer"], "no peer 'no-such-peer'"),
        (["switch", "--rounds", "0"], "0 is not between"),
        (["switch", "--rounds", "many"], "invalid number value: 'many'"),
        (["switch", "--json", "/no/such/folder/x.json"], "no such folder"),
        ([], "required: NAME"),
    ],
)
def test_bad_input_is_refused_in_one_clear_line_with_code_2(arguments: list[str], complaint: str) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert complaint in refused.stderr.splitlines()[-1]


def test_switch_runs_us_and_the_floor_in_one_run_and_writes_json(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "figures.json"
    done = run("switch", "--rounds", "2", "--messages", "2000", "--peers", "greenlet", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "switch: CPU time per yield" in done.stdout
    figures = json.loads(file.read_text())
    assert figures["rounds"] == 2
    assert figures["machine"]["python"] == sys.version.split()[0]
    (benchmark,) = figures["benchmarks"]
    assert benchmark["name"] == "switch"
    assert [peer["peer"] for peer in benchmark["peers"]] == [OURS, "greenlet"]
    for peer in benchmark["peers"]:
        assert peer["status"] == "ok"
        assert len(peer["cpu_rounds"]) == len(peer["wall_rounds"]) == 2
        assert 0 < peer["cpu"] < 1
    assert benchmark["peers"][0]["ratio"] == 1.0


def test_an_echo_server_is_measured_from_outside(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "figures.json"
    small = ["--rounds", "1", "--messages", "200", "--connections", "3", "--size", "100000"]
    done = run("echo", *small, "--peers", "threads,asyncio", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    (benchmark,) = json.loads(file.read_text())["benchmarks"]
    assert [peer["peer"] for peer in benchmark["peers"]] == [
        OURS, "threads", "asyncio streams", "asyncio protocol",
    ]  # fmt: skip
    assert all(peer["cpu"] > 0 for peer in benchmark["peers"])


def test_imports_and_starts_are_measured_beside_plain_ones(tmp_path: pathlib.Path) -> None:
    """Warm is cheaper than cold; what is out of scope is not converted."""
    file = tmp_path / "figures.json"
    small = ["--rounds", "1", "--modules", "4", "--peers", "unstall,plain", "--json", str(file)]
    done = run("import", "start", *small)
    assert done.returncode == 0, done.stdout + done.stderr
    imports, start = json.loads(file.read_text())["benchmarks"]
    cpu = {peer["peer"]: peer["cpu"] for peer in imports["peers"]}
    assert cpu["unstall warm"] < cpu["unstall cold"] / 4
    assert cpu["unstall, not converted, warm"] < cpu["plain cold"]
    assert [peer["peer"] for peer in start["peers"]] == [OURS, "plain"]


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


def test_every_module_that_the_table_names_exists() -> None:
    for benchmark in BENCHMARKS.values():
        assert next(iter(benchmark.peers)).startswith(OURS)
        for peer in benchmark.peers.values():
            for word in peer.command:
                if word.startswith("benchmarks."):
                    assert (ROOT / (word.replace(".", "/") + ".py")).is_file()
                if word.endswith(".c"):
                    assert (ROOT / "benchmarks" / "peers" / word).is_file()


def test_the_generated_package_is_python_and_the_same_each_time(tmp_path: pathlib.Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        generate(folder, 4)
    files = sorted(path.relative_to(first) for path in first.rglob("*.py"))
    assert len(files) == 5
    for file in files:
        text = (first / file).read_text()
        compile(text, str(file), "exec")
        assert text == (second / file).read_text()
