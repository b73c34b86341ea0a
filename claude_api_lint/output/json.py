"""The report for programs: one JSON array, an object for each finding."""

from __future__ import annotations

import json
from collections.abc import Iterable

from claude_api_lint.findings import Finding, Fix


def render(findings: Iterable[Finding]) -> str:
    """The findings as JSON, in plain ASCII."""
    return json.dumps([_finding(finding) for finding in findings], indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "path": finding.path,
        **({} if finding.cell is None else {"cell": finding.cell}),
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "code": finding.code,
        "name": finding.name,
        "message": finding.message,
        "confidence": finding.confidence.value,
        "fix": _fix(finding.fix) if finding.fix else None,
    }


def _fix(fix: Fix) -> dict[str, str]:
    return {"applicability": fix.applicability.value, "title": fix.title}
