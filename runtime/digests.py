"""Hashes of files, and keyed hashes.

A hash object is the plain one: its ``update`` takes 50 ns, nearly always with little, and a class around it would take
three times as long.  The constructors, which are given the whole of something, offload it if it is large (see
`runtime.calls`).  `hmac` makes its hash in C only if it is given the plain constructor, so it is.
"""

from __future__ import annotations

import hashlib
import hmac

from runtime.offloads import complete, wrap
from runtime.overlay import builtin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PIECE = 1 << 18  # bytes `hashlib.file_digest` reads at once, by default
_LARGE = 1 << 17  # bytes: see `runtime.calls`


class _Updated:
    """A hash object that is fed on workers."""

    __slots__ = ("plain",)

    def __init__(self, plain: Any) -> None:
        self.plain = plain

    def update(self, data: Any) -> None:
        if memoryview(data).nbytes < _LARGE:
            self.plain.update(data)
        else:
            complete(self.plain.update, data)


@builtin
def file_digest(_: Any, fileobj: Any, digest: Any, /, *, _bufsize: int = _PIECE) -> Any:
    """Hash the contents of a file-like object; returns the hash object."""

    def start() -> Any:
        return _Updated(hashlib.new(digest) if isinstance(digest, str) else digest())

    return hashlib.file_digest(fileobj, start, _bufsize=_bufsize).plain  # type: ignore[attr-defined]


file_digest.__func__.__module__ = "hashlib"  # type: ignore[attr-defined]


def _plain(digestmod: Any) -> Any:
    """The original of a counterpart of `hashlib`'s constructors."""
    function = getattr(digestmod, "__func__", None)
    if function is not None and function.__module__ in ("_hashlib", "_blake2", "_sha3"):
        return getattr(hashlib, function.__name__.removeprefix("openssl_"), digestmod)
    return digestmod


class HMAC(hmac.HMAC):
    """A keyed hash."""

    __slots__ = ()
    __module__ = "hmac"

    def __init__(self, key: Any, msg: Any = None, digestmod: Any = "") -> None:
        super().__init__(key, msg, _plain(digestmod))


def new(key: Any, msg: Any = None, digestmod: Any = "") -> HMAC:
    """A keyed hash of *msg*."""
    return HMAC(key, msg, digestmod)


_digest = wrap(hmac.digest, above=_LARGE, argument=1)


def digest(key: Any, msg: Any, digest: Any) -> bytes:
    """The keyed hash of *msg* in one go."""
    return _digest(key, msg, _plain(digest))


new.__module__ = digest.__module__ = "hmac"
