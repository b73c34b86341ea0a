"""CAV201."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from claude_api_lint.api import ChangeKind
from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import code_of, string_value, walk
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Change, Fixer, NoFix, rewriting
from claude_api_lint.folding import fold
from claude_api_lint.layout import quoted
from claude_api_lint.legacy_fields import Access, LegacyReading
from claude_api_lint.loops import loop_around
from claude_api_lint.replies import Kind, ReplyPart
from claude_api_lint.rule import Violation

_STATUS = frozenset("raise_for_status status_code status ok is_success is_error reason_phrase".split())
# Libraries whose calls raise for an HTTP status that tells an error.
_RAISING = frozenset({"urllib.request"})
_READINGS = (Access.SUBSCRIPT, Access.GET, Access.IN)


class ReadError(Fixer):
    """Takes the test of `exception` away where errors are handled already; else reads the reply's `error`."""

    code = "CAV201"

    def fix(self, violation: Violation) -> Fix | NoFix:
        reading = violation.evidence
        assert isinstance(reading, LegacyReading)
        if reading.access is Access.PATTERN and reading.part is not None:
            return self._in_pattern(violation.node, reading.part)
        if reading.part is None or reading.access not in _READINGS:
            return NoFix("other code may rely on how it is read here")
        handled = self._is_handled(reading.part, violation.node)
        test = self._test_about(violation.node)
        if test is None and not handled and self._is_tested_elsewhere(violation.node):
            return self._fix({violation.node: self._message}, Applicability.SAFE)
        if test is None:
            return NoFix(f'what to do without it depends on what the value is for; errors stand in "{self._error}"')
        return self._without(test, reading.part) if handled else self._with_error(test)

    def _fix(self, changes: dict[cst.CSTNode, Change], applicability: Applicability) -> Fix | NoFix:
        edits = rewriting(self.analysis.module, changes)
        return edits if isinstance(edits, NoFix) else Fix(f"read {self._error} instead", applicability, edits)

    def _in_pattern(self, node: cst.CSTNode, part: ReplyPart) -> Fix | NoFix:
        """``case {"exception": message}`` as ``case {"error": {"message": message}}``."""
        assert isinstance(node, cst.MatchMappingElement)
        if self._is_handled(part, node):
            return NoFix("errors are handled already; the case is never taken and can go")
        if not isinstance(node.pattern, cst.MatchClass | cst.MatchAs) or code_of(node.pattern) == "_":
            return NoFix("the pattern says something about replies without an error")
        return self._fix({node: self._nested}, Applicability.SAFE)

    def _nested(self, updated: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(updated, cst.MatchMappingElement)
        message = cst.MatchMappingElement(key=quoted("message", updated.key), pattern=updated.pattern)
        return updated.with_changes(key=quoted(self._error, updated.key), pattern=cst.MatchMapping([message]))

    def _is_tested_elsewhere(self, node: cst.CSTNode) -> bool:
        """Whether a test in the same function asks for the field, so that it is read only where there is one."""
        scope = self.analysis.module.scope_of(node)
        if not isinstance(node, cst.Subscript) or not isinstance(scope, cst.FunctionDef):
            return False
        tests = [inner.test for inner in walk(scope.body) if isinstance(inner, cst.If)]
        reply = code_of(node.value)
        readings = [reading for test in tests for reading in self._readings(test)]
        return any(not isinstance(r, cst.Comparison) and code_of(_reply_of(r)) == reply for r in readings)

    @property
    def _error(self) -> str:
        """The field that errors are read from now."""
        changes = self.analysis.catalog.changes(ChangeKind.REPLY_FIELD_REMOVED, self.analysis.target)
        return next(change.after or "" for change in changes if change.name == self._field)

    @property
    def _field(self) -> str:
        return "exception"

    # The test that decides

    def _test_about(self, node: cst.CSTNode) -> cst.BaseExpression | None:
        """The test of the field: what is read, or the condition around it; for a reading in an ``if``, that one's."""
        below = node
        for above in self.analysis.module.ancestors(node):
            if isinstance(above, cst.If | cst.IfExp | cst.Assert) and below is above.test:
                return above.test
            if isinstance(above, cst.If) and below is above.body and any(self._readings(above.test)):
                return above.test
            if isinstance(above, cst.FunctionDef | cst.Lambda):
                return None
            below = above
        return None

    def _readings(self, root: cst.CSTNode) -> Iterator[cst.BaseExpression]:
        """The expressions below a node that read the field of some mapping."""
        for node in walk(root):
            if isinstance(node, cst.Subscript) and isinstance(node.slice[0].slice, cst.Index):
                if string_value(node.slice[0].slice.value) == self._field:
                    yield node
            elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.args:
                if node.func.attr.value == "get" and string_value(node.args[0].value) == self._field:
                    yield node
            elif isinstance(node, cst.Comparison) and _is_membership(node) and string_value(node.left) == self._field:
                yield node

    # Whether errors are handled

    def _is_handled(self, part: ReplyPart, node: cst.CSTNode) -> bool:
        """Whether an error of the reply is seen before its fields are read."""
        if part.sdk:
            return True
        if part.streamed:
            return self._handles_error_event(node)
        if part.library is not None and part.library.name in _RAISING:
            return True
        return self._looks_at_status(part)

    def _handles_error_event(self, node: cst.CSTNode) -> bool:
        scope = loop_around(self.analysis.module, node) or self.analysis.module.scope_of(node)
        vocabulary = self.analysis.vocabulary
        return scope is not None and self._error in vocabulary.compared(scope) | vocabulary.looked_up(scope)

    def _looks_at_status(self, part: ReplyPart) -> bool:
        for name in _STATUS:
            for node in self.analysis.module.nodes(cst.Attribute, name):
                if node.attr.value != name:
                    continue
                response = self.analysis.replies.of(node.value)
                if response is not None and response.kind is Kind.RESPONSE and response.sender is part.sender:
                    return True
        return any(a.keyword is not None and a.keyword.value == "raise_for_status" for a in part.sender.args)

    # The edits

    def _without(self, test: cst.BaseExpression, part: ReplyPart) -> Fix | NoFix:
        """The test never finds the field: it goes, and what it decides with it."""
        folded = fold(self.analysis.module, *self._decided(test))
        if isinstance(folded, NoFix):
            return folded
        edits = rewriting(self.analysis.module, folded.changes)
        catalog = self.analysis.catalog
        outdated = part.sdk is not None and catalog.is_outdated(part.sdk.version or "", self.analysis.target)
        applicability = Applicability.UNSAFE if folded.says_less or outdated else Applicability.SAFE
        title = f"drop the test of {self._field}: errors are handled already"
        region = self.analysis.module.span(folded.decided) if folded.decided is not None else None
        return edits if isinstance(edits, NoFix) else Fix(title, applicability, edits, region)

    def _decided(self, test: cst.BaseExpression) -> tuple[cst.BaseExpression, bool]:
        """The largest part of a test that is about the field alone, and how it comes out."""
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            inner, holds = self._decided(test.expression)
            return (test, not holds) if inner is test.expression else (inner, holds)
        if isinstance(test, cst.BooleanOperation):
            sides = [side for side in (test.left, test.right) if any(self._readings(side))]
            if len(sides) == 1:
                return self._decided(sides[0])
            return test, self._decided(test.left)[1]
        if isinstance(test, cst.Comparison):
            return test, isinstance(test.comparisons[0].operator, cst.Is | cst.Equal | cst.NotIn)
        return test, False

    def _with_error(self, test: cst.BaseExpression) -> Fix | NoFix:
        """The test asks for the reply's error, and what it decides reads the error's message."""
        owner = self.analysis.module.parent(test)
        if isinstance(owner, cst.UnaryOperation | cst.BooleanOperation) or ":=" in code_of(test):
            return NoFix("the value gets a name in the test; errors are objects with a message now")
        changes: dict[cst.CSTNode, Change] = dict.fromkeys(self._readings(test), self._asking)
        body = owner.body if isinstance(owner, cst.If) else None
        for node in self._readings(body) if body is not None else ():
            changes[node] = self._message
        return self._fix(changes, Applicability.SAFE)

    def _asking(self, updated: cst.CSTNode) -> cst.CSTNode:
        """``reply.get("error")``: a reply without an error has no such field."""
        if isinstance(updated, cst.Comparison):
            return updated.with_changes(left=self._string(updated.left))
        reply = _reply_of(updated)
        looked_up = cst.Call(cst.Attribute(reply, cst.Name("get")), [cst.Arg(self._string(updated))])
        return _parenthesized_like(updated, looked_up)

    def _message(self, updated: cst.CSTNode) -> cst.CSTNode:
        """``reply["error"]["message"]``."""
        if isinstance(updated, cst.Comparison):
            return self._asking(updated)
        message = quoted("message", updated)
        error = cst.Subscript(_reply_of(updated), [cst.SubscriptElement(cst.Index(self._string(updated)))])
        return _parenthesized_like(updated, cst.Subscript(error, [cst.SubscriptElement(cst.Index(message))]))

    def _string(self, near: cst.CSTNode) -> cst.SimpleString:
        return quoted(self._error, _key_of(near))


def _is_membership(node: cst.Comparison) -> bool:
    return isinstance(node.comparisons[0].operator, cst.In | cst.NotIn)


def _reply_of(node: cst.CSTNode) -> cst.BaseExpression:
    if isinstance(node, cst.Subscript):
        return node.value
    assert isinstance(node, cst.Call)
    assert isinstance(node.func, cst.Attribute)
    return node.func.value


def _key_of(node: cst.CSTNode) -> cst.CSTNode:
    if isinstance(node, cst.Subscript):
        return node.slice[0]
    return node.args[0] if isinstance(node, cst.Call) else node


def _parenthesized_like(old: cst.CSTNode, new: cst.BaseExpression) -> cst.BaseExpression:
    assert isinstance(old, cst.BaseExpression)
    return new.with_changes(lpar=old.lpar, rpar=old.rpar)


__getattr__ = command_of(ReadError)
