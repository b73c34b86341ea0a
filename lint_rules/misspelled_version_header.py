"""CAV104."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.dataflow.values import Entry, Place, Thunk
from claude_api_lint.findings import Confidence
from claude_api_lint.version_values import HeaderRule, assigned_names, is_written_as_headers, written_headers


class MisspelledVersionHeader(HeaderRule):
    """A request sends the version under a name that is not the header's: `anthropic_version`, `x-anthropic-version`.

    Header names ignore case, but nothing else: the server takes such a request as one without the header and answers
    400 with `anthropic-version: header is required`. The underscore is right only in the *body* on Amazon Bedrock and
    Google Vertex, and as a name of Python variables; neither is reported.

    Bad:

        headers = {"x-api-key": key, "anthropic_version": "2023-06-01"}

    Good:

        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}

    Fix: renames the header (safe).

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV104"
    name = "misspelled-version-header"
    since = "2023-01-01"
    needles = load_catalog().misspelled_needles
    follows_imports = True

    def is_told_there(self, place: Place) -> bool:
        return is_written_as_headers(self.analysis.requests_of(place.module), place)

    def visit_Call(self, node: cst.Call) -> None:
        self._judge_requests(node)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._judge_requests(node)

    def _judge_requests(self, node: cst.Call | cst.ClassDef) -> None:
        requests = self.analysis.requests
        for request in requests.of(node):
            self._judge(request.exchange.headers.entries, request.confidence, node)

    def visit_Dict(self, node: cst.Dict) -> None:
        for mapping in written_headers(self.analysis.requests, node):
            self._judge(mapping.entries, Confidence.LIKELY)

    def visit_Assign(self, node: cst.Assign) -> None:
        for key, name in assigned_names(self.analysis.requests, node):
            frame = self.analysis.evaluator.frame_of(self.analysis.module, node)
            entry = Entry(name, Thunk(node.value, frame), Place(self.analysis.module, key))
            self._judge((entry,), Confidence.LIKELY)

    def _judge(self, entries: Iterable[Entry], confidence: Confidence, sent_by: cst.CSTNode | None = None) -> None:
        catalog = self.analysis.catalog
        entries = tuple(entries)
        if any(catalog.is_version_header(entry.key) for entry in entries):
            return
        for entry in entries:
            if entry.key_place is not None and catalog.is_misspelled_header(entry.key):
                message = (
                    f'the header "{entry.key}" is not {catalog.version_header}; '
                    f"the server answers 400: {catalog.messages.missing()}"
                )
                self.report_written(entry.key_place, sent_by, message, confidence, entry)
