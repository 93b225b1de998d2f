"""Methods of plain objects, exchanged where they are called: ``path.open()`` becomes ``exchange(path).open()``.

What an object is cannot be known from the text, so each call of an attribute with one of a few names asks at run time
(`runtime.methods`).  What is written is not looked at otherwise: the module need not import what the object is from.

The call stays a call of an attribute, and keeps its place, its arguments and their order.  What is added stands where
the object's own expression begins and where the attribute's name is, so no tracer sees a line more or in another order,
and no traceback other carets.  It is in the tree only: the text of a converted module is the original's there.
"""

from __future__ import annotations

import ast

from rewriter.evaluation import first
from rewriter.names import UNREAD
from rewriter.patched import private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PLACE = "runtime.methods."
EXCHANGE = "exchange"
OFFLOADED = "offloaded"

_DISPLAYS = (ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict)  # none of our objects
_LEAVES = (ast.Name, ast.Constant, ast.expr_context, ast.operator, ast.cmpop)
_PASSED = UNREAD | {"ctx"}


def calls(tree: ast.Module, names: Iterable[str]) -> list[ast.Call]:
    """The calls in *tree* of an attribute that is called one of *names*, of anything but a display.

    Annotations are no calls, and are left alone, so that those who read them see what was written.
    """
    wanted = frozenset(names)
    found: list[ast.Call] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is ast.Call:
            function = node.func  # type: ignore[attr-defined]
            if (
                type(function) is ast.Attribute
                and function.attr in wanted
                and not _is_display(function.value)
            ):
                found.append(node)  # type: ignore[arg-type]
        elif kind.__name__ == "TypeAlias":
            continue
        for field in kind._fields:
            if field in _PASSED:
                continue
            value = getattr(node, field, None)
            if type(value) is list:
                stack += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _LEAVES):
                stack.append(value)
    return found


def _is_display(node: ast.expr) -> bool:
    """Whether what *node* is can be seen: a display, or ``"text" % …``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
    return isinstance(node, _DISPLAYS)


def exchange(call: ast.Call, plain: frozenset[str], offloaded: Mapping[str, list[str]]) -> dict[str, str]:
    """Exchange the object of *call*, found by `calls`; returns what does it, and where it stands, to be bound.

    Args:
        call: the call of an attribute.
        plain: methods of plain objects that have counterparts.
        offloaded: methods that go to worker threads, with the full names of each.
    """
    attribute = call.func
    assert isinstance(attribute, ast.Attribute)
    used = []
    # What is offloaded first, so that the other one does not hide it.
    for name in offloaded.get(attribute.attr, ()):
        used.append(OFFLOADED)
        _wrap(attribute, OFFLOADED, name)
    if attribute.attr in plain:
        used.append(EXCHANGE)
        _wrap(attribute, EXCHANGE)
    return {name: PLACE + name for name in used}


def _wrap(attribute: ast.Attribute, function: str, *arguments: str) -> None:
    value = attribute.value
    called = ast.copy_location(ast.Name(private(function), ast.Load()), first(value))
    constants = [ast.copy_location(ast.Constant(argument), attribute) for argument in arguments]
    attribute.value = ast.copy_location(ast.Call(called, [value, *constants], []), attribute)
    for node in (attribute.value, *constants):
        _move_to_name(node, attribute)


def _move_to_name(node: ast.expr, attribute: ast.Attribute) -> None:
    """Put *node* where the compiler puts the look-up of *attribute*: at the name, if that is on a line of its own."""
    assert attribute.end_lineno is not None
    assert attribute.end_col_offset is not None
    if attribute.lineno != attribute.end_lineno:
        node.lineno = attribute.end_lineno
        node.col_offset = max(0, attribute.end_col_offset - len(attribute.attr))
