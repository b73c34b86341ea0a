"""Which requests of a module go to the Claude API, and how that is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from claude_api_lint.api import Requirement, load_catalog
from claude_api_lint.dataflow import mappings
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of, dotted
from claude_api_lint.dataflow.values import HOLE, Alternative, Const, Entry, Frame, Place, Thunk
from claude_api_lint.findings import Confidence
from claude_api_lint.http.exchanges import Exchange, Exchanges
from claude_api_lint.http.headers import AUTH_HEADERS
from claude_api_lint.parsing import Statement
from claude_api_lint.prefilter import mentions_api
from claude_api_lint.sdk_clients import SdkClients

_NAMED_AFTER_API = re.compile(r"anthropic|claude", re.IGNORECASE)

# Names of what speaks the API's protocol with somebody else.
_NAMED_AFTER_OTHERS = re.compile(r"compat|like|style|proxy|gateway|bridge|adapter|vertex|bedrock|azure", re.IGNORECASE)

# Distributions that answer requests in the program itself: what a module with them sends never reaches the API.
_MOCKING = frozenset(
    "respx responses requests_mock aioresponses httpretty pytest_httpx pytest_httpserver vcr betamax mocket "
    "moto".split()
)
_MOCKING_NAMES = frozenset(
    "MockTransport httpx_mock requests_mock respx_mock aioresponses MagicMock monkeypatch Stubber".split()
)


@dataclass(frozen=True)
class ApiRequest:
    """A request that goes to the Claude API; ``confidence`` says how that is known."""

    exchange: Exchange
    confidence: Confidence


class ApiRequests:
    """The requests of one module, each call looked at once."""

    def __init__(
        self, module: Module, evaluator: Evaluator, requests_of: Callable[[Module], ApiRequests] | None = None
    ) -> None:
        self.module = module
        self._requests_of = requests_of
        self.evaluator = evaluator
        self.catalog = load_catalog()
        self._exchanges = Exchanges(evaluator, paths=self.catalog.path_words)
        self._has_begun = False
        self._of: dict[tuple[cst.Call, Frame | None], list[Exchange]] = {}
        self._of_class: dict[cst.ClassDef, list[Exchange]] = {}

    @cached_property
    def sdk(self) -> SdkClients:
        """What the module does with the official SDK."""
        return SdkClients(self.module, self.evaluator)

    def exchanges(self, call: cst.Call, frame: Frame | None = None) -> list[Exchange]:
        """Everything that a call sends by hand, wherever it goes: what the official SDK sends is another matter.

        For the call of another file ``frame`` says on behalf of which call it is made; here any caller counts.
        """
        self._begin()
        elsewhere = frame if frame is not None and frame.module is not self.module else None
        if (call, elsewhere) not in self._of:
            module = elsewhere.module if elsewhere is not None else self.module
            by_sdk = elsewhere is None and bool(self.sdk.given(call))
            self._of[call, elsewhere] = [] if by_sdk else self._exchanges.of(module, call, elsewhere)
        return self._of[call, elsewhere]

    def _begin(self) -> None:
        """Ask about the calls that name the API before all others: what may be spent on a file goes to them first."""
        if not self._has_begun:
            self._has_begun = True
            for call in filter(_names_api, self.calls):
                self.exchanges(call)

    def may_be_in(self, statement: Statement) -> bool:
        """Whether a statement may send a request."""
        return self._exchanges.calls.may_be_in(self.module, statement)

    @cached_property
    def calls(self) -> list[cst.Call]:
        """The calls of the statements that may send a request."""
        statements = filter(self.may_be_in, self.module.statements)
        return [call for statement in statements for call in self.module.nodes_of(cst.Call, statement)]

    def of(self, node: cst.Call | cst.ClassDef) -> list[ApiRequest]:
        """The requests to the Claude API that a call sends, or that a class inherits from other files."""
        found = self.among(self.exchanges(node) if isinstance(node, cst.Call) else self._inherited(node))
        return [request for request in found if not self._is_seen_there(request.exchange)]

    def _is_seen_there(self, exchange: Exchange) -> bool:
        """Whether a request that another file sends is known there, whoever calls: then it is that file's matter."""
        place = exchange.sent_at
        if place is None or self._requests_of is None or not isinstance(place.node, cst.Call):
            return False
        if not mentions_api(place.module.source.text.encode("utf-8", "surrogatepass")):
            return False
        there = self._requests_of(place.module).of(place.node)
        return any(_is_same(exchange, request.exchange) for request in there)

    def among(self, exchanges: list[Exchange]) -> list[ApiRequest]:
        """Those of one call's requests that go to the Claude API."""
        if self.is_mocked:
            return []
        others = [exchange for exchange in exchanges if self.goes_elsewhere(exchange)]
        judged = [(exchange, self._confidence(exchange, others)) for exchange in exchanges]
        return [ApiRequest(exchange, confidence) for exchange, confidence in judged if confidence is not None]

    def _inherited(self, node: cst.ClassDef) -> list[Exchange]:
        """What the methods of other files send for the objects of a class, as far as no call of this file does it."""
        if not node.bases or self.module.is_test:
            return []
        if node not in self._of_class:
            inherited = self._exchanges.of_class(self.module, node)
            calls = self.calls if inherited else ()
            seen = {exchange.sent_at for call in calls for exchange in self.exchanges(call)}
            self._of_class[node] = [exchange for exchange in inherited if exchange.sent_at not in seen]
        return self._of_class[node]

    def goes_elsewhere(self, exchange: Exchange) -> bool:
        """Whether the URL is known, and is not the API's."""
        if any(platform.reads(exchange.url_text, HOLE) for platform in self.catalog.platforms):
            return True
        known = exchange.url_text.partition(HOLE)[0]
        if known.startswith("/"):
            return False  # a path alone: the host is what was left empty
        return bool(known) and self.catalog.requirement(known, complete=False) is Requirement.NOT_THE_API

    @cached_property
    def is_mocked(self) -> bool:
        """Whether the module answers its requests itself, as tests do."""
        if self.module.words & _MOCKING_NAMES:
            return True
        return any(
            statement.binds
            and statement.binds & _MOCKING
            and re.search(r"^\s*(import|from)\b", statement.text, re.MULTILINE)
            for statement in self.module.statements
        )

    @property
    def homes_of_others(self) -> frozenset[Place]:
        """The places that build headers which are seen to go to another host, and never to the API."""
        others, own = self._homes
        return others - own

    @cached_property
    def judged_homes(self) -> frozenset[Place]:
        """The places that build headers of requests which are known to go to the API."""
        requests = (request for call in self.calls for request in self.of(call))
        return frozenset(home for request in requests for home in request.exchange.headers.homes)

    @property
    def shared_homes(self) -> frozenset[Place]:
        """The places that build headers for the API and for another host."""
        others, own = self._homes
        return others & own

    @property
    def homes(self) -> frozenset[Place]:
        """The places that build headers of requests, wherever they go."""
        others, own = self._homes
        return others | own

    @cached_property
    def keys_on_platforms(self) -> frozenset[Place]:
        """The places that name a header of a request to another platform."""
        return frozenset(
            entry.key_place
            for call in self.module.nodes(cst.Call)
            for exchange in self.exchanges(call)
            if any(platform.reads(exchange.url_text, HOLE) for platform in self.catalog.platforms)
            for entry in exchange.headers.entries
            if entry.key_place is not None
        )

    @cached_property
    def _homes(self) -> tuple[frozenset[Place], frozenset[Place]]:
        others: set[Place] = set()
        own: set[Place] = set()
        for call in self.calls:
            for exchange in self.exchanges(call):
                (others if self.goes_elsewhere(exchange) else own).update(exchange.headers.homes)
        return frozenset(others), frozenset(own)

    def _confidence(self, exchange: Exchange, others: list[Exchange]) -> Confidence | None:
        """How sure it is that the request goes to the API and needs the header; None where it is not known to.

        ``others`` are what the same call may send to known other hosts: then names are no evidence. And where it may do
        so for the same caller, out of a table of URLs say, a request without a header of the API's own is not for it.
        """
        url = exchange.url_text
        known, hole, _ = url.partition(HOLE)
        if not known:
            return Confidence.LIKELY if not others and self._is_evident(exchange) else None
        if any(other.context == exchange.context for other in others) and not self._has_own_header(exchange):
            return None
        requirement = self.catalog.requirement(known, complete=not hole)
        if requirement is Requirement.REQUIRED:
            return Confidence.CERTAIN if not exchange.by_wrapper and has_key(exchange) else Confidence.LIKELY
        if requirement is Requirement.LIKELY and has_key(exchange):
            return Confidence.LIKELY
        return None

    def _has_own_header(self, exchange: Exchange) -> bool:
        """Whether a request has a key or another header of this API, however it is spelled."""
        names = [entry.key.lower() for entry in exchange.headers.entries]
        is_own, is_meant = self.catalog.is_api_header, self.catalog.is_misspelled_header
        return any(name == "x-api-key" or is_own(name) or is_meant(name) for name in names)

    def _is_evident(self, exchange: Exchange) -> bool:
        """Whether headers and path tell what a URL with an unknown host does not.

        ``x-api-key`` is the first-party API's; other platforms that take Claude's own headers have other keys. Beside
        it there must be another header of the API, or one of its paths with a key that is named after it, or in a
        function or class that has the vendor's name.
        """
        entries = exchange.headers.entries
        keys = mappings.without_case(entries, "x-api-key")
        if not keys:
            return False
        names = [entry.key for entry in entries]
        if any(self.catalog.is_api_header(name) and not self.catalog.is_version_header(name) for name in names):
            return True
        path = exchange.url_text.rpartition(HOLE)[2]
        if self.catalog.endpoint_tail(path) is not None and any(map(_is_fed_from_api_key, keys)):
            return True
        if not self.catalog.is_endpoint_tail(path) or not any(map(_is_name_of_api, _scope_names(exchange))):
            return False
        return not any(isinstance(self.evaluator.only(key.value), Const) for key in keys)  # what a local server takes

    # The version header of a request

    def version_entries(self, exchange: Exchange) -> list[Entry]:
        """The entries that are the version header, in any casing."""
        return mappings.without_case(exchange.headers.entries, self.catalog.version_header)

    def misspelled_entries(self, exchange: Exchange) -> list[Entry]:
        """The entries that can only be meant as the version header, but have another name."""
        return [entry for entry in exchange.headers.entries if self.catalog.is_misspelled_header(entry.key)]

    def values(self, entry: Entry) -> tuple[Alternative, ...]:
        """What the value of an entry can be."""
        return self.evaluator.force(entry.value)


