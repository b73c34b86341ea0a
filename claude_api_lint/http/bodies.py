"""Request bodies: what a call sends as JSON, whoever turns it into a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from claude_api_lint.dataflow import mappings
from claude_api_lint.dataflow.calls import Arguments
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.values import Alternative, Alternatives, Made, Mapping, Thunk, Value, assuming
from claude_api_lint.http.declarations import Building, Sending

_SERIALIZERS = frozenset({"json.dumps", "orjson.dumps", "simplejson.dumps", "ujson.dumps"})
# What gives the same text again, as bytes or as a file, of its first argument or of the text that it is a method of.
_WRAPPERS = frozenset({"builtins.bytes", "builtins.bytearray", "io.BytesIO", "io.StringIO"})
_ENCODINGS = frozenset({"encode", "decode"})


@dataclass(frozen=True)
class Body:
    """What a call gives as the body of its request; ``is_json`` tells that the library makes JSON of it."""

    value: Thunk | Value
    is_json: bool


def given_body(declared: Sending | Building, arguments: Arguments) -> Body | None:
    """The body among the arguments of a call; None where it is not seen."""
    for parameter, is_json in ((declared.json, True), (declared.body, False)):
        given = arguments.get(parameter.position, *parameter.names) if parameter is not None else None
        if given is not None:
            return Body(given, is_json)
    return None


def documents(evaluator: Evaluator, body: Body) -> Alternatives:
    """What a body can be as JSON: mappings, and open ones for what is not known."""
    found = evaluator.force(body.value)
    if not body.is_json:
        found = tuple(parsed for alternative in found for parsed in _parsed(evaluator, alternative))
    return tuple(Alternative(_as_document(alternative.value), alternative.when) for alternative in found)


def _parsed(evaluator: Evaluator, text: Alternative) -> Iterator[Alternative]:
    """What a text was made of by ``json.dumps``; something unknown for any other."""
    made = text.value
    while isinstance(made, Made) and made.name.rpartition(".")[2] in _ENCODINGS and made.receiver is not None:
        made = made.receiver
    if not isinstance(made, Made) or made.name not in _SERIALIZERS | _WRAPPERS:
        yield Alternative(Mapping((), True, why="a body that is not known"), text.when)
        return
    for arguments, when in evaluator.calls.arguments(made.call, made.frame):
        given = arguments.get(0, "obj")
        for source in assuming(assuming(evaluator.force(given), when), text.when) if given is not None else ():
            if made.name in _SERIALIZERS:
                yield source
            else:
                yield from _parsed(evaluator, source)


def _as_document(value: Value) -> Mapping:
    if isinstance(value, Mapping):
        return value
    return mappings.opened(Mapping(), "a body that is not known")
