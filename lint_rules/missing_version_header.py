"""CAV101."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.api_requests import ApiRequest
from claude_api_lint.findings import Confidence
from claude_api_lint.http.exchanges import Exchange
from claude_api_lint.missing_headers import sender, without_version
from claude_api_lint.parsing import Statement
from claude_api_lint.rule import Rule


class MissingVersionHeader(Rule):
    """A request reaches the Claude API without the header `anthropic-version`.

    The API is versioned by this header and every request must carry it: "When making API requests, you must send an
    `anthropic-version` request header." The official SDKs do; code that speaks HTTP by hand has to. Without it the
    server answers 400 with `anthropic-version: header is required`.

    The header counts as missing when it is missing on every path to the request and all the headers are known. Headers
    that come from somewhere that cannot be seen are not reported, nor are paths that need no version
    (`/v1/chat/completions`, OAuth, compliance). Of a call that may also go to another vendor, as its URL stands in a
    table of several, only a request with a header of the API's own is reported. The finding stands at the call that
    sends the request; where callers pass the headers, at the caller that leaves the version out.

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
    follows_imports = True

    def looks_into(self, statement: Statement) -> bool:
        requests = self.analysis.requests
        return requests.may_be_in(statement) or requests.sdk.may_be_in(statement)

    def visit_Call(self, node: cst.Call) -> None:
        self._judge(self.analysis.requests.of(node))
        self._report_old_sdk(node)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._judge(self.analysis.requests.of(node))

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

    def _judge(self, requests: list[ApiRequest]) -> None:
        for case in without_version(self.analysis.requests, requests):
            if not any(self.analysis.completed_elsewhere.covers(request.exchange) for request in case):
                self._report(case)

    def _report(self, requests: list[ApiRequest]) -> None:
        exchange = requests[0].exchange
        confidence = max((request.confidence for request in requests), key=lambda c: c is Confidence.LIKELY)
        header = self.analysis.catalog.version_header
        message = (
            f"request to the Claude API without the {header} header{self._where(exchange)}; "
            f"the server answers 400: {self.analysis.catalog.messages.missing()}"
        )
        node = sender(self.analysis.requests, exchange.call, exchange.headers, exchange.headers_when)
        self.report(node, message, confidence, tuple(request.exchange for request in requests))

    def _where(self, exchange: Exchange) -> str:
        homes = exchange.headers.homes
        return f" (its headers are built at {self.analysis.where(homes[0])})" if homes else ""
