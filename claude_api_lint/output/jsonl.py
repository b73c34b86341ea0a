"""The report for programs that read it line by line: an object as in ``json`` on each line."""

from __future__ import annotations

import json

from claude_api_lint.output.json import as_object
from claude_api_lint.output.report import Report


def render(report: Report) -> str:
    """The findings as JSON Lines (https://jsonlines.org), in plain ASCII."""
    return "".join(json.dumps(as_object(finding)) + "\n" for finding in report.findings)
