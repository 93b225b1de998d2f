"""The command line: options in, a prepared program out.

``python -m rewriter [options] TARGET [args]`` reads its options by hand: argparse would cost a seventh of the
start-up time allowed, reports errors over several lines, and does not stop at the target.
"""

from __future__ import annotations

import sys

from rewriter.config import KEYS, TRUTH
from rewriter.errors import RewriterError, refuse
from rewriter.options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """\
usage: python -m rewriter [options] TARGET [args...]

Run a Python program with its blocking calls made cooperative.

target:
  TARGET                 what python takes: the name of a module or package, the
                         path of a file, or a folder or zip with __main__.py
  -m NAME                run a module or package, as python -m does
  -c CODE                run CODE

what is converted (by default the target's own package; for a file, the file and
the modules under its folder; never the standard library in place):
  --convert PKG[,PKG...]     convert these packages too, with their submodules;
                             PKG+deps means PKG and its declared dependencies
  --with-deps                convert the target's own declared dependencies
  --no-convert PKG[,PKG...]  leave these packages or modules as they are

other options:
  --threads tasklet|native   what threading.Thread is in converted code: a
                             tasklet (the default), or a system thread
  --offload NAME[,NAME...]   call these functions (module.function) and methods
                             (module.Class.method) on worker threads, wherever
                             converted code calls them
  --fair                     let loops that compute give way to others
  --no-children              start Python programs from converted code as they
                             are (by default they convert what this one does)
  --monitor MS               report a scheduler that stands still for more than
                             MS milliseconds, each time, with its stack
                             (by default: a second, once per place, one line)
  --explain NAME             say what converted code gets for a name of the
                             standard library (http.client, os.read, open), and
                             why, and exit
  --diff                     show what conversion does to the target, and exit
  --check                    list the target's calls that can wait and what
                             becomes of each, and exit (1: some hold up others)
  --format text|json|sarif   of what --check says
  --eject OUT                write the target, converted, as source files to the
                             folder OUT, and exit
  --compile PKG...           convert these packages, scripts or folders (also
                             PKG+deps) ahead of time, on all cores, and exit
  --reload                   run the program again when its files change; no
                             connection is refused meanwhile, and the old code
                             answers as long as the new is broken
  --version                  show the versions and exit
  -h, --help                 show this help and exit

with --reload:
  --reload-include GLOB  other files whose changes count ("*.html")
  --reload-exclude GLOB  files whose changes do not count
  --reload-dir DIR       where included files are (default: the current folder);
                         all Python files in it count, imported or not
  --reload-ready S       seconds without an import after which a program that
                         waits for no connections has come up (default: 2)
  --reload-grace S       seconds that the old code has to finish what it is
                         serving (default: 10)
  --reload-fresh         start from the beginning each time, instead of forking
                         from a process that has imported what does not change
  --quiet                print only what is wrong

Options come before the target; what follows it belongs to the program.
What they say can also stand in the environment (REWRITER_CONVERT,
REWRITER_EXCLUDE, REWRITER_THREADS, REWRITER_OFFLOAD, REWRITER_FAIR,
REWRITER_MONITOR_MS, REWRITER_CHILDREN) and in [tool.rewriter] of the nearest
pyproject.toml (keys: convert, exclude, threads, offload, fair, monitor_ms,
children).  The first that says anything decides (--no-fair undoes a "fair" that
stands there); lists (--convert, --no-convert, --offload) add up.

examples:
  python -m rewriter app                     like python -m app
  python -m rewriter server.py --port 8000   like python server.py --port 8000
  python -m rewriter --convert requests+deps fetch.py
  python -m rewriter -c 'import time; time.sleep(1)'
  python -m rewriter --explain http.client
  python -m rewriter --check app             nothing is run
  python -m rewriter --reload app            save a file, and ask again
"""


FORMATS = ("text", "json", "sarif")
_KEYS = {key.option: key for key in KEYS.values() if key.form is not TRUTH}
_TRUTHS = {
    f"--{no}{key.option[2:]}": (key, not no)
    for key in KEYS.values()
    if key.form is TRUTH
    for no in ("", "no-")
}
_RELOAD_FLAGS = ("--reload", "--reload-fresh", "--quiet")
_RELOAD_VALUED = ("--reload-dir", "--reload-exclude", "--reload-grace", "--reload-include", "--reload-ready")
_FLAGS = ("--check", "--compile", "--diff", "--help", "--version", "--with-deps", *_RELOAD_FLAGS, *_TRUTHS)
_VALUED = ("--eject", "--explain", "--format", *_RELOAD_VALUED, *_KEYS)


