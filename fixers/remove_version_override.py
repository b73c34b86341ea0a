"""Fixes CAV106."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import string_value
from claude_api_lint.dataflow.values import Const
from claude_api_lint.findings import Applicability, Confidence, Edit, Fix
from claude_api_lint.fixes import Fixer, NoFix, applicability_of_step, rewriting
from claude_api_lint.layout import call_without, dict_without, has_comment
from claude_api_lint.rule import Violation

from claude_api_lint.lint_rules.sdk_version_override import Harm, Override


class RemoveVersionOverride(Fixer):
    """Removes the version from the headers that the SDK is given, and the argument with them where nothing is left."""

    code = "CAV106"

    def fix(self, violation: Violation) -> Fix | NoFix:
        override = violation.evidence
        if not isinstance(override, Override):
            return NoFix("a call of the client itself takes other arguments")
        key = violation.node
        if override.entry.key_place is None or override.entry.key_place.node is not key:
            return NoFix("the headers are written in another file")
        if not override.is_constant:
            return NoFix("which version is sent is decided elsewhere")
        literal = self._literal_of(key)
        ...
