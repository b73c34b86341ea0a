"""One run over files: from the paths that were named to what came of each file, and to the report.

``check_all`` and ``fix_all`` are all that is done to files; what they yield comes in the order of the files.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from claude_api_lint.configuration import Configuration, ConfigurationError
from claude_api_lint.discovery import STDIN, changed_only, find_files, listed_files, read_file, reason
from claude_api_lint.findings import Finding, RulePage
from claude_api_lint.git import GitError, changed_since, root_above
from claude_api_lint.output.report import Report, Skipped
from claude_api_lint.prefilter import may_name_codes, mentions_api
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source, UnreadableSource

if TYPE_CHECKING:
    from claude_api_lint.baseline import Baseline


@dataclass(frozen=True)
class Job:
    """A file of the run: its path as it was given, its bytes, and what is asked of it."""

    path: str
    data: bytes
    settings: Settings
    is_stdin: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a file: its bytes as they should be now, what is found in these, and what was fixed to get there."""

    job: Job
    data: bytes
    findings: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    skipped: str | None = None


@dataclass(frozen=True)
class Selection:
    """Which files are asked for."""

    paths: tuple[str, ...] = ()
    files_from: str | None = None
    since: str | None = None
    force_exclude: bool = False
    respect_gitignore: bool = True


@dataclass
class Run:
    """What a run has come to so far. ``say`` is told at once, and once, what cannot be done."""

    configuration: Configuration
    say: Callable[[str], None]
    stdin_filename: str = STDIN
    skipped: dict[Skipped, None] = field(default_factory=dict)
    scanned: int = 0
    known: int = 0
    findings: list[Finding] = field(default_factory=list)
    fixed: list[Finding] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, Source | None] = field(default_factory=dict)
    baselines: dict[str, Baseline | None] = field(default_factory=dict)

    def files(self, selection: Selection) -> list[str]:
        """The files that are asked for."""
        paths = [*selection.paths, *self._listed(selection.files_from)]
        if not paths and selection.since is not None and selection.files_from is None:
            paths = ["."]
        files = find_files(
            paths,
            self.problem,
            self.configuration.excludes_in,
            respect_gitignore=selection.respect_gitignore,
            force_exclude=selection.force_exclude,
        )
        if selection.since is None:
            return list(files)
        try:
            return list(changed_only(files, _changed(paths, selection.since)))
        except GitError as error:
            self.problem("", f"--since {selection.since}: {error}")
            return []

    def jobs(self, files: Iterable[str]) -> Iterator[Job]:
        """The files with their bytes, as far as they can be read."""
        for path in files:
            is_stdin = path == STDIN
            name = self.stdin_filename if is_stdin else path
            try:
                settings = self.configuration.settings_for(name)
                data = read_stdin() if is_stdin else read_file(path)
            except ConfigurationError as error:
                self.problem("", str(error))
            except OSError as error:
                self.problem(name, f"it cannot be read ({reason(error)}); check its permissions")
            else:
                yield Job(name, data, settings, is_stdin)

    def collect(self, outcomes: Iterable[Outcome], *, new_only: bool = True) -> None:
        """Take the outcomes into the report; ``new_only`` leaves out what the baseline knows."""
        for outcome in outcomes:
            self.scanned += 1
            self.fixed += outcome.fixed
            if outcome.skipped:
                self.problem(outcome.job.path, outcome.skipped)
            if outcome.findings or outcome.job.is_stdin:
                self.contents[outcome.job.path] = outcome.data
                known = self._baseline_of(outcome.job.path) if new_only else None
                source = self.read(outcome.job.path) if known else None
                new = [finding for finding in outcome.findings if not (known and known.take(finding, source))]
                self.known += len(outcome.findings) - len(new)
                self.findings += new

    def report(self, *, color: bool = False) -> Report:
        """All that there is to report."""
        return Report(
            findings=tuple(self.findings),
            read=self.read,
            pages=_pages,
            scanned=self.scanned,
            skipped=tuple(self.skipped),
            known=self.known,
            fixed=tuple(self.fixed),
            color=color,
        )

    def read(self, path: str) -> Source | None:
        """The text of a file as the findings see it, or as it stands where nothing was found in it."""
        if path not in self.texts:
            try:
                self.texts[path] = Source.decode(self.contents[path] if path in self.contents else read_file(path))
            except (OSError, UnreadableSource):
                self.texts[path] = None
        return self.texts[path]

    def problem(self, path: str, what: str) -> None:
        """Report what is the matter with a path, or with something that says itself where it is."""
        skipped = Skipped(path, what)
        if skipped not in self.skipped:
            self.skipped[skipped] = None
            self.say(f"{path}: {what}" if path else what)

    def _listed(self, file: str | None) -> list[str]:
        """The paths in a list of them, if there is one."""
        if file is None:
            return []
        try:
            return listed_files(read_stdin() if file == STDIN else read_file(file))
        except OSError as error:
            self.problem(file, f"the list cannot be read ({reason(error)}); check its name")
            return []

    def _baseline_of(self, path: str) -> Baseline | None:
        file = self.configuration.project_of(os.path.dirname(path)).baseline
        if file is not None and file not in self.baselines:
            from claude_api_lint.baseline import load

            try:
                self.baselines[file] = load(file)
            except ConfigurationError as error:
                self.baselines[file] = None
                self.problem("", str(error))
        return self.baselines[file] if file is not None else None


def check_all(jobs: Iterable[Job]) -> Iterator[Outcome]:
    """What is found in each file."""
    return map(_checked, jobs)


def fix_all(jobs: Iterable[Job]) -> Iterator[Outcome]:
    """What each file becomes, and what is left in it."""
    return map(_fixed, jobs)


def _checked(job: Job) -> Outcome:
    if not mentions_api(job.data) and not may_name_codes(job.data):
        return Outcome(job, job.data)
    from claude_api_lint.linter import check_source

    result = check_source(job.data, job.path, job.settings)
    return Outcome(job, job.data, result.findings, skipped=result.skipped)


def _fixed(job: Job) -> Outcome:
    if not mentions_api(job.data) and not may_name_codes(job.data):
        return Outcome(job, job.data)
    from claude_api_lint.fixer import fix_source

    result = fix_source(job.data, job.path, job.settings)
    return Outcome(job, result.source, result.remaining, result.fixed, result.skipped)


def not_written(outcome: Outcome, why: str) -> Outcome:
    """The outcome for a file that could not be given its new content."""
    return replace(outcome, fixed=(), skipped=f"not fixed: {why}")


def read_stdin() -> bytes:
    """The bytes of the standard input; raises OSError where it is closed."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdin.buffer.read()


def _changed(paths: Iterable[str], revision: str) -> set[str]:
    """The files that have changed in the checkouts that the paths are in; raises GitError."""
    changed_in = cache(partial(changed_since, revision=revision))
    changed: set[str] = set()
    for path in paths:
        root = root_above(path if os.path.isdir(path) else os.path.dirname(path))
        if root is None:
            raise GitError(f"{path} is not in a git checkout; name files and folders that are")
        changed |= changed_in(os.path.realpath(root))
    return changed


def _pages() -> Iterable[RulePage]:
    from claude_api_lint.rules import rule_pages

    return rule_pages()
