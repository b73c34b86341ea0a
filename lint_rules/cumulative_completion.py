"""CAV302."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from claude_api_lint.api import ChangeKind, load_catalog
from claude_api_lint.dataflow.trees import code_of, dotted, last_name, string_value, target_names, walk
from claude_api_lint.findings import Confidence
from claude_api_lint.loops import Loop, loop_around, steps_after
from claude_api_lint.replies import ELSEWHERE, Kind, ReplyPart
from claude_api_lint.rule import Rule, StepPart

_CUTTING_METHODS = frozenset({"removeprefix", "replace", "split", "partition", "lstrip"})
_COLLECTING = frozenset({"append", "write", "put", "send", "join"})
_SPLITTING = frozenset({"split", "partition"})
_REWRITING_METHODS = frozenset({"strip", "lstrip", "rstrip", "replace", "lower", "upper", "encode"})


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

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Slice):
            return
        lower, upper = node.slice[0].slice.lower, node.slice[0].slice.upper
        if lower is None or upper is not None or not _is_what_came_before(lower):
            return
        self._judge_cut(node, node.value, lower)

    def visit_Call(self, node: cst.Call) -> None:
        if not isinstance(node.func, cst.Attribute) or node.func.attr.value not in _CUTTING_METHODS or not node.args:
            return
        before = node.args[0].value
        if path_of_what_came_before(before) is None:
            return
        if node.func.attr.value == "replace" and (len(node.args) < 2 or string_value(node.args[1].value) != ""):
            return
        if node.func.attr.value in _SPLITTING:
            self._judge_cut(self._element_of(node), node.func.value, before)
        else:
            self._judge_cut(node, node.func.value, before)

    def _element_of(self, node: cst.Call) -> cst.BaseExpression:
        """``text.split(seen)[1]`` for the call in it."""
        parent = self.analysis.module.parent(node)
        return parent if isinstance(parent, cst.Subscript) and parent.value is node else node

    def visit_Assign(self, node: cst.Assign) -> None:
        if len(node.targets) == 1:
            self._judge_overwriting(node, node.targets[0].target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._judge_overwriting(node, node.target, node.value)

    # Cutting off

    def _judge_cut(self, node: cst.BaseExpression, text: cst.BaseExpression, seen: cst.BaseExpression) -> None:
        part = self._streamed_text(text)
        if part is None or self.is_for_a_version(node) or not self._follows_stream(node, seen):
            return
        if self._is_whole_text(text):
            return  # the finding is that the text itself is overwritten; cutting the whole text is right
        message = (
            "the text of a Claude stream is cut by what came before, but each event brings only what is new "
            f"since {self.since}"
        )
        self.report(node, message, part.confidence, Cut(text, seen))

    def _follows_stream(self, node: cst.CSTNode, seen: cst.BaseExpression) -> bool:
        """Whether what is cut by changes with the stream: it is assigned, or added to, in the loop; or an attribute."""
        measured = measured_text(seen)
        path = path_of_what_came_before(seen if measured is None else measured)
        loop = loop_around(self.analysis.module, node)
        if path is None or loop is None:
            return path is not None and "." in path
        return "." in path or any(_changes(inner, path) for inner in walk(loop.body, into_scopes=False))

    def _is_whole_text(self, text: cst.BaseExpression) -> bool:
        """Whether a text that is cut is also kept in its own name for after the loop."""
        loop, path = loop_around(self.analysis.module, text), dotted(text)
        for inner in walk(loop.body, into_scopes=False) if loop is not None and path is not None else ():
            if isinstance(inner, cst.Assign) and len(inner.targets) == 1 and dotted(inner.targets[0].target) == path:
                assert loop is not None
                assert path is not None
                if inner.value is not text and self._is_kept(path, inner, loop) and not _is_cut(inner.value):
                    return True
        return False

    def _streamed_text(self, node: cst.BaseExpression) -> ReplyPart | None:
        """The part of a reply that an expression is, where it is the text of a streamed event."""
        part = self.analysis.replies.of(node)
        if part is None:
            return self._evident_text(node)
        if part.kind is not Kind.REPLY or not part.streamed or part.path not in self._texts:
            return None
        return part if part.endpoint is None or part.endpoint in self._endpoints else None

    def _evident_text(self, node: cst.BaseExpression) -> ReplyPart | None:
        """``event["completion"]`` of something unknown, in a loop whose function speaks of Claude's completions."""
        if not isinstance(node, cst.Subscript) or loop_around(self.analysis.module, node) is None:
            return None
        index = node.slice[0].slice
        if not isinstance(index, cst.Index) or (string_value(index.value),) not in self._texts:
            return None
        if self.analysis.replies.whence(node) is ELSEWHERE:
            return None
        endpoint = self.analysis.vocabulary.endpoint_of(node)
        if endpoint not in self._endpoints:
            return None
        return ReplyPart(Kind.REPLY, endpoint, Confidence.LIKELY, cst.Call(cst.Name("unknown")), streamed=True)

    @property
    def _texts(self) -> set[tuple[object, ...]]:
        changes = self.analysis.catalog.changes(ChangeKind.STREAM_TEXT, self.analysis.target)
        return {(change.name,) for change in changes if change.after == "incremental"}

    @property
    def _endpoints(self) -> set[str]:
        changes = self.analysis.catalog.changes(ChangeKind.STREAM_TEXT, self.analysis.target)
        return {endpoint for change in changes for endpoint in change.where}

    # Overwriting

    def _judge_overwriting(
        self, node: cst.Assign | cst.AnnAssign, target: cst.BaseExpression, value: cst.BaseExpression
    ) -> None:
        path, loop = dotted(target), loop_around(self.analysis.module, node)
        if loop is None or not self._may_be_text(value):
            return
        if not (_is_fixed_place(target) if path is None else self._is_kept(path, node, loop)):
            return
        text, handled = _core(value)
        part = self._streamed_text(text)
        if part is None:
            self._judge_event_kept(node, path, value, loop)
            return
        if self.is_for_a_version(node) or (path is not None and self._is_only_first(path, node)):
            return
        path, handled = path or code_of(target), handled or path is None
        loop = self._outermost(loop, part)
        message = (
            f"only the last piece of a Claude stream is kept in {path}: each event brings only what is new "
            f"since {self.since}"
        )
        evidence = None if handled else Overwritten(target, value, loop)
        confidence = Confidence.LIKELY if handled else part.confidence
        self.report(node, message, confidence, evidence)

    def _judge_event_kept(self, node: cst.CSTNode, path: str | None, value: cst.BaseExpression, loop: Loop) -> None:
        """``last = event``, where the text of the last event is read after the loop."""
        if path is None or not isinstance(value, cst.Name):
            return
        part = self.analysis.replies.of(value)
        if part is None or part.kind is not Kind.REPLY or part.path or not part.streamed:
            return
        if part.endpoint not in self._endpoints or self.is_for_a_version(node):
            return
        if any(self._reads_text(step, path) for step in steps_after(self.analysis.module, loop) if step is not loop):
            self._report_last(node, path)

    def _report_last(self, node: cst.CSTNode, path: str) -> None:
        message = f"the text of the last event of a Claude stream ({path}) is only its last piece since {self.since}"
        self.report(node, message, Confidence.LIKELY)

    def _reads_text(self, step: cst.CSTNode, path: str) -> bool:
        """Whether the text of an event is read below a node."""
        for inner in walk(step):
            if isinstance(inner, cst.Subscript) and dotted(inner.value) == path:
                index = inner.slice[0].slice
                if isinstance(index, cst.Index) and (string_value(index.value),) in self._texts:
                    return True
        return False

    def visit_Return(self, node: cst.Return) -> None:
        """``if event["stop_reason"]: return event["completion"]``."""
        if not isinstance(node.value, cst.Subscript) or loop_around(self.analysis.module, node) is None:
            return
        index = node.value.slice[0].slice
        if not isinstance(index, cst.Index) or (string_value(index.value),) not in self._texts:
            return
        part = self._streamed_text(node.value)
        stream = self.analysis.catalog.stream(part.endpoint) if part is not None else None
        if stream is None or self.is_for_a_version(node):
            return
        frame = self.analysis.evaluator.frame_of(self.analysis.module, node)
        tests = self.analysis.evaluator.flow.tests_around(node, frame)
        if any(stream.end_key == string_value(inner) for test, _ in tests for inner in walk(test)):
            self._report_last(node, code_of(node.value.value))

    def _is_only_first(self, path: str, node: cst.CSTNode) -> bool:
        """Whether an assignment runs only while the name is still empty."""
        frame = self.analysis.evaluator.frame_of(self.analysis.module, node)
        tests = self.analysis.evaluator.flow.tests_around(node, frame)
        return any(_reads(test, path) and not _measures(test, path) for test, _ in tests)

    def _may_be_text(self, value: cst.BaseExpression) -> bool:
        """A cheap look: the value reads the text's key, or is a name."""
        return any(isinstance(inner, cst.Name | cst.SimpleString) for inner in walk(value)) and not isinstance(
            value, cst.SimpleString | cst.Dict | cst.List
        )

    def _is_kept(self, path: str, node: cst.CSTNode, loop: Loop) -> bool:
        """Whether what a loop assigns is used after it, and is not put together in the loop as well."""
        if _is_put_together(path, loop, node) or _is_cut_by(path, loop):
            return False
        if "." in path:
            return True
        for step in steps_after(self.analysis.module, loop):
            if step is not loop and _reads(step, path):
                return True
            if _binds(step, path):
                return False
        return False

    def _outermost(self, loop: Loop, part: ReplyPart) -> Loop:
        """The loop over the stream: an inner one goes over the lines of one piece."""
        around = loop_around(self.analysis.module, loop)
        if around is None or not isinstance(around, cst.For):
            return loop
        over = self.analysis.replies.of(around.iter)
        return self._outermost(around, part) if over is not None and over.sender is part.sender else loop


