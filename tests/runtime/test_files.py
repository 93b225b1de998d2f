"""Files: plain results, by calls that let others run while they wait."""

from __future__ import annotations

import contextlib
import io as plain_io
import os
import pathlib
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runtime
from runtime.green import io

pytestmark = pytest.mark.usefixtures("backend")


def _settle() -> None:
    for _ in range(5):
        runtime.schedule()


def _open_paths() -> set[str]:
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{number}"))
    return found


@pytest.mark.parametrize("killed", [False, True])
def test_opening_a_fifo_waits_for_its_peer(tmp_path: pathlib.Path, killed: bool) -> None:
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    reader = runtime.spawn(lambda: io.open(path, "rb"))
    runtime.sleep(0.01)
    assert reader.alive
    if killed:
        reader.kill()
        os.close(os.open(path, os.O_WRONLY))  # the late descriptor
        while path in _open_paths():
            runtime.sleep(0.001)
        return
    with io.open(path, "wb", 0) as writer, reader.result(10) as file:
        line = runtime.spawn(lambda: file.readline())
        _settle()
        writer.write(b"through\n")
        assert line.result(10) == b"through\n"


def test_a_descriptor_in_non_blocking_mode_answers_none() -> None:
    r, w = os.pipe()
    os.set_blocking(r, False)
    beat = runtime.spawn(lambda: runtime.sleep(0.001))
    with io.open(r, "rb", 0) as file:
        assert file.read(10) is None
        assert file.readinto(bytearray(5)) is None
        assert file.readall() is None
        os.write(w, b"abc")
        assert file.read(10) == b"abc"
    os.close(w)
    beat.join()


def test_an_unclosed_file_is_warned_of_once(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "file")
    with pytest.warns(ResourceWarning) as seen:
        io.open(path, "w", encoding="utf-8")
    assert [str(w.message) for w in seen] == [
        f"unclosed file <_io.TextIOWrapper name={path!r} mode='w' encoding='utf-8'>"
    ]
    assert seen[0].filename == __file__


@pytest.mark.parametrize(
    "arguments",
    [
        {"mode": "q"},
        {"mode": "rw"},
        {"mode": "rt", "buffering": 0},
        {"mode": "rb", "encoding": "utf-8"},
        {"mode": "r", "newline": "x"},
        {"mode": "r", "encoding": "nowhere"},
        {"mode": "r", "buffering": None},
        {"mode": None},
        {"file": "/nowhere/at/all"},
        {"file": object()},
        {"file": -1},
        {"file": "a", "closefd": False},
    ],
)
def test_what_open_refuses_it_refuses_in_the_same_words(
    tmp_path: pathlib.Path, arguments: dict[str, Any]
) -> None:
    (tmp_path / "file").write_text("x")
    words = []
    for module in (plain_io, io):
        with pytest.raises(Exception) as caught:
            module.open(**({"file": tmp_path / "file"} | arguments))  # type: ignore[attr-defined]
        words.append((type(caught.value), str(caught.value)))
    assert words[0] == words[1]


_steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["read", "readline", "readlines"]), st.integers(-1, 40)),
        st.tuples(st.just("write"), st.text(alphabet="ab\n\r é", max_size=30)),
        st.tuples(st.just("seek"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("seek"), st.just(0), st.sampled_from([1, 2])),
        st.tuples(st.sampled_from(["tell", "flush", "__next__", "truncate", "readable", "fileno_ok"])),
    ),
    max_size=12,
)


def _play(module: Any, path: pathlib.Path, how: dict[str, Any], steps: list[Any], spread: bool) -> list[Any]:
    path.write_bytes("línea one\r\ntwo\nthree\r".encode() * 3)
    seen: list[Any] = []

    def step(name: str, arguments: tuple[Any, ...]) -> Any:
        if name == "fileno_ok":
            return file.fileno() >= 0
        if name == "write" and "b" in how["mode"]:
            arguments = (arguments[0].encode(),)
        try:
            return getattr(file, name)(*arguments)
        except Exception as error:
            return type(error), str(error)

    warnings.simplefilter(
        "ignore", RuntimeWarning
    )  # line buffering of binary files; pytest puts the filters back
    with module.open(path, **how) as file:
        for name, *arguments in steps:
            if spread:
                seen.append(runtime.spawn(step, name, tuple(arguments)).result(10))
            else:
                seen.append(step(name, tuple(arguments)))
    return [*seen, path.read_bytes()]


@settings(max_examples=150, deadline=None)
@given(
    steps=_steps,
    mode=st.sampled_from(["r", "r+", "w+", "a+", "a"]),
    binary=st.booleans(),
    buffering=st.sampled_from([-1, 0, 1, 7]),
    encoding=st.sampled_from(["utf-8", "latin-1", "utf-16"]),
    newline=st.sampled_from([None, "", "\n", "\r\n"]),
)
def test_a_file_does_what_a_plain_one_does(
    tmp_path_factory: Any, steps: Any, mode: str, binary: bool, buffering: int, encoding: str, newline: Any
) -> None:
    how: dict[str, Any] = {"mode": mode + "b" * binary, "buffering": buffering if binary else buffering or 2}
    if not binary:
        how |= {"encoding": encoding, "newline": newline, "errors": "replace"}
    path = tmp_path_factory.getbasetemp() / "played"
    plain = _play(plain_io, path, how, steps, spread=False)
    assert _play(io, path, how, steps, spread=False) == plain
    assert _play(io, path, how, steps, spread=True) == plain
