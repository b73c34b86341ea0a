"""The command ``claude-api-lint``: it finds the files, hands them to the linter and the fixer, and reports.

LibCST, and whatever needs it, is imported once there is something to parse.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from claude_api_lint.atomic import WriteError, replace_files
from claude_api_lint.candidates import concerns
from claude_api_lint.configuration import (
    Configuration,
    ConfigurationError,
    Options,
    did_you_mean,
    known_codes,
    known_version,
)
from claude_api_lint.dataflow.project import Project
from claude_api_lint.discovery import STDIN, find_files, read_file, reason
from claude_api_lint.output import text

if TYPE_CHECKING:
    from claude_api_lint.findings import Finding
    from claude_api_lint.fixer import FixResult
    from claude_api_lint.linter import CheckResult
    from claude_api_lint.settings import Settings

PROGRAM = "claude-api-lint"

MAX_ROUNDS = 3
"""How often files are looked at again that were changed for the sake of others."""

DONE = 0
FOUND = 1
FAILED = 2
INTERRUPTED = 130

Command = TypeVar("Command", bound=Callable[..., Any])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and give back its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may not fit the terminal's encoding
    try:
        status: int | None = command.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        complain(f"{error.format_message()} (see {PROGRAM} --help)")
        return FAILED
    except click.Abort:
        return INTERRUPTED
    return status or DONE


def complain(problem: str) -> None:
    """Say on one line of stderr what went wrong."""
    click.echo(f"{PROGRAM}: {text.printable(problem)}", err=True)


@dataclass(frozen=True)
class Source:
    """A file of the run: its path as it was given, its bytes, and what is asked of it."""

    path: str
    data: bytes
    settings: Settings
    is_stdin: bool = False


@dataclass
class Run:
    """One run over files: what cannot be done is said at once, once, and remembered for the exit code."""

    configuration: Configuration
    stdin_filename: str
    problems: set[str] = field(default_factory=set)
    project: Project = field(default_factory=lambda: Project(read_file))
    files: dict[str, str] = field(default_factory=dict)
    """The files of the run by their absolute paths, as they were given."""

    def sources(self, paths: Sequence[str]) -> Iterator[Source]:
        """The files that the paths stand for, as far as they can be read."""
        if not paths:
            click.echo(f"{PROGRAM}: no file or folder named, nothing done", err=True)
        files = list(find_files(paths, self.problem))
        self.files = {os.path.abspath(file): file for file in files if file != STDIN}
        self.project = Project(read_file, self.files)
        yield from self.read(files)

    def read(self, files: Iterable[str]) -> Iterator[Source]:
        """The files with their bytes, as far as they can be read."""
        for path in files:
            is_stdin = path == STDIN
            name = self.stdin_filename if is_stdin else path
            try:
                settings = self.configuration.settings_for(name)
                data = read_stdin() if is_stdin else self.project.data(path)
            except ConfigurationError as error:
                self.report(str(error))
            except OSError as error:
                self.problem(name, f"it cannot be read ({reason(error)}); check its permissions")
            else:
                yield Source(name, data, settings, is_stdin)

    def problem(self, path: str, what: str) -> None:
        """Report what is the matter with a path."""
        self.report(f"{path}: {what}")

    def report(self, problem: str) -> None:
        """Report a problem that says itself where it is."""
        if problem not in self.problems:
            self.problems.add(problem)
            complain(problem)

    def exit_code(self, *, found: bool) -> int:
        """What the run ends with."""
        if self.problems:
            return FAILED
        return FOUND if found else DONE


def codes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Rule codes, separated by commas, given any number of times."""
    prefixes = [prefix.strip() for value in values for prefix in value.split(",")]
    try:
        return known_codes(filter(None, prefixes)) or None
    except ConfigurationError as error:
        raise click.BadParameter(str(error)) from error


