"""Where the API lives, and which of its URLs need the version header (endpoints.toml)."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .tables import Table

# A host without a scheme is a URL, too: curl and http.client take it that way.
_URL = re.compile(
    r"(?:(?:(?P<scheme>[a-z][a-z0-9+.-]*):)?//)?(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.I | re.S
)


class Requirement(enum.Enum):
    """Whether a request to a URL needs the version header."""

    REQUIRED = "required"
    """It goes to the API, and to a path that needs the header whatever follows."""
    LIKELY = "likely"
    """All that is known of it is the API's, but what follows could still lead elsewhere or to an exception."""
    NOT_REQUIRED = "not-required"
    """It goes to the API's host, to a path that works without the header; also the bare host, which is only a probe."""
    UNCLEAR = "unclear"
    """Nothing can be said: the documentation is mixed, or too little of the URL is known."""
    NOT_THE_API = "not-the-api"
    """It goes somewhere else."""


class Distinctive(enum.Enum):
    """Where a path is enough to tell the API, although the host is unknown."""

    ALONE = "alone"
    VERSIONED = "versioned"
    NEVER = "never"


@dataclass(frozen=True)
class PathException:
    """A path (and all below it) that does not need the header, or may not."""

    path: str
    requirement: Requirement
    source: str


@dataclass(frozen=True)
class Endpoint:
    """A documented endpoint that needs the header: what follows the prefix, ``{id}`` being any one segment."""

    tail: str
    distinctive: Distinctive

    def matches(self, segments: list[str]) -> bool:
        """Whether these path segments are this endpoint."""
        wanted = self.tail.split("/")
        if len(wanted) != len(segments):
            return False
        return all(want in ("{id}", have) for want, have in zip(wanted, segments, strict=True))


@dataclass(frozen=True)
class SdkCall:
    """A method of an official SDK whose reply is that of an endpoint, as it came over the wire.

    ``client`` is the dotted name of the class, ``endpoint`` the path, ``version`` the one that the SDK asks for.
    ``streams`` tells that iterating over the result gives one reply after the other, ``stream_argument`` which argument
    asks for that; ``distinctive`` that no other library has a method of this name.
    """

    client: str
    method: str
    endpoint: str
    version: str | None
    streams: bool
    stream_argument: str | None
    distinctive: bool
    source: str


