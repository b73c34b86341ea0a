"""CAV301."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeGuard

import libcst as cst

from claude_api_lint.api import Stream
from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of, string_value, walk
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Change, Fixer, NoFix, rewriting
from claude_api_lint.folding import Folded, fold, statements_of
from claude_api_lint.layout import has_comment, quoted
from claude_api_lint.loops import Loop, ParsedEvent, exits, is_endless, loop_around, parsed_event, steps_after
from claude_api_lint.rule import Violation
from claude_api_lint.sentinels import SentinelTest

_LEAVING = cst.Break | cst.Continue | cst.Return | cst.Raise


class DropDoneSentinel(Fixer):
    """Drops the test for the sentinel; what it led to moves to the event that ends the stream, where that matters."""

    code = "CAV301"

    def fix(self, violation: Violation) -> Fix | NoFix:
        evidence = violation.evidence
        assert isinstance(evidence, SentinelTest)
        fix = self._without(violation.node, evidence)
        if isinstance(fix, Fix) and evidence.serves_others:
            return replace(fix, applicability=Applicability.UNSAFE)
        return fix

    def _without(self, node: cst.CSTNode, evidence: SentinelTest) -> Fix | NoFix:
        if evidence.shared:
            return NoFix("the sentinel stands in a collection that is written elsewhere")
        if evidence.others is not None and isinstance(node, cst.Comparison):
            shorter = _without_sentinel(node, evidence.others)
            return self._fix("drop the sentinel", {node: lambda _: shorter}, Applicability.SAFE)
        if evidence.option is not None and isinstance(node, cst.MatchCase):
            fewer = _without_option(node, evidence.option)
            return self._fix("drop the sentinel", {node: lambda updated: fewer(updated)}, Applicability.SAFE)
        folded = self._folded(node, evidence)
        return folded if isinstance(folded, NoFix) else self._dropped(folded, evidence)

    def _folded(self, node: cst.CSTNode, evidence: SentinelTest) -> Folded | NoFix:
        module = self.analysis.module
        if isinstance(node, cst.MatchCase):
            matched = module.parent(node)
            assert isinstance(matched, cst.Match)
            if len(matched.cases) == 1:
                return NoFix("it is the only case")
            steps = tuple(module.block(node.body).steps)
            removed: dict[cst.CSTNode, Change] = {node: lambda _: cst.RemovalSentinel.REMOVE}
            return Folded(removed, steps, has_comment(node), matched)
        assert isinstance(node, cst.BaseExpression)
        return fold(module, node, evidence.outcome)

    def _dropped(self, folded: Folded, evidence: SentinelTest) -> Fix | NoFix:
        """The fix that drops the test, and saves what it led to where that matters."""
        steps = _steps_of(folded, self.analysis.module)
        place = folded.decided
        if isinstance(place, cst.While) and not any(isinstance(node, cst.Break | cst.Return) for node in exits(place)):
            return NoFix("the loop has no other end; it has to end at the event that ends the stream")
        loop = loop_around(self.analysis.module, place) if place is not None else None
        applicability = Applicability.UNSAFE if folded.says_less else Applicability.SAFE
        if not steps or self._is_the_same_without(steps, loop):
            return self._fix("drop the test for the sentinel", folded.changes, applicability, place)
        if loop is None:
            if len(steps) == 1:
                return self._fix("drop the test for the sentinel", folded.changes, Applicability.UNSAFE, place)
            return NoFix("what is done at the end of the stream has to move to where the stream ends")
        if self._is_done_at_the_end(loop, steps, evidence):
            return self._fix("drop the test for the sentinel", folded.changes, applicability, place)
        moved = self._moved(folded, steps, loop, evidence)
        if isinstance(moved, NoFix):
            return moved
        if any(not isinstance(step, _LEAVING | cst.Pass) for step in steps):
            applicability = Applicability.UNSAFE
        return self._fix("leave the loop at the event that ends the stream", moved, applicability, loop)

    def _fix(
        self,
        title: str,
        changes: dict[cst.CSTNode, Change],
        applicability: Applicability,
        rearranged: cst.CSTNode | None = None,
    ) -> Fix | NoFix:
        edits = rewriting(self.analysis.module, changes)
        region = self.analysis.module.span(rearranged) if rearranged is not None else None
        return edits if isinstance(edits, NoFix) else Fix(title, applicability, edits, region)

    # Whether dropping is all

    def _is_the_same_without(self, steps: list[cst.CSTNode], loop: Loop | None) -> bool:
        """Whether the program does at the end of the response what it did at the sentinel."""
        if len([step for step in steps if not isinstance(step, cst.Pass)]) > 1:
            return False
        last = steps[-1]
        if isinstance(last, cst.Pass):
            return True
        if loop is None:
            return isinstance(last, cst.Return) and (last.value is None or code_of(last.value) == "None")
        if not self._ends_otherwise(loop, steps):
            return False
        if isinstance(last, cst.Continue):
            return True
        if isinstance(last, cst.Break):
            return loop.orelse is None
        return isinstance(last, cst.Return) and loop.orelse is None and self._falls_into(last, loop)

    def _falls_into(self, leaving: cst.Return, loop: Loop) -> bool:
        """Whether the natural end of a loop leads to the same ``return``, or to the end of the function."""
        after = steps_after(self.analysis.module, loop)
        if after and isinstance(after[0], cst.For | cst.While) and loop_around(self.analysis.module, loop) is after[0]:
            return self._falls_into(leaving, after[0]) and not is_endless(after[0])
        if not after:
            return leaving.value is None or code_of(leaving.value) == "None"
        return isinstance(after[0], cst.Return) and _same_value(after[0], leaving)

    def _ends_otherwise(self, loop: Loop, steps: list[cst.CSTNode]) -> bool:
        """Whether a loop ends without the sentinel: by itself, or by another way out."""
        if isinstance(loop, cst.For):
            return True
        if not is_endless(loop):
            return not any(code_of(target) in code_of(loop.test) for step in steps for target in _targets(step))
        within = {node for step in steps for node in walk(step)}
        return any(node not in within and not isinstance(node, cst.Raise) for node in exits(loop))

    def _is_done_at_the_end(self, loop: Loop, steps: list[cst.CSTNode], evidence: SentinelTest) -> bool:
        """Whether the same is done, statement for statement, at the event that ends the stream."""
        stream = self.analysis.catalog.stream(evidence.endpoint)
        if stream is None or stream.end_value is None:
            return False
        module, done = self.analysis.module, [code_of(step) for step in steps]
        ends = (node for node in walk(loop.body, into_scopes=False) if _is_chosen_by(node, stream.end_value))
        bodies = (module.block(end.body) for end in ends if loop_around(module, end) is loop)
        return any([code_of(step) for step in body.steps] == done for body in bodies)

    # Moving what was done at the sentinel

    def _moved(
        self, folded: Folded, steps: list[cst.CSTNode], loop: Loop, evidence: SentinelTest
    ) -> dict[cst.CSTNode, Change] | NoFix:
        module = self.analysis.module
        stream = self.analysis.catalog.stream(evidence.endpoint)
        if stream is None:
            return NoFix("it is not known which event ends this stream")
        if self._knows_its_end(loop, stream):
            return NoFix(
                "the loop handles the end of the stream elsewhere; what was done at the sentinel belongs there"
            )
        event = parsed_event(module, self.analysis.replies, loop)
        if event is None:
            return NoFix("the loop does not keep the parsed event, by which the end of the stream is told")
        anchor = self._anchor(event, stream)
        if anchor is None:
            return NoFix("there is no place at which the end of the stream can be told")
        body = _body_of(steps, module)
        if body is None:
            return NoFix("what was done at the sentinel cannot be moved")
        ending = cst.If(test=self._is_last(event, stream, loop), body=body)
        return {**folded.changes, anchor: _followed_by(ending, folded.changes.get(anchor))}

    def _knows_its_end(self, loop: Loop, stream: Stream) -> bool:
        compared = self.analysis.vocabulary.compared(loop)
        return stream.end_value in compared if stream.end_value else stream.end_key in self._tested_keys(loop)

    def _tested_keys(self, loop: Loop) -> set[object]:
        """The keys that tests inside a loop look up."""
        tests = [node.test for node in walk(loop.body, into_scopes=False) if isinstance(node, cst.If)]
        return {string_value(node) for test in tests for node in walk(test) if isinstance(node, cst.SimpleString)}

    def _anchor(self, event: ParsedEvent, stream: Stream) -> cst.CSTNode | None:
        """The statement behind which the end of the stream is told: the event with the end may hold text as well."""
        module = self.analysis.module
        place: cst.CSTNode = event.line
        around = module.parent(module.parent(place) or place)
        if isinstance(around, cst.Try) and len(module.block(around.body).steps) == 1:
            place = around
        if stream.end_value is not None:
            return place
        block = module.parent(place)
        if not isinstance(block, cst.IndentedBlock):
            return None
        last = block.body[-1]
        leaves = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], _LEAVING)
        return None if leaves else last

    def _is_last(self, event: ParsedEvent, stream: Stream, loop: Loop) -> cst.BaseExpression:
        """The test whether an event is the last one, in the loop's own manner of looking up keys."""
        key = code_of(quoted(stream.end_key, loop))
        if stream.end_value is None:
            return cst.parse_expression(f"{event.name}.get({key}) is not None")
        looks_up = f"{event.name}.get({key})" if f"{event.name}.get(" in code_of(loop) else f"{event.name}[{key}]"
        return cst.parse_expression(f"{looks_up} == {code_of(quoted(stream.end_value, loop))}")


