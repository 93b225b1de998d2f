"""Calls that are offloaded: who runs meanwhile, what an interruption leaves, and what is the same as ever."""

from __future__ import annotations

import bz2
import hashlib
import hmac
import importlib
import os
import pickle
import sys
import threading
import zlib
from typing import Any

import pytest

import runtime
from runtime import offloads
from runtime.green import _bz2 as green_bz2
from runtime.green import _lzma as green_lzma
from runtime.green import hashlib as green_hashlib
from runtime.green import hmac as green_hmac
from runtime.green import mmap as green_mmap
from runtime.green import pwd as green_pwd
from runtime.green import zlib as green_zlib

pytestmark = pytest.mark.usefixtures("backend")

LARGE = bytes(1 << 20)


@pytest.fixture
def where(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was given to workers."""
    seen: list[str] = []

    def offload(function: Any, *args: Any, **kwargs: Any) -> Any:
        target = function.function if isinstance(function, offloads.Claim) else function
        seen.append(getattr(target, "__name__", str(target)))
        return runtime.offload(function, *args, **kwargs)

    monkeypatch.setattr(offloads, "offload", offload)
    return seen


def beside(function: Any) -> Any:
    """Call *function* while another tasklet lives."""
    other = runtime.spawn(runtime.sleep, 60)
    try:
        return function()
    finally:
        other.kill()


def test_a_wrapped_function_runs_on_a_worker_only_where_others_profit() -> None:
    """Alone it is called in place; beside another tasklet on a worker."""
    here = threading.get_ident()
    wrapped = offloads.wrap(threading.get_ident)
    assert wrapped() == here
    assert beside(wrapped) != here


def test_a_wrapped_builtin_does_not_bind_and_a_wrapped_function_does() -> None:
    """As the originals: ``class C: f = len`` is called without the instance, a ``def`` with it."""

    def kind(self: Any) -> str:
        return type(self).__name__

    class C:
        size = offloads.wrap(len)
        name = offloads.wrap(kind)

    instance: Any = C()
    assert instance.size("abc") == 3
    assert instance.name() == "C"


def test_small_arguments_are_worked_on_in_place(where: list[str]) -> None:
    """Below the size of its row a call is the plain call; from that size on a worker makes it."""

    def work() -> None:
        green_zlib.compress(b"small")
        green_hashlib.sha256(b"small")
        assert where == []
        assert green_zlib.decompress(green_zlib.compress(LARGE)) == LARGE
        assert green_hashlib.sha256(LARGE).digest() == hashlib.sha256(LARGE).digest()
        assert green_hashlib.new("md5", memoryview(LARGE)).digest() == hashlib.md5(LARGE).digest()

    beside(work)
    assert where == ["compress", "openssl_sha256", "__hash_new"]


def test_key_derivation_is_offloaded_whatever_its_size(where: list[str]) -> None:
    """pbkdf2_hmac() takes as long as its iterations."""
    key = beside(lambda: green_hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1000))
    assert key == hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1000)
    assert where == ["pbkdf2_hmac"]


def test_a_stream_has_what_the_original_has_and_offloads_its_work(where: list[str]) -> None:
    """Compressor objects keep their state over calls in place and calls on workers, and are copied."""

    def work() -> None:
        deflate = green_zlib.compressobj(6)
        out = deflate.compress(LARGE) + deflate.compress(b"end")
        again = deflate.copy()
        assert type(again) is type(deflate)
        rest = deflate.flush()
        assert again.flush() == rest
        inflate = green_zlib.decompressobj()
        assert inflate.decompress(out + rest + b"more", 1 << 24) == LARGE + b"end"
        assert inflate.eof
        assert inflate.unused_data == b"more"

    beside(work)
    assert where.count("compress") == 1
    assert where.count("flush") == 2


@pytest.mark.parametrize(
    ("module", "compressor", "decompressor"),
    [(green_bz2, "BZ2Compressor", "BZ2Decompressor"), (green_lzma, "LZMACompressor", "LZMADecompressor")],
)
def test_classes_that_cannot_be_derived_from_have_counterparts(
    module: Any, compressor: str, decompressor: str
) -> None:
    """What they compress, they decompress; they cannot be pickled, as ever."""

    def work() -> None:
        it = getattr(module, compressor)()
        data = it.compress(LARGE) + it.flush()
        back = getattr(module, decompressor)()
        assert back.decompress(data) == LARGE
        assert back.eof
        with pytest.raises(TypeError):
            pickle.dumps(it)
        with pytest.raises(ValueError):
            it.flush()

    beside(work)


def test_a_twin_of_bz2_compresses_on_workers(where: list[str]) -> None:
    """The module's own Python code finds the counterpart of its C type."""
    from runtime.green import bz2 as twin

    assert beside(lambda: bz2.decompress(twin.compress(b"abc" * 1000))) == b"abc" * 1000
    assert where == ["compress", "flush"]


def test_keyed_hashes_take_the_constructors_of_the_counterpart() -> None:
    """hmac gets the plain constructor, so it hashes in C; in unconverted code any constructor works."""
    expected = hmac.new(b"key", b"text", hashlib.sha256).digest()
    assert green_hmac.new(b"key", b"text", green_hashlib.sha256).digest() == expected
    assert green_hmac.new(b"key", b"text", green_hashlib.sha256)._hmac is not None  # type: ignore[attr-defined]
    assert green_hmac.digest(b"key", b"text", green_hashlib.sha256) == expected
    assert green_hmac.new(b"key", b"text", "sha256").copy().digest() == expected
    assert hmac.new(b"key", b"text", green_hashlib.sha256).digest() == expected
    assert isinstance(green_hmac.new(b"key", digestmod="md5"), hmac.HMAC)


def test_a_file_is_hashed_on_workers(where: list[str], tmp_path: Any) -> None:
    """file_digest() returns a plain hash object and takes names and constructors."""
    path = tmp_path / "data"
    path.write_bytes(LARGE)
    for digest in ("sha256", hashlib.sha256, green_hashlib.sha256):
        with path.open("rb") as file:
            found = beside(lambda file=file, digest=digest: green_hashlib.file_digest(file, digest))
        assert found.digest() == hashlib.sha256(LARGE).digest()
    assert set(where) <= {"update"}


def test_counterparts_are_pickled_as_the_originals() -> None:
    """Whoever loads the pickle need not have this project."""
    data = pickle.dumps((green_zlib.compress, green_hashlib.scrypt))
    assert b"green" not in data
    assert pickle.loads(data) == (zlib.compress, hashlib.scrypt)


def test_a_killed_caller_takes_back_what_no_worker_has_begun() -> None:
    """It never happens; and the caller is interrupted at once."""
    called: list[int] = []
    claim = offloads.Claim(lambda: called.append(1))
    assert claim.take()
    claim()
    assert called == []
    assert not claim.take()


def test_a_stream_is_not_left_in_the_middle_of_a_call() -> None:
    """A caller killed during a call gets its result; the interruption comes with its next wait."""
    begun, gate = threading.Event(), threading.Event()
    events: list[str] = []

    def slow() -> str:
        begun.set()
        gate.wait(30)
        return "result"

    def body() -> None:
        try:
            events.append(offloads.complete(slow))
            runtime.sleep(60)
        except runtime.TaskletExit:
            events.append("killed")

    tasklet = runtime.spawn(body)
    while not begun.is_set():
        runtime.sleep(0.001)
    tasklet.kill(wait=False)
    runtime.sleep(0)
    assert events == []
    gate.set()
    tasklet.join()
    assert events == ["result", "killed"]


def test_the_error_of_a_completed_call_is_raised() -> None:
    """complete() raises what the function raised, once."""
    with pytest.raises(zlib.error):
        beside(lambda: offloads.complete(zlib.decompress, b"not deflated"))


def test_a_flush_of_a_map_waits_for_the_disk_on_a_worker(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data is in the file, and the map's own descriptor is closed with it."""
    import os

    from runtime import maps

    path = tmp_path / "data"
    path.write_bytes(bytes(8192))
    threads: list[int] = []
    written_back = maps._write_back

    def noted(file: int) -> None:
        threads.append(threading.get_ident())
        written_back(file)

    monkeypatch.setattr(maps, "_write_back", noted)
    with path.open("r+b") as file, green_mmap.mmap(file.fileno(), 0) as it:
        it[:5] = b"hello"
        beside(it.flush)
        own = it._file
        assert own is not None
    assert threads
    assert threading.get_ident() not in threads
    assert path.read_bytes()[:5] == b"hello"
    with pytest.raises(OSError):
        os.fstat(own)


def test_what_is_forwarded_is_the_original() -> None:
    """Names without a row are the module's own."""
    import pwd

    assert green_zlib.crc32 is zlib.crc32
    assert green_pwd.struct_passwd is pwd.struct_passwd
    assert green_pwd.getpwuid(0) == pwd.getpwuid(0)


def test_another_interpreter_runs_on_a_worker() -> None:
    """What its code waits for comes from a tasklet that goes on meanwhile."""
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    interpreters: Any = importlib.import_module(f"runtime.green.{name}")
    reading, writing = os.pipe()
    rescue = threading.Timer(20, os.write, (writing, b"late"))
    rescue.start()
    other = interpreters.create()
    try:
        running = runtime.spawn(interpreters.run_string, other, f"import os; os.read({reading}, 1)")
        while not interpreters.is_running(other):
            assert running.alive
            runtime.sleep(0.001)
        os.write(writing, b"x")
        running.join()
        assert running.error is None
    finally:
        rescue.cancel()
        interpreters.destroy(other)
        os.close(reading)
        os.close(writing)
