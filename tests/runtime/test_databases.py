"""SQLite: others run while a statement does, calls on one connection take turns, and no transaction is lost."""

from __future__ import annotations

import sqlite3
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runtime
from runtime.green import queue  # here, on the main thread, since its `threading` takes this one for that
from runtime.green import sqlite3 as green
from tests.runtime.ticker import Ticker

pytestmark = pytest.mark.usefixtures("backend")


class Gate:
    """An SQL function, ``gate()``, which waits until it is opened, or for 30 s."""

    def __init__(self, connection: Any) -> None:
        self._open = threading.Event()
        self._begun = threading.Event()
        connection.create_function("gate", 0, self._wait)
        self.threads: list[int] = []

    def _wait(self) -> int:
        self.threads.append(threading.get_ident())
        self._begun.set()
        return int(self._open.wait(30))

    def open(self) -> None:
        self._open.set()

    def await_begun(self) -> None:
        while not self._begun.is_set():
            runtime.sleep(0.001)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


@pytest.fixture
def connection(path: Path) -> Iterator[Any]:
    """A connection whose file has a table ``t`` with one column; usable in the thread that the test runs in."""
    it = green.connect(path, check_same_thread=False)
    it.execute("CREATE TABLE t (x)")
    yield it
    it.close()


def rows(path: Path) -> list[Any]:
    plain = sqlite3.connect(path)
    try:
        return [x for (x,) in plain.execute("SELECT x FROM t ORDER BY rowid")]
    finally:
        plain.close()


def is_closed(connection: Any) -> bool:
    try:
        sqlite3.Connection.execute(connection, "SELECT 1")
    except sqlite3.ProgrammingError as error:
        return "closed" in str(error)
    return False


@pytest.mark.parametrize("way", ["execute", "executescript", "fetchall"])
def test_others_run_while_a_statement_does(connection: Any, way: str) -> None:
    """It ends only because another tasklet opens its gate."""
    gate = Gate(connection)
    calls: dict[str, Callable[[], Any]] = {
        "execute": lambda: connection.execute("SELECT gate()").fetchone(),
        "executescript": lambda: connection.executescript("INSERT INTO t VALUES (gate())"),
        "fetchall": lambda: connection.execute("SELECT 0 UNION ALL SELECT gate()").fetchall(),
    }
    with Ticker(gate.open):
        calls[way]()
    assert gate.threads
    assert threading.get_ident() not in gate.threads


def test_a_lone_program_runs_statements_in_place(connection: Any) -> None:
    gate = Gate(connection)
    gate.open()
    connection.execute("SELECT gate()")
    assert gate.threads == [threading.get_ident()]


def test_a_wait_for_the_lock_of_another_connection_holds_nobody_up(path: Path, connection: Any) -> None:
    """Not even if more connections wait than there are workers elsewhere: the commit gets through."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO t VALUES ('first')")

    def insert(number: int) -> None:
        other = green.connect(path, timeout=30)
        with other:
            other.execute("INSERT INTO t VALUES (?)", (number,))
        other.close()

    with runtime.TaskGroup() as group:
        for number in range(12):
            group.spawn(insert, number)
        runtime.sleep(0.02)
        connection.commit()
    found = rows(path)
    assert found[0] == "first"
    assert sorted(found[1:]) == list(range(12))


def test_calls_on_one_connection_take_turns_in_order(connection: Any, path: Path) -> None:
    gate = Gate(connection)
    inserts = [runtime.spawn(connection.execute, "INSERT INTO t VALUES (gate())")]
    gate.await_begun()
    for number in range(2, 6):
        inserts.append(runtime.spawn(connection.execute, "INSERT INTO t VALUES (?)", (number,)))
    runtime.sleep(0)
    gate.open()
    for insert in inserts:
        insert.result(30)
    connection.commit()
    assert rows(path) == [1, 2, 3, 4, 5]


def test_a_killed_statement_is_over_before_the_rollback(connection: Any, path: Path) -> None:
    """``with connection`` rolls back what the killed tasklet's statement did, and the connection goes on."""
    gate = Gate(connection)

    def body() -> None:
        with connection:
            connection.execute("INSERT INTO t VALUES ('kept by nobody')")
            connection.execute("INSERT INTO t VALUES (gate())")

    tasklet = runtime.spawn(body)
    gate.await_begun()
    tasklet.kill(wait=False)
    runtime.sleep(0)
    assert not tasklet.done
    gate.open()
    tasklet.join(30)
    with connection:
        connection.execute("INSERT INTO t VALUES ('after')")
    assert rows(path) == ["after"]


def test_a_call_that_is_killed_before_its_turn_never_happens(connection: Any, path: Path) -> None:
    gate = Gate(connection)
    first = runtime.spawn(connection.execute, "INSERT INTO t VALUES (gate())")
    gate.await_begun()
    second = runtime.spawn(connection.execute, "INSERT INTO t VALUES ('never')")
    runtime.sleep(0)
    second.kill()
    gate.open()
    first.result(30)
    connection.commit()
    assert rows(path) == [1]


def test_a_kill_while_a_transaction_ends_ends_it_all_the_same(connection: Any, path: Path) -> None:
    """Killed while it waits to commit at the end of ``with``, it commits."""
    gate = Gate(connection)
    waiting = threading.Event()

    def body() -> None:
        with connection:
            connection.execute("INSERT INTO t VALUES ('all')")
            runtime.spawn(connection.execute, "SELECT gate()")
            gate.await_begun()
            waiting.set()

    tasklet = runtime.spawn(body)
    while not waiting.is_set():
        runtime.sleep(0.001)
    runtime.sleep(0)
    tasklet.kill(wait=False)
    runtime.sleep(0)
    gate.open()
    tasklet.join(30)
    assert rows(path) == ["all"]


