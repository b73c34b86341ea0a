"""The command ``claude-api-lint``: it finds the files, hands them to the linter and the fixer, and reports.

LibCST, and whatever needs it, is imported once there is something to parse.
"""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from claude_api_lint.atomic import WriteError, replace_file
from claude_api_lint.configuration import (
    Configuration,
    ConfigurationError,
    Options,
    did_you_mean,
    known_codes,
    known_version,
)
from claude_api_lint.discovery import STDIN, find_files, read_file, reason
from claude_api_lint.output import text
from claude_api_lint.prefilter import mentions_api

if TYPE_CHECKING:
    from claude_api_lint.findings import Finding
    from claude_api_lint.fixer import FixResult
    from claude_api_lint.linter import CheckResult
    from claude_api_lint.settings import Settings

PROGRAM = "claude-api-lint"

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

    def sources(self, paths: Sequence[str]) -> Iterator[Source]:
        """The files that the paths stand for, as far as they can be read."""
        if not paths:
            click.echo(f"{PROGRAM}: no file or folder named, nothing done", err=True)
        for path in find_files(paths, self.problem):
            is_stdin = path == STDIN
            name = self.stdin_filename if is_stdin else path
            try:
                settings = self.configuration.settings_for(name)
                data = read_stdin() if is_stdin else read_file(path)
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
        result = checked(source)
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
    try:
        for source in run.sources(paths):
            work.take(source)
    except KeyboardInterrupt:
        complain("interrupted; the files that are not reported are as they were")
        raise
    finally:
        work.report(to_stderr=diff or STDIN in paths)
    return run.exit_code(found=bool(work.remaining) or (diff and bool(work.fixed)))


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


def checked(source: Source) -> CheckResult | None:
    """What the linter says, or None for a file that cannot concern it."""
    if not mentions_api(source.data):
        return None
    from claude_api_lint.linter import check_source

    return check_source(source.data, source.path, source.settings)


def mended(source: Source) -> FixResult | None:
    """What the fixer makes of it, or None for a file that cannot concern it."""
    if not mentions_api(source.data):
        return None
    from claude_api_lint.fixer import fix_source

    return fix_source(source.data, source.path, source.settings)


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
    remaining: list[Finding] = field(default_factory=list)

    def take(self, source: Source) -> None:
        """Mend one file, and put the result where it belongs."""
        result = mended(source)
        if result is None:
            self.put(source, source.data)
            return
        if result.skipped:
            self.run.problem(source.path, result.skipped)
        self.remaining += result.remaining
        try:
            self.put(source, result.source)
        except WriteError as error:
            self.run.problem(source.path, f"not fixed: {error}")
        else:
            self.fixed += result.fixed

    def put(self, source: Source, after: bytes) -> None:
        """Show the change, pass the text on, or replace the file."""
        if self.dry_run:
            if after != source.data:
                from claude_api_lint.output import diff

                click.echo(diff.render(source.path, source.data, after), nl=False)
        elif source.is_stdin:
            click.echo(after, nl=False)
        elif after != source.data:
            replace_file(source.path, source.data, after)

    def report(self, *, to_stderr: bool) -> None:
        """Say what is left, and what was done."""
        click.echo(text.render_unfixed(self.remaining), nl=False, err=to_stderr)
        click.echo(text.fix_summary(self.fixed, self.remaining, dry_run=self.dry_run), nl=False, err=True)


def manual_page(rule: type) -> str:
    """A rule's docstring, as it is printed."""
    import inspect

    return inspect.cleandoc(rule.__doc__ or "")
