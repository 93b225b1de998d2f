"""A generation's own side: its link to the supervisor, and the finder that reports which files are imported."""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock, get_ident
from time import monotonic

from rewriter.reload.wire import Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from runtime.handover import Key

_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_BREATH = 0.2  # seconds between two words that imports are under way
_LIBRARY = os.path.join(os.path.dirname(os.__file__), "")


def is_own(path: str | None) -> bool:
    """Whether the program's authors may edit *path*: a file of neither Python, an installed package, nor us."""
    if not path or not os.path.isabs(path) or path.startswith(_LIBRARY):
        return False
    if path.startswith((os.path.join(_OURS, "rewriter", ""), os.path.join(_OURS, "runtime", ""))):
        return False
    return not any(part in ("site-packages", "dist-packages") for part in path.split(os.sep))


def signature(path: str) -> list[int] | None:
    """What changes when a file is written: its times, size and inode; None if it is not there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino]


class Link:
    """The way to the supervisor, as `runtime.handover` wants it.

    Args:
        wire: where to ask and tell.
        orders: the descriptor that becomes readable when this generation is to retire.
    """

    def __init__(self, wire: Wire, orders: int) -> None:
        self.orders = orders
        self._wire = wire
        self._lock = allocate_lock()

    def _tell(self, message: dict[str, Any], fds: Sequence[int] = (), *, ask: bool = False) -> list[int]:
        with self._lock:
            try:
                self._wire.send(message, fds)
                answer = self._wire.receive() if ask else None
            except OSError:  # the supervisor has gone, and this process is about to be ended
                return []
        return answer[1] if answer is not None else []

    def take(self, key: Key) -> int | None:
        fds = self._tell({"tell": "take", "key": key}, ask=True)
        return fds[0] if fds else None

    def offer(self, key: Key, fd: int) -> None:
        self._tell({"tell": "offer", "key": key}, [fd])

    def withdraw(self, key: Key) -> None:
        self._tell({"tell": "withdraw", "key": key})

    def waiting(self) -> None:
        self._tell({"tell": "waiting", "foreign": foreign_modules(), "path": sys.path}, ask=True)

    def retiring(self) -> None:
        self._tell({"tell": "retiring"})

    def retired(self) -> None:
        self._tell({"tell": "retired"})

    def busy(self) -> None:
        """Say that it has not come up yet."""
        self._tell({"tell": "busy"})

    def imported(self, path: str) -> None:
        """Say that *path* is about to be imported."""
        self._tell({"tell": "imported", "path": path, "signature": signature(path)})


def foreign_modules() -> list[str]:
    """The imported modules that are not the program's own, in the order of their imports."""
    own = {name.partition(".")[0] for name, module in list(sys.modules.items()) if is_own(_file(module))}
    return [name for name in list(sys.modules) if name.partition(".")[0] not in own and name != "__main__"]


def _file(module: Any) -> str | None:
    found = getattr(module, "__file__", None)
    return found if isinstance(found, str) else None


class Reporter:
    """A meta path finder that finds nothing by itself: it asks the others, and reports what is the program's own."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._foreign = set(sys.stdlib_module_names)
        self._asking: set[tuple[int, str]] = set()
        self._said = monotonic()  # when it was last said that something is imported

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the other finders give."""
        if monotonic() - self._said > _BREATH:
            self._said = monotonic()
            self._link.busy()
        top = fullname.partition(".")[0]
        key = (get_ident(), fullname)
        if top in self._foreign or key in self._asking:
            return None
        self._asking.add(key)
        try:
            spec = self._others(fullname, path, target)
        finally:
            self._asking.discard(key)
        if spec is not None:
            if is_own(spec.origin):
                assert spec.origin is not None
                self._link.imported(spec.origin)
            elif fullname == top and spec.origin is not None:
                self._foreign.add(top)
        return spec

    def _others(self, fullname: str, path: Any, target: Any) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is not self and find_spec is not None:
                spec: ModuleSpec | None = find_spec(fullname, path, target)
                if spec is not None:
                    return spec
        return None
