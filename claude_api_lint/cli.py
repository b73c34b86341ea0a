"""The command ``claude-api-lint``: it finds the files, hands them to the linter and the fixer, and reports.

LibCST, and whatever needs it, is imported once there is something to parse.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import click

from claude_api_lint.atomic import WriteError, replace_file, replace_files, write_file
from claude_api_lint.configuration import (
    Configuration,
    ConfigurationError,
    Options,
    did_you_mean,
    known_codes,
    known_patterns,
    known_version,
)
from claude_api_lint.dataflow.project import Project
from claude_api_lint.discovery import STDIN
from claude_api_lint.formats import DOCUMENTS, NOTEBOOK
from claude_api_lint.jobs import collect_rarely, cores
from claude_api_lint.output import FOR_PEOPLE, FORMATS, renderer, summary
from claude_api_lint.output.report import Report
from claude_api_lint.output.terminal import printable, takes_color
from claude_api_lint.progress import Progress
from claude_api_lint.run import CACHE_FOLDER, Means, Outcome, Run, Selection, check_all, fix_all, not_written

PROGRAM = "claude-api-lint"

DONE = 0
FOUND = 1
FAILED = 2
INTERRUPTED = 130

Command = TypeVar("Command", bound=Callable[..., Any])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and give back its exit code."""
    collect_rarely()
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
    click.echo(f"{PROGRAM}: {printable(problem)}", err=True)


# What options mean


def codes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Rule codes, separated by commas, given any number of times."""
    prefixes = [prefix.strip() for value in values for prefix in value.split(",")]
    try:
        return known_codes(filter(None, prefixes)) or None
    except ConfigurationError as error:
        raise click.BadParameter(str(error)) from error


def patterns(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Patterns, separated by commas, given any number of times."""
    try:
        return known_patterns(filter(None, (one.strip() for value in values for one in value.split(",")))) or None
    except ConfigurationError as error:
        raise click.BadParameter(str(error)) from error


def version(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A version of the API."""
    try:
        return None if value is None else known_version(value)
    except ConfigurationError as error:
        raise click.BadParameter(str(error)) from error


def options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options in one, in the order in which ``--help`` lists them."""

    def decorate(function: Command) -> Command:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


rule_options = options(
    click.option(
        "--select", metavar="CODES", multiple=True, callback=codes, help="Run only these rules; prefixes count."
    ),
    click.option(
        "--extend-select", metavar="CODES", multiple=True, callback=codes, help="Run these rules, too; prefixes count."
    ),
    click.option(
        "--ignore", metavar="CODES", multiple=True, callback=codes, help="Leave out these rules; prefixes count."
    ),
    click.option(
        "--target-version",
        metavar="DATE",
        callback=version,
        help="The version of the Claude API that the code should speak.",
    ),
)
file_options = options(
    click.argument("paths", nargs=-1, metavar="[PATH]..."),
    click.option(
        "--exclude",
        metavar="PATTERNS",
        multiple=True,
        callback=patterns,
        help="Leave out these paths instead of the default ones; patterns as in .gitignore.",
    ),
    click.option(
        "--extend-exclude", metavar="PATTERNS", multiple=True, callback=patterns, help="Leave out these paths, too."
    ),
    click.option("--force-exclude", is_flag=True, help="Leave them out also where they are named as a PATH."),
    click.option(
        "--respect-gitignore/--no-respect-gitignore",
        default=True,
        help="Leave out of folders what git ignores.  [default: on]",
    ),
    click.option("--since", metavar="REVISION", help="Only files that have changed since, as git has it."),
    click.option("--files-from", metavar="FILE", help="Take more paths from a file, or - for the standard input."),
    click.option("--docs", is_flag=True, help="Also look at the code blocks of Markdown and reStructuredText files."),
    click.option("--stdin-filename", metavar="PATH", default=STDIN, help="The path that is reported for what - reads."),
)
work_options = options(
    click.option(
        "--jobs", "-j", metavar="N", type=click.IntRange(1), help="How many processes to use.  [default: the cores]"
    ),
    click.option("--cache-dir", metavar="FOLDER", help="Keep results there for the next run."),
    click.option("--no-cache", is_flag=True, help="Keep no results, and look at none that are kept."),
)
report_options = options(
    click.option("--output-format", type=click.Choice(FORMATS), default="text", show_default=True),
    click.option("--output-file", metavar="FILE", help="Write the report there instead of to the standard output."),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="auto: on a terminal, unless NO_COLOR is set.",
    ),
    click.option("--quiet", "-q", is_flag=True, help="No summary."),
    click.option("--baseline", metavar="FILE", help="Report only what is not in this file, which baseline wrote."),
    click.option("--exit-zero", is_flag=True, help="End with 0 also where something is found."),
)


