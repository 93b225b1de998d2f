"""``multiprocessing``: what waits for another process lets the other tasklets run.

Its modules are twins, but for those that hold the state of the process, of which there is one for everybody, converted
or not:

- ``process`` is the plain one (with a parent that can be waited for): who this process is, its key, its children;
- ``util`` is the plain one (with locks for tasklets): finalizers, hooks after a fork, the logger;
- ``resource_tracker`` and ``shared_memory`` are the plain ones: they do not wait, and the tracker is one per process;
- the start method stands in the plain ``context`` and the executable in the plain ``spawn``; the twins look there;
- what was registered to be reduced for other processes holds in converted code too.

What converted code sends to other processes names counterparts by where they stand, ``runtime.green.queue:Queue``, so
that the receiver has the same, whether it is converted or not; it needs this project installed.
"""

from __future__ import annotations

import copyreg
import importlib
import io
import multiprocessing
import os
import pkgutil
import signal
import sys
from multiprocessing.process import AuthenticationString  # type: ignore[attr-defined]
from types import FunctionType, ModuleType
from typing import Any

from runtime import twins
from runtime.classes import Derived
from runtime.hub import schedule
from runtime.overlay import _Original, forward
from runtime.start import native_threads
from runtime.table import MODULES
from runtime.twins import PREFIX

forward(globals(), multiprocessing)
_forwarded = globals()["__getattr__"]


def __getattr__(name: str) -> Any:
    # Submodules first: the plain ones may be there as well.
    if not name.startswith("__"):
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError:
            pass
    return _forwarded(name)


# Pickling for other processes.


def _by_place(pickler: Any, value: Any) -> Any:
    """How a counterpart's class or function is reduced: to where it stands; and its instances: as what they are."""
    if isinstance(value, (type, FunctionType)):
        module, name = value.__module__, value.__qualname__
        if (
            module in MODULES
            and _stands_at(PREFIX + module, name, value)
            and not _stands_at(module, name, value)
        ):
            return pkgutil.resolve_name, (f"{PREFIX}{module}:{name}",)
    elif type(value) is _Original:
        return importlib.import_module, (PREFIX + value._name,)
    elif (
        type(value) in Derived.originals
        and getattr(type(value), "__reduce_ex__") is vars(Derived)["__reduce_ex__"]  # noqa: B009
        and type(value) not in pickler.dispatch_table
    ):
        return super(Derived, value).__reduce_ex__(4)
    return NotImplemented


def _stands_at(module: str, name: str, value: object) -> bool:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value


def _reduce_key(key: AuthenticationString) -> Any:
    """As the class does it, whoever of the two contexts is spawning."""
    spawning = importlib.import_module(f"{__name__}.context").get_spawning_popen()
    return key.__reduce__() if spawning is None else (AuthenticationString, (bytes(key),))


class _Reducers:
    """What everybody has registered; a pickler takes a copy and adds what converted code has registered."""

    def __init__(self, plain: dict[type, Any]) -> None:
        self._plain = plain

    def copy(self) -> dict[type, Any]:
        return {**copyreg.dispatch_table, **self._plain}


def _share_reducers(namespace: dict[str, Any], original: ModuleType) -> None:
    pickler, plain = namespace["ForkingPickler"], original.ForkingPickler._extra_reducers
    for kind in plain:
        pickler._extra_reducers.pop(kind, None)  # the original's do as well
    pickler._extra_reducers[AuthenticationString] = _reduce_key
    pickler._copyreg_dispatch_table = _Reducers(plain)
    pickler.reducer_override = _by_place
    pickler.dumps = classmethod(_dumps)


def _dumps(cls: Any, obj: Any, protocol: int | None = None) -> memoryview:
    """A pickle that stands in bytes of its own, not in the ``BytesIO`` in which it was made.

    Who is killed in the midst of sending it leaves it to the garbage collector, which frees a ``BytesIO`` before the
    views of it: an error that nobody can catch, and a crash in CPython 3.12.1.
    """
    file = io.BytesIO()
    cls(file, protocol).dump(obj)
    return memoryview(file.getvalue())


def _name_by_place(namespace: dict[str, Any], original: ModuleType) -> None:
    """Proxies may be pickled by anybody, with a pickler that knows nothing of `_by_place`."""
    for name, value in namespace.items():
        named = isinstance(value, (type, FunctionType)) and value.__module__ == original.__name__
        if named and vars(original).get(name) is not value:
            value.__module__ = PREFIX + original.__name__


# State that has one owner.


def _share_start_method(namespace: dict[str, Any], original: ModuleType) -> None:
    contexts, plain = namespace["_concrete_contexts"], original._concrete_contexts

    def get(_: object) -> Any:
        actual = original._default_context._actual_context
        return None if actual is None else contexts[actual._name]

    def set_(_: object, context: Any) -> None:
        original._default_context._actual_context = None if context is None else plain[context._name]

    default = namespace["_default_context"]
    vars(default).pop("_actual_context", None)
    type(default)._actual_context = property(get, set_)


def _share_executable(namespace: dict[str, Any], original: ModuleType) -> None:
    def get_executable() -> Any:
        return original.get_executable()

    def set_executable(executable: Any) -> None:
        original.set_executable(executable)
        namespace["_python_exe"] = original._python_exe

    namespace.update(get_executable=get_executable, set_executable=set_executable)


def _leave_signals_alone(namespace: dict[str, Any], original: ModuleType) -> None:
    """The sharer's thread blocks all signals; a tasklet would block them for the whole OS thread."""
    if not native_threads():
        namespace["signal"] = None


def _let_results_in(namespace: dict[str, Any], original: ModuleType) -> None:
    """The keeper of a pool's workers wakes when there is a result, and asks again until another tasklet has read it."""
    wait = namespace["wait"]

    def wait_and_schedule(objects: Any, timeout: float | None = None) -> Any:
        ready = wait(objects, timeout)
        schedule()
        return ready

    namespace["wait"] = wait_and_schedule


def _end_half_started(namespace: dict[str, Any], original: ModuleType) -> None:
    """A child whose parent is killed while it sends the child its data would be nobody's."""
    popen = namespace["Popen"]
    launch = popen._launch

    def _launch(self: Any, process: Any) -> None:
        try:
            launch(self, process)
        except BaseException:
            if hasattr(self, "pid"):
                try:
                    os.kill(self.pid, signal.SIGKILL)
                    os.waitpid(self.pid, 0)
                except (ProcessLookupError, ChildProcessError):  # whoever waits for any child was faster
                    pass
            raise

    popen._launch = _launch


twins._AFTER.update(
    {
        "multiprocessing.context": _share_start_method,
        "multiprocessing.managers": _name_by_place,
        "multiprocessing.pool": _let_results_in,
        "multiprocessing.popen_spawn_posix": _end_half_started,
        "multiprocessing.reduction": _share_reducers,
        "multiprocessing.resource_sharer": _leave_signals_alone,
        "multiprocessing.spawn": _share_executable,
    }
)

# As the original has it: the default context's methods are the module's functions.
context = importlib.import_module(f"{__name__}.context")
__all__ = [name for name in dir(context._default_context) if not name.startswith("_")]
globals().update((name, getattr(context._default_context, name)) for name in __all__)
