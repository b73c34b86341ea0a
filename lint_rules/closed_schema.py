"""CAV404."""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from claude_api_lint.api import load_catalog
from claude_api_lint.parsing import Statement
from claude_api_lint.reply_models import TAKERS, ReplyModels
from claude_api_lint.rule import Rule
from claude_api_lint.shapes import SPREAD
from claude_api_lint.stream_guards import StreamGuards

_REFUSALS = frozenset({"ValidationError", "DecodeError", "TypeError", "ValueError"})


class ClosedSchema(Rule):
    """A model of replies refuses what the API may add: fields that are new, or new variants of a value.

    The versioning policy keeps it open to add fields to outputs, and to "add new variants to enum-like output values
    (for example, streaming event types)", inside one version, at any time. A model that forbids other fields, or that
    knows a value only as one of a `Literal`, an Enum or a union of known types, refuses the whole reply on the day that
    something is added.

    Reported for models of pydantic, msgspec and marshmallow, JSON schemas, and dataclasses that get a whole reply as
    keyword arguments, where the dataflow shows that a reply of the API is made into them; models of pydantic also where
    they get one of its values (`Reply(stop_reason=message.stop_reason)`). Models of requests, of what Claude has
    written, of configuration, and those of servers that check their own clients are left alone.

    Bad:

        class Message(BaseModel):
            model_config = ConfigDict(extra="forbid")

            content: list[dict]
            stop_reason: str | None


        def ask(client: httpx.Client, body: dict) -> Message:
            reply = client.post("https://api.anthropic.com/v1/messages", headers=HEADERS, json=body)
            return Message.model_validate(reply.json())

    Good:

        class Message(BaseModel):
            model_config = ConfigDict(extra="ignore")

            content: list[dict]
            stop_reason: str | None


        def ask(client: httpx.Client, body: dict) -> Message:
            reply = client.post("https://api.anthropic.com/v1/messages", headers=HEADERS, json=body)
            return Message.model_validate(reply.json())

    Fix: lets other fields pass, and makes a `Literal` a `str` (unsafe). Unions, Enums and dataclasses are left to a
    person.

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV404"
    name = "closed-schema"
    since = "2023-01-01"
    needles = ("pydantic", "msgspec", "marshmallow", "jsonschema", "dataclass", "attr")
    origins = (*load_catalog().output_needles, "anthropic.")

    @cached_property
    def models(self) -> ReplyModels:
        return ReplyModels(self.analysis)

    @cached_property
    def guards(self) -> StreamGuards:
        return StreamGuards(self.analysis)

    def looks_into(self, statement: Statement) -> bool:
        if statement.shapes is None:
            return True
        return any(
            SPREAD in shape.kinds or TAKERS & shape.calls or (shape.keywords and self.models.may_be_made(shape.calls))
            for shape in statement.shapes
        )

    def visit_Call(self, node: cst.Call) -> None:
        if self.analysis.module.is_test:
            return
        for closing in self.models.closings(node):
            if self.guards.is_caught(node, _REFUSALS):
                return
            what = "a field" if closing.output is None else closing.output.one
            message = f"{what} that is not known here is refused, but the API may add others at any time"
            self.report(closing.node, message, closing.confidence, closing)
