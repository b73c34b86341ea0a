"""The program's own kinds of client: classes that derive from a library's, and change nothing but how it is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from claude_api_lint.dataflow.changed_in_place import sets_attribute
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import bound_by, dotted, target_names, walk
from claude_api_lint.dataflow.values import (
    Alternative,
    Alternatives,
    Class,
    Frame,
    Function,
    Instance,
    Made,
    Value,
    assuming,
    just,
)
from claude_api_lint.http.declarations import VERBS, Client
from claude_api_lint.http.registry import Registry

# Special methods that have no part in what a client sends.
_HARMLESS = frozenset("__init__ __repr__ __str__ __del__ __enter__ __exit__ __aenter__ __aexit__".split())


class OwnClients:
    """Sees objects of the program's classes as the library's clients that they are."""

    def __init__(self, evaluator: Evaluator, registry: Registry) -> None:
        self.evaluator = evaluator
        self.registry = registry

    def called(self, call: cst.Call, frame: Frame) -> Alternatives:
        """The clients whose method a call may call; nothing where one of them is not known."""
        if not isinstance(call.func, cst.Attribute):
            return ()
        found: list[Alternative] = []
        for owner in self.evaluator.evaluate(call.func.value, frame):
            clients = self._as_client(owner.value) if isinstance(owner.value, Instance) else ()
            if not clients:
                return ()
            found.extend(assuming(clients, owner.when))
        return tuple(found)

    def _as_client(self, instance: Instance) -> Alternatives:
        """The library's client that an object is, with what its initializer does to it."""
        objects = self.evaluator.objects
        line, outside = objects.line(instance.cls)
        name = self.registry.canonical(outside[0]) if len(outside) == 1 else ""
        if name not in self.registry.clients:
            return ()
        client = self.registry.clients[name][1]
        names = self._names_that_count(name, client)
        if not client.inner or not all(self._is_plain(cls, names) for cls in line):
            return ()
        if self._is_changed_elsewhere(instance, names):
            return ()
        if objects.method(instance.cls, "__init__") is not None:
            return tuple(self._initialized(name, instance))
        if instance.call is None or instance.frame is None:
            return ()
        return just(Made(name, instance.call, instance.frame))

    def _names_that_count(self, name: str, client: Client) -> frozenset[str]:
        """The attributes and methods that decide what a client sends."""
        methods = {full.rpartition(".")[2] for full in self.registry.sendings if full.startswith(f"{name}().")}
        attributes = {client.attribute or "headers", *(client.base_url.names if client.base_url else ())}
        return frozenset({*VERBS, *methods, *attributes, *client.inner, *client.hooks})

    def _is_plain(self, cls: Class, names: frozenset[str]) -> bool:
        """Whether a class has nothing of its own in the place of what a client sends with, but an initializer."""
        if cls.node.decorators or cls.node.keywords:
            return False
        for step in cls.module.block(cls.node.body).steps:
            if any(name in names or (_is_special(name) and name not in _HARMLESS) for name in _bound(step)):
                return False
        return True

    def _is_changed_elsewhere(self, instance: Instance, names: frozenset[str]) -> bool:
        """Whether other methods than the initializer, or who uses the object, may change what it sends."""
        cls = instance.cls
        methods = {method.name.value for _, method in self._methods(cls)} - {"__init__"}
        if any(names & self.evaluator.objects.assigned_by(instance, method) for method in methods):
            return True
        users = {cls.module, *([instance.frame.module] if instance.frame is not None else [])}
        takers = [taker for user in users for taker in self._takers(user, cls.node.name.value)]
        if any(not isinstance(taker, Function | Class) for taker in takers):
            return True
        users |= {taker.module for taker in takers if isinstance(taker, Function | Class)}
        return any(sets_attribute(module, name) for module in users for name in names & module.words)

    def _takers(self, module: Module, name: str) -> Iterator[Value]:
        """What is called with the objects of a class that a module makes and names."""
        for path in {path for call in module.calls_of(name) for path in _names_given(module, call)}:
            for call in module.nodes(cst.Call, path.split(".")[0]):
                if any(dotted(argument.value) == path for argument in call.args):
                    for callee in self.evaluator.evaluate(call.func, self.evaluator.frame_of(module, call)):
                        yield callee.value

    def _methods(self, cls: Class) -> Iterator[tuple[Class, cst.FunctionDef]]:
        for candidate in self.evaluator.objects.line(cls)[0]:
            for step in candidate.module.block(candidate.node.body).steps:
                if isinstance(step, cst.FunctionDef):
                    yield candidate, step

    def _initialized(self, name: str, instance: Instance) -> Iterator[Alternative]:
        """The client as the one initializer leaves it that calls the library's."""
        initializers = [(cls, method) for cls, method in self._methods(instance.cls) if method.name.value == "__init__"]
        calls = [
            call for cls, method in initializers for call in self.evaluator.objects.super_calls(cls, method, instance)
        ]
        if len(initializers) != 1 or len(calls) != 1:
            return
        (_, method), (call, frame) = initializers[0], calls[0]
        receiver = self.evaluator.calls.receiver_name(frame.module, method) or "self"
        client = Made(name, call, frame)
        seen = self.evaluator.enter(frame.module, method, frame.call, frame.caller, client, frame.enclosing)
        for left in self.evaluator.flow.at_end(method, receiver, seen):
            if isinstance(left.value, Made):
                changes = (replace(c, frame=frame) if c.frame is seen else c for c in left.value.changes)
                yield replace(left, value=replace(left.value, changes=tuple(changes)))


def _bound(step: cst.CSTNode) -> Iterator[str]:
    """The names that a step of a class's body binds."""
    for node in walk(step, into_scopes=False):
        yield from bound_by(node)


def _names_given(module: Module, call: cst.Call) -> Iterator[str]:
    """The names that a call's result is bound to."""
    parent = module.parent(call)
    if isinstance(parent, cst.Assign):
        yield from (name for target in parent.targets for name in target_names(target.target))
    elif isinstance(parent, cst.AnnAssign | cst.NamedExpr):
        yield from target_names(parent.target)
    elif isinstance(parent, cst.WithItem) and parent.asname is not None:
        yield from target_names(parent.asname.name)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
