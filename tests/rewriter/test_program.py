"""A program run by ``python -m rewriter`` cannot tell, and neither can who reads its output: each case runs
plain and converted, and output, errors and exit code are compared."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.rewriter.conftest import ROOT, Run

FACTS = """\
import sys
import __main__
space = vars(__main__)
print(__name__, sys.argv, repr(sys.path[0]), __main__.__dict__ is globals(), sys.flags)
for name in sorted(n for n in list(space) if n.startswith("__") and n not in ("__loader__", "__spec__")):
    print(name, space[name])
print(__spec__ and (__spec__.name, __spec__.origin, __spec__.parent, __spec__.loader is __loader__))
print(getattr(__loader__, "name", __loader__), getattr(__loader__, "path", None))
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """One program in each shape that python takes."""
    (tmp_path / "prog.py").write_text(FACTS)
    (tmp_path / "noext").write_text(FACTS)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "prog.py").write_text(FACTS)
    (tmp_path / "link.py").symlink_to(tmp_path / "deep" / "er" / "prog.py")
    for name in ("apkg", "contained"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "__main__.py").write_text(FACTS)
        (tmp_path / name / "leaf.py").write_text(FACTS)
    with zipfile.ZipFile(tmp_path / "prog.zip", "w") as archive:
        archive.writestr("__main__.py", FACTS)
    (tmp_path / "prog.pyz").write_bytes(b"#!/usr/bin/env python3\n" + (tmp_path / "prog.zip").read_bytes())
    return tmp_path


