"""CAV405."""

from __future__ import annotations

import re
from functools import cached_property

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.dataflow.trees import code_of, dotted, last_name, string_value, target_names
from claude_api_lint.error_texts import ErrorTexts
from claude_api_lint.parsing import Statement
from claude_api_lint.rule import Rule

_TESTS = frozenset("startswith endswith find rfind index rindex count".split())
_TESTING = frozenset({"In", "NotIn", "Eq", "NotEq", "Match"})
_SEARCHES = frozenset("search match fullmatch findall finditer".split())


class ErrorMessageMatch(Rule):
    """Control flow hangs on the wording of a Claude error.

    The message of an error is for people: "its wording can change, so don't match on it". That may be at any time,
    inside one version, and code that looks for words in it stops to work without a sound. What tells errors apart is
    their `type`, the HTTP status, and the SDK's exception classes: "catch the SDK's typed classes rather than
    string-matching error messages".

    Reported for tests and searches of the text of an exception that is caught as one of the SDK's, and of
    `error["message"]` of a reply. Showing or logging the text is left alone, and so are other exceptions.

    Bad:

        try:
            message = client.messages.create(**request)
        except anthropic.APIStatusError as exc:
            if "overloaded" in str(exc).lower():
                time.sleep(30)

    Good:

        try:
            message = client.messages.create(**request)
        except anthropic.APIStatusError as exc:
            if exc.status_code == 529:
                time.sleep(30)

    Fix: none, only a person can say which type or status was meant: compare the error's `type` or the status, or catch
    one of the SDK's classes.

    Reference: https://platform.claude.com/docs/en/api/errors
    """

    code = "CAV405"
    name = "error-message-match"
    since = "2023-01-01"
    needles = ("message", "str(", "repr(", ".args", '"{', "'{")
    origins = (*load_catalog().request_needles, "anthropic")

    @cached_property
    def texts(self) -> ErrorTexts:
        return ErrorTexts(self.analysis)

    def looks_into(self, statement: Statement) -> bool:
        if not any(needle in statement.lowered for needle in self.needles):
            return False
        if statement.shapes is None:
            return True
        return any(shape.kinds & _TESTING or shape.calls & (_TESTS | _SEARCHES) for shape in statement.shapes)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        target = node.comparisons[0]
        if isinstance(target.operator, cst.In | cst.NotIn):
            if self._is_wording(node.left):
                self._judge(node, target.comparator)
            elif _is_collection(target.comparator):
                self._judge(node, node.left)
        elif isinstance(target.operator, cst.Equal | cst.NotEqual):
            if self._is_wording(target.comparator):
                self._judge(node, node.left)
            elif self._is_wording(node.left):
                self._judge(node, target.comparator)

    def visit_Call(self, node: cst.Call) -> None:
        if not isinstance(node.func, cst.Attribute) or not node.args:
            return
        method = node.func.attr.value
        if method in _TESTS and self._is_wording(node.args[0].value):
            self._judge(node, node.func.value)
        elif method in _SEARCHES:
            position = 1 if dotted(node.func.value) in ("re", "regex") else 0
            if len(node.args) > position:
                self._judge(node, node.args[position].value)

    def visit_Match(self, node: cst.Match) -> None:
        if any(isinstance(case.pattern, cst.MatchValue | cst.MatchOr) for case in node.cases):
            self._judge(node.subject, node.subject)

    def _is_wording(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is words to look for: written out, a constant of that name, or one of several."""
        if isinstance(node, cst.Tuple):
            return any(self._is_wording(element.value) for element in node.elements)
        written = string_value(node)
        if isinstance(written, str):
            return re.search(r"\w", written) is not None
        name = last_name(node) if isinstance(node, cst.Name | cst.Attribute) else None
        if name is None or name in ("None", "True", "False"):
            return False
        return name.isupper() or any(name in names for names in self._looped(node))

    def _looped(self, node: cst.CSTNode) -> list[set[str]]:
        """What the loops around a node give names to."""
        loops: list[set[str]] = []
        for above in self.analysis.module.ancestors(node):
            inner = getattr(above, "for_in", None)
            loop = above if isinstance(above, cst.For) else inner
            if isinstance(loop, cst.For | cst.CompFor):
                loops.append(set(target_names(loop.target)))
        return loops

    def _judge(self, node: cst.CSTNode, text: cst.BaseExpression) -> None:
        condition = self._condition_around(node)
        if self.analysis.module.is_test or condition in self._told:
            return
        sure = self.texts.sure(text)
        if sure is not None:
            self._told.add(condition)
            message = f"the wording of a Claude error decides here, but it may change at any time ({code_of(text)})"
            self.report(node, message, sure)

    def _condition_around(self, node: cst.CSTNode) -> cst.CSTNode:
        """The whole of the alternatives that a test is one of: several wordings of one error are one finding."""
        for above in self.analysis.module.ancestors(node):
            if not isinstance(above, cst.BooleanOperation | cst.UnaryOperation | cst.Comparison):
                break
            node = above
        return node

    @cached_property
    def _told(self) -> set[cst.CSTNode]:
        return set()


def _is_collection(node: cst.BaseExpression) -> bool:
    """Whether an expression is a collection of known words; a text may also be looked up among those seen before."""
    if isinstance(node, cst.Name | cst.Attribute):
        return str(last_name(node)).isupper()
    return isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict)
