"""Counterparts whose calls are the plain ones, made on worker threads: overlays made from rows, without a file.

`runtime.calls` says which callables of a module are offloaded, and above which size of an argument: a worker costs
about 75 us, so what is done sooner is called in place.  Here its rows become

- functions that do not bind in a class, as the C functions they replace do not;
- for types that cannot be derived from (``_bz2.BZ2Compressor``, what ``zlib.compressobj`` returns), classes of their
  own that hold the original and forward what they do not offload;
- what a row names in so many words: a replacement written by hand.

A method of such a stream changes it, so it is never left in the middle: a caller who is interrupted takes the call
back if no worker has begun it; otherwise he gets the result, and the interruption comes with his next wait.
"""

from __future__ import annotations

import functools
import importlib
from importlib.machinery import ModuleSpec
from operator import attrgetter
from types import FunctionType, ModuleType

from runtime.calls import CALLS, OFFLOADED, Call
from runtime.hub import existing_hub, get_hub
from runtime.overlay import builtin, forward
from runtime.workers import offload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

PREFIX = "runtime.green."


class Claim:
    """A call that its caller can take back until a worker begins it: exactly one of them gets it."""

    __slots__ = ("_free", "done", "error", "function", "value")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = False
        self._free = [True]

    def take(self) -> bool:
        """Whether the call is the caller's from now on; False when the other side has it."""
        try:
            return self._free.pop()
        except IndexError:
            return False

    def failed(self, error: BaseException) -> bool:
        """Whether *error* is what the call has raised; it is forgotten, since its traceback refers to us."""
        if self.error is not error:
            return False
        self.error = None
        return True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.take():
            return None
        try:
            self.value = self.function(*args, **kwargs)
            return self.value
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.done = True


