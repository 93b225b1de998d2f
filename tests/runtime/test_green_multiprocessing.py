"""The counterpart of ``multiprocessing``: others run while another process is waited for."""

from __future__ import annotations

import multiprocessing as plain
import multiprocessing.connection
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

import pytest
from runtime.green.concurrent.futures import ProcessPoolExecutor
from runtime.green.concurrent.futures.process import BrokenProcessPool

import runtime
from runtime.green import multiprocessing, subprocess, time
from runtime.green.multiprocessing import connection, synchronize
from tests.runtime.conftest import Program
from tests.runtime.ticker import Ticker

pytestmark = [
    pytest.mark.usefixtures("backend"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

fork = multiprocessing.get_context("fork")
Wait = tuple[Callable[[], Any], Callable[[], object], Any]  # what waits, what ends that, what it returns


# What children do: each waits for its gate to open.

_gate: Any = None


def _keep(gate: Any) -> None:
    global _gate
    _gate = gate


def _pass(gate: Any = None) -> str:
    return str((gate or _gate).recv())


def _put(gate: Any, queue: Any) -> None:
    queue.put(gate.recv())


def _send(gate: Any, pipe: Any) -> None:
    pipe.send(gate.recv())


def _hold(gate: Any, lock: Any, held: Any) -> None:
    with lock:
        held.send("held")
        gate.recv()


def _set(gate: Any, event: Any) -> None:
    gate.recv()
    event.set()


def _meet(gate: Any, barrier: Any) -> None:
    gate.recv()
    barrier.wait()


def _connect(gate: Any, address: Any) -> None:
    word = gate.recv()
    with connection.Client(address, authkey=b"key") as client:
        client.send(word)


@contextmanager
def _child(target: Callable[..., object], *args: Any) -> Iterator[tuple[Any, Callable[[], object]]]:
    reader, writer = fork.Pipe(duplex=False)
    process = fork.Process(target=target, args=(reader, *args))
    process.start()
    try:
        yield process, lambda: writer.send("word")
    finally:
        process.kill()
        process.join()
        process.close()
        reader.close()
        writer.close()


# The kinds of waits.


@contextmanager
def _join() -> Iterator[Wait]:
    with _child(_pass) as (process, end):
        yield lambda: (process.join(), process.exitcode)[1], end, 0


@contextmanager
def _sentinel() -> Iterator[Wait]:
    with _child(_pass) as (process, end):
        yield lambda: connection.wait([process.sentinel]) == [process.sentinel], end, True


@contextmanager
def _queue(kind: str) -> Iterator[Wait]:
    queue = getattr(fork, kind)()
    with _child(_put, queue) as (_, end):
        yield queue.get, end, "word"
    queue.close()


@contextmanager
def _pipe() -> Iterator[Wait]:
    ours, theirs = fork.Pipe()
    with _child(_send, theirs) as (_, end), ours, theirs:
        yield ours.recv, end, "word"


@contextmanager
def _lock(kind: str) -> Iterator[Wait]:
    lock = getattr(fork, kind)()
    ours, theirs = fork.Pipe()
    with _child(_hold, lock, theirs) as (_, end), ours, theirs:
        assert ours.recv() == "held"
        yield lock.acquire, end, True


@contextmanager
def _event() -> Iterator[Wait]:
    event = fork.Event()
    with _child(_set, event) as (_, end):
        yield event.wait, end, True


@contextmanager
def _listener() -> Iterator[Wait]:
    def accept() -> Any:
        with listener.accept() as accepted:
            return accepted.recv()

    with connection.Listener(authkey=b"key") as listener, _child(_connect, listener.address) as (_, end):
        yield accept, end, "word"


@contextmanager
def _pool() -> Iterator[Wait]:
    reader, writer = fork.Pipe(duplex=False)
    with fork.Pool(1, _keep, (reader,)) as pool, reader, writer:
        yield pool.apply_async(_pass).get, lambda: writer.send("word"), "word"


@contextmanager
def _executor() -> Iterator[Wait]:
    reader, writer = fork.Pipe(duplex=False)
    with (
        reader,
        writer,
        ProcessPoolExecutor(1, mp_context=fork, initializer=_keep, initargs=(reader,)) as executor,
    ):
        yield executor.submit(_pass).result, lambda: writer.send("word"), "word"


@contextmanager
def _manager() -> Iterator[Wait]:
    with fork.Manager() as manager:
        event = manager.Event()
        yield event.wait, lambda: runtime.spawn(event.set), True


WAITS: dict[str, Callable[[], Any]] = {
    "Process.join": _join,
    "connection.wait": _sentinel,
    "Queue.get": lambda: _queue("Queue"),
    "JoinableQueue.get": lambda: _queue("JoinableQueue"),
    "SimpleQueue.get": lambda: _queue("SimpleQueue"),
    "Connection.recv": _pipe,
    "Lock.acquire": lambda: _lock("Lock"),
    "RLock.acquire": lambda: _lock("RLock"),
    "Semaphore.acquire": lambda: _lock("Semaphore"),
    "Event.wait": _event,
    "Listener.accept": _listener,
    "Pool": _pool,
    "ProcessPoolExecutor": _executor,
    "Manager": _manager,
}


@pytest.mark.parametrize("kind", WAITS)
def test_others_run_while_another_process_is_waited_for(kind: str) -> None:
    """It returns when another tasklet has let the other process go on."""
    with WAITS[kind]() as (wait, end, expected), Ticker(end):
        assert wait() == expected


@pytest.mark.parametrize("kind", WAITS)
def test_a_tasklet_killed_while_it_waits_takes_nothing(kind: str) -> None:
    """The next one that waits for the same gets it."""
    with WAITS[kind]() as (wait, end, expected):
        killed = runtime.spawn(wait)
        runtime.sleep(0.03)
        killed.kill()
        with Ticker(end):
            assert wait() == expected
        assert killed.done


# Semaphores.


def test_a_lock_belongs_to_a_tasklet() -> None:
    """Tasklets exclude each other although they share an OS thread; the holder may take a recursive one again."""
    lock = fork.RLock()
    order = []

    def other() -> None:
        with lock:
            order.append("other")

    with lock, lock:
        tasklet = runtime.spawn(other)
        assert not runtime.spawn(lock.acquire, False).result()
        assert not runtime.spawn(lock.acquire, True, 0.01).result()
        with pytest.raises(AssertionError, match="not owned"):
            runtime.spawn(lock.release).result()
        order.append("holder")
    tasklet.join()
    assert order == ["holder", "other"]
    with pytest.raises(AssertionError):
        lock.release()


def test_a_released_semaphore_goes_on_to_each_that_waits_for_it() -> None:
    """As many come through as there were releases, and nobody is left behind."""
    semaphore = fork.BoundedSemaphore(2)
    inside = most = 0

    def visit() -> None:
        nonlocal inside, most
        with semaphore:
            inside += 1
            most = max(most, inside)
            runtime.sleep(0.001)
            inside -= 1

    with runtime.TaskGroup() as group:
        for _ in range(9):
            group.spawn(visit)
    assert most == 2
    assert semaphore.get_value() == 2
    with pytest.raises(ValueError, match="too many times"):
        semaphore.release()


def test_a_condition_and_a_barrier_work_between_tasklets_and_processes() -> None:
    """notify() wakes a tasklet; a barrier lets both processes through."""
    condition = fork.Condition()
    with condition:
        tasklet = runtime.spawn(lambda: condition.__enter__() and condition.wait(10))
        assert not condition.wait(0.05)  # the other one waits by now
        condition.notify()
    assert tasklet.result(10)
    barrier = fork.Barrier(2)
    with _child(_meet, barrier) as (_, end), Ticker(end):
        assert barrier.wait(10) in (0, 1)


def test_a_semaphore_of_the_system_is_refused_as_ever() -> None:
    """Wrong arguments raise what the C type raises."""
    with pytest.raises(ValueError, match="unrecognized kind"):
        synchronize._multiprocessing.SemLock(7, 1, 1, "/x", True)
    with pytest.raises(TypeError):
        fork.Lock().acquire(True, "soon")


# One state for everybody.


def test_classes_derive_from_the_originals_and_exceptions_are_theirs() -> None:
    assert multiprocessing.TimeoutError is plain.TimeoutError
    assert multiprocessing.AuthenticationError is plain.AuthenticationError
    assert BrokenProcessPool.__module__ == "concurrent.futures.process"
    assert issubclass(multiprocessing.Process, plain.Process)
    assert issubclass(fork.Process, plain.get_context("fork").Process)
    assert issubclass(connection.Connection, plain.connection.Connection)


def test_the_process_its_children_and_its_key_are_one() -> None:
    """Unconverted code sees the children of converted code, and who runs."""
    assert multiprocessing.current_process() is plain.current_process()
    assert multiprocessing.parent_process() is plain.parent_process()
    with _child(_pass) as (process, _):
        assert process in plain.active_children()
        assert process in multiprocessing.active_children()


def test_the_start_method_is_one() -> None:
    """What either sets, both have."""
    before = plain.get_start_method(allow_none=True)
    try:
        multiprocessing.set_start_method("spawn", force=True)
        assert plain.get_start_method() == multiprocessing.get_start_method() == "spawn"
        assert multiprocessing.get_context()._name == "spawn"
        plain.set_start_method("fork", force=True)
        assert multiprocessing.get_start_method() == "fork"
        with pytest.raises(RuntimeError, match="already been set"):
            multiprocessing.set_start_method("spawn")
    finally:
        plain.set_start_method(before, force=True)


def test_what_is_sent_names_counterparts_by_their_place() -> None:
    """Functions, classes and builtins of counterparts arrive as themselves; proxies can be pickled by anybody."""
    dumps, loads = (getattr(connection._ForkingPickler, name) for name in ("dumps", "loads"))
    for thing in (subprocess.run, multiprocessing.Process, time.sleep, int, os.path.join):
        assert loads(dumps(thing)) == thing
    with fork.Manager() as manager:
        shared = manager.list([1])
        again = pickle.loads(pickle.dumps(shared))
        again.append(2)
        assert type(again) is type(shared)
        assert list(shared) == [1, 2]


def test_a_registered_reducer_holds_in_converted_code() -> None:
    """Whoever registers with the plain module means everybody; what converted code registers is its own."""

    class Odd:
        def __reduce__(self) -> Any:
            raise TypeError("not this way")

    reducers = plain.reduction.ForkingPickler._extra_reducers
    try:
        plain.reduction.register(Odd, lambda _: (int, ("7",)))
        assert pickle.loads(connection._ForkingPickler.dumps(Odd())) == 7
        multiprocessing.reducer.register(Odd, lambda _: (int, ("8",)))
        assert pickle.loads(connection._ForkingPickler.dumps(Odd())) == 8
        assert pickle.loads(plain.reduction.ForkingPickler.dumps(Odd())) == 7
    finally:
        del reducers[Odd]


# Pools.


def _end_yourself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise KeyError("from the child")


def test_a_worker_that_dies_breaks_its_executor() -> None:
    """Whoever waits gets the shared exception, and nothing hangs."""
    with ProcessPoolExecutor(1, mp_context=fork) as executor, Ticker():
        runtime.sleep(0.02)
        with pytest.raises(plain_broken()):
            executor.submit(_end_yourself).result()
        with pytest.raises(plain_broken()):
            executor.submit(os.getpid)


def plain_broken() -> type[Exception]:
    from concurrent.futures.process import BrokenProcessPool

    return BrokenProcessPool


def test_shutdown_cancels_what_has_not_begun() -> None:
    reader, writer = fork.Pipe(duplex=False)
    executor = ProcessPoolExecutor(1, mp_context=fork, initializer=_keep, initargs=(reader,))
    futures = [executor.submit(_pass) for _ in range(8)]
    while not futures[0].running():
        runtime.sleep(0.001)
    stopping = runtime.spawn(executor.shutdown, cancel_futures=True)
    runtime.sleep(0.01)
    for _ in futures:
        writer.send("word")
    stopping.join()
    assert futures[0].result() == "word"
    assert futures[-1].cancelled()
    assert all(future.done() for future in futures)
    reader.close()
    writer.close()


def test_an_error_of_a_child_is_raised_here() -> None:
    with fork.Pool(1) as pool, pytest.raises(KeyError, match="from the child"):
        pool.apply(_raise)
    with ProcessPoolExecutor(1, mp_context=fork) as executor:
        assert isinstance(executor.submit(_raise).exception(), KeyError)


def test_a_pool_renews_its_workers() -> None:
    with fork.Pool(1, maxtasksperchild=1) as pool:
        assert len({pool.apply(os.getpid) for _ in range(3)}) == 3


def test_a_pool_of_threads_is_one_of_tasklets() -> None:
    with multiprocessing.pool.ThreadPool(3) as pool, Ticker():
        runtime.sleep(0.02)
        assert pool.map(lambda x: runtime.sleep(0.01) or x * x, range(6)) == [0, 1, 4, 9, 16, 25]


def test_a_tasklet_killed_while_it_spawns_leaves_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child that would have got the rest of its data is gone, and nobody has to wait for it."""
    resource_tracker.ensure_running()  # that is not the child which is looked at
    spawn = multiprocessing.get_context("spawn")
    started: list[int] = []
    launch = multiprocessing.util.spawnv_passfds

    def noted(*args: Any) -> int:
        started.append(launch(*args))
        return started[-1]

    monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", noted)
    starting = runtime.spawn(spawn.Process(target=len, args=(b"x" * (1 << 20),)).start)
    while not started:
        runtime.sleep(0.001)
    starting.kill()
    assert starting.done
    with pytest.raises(ChildProcessError):
        os.waitpid(started[0], os.WNOHANG)
    assert not multiprocessing.active_children()


# Whole programs.

CHILDREN = """
    import multiprocessing, multiprocessing.shared_memory, queue, sys, threading, time

    class Child(multiprocessing.Process):
        def __init__(self, results):
            super().__init__()
            self.results = results
        def run(self):
            order = []
            def late():
                time.sleep(0.05)
                order.append("late")
            threads = [threading.Thread(target=late) for _ in range(3)]
            for thread in threads:
                thread.start()
            order.append("first")
            for thread in threads:
                thread.join()
            one = len({thread.native_id for thread in threads}) == 1
            self.results.put((one, order, type(self.results).__name__, __name__))

    def parent_is_alive(pipe):
        pipe.send(multiprocessing.parent_process().is_alive())

    if __name__ == "__main__":
        multiprocessing.set_start_method(sys.argv[1])
        results = multiprocessing.Queue()
        ticks = []
        threading.Thread(target=lambda: [(ticks.append(1), time.sleep(0.001)) for _ in range(9)]).start()
        child = Child(results)
        child.start()
        print(*results.get())
        child.join()
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.Process(target=parent_is_alive, args=(theirs,))
        child.start()
        print(ours.recv(), len(ticks))
        child.join()
        with multiprocessing.Manager() as manager:
            shared = manager.Queue()
            shared.put(child.exitcode)
            print(shared.get())
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_a_converted_program_are_converted(program: Program, method: str) -> None:
    """A child's threads are tasklets, whichever way it was started; the trackers have nothing to say."""
    done = program(CHILDREN, method, converted=True)
    assert done.stderr == ""
    name = "__main__" if method == "fork" else "__mp_main__"
    assert done.stdout.splitlines() == [
        f"True ['first', 'late', 'late', 'late'] Queue {name}",
        "True 9",
        "0",
    ]


@pytest.mark.parametrize("converted", [False, True])
def test_what_was_put_is_sent_although_nobody_waits(program: Program, converted: bool) -> None:
    """The end of the program waits for the queue's feeder; so does the child's."""
    done = program(
        """
        import multiprocessing

        def put(queue):
            for number in range(1000):
                queue.put(number)

        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            there, back = context.Queue(), context.Queue()
            def count():
                print(sum(there.get() for _ in range(1000)), flush=True)
            child = context.Process(target=put, args=(there,))
            reader = context.Process(target=count)
            reader.start()
            child.start()
            put(back)
            back.cancel_join_thread()
        """,
        converted=converted,
    )
    assert (done.stdout, done.stderr) == ("499500\n", "")


def test_a_killed_parent_leaves_no_semaphore(program: Program) -> None:
    """The tracker of a parent that was killed removes what it had; then nobody has it."""
    done = program(
        """
        import multiprocessing, os, signal, subprocess, sys
        if len(sys.argv) > 1:
            lock = multiprocessing.get_context("spawn").Lock()
            print(lock._semlock.name, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        first = subprocess.run([sys.executable, "-m", "rewriter", __file__, "x"], capture_output=True, text=True)
        name = first.stdout.strip()
        assert name.startswith("/mp-"), first
        print("1 leaked semaphore" in first.stderr)
        import _multiprocessing
        try:
            _multiprocessing.sem_unlink(name)
        except FileNotFoundError:
            print("gone")
        """,
        converted=True,
    )
    assert (done.stdout, done.stderr) == ("True\ngone\n", "")


def test_what_is_sent_needs_no_file_in_memory() -> None:
    """The garbage collector frees a ``BytesIO`` before the views of it, which its frames hold if a sender is killed."""
    view = multiprocessing.reduction.ForkingPickler.dumps(["sent"])
    assert type(view.obj) is bytes
    assert pickle.loads(view) == ["sent"]
