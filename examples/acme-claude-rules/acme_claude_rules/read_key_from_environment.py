"""Fixes ACM101."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.codemod import command_of
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Fixer, NoFix
from claude_api_lint.rule import Violation


class ReadKeyFromEnvironment(Fixer):
    """Reads a key from the environment that is written into the program."""

    code = "ACM101"

    def fix(self, violation: Violation) -> Fix | NoFix:
        if "os" not in self._imported():
            return NoFix("the module does not import os")
        edit = self.edit(violation.node, cst.parse_expression('os.environ["ANTHROPIC_API_KEY"]'))
        if isinstance(edit, NoFix):
            return edit
        return Fix("read the key from ANTHROPIC_API_KEY", Applicability.UNSAFE, (edit,))

    def _imported(self) -> set[str]:
        """The modules that are imported under their own names."""
        imports = self.analysis.module.nodes(cst.Import)
        return {alias.evaluated_name for node in imports for alias in node.names if alias.asname is None}


__getattr__ = command_of(ReadKeyFromEnvironment)
