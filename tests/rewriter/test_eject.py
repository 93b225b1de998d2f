"""What ``--eject`` writes runs under plain Python, with ``runtime`` and without the rewriter, as converted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import greenlet
import pytest

from tests.rewriter.conftest import ROOT, Run

EXAMPLES = Path(ROOT, "examples")


@pytest.fixture
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run Python in a folder, where it finds the runtime and greenlet, and nothing else that is installed."""
    library = tmp_path_factory.mktemp("library")
    (library / "runtime").symlink_to(Path(ROOT, "runtime"))
    (library / "greenlet").symlink_to(Path(greenlet.__file__).parent)

    def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        return subprocess.run(
            [sys.executable, "-S", *arguments],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(library)},
            timeout=60,
            capture_output=True,
            text=True,
            check=False,
        )

    assert python(library, "-c", "import rewriter").returncode == 1
    assert python(library, "-c", "import runtime").stderr == ""
    return python


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_example(run: Run, plain: Run, tmp_path: Path) -> None:
    done = run("-m", "rewriter", "--eject", "out", str(EXAMPLES / "parallel_fetch.py"))
    assert (done.stdout, done.returncode) == ("", 0)
    assert done.stderr == (
        "rewriter: 1 file written, 1 of them converted, to out; it runs there as `python parallel_fetch.py`\n"
    )
    assert files(tmp_path / "out") == ["parallel_fetch.py"]
    done = plain(tmp_path / "out", "parallel_fetch.py", "--only", "threads", "--delay", "0.2")
    assert (done.stderr, done.returncode) == ("", 0)
    assert "in threads: 3 pieces" in done.stdout
    assert "on 1 OS thread\n" in done.stdout


APP = {
    "app/__init__.py": "",
    "app/__main__.py": "from app.sub import work\nwork.main()\n",
    "app/sub/__init__.py": "'''Doc.'''\n",
    "app/sub/work.py": """\
import sys
import threading
import time
from pathlib import Path

def sleep():
    time.sleep(0.01)
    print("slept", threading.current_thread().name)

def main():
    data = Path(__file__).with_name("data.txt")
    print(type(data).__name__, data.read_text())
    threading.Thread(target=sleep, name="the thread").start()
    print("end", "rewriter" in sys.modules)
""",
    "app/sub/data.txt": "text",
    "app/sub/work.pyi": "def main() -> None: ...\n",
    "app/legacy.py": "import time\n",
    "app/broken.py": "import time\n(",
    "app/.hidden/x.py": "",
    "lib.py": "import queue\n",
}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for name, text in APP.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    os.chmod(tmp_path / "app/__main__.py", 0o755)
    return tmp_path


def test_a_package_with_its_data(app: Path, run: Run, plain: Run) -> None:
    done = run("-m", "rewriter", "--convert", "lib", "--eject", "out", "app", "--no-convert", "app.legacy")
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert (
        lines[0] == "rewriter: error: app/broken.py:2: syntax error: '(' was never closed; written as it is"
    )
    assert lines[1:] == [
        "rewriter: 9 files written, 3 of them converted, to out; it runs there as `python -m app`"
    ]
    out = app / "out"
    assert files(out) == sorted([name for name in APP if "hidden" not in name])
    for name in (
        "app/sub/data.txt",
        "app/sub/work.pyi",
        "app/legacy.py",
        "app/broken.py",
        "app/sub/__init__.py",
    ):
        assert (out / name).read_text() == APP[name]
    assert (out / "app/__init__.py").read_text().startswith("import runtime as _rewriter_runtime; ")
    assert (out / "lib.py").read_text() == "from runtime.green import queue\n"
    assert os.stat(out / "app/__main__.py").st_mode & 0o777 == 0o755
    converted, original = (
        (out / "app/sub/work.py").read_text().split("\n"),
        APP["app/sub/work.py"].split("\n"),
    )
    assert [line for line in converted if line in original] == [
        line for line in original if line in converted
    ]
    assert len(converted) == len(original)
    done = plain(out, "-m", "app")
    assert (done.stderr, done.returncode) == ("", 0)
    first, *rest = done.stdout.splitlines()
    assert first == "PosixPath text"
    assert rest == ["end False", "slept the thread"], "the end waits for the tasklet"


