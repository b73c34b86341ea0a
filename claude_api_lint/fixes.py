"""What a fixer is, and which fixer answers to which rule.

A fixer gets a violation with the evidence that its rule saw, changes nodes of the tree, and gives back edits: the
difference between the statement's source before and after.
"""

from __future__ import annotations

import difflib
import importlib
import itertools
import os
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import libcst as cst

from claude_api_lint.findings import OWN_PREFIX, Applicability, Edit, Fix
from claude_api_lint.rules import is_class

if TYPE_CHECKING:
    from claude_api_lint.dataflow.module import Module
    from claude_api_lint.rule import Analysis, Violation


@dataclass(frozen=True)
class NoFix:
    """Why a violation has no fix, as the end of "not fixed: ..."."""

    reason: str


_NO_FIXER = NoFix("this rule has no fixer")


class Fixer:
    """Fixes the violations of one rule. Its docstring says what it does."""

    code: ClassVar[str]

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    def fix(self, violation: Violation) -> Fix | NoFix:
        """The edits for one violation, or why there are none."""
        raise TypeError(f"{type(self).__name__} does not say how to fix")

    def edit(self, old: cst.CSTNode, new: cst.CSTNode) -> Edit | NoFix:
        """The smallest edit that turns ``old``, a node of the module or of another one, into ``new``."""
        module = self.analysis.module_of(old)
        edit = replacing(module, old, new)
        return edit if isinstance(edit, NoFix) else self.placed(module, edit)

    def placed(self, module: Module, edit: Edit) -> Edit:
        """An edit of a module's text, as one of its file where that is not the finding's own."""
        return edit if module is self.analysis.module else replace(edit, path=os.path.abspath(module.path))


def replacing(module: Module, old: cst.CSTNode, new: cst.CSTNode) -> Edit | NoFix:
    """The smallest edit of the module's text that replaces one node of a tree by another."""
    statement = module.statement_of(old)
    tree = module.tree(statement)
    before = statement.text
    if tree.code != before:
        return NoFix("the file's line ends cannot be kept by LibCST")
    changed = tree.deep_replace(old, new)
    after = changed.code if isinstance(changed, cst.Module) else before
    start, end, text = _difference(before, after)
    base = module.source.offset(statement.first_line, 0)
    return Edit(base + start, base + end, text)


Change = Callable[[cst.CSTNode], "cst.CSTNode | cst.FlattenSentinel[Any] | cst.RemovalSentinel"]
"""Makes of a node what is to stand in its place; changes below the node are made already."""


def rewriting(module: Module, changes: Mapping[cst.CSTNode, Change]) -> tuple[Edit, ...] | NoFix:
    """The edits that change several nodes of a module, each as small as it can be."""
    edits: list[Edit] = []
    for statement in dict.fromkeys(module.statement_of(node) for node in changes):
        tree = module.tree(statement)
        if tree.code != statement.text:
            return NoFix("the file's line ends cannot be kept by LibCST")
        changed = tree.visit(_Rewriting(changes))
        assert isinstance(changed, cst.Module)
        after = changed.code if changed.body else ""
        edits.extend(_line_edits(statement.text, after, module.source.offset(statement.first_line, 0)))
    return tuple(edits)


class _Rewriting(cst.CSTTransformer):
    """Makes all changes in one pass."""

    def __init__(self, changes: Mapping[cst.CSTNode, Change]) -> None:
        super().__init__()
        self.changes = changes

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        change = self.changes.get(original_node)
        return change(updated_node) if change is not None else updated_node


def _line_edits(before: str, after: str, base: int) -> Iterator[Edit]:
    """The edits between two texts: one for each run of lines that differ."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [base, *itertools.accumulate(map(len, old), initial=base)][1:]
    for tag, first, last, new_first, new_last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            start, end, text = _difference("".join(old[first:last]), "".join(new[new_first:new_last]))
            yield Edit(starts[first] + start, starts[first] + end, text)


def _difference(before: str, after: str) -> tuple[int, int, str]:
    """What to replace by what in ``before`` to get ``after``."""
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    tail = 0
    while tail < shorter - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return start, len(before) - tail, after[start : len(after) - tail]


@cache
def fixers() -> dict[str, type[Fixer]]:
    """The fixers of the package ``fixers`` by the code of their rule."""
    import claude_api_lint.fixers as package

    found: dict[str, type[Fixer]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        for value in vars(importlib.import_module(f"{package.__name__}.{module.name}")).values():
            if is_class(value) and issubclass(value, Fixer) and hasattr(value, "code"):
                found[value.code] = value
    return found


def fix_for(violation: Violation, analysis: Analysis) -> Fix | NoFix:
    """What the rule's fixer makes of a violation."""
    code = violation.rule.code
    if code.startswith(OWN_PREFIX):
        fixer = fixers().get(code)
        return fixer(analysis).fix(violation) if fixer is not None else _NO_FIXER
    return _fix_of_extension(violation, analysis)


def _fix_of_extension(violation: Violation, analysis: Analysis) -> Fix | NoFix:
    """The same for a rule that another distribution brings: a mistake in its fixer must not cost the finding."""
    from claude_api_lint import extensions

    code = violation.rule.code
    fixer = extensions.loaded().fixers.get(code)
    if fixer is None:
        return _NO_FIXER
    try:
        return fixer(analysis).fix(violation)
    except Exception as error:
        return NoFix(f"the fixer of {extensions.distribution_of(code)} failed ({type(error).__name__}: {error})")


def applicability_of_step(analysis: Analysis, version: str | None) -> Applicability:
    """Whether going from a version to the target is safe: not where a version between takes request parameters away."""
    from claude_api_lint.api import ChangeKind

    catalog = analysis.catalog
    if version is None or not catalog.is_known(version):
        return Applicability.SAFE
    for step in catalog.versions:
        takes_away = (ChangeKind.REQUEST_PARAMETER_REMOVED, ChangeKind.REQUEST_BLOCK_REJECTED)
        if version < step.date <= analysis.target and any(step.changes_of(kind) for kind in takes_away):
            return Applicability.UNSAFE
    return Applicability.SAFE
