"""From a file's source and its findings to the fixed source: pure, and the same for every face."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from claude_api_lint.findings import Applicability, Edit, Finding
from claude_api_lint.linter import CheckResult, check_source
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source

MAX_PASSES = 10
"""Fixes of one pass can uncover others; no real file needed more than three passes."""


@dataclass(frozen=True)
class FixResult:
    """The fixed source; which findings are fixed, in the order in which they were; which remain."""

    source: bytes
    fixed: tuple[Finding, ...] = ()
    remaining: tuple[Finding, ...] = ()
    skipped: str | None = None


def fix_source(source: bytes, path: str, settings: Settings) -> FixResult:
    """Fix the bytes of one file as far as ``settings`` allows; unchanged bytes where nothing was fixed."""
    original = check_source(source, path, settings)
    if original.findings and Source.decode(source).encode(Source.decode(source).text) != source:
        return _given_up(source, original, "its encoding cannot be kept byte for byte; nothing was fixed")
    fixed: list[Finding] = []
    current, result = source, original
    for _ in range(MAX_PASSES):
        chosen = _without_overlaps(finding for finding in result.findings if _applies(finding, settings))
        if not chosen:
            break
        decoded = Source.decode(current)
        after = apply(decoded.text, (edit for finding in chosen for edit in finding.fix.edits))  # type: ignore[union-attr]
        try:
            current = decoded.encode(after)
        except UnicodeError:
            return _given_up(source, original, "its encoding does not hold the fix; nothing was fixed")
        fixed.extend(chosen)
        result = check_source(current, path, settings)
    if not fixed:
        return FixResult(source, (), original.findings, original.skipped)
    broken = result.skipped is not None and original.skipped is None
    if broken or (_compiles(source) and not _compiles(current)):
        return _given_up(source, original, "a fix would have broken it; nothing was changed, please report this file")
    return FixResult(current, tuple(fixed), result.findings, result.skipped)


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made; they must not overlap, and equal ones are made once."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(set(edits)):
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])


def _given_up(source: bytes, original: CheckResult, why: str) -> FixResult:
    return FixResult(source, (), original.findings, why)


def _applies(finding: Finding, settings: Settings) -> bool:
    if finding.fix is None:
        return False
    return settings.unsafe_fixes or finding.fix.applicability is Applicability.SAFE


def _without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """The findings whose edits can be made together; the others wait for the next pass."""
    edits: set[Edit] = set()
    regions: list[Edit] = []
    chosen: list[Finding] = []
    for finding in findings:
        assert finding.fix is not None
        region = [Edit(*finding.fix.region, "")] if finding.fix.region else []
        new = [edit for edit in finding.fix.edits if edit not in edits]
        if not new and all(one in regions for one in region):
            chosen.append(finding)  # another finding has the same fix
            continue
        if _touch(new, edits) or _touch(region, edits) or _touch([*finding.fix.edits, *region], regions):
            continue
        edits.update(new)
        regions.extend(region)
        chosen.append(finding)
    return chosen


def _touch(some: Iterable[Edit], others: Collection[Edit]) -> bool:
    """Whether edits touch others: insertions at the same place count, as their order would be a guess."""
    return any(one.start <= other.end and other.start <= one.end for one in some for other in others)


def _compiles(source: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
