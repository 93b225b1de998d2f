"""Prepares a process for converted code."""

from __future__ import annotations

from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

_threads: Literal["tasklet", "native"] | None = None


def start(threads: Literal["tasklet", "native"] = "tasklet") -> None:
    """Prepare this process for converted code; called on the main thread before any of it runs.

    Args:
        threads: what ``threading.Thread`` and ``_thread.start_new_thread`` of converted code start: tasklets of
            the calling OS thread, or native threads with a hub each.

    Raises:
        ValueError: *threads* is neither.
        RuntimeError: the process was prepared with another choice: threads of one process are of one kind.
    """
    global _threads
    if threads not in ("tasklet", "native"):
        raise ValueError(f"threads must be 'tasklet' or 'native', not {threads!r}")
    if _threads not in (None, threads):
        raise RuntimeError(f"this process runs with threads = {_threads!r} already")
    if _threads is None:
        _threads = threads
        from runtime.twins import counterpart

        counterpart("threading")  # whoever imports it first is its main thread


def native_threads() -> bool:
    """Whether converted code starts native threads."""
    return _threads == "native"


_inherit: Callable[[str], str] | None = None
_exchange: Callable[[Any, Any], Any] | None = None


def prepare_children(inherit: Callable[[str], str], exchange: Callable[[Any, Any], Any]) -> None:
    """Have the Python programs that converted code starts prepared as this process is.

    Args:
        inherit: takes the code that a child of ``multiprocessing`` is to run and returns what it runs instead.
        exchange: takes the path of any program and its arguments (the name it is called by first) and returns the
            arguments that it gets instead.  It must not raise.
    """
    global _inherit, _exchange
    _inherit = inherit
    _exchange = exchange


def program_of_child(program: str) -> str:
    """What a child runs for *program*, code of ``multiprocessing``'s own."""
    return program if _inherit is None else _inherit(program)


def arguments_of_child(path: Any, arguments: Any) -> Any:
    """What the program at *path* is called with for *arguments*; *path* may be a tuple of places to look at."""
    return arguments if _exchange is None else _exchange(path, arguments)
