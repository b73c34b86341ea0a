"""CAV303."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from claude_api_lint.api import ChangeKind, load_catalog
from claude_api_lint.dataflow.trees import last_name, string_value
from claude_api_lint.findings import Confidence
from claude_api_lint.parsing import Statement
from claude_api_lint.replies import Kind, ReplyPart
from claude_api_lint.rule import Rule, StepPart
from claude_api_lint.stream_guards import KEY_ERRORS, StreamGuards

_PARSERS = frozenset({"loads", "decode"})


@dataclass(frozen=True)
class UnfilteredLine:
    """A line that is parsed although it may be ``event: ...``; ``part`` is what the text is."""

    text: cst.BaseExpression
    part: ReplyPart


@dataclass(frozen=True)
class UnfilteredEvent:
    """A field that is read from every event, although some have it not; ``event`` is the expression it is read from."""

    event: cst.BaseExpression
    key: str
    part: ReplyPart


class DataOnlyStream(Rule):
    """A stream of the Claude API is parsed as if it had data-only events, or one type of event.

    Under version 2023-01-01 a stream was a row of `data: ...` lines. Since 2023-06-01 every event has a name, in a line
    of its own: `event: completion` before its `data:`. Code that cuts off six characters and parses what is left fails
    at the first such line with JSONDecodeError. And `ping` and `error` events come between those with text: code that
    reads `completion` from every event fails at the first ping with KeyError. The API may add types of events at any
    time; "your code should handle unknown event types gracefully".

    Reported when a line of a Claude stream is parsed without a test that lets only `data:` lines pass, and (likely)
    when the text is read from every event without a look at the event. A parser that filters on the prefix, or that
    goes on after JSONDecodeError, is right.

    Bad:

        for line in response.iter_lines():
            event = json.loads(line[len(b"data: "):])

    Good:

        for line in response.iter_lines():
            if not line.startswith(b"data:"):
                continue
            event = json.loads(line[len(b"data: "):])

    Fix: skips what is not `data:`; skips events that have no text (safe). An `error` event is not skipped: reading the
    text still fails there, as it did before.

    Reference: https://platform.claude.com/docs/en/build-with-claude/streaming
    """

    code = "CAV303"
    name = "data-only-stream"
    since = "2023-06-01"
    needles = ("json", "completion")
    part_of_step = StepPart.REPLY
    origins = load_catalog().request_needles

    def looks_into(self, statement: Statement) -> bool:
        return self.is_near(statement)

    @cached_property
    def guards(self) -> StreamGuards:
        return StreamGuards(self.analysis)

    # Lines

    def visit_Call(self, node: cst.Call) -> None:
        if last_name(node.func) not in _PARSERS or not node.args or not self._has_named_events:
            return
        text = node.args[0].value
        part = self.analysis.replies.of(text)
        if part is None or part.kind not in (Kind.LINE, Kind.BLOCK) or not self._is_of_stream(part):
            return
        if not self.analysis.replies.parses(node) or not self.guards.is_run_for_each_line(node):
            return
        if self.guards.keep_other_lines_from(node, text):
            return
        message = (
            f'a line of a Claude stream is parsed that may be "event: ..."; events have names since {self.since}, '
            "only data: lines hold JSON"
        )
        self.report(node, message, part.confidence, UnfilteredLine(text, part))

    @property
    def _has_named_events(self) -> bool:
        changes = self.analysis.catalog.changes(ChangeKind.STREAM_EVENTS, self.analysis.target)
        return any(change.after == "named" for change in changes)

    def _is_of_stream(self, part: ReplyPart) -> bool:
        return part.streamed and (part.endpoint is None or self.analysis.catalog.stream(part.endpoint) is not None)

    # Events

    def visit_Subscript(self, node: cst.Subscript) -> None:
        index = node.slice[0].slice
        if not isinstance(index, cst.Index) or string_value(index.value) not in self._texts:
            return
        part = self.analysis.replies.of(node.value)
        if part is None or part.kind is not Kind.REPLY or part.path or not part.streamed or part.sdk:
            return
        stream = self.analysis.catalog.stream(part.endpoint)
        if stream is None or stream.text is None or self.guards.is_caught(node, KEY_ERRORS):
            return
        if self.guards.looks_at_event(node, stream.text) or self.guards.is_read_before(node):
            return
        message = (
            f'"{stream.text}" is read from every event of a Claude stream; ping and error events have none, '
            "and other types may be added"
        )
        self.report(node, message, Confidence.LIKELY, UnfilteredEvent(node.value, stream.text, part))

    @property
    def _texts(self) -> set[str]:
        return {stream.text for stream in self.analysis.catalog.streams if stream.text is not None}