def parse(arguments: Sequence[str]) -> Options:
    """Read the options up to the target, and after it if it is not to be run.

    Raises RewriterError for what is not understood.
    """
    options = Options()
    rest = _up_to_target(options, list(arguments))
    if options.format and options.seen != "--check":
        raise RewriterError("--format belongs to --check")
    if options.reload and "--reload" not in options.reload:
        raise RewriterError(f"{next(iter(options.reload))} belongs to --reload")
    if options.reload and options.seen:
        raise RewriterError(f"{options.seen} or --reload, not both")
    if options.seen and options.kind == "code":
        raise RewriterError(f"{options.seen} takes a module, a file or a folder, not code")
    options.arguments = rest
    return options


def _up_to_target(options: Options, words: list[str]) -> list[str]:
    """Read *words* up to the target, or all of them if it is only looked at; returns those not read."""
    found = False
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word[:2] in ("-m", "-c") or not word.startswith("-") or word == "--":
            if found and options.seen != "--compile":
                raise RewriterError(f"one target at a time: {options.target}, or {word}")
            index = _target(options, words, index)
            if not options.target and options.kind == "target":
                break
            options.targets.append(options.target)
            if not options.seen:
                return words[index:]
            found = True
            continue
        name, equals, value = word.partition("=")
        if word in ("-h", *_FLAGS):
            _flag(options, word)
        elif name not in _VALUED:
            raise RewriterError(f"unknown option {word}{_suggestion(name)}")
        else:
            if not equals:
                if index >= len(words):
                    raise RewriterError(f"{name} needs a value")
                value = words[index]
                index += 1
            _value(options, name, value)
    if not found:
        raise RewriterError("no target: name a module, a file, or a folder with __main__.py (see --help)")
    return []


def _target(options: Options, words: list[str], index: int) -> int:
    """Take the target that the word before *index* begins; returns the index of what follows it."""
    word = words[index - 1]
    if word[:2] in ("-m", "-c"):
        options.kind = "module" if word[1] == "m" else "code"
        options.target = word[2:]
        if options.target:
            return index
        if index >= len(words):
            raise RewriterError(f"{word} needs {'a module name' if word == '-m' else 'code'} after it")
    elif word != "--":
        options.target = word
        return index
    elif index >= len(words):
        return index
    options.target = words[index]
    return index + 1


def _flag(options: Options, word: str) -> None:
    if word in ("--check", "--compile", "--diff"):
        _look(options, word)
        return
    if word == "--with-deps":
        options.with_deps = True
        return
    if word in _RELOAD_FLAGS:
        options.reload[word] = []
        return
    if word in _TRUTHS:
        options.take(*_TRUTHS[word])
        return
    sys.stdout.write(f"{version()}\n" if word == "--version" else HELP)
    raise SystemExit(0)


def _look(options: Options, how: str) -> None:
    if options.seen not in ("", how):
        raise RewriterError(f"{options.seen} or {how}, not both")
    options.seen = how


def _value(options: Options, name: str, value: str) -> None:
    if name in _KEYS:
        options.take_text(_KEYS[name], value)
        return
    if name in _RELOAD_VALUED:
        options.reload.setdefault(name, []).append(value)
        return
    if name == "--eject":
        if not value:
            raise RewriterError("--eject needs the name of a folder to write to")
        options.out = value
        _look(options, name)
        return
    if name == "--format":
        if value not in FORMATS:
            raise RewriterError(f"--format must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, not {value!r}")
        options.format = value
        return
    from rewriter.explain import explain

    sys.stdout.write(explain(value))
    raise SystemExit(0)


def _suggestion(word: str) -> str:
    import difflib

    close = difflib.get_close_matches(word, [*_FLAGS, *_VALUED, "-m", "-c"], n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else " (see --help)"


def version() -> str:
    """One line with the versions that matter in a report, and which form of the core runs."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    from rewriter import __version__

    parts = [f"python {sys.version.partition(' ')[0]}"]
    for name in ("greenlet", "libcst"):
        try:
            parts.append(f"{name} {installed(name)}")
        except PackageNotFoundError:
            parts.append(f"{name} missing")
    try:
        from runtime import core

        parts.append("compiled core" if core.reason is None else f"core not compiled: {core.reason}")
    except ImportError:
        pass  # without greenlet, which the line says
    return f"unstall {__version__} ({', '.join(parts)})"


def main(at_start: frozenset[str] = frozenset()) -> None:
    """Run the program that ``sys.argv`` names; *at_start* are the modules Python itself had imported."""
    from rewriter import program

    try:
        options = parse(sys.argv[1:])
        if options.seen:
            from rewriter import seeing

            seeing.run(options)
        if options.reload:
            from rewriter import reload

            reload.supervise(options, sys.argv[1:])
        run = program.prepare(options, at_start)
    except RewriterError as error:
        refuse(str(error))
    run()
