"""Arguments, environment and file: the same keys, the same words, and who decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewriter import config
from rewriter.command import HELP, parse
from rewriter.config import KEYS
from rewriter.errors import RewriterError, RewriterWarning
from tests.rewriter.conftest import ROOT, Run

# Of each key: text that says something, the value it stands for, and text that is refused.
TEXT = {
    "convert": ("a, b+deps,", ["a", "b+deps"], " , "),
    "exclude": ("a.b", ["a.b"], ","),
    "threads": ("native", "native", "green"),
    "offload": ("a.f,b.C.g", ["a.f", "b.C.g"], "f"),
    "fair": ("on", True, "maybe"),
    "monitor_ms": ("20", 20, "0"),
    "children": ("FALSE", False, "2"),
}


def test_every_key_has_an_option_a_variable_and_a_word_in_the_help() -> None:
    assert TEXT.keys() == KEYS.keys()
    options = parse(["app"])
    for key in KEYS.values():
        assert hasattr(options, key.name)
        assert key.option in HELP or key.option.replace("--", "--no-") in HELP
        assert key.variable in HELP
        assert key.name in HELP


@pytest.mark.parametrize("name", TEXT)
def test_a_variable_means_what_the_key_means(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, value, wrong = TEXT[name]
    key = KEYS[name]
    monkeypatch.setenv(key.variable, text)
    assert getattr(config.environment(), name) == value
    monkeypatch.setenv(key.variable, "")
    assert not getattr(config.environment(), name)
    monkeypatch.setenv(key.variable, wrong)
    with pytest.raises(RewriterError) as caught:
        config.environment()
    assert str(caught.value) == f"{key.variable} must be {key.form.text}, not {wrong!r}"


def test_an_unknown_variable_is_named_in_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWRITER_CONVRT", "app")
    with pytest.warns(RewriterWarning, match="REWRITER_CONVRT is none of ours; those are REWRITER_CONVERT, "):
        config.environment()


@pytest.mark.parametrize("truth", [True, False])
def test_of_single_values_the_first_place_decides(truth: bool) -> None:
    first, second, third = (config.given({"fair": value}) for value in (None, truth, not truth))
    assert config.settings([first, second, third]).fair is truth


def test_arguments_go_before_the_environment_and_that_before_the_file(tmp_path: Path, run: Run) -> None:
    """What is configured arrives, in a program that prints which modules are converted and what loops are."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.rewriter]\nconvert = ["lib.a"]\nexclude = ["one"]\nthreads = "native"\nfair = true\n'
    )
    (tmp_path / "lib").mkdir()
    for name in ("one", "two", "three", "lib/__init__", "lib/a", "lib/b", "lib/c"):
        (tmp_path / f"{name}.py").write_text("import time\n")
    (tmp_path / "main.py").write_text(
        "import lib.a, lib.b, lib.c, one, two, three, threading\n"
        "for module in (lib.a, lib.b, lib.c, one, two, three):\n"
        "    print(module.__name__, module.time.__spec__.name.startswith('runtime'))\n"
        "thread = threading.Thread(target=int)\n"
        "thread.start()\n"
        "print(thread.native_id == threading.main_thread().native_id, '_rewriter_fairness' in globals())\n"
    )
    environment = {
        "REWRITER_CONVERT": "lib.b",
        "REWRITER_EXCLUDE": "two",
        "REWRITER_THREADS": "tasklet",
        "REWRITER_FAIR": "1",
    }
    done = run(
        "-m", "rewriter", "--no-convert", "lib,three", "--convert", "lib.c", "--no-fair", "main.py", env=environment
    )  # fmt: skip
    assert done.stderr == ""
    converted = ("lib.a True", "lib.b True", "lib.c True", "one False", "two False", "three False")
    assert done.stdout.splitlines() == [*converted, "True False"]
    plain = run("-m", "rewriter", "main.py")
    ignored = run("-E", "-m", "rewriter", "main.py", env=environment)
    assert plain.stdout.split()[-2:] == ["False", "True"]
    assert ignored.stdout == plain.stdout


def test_the_environment_is_what_install_takes_without_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text("import time\n")
    code = (
        "import rewriter, sys; rewriter.install(*sys.argv[1:], exclude=[]); import one, two\n"
        "print(one.time.__spec__.name, two.time.__spec__.name)"
    )
    assert run("-c", code, env={"REWRITER_CONVERT": "one"}).stdout == "runtime.green.time time\n"
    assert run("-c", code, "two", env={"REWRITER_CONVERT": "one"}).stdout == "time runtime.green.time\n"
    wrong = run("-c", code, env={"REWRITER_CONVERT": "one", "REWRITER_FAIR": "maybe"})
    assert wrong.stderr.endswith("REWRITER_FAIR must be 1 or 0 (true or false), not 'maybe'\n")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"REWRITER_CONVERT": "nosuch"}, "REWRITER_CONVERT: no package to convert is called nosuch"),
        ({"REWRITER_EXCLUDE": "a b"}, "REWRITER_EXCLUDE: 'a b' is no module name"),
        ({"REWRITER_THREADS": "green"}, "REWRITER_THREADS must be tasklet or native, not 'green'"),
    ],
)
def test_the_command_line_names_the_variable(
    tmp_path: Path, run: Run, environment: dict[str, str], message: str
) -> None:
    (tmp_path / "main.py").write_text("")
    done = run("-m", "rewriter", "main.py", env=environment)
    assert (done.returncode, done.stderr.partition("\n")[0]) == (2, f"rewriter: error: {message}")


def test_the_page_lists_every_key() -> None:
    """With its option and its variable, in one row."""
    page = Path(ROOT, "docs", "configuration.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for key in KEYS.values():
        assert f"`{key.option}`" in rows[key.name]
        assert f"`{key.variable}`" in rows[key.name]
