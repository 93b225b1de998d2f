"""The calls of a converted module whose function can be told from the text, with its full name.

Read off the converted tree, so what is found is what runs: an import of a counterpart says ``runtime.green``, and
calls of builtins, of offloaded functions and of exchanged objects are told by the private names of conversion.

Names are looked up as Python does, but leniently: a name that an import binds, and other statements of that scope too
(``try: import ssl`` ``except ImportError: ssl = None``), means what is imported.  What an object is, is known only
where it is made: of ``Path(name).exists()``, not of ``path.exists()``.
"""

from __future__ import annotations

import ast
import builtins

from rewriter import graft, loops, methods, offloading
from rewriter.names import UNREAD
from rewriter.patched import PREFIX, private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Names = dict[str, list[str]]  # what imports bind to a name in one scope; nothing, if something else does

GREEN = "runtime.green"
_WRAPPERS = {private(methods.EXCHANGE), private(methods.OFFLOADED)}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Use:
    """One call.

    name: the full name of the function; or of a method, of some object, with a dot before it.
    converted: the name is that of a counterpart, or the call asks for one.
    offloaded: the full name by which it goes to a worker thread, or nothing.
    """

    __slots__ = ("column", "converted", "line", "name", "offloaded")

    def __init__(self, call: ast.Call, name: str, *, converted: bool = False, offloaded: str = "") -> None:
        self.line = call.lineno
        self.column = call.col_offset
        self.name = name
        self.converted = converted
        self.offloaded = offloaded

    def __repr__(self) -> str:
        return f"<Use {self.name} at {self.line}:{self.column}>"


class _Scope:
    """The names that are bound in a module, function, class or comprehension."""

    __slots__ = ("is_class", "names", "outer")

    def __init__(self, names: Names, outer: _Scope | None = None, *, is_class: bool = False) -> None:
        self.names = names
        self.outer = outer
        self.is_class = is_class

    def find(self, name: str) -> list[str] | None:
        """What *name* means here: None if nothing in sight binds it."""
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or not scope.is_class):
                return scope.names[name]
            scope = scope.outer
        return None

    def inner(self, names: Names, *, is_class: bool = False) -> _Scope:
        """A scope in here."""
        return _Scope(names, self, is_class=is_class)


