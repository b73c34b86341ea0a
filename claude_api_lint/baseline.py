"""The baseline: findings that are known, so that only new ones are reported while the old ones wait.

A finding is known again by its file, its rule and the text that it is about, however its lines have moved. Of several
with the same text as many are known as there were.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from claude_api_lint.atomic import write_file
from claude_api_lint.configuration import ConfigurationError
from claude_api_lint.discovery import read_file, reason
from claude_api_lint.findings import Finding
from claude_api_lint.fingerprints import fingerprint
from claude_api_lint.source import Source

FILE_NAME = "claude-api-lint-baseline.json"
FORMAT = 1

Read = Callable[[str], Source | None]
Key = tuple[str, str, str]
"""Path from the folder of the baseline, code, and fingerprint."""


@dataclass
class Baseline:
    """The known findings of one file of them, of which each counts once in a run."""

    path: str
    counts: Counter[Key] = field(default_factory=Counter)

    def take(self, finding: Finding, source: Source | None) -> bool:
        """Whether a finding is known, which it is as often as it was when the baseline was written."""
        key = _key(self.path, finding, source)
        if not self.counts[key]:
            return False
        self.counts[key] -= 1
        return True


def load(path: str) -> Baseline:
    """Read a baseline; raises ConfigurationError."""
    try:
        data = json.loads(read_file(path))
        if data["version"] != FORMAT:
            raise ConfigurationError(f"{path}: written by another version of this tool; write it anew")
        counts = Counter(
            {(one["path"], one["code"], one["fingerprint"]): int(one["count"]) for one in data["findings"]}
        )
    except OSError as error:
        what = f"{path}: the baseline cannot be read ({reason(error)})"
        raise ConfigurationError(f"{what}; write one with `claude-api-lint baseline`") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not a baseline; write one with `claude-api-lint baseline`") from error
    return Baseline(path, counts)


def write(path: str, findings: Iterable[Finding], read: Read) -> None:
    """Write a baseline of findings, one on each line, in an order that does not change; raises WriteError."""
    counts = Counter(_key(path, finding, read(finding.path)) for finding in findings)
    lines = [
        json.dumps({"path": place, "code": code, "fingerprint": mark, "count": count})
        for (place, code, mark), count in sorted(counts.items())
    ]
    listed = ",\n    ".join(lines)
    listed = f"[\n    {listed}\n  ]" if lines else "[]"
    write_file(path, f'{{\n  "version": {FORMAT},\n  "findings": {listed}\n}}\n'.encode())


def _key(baseline: str, finding: Finding, source: Source | None) -> Key:
    folder = os.path.dirname(os.path.abspath(baseline))
    try:
        place = os.path.relpath(os.path.abspath(finding.path), folder)
    except ValueError:  # on another drive
        place = os.path.abspath(finding.path)
    return place.replace(os.sep, "/"), finding.code, fingerprint(finding, source)
