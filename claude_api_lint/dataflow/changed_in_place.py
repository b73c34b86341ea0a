"""What the statements of a module change in place, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import CHANGING_METHODS, dotted

_CHANGING = CHANGING_METHODS | {"__setitem__"}


def changed_in_place(module: Module, word: str) -> Iterator[str]:
    """The dotted names that the statements with a word change in place, or an item of which they change."""
    for call in module.nodes(cst.Call, word):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in _CHANGING:
            yield _path(call.func.value)
    assigned: list[cst.AssignTarget | cst.AugAssign] = [
        *module.nodes(cst.AssignTarget, word),
        *module.nodes(cst.AugAssign, word),
    ]
    for node in assigned:
        if isinstance(node.target, cst.Subscript | cst.Attribute) or isinstance(node, cst.AugAssign):
            yield _path(node.target)


def sets_attribute(module: Module, attribute: str) -> bool:
    """Whether a module sets or changes an attribute of an object that is not its own ``self``."""
    changed = (path.split(".") for path in changed_in_place(module, attribute))
    return any(attribute in path[1:] and path[:2] != ["self", attribute] for path in changed)


def _path(node: cst.BaseExpression) -> str:
    while isinstance(node, cst.Subscript):
        node = node.value
    return dotted(node) or ""
