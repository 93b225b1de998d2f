"""Several tasklets share one file: each call is whole, so together they do what plain Python does with the same calls.

A call that has returned is written down before anything else can run, so the list is the order in which the calls
took effect.  The same calls, made one after another on a plain file with the same content, must give the same results,
and leave the same bytes.
"""

from __future__ import annotations

import contextlib
import io as plain_io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import runtime
from runtime import files
from runtime.green import io, os, socket

pytestmark = pytest.mark.usefixtures("backend")
Step = tuple[str, tuple[Any, ...]]
Log = list[tuple[Step, Any]]

_tasklets = st.integers(2, 4)
_buffering = st.sampled_from([-1, 2, 7, 100])
_encodings = st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-8-sig"])
_newlines = st.sampled_from([None, "", "\n", "\r\n", "\r"])
_sizes = st.lists(st.integers(1, 40), min_size=1, max_size=20)  # of the pieces in which something comes
_text = st.text(alphabet="ab\n\r é", max_size=200)
_reads = st.one_of(
    st.tuples(st.sampled_from(["read", "readline"]), st.tuples(st.integers(0, 30))),
    st.tuples(st.just("readlines"), st.tuples(st.integers(1, 30))),
    st.tuples(st.sampled_from(["readline", "__next__"]), st.just(())),
)
_work = st.lists(_reads, min_size=1, max_size=8)
_settings = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _make(file: Any, step: Step) -> Any:
    name, arguments = step
    try:
        return getattr(file, name)(*arguments)
    except (StopIteration, OSError, ValueError) as error:
        return type(error), str(error)


def _several(file: Any, works: list[list[Step]]) -> Log:
    """Have a tasklet for each of *works* make its calls on *file*; what was done, in order."""
    log: Log = []

    def work(steps: list[Step]) -> None:
        for step in steps:
            result = _make(file, step)
            log.append((step, result))  # nothing runs in between
            runtime.schedule()

    tasklets = [runtime.spawn(work, steps) for steps in works]
    for tasklet in tasklets:
        assert tasklet.join(20), "the tasklets hang"
        assert tasklet.error is None
    return log


def _again(file: Any, log: Log) -> Log:
    """The same calls, one after another."""
    return [(step, _make(file, step)) for step, _ in log]


@contextlib.contextmanager
def _channel(over: str) -> Any:
    """A way from one descriptor to another: what reads, what writes, and what closes the writing end."""
    with contextlib.ExitStack() as stack:
        if over == "pipe":
            r, w = os.pipe()
            source = stack.enter_context(io.open(r, "rb", 0))
            sink = stack.enter_context(io.open(w, "wb", 0))
            yield source, sink
        else:
            a, b = map(stack.enter_context, socket.socketpair())
            source = stack.enter_context(a.makefile("rb", 0))
            sink = stack.enter_context(b.makefile("wb", 0))
            b.close()
            yield source, sink


