"""The bomb: an error on its way to a tasklet, as whose ``tempval`` it waits until the tasklet goes on."""

from __future__ import annotations

from types import TracebackType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class bomb:
    """An error to be raised in a tasklet: ``bomb(type, value, traceback)`` or ``bomb(sys.exc_info())``.

    Put into the ``tempval`` of a tasklet it explodes as that goes on.
    """

    __slots__ = ("traceback", "type", "value")

    def __init__(self, type: Any = None, value: Any = None, traceback: TracebackType | None = None) -> None:
        if isinstance(type, tuple) and value is None and traceback is None:
            type, value, traceback = (*type, None, None, None)[:3]
        self.type = type
        self.value = value
        self.traceback = traceback

    def __reduce__(self) -> tuple[Any, ...]:
        return bomb, (self.type, self.value)  # a traceback cannot be pickled

    @property
    def error(self) -> BaseException:
        """The exception that it raises, made as ``raise type, value`` once made it."""
        kind, value = self.type, self.value
        if isinstance(value, BaseException) and (not isinstance(kind, type) or isinstance(value, kind)):
            error = value
        elif value is None:
            error = kind()
        elif isinstance(value, tuple):
            error = kind(*value)
        else:
            error = kind(value)
        return error if self.traceback is None else error.with_traceback(self.traceback)

    def explode(self) -> NoReturn:
        """Raise the error."""
        error = self.error
        try:
            raise error
        finally:
            del error, self  # the traceback refers to this frame


def of_class(kind: Any, args: tuple[Any, ...], caller: str) -> bomb:
    """A bomb of ``kind(*args)``.

    Raises:
        TypeError: *kind* is no class of exceptions.
    """
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        raise TypeError(f"{caller} needs Exception or string subclass as first parameter")
    return bomb(kind, args)


def of_raise(exc: Any, val: Any = None, tb: Any = None) -> bomb:
    """A bomb of what ``raise exc, val, tb`` means.

    Raises:
        TypeError: that cannot be raised.
    """
    if tb is not None and not isinstance(tb, TracebackType):
        raise TypeError("third argument must be a traceback object")
    if isinstance(exc, type) and issubclass(exc, BaseException):
        return bomb(exc, val, tb)
    if isinstance(exc, BaseException):
        if val is not None:
            raise TypeError("instance exception may not have a separate value")
        return bomb(type(exc), exc, tb)
    raise TypeError(f"exceptions must be classes, or instances, not {type(exc).__name__}")
