"""Clients and sessions: what base URL and default headers they bring to a request."""

from __future__ import annotations

import re

import libcst as cst

from claude_api_lint.dataflow import mappings, texts
from claude_api_lint.dataflow.calls import Arguments
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.values import (
    Alternative,
    Alternatives,
    Change,
    Const,
    Made,
    Mapping,
    Thunk,
    Unknown,
    Value,
    assuming,
    just,
)
from claude_api_lint.http.declarations import Client, Library, Parameter
from claude_api_lint.http.headers import Headers, as_mapping, overridden
from claude_api_lint.http.hooks import Hooks
from claude_api_lint.http.patches import may_add_headers
from claude_api_lint.http.registry import Registry


class Clients:
    """Joins the arguments of a call to what its client was made with and what became of it since."""

    def __init__(self, evaluator: Evaluator, registry: Registry) -> None:
        self.evaluator = evaluator
        self.registry = registry
        self._headers = Headers(evaluator)
        self._hooks = Hooks(evaluator, registry)

    def urls(self, client: Made | None, arguments: Arguments, declared: Parameter | None) -> Alternatives:
        """The URL argument, joined to the client's base URL."""
        evaluator = self.evaluator
        given = arguments.get(declared.position, *declared.names) if declared is not None else None
        urls = evaluator.force(given) if given is not None else just(Unknown("a URL that is not seen"))
        if client is None:
            return urls
        description = self._client(client)
        if description is None or description.base_url is None:
            return urls
        bases = self._client_argument(client, description.base_url)
        return evaluator.limit(
            evaluator.combine((bases, urls), lambda base, url: joined(base, url, description.scheme))
        )

    def _client(self, client: Made) -> Client | None:
        known = self.registry.clients.get(self.registry.canonical(client.name))
        return known[1] if known else None

    def _client_argument(self, client: Made, declared: Parameter) -> Alternatives:
        """What a client was constructed with, or what was assigned to the attribute of that name since."""
        for change in reversed(client.changes):
            if (
                change.kind == "set"
                and change.path == (declared.names[0],)
                and isinstance(change.node, cst.BaseExpression)
            ):
                return self.evaluator.evaluate(change.node, change.frame)
        found: list[Alternative] = []
        for arguments, when in self.evaluator.calls.arguments(client.call, client.frame):
            given = arguments.get(declared.position, *declared.names)
            if given is not None:
                found.extend(assuming(self.evaluator.force(given), when))
            elif arguments.may_have(declared.position):
                found.append(Alternative(Unknown("arguments that are passed on to the client"), when))
            else:
                found.append(Alternative(Const(None), when))
        return tuple(found)

    def headers(
        self, library: Library, client: Made | None, arguments: Arguments, declared: Parameter | None
    ) -> Alternatives:
        """The headers argument on top of the client's defaults, as a closed or open Mapping."""
        given = self._given_headers(library, arguments, declared)
        if client is None:
            return given
        description = self._client(client)
        if description is not None and not description.merges and self._has(arguments, declared):
            return given
        defaults = self._default_headers(library, client, arguments)
        return self.evaluator.limit(
            self.evaluator.combine((defaults, given), lambda old, new: overridden(as_mapping(old), as_mapping(new)))
        )

    def _has(self, arguments: Arguments, declared: Parameter | None) -> bool:
        return declared is not None and arguments.get(declared.position, *declared.names) is not None

    def _given_headers(self, library: Library, arguments: Arguments, declared: Parameter | None) -> Alternatives:
        if declared is None:
            return just(Mapping())
        if self._hooks.given(library, ("auth",), arguments):
            return just(Mapping((), True, why="an auth object that may add headers"))
        given = arguments.get(declared.position, *declared.names)
        if given is not None:
            return tuple(Alternative(self._headers.of(a.value, library), a.when) for a in self.evaluator.force(given))
        unsure = declared.unsure_from is not None and len(arguments.positional) > declared.unsure_from
        if unsure or arguments.may_have(declared.position):
            return just(Mapping((), True, why="arguments that are passed on"))
        return just(Mapping())

    def _default_headers(self, library: Library, client: Made, arguments: Arguments) -> Alternatives:
        """The headers that a client sends with every request."""
        description = self._client(client)
        if description is None:
            return just(Mapping((), True, why="a client that is not known"))
        if self._hooks.given(library, description.hooks, arguments):
            return just(Mapping((), True, why="a hook that may add headers"))
        states: Alternatives = just(Mapping())
        if description.headers is not None:
            given = self._client_argument(client, description.headers)
            states = tuple(Alternative(self._headers.of(a.value), a.when) for a in given)
        for change in client.changes:
            if description.attribute is not None and change.path[:1] == (description.attribute,):
                states = self.evaluator.limit(self._headers.changed(states, change))
        doubt = self._doubt(library, client, description)
        return _opened(states, doubt) if doubt else states

    def _constructed_with_hook(self, library: Library, client: Made, description: Client) -> bool:
        return any(
            self._hooks.made_with(library, description, arguments)
            for arguments, _ in self.evaluator.calls.arguments(client.call, client.frame)
        )

    def _doubt(self, library: Library, client: Made, description: Client) -> str:
        """Why a client may send more headers than its defaults; empty where nothing says so."""
        if self._constructed_with_hook(library, client, description):
            return "a hook that may add headers"
        for change in client.changes:
            if change.kind == "unknown":
                return "a client handed elsewhere"
            if self._replaces_method(change, description):
                return "a method of the client is replaced"
            if change.path and change.path[0] in description.hooks and self._hooks.set_by(library, change):
                return "a hook that may add headers"
        return ""

    def _replaces_method(self, change: Change, description: Client) -> bool:
        """Whether a method that requests pass through is replaced by one that may add headers."""
        if change.kind != "set" or len(change.path) != 1 or change.path[0] not in description.inner:
            return False
        assert isinstance(change.node, cst.BaseExpression)
        return may_add_headers(self.evaluator.only(Thunk(change.node, change.frame)))


def _opened(states: Alternatives, why: str) -> Alternatives:
    """The default headers where others may be among them."""
    return tuple(Alternative(mappings.opened(as_mapping(a.value), why), a.when) for a in states)


def joined(base: Value, url: Value, scheme: str = "") -> Value:
    """A client's base URL and the URL of a call: an absolute one wins, any other is appended."""
    if isinstance(base, Const) and base.value is None:
        return url
    if isinstance(url, Unknown):
        return texts.text(scheme + texts.pattern_of(base).rstrip("/") + "/" + texts.pattern_of(url))
    relative = texts.pattern_of(url)
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", relative):
        return url
    return texts.text(scheme + texts.pattern_of(base).rstrip("/") + "/" + relative.lstrip("/"))
