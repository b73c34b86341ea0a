"""The report as a Code Quality artifact of GitLab (https://docs.gitlab.com/ci/testing/code_quality/)."""

from __future__ import annotations

import json

from claude_api_lint.findings import Confidence, Finding
from claude_api_lint.fingerprints import numbered
from claude_api_lint.output.paths import from_here
from claude_api_lint.output.report import Report

_SEVERITIES = {Confidence.CERTAIN: "major", Confidence.LIKELY: "minor"}


def render(report: Report) -> str:
    """The findings as one JSON array, in plain ASCII."""
    issues = [_issue(finding, mark) for finding, mark in numbered(report.findings, report.read)]
    return json.dumps(issues, indent=2) + "\n"


def _issue(finding: Finding, mark: str) -> dict[str, object]:
    begin, end = (finding.line, finding.column), (finding.end_line, finding.end_column)
    positions = {
        name: {"line": line, "column": column} for name, (line, column) in {"begin": begin, "end": end}.items()
    }
    return {
        "check_name": finding.code,
        "description": f"{finding.code} {finding.message}",
        "severity": _SEVERITIES[finding.confidence],
        "fingerprint": mark,
        "location": {"path": from_here(finding.path), "positions": positions},
    }
