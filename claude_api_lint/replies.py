"""Which expressions are replies of the Claude API, or parts of them: responses, lines, events, and what they hold.

The dataflow says what a value came from; the client library says what its response gives. Joined from the request to
the expression, they tell a line of a Claude stream from a line of any other.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import libcst as cst

from claude_api_lint.api import SdkCall, load_catalog
from claude_api_lint.api_requests import ApiRequest, ApiRequests
from claude_api_lint.dataflow.flow import parameters
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of, dotted, last_name, string_value
from claude_api_lint.dataflow.values import (
    CUT,
    HOLE,
    Const,
    Derived,
    Frame,
    How,
    Instance,
    Made,
    Part,
    Thunk,
    Value,
)
from claude_api_lint.findings import Confidence
from claude_api_lint.http.declarations import ITERATED, Gives, Library
from claude_api_lint.http.registry import Registry, load_registry


class Kind(enum.Enum):
    """What part of a reply something is."""

    RESPONSE = "the response"
    BODY = "the text of the body"
    BLOCKS = "blocks of lines, one for each event"
    BLOCK = "such a block, or the first line of it"
    BLOCK_LINES = "the lines of such a block"
    LINES = "lines of the body"
    LINE = "a line of the body, or a part of one"
    CHUNKS = "pieces of the body"
    CHUNK = "a piece of the body"
    EVENTS = "server-sent events"
    EVENT = "a server-sent event"
    EVENT_NAME = "the name of an event"
    EVENT_DATA = "the data of an event, as text"
    REPLIES = "parsed replies, one after the other"
    REPLY = "a parsed reply, or what stands at a path in it"


@dataclass(frozen=True)
class ReplyPart:
    """A part of a reply of the Claude API.

    ``endpoint`` is the documented path, None where it is not known; ``path`` leads from a parsed reply to this part of
    it ("?" for a key that is not known); ``streamed`` tells that it came in an event of a stream; ``binary`` that it is
    bytes, None where that is not known; ``sdk`` is the method of an official SDK that gave it.
    """

    kind: Kind
    endpoint: str | None
    confidence: Confidence
    sender: cst.Call
    library: Library | None = None
    path: tuple[str, ...] = ()
    streamed: bool = False
    binary: bool | None = None
    sdk: SdkCall | None = None

    @property
    def is_text(self) -> bool:
        """Whether it is unparsed text of the body."""
        return self.kind in _TEXTS


class Other(enum.Enum):
    """Something that is known not to be, or not to be only, a reply of the Claude API."""

    ELSEWHERE = "the reply of another API"
    UNSURE = "the reply of an API that is not known"


ELSEWHERE, UNSURE = Other.ELSEWHERE, Other.UNSURE
Read = ReplyPart | Other | None

_TEXTS = frozenset({Kind.BODY, Kind.BLOCK, Kind.LINE, Kind.CHUNK, Kind.EVENT_DATA})
_ELEMENTS = {
    Kind.BLOCKS: Kind.BLOCK,
    Kind.BLOCK_LINES: Kind.LINE,
    Kind.LINES: Kind.LINE,
    Kind.CHUNKS: Kind.CHUNK,
    Kind.EVENTS: Kind.EVENT,
    Kind.REPLIES: Kind.REPLY,
}
_PARSERS = frozenset(
    "json.loads json.load orjson.loads ujson.loads simplejson.loads rapidjson.loads msgspec.json.decode "
    "json.JSONDecoder().decode demjson3.decode".split()
)
# Functions whose result reads as their first argument does, once it is text.
_DECODERS = frozenset({"codecs.iterdecode", "io.TextIOWrapper", "codecs.getreader"})
# Functions that rewrite a text, and the position of the text.
_REWRITERS = {"re.sub": 2, "re.compile().sub": 1}
_TEXT_METHODS = frozenset(
    "strip lstrip rstrip removeprefix removesuffix replace lower upper expandtabs pop group join __getitem__".split()
)
_SPLITTING_METHODS = frozenset("split rsplit splitlines partition rpartition".split())
_RESPONSE_ITSELF = frozenset({"__enter__", "__aenter__", "__iter__", "__aiter__", "response", "raise_for_status"})
_SAME_OBJECT = frozenset({"copy", "model_dump", "to_dict", "dict", "model_copy"})
CUTTING = frozenset("removeprefix replace lstrip split partition rpartition".split())
"""Methods that take, or may take, something off the beginning of a text."""
_LINE_METHODS = frozenset("readline pop popleft get_nowait".split())
_CHUNK_METHODS = frozenset("iter_any iter_chunked iter_chunks stream".split())
_PIECE_METHODS = frozenset("read read1 readany readchunk readuntil readexactly read_nowait".split())
_VALIDATORS = frozenset(
    "model_validate parse_obj model_validate_json parse_raw from_dict structure validate_python validate_json".split()
)
_LOOKUPS = frozenset("get pop setdefault __getitem__".split())


class Replies:
    """Reads expressions of one module, and what generators of other files yield to it."""

    def __init__(self, requests: ApiRequests, registry: Registry | None = None) -> None:
        self.requests = requests
        self.module = requests.module
        self.evaluator = requests.evaluator
        self.registry = registry or load_registry()
        self.catalog = load_catalog()
        self._known: dict[Value, Read] = {}
        self._sdk_calls = {f"{call.client}().{call.method}": call for call in self.catalog.sdk_calls}
        self._sdk_methods = {call.method: call for call in self.catalog.sdk_calls}

    def of(self, node: cst.BaseExpression, frame: Frame | None = None) -> ReplyPart | None:
        """The part of a reply that an expression is, whatever path leads there; None where it may be another's."""
        read = self.whence(node, frame)
        return read if isinstance(read, ReplyPart) else None

    def whence(self, node: cst.BaseExpression, frame: Frame | None = None) -> Read:
        """The part of a reply that an expression is, what it may be besides, or None where nobody knows."""
        frame = frame or self.evaluator.frame_of(self._module_of(node), node)
        with self.evaluator.question():
            return _read_together(self.read(alternative.value) for alternative in self.evaluator.evaluate(node, frame))

    def is_cut(self, node: cst.BaseExpression) -> bool:
        """Whether something was taken off the beginning of a line of a stream, wherever that was done."""
        frame = self.evaluator.frame_of(self._module_of(node), node)
        return any(self._is_cut(alternative.value) for alternative in self.evaluator.evaluate(node, frame))

    def _is_cut(self, value: Value) -> bool:
        while isinstance(value, Derived) and value.how is not How.ELEMENT:
            if (value.how is How.TEXT and value.key == CUT) or (value.how is How.CALLED and value.key in CUTTING):
                return True
            value = value.whole
        return isinstance(value, Made) and self.registry.canonical(value.name) in _REWRITERS

    def _module_of(self, node: cst.CSTNode) -> Module:
        return self.module if self.module.owns(node) else self.evaluator.resolver.owner(node) or self.module

    def parses(self, call: cst.Call) -> bool:
        """Whether a call parses a text as JSON."""
        found = self.evaluator.evaluate(call, self.evaluator.frame_of(self._module_of(call), call))
        return any(isinstance(a.value, Made) and self.registry.canonical(a.value.name) in _PARSERS for a in found)

    def read(self, value: Value) -> Read:
        """The part of a reply that a value is, what else it is known to be, or None where nobody knows."""
        if value not in self._known:
            self._known[value] = None  # what something is when it is itself
            self._known[value] = self._read(value)
        return self._known[value]

    def _read(self, value: Value) -> Read:
        if isinstance(value, Made):
            return self._made(value)
        if isinstance(value, Part):
            read = self.read(value.whole)
            for name in value.path:
                read = self._member(read, name, None, None)
            return read
        if isinstance(value, Derived):
            return self._derived(value)
        return self._instance(value) if isinstance(value, Instance) else None

    # What calls give

    def _made(self, made: Made) -> Read:
        name = self.registry.canonical(made.name)
        if name in _PARSERS:
            return self._parsed(self._argument(made.call, made.frame, 0))
        if name in _DECODERS:
            return _decoded(self._argument(made.call, made.frame, 0))
        if name in _REWRITERS:
            return self._argument(made.call, made.frame, _REWRITERS[name])
        if name in self.registry.event_streams:
            return self._events(name, made)
        if name in self._sdk_calls:
            return self._from_sdk(self._sdk_calls[name], made.call, Confidence.CERTAIN)
        response = self._response(made)
        if response is not None:
            return response
        return self._method_of(made, made.receiver) if isinstance(made.receiver, Made) else None

    def _method_of(self, made: Made, receiver: Made) -> Read:
        """What a method of an object gives, or of one of its attributes: ``response.content.readline()``."""
        read = self.read(receiver)
        *attributes, method = made.name.removeprefix(f"{receiver.name}().").split(".")
        for attribute in attributes:
            read = self._member(read, attribute, None, None)
        return self._member(read, method, made.call, made.frame)

    def _argument(self, call: cst.Call, frame: Frame, position: int, *names: str) -> Read:
        """What an argument of a call is."""
        for arguments, _ in self.evaluator.calls.arguments(call, frame):
            given = arguments.get(position, *names)
            if given is None:
                continue
            read = _read_together(self.read(alternative.value) for alternative in self.evaluator.force(given))
            if read is not None:
                return read
        return None

    def _parsed(self, text: Read) -> Read:
        """What parsing a text of the body as JSON gives."""
        if not isinstance(text, ReplyPart):
            return text
        whole = text.kind in (Kind.BODY, Kind.RESPONSE, Kind.LINES)  # json.load reads the raw body to its end
        if text.is_text or whole:
            return replace(text, kind=Kind.REPLY, streamed=not whole, binary=None)
        return None

    def _events(self, name: str, made: Made) -> Read:
        given = self.registry.event_streams[name]
        response = self._argument(made.call, made.frame, given.position or 0, *given.names)
        return replace(response, kind=Kind.EVENTS) if isinstance(response, ReplyPart) else response

    def _from_sdk(self, call: SdkCall, node: cst.Call, confidence: Confidence) -> ReplyPart:
        streams = call.streams or _is_told(node, call.stream_argument or "")
        kind = Kind.REPLIES if streams else Kind.REPLY
        return ReplyPart(kind, call.endpoint, confidence, node, streamed=streams, sdk=call)

    def _response(self, made: Made) -> Read:
        """The response that a call gives: to the request that it sends, or to one that was sent before."""
        if made.name.rsplit(".", 1)[-1] in self._responses and isinstance(made.receiver, Made):
            changes = made.receiver.changes
            return self._answered((c.node, c.frame) for c in changes if isinstance(c.node, cst.Call))
        return self._answered([(made.call, made.frame), *self._requests_sent(made)])

    @property
    def _responses(self) -> frozenset[str]:
        return frozenset().union(*(library.responses for library in self.registry.libraries))

    def _requests_sent(self, made: Made) -> Iterator[tuple[cst.Call, Frame]]:
        """The calls that make the request object which a call sends: ``urlopen(request)``."""
        if self.registry.canonical(made.name) not in self.registry.sendings:
            return
        for argument in made.call.args[:1]:
            for alternative in self.evaluator.evaluate(argument.value, made.frame):
                value = alternative.value
                if isinstance(value, Made) and self.registry.canonical(value.name) in self.registry.buildings:
                    yield value.call, value.frame

    def _answered(self, senders: Iterable[tuple[cst.Call, Frame]]) -> Read:
        unsure: Read = None
        for sender, frame in senders:
            exchanges = self.requests.exchanges(sender, frame)
            requests = self.requests.among(exchanges)
            elsewhere = any(self.requests.goes_elsewhere(exchange) for exchange in exchanges)
            if requests:
                return self._answer(sender, requests, frame.module) if not elsewhere else UNSURE
            if elsewhere:
                return ELSEWHERE
            if any(not exchange.by_wrapper for exchange in exchanges):
                unsure = UNSURE
        return unsure

    def _answer(self, sender: cst.Call, requests: list[ApiRequest], module: Module) -> ReplyPart:
        endpoints = {self.catalog.endpoint_path(r.exchange.url_text.replace(HOLE, "{}")) for r in requests}
        certain = any(request.confidence is Confidence.CERTAIN for request in requests)
        return ReplyPart(
            Kind.RESPONSE,
            endpoints.pop() if len(endpoints) == 1 else None,
            Confidence.CERTAIN if certain else Confidence.LIKELY,
            sender,
            requests[0].exchange.library or self._annotated_library(sender, module),
        )

    def _annotated_library(self, sender: cst.Call, module: Module) -> Library | None:
        """The library of a client that comes as a parameter, by the parameter's annotation."""
        scope = module.scope_of(sender)
        if not isinstance(sender.func, cst.Attribute) or not isinstance(scope, cst.FunctionDef):
            return None
        for parameter in parameters(scope.params):
            if parameter.name.value == dotted(sender.func.value) and parameter.annotation is not None:
                node = parameter.annotation.annotation
                value = self.evaluator.only(Thunk(node, self.evaluator.frame_of(module, scope)))
                known = self.registry.clients.get(self.registry.name_of(value))
                return known[0] if known is not None else None
        return None

    # What is taken out of a part

    def _derived(self, value: Derived) -> Read:
        if value.how is How.RETURNED:
            return self._returned(value)
        read = self.read(value.whole)
        if value.how is How.ATTRIBUTE:
            return self._member(read, str(value.key), None, None)
        if value.how is How.CALLED:
            answered = self._returned(value) if read is None else None
            return answered or self._member(read, str(value.key), value.call, value.frame)
        if not isinstance(read, ReplyPart):
            return read
        if value.how is How.ELEMENT:
            reader = isinstance(value.whole, Part) and read.is_text  # iter(response.readline, b"")
            return read if reader else self._element(read)
        if value.how is How.ITEM:
            if read.kind is Kind.BLOCK_LINES and value.key is not None:  # the first line has the name of the event
                return replace(read, kind=Kind.BLOCK if value.key == 0 else Kind.EVENT_DATA)
            return self._item(read, "?" if value.key is None else str(value.key))
        if value.how is How.GLUED:
            return replace(read, kind=Kind.BODY) if read.is_text else replace(read, path=(*read.path, "+"))
        return read if read.is_text or read.path else None

    def _returned(self, value: Derived) -> Read:
        """What a function that nobody knows returned: the response to the request that its arguments describe."""
        if value.call is None or value.frame is None:
            return None
        answered = self._answered([(value.call, value.frame)]) or self._validated(value.call, value.frame)
        sdk_call = self._sdk_methods.get(self._method_name(value.call))
        if answered is None and sdk_call is not None and self._is_of_sdk(sdk_call, value.call):
            return self._from_sdk(sdk_call, value.call, Confidence.LIKELY)
        return answered

    def _method_name(self, call: cst.Call) -> str:
        """``messages.create`` of ``self.client.messages.create``, as far as it is a method of an SDK."""
        names = (dotted(call.func) or last_name(call.func) or "").split(".")
        return next((name for n in range(len(names)) if (name := ".".join(names[n:])) in self._sdk_methods), "")

    def _is_of_sdk(self, sdk_call: SdkCall, call: cst.Call) -> bool:
        """Whether a method of something unknown is the SDK's: its name tells, or the module speaks of the SDK."""
        if sdk_call.distinctive:
            return True
        if "." in sdk_call.method:  # OpenAI has client.beta.threads.messages.create
            return "anthropic" in self.module.words and "threads" not in code_of(call.func)
        return self._speaks_old_sdk

    def _validated(self, call: cst.Call, frame: Frame | None) -> Read:
        """``Reply.model_validate(response.json())``: an object of the program's own, made from a reply."""
        if last_name(call.func) not in _VALIDATORS or frame is None:
            return None
        read = self._argument(call, frame, 0)
        return self._parsed(read) if isinstance(read, ReplyPart) and read.is_text else read

    @property
    def _speaks_old_sdk(self) -> bool:
        """Whether the module makes requests in the words of the old SDK, and imports it."""
        streams = (stream for stream in self.catalog.streams if stream.words)
        words = frozenset().union(*(stream.words for stream in streams))
        return bool(words & self.module.words) and any(
            call.client.split(".")[0] in self.module.words for call in self.catalog.sdk_calls
        )

    def _element(self, read: ReplyPart) -> Read:
        if read.kind in _ELEMENTS:
            return replace(read, kind=_ELEMENTS[read.kind])
        if read.kind is Kind.RESPONSE:
            given = self._member(read, ITERATED, None, None)
            return self._element(given) if isinstance(given, ReplyPart) and given.kind in _ELEMENTS else None
        if read.sdk is not None and read.sdk.stream_argument and not read.path:
            return replace(read, streamed=True)  # who iterates over it has asked for a stream
        return replace(read, path=(*read.path, "[]")) if read.kind is Kind.REPLY else None

    def _item(self, read: ReplyPart, key: str) -> Read:
        if read.kind is Kind.REPLY:
            return replace(read, path=(*read.path, key))
        if read.kind in _ELEMENTS:
            return replace(read, kind=_ELEMENTS[read.kind])
        return read if read.is_text else None

    def _member(self, read: Read, name: str, call: cst.Call | None, frame: Frame | None) -> Read:
        """An attribute of a part, or what its method gives; ``call`` is the method's call, if it was called."""
        if not isinstance(read, ReplyPart):
            return read
        if read.kind is Kind.RESPONSE:
            return self._of_response(read, name, call)
        if read.kind in (Kind.EVENTS, Kind.EVENT):
            return _of_events(read, name)
        if read.kind is Kind.REPLY:
            return self._of_reply(read, name, call, frame)
        if read.sdk is not None:
            return _of_sdk_stream(read, name)
        return _of_text(read, name, call)

    def _of_response(self, read: ReplyPart, name: str, call: cst.Call | None) -> Read:
        libraries = [read.library] if read.library is not None and read.library.response else self.registry.libraries
        for library in libraries:
            reading = library.response.get(name)
            if reading is None:
                continue
            binary: bool | None = reading.binary
            if read.library is None or (call is not None and _is_told(call, reading.decoded_by)):
                binary = None if read.library is None else False
            streamed = reading.gives not in (Gives.REPLY, Gives.BODY)
            blocks = reading.gives is Gives.LINES and call is not None and _splits_at_blank_lines(call)
            kind = Kind.BLOCKS if blocks else Kind[reading.gives.name]
            return replace(read, kind=kind, binary=binary, streamed=streamed)
        return read if name in _RESPONSE_ITSELF else None

    def _of_reply(self, read: ReplyPart, name: str, call: cst.Call | None, frame: Frame | None) -> Read:
        if call is None:
            return replace(read, path=(*read.path, name))
        if name in _LOOKUPS and frame is not None and call.args:
            key = self.evaluator.only(Thunk(call.args[0].value, frame))
            return self._item(read, str(key.value) if isinstance(key, Const) else "?")
        return read if name in _TEXT_METHODS or name in _SAME_OBJECT else None

    # Objects that a reply is made into

    def _instance(self, value: Instance) -> Read:
        """An object that is made from a parsed reply: ``Reply(**response.json())``."""
        if value.call is None or value.frame is None:
            return None
        for argument in value.call.args:
            if argument.star == "**":
                part = self.of(argument.value, value.frame)
                if part is not None and part.kind is Kind.REPLY:
                    return part
        return None


