"""CAV301."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from claude_api_lint.api import ChangeKind, load_catalog
from claude_api_lint.dataflow.trees import dotted, last_name, string_value
from claude_api_lint.dataflow.values import Const, Sequence
from claude_api_lint.findings import Confidence
from claude_api_lint.replies import ELSEWHERE, Kind, ReplyPart
from claude_api_lint.rule import Rule, StepPart

_EQUAL = cst.Equal | cst.Is
_UNEQUAL = cst.NotEqual | cst.IsNot
_NAMED_DONE = re.compile(r"(^|_)done(_|$)|[a-z]Done\b|^Done|_?sentinel|end_?marker|stop_?marker", re.IGNORECASE)
_SEARCHING = frozenset({"startswith", "endswith"})


@dataclass(frozen=True)
class SentinelTest:
    """A test for the sentinel: how it comes out now that the sentinel never comes, and the endpoint of the stream.

    ``others`` are the elements of a tuple that are compared beside the sentinel; None where there are none. ``shared``
    tells that they stand elsewhere. ``option`` is the one of several patterns of a case that is the sentinel.
    """

    outcome: bool
    endpoint: str | None
    others: tuple[cst.BaseElement, ...] | None = None
    shared: bool = False
    option: cst.MatchOrElement | None = None


class DoneSentinel(Rule):
    """A stream of the Claude API is tested for `[DONE]`.

    Under version 2023-01-01 a stream ended with `data: [DONE]`. Since 2023-06-01 no such data is sent: a Messages
    stream ends with the event `message_stop`, a Text Completions stream with the event that has a stop reason. The test
    never holds. At best it is dead code, copied from a client of another API. A loop that waits for nothing else never
    ends, and what is to be done at the end (flushing, counting, "the stream broke off") is not done, or always.

    Reported when the text that is compared comes from a reply of the Claude API, or when the code around it handles the
    events of such a stream. Streams of other APIs, and code that sends `[DONE]` to its own clients, are left alone.

    Bad:

        for line in response.iter_lines():
            if line == b"data: [DONE]":
                break

    Good:

        for line in response.iter_lines():
            if not line.startswith(b"data:"):
                continue
            event = json.loads(line[5:])
            if event["type"] == "message_stop":
                break

    Fix: drops the test (safe). Where the loop has no other end, or where the end matters, what the test led to moves to
    the event that ends the stream (safe; unsafe where it does more than leave).

    Reference: https://platform.claude.com/docs/en/build-with-claude/streaming
    """

    code = "CAV301"
    name = "done-sentinel"
    since = "2023-06-01"
    needles = ("done", "sentinel", "marker")
    part_of_step = StepPart.REPLY
    origins = load_catalog().stream_needles

    def visit_Comparison(self, node: cst.Comparison) -> None:
        if len(node.comparisons) != 1:
            return
        target = node.comparisons[0]
        for left, right in ((node.left, target.comparator), (target.comparator, node.left)):
            self._judge_operands(node, left, target.operator, right, swapped=left is not node.left)

    def _judge_operands(
        self,
        node: cst.Comparison,
        subject: cst.BaseExpression,
        operator: cst.BaseCompOp,
        sentinel: cst.BaseExpression,
        swapped: bool,
    ) -> None:
        if isinstance(operator, _EQUAL | _UNEQUAL) and self._is_sentinel(sentinel):
            self._judge(node, subject, isinstance(operator, _UNEQUAL), self._is_named(sentinel))
        elif isinstance(operator, cst.In | cst.NotIn):
            outcome = isinstance(operator, cst.NotIn)
            if swapped and self._is_sentinel(sentinel):  # "[DONE]" in line
                self._judge(node, subject, outcome, self._is_named(sentinel))
            elif not swapped and (others := self._others(sentinel)) is not None:
                self._judge(node, subject, outcome, False, others or None)
            elif not swapped and (others_elsewhere := self._others_elsewhere(sentinel)) is not None:
                self._judge(node, subject, outcome, False, shared=others_elsewhere)

    def visit_Call(self, node: cst.Call) -> None:
        if not isinstance(node.func, cst.Attribute) or node.func.attr.value not in _SEARCHING or not node.args:
            return
        if self._is_sentinel(node.args[0].value):
            self._judge(node, node.func.value, False, False)

    def visit_Match(self, node: cst.Match) -> None:
        for case in node.cases:
            if isinstance(case.pattern, cst.MatchOr):
                for option in case.pattern.patterns:
                    if self._has_sentinel(option.pattern):
                        self._judge(case, node.subject, False, False, option=option)
            elif self._has_sentinel(case.pattern):
                self._judge(case, node.subject, False, False)

    def _has_sentinel(self, pattern: cst.MatchPattern) -> bool:
        """Whether a pattern, or an element of a pattern of a sequence, is the sentinel."""
        if isinstance(pattern, cst.MatchSequence):
            return any(self._has_sentinel(e.value) for e in pattern.patterns if isinstance(e, cst.MatchSequenceElement))
        return isinstance(pattern, cst.MatchValue) and self._is_sentinel(pattern.value)

    # What is compared with what

    def _is_sentinel(self, node: cst.BaseExpression) -> bool:
        """Whether an operand is the sentinel, with or without what the line has around it."""
        if not isinstance(node, cst.SimpleString | cst.ConcatenatedString | cst.Name | cst.Attribute):
            return False
        literal = string_value(node)
        if literal is not None:
            return self._says_done(literal)
        if isinstance(node, cst.SimpleString | cst.ConcatenatedString) or not self._may_name_sentinel(node):
            return False
        value = self.analysis.evaluator.evaluate(node, self.analysis.evaluator.frame_of(self.analysis.module, node))
        constants = [alternative.value for alternative in value if isinstance(alternative.value, Const)]
        if constants:
            return any(isinstance(c.value, str | bytes) and self._says_done(c.value) for c in constants)
        return self._is_named(node)

    def _may_name_sentinel(self, node: cst.BaseExpression) -> bool:
        """A cheap look before a name is evaluated: the module holds the sentinel, or the name speaks of it."""
        return self._is_named(node) or any(f"[{word}]" in self.analysis.module.source.text for word in self._words)

    @property
    def _words(self) -> list[str]:
        return [sentinel.strip("[]") for sentinel in self._sentinels]

    @property
    def _sentinels(self) -> list[str]:
        changes = self.analysis.catalog.changes(ChangeKind.STREAM_SENTINEL_REMOVED, self.analysis.target)
        return [change.name for change in changes]

    def _says_done(self, value: str | bytes) -> bool:
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        return text.strip().removeprefix("data:").strip() in self._sentinels

    def _is_named(self, node: cst.BaseExpression) -> bool:
        """Whether a constant from elsewhere is named after the sentinel: ``Handler.DONE_MARKER``."""
        name = dotted(node)
        return (
            name is not None and name.rsplit(".", 1)[-1].isupper() and bool(_NAMED_DONE.search(last_name(node) or ""))
        )

    def _others(self, node: cst.BaseExpression) -> tuple[cst.BaseElement, ...] | None:
        """The other elements of a tuple, list or set of texts that has the sentinel; None for anything else."""
        if isinstance(node, cst.Tuple | cst.List | cst.Set):
            others = tuple(element for element in node.elements if not self._is_sentinel(element.value))
            return others if len(others) < len(node.elements) else None
        return None

    def _others_elsewhere(self, node: cst.BaseExpression) -> bool | None:
        """Whether a named collection that has the sentinel has other texts, too; None for anything else."""
        if not isinstance(node, cst.Name | cst.Attribute) or not self._may_name_sentinel(node):
            return None
        evaluator = self.analysis.evaluator
        for alternative in evaluator.evaluate(node, evaluator.frame_of(self.analysis.module, node)):
            if isinstance(alternative.value, Sequence):
                items = [evaluator.only(item) for item in alternative.value.items]
                texts = [item.value for item in items if isinstance(item, Const)]
                if any(isinstance(text, str | bytes) and self._says_done(text) for text in texts):
                    return len(items) > 1 or alternative.value.open
        return None

    # Whose stream it is

    def _judge(
        self,
        node: cst.CSTNode,
        subject: cst.BaseExpression,
        outcome: bool,
        only_named: bool,
        others: tuple[cst.BaseElement, ...] | None = None,
        shared: bool = False,
        option: cst.MatchOrElement | None = None,
    ) -> None:
        """Report a test for the sentinel where its subject is the text of a Claude stream."""
        if not self._sentinels or self.is_for_a_version(node):
            return
        part = self.analysis.replies.whence(subject)
        if part is ELSEWHERE:
            return
        if isinstance(part, ReplyPart):
            if part.is_text or part.kind in (Kind.LINES, Kind.BLOCKS):
                confidence = Confidence.LIKELY if only_named else part.confidence
                self._report(node, SentinelTest(outcome, part.endpoint, others, shared, option), confidence)
            return
        endpoint = self.analysis.vocabulary.endpoint_of(node)
        if endpoint is not None and not only_named:
            self._report(node, SentinelTest(outcome, endpoint, others, shared, option), Confidence.LIKELY)

    def _report(self, node: cst.CSTNode, evidence: SentinelTest, confidence: Confidence) -> None:
        stream = self.analysis.catalog.stream(evidence.endpoint)
        end = ""
        if stream is not None:
            end = f"it ends with {stream.end_value}" if stream.end_value else f"its last event has a {stream.end_key}"
        message = f"a Claude stream sends no {self._sentinels[0]} since {self.since}" + (f": {end}" if end else "")
        self.report(node, message, confidence, evidence)
