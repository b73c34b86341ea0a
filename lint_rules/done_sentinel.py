"""CAV301."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.findings import Confidence
from claude_api_lint.parsing import Statement
from claude_api_lint.replies import ELSEWHERE, Kind, ReplyPart
from claude_api_lint.rule import Rule, StepPart
from claude_api_lint.sentinels import Sentinels, SentinelTest


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
            if line.startswith(b"data:"):
                print(json.loads(line[5:]))

    Good:

        for line in response.iter_lines():
            if line.startswith(b"data:"):
                print(json.loads(line[5:]))

    Fix: drops the test (safe; unsafe where the code tests for other vendors as well). Where the loop has no other end,
    or where the end matters, what the test led to moves to the event that ends the stream (safe; unsafe where it does
    more than leave).

    Reference: https://platform.claude.com/docs/en/build-with-claude/streaming
    """

    code = "CAV301"
    name = "done-sentinel"
    since = "2023-06-01"
    needles = ("done", "sentinel", "marker")
    part_of_step = StepPart.REPLY
    origins = load_catalog().stream_needles
    follows_imports = True

    def looks_into(self, statement: Statement) -> bool:
        return self.is_near(statement)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        self._judge(node, self.sentinels.in_comparison(node))

    def visit_Call(self, node: cst.Call) -> None:
        self._judge(node, self.sentinels.in_call(node))

    def visit_Match(self, node: cst.Match) -> None:
        for case in node.cases:
            self._judge(case, self.sentinels.in_case(node, case))

    @cached_property
    def sentinels(self) -> Sentinels:
        return Sentinels(self.analysis)

    def _judge(self, node: cst.CSTNode, test: SentinelTest | None) -> None:
        """Report a test for the sentinel where its subject is the text of a Claude stream."""
        if test is None or self.is_for_a_version(node):
            return
        part = self.analysis.replies.whence(test.subject)
        if isinstance(part, ReplyPart):
            if part.is_text or part.kind in (Kind.LINES, Kind.BLOCKS):
                confidence = Confidence.LIKELY if test.by_name else part.confidence
                self._report(node, replace(test, endpoint=part.endpoint), confidence)
        elif part is not ELSEWHERE and not test.by_name:
            endpoint = self.analysis.vocabulary.endpoint_of(node)
            if endpoint is not None:
                serves_others = self.analysis.vocabulary.may_serve_others(node)
                test = replace(test, endpoint=endpoint, serves_others=serves_others)
                self._report(node, test, Confidence.LIKELY)

    def _report(self, node: cst.CSTNode, test: SentinelTest, confidence: Confidence) -> None:
        stream = self.analysis.catalog.stream(test.endpoint)
        message = f"a Claude stream sends no {self.sentinels.names[0]} since {self.since}"
        if stream is not None and stream.end_value is not None:
            message += f": it ends with {stream.end_value}"
        elif stream is not None:
            message += f": its last event has a {stream.end_key}"
        self.report(node, message, confidence, test)
