"""What other programs call: ``import claude_api_lint`` gives out everything here, and imports it when it is asked for.

Codes and versions are checked first, so that a wrong wish is an error and not an empty answer.
"""

from __future__ import annotations

import io
import os
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_api_lint.configuration import Configuration, Options, known_codes, known_version
from claude_api_lint.linter import CheckResult, check_text
from claude_api_lint.linter import check_source as check_bytes
from claude_api_lint.run import Means, Run, Selection, check_all

if TYPE_CHECKING:
    from claude_api_lint.findings import Finding
    from claude_api_lint.fixer import FixResult


@dataclass(frozen=True)
class PathsResult:
    """The findings, file by file; ``problems`` say, a sentence each, what could not be done, and where."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()


def check_source(
    source: str | bytes,
    path: str = "<source>",
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] | None = None,
    target_version: str | None = None,
) -> CheckResult:
    """Check one file.

    ``source`` is its text, or its bytes, which are decoded as Python would. ``path`` is what the findings call it; the
    file need not exist, but modules that it imports are looked for beside it. ``select`` and ``ignore`` are prefixes of
    codes, ``target_version`` is a version of the API, as on the command line; pyproject.toml is not read.

    Gives the findings, sorted. Bad input never raises: ``skipped`` of the result then says why a file, or a part of it,
    could not be analysed. Raises ConfigurationError for a code or a version that does not exist.
    """
    settings = _options(select, ignore, target_version).settings()
    if isinstance(source, str):
        return check_text(source, path, settings)
    return check_bytes(source, path, settings)


def fix_source(
    source: str | bytes,
    path: str = "<source>",
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] | None = None,
    target_version: str | None = None,
    unsafe_fixes: bool = False,
) -> FixResult:
    """Fix one file; nothing is written.

    The arguments are those of ``check_source``. With ``unsafe_fixes``, fixes that a person should look at are applied,
    too.

    Gives the fixed bytes, unchanged where nothing was fixed (a text is encoded in UTF-8, or as its coding line says),
    what was fixed, and what remains. Raises ConfigurationError for a code or a version that does not exist, and
    ValueError for a text that its own encoding cannot hold.
    """
    from claude_api_lint import fixer

    settings = _options(select, ignore, target_version, unsafe_fixes).settings()
    return fixer.fix_source(source if isinstance(source, bytes) else _encoded(source), path, settings)


def check_paths(
    paths: Iterable[str | os.PathLike[str]],
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] | None = None,
    target_version: str | None = None,
) -> PathsResult:
    """Check files, and the Python files below folders, as the command does.

    Each file is governed by the nearest pyproject.toml; arguments that are given beat it, as options do. What it or git
    leaves out of folders is left out, and so are findings that its baseline knows.

    Gives the findings, file by file, and what could not be done: a path that is not there, a file that cannot be
    read or parsed, a pyproject.toml that is wrong. Raises ConfigurationError for a code or a version in the arguments
    that does not exist.
    """
    problems: list[str] = []
    run = Run(Configuration(_options(select, ignore, target_version)), problems.append)
    files = run.files(Selection(tuple(os.fspath(path) for path in paths)))
    run.collect(check_all(run.jobs(files), Means(run.project)))
    return PathsResult(tuple(run.findings), tuple(problems))


def _options(
    select: Iterable[str] | None,
    ignore: Iterable[str] | None,
    target_version: str | None,
    unsafe_fixes: bool | None = None,
) -> Options:
    return Options(
        select=None if select is None else known_codes(select),
        ignore=None if ignore is None else known_codes(ignore),
        target_version=None if target_version is None else known_version(target_version),
        unsafe_fixes=unsafe_fixes,
    )


def _encoded(text: str) -> bytes:
    """A text in the encoding that its coding line names."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(text.encode()).readline)
        return text.encode(encoding)
    except (SyntaxError, UnicodeEncodeError) as error:
        raise ValueError(f"the source cannot be encoded: {error}") from error
