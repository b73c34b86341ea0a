"""The official Python SDK: its clients, how the version is overridden, and what its releases do (sdk.toml)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from .tables import CatalogError, Table

Release = tuple[int, ...]
"""The number of a release, without zeros at its end, so that 1.0 and 1.0.0 are the same."""


def release(text: str) -> Release | None:
    """The number at the start of a version: ``(1,)`` for "1.0.0rc1"; None where there is none."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", text.strip())
    if match is None:
        return None
    numbers = [int(number) for number in match[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


@dataclass(frozen=True)
class SdkClient:
    """A class whose objects send the version as a header; ``api`` tells that they send it to the Claude API itself."""

    name: str
    api: bool
    source: str


@dataclass(frozen=True)
class SdkArguments:
    """The arguments and attributes through which headers reach a client; sdk.toml says what each is."""

    base_url: str
    defaults: frozenset[str]
    replacing: frozenset[str]
    copies: frozenset[str]
    request: frozenset[str]
    request_options: frozenset[str]
    options_key: str
    transport: str
    transport_attribute: str
    source: str


@dataclass(frozen=True)
class Transports:
    """The httpx clients that the SDK takes, by their dotted names, and their argument for headers."""

    names: frozenset[str]
    headers: str
    source: str


@dataclass(frozen=True)
class SdkValues:
    """Names of the SDK for what stands in the place of a header's text."""

    omitting: frozenset[str]
    ignored_in_requests: frozenset[str]
    source: str


@dataclass(frozen=True)
class SdkRelease:
    """The releases from ``since`` on, up to ``before``: the version that they ask for, and how they take casings."""

    since: Release
    before: Release | None
    version: str | None
    ignores_case: bool
    source: str


@dataclass(frozen=True)
class RemovedMethod:
    """A method of a client that later releases do not have, and what stands in its place."""

    client: str
    name: str
    gone_since: str
    constructor: str
    replacement: str
    source: str


@dataclass(frozen=True)
class Sdk:
    """All of sdk.toml; ``releases`` are in historical order."""

    distribution: str
    clients: tuple[SdkClient, ...]
    arguments: SdkArguments
    transports: Transports
    values: SdkValues
    releases: tuple[SdkRelease, ...]
    removed_methods: tuple[RemovedMethod, ...]

    @cached_property
    def _clients(self) -> dict[str, SdkClient]:
        return {client.name: client for client in self.clients}

    def client(self, name: str) -> SdkClient | None:
        """The client that a dotted name stands for (``anthropic.Anthropic``), wherever in the SDK it is taken from."""
        return self._clients.get(self._own(name))

    def removed_method(self, client: str, method: str) -> RemovedMethod | None:
        """The method of a client, by the client's dotted name, if later releases do not have it."""
        own = self._own(client)
        return next((gone for gone in self.removed_methods if (gone.client, gone.name) == (own, method)), None)

    def omits(self, name: str) -> bool:
        """Whether what has this dotted name, as a header's value, takes the header out."""
        return self._own(name) in self.values.omitting

    def is_not_given(self, name: str) -> bool:
        """Whether what has this dotted name says that no value is given."""
        return self._own(name) in self.values.ignored_in_requests

    def _own(self, name: str) -> str:
        """The last part of a dotted name of the SDK; empty for any other name."""
        first, _, rest = name.partition(".")
        return rest.rpartition(".")[2] if first == self.distribution else ""


def parse_sdk(table: Table) -> Sdk:
    """Read sdk.toml."""
    table.only("distribution", "client", "arguments", "transports", "values", "release", "removed-method")
    transports = table.table("transports").only("names", "headers", "source")
    values = table.table("values").only("omitting", "ignored-in-requests", "source")
    return Sdk(
        distribution=table.text("distribution"),
        clients=tuple(client for row in table.tables("client") for client in _clients(row)),
        arguments=_arguments(table.table("arguments")),
        transports=Transports(
            frozenset(transports.texts("names")), transports.text("headers"), transports.text("source")
        ),
        values=SdkValues(
            frozenset(values.texts("omitting")), frozenset(values.texts("ignored-in-requests")), values.text("source")
        ),
        releases=_releases(table),
        removed_methods=tuple(gone for row in table.tables("removed-method") for gone in _removed(row)),
    )


def _clients(row: Table) -> Iterable[SdkClient]:
    row.only("names", "api", "source")
    return [SdkClient(name, row.flag("api"), row.text("source")) for name in row.texts("names")]


def _arguments(row: Table) -> SdkArguments:
    row.only(
        "base-url", "defaults", "replacing", "copies", "request", "request-options", "options-key", "transport",
        "transport-attribute", "source",
    )  # fmt: skip
    return SdkArguments(
        base_url=row.text("base-url"),
        defaults=frozenset(row.texts("defaults")),
        replacing=frozenset(row.texts("replacing")),
        copies=frozenset(row.texts("copies")),
        request=frozenset(row.texts("request")),
        request_options=frozenset(row.texts("request-options")),
        options_key=row.text("options-key"),
        transport=row.text("transport"),
        transport_attribute=row.text("transport-attribute"),
        source=row.text("source"),
    )


def _releases(table: Table) -> tuple[SdkRelease, ...]:
    rows = table.tables("release")
    starts = [_start(row) for row in rows]
    if starts != sorted(set(starts)):
        raise CatalogError(f"{table.place}: the releases must be in historical order, each once")
    ends = [*starts[1:], None]
    return tuple(
        SdkRelease(start, end, row.optional_text("version"), row.flag("ignores-case"), row.text("source"))
        for row, start, end in zip(rows, starts, ends, strict=True)
    )


def _start(row: Table) -> Release:
    row.only("since", "version", "ignores-case", "source")
    start = release(row.text("since"))
    if start is None:
        raise CatalogError(f"{row.place}: 'since' is {row.text('since')!r}, which is no release")
    return start


def _removed(row: Table) -> Iterable[RemovedMethod]:
    row.only("client", "names", "gone-since", "constructor", "replacement", "source")
    return [
        RemovedMethod(
            row.text("client"),
            name,
            row.text("gone-since"),
            row.text("constructor"),
            row.text("replacement"),
            row.text("source"),
        )
        for name in row.texts("names")
    ]
