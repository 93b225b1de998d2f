"""Which names are in scope, which configuration is understood, and what a package's dependencies are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rewriter import config, dependencies
from rewriter.errors import RewriterError
from rewriter.mapping import shadowed, standard, top_level_names
from rewriter.scope import Scope, check_findable, check_name
from runtime.table import MODULES


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("app", True),
        ("app.views", True),
        ("app.views.deep", True),
        ("apple", False),
        ("ap", False),
        ("app.legacy", False),
        ("app.legacy.old", False),
        ("app.legacy.new", True),
        ("app.legacy.new.leaf", True),
        ("other", False),
        ("other.part", True),
        ("both", False),
        ("both.x", False),
        ("runtime.green", False),
        ("libcst", False),
    ],
)
def test_the_longest_name_decides_and_at_the_same_the_exclusion(name: str, covered: bool) -> None:
    scope = Scope(
        ["app", "app.legacy.new", "other.part", "both", "runtime", "libcst"], ["app.legacy", "both"]
    )
    assert scope.covers(name) is covered


@pytest.mark.parametrize("name", ["", "a-b", "a.", ".a", "a b", "1a", "a+b"])
def test_a_name_that_import_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(RewriterError, match="is no module name"):
        check_name(name)


def test_packages_to_convert_are_looked_for_without_importing_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "findme").mkdir()
    (tmp_path / "findme" / "__init__.py").write_text("raise AssertionError('imported')")
    (tmp_path / "findme" / "sub.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert check_findable("findme") is None
    assert check_findable("findme.sub") is None
    assert check_findable("findme.nope") is not None
    assert (check_findable("findmy") or "").endswith("; did you mean findme?")
    assert "standard library" in (check_findable("json.tool") or "")
    assert check_findable("json", own=["json"]) is None


def test_a_distribution_named_for_a_package_is_answered_with_its_package() -> None:
    assert dependencies.packages_of("Greenlet") == {"greenlet"}
    problem = check_findable("LibCST") or ""
    assert problem.endswith("; the distribution LibCST provides libcst")


def test_a_module_beside_the_script_takes_its_name_from_the_mapping(tmp_path: Path) -> None:
    for name in ("queue.py", "time.py", "os.py", "unrelated.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "http").mkdir()
    (tmp_path / "socket").mkdir()
    (tmp_path / "http" / "__init__.py").write_text("")
    hidden = shadowed([str(tmp_path), *sys.path])
    # Built-in and frozen modules come before every path; a folder without __init__.py comes after.
    assert hidden == {"queue", "http"}
    plain, other = standard(), standard(shadowed=hidden)
    assert {"queue", "http", "http.client", "http.server"} == plain.modules - other.modules
    assert plain.tag != other.tag
    assert plain.modules == MODULES.keys()


def test_the_standard_library_shadows_what_stands_after_it(tmp_path: Path) -> None:
    (tmp_path / "queue.py").write_text("")
    assert shadowed([*sys.path, str(tmp_path)]) == shadowed(sys.path)


def test_environments_and_installed_packages_are_not_the_programs_own(tmp_path: Path) -> None:
    for folder in ("pkg", "plain", "venv", "site-packages", ".git", "__pycache__", "not-a-name"):
        (tmp_path / folder).mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    for file in ("mod.py", "data.txt", "README", "mod2.cpython-312-x86_64-linux-gnu.so", "a-b.py"):
        (tmp_path / file).write_text("")
    assert top_level_names(str(tmp_path)) - {"mod2"} == {"pkg", "mod"}
    assert top_level_names(str(tmp_path), namespaces=True) - {"mod2"} == {"pkg", "mod", "plain"}
    assert top_level_names(str(tmp_path / "missing")) == set()


def test_the_nearest_pyproject_is_read_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.rewriter]\nconvert = ["x", "y+deps"]\nthreads = "native"\n'
    )
    found = config.load(str(tmp_path / "a" / "b"))
    assert (found.convert, found.exclude, found.threads) == (["x", "y+deps"], [], "native")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert config.load(str(tmp_path / "a" / "b")).convert == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("convrt = []", "has an unknown key 'convrt'; allowed are convert, exclude, threads"),
        ('convert = "x"', "convert must be a list of package names, not 'x'"),
        ("convert = [1]", "convert must be a list of package names"),
        ("exclude = {}", "exclude must be a list of module names"),
        ('threads = "green"', 'threads must be "tasklet" or "native", not \'green\''),
        ("threads = [", "pyproject.toml: "),
    ],
)
def test_a_configuration_that_is_not_understood_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.rewriter]\n{text}\n")
    with pytest.raises(RewriterError) as caught:
        config.load(str(tmp_path))
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tomllib_is_not_imported_for_other_peoples_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("not even [ toml")
    monkeypatch.setitem(sys.modules, "tomllib", None)
    assert config.load(str(tmp_path)).convert == []


def test_dependencies_are_the_declared_and_installed_ones_all_the_way_down() -> None:
    assert {"requests", "urllib3", "idna", "certifi", "charset_normalizer"} <= dependencies.with_dependencies(
        "requests"
    )
    assert dependencies.with_dependencies("greenlet") == {"greenlet"}
    with pytest.raises(LookupError):
        dependencies.with_dependencies("nothing_of_that_name")


def test_requirements_follow_extras_only_where_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def distribution(name: str, *requires: str) -> None:
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        lines = "".join(f"Requires-Dist: {required}\n" for required in requires)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{lines}")
        (folder / "top_level.txt").write_text(f"{name.lower()}_pkg\n")

    distribution(
        "Aa", "bb[fast]>=1 ; python_version > '3'", "ghost; sys_platform == 'win32'", "dd; extra == 'x'"
    )
    distribution("bb", "cc ; extra == 'fast'", 'dd ; extra == "slow"', "Aa")
    distribution("cc")
    distribution("dd")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert dependencies.with_dependencies("aa_pkg") == {"aa_pkg", "bb_pkg", "cc_pkg"}
    assert dependencies.packages_required(["Aa", "dd; extra == 'no'"]) == {"aa_pkg", "bb_pkg", "cc_pkg"}
    assert dependencies.normalized("A.b__C-") == "a-b-c"


def test_what_is_converted_can_be_said_anew() -> None:
    scope = Scope(["app"])
    scope.converted = scope.converted | {"other"}
    assert scope.covers("other.part")
    scope.converted = frozenset({"other"})
    assert not scope.covers("app")
