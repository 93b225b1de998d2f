"""Calls of named functions go to a worker thread: ``db.connect(x)`` becomes ``offload(db.connect, x)``.

A call is recognised by what is written: a dotted name whose first part an import of this module binds, and nothing
else in it.  What an object's method is cannot be known so: calls of one that is named ask at run time (`methods`).
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = "runtime.workers.offload"
NAME = "offload"


def calls(tree: ast.Module, names: frozenset[str], package: str) -> list[ast.Call]:
    """The calls in *tree* of the functions called *names*; *package* resolves relative imports."""
    bound = _imported(tree, package)
    if not bound:
        return []
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _full_name(node.func, bound) in names
    ]


def _full_name(function: ast.expr, bound: dict[str, str]) -> str | None:
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name) or function.id not in bound:
        return None
    return ".".join([bound[function.id], *reversed(parts)])


def _imported(tree: ast.Module, package: str) -> dict[str, str]:
    """Names that only imports bind, and always to the same thing: name -> what it is called where it comes from."""
    bound: dict[str, str] = {}
    ambiguous: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, target in bindings(node, package):
                if bound.setdefault(name, target) != target:
                    ambiguous.add(name)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            ambiguous.add(node.id)
        elif isinstance(node, ast.arg):
            ambiguous.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)):
            ambiguous.add(node.name or "")
    return {name: target for name, target in bound.items() if name not in ambiguous}


def bindings(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, str]]:
    """The names that *node* binds, each with what it is called where it comes from."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname is not None:
                yield alias.asname, alias.name
            else:
                top = alias.name.partition(".")[0]
                yield top, top
        return
    module = node.module or ""
    if node.level:
        parts = package.split(".")
        if node.level > len(parts):
            return  # beyond the top: the import fails
        above = ".".join(parts[: len(parts) - node.level + 1])
        module = f"{above}.{module}" if module else above
    for alias in node.names:
        yield alias.asname or alias.name, f"{module}.{alias.name}"
