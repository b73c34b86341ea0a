"""Readings of a field that replies no longer have: what the rules CAV201 and CAV202 share."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import libcst as cst

from claude_api_lint.api import Change, ChangeKind, load_catalog
from claude_api_lint.dataflow.trees import dotted, string_value, target_names, walk
from claude_api_lint.findings import Confidence
from claude_api_lint.parsing import Statement
from claude_api_lint.replies import Kind, ReplyPart
from claude_api_lint.rule import Rule, StepPart

_LOOKUPS = frozenset({"get", "pop"})


class Access(enum.Enum):
    """How a field is read."""

    SUBSCRIPT = 'reply["field"]'
    GET = 'reply.get("field")'
    POP = 'reply.pop("field")'
    ATTRIBUTE = "reply.field"
    IN = '"field" in reply'
    PATTERN = 'case {"field": ...}'
    BY_NAME = "reply[key], where key may be the field"
    DECLARED = "a field of a class that replies are made into"


@dataclass(frozen=True)
class LegacyReading:
    """How a field is read, and from which reply (None for a declaration)."""

    access: Access
    part: ReplyPart | None


class LegacyFieldRule(Rule):
    """Reports each reading of one field of a reply."""

    field: ClassVar[str]
    part_of_step = StepPart.REPLY
    origins = load_catalog().reply_needles

    def looks_into(self, statement: Statement) -> bool:
        return self.field in statement.text

    def visit_Subscript(self, node: cst.Subscript) -> None:
        index = node.slice[0].slice
        if len(node.slice) != 1 or not isinstance(index, cst.Index):
            return
        if string_value(index.value) == self.field:
            self._judge(node, node.value, Access.SUBSCRIPT)
        elif isinstance(index.value, cst.Name) and self._may_be_field(index.value):
            self._judge(node, node.value, Access.BY_NAME)

    def _may_be_field(self, node: cst.Name) -> bool:
        """Whether a loop goes over names that are written out, the field among them: ``for key in ("field", ...)``."""
        for loop in self.analysis.module.ancestors(node):
            if isinstance(loop, cst.For | cst.CompFor) and node.value in target_names(loop.target):
                names = loop.iter.elements if isinstance(loop.iter, cst.Tuple | cst.List | cst.Set) else ()
                return any(string_value(element.value) == self.field for element in names)
        return False

    def visit_Call(self, node: cst.Call) -> None:
        if not isinstance(node.func, cst.Attribute) or node.func.attr.value not in _LOOKUPS or not node.args:
            return
        if string_value(node.args[0].value) == self.field and not self._is_thrown_away(node):
            self._judge(node, node.func.value, Access.GET if node.func.attr.value == "get" else Access.POP)

    def _is_thrown_away(self, node: cst.Call) -> bool:
        """``reply.pop("field", None)`` whose value nobody takes."""
        return len(node.args) > 1 and isinstance(self.analysis.module.parent(node), cst.Expr)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        if node.attr.value != self.field:
            return
        parent = self.analysis.module.parent(node)
        if isinstance(parent, cst.AssignTarget | cst.AnnAssign) or (
            isinstance(parent, cst.Call) and parent.func is node
        ):
            return
        self._judge(node, node.value, Access.ATTRIBUTE)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        target = node.comparisons[0]
        if string_value(node.left) == self.field and isinstance(target.operator, cst.In | cst.NotIn):
            self._judge(node, target.comparator, Access.IN)

    def visit_Match(self, node: cst.Match) -> None:
        elements = [element for case in node.cases for element in self._pattern_elements(case.pattern)]
        for element in elements:
            self._judge(element, node.subject, Access.PATTERN)

    def _pattern_elements(self, pattern: cst.MatchPattern) -> Iterator[cst.MatchMappingElement]:
        patterns = [option.pattern for option in pattern.patterns] if isinstance(pattern, cst.MatchOr) else [pattern]
        for inner in patterns:
            if isinstance(inner, cst.MatchMapping):
                yield from (element for element in inner.elements if string_value(element.key) == self.field)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        fields = {
            step.target.value: step
            for step in self.analysis.module.block(node.body).steps
            if isinstance(step, cst.AnnAssign) and isinstance(step.target, cst.Name)
        }
        declaration = fields.get(self.field)
        if declaration is None or not self._change:
            return
        if self._is_made_of_reply(node) or self._has_fields_of_reply(set(fields)):
            evidence = LegacyReading(Access.DECLARED, None)
            self.report(declaration, self._message("declared as a field of"), Confidence.LIKELY, evidence)

    def _has_fields_of_reply(self, names: set[str]) -> bool:
        """Whether a class has the fields of a Text Completions reply."""
        streams = self.analysis.catalog.streams
        return any(stream.text is not None and {stream.text, stream.end_key} <= names for stream in streams)

    def _is_made_of_reply(self, node: cst.ClassDef) -> bool:
        """Whether the module makes replies into the class."""
        module = self.analysis.module
        for call in module.nodes(cst.Call, node.name.value):
            if any(isinstance(inner, cst.Name) and inner.value == node.name.value for inner in walk(call.func)):
                part = self.analysis.replies.of(call)
                if part is not None and part.kind is Kind.REPLY and not part.path:
                    return True
        return False

    # Whose field it is

    @property
    def _change(self) -> Change | None:
        changes = self.analysis.catalog.changes(ChangeKind.REPLY_FIELD_REMOVED, self.analysis.target)
        return next((change for change in changes if change.name == self.field), None)

    def _judge(self, node: cst.CSTNode, reply: cst.BaseExpression, access: Access) -> None:
        change = self._change
        if change is None:
            return
        part = self.analysis.replies.of(reply)
        if part is None or part.kind is not Kind.REPLY or part.path:
            return
        if self.is_for_a_version(node) or self._is_set_by_program(reply):
            return
        if part.endpoint is not None and self.analysis.catalog.stream(part.endpoint) is None:
            return
        confidence = Confidence.LIKELY if access is Access.BY_NAME else part.confidence
        self.report(node, self._message("read from"), confidence, LegacyReading(access, part))

    def _is_set_by_program(self, reply: cst.BaseExpression) -> bool:
        """Whether the program itself puts a field of that name into the reply."""
        name = dotted(reply)
        if name is None:
            return False
        for node in self.analysis.module.nodes(cst.AssignTarget, self.field):
            target = node.target
            if isinstance(target, cst.Subscript) and dotted(target.value) == name:
                index = target.slice[0].slice
                if isinstance(index, cst.Index) and string_value(index.value) == self.field:
                    return True
        return False

    def _message(self, what: str) -> str:
        after = f"; {self._change.after} takes its place" if self._change and self._change.after else ""
        return f'"{self.field}" is {what} a reply of the Claude API, which has it no longer since {self.since}{after}'
