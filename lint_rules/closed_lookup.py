"""CAV403."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.dataflow.trees import code_of, last_name
from claude_api_lint.lookups import Lookups
from claude_api_lint.open_values import OpenValues, Told
from claude_api_lint.parsing import Statement
from claude_api_lint.rule import Rule
from claude_api_lint.shapes import LOOKUP


@dataclass(frozen=True)
class Closed:
    """A lookup of an open value, ``key``, in a ``table`` (None for an Enum or attributes)."""

    key: cst.BaseExpression
    table: cst.BaseExpression | None = None


class ClosedLookup(Rule):
    """A value that the API may add variants to is looked up in a table that has only the known ones.

    "Add new variants to enum-like output values (for example, streaming event types)" is what the versioning policy
    keeps open, inside one version, at any time. `TABLE[value]`, `Enum(value)` and `getattr(self, f"on_{value}")` raise
    KeyError, ValueError or AttributeError on the day that a variant is added which they do not know.

    Reported where the value is told by the dataflow, by the SDK's types, or by the words that the table has for keys.
    Lookups that were guarded (`if value in TABLE`), errors that are caught, tables with a default, Enums with
    `_missing_`, and what the program reads back from a database or the command line are left alone.

    Bad:

        FINISH = {"end_turn": "stop", "max_tokens": "length"}


        def finish(message):
            return FINISH[message["stop_reason"]]

    Good:

        FINISH = {"end_turn": "stop", "max_tokens": "length"}


        def finish(message):
            return FINISH.get(message["stop_reason"], "stop")

    Fix: gives `.get` the table's neutral default, where there is one (unsafe).

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV403"
    name = "closed-lookup"
    since = "2023-01-01"
    needles = ("[", "enum", "getattr")
    origins = load_catalog().output_needles

    @cached_property
    def values(self) -> OpenValues:
        return OpenValues(self.analysis)

    @cached_property
    def lookups(self) -> Lookups:
        return Lookups(self.analysis)

    def looks_into(self, statement: Statement) -> bool:
        if statement.shapes is None:
            return True
        return any(
            "getattr" in shape.calls or (LOOKUP in shape.kinds and self.values.are_listed) for shape in statement.shapes
        )

    def visit_Subscript(self, node: cst.Subscript) -> None:
        key = self.lookups.key_of(node)
        if key is None or self.lookups.is_cared_for(node, key):
            return
        words = self.lookups.words_of_table(node.value)
        told = self._of_table(key, words) if words else None
        if not words and isinstance(node.value, cst.Name | cst.Attribute) and self.lookups.is_enum(node.value):
            told = self.values.wherever(key)
        self._report(node, told, Closed(key, node.value))

    def visit_Call(self, node: cst.Call) -> None:
        if last_name(node.func) == "getattr" and len(node.args) == 2:
            key = self.lookups.key_in_text(node.args[1].value)
            if key is not None and not self.lookups.is_cared_for(node, key):
                self._report(node, self.values.wherever(key), Closed(key))
        elif len(node.args) == 1 and node.args[0].keyword is None and isinstance(node.func, cst.Name | cst.Attribute):
            key = node.args[0].value
            words = self.lookups.words_of_enum(node.func) if not isinstance(key, cst.SimpleString) else frozenset()
            if words and not self.lookups.is_cared_for(node, key):
                self._report(node, self._of_enum(key, words), Closed(key))

    def _of_table(self, key: cst.BaseExpression, words: frozenset[str]) -> Told | None:
        """The open value that a key is; the table's words tell it only where the key is called like one."""
        return self.values.of(key, words) if self.lookups.speaks(key) else self.values.seen(key, words)

    def _of_enum(self, key: cst.BaseExpression, words: frozenset[str]) -> Told | None:
        """The open value that an Enum is made of; its words tell nothing of what comes out of a file."""
        return self.values.seen(key, words) if self.values.stored.is_from_file(key) else self.values.of(key, words)

    def _report(self, node: cst.CSTNode, told: Told | None, evidence: Closed) -> None:
        if told is None:
            return
        message = (
            f"{told.output.one} that is not in the table fails, but the API may add variants at any time "
            f"({code_of(evidence.key)})"
        )
        self.report(node, message, told.confidence, evidence)
