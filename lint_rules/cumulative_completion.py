"""CAV302."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.dataflow.trees import code_of, dotted
from claude_api_lint.findings import Confidence
from claude_api_lint.loops import Loop, loop_around
from claude_api_lint.parsing import Statement
from claude_api_lint.rule import Rule, StepPart
from claude_api_lint.streamed_texts import StreamedTexts, core, cut_by_call, is_fixed_place, is_what_came_before

_READ = re.compile(r"""["']completion["']|\.completion\b(?!\()""")


@dataclass(frozen=True)
class Cut:
    """An expression that cuts off what came before: the ``text`` that is cut, and ``seen``, by which it is."""

    text: cst.BaseExpression
    seen: cst.BaseExpression


@dataclass(frozen=True)
class Overwritten:
    """A statement of a loop that overwrites what came before: ``target`` gets ``text`` and keeps the last."""

    target: cst.BaseExpression
    text: cst.BaseExpression
    loop: Loop


class CumulativeCompletion(Rule):
    """The text of a Text Completions stream is treated as cumulative.

    Under version 2023-01-01 every event of a stream brought the whole text so far, and code cut off what it had seen,
    or kept the last event. Since 2023-06-01 an event brings only what is new: "Completion streams are incremental".
    Cutting then loses letters, and keeping the last leaves the last piece, which is mostly empty.

    Reported where the `completion` of a streamed reply (of `/v1/complete`, or of `completion_stream` of the old SDK) is
    sliced by the length of what came before, where that is removed or replaced, and where the text is overwritten in
    the loop and used after it. Code that does so only for version 2023-01-01 is left alone.

    Bad:

        for event in events:
            new = event["completion"][len(text):]
            text = event["completion"]

    Good:

        for event in events:
            new = event["completion"]
            text += event["completion"]

    Fix: appends, and uses what was cut as it is (safe).

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV302"
    name = "cumulative-completion"
    since = "2023-06-01"
    needles = ("completion",)
    part_of_step = StepPart.REPLY
    origins = load_catalog().stream_needles

    @classmethod
    def is_about(cls, lowered: str) -> bool:
        return super().is_about(lowered) and _READ.search(lowered) is not None

    def looks_into(self, statement: Statement) -> bool:
        if statement.shapes is None or _READ.search(statement.lowered) is not None:
            return True
        return any(shape.kinds & {"For", "AsyncFor", "While", "Slice"} for shape in statement.shapes)

    @cached_property
    def texts(self) -> StreamedTexts:
        return StreamedTexts(self.analysis)

    # Cutting off

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Slice):
            return
        lower, upper = node.slice[0].slice.lower, node.slice[0].slice.upper
        if lower is not None and upper is None and is_what_came_before(lower):
            self._judge_cut(node, node.value, lower)

    def visit_Call(self, node: cst.Call) -> None:
        text, seen = cut_by_call(node)
        if text is not None and seen is not None:
            parent = self.analysis.module.parent(node)
            element = isinstance(parent, cst.Subscript) and parent.value is node  # text.split(seen)[1]
            self._judge_cut(parent if element else node, text, seen)  # type: ignore[arg-type]

    def _judge_cut(self, node: cst.BaseExpression, text: cst.BaseExpression, seen: cst.BaseExpression) -> None:
        part = self.texts.of(text)
        if part is None or self.is_for_a_version(node) or not self.texts.is_followed_by(seen, node):
            return
        if self.texts.is_whole(text):
            return  # the finding is that the text itself is overwritten; cutting the whole text is right
        message = (
            "the text of a Claude stream is cut by what came before, but each event brings only what is new "
            f"since {self.since}"
        )
        self.report(node, message, part.confidence, Cut(text, seen))

    # Keeping the last

    def visit_Assign(self, node: cst.Assign) -> None:
        if len(node.targets) == 1:
            self._judge_overwriting(node, node.targets[0].target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._judge_overwriting(node, node.target, node.value)

    def _judge_overwriting(
        self, node: cst.Assign | cst.AnnAssign, target: cst.BaseExpression, value: cst.BaseExpression
    ) -> None:
        path, loop = dotted(target), loop_around(self.analysis.module, node)
        if loop is None or isinstance(value, cst.SimpleString | cst.Dict | cst.List):
            return
        if not (is_fixed_place(target) if path is None else self.texts.is_kept(path, node, loop)):
            return
        text, handled = core(value)
        part = self.texts.of(text)
        if part is None:
            if path is not None and self.texts.is_event_kept(path, value, loop) and not self.is_for_a_version(node):
                self._report_last(node, path)
            return
        if self.is_for_a_version(node) or (path is not None and self.texts.is_only_first(path, node)):
            return
        path, handled = path or code_of(target), handled or path is None
        loop = self.texts.loop_over(loop, part)
        message = (
            f"only the last piece of a Claude stream is kept in {path}: each event brings only what is new "
            f"since {self.since}"
        )
        evidence = None if handled else Overwritten(target, value, loop)
        confidence = Confidence.LIKELY if handled else part.confidence
        self.report(node, message, confidence, evidence)

    def visit_Return(self, node: cst.Return) -> None:
        """``if event["stop_reason"]: return event["completion"]``."""
        read = node.value
        if isinstance(read, cst.Subscript) and self.texts.is_last(read) and not self.is_for_a_version(node):
            self._report_last(node, code_of(read.value))

    def _report_last(self, node: cst.CSTNode, path: str) -> None:
        message = f"the text of the last event of a Claude stream ({path}) is only its last piece since {self.since}"
        self.report(node, message, Confidence.LIKELY)
