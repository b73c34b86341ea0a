"""What a run is asked to do, by ``[tool.claude-api-lint]`` in pyproject.toml and by options on the command line.

A file is governed by the nearest pyproject.toml at or above its folder that has the table. Options beat it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from claude_api_lint.discovery import read_file, reason
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

    def over(self, other: Options) -> Options:
        """These wishes, and those of the other place where these are silent."""
        ignore = self.ignore
        if self.select is None and ignore is not None and other.select is not None:
            # What the other place selects one by one must not outlive a family that is ignored here.
            ignore += tuple(prefix for prefix in other.select if prefix.startswith(ignore))
        elif self.select is None and ignore is None:
            ignore = other.ignore
        return Options(
            select=other.select if self.select is None else self.select,
            ignore=ignore,
            target_version=other.target_version if self.target_version is None else self.target_version,
            unsafe_fixes=other.unsafe_fixes if self.unsafe_fixes is None else self.unsafe_fixes,
        )

    def settings(self) -> Settings:
        """The settings that meet these wishes."""
        return Settings(
            target_version=self.target_version,
            select=self.select or (),
            ignore=self.ignore or (),
            unsafe_fixes=bool(self.unsafe_fixes),
        )


class Configuration:
    """The settings for each file of a run; every folder is looked at once."""

    def __init__(self, overrides: Options | None = None) -> None:
        self._overrides = overrides or Options()
        self._folders: dict[str, Settings | ConfigurationError] = {}

    def settings_for(self, path: str) -> Settings:
        """The settings for a file; raises ConfigurationError where the file that governs it is wrong."""
        return self.settings_in(os.path.dirname(path))

    def settings_in(self, folder: str) -> Settings:
        """The settings for the files of a folder."""
        if folder not in self._folders:
            self._folders[folder] = self._look_up(os.path.abspath(folder))
        settings = self._folders[folder]
        if isinstance(settings, ConfigurationError):
            raise settings
        return settings

    def _look_up(self, folder: str) -> Settings | ConfigurationError:
        """Ask the folders upwards, and remember the answer for each of them."""
        asked = []
        for ancestor in _upwards(folder):
            asked.append(ancestor)
            found = self._folders.get(ancestor) or self._read(ancestor)
            if found:
                break
        else:
            found = self._overrides.settings()
        self._folders.update(dict.fromkeys(asked, found))
        return found

    def _read(self, folder: str) -> Settings | ConfigurationError | None:
        try:
            options = read_options(os.path.join(folder, FILE_NAME))
        except ConfigurationError as error:
            return error
        return None if options is None else self._overrides.over(options).settings()


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
    from claude_api_lint.rules import rule_codes

    prefixes = tuple(prefixes)
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
        raise ConfigurationError(f"unknown target version {version!r}; the API has had {', '.join(history)}")
    return version


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that names the nearest of the known words, or the list of them where none is near."""
    import difflib

    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


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
        if key not in _KEYS:
            raise ConfigurationError(f"{path}: unknown key {key!r} in [tool.{TABLE}]; {did_you_mean(key, _KEYS)}")
        try:
            options = replace(options, **{key.replace("-", "_"): _KEYS[key](value)})
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


_KEYS: dict[str, Callable[[object], Any]] = {
    "select": _codes,
    "ignore": _codes,
    "target-version": _version,
    "unsafe-fixes": _flag,
}
