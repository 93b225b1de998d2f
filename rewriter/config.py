"""The configuration: arguments, then the environment, then ``[tool.rewriter]`` in the nearest ``pyproject.toml``.

`KEYS` is the one table of what can be configured.  Each key is written in the file by its name, given on the command
line by its option, and set in the environment by its variable; the form of its values says what is allowed and how text
becomes one.  Of the single values the first place that says anything decides; lists add up, but that what one place
converts by its name no later place excludes by that name.

A key that is not known, or a value of another type, is an error: a typo must not silently convert nothing.  An unknown
variable is a warning, since other tools may have names that begin like ours.

The file is read as bytes first, so that TOML is parsed (and tomllib imported) only where the table is.
"""

from __future__ import annotations

import os
import sys

from rewriter.errors import RewriterError, RewriterWarning
from rewriter.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

THREADS = ("tasklet", "native")
PREFIX = "REWRITER_"
_TRUTH = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


class Form:
    """The values that a key takes.

    allowed: said where a value is wrong; *text*: the same of a value that is text.
    read: makes a value of text, or raises ValueError.
    valid: whether it is one.
    """

    __slots__ = ("allowed", "read", "text", "valid")

    def __init__(
        self, allowed: str, text: str, read: Callable[[str], Any], valid: Callable[[Any], bool]
    ) -> None:
        self.allowed = allowed
        self.text = text
        self.read = read
        self.valid = valid


def is_function_name(name: str) -> bool:
    """Whether *name* is a dotted one, as `offload` takes it."""
    return "." in name and all(part.isidentifier() for part in name.split("."))


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _split(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise ValueError
    return names


def _truth(text: str) -> bool:
    try:
        return _TRUTH[text.strip().lower()]
    except KeyError:
        raise ValueError from None


PACKAGES = Form("a list of package names", "names of packages, separated by commas", _split, _is_list)
MODULES = Form("a list of module names", "names of modules, separated by commas", _split, _is_list)
FUNCTIONS = Form(
    "a list of functions by their full names, like module.function",
    "full names of functions, like module.function, separated by commas",
    _split,
    lambda value: _is_list(value) and all(map(is_function_name, value)),
)
KIND = Form('"tasklet" or "native"', "tasklet or native", str, lambda value: value in THREADS)
TRUTH = Form("true or false", "1 or 0 (true or false)", _truth, lambda value: isinstance(value, bool))
MILLISECONDS = Form(
    "a number of milliseconds, 1 at least",
    "a number of milliseconds, 1 at least",
    int,
    lambda value: type(value) is int and value > 0,
)


class Key:
    """What can be configured: by *name* in a file, by *option* on the command line, by *variable*."""

    __slots__ = ("form", "name", "option", "variable")

    def __init__(self, name: str, option: str, form: Form) -> None:
        self.name = name
        self.option = option
        self.variable = PREFIX + name.upper()
        self.form = form


KEYS = {
    key.name: key
    for key in (
        Key("convert", "--convert", PACKAGES),
        Key("exclude", "--no-convert", MODULES),
        Key("threads", "--threads", KIND),
        Key("offload", "--offload", FUNCTIONS),
        Key("fair", "--fair", TRUTH),
        Key("monitor_ms", "--monitor", MILLISECONDS),
        Key("children", "--children", TRUTH),
    )
}


class Config:
    """What one place asks for; an empty list or None where it says nothing.

    where: how the place names a key, for errors.
    """

    __slots__ = (*KEYS, "where")

    def __init__(self, where: Callable[[Key], str]) -> None:
        self.where = where
        self.convert: list[str] = []
        self.exclude: list[str] = []
        self.threads: str | None = None
        self.offload: list[str] = []
        self.fair: bool | None = None
        self.monitor_ms: int | None = None
        self.children: bool | None = None

    def take(self, key: Key, value: Any) -> None:
        """Take *value* for *key*; a list adds to what is there.  Raises RewriterError."""
        if not key.form.valid(value):
            raise RewriterError(f"{self.where(key)} must be {key.form.allowed}, not {value!r}")
        if isinstance(value, list):
            value = getattr(self, key.name) + value
        setattr(self, key.name, value)

    def take_text(self, key: Key, text: str) -> None:
        """Take the value that *text* stands for.  Raises RewriterError."""
        try:
            value = key.form.read(text)
            if not key.form.valid(value):
                raise ValueError
        except ValueError:
            raise RewriterError(f"{self.where(key)} must be {key.form.text}, not {text!r}") from None
        self.take(key, value)

    def where_is(self, name: str) -> str:
        """How an error in the value of the key called *name* begins."""
        return f"{self.where(KEYS[name])}: "


def given(values: dict[str, Any]) -> Config:
    """What the caller of a function asks for, by key; None says nothing.  Raises RewriterError."""
    config = Config(lambda key: key.name)
    for name, value in values.items():
        if value is not None:
            is_list = isinstance(getattr(config, name), list) and not isinstance(value, str)
            config.take(KEYS[name], list(value) if is_list else value)
    return config


def environment() -> Config:
    """What the environment asks for; nothing where Python was told to ignore it (``-E``, ``-I``).

    An empty variable says nothing.  Raises RewriterError.
    """
    config = Config(lambda key: key.variable)
    if sys.flags.ignore_environment:
        return config
    variables = {key.variable: key for key in KEYS.values()}
    for name, text in os.environ.items():
        if not name.startswith(PREFIX) or not text:
            continue
        if name in variables:
            config.take_text(variables[name], text)
        else:
            import warnings

            warnings.warn(
                f"the environment variable {name} is none of ours; those are {', '.join(variables)}",
                RewriterWarning,
                stacklevel=3,
            )
    return config


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
    """What the file for a program in *folder* asks for.  Raises RewriterError."""
    path = nearest(folder)
    config = Config(lambda key: f"{path}: [tool.rewriter] {key.name}")
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
    for name, value in table.items():
        if name not in KEYS:
            raise RewriterError(
                f"{path}: [tool.rewriter] has an unknown key {name!r}; allowed are {', '.join(KEYS)}"
            )
        config.take(KEYS[name], value)
    return config


def parsed(path: str, data: bytes) -> dict[str, Any]:
    """*data* as TOML.  Raises RewriterError that names *path*."""
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except ValueError as error:  # both TOMLDecodeError and UnicodeDecodeError
        raise RewriterError(f"{path}: {error}") from None


def excluded(places: Iterable[Config]) -> list[str]:
    """The names that *places* leave as they are, but for what a place before converts by that very name.

    Raises RewriterError for one that is no name.
    """
    from rewriter.scope import check_name

    names: list[str] = []
    converted: set[str] = set()
    for place in places:
        for name in place.exclude:
            check_name(name, where=place.where_is("exclude"))
        names += [name for name in place.exclude if name not in converted]
        converted.update(place.convert)
    return names


def settings(places: Sequence[Config]) -> Settings:
    """The settings that *places*, of which the first one counts most, ask for."""

    def first(name: str, default: Any) -> Any:
        values = (getattr(place, name) for place in places)
        return next((value for value in values if value is not None), default)

    return Settings(
        first("threads", THREADS[0]),
        [name for place in places for name in place.offload],
        first("fair", False),
        first("monitor_ms", None),
        first("children", True),
    )
