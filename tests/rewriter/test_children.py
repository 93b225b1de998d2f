"""Python programs that converted code starts convert what their parent converts; all else about them is Python's.

`main.py` runs its arguments as a child, in the way that the first of them names; children show what is converted.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rewriter.children import exchanged
from rewriter.finder import Finder
from tests.rewriter.conftest import ROOT, Hook, Run, python

Outcomes = Callable[..., dict[str, object]]

MAIN = """\
import os, subprocess, sys

def run(way, *words, **more):
    sys.stdout.flush()
    argv = [sys.executable, *words]
    if way == "subprocess":
        return subprocess.run(argv, **more).returncode
    if way == "posix_spawn":
        return os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(sys.executable, argv, os.environ), 0)[1])
    if way == "spawnv":
        return os.spawnv(os.P_WAIT, sys.executable, argv)
    if way == "spawnle":
        return os.spawnle(os.P_WAIT, sys.executable, *argv, dict(os.environ))
    for way in ("subprocess", "posix_spawn", "spawnv", "spawnle"):
        assert run(way, *words) == 0
    sys.stdout.flush()
    os.execv(sys.executable, argv)

if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
"""
LOOK = """\
import sys
import app.part, lib

def is_converted(module):
    return module.time.__spec__.name.startswith("runtime")

main = sys.modules["__main__"]
print(is_converted(app.part), is_converted(lib), "time" in vars(main) and is_converted(main), sys.argv[1:])
"""


def made(tmp_path: Path) -> Path:
    """A script that starts others, a package beside it, and elsewhere a library that is not converted."""
    folder = tmp_path / "project"
    (folder / "app").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    for name in ("project/app/__init__", "project/app/part", "elsewhere/lib"):
        (tmp_path / f"{name}.py").write_text("import time\n")
    (tmp_path / "elsewhere" / "look.py").write_text(LOOK)
    (folder / "main.py").write_text(MAIN)
    (folder / "app" / "worker.py").write_text("import time, look\n")
    (folder / "app" / "__main__.py").write_text("import time, look\n")
    return folder


def path_to(project: Path) -> str:
    return os.pathsep.join([ROOT, str(project), str(project.parent / "elsewhere")])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return made(tmp_path)


@pytest.fixture
def start(project: Path, run: Run) -> Run:
    """Run ``main.py`` converted, with *arguments*; the child's modules are found by ``PYTHONPATH``."""

    def started(*arguments: str, **more: object) -> object:
        options: tuple[str, ...] = more.pop("options", ())  # type: ignore[assignment]
        environment = {"PYTHONPATH": path_to(project)} | more.pop("env", {})  # type: ignore[operator]
        return run("-m", "rewriter", *options, str(project / "main.py"), *arguments, env=environment, **more)

    return started  # type: ignore[return-value]


def test_each_way_to_start_one(start: Run) -> None:
    done = start("each", "-m", "app.worker", "-x", "1")
    assert (done.stdout, done.stderr) == ("True False True ['-x', '1']\n" * 5, "")
    assert done.returncode == 0


