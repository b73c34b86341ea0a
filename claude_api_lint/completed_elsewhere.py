"""Whether other files of the project complete the headers of a request: change them, or replace what builds them.

It is asked where a request is seen to lack something, and only then: every file of the project is searched for a name.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from claude_api_lint.dataflow.changed_in_place import changed_in_place, sets_attribute
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import dotted, last_name
from claude_api_lint.dataflow.values import Class, Place
from claude_api_lint.http.exchanges import Exchange


class CompletedElsewhere:
    """Which requests are completed in other files; each place is looked at once."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._known: dict[tuple[cst.CSTNode, Module], bool] = {}

    def covers(self, exchange: Exchange) -> bool:
        """Whether the headers of a request, or the client that sends them, are completed in another file."""
        places = [*exchange.headers.homes, *([exchange.client] if exchange.client is not None else [])]
        return any(self._holds(place, exchange.module) for place in places)

    def _holds(self, place: Place, sender: Module) -> bool:
        key = (place.node, sender)
        if key not in self._known:
            self._known[key] = _is_completed(self._evaluator, place, sender)
        return self._known[key]


def _is_completed(evaluator: Evaluator, place: Place, sender: Module) -> bool:
    module = place.module
    names = frozenset(_names(place))
    scope = module.scope_of(place.node)
    owner = scope if isinstance(scope, cst.ClassDef) else module.scope_of(scope) if scope is not None else None
    if isinstance(owner, cst.ClassDef):
        attributes = {name.rpartition(".")[2] for name in names if "." in name or scope is owner}
        replaceable = attributes if module is sender else set()
        if isinstance(scope, cst.FunctionDef) and module is sender:
            replaceable = {*attributes, scope.name.value}
        return _is_object_completed(evaluator, Class(module, owner), attributes, replaceable)
    if scope is not None:
        return False
    return any(
        _changes(user, name, imported) or evaluator.resolver.is_exhausted
        for name in names
        for user, imported in evaluator.resolver.importers(module, name)
    )


def _names(place: Place) -> Iterator[str]:
    """The names that a place's step binds: ``HEADERS``, ``self.headers``."""
    step = place.module.step_of(place.node)
    if isinstance(step, cst.Assign):
        yield from filter(None, (dotted(target.target) for target in step.targets))
    elif isinstance(step, cst.AnnAssign):
        yield dotted(step.target) or ""
    elif isinstance(place.node, cst.Call) and last_name(place.node.func) == "__init__":
        yield "self.headers"  # of a client that is the object itself


def _changes(module: Module, name: str, imported: frozenset[str]) -> bool:
    """Whether a module changes what it imports under a name: ``HEADERS[...] = ``, ``net.session.headers.update``."""
    changed = (path.split(".") for path in changed_in_place(module, name))
    return any(path[0] in imported and name in path for path in changed)


# Objects


def _is_object_completed(evaluator: Evaluator, cls: Class, attributes: set[str], replaceable: set[str]) -> bool:
    """Whether others set or change an attribute of a class's objects, or there are only objects of subclasses which
    have something else in the place of a method or attribute.
    """
    for user, _ in evaluator.resolver.importers(cls.module, cls.node.name.value):
        if evaluator.resolver.is_exhausted or any(sets_attribute(user, attribute) for attribute in attributes):
            return True
        if _overrides(evaluator, user, cls, replaceable) and not evaluator.objects.constructions(cls):
            return True
    return False


def _overrides(evaluator: Evaluator, module: Module, cls: Class, names: set[str]) -> bool:
    """Whether a class of a module derives from another one and has methods or attributes of its own in their stead."""
    for node in module.nodes(cst.ClassDef, cls.node.name.value):
        line = evaluator.objects.line(Class(module, node))[0][1:]
        if any(base.node is cls.node for base in line) and names & set(_members(module, node)):
            return True
    return False


def _members(module: Module, node: cst.ClassDef) -> Iterator[str]:
    for step in module.block(node.body).steps:
        if isinstance(step, cst.FunctionDef):
            yield step.name.value
        elif isinstance(step, cst.Assign):
            yield from filter(None, (dotted(target.target) for target in step.targets))
        elif isinstance(step, cst.AnnAssign):
            yield dotted(step.target) or ""
