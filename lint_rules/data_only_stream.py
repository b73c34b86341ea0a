"""CAV303."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from claude_api_lint.api import ChangeKind, load_catalog
from claude_api_lint.dataflow.trees import dotted, last_name, string_value, walk
from claude_api_lint.findings import Confidence
from claude_api_lint.loops import loop_around
from claude_api_lint.replies import Kind, ReplyPart
from claude_api_lint.rule import Rule, StepPart
from claude_api_lint.stream_guards import KEY_ERRORS, PARSE_ERRORS, StreamGuards

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
            if line:
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
        if not self.analysis.replies.parses(node) or not self._is_read_line_by_line(node):
            return
        if self._is_let_through(node, text):
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

    def _is_read_line_by_line(self, node: cst.Call) -> bool:
        """Whether a parser runs for each line; one behind the loop parses what was put together of them."""
        module = self.analysis.module
        if loop_around(module, node) is not None:
            return True
        if any(isinstance(above, cst.BaseComp) for above in module.ancestors(node)):
            return True
        return any(loop_around(module, call) is not None for call in self._callers(node))

    def _callers(self, node: cst.CSTNode) -> list[cst.Call]:
        """The calls of the function that a node stands in."""
        scope = self.analysis.module.scope_of(node)
        if not isinstance(scope, cst.FunctionDef):
            return []
        return [call for call, _ in self.analysis.evaluator.calls.callers(self.analysis.module, scope)]

    def _is_let_through(self, node: cst.CSTNode, text: cst.BaseExpression) -> bool:
        """Whether what is no data does not get to a node, or does no harm there; the callers may see to it."""
        if self._is_harmless(node, text):
            return True
        if loop_around(self.analysis.module, node) is not None:
            return False
        arguments = [(call, argument.value) for call in self._callers(node) for argument in call.args]
        return any(self._is_harmless(call, value) for call, value in arguments)

    def _is_harmless(self, node: cst.CSTNode, text: cst.BaseExpression) -> bool:
        return self.guards.is_caught(node, PARSE_ERRORS) or self.guards.is_filtered(node, text)

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
        if self.guards.looks_at_event(node, stream.text) or not self._is_first(node):
            return
        message = (
            f'"{stream.text}" is read from every event of a Claude stream; ping and error events have none, '
            "and other types may be added"
        )
        self.report(node, message, Confidence.LIKELY, UnfilteredEvent(node.value, stream.text, part))

    @property
    def _texts(self) -> set[str]:
        return {stream.text for stream in self.analysis.catalog.streams if stream.text is not None}

    def _is_first(self, node: cst.Subscript) -> bool:
        """Whether no other reading of the same field from the same name comes before, in the same loop."""
        loop, event = loop_around(self.analysis.module, node), dotted(node.value)
        if loop is None or event is None:
            return True
        for inner in walk(loop.body, into_scopes=False):
            if inner is node:
                return True
            if isinstance(inner, cst.Subscript) and dotted(inner.value) == event:
                index = inner.slice[0].slice
                if isinstance(index, cst.Index) and string_value(index.value) in self._texts:
                    return False
        return True
