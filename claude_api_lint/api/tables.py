"""Reads the TOML tables: every value comes out typed, and every mistake is an error that names its place."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import tomli

_Choice = TypeVar("_Choice", bound=enum.Enum)
_Value = TypeVar("_Value")


class CatalogError(Exception):
    """A table of the catalog is broken; the message says where and how."""


@dataclass(frozen=True)
class Table:
    """One TOML table; ``place`` is what an error calls it (``versions.toml: version 2``)."""

    place: str
    data: Mapping[str, object]

    def only(self, *keys: str) -> Table:
        """This table, once it is sure that it has no other keys: a misspelled optional key would go unnoticed."""
        for key in self.data:
            if key not in keys:
                raise CatalogError(f"{self.place}: unknown key {key!r}, expected one of {', '.join(keys)}")
        return self

    def text(self, key: str) -> str:
        value = self._get(key, str, "a text")
        if not value:
            raise CatalogError(f"{self.place}: {key!r} is empty")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self.data else None

    def flag(self, key: str) -> bool:
        """True or false; false where it is missing."""
        return self._get(key, bool, "true or false") if key in self.data else False

    def choice(self, key: str, choices: type[_Choice]) -> _Choice:
        value = self.text(key)
        try:
            return choices(value)
        except ValueError:
            expected = ", ".join(str(choice.value) for choice in choices)
            raise CatalogError(f"{self.place}: {key!r} is {value!r}, expected one of {expected}") from None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._get(key, list, "a list of texts")
        if not all(isinstance(item, str) for item in value):
            raise CatalogError(f"{self.place}: {key!r} must be a list of texts")
        return tuple(value)

    def optional_texts(self, key: str) -> tuple[str, ...]:
        return self.texts(key) if key in self.data else ()

    def optional_lists_of_texts(self, key: str) -> tuple[tuple[str, ...], ...]:
        groups = self._get(key, list, "a list of lists of texts") if key in self.data else []
        return tuple(Table(f"{self.place}: {key}", {"group": group}).texts("group") for group in groups)

    def table(self, key: str) -> Table:
        return Table(f"{self.place}: {key}", self._get(key, dict, "a table"))

    def optional_tables(self, key: str) -> tuple[Table, ...]:
        return self.tables(key) if key in self.data else ()

    def tables(self, key: str) -> tuple[Table, ...]:
        value = self._get(key, list, "a list of tables")
        if not all(isinstance(item, dict) for item in value):
            raise CatalogError(f"{self.place}: {key!r} must be a list of tables")
        return tuple(Table(f"{self.place}: {key} {number}", item) for number, item in enumerate(value, 1))

    def _get(self, key: str, kind: type[_Value], expected: str) -> _Value:
        if key not in self.data:
            raise CatalogError(f"{self.place}: {key!r} is missing")
        value = self.data[key]
        if not isinstance(value, kind):
            raise CatalogError(f"{self.place}: {key!r} must be {expected}, not {value!r}")
        return value


def read_table(path: Path) -> Table:
    """The table in a file."""
    try:
        return Table(path.name, tomli.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise CatalogError(f"{path}: {error}") from error
