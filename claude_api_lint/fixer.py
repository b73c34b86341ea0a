"""From a file's source and its findings to the fixed source: pure, and the same for every face."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from claude_api_lint.dataflow.project import Project
from claude_api_lint.findings import Applicability, Edit, Finding, Fix, apply
from claude_api_lint.linter import CheckResult, check_text
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source, UnreadableSource

MAX_PASSES = 10
"""Fixes of one pass can uncover others; no real file needed more than three passes."""


@dataclass(frozen=True)
class FixResult:
    """The fixed source; which findings are fixed, in the order in which they were; which remain.

    ``others`` are the other files that the fixes edit, by absolute path, as they were and as they are to be: all of
    them are to be written, or none.
    """

    source: bytes
    fixed: tuple[Finding, ...] = ()
    remaining: tuple[Finding, ...] = ()
    skipped: str | None = None
    problems: tuple[str, ...] = ()
    """Which rules of other distributions did not run, and why."""
    others: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """How a kind of file is read: ``check`` finds things in its text, whose edits are edits of that very text, and
    ``unreadable`` counts the parts that are no Python though they should be."""

    check: Callable[[str], CheckResult]
    unreadable: Callable[[str], int]


def fix_source(source: bytes, path: str, settings: Settings, project: Project | None = None) -> FixResult:
    """Fix the bytes of one file as far as ``settings`` allows; unchanged bytes where nothing was fixed.

    A fix that edits another file is applied where that belongs to the files which ``project`` may change.
    """
    try:
        decoded = Source.decode(source)
    except UnreadableSource as error:
        return FixResult(source, skipped=str(error))
    reading = Reading(lambda text: check_text(text, path, settings, project), _unreadable)
    return fix_decoded(source, decoded, reading, settings, project)


def fix_decoded(
    source: bytes, decoded: Source, reading: Reading, settings: Settings, project: Project | None = None
) -> FixResult:
    """Fix the bytes of one file, which somebody has already decoded."""
    work = _Work(decoded, reading, settings, project)
    original = reading.check(decoded.text)
    if original.findings and decoded.encode(decoded.text) != source:
        return _given_up(source, original, "its encoding cannot be kept byte for byte; nothing was fixed")
    fixed: list[Finding] = []
    result = original
    for _ in range(MAX_PASSES):
        chosen = _without_overlaps(finding for finding in result.findings if work.applies(finding))
        if not chosen:
            break
        work.edit(chosen)
        fixed.extend(chosen)
        result = reading.check(work.current)
    if not fixed:
        return FixResult(source, (), work.explained(original.findings), original.skipped, original.problems)
    broken = result.skipped is not None and original.skipped is None
    if broken or work.is_broken():
        work.undo()
        return _given_up(source, original, "a fix would have broken it; nothing was changed, please report this file")
    after, remaining = decoded.encode(work.current), work.explained(result.findings)
    return FixResult(after, tuple(fixed), remaining, result.skipped, result.problems, work.others)


class _Work:
    """One file that is being fixed, and the other files that its fixes edit."""

    def __init__(self, decoded: Source, reading: Reading, settings: Settings, project: Project | None) -> None:
        self.current = decoded.text
        self.others: dict[str, tuple[bytes, bytes]] = {}
        self._before = decoded.text
        self._reading = reading
        self._settings = settings
        self._project = project

    def applies(self, finding: Finding) -> bool:
        """Whether a finding's fix is to be applied: it is safe enough, and its files may be changed."""
        if finding.fix is None:
            return False
        if not self._settings.unsafe_fixes and finding.fix.applicability is not Applicability.SAFE:
            return False
        if self._project is not None and self._project.is_frozen and any(edit.path for edit in finding.fix.edits):
            return False
        return self._obstacle(finding.fix) is None

    def explained(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings that remain; where another file stands in the way of a fix, they say so."""
        return tuple(map(self._explained, findings))

    def _explained(self, finding: Finding) -> Finding:
        obstacle = self._obstacle(finding.fix) if finding.fix is not None else None
        return finding if obstacle is None else replace(finding, fix=None, no_fix_reason=obstacle)

    def _obstacle(self, fix: Fix) -> str | None:
        """Why a fix cannot be applied, where it edits other files; None where it can."""
        for path in dict.fromkeys(edit.path for edit in fix.edits if edit.path):
            if self._project is None or not self._project.may_change(path):
                shown = self._project.shown(path) if self._project is not None else path
                return f"the fix edits {shown}, which is not part of this run; name both, or the folder above them"
            data = self._project.data(path)
            if Source.decode(data).encode(Source.decode(data).text) != data:
                return f"the fix edits {self._project.shown(path)}, whose encoding cannot be kept byte for byte"
        return None

    def edit(self, findings: list[Finding]) -> None:
        """Make the edits of findings, in every file that they are for."""
        by_path: dict[str, list[Edit]] = {}
        for finding in findings:
            for edit in finding.fix.edits if finding.fix is not None else ():
                by_path.setdefault(edit.path, []).append(edit)
        for path, edits in by_path.items():
            if not path:
                self.current = apply(self.current, edits)
                continue
            assert self._project is not None
            data = self._project.data(path)
            edited = _edited(data, edits)
            self.others[path] = (self.others[path][0] if path in self.others else data, edited)
            self._project.change(path, edited)

    def is_broken(self) -> bool:
        """Whether something was Python before the edits and is no more."""
        unreadable = self._reading.unreadable
        if unreadable(self.current) > unreadable(self._before):
            return True
        pairs = [(Source.decode(before).text, Source.decode(after).text) for before, after in self.others.values()]
        return any(_unreadable(after) > _unreadable(before) for before, after in pairs)

    def undo(self) -> None:
        """Let the project show the other files as they were."""
        for path, (before, _) in self.others.items():
            assert self._project is not None
            self._project.change(path, before)


def _edited(data: bytes, edits: Iterable[Edit]) -> bytes:
    source = Source.decode(data)
    return source.encode(apply(source.text, edits))


def _given_up(source: bytes, original: CheckResult, why: str) -> FixResult:
    return FixResult(source, (), original.findings, why, original.problems)


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
    return any(
        one.path == other.path and one.start <= other.end and other.start <= one.end for one in some for other in others
    )


def _unreadable(text: str) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 1
    return 0
