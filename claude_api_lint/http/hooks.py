"""Hooks: whether what gets each request before it goes out may add headers to it."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from claude_api_lint.dataflow.calls import Arguments
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.trees import walk
from claude_api_lint.dataflow.values import (
    Change,
    Const,
    External,
    Function,
    Instance,
    Made,
    Mapping,
    Sequence,
    Text,
    Thunk,
    Value,
)
from claude_api_lint.http.declarations import Client, Library
from claude_api_lint.http.registry import Registry

# The methods by which the libraries' auth objects get a request, and the classes that they derive from.
_AUTH_METHODS = ("auth_flow", "sync_auth_flow", "async_auth_flow", "__call__")
_AUTH_CLASSES = frozenset({"httpx.Auth", "requests.auth.AuthBase"})
# What a request tells without being changed.
_TELLING = frozenset({"method", "url", "content", "body", "extensions", "stream"})
# Methods that hand out what stands under a key, for others to change.
_HANDING_OUT = frozenset({"setdefault", "get", "__getitem__"})


class Hooks:
    """Judges what a program gives to a client, or to a call, as a hook."""

    def __init__(self, evaluator: Evaluator, registry: Registry) -> None:
        self.evaluator = evaluator
        self.registry = registry

    def given(self, library: Library, names: Iterable[str], arguments: Arguments) -> bool:
        """Whether one of the arguments with these names may add headers."""
        return any(
            self._may_add(library, arguments.keywords[name], name) for name in names if name in arguments.keywords
        )

    def made_with(self, library: Library, client: Client, arguments: Arguments) -> bool:
        """Whether a client is made with something that may add headers."""
        if client.takes_hooks and (
            arguments.open_positional or any(self._may_add(library, v, "") for v in arguments.positional)
        ):
            return True
        return self.given(library, client.hooks, arguments)

    def set_by(self, library: Library, change: Change) -> bool:
        """Whether a change to a hook of a client brings something that may add headers."""
        if change.key is not None and self._is_late(library, Thunk(change.key, change.frame)):
            return False
        if change.kind in ("set", "item", "joined") and isinstance(change.node, cst.BaseExpression):
            return len(change.path) > 1 or self._may_add(library, Thunk(change.node, change.frame), change.path[0])
        values = [Thunk(a.value, change.frame) for a in change.node.args] if isinstance(change.node, cst.Call) else []
        if change.path[-1] in _HANDING_OUT and values and change.kind == "call":
            return not self._is_late(library, values[0])
        return any(self._may_add(library, value, change.path[0]) for value in values)

    def _is_late(self, library: Library, key: Thunk) -> bool:
        """Whether a key is that of hooks which are called when the request is out."""
        known = self.evaluator.only(key)
        return isinstance(known, Const) and known.value in library.late_hooks

    def _may_add(self, library: Library, value: Thunk | Value, hook: str) -> bool:
        """Whether a value may add headers: None does not, nor a pair of user and password for ``auth``."""
        known = self.evaluator.only(value)
        if isinstance(known, Const | Text):
            return False
        if isinstance(known, Sequence):
            return known.open or (hook != "auth" and any(self._may_add(library, v, hook) for v in known.items))
        if isinstance(known, Mapping):
            called = (entry.value for entry in known.entries if entry.key not in library.late_hooks)
            return known.open or any(self._may_add(library, value, hook) for value in called)
        if isinstance(known, External):
            return self.registry.canonical(known.name) not in library.stock
        if isinstance(known, Made):
            return self.registry.canonical(known.name) not in library.stock or bool(known.changes)
        if isinstance(known, Instance):
            return not self._is_harmless_auth(known)
        return not isinstance(known, Function) or not self._leaves_headers(known)

    def _is_harmless_auth(self, auth: Instance) -> bool:
        """Whether an auth object of the program's own leaves the headers of requests alone."""
        if not _AUTH_CLASSES.issuperset(self.evaluator.objects.line(auth.cls)[1]):
            return False
        methods = [self.evaluator.objects.method(auth.cls, name) for name in _AUTH_METHODS]
        return any(methods) and all(method is None or self._leaves_headers(method) for method in methods)

    def _leaves_headers(self, function: Function) -> bool:
        """Whether a function that gets a request only looks at other parts of it than the headers."""
        module, node = function.module, function.node
        names = [parameter.name.value for parameter in (*node.params.posonly_params, *node.params.params)]
        if self.evaluator.calls.receiver_name(module, node) is not None:
            names = names[1:]
        if len(names) != 1 or (isinstance(node, cst.FunctionDef) and node.decorators):
            return False
        uses = [use for use in walk(node.body) if isinstance(use, cst.Name) and use.value == names[0]]
        parents = [module.parent(use) for use in uses]
        return all(
            isinstance(parent, cst.Yield | cst.Return)
            or (isinstance(parent, cst.Attribute) and parent.value is use and parent.attr.value in _TELLING)
            for use, parent in zip(uses, parents, strict=True)
        )
