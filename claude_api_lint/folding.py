"""What becomes of a program in which a test always comes out the same way: the test goes, and what it decided with it.

Fixers say which test, and how it comes out; the change is the smallest one that leaves the rest as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import libcst as cst

from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of, walk
from claude_api_lint.fixes import Change, NoFix
from claude_api_lint.layout import has_comment


@dataclass(frozen=True)
class Folded:
    """The changes that take a test away; ``dropped`` are the statements that are never reached any more.

    ``says_less`` tells that a comment goes with them.
    """

    changes: dict[cst.CSTNode, Change]
    dropped: tuple[cst.CSTNode, ...] = ()
    says_less: bool = False
    decided: cst.CSTNode | None = field(default=None, compare=False)
    """The statement or expression that the test decided about."""


def fold(module: Module, test: cst.BaseExpression, holds: bool) -> Folded | NoFix:
    """Take away a test that always comes out as ``holds`` says."""
    parent = module.parent(test)
    if isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Not):
        return fold(module, parent, not holds)
    if isinstance(parent, cst.BooleanOperation):
        return _fold_operand(module, parent, test, holds)
    if isinstance(parent, cst.If):
        return _keeping_names(module, test, parent, _fold_if(module, parent, holds))
    if not _is_pure(test):
        return NoFix("the test gives a name to what it tests")
    if isinstance(parent, cst.IfExp) and test is parent.test:
        kept = parent.body if holds else parent.orelse
        return Folded({parent: lambda _: _parenthesized_like(kept, parent)}, decided=parent)
    if isinstance(parent, cst.CompIf) and holds:
        return Folded({parent: _removal}, decided=parent)
    if isinstance(parent, cst.While) and holds:
        return Folded({test: lambda _: cst.Name("True")}, decided=parent)
    if isinstance(parent, cst.Assert) and holds:
        line = module.parent(parent)
        assert isinstance(line, cst.SimpleStatementLine)
        return Folded(removal(module, line), says_less=has_comment(line), decided=parent)
    return NoFix("the outcome of the test is used as a value")


def _fold_operand(
    module: Module, parent: cst.BooleanOperation, test: cst.BaseExpression, holds: bool
) -> Folded | NoFix:
    """``x or False`` is x, ``x or True`` is True; and so on."""
    if not _is_pure(test):
        return _fold_naming_operand(module, parent, test, holds)
    decides = isinstance(parent.operator, cst.Or) == holds
    if decides:
        if test is parent.right and not _is_pure(parent.left):
            return NoFix("the other half of the condition does something")
        return fold(module, parent, holds)
    kept = parent.left if test is parent.right else parent.right
    return Folded({parent: lambda _: _parenthesized_like(kept, parent)}, decided=parent)


def _fold_naming_operand(
    module: Module, parent: cst.BooleanOperation, test: cst.BaseExpression, holds: bool
) -> Folded | NoFix:
    """``if a and (x := b) != c:`` as ``if a:`` with ``x = b`` at the start of its body."""
    owner = module.parent(parent)
    named = [node for node in walk(test) if isinstance(node, cst.NamedExpr)]
    if not (isinstance(owner, cst.If) and isinstance(parent.operator, cst.And) and holds and test is parent.right):
        return NoFix("the test gives a name to what it tests")
    if owner.orelse is not None or not isinstance(owner.body, cst.IndentedBlock):
        return NoFix("the test gives a name to what it tests")
    lines = [_assignment(node) for node in named]
    left = parent.left

    def begun(updated: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(updated, cst.IndentedBlock)
        return updated.with_changes(body=[*lines, *updated.body])

    return Folded({parent: lambda _: left, owner.body: begun}, decided=owner)


def _keeping_names(module: Module, test: cst.BaseExpression, node: cst.If, folded: Folded) -> Folded | NoFix:
    """The names that a test gives stand as assignments before what is left of its ``if``."""
    named = [inner for inner in walk(test) if isinstance(inner, cst.NamedExpr)]
    if not named:
        return folded
    conditional = any(isinstance(inner, cst.BooleanOperation | cst.IfExp | cst.BaseComp) for inner in walk(test))
    change = folded.changes[node]
    if conditional or change is _as_if or isinstance(module.parent(node), cst.If):
        return NoFix("the test gives a name to what it tests")
    lines = [_assignment(inner) for inner in named]
    lines[0] = lines[0].with_changes(leading_lines=node.leading_lines)

    def kept(updated: cst.CSTNode) -> cst.FlattenSentinel[cst.CSTNode]:
        result = change(updated.with_changes(leading_lines=[]))
        rest = list(result) if isinstance(result, cst.FlattenSentinel) else [result]
        return cst.FlattenSentinel([*lines, *(one for one in rest if isinstance(one, cst.CSTNode))])

    changes = {key: value for key, value in folded.changes.items() if value is not _without_blank_lines}
    return replace(folded, changes={**changes, node: kept})


def _assignment(named: cst.NamedExpr) -> cst.SimpleStatementLine:
    """``x := value`` as a statement."""
    value = named.value.with_changes(lpar=[], rpar=[]) if named.value.lpar else named.value
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.ensure_type(named.target, cst.Name))], value)])


def _is_pure(node: cst.BaseExpression) -> bool:
    return ":=" not in code_of(node)


def _parenthesized_like(node: cst.BaseExpression, former: cst.BaseExpression) -> cst.BaseExpression:
    """The node in the place of another, with its parentheses where it has none of its own."""
    if node.lpar or not former.lpar or not _needs_no_parentheses(node):
        return node.with_changes(lpar=node.lpar or former.lpar, rpar=node.rpar or former.rpar)
    return node


def _needs_no_parentheses(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name | cst.Attribute | cst.Call | cst.Subscript | cst.BaseNumber | cst.SimpleString)


# Statements


def removal(module: Module, statement: cst.BaseStatement) -> dict[cst.CSTNode, Change]:
    """The changes that take a statement out of its block; a blank line never comes to stand first in a block."""
    changes: dict[cst.CSTNode, Change] = {statement: _removal}
    block = module.parent(statement)
    if isinstance(block, cst.IndentedBlock) and block.body[0] is statement and len(block.body) > 1:
        changes[block.body[1]] = _without_blank_lines
    return changes


def _removal(_: cst.CSTNode) -> cst.RemovalSentinel:
    return cst.RemovalSentinel.REMOVE


def _without_blank_lines(updated: cst.CSTNode) -> cst.CSTNode:
    lines = getattr(updated, "leading_lines", ())
    while lines and lines[0].comment is None:
        lines = lines[1:]
    return updated.with_changes(leading_lines=lines)


def _fold_if(module: Module, node: cst.If, holds: bool) -> Folded:
    parent = module.parent(node)
    is_elif = isinstance(parent, cst.If) and parent.orelse is node
    if holds:
        return _keep_body(node, is_elif)
    dropped = tuple(module.block(node.body).steps)
    says_less = has_comment(node.body) or _heading_comment(node)
    orelse = node.orelse
    if orelse is None:
        changes: dict[cst.CSTNode, Change] = {node: _removal} if is_elif else removal(module, node)
        return Folded(changes, dropped, says_less, node)
    if is_elif:
        return Folded({node: lambda updated: updated.orelse}, dropped, says_less, node)  # type: ignore[attr-defined]
    if isinstance(orelse, cst.If):
        return Folded({node: _as_if}, dropped, says_less or _has_leading_comment(orelse), node)
    return Folded({node: _else_in_place}, dropped, says_less or _heading_comment(orelse), node)


def _keep_body(node: cst.If, is_elif: bool) -> Folded:
    """Only the body is left: un-indented, or as the ``else`` of a chain."""
    dropped = () if node.orelse is None else (node.orelse,)
    says_less = node.orelse is not None and has_comment(node.orelse)
    if is_elif:
        return Folded({node: lambda updated: cst.Else(body=updated.body)}, dropped, says_less, node)  # type: ignore[attr-defined]
    return Folded({node: _body_in_place}, dropped, says_less or _heading_comment(node), node)


def _as_if(updated: cst.CSTNode) -> cst.CSTNode:
    assert isinstance(updated, cst.If)
    assert isinstance(updated.orelse, cst.If)
    return updated.orelse.with_changes(leading_lines=updated.leading_lines)


def _body_in_place(updated: cst.CSTNode) -> cst.FlattenSentinel[cst.BaseStatement]:
    assert isinstance(updated, cst.If)
    return cst.FlattenSentinel(_unindented(updated.body, updated.leading_lines))


def _else_in_place(updated: cst.CSTNode) -> cst.FlattenSentinel[cst.BaseStatement]:
    assert isinstance(updated, cst.If)
    assert isinstance(updated.orelse, cst.Else)
    return cst.FlattenSentinel(_unindented(updated.orelse.body, updated.leading_lines))


def _unindented(body: cst.BaseSuite, leading: object) -> Iterator[cst.BaseStatement]:
    """The statements of a body, to stand where the statement that owns it stood."""
    statements = statements_of(body)
    for index, statement in enumerate(statements):
        if index == 0:
            assert isinstance(leading, list | tuple)
            own = [line for line in statement.leading_lines if line.comment is not None]  # type: ignore[attr-defined]
            yield statement.with_changes(leading_lines=[*leading, *own])
        else:
            yield statement


def statements_of(body: cst.BaseSuite) -> list[cst.BaseStatement]:
    """The statements of a body as lines of their own, also where it stands behind the colon."""
    if isinstance(body, cst.SimpleStatementSuite):
        return [cst.SimpleStatementLine(body=body.body, trailing_whitespace=body.trailing_whitespace)]
    assert isinstance(body, cst.IndentedBlock)
    return list(body.body)


def _heading_comment(node: cst.If | cst.Else) -> bool:
    """Whether a comment stands above a statement, or behind its colon."""
    body = node.body
    behind = body.header.comment is not None if isinstance(body, cst.IndentedBlock) else False
    return behind or _has_leading_comment(node)


def _has_leading_comment(node: cst.If | cst.Else) -> bool:
    return any(line.comment is not None for line in node.leading_lines)