def _read_together(found: Iterable[Read]) -> Read:
    """What something is of which several things are known."""
    reads = list(found)
    for other in (ELSEWHERE, UNSURE):
        if any(read is other for read in reads):
            return other
    parts = [read for read in reads if isinstance(read, ReplyPart)]
    return _joined(parts) if parts else None


def _joined(parts: list[ReplyPart]) -> ReplyPart:
    """One part for several that something can be; only likely where they differ."""
    first = parts[0]
    if any(part.kind is not first.kind or part.path != first.path for part in parts):
        first = replace(first, confidence=Confidence.LIKELY)
    if any(part.confidence is Confidence.LIKELY for part in parts):
        first = replace(first, confidence=Confidence.LIKELY)
    if any(part.endpoint != first.endpoint for part in parts):
        first = replace(first, endpoint=None)
    if any(part.binary != first.binary for part in parts):
        first = replace(first, binary=None)
    return first


def _decoded(read: Read) -> Read:
    return replace(read, kind=Kind.LINES, binary=False, streamed=True) if isinstance(read, ReplyPart) else read


def _of_sdk_stream(read: ReplyPart, name: str) -> Read:
    """What a stream of the SDK gives: its events, or the message that they add up to."""
    if name in ("get_final_message", "current_message_snapshot"):
        return replace(read, kind=Kind.REPLY, streamed=False)
    return read if name in ("__enter__", "__aenter__", "__iter__", "__aiter__") else None


