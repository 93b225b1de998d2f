"""`python -m tests.sweep`: convert every file of the standard library and of popular packages, and look what changed.

Of each file: it compiles as before; no line more or less, and the same text outside the places rewritten; the text
gives the tree that runs; every position of the tree, and every line and place of the code that is compiled, is the
original's. The same again with fair loops and offloaded calls. A file that Python itself refuses has to be refused.

Packages are installed by pip, without their dependencies, into a folder that is deleted afterwards.
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from rewriter.conversion import convert
from rewriter.mapping import standard
from rewriter.rendering import Unwritable, rendered
from rewriter.settings import Settings
from tests.rewriter.sameness import Undo, check_text, same_code, same_places

LIBRARY = Path(os.__file__).parent
PACKAGES = """\
aiohttp alembic ansible-core attrs babel black boto3 botocore bottle build celery cherrypy click coverage dask django
docutils fabric fastapi flask gunicorn httpcore httpx hypothesis invoke ipython isort jinja2 jsonschema kombu mako
markdown mypy networkx packaging paramiko pip platformdirs poetry-core prompt-toolkit pycparser pygments pymysql
pyparsing pytest python-dateutil pytz pyyaml redis requests rich scrapy setuptools six sphinx sqlalchemy starlette
sympy tornado tox tqdm twisted typer urllib3 virtualenv werkzeug wheel
"""

OFFLOAD = [
    "copy.deepcopy",
    "json.dumps",
    "json.loads",
    "os.stat",
    "re.Pattern.match",
    "re.compile",
    "shutil.rmtree",
]
PLAIN = standard()
EVERYTHING = standard(settings=Settings(offload=OFFLOAD, fair=True))

_DEEPEST = 20_000  # nodes that the comparison, which recurses, goes down; the conversion does not need it

Outcome = tuple[str, str]  # of a file: "same", "refused", or what is wrong, and its words


def outcome(path: str, module: str = "package") -> Outcome:
    """Convert the file at *path*, and compare."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEPEST))
    source = Path(path).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            plain = compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            return _refused(source, path, error)
        try:
            conversion = convert(source, path, PLAIN, package=module)
            same_code(plain, compile(conversion.tree, path, "exec", dont_inherit=True))
            check_text(conversion)
            same_places(ast.parse(source), conversion.tree)
            conversion = convert(source, path, EVERYTHING, package=module)
            compile(conversion.tree, path, "exec", dont_inherit=True)
            try:
                compile(rendered(conversion), path, "exec", dont_inherit=True)
            except Unwritable:
                pass
            same_places(ast.parse(source), Undo(offload=True).visit(conversion.tree))
        except Exception as error:
            return "different", f"{type(error).__name__}: {error}".partition("\n")[0]
    return "same", "rewritten" if conversion.edits or conversion.builtins or conversion.exchanged else ""


def _refused(source: bytes, path: str, error: Exception) -> Outcome:
    try:
        compile(convert(source, path, PLAIN).tree, path, "exec", dont_inherit=True)
    except type(error):
        return "refused", str(error)
    except Exception as other:
        return "different", f"refused with {type(other).__name__} instead of {type(error).__name__}"
    return "different", f"not refused: {error}"


def files_of(folder: Path) -> Iterator[Path]:
    """The Python sources below *folder*, without what is installed there."""
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" not in path.relative_to(folder).parts:
            yield path


def installed(packages: Sequence[str], folder: str) -> list[str]:
    """Install *packages* into *folder*; returns those that cannot be."""
    missing = []
    for package in packages:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-compile",
            "--target",
            folder,
        ]
        command += ["--upgrade", "--disable-pip-version-check", package]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            missing.append(package)
    return missing


def sweep(name: str, files: Sequence[Path], jobs: int) -> int:
    """Look at all *files*; prints what is different, and one line; returns how many are."""
    began = time.perf_counter()
    counts = dict.fromkeys(("same", "refused", "different", "rewritten"), 0)
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        for path, (kind, words) in zip(files, pool.map(outcome, map(str, files), chunksize=8), strict=True):
            counts[kind] += 1
            counts["rewritten"] += words == "rewritten"
            if kind == "different":
                print(f"{path}: {words}", flush=True)
    found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    print(f"{name}: {len(files)} files in {time.perf_counter() - began:.0f} s: {found}", flush=True)
    return counts["different"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.sweep",
        description="Convert files and look that nothing changed but what is rewritten. Exit code 1 if something did.",
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER",
                        help="by default the standard library, and popular packages")  # fmt: skip
    parser.add_argument(
        "--packages", metavar="A,B", help="those to install (default: a list of popular ones); none: ''"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    given = parser.parse_args(arguments)
    different = 0
    for folder in given.folders or [LIBRARY]:
        different += sweep(str(folder), list(files_of(folder)), given.jobs)
    wanted = (PACKAGES if given.packages is None else given.packages.replace(",", " ")).split()
    if given.folders and given.packages is None:
        wanted = []
    if wanted:
        with tempfile.TemporaryDirectory(prefix="unstall-sweep-") as folder:
            missing = installed(wanted, folder)
            if missing:
                print(f"cannot be installed here: {', '.join(missing)}", flush=True)
            found = list(files_of(Path(folder)))
            different += sweep(f"{len(wanted) - len(missing)} packages", found, given.jobs)
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
