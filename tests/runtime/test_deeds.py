"""What the ring carries out, a worker does as well, and both do what the plain function does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import runtime
from runtime import deeds, files, uring
from runtime.deeds import carry_out
from runtime.green import io
from runtime.green import os as green_os
from runtime.hub import get_hub
from tests.runtime.conftest import run_in_thread
from tests.runtime.test_uring import needs_ring

Step = Callable[[Callable[..., Any], int], Any]

# Each is done in a folder with a file, a link to it, a folder with something in it, and a descriptor of the folder.
STEPS: dict[str, list[Step]] = {
    "stat": [
        lambda do, folder: do("stat", "file"),
        lambda do, folder: do("stat", b"link"),
        lambda do, folder: do("stat", Path("link"), follow_symlinks=False),
        lambda do, folder: do("stat", "file", dir_fd=folder),
        lambda do, folder: do("stat", folder),
        lambda do, folder: do("stat", "/dev/null"),
        lambda do, folder: do("stat", "/proc/self/status").st_mode,
        lambda do, folder: do("stat", "nothing"),
        lambda do, folder: do("stat", "file/nothing"),
        lambda do, folder: do("stat", "x" * 300),
        lambda do, folder: do("stat", ""),
        lambda do, folder: do("stat", "nul\0"),
        lambda do, folder: do("stat", None),
        lambda do, folder: do("stat", 1.5),
        lambda do, folder: do("stat", 99999),
        lambda do, folder: do("stat", folder, dir_fd=folder),
        lambda do, folder: do("stat", "file", dir_fd="x"),
        lambda do, folder: do("stat"),
        lambda do, folder: do("stat", path="\udcff"),
    ],
    "lstat": [
        lambda do, folder: do("lstat", "link"),
        lambda do, folder: do("lstat", "link", dir_fd=folder),
        lambda do, folder: do("lstat", folder),
    ],
    "fstat": [
        lambda do, folder: do("fstat", folder),
        lambda do, folder: do("fstat", -1),
        lambda do, folder: do("fstat", "x"),
    ],
    "mkdir": [
        lambda do, folder: do("mkdir", "new"),
        lambda do, folder: do("stat", "new").st_mode,
        lambda do, folder: do("mkdir", "private", 0o700),
        lambda do, folder: do("stat", "private").st_mode,
        lambda do, folder: do("mkdir", b"third", mode=0o750, dir_fd=folder),
        lambda do, folder: do("mkdir", "file"),
        lambda do, folder: do("mkdir", "negative", -1),
        lambda do, folder: do("rmdir", "new"),
        lambda do, folder: do("rmdir", "third", dir_fd=folder),
        lambda do, folder: do("rmdir", "full"),
        lambda do, folder: do("rmdir", "file"),
        lambda do, folder: do("rmdir", "."),
    ],
    "rename": [
        lambda do, folder: do("rename", "file", "moved"),
        lambda do, folder: do("replace", "moved", "link"),
        lambda do, folder: do("rename", "link", b"back", src_dir_fd=folder, dst_dir_fd=folder),
        lambda do, folder: do("rename", "nothing", "x"),
        lambda do, folder: do("rename", "full", "full/inside"),
        lambda do, folder: do("rename", "full", "back"),
    ],
    "link": [
        lambda do, folder: do("link", "file", "second"),
        lambda do, folder: do("link", "link", "third"),
        lambda do, folder: do("link", "link", "fourth", follow_symlinks=False),
        lambda do, folder: do("link", "link", "fifth", src_dir_fd=folder),
        lambda do, folder: do("link", "full", "sixth"),
        lambda do, folder: do("symlink", "anything", "seventh"),
        lambda do, folder: do("symlink", "anything", "eighth", dir_fd=folder),
        lambda do, folder: do("symlink", "anything", "file"),
        lambda do, folder: [(name, os.lstat(name).st_mode, os.lstat(name).st_nlink) for name in ("third", "fifth")],
    ],
    "remove": [
        lambda do, folder: do("remove", "link"),
        lambda do, folder: do("unlink", "file", dir_fd=folder),
        lambda do, folder: do("unlink", "nothing"),
        lambda do, folder: do("remove", "full"),
    ],
    "write": [
        lambda do, folder: _with(lambda fd: do("pwrite", fd, b"abc", 2)),
        lambda do, folder: _with(lambda fd: do("pwrite", fd, bytearray(b"defg"), 100)),
        lambda do, folder: _with(lambda fd: do("pwrite", fd, memoryview(b"hijk")[::2], 7)),
        lambda do, folder: _with(lambda fd: do("pwrite", fd, b"", 0)),
        lambda do, folder: _with(lambda fd: do("pwrite", fd, "x", 0)),
        lambda do, folder: _with(lambda fd: do("pwrite", fd, b"x", -1)),
        lambda do, folder: _with(lambda fd: do("fsync", fd)),
        lambda do, folder: _with(lambda fd: do("fdatasync", fd)),
        lambda do, folder: do("pwrite", folder, b"x", 0),
        lambda do, folder: do("fsync", -1),
        lambda do, folder: do("fsync", 1 << 40),
        lambda do, folder: do("fsync", "x"),
        lambda do, folder: Path("file").read_bytes(),
    ],
}  # fmt: skip


def _with(call: Callable[[int], Any]) -> Any:
    fd = os.open("file", os.O_RDWR)
    try:
        return call(fd)
    finally:
        os.close(fd)


def _played(where: Path, steps: list[Step], do: Callable[..., Any]) -> list[Any]:
    where.mkdir()
    before = os.getcwd()
    os.chdir(where)
    try:
        Path("file").write_bytes(b"0123456789")
        os.symlink("file", "link")
        Path("full").mkdir()
        Path("full/inside").touch()
        folder = os.open(".", os.O_RDONLY)
        try:
            seen = [_outcome(step, do, folder) for step in steps]
        finally:
            os.close(folder)
        return [*seen, sorted(os.listdir())]
    finally:
        os.chdir(before)


def _outcome(step: Step, do: Callable[..., Any], folder: int) -> Any:
    try:
        result = step(do, folder)
    except Exception as error:
        return type(error), str(error), getattr(error, "filename", None), getattr(error, "filename2", None)
    if isinstance(result, os.stat_result):  # but for what differs between two folders
        _, rest = result.__reduce__()[1]
        return (
            result.st_mode,
            result.st_size,
            result.st_nlink,
            result.st_blksize,
            result.st_rdev,
            sorted(rest),
        )
    return result


def _plain(name: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(os, name)(*args, **kwargs)


def _carried_out(name: str, *args: Any, **kwargs: Any) -> Any:
    return carry_out(name, getattr(os, name), *args, **kwargs)


@pytest.mark.parametrize("ring", [True, False], ids=["ring", "workers"])
@pytest.mark.parametrize("what", STEPS)
def test_it_does_what_the_plain_function_does(
    what: str, ring: bool, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results, errors with the names in them, and what is there afterwards."""
    if not ring:
        monkeypatch.setattr(uring, "possible", False)
    wanted = _played(tmp_path / "plain", STEPS[what], _plain)
    assert _played(tmp_path / "ours", STEPS[what], _carried_out) == wanted


