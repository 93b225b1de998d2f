"""However a file is saved, it is one reload; or none, where its contents are what they were."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rewriter.reload.child import signature
from rewriter.reload.files import Files, digest
from rewriter.reload.watching import Watching
from tests.reload.conftest import SERVER, Program, Start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a POSIX system is needed to hand descriptors on")
QUIET = 0.5  # seconds after which nothing more is expected of a save

Save = Callable[[Path, bytes], object]


def in_place(path: Path, contents: bytes) -> None:
    path.write_bytes(contents)


def in_two_writes(path: Path, contents: bytes) -> None:
    """As an editor that truncates, and is slow to write."""
    with path.open("wb") as file:
        time.sleep(0.05)
        file.write(contents[: len(contents) // 2])
        file.flush()
        file.write(contents[len(contents) // 2 :])


def by_rename(path: Path, contents: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(contents)
    temporary.replace(path)


def like_vim(path: Path, contents: bytes) -> None:
    """A backup by rename, the new file, the backup removed; and a probe of what the folder permits."""
    probe = path.with_name("4913")
    probe.touch()
    probe.unlink()
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    path.write_bytes(contents)
    backup.unlink()


def like_emacs(path: Path, contents: bytes) -> None:
    """A lock that is a dangling link, a backup by copy, then in place."""
    lock = path.with_name(f".#{path.name}")
    lock.symlink_to("me@here.1")
    shutil.copy2(path, path.with_name(f"{path.name}~"))
    path.write_bytes(contents)
    lock.unlink()


def like_kate(path: Path, contents: bytes) -> None:
    """A temporary file that is synced, given the old one's mode and renamed."""
    temporary = path.with_name(f"{path.name}.XXXX")
    with temporary.open("wb") as file:
        file.write(contents)
        os.fsync(file.fileno())
    temporary.chmod(path.stat().st_mode)
    temporary.rename(path)


def deleted_and_made_again(path: Path, contents: bytes) -> None:
    path.unlink()
    time.sleep(0.1)
    path.write_bytes(contents)


def by_a_hard_link(path: Path, contents: bytes) -> None:
    temporary = path.with_name("linked.tmp")
    temporary.write_bytes(contents)
    path.unlink()
    os.link(temporary, path)
    temporary.unlink()


def with_the_old_time(path: Path, contents: bytes) -> None:
    """As ``cp -p`` and ``tar`` do: the new file is older than the old one."""
    path.write_bytes(contents)
    os.utime(path, (1e9, 1e9))


def in_the_same_second(path: Path, contents: bytes) -> None:
    status = path.stat()
    path.write_bytes(contents)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns // 10**9 * 10**9))


def by_truncating_to_the_same_length(path: Path, contents: bytes) -> None:
    with path.open("r+b") as file:
        file.write(contents)
        file.truncate()


def twice_at_once(path: Path, contents: bytes) -> None:
    """As an editor with a formatter that runs on save."""
    path.write_bytes(contents + b"   \n")
    path.write_bytes(contents)


def touched(path: Path, contents: bytes) -> None:
    path.touch()


def the_same_again(path: Path, contents: bytes) -> None:
    path.write_bytes(path.read_bytes())


def renamed_there_and_back(path: Path, contents: bytes) -> None:
    other = path.with_name("other.txt")
    path.rename(other)
    other.rename(path)


def with_another_mode(path: Path, contents: bytes) -> None:
    path.chmod(0o600)


def changed_and_changed_back(path: Path, contents: bytes) -> None:
    before = path.read_bytes()
    path.write_bytes(contents)
    path.write_bytes(before)


def something_else(path: Path, contents: bytes) -> None:
    path.with_name("notes.txt").write_bytes(contents)
    path.with_name("never_imported.py").write_bytes(contents)
    path.with_name("greeting.py~").write_bytes(contents)
    path.with_name(".greeting.py.swp").write_bytes(contents)


ONE: list[Save] = [
    in_place, in_two_writes, by_rename, like_vim, like_emacs, like_kate, deleted_and_made_again, by_a_hard_link,
    with_the_old_time, in_the_same_second, by_truncating_to_the_same_length, twice_at_once,
]  # fmt: skip
NONE: list[Save] = [
    touched, the_same_again, renamed_there_and_back, with_another_mode, changed_and_changed_back, something_else,
]  # fmt: skip


def test_each_kind_of_save_is_one_reload_or_none(server: Program) -> None:
    path = server.folder / "greeting.py"
    found = {}
    for number, save in enumerate([*ONE, *NONE]):
        before = server.count("reloaded in")
        expected = server.ask()
        if save in ONE:
            expected = f"{number:03}"
            server.reloaded(lambda save=save, text=expected: save(path, f'TEXT = "{text}"\n'.encode()))  # type: ignore[misc]
        else:
            save(path, b'TEXT = "never"\n')
        time.sleep(QUIET)
        found[save.__name__] = (server.count("reloaded in") - before, server.ask() == expected)
    assert found == {save.__name__: (int(save in ONE), True) for save in [*ONE, *NONE]}


def test_a_checkout_of_many_files_is_one_reload(start: Start, tmp_path: Path) -> None:
    names = [f"part{number}" for number in range(30)]
    code = "\n".join(f"import {name}" for name in names) + "\n" + SERVER

    def git(*words: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    if shutil.which("git") is None:
        pytest.skip("no git")
    for name in names:
        (tmp_path / f"{name}.py").write_text("A = 1\n")
    (tmp_path / "greeting.py").write_text('TEXT = "one"\n')
    (tmp_path / "server.py").write_text(code)
    git("init", "-q", "-b", "one")
    git("add", ".")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "two")
    for name in names:
        (tmp_path / f"{name}.py").write_text("A = 2\n")
    (tmp_path / "greeting.py").write_text('TEXT = "two"\n')
    git("commit", "-qam", "two")
    git("checkout", "-q", "one")
    program = start("server.py")
    program.line("watching 32 files")
    program.reloaded(lambda: git("checkout", "-q", "two"))
    time.sleep(QUIET)
    assert program.count("reloaded in") == 1
    assert program.ask() == "two"


