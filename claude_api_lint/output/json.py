"""The report for programs: one JSON array, an object for each finding."""

from __future__ import annotations

import json

from claude_api_lint.findings import Finding, Fix
from claude_api_lint.output.report import Report


def render(report: Report) -> str:
    """The findings as JSON, in plain ASCII."""
    return json.dumps([as_object(finding) for finding in report.findings], indent=2) + "\n"


def as_object(finding: Finding) -> dict[str, object]:
    """A finding as the documented object."""
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
