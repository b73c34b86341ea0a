"""Tests for the sentinel that closed a stream: what is compared with it, and how the test comes out without it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from claude_api_lint.api import ChangeKind
from claude_api_lint.dataflow.trees import is_literal, last_name, string_value
from claude_api_lint.dataflow.values import Const, Sequence, Value
from claude_api_lint.rule import Analysis

_EQUAL = cst.Equal | cst.Is
_UNEQUAL = cst.NotEqual | cst.IsNot
_DISPLAY = cst.Tuple | cst.List | cst.Set
_NAMED_DONE = re.compile(r"(^|_)DONE(_|$)|SENTINEL|END_?MARKER|STOP_?MARKER")
_SEARCHING = frozenset({"startswith", "endswith"})


@dataclass(frozen=True)
class SentinelTest:
    """A test whether ``subject`` is the sentinel, or has it; ``outcome`` is how it comes out when none is sent.

    ``others`` are the elements of a tuple that are compared beside the sentinel; None where there are none. ``shared``
    tells that they stand elsewhere. ``option`` is the one of several patterns of a case that is the sentinel.
    ``by_name`` tells that only the name of a constant speaks of it. ``endpoint`` is that of the stream, once known.
    ``serves_others`` tells that the words around alone speak of the stream, which may be another as well.
    """

    subject: cst.BaseExpression
    outcome: bool
    others: tuple[cst.BaseElement, ...] | None = None
    shared: bool = False
    option: cst.MatchOrElement | None = None
    by_name: bool = False
    endpoint: str | None = None
    serves_others: bool = False


class Sentinels:
    """Finds the tests of one module."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @cached_property
    def names(self) -> list[str]:
        """What closed a stream in some version before the target: ``[DONE]``."""
        changes = self.analysis.catalog.changes(ChangeKind.STREAM_SENTINEL_REMOVED, self.analysis.target)
        return [change.name for change in changes]

    def in_comparison(self, node: cst.Comparison) -> SentinelTest | None:
        """``data == "[DONE]"``, ``"[DONE]" in line``, ``data in ("", "[DONE]")``, and the like."""
        if len(node.comparisons) != 1:
            return None
        left, operator, right = node.left, node.comparisons[0].operator, node.comparisons[0].comparator
        if isinstance(operator, _EQUAL | _UNEQUAL):
            outcome = isinstance(operator, _UNEQUAL)
            for subject, sentinel in ((left, right), (right, left)):
                if not is_literal(subject) and self.is_sentinel(sentinel):
                    return SentinelTest(subject, outcome, by_name=_is_named(sentinel))
        if not isinstance(operator, cst.In | cst.NotIn):
            return None
        outcome = isinstance(operator, cst.NotIn)
        if not isinstance(right, _DISPLAY) and self.is_sentinel(left):
            return SentinelTest(right, outcome, by_name=_is_named(left))
        return self._among(left, right, outcome)

    def _among(self, subject: cst.BaseExpression, collection: cst.BaseExpression, outcome: bool) -> SentinelTest | None:
        """A test whether something is one of several texts, the sentinel among them."""
        if isinstance(collection, _DISPLAY):
            others = tuple(element for element in collection.elements if not self.is_sentinel(element.value))
            return SentinelTest(subject, outcome, others or None) if len(others) < len(collection.elements) else None
        if not isinstance(collection, cst.Name | cst.Attribute) or not self._may_stand_for_sentinel(collection):
            return None
        evaluator = self.analysis.evaluator
        for value in self._values(collection):
            items = [evaluator.only(item) for item in value.items] if isinstance(value, Sequence) else []
            if any(self._is_said_by(item) for item in items):
                return SentinelTest(subject, outcome, shared=len(items) > 1)
        return None

    def in_call(self, node: cst.Call) -> SentinelTest | None:
        """``line.startswith("data: [DONE]")``."""
        if not isinstance(node.func, cst.Attribute) or node.func.attr.value not in _SEARCHING or not node.args:
            return None
        return SentinelTest(node.func.value, False) if self.is_sentinel(node.args[0].value) else None

    def in_case(self, node: cst.Match, case: cst.MatchCase) -> SentinelTest | None:
        """``case "[DONE]":``, alone, beside other patterns, or as an element of a sequence."""
        if isinstance(case.pattern, cst.MatchOr):
            option = next((option for option in case.pattern.patterns if self._is_in(option.pattern)), None)
            return SentinelTest(node.subject, False, option=option) if option is not None else None
        return SentinelTest(node.subject, False) if self._is_in(case.pattern) else None

    def _is_in(self, pattern: cst.MatchPattern) -> bool:
        if isinstance(pattern, cst.MatchSequence):
            return any(self._is_in(e.value) for e in pattern.patterns if isinstance(e, cst.MatchSequenceElement))
        return isinstance(pattern, cst.MatchValue) and self.is_sentinel(pattern.value)

    # What is the sentinel

    def is_sentinel(self, node: cst.BaseExpression) -> bool:
        """Whether an operand is the sentinel, with or without what the line has around it."""
        literal = string_value(node)
        if literal is not None:
            return self._says_so(literal)
        if not isinstance(node, cst.Name | cst.Attribute) or not self._may_stand_for_sentinel(node):
            return False
        constants = [value for value in self._values(node) if isinstance(value, Const)]
        return any(map(self._is_said_by, constants)) if constants else _is_named(node)

    def _may_stand_for_sentinel(self, node: cst.BaseExpression) -> bool:
        """A cheap look before a name is evaluated: the module holds the sentinel, or the name speaks of it."""
        return _is_named(node) or any(name in self.analysis.module.source.text for name in self.names)

    def _values(self, node: cst.BaseExpression) -> list[Value]:
        evaluator = self.analysis.evaluator
        return [a.value for a in evaluator.evaluate(node, evaluator.frame_of(self.analysis.module, node))]

    def _is_said_by(self, value: Value) -> bool:
        return isinstance(value, Const) and isinstance(value.value, str | bytes) and self._says_so(value.value)

    def _says_so(self, value: str | bytes) -> bool:
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        return text.strip().removeprefix("data:").strip() in self.names


def _is_named(node: cst.BaseExpression) -> bool:
    """Whether a constant is named after the sentinel: ``Handler.DONE_MARKER``."""
    name = last_name(node) or ""
    return name.isupper() and _NAMED_DONE.search(name) is not None
