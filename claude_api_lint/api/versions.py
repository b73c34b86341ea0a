"""The API's versions, the header that asks for one, and what the server answers when it is wrong (versions.toml)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property

from .tables import CatalogError, Table


class ChangeKind(enum.Enum):
    """What sort of thing a version changed; versions.toml says what each means."""

    REPLY_FIELD_REMOVED = "reply-field-removed"
    STREAM_SENTINEL_REMOVED = "stream-sentinel-removed"
    STREAM_TEXT = "stream-text"
    STREAM_EVENTS = "stream-events"
    REQUEST_PARAMETER_REMOVED = "request-parameter-removed"
    REQUEST_BLOCK_REJECTED = "request-block-rejected"


@dataclass(frozen=True)
class Change:
    """One thing that a version removed, renamed or changed against the version before it.

    ``where`` lists the endpoints; ``before`` and ``after`` are what it was and what stands in its place, if anything.
    """

    kind: ChangeKind
    where: tuple[str, ...]
    name: str
    before: str | None
    after: str | None
    source: str

    @property
    def replacement(self) -> tuple[str, str | None] | None:
        """What stands in its place: the field, and the value that it has to have if it is a comparison."""
        if self.after is None:
            return None
        field, _, value = self.after.partition(" == ")
        return field, value.strip('"') or None


@dataclass(frozen=True)
class Version:
    """One version of the API: the header's value, and what changed with it."""

    date: str
    changes: tuple[Change, ...]
    source: str

    def changes_of(self, kind: ChangeKind) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.kind is kind)


@dataclass(frozen=True)
class Messages:
    """What the server answers (HTTP status 400) to a request whose version header is wrong."""

    missing_text: str
    unknown_text: str
    duplicate_text: str

    def missing(self) -> str:
        return self.missing_text

    def unknown(self, value: str) -> str:
        return self.unknown_text.format(value=value)

    def duplicate(self, first: str, second: str) -> str:
        return self.duplicate_text.format(first=first, second=second)


@dataclass(frozen=True)
class ApiHeader:
    """A request header that only the Claude API has."""

    name: str
    source: str


@dataclass(frozen=True)
class Versions:
    """All of versions.toml; ``history`` is in historical order."""

    header: str
    default_target: str
    history: tuple[Version, ...]
    messages: Messages
    misspelled: tuple[str, ...]
    api_headers: tuple[ApiHeader, ...]

    @cached_property
    def _order(self) -> dict[str, int]:
        return {version.date: order for order, version in enumerate(self.history)}

    @property
    def own_headers(self) -> frozenset[str]:
        """The names of the headers that only this API has."""
        return self._api_headers

    @property
    def misspelled_names(self) -> frozenset[str]:
        """Names that are meant as the version header but are not it, once ``_`` reads ``-``; its own among them."""
        return self._misspelled

    @cached_property
    def _misspelled(self) -> frozenset[str]:
        return frozenset({self.header, *self.misspelled})

    @cached_property
    def _api_headers(self) -> frozenset[str]:
        return frozenset({self.header, *(header.name for header in self.api_headers)})

    def is_known(self, version: str) -> bool:
        return version in self._order

    def is_outdated(self, version: str, target: str) -> bool:
        return self.is_known(version) and self.is_known(target) and self._order[version] < self._order[target]

    def is_version_header(self, name: str) -> bool:
        return name.lower() == self.header

    def is_misspelled_header(self, name: str) -> bool:
        return not self.is_version_header(name) and name.lower().replace("_", "-") in self._misspelled

    def is_api_header(self, name: str) -> bool:
        return name.lower() in self._api_headers


def parse_versions(table: Table) -> Versions:
    """Read versions.toml."""
    table.only("header", "default-target", "version", "messages", "misspelled", "api-header")
    messages = table.table("messages").only("missing", "unknown", "duplicate")
    versions = Versions(
        header=table.text("header"),
        default_target=table.text("default-target"),
        history=tuple(_version(row) for row in table.tables("version")),
        messages=Messages(messages.text("missing"), messages.text("unknown"), messages.text("duplicate")),
        misspelled=table.table("misspelled").only("names").texts("names"),
        api_headers=tuple(_api_header(row) for row in table.tables("api-header")),
    )
    dates = [version.date for version in versions.history]
    if dates != sorted(set(dates)):
        raise CatalogError(f"{table.place}: the versions must be in historical order, each once: {', '.join(dates)}")
    if versions.default_target not in dates:
        raise CatalogError(f"{table.place}: 'default-target' is {versions.default_target!r}, which is no 'version'")
    return versions


def _version(row: Table) -> Version:
    row.only("date", "change", "source")
    return Version(
        row.text("date"), tuple(_change(change) for change in row.optional_tables("change")), row.text("source")
    )


def _change(row: Table) -> Change:
    row.only("kind", "where", "name", "before", "after", "source")
    return Change(
        kind=row.choice("kind", ChangeKind),
        where=row.texts("where"),
        name=row.text("name"),
        before=row.optional_text("before"),
        after=row.optional_text("after"),
        source=row.text("source"),
    )


def _api_header(row: Table) -> ApiHeader:
    row.only("name", "source")
    return ApiHeader(row.text("name"), row.text("source"))
