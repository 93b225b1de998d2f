"""The public callables of the standard library, what the table says of each, and the page made from it.

`python -m tests.coverage` prints the page; `--write` puts it into docs/coverage.md.
"""

from __future__ import annotations

import ast
import importlib
import pathlib
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from importlib.util import resolve_name
from types import ModuleType
from typing import Any

from runtime.calls import ALONE, CALLS, COOPERATIVE, NEVER, OFFLOADED, SKIPPED, Call
from runtime.fates import matches, row_of
from runtime.table import BUILTINS, CONDITIONAL, MODULES

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "coverage.md"


def modules() -> list[str]:
    """The public modules that can be imported here."""
    found: list[str] = []
    for name in sorted(sys.stdlib_module_names):
        if not name.startswith("_") and name not in SKIPPED:
            _collect(name, found)
    return found


def _collect(name: str, found: list[str]) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = importlib.import_module(name)
    except ImportError:
        return  # of another system, or not built
    found.append(name)
    for sub in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not sub.name.startswith("_") and sub.name not in ("test", "tests"):
            _collect(f"{name}.{sub.name}", found)


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The callables that *module* offers: those in ``__all__``, or else those that come from no other public module."""
    listed = getattr(module, "__all__", None)
    for name in sorted(set(dir(module)) if listed is None else set(listed)):
        try:
            value = getattr(module, name)
        except AttributeError:
            continue
        if name.startswith("_") or not callable(value) or _is_error(value):
            continue
        home = getattr(value, "__module__", None) or module.__name__
        if (
            listed is not None
            or home == module.__name__
            or home.startswith("_")
            or home in ("posix", "builtins")
        ):
            yield name, value


def _is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def methods(kind: type) -> list[str]:
    """The public methods of *kind*."""
    names = []
    for name in dir(kind):
        try:
            if not name.startswith("_") and callable(getattr(kind, name)):
                names.append(name)
        except AttributeError:
            pass  # of its instances only
    return [name for name in names if not _is_error(getattr(kind, name))]


def unclassified(module: str) -> Iterator[str]:
    """Names of *module* that no row is about."""
    if MODULES.get(module) == "twin":
        return
    for name, value in public(importlib.import_module(module)):
        if module == "builtins" and name in BUILTINS:
            continue
        row = row_of(module, name)
        if row is None:
            yield f"{module}.{name}"
        elif isinstance(value, type) and row.fate in (COOPERATIVE, OFFLOADED):
            # A class that waits: method by method.
            for method in methods(value):
                if row_of(module, f"{name}.{method}") is None:
                    yield f"{module}.{name}.{method}"


def named(module: ModuleType, name: str) -> list[str]:
    """What *name*, with a ``*`` at its end perhaps, stands for in *module*."""
    owner, _, rest = name.rpartition(".")
    scope: Any = module
    if owner:
        scope = getattr(module, owner, None)
        if scope is not None and not isinstance(scope, type):
            scope = scope()  # a factory: `zlib.compressobj.compress` is a method of what it returns
    prefix = f"{owner}." if owner else ""
    return [prefix + known for known in dir(scope) if matches(rest, known)] if scope is not None else []


def replaced(module: str, name: str) -> bool:
    """Whether converted code gets something else than the original for *name*."""
    green = importlib.import_module(f"runtime.green.{module}")
    return getattr(green, name) is not getattr(importlib.import_module(module), name)


def calls(module: ModuleType) -> set[str]:
    """What the code of *module*, if it is Python, calls of that which waits in the hub or on a worker."""
    path = getattr(module, "__file__", None) or ""
    if not path.endswith(".py"):
        return set()
    tree = ast.parse(pathlib.Path(path).read_bytes())
    return set(_Uses(tree, module.__spec__.parent if module.__spec__ else "").found)


_EVERYWHERE = (
    "__import__",
    "print",
)  # what a module says now and then is no reason to run it over counterparts


class _Uses(ast.NodeVisitor):
    """Names of the standard library in a tree that have a counterpart: ``os.read``, ``open``."""

    def __init__(self, tree: ast.Module, package: str | None) -> None:
        self.found: list[str] = []
        self._modules: dict[str, str] = {}  # a name in the tree -> the module that it is bound to
        self._names: dict[str, str] = {name: name for name in BUILTINS if name not in _EVERYWHERE}
        for node in ast.walk(tree):
            if isinstance(node, ast.arg):
                self._names.pop(node.arg, None)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                self._names.pop(node.name, None)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                self._names.pop(node.id, None)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._modules[alias.asname or alias.name] = alias.name
            elif isinstance(node, ast.ImportFrom):
                where = resolve_name("." * node.level + (node.module or ""), package)
                names = [(alias.asname or alias.name, alias.name) for alias in node.names]
                if names == [("*", "*")] and where in sys.modules:
                    names = [(name, name) for name, _ in public(importlib.import_module(where))]
                for bound, name in names:
                    self._modules[bound] = self._names[bound] = f"{where}.{name}"
        self.visit(tree)

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) != "__name__ == '__main__'":
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name not in ("main", "_main", "_test"):  # of a module that is a program too
            self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        module = self._modules.get(ast.unparse(node.value))
        if module is not None:
            self._note(module, node.attr)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        module, _, name = self._names.get(node.id, "").rpartition(".")
        self._note(module or "builtins", name)

    def _note(self, module: str, name: str) -> None:
        kind = MODULES.get(module)
        row = row_of(module, name)
        if (
            (module == "builtins" and name in BUILTINS)
            or (kind == "twin" and f"{module}.{name}" not in MODULES)
            or (module == "_thread" and name.startswith("start_"))
            or (row is not None and row.fate in (COOPERATIVE, OFFLOADED))
        ):
            self.found.append(f"{module}.{name}")


# -- the page

_HEAD = """\
# What becomes of each blocking call

