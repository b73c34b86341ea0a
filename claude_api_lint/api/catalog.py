"""The catalog: the one place that answers what the Claude API is.

Each table is read when it is first asked for, so that a run which finds no candidate pays for none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from .endpoints import Endpoints, Requirement, SdkCall, parse_endpoints
from .outputs import OpenValue, Root, parse_outputs, parse_roots
from .platforms import Platform, parse_platforms
from .sdk import Sdk, parse_sdk
from .streams import Stream, parse_streams
from .tables import read_table
from .versions import Change, ChangeKind, Messages, Version, Versions, parse_versions


@dataclass(frozen=True)
class Catalog:
    """What the tables of a folder say about the API. A broken table raises CatalogError when it is first used."""

    folder: Path

    @cached_property
    def _versions(self) -> Versions:
        return parse_versions(read_table(self.folder / "versions.toml"))

    @cached_property
    def _endpoints(self) -> Endpoints:
        return parse_endpoints(read_table(self.folder / "endpoints.toml"))

    @cached_property
    def outputs(self) -> tuple[OpenValue, ...]:
        """The open values."""
        return parse_outputs(read_table(self.folder / "outputs.toml"))

    def output(self, name: str) -> OpenValue:
        """The open value of a name; KeyError where there is none."""
        return {output.name: output for output in self.outputs}[name]

    @cached_property
    def _roots(self) -> tuple[Root, ...]:
        return parse_roots(read_table(self.folder / "outputs.toml"))

    def roots(self, endpoint: str | None, streamed: bool) -> frozenset[str]:
        """The kinds of object that a reply of an endpoint can be; those of Messages for one that is not known."""
        begun = (root for root in self._roots if (endpoint or "").startswith(root.endpoint))
        root = next(begun, self._roots[-1])
        return root.streamed if streamed else root.whole

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        """How the streams of the endpoints look."""
        return parse_streams(read_table(self.folder / "streams.toml"))

    def stream(self, endpoint: str | None) -> Stream | None:
        """How the stream of an endpoint (``/v1/messages``) looks."""
        return next((stream for stream in self.streams if stream.endpoint == endpoint), None)

    @cached_property
    def platforms(self) -> tuple[Platform, ...]:
        """Where else Claude is served."""
        return parse_platforms(read_table(self.folder / "platforms.toml"))

    @cached_property
    def platform_needles(self) -> tuple[str, ...]:
        """Texts of which a file has at least one where it speaks to Claude on another platform by hand."""
        return tuple(sorted(frozenset().union(*(platform.words for platform in self.platforms))))

    @cached_property
    def sdk(self) -> Sdk:
        """The official SDK."""
        return parse_sdk(read_table(self.folder / "sdk.toml"))

    @property
    def version_header(self) -> str:
        """The name of the header that asks for a version, in lower case."""
        return self._versions.header

    @property
    def versions(self) -> tuple[Version, ...]:
        """The version history, oldest first."""
        return self._versions.history

    @property
    def default_target(self) -> str:
        """The version that code should ask for unless the user says otherwise."""
        return self._versions.default_target

    @property
    def messages(self) -> Messages:
        """What the server answers to a wrong version header."""
        return self._versions.messages

    @property
    def hosts(self) -> frozenset[str]:
        """The API's hosts, in lower case."""
        return self._endpoints.hosts

    @cached_property
    def request_needles(self) -> tuple[str, ...]:
        """Texts of which a file has at least one where it speaks to the API by hand: a host, or a header of its own."""
        domains = {".".join(host.rsplit(".", 2)[-2:]) for host in self.hosts}  # a host may be glued from pieces
        return (*sorted(domains), *sorted(self._versions.own_headers), "x-api-key")

    @cached_property
    def unversioned_needles(self) -> tuple[str, ...]:
        """Texts of which a file has at least one where a request may lack the version: by hand, or by the first SDK."""
        return (*self.request_needles, *sorted({f".{method.name}(" for method in self.sdk.removed_methods}))

    @cached_property
    def reply_needles(self) -> tuple[str, ...]:
        """Texts of which a file has at least one where it gets replies of the API: by hand, or from an old SDK."""
        calls = [call for call in self.sdk_calls if self.stream(call.endpoint) and self.stream(call.endpoint).text]  # type: ignore[union-attr]
        clients = {f"{call.client.lower()}(" for call in calls if "." not in call.method}
        methods = {call.method for call in calls if call.distinctive or "." in call.method}
        words = {word.lower() for stream in self.streams for word in stream.words}
        return (*self.request_needles, *sorted(clients | methods | words))

    @cached_property
    def stream_needles(self) -> tuple[str, ...]:
        """Texts of which a file has at least one where it reads streams of the API, or speaks of their events."""
        events = {word for stream in self.streams if stream.events for word in self.output(stream.events).distinctive}
        return (*self.reply_needles, *sorted(events))

    @cached_property
    def output_needles(self) -> tuple[str, ...]:
        """Texts of which a file has at least one where it tells open values apart: it gets replies, by hand or from an
        SDK, imports the SDK's types, or compares with words of Claude's own.
        """
        words = {value for output in self.outputs for value in output.distinctive}
        words |= {max(group, key=len) for output in self.outputs for group in output.together}
        methods = {call.method for call in self.sdk_calls if "." in call.method}
        return (*self.reply_needles, *sorted(words | methods), "import anthropic", "from anthropic")

    @cached_property
    def output_words(self) -> frozenset[str]:
        """Every known variant of an open value, and the SDK's class for it, in lower case."""
        values = {value.lower() for output in self.outputs for value in output.known}
        return frozenset(values | {name.lower() for output in self.outputs for name in output.class_names})

    @cached_property
    def sdk_needles(self) -> tuple[str, ...]:
        """Texts of which a file has at least one where it changes the version that the SDK sends, or goes round it."""
        return (self.version_header, *self.misspelled_needles, f"{self.sdk.arguments.transport_attribute}.")

    @cached_property
    def misspelled_needles(self) -> tuple[str, ...]:
        """Texts of which a file has at least one where it misspells the version header."""
        names = {name for name in self._versions.misspelled_names if name != self.version_header}
        return tuple(sorted(names | {name.replace("-", "_") for name in self._versions.misspelled_names}))

    @cached_property
    def imported_needles(self) -> tuple[str, ...]:
        """Texts of which there is at least one in a file and what it imports, where a request is made of both."""
        return (*self.request_needles, *self.platform_needles, *self.misspelled_needles)

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """All texts of which a file has at least one where it speaks to the API in any way; none is part of another."""
        by_hand = {*self.unversioned_needles, *self.platform_needles, *self.misspelled_needles}
        every = {*by_hand, *self.stream_needles, *self.output_needles, self.sdk.distribution}
        return tuple(sorted(word for word in every if not any(other in word for other in every - {word})))

    def is_known(self, version: str) -> bool:
        """Whether the value is a version of the history."""
        return self._versions.is_known(version)

    def is_outdated(self, version: str, target: str) -> bool:
        """Whether the value is a known version that is older than the target."""
        return self._versions.is_outdated(version, target)

    def is_platform_value(self, value: str) -> bool:
        """Whether the value is another platform's (``bedrock-2023-05-31``, ``vertex-2023-10-16``)."""
        return value.startswith(tuple(platform.prefix for platform in self.platforms if platform.prefix))

    def is_version_header(self, name: str) -> bool:
        """Whether the name is the version header's, in any casing."""
        return self._versions.is_version_header(name)

    def is_misspelled_header(self, name: str) -> bool:
        """Whether the name, in any casing, can only be meant as the version header but is not its name."""
        return self._versions.is_misspelled_header(name)

    def is_api_header(self, name: str) -> bool:
        """Whether only the Claude API has this request header, in any casing; the version header is one of them."""
        return self._versions.is_api_header(name)

    def requirement(self, url: str, complete: bool = True) -> Requirement:
        """Whether a request to the URL needs the version header.

        ``complete=False`` means that ``url`` is only the known beginning, and that something unknown follows.
        """
        return self._endpoints.requirement(url, complete)

    def endpoint_path(self, url: str) -> str | None:
        """The documented path (``/v1/messages``) that a URL of the API, or what is known of its end, leads to."""
        return self._endpoints.path(url)

    @property
    def sdk_calls(self) -> tuple[SdkCall, ...]:
        """The methods of the first official SDK that give replies as they came over the wire."""
        return self._endpoints.sdk_calls

    def changes(self, kind: ChangeKind, target: str) -> tuple[Change, ...]:
        """The changes of one kind, up to and with the target version."""
        upto = [version for version in self.versions if version.date <= target]
        return tuple(change for version in upto for change in version.changes_of(kind))

    @property
    def path_words(self) -> frozenset[str]:
        """The last words of the documented paths: what is left of one below a base URL."""
        return self._endpoints.last_words

    def endpoint_tail(self, path: str) -> str | None:
        """The endpoint that a relative path, or the end of a URL, names (``messages``) if it speaks for the API.

        It is a hint for a host that is unknown, never a proof: other services have a ``/v1/messages`` of their own.
        """
        return self._endpoints.tail(path)

    def is_endpoint_tail(self, path: str) -> bool:
        """Whether a relative path, or the end of a URL, could be that of an endpoint: ``models``, say."""
        return self._endpoints.is_tail(path)


@cache
def load_catalog() -> Catalog:
    """The catalog of this package."""
    return Catalog(Path(__file__).parent)
