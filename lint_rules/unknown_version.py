"""CAV103."""

from __future__ import annotations

from collections.abc import Iterable

from claude_api_lint.api import load_catalog
from claude_api_lint.findings import Confidence
from claude_api_lint.version_values import VersionValue, VersionValueRule


class UnknownVersion(VersionValueRule):
    """A request asks for a version that the Claude API never had.

    The header takes the dates of the version history and nothing else. An invented date, a model's or a beta's date, or
    an empty value is answered with 400: `anthropic-version: "2024-01-01" is not a valid version`. A value of None
    either never leaves the client library or is sent as no header at all.

    Values of other platforms (`bedrock-2023-05-31`, `vertex-2023-10-16`) are not reported here: gateways take them.

    Bad:

        headers = {"x-api-key": key, "anthropic-version": "2024-01-01"}

    Good:

        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}

    Fix: replaces the value (safe). One of several that are tried in turn is left to a person.

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV103"
    name = "unknown-version"
    since = "2023-01-01"
    needles = (load_catalog().version_header,)
    follows_imports = True

    def judge(self, values: Iterable[VersionValue]) -> None:
        catalog = self.analysis.catalog
        for value in values:
            if value.value and (catalog.is_known(value.value) or self._is_for_another_platform(value)):
                continue
            answer = catalog.messages.unknown(value.value or "")
            message = f'the Claude API has no version "{value.value}"; the server answers 400: {answer}'
            if value.value is None:
                message = f"{catalog.version_header} is None; the client fails or sends no version"
            elif not value.value:
                message = f"{catalog.version_header} is empty; it must be one of the API's versions"
            self.report_value(value, message)

    def _is_for_another_platform(self, value: VersionValue) -> bool:
        """Whether a value is another platform's and may well go there: it is sure not to where the host is known."""
        is_sure = value.confidence is Confidence.CERTAIN
        return not is_sure and self.analysis.catalog.is_platform_value(value.value or "")
