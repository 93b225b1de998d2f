"""The supervisor: runs the program, and runs it again when its files change.

    a file changes -> the new generation starts -> it waits for connections -> the old one retires
                                                -> it fails: the old one goes on

It is a program of blocking code on the runtime: a tasklet for each process it talks to, and one queue of what happens.
The program's listeners are kept here (listeners.py), so that neither generation refuses anybody.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from time import monotonic

from rewriter.reload.files import Files
from rewriter.reload.generation import Generation
from rewriter.reload.launcher import Launcher
from rewriter.reload.listeners import Listeners, name_of
from rewriter.reload.report import Report, named
from rewriter.reload.selection import Selection
from rewriter.reload.watching import Watching
from rewriter.reload.wire import Wire
from runtime import Tasklet, sleep, spawn
from runtime.green import queue, socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SETTLE = 0.01  # seconds without another change after which one file counts as saved
_SETTLE_MANY = 0.1  # the same for several files: a checkout is at work
_GONE = 0.3  # seconds that a file may be away, or empty, while it is saved
_LONGEST = 5.0  # seconds after which a series of changes is taken as it is
_ONCE = 0.1  # seconds within which the same signal, sent to the process and to its group (timeout(1)), is one
_STOP = 1.0  # seconds that the old generation has to stop accepting before the new one is announced
_LOADS = 30.0  # seconds without an import that the successor of a server has until it waits for connections
_AFTERTHOUGHT = 1.0  # seconds after which a listener that was closed is not wanted again


class Supervisor:
    """See the module.

    Args:
        words: options and target, as ``python -m rewriter`` takes them.
        selection: which files are watched besides those that are imported.
        ready: seconds without an import after which a program that waits for no connections has come up.
        grace: seconds that a generation has to finish what it is serving.
        forks: whether generations are forked from a process that has imported what does not change.
        quiet: print only what is wrong.
    """

    def __init__(
        self,
        words: Sequence[str],
        selection: Selection,
        *,
        ready: float,
        grace: float,
        forks: bool,
        quiet: bool,
    ) -> None:
        self._ready = ready
        self._grace = grace
        self._selection = selection
        self._report = Report(quiet)
        self._happened: Any = queue.SimpleQueue()  # of calls
        self._launcher = Launcher(words, forks=forks, ended=self._tell_ended)
        self._watching = Watching(self._heard, selection.folders)
        self._listeners = Listeners()
        self._files = Files()
        self._number = 0
        self._current: Generation | None = None  # it has come up
        self._next: Generation | None = None  # it has not yet
        self._others: set[Generation] = set()  # retired, or given up
        self._reason: list[str] = []  # the files whose change began the next one
        self._reason_since = 0.0  # when the first of them was heard of
        self._held: Callable[[], object] | None = (
            None  # has the next one take over, if nothing has changed after all
        )
        self._late = False  # the current one has imported a file that is not watched yet
        self._broken = False  # the last one failed
        self._strange: set[str] = set()  # Python files heard of since then that it did not import
        self._pending = False  # a change is being looked at
        self._first_heard = self._last_heard = 0.0
        self._ending: int | None = None  # the signal that ends us
        self._ending_since = 0.0
        self._code: int | None = None

    def run(self) -> int:
        """Run the program until it, or the user, ends it; returns the exit code, negative for a signal."""
        from rewriter.reload.signals import forward

        forward(lambda number, everybody: self._happened.put(lambda: self._signal(number, everybody)))
        for path in self._selection.files():
            self._files.accept([path])
        self._start()
        while self._code is None:
            self._happened.get()()
        self._watching.end()
        self._launcher.renew()
        return self._code

    def _spawn(self, function: Callable[..., object], *args: object) -> None:
        """Run a call beside the others; an error in it ends us, it is ours."""

        def tell(tasklet: Tasklet) -> None:
            if tasklet.error is not None:
                self._happened.put(tasklet.result)

        spawn(function, *args).when_done(tell)

    # Generations.

    def _start(self) -> None:
        self._number += 1
        ours, theirs = socket.socketpair()
        orders, ordering = os.pipe()
        generation = self._next = Generation(self._number, Wire(ours), ordering)
        fds = (theirs.fileno(), orders)
        try:
            self._launcher.launch(generation, fds)
        finally:
            theirs.close()
            os.close(orders)
        self._spawn(self._listen, generation)

    def _take_as_ready(self, generation: Generation) -> None:
        """A program that waits for no connections has come up when it has imported nothing for some time.

        The successor of one that does is expected to: it may take its time, loading what it serves.
        """
        serves = self._current is not None and self._current.listeners
        silence = max(self._ready, _LOADS) if serves else self._ready
        while generation.alive and (left := generation.heard + silence - monotonic()) > 0:
            sleep(left)
        if not generation.waits:
            self._happened.put(lambda: self._come_up(generation))

    def _listen(self, generation: Generation) -> None:
        """Answer and hear *generation*."""
        while (received := generation.wire.receive()) is not None:
            message, fds = received
            try:
                self._hear(generation, message, fds)
            except OSError:
                return

    def _hear(self, generation: Generation, message: dict[str, Any], fds: list[int]) -> None:
        if not generation.heard:
            self._spawn(self._take_as_ready, generation)
        generation.heard = monotonic()
        meaning = _WORDS.get(message["tell"])
        if meaning is not None:
            meaning(self, generation, message, fds)
        for fd in fds:
            os.close(fd)

    def _imported(self, generation: Generation, message: dict[str, Any], fds: list[int]) -> None:
        if self._selection.excludes(message["path"]):
            return
        generation.files.add(message["path"])
        self._files.add(message["path"], message["signature"])
        if generation is self._current and not self._late:
            self._late = True
            self._happened.put(self._watch)

    def _waiting(self, generation: Generation, message: dict[str, Any], fds: list[int]) -> None:
        generation.waits = True
        self._happened.put(lambda: self._waits(generation, message["foreign"], message["path"]))

    def _retiring(self, generation: Generation, message: dict[str, Any], fds: list[int]) -> None:
        generation.stopped.set()

    def _retired(self, generation: Generation, message: dict[str, Any], fds: list[int]) -> None:
        generation.end()

    def _take(self, generation: Generation, message: dict[str, Any], fds: list[int]) -> None:
        key = name_of(message["key"])
        fd = self._listeners.get(key)
        if fd is None or key in generation.listeners:
            generation.answer()
        else:
            generation.listeners.add(key)
            generation.answer(fd)

    def _offer(self, generation: Generation, message: dict[str, Any], fds: list[int]) -> None:
        key = name_of(message["key"])
        generation.listeners.add(key)
        self._listeners.put(key, fds.pop())

    def _withdraw(self, generation: Generation, message: dict[str, Any], fds: list[int]) -> None:
        key = name_of(message["key"])
        generation.listeners.discard(key)
        self._spawn(self._drop_unless_ended, generation, key)

    def _drop_unless_ended(self, generation: Generation, key: str) -> None:
        """A program that closes a listener and goes on does not want it; one that ends will be back."""
        sleep(_AFTERTHOUGHT)
        if generation.alive and generation is self._current and key not in generation.listeners:
            self._listeners.drop(key)

    def _waits(self, generation: Generation, foreign: Sequence[str], path: Sequence[str]) -> None:
        """*generation* is about to wait for connections; it does when its predecessor has stopped.

        One that has read what is not there any more, perhaps half of a file, does not take over from another.
        """
        from_another = generation is self._next and self._current is not None
        if from_another and (self._files.changed() or self._files.emptied(_GONE)):
            self._held = lambda: self._waits(generation, foreign, path)
            self._heard("")
            return
        self._come_up(generation)
        generation.answer()
        unsafe = self._launcher.preload(foreign, path)
        if unsafe is not None:
            self._report.say(
                f"each reload starts from the beginning: importing {unsafe} makes forking unsafe"
            )

    def _come_up(self, generation: Generation) -> None:
        """*generation* takes over, if it is the next one."""
        if generation is not self._next or not generation.alive:
            return
        old, self._current, self._next = self._current, generation, None
        self._broken = False
        if old is not None:
            self._others.add(old)
            old.retire(self._grace)
            old.stopped.wait(_STOP)
        if self._reason:
            took = (monotonic() - self._reason_since) * 1000
            self._report.say(f"reloaded in {took:.0f} ms: {named(self._reason)}")
            self._reason = []
        self._files.keep([*generation.files, *self._selection.files()])
        self._watch()
        if generation.number == 1:
            what = f"{len(self._files)} file{'' if len(self._files) == 1 else 's'}"
            how = ", looking twice a second" if self._watching.polls else ""
            self._report.say(f"watching {what}{how}; a save reloads the program")

    def _tell_ended(self, generation: Generation, code: int) -> None:
        self._happened.put(lambda: self._ended(generation, code))

    def _ended(self, generation: Generation, code: int) -> None:
        self._others.discard(generation)
        if self._current is not None:
            self._listeners.keep({*self._current.listeners, *(self._next.listeners if self._next else ())})
        if self._ending is not None:
            if not (self._alive() or self._others):
                self._code = self._end_code(generation, code)
            return
        if generation is self._next:
            self._next = None
            self._failed(generation, code)
        elif generation is self._current:
            self._current = None
            if self._next is None:
                self._failed(generation, code)

    def _end_code(self, generation: Generation, code: int) -> int:
        assert self._ending is not None
        if generation in (self._current, self._next) and code != -signal.SIGKILL:
            return code
        return -self._ending

    def _alive(self) -> list[Generation]:
        return [one for one in (self._current, self._next) if one is not None and one.alive]

    def _failed(self, generation: Generation, code: int) -> None:
        """*generation* has ended by itself, and nothing takes its place."""
        if code == 0 and self._current is None:
            self._code = 0
            return
        if code == 2 and not generation.files and generation.number == 1:
            self._code = code  # it was refused before it began: a wrong option
            return
        self._broken = True
        end = f"exit code {code}" if code > 0 else _signal_name(-code)
        self._watch()
        if self._current is not None:
            self._report.warn(f"the new code is broken ({end}); the old code goes on answering")
        else:
            self._report.warn(f"the program has ended ({end}); the next save starts it again")

    # Changes.

    def _watch(self) -> None:
        """Watch what there is now, and look whether some of it has changed since it was read."""
        self._late = False
        self._watching.watch([*self._files, *self._selection.files()])
        self._heard("")

    def _heard(self, path: str) -> None:
        """From any OS thread: something may have happened to *path*, or to any if it is empty."""
        if self._broken and path.endswith(".py") and path not in self._files:
            self._strange.add(path)  # perhaps what was missing
        elif not (path in self._files or not path or self._selection.hear(path) or os.path.islink(path)):
            return
        self._last_heard = monotonic()
        if not self._pending:
            self._pending = True
            self._first_heard = self._last_heard
            self._happened.put(lambda: self._spawn(self._settle))

    def _settle(self) -> None:
        """Wait until the change is complete."""
        began = monotonic()
        while monotonic() - began < _LONGEST:
            changed = self._files.changed()
            away = any(not there for there in changed.values())
            wait = _SETTLE_MANY if len(changed) > 1 or self._selection.busy() else _SETTLE
            quiet = monotonic() - self._last_heard
            if quiet >= (_GONE if away else wait):
                break
            sleep(_SETTLE)
        self._pending = False
        strange = [self._strange.pop() for _ in range(len(self._strange))]
        paths = [
            *self._files.changed(),
            *self._selection.new(self._files),
            *self._selection.moved(),
            *(path for path in strange if os.path.isfile(path) and path not in self._files),
        ]
        held, self._held = self._held, None
        if not paths and held is not None:
            self._happened.put(held)
        if paths:
            self._happened.put(lambda: self._swap(list(dict.fromkeys(paths))))

    def _swap(self, changed: list[str]) -> None:
        if self._ending is not None:
            return
        self._files.accept(changed)
        if not self._reason:
            self._reason_since = self._first_heard
        self._reason = list(dict.fromkeys([*self._reason, *changed]))
        if self._selection.decides(changed):
            self._launcher.renew()
        if self._next is not None:  # it began with what has changed since
            self._others.add(self._next)
            self._next.end()
            self._next = None
        if self._current is not None and not self._current.listeners:
            # Nothing says that two of them may run side by side.
            problem = _syntax_error(changed)
            if problem is not None:
                self._report.warn(f"the new code is broken; the old code goes on\n{problem}")
                return
            self._others.add(self._current)
            self._current.end()
            while self._current.alive:
                sleep(_SETTLE)
            self._current = None
        self._start()

    # The end.

    def _signal(self, number: int, everybody: bool) -> None:
        """A signal: hand it on, unless *everybody* in the terminal has got it; the second one ends all at once."""
        again = self._ending is not None
        if again and monotonic() - self._ending_since < _ONCE:
            return
        self._ending, self._ending_since = number, monotonic()
        if not (self._alive() or self._others):
            self._code = -number
            return
        for generation in [*self._alive(), *self._others]:
            if again:
                generation.signal(signal.SIGKILL)
            elif generation in self._others:
                generation.end()
            elif not everybody:
                generation.signal(number)
        if number != signal.SIGINT and not again:
            for generation in self._alive():
                spawn(generation.kill_after, self._grace)


# What a generation tells (child.py); whatever it is, it lives.
_WORDS: dict[str, Callable[[Supervisor, Generation, dict[str, Any], list[int]], None]] = {
    "imported": Supervisor._imported,
    "waiting": Supervisor._waiting,
    "retiring": Supervisor._retiring,
    "retired": Supervisor._retired,
    "take": Supervisor._take,
    "offer": Supervisor._offer,
    "withdraw": Supervisor._withdraw,
}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _syntax_error(paths: Sequence[str]) -> str | None:
    """What is wrong with the first of *paths* that Python cannot compile."""
    import traceback

    for path in paths:
        if path.endswith(".py") and os.path.isfile(path):
            try:
                with open(path, "rb") as file:
                    compile(file.read(), path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                return "".join(traceback.format_exception_only(error)).rstrip()
            except OSError:
                pass
    return None
