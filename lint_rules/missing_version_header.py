"""CAV101."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.api_requests import ApiRequest, has_key
from claude_api_lint.dataflow.trees import last_name, string_value
from claude_api_lint.dataflow.values import Assumption, Assumptions, Mapping, compatible
from claude_api_lint.findings import Confidence
from claude_api_lint.http.exchanges import Exchange
from claude_api_lint.rule import Rule


class MissingVersionHeader(Rule):
    """A request reaches the Claude API without the header `anthropic-version`.

    The API is versioned by this header and every request must carry it: "When making API requests, you must send an
    `anthropic-version` request header." The official SDKs do; code that speaks HTTP by hand has to. Without it the
    server answers 400 with `anthropic-version: header is required`.

    The header counts as missing when it is missing on every path to the request and all the headers are known. Headers
    that come from somewhere that cannot be seen are not reported, nor are paths that need no version
    (`/v1/chat/completions`, OAuth, compliance). The finding stands at the call that sends the request; where callers
    pass the headers, at the caller that leaves the version out.

    Releases of the SDK before 0.3 send no version either, and the very last of them an outdated one. Where a program
    calls their methods (`anthropic.Client(key).completion(...)`), that is reported where it makes the client, with what
    stands in their place today.

    Bad:

        requests.post("https://api.anthropic.com/v1/messages", headers={"x-api-key": key}, json=body)

    Good:

        requests.post(
            "https://api.anthropic.com/v1/messages",
            headers={"x-api-key": key, "anthropic-version": "2023-06-01"},
            json=body,
        )

    Fix: adds the header where the headers are built (safe). Calls of an old SDK have none.

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV101"
    name = "missing-version-header"
    since = "2023-06-01"
    needles = load_catalog().unversioned_needles

    def visit_Call(self, node: cst.Call) -> None:
        requests = self.analysis.requests.of(node)
        self._report_old_sdk(node)
        for case in self._cases(requests):
            if all(self._lacks_version(request.exchange) for request in requests if self._may_be(request, case)):
                self._report(case)

    def _report_old_sdk(self, node: cst.Call) -> None:
        """Report the client of an SDK that sends no version, by a method that only such an SDK has."""
        requests = self.analysis.requests
        found = None if requests.is_mocked else requests.sdk.removed_method(node)
        if found is None:
            return
        client, method = found
        catalog = self.analysis.catalog
        message = (
            f"{method.name}() is of SDK releases before {method.gone_since}, which send no {catalog.version_header} "
            f"(the last of them an outdated one); the server answers 400: {catalog.messages.missing()}; "
            f"move to {method.constructor} and {method.replacement}"
        )
        self.report(client, message, Confidence.LIKELY, method)

    def _may_be(self, request: ApiRequest, case: list[ApiRequest]) -> bool:
        """Whether a request is, on some branch, the one that a case is about."""
        one, other = request.exchange, case[0].exchange
        same = one.url_text == other.url_text
        return same and compatible(one.when, other.url_when | context_of(other.when))

    def _cases(self, requests: list[ApiRequest]) -> Iterator[list[ApiRequest]]:
        """The requests that are judged together: same URL, same caller, any branch."""
        cases: dict[Hashable, list[ApiRequest]] = {}
        for request in requests:
            exchange = request.exchange
            cases.setdefault((exchange.url_text, exchange.url_when, context_of(exchange.when)), []).append(request)
        yield from cases.values()

    def _lacks_version(self, exchange: Exchange) -> bool:
        requests = self.analysis.requests
        if exchange.headers.open or requests.version_entries(exchange) or requests.misspelled_entries(exchange):
            return False
        return has_key(exchange) or not (exchange.by_wrapper or is_probe(exchange))

    def _report(self, requests: list[ApiRequest]) -> None:
        exchange = requests[0].exchange
        confidence = max((request.confidence for request in requests), key=lambda c: c is Confidence.LIKELY)
        header = self.analysis.catalog.version_header
        message = (
            f"request to the Claude API without the {header} header{self._where(exchange)}; "
            f"the server answers 400: {self.analysis.catalog.messages.missing()}"
        )
        self.report(self._sender(exchange), message, confidence, tuple(request.exchange for request in requests))

    def _where(self, exchange: Exchange) -> str:
        homes = exchange.headers.homes
        return f" (its headers are built at line {self.analysis.line(homes[0])})" if homes else ""

    def _sender(self, exchange: Exchange) -> cst.CSTNode:
        """The call to point at: the caller that builds the headers, where a function only passes them on."""
        module, homes = exchange.module, exchange.headers.homes
        if not homes:
            return exchange.call
        around_home = [homes[0].node, *module.ancestors(homes[0].node)]
        callers = {
            assumption.key: assumption.choice
            for assumption in exchange.headers_when
            if assumption.context and isinstance(assumption.choice, cst.Call)
        }
        sender: cst.CSTNode = exchange.call
        while True:
            function = next((a for a in module.ancestors(sender) if isinstance(a, cst.FunctionDef)), None)
            caller = callers.pop(("caller", function), None)
            if function is None or not isinstance(caller, cst.Call) or function in around_home:
                return sender
            if not self._brings(caller, exchange, around_home):
                return sender
            sender = caller

    def _brings(self, call: cst.Call, exchange: Exchange, around_home: list[cst.CSTNode]) -> bool:
        """Whether the headers come from a caller: built in its function, or handed over by the call."""
        module, evaluator = exchange.module, self.analysis.evaluator
        if any(isinstance(above, cst.FunctionDef) and above in around_home for above in module.ancestors(call)):
            return True
        frame = evaluator.frame_of(module, call)
        return any(
            set(value.homes) & set(exchange.headers.homes)
            for argument in call.args
            for value in (a.value for a in evaluator.evaluate(argument.value, frame))
            if isinstance(value, Mapping)
        )


def is_probe(exchange: Exchange) -> bool:
    """Whether a request without a key can only ask if somebody is there: any answer will do."""
    first = string_value(exchange.call.args[0].value) if exchange.call.args else None
    return bool({str(first).lower(), last_name(exchange.call.func)} & {"get", "head", "options", "urlopen"})


def context_of(when: Assumptions) -> frozenset[Assumption]:
    """What a case rests on apart from branches: callers, subclasses, constructions."""
    return frozenset(assumption for assumption in when if assumption.context)
