"""The classes of a twin: which the original's are, which derive from them, and which stand alone.

- *shared*, the original itself: exceptions, enums, named tuples, and what uses nothing that differs between the two
  modules.  ``except queue.Empty`` means one thing everywhere, and a `urllib.request.Request` may come from anywhere.
- *derived*: the class statement's own body once more, as a subclass of the original, so that ``isinstance`` in
  unconverted code holds.  Its ``super()`` passes over the original: the cell that the compiler made for it is pointed
  there (and the name in ``super(Name, self)``), and what follows in the order of bases is the base's counterpart.
  Where the module asks ``isinstance`` of one, an instance of the original will do: a `zipfile.ZipInfo` of anybody's.
- *alone*: a class that cannot be derived from, and what is above such a class.

What differs is a name of the module that the twin has another value for: a counterpart, a function that uses one, a
class that is not shared, and whatever could be assigned to (numbers, containers, instances), because setting
``http.client._MAXHEADERS`` must reach the code that reads it.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from enum import Enum
from types import CodeType, FunctionType, ModuleType

from runtime.overlay import names_used
from runtime.table import BUILTINS, MODULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    Fate = Literal["shared", "derived", "alone"]

_SETTINGS = (int, float, str, bytes, tuple, type(None))  # alike in both modules, until somebody assigns
_build: Callable[..., Any] = builtins.__build_class__


class Classes:
    """The ``__build_class__`` of one twin; ``fates`` tells what became of each class.

    Args:
        original: the module that the twin is one of.
        code: that module's.
        namespace: the twin's globals.
    """

    def __init__(self, original: ModuleType, code: CodeType, namespace: dict[str, Any]) -> None:
        self.fates: dict[str, Fate] = {}
        self._original = original
        self._namespace = namespace
        self._used: dict[str, set[str]] = {}  # by each function and class of the module
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._used.setdefault(constant.co_name, set()).update(names_used(constant))
        self._supers = {"super"} | {name for name, value in vars(original).items() if value is super}
        self._known: dict[str, bool] = {}  # name of the module -> whether it differs

    def __call__(self, body: FunctionType, name: str, *bases: Any, **keywords: Any) -> Any:
        original = vars(self._original).get(name)
        if (
            body.__qualname__ != name  # nested in a function or class
            or not isinstance(original, type)
            or original.__module__ != self._original.__name__
            or (not bases and self._is_data(original))  # a decorator makes it of this class
        ):
            return _build(body, name, *bases, **keywords)
        if self._is_data(original) or ((bases or (object,)) == original.__bases__ and not self.differs(name)):
            self.fates[name] = "shared"
            return original
        if _can_derive(original, bases):
            try:
                made = _derive(original, body, bases, keywords)
                self._pass_over(original, made)
            except TypeError:
                pass  # no consistent order of bases, or one that cannot be derived from
            else:
                self.fates[name] = "derived"
                Derived.originals[made] = original
                return made
        self.fates[name] = "alone"
        return _build(body, name, *bases, **keywords)

    def isinstance(self, value: object, kind: Any) -> bool:
        """``isinstance`` for the twin: what is an instance of the original passes for one of the derived class."""
        if builtins.isinstance(kind, tuple):
            return any(self.isinstance(value, one) for one in kind)
        return builtins.isinstance(value, Derived.originals.get(kind, kind))

    @property
    def asks(self) -> bool:
        """Whether the module's code uses ``isinstance`` with a class of its own."""
        own = {name for name in self._used if builtins.isinstance(vars(self._original).get(name), type)}
        return any("isinstance" in names and not own.isdisjoint(names) for names in self._used.values())

    def _pass_over(self, original: type, made: type) -> None:
        """Have ``super(Name, self)`` in the methods of *made* mean *original*'s base, as ``super()`` does."""
        name = original.__name__
        alias = f"_plain_{name}"
        for attribute in vars(made).values():
            function = getattr(attribute, "__func__", attribute)
            if not isinstance(function, FunctionType):
                continue
            used = function.__code__.co_names
            if name in used and not self._supers.isdisjoint(used):
                self._namespace[alias] = original
                names = tuple(alias if known == name else known for known in used)
                function.__code__ = function.__code__.replace(co_names=names)

    def share_data(self) -> None:
        """Exchange the enums and named tuples that were made by a call, not by a class statement."""
        for name, value in list(self._namespace.items()):
            if isinstance(value, type) and self._is_data(value):
                self._namespace[name] = vars(self._original).get(name, value)

    @staticmethod
    def _is_data(kind: type) -> bool:
        return issubclass(kind, (BaseException, Enum)) or (
            issubclass(kind, tuple) and hasattr(kind, "_fields")
        )

    def differs(self, name: str) -> bool:
        """Whether *name*, of a function or class of the module or of what its code uses, differs in the twin."""
        known = self._known.get(name)
        if known is not None:
            return known
        seen = {name}
        ahead = [name]
        while ahead:
            uses = self._uses(ahead.pop())
            if uses is None or any(self._known.get(used) for used in uses):
                self._known[name] = True
                return True
            ahead += uses - seen
            seen |= uses
        self._known.update(dict.fromkeys(seen, False))
        return False

    def _uses(self, name: str) -> set[str] | None:
        """What *name* differs with; None if it does in any case."""
        theirs = vars(self._original)
        if name not in theirs:
            # A builtin, an attribute, or what is imported within a function.
            return None if name in BUILTINS or name in MODULES else set()
        value = theirs[name]
        if name.startswith("__") and name.endswith("__"):
            return set()
        if self._namespace.get(name) is value and not isinstance(value, _SETTINGS):
            return set()  # imported, or a regular expression
        if not isinstance(value, (FunctionType, type)) or value.__module__ != self._original.__name__:
            return None
        if isinstance(value, type) and self._is_data(value):
            return set()
        if name not in self._used:
            return None  # made in another way
        uses = self._used[name].copy()
        for base in value.__bases__ if isinstance(value, type) else ():
            if base.__module__ == self._original.__name__:
                uses.add(base.__name__)
            elif base.__module__ != "builtins" and base.__module__ in MODULES:
                return None
        return uses