FORMS = {
    "a module": (["-m", "app.worker", "a"], "True False True ['a']\n"),
    "a module, in one word": (["-mapp.worker", "a"], "True False True ['a']\n"),
    "a package": (["-m", "app", "-m"], "True False True ['-m']\n"),
    "a script in the package": (["{}/app/worker.py", "a"], "True False True ['a']\n"),
    "a script beside the parent": (["{}/other-script.py", "a"], "True False True ['a']\n"),
    "a script elsewhere": (["{}/../elsewhere/script.py", "a"], "True False False ['a']\n"),
    "code": (["-c", "import time, look", "-c", "a"], "True False False ['-c', 'a']\n"),
    "code, in one word": (["-cimport time, look"], "True False False []\n"),
    "options": (["-Ou", "-W", "error", "-Xutf8", "-X", "dev", "-Bm", "app", "a"], "True False True ['a']\n"),
    "a folder": (["{}/app"], "True False True []\n"),
    "a folder elsewhere": (["{}/../elsewhere/folder"], "True False False []\n"),
    "a zip elsewhere": (["{}/../elsewhere/zip"], "True False False []\n"),
    "nothing to convert with": (["-S", "-c", "print(1)"], "1\n"),
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What each command of `FORMS` and `SAME` gave: those of a plain parent, or those of a converted one."""
    project = made(tmp_path_factory.mktemp("everything"))
    elsewhere = project.parent / "elsewhere"
    for name in ("script.py", "folder/__main__.py"):
        (elsewhere / name).parent.mkdir(exist_ok=True)
        (elsewhere / name).write_text("import time, look\n")
    with zipfile.ZipFile(elsewhere / "zip", "w") as archive:
        archive.writestr("__main__.py", "import time, look\n")
    (project / "other-script.py").write_text("import time, look\n")
    (project / "show.py").write_text(
        "import sys; sys.stdout.write(f'{sys.argv} {sys.path} {sorted(globals())} {__file__}')\n"
    )
    (project / "fails.py").write_text("import time\n\n\ndef f():\n    raise ValueError(1)\n\n\nf()\n")
    (project / "empty").mkdir()
    (project / "all.py").write_text(
        "import json, subprocess, sys\n"
        "def outcome(words):\n"
        "    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, input='given')\n"
        "    return done.stdout, done.stderr, done.returncode\n"
        "print(json.dumps([outcome(words) for words in json.load(sys.stdin)]))\n"
    )
    commands = [*(words for words, _ in FORMS.values()), *SAME.values()]
    words = [[w.format(project) if w.startswith("{}") else w for w in command] for command in commands]

    @functools.cache
    def outcomes(*options: str) -> dict[str, object]:
        done = python(
            project, *options, "all.py", input=json.dumps(words), env={"PYTHONPATH": path_to(project)}
        )
        assert done.stderr == ""
        return dict(zip([*FORMS, *SAME], map(tuple, json.loads(done.stdout)), strict=True))

    return outcomes


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_command(everything: Outcomes, form: str) -> None:
    assert everything("-m", "rewriter")[form] == (FORMS[form][1], "", 0)


LEFT_ALONE = [
    ["-m", "json.tool", "-h"],
    ["-m", "lib"],
    ["-"],
    [],
    ["-i", "-c", "import look"],
    ["-V"],
    ["--version"],
    ["-v", "-c", "pass"],
    ["-x", "script.py"],
    ["--check-hash-based-pycs", "always", "-c", "pass"],
    ["-c"],
    ["-W"],
    ["--", "script.py"],
    ["-Z", "-c", "pass"],
]


@pytest.fixture
def finder(hook: Hook) -> Finder:
    return hook("app")


@pytest.mark.parametrize("words", LEFT_ALONE, ids=" ".join)
def test_other_commands_are_left_alone(words: list[str], finder: Finder) -> None:
    argv = [sys.executable, *words]
    assert exchanged(sys.executable, argv) is argv
    assert exchanged((os.fsencode(sys.executable),), argv) is argv


@pytest.mark.parametrize(
    ("words", "options", "rest"),
    [
        (["-c", "x"], [], ["-c", "x"]),
        (["-cx", "y"], [], ["-c", "x", "y"]),
        (["-Bucx", "y"], ["-Bu"], ["-c", "x", "y"]),
        (["-Bum", "x", "y"], ["-Bu"], ["-m", "x", "y"]),
        (
            ["-W", "error", "-Werror", "-OX", "dev", "s", "-c"],
            ["-W", "error", "-Werror", "-OX", "dev"],
            ["s", "-c"],
        ),
    ],
)
def test_the_interpreter_s_options_are_kept(
    words: list[str], options: list[str], rest: list[str], finder: Finder
) -> None:
    rest = ["app" if word == "x" else word for word in rest]
    words = [word if word != "x" else "app" for word in words]
    words = [word.replace("cx", "capp") for word in words]
    name, *found = exchanged(sys.executable, ["python", *words])
    assert (name, found[: len(options)], found[len(options)]) == ("python", options, "-c")
    assert found[len(options) + 2 :] == rest


def test_other_programs_and_what_is_no_list_of_words_are_left_alone(finder: Finder) -> None:
    for path, argv in (
        ("/bin/sh", ["/bin/sh", "-c", "x"]),
        ("python", ["python", "-c", "x"]),
        (7, [sys.executable, "-c", "x"]),
        (sys.executable, [sys.executable, 1]),
        (sys.executable, []),
        (sys.executable, None),
        ((b"/a/python", b"/b/python"), ["python", "-c", "x"]),
    ):
        assert exchanged(path, argv) is argv
    bytes_ = [os.fsencode(sys.executable), b"-c", b"x", Path("y")]
    assert exchanged(os.fsencode(sys.executable), bytes_)[-2:] == ["x", "y"]


def test_a_scope_too_large_for_a_command_line_is_not_handed_on(hook: Hook) -> None:
    hook("app", *(f"package_{number}" for number in range(10_000)))
    argv = [sys.executable, "-c", "x"]
    assert exchanged(sys.executable, argv) is argv


# What a child is to have as if its parent had been plain: the command, and more for `run`.
SAME = {
    "arguments": ["-c", "import sys; print(sys.argv, sys.orig_argv, sys.flags)", "a", "-b"],
    "path": ["-c", "import sys; print(sys.path, __name__, sorted(globals()))"],
    "main": ["-c", "import sys; print(sys.modules['__main__'].__dict__ is globals(), __spec__, __loader__)"],
    "path of a script": ["{}/show.py", "a"],
    "path of a module": ["-m", "show", "a"],
    "path, isolated": ["-I", "-c", "import sys; print(sys.path, sys.flags)"],
    "environment ignored": ["-E", "-c", "import sys; print(sys.path, sys.flags)"],
    "exit code": ["-c", "import sys; sys.exit(7)"],
    "exit with words": ["-c", "import sys; sys.exit('words')"],
    "an error": ["-c", "def f():\n    1 / 0\n\nf()"],
    "an error in a script": ["{}/fails.py"],
    "a syntax error": ["-c", "x = (\n"],
    "a signal": ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"],
    "an interrupt": ["-c", "raise KeyboardInterrupt"],
    "standard input": ["-c", "import sys; print(sys.stdin.read())"],
    "warnings": ["-W", "error", "-c", "import warnings; warnings.warn('x')"],
    "optimized": ["-OO", "-c", "assert 0; print(__debug__)"],
    "utf8": ["-X", "utf8=0", "-c", "import sys; print(sys.flags.utf8_mode, sys._xoptions)"],
    "no script": ["{}/missing.py"],
    "no main": ["{}/empty"],
    "no module": ["-m", "app.missing"],
    "two statements": ["-c", "from __future__ import annotations\nimport sys\nprint(1); print(2)"],
    "a coding line": ["-c", "print('\u00e9')"],
    "threads at the end": ["-c", "import threading, time\nthreading.Timer(0.05, print, (1,)).start()"],
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_a_child_cannot_tell(everything: Outcomes, case: str) -> None:
    """Its output, errors and exit code are those of a child of the plain program."""
    assert everything("-m", "rewriter")[case] == everything()[case]


def test_descriptors_of_a_child_are_those_it_was_given(start: Run, project: Path) -> None:
    (project / "open.py").write_text(
        "import subprocess, sys, os\n"
        "read, write = os.pipe()\n"
        "show = 'import os; print([f for f in range(100) if os.path.exists(f\"/proc/self/fd/{f}\")])'\n"
        "done = subprocess.run([sys.executable, '-c', show], pass_fds=[write], capture_output=True, text=True)\n"
        "assert done.stdout == f'{[0, 1, 2, write]}\\n', done\n"
    )
    done = start("subprocess", str(project / "open.py"))
    assert (done.stderr, done.returncode) == ("", 0)


def test_an_empty_environment_and_another_folder(project: Path, start: Run) -> None:
    child = str(project / "app" / "child.py")
    (project / "app" / "start.py").write_text(
        "import subprocess, sys\n"
        f"sys.exit(subprocess.run([sys.executable, {child!r}], env={{}}, cwd='/').returncode)\n"
    )
    (project / "app" / "child.py").write_text(
        "import os, time; print(time.__spec__.name, os.getcwd(), len(os.environ) < 2)\n"
    )
    done = start("subprocess", "-m", "app.start")
    assert (done.stdout, done.stderr) == ("runtime.green.time / True\n", "")


def test_a_grandchild_inherits_from_converted_code_only(project: Path, start: Run) -> None:
    (project / "app" / "child.py").write_text(
        "import subprocess, sys, time\n"
        "print(time.__spec__.name, flush=True)\n"
        "if sys.argv[1:]:\n"
        "    subprocess.run([sys.executable, '-m', 'app.child'])\n"
    )
    done = start("subprocess", "-m", "app.child", "again")
    assert (done.stdout, done.stderr) == ("runtime.green.time\nruntime.green.time\n", "")
    code = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'app.child'])"
    assert start("subprocess", "-c", code).stdout == "time\n"


@pytest.mark.parametrize("options", [["--no-children"], []], ids=["option", "variable"])
def test_it_can_be_switched_off(start: Run, options: list[str]) -> None:
    environment = {} if options else {"REWRITER_CHILDREN": "0"}
    done = start("subprocess", "-m", "app.worker", options=tuple(options), env=environment)
    assert (done.stdout, done.stderr) == ("False False False []\n", "")


def test_exclusions_and_settings_are_handed_on(project: Path, start: Run) -> None:
    (project / "app" / "child.py").write_text(
        "import threading, app.part, app.worker\n"
        "thread = threading.Thread(target=int)\n"
        "thread.start()\n"
        "print(thread.native_id != threading.main_thread().native_id, app.part.time.__spec__.name)\n"
    )
    done = start("subprocess", "-m", "app.child", options=("--threads", "native", "--no-convert", "app.part"))
    assert (done.stdout.splitlines()[-1], done.stderr) == ("True time", "")


def test_installations_in_code_are_handed_on(project: Path, run: Run) -> None:
    """Also to a script in a package that the parent has not imported yet."""
    (project / "app" / "start.py").write_text(
        "import subprocess, sys\n"
        "def start(*words): subprocess.run([sys.executable, *words])\n"
    )  # fmt: skip
    code = (
        "import sys, rewriter; rewriter.install('app')\n"
        "from app.start import start; start(*sys.argv[1:])"
    )  # fmt: skip
    for words in (["-m", "app.worker"], [str(project / "app" / "worker.py")]):
        done = run("-c", code, *words, env={"PYTHONPATH": path_to(project)})
        assert (done.stdout, done.stderr) == ("True False True []\n", "")


def test_a_program_of_its_own_name_beside_the_child_wins(project: Path, start: Run) -> None:
    """A ``queue.py`` beside a script is what it means by ``queue``, whatever its parent has."""
    folder = project / "jobs"
    folder.mkdir()
    (folder / "queue.py").write_text("mine = True\n")
    (folder / "job.py").write_text("import queue, time; print(queue.mine, time.__spec__.name)\n")
    done = start("subprocess", str(folder / "job.py"))
    assert (done.stdout, done.stderr) == ("True runtime.green.time\n", "")


def test_where_the_rewriter_fails_the_child_runs_plain(project: Path, start: Run) -> None:
    (project / "broken").mkdir()
    (project / "broken" / "greenlet.py").write_text("raise ImportError\n")
    (project / "start.py").write_text(
        "import os, subprocess, sys\n"
        "os.environ['PYTHONPATH'] = os.path.dirname(__file__) + '/broken' + os.pathsep + os.environ['PYTHONPATH']\n"
        "sys.exit(subprocess.run([sys.executable, '-u', '-m', 'app.worker', 'a']).returncode)\n"
    )
    done = start("subprocess", str(project / "start.py"))
    assert (done.stdout, done.stderr, done.returncode) == ("False False False ['a']\n", "", 0)


def test_names_of_any_language_and_locale(tmp_path: Path, run: Run) -> None:
    """What a child is told is ASCII, whatever its encoding."""
    folder = tmp_path / "caf\u00e9"
    folder.mkdir()
    (folder / "part.py").write_text("import time\n")
    (folder / "job.py").write_text("import part, time; print(part.time.__spec__.name, time.__spec__.name)\n")
    (folder / "main.py").write_text(
        "import os, subprocess, sys\n"
        "env = {'LC_ALL': 'C', 'PYTHONCOERCECLOCALE': '0', 'PYTHONUTF8': sys.argv[1]}\n"
        "job = os.path.join(os.path.dirname(__file__), 'job.py')\n"
        "sys.exit(subprocess.run([sys.executable, job], env=env).returncode)\n"
    )
    for mode in "01":
        done = run("-m", "rewriter", str(folder / "main.py"), mode)
        assert (done.stdout, done.stderr) == ("runtime.green.time runtime.green.time\n", "")


def test_where_the_runtime_fails_later_the_child_runs_plain(project: Path, start: Run) -> None:
    """In a child whose main module is plain, when it imports something in scope."""
    folder = project.parent / "elsewhere" / "broken"
    folder.mkdir()
    (folder / "greenlet.py").write_text("raise ImportError\n")
    (folder / "start.py").write_text("import app; print(app.time.__name__, app.time.__spec__.name)\n")
    (project / "start.py").write_text(
        "import os, subprocess, sys\n"
        f"env = os.environ | {{'PYTHONPATH': {str(folder)!r} + os.pathsep + os.environ['PYTHONPATH']}}\n"
        f"sys.exit(subprocess.run([sys.executable, {str(folder / 'start.py')!r}], env=env).returncode)\n"
    )
    done = start("subprocess", str(project / "start.py"))
    assert (done.stdout, done.stderr, done.returncode) == ("time time\n", "", 0)


def test_ctrl_c_ends_a_child_as_ever(project: Path, start: Run) -> None:
    (project / "app" / "child.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)\n")
    done = start("subprocess", "-m", "app.child")
    assert done.returncode == (-signal.SIGINT) % 256
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_what_is_done_can_be_read_in_the_command_line(project: Path, start: Run) -> None:
    (project / "app" / "child.py").write_text("print(open('/proc/self/cmdline').read().split('\\0')[1:-1])\n")
    done = start("subprocess", "-u", "-m", "app.child", "a")
    assert "from rewriter.children import resumed" in done.stdout
    assert done.stdout.startswith("['-u', '-c', ")
    assert done.stdout.endswith(", '-m', 'app.child', 'a']\n")


def test_what_another_thread_imports_first_stays_plain(start: Run) -> None:
    """The runtime starts on the main thread, and a child that does not need it does not have it."""
    code = (
        "import sys, threading\n"
        "thread = threading.Thread(target=lambda: __import__('app'))\n"
        "thread.start(); thread.join()\n"
        "print('runtime' in sys.modules)\n"
        "import app, app.part\n"
        "print(app.time.__spec__.name, app.part.time.__spec__.name)\n"
    )
    done = start("subprocess", "-c", code)
    assert (done.stdout, done.stderr) == ("False\ntime runtime.green.time\n", "")


def test_a_plain_script_is_not_cached(project: Path, start: Run) -> None:
    """As in plain Python; and so an edit of the same size within a second is seen."""
    script = project.parent / "elsewhere" / "script.py"
    script.write_text("import app\nprint(1)\n")
    stamp = script.stat().st_mtime_ns
    assert start("subprocess", str(script)).stdout == "1\n"
    script.write_text("import app\nprint(2)\n")
    os.utime(script, ns=(stamp, stamp))
    assert start("subprocess", str(script)).stdout == "2\n"
    assert not (script.parent / "__pycache__").exists()