def _of_events(read: ReplyPart, name: str) -> Read:
    if read.kind is Kind.EVENTS:
        return read if name in ("events", "iter_sse", "aiter_sse", "__iter__", "__enter__") else None
    if name == "data":
        return replace(read, kind=Kind.EVENT_DATA, streamed=True, binary=False)
    if name == "json":
        return replace(read, kind=Kind.REPLY, streamed=True)
    return replace(read, kind=Kind.EVENT_NAME) if name == "event" else None


def _of_text(read: ReplyPart, name: str, call: cst.Call | None) -> Read:
    """What a method of text, of a list of lines or of a stream gives."""
    if name in ("decode", "encode") and read.is_text:
        return replace(read, binary=name == "encode")
    if name in _SPLITTING_METHODS and read.is_text:
        return replace(read, kind=_split(read, name, call), streamed=True)
    if read.is_text:
        return read if name in _TEXT_METHODS else None
    if name in _LINE_METHODS and read.kind in _ELEMENTS:
        return replace(read, kind=Kind.BLOCK if read.kind is Kind.BLOCKS else Kind.LINE)
    if name in _CHUNK_METHODS and read.kind is Kind.LINES:
        return replace(read, kind=Kind.CHUNKS)
    if name in _PIECE_METHODS and read.kind in (Kind.LINES, Kind.CHUNKS):
        return replace(read, kind=Kind.CHUNK)
    return read if name in ("__iter__", "__aiter__", "iter_lines") and read.kind in _ELEMENTS else None


