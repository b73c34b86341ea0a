"""Fixes CAV102 and, by the same means, CAV103."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import string_value
from claude_api_lint.dataflow.values import Place
from claude_api_lint.findings import Applicability, Edit, Fix
from claude_api_lint.fixes import Fixer, NoFix, applicability_of_step, replacing
from claude_api_lint.layout import quoted, with_value_quoted_like
from claude_api_lint.rule import Violation
from claude_api_lint.version_values import VersionValue


class ReplaceVersion(Fixer):
    """Replaces an outdated version of the API by the target version, where it is written."""

    code = "CAV102"

    def fix(self, violation: Violation) -> Fix | NoFix:
        value = violation.evidence
        assert isinstance(value, VersionValue)
        if self._is_one_of_several(value.place):
            return NoFix("other versions stand beside it")
        edit = written_anew(value.place.module, value.place.node, value.value, self.analysis.target)
        if isinstance(edit, NoFix):
            return edit
        title = f"Replace it by {self.analysis.target}"
        return Fix(title, self._applicability(value), (self.placed(value.place.module, edit),))

    def _applicability(self, value: VersionValue) -> Applicability:
        if self._has_other_use(value.place.node):
            return Applicability.UNSAFE
        return applicability_of_step(self.analysis, value.value)

    def _is_one_of_several(self, place: Place) -> bool:
        """Whether a version is an element among others, which are tried in turn."""
        element = place.module.parent(place.node)
        collection = place.module.parent(element) if isinstance(element, cst.Element) else None
        if not isinstance(collection, cst.List | cst.Tuple | cst.Set):
            return False
        others = [string_value(other.value) for other in collection.elements if other is not element]
        return any(self.analysis.catalog.is_known(str(other)) for other in others)

    def _has_other_use(self, node: cst.CSTNode) -> bool:
        """Whether the value is a constant's that also stands in a text or under another key: another API's version."""
        module = self.analysis.module_of(node)
        assignment = module.parent(node)
        if not isinstance(assignment, cst.Assign) or not isinstance(assignment.targets[0].target, cst.Name):
            return False
        name = assignment.targets[0].target.value
        uses = [module.parent(use) for use in module.nodes(cst.Name, name) if use.value == name]
        return any(
            isinstance(use, cst.FormattedStringExpression)
            or (isinstance(use, cst.DictElement) and self._is_other_key(use.key))
            for use in uses
        )

    def _is_other_key(self, key: cst.BaseExpression) -> bool:
        name = string_value(key)
        return isinstance(name, str) and not self.analysis.catalog.is_version_header(name)


def written_anew(module: Module, node: cst.CSTNode, old: str | None, new: str) -> Edit | NoFix:
    """The edit that writes another version where one is written: in a literal of its own, or in a longer one."""
    if isinstance(node, cst.SimpleString) and node.evaluated_value in (old, (old or "").encode()):
        return replacing(module, node, with_value_quoted_like(node, new))
    if isinstance(node, cst.Name) and node.value == "None":
        return replacing(module, node, quoted(new))
    start, end = module.span(node)
    source = module.source.text[start:end]
    if not old or source.count(old) != 1:
        return NoFix("the value is put together from pieces")
    place = start + source.index(old)
    return Edit(place, place + len(old), new)


__getattr__ = command_of(ReplaceVersion)