Made from `runtime/table.py` and `runtime/calls.py` by `python -m tests.coverage --write`; a test walks the standard
library and fails on a public callable that is missing there.

- **cooperative**: waits in the hub, while other tasklets run;
- **offloaded**: runs on a worker thread, while other tasklets run; where a size is given, only from that size on;
- **twin**: the module's own code, run again over cooperative counterparts;
- **left alone**: waits as it does in plain Python and holds up its OS thread.
  `runtime.offload(function, …)`, or `offload = ["package.function"]` in the settings, moves one to a worker.
"""


def _versions(since: tuple[int, int], until: tuple[int, int]) -> str:
    parts = []
    if since > (3, 11):
        parts.append(f"since Python {since[0]}.{since[1]}")
    if until < (9, 0):
        parts.append(f"until Python {until[0]}.{until[1] - 1}")
    return ", ".join(parts)


def _note(row: Call) -> str:
    notes = [row.why]
    if row.above:
        notes.append(f"from {row.above // 1024} KiB on")
    notes += [note for note in (_versions(row.since, row.until), row.system and f"on {row.system}") if note]
    return "; ".join(notes).replace("|", "\\|")


def page() -> str:
    """The text of docs/coverage.md: the same for every Python."""
    lines = [_HEAD, "## Twins", ""]
    kinds = dict(MODULES) | {name: kind for name, (kind, _, _) in CONDITIONAL.items()}
    for name in sorted(name for name, kind in kinds.items() if kind == "twin"):
        versions = _versions(*CONDITIONAL[name][1:]) if name in CONDITIONAL else ""
        lines.append(f"- `{name}`" + (f" ({versions})" if versions else ""))
    lines += ["", "Builtins with counterparts: " + ", ".join(f"`{name}`" for name in BUILTINS) + ".", ""]
    for title, fates in (
        ("Calls", (COOPERATIVE, OFFLOADED, ALONE)),
        ("Cannot wait", (NEVER,)),
    ):
        lines += [f"## {title}", "", "| module | calls | fate | why |", "|---|---|---|---|"]
        for row in CALLS:
            if row.fate in fates:
                where = ", ".join(f"`{name}`" for name in row.module.split())
                names = "all" if row.names == "*" else ", ".join(f"`{name}`" for name in row.names.split())
                lines.append(f"| {where} | {names} | {row.fate} | {_note(row)} |")
        lines.append("")
    lines += ["## Not looked at", "", "| module | why |", "|---|---|"]
    lines += [f"| `{name}` | {why} |" for name, why in SKIPPED.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page())
    else:
        print(page(), end="")