def complete(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """`offload_if_shared`, but never left in the middle.

    An interruption takes the call back if it has not begun; otherwise it comes with the caller's next wait.
    """
    hub = existing_hub()
    if hub is None or not (hub.tasklets or hub.timers):
        return function(*args, **kwargs)
    claim = Claim(function)
    try:
        return offload(claim, *args, **kwargs)  # type: ignore[no-any-return]
    except BaseException as error:
        if claim.take() or claim.failed(error):
            raise
        late = error
    return outlast(claim, late)  # type: ignore[no-any-return]


def outlast(claim: Claim, late: BaseException) -> Any:
    """The outcome of *claim*, which a worker has begun; *late*, which interrupted us, comes with our next wait."""
    hub = get_hub()
    interruptions = [late]
    while not claim.done:
        try:
            hub.park()
        except BaseException as error:
            interruptions.append(error)
    for each in interruptions:
        hub.current.interrupt(each)
    if claim.error is not None:
        failure, claim.error = claim.error, None
        try:
            raise failure
        finally:
            del failure, late, interruptions  # whose tracebacks refer to this frame
    return claim.value


def _size(args: tuple[Any, ...], position: int) -> int:
    """Bytes of a positional argument; 0 if it is not there or has no size."""
    try:
        argument = args[position]
        return argument.nbytes if isinstance(argument, memoryview) else len(argument)
    except (IndexError, TypeError):
        return 0


def wrap(function: Callable[..., T], /, *, above: int = 0, argument: int = 0) -> Callable[..., T]:
    """A callable that makes calls of *function* on a worker thread while other tasklets run.

    Args:
        function: what to call; where it binds in a class (a Python function) the result does, else not.
        above: offload only if *argument* has at least that many bytes.
        argument: a position.
    """

    def call(_: Any, /, *args: Any, **kwargs: Any) -> T:
        hub = existing_hub()
        if hub is None or not (hub.tasklets or hub.timers) or (above and _size(args, argument) < above):
            return function(*args, **kwargs)
        return offload(function, *args, **kwargs)

    if isinstance(function, FunctionType):

        @functools.wraps(function)
        def binding(*args: Any, **kwargs: Any) -> T:
            return call(None, *args, **kwargs)

        return binding
    call.__name__ = call.__qualname__ = getattr(function, "__name__", type(function).__name__)
    call.__module__ = getattr(function, "__module__", None) or "builtins"
    call.__doc__ = function.__doc__
    return builtin(call)


def _stream_method(name: str, above: int) -> Callable[..., Any]:
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        call = getattr(self._it, name)
        if above and _size(args, 0) < above:
            return call(*args, **kwargs)
        return complete(call, *args, **kwargs)

    method.__name__ = name
    return method


def _copier(name: str) -> Callable[..., Any]:
    def method(self: Any, /, *args: Any) -> Any:
        return type(self)._over(getattr(self._it, name)(*args))

    method.__name__ = name
    return method


_COPIES = ("copy", "__copy__", "__deepcopy__")


def stream(kind: Any, methods: dict[str, int]) -> Any:
    """A class that stands for *kind*, which cannot be derived from, and offloads *methods*.

    Args:
        kind: the original class; what it says about being called it says still.
        methods: names, and the size of the first argument above which each is offloaded.
    """

    def __new__(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        return cls._over(kind(*args, **kwargs))

    def _over(cls: Any, it: Any) -> Any:
        self = object.__new__(cls)
        self._it = it
        return self

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        return self._it.__reduce_ex__(protocol)  # says that it cannot be pickled

    namespace: dict[str, Any] = {
        "__slots__": ("__weakref__", "_it"),
        "__new__": __new__,
        "__reduce_ex__": __reduce_ex__,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "_over": classmethod(_over),
    }
    for name in set(dir(kind)).difference(dir(object), namespace):
        if name in methods:
            namespace[name] = _stream_method(name, methods[name])
        elif name in _COPIES:
            namespace[name] = _copier(name)
        else:
            namespace[name] = property(attrgetter(f"_it.{name}"))
    return type(kind.__name__, (), namespace)


def _factory(original: Callable[..., Any], methods: dict[str, int]) -> Callable[..., Any]:
    """A function that returns a `stream` over what *original* returns."""
    kinds: dict[type, Any] = {}

    def make(_: Any, /, *args: Any, **kwargs: Any) -> Any:
        it = original(*args, **kwargs)
        kind = kinds.get(type(it))
        if kind is None:
            kind = kinds[type(it)] = stream(type(it), methods)
        return kind._over(it)

    make.__name__ = make.__qualname__ = original.__name__
    make.__module__ = original.__module__
    make.__doc__ = original.__doc__
    return builtin(make)


def _rows(module: str) -> list[Call]:
    return [row for row in CALLS if row.fate is OFFLOADED and module in row.module.split()]


def fill(namespace: dict[str, Any], original: ModuleType, name: str) -> None:
    """Put the counterparts of what is offloaded in the module *name* into *namespace*."""
    owners: dict[str, dict[str, int]] = {}
    by_hand: set[str] = set()
    for row in _rows(name):
        where, _, attribute = row.by.rpartition(".")
        for called in row.names.split():
            owner, _, method = called.partition(".")
            plain = getattr(original, owner, None)
            if plain is None:
                continue  # of another version or platform
            if row.by:
                by_hand.add(owner)
                replacements = importlib.import_module(where)
                namespace[owner] = getattr(replacements, attribute.replace("*", owner))
            elif method:
                owners.setdefault(owner, {})[method] = row.above
            else:
                namespace[called] = wrap(plain, above=row.above, argument=row.argument)
    for owner in owners.keys() - by_hand:
        plain = getattr(original, owner)
        made = stream if isinstance(plain, type) else _factory
        namespace[owner] = made(plain, owners[owner])


class Loader:
    """Makes an overlay of offloaded calls."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        name = module.__spec__.name.removeprefix(PREFIX)
        original = importlib.import_module(name)
        fill(vars(module), original, name)
        forward(vars(module), original)