@dataclass(frozen=True)
class Endpoints:
    """All of endpoints.toml."""

    hosts: frozenset[str]
    schemes: tuple[str, ...]
    prefix: str
    unversioned: tuple[str, ...]
    exceptions: tuple[PathException, ...]
    endpoints: tuple[Endpoint, ...]
    sdk_calls: tuple[SdkCall, ...]

    @cached_property
    def last_words(self) -> frozenset[str]:
        """The last words of the endpoints' tails."""
        return frozenset(endpoint.tail.removesuffix("/{id}").rpartition("/")[2] for endpoint in self.endpoints)

    def requirement(self, url: str, complete: bool = True) -> Requirement:
        """Whether a request to the URL needs the version header.

        ``complete=False`` means that ``url`` is only the known beginning, and that something unknown follows.
        """
        parts = _URL.fullmatch(url.strip())
        assert parts is not None  # every group may be empty
        scheme, authority, path = parts["scheme"], parts["authority"], re.sub("/+", "/", parts["path"])
        host, _, port = authority.rpartition("@")[2].lower().partition(":")
        known_host = host in self.hosts and (not port or port.isdigit()) and (scheme or "https").lower() in self.schemes
        if not complete and not known_host and self._may_become_the_api(url.strip().lower()):
            return Requirement.UNCLEAR
        if not known_host:
            return Requirement.NOT_THE_API
        if complete or parts["rest"]:  # a query or fragment has begun: the path is known to its end
            return self._of_path(path)
        # Without a slash the host itself may go on: ".evil.example", "@evil.example".
        return self._of_beginning(path) if path else Requirement.LIKELY

    def tail(self, path: str) -> str | None:
        """The distinctive endpoint that a relative path, or the end of a URL, names; None for any other."""
        segments, is_versioned = self._segments(path)
        enough = {Distinctive.ALONE, Distinctive.VERSIONED} if is_versioned else {Distinctive.ALONE}
        for endpoint in self.endpoints:
            if endpoint.distinctive in enough and endpoint.matches(segments):
                return endpoint.tail
        return None

    def is_tail(self, path: str) -> bool:
        """Whether a relative path, or the end of a URL, could be that of any endpoint, distinctive or not."""
        segments, _ = self._segments(path)
        return any(endpoint.matches(segments) for endpoint in self.endpoints)

    def _segments(self, path: str) -> tuple[list[str], bool]:
        """What follows the version in a path, or all of it, and whether there is a version."""
        segments = [segment for segment in re.split("[?#]", path, maxsplit=1)[0].split("/") if segment]
        version = self.prefix.strip("/")
        if version not in segments:
            return segments, False
        return segments[len(segments) - segments[::-1].index(version) :], True

    def path(self, url: str) -> str | None:
        """The documented path that a URL of the API, or what is known of its end, leads to; None for any other."""
        path = re.split("[?#]", url, maxsplit=1)[0]
        segments = [segment for segment in path.rpartition(self.prefix)[2].split("/") if segment]
        if self.prefix in path:
            known = next((endpoint.tail for endpoint in self.endpoints if endpoint.matches(segments)), None)
        else:
            known = self.tail(path)
        return f"{self.prefix}{known}" if known is not None else None

    def _may_become_the_api(self, beginning: str) -> bool:
        starts = ("", "//", *(f"{scheme}://" for scheme in self.schemes))
        return any(f"{start}{host}".startswith(beginning) for start in starts for host in self.hosts)

    def _of_path(self, path: str) -> Requirement:
        if f"{path.rstrip('/')}/" in ("/", self.prefix):
            return Requirement.NOT_REQUIRED
        if not path.startswith(self.prefix):
            elsewhere = any(_below(path, root) for root in self.unversioned)
            return Requirement.NOT_THE_API if elsewhere else Requirement.UNCLEAR
        return next((known.requirement for known in self.exceptions if _below(path, known.path)), Requirement.REQUIRED)

    def _of_beginning(self, path: str) -> Requirement:
        if not any(known.path.startswith(path) and known.path != path for known in self.exceptions):
            return self._of_path(path)
        # The rest decides between exceptions and endpoints, or it can only be an exception.
        endpoints = (f"{self.prefix}{endpoint.tail}" for endpoint in self.endpoints)
        return Requirement.LIKELY if any(endpoint.startswith(path) for endpoint in endpoints) else Requirement.UNCLEAR


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def parse_endpoints(table: Table) -> Endpoints:
    """Read endpoints.toml."""
    table.only("hosts", "schemes", "prefix", "unversioned", "exception", "endpoint", "sdk-call")
    return Endpoints(
        hosts=frozenset(table.texts("hosts")),
        schemes=table.texts("schemes"),
        prefix=table.text("prefix"),
        unversioned=table.texts("unversioned"),
        exceptions=tuple(_exception(row) for row in table.tables("exception")),
        endpoints=tuple(_endpoint(row) for row in table.tables("endpoint")),
        sdk_calls=tuple(c for row in table.tables("sdk-call") for c in _sdk_calls(row, table.text("prefix"))),
    )


def _exception(row: Table) -> PathException:
    row.only("path", "requirement", "source")
    return PathException(row.text("path"), row.choice("requirement", Requirement), row.text("source"))


def _endpoint(row: Table) -> Endpoint:
    row.only("tail", "distinctive")
    known = row.choice("distinctive", Distinctive) if "distinctive" in row.data else Distinctive.NEVER
    return Endpoint(row.text("tail"), known)


def _sdk_calls(row: Table, prefix: str) -> Iterator[SdkCall]:
    """One call for each pair of a client and a method."""
    row.only("clients", "methods", "endpoint", "version", "streams", "stream-argument", "distinctive", "source")
    for client in row.texts("clients"):
        for method in row.texts("methods"):
            yield SdkCall(
                client=client,
                method=method,
                endpoint=prefix + row.text("endpoint"),
                version=row.optional_text("version"),
                streams=row.flag("streams"),
                stream_argument=row.optional_text("stream-argument"),
                distinctive=row.flag("distinctive"),
                source=row.text("source"),
            )