def _is_what_came_before(lower: cst.BaseExpression) -> bool:
    """``len(seen)``, or a counter; a number is no such thing."""
    measured = measured_text(lower)
    return path_of_what_came_before(lower if measured is None else measured) is not None


def measured_text(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """``text`` in ``len(text)``."""
    if isinstance(node, cst.Call) and last_name(node.func) == "len" and len(node.args) == 1:
        return node.args[0].value
    return None


def path_of_what_came_before(node: cst.BaseExpression) -> str | None:
    """The name that holds what came before: ``seen``, ``self.seen``; also in ``seen or ""`` and ``"".join(seen)``."""
    if isinstance(node, cst.Call) and last_name(node.func) == "join" and len(node.args) == 1:
        return dotted(node.args[0].value)
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
        return dotted(node.left) if string_value(node.right) == "" else None
    return dotted(node)


def _core(value: cst.BaseExpression) -> tuple[cst.BaseExpression, bool]:
    """The text in ``text.strip()`` or ``handler(text)``, and whether it was handled in between."""
    if (
        isinstance(value, cst.Call)
        and isinstance(value.func, cst.Attribute)
        and value.func.attr.value in _REWRITING_METHODS
    ):
        return _core(value.func.value)[0], True
    if isinstance(value, cst.Call) and len(value.args) == 1 and not _is_lookup(value):
        return value.args[0].value, True
    return value, False


def _is_lookup(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in ("get", "pop")


def _is_put_together(path: str, loop: Loop, node: cst.CSTNode) -> bool:
    """Whether the loop appends a name to something else, so that the name itself is only the piece."""
    for inner in walk(loop.body, into_scopes=False):
        appends = isinstance(inner, cst.AugAssign)
        adds = isinstance(inner, cst.Assign) and inner is not node and isinstance(inner.value, cst.BinaryOperation)
        if (appends or adds) and _reads(inner.value, path):  # type: ignore[attr-defined]
            return True
        if isinstance(inner, cst.Call) and last_name(inner.func) in _COLLECTING and _is_passed(inner, path):
            return True
    return False


def _is_cut_by(path: str, loop: Loop) -> bool:
    """Whether the loop cuts something by the name: then that is the finding, and this is part of it."""
    for inner in walk(loop.body, into_scopes=False):
        if isinstance(inner, cst.Slice) and inner.lower is not None and _reads(inner.lower, path):
            return True
        if isinstance(inner, cst.Call) and last_name(inner.func) in _CUTTING_METHODS and _is_passed(inner, path):
            return True
    return False


def _is_passed(call: cst.Call, path: str) -> bool:
    return any(_reads(argument, path) for argument in call.args)


def _reads(node: cst.CSTNode, path: str) -> bool:
    """Whether a dotted name is read below a node."""
    for inner in walk(node):
        if isinstance(inner, cst.AssignTarget) and dotted(inner.target) == path:
            return any(_reads(other, path) for other in [getattr(node, "value", inner)] if other is not inner)
        if isinstance(inner, cst.Name | cst.Attribute) and dotted(inner) == path:
            return True
    return False


def _changes(node: cst.CSTNode, path: str) -> bool:
    """Whether a statement assigns a name, or adds to the list that it holds."""
    if isinstance(node, cst.AugAssign):
        return dotted(node.target) == path
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.attr.value in ("append", "extend") and dotted(node.func.value) == path
    return isinstance(node, cst.Assign) and any(path in target_names(target.target) for target in node.targets)


def _measures(test: cst.BaseExpression, path: str) -> bool:
    """Whether a test asks for the length of what a name holds."""
    calls = (inner for inner in walk(test) if isinstance(inner, cst.Call) and last_name(inner.func) == "len")
    return any(_reads(call, path) for call in calls)


def _is_cut(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Subscript) and isinstance(value.slice[0].slice, cst.Slice)


def _is_fixed_place(target: cst.BaseExpression) -> bool:
    """Whether a subscript leads to the same place in every round: ``history[-1][1]``."""
    while isinstance(target, cst.Subscript):
        index = target.slice[0].slice
        if not isinstance(index, cst.Index) or any(isinstance(inner, cst.Name) for inner in walk(index)):
            return False
        target = target.value
    return dotted(target) is not None


def _binds(step: cst.CSTNode, path: str) -> bool:
    return isinstance(step, cst.Assign) and any(dotted(target.target) == path for target in step.targets)