def _is_chosen_by(node: cst.CSTNode, value: str) -> TypeGuard[cst.If | cst.MatchCase]:
    """Whether an arm runs where something is a value, and nowhere else."""
    if isinstance(node, cst.MatchCase):
        return node.guard is None and isinstance(node.pattern, cst.MatchValue) and _is_text(node.pattern.value, value)
    if not isinstance(node, cst.If) or not isinstance(node.test, cst.Comparison) or len(node.test.comparisons) != 1:
        return False
    compared = node.test.comparisons[0]
    return isinstance(compared.operator, cst.Equal) and (
        _is_text(node.test.left, value) or _is_text(compared.comparator, value)
    )


def _is_text(node: cst.BaseExpression, value: str) -> bool:
    return string_value(node) == value


def _without_option(case: cst.MatchCase, option: cst.MatchOrElement) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """Takes one of several patterns out of a case."""
    assert isinstance(case.pattern, cst.MatchOr)
    index = list(case.pattern.patterns).index(option)

    def change(updated: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(updated, cst.MatchCase)
        assert isinstance(updated.pattern, cst.MatchOr)
        kept = [pattern for i, pattern in enumerate(updated.pattern.patterns) if i != index]
        if len(kept) == 1:
            return updated.with_changes(pattern=kept[0].pattern)
        kept[-1] = kept[-1].with_changes(separator=cst.MaybeSentinel.DEFAULT)
        return updated.with_changes(pattern=updated.pattern.with_changes(patterns=kept))

    return change


def _without_sentinel(node: cst.Comparison, others: tuple[cst.BaseElement, ...]) -> cst.Comparison:
    """The comparison with the other elements of the tuple alone."""
    target = node.comparisons[0]
    collection = target.comparator
    assert isinstance(collection, cst.Tuple | cst.List | cst.Set)
    if len(others) == 1:
        equal = cst.Equal() if isinstance(target.operator, cst.In) else cst.NotEqual()
        return node.with_changes(comparisons=[target.with_changes(operator=equal, comparator=others[0].value)])
    last = collection.elements[-1]
    kept = [*others[:-1], others[-1].with_changes(comma=last.comma)]
    return node.with_changes(comparisons=[target.with_changes(comparator=collection.with_changes(elements=kept))])


def _steps_of(folded: Folded, module: Module) -> list[cst.CSTNode]:
    """The steps that are never reached any more, ``else`` opened."""
    steps: list[cst.CSTNode] = []
    for node in folded.dropped:
        steps.extend(module.block(node.body).steps if isinstance(node, cst.Else) else [node])
    return steps


def _body_of(steps: list[cst.CSTNode], module: Module) -> cst.BaseSuite | None:
    """The body that holds some steps, to be used in another place."""
    owner = module.position_of(steps[0])[0].owner
    body = getattr(owner, "body", None)
    if not isinstance(body, cst.BaseSuite):
        return None
    return cst.IndentedBlock(body=statements_of(body))


def _followed_by(statement: cst.BaseStatement, former: Change | None) -> Change:
    def change(updated: cst.CSTNode) -> cst.FlattenSentinel[cst.CSTNode]:
        before = former(updated) if former is not None else updated
        nodes = list(before) if isinstance(before, cst.FlattenSentinel) else [before]
        return cst.FlattenSentinel([*(node for node in nodes if isinstance(node, cst.CSTNode)), statement])

    return change


def _same_value(one: cst.Return, other: cst.Return) -> bool:
    return (code_of(one.value) if one.value else "None") == (code_of(other.value) if other.value else "None")


def _targets(step: cst.CSTNode) -> list[cst.CSTNode]:
    return [target.target for target in step.targets] if isinstance(step, cst.Assign) else []


__getattr__ = command_of(DropDoneSentinel)
