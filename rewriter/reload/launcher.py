"""Starts generations: forked from a process that has imported what does not change, or from the beginning."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence

from rewriter.reload.generation import Generation
from rewriter.reload.wire import Wire
from runtime import spawn
from runtime.green import queue, socket, subprocess, threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Ended = Callable[[Generation, int], object]


class Launcher:
    """The supervisor's side of the fork server, and of its like that become a generation themselves.

    Args:
        words: options and target, as ``python -m rewriter`` takes them.
        forks: whether generations are forked; if not, each is a fresh process, which is slower.
        ended: called with a generation and its exit code when it has ended.
    """

    def __init__(self, words: Sequence[str], *, forks: bool, ended: Ended) -> None:
        self._words = list(words)
        self._ended = ended
        self.forks = forks and hasattr(os, "fork")
        self._seed: Seed | None = None
        self._preloaded: set[str] = set()

    def prepare(self) -> Seed:
        """Have a process ready to launch the next generation from."""
        if self._seed is None or not self._seed.usable:
            self._seed = Seed(self._words, self._ended)
            self._preloaded = set()
        return self._seed

    def launch(self, generation: Generation, fds: Sequence[int]) -> None:
        """Start *generation*, whose ends of the wire and of the orders are *fds*."""
        seed = self.prepare()
        if self.forks:
            seed.fork(generation, fds)
        else:
            seed.become(generation, fds)
            self.prepare()

    def preload(self, modules: Sequence[str], path: Sequence[str]) -> str | None:
        """Have the next generations begin with *modules* imported, which are found by *path* (``sys.path``).

        Returns:
            The module that makes forking unsafe, if there is one.
        """
        new = [name for name in modules if name not in self._preloaded]
        if not (self.forks and new):
            return None
        self._preloaded.update(new)
        unsafe = self.prepare().preload(new, path)
        if unsafe is not None:
            self.forks = False
            self.renew()
        return unsafe

    def renew(self) -> None:
        """Launch from a new process from now on: the configuration has changed, or the old one is not safe."""
        if self._seed is not None:
            self._seed.leave()
            self._seed = None


class Seed:
    """One process of forkserver.py: forks generations, or becomes one."""

    def __init__(self, words: Sequence[str], ended: Ended) -> None:
        ours, theirs = socket.socketpair()
        # Its options are those of this interpreter, so -X, -W, -O and the like hold for the program.
        flags = subprocess._args_from_interpreter_flags()
        command = [sys.executable, *flags, "-m", "rewriter.reload.forkserver", str(theirs.fileno()), *words]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.usable = True
        self._ended = ended
        self._wire = Wire(ours)
        self._generations: dict[int, Generation] = {}  # by process
        self._answers = queue.SimpleQueue()
        self._asking = threading.Lock()
        spawn(self._listen)

    def _listen(self) -> None:
        while (received := self._wire.receive()) is not None:
            message, _ = received
            if "ended" in message:
                self._end(message["ended"], message["status"])
            else:
                self._answers.put(message)
        self.usable = False
        self._answers.put({"gone": True})
        code = self._process.wait()
        for pid, generation in list(self._generations.items()):
            if pid != self._process.pid:  # nobody can tell any more when it ends
                generation.signal(signal.SIGKILL)
            self._end(pid, code)

    def _end(self, pid: int, code: int) -> None:
        generation = self._generations.pop(pid)
        generation.ended()
        self._ended(generation, code)
        if not self.usable:
            self.leave()

    def _answer(self) -> dict[str, Any]:
        message: dict[str, Any] = self._answers.get()
        if "gone" in message:
            self._answers.put(message)
        return message

    def fork(self, generation: Generation, fds: Sequence[int]) -> None:
        """Fork *generation*."""
        answer = self._ask({"do": "fork"}, fds)
        self._born(generation, answer.get("forked"))

    def become(self, generation: Generation, fds: Sequence[int]) -> None:
        """Become *generation*."""
        self.usable = False
        try:
            self._wire.send({"do": "become"}, fds)
        except OSError:
            self._born(generation, None)
        else:
            self._born(generation, self._process.pid)

    def _born(self, generation: Generation, pid: int | None) -> None:
        if pid is None:  # it could not even be prepared
            generation.ended()
            self._ended(generation, self._process.wait())
            return
        generation.pid = pid
        self._generations[pid] = generation

    def preload(self, modules: Sequence[str], path: Sequence[str]) -> str | None:
        """Import *modules*; returns the one that makes forking unsafe."""
        message = {"do": "preload", "modules": list(modules), "path": list(path)}
        found: str | None = self._ask(message).get("preloaded")
        return found

    def _ask(self, message: dict[str, Any], fds: Sequence[int] = ()) -> dict[str, Any]:
        with self._asking:
            try:
                self._wire.send(message, fds)
            except OSError:
                return {"gone": True}
            return self._answer()

    def leave(self) -> None:
        """Launch no more from it; it stays until those that it has launched have ended."""
        self.usable = False
        if not self._generations:
            self._wire.close()
            self._process.terminate()
