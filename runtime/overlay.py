"""What overlays have in common: they are the whole module, and forward what they do not replace.

Forwarding happens at access time, so an attribute that somebody changes on the original is seen; what becomes of what
is assigned to an overlay stands in `runtime.modules`.

A module's own ``__getattr__`` costs thirty times what an attribute costs, and converted code says ``os.path`` all
the time.  So the first use of a forwarded name leaves a property whose getter is C code (`attrgetter`).
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from types import CodeType, FunctionType, MethodType, ModuleType

from runtime.modules import of
from runtime.table import MODULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Concatenate, ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")


def builtin(function: Callable[Concatenate[Any, P], R]) -> Callable[P, R]:
    """For what replaces a builtin function: kept in a class, it must not turn into a method.

    ``class Retry: wait = time.sleep`` works with C functions, which do not bind; nor does a method that is bound
    already.  *function* gets an extra first argument, to be ignored.

    Pickled, it is the original's function: whoever loads it need not have this project.
    """
    function.__module__ = function.__module__.removeprefix("runtime.green.")
    return MethodType(function, _Original(function.__module__))


class _Original:
    """The standard module of a name, as what a replaced builtin function is bound to."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"the counterpart of {self._name!r}"

    def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
        return importlib.import_module, (self._name,)


def forward(
    namespace: dict[str, Any], original: ModuleType, rebound: tuple[str, ...] = (), *, state: bool = False
) -> None:
    """Make the module with *namespace* an overlay of *original*.

    Args:
        namespace: the overlay's ``globals()``, with what it replaces defined already.
        original: the standard module.
        rebound: names of the original's Python functions and classes that need nothing but the overlay's names in
            place of the original's: their code runs with the overlay's globals.
        state: the module is the interpreter's state, on which nothing here stands.
    """

    kind = of(original, forwards=True, state=state)

    def is_counterpart(name: str) -> bool:
        return f"{original.__name__}.{name}" in MODULES

    def __getattr__(name: str) -> Any:
        if is_counterpart(name):
            return _submodule(name)(sys.modules[namespace["__spec__"].name])
        try:
            value = getattr(original, name)
        except AttributeError:
            raise AttributeError(f"module {original.__name__!r} has no attribute {name!r}") from None
        if not name.startswith("__"):
            setattr(kind, name, property(attrgetter(f"__wrapped__.{name}")))
        return value

    def __dir__() -> list[str]:
        return sorted({*dir(original)})

    namespace["__wrapped__"] = original
    namespace["__getattr__"] = __getattr__
    if hasattr(original, "__getattr__"):
        # What it warns of it blames on its caller, so no frame of ours may stand between.
        for name in set(dir(original)).difference(namespace):
            if not name.startswith("__"):
                setattr(
                    kind,
                    name,
                    property(_submodule(name) if is_counterpart(name) else attrgetter(f"__wrapped__.{name}")),
                )
        namespace["__getattr__"] = partial(getattr, original)
    namespace["__dir__"] = __dir__
    module = sys.modules.get(namespace["__name__"])
    if module is not None and vars(module) is namespace:
        module.__class__ = kind
    namespace["__doc__"] = original.__doc__
    for name in ("__file__", "__cached__"):  # programs look for what stands beside `os.__file__`
        namespace.pop(name, None)
        if hasattr(original, name):
            namespace[name] = getattr(original, name)
    if not hasattr(original, "__all__"):
        namespace["__all__"] = [name for name in dir(original) if not name.startswith("_")]
    for name in rebound:
        if hasattr(original, name):
            namespace[name] = rebind(getattr(original, name), namespace, original)


def _submodule(name: str) -> Callable[[ModuleType], ModuleType]:
    def get(module: ModuleType) -> ModuleType:
        return importlib.import_module(f"{vars(module)['__spec__'].name}.{name}")

    return get


def rebind(function: Callable[..., Any], namespace: dict[str, Any], original: ModuleType) -> FunctionType:
    """*function*'s code over *namespace*, to which the globals it uses are added where they are missing."""
    assert isinstance(function, FunctionType)
    for name in names_used(function.__code__):
        if name not in namespace and not hasattr(builtins, name) and hasattr(original, name):
            namespace[name] = getattr(original, name)
    twin = FunctionType(
        function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    twin.__doc__ = function.__doc__
    twin.__qualname__ = function.__qualname__
    twin.__module__ = function.__module__
    twin.__dict__.update(function.__dict__)
    return twin


def names_used(code: CodeType) -> set[str]:
    """The global names that *code* uses, and what is in it; its attributes' names too, which is cheaper."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= names_used(constant)
    return names
