"""``--explain NAME``: what converted code gets for a name of the standard library, and why."""

from __future__ import annotations

import importlib
import sys
import textwrap
from types import FunctionType, ModuleType
from typing import Any

from rewriter.errors import RewriterError
from runtime.calls import SKIPPED
from runtime.fates import row_of
from runtime.table import BUILTINS, GUARDED, METHODS, MODULES, STACKLESS, STACKLESS_BUILTINS

_PREFIX = "runtime.green."
_KINDS = {
    "overlay": "an overlay, written by hand: what it does not replace it forwards to the plain module",
    "offloads": "an overlay of calls that go to worker threads",
    "twin": "a twin: the module's own code, run once more over counterparts",
}
_WIDTH = 100


def explain(name: str) -> str:
    """The lines about *name*: a module, something in one, or a builtin.  Raises RewriterError if there is none."""
    if "." not in name and name in BUILTINS:
        return _builtin(name)
    if name.partition(".")[0] in STACKLESS or name in STACKLESS_BUILTINS:
        return _stackless(name)
    module, rest = _split(name)
    if module.partition(".")[0] not in sys.stdlib_module_names and module not in MODULES:
        return _foreign(module, name)
    return _callable(module, rest) if rest else _module(module)


def _split(name: str) -> tuple[str, str]:
    """The longest part of *name* that is a module, and the rest."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is not None and not f"{module}.".startswith(f"{error.name}."):
                raise RewriterError(f"cannot import {module}: {error}") from error
            continue
        except ImportError as error:
            raise RewriterError(f"cannot import {module}: {error}") from error
        for part in parts[length:]:
            try:
                found = getattr(found, part)
            except AttributeError:
                raise RewriterError(f"{module} has no {'.'.join(parts[length:])}") from None
        return module, ".".join(parts[length:])
    raise RewriterError(f"there is no module {parts[0]}")


def _builtin(name: str) -> str:
    return _lines(
        f"{name}: in converted code, {BUILTINS[name]}",
        "Where the module, a class or a function gives the name another meaning, that one holds. What a program puts "
        f"in the place of builtins.{name} is called by the counterpart.",
    )


def _stackless(name: str) -> str:
    return _lines(
        f"{name}: Stackless Python's; in converted code, {STACKLESS_BUILTINS.get(name, _PREFIX + name)}",
        "A file of the program that has the name wins, an installed module does not.",
    )


def _foreign(module: str, name: str) -> str:
    top = module.partition(".")[0]
    return _lines(
        f"{name}: not of the standard library, so it is whatever {top} makes it",
        f"Converted, its waits let other tasklets run: --convert {top}, or {top}+deps with what it depends on. "
        "One of its functions that waits in C code can be called on a worker thread: "
        f"--offload {name if name != module else name + '.function'}.",
    )


def _callable(module: str, name: str) -> str:
    full = f"{module}.{name}"
    for owner, methods in METHODS.items():
        if full.rpartition(".")[0] == owner and full.rpartition(".")[2] in methods:
            return _lines(
                f"{full}: cooperative",
                "The class is the plain one, whoever made the object; calls of this method in converted code are "
                "rewritten to ask which function it is, and then run its own code over counterparts.",
            )
    kind = MODULES.get(module)
    if kind == "twin":
        green = importlib.import_module(_PREFIX + module)
        return _lines(f"{full}: {_in_twin(green, module, name)}", f"{module} is {_KINDS['twin']}.")
    row = row_of(module, name)
    if row is None:
        return _lines(f"{full}: the plain one", "No wait is known of it.")
    notes = [row.why]
    if row.above:
        notes.append(f"from {row.above // 1024} KiB on")
    if row.by:
        notes.append(f"written by hand, {row.by.replace('*', name.partition('.')[0])}")
    return _lines(f"{full}: {row.fate}", _sentence("; ".join(notes)))


def _in_twin(green: ModuleType, module: str, name: str) -> str:
    owner, _, method = name.partition(".")
    value = vars(green).get(owner)
    fate = _classes(green).fates.get(owner)
    if value is getattr(importlib.import_module(module), owner):
        return "the plain one, shared"
    if fate == "derived":
        return f"{'a method of ' if method else ''}a class that derives from {module}.{owner}"
    if fate == "alone":
        return f"{'a method of ' if method else ''}a class of its own, which {module}.{owner} cannot be derived for"
    if isinstance(value, FunctionType):
        return "the function's own code over counterparts"
    return "what the module's code makes of it"


def _classes(green: ModuleType) -> Any:
    return vars(green)["__builtins__"]["__build_class__"]


def _module(module: str) -> str:
    kind = MODULES.get(module)
    if kind is None:
        row = row_of(module, "*")
        if module.partition(".")[0] in SKIPPED:
            return _lines(f"{module}: plain", _sentence(SKIPPED[module.partition(".")[0]]))
        if row is None:
            return _lines(f"{module}: plain", "Nothing in it that waits is known.")
        return _lines(f"{module}: plain, {row.fate}", _sentence(row.why))
    paragraphs = [f"{module}: {_KINDS[kind]}"]
    if module in GUARDED:
        words = GUARDED[module][0]
        shown = words if isinstance(words, str) else ", ".join(words)
        paragraphs.append(f"Only code that mentions one of these gets it: {shown}.")
    green = importlib.import_module(_PREFIX + module)
    if kind == "twin":
        paragraphs += _twin(green)
    else:
        plain = importlib.import_module(module)
        own = [
            name
            for name in dir(plain)
            if not name.startswith("_") and getattr(green, name, None) is not getattr(plain, name)
        ]
        paragraphs.append(f"replaced: {', '.join(own) or 'nothing but what its submodules are'}")
    paragraphs.append("What converted code assigns to the module is assigned to the plain one too.")
    return _lines(*paragraphs)


def _twin(green: ModuleType) -> list[str]:
    found = {
        name: value.__spec__.name.removeprefix(_PREFIX)
        for name, value in vars(green).items()
        if isinstance(value, ModuleType)
        and value.__spec__ is not None
        and value.__spec__.name.startswith(_PREFIX)
    }
    fates: dict[str, str] = _classes(green).fates
    titles = {
        "shared": "classes that are the plain ones (errors, data, and what uses nothing that differs)",
        "derived": "classes that derive from the plain ones",
        "alone": "classes of its own (the plain ones cannot be derived from)",
    }
    paragraphs = [f"over counterparts of: {', '.join(sorted(set(found.values()))) or 'builtins'}"]
    for fate, title in titles.items():
        names = sorted(name for name, known in fates.items() if known == fate)
        if names:
            paragraphs.append(f"{title}: {', '.join(names)}")
    state = sorted(
        name
        for name, value in vars(green).items()
        if isinstance(value, (dict, list, set)) and not name.startswith("__") and name not in found
    )
    if state:
        paragraphs.append(f"state of its own, apart from the plain module's: {', '.join(state)}")
    return paragraphs


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _lines(*paragraphs: str) -> str:
    first, *others = paragraphs
    body = [
        textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        for text in others
    ]
    return "\n".join([first, *body]) + "\n"