def _split(read: ReplyPart, method: str, call: cst.Call | None) -> Kind:
    """What a text comes apart into: blocks at blank lines, and lines elsewhere."""
    if call is not None and _splits_at_blank_lines(call):
        return Kind.BLOCKS
    separators = _separators(call) if call is not None else frozenset[str]()
    if read.kind is Kind.BLOCK and (method == "splitlines" or any(map(_ends_first_line, separators))):
        return Kind.BLOCK_LINES
    return Kind.LINES


def _ends_first_line(separator: str) -> bool:
    """Whether what stands behind a separator is data: the line end, or the beginning of the data itself."""
    return separator in ("\n", "\r\n") or separator.strip().startswith("data:")


def _splits_at_blank_lines(call: cst.Call) -> bool:
    """Whether a text is split into blocks: at two line ends, one after the other."""
    return not _separators(call).isdisjoint({"\n\n", "\r\n\r\n"})


def _separators(call: cst.Call) -> frozenset[str]:
    """The literals that a text is split at, bytes as text."""
    values = [string_value(argument.value) for argument in call.args]
    return frozenset(v.decode("latin-1") if isinstance(v, bytes) else v for v in values if v is not None)


def _is_told(call: cst.Call, argument: str) -> bool:
    """Whether a call has a keyword argument that is not false."""
    return any(
        a.keyword is not None and a.keyword.value == argument and last_name(a.value) != "False" for a in call.args
    )
