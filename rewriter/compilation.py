"""``--compile``: convert ahead of time, on all cores, into the cache that a run will use.

What is compiled is what a run of each target would convert with the same options from the same folder: the target's own
modules and all packages in scope, whatever the run would come to import of them.  A module whose cache is up to date
costs a look at it.

Files are written as a run writes them (loader.py): whole or not at all.  Where Python is told to write no bytecode this
does, since it is asked for.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing, contextmanager
from importlib.util import cache_from_source
from time import monotonic

from rewriter.errors import RewriterError, RewriterWarning
from rewriter.loader import ConvertingLoader, tagged
from rewriter.mapping import Mapping
from rewriter.progress import progress
from rewriter.seeing import complain, remark
from rewriter.sources import Program, Source, shown, trees_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from rewriter.options import Options

    Job = tuple[str, str, Mapping]  # the name of a module, its path, how it is converted
    Result = tuple[bool, str]  # whether anything was to be done, and what went wrong

_FEW = 16  # modules for which processes do not pay
_INTERVAL = 0.1  # seconds between two words of progress


def compile_all(options: Options) -> int:
    """Convert all targets of *options*; returns the exit code: 2 if some module cannot be converted, or 0."""
    jobs: dict[tuple[str, str], Job] = {}
    for word in options.targets:
        for target in _expanded(word):
            options.target = target
            for source, mapping in _converted(options):
                jobs.setdefault((source.path, mapping.tag), (source.name, source.path, mapping))
    sys.dont_write_bytecode = False
    progress.silent = True
    done = failed = 0
    with _Line(len(jobs)) as line, closing(_results(list(jobs.values()))) as results:
        for (is_new, error), path in results:
            done += is_new and not error
            failed += bool(error)
            line.advance()
            if error:
                line.clear()
                complain(f"{shown(path)}: {error}")
    fresh = len(jobs) - done - failed
    parts = [f"{done} module{'s' if done != 1 else ''} converted"]
    parts += [f"{fresh} up to date"] if fresh else []
    parts += [f"{failed} failed"] if failed else []
    remark(", ".join(parts))
    return 2 if failed else 0


def _expanded(word: str) -> list[str]:
    if not word.endswith("+deps") or os.path.exists(word):
        return [word]
    from rewriter.installation import expand

    return sorted(expand([word]))


def _converted(options: Options) -> Iterator[tuple[Source, Mapping]]:
    """The modules that a run of the target converts.  Raises RewriterError."""
    path = sys.path[:]
    try:
        program = Program(options)
        for name in sorted(program.scope.named - {"__main__"}):
            program.trees += trees_of(name)
        for source in program.sources():
            yield source, program.mapping
    finally:
        sys.path[:] = path


def _results(jobs: list[Job]) -> Generator[tuple[Result, str]]:
    """The result and the path of each job, as they come."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores < 2 or len(jobs) < _FEW:
        for job in jobs:
            yield _compile(job), job[1]
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    from rewriter import transform  # noqa: F401  # before the workers are forked: it takes a while

    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in methods else None)
    with _interrupts() as interrupts:
        pool = ProcessPoolExecutor(cores, context, initializer=_begin)
        try:
            futures = {pool.submit(_compile, job): job[1] for job in jobs}
            for future in as_completed(futures):
                if interrupts:
                    raise KeyboardInterrupt
                yield future.result(), futures[future]
        except BrokenProcessPool:
            if interrupts:
                raise KeyboardInterrupt from None
            raise RewriterError(
                "--compile: a process ended before its work was done (out of memory?)"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect Ctrl-C instead of raising it wherever Python is.

    KeyboardInterrupt between the taking of a lock of the pool and its ``try`` would leave that taken, and the pool
    would never end.
    """
    import signal
    import threading

    come: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield come  # Ctrl-C raises nothing here
        return
    signal.signal(signal.SIGINT, lambda number, frame: come.append(number))
    try:
        yield come
    finally:
        signal.signal(signal.SIGINT, before)


def _begin() -> None:
    """Leave Ctrl-C to the parent."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.dont_write_bytecode = False


def _compile(job: Job) -> Result:
    import warnings

    name, path, mapping = job
    loader = ConvertingLoader(name, path, mapping)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", RewriterWarning)
        try:
            loader.get_code(name)
        except SyntaxError as error:
            return True, f"line {error.lineno or 0}: syntax error: {error.msg}"
        except (ImportError, OSError, ValueError, RecursionError, MemoryError) as error:
            return True, str(error)
    if caught:
        return True, str(caught[0].message)
    place = tagged(cache_from_source(path), mapping.tag)
    if loader.converted is None or os.path.exists(place):
        return loader.converted is not None, ""
    return True, f"its bytecode cannot be written to {shown(os.path.dirname(place))}"


class _Line:
    """How far it is, on standard error if that is a terminal."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._visible = sys.stderr.isatty()
        self._next = 0.0

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def advance(self) -> None:
        """One more is done."""
        self._done += 1
        if self._visible and monotonic() >= self._next:
            self._next = monotonic() + _INTERVAL
            sys.stderr.write(f"\rrewriter: {self._done} of {self._total} modules")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, for something else to be written."""
        if self._visible:
            sys.stderr.write("\r\x1b[K")
