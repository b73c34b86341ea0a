"""CAV401."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.chains import Chain, Chains, Refusal, is_passed_on, raised_names, tested
from claude_api_lint.dataflow.trees import code_of
from claude_api_lint.filters import Filters
from claude_api_lint.lookups import Lookups
from claude_api_lint.open_values import OpenValues, Told
from claude_api_lint.parsing import Statement
from claude_api_lint.rule import Rule
from claude_api_lint.shapes import Shape
from claude_api_lint.stream_guards import StreamGuards


@dataclass(frozen=True)
class Exhaustive:
    """A chain whose fall-through fails."""

    chain: Chain
    owner: cst.CSTNode


class ExhaustiveMatch(Rule):
    """A value that the API may add variants to is matched exhaustively, and any other value fails.

    The versioning policy keeps it open to "add new variants to enum-like output values (for example, streaming event
    types)", inside one version, at any time: since 2023-06-01 the stop reasons grew from 4 to 7, the content blocks
    from 2 to 12. Code that raises, asserts or calls `assert_never` for a variant which it does not know works until the
    day that one is added.

    Reported for chains of `if`, `match` statements, chains of returns, `if x not in KNOWN: raise`, `assert`, and what
    is looked up (`handler = TABLE.get(x)`) and fails where nothing is found (`if handler is None: raise`), where the
    value is told by the dataflow, by the types of the SDK, or by the words that it is compared with. Code that
    tells apart what it has made itself, requests, and errors that are raised as errors anyway are left alone.

    Bad:

        def show(event):
            if event["type"] == "content_block_delta":
                print(event["delta"])
            elif event["type"] == "message_stop":
                print()
            else:
                raise ValueError(event["type"])

    Good:

        def show(event):
            if event["type"] == "content_block_delta":
                print(event["delta"])
            elif event["type"] == "message_stop":
                print()
            else:
                pass

    Fix: lets other values pass where nothing depends on them (unsafe); keeps `assert_never` for the type checker alone
    (safe, where nothing depends on them).

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV401"
    name = "exhaustive-match"
    since = "2023-01-01"
    needles = ("raise", "assert")
    origins = load_catalog().output_needles

    @cached_property
    def chains(self) -> Chains:
        return Chains(self.analysis.module)

    @cached_property
    def guards(self) -> StreamGuards:
        return StreamGuards(self.analysis)

    @cached_property
    def filters(self) -> Filters:
        return Filters(self.analysis)

    @cached_property
    def lookups(self) -> Lookups:
        return Lookups(self.analysis)

    @cached_property
    def values(self) -> OpenValues:
        return OpenValues(self.analysis)

    def looks_into(self, statement: Statement) -> bool:
        if not any(needle in statement.lowered for needle in self.needles):
            return False
        return statement.shapes is None or any(map(self._may_refuse, statement.shapes))

    def _may_refuse(self, shape: Shape) -> bool:
        fails = shape.kinds & {"Raise", "Assert"} or any("assert" in name for name in shape.calls)
        looks_up = "getattr" in shape.calls or ("get" in shape.calls and self.values.are_listed)
        return bool(fails) and (looks_up or self.values.are_compared(shape))

    def visit_If(self, node: cst.If) -> None:
        chain = self.chains.of_if(node)
        if chain is not None:
            self._judge(chain, node, chain.failing)
            return
        refusal = self.chains.of_refusal(node)
        if refusal is not None:
            self._judge(refusal, node, node)
        elif (refused := self.chains.of_none(node)) is not None:
            self._judge_lookup(refused, node)

    def visit_Match(self, node: cst.Match) -> None:
        chain, _ = self.chains.of_match(node)
        if chain is not None:
            self._judge(chain, node, chain.failing)

    def visit_Assert(self, node: cst.Assert) -> None:
        said = tested(node.test)
        if said is not None and said.positive and said.words:
            self._judge(Chain(said.subject, said.words, (), node, None, (said,), True), node, node)

    def _judge(self, chain: Chain, owner: cst.CSTNode, place: cst.CSTNode | None) -> None:
        """Report a chain over an open value that makes every other variant fail."""
        if place is None or self.chains.is_raising_anyway(owner):
            return
        words = chain.words.union(*(self.values.words_of(collection) for collection in chain.collections))
        told = self.values.of_classes(chain.subject, chain.classes) if chain.classes else None
        told = told or (self.values.of(chain.subject, words, chain.key) if words else None)
        self._report(replace(chain, words=words), owner, place, told)

    def _judge_lookup(self, refused: Refusal, owner: cst.If) -> None:
        """Report a lookup of an open value whose None makes every other variant fail."""
        lookup = self.lookups.giving_none(refused.value)
        if lookup is None:
            return
        words = self.lookups.words_of_table(lookup.table) if lookup.table is not None else frozenset[str]()
        told = self.values.of(lookup.key, words) if words else None
        told = told or (self.values.wherever(lookup.key) if lookup.table is None else None)
        chain = Chain(lookup.key, words, (), refused.failing, refused.fallback, refuses=True)
        self._report(chain, owner, refused.place, told)

    def _report(self, chain: Chain, owner: cst.CSTNode, place: cst.CSTNode, told: Told | None) -> None:
        if told is None or self._is_meant(chain, owner, told):
            return
        message = (
            f"{told.output.one} that is not listed here fails, but the API may add variants at any time "
            f"({code_of(chain.subject)})"
        )
        self.report(place, message, told.confidence, Exhaustive(chain, owner))

    def _is_meant(self, chain: Chain, owner: cst.CSTNode, told: Told) -> bool:
        """Whether other values cannot come here, or are meant to fail."""
        if told.output.is_error and (self.chains.raises_in_an_arm(owner) or is_passed_on(chain.failing)):
            return True
        if not told.output.names_a_type and len(chain.words) < (3 if chain.refuses else 2):
            return True
        assert chain.failing is not None
        if self.guards.is_caught(chain.failing, raised_names(chain.failing)):
            return True
        return self.filters.are_around(owner, chain.subject)
