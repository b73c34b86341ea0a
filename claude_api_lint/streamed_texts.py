"""The text of streamed completions: which expressions are a piece of it, what cuts it, and what is kept of it."""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from claude_api_lint.api import ChangeKind
from claude_api_lint.dataflow.trees import dotted, last_name, string_value, target_names, walk
from claude_api_lint.findings import Confidence
from claude_api_lint.loops import Loop, loop_around, steps_after
from claude_api_lint.replies import ELSEWHERE, Kind, ReplyPart
from claude_api_lint.rule import Analysis

_CUTTING_METHODS = frozenset({"removeprefix", "replace", "split", "partition", "lstrip"})
_COLLECTING = frozenset({"append", "write", "put", "send", "join"})
_REWRITING_METHODS = frozenset({"strip", "lstrip", "rstrip", "replace", "lower", "upper", "encode"})


class StreamedTexts:
    """Answers for one module."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    # Which expressions are the text of an event

    def of(self, node: cst.BaseExpression) -> ReplyPart | None:
        """The part of a reply that an expression is, where it is the text of a streamed event."""
        part = self.analysis.replies.of(node)
        if part is None:
            return self._evident_text(node)
        if part.kind is not Kind.REPLY or not part.streamed or part.path not in self._texts:
            return None
        return part if part.endpoint is None or part.endpoint in self.endpoints else None

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
        if endpoint not in self.endpoints:
            return None
        return ReplyPart(Kind.REPLY, endpoint, Confidence.LIKELY, cst.Call(cst.Name("unknown")), streamed=True)

    @cached_property
    def _texts(self) -> set[tuple[object, ...]]:
        changes = self.analysis.catalog.changes(ChangeKind.STREAM_TEXT, self.analysis.target)
        return {(change.name,) for change in changes if change.after == "incremental"}

    @cached_property
    def endpoints(self) -> set[str]:
        changes = self.analysis.catalog.changes(ChangeKind.STREAM_TEXT, self.analysis.target)
        return {endpoint for change in changes for endpoint in change.where}

    def is_read_in(self, node: cst.CSTNode, path: str) -> bool:
        """Whether the text of the event that a name holds is read below a node."""
        lookups = (inner for inner in walk(node) if isinstance(inner, cst.Subscript) and self.is_lookup(inner))
        return any(dotted(lookup.value) == path for lookup in lookups)

    def is_lookup(self, node: cst.Subscript) -> bool:
        """``event["completion"]``."""
        index = node.slice[0].slice
        return isinstance(index, cst.Index) and (string_value(index.value),) in self._texts

    def is_last(self, node: cst.Subscript) -> bool:
        """Whether it is the text of the event that ends the stream: it is read under a test that tells the end."""
        module, evaluator = self.analysis.module, self.analysis.evaluator
        if not self.is_lookup(node) or loop_around(module, node) is None:
            return False
        part = self.of(node)
        stream = self.analysis.catalog.stream(part.endpoint) if part is not None else None
        tests = evaluator.flow.tests_around(node, evaluator.frame_of(module, node)) if stream is not None else ()
        return any(stream.end_key == string_value(n) for test, _ in tests for n in walk(test) if stream is not None)

    def is_event_kept(self, path: str, value: cst.BaseExpression, loop: Loop) -> bool:
        """``last = event``, where the text of the last event is read after the loop."""
        part = self.analysis.replies.of(value) if isinstance(value, cst.Name) else None
        if part is None or part.kind is not Kind.REPLY or part.path or not part.streamed:
            return False
        after = (step for step in steps_after(self.analysis.module, loop) if step is not loop)
        return part.endpoint in self.endpoints and any(self.is_read_in(step, path) for step in after)

    # What follows the stream

    def is_followed_by(self, seen: cst.BaseExpression, node: cst.CSTNode) -> bool:
        """Whether what is cut by changes with the stream: it is assigned, or added to, in the loop; or an attribute."""
        paths, loop = paths_of_what_came_before(seen), loop_around(self.analysis.module, node)
        if any("." in path for path in paths) or loop is None:
            return any("." in path for path in paths)
        return any(_changes(inner, path) for path in paths for inner in walk(loop.body, into_scopes=False))

    def is_whole(self, text: cst.BaseExpression) -> bool:
        """Whether a text that is cut is also kept in its own name for after the loop."""
        loop, path = loop_around(self.analysis.module, text), dotted(text)
        for inner in walk(loop.body, into_scopes=False) if loop is not None and path is not None else ():
            if isinstance(inner, cst.Assign) and len(inner.targets) == 1 and dotted(inner.targets[0].target) == path:
                assert loop is not None
                assert path is not None
                if inner.value is not text and self.is_kept(path, inner, loop) and not _is_cut(inner.value):
                    return True
        return False

    def is_kept(self, path: str, node: cst.CSTNode, loop: Loop) -> bool:
        """Whether what a loop assigns is used after it, and is not put together in the loop as well."""
        if _is_put_together(path, loop, node) or _is_cut_by(path, loop):
            return False
        if "." in path:
            return True
        for step in steps_after(self.analysis.module, loop):
            if step is not loop and reads(step, path):
                return True
            if _binds(step, path):
                return False
        return False

    def is_only_first(self, path: str, node: cst.CSTNode) -> bool:
        """Whether an assignment runs only while the name is still empty."""
        frame = self.analysis.evaluator.frame_of(self.analysis.module, node)
        tests = self.analysis.evaluator.flow.tests_around(node, frame)
        return any(reads(test, path) and not measures(test, path) for test, _ in tests)

    def loop_over(self, loop: Loop, part: ReplyPart) -> Loop:
        """The loop over the stream: an inner one goes over the lines of one piece."""
        around = loop_around(self.analysis.module, loop)
        if around is None or not isinstance(around, cst.For):
            return loop
        over = self.analysis.replies.of(around.iter)
        return self.loop_over(around, part) if over is not None and over.sender is part.sender else loop


def is_what_came_before(lower: cst.BaseExpression) -> bool:
    """``len(seen)``, or a counter; a number is no such thing."""
    return bool(paths_of_what_came_before(lower))


def cut_by_call(node: cst.Call) -> tuple[cst.BaseExpression | None, cst.BaseExpression | None]:
    """The text and what is cut off in ``text.removeprefix(seen)``, ``text.replace(seen, "")``, ``text.split(seen)``."""
    if not isinstance(node.func, cst.Attribute) or node.func.attr.value not in _CUTTING_METHODS or not node.args:
        return None, None
    seen = node.args[0].value
    if path_of_what_came_before(seen) is None:
        return None, None
    if node.func.attr.value == "replace" and (len(node.args) < 2 or string_value(node.args[1].value) != ""):
        return None, None
    return node.func.value, seen


def measured_text(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """``text`` in ``len(text)``."""
    if isinstance(node, cst.Call) and last_name(node.func) == "len" and len(node.args) == 1:
        return node.args[0].value
    return None


def paths_of_what_came_before(node: cst.BaseExpression) -> list[str]:
    """The names that hold what came before, in it or in its length: ``len(said + rest)``, ``len(said) + len(rest)``."""
    measured = measured_text(node)
    if measured is not None:
        return paths_of_what_came_before(measured)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return [*paths_of_what_came_before(node.left), *paths_of_what_came_before(node.right)]
    path = path_of_what_came_before(node)
    return [path] if path is not None else []


def path_of_what_came_before(node: cst.BaseExpression) -> str | None:
    """The name that holds what came before: ``seen``, ``self.seen``; also in ``seen or ""`` and ``"".join(seen)``."""
    if isinstance(node, cst.Call) and last_name(node.func) == "join" and len(node.args) == 1:
        return dotted(node.args[0].value)
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
        return dotted(node.left) if string_value(node.right) == "" else None
    return dotted(node)


def core(value: cst.BaseExpression) -> tuple[cst.BaseExpression, bool]:
    """The text in ``text.strip()`` or ``handler(text)``, and whether it was handled in between."""
    if (
        isinstance(value, cst.Call)
        and isinstance(value.func, cst.Attribute)
        and value.func.attr.value in _REWRITING_METHODS
    ):
        return core(value.func.value)[0], True
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
        if (appends or adds) and reads(inner.value, path):  # type: ignore[attr-defined]
            return True
        if isinstance(inner, cst.Call) and last_name(inner.func) in _COLLECTING and _is_passed(inner, path):
            return True
    return False


def _is_cut_by(path: str, loop: Loop) -> bool:
    """Whether the loop cuts something by the name: then that is the finding, and this is part of it."""
    for inner in walk(loop.body, into_scopes=False):
        if isinstance(inner, cst.Slice) and inner.lower is not None and reads(inner.lower, path):
            return True
        if isinstance(inner, cst.Call) and last_name(inner.func) in _CUTTING_METHODS and _is_passed(inner, path):
            return True
    return False


def _is_passed(call: cst.Call, path: str) -> bool:
    return any(reads(argument, path) for argument in call.args)


def reads(node: cst.CSTNode, path: str) -> bool:
    """Whether a dotted name is read below a node."""
    for inner in walk(node):
        if isinstance(inner, cst.AssignTarget) and dotted(inner.target) == path:
            return any(reads(other, path) for other in [getattr(node, "value", inner)] if other is not inner)
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


def measures(test: cst.BaseExpression, path: str) -> bool:
    """Whether a test asks for the length of what a name holds."""
    calls = (inner for inner in walk(test) if isinstance(inner, cst.Call) and last_name(inner.func) == "len")
    return any(reads(call, path) for call in calls)


def _is_cut(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Subscript) and isinstance(value.slice[0].slice, cst.Slice)


def is_fixed_place(target: cst.BaseExpression) -> bool:
    """Whether a subscript leads to the same place in every round: ``history[-1][1]``."""
    while isinstance(target, cst.Subscript):
        index = target.slice[0].slice
        if not isinstance(index, cst.Index) or any(isinstance(inner, cst.Name) for inner in walk(index)):
            return False
        target = target.value
    return dotted(target) is not None


def _binds(step: cst.CSTNode, path: str) -> bool:
    return isinstance(step, cst.Assign) and any(dotted(target.target) == path for target in step.targets)
