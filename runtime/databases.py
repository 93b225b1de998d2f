"""``sqlite3``: statements run on worker threads, one at a time for each connection.

A connection belongs to the OS thread that made it.  Workers may use it all the same: the C object is told not to check,
and the documented check is made here, against the caller's OS thread.  Calls on one connection take turns, in the
order they came; a turn ends when its call has ended, even if whoever made it was interrupted.  So a killed tasklet's
statement is over before the rollback that follows, and one that no worker has begun never happens.

Functions, collations, handlers and iterators given to SQLite are called in the middle of a statement, so on the
worker; what they wait for, they wait for there, and they may use the connection.

A row takes a microsecond, a worker 75: rows are fetched one by one in place, until one takes long.

The workers are not those of `runtime.workers`, whose number is bounded: were all of them waiting for a locked
database, the commit that would unlock it would find none.  Each connection uses at most one.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import warnings
from _thread import get_ident
from time import perf_counter

from runtime.hub import existing_hub, get_hub
from runtime.lock import Lock
from runtime.offloads import Claim, outlast
from runtime.overlay import builtin
from runtime.workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LONG = 0.0005  # seconds: if a row took that long, a worker fetches the next
_workers = Workers(limit=sys.maxsize)
os.register_at_fork(after_in_child=_workers._reset)


def _me() -> int:
    hub = existing_hub()
    return get_ident() if hub is None else hub.current.ident


class Turn:
    """Lets one call at a time use a connection."""

    __slots__ = ("_lock", "_locked", "_owner", "thread")

    def __init__(self, thread: int | None) -> None:
        self._lock = Lock()
        self._locked = self._lock.locked
        self._owner: int | None = None  # who makes the call that has the turn: a tasklet, or a worker
        self.thread = thread  # the OS thread that may use it; None: any

    def __repr__(self) -> str:
        return f"<Turn: {'free' if self._owner is None else f'taken by {self._owner}'}>"

    def free(self) -> bool:
        """Whether a call need not wait for its turn, nor run elsewhere: the fast path.

        What is then called in place does not switch, so the lock need not be taken.
        """
        hub = existing_hub()
        return (
            (hub is None or not (hub.tasklets or hub.timers))
            and not self._locked()
            and (self.thread is None or self.thread == get_ident())
        )

    def call(self, plain: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call in place, when it is our turn."""
        if not self._enter():
            return plain(*args, **kwargs)
        self._lock.acquire()
        return self._run(plain, args, kwargs)

    def offload(self, plain: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call on a worker while others run, when it is our turn."""
        if not self._enter():
            return plain(*args, **kwargs)
        self._lock.acquire()
        return self._offload(plain, args, kwargs)

    def close(self, plain: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """`offload` what ends something: an interruption before our turn comes after the call."""
        if not self._enter():
            return plain(*args, **kwargs)
        self._lock._acquire_restore(None)
        late: list[BaseException] = []
        while True:
            claim = Claim(self._run)
            try:
                return self._dispatch(claim, plain, args, kwargs)
            except BaseException as error:
                if claim.failed(error):
                    raise
                if not claim.take():
                    return outlast(claim, error)
                if isinstance(error, RuntimeError):  # no thread is to be had
                    return self._run(plain, args, kwargs)
                late.append(error)
            finally:
                if claim.done:
                    for each in late:
                        get_hub().current.interrupt(each)

    def _enter(self) -> bool:
        """Check the OS thread; False if this is called in the middle of a call that has the turn."""
        me = get_ident()
        if self._owner is not None and self._owner == _me():
            return False
        if self.thread is not None and self.thread != me:
            raise sqlite3.ProgrammingError(
                "SQLite objects created in a thread can only be used in that same thread. "
                f"The object was created in thread id {self.thread} and this is thread id {me}."
            )
        return True

    def with_other(self, other: Turn, plain: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """`offload` what uses two connections; *other* is the second one's."""
        if other is self or other is _PLAIN or not (self._enter() and other._enter()):
            return self.offload(plain, *args, **kwargs)
        first, second = sorted((self, other), key=id)  # the same order for everybody
        first._lock.acquire()
        try:
            second._lock.acquire()
        except BaseException:
            first._lock.release()
            raise
        return first._offload(plain, args, kwargs, second)

    def _run(
        self,
        plain: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        other: Turn | None = None,
    ) -> Any:
        """Make the call, with the lock (and the other's) that is freed by its end."""
        self._owner = _me()
        if other is not None:
            other._owner = self._owner
        try:
            return plain(*args, **kwargs)
        finally:
            self._leave(other)

    def _leave(self, other: Turn | None) -> None:
        self._owner = None
        self._lock.release()
        if other is not None:
            other._leave(None)

    def _offload(
        self,
        plain: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        other: Turn | None = None,
    ) -> Any:
        claim = Claim(self._run)
        try:
            return self._dispatch(claim, plain, args, kwargs, other)
        except BaseException as error:
            if claim.take():
                self._leave(other)
            claim.failed(error)
            raise

    @staticmethod
    def _dispatch(claim: Claim, *args: Any) -> Any:
        hub = existing_hub()
        if hub is None or not (hub.tasklets or hub.timers):
            return claim(*args)
        return _workers.call(claim, args, {})


class _Plain:
    """The turn of what is no connection, or not one of ours: nothing is in the way."""

    thread = None

    def free(self) -> bool:
        return True

    def call(self, plain: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return plain(*args, **kwargs)

    offload = close = call

    def with_other(self, other: Any, plain: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return plain(*args, **kwargs)


_PLAIN: Any = _Plain()

_ARGUMENTS = (
    "timeout", "detect_types", "isolation_level", "check_same_thread", "factory", "cached_statements", "uri",
)  # fmt: skip


def _by_keyword(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of `connect`, all but the first by keyword; unchanged if the original is to complain."""
    given = dict(zip(_ARGUMENTS, args[1:], strict=False))
    if len(args) - 1 > len(given) or given.keys() & kwargs.keys():
        return args, kwargs
    return args[:1], {**given, **kwargs}


def _deprecate_positional(function: str) -> None:
    """What the original says about it, at the line that the original would name."""
    if sys.version_info >= (3, 12):
        warnings.warn(
            f"Passing more than 1 positional argument to {function}() is deprecated. "
            "Parameters 'timeout', 'detect_types', 'isolation_level', 'check_same_thread', 'factory', "
            "'cached_statements' and 'uri' will become keyword-only parameters in Python 3.15.",
            DeprecationWarning,
            stacklevel=3,
        )


class Connection(sqlite3.Connection):
    """A connection to a database."""

    __module__ = "sqlite3"
    _cooperative_turn: Turn = _PLAIN

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) > 1:
            _deprecate_positional("_sqlite3.Connection")
            args, kwargs = _by_keyword(args, kwargs)
        turn = self._cooperative_turn
        if turn is _PLAIN:
            turn = Turn(get_ident() if kwargs.get("check_same_thread", True) else None)
        kwargs["check_same_thread"] = False
        outcome = Claim(super().close)

        def open_() -> None:
            sqlite3.Connection.__init__(self, *args, **kwargs)
            if not outcome.take():  # who asked for it has gone
                outcome.function()

        try:
            turn.offload(open_)
        except BaseException:
            if not outcome.take():  # interrupted, but it was open by then
                outcome.function()
            raise
        self._cooperative_turn = turn

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """A cursor of this connection; *factory* makes it."""
        if not args and not kwargs:
            args = (Cursor,)
        turn = self._cooperative_turn
        if turn.free():
            return super().cursor(*args, **kwargs)
        return turn.call(super().cursor, *args, **kwargs)

    def execute(self, *args: Any) -> Any:
        """Make a cursor and have it execute a statement."""
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Any:
        """Make a cursor and have it execute a statement for each of many parameters."""
        return self.cursor().executemany(*args)

    def executescript(self, *args: Any) -> Any:
        """Make a cursor and have it execute several statements."""
        return self.cursor().executescript(*args)

    def backup(self, target: Any, **kwargs: Any) -> None:
        """Copy the database into *target*, another connection."""
        other = getattr(target, "_cooperative_turn", _PLAIN)
        self._cooperative_turn.with_other(other, super().backup, target, **kwargs)


class Cursor(sqlite3.Cursor):
    """Executes statements and has their rows."""

    __module__ = "sqlite3"
    _cooperative_turn: Turn = _PLAIN
    _slow = False  # the last row took long

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._cooperative_turn = getattr(self.connection, "_cooperative_turn", _PLAIN)


def _step(plain: Callable[..., Any], cursor: Cursor) -> Any:
    began = perf_counter()
    try:
        return plain(cursor)
    finally:
        cursor._slow = perf_counter() - began > _LONG


def _taking_turns(kind: type, name: str, way: str) -> Callable[..., Any]:
    plain = getattr(kind, name)

    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        turn = self._cooperative_turn
        if turn.free():
            return plain(self, *args, **kwargs)
        return getattr(turn, way)(plain, self, *args, **kwargs)

    def warning(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        turn = self._cooperative_turn
        if not kwargs:
            return turn.call(plain, self, *args)
        result, caught = turn.call(_noting_warnings, plain, self, *args, **kwargs)
        for each in caught:
            warnings.warn(each.message, stacklevel=2)
        return result

    return warning if name in _POSITIONAL else method


def _noting_warnings(plain: Callable[..., Any], /, *args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
    with warnings.catch_warnings(record=True) as caught:  # nothing switches here
        warnings.simplefilter("always")
        return plain(*args, **kwargs), caught


# The original warns of keywords in these, and names the line that calls it: that is to be the program's.
_POSITIONAL = (
    "create_aggregate", "create_function", "set_authorizer", "set_progress_handler", "set_trace_callback",
)  # fmt: skip


def _fetching(kind: type, name: str) -> Callable[..., Any]:
    plain = getattr(kind, name)

    def method(self: Any, /) -> Any:
        turn = self._cooperative_turn
        if turn.free():
            return plain(self)
        return (turn.offload if self._slow else turn.call)(_step, plain, self)

    return method


def _setting(kind: type, name: str) -> Any:
    plain = getattr(kind, name)

    def set_(self: Any, value: Any) -> None:
        self._cooperative_turn.offload(plain.__set__, self, value)

    return property(plain.__get__, set_, plain.__delete__, plain.__doc__)


# What waits for the disk, a lock or the processor; what ends something; and what is quick.
_METHODS: tuple[tuple[type, type, str, tuple[str, ...]], ...] = (
    (
        Connection, sqlite3.Connection, "offload",
        ("__call__", "blobopen", "commit", "deserialize", "serialize"),
    ),
    (Connection, sqlite3.Connection, "close", ("__exit__", "close", "rollback")),
    (
        Connection, sqlite3.Connection, "call",
        (
            "create_aggregate", "create_collation", "create_function", "create_window_function",
            "enable_load_extension", "getconfig", "getlimit", "load_extension", "set_authorizer",
            "set_progress_handler", "set_trace_callback", "setconfig", "setlimit",
        ),
    ),
    (
        Cursor, sqlite3.Cursor, "offload",
        ("execute", "executemany", "executescript", "fetchall", "fetchmany"),
    ),
    (Cursor, sqlite3.Cursor, "close", ("close",)),
)  # fmt: skip

for _kind, _original, _way, _names in _METHODS:
    for _name in _names:
        if hasattr(_original, _name):
            _method = _taking_turns(_original, _name, _way)
            _method.__name__, _method.__qualname__ = _name, f"{_kind.__name__}.{_name}"
            _method.__doc__ = getattr(_original, _name).__doc__
            setattr(_kind, _name, _method)
for _name in ("__next__", "fetchone"):
    setattr(Cursor, _name, _fetching(sqlite3.Cursor, _name))
for _name in ("autocommit", "isolation_level"):  # setting them may commit
    if hasattr(sqlite3.Connection, _name):
        setattr(Connection, _name, _setting(sqlite3.Connection, _name))


@builtin
def connect(_: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Open a database; returns a `Connection`, or what *factory* makes."""
    if len(args) > 1:
        _deprecate_positional("sqlite3.connect")
    factory = args[5] if len(args) > 5 else kwargs.get("factory", Connection)
    if factory is Connection:
        args, kwargs = _by_keyword(args, kwargs)
    return factory(*args, **kwargs)


connect.__func__.__module__ = "sqlite3"  # type: ignore[attr-defined]
