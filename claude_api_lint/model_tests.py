"""What a program has found out about the name of a model before it uses it: ``if "claude" in model_id: ...``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import libcst as cst

from claude_api_lint.arms import OWN_NAMES
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.trees import code_of, last_name, string_value, target_names, walk
from claude_api_lint.dataflow.values import Assumptions, Frame, Thunk, compatible

_DISPLAY = cst.Tuple | cst.List | cst.Set
_NEGATIVE = cst.NotIn | cst.NotEqual


class ModelTests:
    """Answers for the expression that is passed as the model."""

    def __init__(self, evaluator: Evaluator, model: Thunk) -> None:
        self.evaluator = evaluator
        self.model = model

    def say_claude(self, when: Assumptions) -> bool | None:
        """Whether the tests that something rests on have found the model to be Claude, or not to be; None where none
        of them asks.
        """
        frames = {a.key[0] for a in when if isinstance(a.key, tuple) and isinstance(a.key[0], Frame)}
        said = {answer for frame in frames for answer in self._answers(frame, when)}
        return None if not said else True in said

    def _answers(self, frame: Frame, when: Assumptions) -> Iterator[bool]:
        names = self._names(frame)
        for ways in self._ways_of_claude(frame, names) if names else ():
            if any(way <= when for way in ways):
                yield True
            elif not any(compatible(way, when) for way in ways):
                yield False

    def _ways_of_claude(self, frame: Frame, names: frozenset[str]) -> Iterator[list[Assumptions]]:
        """What holds, for each test of the model in a function or at module level, where it is found to be Claude."""
        flow, flags = self.evaluator.flow, self._flags(frame, names)
        for node in _code(frame):
            for test in _single(node.test) if isinstance(node, cst.If | cst.IfExp) else ():
                holds = flags[test.value] if isinstance(test, cst.Name) and test.value in flags else None
                holds = _asks_for_claude(test, names) if holds is None else holds
                if holds is not None:
                    yield [way for way in flow.arms(test, frame, holds) if way]
            if isinstance(node, cst.Match) and _beginning(node.subject, names):
                yield [flow.choosing(node.subject, text, frame) for text in _texts_of_cases(node)]

    def _flags(self, frame: Frame, names: frozenset[str]) -> dict[str, bool]:
        """The names that hold how a test of the model came out, with what they are for Claude's."""
        found: dict[str, bool] = {}
        for node in walk(frame.function) if frame.function is not None else ():
            holds = _asks_for_claude(node.value, names) if isinstance(node, cst.Assign) else None
            if isinstance(node, cst.Assign) and holds is not None:
                found |= {name: holds for target in node.targets for name in target_names(target.target)}
        return found

    def _names(self, frame: Frame) -> frozenset[str]:
        """The expressions that are the model in an activation, and the names of what is made of it there."""
        names = frozenset(self._same(frame))
        function = frame.function
        if not names or function is None:
            return names
        assigned = (node for node in walk(function) if isinstance(node, cst.Assign) and _beginning(node.value, names))
        return names.union(*(target_names(target.target) for node in assigned for target in node.targets))

    def _same(self, frame: Frame) -> Iterator[str]:
        written = code_of(self.model.node)
        if frame is self.model.frame:
            yield written
        if frame.caller is not None and frame.call is not None:
            yield from self._parameters(frame, frame.call, frame.caller)
        own = self.evaluator.calls.is_of_receiver(self.model.node, self.model.frame)
        if own and _class_of(frame) is _class_of(self.model.frame):
            yield written
        if isinstance(self.model.node, cst.Name) and not any(
            self._binds(f, written) for f in (frame, self.model.frame)
        ):
            yield written

    def _parameters(self, frame: Frame, call: cst.Call, caller: Frame) -> Iterator[str]:
        """The parameters that the model is passed as."""
        function, calls = frame.function, self.evaluator.calls
        passed = ModelTests(self.evaluator, self.model)._names(caller)
        if not isinstance(function, cst.FunctionDef) or not passed:
            return
        skip = 1 if calls.receiver_name(frame.module, function) and frame.receiver is not None else 0
        parameters = [*function.params.posonly_params, *function.params.params]
        for arguments, _ in calls.arguments(call, caller, frame.prepared):
            for index, parameter in enumerate([*parameters, *function.params.kwonly_params]):
                position = index - skip if skip <= index < len(parameters) else None
                given = arguments.get(position, parameter.name.value)
                if isinstance(given, Thunk) and code_of(given.node) in passed:
                    yield parameter.name.value

    def _binds(self, frame: Frame, name: str) -> bool:
        return frame.function is not None and self.evaluator.flow.binds(frame.function, name)


def _class_of(frame: Frame) -> cst.CSTNode | None:
    return frame.module.scope_of(frame.function) if frame.function is not None else None


def _code(frame: Frame) -> Iterator[cst.CSTNode]:
    """The nodes that may choose, in a function or at module level."""
    if frame.function is not None:
        return walk(frame.function)
    module = frame.module
    return chain(module.nodes(cst.If), module.nodes(cst.IfExp), module.nodes(cst.Match))


def _single(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The tests that ``and``, ``or`` and ``not`` put together."""
    if isinstance(test, cst.BooleanOperation):
        yield from _single(test.left)
        yield from _single(test.right)
    elif isinstance(test, cst.UnaryOperation):
        yield from _single(test.expression)
    else:
        yield test


def _asks_for_claude(test: cst.BaseExpression, names: frozenset[str]) -> bool | None:
    """How a test comes out for Claude's models; None for a test that does not ask for them by their name alone."""
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        sides = [test.left, test.comparisons[0].comparator]
        return None if not _name_claude(sides, names) else not isinstance(test.comparisons[0].operator, _NEGATIVE)
    if not isinstance(test, cst.Call):
        return None
    subject = [test.func.value] if isinstance(test.func, cst.Attribute) else []
    operands = [*subject, *(argument.value for argument in test.args)]
    if _name_claude(operands, names):
        return True
    asks = OWN_NAMES.search(last_name(test.func) or "") and not any(map(_texts, operands))
    return True if asks and any(_beginning(operand, names) for operand in operands) else None


def _texts_of_cases(node: cst.Match) -> list[str]:
    """What the cases of a match compare with that names Claude or its maker."""
    patterns = [inner for case in node.cases for inner in walk(case.pattern) if isinstance(inner, cst.MatchValue)]
    return [text for pattern in patterns for text in _texts(pattern.value) if OWN_NAMES.search(text)]


def _name_claude(operands: list[cst.BaseExpression], names: frozenset[str]) -> bool:
    """Whether operands of a test are the model, and texts that all name Claude or its maker."""
    if not any(_beginning(operand, names) for operand in operands):
        return False
    texts = [text for operand in operands if not _beginning(operand, names) for text in _texts(operand)]
    return bool(texts) and all(OWN_NAMES.search(text) for text in texts)


def _texts(node: cst.BaseExpression) -> list[str]:
    elements = [element.value for element in node.elements] if isinstance(node, _DISPLAY) else [node]
    return [text for element in elements if isinstance(text := string_value(element), str)]


def _beginning(node: cst.BaseExpression, names: frozenset[str]) -> str | None:
    """The one of some expressions that another begins with: ``model_id`` of ``model_id.lower().split(".")[0]``."""
    while True:
        written = code_of(node)
        if written in names:
            return written
        if isinstance(node, cst.Subscript | cst.Attribute):
            node = node.value
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            node = node.func.value
        else:
            return None
