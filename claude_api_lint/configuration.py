"""What a run is asked to do, by ``[tool.claude-api-lint]`` in pyproject.toml and by options on the command line.

A file is governed by the nearest pyproject.toml at or above its folder that has the table. Options beat it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from claude_api_lint.discovery import read_file, reason
from claude_api_lint.patterns import DEFAULT_EXCLUDE, Excludes, Patterns, means_something
from claude_api_lint.settings import Settings

FILE_NAME = "pyproject.toml"
TABLE = "claude-api-lint"


class ConfigurationError(Exception):
    """A wish that cannot be met; the message says which, where it was made, and what to write instead."""


@dataclass(frozen=True)
class Options:
    """The wishes from one place; None where it has none."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    target_version: str | None = None
    unsafe_fixes: bool | None = None
    extend_select: tuple[str, ...] | None = None
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] | None = None
    extend_safe_fixes: tuple[str, ...] | None = None
    extend_unsafe_fixes: tuple[str, ...] | None = None
    baseline: str | None = None

    def over(self, other: Options) -> Options:
        """These wishes, and those of the other place where these are silent."""
        merged = replace(other, **{key: value for key, value in vars(self).items() if value is not None})
        if self.select is not None:  # a selection from here says all about rules that there is to say
            return replace(merged, ignore=self.ignore, extend_select=self.extend_select)
        if self.ignore is not None:
            # What the other place selects one by one must not outlive a family that is ignored here.
            selected = (*(other.select or ()), *(other.extend_select or ()))
            return replace(merged, ignore=(*self.ignore, *(p for p in selected if p.startswith(self.ignore))))
        return merged

    def settings(self) -> Settings:
        """The settings that meet these wishes, for a file that none of them names."""
        selected = self.select or (("",) if self.extend_select else ())
        return Settings(
            target_version=self.target_version,
            select=(*selected, *(self.extend_select or ())),
            ignore=self.ignore or (),
            unsafe_fixes=bool(self.unsafe_fixes),
            safe_fixes=self.extend_safe_fixes or (),
            unsafe_fixes_of=self.extend_unsafe_fixes or (),
        )


COMMAND_LINE = "the command line"
DEFAULT = "default"


@dataclass(frozen=True)
class Project:
    """What governs the files of a folder: the wishes of the command line over those of a table, if there is one.

    ``file`` is the pyproject.toml with the table. What it says of paths counts from its folder; what the command line
    says, from the current one.
    """

    overrides: Options
    table: Options = Options()
    file: str | None = None

    @cached_property
    def options(self) -> Options:
        """All wishes."""
        return self.overrides.over(self.table)

    @cached_property
    def settings(self) -> Settings:
        """The settings for a file that no pattern names."""
        return self.options.settings()

    def settings_for(self, path: str) -> Settings:
        """The settings for a file."""
        ignored = [codes for patterns, where, codes in self._per_file_ignores if patterns.match(path) == where]
        return replace(self.settings, ignore_here=tuple(itertools.chain(*ignored))) if ignored else self.settings

    @cached_property
    def _per_file_ignores(self) -> list[tuple[Patterns, bool, tuple[str, ...]]]:
        """Patterns, whether it is the files that match that are meant, and the codes; ``!`` means the others."""
        return [
            (Patterns(self.folder, (pattern.removeprefix("!"),)), not pattern.startswith("!"), codes)
            for pattern, codes in self.options.per_file_ignores or ()
        ]

    @property
    def folder(self) -> str:
        """What the paths of the table count from."""
        return os.path.dirname(self.file) if self.file else os.getcwd()

    @cached_property
    def excludes(self) -> Excludes:
        """What is left out of the folders of the project."""
        given = [
            Patterns(folder, lines)
            for folder, lines in (
                (os.getcwd(), self.overrides.exclude),
                (self.folder, self.table.exclude if self.overrides.exclude is None else None),
                (os.getcwd(), self.overrides.extend_exclude),
                (self.folder, self.table.extend_exclude),
            )
            if lines
        ]
        return Excludes(tuple(given), defaults=self.options.exclude is None)

    @property
    def baseline(self) -> str | None:
        """The path of the file with the known findings."""
        if self.overrides.baseline is not None:
            return self.overrides.baseline
        return os.path.join(self.folder, self.table.baseline) if self.table.baseline is not None else None

    def value(self, key: str) -> object:
        """The value of a key that is in force; None where there is none."""
        from claude_api_lint.api.catalog import load_catalog

        defaults = {
            "target-version": load_catalog().default_target,
            "exclude": DEFAULT_EXCLUDE,
            "unsafe-fixes": False,
            "baseline": None,
        }
        given = getattr(self.options, _field(key))
        return defaults.get(key, ()) if given is None else given

    def origin(self, key: str) -> str:
        """Where the value of a key comes from."""
        name = _field(key)
        if getattr(self.overrides, name) is not None:
            return COMMAND_LINE
        if getattr(self.options, name) is not None and self.file is not None:
            return self.file
        return DEFAULT