def test_encodings_and_line_ends_stay(app: Path, run: Run, plain: Run) -> None:
    odd = "# -*- coding: latin-1 -*-\r\nimport time\r\n\nx = 'é'; assert len(x) == 1\rtime.sleep(0)".encode(
        "latin-1"
    )
    (app / "odd.py").write_bytes(odd)
    assert run("-m", "rewriter", "--eject", "out", "odd.py").returncode == 0
    written = (app / "out" / "odd.py").read_bytes()
    assert written.startswith(b"# -*- coding: latin-1 -*-\r\nimport runtime as ")
    assert written.endswith(
        b"from runtime.green import time\r\n\nx = '\xe9'; assert len(x) == 1\rtime.sleep(0)"
    )
    done = plain(app / "out", "odd.py")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    (app / "bom.py").write_bytes(b"\xef\xbb\xbfimport time")
    assert run("-m", "rewriter", "--eject", "out2", "bom.py").returncode == 0
    assert (app / "out2" / "bom.py").read_bytes().startswith(b"\xef\xbb\xbfimport runtime as ")


def test_an_error_names_its_line(app: Path, run: Run, plain: Run) -> None:
    (app / "fails.py").write_text("'doc'\nimport os, time\n\n\ndef f():\n    open('nosuch')\n\n\nf()\n")
    assert run("-m", "rewriter", "--eject", "out", "fails.py").returncode == 0
    done = plain(app / "out", "fails.py")
    assert 'fails.py", line 9, in <module>' in done.stderr
    assert 'fails.py", line 6, in f' in done.stderr


def test_a_line_more_is_said(app: Path, run: Run) -> None:
    (app / "begins.py").write_text("class C:\n    x = open\n")
    done = run("-m", "rewriter", "--eject", "out", "begins.py")
    assert done.stderr.startswith("rewriter: begins.py: lines added, 1: ")


def test_settings_are_written(app: Path, run: Run, plain: Run) -> None:
    (app / "kinds.py").write_text(
        "import threading\nids = []\nt = threading.Thread(target=lambda: ids.append(threading.get_native_id()))\n"
        "t.start(); t.join(); print(ids == [threading.get_native_id()])\n"
    )
    for kind, same in (("native", "False\n"), ("tasklet", "True\n")):
        options = ["--threads", kind, "--monitor", "500"]
        assert run("-m", "rewriter", *options, "--eject", kind, "kinds.py").returncode == 0
        assert plain(app / kind, "kinds.py").stdout == same


def test_spawned_processes_are_converted_too(app: Path, run: Run, plain: Run) -> None:
    (app / "spawns.py").write_text(
        "import multiprocessing, threading, time\n\n\n"
        "def child(queue):\n    queue.put((time.__name__, threading.__spec__.name))\n\n\n"
        "if __name__ == '__main__':\n    context = multiprocessing.get_context('spawn')\n    queue = context.Queue()\n"
        "    process = context.Process(target=child, args=(queue,))\n    process.start()\n"
        "    print(queue.get())\n    process.join()\n    print(process.exitcode)\n"
    )
    assert run("-m", "rewriter", "--eject", "out", "spawns.py").returncode == 0
    done = plain(app / "out", "spawns.py")
    assert done.stderr == ""
    assert done.stdout == "('time', 'runtime.green.threading')\n0\n"


@pytest.mark.parametrize("word", ["full", "full/x.txt", "full/x.txt/below"])
def test_only_a_new_or_empty_folder_is_written_to(app: Path, run: Run, word: str) -> None:
    (app / "full").mkdir()
    (app / "full" / "x.txt").write_text("")
    done = run("-m", "rewriter", "--eject", word, "app")
    assert (done.stdout, done.returncode, done.stderr.count("\n")) == ("", 2, 1)
    assert done.stderr.startswith("rewriter: error: --eject ")
    assert files(app / "full") == ["x.txt"]


def test_a_folder_into_itself_and_a_name_of_ours(app: Path, run: Run) -> None:
    (app / "app/broken.py").unlink()
    (app / "build").mkdir()
    assert run("-m", "rewriter", "--eject", "build", ".").returncode == 0
    assert "app/sub/work.py" in files(app / "build")
    assert not (app / "build" / "build").exists()
    (app / "runtime.py").write_text("")
    done = run("-m", "rewriter", "--eject", "out", ".")
    assert (done.returncode, (app / "out").exists()) == (2, False)
    assert done.stderr.endswith("has a module runtime, which would hide the one of this project\n")


def test_what_fails_leaves_nothing(app: Path, run: Run) -> None:
    code = (
        "import shutil, sys\nfrom rewriter import command\n"
        "def copy2(path, place): raise OSError(28, 'No space left on device', place)\n"
        "shutil.copy2 = copy2\nsys.argv[1:] = ['--eject', 'out', 'app']\ncommand.main()"
    )
    done = run("-c", "import sys; sys.path.insert(0, '')\n" + code)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.endswith("rewriter: error: out/app/sub/data.txt: No space left on device\n")
    assert list((app / "out").iterdir()) == []
