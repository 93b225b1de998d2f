"""``stacklesslib.errors``."""


class TimeoutError(RuntimeError):
    """An operation took longer than it may."""


class CancelledError(RuntimeError):
    """An operation was cancelled."""


class AsyncCallFailed(RuntimeError):
    """A call that somebody else was to make has failed."""
