"""CAV101."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.api_requests import ApiRequest
from claude_api_lint.completed_elsewhere import is_completed_elsewhere
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
    (`/v1/chat/completions`, OAuth, compliance). The finding stands at the call that sends the request; where callers
    pass the headers, at the caller that leaves the version out.

    Bad:

        requests.post("https://api.anthropic.com/v1/messages", headers={"x-api-key": key}, json=body)

    Good:

        requests.post(
            "https://api.anthropic.com/v1/messages",
            headers={"x-api-key": key, "anthropic-version": "2023-06-01"},
            json=body,
        )

    Fix: adds the header where the headers are built (safe).

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV101"
    name = "missing-version-header"
    since = "2023-06-01"
    needles = load_catalog().request_needles
    follows_imports = True

    def looks_into(self, statement: Statement) -> bool:
        return self.analysis.requests.may_be_in(statement)

    def visit_Call(self, node: cst.Call) -> None:
        self._judge(self.analysis.requests.of(node))

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._judge(self.analysis.requests.of(node))

    def _judge(self, requests: list[ApiRequest]) -> None:
        for case in without_version(self.analysis.requests, requests):
            if not any(is_completed_elsewhere(self.analysis.evaluator, request.exchange) for request in case):
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
