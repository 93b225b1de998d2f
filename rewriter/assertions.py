"""Test modules that are converted and whose assertions pytest rewrites: a finder and a loader for both.

A module is converted first, and its assertions are rewritten then, by pytest's own rewriter over the converted tree;
the bytecode is cached under a tag of its own.  The names that conversion brings in do not show in the messages.

Rejected: rewriting assertions first.  They are taken apart into steps, among which a call is not found any more.
"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest
from _pytest.assertion.rewrite import AssertionRewriter, AssertionRewritingHook

from rewriter.finder import Finder
from rewriter.loader import ConversionFailed, ConvertingLoader
from rewriter.methods import EXCHANGE, OFFLOADED
from rewriter.patched import PREFIX, private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

    from rewriter.mapping import Mapping
    from rewriter.scope import Scope

_TRANSPARENT = {private(EXCHANGE), private(OFFLOADED)}


class TestFinder(Finder):
    """Also finds modules whose assertions pytest rewrites; with *tests*, all of them below the root folder."""

    def __init__(self, scope: Scope, mapping: Mapping, config: pytest.Config, *, tests: bool) -> None:
        super().__init__(scope, mapping)
        self._config = config
        self._root = os.path.join(str(config.rootpath), "")
        self._tests = tests

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give, with a converting loader; None out of scope."""
        spec = super().find_spec(fullname, path, target)
        if spec is None and self._tests and not self._left_out(fullname):
            spec = self._test(fullname, path, target)
        if spec is None or spec.origin is None or not isinstance(spec.loader, AssertionRewritingHook):
            return spec
        if self._tests or self.scope.admits(fullname, spec.origin):
            spec.loader = AssertingLoader(fullname, spec.origin, self.mapping, spec.loader)
        return spec

    def _test(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        """What pytest finds, if it is below the root folder and not installed there."""
        hooks = [finder for finder in sys.meta_path if isinstance(finder, AssertionRewritingHook)]
        for hook in hooks:
            spec = hook.find_spec(fullname, path, target)
            if spec is not None and spec.origin is not None and spec.origin.startswith(self._root):
                return spec if "-packages" + os.sep not in spec.origin else None
        return None

    def _left_out(self, fullname: str) -> bool:
        name = fullname
        while name and name not in self.scope.excluded:
            name = name.rpartition(".")[0]
        return bool(name)


class AssertingLoader(ConvertingLoader):
    """Loads a module that is converted and whose assertions are rewritten then."""

    def __init__(self, fullname: str, path: str, mapping: Mapping, hook: AssertionRewritingHook) -> None:
        super().__init__(fullname, path, mapping)
        self._hook = hook
        version = pytest.__version__.replace(".", "_")
        passing = "-pass" if hook.config.getini("enable_assertion_pass_hook") else ""
        self.tag = f"{mapping.tag}-pytest-{version}{passing}"

    def source_to_code(  # type: ignore[override]
        self, data: Any, path: Any, *args: Any, _optimize: int = -1
    ) -> CodeType:
        """Compile *data*, converted if that succeeds, with assertions that explain themselves."""
        self.converted = data
        place = os.fspath(path)
        tree = self._tree(data, place)
        _Rewriter(place, self._hook.config, data).run(tree)
        code: CodeType = compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)
        return code

    def _tree(self, data: bytes, path: str) -> ast.Module:
        if self.mapping.mentioned(data):
            from rewriter.conversion import convert

            package = self.name if self.is_package(self.name) else self.name.rpartition(".")[0]
            try:
                return convert(data, path, self.mapping, package=package).tree
            except (SyntaxError, KeyboardInterrupt, SystemExit, GeneratorExit):
                raise
            except BaseException as failure:  # as in `converted_code`
                self.converted = None
                ConversionFailed(self.name, path, failure).warn()
        return ast.parse(data, path)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module's code in *module*."""
        rewritten = getattr(self._hook, "_rewritten_names", None)
        if isinstance(rewritten, dict):  # what is registered for rewriting later is not too late
            rewritten[module.__name__] = Path(self.path)
        super().exec_module(module)


class _Rewriter(AssertionRewriter):
    """pytest's rewriter, which explains converted code as if it had not been converted."""

    def visit_Name(self, name: ast.Name) -> tuple[ast.Name, str]:
        if name.id.startswith(PREFIX):
            return name, self.explanation_param(ast.Constant(name.id.removeprefix(PREFIX)))
        return super().visit_Name(name)

    def visit_Call(self, call: ast.Call) -> tuple[ast.Name, str]:
        if isinstance(call.func, ast.Name) and call.func.id in _TRANSPARENT:
            value, explanation = self.visit(call.args[0])
            exchanged = ast.copy_location(ast.Call(call.func, [value, *call.args[1:]], []), call)
            return self.assign(exchanged), explanation
        return super().visit_Call(call)
