"""The official SDK in a module: its clients, the headers that they are handed, and requests that go past them.

A client is followed as any value is: through names, ``self``, factories, ``with``, and the methods that copy it. Where
only an annotation or the name of a method tells that something is a client, that is evidence, not proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from claude_api_lint.api import RemovedMethod, Requirement, Sdk, SdkRelease, load_catalog
from claude_api_lint.dataflow import texts
from claude_api_lint.dataflow.calls import Arguments
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.flow import parameters
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import dotted, last_name, string_value
from claude_api_lint.dataflow.values import (
    HOLE,
    Alternatives,
    Assumptions,
    Class,
    Const,
    External,
    Frame,
    Made,
    Mapping,
    Part,
    Place,
    Prepared,
    Thunk,
    Unknown,
    Value,
    assuming,
    compatible,
    just,
)
from claude_api_lint.findings import Confidence
from claude_api_lint.http.declarations import VERBS
from claude_api_lint.http.headers import Headers
from claude_api_lint.parsing import Statement
from claude_api_lint.requirements import Span, required


@dataclass(frozen=True)
class GivenHeaders:
    """Headers that a call hands to a client of the SDK, and one way in which they can be.

    ``argument`` is how the program hands them over; ``confidence`` says how sure it is that they go to the API.
    """

    call: cst.Call
    argument: str
    headers: Mapping
    when: Assumptions
    confidence: Confidence


@dataclass(frozen=True)
class _Receiver:
    """What a call hands headers to: a client that it makes (``path`` is empty), or a method of one."""

    confidence: Confidence
    path: tuple[str, ...] = ()


class SdkClients:
    """Answers for one module."""

    def __init__(self, module: Module, evaluator: Evaluator) -> None:
        self.module = module
        self.evaluator = evaluator
        self.catalog = load_catalog()
        self._headers = Headers(evaluator)
        self._given: dict[cst.Call, list[GivenHeaders]] = {}

    @property
    def sdk(self) -> Sdk:
        return self.catalog.sdk

    @cached_property
    def releases(self) -> tuple[SdkRelease, ...]:
        """The releases of the SDK that the module's project may run with, by what it asks for."""
        asked = required(self.module.path, self.sdk.distribution)
        eras = [(release, Span(release.since, release.before)) for release in self.sdk.releases]
        return tuple(release for release, era in eras if any(not (span & era).is_empty for span in asked))

    @cached_property
    def _speaks_of_sdk(self) -> bool:
        return self.sdk.distribution in self.module.words

    @cached_property
    def _speaks_of_version(self) -> bool:
        """Whether a version header, or what is meant as one, is written anywhere in the module."""
        text = self.module.source.text.lower()
        return any(name in text for name in (self.catalog.version_header, *self.catalog.misspelled_needles))

    @cached_property
    def keys(self) -> frozenset[Place]:
        """The places that write the names of headers which the SDK is given."""
        mappings = (given.headers for call in self.module.nodes(cst.Call) for given in self.given(call))
        return frozenset(entry.key_place for mapping in mappings for entry in mapping.entries if entry.key_place)

    # Headers that the SDK is given

    def given(self, call: cst.Call) -> list[GivenHeaders]:
        """The headers that a call hands to a client of the SDK, for each way in which they can be."""
        if call not in self._given:
            self._given[call] = list(self._given_by(call)) if self._may_give(call) else []
        return self._given[call]

    def may_be_in(self, statement: Statement) -> bool:
        """Whether a statement may hand headers to the SDK, go past it, or call what only its first releases have."""
        names = self.sdk.arguments
        known = names.defaults | names.request | names.request_options | {names.transport, names.transport_attribute}
        if not statement.words.isdisjoint(known | {method.name for method in self.sdk.removed_methods}):
            return True
        return "**" in statement.text and self._speaks_of_version

    def _may_give(self, call: cst.Call) -> bool:
        """A cheap look before anything is evaluated."""
        if not self._speaks_of_sdk:
            return False
        names = self.sdk.arguments
        known = names.defaults | names.request | names.request_options | {names.transport}
        if any(argument.keyword is not None and argument.keyword.value in known for argument in call.args):
            return True
        return self._speaks_of_version and any(argument.star == "**" for argument in call.args)

    def _given_by(self, call: cst.Call) -> Iterator[GivenHeaders]:
        frame = self.evaluator.frame_of(self.module, call)
        conditions = self.evaluator.flow.conditions(call, frame)
        if conditions is None:
            return
        for callee in self.evaluator.evaluate(call.func, frame):
            if not compatible(callee.when, conditions):
                continue
            prepared = callee.value if isinstance(callee.value, Prepared) else None
            receiver = self._receiver(prepared.callee if prepared else callee.value, call, frame)
            if receiver is None:
                continue
            for arguments, when in self.evaluator.calls.arguments(call, frame, prepared):
                yield from self._of_arguments(call, arguments, when | conditions, receiver)

    def _of_arguments(
        self, call: cst.Call, arguments: Arguments, when: Assumptions, receiver: _Receiver
    ) -> Iterator[GivenHeaders]:
        names = self.sdk.arguments
        for name in sorted(arguments.keywords):
            states: Alternatives = ()
            if self._takes(receiver, name):
                states = self.evaluator.force(arguments.keywords[name])
            elif name in names.request_options and receiver.path:
                states = self._under_key(self.evaluator.force(arguments.keywords[name]), names.options_key)
            elif name == names.transport and self._makes_client(receiver):
                states = self._of_transport(self.evaluator.force(arguments.keywords[name]))
            for alternative in assuming(states, when):
                mapping = self.evaluator.as_mapping(alternative.value)
                if mapping is not None:
                    yield GivenHeaders(call, name, mapping, alternative.when, receiver.confidence)

    def _takes(self, receiver: _Receiver, name: str) -> bool:
        names = self.sdk.arguments
        return name in (names.defaults if self._makes_client(receiver) else names.request)

    def _makes_client(self, receiver: _Receiver) -> bool:
        return not receiver.path or (len(receiver.path) == 1 and receiver.path[0] in self.sdk.arguments.copies)

    def _under_key(self, options: Alternatives, key: str) -> Alternatives:
        return tuple(
            found
            for alternative in options
            if isinstance(alternative.value, Mapping)
            for found in assuming(self.evaluator.entry(alternative.value, key), alternative.when)
        )

    def _of_transport(self, clients: Alternatives) -> Alternatives:
        """The headers that an httpx client has of its own, for those that the SDK is given."""
        transports, evaluator = self.sdk.transports, self.evaluator
        found: Alternatives = ()
        for alternative in clients:
            made = alternative.value
            if not isinstance(made, Made) or made.name not in transports.names:
                continue
            for arguments, when in evaluator.calls.arguments(made.call, made.frame):
                given = arguments.get(None, transports.headers)
                states = evaluator.force(given) if given is not None else just(Mapping())
                for change in made.changes:
                    if change.path[:1] == (transports.headers,):
                        states = evaluator.limit(self._headers.changed(states, change))
                found += tuple(assuming(assuming(states, when), alternative.when))
        return found

    # Clients

    def _receiver(self, callee: Value, call: cst.Call, frame: Frame) -> _Receiver | None:
        """What a call hands its arguments to, if that is the SDK."""
        if self._is_client_class(callee) or self._initializes_client(callee, call, frame):
            return self._made_here(callee, call, frame)
        if isinstance(callee, Part):
            confidence = self.confidence(callee.whole)
            return _Receiver(confidence, callee.path) if confidence is not None else None
        if isinstance(callee, Unknown) and not self.module.is_test:
            path = self._path_of_annotated(call, frame) or self._path_of_method(call)
            return _Receiver(Confidence.LIKELY, path) if path else None
        return None

    def _made_here(self, callee: Value, call: cst.Call, frame: Frame) -> _Receiver | None:
        name = callee.name if isinstance(callee, External) else self._base_name(callee)
        client = self.sdk.client(name)
        is_certain = client is None or client.api
        confidence = self._reaches_api(self._base_urls(call, frame), is_certain=is_certain)
        return _Receiver(confidence) if confidence is not None else None

    def confidence(self, value: Value) -> Confidence | None:
        """How sure it is that a value is a client that sends to the API; None where it is not known to be one."""
        chain = list(self._chain(value))
        client = self.sdk.client(chain[-1].name) if chain else None
        if client is None:
            return None
        given = (self._base_urls(made.call, made.frame) for made in chain)
        urls = next((found for found in given if found), ())
        return self._reaches_api(urls, is_certain=client.api)

    def _chain(self, value: Value) -> Iterator[Made]:
        """The calls that made a client: the copies of it, and the constructor at last; nothing for anything else."""
        chain: list[Made] = []
        while isinstance(value, Made):
            chain.append(value)
            if value.receiver is None:
                yield from chain
                return
            owner, _, method = value.name.rpartition("().")
            if method not in self.sdk.arguments.copies or owner != getattr(value.receiver, "name", None):
                return
            value = value.receiver

    def has_own_transport(self, value: Value) -> bool:
        """Whether the program gives a client the httpx client that it sends with."""
        name = self.sdk.arguments.transport
        return any(
            arguments.get(None, name) is not None or arguments.may_have(None)
            for made in self._chain(value)
            for arguments, _ in self.evaluator.calls.arguments(made.call, made.frame)
        )

    def _base_urls(self, call: cst.Call, frame: Frame) -> Alternatives:
        """The base URL that a call gives a client; nothing where it gives none."""
        found: Alternatives = ()
        for arguments, when in self.evaluator.calls.arguments(call, frame):
            given = arguments.get(None, self.sdk.arguments.base_url)
            if given is not None:
                found += tuple(assuming(self.evaluator.force(given), when))
            elif arguments.may_have(None):
                found += just(Unknown("arguments that are passed on to the client"))
        return found

    def _reaches_api(self, urls: Alternatives, *, is_certain: bool) -> Confidence | None:
        """How sure it is that a base URL is the API's; None where it is known to be another's."""
        answers = {self._is_of_api(alternative.value) for alternative in urls}
        if answers == {False}:
            return None
        return Confidence.CERTAIN if is_certain and answers <= {True} else Confidence.LIKELY

    def _is_of_api(self, base: Value) -> bool | None:
        """Whether a base URL is the API's; None where that is not known."""
        if isinstance(base, Const) and base.value is None:
            return True  # the SDK's own
        known, hole, _ = texts.pattern_of(base).partition(HOLE)
        is_elsewhere = self.catalog.requirement(known, complete=not hole) is Requirement.NOT_THE_API
        return False if is_elsewhere else None if hole else True

    def _is_client_class(self, value: Value) -> bool:
        return self.sdk.client(value.name if isinstance(value, External) else self._base_name(value)) is not None

    def _base_name(self, value: Value) -> str:
        """The class of the SDK that a class of the program is derived from, if it leaves the constructor alone."""
        if not isinstance(value, Class) or self.evaluator.objects.method(value, "__init__") is not None:
            return ""
        return self._base_of(value)

    def _base_of(self, cls: Class) -> str:
        return next((name for name in self.evaluator.objects.line(cls)[1] if self.sdk.client(name)), "")

    def _initializes_client(self, callee: Value, call: cst.Call, frame: Frame) -> bool:
        """Whether a call is ``super().__init__(...)`` in a class that is derived from one of the SDK's."""
        func = call.func
        if not isinstance(callee, Unknown) or not isinstance(func, cst.Attribute) or func.attr.value != "__init__":
            return False
        owner = self.module.scope_of(frame.function) if frame.function is not None else None
        is_super = isinstance(func.value, cst.Call) and last_name(func.value.func) == "super"
        return is_super and isinstance(owner, cst.ClassDef) and bool(self._base_of(Class(self.module, owner)))

    # Evidence

    def _path_of_annotated(self, call: cst.Call, frame: Frame) -> tuple[str, ...]:
        """The method that a call calls on a parameter which is annotated as a client; empty for anything else."""
        root, *path = (dotted(call.func) or "").split(".")
        function = frame.function
        for parameter in parameters(function.params) if function is not None else ():
            if parameter.name.value != root or parameter.annotation is None:
                continue
            annotation = Thunk(parameter.annotation.annotation, self.evaluator.frame_of(self.module, parameter))
            return tuple(path) if self._is_client_class(self.evaluator.only(annotation)) else ()
        return ()

    def _path_of_method(self, call: cst.Call) -> tuple[str, ...]:
        """``messages.create`` of ``self.client.messages.create``."""
        names = (dotted(call.func) or "").split(".")
        if "threads" in names:  # client.beta.threads is OpenAI's
            return ()
        known = (known.method for known in self.catalog.sdk_calls if "." in known.method)
        return next((tuple(m.split(".")) for m in known if names[-m.count(".") - 1 :] == m.split(".")), ())

    # Methods that only old releases have

    def removed_method(self, call: cst.Call) -> tuple[cst.Call, RemovedMethod] | None:
        """Where the client is made of which a call calls a method that later releases took away, and the method."""
        if last_name(call.func) not in {method.name for method in self.sdk.removed_methods}:
            return None
        for callee in self.evaluator.evaluate(call.func, self.evaluator.frame_of(self.module, call)):
            part = callee.value
            if not isinstance(part, Part) or not isinstance(part.whole, Made) or len(part.path) != 1:
                continue
            method = self.sdk.removed_method(part.whole.name, part.path[0])
            if method is not None and part.whole.frame.module is self.module:
                return part.whole.call, method
        return None

    # Requests that go past the SDK

    def raw_request(self, call: cst.Call) -> Confidence | None:
        """How sure it is that a call sends a request to the API through the SDK's bare transport, without any header.

        ``client._client.post(url)`` knows the base URL, and nothing of what the SDK adds to a request.
        """
        if not self._may_go_past(call):
            return None
        frame = self.evaluator.frame_of(self.module, call)
        conditions = self.evaluator.flow.conditions(call, frame)
        judged = [
            self._judge_raw(callee.value, call, frame)
            for callee in self.evaluator.evaluate(call.func, frame)
            if conditions is not None and compatible(callee.when, conditions)
        ]
        if not judged or None in judged:
            return None
        return Confidence.LIKELY if Confidence.LIKELY in judged else Confidence.CERTAIN

    def _may_go_past(self, call: cst.Call) -> bool:
        """A cheap look before anything is evaluated: a mapping has a method ``get`` as well."""
        if not self._speaks_of_sdk or not self._takes_transport:
            return False
        url = string_value(call.args[0].value) if call.args else None
        is_key = last_name(call.func) == "get" and isinstance(url, str) and "/" not in url
        return last_name(call.func) in (*VERBS, "request", "stream") and not is_key

    @cached_property
    def _takes_transport(self) -> bool:
        """Whether the module takes the transport out of anything but its own objects."""
        name = self.sdk.arguments.transport_attribute
        taken = (node for node in self.module.nodes(cst.Attribute, name) if node.attr.value == name)
        return any(not isinstance(node.value, cst.Name) or node.value.value != "self" for node in taken)

    def _judge_raw(self, callee: Value, call: cst.Call, frame: Frame) -> Confidence | None:
        attribute = self.sdk.arguments.transport_attribute
        if not isinstance(callee, Part) or callee.path[:-1] != (attribute,):
            return None
        confidence = self.confidence(callee.whole)
        if confidence is None or self.has_own_transport(callee.whole):
            return None
        position = 0 if callee.path[-1] in VERBS else 1
        for arguments, _ in self.evaluator.calls.arguments(call, frame):
            given = arguments.get(position, "url")
            if given is None or "headers" in arguments.keywords or arguments.may_have(position):
                return None  # what it sends by itself is known to other rules, or to nobody
            if any(not self._needs_version(a.value) for a in self.evaluator.force(given)):
                return None
        return confidence

    def _needs_version(self, url: Value) -> bool:
        """Whether a URL of the bare transport leads to the API, and to a path that needs the header."""
        known, hole, _ = texts.pattern_of(url).partition(HOLE)
        if known and "://" not in known:
            known = f"https://{min(self.catalog.hosts)}/{known.lstrip('/')}"
        return self.catalog.requirement(known, complete=not hole) in (Requirement.REQUIRED, Requirement.LIKELY)
