"""CAV401."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from claude_api_lint.lint_rules.exhaustive_match import Exhaustive

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import dotted, is_irrefutable, target_names, walk
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Change, Fixer, NoFix, rewriting
from claude_api_lint.folding import removal
from claude_api_lint.loops import exits, is_endless, loop_around, steps_after
from claude_api_lint.rule import Violation

Changes = dict[cst.CSTNode, Change]


class LetVariantsPass(Fixer):
    """Lets variants that are not known pass, where nothing depends on them."""

    code = "CAV401"

    def fix(self, violation: Violation) -> Fix | NoFix:
        evidence = violation.evidence
        assert isinstance(evidence, Exhaustive)
        failing = evidence.chain.failing
        if isinstance(failing, cst.Expr):
            return self._for_type_checkers(failing, evidence)
        fallback = evidence.chain.fallback
        if fallback is None or not isinstance(failing, cst.Raise):
            return NoFix("what is to be done about other values depends on what comes after")
        if isinstance(fallback, cst.MatchCase) and isinstance(fallback.pattern, cst.MatchOr):
            return NoFix("the same case names a value that is meant to fail")
        reason = self._what_depends(evidence)
        if reason is not None:
            return NoFix(reason)
        changes = self._passing(evidence, failing)
        edits = rewriting(self.analysis.module, changes)
        return edits if isinstance(edits, NoFix) else Fix("let other values pass", Applicability.UNSAFE, edits)

    # assert_never

    def _for_type_checkers(self, step: cst.Expr, evidence: Exhaustive) -> Fix | NoFix:
        """``if TYPE_CHECKING: assert_never(x)``: the type check is kept, and nothing runs.

        That is safe where nothing depends on a value: a function that returned one would return None.
        """
        module = self.analysis.module
        line = module.parent(step)
        if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
            return NoFix("it shares its line with other statements")
        imported = self._import()
        if imported is None:
            return NoFix("the module has no import of typing that TYPE_CHECKING could join")
        kept = line.with_changes(leading_lines=[])
        guarded = cst.If(cst.Name("TYPE_CHECKING"), cst.IndentedBlock([kept]), leading_lines=line.leading_lines)
        edits = rewriting(module, {line: lambda _: guarded, **imported})
        title = "keep assert_never for the type checker alone"
        applicability = Applicability.SAFE if self._what_depends(evidence) is None else Applicability.UNSAFE
        return edits if isinstance(edits, NoFix) else Fix(title, applicability, edits)

    def _import(self) -> Changes | None:
        """The change that imports TYPE_CHECKING; none where it is imported, None where no import can take it."""
        for node in self.analysis.module.nodes(cst.ImportFrom, "typing"):
            if node.module is None or dotted(node.module) != "typing" or isinstance(node.names, cst.ImportStar):
                continue
            if any(alias.name.value == "TYPE_CHECKING" for alias in node.names):
                return {}
            return {node: _with_type_checking}
        return None

    # raise

    def _passing(self, evidence: Exhaustive, failing: cst.Raise) -> Changes:
        """``pass`` in place of the ``raise``; after another statement the ``raise`` just goes."""
        module, fallback = self.analysis.module, evidence.chain.fallback
        _, index = module.position_of(failing)
        line = module.parent(failing)
        changes: Changes = {failing: lambda _: cst.Pass()}
        if index > 0 and isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1:
            changes = removal(module, line)
        if isinstance(fallback, cst.MatchCase) and index == 0 and is_irrefutable(fallback):
            changes[fallback.pattern] = lambda _: cst.MatchAs()
        return changes

    # What depends on the value

    def _what_depends(self, evidence: Exhaustive) -> str | None:
        """Why other values cannot just pass; None where they can."""
        bodies = list(_arms(evidence.owner))
        if any(isinstance(node, cst.Return) and node.value is not None for body in bodies for node in walk(body)):
            return "the function returns a value for each of the others"
        module = self.analysis.module
        bound = {name for body in bodies for node in walk(body, into_scopes=False) for name in _bound(node)}
        after = [step for step in steps_after(module, evidence.owner) if not isinstance(step, cst.For | cst.While)]
        read = {node.value for step in after for node in walk(step) if isinstance(node, cst.Name)}
        if (bound & read) - self._bound_before(evidence.owner):
            return "what comes after needs a value that the others set"
        loop = loop_around(module, evidence.owner)
        if loop is not None and is_endless(loop) and len(exits(loop)) < 3 and self._is_only_end(loop, evidence):
            return "the loop would go on for ever"
        return None

    def _is_only_end(self, loop: cst.For | cst.While, evidence: Exhaustive) -> bool:
        """Whether an endless loop is left in the arms of the chain alone."""
        inside = {node for body in _arms(evidence.owner) for node in walk(body)}
        return all(node in inside or node is evidence.chain.failing for node in exits(loop))

    def _bound_before(self, owner: cst.CSTNode) -> set[str]:
        """The names that the steps before a chain bind."""
        module = self.analysis.module
        step = module.step_of(owner)
        names: set[str] = set()
        while step is not None:
            block, index = module.position_of(step)
            names |= {name for s in block.steps[:index] for node in walk(s, into_scopes=False) for name in _bound(node)}
            if isinstance(block.owner, cst.FunctionDef | cst.Module):
                break
            step = module.step_of(block.owner)
        return names


def _with_type_checking(updated: cst.CSTNode) -> cst.CSTNode:
    assert isinstance(updated, cst.ImportFrom)
    assert not isinstance(updated.names, cst.ImportStar)
    first = cst.ImportAlias(cst.Name("TYPE_CHECKING"), comma=_comma_of(updated))
    return updated.with_changes(names=[first, *updated.names])


def _arms(owner: cst.CSTNode) -> Iterator[cst.BaseSuite]:
    """The bodies of a chain's arms, its fallback left out."""
    if isinstance(owner, cst.Match):
        yield from (case.body for case in owner.cases)
    arm: object = owner
    while isinstance(arm, cst.If):
        yield arm.body
        arm = arm.orelse


def _bound(node: cst.CSTNode) -> list[str]:
    targets = [target.target for target in node.targets] if isinstance(node, cst.Assign) else []
    targets += [node.target] if isinstance(node, cst.AnnAssign | cst.For) else []
    return [name for target in targets for name in target_names(target)]


def _comma_of(node: cst.ImportFrom) -> cst.Comma:
    """The comma between the names of an import."""
    assert not isinstance(node.names, cst.ImportStar)
    for alias in node.names[:-1]:
        if isinstance(alias.comma, cst.Comma):
            return alias.comma
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


__getattr__ = command_of(LetVariantsPass)