SHAPES = {
    "file": ["prog.py", "a", "-b"],
    "dotted file": ["./prog.py"],
    "file in a folder": ["deep/er/prog.py"],
    "file up and down": ["deep/../prog.py"],
    "symlink": ["link.py"],
    "no extension": ["./noext", "x"],
    "module": ["-m", "prog", "a"],
    "package": ["-m", "apkg", "--convert", "x"],
    "submodule": ["-m", "apkg.leaf"],
    "folder": ["./contained/", "x"],
    "zip": ["prog.zip", "x"],
    "pyz": ["./prog.pyz"],
    "code": ["-c", FACTS, "a", "-m"],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_main_looks_the_same_in_every_shape(shape: str, programs: Path, run: Run) -> None:
    plain = run(*SHAPES[shape])
    converted = run("-m", "rewriter", *SHAPES[shape])
    assert plain.returncode == 0, plain.stderr
    assert same(converted) == same(plain)


def same(done: subprocess.CompletedProcess[str]) -> tuple[object, ...]:
    return done.returncode, *(re.sub("0x[0-9a-f]+", "0x…", text) for text in (done.stdout, done.stderr))


def test_an_absolute_path_and_another_directory(programs: Path, run: Run) -> None:
    words = [str(programs / "prog.py"), "x"]
    elsewhere = programs / "deep"
    assert same(run("-m", "rewriter", *words, cwd=elsewhere)) == same(run(*words, cwd=elsewhere))


@pytest.mark.parametrize("flags", [["-P"], ["-O"], ["-OO"], ["-W", "error"], ["-X", "dev"], ["-u"], ["-B"]])
@pytest.mark.parametrize("shape", ["file", "module", "folder", "code"])
def test_flags_of_the_interpreter_mean_the_same(
    flags: list[str], shape: str, programs: Path, run: Run
) -> None:
    words = SHAPES[shape]
    environment = {"PYTHONPATH": f"{ROOT}{os.pathsep}{programs}"}
    converted = run(*flags, "-m", "rewriter", *words, env=environment)
    assert same(converted) == same(run(*flags, *words, env=environment))


def test_a_bare_name_is_a_module_before_it_is_a_folder(programs: Path, run: Run) -> None:
    assert same(run("-m", "rewriter", "apkg", "x")) == same(run("-m", "apkg", "x"))
    assert same(run("-m", "rewriter", "apkg.leaf")) == same(run("-m", "apkg.leaf"))


FAILING = {
    "division": ("def f(x):\n    return 'é', (1 + \n        x / (x - x))\nf(1)\n"),
    "attribute": ("import time\nx = time; y = x.sleep(0).nope.more(1)\n"),
    "nested": "import os; import http.client; 'é'; [1 for _ in (lambda: os.getpid().nope)()]\n",
    "chained": ("try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise ValueError('x') from e\n"),
    "context": ("try:\n    1/0\nexcept ZeroDivisionError:\n    undefined\n"),
    "group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\n",
    "in a module": ("import time, broken\nbroken.f(0)\n"),
    "at import": ("import time\nimport failing\n"),
    "no module": "import socket, nosuch.module, time\n",
    "syntax": ("import time\nx = (1,\n"),
    "late syntax": ("import time\nreturn 5\n"),
    "indentation": ("import time\n  x = 1\n"),
    "syntax in a module": "import time, misspelt\n",
    "note": "e = ValueError('x'); e.add_note('é note'); raise e\n",
    "generator": ("import time\ndef g():\n    yield 1; time.sleep(0).nope\nlist(g())\n"),
    "class body": ("class A:\n    import time; x = time.sleep(0).nope\n"),
    "exit text": ("import sys\nsys.exit('so long')\n"),
    "exit number": "raise SystemExit(7)\n",
    "exit odd": "import sys; sys.exit([1, 2])\n",
    "exit none": "import sys; sys.exit()\n",
    "interrupt": "raise KeyboardInterrupt\n",
    "hook": (
        "import sys\n"
        "def hook(kind, value, trace):\n"
        "    print('hooked', kind, trace.tb_frame.f_code.co_name, value.__traceback__ is trace)\n"
        "sys.excepthook = hook\n"
        "1/0\n"
    ),
    "bad hook": ("import sys\ndef hook(*e): return 1 + 'x'\nsys.excepthook = hook\n1/0\n"),
    "same hook after": (
        "import sys, atexit\n"
        "h = sys.excepthook\n"
        "atexit.register(lambda: print(sys.excepthook is h, sys.last_value, sys.last_traceback.tb_lineno))\n"
        "1/0\n"
    ),
    "atexit": ("import atexit, time\natexit.register(print, 'bye')\nprint('hi')\n"),
    "atexit after an error": ("import atexit\natexit.register(print, 'bye')\n1/0\n"),
    "error in a thread of atexit": ("import atexit\natexit.register(lambda: 1/0)\n"),
    "warning": ("import warnings, time\ndef f(): warnings.warn('here', stacklevel=2)\nf()\n"),
    "syntax warning": ("import time\nx = '\\d'\ny = 1 is 1\n"),
    "broken pipe": ("import os, time\nos._exit(5)\n"),
    "unraisable": ("import time\nclass A:\n    def __del__(self): 1/0\nA()\n"),
    "file is gone at the end": (
        "import atexit\natexit.register(lambda: print('__file__' in globals(), '__cached__' in globals()))\n"
    ),
    "pickle": (
        "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A, A.__module__)\n"
    ),
    "annotations": ("x: int = 1\nimport time\nprint(__annotations__)\n"),
    "doc": ("'the doc'\nimport time\nprint(__doc__)\n"),
    "stdin": ("import time\nprint(input('? '))\n"),
    "getsource": ("import inspect, time\ndef f():\n    return time\nprint(inspect.getsource(f))\n"),
    "tab": ("import time\nif time:\n\tx = 'é' + 1\n"),
    "form feed": ("import time\n\x0c\ndef f(): return time.sleep(0).nope\n\x0cf()\n"),
}


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    (tmp_path / "broken.py").write_text(
        "import os\n\ndef f(x): return 'é' + g(os,\n    x)\ndef g(o, x): return o.getpid() / x\n"
    )
    (tmp_path / "failing.py").write_text("import os, re\nfrom broken import f\nf(0)\n")
    (tmp_path / "misspelt.py").write_text("import os\nfor x in y\n    pass\n")
    return tmp_path


@pytest.mark.parametrize("case", FAILING)
def test_a_program_ends_with_the_same_words_and_code(case: str, failing: Path, run: Run) -> None:
    (failing / "prog.py").write_text(FAILING[case])
    plain = same(run("prog.py", input="line\n"))
    first = same(run("-m", "rewriter", "prog.py", input="line\n"))
    second = same(run("-m", "rewriter", "prog.py", input="line\n"))
    if case == "syntax warning":  # said when compiled, so by plain Python each time and by us when not cached
        second = first
    assert first == plain
    assert second == plain


@pytest.mark.parametrize(
    "case", ["division", "in a module", "syntax", "exit text", "interrupt", "hook", "chained", "no module"]
)
@pytest.mark.parametrize("shape", ["-m", "-c"])
def test_modules_and_code_end_with_the_same_words_too(shape: str, case: str, failing: Path, run: Run) -> None:
    (failing / "prog.py").write_text(FAILING[case])
    words = ["-m", "prog"] if shape == "-m" else ["-c", FAILING[case]]
    assert same(run("-m", "rewriter", *words)) == same(run(*words))


def test_a_name_that_a_counterpart_lacks_is_missed_at_its_place(tmp_path: Path, run: Run) -> None:
    """The message names the counterpart it was looked for in; all before it is plain Python's."""
    (tmp_path / "prog.py").write_text("import os\nfrom time import (sleep,\n   nosuch)\n")
    plain, converted = run("prog.py"), run("-m", "rewriter", "prog.py")
    assert converted.returncode == plain.returncode == 1
    assert converted.stderr.splitlines()[:-1] == plain.stderr.splitlines()[:-1]
    assert converted.stderr.splitlines()[-1].startswith("ImportError: cannot import name 'nosuch' from ")


def test_ctrl_c_ends_the_process_by_the_signal(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(
        "import time\ntry:\n    print('ready', flush=True); time.sleep(30)\nfinally:\n    print('cleaned')\n"
    )
    ends = []
    for how in ([], ["-m", "rewriter"]):
        process = subprocess.Popen(
            [sys.executable, *how, "prog.py"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": ROOT},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
        ends.append((process.returncode, output, errors.splitlines()[-1]))
    assert ends[0] == (-signal.SIGINT, "cleaned\n", "KeyboardInterrupt")
    assert ends[1] == ends[0]


SAYS = "import time, sys\nprint(__name__, 'plain' if time is sys.modules['time'] else 'converted')\n"


def says(run: Run, *words: str, **more: object) -> list[str]:
    done = run("-m", "rewriter", *words, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(SAYS)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text(SAYS)
    (tmp_path / "app" / "leaf.py").write_text(SAYS)
    (tmp_path / "app" / "__main__.py").write_text(SAYS + "import app.leaf, one\n")
    (tmp_path / "prog.py").write_text(SAYS + "import one, two, app.leaf\n")
    return tmp_path


def test_a_file_converts_itself_and_its_folder(project: Path, run: Run) -> None:
    every = ["__main__ converted", "one converted", "two converted", "app converted", "app.leaf converted"]
    assert says(run, "prog.py") == every
    assert says(run, "prog.py") == every, "from the cache"
    assert says(run, "--no-convert", "two,app.leaf", "prog.py") == [
        "__main__ converted", "one converted", "two plain", "app converted", "app.leaf plain"
    ]  # fmt: skip
    assert says(run, "-c", "import one, app") == ["one converted", "app converted"]


def test_the_script_itself_can_be_left_out(project: Path, run: Run) -> None:
    assert says(run, "--no-convert", "__main__", "prog.py")[:2] == ["__main__ plain", "one converted"]


def test_a_script_without_an_extension_is_cached_too(tmp_path: Path, run: Run) -> None:
    (tmp_path / "noext").write_text("import time, sys\nprint('libcst' in sys.modules)\n")
    assert [says(run, "./noext"), says(run, "./noext")] == [["True"], ["False"]]


def test_a_package_converts_itself_and_what_is_named(project: Path, run: Run) -> None:
    assert says(run, "app") == ["app converted", "__main__ converted", "app.leaf converted", "one plain"]
    assert says(run, "--convert", "one", "-m", "app")[-1] == "one converted"
    (project / "pyproject.toml").write_text('[tool.rewriter]\nconvert = ["one"]\nexclude = ["app.leaf"]\n')
    assert says(run, "app") == ["app converted", "__main__ converted", "app.leaf plain", "one converted"]


def test_a_folder_converts_itself_and_a_zip_its_main(project: Path, run: Run) -> None:
    assert says(run, "./app", env={"PYTHONPATH": f"{ROOT}{os.pathsep}{project}"}) == [
        "__main__ converted", "app plain", "app.leaf plain", "one plain"
    ]  # fmt: skip
    with zipfile.ZipFile(project / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SAYS + "import inside\n")
        archive.writestr("inside.py", SAYS)
    assert says(run, "app.zip") == ["__main__ converted", "inside plain"]


def test_dependencies_of_a_project_are_one_word_away(project: Path, run: Run) -> None:
    (project / "site").mkdir()
    info = project / "site" / "Lib_x-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Lib-x\nVersion: 1\n")
    (info / "top_level.txt").write_text("libx\n")
    (project / "site" / "libx.py").write_text(SAYS)
    (project / "prog.py").write_text("import libx\n")
    (project / "pyproject.toml").write_text('[project]\nname = "p"\ndependencies = ["lib.x>=1"]\n')
    path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{project / 'site'}"}
    assert says(run, "prog.py", env=path) == ["libx plain"]
    assert says(run, "--with-deps", "prog.py", env=path) == ["libx converted"]
    assert says(run, "--convert", "libx+deps", "prog.py", env=path) == ["libx converted"]


def test_a_module_of_the_library_is_converted_as_a_program_and_not_as_an_import(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "look.py").write_text("import sys, timeit\nprint(type(timeit.__loader__).__name__)\n")
    words = ["timeit", "-n1", "-r1", "-s", "import look, __main__; print(type(__main__.__loader__).__name__)"]
    lines = says(run, *words)
    assert lines[:2] == ["SourceFileLoader", "ConvertingLoader"]


def test_the_programs_own_modules_win_over_the_librarys(tmp_path: Path, run: Run) -> None:
    (tmp_path / "queue.py").write_text("mine = True\n")
    (tmp_path / "textwrap.py").write_text("mine = True\n")
    (tmp_path / "prog.py").write_text(
        "import queue, textwrap\nprint(queue.mine, textwrap.mine, queue.__file__)\n"
    )
    assert same(run("-m", "rewriter", "prog.py")) == same(run("prog.py"))
    assert same(run("-m", "rewriter", "-m", "prog")) == same(run("-m", "prog"))


def test_a_programs_own_runtime_does_not_replace_ours(tmp_path: Path, run: Run) -> None:
    (tmp_path / "runtime.py").write_text("raise AssertionError('taken for ours')\n")
    (tmp_path / "prog.py").write_text("print('ran')\n")
    for words in (["prog.py"], ["-m", "prog"]):
        done = run("-m", "rewriter", *words)
        assert (done.returncode, done.stdout) == (0, "ran\n")
        assert "RewriterWarning: `import runtime` finds the module of the unstall project" in done.stderr


def test_a_script_in_a_folder_that_cannot_be_written_runs(tmp_path: Path, run: Run) -> None:
    (tmp_path / "prog.py").write_text("import time\nprint('ran')\n")
    (tmp_path / "__pycache__").write_text("in the way")
    assert same(run("-m", "rewriter", "prog.py")) == (0, "ran\n", "")


def test_a_script_from_a_descriptor_runs(tmp_path: Path, run: Run) -> None:
    done = run("-m", "rewriter", "/dev/stdin", input="import time, sys\nprint('ran', sys.argv)\n")
    assert same(done) == (0, "ran ['/dev/stdin']\n", "")


def test_a_compiled_script_runs_plain(tmp_path: Path, run: Run) -> None:
    import py_compile

    (tmp_path / "prog.py").write_text(FACTS)
    py_compile.compile(str(tmp_path / "prog.py"), cfile=str(tmp_path / "other.pyc"))
    assert same(run("-m", "rewriter", "other.pyc", "x")) == same(run("other.pyc", "x"))


def test_the_second_run_imports_nothing_heavy(project: Path, run: Run) -> None:
    names = ("libcst", "watchdog", "tomllib", "argparse", "importlib.metadata", "rewriter.conversion")
    heavy = f"[m for m in {names} if m in sys.modules]"
    (project / "prog.py").write_text(f"import one, app.leaf, sys\nprint({heavy})\n")
    says(run, "prog.py")
    assert says(run, "prog.py")[-1] == "[]"


def test_the_console_script_is_the_same_command(project: Path, run: Run) -> None:
    scripts = project / "bin"
    scripts.mkdir()
    script = scripts / "unstall"
    script.write_text(
        "import sys\nfrom rewriter.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    (project / "prog.py").write_text(FACTS)
    for words in (["prog.py", "x"], ["-c", FACTS]):
        assert same(run(str(script), *words)) == same(run(*words))
    for case in ("division", "exit number", "interrupt", "hook"):
        (project / "prog.py").write_text(FAILING[case])
        assert same(run(str(script), "prog.py")) == same(run("prog.py")), case
    shutil.rmtree(scripts)
