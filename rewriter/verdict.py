"""What becomes of a call in converted code: a verdict on each use, from the tables of the runtime.

Modules of the standard library are imported to see what their names are; nothing else is.  A module whose waits are
left alone as a whole (one row for all of it) has much in it that never waits, as ``os.path.join`` does not: there, a
function counts if its own code leads to a call that is listed as one that waits.
"""

from __future__ import annotations

import builtins
import dis
import importlib
import sys
import warnings
from functools import cache
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from rewriter.scope import OWN, Scope
from rewriter.uses import Use
from runtime.calls import ALONE, COOPERATIVE, NEVER, OFFLOADED, SKIPPED, Call
from runtime.fates import row_of
from runtime.table import BUILTINS, METHODS, MODULES, STACKLESS

UNCONVERTED = "not converted"
FATES = (COOPERATIVE, OFFLOADED, ALONE, UNCONVERTED)
BLOCKING = (ALONE, UNCONVERTED)

_DEPTH = 8  # calls deep that a function is followed


class Verdict:
    """*fate*: one of `FATES`; *why*, and what would *cure* it, if it stays blocking."""

    __slots__ = ("cure", "fate", "why")

    def __init__(self, fate: str, why: str, cure: str = "") -> None:
        self.fate = fate
        self.why = why
        self.cure = cure


class Judge:
    """Judges the uses of modules in *scope*."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def judge(self, use: Use) -> Verdict | None:
        """What becomes of *use*; None if it is not known to wait, or its waits are those of converted code."""
        if use.offloaded and (use.offloaded == use.name or not use.name.startswith(".")):
            return Verdict(OFFLOADED, "as asked for by offload")
        if use.name.startswith("."):
            return _method(use)
        top = use.name.partition(".")[0]
        if top in OWN or top in STACKLESS:
            return None
        if top in sys.stdlib_module_names and not self._scope.covers(use.name):
            return _standard(use)
        if self._scope.covers(use.name) or _excluded(use.name, self._scope):
            return None
        return Verdict(
            UNCONVERTED,
            "blocks if it waits",
            f"--convert {top}" + (f", or --offload {use.name}" if "." in use.name else ""),
        )


def is_class(name: str) -> bool:
    """Whether *name* is that of a class of the standard library."""
    found = located(name.removeprefix("runtime.green."))
    return found is not None and isinstance(found[2], type)


@cache
def located(name: str) -> tuple[str, str, Any] | None:
    """What *name*, of the standard library, means: its module, the rest of the name and the object."""
    parts = name.split(".")
    if parts[0] not in sys.stdlib_module_names or parts[0] in SKIPPED:
        return None
    for length in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module: Any = importlib.import_module(".".join(parts[:length]))
        except Exception:
            continue
        found = module
        for part in parts[length:]:
            try:
                found = getattr(found, part)
            except AttributeError:
                return None
        return module.__name__, ".".join(parts[length:]), found
    return None


def _excluded(name: str, scope: Scope) -> bool:
    """Whether *name* was left out by name: who does that knows about its waits."""
    while name:
        if name in scope.excluded:
            return True
        name = name.rpartition(".")[0]
    return False


def _method(use: Use) -> Verdict:
    method = use.name[1:]
    owners = sorted(owner for owner, methods in METHODS.items() if method in methods)
    if use.offloaded:
        return Verdict(OFFLOADED, f"as asked for by offload, if it is {use.offloaded}")
    return Verdict(COOPERATIVE, f"if it is {' or '.join(f'{owner}.{method}' for owner in owners)}")


def _standard(use: Use) -> Verdict | None:
    found = located(use.name)
    if found is None or not found[1]:
        return None
    module, name, value = found
    row = row_of(module, name)
    if module == "builtins" and name in BUILTINS:
        if name == "__import__":
            return None  # an import is no call of its own
        fate, why = COOPERATIVE, f"is {BUILTINS[name]}"
    elif row is None:
        if MODULES.get(module) != "twin" or not _differs(module, name, value):
            return None
        fate, why = COOPERATIVE, "its own code over counterparts"
    elif row.fate == NEVER or (row.fate == ALONE and _is_blanket(row, name) and not _waits(use.name, value)):
        return None
    else:
        fate, why = row.fate, row.why
        if row.above:
            why += f"; from {row.above // 1024} KiB on"
    if fate != ALONE and not use.converted:
        return Verdict(ALONE, "a comment leaves it plain, or it is called by something plain")
    if fate == ALONE:
        helps = module != "builtins" and "interpreter's lock" not in why
        return Verdict(ALONE, why, f"--offload {use.name}" if helps else "")
    return Verdict(fate, why)


def _is_blanket(row: Call, name: str) -> bool:
    return name not in row.names.split() and "*" in row.names.split()


def _differs(module: str, name: str, value: Any) -> bool:
    """Whether the twin of *module* has something else than *value*."""
    try:
        found: Any = importlib.import_module(f"runtime.green.{module}")
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return True
    return found is not value


# What plain code of the standard library does.


def _waits(name: str, value: Any) -> bool:
    """Whether calling *value*, which has that full *name*, runs code that leads to a call that waits."""
    if isinstance(value, type):
        start = vars(value).get("__init__")
        return isinstance(start, FunctionType) and _leads(start, value, 0)
    if isinstance(value, FunctionType):
        owner = located(name.rpartition(".")[0])
        return _leads(value, owner[2] if owner and isinstance(owner[2], type) else None, 0)
    return False


@cache
def _leads(function: FunctionType, owner: type | None, depth: int) -> bool:
    first = function.__code__.co_varnames[:1] if owner is not None else ()
    for code in _codes(function.__code__):
        for found, kind in _called(code, function.__globals__, first, owner):
            if found in (builtins.open, builtins.input):
                return True
            if isinstance(found, BuiltinFunctionType):
                if _is_listed(found):
                    return True
            elif isinstance(found, FunctionType) and depth < _DEPTH:
                top = str(found.__module__).partition(".")[0]
                if (
                    found is not function
                    and top in sys.stdlib_module_names
                    and _leads(found, kind, depth + 1)
                ):
                    return True
    return False


def _called(
    code: CodeType, namespace: dict[str, Any], first: tuple[str, ...], owner: type | None
) -> list[tuple[Any, type | None]]:
    """What the dotted names in *code* mean, each with the class that it was found in."""
    found: list[tuple[Any, type | None]] = []
    value: Any = None
    kind: type | None = None
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            value, kind = namespace.get(name, getattr(builtins, str(name), None)), None
        elif instruction.opname.startswith("LOAD_FAST") and (name in first or name[-1:] == first):
            value, kind = owner, None
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(value, (ModuleType, type)):
            kind = value if isinstance(value, type) else None
            value = getattr(value, name, None)
        else:
            value = None
        if value is not None and not isinstance(value, ModuleType):
            found.append((value, kind))
    return found


def _codes(code: CodeType) -> list[CodeType]:
    found = [code]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _codes(constant)
    return found


def _is_listed(function: BuiltinFunctionType) -> bool:
    module = str(function.__module__)
    row = row_of("os" if module in ("posix", "nt") else module.lstrip("_"), function.__name__)
    return row is not None and row.fate != NEVER and not _is_blanket(row, function.__name__)
