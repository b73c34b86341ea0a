"""A line for each finding, as flake8 writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_api_lint.output.report import Report
from claude_api_lint.output.terminal import painted, printable

if TYPE_CHECKING:
    from claude_api_lint.findings import Finding

FIXABLE = "[*]"


def render(report: Report) -> str:
    """One line for each finding: where, what, and ``[*]`` if ``fix`` would mend it."""
    return "".join(f"{line(finding, report.color)}\n" for finding in report.findings)


def line(finding: Finding, color: bool) -> str:
    """Where a finding is, and what is said about it."""
    path = painted(printable(finding.path), color, bold=True)
    cell = "" if finding.cell is None else f"cell {finding.cell}:"
    return f"{path}:{cell}{finding.line}:{finding.column}: {message(finding, color)}"


def message(finding: Finding, color: bool = False) -> str:
    """What is said about a finding in the command and in flake8 alike, where the place is known already."""
    said = f"{painted(finding.code, color, 'red', bold=True)} {printable(finding.message)}"
    return f"{said} {painted(FIXABLE, color, 'cyan')}" if finding.is_safe else said
