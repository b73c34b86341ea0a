"""One run over files: from the paths that were named to what came of each file, and to the report.

``check_all`` and ``fix_all`` are all that is done to files; what they yield comes in the order of the files.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from claude_api_lint.candidates import may_send
from claude_api_lint.configuration import Configuration, ConfigurationError
from claude_api_lint.dataflow.project import Project
from claude_api_lint.discovery import STDIN, SUFFIXES, changed_only, find_files, listed_files, read_file, reason
from claude_api_lint.formats import DOCUMENTS, NOTEBOOK, check_file, fix_file
from claude_api_lint.git import GitError, changed_since, root_above
from claude_api_lint.jobs import Lost, each, passing
from claude_api_lint.output.report import Report, Skipped
from claude_api_lint.prefilter import may_name_codes, mentions_api, names_vendor
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source, UnreadableSource

if TYPE_CHECKING:
    from claude_api_lint.baseline import Baseline
    from claude_api_lint.cache import Cache
    from claude_api_lint.findings import Finding, RulePage
    from claude_api_lint.linter import CheckResult

CACHE_FOLDER = ".claude-api-lint-cache"
"""Where results are kept, below the root of a project."""
MAX_ROUNDS = 3
"""How often files are looked at again that were changed for the sake of others."""


@dataclass(frozen=True)
class Job:
    """A file of the run: its path as it was given, its bytes, and what is asked of it.

    ``may_lead`` is False where nothing that it could import names the vendor.
    """

    path: str
    data: bytes
    settings: Settings
    is_stdin: bool = False
    may_lead: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of a file: its bytes as they should be now, what is found in these, and what was fixed to get there.

    ``problems`` say which rules of other distributions did not run, and why.
    """

    job: Job
    data: bytes
    findings: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    skipped: str | None = None
    problems: tuple[str, ...] = ()
    others: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)
    """The other files that the fixes edit, by absolute path, as they were and as they are to be: all, or none."""


@dataclass(frozen=True)
class Selection:
    """Which files are asked for."""

    paths: tuple[str, ...] = ()
    files_from: str | None = None
    since: str | None = None
    force_exclude: bool = False
    respect_gitignore: bool = True
    docs: bool = False


@dataclass
class Run:
    """What a run has come to so far. ``say`` is told at once, and once, what cannot be done."""

    configuration: Configuration
    say: Callable[[str], None]
    stdin_filename: str = STDIN
    skipped: dict[Skipped, None] = field(default_factory=dict)
    project: Project = field(default_factory=lambda: Project(read_file))
    scanned: int = 0
    known: int = 0
    found: dict[str, list[Finding]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
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
            suffixes=SUFFIXES + DOCUMENTS if selection.docs else SUFFIXES,
        )
        whole = [path for path in paths if selection.since is None and os.path.isdir(path)]
        try:
            if selection.since is not None:
                files = changed_only(files, _changed(paths, selection.since))
            found = list(files)
        except GitError as error:
            self.problem("", f"--since {selection.since}: {error}")
            return []
        self.project = Project(read_file, (file for file in found if file != STDIN), whole)
        return found

    def jobs(self, files: Sequence[str], processes: int = 1) -> Iterator[Job]:
        """The files with their bytes, as far as they can be read: many files by as many ``processes`` as are given.

        Those that cannot concern us by what they say themselves may come without their bytes.
        """
        silent = passing(files, _is_silent, processes)
        for path in files:
            is_stdin = path == STDIN
            name = self.stdin_filename if is_stdin else path
            try:
                settings = self.configuration.settings_for(name)
                data = b"" if path in silent else self._data(path)
            except ConfigurationError as error:
                self.problem("", str(error))
            except OSError as error:
                self.problem(name, f"it cannot be read ({reason(error)}); check its permissions")
            else:
                yield Job(name, data, settings, is_stdin)

    def collect(self, outcomes: Iterable[Outcome], *, new_only: bool = True) -> None:
        """Take the outcomes into the report; ``new_only`` leaves out what the baseline knows."""
        for outcome in outcomes:
            self.scanned += outcome.job.path not in self.seen
            self.seen.add(outcome.job.path)
            self.fixed += outcome.fixed
            if outcome.skipped:
                self.problem(outcome.job.path, outcome.skipped)
            for problem in outcome.problems:
                self.problem("", problem)
            if outcome.findings or outcome.job.is_stdin or outcome.job.path in self.found:
                self.contents[outcome.job.path] = outcome.data
                known = self._baseline_of(outcome.job.path) if new_only else None
                source = self.read(outcome.job.path) if known else None
                new = [finding for finding in outcome.findings if not (known and known.take(finding, source))]
                self.known += len(outcome.findings) - len(new)
                self.found[outcome.job.path] = new
            for path, (_, data) in outcome.others.items():
                self.contents[self.project.given(path)] = data

    @property
    def findings(self) -> list[Finding]:
        """What is found, file by file in the order of the files."""
        return [finding for path in sorted(self.found, key=self.project.place) for finding in self.found[path]]

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
        """The text of a file as the findings see it, or as it stands where nothing was found in it.

        None for what cannot be read, and for a notebook, whose findings stand in its cells.
        """
        if path.endswith(NOTEBOOK):
            return None
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

    def _data(self, path: str) -> bytes:
        """The bytes of a file of the run; raises OSError."""
        return read_stdin() if path == STDIN else self.project.data(path)

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