def test_a_symbolic_link_that_is_swapped(start: Start, tmp_path: Path) -> None:
    for release in ("one", "two"):
        folder = tmp_path / "releases" / release
        folder.mkdir(parents=True)
        (folder / "server.py").write_text(SERVER)
        (folder / "greeting.py").write_text(f"TEXT = {release!r}")
    (tmp_path / "current").symlink_to("releases/one")
    program = start("current/server.py")
    program.line("watching")
    assert program.ask() == "one"

    def swap() -> None:
        (tmp_path / "new").symlink_to("releases/two")
        (tmp_path / "new").rename(tmp_path / "current")

    program.reloaded(swap)
    assert program.ask() == "two"
    program.reloaded(lambda: in_place(tmp_path / "releases/two/greeting.py", b"TEXT = 'three'"))
    assert program.ask() == "three"


def test_a_package_and_a_module_that_is_imported_late(start: Start, tmp_path: Path) -> None:
    (tmp_path / "app" / "views").mkdir(parents=True)
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "__main__.py").write_text(
        SERVER.replace("import greeting", "").replace("body =", "from app.views import greeting; body =")
    )
    (tmp_path / "app" / "views" / "__init__.py").touch()
    (tmp_path / "app" / "views" / "greeting.py").write_text("TEXT = 'one'")
    program = start("app")
    program.line("watching")
    assert program.ask() == "one"
    program.reloaded(lambda: program.save("app/views/greeting.py", "TEXT = 'two'"))
    assert program.ask() == "two"


def test_a_module_that_is_imported_by_a_request(start: Start, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "late.py").write_text("TEXT = 'one'")
    code = SERVER.replace("import greeting", "").replace(
        "greeting.TEXT", "__import__('parts.late').late.TEXT"
    )
    program = start("server.py", server=code)
    program.line("watching 1 file;")
    assert program.ask() == "one"
    program.reloaded(lambda: program.save("parts/late.py", "TEXT = 'two'"))
    assert program.ask() == "two"


def test_other_files_count_where_they_are_included(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.html").write_text("one")
    (tmp_path / "pages" / "draft.html").write_text("one")
    code = SERVER.replace("greeting.TEXT", "open('pages/index.html').read()")
    words = ("--reload-include", "*.html", "--reload-exclude", "draft*", "server.py")
    program = start(*words, server=code, greeting="")
    program.line("watching 3 files")
    program.reloaded(lambda: program.save("pages/index.html", "two"))
    assert program.ask() == "two"
    program.reloaded(lambda: program.save("pages/new.html", "new"))
    program.save("pages/draft.html", "two")
    time.sleep(QUIET)
    assert program.count("reloaded in") == 2


def test_the_configuration_counts(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.rewriter]\n")
    code = (
        "import threading\nprint('is', threading.Thread.__module__, threading.__name__, flush=True)\n"
        + SERVER
    )
    program = start("server.py", server=code, greeting='TEXT = "one"')
    program.line("watching")
    before = len(program.lines)
    program.save("pyproject.toml", "[tool.rewriter]\nnothing = 1\n")
    program.line("unknown key", before)
    program.line("the old code goes on answering", before)
    program.reloaded(lambda: program.save("pyproject.toml", "[tool.rewriter]\nfair = true\n"))
    assert program.ask() == "one"


def test_files_know_what_is_new_in_them(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    files = Files()
    files.add(str(path), None)
    assert files.changed() == {}
    path.write_text("1")
    assert files.changed() == {str(path): True}
    files.accept([str(path)])
    assert files.changed() == {}
    path.unlink()
    assert files.changed() == {str(path): False}
    path.write_text("1")
    assert files.changed() == {}
    files.add(str(path), [0, 0, 0])  # it was another file when it was about to be read
    assert files.changed() == {str(path): True}


def test_what_is_saved_while_a_file_is_looked_at_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An importer may have read what was there between the two, half of the file."""
    path = tmp_path / "a.py"
    path.write_text("old")
    files = Files()

    def late(name: str) -> bytes | None:
        path.write_text("newer")
        return digest(name)

    seen = signature(str(path))
    monkeypatch.setattr("rewriter.reload.files.digest", late)
    files.add(str(path), seen)
    monkeypatch.undo()
    assert files.changed() == {str(path): True}


def test_a_file_that_has_just_been_emptied_is_about_to_be_written(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    files = Files()
    files.add(str(path), signature(str(path)))
    assert not files.emptied(60)
    path.write_text("")
    files.add(str(path), signature(str(path)))
    assert files.emptied(60)
    os.utime(path, (1e9, 1e9))  # it has been empty for years, as an `__init__.py` may be
    files.add(str(path), signature(str(path)))
    assert not files.emptied(60)
    path.write_text("1")
    files.add(str(path), signature(str(path)))
    assert not files.emptied(60)


def test_where_the_system_tells_nothing_files_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime import sleep
    from runtime.mounts import mounts

    monkeypatch.setattr(type(mounts), "slow", lambda self, path, dir_fd=None: True)
    heard: list[str] = []
    watching = Watching(heard.append)
    watching.watch([str(tmp_path / "a.py")])
    assert watching.polls
    sleep(0.7)
    watching.end()
    assert heard == [""]
    sleep(0.6)
    assert heard == [""]


if sys.platform != "linux":
    ONE.remove(in_the_same_second)  # its clock may be too coarse to tell
