"""Which paths count as slow, and what that changes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

import runtime
from runtime import deeds, uring
from runtime import mounts as mounts_module
from runtime.green import os as green_os
from runtime.mounts import Mounts
from tests.runtime.ticker import Ticker

TABLE = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:50 / /mnt/far rw shared:1 master:2 - nfs4 server:/export rw
41 27 0:51 / /mnt/with\\040space rw - fuse.sshfs host: rw
42 40 254:1 / /mnt/far/near rw - ext4 /dev/vdb rw
43 27 0:52 / /mnt/covered rw - cifs //server/share rw
44 43 254:2 / /mnt/covered rw - ext4 /dev/vdc rw
torn line
"""


def _mounts(tmp_path: Path, table: str = TABLE) -> Mounts:
    file = tmp_path / "mountinfo"
    file.write_text(table)
    return Mounts(str(file))


@pytest.mark.parametrize(
    ("path", "slow"),
    [
        ("/", False),
        ("/home/file", False),
        ("/mnt/far", True),
        (b"/mnt/far/file", True),
        (Path("/mnt/far/deep/file"), True),
        ("/mnt/farther", False),
        ("/mnt/far/../near", False),
        ("//mnt/./far/x", True),
        ("/mnt/with space/x", True),
        ("/mnt/far/near/x", False),
        ("/mnt/covered/x", False),
        (None, False),
        (1.5, False),
        ("\0", False),
    ],
)
def test_a_path_is_as_slow_as_the_longest_mount_point_before_it(
    tmp_path: Path, path: object, slow: bool
) -> None:
    """Any kind of path, normalised; what is no path is a matter for the call itself."""
    assert _mounts(tmp_path).slow(path) is slow


def test_what_is_relative_lies_where_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder, a descriptor, and a path beside a descriptor."""
    mounts = _mounts(tmp_path, f"27 1 254:0 / {tmp_path} rw - nfs server: rw\n")
    monkeypatch.chdir(tmp_path)
    assert mounts.slow("file")
    assert mounts.slow(None)
    assert not mounts.slow("../file")
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert mounts.slow(fd)
        monkeypatch.chdir("/")
        assert not mounts.slow("file")
        assert mounts.slow("file", fd)
        assert not mounts.slow("/file", fd)
    finally:
        os.close(fd)
    assert not mounts.slow(fd)  # closed: the call itself will say so


def test_without_a_slow_mount_one_comparison_tells(tmp_path: Path) -> None:
    """`clear_until` is in the future exactly when there is none; a table that there is not has none."""
    clear = _mounts(tmp_path, TABLE.splitlines()[1] + "\n")
    assert not clear.slow("/mnt/far")
    assert clear.clear_until > 0
    slow = _mounts(tmp_path)
    assert not slow.clear()
    assert slow.clear_until == 0
    assert repr(slow) == "<Mounts: /mnt/with space, /mnt/far slow>"
    assert not Mounts("/nonexistent").slow("/mnt/far")


def test_a_mount_that_comes_later_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is read again, but not at once."""
    now = 100.0
    monkeypatch.setattr(mounts_module, "monotonic", lambda: now)
    mounts = _mounts(tmp_path, "")
    assert not mounts.slow("/mnt/far")
    (tmp_path / "mountinfo").write_text(TABLE)
    assert not mounts.slow("/mnt/far")
    now += 60
    assert mounts.slow("/mnt/far")


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as slow."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (tmp_path / "mountinfo").write_text(f"27 1 254:0 / {folder} rw - nfs server: rw\n")
    monkeypatch.setattr(green_os, "mounts", Mounts(str(tmp_path / "mountinfo")))
    return folder


@pytest.mark.usefixtures("backend")
def test_only_what_lies_on_a_slow_file_system_is_offloaded(
    slow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of argument: a path, two of them, a descriptor, a folder with a descriptor."""
    offloaded: list[str] = []

    def offload(function: object, *args: object, **kwargs: object) -> object:
        offloaded.append(function.__name__)  # type: ignore[attr-defined]
        return plain(function, *args, **kwargs)

    plain = green_os.offload
    monkeypatch.setattr(uring, "possible", False)
    for module in (green_os, deeds):
        monkeypatch.setattr(module, "offload", offload)
    with Ticker():
        green_os.mkdir(slow / "a")
        green_os.rename(tmp_path / "mountinfo", slow / "b")
        green_os.symlink("b", slow / "c")
        green_os.symlink(slow / "b", tmp_path / "d")
        green_os.stat(tmp_path)
        green_os.unlink(slow / "c")
        fd = os.open(slow, os.O_RDONLY)
        green_os.fstat(fd)
        green_os.stat("b", dir_fd=fd)
        os.close(fd)
        assert sorted(green_os.listdir(slow)) == ["a", "b"]
        with green_os.scandir(slow) as entries:
            assert sorted(entry.name for entry in entries) == ["a", "b"]
        green_os.makedirs(slow / "x" / "y")
        assert [names for _, names, _ in green_os.walk(slow / "x")] == [["y"], []]
        with pytest.raises(FileExistsError):
            green_os.mkdir(slow / "a")
        green_os.scandir(tmp_path).close()
        runtime.sleep(0.02)
    assert offloaded[:8] == ["mkdir", "rename", "symlink", "unlink", "fstat", "stat", "listdir", "_Entries"]
    assert offloaded[8:] == ["mkdir", "mkdir", "_Entries", "_Entries", "mkdir"]


@pytest.mark.usefixtures("backend")
def test_others_run_while_a_slow_file_system_is_asked(slow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is made on a worker thread: it may wait as long as it likes."""
    gate = threading.Event()
    monkeypatch.setattr(uring, "possible", False)

    def stat(path: object) -> str:
        return "waited" if gate.wait(20) else "nobody opened the gate"

    monkeypatch.setattr(vars(green_os)["os"], "stat", stat)
    made = green_os._on_slow_paths("stat", ((0, "path", "dir_fd"),))
    with Ticker(gate.set):
        assert made(slow / "file") == "waited"


@pytest.mark.usefixtures("backend")
def test_without_others_the_plain_call_is_made(slow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would profit from a worker thread."""
    monkeypatch.setattr(green_os, "carry_out", None)
    assert green_os.stat(slow).st_ino == os.stat(slow).st_ino