class Means(NamedTuple):
    """What a run works with: the files around, how many processes, and in which folder results are kept, if any."""

    project: Project
    jobs: int = 1
    cache: str | None = None


def check_all(jobs: Iterable[Job], means: Means) -> Iterator[Outcome]:
    """What is found in each file."""
    checking = Checking(means.project, means.cache)
    return _all(jobs, checking.checked, means, checking.known)


def fix_all(jobs: Iterable[Job], means: Means) -> Iterator[Outcome]:
    """What each file becomes, and what is left in it.

    Files whose fixes edit others come last, and after them again those others: what is left in them may have changed.
    The project must be told of what is written or shown before the next outcome is asked for.
    """
    later: list[Job] = []
    frozen = Fixing(means.project.frozen(), means.cache)
    for outcome in _all(jobs, frozen.fixed, means, frozen.known):
        if outcome.job.is_stdin or not _edits_others(outcome, means.project):
            yield outcome
        else:
            later.append(outcome.job)
    fixing, again = Fixing(means.project), dict[str, Job]()
    for _ in range(MAX_ROUNDS):
        for job in later:
            outcome = fixing.fixed(replace(job, data=means.project.data(job.path)))
            again.update((path, job) for path in outcome.others)
            yield outcome
        later = [replace(job, path=means.project.given(path)) for path, job in again.items()]
        again.clear()


def _edits_others(outcome: Outcome, project: Project) -> bool:
    """Whether fixes are left that edit other files of the run."""
    fixes = [finding.fix for finding in outcome.findings if finding.fix is not None]
    return any(project.may_change(edit.path) for fix in fixes for edit in fix.edits if edit.path)


def _all(
    jobs: Iterable[Job],
    work: Callable[[Job], Outcome],
    means: Means,
    known: Callable[[Job], Outcome | None] = lambda job: None,
) -> Iterator[Outcome]:
    """What becomes of each file: at once where it cannot concern us, else in the order of the files."""
    passed: list[Outcome] = []
    for job, outcome in each(_candidates(jobs, means.project, passed), work, means.jobs, known, _folder):
        yield from passed
        passed.clear()
        yield outcome if not isinstance(outcome, Lost) else Outcome(job, job.data, skipped=outcome.why)
    yield from passed


def _folder(job: Job) -> str:
    return os.path.dirname(job.path)


