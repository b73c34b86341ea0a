"""CAV106."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.dataflow.trees import last_name
from claude_api_lint.parsing import Statement
from claude_api_lint.rule import Rule
from claude_api_lint.version_overrides import Overrides


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

    def looks_into(self, statement: Statement) -> bool:
        return self.analysis.requests.sdk.may_be_in(statement)

    def visit_Call(self, node: cst.Call) -> None:
        requests = self.analysis.requests
        if requests.is_mocked or self._is_meant_to_fail(node):
            return
        for given in requests.sdk.given(node):
            for override in Overrides(self.analysis).of(given):
                place = override.entry.key_place
                is_here = place is not None and place.module is self.analysis.module
                self.report(place.node if place and is_here else node, override.why, given.confidence, override)
        confidence = requests.sdk.raw_request(node)
        if confidence is not None:
            header = self.analysis.catalog.version_header
            message = f"this goes past the SDK: its transport adds neither {header} nor a key, and the server refuses"
            self.report(node, message, confidence)

    def _is_meant_to_fail(self, node: cst.Call) -> bool:
        """Whether a call stands in ``with pytest.raises(...)`` or its kin."""
        managers = [above for above in self.analysis.module.ancestors(node) if isinstance(above, cst.With)]
        calls = [item.item for manager in managers for item in manager.items if isinstance(item.item, cst.Call)]
        return any("raises" in (last_name(call.func) or "").lower() for call in calls)