class Session:
    """What the options of one call ask for, and the run that does it."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        wishes = {key: given.get(key) for key in vars(Options())}
        self.progress = Progress()
        self.run = Run(Configuration(Options(**wishes)), self._say, given["stdin_filename"])
        self.selection = Selection(**{key: given[key] for key in vars(Selection())})
        if STDIN in self.selection.paths and self.selection.files_from == STDIN:
            raise click.UsageError("the standard input cannot be both a list of paths and a program")
        if STDIN in self.selection.paths and self.selection.since is not None:
            raise click.UsageError("git knows nothing of the standard input; leave out - or --since")

    def files(self) -> list[str]:
        """The files that are asked for."""
        if not self.selection.paths and self.selection.files_from is None and self.selection.since is None:
            click.echo(f"{PROGRAM}: no file or folder named, nothing done", err=True)
        return self.run.files(self.selection)

    def checked(self, files: list[str]) -> Iterator[Outcome]:
        """What is found in the files."""
        return check_all(self.run.jobs(files, self._processes), self._means(files))

    def fixed(self, files: list[str]) -> Iterator[Outcome]:
        """What the files become."""
        return fix_all(self.run.jobs(files, self._processes), self._means(files))

    @property
    def _processes(self) -> int:
        return self.given.get("jobs") or cores()

    def _means(self, files: list[str]) -> Means:
        return Means(self.run.project, self._processes, self._cache(files))

    def _cache(self, files: list[str]) -> str | None:
        """Where results are kept: by default in the root of the project that the first file belongs to."""
        paths = [file for file in files if file != STDIN]
        if self.given.get("no_cache") or not paths:
            return None
        folder: str | None = self.given.get("cache_dir")
        return folder or os.path.join(self.run.project.root_of(paths[0]), CACHE_FOLDER)

    def report(self) -> Report:
        """All that there is to report, in the colours that are asked for."""
        color = self.given["color"]
        auto = self.given["output_file"] is None and takes_color(sys.stdout)
        return self.run.report(color=color == "always" or (color == "auto" and auto))

    def publish(self, text: str, *, to_stderr: bool = False) -> None:
        """Put a report where it belongs."""
        file = self.given["output_file"]
        if file is None:
            click.echo(text, nl=False, err=to_stderr, color=True)
            return
        try:
            write_file(file, text.encode("utf-8", "backslashreplace"))
        except WriteError as error:
            self.run.problem(file, str(error))

    def summarize(self, text: str) -> None:
        """Say on stderr what it came to, to a person; stdout holds nothing but findings."""
        if self.given["output_format"] in FOR_PEOPLE and not self.given["quiet"] and self.run.scanned:
            click.echo(text, nl=False, err=True)

    def exit_code(self, *, found: bool) -> int:
        """What the call ends with."""
        if self.run.skipped:
            return FAILED
        return FOUND if found and not self.given.get("exit_zero") else DONE

    def _say(self, problem: str) -> None:
        self.progress.make_room()
        complain(problem)


# The commands


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM)
@click.pass_context
def command(context: click.Context) -> int:
    """Find and mend code that sends the Claude API a missing, outdated or wrong version header.

    A PATH is a file, a folder whose Python files and notebooks are meant, or - for the standard input.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return DONE