class Reader:
    """Reads one module.

    Args:
        package: where its relative imports start.
        is_class: whether what has that full name is a class.
    """

    def __init__(self, package: str, is_class: Callable[[str], bool]) -> None:
        self._package = package
        self._is_class = is_class
        self._loads: set[tuple[int, int, str]] = set()

    def read(self, tree: ast.Module) -> Iterator[Use]:
        """The uses in *tree*, in no order."""
        self._loads = _rebound(tree)
        module = _Scope(self._bound(tree.body))
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for name in _declared_global(node):
                    module.names.setdefault(name, []).extend(self._bound(node.body).get(name, []))
        stack: list[tuple[ast.AST, _Scope]] = [(statement, module) for statement in tree.body]
        while stack:
            node, scope = stack.pop()
            if isinstance(node, ast.Call):
                yield from self._uses(node, scope)
            stack += self._parts(node, scope)

    def _parts(self, node: ast.AST, scope: _Scope) -> Iterator[tuple[ast.AST, _Scope]]:
        """What is in *node*, each with the scope in which it stands."""
        inside: dict[int, _Scope] = {}
        if isinstance(node, _FUNCTIONS):
            body = [node.body] if isinstance(node, ast.Lambda) else node.body
            names: Names = {
                argument.arg: [] for argument in ast.walk(node.args) if isinstance(argument, ast.arg)
            }
            own = self._bound(body) | names
            for name in _declared_global(node):
                own.pop(name, None)
            inside = dict.fromkeys(map(id, body), scope.inner(own))
        elif isinstance(node, ast.ClassDef):
            inside = dict.fromkeys(map(id, node.body), scope.inner(self._bound(node.body), is_class=True))
        elif isinstance(node, _COMPREHENSIONS):
            targets = self._bound([generator.target for generator in node.generators])
            within = scope.inner(targets)
            yield node.generators[0].iter, scope
            for generator in node.generators:
                yield from ((test, within) for test in generator.ifs)
                if generator is not node.generators[0]:
                    yield generator.iter, within
            values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            yield from ((value, within) for value in values)
            return
        for field, value in ast.iter_fields(node):
            if field not in UNREAD:
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, ast.AST):
                        yield item, inside.get(id(item), scope)

    def _uses(self, call: ast.Call, scope: _Scope) -> Iterator[Use]:
        function = call.func
        if isinstance(function, ast.Name) and function.id.startswith(PREFIX):
            name = function.id.removeprefix(PREFIX)
            if function.id in _WRAPPERS or name == loops.NAME:
                return
            if name == offloading.NAME:
                for full in self._names(call.args[0], scope):
                    plain = full.removeprefix(f"{GREEN}.")
                    yield Use(call, plain, converted=True, offloaded=plain)
                return
            yield Use(call, f"builtins.{name}", converted=True)
            return
        if (
            isinstance(function, ast.Name)
            and hasattr(builtins, function.id)
            and scope.find(function.id) is None
        ):
            yield Use(call, f"builtins.{function.id}")
            return
        asked, offloaded = _asked(function)
        found = self._names(function, scope)
        for full in found:
            name = full.removeprefix(f"{GREEN}.")
            yield Use(call, name, converted=name != full or asked, offloaded=offloaded)
        if not found and asked:
            assert isinstance(function, ast.Attribute)
            yield Use(call, f".{function.attr}", converted=True, offloaded=offloaded)

    def _names(self, node: ast.expr, scope: _Scope) -> list[str]:
        """The full names that *node* may have; none, if it is no dotted name of something imported."""
        parts: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Call) and _wraps(node):
                node = node.args[0]
            else:
                break
        if isinstance(node, ast.Name):
            starts = scope.find(node.id) or []
        elif isinstance(node, ast.Call) and parts:
            starts = [name for name in self._names(node.func, scope) if self._is_class(name)]
        else:
            starts = []
        return [".".join([start, *reversed(parts)]) for start in starts]

    def _bound(self, nodes: list[ast.stmt] | list[ast.expr]) -> Names:
        """The names that *nodes* bind in their scope."""
        names: Names = {}
        stack: list[ast.AST] = list(nodes)
        while stack:
            node = stack.pop()
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                if graft.binds(node):
                    continue
                for name, target in offloading.bindings(node, self._package):
                    if isinstance(node, ast.Import) and (node.lineno, node.col_offset, name) in self._loads:
                        continue
                    if target not in names.setdefault(name, []):
                        names[name].append(target)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.setdefault(node.name, [])
            elif isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
                continue
            else:
                if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    names.setdefault(node.id, [])
                for field in ("name", "rest"):
                    value = getattr(node, field, None)
                    if isinstance(value, str):
                        names.setdefault(value, [])
                stack += ast.iter_child_nodes(node)
        return names


def _wraps(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in _WRAPPERS


def _asked(function: ast.expr) -> tuple[bool, str]:
    """Whether the call of *function* asks what its object is, and the method that would be offloaded."""
    asked, offloaded = False, ""
    node = function.value if isinstance(function, ast.Attribute) else function
    while isinstance(node, ast.Call) and _wraps(node):
        asked = True
        if len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            offloaded = str(node.args[1].value)
        node = node.args[0]
    return asked, offloaded


def _rebound(tree: ast.Module) -> set[tuple[int, int, str]]:
    """Names that an import of a submodule binds in passing, with the places of the statements.

    ``import http.client`` became two: the first loads the submodule, the second binds the package.
    """
    return {
        (node.lineno, node.col_offset, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == GREEN
        for alias in node.names
    }


def _declared_global(node: ast.AST) -> set[str]:
    body = getattr(node, "body", ())
    inner = [found for part in body for found in ast.walk(part)] if isinstance(body, list) else []
    return {name for found in inner if isinstance(found, ast.Global) for name in found.names}
