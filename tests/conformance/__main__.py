"""The command line: `python -m tests.conformance [FILE…]`, from the root of the repository."""

from __future__ import annotations

import argparse
import concurrent.futures
import importlib.util
import os
import pathlib
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future

from tests.conformance.comparison import Comparison, compare
from tests.conformance.completion import complete
from tests.conformance.exclusions import Exclusion, ExclusionError, load
from tests.conformance.files import GROUPS, module_name, present
from tests.conformance.process import CONVERTED, GEVENT, given_up
from tests.conformance.report import Section, beside, text, this_python, write


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description="Run CPython's own tests plain and converted, and compare them test by test.",
        epilog=f"files by default: {', '.join(name.removeprefix('test_') for name in present())}",
    )
    result.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="`queue` or `test_queue`; `core` is a fast few, "
        "`gevent` the 23 that gevent's own repository runs",
    )
    result.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N",
                        help="files at a time (default: %(default)s)")  # fmt: skip
    result.add_argument("--timeout", type=float, default=30.0, metavar="S",
                        help="per test, or 5 times its plain time (default: 30)")  # fmt: skip
    result.add_argument(
        "--write",
        type=pathlib.Path,
        metavar="FILE",
        help="put the table into this document; of FILEs, their rows",
    )
    result.add_argument("--tests", type=pathlib.Path, metavar="FOLDER",
                        help="take what is missing here from another copy of CPython's Lib/test")  # fmt: skip
    result.add_argument("--peer", choices=["gevent"],
                        help="run under its monkey patch too, with nothing excluded, to compare with")  # fmt: skip
    result.add_argument("--verbose", action="store_true", help="print the whole traceback of what is broken")
    return result


def first_done(pending: Iterable[Future[Comparison]]) -> Iterator[Future[Comparison]]:
    """The futures as they end; Ctrl-C meanwhile stops the processes under way and starts no others."""
    try:
        yield from concurrent.futures.as_completed(pending)
    except KeyboardInterrupt:
        given_up.set()
        raise


def main() -> int:
    arguments = parser()
    given = arguments.parse_args()
    if given.tests is None:
        return run(arguments, given)
    if not (given.tests / "support").is_dir():
        arguments.error(f"{given.tests} is no `test` package of CPython's")
    if importlib.util.find_spec("test") is None:
        arguments.error("this Python was installed without any of its tests")
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        complete(pathlib.Path(folder), given.tests)
        return run(arguments, given)


def compared(
    modules: list[str],
    exclusions: Mapping[str, Exclusion],
    under: tuple[str, ...],
    given: argparse.Namespace,
) -> list[Comparison]:
    """Each of *modules* run plain and *under* something."""
    done: dict[str, Comparison] = {}
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        pending = {
            pool.submit(compare, module, exclusions, timeout=given.timeout, under=under): module
            for module in modules
        }
        for future in first_done(pending):
            comparison = done[pending[future]] = future.result()
            verdict = "good" if comparison.good else "not good"
            print(
                f"{comparison.module}: {verdict}, {len(done)} of {len(modules)} files",
                file=sys.stderr,
                flush=True,
            )
    return [done[module] for module in modules]


def run(arguments: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    """Run what is *given*; returns the exit code."""
    names = [name for word in given.files or present() for name in GROUPS.get(word, (word,))]
    modules = list(dict.fromkeys(map(module_name, names)))
    if importlib.util.find_spec("test") is None or importlib.util.find_spec("test.support") is None:
        arguments.error("this Python was installed without its tests (the `test` package)")
    for module in modules:
        if importlib.util.find_spec(module) is None:
            arguments.error(f"there is no {module} in this Python")
    if given.jobs < 1 or given.timeout <= 0:
        arguments.error("--jobs and --timeout must be positive")
    if given.peer and importlib.util.find_spec(given.peer) is None:
        arguments.error(f"{given.peer} is not installed")
    try:
        exclusions = load()
    except ExclusionError as error:
        arguments.error(str(error))

    comparisons = compared(modules, exclusions, CONVERTED, given)
    for comparison in comparisons:
        if not comparison.good:
            print(comparison.failures())
            if given.verbose:
                for name, outcome in comparison.broken.items():
                    print(f"\n-- {name}: {outcome.kind}\n{outcome.detail}")
        for name, outcome in comparison.again.items():
            print(f"passed on the second try: {name}: {outcome.kind} at first")
    print(text(comparisons))
    if given.peer:
        found = beside(comparisons, compared(modules, {}, GEVENT, given), given.peer)
        print(f"\n{found}")
        if given.write is not None:
            write(given.write, f"Beside {given.peer}, {this_python()}", found)
    elif given.write is not None:
        write(given.write, this_python(), Section.of(comparisons, exclusions), whole=not given.files)
    return 0 if all(comparison.good for comparison in comparisons) else 1


if __name__ == "__main__":
    # `timeout` and CI runners send SIGTERM; the tests run in sessions of their own and would outlive us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
