"""The last lines of a run, for people: what was looked at, what was found, what was done, and what is left to do."""

from __future__ import annotations

from claude_api_lint.output.concise import FIXABLE
from claude_api_lint.output.report import Report


def of_check(report: Report) -> str:
    """What ``check`` came to."""
    safe = sum(finding.is_safe for finding in report.findings)
    unsafe = sum(finding.fix is not None for finding in report.findings) - safe
    manual = len(report.findings) - safe - unsafe
    lines = [f"{_found(report)}{_elsewhere(report)}"]
    if safe:
        lines.append(f"{FIXABLE} {safe} fixable with `claude-api-lint fix`.")
    if unsafe:
        lines.append(f"{unsafe} {'more ' if safe else ''}fixable with `claude-api-lint fix --unsafe-fixes`.")
    if manual:
        lines.append(f"{manual} left for a person.")
    return "".join(f"{line}\n" for line in lines)


def of_fix(report: Report, *, dry_run: bool) -> str:
    """What ``fix`` did, or would do."""
    files = len({finding.path for finding in report.fixed})
    done = f"{'Would fix' if dry_run else 'Fixed'} {count(len(report.fixed), 'finding')} in {count(files, 'file')}"
    if not report.fixed and not report.findings:
        done = "Found nothing to fix"
    unsafe = sum(finding.fix is not None for finding in report.findings)
    left = f", and {'would leave' if dry_run else 'left'} {len(report.findings)}" if report.findings else ""
    lines = [f"{done}{left} ({_scanned(report)}).{_elsewhere(report)}"]
    if unsafe:
        lines.append(f"{unsafe} fixable with `claude-api-lint fix --unsafe-fixes`.")
    if len(report.findings) > unsafe:
        lines.append(f"{len(report.findings) - unsafe} left for a person.")
    return "".join(f"{line}\n" for line in lines)


def count(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _found(report: Report) -> str:
    if not report.findings:
        return f"Found nothing ({_scanned(report)})."
    files = len({finding.path for finding in report.findings})
    return f"Found {count(len(report.findings), 'finding')} in {count(files, 'file')} ({_scanned(report)})."


def _scanned(report: Report) -> str:
    skipped = len({one.path for one in report.skipped if one.path})
    return f"{report.scanned} scanned, {skipped} skipped" if skipped else f"{report.scanned} scanned"


def _elsewhere(report: Report) -> str:
    return f" {count(report.known, 'known finding')} left out: see the baseline." if report.known else ""
