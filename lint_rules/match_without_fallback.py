"""CAV402."""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.chains import Chains
from claude_api_lint.dataflow.trees import code_of
from claude_api_lint.open_values import OpenValues
from claude_api_lint.parsing import Statement
from claude_api_lint.rule import Rule


class MatchWithoutFallback(Rule):
    """A `match` over a value that the API may add variants to has no case for the others.

    "Add new variants to enum-like output values (for example, streaming event types)" is what the versioning policy
    keeps open, at any time. A `match` without `case _` passes over a variant that it does not know in silence, and no
    reader can tell whether that is meant. "Your code should handle unknown event types gracefully": say so.

    Reported where the value is told by the dataflow, by the SDK's types, or by the words that it is compared with.

    Bad:

        def show(event):
            match event["type"]:
                case "content_block_delta":
                    print(event["delta"])
                case "message_stop":
                    print()

    Good:

        def show(event):
            match event["type"]:
                case "content_block_delta":
                    print(event["delta"])
                case "message_stop":
                    print()
                case _:
                    pass

    Fix: adds `case _: pass` (safe: the same behaviour, now said aloud).

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV402"
    name = "match-without-fallback"
    since = "2023-01-01"
    needles = ("match",)
    origins = load_catalog().output_needles

    @cached_property
    def values(self) -> OpenValues:
        return OpenValues(self.analysis)

    def looks_into(self, statement: Statement) -> bool:
        if statement.shapes is None:
            return True
        return any("Match" in shape.kinds and self.values.are_compared(shape) for shape in statement.shapes)

    def visit_Match(self, node: cst.Match) -> None:
        chain, falls_back = Chains(self.analysis.module).of_match(node)
        if chain is None or falls_back or chain.failing is not None:
            return
        told = self.values.of_classes(chain.subject, chain.classes) if chain.classes else None
        told = told or (self.values.of(chain.subject, chain.words, chain.key) if chain.words else None)
        if told is not None:
            message = (
                f"no case for {told.output.one} that is not listed here, but the API may add variants at any time "
                f"({code_of(chain.subject)})"
            )
            self.report(node, message, told.confidence)
