"""The report for people: each finding with the line that it is about, and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_api_lint.output import concise
from claude_api_lint.output.report import Report
from claude_api_lint.output.terminal import painted, printable, width

if TYPE_CHECKING:
    from claude_api_lint.findings import Finding

MAX_WIDTH = 160
"""Of longer lines only the part around the finding is shown."""


def render(report: Report) -> str:
    """Each finding with its source line, a mark below it, and its fix or why there is none."""
    return "\n".join(_block(finding, report) for finding in report.findings)


def _block(finding: Finding, report: Report) -> str:
    lines = [concise.line(finding, report.color), *_excerpt(finding, report), *_remedy(finding, report)]
    return "".join(f"{line}\n" for line in lines)


def _excerpt(finding: Finding, report: Report) -> list[str]:
    source = report.read(finding.path)
    if source is None or finding.line > len(source.line_starts):
        return []
    line = source.lines(finding.line, finding.line).rstrip("\r\n")
    start = finding.column - 1
    end = finding.end_column - 1 if finding.end_line == finding.line else len(line)
    before, marked, after = _cropped(_shown(line[:start]), _shown(line[start:end]), _shown(line[end:]))
    number = str(finding.line)
    gutter = f"{' ' * len(number)} |"
    mark = painted("^" * max(width(marked), 1), report.color, "red", bold=True)
    return [gutter, f"{number} | {before}{marked}{after}", f"{gutter} {' ' * width(before)}{mark}"]


def _shown(text: str) -> str:
    return printable(text.replace("\t", "    "))


def _cropped(before: str, marked: str, after: str) -> tuple[str, str, str]:
    if width(before + marked + after) <= MAX_WIDTH:
        return before, marked, after
    half = MAX_WIDTH // 2
    if len(before) > half:
        before = f"...{before[-half:]}"
    if len(marked) > half:
        return before, marked[:half], "..."
    return before, marked, f"{after[:half]}..." if len(after) > half else after


def _remedy(finding: Finding, report: Report) -> list[str]:
    indent = " " * len(str(finding.line))
    if finding.fix is not None:
        label = "fix" if finding.is_safe else "fix with --unsafe-fixes"
        return [f"{indent} = {painted(label, report.color, 'cyan')}: {printable(finding.fix.title)}"]
    if finding.no_fix_reason:
        return [f"{indent} = {painted('no fix', report.color, 'cyan')}: {printable(finding.no_fix_reason)}"]
    return []
