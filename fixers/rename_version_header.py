"""Fixes CAV104."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.values import Entry
from claude_api_lint.findings import Applicability, Edit, Fix
from claude_api_lint.fixes import Fixer, NoFix
from claude_api_lint.layout import with_value_quoted_like
from claude_api_lint.rule import Violation


class RenameVersionHeader(Fixer):
    """Renames a misspelled version header to `anthropic-version`."""

    code = "CAV104"

    def fix(self, violation: Violation) -> Fix | NoFix:
        entry = violation.evidence
        assert isinstance(entry, Entry)
        node = entry.key_place.node if entry.key_place is not None else violation.node
        edit = self._edit(node, entry)
        if isinstance(edit, NoFix):
            return edit
        return Fix(f"Rename it to {self.analysis.catalog.version_header}", Applicability.SAFE, (edit,))

    def _edit(self, node: cst.CSTNode, entry: Entry) -> Edit | NoFix:
        header = self.analysis.catalog.version_header
        if isinstance(node, cst.SimpleString) and node.evaluated_value in (entry.key, entry.key.encode()):
            return self.edit(node, with_value_quoted_like(node, header))
        module = self.analysis.module_of(node)
        start, end = module.span(node)
        source = module.source.text[start:end]
        if isinstance(node, cst.Name) or source.count(entry.key) != 1:
            return NoFix("the name is not written here as one literal")
        place = start + source.index(entry.key)
        return self.placed(module, Edit(place, place + len(entry.key), header))


__getattr__ = command_of(RenameVersionHeader)
