"""The benchmarks' command runs, says clearly what is wrong, and writes JSON of a stable shape."""

from __future__ import annotations

import contextlib
import json
import pathlib
import resource
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.generate import generate
from benchmarks.table import BENCHMARKS, OURS

ROOT = pathlib.Path(__file__).parents[2]


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
        (["switch", "--svg", "/no/such/folder/x"], "no such folder"),
        (["goals", "/no/such/file.json"], "cannot read /no/such/file.json"),
        (["plot", "/no/such/file.json", "x"], "cannot read /no/such/file.json"),
        (["goals", "pyproject.toml"], "pyproject.toml was not written by"),
        ([], "required: NAME"),
    ],
)
def test_bad_input_is_refused_in_one_clear_line_with_code_2(arguments: list[str], complaint: str) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert complaint in refused.stderr.splitlines()[-1]


def test_list_names_every_benchmark_and_measures_nothing() -> None:
    listed = run("--list")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()[::2]] == list(BENCHMARKS)
    assert listed.stderr == ""


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


def test_an_echo_over_tls_comes_back_whole(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "figures.json"
    small = ["--rounds", "1", "--messages", "60", "--connections", "3", "--size", "100000"]
    done = run("tls-echo", *small, "--peers", "threads,asyncio", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    (benchmark,) = json.loads(file.read_text())["benchmarks"]
    assert [peer["status"] for peer in benchmark["peers"]] == ["ok"] * 4


def test_idle_connections_are_weighed(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "figures.json"
    done = run("idle", "--rounds", "1", "--connections", "200", "--peers", "threads", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    (benchmark,) = json.loads(file.read_text())["benchmarks"]
    assert benchmark["figure"] == "memory"
    ours, threads = (peer["memory"] for peer in benchmark["peers"])
    assert 1000 < ours < threads  # a thread has a stack of its own


def test_more_connections_than_open_files_are_refused_with_the_limit() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    command = [sys.executable, "-m", "benchmarks", "idle", "--rounds", "1", "--connections", "500"]
    command += ["--peers", "threads"]
    limited = min(300, hard)
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limited, limited)),
    )  # fmt: skip
    assert done.returncode == 1
    assert f"500 connections need 600 open files, and the limit is {limited} (ulimit -Hn)" in done.stdout


PROGRAMS = [name for name, benchmark in BENCHMARKS.items() if benchmark.kind == "program"]


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in ("cold-reads", "timers")])
def test_a_program_of_each_kind_gives_right_results(name: str, tmp_path: pathlib.Path) -> None:
    """Those that need nothing installed; they check what they computed themselves."""
    file = tmp_path / "figures.json"
    benchmark = BENCHMARKS[name]
    plain = [peer for peer, about in benchmark.peers.items() if about.needs is None]
    small = ["--rounds", "1", "--messages", "200", "--peers", ",".join(plain)]
    done = run(name, *small, "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads(file.read_text())["benchmarks"]
    measured = {peer["peer"]: peer for peer in found["peers"] if peer["peer"] in plain}
    assert {peer: about["status"] for peer, about in measured.items()} == dict.fromkeys(plain, "ok")
    assert all(about["cpu"] > 0 and about["wall"] > 0 for about in measured.values())


def test_ctrl_c_ends_what_was_started() -> None:
    command = [sys.executable, "-m", "benchmarks", "echo", "--rounds", "1", "--messages", "1000000"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("echo: round 1 of 1")
    while len(started := children(process.pid)) < 2:  # the server and the load
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    process.stderr.close()
    for pid in started:
        gone(pid)


def gone(pid: int) -> None:
    """Wait until the process has ended; who inherited it may take a moment to collect it."""
    until = time.monotonic() + 30
    status = pathlib.Path(f"/proc/{pid}/stat")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while status.read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < until
            time.sleep(0.01)


def children(pid: int) -> list[int]:
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


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


def test_every_module_that_the_table_names_exists() -> None:
    for benchmark in BENCHMARKS.values():
        assert next(iter(benchmark.peers)).startswith(OURS)
        for peer in benchmark.peers.values():
            for word in peer.command:
                if word.startswith("benchmarks."):
                    assert (ROOT / (word.replace(".", "/") + ".py")).is_file()
                if word.endswith((".c", ".go")):
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
