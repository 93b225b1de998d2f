"""The configuration: ``[tool.rewriter]`` in the nearest ``pyproject.toml``.

    [tool.rewriter]
    convert = ["app", "requests+deps"]      # besides the target's own modules
    exclude = ["app.legacy"]
    threads = "tasklet"                     # or "native"
    offload = ["cx_Oracle.connect"]         # functions, and methods (module.Class.method), for worker threads
    fair = true                             # loops that compute let others run
    monitor_ms = 200                        # report a scheduler that stands still for longer, with its stack

A key that is not known, or a value of another type, is an error: a typo must not silently convert nothing.
The file is read as bytes first, so that TOML is parsed (and tomllib imported) only where the table is.
"""

from __future__ import annotations

import os

from rewriter.errors import RewriterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

THREADS = ("tasklet", "native")

_ALLOWED = {
    "convert": "a list of package names",
    "exclude": "a list of module names",
    "threads": '"tasklet" or "native"',
    "offload": "a list of functions by their full names, like module.function",
    "fair": "true or false",
    "monitor_ms": "a number of milliseconds, 1 at least",
}


class Config:
    """What a configuration file asks for; *path* is None when there is none."""

    __slots__ = ("convert", "exclude", "fair", "monitor_ms", "offload", "path", "threads")

    def __init__(self, path: str | None = None) -> None:
        self.path = path
        self.convert: list[str] = []
        self.exclude: list[str] = []
        self.threads: str | None = None
        self.offload: list[str] = []
        self.fair: bool | None = None
        self.monitor_ms: int | None = None


def nearest(folder: str) -> str | None:
    """The ``pyproject.toml`` in *folder* or the next one above it."""
    folder = os.path.abspath(folder)
    while True:
        path = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(path):
            return path
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def load(folder: str) -> Config:
    """The configuration for a program in *folder*.  Raises RewriterError."""
    path = nearest(folder)
    config = Config(path)
    if path is None:
        return config
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise RewriterError(f"{path}: {error.strerror}") from None
    if b"rewriter" not in data:
        return config
    tool = parsed(path, data).get("tool", {})
    table = tool.get("rewriter", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise RewriterError(f"{path}: [tool.rewriter] must be a table")
    for key, value in table.items():
        if key not in _ALLOWED:
            raise RewriterError(
                f"{path}: [tool.rewriter] has an unknown key {key!r}; allowed are {', '.join(_ALLOWED)}"
            )
        if not _VALID[key](value):
            raise RewriterError(f"{path}: [tool.rewriter] {key} must be {_ALLOWED[key]}, not {value!r}")
        setattr(config, key, value)
    return config


def parsed(path: str, data: bytes) -> dict[str, Any]:
    """*data* as TOML.  Raises RewriterError that names *path*."""
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except ValueError as error:  # both TOMLDecodeError and UnicodeDecodeError
        raise RewriterError(f"{path}: {error}") from None


def is_function_name(name: str) -> bool:
    """Whether *name* is a dotted one, as `offload` takes it."""
    return "." in name and all(part.isidentifier() for part in name.split("."))


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_VALID: dict[str, Callable[[Any], bool]] = {
    "convert": _is_list,
    "exclude": _is_list,
    "threads": lambda value: value in THREADS,
    "offload": lambda value: _is_list(value) and all(map(is_function_name, value)),
    "fair": lambda value: isinstance(value, bool),
    "monitor_ms": lambda value: type(value) is int and value > 0,
}
