"""``--eject OUT``: the target, converted, as source files that need ``runtime`` and no import hook.

What is in the target's folders is copied as it is, but for the modules that are converted, and so is each other package
in scope (``--convert``), or it would run plain.  A converted file keeps its encoding, its line ends and, but where
`rendering` says so, its lines.  Modules of the target before which no other of its own is imported begin with
``runtime.start``, as the import hook does.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import tokenize

from rewriter.errors import RewriterError
from rewriter.rendering import Unwritable, rendered
from rewriter.scope import OWN
from rewriter.seeing import complain, remark
from rewriter.sources import Program, Source, Tree, Unreadable, shown, trees_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rewriter.conversion import Conversion
    from rewriter.options import Options
    from rewriter.settings import Settings

_MANY = 500  # files between two words of progress
_LINE_END = re.compile(r"\r\n|\r|\n")


def eject(options: Options) -> int:
    """Write the target to ``options.out``; returns the exit code.  Raises RewriterError."""
    out = os.path.abspath(options.out)
    _check_empty(out, options.out)
    program = Program(options)
    trees = _trees(program)
    for tree in trees:
        for top in {relative.partition(os.sep)[0].removesuffix(".py") for _, relative in tree.files(out)}:
            if top in OWN:
                raise RewriterError(
                    f"{shown(tree.path)} has a module {top}, which would hide the one of this project"
                )
    try:
        os.makedirs(out, exist_ok=True)
    except OSError as error:
        raise _unwritable(options.out, error) from None
    try:
        written = _Output(out, program).write(trees)
    except BaseException:
        for entry in os.scandir(out):  # it was empty
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        raise
    remark(f"{written} to {options.out}; it runs there as {_command(program)}")
    return 0


def _check_empty(out: str, asked: str) -> None:
    try:
        if os.path.lexists(out) and os.listdir(out):
            raise RewriterError(f"--eject writes to a new or empty folder, and {asked} has something in it")
    except OSError as error:
        raise _unwritable(asked, error) from None


def _unwritable(asked: str, error: OSError) -> RewriterError:
    return RewriterError(f"--eject cannot write to {asked}: {error.strerror}")


def _trees(program: Program) -> list[Tree]:
    """All that is written: the target, and each other package that is converted."""
    target = program.target
    trees = trees_of(target.name.partition(".")[0]) if target.kind == "module" else list(program.trees)
    found = {os.path.realpath(tree.path) for tree in trees}
    for name in sorted(
        {name.partition(".")[0] for name in program.scope.converted - program.scope.folders.keys()}
    ):
        for tree in trees_of(name) if name != "__main__" else ():
            path = os.path.realpath(tree.path)
            if not any(path == known or path.startswith(os.path.join(known, "")) for known in found):
                found.add(path)
                trees.append(tree)
    return trees


def _command(program: Program) -> str:
    target = program.target
    if target.kind == "module":
        return f"`python -m {target.name}`"
    return f"`python {os.path.basename(target.name) if target.kind == 'file' else '.'}`"


class _Output:
    """The folder *out*, which is filled with *program*."""

    def __init__(self, out: str, program: Program) -> None:
        self.out = out
        self.program = program
        self.start = _start(program.settings)
        self.files = self.converted = 0

    def write(self, trees: list[Tree]) -> str:
        """Write all files of *trees*; returns what was written, in words."""
        first = ("__main__", "", self.program.target.name.partition(".")[0])
        for tree in trees:
            for path, relative in tree.files(self.out):
                self._file(tree, path, relative, starts=tree.name in first)
                self.files += 1
                if self.files % _MANY == 0:
                    remark(f"{self.files} files written")
        return (
            f"{self.files} file{'s' if self.files != 1 else ''} written, {self.converted} of them converted,"
        )

    def _file(self, tree: Tree, path: str, relative: str, *, starts: bool) -> None:
        place = os.path.join(self.out, relative)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if not (path.endswith((".py", ".pyw")) or path == tree.path):
                shutil.copy2(path, place)
                return
            source = Source(tree.module(path), path, relative)
            data = self._content(source, starts=starts)
            with open(place, "xb") as file:
                file.write(data)
            os.chmod(place, stat.S_IMODE(os.stat(path).st_mode) | stat.S_IWUSR)
        except FileExistsError:
            raise RewriterError(f"two files would be {relative}") from None
        except OSError as error:
            raise RewriterError(f"{shown(error.filename or path)}: {error.strerror}") from None

    def _content(self, source: Source, *, starts: bool) -> bytes:
        data = source.read()
        if not self.program.covers(source.name, source.path):
            return data
        try:
            conversion = source.converted(self.program.mapping)
            first = [self.start] if starts and not _comes_after_another(source) else []
            text = rendered(conversion, first)
        except Unreadable as error:  # it runs no better where it comes from
            complain(f"{error}; written as it is")
            return data
        except Unwritable as error:
            raise RewriterError(f"{source.shown}: what runs cannot be written as source: {error}") from None
        if text == conversion.original:
            return data
        added = len(text.rstrip("\n").split("\n")) - len(conversion.original.rstrip("\n").split("\n"))
        if added and not _only_at_the_end(text, conversion):
            remark(
                f"{source.shown}: lines added, {added}: nothing can share the line of its first statements"
            )
        self.converted += 1
        return _encoded(text, data)


def _start(settings: Settings) -> str:
    """What the import hook does before a program runs, as a statement."""
    start = f"import runtime as _rewriter_runtime; _rewriter_runtime.start({settings.threads!r})"
    if settings.monitor_ms is None:
        return start
    report = "_rewriter_report_after"
    return f"{start}; from runtime.monitor import report_after as {report}; {report}({settings.monitor_ms / 1000})"


def _comes_after_another(source: Source) -> bool:
    """Whether a package of the target is imported before *source* is."""
    parts = source.name.split(".")
    depth = len(parts) - 1
    folder = os.path.dirname(source.path)
    if os.path.basename(source.path) == "__init__.py":
        folder = os.path.dirname(folder)
    for _ in range(depth):
        if os.path.isfile(os.path.join(folder, "__init__.py")):
            return True
        folder = os.path.dirname(folder)
    return False


def _only_at_the_end(text: str, conversion: Conversion) -> bool:
    """Whether every line of the original is where it was, changed or not."""
    return text.rstrip("\n").rpartition("\n")[2].startswith(("import runtime", "from runtime.")) and bool(
        conversion.original.strip()
    )


def _encoded(text: str, data: bytes) -> bytes:
    """*text* in the encoding and with the line ends of *data*, which it was made of."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    ends = _LINE_END.findall(data.decode(encoding))
    usual = ends[0] if ends else "\n"
    lines = text.split("\n")
    parts = []
    for number, line in enumerate(lines[:-1]):
        parts += [line, ends[number] if number < len(ends) else usual]
    return "".join([*parts, lines[-1]]).encode(encoding)