def _can_derive(original: type, bases: tuple[Any, ...]) -> bool:
    if any("__init_subclass__" in vars(kind) for kind in original.__mro__[:-1]):
        return False  # it would be told of a subclass
    for base, theirs in zip(bases, original.__bases__, strict=False):
        if base is not theirs and not (isinstance(base, type) and issubclass(base, theirs)):
            return False  # super() would pass from the original to its base, not to this one
    return True


class Derived:
    """The last base of each derived class: what is pickled is an instance of the original, a copy is one's own kind.

    So that whoever reads the pickle need not have this project.
    """

    __slots__ = ()
    originals: dict[type, type] = {}

    def __reduce_ex__(self, protocol: Any) -> Any:
        reduced = super().__reduce_ex__(protocol)
        original = self.originals.get(type(self))
        if original is None or not isinstance(reduced, tuple):
            return reduced
        make, arguments, *rest = reduced
        if getattr(make, "__name__", "") == "__newobj__":  # which insists on the object's own class
            make = original.__new__
        made = type(self)
        return (
            original if make is made else make,
            tuple(original if one is made else one for one in arguments),
            *rest,
        )

    def __copy__(self) -> Any:
        import copy

        return copy._reconstruct(self, None, *super().__reduce_ex__(4))  # type: ignore[attr-defined]

    def __deepcopy__(self, memo: Any) -> Any:
        import copy

        return copy._reconstruct(self, memo, *super().__reduce_ex__(4))  # type: ignore[attr-defined]


class _Derivation:
    """Stands for the metaclass while a derived class is made."""

    def __init__(self, original: type) -> None:
        self._original = original
        self.cell: Any = None

    def __prepare__(self, name: str, bases: tuple[type, ...], /, **keywords: Any) -> Any:
        return type(self._original).__prepare__(name, bases, **keywords)

    def __call__(self, name: str, bases: tuple[type, ...], namespace: Any, /, **keywords: Any) -> Any:
        self.cell = namespace.get("__classcell__")
        if "__slots__" in namespace:
            namespace["__slots__"] = ()  # the original has them
        return type(self._original)(name, bases, namespace, **keywords)


def _derive(original: type, body: FunctionType, bases: tuple[Any, ...], keywords: dict[str, Any]) -> type:
    """The class of *body* as a subclass of *original*, whose ``super()`` is the original's."""
    # What the original derives from already stands behind it.
    others = [base for base in bases if not (isinstance(base, type) and issubclass(original, base))]
    keywords.pop("metaclass", None)  # the original's holds
    derivation = _Derivation(original)
    if not any(issubclass(base, Derived) for base in others if isinstance(base, type)):
        others.append(Derived)
    made: type = _build(body, original.__name__, original, *others, metaclass=derivation, **keywords)
    if derivation.cell is not None:
        derivation.cell.cell_contents = original
    return made
