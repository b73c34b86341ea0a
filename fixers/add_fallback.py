"""CAV402."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.codemod import command_of
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Fixer, NoFix
from claude_api_lint.rule import Violation


class AddFallback(Fixer):
    """Adds a case that lets other values pass, as they do already."""

    code = "CAV402"

    def fix(self, violation: Violation) -> Fix | NoFix:
        node = violation.node
        assert isinstance(node, cst.Match)
        body = cst.IndentedBlock([cst.SimpleStatementLine([cst.Pass()])])
        blank = [line for line in node.cases[-1].leading_lines if line.comment is None] if len(node.cases) > 1 else []
        fallback = cst.MatchCase(pattern=cst.MatchAs(), body=body, leading_lines=blank)
        edit = self.edit(node, node.with_changes(cases=[*node.cases, fallback]))
        return edit if isinstance(edit, NoFix) else Fix("add case _: pass", Applicability.SAFE, (edit,))


__getattr__ = command_of(AddFallback)
