"""Knowing a finding again after the lines around it have moved."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from claude_api_lint.findings import Finding
from claude_api_lint.source import Source


def fingerprint(finding: Finding, source: Source | None) -> str:
    """A hash of the rule and of the text that the finding is about, whitespace aside; line numbers have no part in it.

    Nor has the message, which may name other lines. The text is that of all lines from the first to the last.
    """
    text = "" if source is None else source.lines(finding.line, min(finding.end_line, len(source.line_starts)))
    return _hash(finding.code, *text.split())


def numbered(findings: Iterable[Finding], read: Callable[[str], Source | None]) -> Iterator[tuple[Finding, str]]:
    """Each finding with a fingerprint that no other has: the path counts, and so does which of its like it is."""
    seen: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        kind = (finding.path, fingerprint(finding, read(finding.path)))
        yield finding, _hash(*kind, str(seen[kind]))
        seen[kind] += 1


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