class Configuration:
    """What governs each file of a run; every folder is looked at once."""

    def __init__(self, overrides: Options | None = None) -> None:
        self._overrides = overrides or Options()
        self._folders: dict[str, Project | ConfigurationError] = {}

    def settings_for(self, path: str) -> Settings:
        """The settings for a file; raises ConfigurationError where the file that governs it is wrong."""
        return self.project_of(os.path.dirname(path)).settings_for(path)

    def project_of(self, folder: str) -> Project:
        """What governs the files of a folder; raises ConfigurationError."""
        if folder not in self._folders:
            self._folders[folder] = self._look_up(os.path.abspath(folder))
        project = self._folders[folder]
        if isinstance(project, ConfigurationError):
            raise project
        return project

    def excludes_in(self, folder: str) -> Excludes:
        """What is left out of a folder; the default where the file that governs it is wrong, as its files will say."""
        try:
            return self.project_of(folder).excludes
        except ConfigurationError:
            return Excludes()

    def _look_up(self, folder: str) -> Project | ConfigurationError:
        """Ask the folders upwards, and remember the answer for each of them."""
        asked = []
        for ancestor in _upwards(folder):
            asked.append(ancestor)
            found = self._folders.get(ancestor) or self._read(ancestor)
            if found:
                break
        else:
            found = Project(self._overrides)
        self._folders.update(dict.fromkeys(asked, found))
        return found

    def _read(self, folder: str) -> Project | ConfigurationError | None:
        file = os.path.join(folder, FILE_NAME)
        try:
            options = read_options(file)
        except ConfigurationError as error:
            return error
        return None if options is None else Project(self._overrides, options, file)


def read_options(path: str) -> Options | None:
    """The options in a pyproject.toml, or None if there is no such file, or no table for this tool in it."""
    try:
        data = read_file(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({reason(error)}); check its permissions") from error
    if TABLE.encode() not in data:
        return None
    table = _table(path, data)
    return None if table is None else _options(path, table)


def known_codes(prefixes: Iterable[str]) -> tuple[str, ...]:
    """The prefixes, each of which must begin the code of a rule; raises ConfigurationError."""
    prefixes = tuple(prefixes)
    if not prefixes:
        return ()  # as in most runs, which need no list of the rules then
    from claude_api_lint.rules import rule_codes

    for prefix in prefixes:
        if not prefix or not (_begins(prefix, rule_codes()) or _begins(prefix, _codes_of_others())):
            codes = [*rule_codes(), *_codes_of_others()]
            raise ConfigurationError(f"unknown rule code {prefix!r}; {did_you_mean(prefix.upper(), codes)}")
    return prefixes


def _begins(prefix: str, codes: Iterable[str]) -> bool:
    return any(code.startswith(prefix) for code in codes)


def _codes_of_others() -> Iterable[str]:
    from claude_api_lint.extensions import declared

    return declared().rules


def known_version(version: str) -> str:
    """The version, which must be in the history of the API; raises ConfigurationError."""
    from claude_api_lint.api.catalog import load_catalog

    history = [known.date for known in load_catalog().versions]
    if version not in history:
        near = nearest(version, history)
        hint = f" (did you mean {near!r}?)" if near else ""
        raise ConfigurationError(f"unknown target version {version!r}; the API has had {', '.join(history)}{hint}")
    return version


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that names the nearest of the known words, or the list of them where none is near."""
    known = sorted(known)
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else f"known are {', '.join(known)}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody may have meant."""
    import difflib

    return next(iter(difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.5)), None)


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def _table(path: str, data: bytes) -> Mapping[str, object] | None:
    import tomli

    try:
        document = tomli.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not a TOML file that can be read: {error}") from error
    tools = document.get("tool", {})
    table = tools.get(TABLE) if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigurationError(f"{path}: tool.{TABLE} must be a table; write [tool.{TABLE}]")
    return table


def _options(path: str, table: Mapping[str, object]) -> Options:
    options = Options()
    for key, value in table.items():
        if key not in KEYS:
            raise ConfigurationError(f"{path}: unknown key {key!r} in [tool.{TABLE}]; {did_you_mean(key, KEYS)}")
        try:
            options = replace(options, **{_field(key): KEYS[key](value)})
        except ConfigurationError as error:
            raise ConfigurationError(f"{path}: {key} in [tool.{TABLE}]: {error}") from error
    return options


def _codes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError('it must be a list of rule codes, such as ["CAV101"]')
    return known_codes(value)


def _version(value: object) -> str:
    if not isinstance(value, str):
        raise ConfigurationError('it must be a version in quotes, such as "2023-06-01"')
    return known_version(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError("it must be true or false")
    return value


def _patterns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError('it must be a list of patterns, such as ["generated/"]')
    return known_patterns(value)


def known_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
    """The patterns, each of which must mean something; raises ConfigurationError."""
    patterns = tuple(patterns)
    for pattern in patterns:
        if not pattern.strip() or not means_something(pattern):
            raise ConfigurationError(f"{pattern!r} is not a pattern as in .gitignore; write one such as 'generated/'")
    return patterns


def _per_file(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise ConfigurationError('it must be a table of patterns with rule codes, such as {"tests/*" = ["CAV101"]}')
    known_patterns(pattern.removeprefix("!") for pattern in value)
    return tuple((pattern, _codes(codes)) for pattern, codes in value.items())


def _path(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError('it must be a path in quotes, such as "claude-api-lint-baseline.json"')
    return value


def _field(key: str) -> str:
    return key.replace("-", "_")


KEYS: dict[str, Callable[[object], Any]] = {
    "select": _codes,
    "ignore": _codes,
    "extend-select": _codes,
    "per-file-ignores": _per_file,
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "target-version": _version,
    "unsafe-fixes": _flag,
    "extend-safe-fixes": _codes,
    "extend-unsafe-fixes": _codes,
    "baseline": _path,
}
"""The keys of the table, each with what reads its value."""
