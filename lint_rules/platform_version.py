"""CAV107."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.api import VersionPlace, load_catalog
from claude_api_lint.dataflow.values import Place
from claude_api_lint.parsing import Statement
from claude_api_lint.platform_versions import Fault, MisnamedVersion, MissingVersion, WrongVersion, faults
from claude_api_lint.rule import Rule


class PlatformVersion(Rule):
    """A request to Claude on another platform asks for no version, for one of another platform, or in the wrong place.

    Amazon Bedrock's InvokeModel and Google Vertex AI want the version in the request body, as `anthropic_version`, with
    a value of their own: "The value must be `bedrock-2023-05-31`." Sent as a header it does not count, and a version of
    the first-party API is refused there, as is a model's name. Microsoft Foundry, Bedrock's Messages endpoint and
    Claude Platform on AWS take the header `anthropic-version`, as the first-party API does; the version in the body
    does not count there. `2026-10-21` is right on all of them, on Bedrock for Claude 4.7 and later.

    A model whose name is not known is Claude where a test of the name says so: `if "claude" in model_id:`.
    Bodies that come from somewhere that cannot be seen are not reported, nor are models of other vendors, Converse,
    and text completions, which need no version.

    Bad:

        import boto3

        request = {"max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
        client = boto3.client("bedrock-runtime")
        client.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body=json.dumps(request))

    Good:

        import boto3

        request = {
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "Hello"}],
            "anthropic_version": "bedrock-2023-05-31",
        }
        client = boto3.client("bedrock-runtime")
        client.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body=json.dumps(request))

    Fix: adds the version where the body or the headers are built, renames or replaces it (safe; unsafe where what is
    built there also goes elsewhere).

    Reference: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
    """

    code = "CAV107"
    name = "platform-version"
    since = "2023-06-01"
    needles = load_catalog().platform_needles

    follows_imports = True

    def looks_into(self, statement: Statement) -> bool:
        return "invoke_model" in statement.text or self.analysis.requests.may_be_in(statement)

    def visit_Call(self, node: cst.Call) -> None:
        for fault in faults(self.analysis.platforms, node):
            if self.analysis.module.owns(fault.node):
                self.report(fault.node, self._message(fault), fault.confidence, fault)

    def _message(self, fault: Fault) -> str:
        platform = fault.platform
        place, elsewhere = _PLACES[platform.place]
        if isinstance(fault, MissingVersion):
            homes = fault.built[0].homes if fault.built else ()
            built = f" (built at {self.analysis.where(homes[0])})" if homes else ""
            rest = f"; in the {elsewhere} it does not count" if fault.elsewhere else ""
            return f"request to Claude on {platform.name} without {platform.key} in the {place}{built}{rest}"
        if isinstance(fault, MisnamedVersion):
            what = f'"{fault.entry.key}" in the {place} is not {platform.key}; {platform.name} does not know it'
            return what + self._written(fault, fault.entry.key_place)
        taken = " or ".join(f'"{value}"' for value in fault.taken)
        which = " for this model" if fault.limited else ""
        value = "None" if fault.value is None else f'"{fault.value}"'
        what = f"{platform.name} takes {taken} as {platform.key}{which}, not {value}"
        return what + self._written(fault, fault.place)

    def _written(self, fault: MisnamedVersion | WrongVersion, place: Place | None) -> str:
        """Where something is written, if that is not where the finding stands."""
        return f" (it is written at {self.analysis.where(place)})" if place and fault.node is not place.node else ""


# What people call each place, and the other one.
_PLACES = {VersionPlace.BODY: ("body", "headers"), VersionPlace.HEADER: ("headers", "body")}
