"""Standard output and error for converted code: objects over the plain files, whose writes let others run.

Only the interpreter's own files have such a counterpart.  What a program puts in their place is what it gets back.
"""

from __future__ import annotations

import _io
import builtins
import os
import sys
from types import NoneType

from runtime.hub import existing_hub
from runtime.outlet import Outlet
from runtime.overlay import builtin
from runtime.pipes import busy, write
from runtime.replacement import call_replacement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from runtime.hub import Hub


class _Base:
    """Has room for what a program puts in the place of a method; `_Layer` shows the plain file's attributes instead."""

    __slots__ = ("__dict__", "__weakref__", "_outlet", "_plain")


class _Layer(_Base):
    """One layer of a plain file: it in all but what writes, and an instance of its class."""

    __slots__ = ()

    _outlet: Outlet
    _plain: Any

    def __init__(self, plain: Any, outlet: Outlet) -> None:
        object.__setattr__(self, "_plain", plain)
        object.__setattr__(self, "_outlet", outlet)
        _layers[id(plain)] = self

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._plain)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return self._plain.__dict__

    def __repr__(self) -> str:
        return repr(self._plain)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._plain, name, value)
        if name in _METHODS:
            _replaced(self)[name] = value

    def __delattr__(self, name: str) -> None:
        delattr(self._plain, name)
        _replaced(self).pop(name, None)

    def __dir__(self) -> Iterable[str]:
        return dir(self._plain)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._plain.__reduce_ex__(protocol)

    def __iter__(self) -> Any:
        iter(self._plain)  # says so if it is closed
        return self

    def __next__(self) -> Any:
        return next(self._plain)

    def __enter__(self) -> Any:
        self._plain.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _method(self, name: str) -> Callable[..., Any]:
        """The plain method, or what somebody else has put in its place; not what calls this one."""
        plain = self._plain
        theirs = plain.__dict__.get(name)
        if theirs is None or theirs is _replaced(self).get(name):
            return getattr(type(plain), name).__get__(plain, type(plain))  # type: ignore[no-any-return]
        return theirs  # type: ignore[no-any-return]

    def close(self, *args: Any) -> None:
        self._method("close")(*args)

    def writelines(self, lines: Any, /) -> None:
        hub = busy()
        if hub is None:
            self._method("writelines")(lines)
            return

        def each() -> None:
            for line in lines:
                self.write(line)

        self._plain.writelines(())  # says so if it is closed
        self._outlet.together(hub, each)

    def write(self, data: Any, /) -> Any:
        return self._method("write")(data)


class _Draining(_Layer):
    """A layer that holds something back, until a flush or what implies one."""

    __slots__ = ()
    _text = False

    def _drained(self, name: str, *args: Any, **kwargs: Any) -> Any:
        call = self._method(name)
        hub = busy()
        if hub is None:
            return call(*args, **kwargs)
        return self._outlet.call(hub, lambda: call(*args, **kwargs), text=self._text)

    def flush(self, *args: Any) -> None:
        self._drained("flush", *args)

    def close(self, *args: Any) -> None:
        self._drained("close", *args)

    def detach(self, *args: Any) -> Any:
        return _layer(self._drained("detach", *args), self._outlet)

    def seek(self, *args: Any, **kwargs: Any) -> Any:
        return self._drained("seek", *args, **kwargs)

    def tell(self, *args: Any) -> Any:
        return self._drained("tell", *args)

    def truncate(self, *args: Any, **kwargs: Any) -> Any:
        return self._drained("truncate", *args, **kwargs)


class _Text(_Draining):
    __slots__ = ()
    _text = True

    @property
    def buffer(self) -> Any:
        return _layer(self._plain.buffer, self._outlet)

    def reconfigure(self, *args: Any, **kwargs: Any) -> None:
        self._drained("reconfigure", *args, **kwargs)

    def write(self, text: Any, /) -> Any:
        plain = self._plain
        if "write" in plain.__dict__:
            return self._method("write")(text)
        hub = existing_hub()
        if hub is None or not (hub.tasklets or hub.timers) or not isinstance(text, str):
            return plain.write(text)
        return self._outlet.write(hub, text)


class _Binary(_Draining):
    __slots__ = ()

    @property
    def raw(self) -> Any:
        return _layer(self._plain.raw, self._outlet)

    def write(self, data: Any, /) -> Any:
        hub = busy()
        if hub is None or "write" in self._plain.__dict__:
            return self._method("write")(data)
        return self._outlet.write_bytes(hub, data)


