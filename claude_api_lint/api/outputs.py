"""The open values: enum-like outputs that the API may add variants to at any time (outputs.toml)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from .tables import CatalogError, Table


@dataclass(frozen=True)
class OpenValue:
    """One open value; outputs.toml says what the fields mean and how its paths are written.

    ``classes`` pairs each SDK class with the value that it stands for.
    """

    name: str
    title: str
    paths: tuple[str, ...]
    values: tuple[str, ...]
    beta_values: tuple[str, ...]
    distinctive: frozenset[str]
    together: tuple[frozenset[str], ...]
    types: tuple[str, ...]
    classes: tuple[tuple[str, str], ...]
    source: str

    @cached_property
    def known(self) -> frozenset[str]:
        """Every known value, beta or not."""
        return frozenset(self.values + self.beta_values)

    @cached_property
    def class_names(self) -> frozenset[str]:
        """The SDK's classes for its variants."""
        return frozenset(name for name, _ in self.classes)

    @property
    def one(self) -> str:
        """Its title with an article, for people: ``a stop reason``, ``an error type``."""
        return f"{'an' if self.title[0] in 'aeiou' else 'a'} {self.title}"

    @property
    def names_a_type(self) -> bool:
        """Whether it tells apart kinds of object, by their ``type``."""
        return any(path.endswith(".type") for path in self.paths) and not self.is_error

    @property
    def is_error(self) -> bool:
        """Whether it is a value of an error: what is not known of it is an error all the same."""
        return any(".error." in path for path in self.paths)

    def is_told_by(self, words: Collection[str]) -> bool:
        """Whether comparing with these words is enough to tell that it is Claude's value which is compared."""
        return not self.distinctive.isdisjoint(words) or any(group.issubset(words) for group in self.together)


@dataclass(frozen=True)
class Root:
    """The kinds of object that the replies of an endpoint are: ``whole``, and ``streamed`` as events."""

    endpoint: str
    whole: frozenset[str]
    streamed: frozenset[str]


def parse_outputs(table: Table) -> tuple[OpenValue, ...]:
    """Read the open values of outputs.toml."""
    return tuple(_open_value(row) for row in table.only("output", "root").tables("output"))


def parse_roots(table: Table) -> tuple[Root, ...]:
    """Read the roots of outputs.toml."""
    rows = table.only("output", "root").tables("root")
    return tuple(
        Root(row.text("endpoint"), frozenset(row.texts("whole")), frozenset(row.texts("streamed")))
        for row in (row.only("endpoint", "whole", "streamed") for row in rows)
    )


def _open_value(row: Table) -> OpenValue:
    row.only("name", "title", "paths", "values", "beta-values", "distinctive", "together", "types", "classes", "source")
    classes = row.table("classes") if "classes" in row.data else Table(f"{row.place}: classes", {})
    value = OpenValue(
        name=row.text("name"),
        title=row.text("title"),
        paths=row.texts("paths"),
        values=row.texts("values"),
        beta_values=row.optional_texts("beta-values"),
        distinctive=frozenset(row.optional_texts("distinctive")),
        together=tuple(frozenset(group) for group in row.optional_lists_of_texts("together")),
        types=row.optional_texts("types"),
        classes=tuple((name, variant) for variant in classes.data for name in classes.texts(variant)),
        source=row.text("source"),
    )
    unknown = value.distinctive.union(classes.data, *value.together) - value.known
    if unknown:
        raise CatalogError(f"{row.place} ({value.name}): not among its values: {', '.join(sorted(unknown))}")
    return value
