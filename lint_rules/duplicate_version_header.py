"""CAV105."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.dataflow import texts
from claude_api_lint.dataflow.values import HOLE, Entry
from claude_api_lint.version_values import HeaderRule


@dataclass(frozen=True)
class Duplicate:
    """Two entries that go out as two header lines."""

    first: Entry
    second: Entry


class DuplicateVersionHeader(HeaderRule):
    """A request sends the version header twice, under two casings of its name.

    Python keeps `anthropic-version` and `Anthropic-Version` as two keys of a dict, and httpx, http.client, urllib3 and
    curl send both lines. The server joins them and answers 400 with `anthropic-version: "2023-06-01, 2023-06-01" is not
    a valid version`. requests, urllib.request and the calls of aiohttp send one line, so nothing is reported there.

    Bad:

        httpx.post(url, headers={"anthropic-version": "2023-06-01", "Anthropic-Version": "2023-06-01"})

    Good:

        httpx.post(url, headers={"anthropic-version": "2023-06-01"})

    Fix: removes the later one (safe; unsafe where a comment would go with it).

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV105"
    name = "duplicate-version-header"
    since = "2023-01-01"
    needles = (load_catalog().version_header,)
    follows_imports = True

    def visit_Call(self, node: cst.Call) -> None:
        self._judge_requests(node)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._judge_requests(node)

    def _judge_requests(self, node: cst.Call | cst.ClassDef) -> None:
        requests = self.analysis.requests
        sent = requests.of(node)
        doubtful = {e.key_place for r in sent for e in requests.version_entries(r.exchange) if not e.certain}
        for request in sent:
            library = request.exchange.library
            if library is None or not library.repeats_casings:
                continue
            entries = [entry for entry in requests.version_entries(request.exchange) if entry.certain]
            for first, second in itertools.pairwise(entries):
                if second.key_place is not None and doubtful.isdisjoint((first.key_place, second.key_place)):
                    values = (self._text(first), self._text(second))
                    message = f"the version header is sent twice; the server answers 400: {self._answer(values)}"
                    evidence = Duplicate(first, second)
                    self.report_written(second.key_place, node, message, request.confidence, evidence)

    def _text(self, entry: Entry) -> str:
        values = self.analysis.requests.values(entry)
        pattern = texts.pattern_of(values[0].value) if len(values) == 1 else "..."
        return pattern.replace(HOLE, "...")

    def _answer(self, values: tuple[str, str]) -> str:
        return self.analysis.catalog.messages.duplicate(*values)
