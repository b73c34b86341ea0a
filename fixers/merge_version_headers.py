"""Fixes CAV105."""

from __future__ import annotations

import libcst as cst
from claude_api_lint.lint_rules.duplicate_version_header import Duplicate

from claude_api_lint.codemod import command_of
from claude_api_lint.findings import Applicability, Edit, Fix
from claude_api_lint.fixes import Fixer, NoFix
from claude_api_lint.layout import dict_without, has_comment
from claude_api_lint.rule import Violation


class MergeVersionHeaders(Fixer):
    """Removes the second of two version headers that differ in casing only."""

    code = "CAV105"

    def fix(self, violation: Violation) -> Fix | NoFix:
        duplicate = violation.evidence
        assert isinstance(duplicate, Duplicate)
        key = duplicate.second.key_place.node if duplicate.second.key_place is not None else violation.node
        module = self.analysis.module_of(key)
        element = module.parent(key)
        if isinstance(element, cst.DictElement):
            literal = module.parent(element)
            assert isinstance(literal, cst.Dict)
            edit = self.edit(literal, dict_without(literal, element))
            applicability = Applicability.UNSAFE if has_comment(element) else Applicability.SAFE
        elif isinstance(element, cst.Element):
            edit, applicability = self._without_argument(element), Applicability.SAFE
        else:
            return NoFix("the second header is not written in a literal")
        if isinstance(edit, NoFix):
            return edit
        return Fix("Remove the second one", applicability, (edit,))

    def _without_argument(self, element: cst.Element) -> Edit | NoFix:
        """curl's argument list without one ``-H`` and its value."""
        arguments = self.analysis.module_of(element).parent(element)
        if not isinstance(arguments, cst.List | cst.Tuple):
            return NoFix("the second header is not written in a literal")
        elements = list(arguments.elements)
        index = elements.index(element)
        if index < 1:
            return NoFix("the header's -H is not written beside it")
        if index == len(elements) - 1 and index > 1:
            elements[index - 2] = elements[index - 2].with_changes(comma=element.comma)
        del elements[index - 1 : index + 1]
        return self.edit(arguments, arguments.with_changes(elements=elements))


__getattr__ = command_of(MergeVersionHeaders)
