"""Arms of code that serves several senders: what runs for one of them only, by a test that is not about the event."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from claude_api_lint.dataflow.flow import Leaving, leaves, parameters
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import bound_by, children, dotted, string_value, target_names, walk

NAMES_OF_OTHERS = re.compile(r"openai|azure|cohere|deepseek|gemini|groq|mistral|ollama|together", re.IGNORECASE)
OWN_NAMES = re.compile(r"anthropic|claude", re.IGNORECASE)
_OWN_OBJECTS = frozenset({"self", "cls"})

Nodes = tuple[cst.CSTNode, ...]


@dataclass(frozen=True)
class Arm:
    """What runs on one outcome of ``tests``, any of which may be the one that tells; ``instead`` runs on the others."""

    tests: tuple[cst.BaseExpression, ...]
    nodes: Nodes
    instead: Nodes


class Arms:
    """Finds the arms of one module. ``speaks`` tells whether some code reads Claude's events by their own words."""

    def __init__(self, module: Module, speaks: Callable[[Sequence[cst.CSTNode]], bool]) -> None:
        self.module = module
        self.speaks = speaks
        self._known: dict[tuple[cst.CSTNode | None, cst.CSTNode | None], _Events] = {}

    def for_one_sender(self, scope: cst.CSTNode, node: cst.CSTNode, *, by_name: bool) -> frozenset[cst.CSTNode]:
        """The code below a scope that reads Claude's events on some outcome of a test that names a vendor, or that has
        nothing to do with the event where events are read on the others as well; not where the node itself runs on that
        outcome. ``by_name`` asks for a test that names a vendor.
        """
        around = {node, *self.module.ancestors(node)}
        found: set[cst.CSTNode] = set()
        for arm in self._below(scope):
            if around.isdisjoint(arm.nodes) and self._is_for_one_sender(arm, by_name):
                found.update(arm.nodes)
        return frozenset(found)

    def names_vendors(self, scope: cst.CSTNode, node: cst.CSTNode) -> bool:
        """Whether a test below a scope names a vendor; one that decides whether the node runs does not count."""
        around = {node, *self.module.ancestors(node)}
        return any(
            self._events(arm).is_named_in(test)
            for arm in self._below(scope)
            if around.isdisjoint(arm.nodes) and around.isdisjoint(arm.instead)
            for test in arm.tests
        )

    def _is_for_one_sender(self, arm: Arm, by_name: bool) -> bool:
        if not self.speaks(arm.nodes) or self.speaks(arm.instead):
            return False
        events = self._events(arm)
        if any(map(events.is_named_in, arm.tests)):
            return True
        if by_name or not any(map(events.are_used_in, arm.instead)):
            return False
        return not all(map(events.decide, arm.tests))

    # What the arms are

    def _below(self, scope: cst.CSTNode) -> Iterator[Arm]:
        for node in walk(scope):
            if isinstance(node, cst.If):
                yield from self._of_if(node)
            elif isinstance(node, cst.IfExp):
                yield Arm((node.test,), (node.body,), (node.orelse,))
                yield Arm((node.test,), (node.orelse,), (node.body,))
            elif isinstance(node, cst.Match):
                for case in node.cases:
                    yield Arm((node.subject,), (case.body,), tuple(c.body for c in node.cases if c is not case))

    def _of_if(self, node: cst.If) -> Iterator[Arm]:
        """The body, with what is tested beside the sender, and what runs when the test does not hold."""
        rest = self._otherwise(node)
        yield Arm(tuple(_conjuncts(node.test)), (node.test, node.body), rest)
        if rest:
            yield Arm((node.test,), rest, (node.body,))

    def _otherwise(self, node: cst.If) -> Nodes:
        """The ``else`` of an ``if``, or what follows one that leaves."""
        if node.orelse is not None:
            return (node.orelse,)
        if not leaves(self.module.block(node.body), Leaving.ANY):
            return ()
        first = node
        while isinstance(above := self.module.parent(first), cst.If) and above.orelse is first:
            first = above
        block, index = self.module.position_of(first)
        return block.steps[index + 1 :]

    # What is about the event

    def _events(self, arm: Arm) -> _Events:
        test = arm.tests[0]
        loop = next((above for above in self.module.ancestors(test) if isinstance(above, cst.For | cst.While)), None)
        scope = self.module.scope_of(test) or loop
        if (scope, loop) not in self._known:
            self._known[scope, loop] = _Events(scope, loop, self._subjects(scope) if scope is not None else ())
        return self._known[scope, loop]

    def _subjects(self, scope: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """What code compares with the words of Claude's events, or looks them up in."""
        for node in walk(scope):
            if isinstance(node, cst.Comparison | cst.Subscript) and self.speaks([node]):
                yield node
            elif isinstance(node, cst.Match) and self.speaks([case.pattern for case in node.cases]):
                yield node.subject


class _Events:
    """The names that hold an event, what it is made from and what is made of it, in a function or a loop."""

    def __init__(self, scope: cst.CSTNode | None, loop: cst.CSTNode | None, subjects: Iterable[cst.CSTNode]) -> None:
        self.bound = _names_bound(scope) if scope is not None else frozenset()
        changing = _names_bound(loop) if loop is not None else frozenset()
        self.changing = changing | {name for name in self.bound if "." in name}
        self.names = {name for subject in subjects for name in self._objects(subject)}
        pairs = list(self._assignments(scope)) if scope is not None else []
        while more := {n for a, b in pairs for n in (a | b) if (a | b) & self.names} - self.names:
            self.names |= more

    def _assignments(self, scope: cst.CSTNode) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
        for node in walk(scope):
            if isinstance(node, cst.Assign | cst.NamedExpr | cst.AnnAssign) and node.value is not None:
                targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]
                bound = frozenset(name for target in targets for name in target_names(target))
                yield bound, frozenset(self._objects(node.value))

    def _objects(self, node: cst.CSTNode) -> Iterator[str]:
        """The local names, and the attributes of the own object, that an expression uses."""
        stack = [node]
        while stack:
            inner = stack.pop()
            path = dotted(inner)
            if path is None:
                stack += _operands(inner)
                continue
            root, *attributes = path.split(".")
            if root in _OWN_OBJECTS and attributes:
                yield f"{root}.{attributes[0]}"
            elif root in self.bound:
                yield root

    def are_used_in(self, node: cst.CSTNode) -> bool:
        return not self.names.isdisjoint(self._objects(node))

    def decide(self, test: cst.BaseExpression) -> bool:
        """Whether a test is about the event, or about what the events before it have left behind."""
        return not (self.names | self.changing).isdisjoint(self._objects(test))

    def is_named_in(self, test: cst.BaseExpression) -> bool:
        """Whether a test speaks of a vendor, by a text or by a name that does not hold the event."""
        for node in walk(test):
            text = string_value(node) if isinstance(node, cst.SimpleString) else None
            if isinstance(node, cst.Name) and node.value not in self.names:
                text = node.value
            if isinstance(text, str) and (OWN_NAMES.search(text) or NAMES_OF_OTHERS.search(text)):
                return True
        return False


def _conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The operands of ``and``, or the test itself."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _conjuncts(test.left)
        yield from _conjuncts(test.right)
    else:
        yield test


def _operands(node: cst.CSTNode) -> list[cst.CSTNode]:
    """What the value of an expression is made of, and not what a keyword or an attribute is called, or what chooses."""
    if isinstance(node, cst.Attribute | cst.Arg):
        return [node.value]
    return [node.body, node.orelse] if isinstance(node, cst.IfExp) else children(node)


def _names_bound(scope: cst.CSTNode) -> frozenset[str]:
    """What is bound in a function, with its parameters, or in a loop."""
    names = {name for node in walk(scope) for name in bound_by(node)}
    if isinstance(scope, cst.FunctionDef):
        names |= {parameter.name.value for parameter in parameters(scope.params)}
    return frozenset(names)
