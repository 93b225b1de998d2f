"""Methods of plain objects that wait, recognised where converted code calls them.

``path.read_text()`` in converted code is ``exchange(path).read_text()``, and ``image.save(name)``, if asked for,
``offloaded(image, "PIL.Image.Image.save").save(name)``.  Both give back what they were given, unless it is an object of
the class: then something whose method is another one, if its method is the very function of that class.  So what a
subclass overrides, or somebody patches, is called as it is, and the object stays the plain one: paths come from code
that nobody converted, and what is done with them goes by their class.

Rejected: exchanging the bound method, ``exchange(path.read_text)()``.  Binding it and calling what comes back costs two
to three times as much (130 ns against 50) where it is not ours, and the call gets another place in tracebacks.
"""

from __future__ import annotations

import _io
import sys
from functools import partial
from types import BuiltinMethodType, ClassMethodDescriptorType, FunctionType, MethodDescriptorType, MethodType

from runtime.table import METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_modules = sys.modules

# What `exchange` looks at closely.  Of everything, until there is a class of paths; and then also of a class
# (``Path.open(path)``) and of a `super`.
_kinds: tuple[type, ...] = (object,)


def exchange(thing: Any) -> Any:
    """*thing*, whose method is about to be called, or a path that waits in the hub in its place."""
    if issubclass(type(thing), _kinds):
        return _exchanged(thing)
    return thing


def _exchanged(thing: Any) -> Any:
    if len(_kinds) == 1 and not _find_paths():
        return thing
    return _Waiting(thing) if _is_of(thing, _kinds[0]) else thing


def _is_of(thing: Any, kind: type) -> bool:
    """Whether *thing* is an instance of *kind*, or a subclass of it, or a `super` for one of these."""
    own: Any = type(thing)
    if issubclass(own, super):
        own = thing.__self_class__
    elif issubclass(own, type):
        own = thing
    return own is not None and issubclass(own, kind)


def _contents(owner: Any) -> Mapping[str, Any]:
    """What a module or a class has, without asking it: one that loads itself lazily is left as it is."""
    try:
        return object.__getattribute__(owner, "__dict__")  # type: ignore[no-any-return]
    except AttributeError:
        return {}


# Paths.

_opens: FunctionType | None = None  # the plain `Path.open`, and its code over counterparts
_opens_waiting: FunctionType | None = None
_open_others: set[FunctionType] = set()  # the plain methods that open their path by its `open`


def _find_paths() -> bool:
    """Learn about `pathlib`, if it has been imported; without it there are no paths."""
    global _kinds, _opens, _opens_waiting
    kind = _contents(_modules.get("pathlib")).get("Path")
    if not isinstance(kind, type):
        return False
    for name in METHODS["pathlib.Path"]:
        function = getattr(kind, name, None)
        # Whoever has replaced it before we came is asked, as he is by everyone else.
        if type(function) is FunctionType and str(function.__globals__.get("__name__")).startswith("pathlib"):
            if name != "open":
                _open_others.add(function)
            elif _looks_up_plain(function):
                _opens, _opens_waiting = function, _over_counterparts(function)
    _kinds = (kind, type, super)
    return True


def _looks_up_plain(function: FunctionType) -> bool:
    """Whether what *function* calls ``io.open`` is the plain one.  Who patches that means paths, too."""
    return getattr(function.__globals__.get("io"), "open", None) is _io.open


def _over_counterparts(function: FunctionType) -> FunctionType:
    from runtime.green import io
    from runtime.overlay import rebind

    namespace = {**function.__globals__, "io": io}
    return rebind(function, namespace, _modules[function.__module__])


class _Waiting:
    """A path, a class of paths or a `super`, whose methods wait in the hub."""

    __slots__ = ("_thing",)

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        bound = getattr(self._thing, name)
        function = bound.__func__ if type(bound) is MethodType else bound
        if type(function) is not FunctionType:
            return bound
        if function is _opens and _looks_up_plain(function):
            assert _opens_waiting is not None
            return _opens_waiting if bound is function else MethodType(_opens_waiting, bound.__self__)
        if function in _open_others:
            # Its own code, which finds our `open` where it says `self.open`.
            return (
                partial(_of_first, function)
                if bound is function
                else MethodType(function, _Waiting(bound.__self__))
            )
        return bound


def _of_first(function: FunctionType, /, *args: Any, **kwargs: Any) -> Any:
    """Call *function*, of a class of paths, with the path as its first argument."""
    if args:
        args = (_Waiting(args[0]), *args[1:])
    return function(*args, **kwargs)


# Methods that the configuration names.


def offloaded(thing: Any, name: str) -> Any:
    """*thing*, or what calls its method of the full name *name* on a worker thread in its place."""
    method = _named[name]
    if issubclass(type(thing), method.kinds):
        return method.of(thing)
    return thing


class _Method:
    """A method with a full name, ``module.Class.method``.

    kinds: what is looked at closely: everything until the class is known, nothing if there is none of that name.
    """

    __slots__ = ("_found", "_name", "_owner", "kinds")

    def __init__(self, name: str) -> None:
        self._owner, _, self._name = name.rpartition(".")
        self._found: Any = None
        self.kinds: tuple[type, ...] = (object,)

    def of(self, thing: Any) -> Any:
        if len(self.kinds) == 1:
            self._find()
            if len(self.kinds) < 2:
                return thing
        return _Offloading(thing, self) if _is_of(thing, self.kinds[0]) else thing

    def _find(self) -> None:
        """Look for the class among the modules that have been imported; there is no object of it before."""
        parts = self._owner.split(".")
        for count in range(len(parts), 0, -1):
            module = _modules.get(".".join(parts[:count]))
            if module is not None:
                break
        else:
            return
        kind: Any = module
        for part in parts[count:]:
            contents = _contents(kind)
            if part not in contents:
                return  # not yet
            kind = contents[part]
        if not isinstance(kind, type):
            self.kinds = ()  # the name of a module's function
            return
        for owner in kind.__mro__:
            if self._name in _contents(owner):
                self._found = _contents(owner)[self._name]
                self.kinds = (kind, type, super)
                return
        self.kinds = ()

    def is_in(self, bound: Any) -> bool:
        """Whether *bound*, an attribute of an object or a class, is this method."""
        found = self._found
        function = getattr(found, "__func__", found)  # of a class method or a static one
        if type(bound) is MethodType:
            return bound.__func__ is function
        if type(bound) is BuiltinMethodType:
            owner = bound.__self__
            if type(found) is MethodDescriptorType:
                return isinstance(owner, found.__objclass__) and bound == found.__get__(owner)
            if type(found) is ClassMethodDescriptorType:
                return isinstance(owner, type) and bound == found.__get__(None, owner)
        return bound is function


class _Methods(dict[str, _Method]):
    def __missing__(self, name: str) -> _Method:
        return self.setdefault(name, _Method(name))


_named = _Methods()


class _Offloading:
    """An object, a class or a `super`, with one method that goes to a worker thread."""

    __slots__ = ("_method", "_thing")

    def __init__(self, thing: Any, method: _Method) -> None:
        self._thing = thing
        self._method = method

    def __getattr__(self, name: str) -> Callable[..., Any]:
        bound = getattr(self._thing, name)
        if not self._method.is_in(bound):
            return bound  # type: ignore[no-any-return]
        from runtime.workers import offload

        return partial(offload, bound)
