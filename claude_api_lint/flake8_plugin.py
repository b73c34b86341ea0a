"""The flake8 plugin ``CAV``.

flake8 loads it in every run and hands it every file, so what it needs is imported when a file mentions the API. It
leaves ``# noqa``, ``--select`` and the like to flake8, and lets no exception out of a check: that would end the run.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from claude_api_lint.candidates import concerns
from claude_api_lint.configuration import Configuration, ConfigurationError, Options, known_version
from claude_api_lint.dataflow.project import Project
from claude_api_lint.discovery import read_file
from claude_api_lint.findings import OWN_PREFIX
from claude_api_lint.settings import Settings

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterable, Iterator

    from flake8.options.manager import OptionManager

OPTION = "--claude-api-target-version"

_LOG = logging.getLogger("flake8.claude_api_lint")  # below flake8's own, so that `flake8 -v` shows it


class Prefix:
    """Makes flake8 select the codes of another distribution, whose rules are run by ``Plugin``.

    flake8 selects what begins with the name of an installed plugin. So such a distribution names this class in an entry
    point of the group ``flake8.extension``, under the letters that its codes begin with.
    """

    name = "claude-api-lint-prefix"
    version = "1"

    def __init__(self, tree: ast.AST) -> None:
        """Take what flake8 hands out, and leave it alone."""

    def run(self) -> Iterator[tuple[int, int, str, type[Any]]]:
        """Nothing: the findings come from ``Plugin``."""
        return iter(())


class Plugin:
    """The checks for one file."""

    name = "claude-api-lint"

    configuration = Configuration()
    """Set anew when flake8 has parsed its options; it offers no other place for what all files share."""
    project = Project(read_file)
    """The files that the checked ones import from; each of flake8's processes reads them for itself."""

    selected: tuple[str, ...] = ()
    """What flake8 was told to select, by its own options; set with the configuration."""

    def __init__(self, tree: ast.AST, lines: list[str], filename: str) -> None:
        self._text = "".join(lines)
        self._filename = filename

    @classmethod
    def add_options(cls, manager: OptionManager) -> None:
        """Tell flake8 about our option."""
        manager.add_option(
            OPTION,
            metavar="DATE",
            parse_from_config=True,
            help="The version of the Claude API that the code should speak.",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Take our option over; what is wrong with it, or with pyproject.toml, ends flake8 before the first file."""
        version: str | None = options.claude_api_target_version
        cls.configuration = Configuration(Options(target_version=version))
        cls.project = Project(read_file)
        cls.selected = tuple(code for codes in (options.select, options.extend_select) for code in codes or ())
        try:
            if version is not None:
                known_version(version)
            for folder in _folders(options.filenames):
                cls.configuration.project_of(folder)
        except ConfigurationError as error:
            from flake8.exceptions import ExecutionError

            raise ExecutionError(f"{cls.name}: {error}") from error

    def run(self) -> Iterator[tuple[int, int, str, type[Any]]]:
        """What is found in the file, in order and without repetition; columns count from 0."""
        for line, column, message in sorted(self._results()):
            yield line, column, message, type(self)

    def _results(self) -> set[tuple[int, int, str]]:
        try:
            return self._check()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # LibCST's native parser panics with one that is no Exception
            _LOG.warning("%s: not checked by %s: %s", self._filename, self.name, error, exc_info=True)
            return set()

    def _check(self) -> set[tuple[int, int, str]]:
        if not concerns(self._text.encode("utf-8", "surrogatepass"), self._filename, self.project):
            return set()
        from claude_api_lint.linter import check_text
        from claude_api_lint.output.concise import message

        result = check_text(self._text, self._filename, self._settings(), self.project)
        if result.skipped:
            _LOG.warning("%s: not checked by %s: %s", self._filename, self.name, result.skipped)
        for problem in result.problems:
            _LOG.warning("%s", problem)
        return {(finding.line, finding.column - 1, message(finding)) for finding in result.findings}

    def _settings(self) -> Settings:
        """The settings as for the command, except that flake8 has the last word.

        Our codes that its own options select are not left out by our table; what they ignore, and what is marked
        ``noqa``, it leaves out itself.
        """
        settings = replace(self.configuration.settings_for(self._filename), honour_noqa=False)
        asked_for = tuple(prefix for prefix in self.selected if prefix.startswith(OWN_PREFIX) or _is_of_others(prefix))
        if not asked_for:
            return settings
        return replace(
            settings,
            select=(*(settings.select or ("",)), *asked_for),
            ignore=tuple(prefix for prefix in settings.ignore if not prefix.startswith(asked_for)),
            ignore_here=tuple(
                ignored
                for ignored in settings.ignore_here
                if not any(ignored.startswith(code) or code.startswith(ignored) for code in asked_for)
            ),
        )


def _is_of_others(prefix: str) -> bool:
    """Whether codes begin so that another distribution brings."""
    from claude_api_lint.extensions import declared

    return any(code.startswith(prefix) for code in declared().rules)


def _folders(filenames: Iterable[str] | None) -> Iterator[str]:
    for name in filenames or ["."]:
        yield name if os.path.isdir(name) else os.path.dirname(name)
