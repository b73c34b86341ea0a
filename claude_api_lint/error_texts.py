"""Which expressions are the text of a Claude error: what an exception of the SDK says, or a reply's error message."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from claude_api_lint.dataflow.flow import parameters
from claude_api_lint.dataflow.trees import dotted, last_name, string_value, walk
from claude_api_lint.dataflow.values import External, Sequence, Value
from claude_api_lint.findings import Confidence
from claude_api_lint.replies import Kind
from claude_api_lint.rule import Analysis

_SDK = "anthropic"
_MESSAGE = "message"
_ERROR = "error"
# Methods that give a text, or pieces of it, back as it is worded.
_SAME_WORDS = frozenset("lower upper casefold strip lstrip rstrip replace split partition decode".split())
_TEXT_OF = frozenset({"str", "repr", "format", "format_exc"})
_DETAILS = frozenset({"body", "response", _MESSAGE})
"""Attributes of the SDK's exceptions that lead to the error as it came."""
MAX_STEPS = 6
"""Names that are followed from a comparison to the exception; real code needs two."""


class ErrorTexts:
    """Answers for one module."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    def sure(self, node: cst.BaseExpression, steps: int = MAX_STEPS) -> Confidence | None:
        """How sure it is that an expression is the text of a Claude error; None for anything else."""
        if steps == 0 or isinstance(node, cst.SimpleString | cst.BaseNumber):
            return None
        for inner in _same_text(node):
            found = self.sure(inner, steps - 1)
            if found is not None:
                return found
        thrown = self._thrown_in(node)
        found = self._sure_of_exception(thrown, steps) if thrown is not None else None
        if found is not None:
            return found
        if isinstance(node, cst.Name):
            value = self.assigned(node)
            found = self.sure(value, steps - 1) if value is not None else None
            if found is not None:
                return found
        return self._sure_of_reply(node)

    def _sure_of_reply(self, node: cst.BaseExpression) -> Confidence | None:
        """``reply["error"]["message"]``, whatever path leads there."""
        part = self.analysis.replies.of(node)
        if part is None or part.kind is not Kind.REPLY or part.path[-2:] != (_ERROR, _MESSAGE):
            return None
        return part.confidence

    # Exceptions

    def _thrown_in(self, node: cst.BaseExpression) -> cst.Name | None:
        """``exc`` of an expression that is what an exception says: ``str(exc)``, ``exc.message``, ``exc.args[0]``."""
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.args:
            first = node.args[0].value
            if node.func.value in _TEXT_OF:
                return _name(first) or _exception_of_body(first)
            if node.func.value == "getattr" and len(node.args) > 1 and string_value(node.args[1].value) == _MESSAGE:
                return _name(first)
            return None
        if isinstance(node, cst.FormattedString):
            parts = [part.expression for part in node.parts if isinstance(part, cst.FormattedStringExpression)]
            return _name(parts[0]) if len(parts) == 1 else None
        root, keys = _taken_apart(node)
        if keys[:1] == ["args"] or (keys[-1:] == [_MESSAGE] and keys[0] in _DETAILS):
            return _name(root)
        return None

    def _sure_of_exception(self, name: cst.Name, steps: int) -> Confidence | None:
        if steps == 0:
            return None
        narrowed = [self._sure_of_types(types) for types in self._narrowed(name)]
        if any(narrowed):
            return max((one for one in narrowed if one is not None), key=lambda one: one is Confidence.CERTAIN)
        types = self._declared(name)
        return self._sure_of_types(types) if types is not None else None

    def _declared(self, name: cst.Name) -> cst.BaseExpression | None:
        """The classes that an exception is caught as, or a parameter is annotated with."""
        for above in self.analysis.module.ancestors(name):
            caught = isinstance(above, cst.ExceptHandler | cst.ExceptStarHandler) and above.name is not None
            if caught and dotted(above.name.name) == name.value:  # type: ignore[attr-defined]
                return above.type  # type: ignore[attr-defined,no-any-return]
            if isinstance(above, cst.FunctionDef):
                for parameter in parameters(above.params):
                    if parameter.name.value == name.value:
                        return parameter.annotation.annotation if parameter.annotation is not None else None
        return None

    def _narrowed(self, name: cst.Name) -> Iterator[cst.BaseExpression]:
        """The classes that ``isinstance`` has told an exception to be of, here."""
        module, flow = self.analysis.module, self.analysis.evaluator.flow
        tests = [
            test for test, holds in flow.tests_around(name, self.analysis.evaluator.frame_of(module, name)) if holds
        ]
        below: cst.CSTNode = name
        for above in module.ancestors(name):
            if isinstance(above, cst.BooleanOperation) and isinstance(above.operator, cst.And) and below is above.right:
                tests.append(above.left)
            below = above
        for test in tests:
            yield from (call.args[1].value for call in _conjuncts(test) if _is_instance_test(call, name.value))

    def _sure_of_types(self, types: cst.BaseExpression) -> Confidence | None:
        """Certain where all of the classes are the SDK's, likely where some are."""
        told = [self._is_sdk_error(value) for value in self._values(types)]
        if not any(told):
            return None
        return Confidence.CERTAIN if all(told) else Confidence.LIKELY

    def _values(self, types: cst.BaseExpression) -> Iterator[Value]:
        evaluator = self.analysis.evaluator
        if isinstance(types, cst.Tuple):
            for element in types.elements:
                yield from self._values(element.value)
            return
        if isinstance(types, cst.BinaryOperation):  # A | B
            yield from self._values(types.left)
            yield from self._values(types.right)
            return
        for alternative in evaluator.evaluate(types, evaluator.frame_of(self.analysis.module, types)):
            value = alternative.value
            yield from (evaluator.only(item) for item in value.items) if isinstance(value, Sequence) else (value,)

    def _is_sdk_error(self, value: Value) -> bool:
        return isinstance(value, External) and value.name.split(".")[0] == _SDK and value.name.endswith("Error")

    # Names

    def assigned(self, name: cst.Name) -> cst.BaseExpression | None:
        """What the last assignment before, on every path to it, gives to a name; None where that is not plain."""
        module = self.analysis.module
        step = module.step_of(name)
        while step is not None:
            block, index = module.position_of(step)
            for former in reversed(block.steps[:index]):
                if isinstance(former, cst.Assign | cst.AnnAssign) and name.value in _targets(former):
                    return former.value
                if module.touched(former, name.value) and _binds(former, name.value):
                    return None
            if isinstance(block.owner, cst.FunctionDef | cst.Module | cst.ClassDef):
                return None
            step = module.step_of(block.owner)
        return None


