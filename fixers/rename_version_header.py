"""Fixes CAV104."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import target_names
from claude_api_lint.dataflow.values import Const, Entry, Place, Thunk
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
        if isinstance(node, cst.Name | cst.Attribute):
            constant = self._constant(node)
            if constant is None:
                return NoFix("the name is not written here as one literal")
            if not self._only_names_headers(constant):
                return NoFix("the constant that says it may stand for other things as well")
            node = constant.node
        edit = self._edit(node, entry)
        if isinstance(edit, NoFix):
            return edit
        return Fix(f"Rename it to {self.analysis.catalog.version_header}", Applicability.SAFE, (edit,))

    def _edit(self, node: cst.CSTNode, entry: Entry) -> Edit | NoFix:
        header = self.analysis.catalog.version_header
        if isinstance(node, cst.SimpleString) and _text(node) == entry.key.lower():
            return self.edit(node, with_value_quoted_like(node, header))
        module = self.analysis.module_of(node)
        start, end = module.span(node)
        source = module.source.text[start:end]
        if source.count(entry.key) != 1:
            return NoFix("the name is not written here as one literal")
        place = start + source.index(entry.key)
        return self.placed(module, Edit(place, place + len(entry.key), header))

    def _constant(self, node: cst.Name | cst.Attribute) -> Place | None:
        """Where the constant is written that stands as a header's name."""
        evaluator = self.analysis.evaluator
        frame = evaluator.frame_of(self.analysis.module_of(node), node)
        known = evaluator.only(Thunk(node, frame))
        return known.place if isinstance(known, Const) else None

    def _only_names_headers(self, constant: Place) -> bool:
        """Whether a constant is bound to one name, which stands for nothing but headers of requests to the API."""
        module, requests = constant.module, self.analysis.requests_of(constant.module)
        names, resolver = list(_names(module, constant.node)), self.analysis.evaluator.resolver
        if len(names) != 1 or any(resolver.importers(module, names[0])) or resolver.is_exhausted:
            return False
        keys = {
            entry.key_place.node
            for call in requests.calls
            for request in requests.of(call)
            for entry in requests.misspelled_entries(request.exchange)
            if entry.key_place is not None
        }
        uses = [node for node in module.nodes(cst.Name, names[0]) if node.value == names[0]]
        return all(
            isinstance(module.parent(use), cst.AssignTarget | cst.AnnAssign)
            or not keys.isdisjoint((use, *module.ancestors(use)))
            for use in uses
        )


def _names(module: Module, literal: cst.CSTNode) -> Iterator[str]:
    """The names to which a statement binds a literal."""
    statement = module.parent(literal)
    if isinstance(statement, cst.Assign):
        yield from (name for target in statement.targets for name in target_names(target.target))
    elif isinstance(statement, cst.AnnAssign):
        yield from target_names(statement.target)


def _text(literal: cst.SimpleString) -> str:
    """What a literal says, in lower case."""
    value = literal.evaluated_value
    return (value.decode("latin-1") if isinstance(value, bytes) else value).lower()


__getattr__ = command_of(RenameVersionHeader)
