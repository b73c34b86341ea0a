"""CAV106."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.dataflow.trees import last_name
from claude_api_lint.dataflow.values import Const, Entry, External, Made, Value, compatible
from claude_api_lint.findings import Confidence
from claude_api_lint.rule import Rule
from claude_api_lint.sdk_clients import GivenHeaders


class Harm(enum.Enum):
    """What an override does."""

    NOTHING = "the SDK's own header goes out"
    OUTDATED = "an older version is asked for"
    REFUSED = "every request fails"


@dataclass(frozen=True)
class Override:
    """An entry of headers that the SDK is given; ``value`` is the version that it asks for, if it is one.

    ``is_constant`` tells that it is the same whenever the program runs.
    """

    entry: Entry
    given: GivenHeaders
    harm: Harm
    value: str | None = None
    is_constant: bool = True


class SdkVersionOverride(Rule):
    """The official SDK is told to send another version of the Claude API, or none.

    Each release of the SDK sends the version that its types and its stream parser were made for. "Overriding default
    headers may result in incorrect types and other unexpected or undefined behavior in the SDK": under `2023-01-01` its
    streams yield nothing at all. A version that the API never had, an empty one, and none (`Omit()`) are answered with
    400, and None fails before anything is sent.

    Reported are `default_headers`, `extra_headers` and `options={"headers": ...}` that do one of these, and those that
    do nothing: `anthropic_version` with an underscore, and headers of the `http_client`, which come below the SDK's.
    Releases before 1.0 send `Anthropic-Version` beside their own header, which the server refuses; that is reported
    where the project requires such a release. So is `client._client.post(...)`: the transport below the SDK adds
    neither version nor key. A version that is not older than the target is a choice, and is left alone, as are clients
    of Bedrock and Vertex AI, and base URLs of others.

    Bad:

        from anthropic import Anthropic

        client = Anthropic(max_retries=5, default_headers={"anthropic-version": "2023-01-01"})

    Good:

        from anthropic import Anthropic

        client = Anthropic(max_retries=5)

    Fix: removes the override (safe; unsafe where the SDK may then ask for a version beyond the target, where the
    headers have other uses, and where a comment explains them). Calls of `_client` have none.

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV106"
    name = "sdk-version-override"
    since = "2023-06-01"
    needles = load_catalog().sdk_needles
    origins = (load_catalog().sdk.distribution,)

    def visit_Call(self, node: cst.Call) -> None:
        requests = self.analysis.requests
        if requests.is_mocked or self._is_expected_to_fail(node):
            return
        for given in requests.sdk.given(node):
            if given.argument == self.analysis.catalog.sdk.arguments.transport and self._also_sends(given):
                continue
            for entry in given.headers.entries:
                self._judge(entry, given, node)
        confidence = requests.sdk.raw_request(node)
        if confidence is not None:
            header = self.analysis.catalog.version_header
            message = f"this goes past the SDK: its transport adds neither {header} nor a key, and the server refuses"
            self.report(node, message, confidence)

    def _also_sends(self, given: GivenHeaders) -> bool:
        """Whether the program sends requests with the same headers itself, where they do something."""
        return bool(set(given.headers.homes) & self.analysis.requests.homes)

    def _is_expected_to_fail(self, node: cst.Call) -> bool:
        """Whether a call stands in ``with pytest.raises(...)`` or its kin."""
        managers = [above for above in self.analysis.module.ancestors(node) if isinstance(above, cst.With)]
        calls = [item.item for manager in managers for item in manager.items if isinstance(item.item, cst.Call)]
        return any("raises" in name.lower() for call in calls if (name := last_name(call.func)))

    def _judge(self, entry: Entry, given: GivenHeaders, node: cst.Call) -> None:
        catalog = self.analysis.catalog
        if catalog.is_misspelled_header(entry.key):
            why = f'the header "{entry.key}" does nothing: the SDK sends its own {catalog.version_header}'
            self._report(Override(entry, given, Harm.NOTHING), why, node)
        elif catalog.is_version_header(entry.key):
            for override, why in self._overrides(entry, given):
                self._report(override, why, node)

    def _report(self, override: Override, message: str, node: cst.Call) -> None:
        place = override.entry.key_place
        is_here = place is not None and place.module is self.analysis.module
        self.report(place.node if place and is_here else node, message, override.given.confidence, override)

    def _overrides(self, entry: Entry, given: GivenHeaders) -> Iterator[tuple[Override, str]]:
        """What is wrong with the version header that the SDK is given."""
        catalog = self.analysis.catalog
        header, transport = catalog.version_header, catalog.sdk.arguments.transport
        values = [a.value for a in self.analysis.requests.values(entry) if compatible(a.when, given.when)]
        if given.argument == transport:
            why = f"{header} does nothing on the {transport}: the SDK's own header goes out"
            yield Override(entry, given, Harm.NOTHING), why
        elif entry.key != header and self._repeats_casings:
            if not any(map(self._is_no_text, values)):
                yield Override(entry, given, Harm.REFUSED), self._goes_out_twice(entry, given, values)
        else:
            yield from self._by_value(entry, given, values)

    @property
    def _repeats_casings(self) -> bool:
        """Whether every release that the project may run with sends another casing beside its own header."""
        return not any(release.ignores_case for release in self.analysis.requests.sdk.releases)

    def _goes_out_twice(self, entry: Entry, given: GivenHeaders, values: list[Value]) -> str:
        sdk = self.analysis.requests.sdk
        own = next((release.version for release in reversed(sdk.releases) if release.version), "...")
        other = str(values[0].value) if len(values) == 1 and isinstance(values[0], Const) else "..."
        is_default = given.argument in sdk.sdk.arguments.defaults
        answer = self.analysis.catalog.messages.duplicate(*((other, own) if is_default else (own, other)))
        return (
            f'the SDK that this project requires sends "{entry.key}" beside its own; the server answers 400: {answer}'
        )

    # Values

    def _by_value(self, entry: Entry, given: GivenHeaders, values: list[Value]) -> Iterator[tuple[Override, str]]:
        """A wrong version counts on any path; none at all only where there is never one."""
        is_constant = len(values) == 1
        without = [why for value in values if (why := self._why_without(value, given)) is not None]
        if without and len(without) == len(values):
            yield Override(entry, given, Harm.REFUSED, is_constant=is_constant), without[0]
            return
        for value in values:
            text = (
                value.value.decode("latin-1") if isinstance(value, Const) and isinstance(value.value, bytes) else None
            )
            text = value.value if isinstance(value, Const) and isinstance(value.value, str) else text
            if text:
                yield from self._by_version(entry, given, text, is_constant=is_constant)

    def _by_version(
        self, entry: Entry, given: GivenHeaders, version: str, *, is_constant: bool
    ) -> Iterator[tuple[Override, str]]:
        catalog, target = self.analysis.catalog, self.analysis.target
        told = f'the SDK is told to send {catalog.version_header} "{version}"'
        if catalog.is_outdated(version, target):
            why = f"{told}, older than the target version {target}; by itself it sends the one that it was made for"
            yield Override(entry, given, Harm.OUTDATED, version, is_constant), why
        elif not catalog.is_known(version) and not self._is_for_another_platform(version, given):
            why = f"{told}; the server answers 400: {catalog.messages.unknown(version)}"
            yield Override(entry, given, Harm.REFUSED, version, is_constant), why

    def _is_for_another_platform(self, version: str, given: GivenHeaders) -> bool:
        """Whether a value is another platform's and may well go there: it is sure not to where the host is known."""
        is_sure = given.confidence is Confidence.CERTAIN
        return not is_sure and self.analysis.catalog.is_platform_value(version)

    def _why_without(self, value: Value, given: GivenHeaders) -> str | None:
        """What comes of a value with which no version is sent; None for any other value."""
        catalog = self.analysis.catalog
        header, sdk = catalog.version_header, catalog.sdk
        name = _name_of(value)
        if sdk.omits(name):
            return f"the SDK is told to leave out {header}; the server answers 400: {catalog.messages.missing()}"
        if isinstance(value, Const) and value.value in ("", b""):
            return f"the SDK is told to send an empty {header}; it must be one of the API's versions"
        is_default = given.argument in sdk.arguments.defaults
        if (isinstance(value, Const) and value.value is None) or (is_default and sdk.is_not_given(name)):
            return f"{header} has no value here; the SDK fails before it sends a request"
        return None

    def _is_no_text(self, value: Value) -> bool:
        """Whether a value stands for no header, or for none that is given."""
        sdk, name = self.analysis.catalog.sdk, _name_of(value)
        return sdk.omits(name) or sdk.is_not_given(name) or (isinstance(value, Const) and value.value is None)


def _name_of(value: Value) -> str:
    """The dotted name of something that a distribution defines, or that a call of it made."""
    return value.name if isinstance(value, External | Made) else ""
