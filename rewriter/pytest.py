"""The pytest plugin: tests whose code under test, or they themselves, are converted.

    pytest --convert app                    # the package app, wherever a test imports it
    pytest --convert app --convert-tests    # the test modules and conftest.py files, too

Installed with this project it is loaded by every pytest, and does nothing unless something says what to convert: its
options, ``rewriter_convert`` and ``rewriter_tests`` of pytest's configuration, ``convert`` in ``[tool.rewriter]`` of
a ``pyproject.toml``, or ``REWRITER_CONVERT``.  ``-p no:rewriter.pytest`` switches it off.

What it takes to convert tests stands in assertions.py; nothing of it is imported where nobody asks.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rewriter.config import Config
    from rewriter.finder import Finder
    from rewriter.mapping import Mapping
    from rewriter.scope import Scope

_OWN = {"rewriter", "runtime"}


# What pytest calls.


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the options, and take this project's packages out of those whose assertions are rewritten."""
    group = parser.getgroup("rewriter", "cooperative tests (unstall)")
    group.addoption(
        "--convert",
        action="append",
        default=[],
        dest="rewriter_convert",
        metavar="PKG[,PKG...]",
        help="convert these packages with their submodules when they are imported; PKG+deps means PKG and its"
        " declared dependencies",
    )
    group.addoption(
        "--convert-tests",
        action="store_true",
        default=False,
        dest="rewriter_tests",
        help="convert the test modules and conftest.py files below the root folder, too",
    )
    parser.addini("rewriter_convert", "packages to convert, as --convert takes them", type="args")
    parser.addini("rewriter_tests", "whether test modules and conftest.py files are converted", type="bool")
    marked = getattr(pluginmanager.rewrite_hook, "_must_rewrite", None)
    if isinstance(marked, set):  # it marks all packages of a distribution that has a plugin
        marked -= _OWN


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Convert from now on, if anything asks for it."""
    from rewriter.errors import RewriterError

    try:
        places = _places(early_config)
        tests = early_config.known_args_namespace.rewriter_tests or early_config.getini("rewriter_tests")
        if tests or any(place.convert for place in places):
            _Session(early_config, places, tests=tests).install()
    except RewriterError as error:
        raise pytest.UsageError(f"rewriter: {error}") from None


def _places(config: pytest.Config) -> list[Config]:
    """What may ask for it, the first of which counts most.  Raises RewriterError."""
    from rewriter import config as configuration

    asked = configuration.Config(lambda key: key.option)
    for text in [*config.known_args_namespace.rewriter_convert, *config.getini("rewriter_convert")]:
        asked.take_text(configuration.KEYS["convert"], text)
    return [asked, configuration.environment(), configuration.load(str(config.rootpath))]


class _Session:
    """What is converted in one run of pytest.  Raises RewriterError."""

    def __init__(self, config: pytest.Config, places: list[Config], *, tests: bool) -> None:
        from rewriter import plugins
        from rewriter.installation import expand

        self.config = config
        self.tests = tests
        self.places = [*places, plugins.rules()]
        self.names: set[str] = set()
        for place in places:
            self.names |= expand(place.convert, where=place.where_is("convert"))

    def install(self) -> None:
        """Put the finder in front of pytest's own.  Raises RewriterError."""
        from rewriter import config as configuration
        from rewriter.errors import RewriterError, RewriterWarning
        from rewriter.installation import activate, late
        from rewriter.mapping import shadowed
        from rewriter.scope import Scope, is_standard

        hidden = shadowed([str(self.config.rootpath), *sys.path])
        for name in sorted(self.names):
            if is_standard(name) and name.partition(".")[0] not in hidden:
                raise RewriterError(
                    f"{name} is part of the standard library, which is never converted in place"
                )
        installation = activate(
            Scope(self.names, configuration.excluded(self.places)),
            hidden=hidden,
            settings=configuration.settings(self.places),
            kind=self._finder,
        )
        self.config.add_cleanup(installation.uninstall)
        self.config.pluginmanager.register(self, "rewriter-session")
        missed = late(installation.finder)
        if missed:
            message = f"imported before pytest's plugins were loaded, so not converted: {', '.join(missed)}"
            self.config.issue_config_time_warning(RewriterWarning(message), stacklevel=2)

    def _finder(self, scope: Scope, mapping: Mapping) -> Finder:
        from rewriter.assertions import TestFinder

        return TestFinder(scope, mapping, self.config, tests=self.tests)

    def pytest_report_header(self) -> str:
        """Say what is converted."""
        what = [*sorted(self.names), *(["the tests"] if self.tests else [])]
        return f"rewriter: converts {', '.join(what)}"
