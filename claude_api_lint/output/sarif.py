"""The report as SARIF 2.1.0, for code scanning (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from urllib.parse import quote

from claude_api_lint.findings import Confidence, Edit, Finding, RulePage
from claude_api_lint.fingerprints import numbered
from claude_api_lint.output.paths import from_here
from claude_api_lint.output.report import Report, Skipped
from claude_api_lint.source import Source

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {Confidence.CERTAIN: "error", Confidence.LIKELY: "warning"}


def render(report: Report) -> str:
    """The findings, their fixes and the pages of all rules as one SARIF log, in plain ASCII."""
    index = {code: number for number, code in enumerate(report.rules)}
    driver = {
        "name": "claude-api-lint",
        "semanticVersion": report.version,
        "rules": [_rule(page) for page in report.rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report.skipped)],
        "results": [
            _result(finding, index[finding.code], mark, report)
            for finding, mark in numbered(report.findings, report.read)
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(page: RulePage) -> dict[str, object]:
    return {
        "id": page.code,
        "name": "".join(word.capitalize() for word in page.name.split("-")),
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.summary},
        "help": {"text": page.page, "markdown": page.page},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["claude-api", page.name]},
    }


def _invocation(skipped: tuple[Skipped, ...]) -> dict[str, object]:
    return {
        "executionSuccessful": not skipped,
        "toolExecutionNotifications": [_notification(one) for one in skipped],
    }


def _notification(skipped: Skipped) -> dict[str, object]:
    locations = [{"physicalLocation": {"artifactLocation": _artifact(skipped.path)}}] if skipped.path else []
    return {"level": "error", "message": {"text": skipped.reason}, "locations": locations}


def _result(finding: Finding, rule_index: int, mark: str, report: Report) -> dict[str, object]:
    region = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
    }
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.confidence],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(finding.path), "region": region}}],
        "partialFingerprints": {"codeAndText/v1": mark},
        "properties": {"confidence": finding.confidence.value, **_why_not_fixed(finding)},
    }
    if changes := list(_changes(finding, report)):
        title = finding.fix.title if finding.fix else ""
        label = title if finding.is_safe else f"{title} (unsafe: a person should look)"
        result["fixes"] = [{"description": {"text": label}, "artifactChanges": changes}]
    return result


def _why_not_fixed(finding: Finding) -> dict[str, str]:
    return {"noFix": finding.no_fix_reason} if finding.no_fix_reason else {}


def _changes(finding: Finding, report: Report) -> Iterator[dict[str, object]]:
    for path, edits in finding.changes():
        source = report.read(path)
        if source is not None and edits:
            replacements = [_replacement(edit, source) for edit in sorted(set(edits))]
            yield {"artifactLocation": _artifact(path), "replacements": replacements}


def _replacement(edit: Edit, source: Source) -> dict[str, object]:
    (line, column), (end_line, end_column) = source.position(edit.start), source.position(edit.end)
    region = {"startLine": line, "startColumn": column + 1, "endLine": end_line, "endColumn": end_column + 1}
    return {"deletedRegion": region, "insertedContent": {"text": edit.text}}


def _artifact(path: str) -> dict[str, str]:
    name = from_here(path)
    uri = quote(os.fsencode(name))
    return {"uri": f"file://{uri}"} if name.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
