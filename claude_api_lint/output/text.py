"""The report for people: a line for each finding, as flake8 writes it, and a summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from claude_api_lint.findings import Applicability, Finding

FIXABLE = "[*]"


def render(findings: Iterable[Finding]) -> str:
    """One line for each finding: where, what, and ``[*]`` if ``fix`` would mend it."""
    return "".join(f"{_place(finding)}: {message(finding)}\n" for finding in findings)


def render_unfixed(findings: Iterable[Finding]) -> str:
    """One line for each finding that ``fix`` left behind, and one that says why."""
    return "".join(f"{_place(finding)}: {_headline(finding)}\n{_why_unfixed(finding)}" for finding in findings)


def message(finding: Finding) -> str:
    """What is said about a finding in the command and in flake8 alike, where the place is known already."""
    return f"{_headline(finding)} {FIXABLE}" if is_safe(finding) else _headline(finding)


def summary(findings: Sequence[Finding]) -> str:
    """How many findings there are, and what can be done about them; nothing where there are none."""
    if not findings:
        return ""
    files = len({finding.path for finding in findings})
    safe = sum(is_safe(finding) for finding in findings)
    unsafe = sum(finding.fix is not None for finding in findings) - safe
    lines = [f"Found {_count(len(findings), 'finding')} in {_count(files, 'file')}."]
    if safe:
        lines.append(f"{FIXABLE} {safe} fixable with `claude-api-lint fix`.")
    if unsafe:
        lines.append(f"{unsafe} {'more ' if safe else ''}fixable with `claude-api-lint fix --unsafe-fixes`.")
    return "\n".join(lines) + "\n"


def fix_summary(fixed: Sequence[Finding], remaining: Sequence[Finding], *, dry_run: bool = False) -> str:
    """What a run of ``fix`` did, or would do; nothing where there was nothing to do."""
    if not fixed and not remaining:
        return ""
    files = len({finding.path for finding in fixed})
    done = f"{'Would fix' if dry_run else 'Fixed'} {_count(len(fixed), 'finding')} in {_count(files, 'file')}"
    left = f", and {'would leave' if dry_run else 'left'} {len(remaining)}" if remaining else ""
    return f"{done}{left}.\n"


def is_safe(finding: Finding) -> bool:
    """Whether ``fix`` mends it without being asked twice."""
    return finding.fix is not None and finding.fix.applicability is Applicability.SAFE


def printable(text: str) -> str:
    """The text on one line, with everything escaped that could steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def _place(finding: Finding) -> str:
    cell = "" if finding.cell is None else f"cell {finding.cell}:"
    return f"{printable(finding.path)}:{cell}{finding.line}:{finding.column}"


def _headline(finding: Finding) -> str:
    return f"{finding.code} {printable(finding.message)}"


def _why_unfixed(finding: Finding) -> str:
    if finding.fix and not is_safe(finding):
        return f"    not fixed: --unsafe-fixes would {printable(finding.fix.title)}\n"
    if finding.no_fix_reason:
        return f"    not fixed: {printable(finding.no_fix_reason)}\n"
    return ""


def _count(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