@needs_ring
@pytest.mark.parametrize(
    "path", ["/", "/dev/null", "/proc/self/status", "/etc/passwd", "/etc/mtab", __file__]
)
def test_a_status_has_every_field(path: str) -> None:
    """Those that are no part of the tuple, too."""

    def body() -> None:
        for name in ("stat", "lstat"):
            found = _carried_out(name, path)
            wanted = getattr(os, name)(path)
            if "/proc/" not in path:
                assert found.__reduce__() == wanted.__reduce__()
            assert type(found) is type(wanted)

    run_in_thread(body)


@needs_ring
@pytest.mark.parametrize("name", sorted(deeds._DEEDS))
def test_the_ring_does_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no worker, in what this suite means by it."""

    def body() -> None:
        monkeypatch.setattr(deeds, "offload", None)
        monkeypatch.chdir(tmp_path)
        file = os.open("a", os.O_RDWR | os.O_CREAT)
        if name == "rmdir":
            os.mkdir("b")
        arguments: dict[str, tuple[Any, ...]] = {
            **dict.fromkeys(("fdatasync", "fstat", "fsync"), (file,)),
            **dict.fromkeys(("link", "rename", "replace", "symlink"), ("a", "b")),
            **dict.fromkeys(("mkdir", "rmdir"), ("b",)),
            "pwrite": (file, b"x", 0),
        }
        carry_out(name, getattr(os, name), *arguments.get(name, ("a",)))
        os.close(file)

    run_in_thread(body)


@needs_ring
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mkdir", ("b", 0o700)),
        ("rmdir", ("nothing",)),
        ("remove", ("a",)),
        ("unlink", ("nothing",)),
        ("rename", ("a", "c")),
        ("replace", ("c", "a")),
        ("link", ("a", "d")),
        ("symlink", ("a", "e")),
        ("stat", ("a",)),
    ],
)
def test_what_is_audited_is_what_the_plain_function_audits(
    name: str, arguments: tuple[Any, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> None:
        monkeypatch.chdir(tmp_path)
        heard: list[list[Any]] = []
        for do in (_plain, _carried_out):
            for left in Path().iterdir():
                left.rmdir() if left.is_dir() else left.unlink()
            Path("a").touch()
            heard.append([])
            _listening.append(heard[-1])
            try:
                do(name, *arguments)
            except OSError:
                pass
            _listening.clear()
        assert heard[1] == heard[0]

    run_in_thread(body)


_listening: list[list[Any]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening and event.startswith("os."):
        _listening[0].append((event, arguments))


sys.addaudithook(_hear)


@pytest.mark.parametrize("ring", [pytest.param(True, marks=needs_ring), False])
def test_what_is_written_to_a_slow_file_is_written_to_the_end(
    ring: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the file's position, by whoever is killed meanwhile as well: he ends with his next write."""

    def body() -> None:
        monkeypatch.setattr(files, "mounts", SimpleNamespace(slow=lambda *_: True))
        if ring:
            monkeypatch.setattr(files, "_finish", None)
        else:
            monkeypatch.setattr(uring, "possible", False)
        other = runtime.spawn(runtime.sleep, 60)
        written: list[int] = []
        with io.open(os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT), "wb", 0) as file:

            def write() -> None:
                for _ in range(3):
                    written.append(file.write(b"abc"))

            whole = runtime.spawn(write)
            whole.result(10)
            killed = runtime.spawn(write)
            runtime.schedule()
            killed.kill()
            assert (tmp_path / "file").read_bytes() == b"abc" * len(written)
            assert written == [3] * 4
            with io.open(tmp_path / "file", "a") as appending:
                appending.write("end")
        assert (tmp_path / "file").read_bytes() == b"abcabcabcabcend"
        assert (get_hub().ring is not None) == ring
        other.kill()

    run_in_thread(body)


@needs_ring
def test_others_run_while_the_disk_writes(tmp_path: Path) -> None:
    """Twenty tasklets at a time, more than there are workers, and each returns."""

    def body() -> None:
        def write(number: int) -> None:
            fd = green_os.open(tmp_path / str(number), os.O_WRONLY | os.O_CREAT)
            for _ in range(3):
                green_os.write(fd, b"x")
                green_os.fsync(fd)
            green_os.close(fd)

        for tasklet in [runtime.spawn(write, number) for number in range(20)]:
            tasklet.result(30)

    run_in_thread(body)