def _is_same(one: Exchange, other: Exchange) -> bool:
    """Whether two exchanges are one request, seen from two files."""
    names = [{entry.key.lower() for entry in exchange.headers.entries} for exchange in (one, other)]
    return one.url_text == other.url_text and names[0] == names[1] and not other.headers.open


def _names_api(call: cst.Call) -> bool:
    """Whether a call, or what is passed to it by itself, is named after the API."""
    names = (dotted(node) or "" for node in (call.func, *(argument.value for argument in call.args)))
    return any(map(_NAMED_AFTER_API.search, names))


def _scope_names(exchange: Exchange) -> Iterator[str]:
    """The names of the functions and classes that a request is sent in."""
    module = exchange.module if exchange.sent_at is None else exchange.sent_at.module
    for above in module.ancestors(exchange.sending):
        if isinstance(above, cst.FunctionDef | cst.ClassDef):
            yield above.name.value


def _is_name_of_api(name: str) -> bool:
    """Whether a name is the vendor's: Claude himself is asked through gateways as well, which need no version."""
    return "anthropic" in name.lower() and _NAMED_AFTER_OTHERS.search(name) is None


def has_key(exchange: Exchange) -> bool:
    """Whether the headers carry an API key or a token."""
    return any(entry.key.lower() in AUTH_HEADERS for entry in exchange.headers.entries)


def _is_fed_from_api_key(entry: Entry) -> bool:
    """Whether the source of a value names the API: ``os.environ["ANTHROPIC_API_KEY"]``."""
    return isinstance(entry.value, Thunk) and _NAMED_AFTER_API.search(code_of(entry.value.node)) is not None