class _Sink(plain_io.RawIOBase):
    """As little seekable as a pipe."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += data
        return len(data)


def _pieces(data: bytes, sizes: list[int]) -> Any:
    start = number = 0
    while start < len(data):
        size = sizes[number % len(sizes)]
        yield data[start : start + size]
        start += size
        number += 1


@_settings
@given(
    data=st.lists(_text, max_size=8).map("".join),
    works=st.lists(_work, min_size=2, max_size=4),
    sizes=_sizes,
    over=st.sampled_from(["pipe", "socket"]),
    text=st.booleans(),
    buffering=_buffering,
    encoding=_encodings,
    newline=_newlines,
)
def test_readers_of_a_stream_get_what_one_reader_gets(
    data: str,
    works: list[list[Step]],
    sizes: list[int],
    over: str,
    text: bool,
    buffering: int,
    encoding: str,
    newline: str | None,
) -> None:
    octets = data.encode(encoding)
    size = plain_io.DEFAULT_BUFFER_SIZE if buffering < 0 else buffering
    how: dict[str, Any] = {"encoding": encoding, "newline": newline}
    with _channel(over) as (source, sink):
        file = io.BufferedReader(source, size)
        if text:
            file = io.TextIOWrapper(file, **how)

        def feed() -> None:
            for piece in _pieces(octets, sizes):
                sink.write(piece)
                runtime.schedule()
            sink.close()

        feeder = runtime.spawn(feed)
        works = [*works, [("read", (-1,))]]
        log = _several(file, works)
        assert feeder.join(20)
        rest = file.read()
        kind = type(file)
        assert not hasattr(kind, "_fast"), "its class is still the guarded one"
        file.close()
    plain: Any = plain_io.BufferedReader(plain_io.BytesIO(octets), size)  # type: ignore[arg-type]
    if text:
        plain = plain_io.TextIOWrapper(plain, **how)
    assert _again(plain, log) == log
    assert plain.read() == rest


@_settings
@given(
    records=st.lists(st.lists(_text, min_size=1, max_size=4), min_size=2, max_size=4),
    lengths=st.sampled_from([1, 50, 2000]),
    sizes=_sizes,
    over=st.sampled_from(["pipe", "socket"]),
    text=st.booleans(),
    buffering=_buffering,
    line_buffering=st.booleans(),
    encoding=_encodings,
    newline=_newlines,
    way=st.sampled_from(["write", "writelines"]),
)
def test_what_writers_write_to_a_stream_is_whole_and_in_order(
    records: list[list[str]],
    lengths: int,
    sizes: list[int],
    over: str,
    text: bool,
    buffering: int,
    line_buffering: bool,
    encoding: str,
    newline: str | None,
    way: str,
) -> None:
    """Each record is marked, so it is seen whole or not at all."""
    size = plain_io.DEFAULT_BUFFER_SIZE if buffering < 0 else buffering
    how: dict[str, Any] = {"encoding": encoding, "newline": newline, "line_buffering": line_buffering}

    def wrap(module: Any, raw: Any) -> Any:
        file = module.BufferedWriter(raw, size)
        return module.TextIOWrapper(file, **how) if text else file

    def steps(number: int, texts: list[str]) -> list[Step]:
        made: list[Step] = []
        for position, words in enumerate(texts):
            whole = [f"<{number}.{position}:", words * lengths, ">"]
            parts: list[Any] = whole if text else [part.encode(encoding) for part in whole]
            made.append((way, (parts if way == "writelines" else type(parts[0])().join(parts),)))
            if position % 2:
                made.append(("flush", ()))
        return made

    got = bytearray()

    def drain() -> None:
        number = 0
        while part := source.read(sizes[number % len(sizes)] * lengths):
            got.extend(part)
            number += 1
            runtime.schedule()

    with _channel(over) as (source, sink):
        file = wrap(io, sink)
        drainer = runtime.spawn(drain)
        log = _several(file, [steps(number, texts) for number, texts in enumerate(records)])
        file.close()
        assert drainer.join(20)
    target = _Sink()
    plain = wrap(plain_io, target)
    assert _again(plain, log) == log
    plain.flush()
    assert got == target.written


_updates = st.one_of(_reads, st.tuples(st.just("write"), st.tuples(_text)), st.just(("flush", ())))
# Of a text file these are several calls on itself, between which others may come: under plain Python, too.
_moves = st.one_of(
    st.tuples(st.just("seek"), st.sampled_from([(0,), (3,), (0, 1), (0, 2)])),
    st.tuples(st.sampled_from(["tell", "truncate"]), st.just(())),
)
_text_or_not = st.booleans().flatmap(
    lambda text: st.tuples(
        st.just(text),
        st.lists(
            st.lists(_updates if text else st.one_of(_updates, _moves), min_size=1, max_size=8),
            min_size=2,
            max_size=4,
        ),
    )
)


@_settings
@given(
    kind=_text_or_not,
    mode=st.sampled_from(["r+", "w+", "a+"]),
    buffering=st.sampled_from([-1, 7, 64]),
    encoding=_encodings,
    newline=_newlines,
)
def test_those_who_share_a_file_on_a_slow_disk_do_what_one_does(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    kind: tuple[bool, list[list[Step]]],
    mode: str,
    buffering: int,
    encoding: str,
    newline: str | None,
) -> None:
    """Its writes are made by a worker, so others come meanwhile."""
    text, works = kind
    monkeypatch.setattr(type(files.mounts), "slow", lambda *_: True)
    start = "línea one\r\ntwo\nthree\r".encode(encoding) * 3
    how: dict[str, Any] = {"mode": mode + "b" * (not text), "buffering": buffering}
    if text:
        how |= {"encoding": encoding, "newline": newline, "errors": "replace"}
    else:
        works = [
            [(name, (arguments[0].encode(),) if name == "write" else arguments) for name, arguments in steps]
            for steps in works
        ]
    path = tmp_path_factory.getbasetemp() / "shared"

    def play(module: Any, run: Callable[[Any], Log]) -> tuple[Log, bytes]:
        path.write_bytes(start)
        with module.open(path, **how) as file:
            log = run(file)
        return log, path.read_bytes()

    log, content = play(io, lambda file: _several(file, works))
    assert play(plain_io, lambda file: _again(file, log)) == (log, content)


# `BufferedRWPair` makes its `readline` of several calls, between which others may come: under plain Python, too.
_pair_work = st.lists(st.tuples(st.just("read"), st.tuples(st.integers(0, 30))), min_size=1, max_size=8)


@_settings
@given(
    works=st.lists(_pair_work, min_size=1, max_size=3),
    records=st.lists(st.lists(_text, min_size=1, max_size=3), min_size=1, max_size=3),
    sizes=_sizes,
    data=st.binary(max_size=300),
    buffering=_buffering,
)
def test_reading_and_writing_one_socket_do_not_meet(
    works: list[list[Step]], records: list[list[str]], sizes: list[int], data: bytes, buffering: int
) -> None:
    """The file of a connection: several read it, several write it, all at once."""
    size = plain_io.DEFAULT_BUFFER_SIZE if buffering < 0 else buffering
    a, b = socket.socketpair()
    got = bytearray()

    def feed() -> None:
        for piece in _pieces(data, sizes):
            b.sendall(piece)
            runtime.schedule()
        b.shutdown(socket.SHUT_WR)

    def drain() -> None:
        while part := b.recv(4096):
            got.extend(part)

    with a, b:
        file = a.makefile("rwb", size)
        peers = [runtime.spawn(feed), runtime.spawn(drain)]
        writes = [
            [
                ("write", (f"<{number}.{position}:{words * 100}>".encode(),))
                for position, words in enumerate(texts)
            ]
            for number, texts in enumerate(records)
        ]
        log = _several(file, [*works, *writes])
        file.flush()
        rest = file.read()
        file.close()
        a.shutdown(socket.SHUT_WR)
        assert all(peer.join(20) for peer in peers)
    read = [entry for entry in log if entry[0][0] != "write"]
    plain = plain_io.BufferedReader(plain_io.BytesIO(data), size)  # type: ignore[arg-type]
    assert _again(plain, read) == read
    assert plain.read() == rest
    assert bytes(got) == b"".join(step[1][0] for step, _ in log if step[0] == "write")
