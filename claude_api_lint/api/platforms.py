"""Where else Claude is served, and where each platform wants the version (platforms.toml)."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import cached_property

from .tables import CatalogError, Table

_HOST_AND_PATH = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?([^/?#]*)([^?#]*)", re.IGNORECASE)


class VersionPlace(enum.Enum):
    """Where a request says which version it asks for."""

    HEADER = "header"
    BODY = "body"


@dataclass(frozen=True)
class PlatformCall:
    """The call of an SDK that sends a request: its methods, and the arguments that are the model and the body.

    ``services`` are the names of the services whose clients have these methods, ``hooks`` the methods by which a client
    or what makes it is given something that may change what is sent.
    """

    methods: tuple[str, ...]
    model: str
    body: str
    services: tuple[str, ...]
    hooks: tuple[str, ...]


@dataclass(frozen=True)
class Limit:
    """A value that some models of a platform do not take; ``models`` is what their names have in them."""

    value: str
    models: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class PlatformUrl:
    """What a URL says: the model, where it stands there, and whether the host was seen."""

    model: str | None
    has_host: bool


@dataclass(frozen=True)
class Platform:
    """A platform that serves Claude; platforms.toml says what the fields mean."""

    name: str
    place: VersionPlace
    key: str
    values: tuple[str, ...]
    prefix: str | None
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    telling: bool
    model: str | None
    opaque: tuple[str, ...]
    words: tuple[str, ...]
    needed_by: str | None
    spared_by: str | None
    call: PlatformCall | None
    limits: tuple[Limit, ...]
    source: str

    def reads(self, url: str, hole: str) -> PlatformUrl | None:
        """What a URL of this platform says; None for any other. ``hole`` stands for what is not known of it."""
        match = _HOST_AND_PATH.match(url.strip())
        assert match is not None  # every part may be empty
        host, path = match[1].lower(), match[2]
        known = next((found for pattern in self._paths if (found := pattern.fullmatch(path))), None)
        has_host = any(pattern.fullmatch(host) for pattern in self._hosts)
        if known is None or not (has_host or (self.telling and host == hole)):
            return None
        return PlatformUrl(known.groupdict().get("model"), has_host)

    def serves_claude(self, model: str | None, hole: str) -> bool | None:
        """Whether a model of this name is a Claude model; None where the name does not say."""
        if self.model is None or (model is not None and self.model in model):
            return True
        if model is None or hole in model or any(word in model for word in self.opaque):
            return None
        return False

    def takes(self, value: str, model: str | None) -> bool:
        """Whether a value is right for a model; that of a model which is not known counts as one that takes all."""
        if value not in self.values:
            return False
        limits = (limit for limit in self.limits if limit.value == value)
        return not any(word in (model or "") for limit in limits for word in limit.models)

    def value(self, target: str) -> str:
        """The value to write: the platform's own, or in a header the target version."""
        return target if self.place is VersionPlace.HEADER and target in self.values else self.values[0]

    @cached_property
    def _hosts(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(_pattern(host)) for host in self.hosts)

    @cached_property
    def _paths(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(".*" + _pattern(path), re.DOTALL) for path in self.paths)


def _pattern(template: str) -> str:
    """A template as a regular expression: ``{name}`` becomes a group of that name for anything without a slash."""
    pieces = re.split(r"\{(\w+)\}", template)
    return "".join(f"(?P<{piece}>[^/]*)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces))


def parse_platforms(table: Table) -> tuple[Platform, ...]:
    """Read platforms.toml."""
    return tuple(_platform(row) for row in table.only("platform").tables("platform"))


def _platform(row: Table) -> Platform:
    row.only(
        *("name", "place", "key", "values", "prefix", "hosts", "paths", "telling", "model", "opaque", "words"),
        *("needed-by", "spared-by", "call", "limit", "source"),
    )
    platform = Platform(
        name=row.text("name"),
        place=row.choice("place", VersionPlace),
        key=row.text("key"),
        values=row.texts("values"),
        prefix=row.optional_text("prefix"),
        hosts=row.texts("hosts"),
        paths=row.texts("paths"),
        telling=row.flag("telling"),
        model=row.optional_text("model"),
        opaque=row.optional_texts("opaque"),
        words=row.texts("words"),
        needed_by=row.optional_text("needed-by"),
        spared_by=row.optional_text("spared-by"),
        call=_call(row.table("call")) if "call" in row.data else None,
        limits=tuple(_limit(limit) for limit in row.optional_tables("limit")),
        source=row.text("source"),
    )
    if not platform.values:
        raise CatalogError(f"{row.place}: 'values' is empty")
    return platform


def _call(row: Table) -> PlatformCall:
    row.only("methods", "model", "body", "services", "hooks")
    return PlatformCall(
        row.texts("methods"), row.text("model"), row.text("body"), row.texts("services"), row.texts("hooks")
    )


def _limit(row: Table) -> Limit:
    row.only("value", "models", "source")
    return Limit(row.text("value"), row.texts("models"), row.text("source"))
