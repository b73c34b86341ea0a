"""Two names for one mapping: ``headers = self.headers``, and then a change through either."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import Scope, dotted

_CHANGING_METHODS = frozenset("update setdefault pop popitem clear append extend insert add".split())


class Aliases:
    """For each function of a module (None for module level): which names are bound to what another name stands for."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._names: dict[tuple[Scope | None, str], set[str]] = {}
        self._changed: set[tuple[Scope | None, str]] = set()
        for assignment in module.nodes(cst.Assign):
            value = dotted(assignment.value)
            for target in assignment.targets:
                name = dotted(target.target)
                if name is not None and value is not None:
                    scope = module.scope_of(assignment)
                    self._names.setdefault((scope, value), set()).add(name)
                    self._names.setdefault((scope, name), set()).add(value)
        if self._names:
            self._changed = {(module.scope_of(node), name) for node, name in self._changes()}

    def changed_elsewhere(self, scope: Scope | None, name: str) -> bool:
        """Whether what a name stands for may be changed through another name in the same function."""
        return any((scope, other) in self._changed for other in self._names.get((scope, name), ()))

    def _changes(self) -> Iterator[tuple[cst.CSTNode, str]]:
        """Every place that changes an object in place, with the name it does it through."""
        for call in self._module.nodes(cst.Call):
            if isinstance(call.func, cst.Attribute) and call.func.attr.value in _CHANGING_METHODS:
                yield from self._named(call, call.func.value)
        changing: list[cst.AssignTarget | cst.Del] = [
            *self._module.nodes(cst.AssignTarget),
            *self._module.nodes(cst.Del),
        ]
        for node in changing:
            if isinstance(node.target, cst.Subscript):
                yield from self._named(node, node.target.value)
        for augmented in self._module.nodes(cst.AugAssign):
            yield from self._named(augmented, augmented.target)

    def _named(self, node: cst.CSTNode, target: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, str]]:
        name = dotted(target)
        if name is not None:
            yield node, name
