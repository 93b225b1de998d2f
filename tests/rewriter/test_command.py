"""What is typed: options are read up to the target, and bad input gets one line and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewriter.command import HELP, parse
from rewriter.errors import RewriterError
from tests.rewriter.conftest import Run


def test_options_end_where_the_target_begins() -> None:
    options = parse(
        ["--convert", "a,b+deps", "--convert=c", "--no-convert", "d", "--with-deps", "app", "--convert", "e"]
    )
    assert (options.kind, options.target, options.arguments) == ("target", "app", ["--convert", "e"])
    assert (options.convert, options.exclude, options.with_deps) == (["a", "b+deps", "c"], ["d"], True)


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (["-m", "app", "-m"], ("module", "app", ["-m"])),
        (["-mapp", "x"], ("module", "app", ["x"])),
        (["-c", "pass", "-c", "y"], ("code", "pass", ["-c", "y"])),
        (["-cpass"], ("code", "pass", [])),
        (["--", "--odd.py", "--", "x"], ("target", "--odd.py", ["--", "x"])),
        (["--threads=native", "x.py", "-h"], ("target", "x.py", ["-h"])),
    ],
)
def test_each_way_to_name_a_target(words: list[str], meaning: tuple[str, str, list[str]]) -> None:
    options = parse(words)
    assert (options.kind, options.target, options.arguments) == meaning


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no target: "),
        (["--with-deps"], "no target: "),
        (["--"], "no target: "),
        (["-m"], "-m needs a module name after it"),
        (["-c"], "-c needs code after it"),
        (["--convrt", "x", "app"], "unknown option --convrt; did you mean --convert?"),
        (["-x", "app"], "unknown option -x"),
        (["--convert"], "--convert needs a value"),
        (["--convert", ",", "app"], "--convert must be names of packages, separated by commas, not ','"),
        (["--threads", "green", "app"], "--threads must be tasklet or native, not 'green'"),
        (["--monitor", "0", "app"], "--monitor must be a number of milliseconds, 1 at least, not '0'"),
        (["--offload", "f", "app"], "--offload must be full names of functions, like module.function"),
        (["--no-far", "app"], "unknown option --no-far; did you mean --no-fair?"),
        (["--with-deps=yes", "app"], "unknown option --with-deps=yes; did you mean --with-deps?"),
    ],
)
def test_what_is_not_understood_is_named(words: list[str], message: str) -> None:
    with pytest.raises(RewriterError) as caught:
        parse(words)
    assert str(caught.value).startswith(message)


BAD = {
    "no target": ([], "no target: name a module, a file, or a folder with __main__.py (see --help)"),
    "no module": (["nosuch"], "no module and no file is called nosuch"),
    "no module after -m": (["-m", "nosuch"], "no module is called nosuch"),
    "no submodule": (["-m", "json.nosuch"], "no module is called json.nosuch"),
    "no name": (["-m", "a-b"], "'a-b' is no module name"),
    "a path after -m": (["-m", "good.py"], "no module is called good.py"),
    "no file": (["nosuch.py"], "no such file: nosuch.py"),
    "no path": (["./nosuch"], "no such file: ./nosuch"),
    "no __main__": (["./folder"], "folder ./folder has no __main__.py"),
    "a package without": (
        ["-m", "apkg"],
        "No module named apkg.__main__; 'apkg' is a package and cannot be directly executed",
    ),
    "option": (["--wat", "good.py"], "unknown option --wat (see --help)"),
    "package": (
        ["--convert", "requestz", "good.py"],
        "--convert: no package to convert is called requestz; did you mean requests?",
    ),
    "library": (
        ["--convert", "json", "good.py"],
        "--convert: json is part of the standard library, which is never converted in place",
    ),
    "dependencies": (
        ["--convert", "good+deps", "good.py"],
        "--convert: good+deps: no installed distribution provides it, so none are declared",
    ),
    "plus": (
        ["--convert", "good+dep", "good.py"],
        "--convert: 'good+dep' is no module name (write package+deps for a package and its dependencies)",
    ),
    "exclude": (["--no-convert", "a b", "good.py"], "--no-convert: 'a b' is no module name"),
    "with-deps": (
        ["--with-deps", "good.py"],
        "--with-deps: no installed distribution and no [project] in a pyproject.toml "
        "declares the dependencies of good.py",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.py").write_text("print('ran')\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "apkg").mkdir()
    (tmp_path / "apkg" / "__init__.py").write_text("")
    return tmp_path


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_line_and_exit_code_2(case: str, folder: Path, run: Run) -> None:
    words, message = BAD[case]
    done = run("-m", "rewriter", *words)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert lines[0].startswith("rewriter: error: ")
    assert len(lines) == 1
    assert lines[0].removeprefix("rewriter: error: ").startswith(message)


@pytest.mark.parametrize(
    "text", ["[tool.rewriter]\nconvrt = []\n", "[tool.rewriter\n", '[tool.rewriter]\nconvert = ["nosuch"]\n']
)
def test_bad_configuration_is_named_with_its_file(folder: Path, run: Run, text: str) -> None:
    (folder / "pyproject.toml").write_text(text)
    done = run("-m", "rewriter", "good.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"rewriter: error: {folder / 'pyproject.toml'}: ")
    assert done.stderr.count("\n") == 1


def test_help_and_version(run: Run) -> None:
    done = run("-m", "rewriter", "--help")
    assert (done.returncode, done.stdout, done.stderr) == (0, HELP, "")
    assert all(len(line) <= 80 for line in HELP.splitlines())
    for option in ("--convert", "--no-convert", "--with-deps", "--threads", "--version", "-h", "-m", "-c"):
        assert option in HELP
    done = run("-m", "rewriter", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("unstall ")
    assert all(name in done.stdout for name in ("python 3.", "greenlet ", "libcst "))
    assert run("-X", "importtime", "-m", "rewriter", "--version").stderr.count("libcst") == 0
