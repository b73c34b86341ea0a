"""Fixes CAV106."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import string_value
from claude_api_lint.findings import Applicability, Confidence, Fix
from claude_api_lint.fixes import Change, Fixer, NoFix, applicability_of_step, rewriting
from claude_api_lint.folding import removal
from claude_api_lint.layout import call_without, dict_without, has_comment, has_comment_around
from claude_api_lint.rule import Violation
from claude_api_lint.version_overrides import Harm, Override


class RemoveVersionOverride(Fixer):
    """Removes the version from the headers that the SDK is given, and the argument with it where nothing is left."""

    code = "CAV106"

    def fix(self, violation: Violation) -> Fix | NoFix:
        override, key = violation.evidence, violation.node
        if not isinstance(override, Override):
            return NoFix("the client's own methods take other arguments")
        if override.entry.key_place is None or override.entry.key_place.node is not key:
            return NoFix("the headers are written in another file")
        if not override.is_constant:
            return NoFix("which version is sent is decided elsewhere")
        if set(override.given.headers.homes) & self.analysis.requests.homes:
            return NoFix("the same headers are sent without the SDK as well")
        parent = self.analysis.module.parent(key)
        if isinstance(parent, cst.DictElement):
            return self._without_entry(parent, override)
        if isinstance(parent, cst.Index):
            return self._without_assignment(parent, override)
        return NoFix("the header is not written in a literal")

    def _without_entry(self, element: cst.DictElement, override: Override) -> Fix | NoFix:
        literal = self.analysis.module.parent(element)
        assert isinstance(literal, cst.Dict)
        if len(literal.elements) == 1:
            whole = self._without_literal(literal, override)
            if whole is not None:
                return whole
        shorter = dict_without(literal, element)
        return self._fix({literal: lambda _: shorter}, override, literal, has_comment_around(element, literal))

    def _without_literal(self, literal: cst.Dict, override: Override) -> Fix | NoFix | None:
        """The call without the argument that has nothing but the entry; None where it must stay."""
        module, arguments = self.analysis.module, self.analysis.catalog.sdk.arguments
        above = module.parent(literal)
        if isinstance(above, cst.DictElement) and string_value(above.key) == arguments.options_key:
            options = module.parent(above)
            assert isinstance(options, cst.Dict)
            if len(options.elements) > 1:
                shorter = dict_without(options, above)
                return self._fix({options: lambda _: shorter}, override, literal, has_comment_around(above, options))
            above = module.parent(options)
        if not isinstance(above, cst.Arg) or above.keyword is None or above.keyword.value in arguments.replacing:
            return None
        call = module.parent(above)
        assert isinstance(call, cst.Call)
        fewer = call_without(call, above)
        return self._fix({call: lambda _: fewer}, override, literal, has_comment_around(above, call))

    def _without_assignment(self, index: cst.Index, override: Override) -> Fix | NoFix:
        """``headers["anthropic-version"] = ...`` taken away."""
        module = self.analysis.module
        step = module.step_of(index)
        line = module.parent(step) if step is not None else None
        if not isinstance(step, cst.Assign) or not isinstance(line, cst.SimpleStatementLine):
            return NoFix("the header is not written in a literal")
        if len(step.targets) != 1 or len(line.body) != 1:
            return NoFix("the line does something else as well")
        return self._fix(removal(module, line), override, step, has_comment(line))

    # Whether it is safe

    def _fix(
        self, changes: dict[cst.CSTNode, Change], override: Override, place: cst.CSTNode, says_less: bool
    ) -> Fix | NoFix:
        edits = rewriting(self.analysis.module, changes)
        if isinstance(edits, NoFix):
            return edits
        is_safe = (
            not says_less
            and override.given.confidence is Confidence.CERTAIN
            and self._leads_to_target(override)
            and not self._has_other_uses(place, override)
        )
        return Fix("Remove the override", Applicability.SAFE if is_safe else Applicability.UNSAFE, edits)

    def _leads_to_target(self, override: Override) -> bool:
        """Whether a program that works asks for the target version once its override is gone, and still works."""
        if override.harm is not Harm.OUTDATED:
            return True
        versions = {release.version for release in self.analysis.requests.sdk.releases if release.version}
        step = applicability_of_step(self.analysis, override.version)
        return versions == {self.analysis.target} and step is Applicability.SAFE

    def _has_other_uses(self, place: cst.CSTNode, override: Override) -> bool:
        """Whether what is changed may go elsewhere than to the SDK."""
        module = self.analysis.module
        if override.given.call in module.ancestors(place):
            return False
        step = module.step_of(place)
        if not isinstance(step, cst.Assign) or len(step.targets) != 1:
            return True
        target: cst.BaseExpression = step.targets[0].target
        if isinstance(target, cst.Subscript):
            target = target.value
        if not isinstance(target, cst.Name) or self._is_public(target):
            return True
        uses = [node for node in module.nodes(cst.Name, target.value) if node.value == target.value]
        return not all(self._goes_to_the_sdk(use) for use in uses)

    def _is_public(self, name: cst.Name) -> bool:
        """Whether other modules may use what a name is bound to."""
        scope = self.analysis.module.scope_of(name)
        return isinstance(scope, cst.ClassDef) or (scope is None and not name.value.startswith("_"))

    def _goes_to_the_sdk(self, use: cst.Name) -> bool:
        """Whether a name is bound, filled, or handed to the SDK here."""
        module = self.analysis.module
        parent = module.parent(use)
        if isinstance(parent, cst.AssignTarget):
            return True
        if isinstance(parent, cst.Attribute) and parent.attr is use:
            return True
        if isinstance(parent, cst.Arg):
            call = module.parent(parent)
            return parent.keyword is use or (
                isinstance(call, cst.Call) and bool(self.analysis.requests.sdk.given(call))
            )
        above = module.parent(parent) if isinstance(parent, cst.Subscript) else None
        return isinstance(above, cst.AssignTarget)


__getattr__ = command_of(RemoveVersionOverride)