def _candidates(jobs: Iterable[Job], project: Project, passed: list[Outcome]) -> Iterator[Job]:
    """The files that may concern us; the others are passed, without their bytes.

    A file that does not name the vendor may import what does: only where some file of its project does so.
    """
    roots: set[str] = set()
    unsure: list[Job] = []
    others: list[Job] = []
    for job in jobs:
        mentions = mentions_api(job.data)
        if mentions and names_vendor(job.data):
            roots.add(project.root_of(job.path))
            yield job
        elif mentions or may_name_codes(job.data):
            unsure.append(job)
        elif job.is_stdin:
            passed.append(Outcome(job, job.data))
        else:
            others.append(Job(job.path, b"", job.settings))
    for job in unsure:
        folder = os.path.dirname(os.path.abspath(job.path))
        yield replace(job, may_lead=_may_lead(folder, roots, project) and project.may_lead_to_vendor(job.path))
    for folder, beside in groupby(others, key=lambda job: os.path.dirname(job.path)):
        may_lead = _may_lead(os.path.abspath(folder), roots, project)
        for job in beside:
            data = _sending(job, project) if may_lead and project.may_lead_to_vendor(job.path) else None
            if data is None:
                passed.append(Outcome(job, b""))
            else:
                yield replace(job, data=data)


def _may_lead(folder: str, roots: set[str], project: Project) -> bool:
    """Whether files of a folder may import what mentions the API, given the roots of the projects that do."""
    if not roots and project.encloses(folder):
        return False  # without a look for the root of each folder
    root = project.root(folder)
    return root in roots or not project.covers(root)


def _sending(job: Job, project: Project) -> bytes | None:
    """The bytes of a file that may send requests; None for any other, and for one that is gone by now."""
    try:
        data = project.data(job.path)
    except OSError:
        return None
    return data if may_send(data) else None


class Working:
    """What is done to files: results are looked up and kept in a folder, if there is one."""

    def __init__(self, project: Project, cache_folder: str | None = None) -> None:
        self.project = project
        self.cache_folder = cache_folder

    @cached_property
    def cache(self) -> Cache | None:
        """The results of earlier runs: imported when the first file is worth an analysis."""
        if self.cache_folder is None:
            return None
        from claude_api_lint.cache import Cache

        return Cache(self.cache_folder)

    def kept(self, job: Job) -> CheckResult | None:
        """What an earlier run has found in a file."""
        self.project.listen(may_lead=job.may_lead)
        return self.cache.get(job.path, job.data, job.settings, self.project) if self.cache is not None else None


class Checking(Working):
    """Checks files."""

    def known(self, job: Job) -> Outcome | None:
        """What an earlier run has found."""
        result = self.kept(job)
        return _outcome(job, result) if result is not None else None

    def checked(self, job: Job) -> Outcome:
        """What is found in a file."""
        self.project.listen(may_lead=job.may_lead)
        result = check_file(job.data, job.path, job.settings, self.project)
        if self.cache is not None:
            self.cache.put(job.path, job.data, job.settings, self.project, result)
        return _outcome(job, result)


class Fixing(Working):
    """Fixes files; those in which nothing is found are looked up and kept."""

    def known(self, job: Job) -> Outcome | None:
        """That nothing is to be done, where an earlier run has found nothing."""
        from claude_api_lint.linter import CheckResult

        result = self.kept(job)
        return _outcome(job, result) if result == CheckResult() else None

    def fixed(self, job: Job) -> Outcome:
        """What a file becomes, and what is left in it."""
        from claude_api_lint.fixer import FixResult
        from claude_api_lint.linter import CheckResult

        self.project.listen(may_lead=job.may_lead)
        result = fix_file(job.data, job.path, job.settings, self.project)
        if self.cache is not None and result == FixResult(job.data):
            self.cache.put(job.path, job.data, job.settings, self.project, CheckResult())
        return Outcome(
            job, result.source, result.remaining, result.fixed, result.skipped, result.problems, result.others
        )


def _outcome(job: Job, result: CheckResult) -> Outcome:
    return Outcome(job, job.data, result.findings, (), result.skipped, result.problems)


def not_written(outcome: Outcome, why: str) -> Outcome:
    """The outcome for a file that could not be given its new content."""
    return replace(outcome, fixed=(), skipped=f"not fixed: {why}")


def _is_silent(path: str) -> bool:
    """Whether a file can be read, and has nothing in it that concerns us."""
    try:
        data = read_file(path) if path != STDIN else None
    except OSError:
        return False
    return data is not None and not mentions_api(data) and not may_name_codes(data)


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
    from claude_api_lint.extensions import all_pages

    return all_pages()