@command.command()
@file_options
@rule_options
@report_options
@work_options
@click.option("--statistics", is_flag=True, help="Count the findings of each rule instead of showing them.")
@click.option("--trace", metavar="PATH:LINE", help="Explain what is known of the calls at a line, and report nothing.")
def check(statistics: bool, trace: str | None, **given: Any) -> int:
    """Report what is found.

    Ends with 0 if nothing is found, 1 if something is, 2 if the tool could not do its work.
    """
    session = Session(given)
    if trace is not None:
        return traced(session, trace)
    run, output_format = session.run, given["output_format"]
    if statistics and output_format not in (*FOR_PEOPLE, "json"):
        raise click.UsageError(f"--statistics come as text or json, not as {output_format}")
    files = session.files()
    run.collect(session.progress.over(session.checked(files), len(files)))
    report = session.report()
    session.publish(counted(report, output_format) if statistics else renderer(output_format)(report))
    session.summarize(summary.of_check(report))
    return session.exit_code(found=bool(report.findings))


@command.command()
@file_options
@rule_options
@report_options
@work_options
@click.option("--diff", is_flag=True, help="Show what would change, as a patch for git apply, and write nothing.")
@click.option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="Also apply fixes that a person should look at.")
def fix(diff: bool, **given: Any) -> int:
    """Mend what is found, and report what is left.

    Ends with 0 if nothing is left, 1 if something is, 2 if the tool could not do its work. With --diff, it ends with 1
    if something would change, too.
    """
    session = Session(given)
    run = session.run
    files = session.files()
    outcomes = (put(outcome, run.project, diff) for outcome in session.fixed(files))
    try:
        run.collect(outcomes if diff else session.progress.over(outcomes, len(files)))
    except KeyboardInterrupt:
        complain("interrupted; the files that are not reported are as they were")
        raise
    finally:
        report = session.report()
        session.publish(renderer(given["output_format"])(report), to_stderr=diff or STDIN in given["paths"])
        session.summarize(summary.of_fix(report, dry_run=diff))
    return session.exit_code(found=bool(report.findings) or (diff and bool(report.fixed)))


@command.command()
@file_options
@rule_options
@click.option(
    "--output-file",
    metavar="FILE",
    help="Write it there.  [default: the configured one, or claude-api-lint-baseline.json]",
)
def baseline(output_file: str | None, **given: Any) -> int:
    """Write down what is found now, so that check --baseline reports only what is new.

    Ends with 0, or with 2 if the tool could not do its work: a baseline of a part is none.
    """
    from claude_api_lint.baseline import FILE_NAME, write

    session = Session(given)
    run = session.run
    files = session.files()
    run.collect(session.progress.over(session.checked(files), len(files)), new_only=False)
    if run.skipped:
        complain("no baseline was written; mend or exclude what could not be checked")
        return FAILED
    file = output_file or run.configuration.project_of("").baseline or FILE_NAME
    try:
        write(file, run.findings, run.read)
    except WriteError as error:
        run.problem(file, str(error))
    else:
        findings = summary.count(len(run.findings), "finding")
        click.echo(f"Wrote {findings} to {printable(file)}; use it with --baseline {printable(file)}.", err=True)
    return session.exit_code(found=False)


@command.command("add-noqa")
@file_options
@rule_options
@click.option("--baseline", metavar="FILE", help="Only for what is not in this file, which baseline wrote.")
def add_noqa(**given: Any) -> int:
    """Mark what is found with # noqa comments, so that it is not reported again.

    Ends with 0, or with 2 if the tool could not do its work.
    """
    from claude_api_lint.marking import mark
    from claude_api_lint.unused_noqa import CODE

    session = Session(given)
    run = session.run
    files = session.files()
    run.collect(session.progress.over(session.checked(files), len(files)))
    marked = 0
    for path, before in run.contents.items():
        if path.endswith((NOTEBOOK, *DOCUMENTS)):
            run.problem(path, "only Python files are marked; mark this one by hand")
            continue
        source = run.read(path)
        findings = [finding for finding in run.findings if finding.path == path and finding.code != CODE]
        text, failed = mark(source, findings) if source else ("", [])
        for finding in failed:
            run.problem(path, f"line {finding.line} cannot be marked, as a string in it says noqa; mark it by hand")
        try:
            is_stdin = STDIN in files and path == run.stdin_filename
            rewrite(path, is_stdin, before, source.encode(text) if source else before)
        except WriteError as error:
            run.problem(path, f"not marked: {error}")
        else:
            marked += len(findings) - len(failed)
    click.echo(f"Marked {summary.count(marked, 'finding')} with noqa.", err=True)
    return session.exit_code(found=False)


