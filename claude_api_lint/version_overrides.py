"""Versions that the official SDK is told to send in the place of its own: which of them do harm, or nothing."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from claude_api_lint.dataflow.values import Const, Entry, External, Made, Value, compatible
from claude_api_lint.findings import Confidence
from claude_api_lint.rule import Analysis
from claude_api_lint.sdk_clients import GivenHeaders


class Harm(enum.Enum):
    """What an override does."""

    NOTHING = "the SDK's own header goes out"
    OUTDATED = "an older version is asked for"
    REFUSED = "every request fails"


@dataclass(frozen=True)
class Override:
    """An entry of headers that the SDK is given, what it does, and ``why`` that is a fault, in words.

    ``version`` is the one that it asks for, if it asks for any; ``is_constant`` tells that it always does.
    """

    entry: Entry
    given: GivenHeaders
    harm: Harm
    why: str
    version: str | None = None
    is_constant: bool = True


class Overrides:
    """Judges the headers that a module gives to the SDK."""

    def __init__(self, analysis: Analysis) -> None:
        self.catalog = analysis.catalog
        self.target = analysis.target
        self.requests = analysis.requests
        self.sdk = analysis.requests.sdk

    def of(self, given: GivenHeaders) -> Iterator[Override]:
        """The overrides among headers that do harm, or nothing."""
        catalog = self.catalog
        is_transport = given.argument == catalog.sdk.arguments.transport
        if is_transport and set(given.headers.homes) & self.requests.homes:
            return  # the program sends with that client, too
        for entry in given.headers.entries:
            if catalog.is_misspelled_header(entry.key):
                why = f'the header "{entry.key}" does nothing: the SDK sends its own {catalog.version_header}'
                yield Override(entry, given, Harm.NOTHING, why)
            elif catalog.is_version_header(entry.key) and is_transport:
                why = f"{catalog.version_header} does nothing on the {given.argument}: the SDK's own header goes out"
                yield Override(entry, given, Harm.NOTHING, why)
            elif catalog.is_version_header(entry.key):
                yield from self._of_version(entry, given)

    def _of_version(self, entry: Entry, given: GivenHeaders) -> Iterator[Override]:
        values = [a.value for a in self.requests.values(entry) if compatible(a.when, given.when)]
        if entry.key == self.catalog.version_header or not self._repeats_casings:
            yield from self._by_values(entry, given, values)
        elif not any(map(self._stands_for_nothing, values)):
            yield Override(entry, given, Harm.REFUSED, self._goes_out_twice(entry, given, values))

    # Casings

    @property
    def _repeats_casings(self) -> bool:
        """Whether every release that the project may run with sends another casing beside its own header."""
        return not any(release.ignores_case for release in self.sdk.releases)

    def _goes_out_twice(self, entry: Entry, given: GivenHeaders, values: list[Value]) -> str:
        own = next((release.version for release in reversed(self.sdk.releases) if release.version), "...")
        other = _text_of(values[0]) if len(values) == 1 else None
        is_default = given.argument in self.catalog.sdk.arguments.defaults
        both = (other or "...", own) if is_default else (own, other or "...")
        answer = self.catalog.messages.duplicate(*both)
        return f'the required SDK sends "{entry.key}" beside its own; the server answers 400: {answer}'

    def _stands_for_nothing(self, value: Value) -> bool:
        sdk, name = self.catalog.sdk, _name_of(value)
        return sdk.omits(name) or sdk.is_not_given(name) or _is_none(value)

    # Values

    def _by_values(self, entry: Entry, given: GivenHeaders, values: list[Value]) -> Iterator[Override]:
        """A wrong version counts on any path; no version only where there is never one."""
        is_constant = len(values) == 1
        without = [why for value in values if (why := self._why_without(value, given)) is not None]
        if without and len(without) == len(values):
            yield Override(entry, given, Harm.REFUSED, without[0], None, is_constant)
            return
        for version in filter(None, map(_text_of, values)):
            told = f'the SDK is told to send {self.catalog.version_header} "{version}"'
            if self.catalog.is_outdated(version, self.target):
                why = f"{told}, older than the target version {self.target}; by itself it sends the one it was made for"
                yield Override(entry, given, Harm.OUTDATED, why, version, is_constant)
            elif not self.catalog.is_known(version) and not self._is_for_another_platform(version, given):
                why = f"{told}; the server answers 400: {self.catalog.messages.unknown(version)}"
                yield Override(entry, given, Harm.REFUSED, why, version, is_constant)

    def _is_for_another_platform(self, version: str, given: GivenHeaders) -> bool:
        """Whether a value is another platform's and may well go there: it is sure not to where the host is known."""
        return given.confidence is not Confidence.CERTAIN and self.catalog.is_platform_value(version)

    def _why_without(self, value: Value, given: GivenHeaders) -> str | None:
        """What comes of a value with which no version is sent; None for any other value."""
        header, sdk = self.catalog.version_header, self.catalog.sdk
        if sdk.omits(_name_of(value)):
            return f"the SDK is told to leave out {header}; the server answers 400: {self.catalog.messages.missing()}"
        if _text_of(value) == "":
            return f"the SDK is told to send an empty {header}; it must be one of the API's versions"
        is_default = given.argument in sdk.arguments.defaults
        if _is_none(value) or (is_default and sdk.is_not_given(_name_of(value))):
            return f"{header} has no value here; the SDK fails before it sends a request"
        return None


def _name_of(value: Value) -> str:
    """The dotted name of something that a distribution defines, or that a call of it made."""
    return value.name if isinstance(value, External | Made) else ""


def _text_of(value: Value) -> str | None:
    text = value.value if isinstance(value, Const) else None
    return text.decode("latin-1") if isinstance(text, bytes) else text if isinstance(text, str) else None


def _is_none(value: Value) -> bool:
    return isinstance(value, Const) and value.value is None