class _Raw(_Layer):
    __slots__ = ()

    def write(self, data: Any, /) -> Any:
        hub = busy()
        plain = self._plain
        if hub is None or plain.closed or not os.get_blocking(plain.fileno()) or "write" in plain.__dict__:
            return self._method("write")(data)
        try:
            memoryview(data).release()
        except TypeError:
            return plain.write(data)  # says what is wrong
        return self._outlet.together(hub, write, plain.fileno(), data)


_replaced: Callable[[_Layer], dict[str, Any]] = vars(_Base)["__dict__"].__get__  # by name: methods
_METHODS = frozenset(
    {"close", "detach", "flush", "reconfigure", "seek", "tell", "truncate", "write", "writelines"}
)
_KINDS: dict[type, type[_Layer]] = {
    _io.TextIOWrapper: _Text,
    _io.BufferedWriter: _Binary,
    _io.FileIO: _Raw,
}
_layers: dict[int, _Layer] = {}  # by the id of the plain one, which is alive: its layer has it
for _plain_kind, _kind in _KINDS.items():
    _kind.__name__ = _kind.__qualname__ = _plain_kind.__name__
    _kind.__module__ = "_io"
    _kind.__doc__ = _plain_kind.__doc__


def _layer(plain: Any, outlet: Outlet) -> Any:
    known = _layers.get(id(plain))
    if known is not None:
        return known
    kind = _KINDS.get(type(plain))
    return plain if kind is None else kind(plain, outlet)


def counterpart(file: Any) -> Any:
    """What converted code gets for *file*, `sys.stdout`, say: itself if it is not the interpreter's own."""
    known = _layers.get(id(file))
    if known is not None:
        return known
    own = getattr(sys, "__stdout__", None), getattr(sys, "__stderr__", None)
    if type(file) is not _io.TextIOWrapper or not any(file is one for one in own):
        return file
    try:
        below = file.buffer
    except ValueError:  # detached
        return file
    return _Text(file, Outlet(file)) if type(below) in _KINDS else file


def unwrap(file: Any) -> Any:
    """The plain file of which *file* is the counterpart; itself if it is none."""
    return file._plain if issubclass(type(file), _Layer) else file


_print = builtins.print


def _print_here(_: Any, *values: Any, **options: Any) -> None:
    if builtins.print is not _print:
        call_replacement("print", _print_now, values, options)
        return None
    hub = existing_hub()
    if hub is None or not (hub.tasklets or hub.timers):
        return _print(*values, **options)
    return _print_beside(hub, values, options)


def _print_now(*values: Any, **options: Any) -> None:
    hub = busy()
    return _print(*values, **options) if hub is None else _print_beside(hub, values, options)


_print_here.__name__ = _print_here.__qualname__ = "print"
_print_here.__module__ = "builtins"
_print_here.__doc__ = _print.__doc__
print = builtin(_print_here)


def _print_beside(hub: Hub, values: tuple[Any, ...], options: dict[str, Any]) -> None:
    """While others run: one write, so that what two tasklets print does not mix."""
    file = options.get("file")
    ours = counterpart(getattr(sys, "stdout", None) if file is None else file)
    if type(ours) is not _Text or "write" in ours._plain.__dict__:
        return _print(*values, **options)
    options["file"] = plain = ours._plain
    sep, end = options.get("sep"), options.get("end")
    if not (
        isinstance(sep, (str, NoneType)) and isinstance(end, (str, NoneType)) and _OPTIONS.issuperset(options)
    ):
        return _print(*values, **options)  # says what is wrong
    texts: list[str] = []
    between, after = " " if sep is None else str(sep), "\n" if end is None else str(end)
    try:
        for value in values:
            texts.append(value if type(value) is str else str(value))
    except BaseException:
        if texts:
            ours._outlet.write(hub, between.join((*texts, "")))
        raise
    try:
        ours._outlet.write(hub, between.join(texts) + after, bool(options.get("flush")))
        return None
    except UnicodeEncodeError:
        pass
    # Nothing has been written.  Those before the one that cannot be encoded are written as ever, and it fails again.
    return _print(*texts, sep=between, end=after, file=plain)


_OPTIONS = frozenset({"end", "file", "flush", "sep"})
