"""``--explain NAME`` says what becomes of a name, and what it says is so."""

from __future__ import annotations

import importlib
import sys

import pytest

from rewriter.errors import RewriterError
from rewriter.explain import explain
from runtime.table import MODULES, STACKLESS
from tests.rewriter.conftest import Run


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("open", "open: in converted code, runtime.files.open"),
        ("os.read", "os.read: cooperative"),
        ("hashlib.scrypt", "hashlib.scrypt: offloaded"),
        ("json", "json: plain, left alone"),
        ("heapq", "heapq: plain, cannot wait"),
        ("idlelib", "idlelib: plain"),
        ("socket.socket.recv", "socket.socket.recv: cooperative"),
        ("queue", "queue: a twin"),
        ("queue.Queue", "queue.Queue: a class that derives from queue.Queue"),
        ("queue.Queue.get", "queue.Queue.get: a method of a class that derives from queue.Queue"),
        ("queue.Empty", "queue.Empty: the plain one, shared"),
        ("shutil.copytree", "shutil.copytree: the function's own code over counterparts"),
        ("pathlib.Path.read_text", "pathlib.Path.read_text: cooperative"),
        ("time", "time: an overlay"),
        ("zlib", "zlib: an overlay of calls that go to worker threads"),
        ("pytest.main", "pytest.main: not of the standard library"),
    ],
)
def test_it_begins_with_the_answer(name: str, says: str) -> None:
    assert explain(name).startswith(says)


@pytest.mark.parametrize("name", ["nosuch", "os.nosuch", "http.nosuch.more", "queue.Queue.nosuch"])
def test_what_there_is_not_is_an_error(name: str) -> None:
    with pytest.raises(RewriterError):
        explain(name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", sorted(MODULES.keys() - STACKLESS))
def test_every_counterpart_can_be_explained(name: str) -> None:
    assert explain(name).startswith(f"{name}: a")


def test_a_twins_classes_are_told_apart() -> None:
    """Those listed as the plain ones are, and those that derive do."""
    plain, green = importlib.import_module("zipfile"), importlib.import_module("runtime.green.zipfile")
    paragraphs = explain("zipfile").replace("\n    ", " ").splitlines()
    listed = {line.partition(": ")[0].strip(): line.partition(": ")[2].split(", ") for line in paragraphs}
    (shared,) = (names for title, names in listed.items() if title.startswith("classes that are the plain"))
    (derived,) = (names for title, names in listed.items() if title.startswith("classes that derive"))
    assert "BadZipFile" in shared
    assert "ZipFile" in derived
    assert all(getattr(green, name) is getattr(plain, name) for name in shared)
    assert all(issubclass(getattr(green, name), getattr(plain, name)) for name in derived)
    assert all(getattr(green, name) is not getattr(plain, name) for name in derived)


def test_the_command_line(run: Run) -> None:
    done = run("-m", "rewriter", "--explain", "http.client")
    assert done.stdout.startswith("http.client: a twin")
    assert (done.stderr, done.returncode) == ("", 0)
    done = run("-m", "rewriter", "--explain=nosuch")
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr == "rewriter: error: there is no module nosuch\n"


def test_it_is_not_imported_by_a_program(run: Run) -> None:
    done = run("-m", "rewriter", "-c", "import sys; print('rewriter.explain' in sys.modules)")
    assert done.stdout == "False\n", sys.version
