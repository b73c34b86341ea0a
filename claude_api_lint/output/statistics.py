"""How many findings there are of each rule, in place of the findings."""

from __future__ import annotations

import json
from collections import Counter

from claude_api_lint.output.concise import FIXABLE
from claude_api_lint.output.report import Report


def render(report: Report) -> str:
    """A line for each rule, the most frequent first; ``[*]`` where ``fix`` would mend all of them."""
    rows = [(str(count), code, FIXABLE if safe == count else "", name) for code, name, count, safe in _counted(report)]
    widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
    return "".join(
        f"{count:>{widths[0]}}  {code:{widths[1]}}  {mark:{widths[2]}}{'  ' if widths[2] else ''}{name}\n"
        for count, code, mark, name in rows
    )


def render_json(report: Report) -> str:
    """The same for programs."""
    keys = ("code", "name", "count", "fixable")
    return json.dumps([dict(zip(keys, row, strict=True)) for row in _counted(report)], indent=2) + "\n"


def _counted(report: Report) -> list[tuple[str, str, int, int]]:
    """Code, name, number and number of safe fixes of each rule."""
    names = {finding.code: finding.name for finding in report.findings}
    counts = Counter(finding.code for finding in report.findings)
    safe = Counter(finding.code for finding in report.findings if finding.is_safe)
    return [
        (code, names[code], count, safe[code]) for code, count in sorted(counts.items(), key=lambda x: (-x[1], x[0]))
    ]
