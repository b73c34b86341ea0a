"""Loops over streams, as fixers see them: how they end, what follows them, and where the event is parsed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import children, code_of, walk
from claude_api_lint.replies import Kind, Replies, ReplyPart

Loop = cst.For | cst.While


def loop_around(module: Module, node: cst.CSTNode) -> Loop | None:
    """The innermost loop whose body a node stands in, in the same function."""
    below = node
    for above in module.ancestors(node):
        if isinstance(above, cst.FunctionDef | cst.Lambda | cst.ClassDef):
            return None
        if isinstance(above, cst.For | cst.While) and below is above.body:
            return above
        below = above
    return None


def exits(loop: Loop) -> list[cst.CSTNode]:
    """The statements that end a loop early."""
    return list(_exits(loop.body))


def _exits(body: cst.CSTNode, of_inner: bool = False) -> Iterator[cst.CSTNode]:
    for node in children(body):
        if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            continue
        if isinstance(node, cst.Return | cst.Raise) or (isinstance(node, cst.Break) and not of_inner):
            yield node
        else:
            yield from _exits(node, of_inner or isinstance(node, cst.For | cst.While))


def is_endless(loop: Loop) -> bool:
    """Whether a loop goes on until something inside leaves it."""
    return isinstance(loop, cst.While) and code_of(loop.test) in ("True", "1")


def steps_after(module: Module, step: cst.CSTNode) -> list[cst.CSTNode]:
    """The steps that run after one when it has come to its end, up to the end of the function or the loop around."""
    found: list[cst.CSTNode] = []
    current: cst.CSTNode | None = module.step_of(step)
    while current is not None:
        block, index = module.position_of(current)
        found.extend(block.steps[index + 1 :])
        if isinstance(block.owner, cst.FunctionDef | cst.Module | cst.ClassDef):
            return found
        if isinstance(block.owner, cst.For | cst.While):
            return [*found, block.owner]
        current = module.step_of(block.owner)
    return found


@dataclass(frozen=True)
class ParsedEvent:
    """Where a loop parses an event: the name that it gets, and the statement."""

    name: str
    line: cst.SimpleStatementLine
    part: ReplyPart


def parsed_event(module: Module, replies: Replies, loop: Loop) -> ParsedEvent | None:
    """The first statement of a loop that binds a name to a parsed event of the stream."""
    for node in walk(loop.body, into_scopes=False):
        if not isinstance(node, cst.Assign | cst.AnnAssign) or node.value is None:
            continue
        target = node.targets[0].target if isinstance(node, cst.Assign) else node.target
        line = module.parent(node)
        if not isinstance(target, cst.Name) or not isinstance(line, cst.SimpleStatementLine):
            continue
        part = replies.of(node.value)
        if part is not None and part.kind is Kind.REPLY and not part.path and part.streamed:
            return ParsedEvent(target.value, line, part)
    return None
