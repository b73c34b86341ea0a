"""Results of earlier runs: kept by what they depend on, so that a file which has not changed is not analysed again.

An entry holds the findings of one file, and the answers that the project gave while it was analysed: which files there
are, what they hold, who uses a name. It counts as long as the project would give the same answers. What cannot be read,
is not complete or has been tampered with is a miss.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

from claude_api_lint.dataflow.project import Project
from claude_api_lint.findings import Applicability, Confidence, Edit, Finding, Fix
from claude_api_lint.linter import CheckResult
from claude_api_lint.settings import Settings

_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of claude-api-lint; it may be deleted.\n"


class Cache:
    """The entries of one folder, which is made when something is kept. Never raises."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @cached_property
    def _tool(self) -> str:
        return tool()

    def get(self, path: str, data: bytes, settings: Settings, project: Project) -> CheckResult | None:
        """The result that was kept for a file, where the project is as it was."""
        try:
            with open(self._path(self._key(path, data, settings)), "rb") as file:
                check, _, body = file.read().partition(b"\n")
            if check.decode() != _hash(body):
                return None
            entry = json.loads(body)
            if not all(project.still_answers(query, answer) for query, answer in entry["answers"]):
                return None
            return CheckResult(tuple(map(_finding, entry["findings"])), entry["skipped"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, path: str, data: bytes, settings: Settings, project: Project, result: CheckResult) -> None:
        """Keep the result of a file, with what the project was asked for it."""
        if result.problems:
            return
        entry = {
            "findings": [asdict(finding) for finding in result.findings],
            "skipped": result.skipped,
            "answers": [(query, project.answers(query)) for query in list(project.queries)],
        }
        body = json.dumps(entry).encode()
        with contextlib.suppress(OSError):
            self._write(self._path(self._key(path, data, settings)), _hash(body).encode() + b"\n" + body)

    def _write(self, path: str, data: bytes) -> None:
        import tempfile

        if not os.path.isdir(os.path.dirname(path)):
            self._make()
            os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)

    def _make(self) -> None:
        """The folder, in a way that backups and git leave it out."""
        os.makedirs(self.folder, exist_ok=True)
        for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
            path = os.path.join(self.folder, name)
            if not os.path.exists(path):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)

    def _key(self, path: str, data: bytes, settings: Settings) -> str:
        """What a result depends on: what the file is called, what it holds, how it is checked, and by what."""
        settings = replace(settings, unsafe_fixes=False)  # which says what is done about findings
        return _hash("\0".join((os.path.abspath(path), path, repr(settings), self._tool, _hash(data))).encode())

    def _path(self, key: str) -> str:
        return os.path.join(self.folder, key[:2], key[2:])


def tool() -> str:
    """What checks: this version of the package and of LibCST, as they are installed."""
    from importlib.metadata import version

    here = os.path.dirname(os.path.abspath(__file__))
    newest = max(
        os.stat(os.path.join(folder, name)).st_mtime_ns
        for folder, _, names in os.walk(here)
        for name in names
        if name.endswith((".py", ".toml"))
    )
    return f"{version('claude-api-lint')} {version('libcst')} {newest}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _finding(row: dict[str, Any]) -> Finding:
    fix = row["fix"]
    if fix is not None:
        edits = tuple(Edit(**edit) for edit in fix["edits"])
        region = None if fix["region"] is None else tuple(fix["region"])
        fix = Fix(fix["title"], Applicability(fix["applicability"]), edits, region)
    return Finding(**{**row, "confidence": Confidence(row["confidence"]), "fix": fix})
