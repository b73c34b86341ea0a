"""The report as workflow commands, which GitHub Actions shows beside the lines of a pull request.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from claude_api_lint.findings import Confidence, Finding
from claude_api_lint.output.paths import from_here
from claude_api_lint.output.report import Report
from claude_api_lint.output.terminal import printable

_LEVELS = {Confidence.CERTAIN: "error", Confidence.LIKELY: "warning"}


def render(report: Report) -> str:
    """A command for each finding, and an error for each file that could not be checked."""
    skipped = [_command("error", {"file": one.path}, one.reason) for one in report.skipped]
    return "".join(f"{line}\n" for line in [*map(_finding, report.findings), *skipped])


def _finding(finding: Finding) -> str:
    place = {
        "title": f"{finding.code} {finding.name}",
        "file": from_here(finding.path),
        "line": str(finding.line),
        "endLine": str(finding.end_line),
    }
    if finding.line == finding.end_line:  # columns are refused for several lines
        place |= {"col": str(finding.column), "endColumn": str(finding.end_column)}
    return _command(_LEVELS[finding.confidence], place, f"{finding.path}:{finding.line}: {finding.message}")


def _command(level: str, properties: dict[str, str], message: str) -> str:
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{f'{level} {given}'.rstrip()}::{_data(message)}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