def _same_text(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The expressions that an expression has its words from."""
    if isinstance(node, cst.NamedExpr):
        yield node.value
    elif isinstance(node, cst.BooleanOperation | cst.BinaryOperation):
        if isinstance(node.operator, cst.Or | cst.Add):
            yield from (node.left, node.right)
    elif isinstance(node, cst.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _SAME_WORDS:
        yield node.func.value
    elif isinstance(node, cst.Call) and last_name(node.func) in _TEXT_OF and node.args:
        yield node.args[0].value
    elif isinstance(node, cst.FormattedString):
        yield from (part.expression for part in node.parts if isinstance(part, cst.FormattedStringExpression))


def _taken_apart(node: cst.BaseExpression) -> tuple[cst.BaseExpression, list[str]]:
    """The root of ``exc.body["error"].get("message")``, and the names and keys that lead from it."""
    keys: list[str] = []
    while True:
        if isinstance(node, cst.Attribute):
            keys.append(node.attr.value)
            node = node.value
        elif isinstance(node, cst.Subscript) and isinstance(node.slice[0].slice, cst.Index):
            keys.append(str(string_value(node.slice[0].slice.value)))
            node = node.value
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            method = node.func.attr.value
            if method == "get" and node.args:
                keys.append(str(string_value(node.args[0].value)))
            elif method != "json":
                return node, keys[::-1]
            node = node.func.value
        else:
            return node, keys[::-1]


def _exception_of_body(node: cst.BaseExpression) -> cst.Name | None:
    """``exc`` in ``str(exc.body)``: the message is in it."""
    return _name(node.value) if isinstance(node, cst.Attribute) and node.attr.value == "body" else None


def _name(node: cst.BaseExpression) -> cst.Name | None:
    return node if isinstance(node, cst.Name) else None


def _conjuncts(test: cst.BaseExpression) -> Iterator[cst.Call]:
    """The calls that must have given true where a test holds."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _conjuncts(test.left)
        yield from _conjuncts(test.right)
    elif isinstance(test, cst.Call):
        yield test


def _is_instance_test(call: cst.Call, name: str) -> bool:
    return last_name(call.func) == "isinstance" and len(call.args) == 2 and dotted(call.args[0].value) == name


def _targets(step: cst.Assign | cst.AnnAssign) -> list[str | None]:
    targets = [target.target for target in step.targets] if isinstance(step, cst.Assign) else [step.target]
    return [dotted(target) for target in targets]


def _binds(step: cst.CSTNode, name: str) -> bool:
    """Whether a statement may give a name another value."""
    for node in walk(step):
        target = node.target if isinstance(node, cst.AssignTarget | cst.AnnAssign | cst.AugAssign | cst.For) else None
        if target is not None and any(isinstance(inner, cst.Name) and inner.value == name for inner in walk(target)):
            return True
    return False
