"""CAV202."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.api import Change, ChangeKind
from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import code_of
from claude_api_lint.dataflow.values import Instance
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Fixer, NoFix
from claude_api_lint.layout import quoted
from claude_api_lint.legacy_fields import Access, LegacyReading
from claude_api_lint.rule import Violation

# What binds tighter than a comparison, or would make a chain of it.
_TIGHTER = cst.Attribute | cst.Subscript | cst.BinaryOperation | cst.UnaryOperation | cst.Comparison | cst.Await
_SPACE = cst.SimpleWhitespace(" ")


class CompareStopReason(Fixer):
    """Compares the stop reason where `truncated` is read."""

    code = "CAV202"

    def fix(self, violation: Violation) -> Fix | NoFix:
        reading, node = violation.evidence, violation.node
        assert isinstance(reading, LegacyReading)
        if isinstance(node, cst.Attribute) and self._is_unknown_field(node.value):
            return NoFix(f"the class that the reply is made into has no field {self._field}")
        old, new = self._replaced(node, reading.access)
        if new is None:
            return NoFix("other code may rely on how it is read here")
        edit = self.edit(old, new)
        if isinstance(edit, NoFix):
            return edit
        return Fix(f"compare {self._field} instead", Applicability.SAFE, (edit,))

    def _replaced(self, node: cst.CSTNode, access: Access) -> tuple[cst.CSTNode, cst.CSTNode | None]:
        """The node to replace, and what by."""
        if access is Access.IN:
            assert isinstance(node, cst.Comparison)
            return node.left, quoted(self._field, node.left)
        if access is Access.PATTERN:
            return node, self._pattern(node)
        read = self._read(node, access)
        return (node, None) if read is None else self._compared(node, read)

    def _is_unknown_field(self, reply: cst.BaseExpression) -> bool:
        """Whether an object of the program's own has no stop reason to compare."""
        evaluator, module = self.analysis.evaluator, self.analysis.module
        found = evaluator.evaluate(reply, evaluator.frame_of(module, reply))
        classes = [alternative.value.cls for alternative in found if isinstance(alternative.value, Instance)]
        return any(self._field not in evaluator.objects.fields(cls) for cls in classes)

    @property
    def _change(self) -> Change:
        changes = self.analysis.catalog.changes(ChangeKind.REPLY_FIELD_REMOVED, self.analysis.target)
        return next(change for change in changes if change.name == "truncated")

    @property
    def _field(self) -> str:
        replacement = self._change.replacement
        assert replacement is not None
        return replacement[0]

    @property
    def _value(self) -> str:
        replacement = self._change.replacement
        assert replacement is not None
        assert replacement[1] is not None
        return replacement[1]

    def _read(self, node: cst.CSTNode, access: Access) -> cst.BaseExpression | None:
        """The stop reason, read as the field was."""
        if access is Access.SUBSCRIPT and isinstance(node, cst.Subscript):
            key = node.slice[0]
            index = cst.Index(quoted(self._field, key))
            return node.with_changes(slice=[key.with_changes(slice=index)], lpar=[], rpar=[])
        if access is Access.GET and isinstance(node, cst.Call):
            first = node.args[0]
            argument = first.with_changes(value=quoted(self._field, first), comma=cst.MaybeSentinel.DEFAULT)
            return node.with_changes(args=[argument], lpar=[], rpar=[])
        if access is Access.ATTRIBUTE and isinstance(node, cst.Attribute):
            return node.with_changes(attr=cst.Name(self._field), lpar=[], rpar=[])
        return None

    def _compared(self, node: cst.CSTNode, read: cst.BaseExpression) -> tuple[cst.CSTNode, cst.CSTNode]:
        """The comparison, and what it stands for: the reading, or the test that the reading is part of."""
        parent, equal = self.analysis.module.parent(node), True
        old: cst.CSTNode = node
        if isinstance(parent, cst.Comparison) and (truth := _compared_with(parent, node)) is not None:
            old, equal = parent, truth
            parent = self.analysis.module.parent(parent)
        if isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Not):
            old, equal = parent, not equal
            parent = self.analysis.module.parent(parent)
        assert isinstance(old, cst.BaseExpression)
        operator = cst.Equal(_SPACE, _SPACE) if equal else cst.NotEqual("!=", _SPACE, _SPACE)
        value = quoted(self._value, node)
        new = cst.Comparison(read, [cst.ComparisonTarget(operator, value)], lpar=old.lpar, rpar=old.rpar)
        if not new.lpar and _binds_tighter(parent, old):
            new = new.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        return old, new

    def _pattern(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """``{"truncated": True}`` as a pattern of the stop reason; any other pattern says something else."""
        assert isinstance(node, cst.MatchMappingElement)
        if code_of(node.pattern) != "True":
            return None
        value = cst.MatchValue(quoted(self._value, node.key))
        return node.with_changes(key=quoted(self._field, node.key), pattern=value)


def _compared_with(comparison: cst.Comparison, node: cst.CSTNode) -> bool | None:
    """Which truth value a comparison asks for: ``x is True``, ``x == False``; None for any other."""
    target = comparison.comparisons[0]
    if len(comparison.comparisons) != 1 or comparison.left is not node:
        return None
    asked = code_of(target.comparator)
    if asked not in ("True", "False"):
        return None
    if isinstance(target.operator, cst.Is | cst.Equal):
        return asked == "True"
    return asked == "False" if isinstance(target.operator, cst.IsNot | cst.NotEqual) else None


def _binds_tighter(parent: cst.CSTNode | None, node: cst.CSTNode) -> bool:
    if isinstance(parent, cst.Subscript):
        return parent.value is node
    if isinstance(parent, cst.UnaryOperation):
        return not isinstance(parent.operator, cst.Not)
    return isinstance(parent, _TIGHTER | cst.ComparisonTarget) or (isinstance(parent, cst.Call) and parent.func is node)


__getattr__ = command_of(CompareStopReason)