def test_a_database_whose_opening_was_interrupted_is_closed(path: Path) -> None:
    """By the worker that opened it."""
    begun, gate = threading.Event(), threading.Event()
    opened: list[Any] = []

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "sqlite3.connect" and args[0] == str(path):
            begun.set()
            gate.wait(30)
        elif event == "sqlite3.connect/handle" and begun.is_set():
            opened.append(args[0])

    sys.addaudithook(hook)
    tasklet = runtime.spawn(green.connect, str(path))
    while not begun.is_set():
        runtime.sleep(0.001)
    tasklet.kill()
    gate.set()
    while not (opened and is_closed(opened[0])):
        runtime.sleep(0.001)


def test_a_connection_belongs_to_the_os_thread_that_made_it(path: Path) -> None:
    """The documented check holds for the caller's OS thread, and workers are let pass."""
    it = green.connect(path)
    errors: list[BaseException] = []

    def use() -> None:
        try:
            it.execute("SELECT 1")
        except sqlite3.ProgrammingError as error:
            errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert "can only be used in that same thread" in str(errors[0])
    with Ticker():
        for _ in range(10):
            assert it.execute("SELECT 1").fetchone() == (1,)
            runtime.sleep(0.001)
    it.close()


def test_a_function_given_to_sqlite_may_use_the_connection(connection: Any) -> None:
    """In the middle of a statement, on the worker and in place."""
    connection.create_function("nested", 0, lambda: connection.execute("SELECT 7").fetchone()[0])
    assert connection.execute("SELECT nested()").fetchone() == (7,)
    with Ticker():
        for _ in range(5):
            assert connection.execute("SELECT nested()").fetchone() == (7,)
            runtime.sleep(0.002)


def test_the_parameters_of_executemany_may_wait(connection: Any, path: Path) -> None:
    """What feeds them is another tasklet."""
    feed: Any = queue.Queue()

    def put() -> None:
        for number in range(3):
            feed.put((number,))
            runtime.sleep(0.001)
        feed.put(None)

    runtime.spawn(put)
    with connection:
        connection.executemany("INSERT INTO t VALUES (?)", iter(feed.get, None))
    assert rows(path) == [0, 1, 2]


def test_rows_are_fetched_in_place_until_one_takes_long(connection: Any) -> None:
    """The row after a slow one is a worker's."""
    threads: list[int] = []

    def note(number: int) -> int:
        threads.append(threading.get_ident())
        if number == 3:
            threading.Event().wait(0.005)
        return number

    connection.create_function("note", 1, note)
    with connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(1, 6)])
    other = runtime.spawn(runtime.sleep, 60)
    here = threading.get_ident()
    assert [x for (x,) in connection.execute("SELECT note(x) FROM t")] == [1, 2, 3, 4, 5]
    other.kill()
    assert threads[0] != here  # execute() makes the first row
    assert threads[1:3] == [here, here]
    assert threads[3] != here


def test_a_backup_takes_the_turns_of_both_connections(connection: Any, path: Path) -> None:
    """Both at once in both directions: nobody waits for ever."""
    with connection:
        connection.execute("INSERT INTO t VALUES (1)")
    other = green.connect(":memory:", check_same_thread=False)
    with Ticker():
        connection.backup(other)
        both = [runtime.spawn(connection.backup, other), runtime.spawn(other.backup, connection)]
        for backup in both:
            backup.result(30)
        runtime.sleep(0.02)
    assert other.execute("SELECT x FROM t").fetchall() == [(1,)]
    other.close()


def test_connections_and_cursors_are_instances_in_both_worlds(connection: Any) -> None:
    """And so are those of a program's own subclasses."""

    class Own(green.Connection):  # type: ignore[misc, name-defined]
        def answer(self) -> Any:
            return self.execute("SELECT 42").fetchone()

    class OwnCursor(green.Cursor):  # type: ignore[misc, name-defined]
        pass

    assert isinstance(connection, sqlite3.Connection)
    assert isinstance(connection, green.Connection)
    assert isinstance(connection.cursor(), green.Cursor)
    assert isinstance(connection.cursor(OwnCursor), OwnCursor)
    own = green.connect(":memory:", factory=Own)
    assert own.answer() == (42,)
    own.close()
    plain = green.connect(":memory:", factory=sqlite3.Connection)
    assert type(plain) is sqlite3.Connection
    assert green.Cursor(plain).execute("SELECT 1").fetchone() == (1,)
    plain.close()


def test_what_the_original_warns_of_is_blamed_on_the_program() -> None:
    """The lines of its counterpart are in no warning about names and arguments."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert green.version
        connection = green.connect(":memory:", 5.0)
        connection.create_function("one", 0, func=lambda: 1)
    connection.close()
    assert len(caught) == {11: 0, 12: 2}.get(sys.version_info[1], 3)
    assert {each.filename for each in caught} <= {__file__}


def test_dbapi2_is_the_same_module() -> None:
    from runtime.green.sqlite3 import dbapi2

    assert dbapi2.connect == green.connect
    assert dbapi2.Connection is green.Connection
    assert dbapi2.Error is sqlite3.Error
