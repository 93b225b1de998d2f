"""Which loads of a name mean the builtin: ``open(path)`` does, unless something in sight is called ``open``.

Works on the syntax tree, for the few names that have a counterpart.  The rules are the language reference's
("Resolution of names"): a function sees the functions around it and the module, not the classes; a class body
falls back to the module; ``global`` reaches the module; a comprehension's variable is its own, a walrus in it
is not.  In doubt a name counts as shadowed and is left alone.

Annotations are no calls and are left alone, so that ``typing.get_type_hints`` sees what was written.

Rejected: ``symtable``.  It parses the source once more, which repeats every SyntaxWarning, and its blocks
carry no columns, so two lambdas on a line cannot be told apart.  The tests use it as the oracle instead.
"""

from __future__ import annotations

import ast
import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What a star import from these standard modules brings in although it is called like a builtin.
STAR_NAMES = {"os": frozenset({"open"}), "codecs": frozenset({"open"})}

_BUILTINS = frozenset(dir(builtins))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, *_COMPREHENSIONS)
UNREAD = frozenset({"annotation", "returns", "type_params"})

_Names = frozenset[str]


def builtin_loads(tree: ast.Module, names: Iterable[str]) -> list[ast.Name]:
    """The ``Name`` nodes in *tree* that load a builtin out of *names*."""
    wanted = frozenset(names)
    wanted -= _bound(tree.body)
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            wanted -= frozenset(node.names)
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            wanted &= _BUILTINS  # what is none of Python's may well be among the names that come in
            wanted -= frozenset() if node.level else STAR_NAMES.get(node.module or "", frozenset())
        elif isinstance(node, ast.Name):
            used.add(node.id)
    wanted &= used
    if not wanted:
        return []
    return list(_loads(tree, wanted))


def _loads(tree: ast.Module, wanted: _Names) -> Iterator[ast.Name]:
    """Loads of *wanted* names that nothing shadows.  A stack, not recursion: expressions can be deep."""
    # With each node the names free at its place, and those free in a function there (which sees no class).
    stack: list[tuple[ast.AST, _Names, _Names]] = [(statement, wanted, wanted) for statement in tree.body]
    while stack:
        node, free, outer = stack.pop()
        if isinstance(node, ast.Name):
            if node.id in free and isinstance(node.ctx, ast.Load):
                yield node
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            generic = _type_parameters(node)
            stack += [(part, free - generic, outer - generic) for part in _outside(node)]
            body = [node.body] if isinstance(node, ast.Lambda) else node.body
            around = outer - generic
            inside = around - _bound(body)
            if not isinstance(node, ast.ClassDef):
                around = inside = inside - _parameters(node.args)
            stack += [(part, inside, around) for part in body]
        elif isinstance(node, _COMPREHENSIONS):
            stack.append((node.generators[0].iter, free, outer))
            own = frozenset().union(*(_bound([generator.target]) for generator in node.generators))
            inside = outer - own  # like a function's: a comprehension in a class does not see the class
            values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            for index, generator in enumerate(node.generators):
                values += [generator.target, *generator.ifs, *([generator.iter] if index else [])]
            stack += [(part, inside, inside) for part in values]
        elif type(node).__name__ != "TypeAlias":
            stack += [(part, free, outer) for part in _children(node)]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(node):
        if field in UNREAD:
            continue
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    yield item


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a function or class that the surrounding scope evaluates."""
    yield from getattr(node, "decorator_list", ())
    if isinstance(node, ast.ClassDef):
        yield from node.bases
        yield from node.keywords
    else:
        arguments: ast.arguments = node.args  # type: ignore[attr-defined]
        yield from arguments.defaults
        yield from (default for default in arguments.kw_defaults if default is not None)


def _parameters(arguments: ast.arguments) -> _Names:
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return frozenset(argument.arg for argument in plain + starred)


def _type_parameters(node: ast.AST) -> _Names:
    return frozenset(parameter.name for parameter in getattr(node, "type_params", ()))


def _bound(nodes: Iterable[ast.AST]) -> _Names:
    """Names that *nodes* bind in the scope they stand in."""
    names: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, _SCOPES):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            if isinstance(node, _COMPREHENSIONS):
                # Its variables are its own, but a walrus inside it binds here.
                names.update(n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            else:
                stack.extend(_outside(node))
        else:
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                names.update(node.names)
            for field in ("name", "rest"):  # except … as name, case … as name, case [*name], case {**rest}
                value = getattr(node, field, None)
                if isinstance(value, str):
                    names.add(value)
            stack.extend(ast.iter_child_nodes(node))
    return frozenset(names)