def version(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A version of the API."""
    try:
        return None if value is None else known_version(value)
    except ConfigurationError as error:
        raise click.BadParameter(str(error)) from error


def common_options(function: Command) -> Command:
    """The arguments that ``check`` and ``fix`` share."""
    for decorate in (
        click.option(
            "--stdin-filename", metavar="PATH", default=STDIN, help="The path that is reported for what - reads."
        ),
        click.option(
            "--target-version",
            metavar="DATE",
            callback=version,
            help="The version of the Claude API that the code should speak.",
        ),
        click.option(
            "--ignore", metavar="CODES", multiple=True, callback=codes, help="Leave out these rules; prefixes count."
        ),
        click.option(
            "--select", metavar="CODES", multiple=True, callback=codes, help="Run only these rules; prefixes count."
        ),
        click.argument("paths", nargs=-1, metavar="[PATH]..."),
    ):
        function = decorate(function)
    return function


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM)
@click.pass_context
def command(context: click.Context) -> int:
    """Find and mend code that sends the Claude API a missing, outdated or wrong version header.

    A PATH is a file, a folder whose Python files are meant, or - for the standard input.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return DONE


@command.command()
@common_options
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(
    paths: tuple[str, ...],
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    target_version: str | None,
    stdin_filename: str,
    output_format: str,
) -> int:
    """Report what is found.

    Ends with 0 if nothing is found, 1 if something is, 2 if the tool could not do its work.
    """
    run = Run(Configuration(Options(select, ignore, target_version)), stdin_filename)
    findings: list[Finding] = []
    for source in run.sources(paths):
        result = checked(source, run.project)
        if result is None:
            continue
        findings += result.findings
        if result.skipped:
            run.problem(source.path, result.skipped)
    show(findings, output_format)
    return run.exit_code(found=bool(findings))


@command.command()
@common_options
@click.option("--diff", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="Also apply fixes that a person should look at.")
def fix(
    paths: tuple[str, ...],
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    target_version: str | None,
    stdin_filename: str,
    diff: bool,
    unsafe_fixes: bool | None,
) -> int:
    """Mend what is found, and report what is left.

    Ends with 0 if nothing is left, 1 if something is, 2 if the tool could not do its work. With --diff, it ends with 1
    if something would change, too.
    """
    run = Run(Configuration(Options(select, ignore, target_version, unsafe_fixes)), stdin_filename)
    work = FixWork(run, diff)
    for source in run.sources(paths):
        work.take(source)
    work.take_touched()
    work.report(to_stderr=diff or STDIN in paths)
    return run.exit_code(found=bool(work.left) or (diff and bool(work.fixed)))


@command.command()
def rules() -> None:
    """List the rules."""
    from claude_api_lint.rules import rule_classes

    classes = sorted(rule_classes(), key=lambda rule: rule.code)
    width = max((len(rule.name) for rule in classes), default=0)
    for rule in classes:
        click.echo(f"{rule.code}  {rule.name:{width}}  {manual_page(rule).splitlines()[0]}")


@command.command()
@click.argument("code")
def explain(code: str) -> int:
    """Print the page of the manual for a rule."""
    from claude_api_lint.rules import rule_classes

    pages = {rule.code: rule for rule in rule_classes()}
    if code.upper() not in pages:
        complain(f"unknown rule code {code!r}; {did_you_mean(code.upper(), pages)}")
        return FAILED
    click.echo(manual_page(pages[code.upper()]))
    return DONE


def read_stdin() -> bytes:
    """The bytes of the standard input."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdin.buffer.read()


def checked(source: Source, project: Project) -> CheckResult | None:
    """What the linter says, or None for a file that cannot concern it."""
    if not concerns(source.data, source.path, project):
        return None
    from claude_api_lint.linter import check_source

    return check_source(source.data, source.path, source.settings, project)


def mended(source: Source, project: Project) -> FixResult | None:
    """What the fixer makes of it, or None for a file that cannot concern it."""
    if not concerns(source.data, source.path, project):
        return None
    from claude_api_lint.fixer import fix_source

    return fix_source(source.data, source.path, source.settings, project)


def show(findings: list[Finding], output_format: str) -> None:
    """Print a report; its summary goes to stderr, so that stdout holds findings only."""
    if output_format == "json":
        from claude_api_lint.output import json

        click.echo(json.render(findings), nl=False)
        return
    click.echo(text.render(findings), nl=False)
    click.echo(text.summary(findings), nl=False, err=True)


@dataclass
class FixWork:
    """What a run of ``fix`` has done so far."""

    run: Run
    dry_run: bool
    fixed: list[Finding] = field(default_factory=list)
    remaining: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    changes: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    """What a dry run would change: for each path what it is, and what it would be."""
    touched: dict[str, None] = field(default_factory=dict)
    """The files that were changed for the sake of another one."""

    def take(self, source: Source) -> None:
        """Mend one file, and put the result where it belongs."""
        result = mended(source, self.run.project)
        if result is None:
            self.put(source, source.data, {})
            return
        if result.skipped:
            self.run.problem(source.path, result.skipped)
        self.remaining[source.path] = result.remaining
        try:
            self.put(source, result.source, result.others)
        except WriteError as error:
            self.run.problem(source.path, f"not fixed: {error}")
        else:
            self.fixed += result.fixed

    def put(self, source: Source, after: bytes, others: Mapping[str, tuple[bytes, bytes]]) -> None:
        """Show the change, pass the text on, or replace the files, all or none."""
        changes = {self.run.files[path]: change for path, change in others.items()}
        self.touched.update(dict.fromkeys(changes))
        if after != source.data and not source.is_stdin:
            changes[source.path] = (source.data, after)
        if self.dry_run:
            for path, (before, data) in changes.items():
                self.changes[path] = (self.changes[path][0] if path in self.changes else before, data)
                self.run.project.change(path, data)
            return
        if source.is_stdin:
            click.echo(after, nl=False)
        try:
            replace_files(changes)
        finally:
            for path in changes:
                self.run.project.settle(path)

    def take_touched(self) -> None:
        """Look again at the files that were changed for the sake of others: their findings may be others now."""
        for _ in range(MAX_ROUNDS):
            again, self.touched = list(self.touched), {}
            for source in self.run.read(again):
                self.take(source)

    @property
    def left(self) -> list[Finding]:
        """The findings that remain."""
        return [finding for findings in self.remaining.values() for finding in findings]

    def show_changes(self) -> None:
        """Show what a dry run would change."""
        from claude_api_lint.output import diff

        for path, (before, after) in self.changes.items():
            click.echo(diff.render(path, before, after), nl=False)

    def report(self, *, to_stderr: bool) -> None:
        """Say what is left, and what was done."""
        self.show_changes()
        click.echo(text.render_unfixed(self.left), nl=False, err=to_stderr)
        click.echo(text.fix_summary(self.fixed, self.left, dry_run=self.dry_run), nl=False, err=True)


def manual_page(rule: type) -> str:
    """A rule's docstring, as it is printed."""
    import inspect

    return inspect.cleandoc(rule.__doc__ or "")