@command.command("show-config")
@file_options
@rule_options
@click.option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="Also apply fixes that a person should look at.")
@click.option("--baseline", metavar="FILE", help="Report only what is not in this file, which baseline wrote.")
def show_config(**given: Any) -> int:
    """Print the configuration in force for a PATH, by default the current folder, and where each value is from."""
    from claude_api_lint.describing import described

    session = Session(given)
    for path in given["paths"] or (".",):
        try:
            click.echo(described(session.run.configuration, path), nl=False)
        except ConfigurationError as error:
            session.run.problem("", str(error))
    return session.exit_code(found=False)


@command.command()
def rules() -> int:
    """List the rules, with those that other installed distributions bring."""
    from claude_api_lint import extensions

    width = max(len(page.name) for page in extensions.all_pages())
    for page in extensions.all_pages():
        click.echo(f"{page.code}  {page.name:{width}}  {page.summary}")
    for problem in extensions.loaded().problems:
        complain(problem)
    return FAILED if extensions.loaded().problems else DONE


@command.command()
@click.argument("code")
def explain(code: str) -> int:
    """Print the page of the manual for a rule."""
    from claude_api_lint.extensions import all_pages

    pages = {page.code: page.page for page in all_pages()}
    if code.upper() not in pages:
        complain(f"unknown rule code {code!r}; {did_you_mean(code.upper(), pages)}")
        return FAILED
    click.echo(pages[code.upper()])
    return DONE


def traced(session: Session, place: str) -> int:
    """Print how the calls at a place were resolved."""
    path, _, line = place.rpartition(":")
    if not path or not line.isdigit():
        raise click.UsageError(f"--trace wants a file and a line, as in app/client.py:12, not {place}")
    from claude_api_lint.api import load_catalog
    from claude_api_lint.parsing import Refused
    from claude_api_lint.source import Source, UnreadableSource
    from claude_api_lint.tracing import trace

    try:
        settings = session.run.configuration.settings_for(path)
        target = settings.target_version or load_catalog().default_target
        source = Source.decode(session.run.project.data(path))
        lines = trace(source, path, int(line), target, session.run.project)
    except (OSError, UnreadableSource, Refused, ConfigurationError) as error:
        session.run.problem(path, str(error))
        return session.exit_code(found=False)
    for text in lines:
        click.echo(printable(text))
    return DONE


def put(outcome: Outcome, project: Project, dry_run: bool) -> Outcome:
    """Show the change, pass the text on, or replace the file, with those that belong to the change."""
    job = outcome.job
    if outcome.data == job.data and not outcome.others and not job.is_stdin:
        return outcome
    changes = {project.given(path): change for path, change in outcome.others.items()}
    if outcome.data != job.data and not job.is_stdin:
        changes[job.path] = (job.data, outcome.data)
    if dry_run:
        from claude_api_lint.output import diff

        shown = {**changes, job.path: (job.data, outcome.data)}
        for path, (before, after) in shown.items():
            click.echo(diff.render(path, before, after), nl=False)
            project.change(path, after)
        return outcome
    try:
        if job.is_stdin:
            click.echo(outcome.data, nl=False)
        replace_files(changes)
    except WriteError as error:
        return not_written(outcome, str(error))
    finally:
        for path in changes:
            project.settle(path)
    return outcome


def rewrite(path: str, is_stdin: bool, before: bytes, after: bytes) -> None:
    """Give a file its new content, or pass that on; raises WriteError."""
    if is_stdin:
        click.echo(after, nl=False)
    elif after != before:
        replace_file(path, before, after)


def counted(report: Report, output_format: str) -> str:
    """The number of findings of each rule."""
    from claude_api_lint.output import statistics

    return statistics.render_json(report) if output_format == "json" else statistics.render(report)
