"""The libcst transformer: one import statement (or f-string) of source text in, its converted text out.

Given to it is only what has something to rewrite, statement by statement, as the syntax tree found it.  So it
keeps every space, comment and continuation of what it touches, cannot disturb what it does not, costs nothing
for the rest of the module, and does not fail on syntax elsewhere that libcst cannot read yet (or on nesting
that overflows it).  Converted text has as many lines as the original.

Rejected: parsing whole modules with libcst (100 ms per 1000 lines against 1), and its metadata (400 to 600).
This module is the only one that imports libcst, and nothing imports this module unless there is work for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from rewriter.mapping import Mapping
from rewriter.patched import private

GREEN = "runtime.green"

_EMPTY = cst.Module(body=[])


class _Transformer(cst.CSTTransformer):
    """Imports of mapped modules, and names out of *builtins* wherever they stand as an expression."""

    def __init__(self, mapping: Mapping, builtins: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._mapping = mapping
        self._builtins = builtins

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def leave_Import(
        self, original_node: cst.Import, updated_node: cst.Import
    ) -> cst.FlattenSentinel[cst.BaseSmallStatement]:
        statements: list[cst.BaseSmallStatement] = []
        gap: cst.BaseParenthesizableWhitespace = updated_node.whitespace_after_import
        for alias in updated_node.names:
            clauses = self._clauses(alias, _plain(gap))
            comma = alias.comma
            if isinstance(comma, cst.Comma):
                # The white space around a comma, with its continuations, goes around the semicolon.
                semicolon = cst.Semicolon(comma.whitespace_before, _spaced(comma.whitespace_after))
                clauses[-1] = clauses[-1].with_changes(semicolon=semicolon)
            statements += clauses
            gap = cst.SimpleWhitespace(" ")
        return cst.FlattenSentinel(statements)

    def _clauses(self, alias: cst.ImportAlias, gap: cst.SimpleWhitespace) -> list[cst.BaseSmallStatement]:
        """The statements for one ``name [as asname]`` of an import statement."""
        alias = alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)
        name, asname = alias.evaluated_name, alias.asname
        if not self._mapping.import_changes(name, alias.evaluated_alias):
            return [cst.Import([alias], whitespace_after_import=gap)]
        if "." not in name:
            module = _dotted(GREEN)
            return [cst.ImportFrom(module, [alias], whitespace_after_from=gap)]
        deep = alias.with_changes(name=_under_green(alias.name))
        if asname is not None:
            return [cst.Import([deep], whitespace_after_import=gap)]
        # The first clause loads the submodule, or says that there is none; the second binds the right name.
        top = cst.Name(name.partition(".")[0])
        load = cst.Import([deep.with_changes(asname=cst.AsName(top))], whitespace_after_import=gap)
        semicolon = cst.Semicolon(whitespace_after=cst.SimpleWhitespace(" "))
        bind = cst.ImportFrom(_dotted(GREEN), [cst.ImportAlias(top)])
        return [load.with_changes(semicolon=semicolon), bind]

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        assert updated_node.module is not None
        return updated_node.with_changes(module=_under_green(updated_node.module))

    # What is called like a builtin in these places is no expression.
    def visit_Attribute_attr(self, node: cst.Attribute) -> None:
        self._builtins, self._held = frozenset(), self._builtins

    def leave_Attribute_attr(self, node: cst.Attribute) -> None:
        self._builtins = self._held

    def visit_Arg_keyword(self, node: cst.Arg) -> None:
        self._builtins, self._held = frozenset(), self._builtins

    def leave_Arg_keyword(self, node: cst.Arg) -> None:
        self._builtins = self._held

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if updated_node.value in self._builtins:
            return updated_node.with_changes(value=private(updated_node.value))
        return updated_node


def import_statement(text: str, mapping: Mapping) -> str:
    """The converted text of one ``import …`` or ``from … import …`` statement.

    Raises libcst.ParserSyntaxError for text that is no statement.
    """
    converted = cst.parse_statement(text).visit(_Transformer(mapping))
    assert isinstance(converted, cst.SimpleStatementLine)
    return _EMPTY.code_for_node(converted).removesuffix("\n")


def formatted_string(text: str, mapping: Mapping, names: Sequence[str]) -> str:
    """The converted text of one f-string (or a concatenation of strings): every load of *names* is replaced.

    For Python 3.11, whose syntax tree does not know where in an f-string a name stands.
    """
    inside = f"({text}\n)"  # a concatenation may run over several lines
    converted = cst.parse_expression(inside).visit(_Transformer(mapping, frozenset(names)))
    assert isinstance(converted, cst.BaseExpression)
    return _EMPTY.code_for_node(converted)[1:-2]


def _plain(gap: cst.BaseParenthesizableWhitespace) -> cst.SimpleWhitespace:
    assert isinstance(gap, cst.SimpleWhitespace)  # no parentheses in an import statement's list of modules
    return gap


def _spaced(gap: cst.BaseParenthesizableWhitespace) -> cst.BaseParenthesizableWhitespace:
    return gap if not gap.empty else cst.SimpleWhitespace(" ")


def _dotted(name: str) -> cst.Attribute:
    first, _, second = name.partition(".")
    return cst.Attribute(cst.Name(first), cst.Name(second))


def _under_green(name: cst.Attribute | cst.Name) -> cst.Attribute:
    """*name* with ``runtime.green.`` before it, whatever white space stands around its dots."""
    if isinstance(name, cst.Name):
        return cst.Attribute(_dotted(GREEN), name)
    value = name.value
    assert isinstance(value, (cst.Attribute, cst.Name))
    return name.with_changes(value=_under_green(value))
