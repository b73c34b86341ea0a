"""Two names for one mapping: ``headers = self.headers``, and then a change through either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import libcst as cst

from claude_api_lint.dataflow import mappings
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import CHANGING_METHODS, Scope, dotted
from claude_api_lint.dataflow.values import Alternative, Alternatives, Change, Made, Mapping, Value


class Aliases:
    """For each function of a module (None for module level): which names are bound to what another name stands for."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._names: dict[str, dict[tuple[Scope | None, str], set[str]]] = {}
        self._attributes: dict[str, list[tuple[cst.CSTNode, str]]] = {}
        self._changes: dict[str, frozenset[tuple[Scope | None, str]]] = {}

    def _bound_to(self, root: str) -> dict[tuple[Scope | None, str], set[str]]:
        """Pairs of names for one object, from the statements that have a word."""
        if root not in self._names:
            names = self._names[root] = {}
            for assignment in self._module.nodes(cst.Assign, root):
                value = dotted(assignment.value)
                for target in assignment.targets:
                    name = dotted(target.target)
                    if name is not None and value is not None:
                        scope = self._module.scope_of(assignment)
                        names.setdefault((scope, value), set()).add(name)
                        names.setdefault((scope, name), set()).add(value)
        return self._names[root]

    def _changed(self, name: str) -> frozenset[tuple[Scope | None, str]]:
        """Where an object is changed in place through a name that begins as this one."""
        root = name.split(".")[0]
        if root not in self._changes:
            found = _changes(self._module, root)
            self._changes[root] = frozenset((self._module.scope_of(node), changed) for node, changed in found)
        return self._changes[root]

    def changed_elsewhere(self, scope: Scope | None, name: str) -> bool:
        """Whether what a name stands for, or a part of it, may be changed through another name in the same function,
        or by a function inside it.
        """
        others = {
            other
            for (where, original), names in self._bound_to(name.split(".")[0]).items()
            if where is scope and (original == name or original.startswith(name + "."))
            for other in names
        }
        if any((scope, other) in self._changed(other) for other in others):
            return True
        return any(
            changed == name and (self._is_inside(inner, scope) or (scope is None and isinstance(inner, cst.Lambda)))
            for inner, changed in self._changed(name)
        )

    def changed_anywhere(self, name: str) -> bool:
        """Whether something changes what a dotted name stands for in place."""
        return any(changed == name for _, changed in self._changed(name))

    def changes_of(self, attribute: str) -> list[tuple[cst.CSTNode, str]]:
        """Where an attribute, or a part of it, is changed in place: the node, and the dotted name of the attribute."""
        if attribute not in self._attributes:
            found = [(node, path.split(".")) for node, path in _changes(self._module, attribute)]
            self._attributes[attribute] = [
                (node, ".".join(parts[: parts.index(attribute, 1) + 1]))
                for node, parts in found
                if attribute in parts[1:]
            ]
        return self._attributes[attribute]

    def _is_inside(self, inner: Scope | None, scope: Scope | None) -> bool:
        """Whether a function stands inside another one."""
        return inner is not None and scope is not None and inner is not scope and scope in self._module.ancestors(inner)

    @staticmethod
    def opened(alternatives: Iterable[Alternative]) -> Alternatives:
        """The values as they are when somebody else may have changed them."""
        return tuple(replace(a, value=_opened(a.value)) for a in alternatives)


def _changes(module: Module, root: str) -> Iterator[tuple[cst.CSTNode, str]]:
    """Every place that changes an object in place, with the name it does it through."""
    for call in module.nodes(cst.Call, root):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in CHANGING_METHODS:
            yield from _named(call, call.func.value)
    changing: list[cst.AssignTarget | cst.Del] = [
        *module.nodes(cst.AssignTarget, root),
        *module.nodes(cst.Del, root),
    ]
    for node in changing:
        if isinstance(node.target, cst.Subscript):
            yield from _named(node, node.target.value)
    for augmented in module.nodes(cst.AugAssign, root):
        yield from _named(augmented, augmented.target)


def _named(node: cst.CSTNode, target: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, str]]:
    name = dotted(target)
    if name is not None:
        yield node, name


def _opened(value: Value) -> Value:
    if isinstance(value, Mapping):
        return mappings.opened(value, "it is changed under another name")
    if isinstance(value, Made):
        return replace(value, changes=(*value.changes, Change("unknown", (), value.call, value.frame)))
    return value
