"""Patterns of paths as in ``.gitignore`` (https://git-scm.com/docs/gitignore#_pattern_format).

pathspec is imported where there is a pattern to match, which in most runs is nowhere.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True)
class Patterns:
    """Patterns that are relative to a folder; those that mean nothing are passed by, as git does."""

    folder: str
    lines: tuple[str, ...]

    @cached_property
    def spec(self) -> GitIgnoreSpec:
        """The patterns, ready to match."""
        from pathspec import GitIgnoreSpec

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what `re` thinks of a set in brackets is of no use to anybody here
            return GitIgnoreSpec.from_lines(line for line in self.lines if means_something(line))

    def verdict(self, path: str, *, is_folder: bool = False) -> bool | None:
        """Whether a path, or a folder above it, is matched; False where ``!`` excepts it, None without a match."""
        name = self._name(path)
        if name is None or not self.lines:
            return None
        return self.spec.check_file(f"{name}/" if is_folder else name).include

    def match(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether a path, or a folder above it, is matched and not excepted."""
        return bool(self.verdict(path, is_folder=is_folder))

    def _name(self, path: str) -> str | None:
        """The path from the folder, or None for one that is not below it."""
        inside = os.path.join(self.folder, "")
        absolute = os.path.abspath(path)
        return absolute[len(inside) :].replace(os.sep, "/") if absolute.startswith(inside) else None


def means_something(pattern: str) -> bool:
    """Whether a pattern is one at all."""
    from pathspec import GitIgnoreSpec

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            GitIgnoreSpec.from_lines([pattern])
    except (ValueError, re.error):
        return False
    return True


@dataclass(frozen=True)
class Excludes:
    """What is left out of the walk through a folder: by patterns, and by default what holds no code of the project."""

    patterns: tuple[Patterns, ...] = ()
    defaults: bool = True

    def match(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether a path is to be left out."""
        if self.defaults and is_folder and _holds_no_code(os.path.basename(path)):
            return True
        return any(patterns.match(path, is_folder=is_folder) for patterns in self.patterns)

    def match_above(self, path: str) -> bool:
        """Whether a path is to be left out, or a folder on the way to it from the current one."""
        here, absolute = os.path.join(os.getcwd(), ""), os.path.abspath(path)
        way = os.path.dirname(absolute[len(here) :]) if absolute.startswith(here) else ""
        if self.defaults and any(map(_holds_no_code, way.split(os.sep))):
            return True
        return self.match(path)

    def unless_named(self, folder: str) -> Excludes:
        """The same for a folder that somebody named: what would leave it out as a whole counts for nothing there."""
        kept = tuple(patterns for patterns in self.patterns if not patterns.match(folder, is_folder=True))
        return Excludes(kept, self.defaults)


def first_verdict(layers: Iterable[Patterns], path: str, *, is_folder: bool = False) -> bool:
    """What the first of several lists of patterns says that says anything."""
    for patterns in layers:
        verdict = patterns.verdict(path, is_folder=is_folder)
        if verdict is not None:
            return verdict
    return False


DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "build",
    "dist",
    "node_modules",
    "venv",
    "*.egg-info",
)
"""Folders that hold no code of the project's own. They are matched without pathspec, as they are in every run."""

_NAMES = frozenset(DEFAULT_EXCLUDE)


def _holds_no_code(name: str) -> bool:
    return name in _NAMES or name.endswith(".egg-info")
