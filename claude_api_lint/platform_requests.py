"""Requests that go to Claude on another platform: over HTTP, by the URL, or through the platform's own SDK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from claude_api_lint.api import Platform, VersionPlace
from claude_api_lint.api.platforms import PlatformCall
from claude_api_lint.api_requests import ApiRequest, ApiRequests, has_key
from claude_api_lint.dataflow import mappings, texts
from claude_api_lint.dataflow.trees import code_of, last_name
from claude_api_lint.dataflow.values import (
    HOLE,
    Alternative,
    Alternatives,
    Assumptions,
    Class,
    Const,
    Function,
    Made,
    Mapping,
    Part,
    Thunk,
    Unknown,
    Value,
    assuming,
    compatible,
    just,
)
from claude_api_lint.findings import Confidence
from claude_api_lint.http.bodies import Body, documents
from claude_api_lint.model_tests import ModelTests

_NAMED_AFTER_CLAUDE = re.compile(r"anthropic|claude", re.IGNORECASE)
# The last names of what makes the clients of AWS's SDKs: boto3.client, session.client, session.create_client.
_CLIENT_MAKERS = frozenset({"client", "create_client"})


@dataclass(frozen=True)
class PlatformRequest:
    """One way in which a call sends a request to a platform.

    ``model`` is the name of the model as far as it is known, and ``is_claude`` whether that is Claude. ``bodies`` are
    the JSON bodies that it may have, as Mappings, each with what it rests on; none where no body is seen. ``sent`` is
    the request over HTTP.
    """

    platform: Platform
    call: cst.Call
    model: str | None
    is_claude: bool | None
    confidence: Confidence
    bodies: Alternatives
    sent: ApiRequest | None = None


class PlatformRequests:
    """The requests to other platforms in one module."""

    def __init__(self, requests: ApiRequests) -> None:
        self.requests = requests
        self.module = requests.module
        self.evaluator = requests.evaluator
        self.platforms = requests.catalog.platforms

    def of(self, call: cst.Call) -> list[PlatformRequest]:
        """The requests to other platforms that a call sends; none where the module answers them itself, as tests do."""
        if self.requests.is_mocked:
            return []
        return [*self._over_http(call), *self._through_sdks(call)]

    # Over HTTP

    def _over_http(self, call: cst.Call) -> Iterator[PlatformRequest]:
        for exchange in self.requests.exchanges(call):
            for platform in self.platforms:
                url = platform.reads(exchange.url_text, HOLE)
                if url is None:
                    continue
                is_claude = platform.serves_claude(url.model, HOLE)
                is_sure = url.has_host and not exchange.by_wrapper and bool(is_claude)
                if is_claude is None and self._is_named_after_claude(None, call):
                    is_claude = True
                if platform.place is VersionPlace.HEADER:
                    is_sure = is_sure and has_key(exchange)
                confidence = Confidence.CERTAIN if is_sure else Confidence.LIKELY
                bodies = self._bodies(exchange.body, exchange.when)
                sent = ApiRequest(exchange, confidence)
                yield PlatformRequest(platform, call, url.model, is_claude, confidence, bodies, sent)

    def _bodies(self, body: Body | None, when: Assumptions) -> Alternatives:
        return tuple(assuming(documents(self.evaluator, body), when)) if body is not None else ()

    # Through an SDK

    def _through_sdks(self, call: cst.Call) -> Iterator[PlatformRequest]:
        if self.module.is_test:
            return  # clients are patched in ways that nothing here tells
        for platform in self.platforms:
            method = _method_called(platform.call, call) if platform.call is not None else None
            if platform.call is not None and method is not None:
                yield from self._through_sdk(platform, platform.call, method, call)

    def _through_sdk(
        self, platform: Platform, declared: PlatformCall, method: cst.BaseExpression, call: cst.Call
    ) -> Iterator[PlatformRequest]:
        frame = self.evaluator.frame_of(self.module, call)
        conditions = self.evaluator.flow.conditions(call, frame)
        methods = self.evaluator.evaluate(method, frame)
        is_known = self._is_known(declared, methods)
        if conditions is None or is_known is False or any(_is_hooked(declared, a.value) for a in methods):
            return
        for arguments, when in self.evaluator.calls.arguments(call, frame):
            model, body = arguments.keywords.get(declared.model), arguments.keywords.get(declared.body)
            if body is None or not compatible(when, conditions):
                continue
            models = self.evaluator.force(model) if model is not None else just(Unknown("a model that is not seen"))
            for alternative in assuming(models, when | conditions):
                name = texts.pattern_of(alternative.value) if texts.is_text(alternative.value) else None
                is_claude = platform.serves_claude(name, HOLE)
                bodies = self._bodies(Body(body, is_json=False), alternative.when)
                if is_claude is None:
                    yield from self._of_unknown_model(platform, call, model, bodies)
                    continue
                confidence = Confidence.CERTAIN if is_known and is_claude and name is not None else Confidence.LIKELY
                yield PlatformRequest(platform, call, name, is_claude, confidence, bodies)

    def _of_unknown_model(
        self, platform: Platform, call: cst.Call, model: Thunk | Value | None, bodies: Alternatives
    ) -> Iterator[PlatformRequest]:
        """The requests for a model that only its name in the program, or a test of it, may tell to be Claude."""
        tests = ModelTests(self.evaluator, model) if isinstance(model, Thunk) else None
        said = [(body, _said_of(body, tests, platform)) for body in bodies]
        named = True if self._is_named_after_claude(model, call) else None
        for answer in dict.fromkeys(answer for _, answer in said) or (None,):
            of_kind = tuple(body for body, its_answer in said if its_answer is answer)
            is_claude = named if answer is None else answer
            yield PlatformRequest(platform, call, None, is_claude, Confidence.LIKELY, of_kind)

    def _is_known(self, declared: PlatformCall, methods: Alternatives) -> bool | None:
        """Whether a method is the SDK's: False where it is another's, None where its object is not known."""
        values = [alternative.value for alternative in methods]
        if any(isinstance(value, Function | Class) for value in values):
            return False
        services = [self._service(value) for value in values]
        if any(service is not None and service not in declared.services for service in services):
            return False
        return True if any(service is not None for service in services) else None

    def _service(self, method: Value) -> str | None:
        """The name of the service whose client has a method: ``boto3.client("bedrock-runtime").invoke_model``."""
        client = method.whole if isinstance(method, Part) else None
        if not isinstance(client, Made) or client.name.rpartition(".")[2] not in _CLIENT_MAKERS:
            return None
        for arguments, _ in self.evaluator.calls.arguments(client.call, client.frame):
            service = arguments.get(0, "service_name")
            known = self.evaluator.only(service) if service is not None else Unknown()
            if isinstance(known, Const) and isinstance(known.value, str):
                return known.value
        return None

    def _is_named_after_claude(self, model: Thunk | Value | None, call: cst.Call) -> bool:
        """Whether the model's expression, or the function or class around the call, says that it is about Claude."""
        around = [
            above.name.value
            for above in self.module.ancestors(call)
            if isinstance(above, cst.FunctionDef | cst.ClassDef)
        ]
        written = [code_of(model.node)] if isinstance(model, Thunk) else []
        return any(_NAMED_AFTER_CLAUDE.search(text) for text in (*around, *written))


def _is_hooked(declared: PlatformCall, method: Value) -> bool:
    """Whether the client that a method belongs to, or what made the client, has hooks that may change what is sent."""
    while isinstance(method, Part | Made):
        if isinstance(method, Part):
            method = method.whole
        elif any(change.path and change.path[-1] in declared.hooks for change in method.changes):
            return True
        else:
            method = method.receiver or Unknown()
    return False


def _said_of(body: Alternative, tests: ModelTests | None, platform: Platform) -> bool | None:
    """Whether a body is Claude's by the tests that it rests on; one that has the version is not another vendor's."""
    is_claude = tests.say_claude(body.when) if tests is not None else None
    has_version = isinstance(body.value, Mapping) and mappings.find(body.value, platform.key)
    return None if has_version and is_claude is False else is_claude


def _method_called(declared: PlatformCall, call: cst.Call) -> cst.BaseExpression | None:
    """The SDK's method that a call calls, or has called: ``asyncio.to_thread(client.invoke_model, ...)``."""
    for node in (call.func, *(argument.value for argument in call.args if argument.keyword is None)):
        if isinstance(node, cst.Attribute) and last_name(node) in declared.methods:
            return node
    return None
