"""CAV102."""

from __future__ import annotations

from collections.abc import Iterable

from claude_api_lint.api import load_catalog
from claude_api_lint.rule import StepPart
from claude_api_lint.version_values import VersionValue, VersionValueRule


class OutdatedVersion(VersionValueRule):
    """A request asks for a version of the Claude API that is older than the target version.

    Under `2023-01-01` replies have other fields (`exception`, `truncated`), streams send the whole text again with
    every event, without event names, and end with `[DONE]`. "Anthropic recommends using the latest API version whenever
    possible." The target is 2023-06-01 unless `--target-version` or the configuration names another.

    The finding stands where the value is written: in the headers, in a constant, in a default, or at a caller.

    Bad:

        headers = {"x-api-key": key, "anthropic-version": "2023-01-01"}

    Good:

        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}

    Fix: replaces the value (safe; unsafe where the step to the target also takes away request parameters).

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV102"
    name = "outdated-version"
    since = "2023-06-01"
    needles = (load_catalog().version_header,)
    follows_imports = True
    part_of_step = StepPart.REQUEST

    def judge(self, values: Iterable[VersionValue]) -> None:
        catalog, target = self.analysis.catalog, self.analysis.target
        for value in values:
            if value.value is not None and catalog.is_outdated(value.value, target):
                message = f'{catalog.version_header} "{value.value}" is outdated; the target version is {target}'
                self.report_value(value, message)
