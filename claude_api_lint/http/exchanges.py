"""From a call to the requests that it sends: for each way, the URL and the headers that go out.

Known libraries are read by their declarations. A call of something unknown counts as a *wrapper* when its arguments are
those of a request: a URL, and a mapping that can only be headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TypeVar

import libcst as cst

from claude_api_lint.dataflow import mappings, texts
from claude_api_lint.dataflow.calls import Arguments
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import dotted, last_name, walk
from claude_api_lint.dataflow.values import (
    HOLE,
    NOTHING,
    Alternative,
    Alternatives,
    Assumptions,
    Change,
    Class,
    Frame,
    Function,
    Made,
    Mapping,
    Part,
    Place,
    Prepared,
    Sequence,
    Text,
    Unknown,
    Value,
    compatible,
    context_of,
    just,
)
from claude_api_lint.http.bodies import Body, given_body
from claude_api_lint.http.clients import Clients, joined
from claude_api_lint.http.declarations import Building, Library, Parameter, Sending
from claude_api_lint.http.headers import Headers, as_mapping
from claude_api_lint.http.own_clients import OwnClients
from claude_api_lint.http.patches import Patches
from claude_api_lint.http.reached import Reached
from claude_api_lint.http.reads import Read, further, pairs
from claude_api_lint.http.registry import Registry, load_registry
from claude_api_lint.http.sending_calls import SendingCalls, passes_partial
from claude_api_lint.http.wrappers import Wrappers

Way = TypeVar("Way")

MAX_WAYS = 500
"""Ways in which one call may send something; of a call with more, nothing is known."""

# The attributes of request objects that hold the body; () is the object itself, handed elsewhere.
_CONTENTS = ((), ("data",), ("body",), ("json",), ("content",))


@dataclass(frozen=True)
class Exchange:
    """One way in which one call sends a request.

    ``call`` is the call as a reader would point at it, or the class for whose objects another file sends it, and then
    ``sent_at`` is the call there. ``url_when``, ``headers_when`` and ``client_when`` say what the URL, the headers and
    the state of the client rest on, and ``when`` what all of it does. ``library`` is None for a wrapper, ``body`` where
    none is seen. ``client`` is the call that makes the client.
    """

    module: Module
    call: cst.Call | cst.ClassDef
    frame: Frame
    url: Value
    url_when: Assumptions
    headers: Mapping
    headers_when: Assumptions
    library: Library | None
    by_wrapper: bool = False
    body: Body | None = None
    client_when: Assumptions = NOTHING
    sent_at: Place | None = None
    client: Place | None = None

    @cached_property
    def when(self) -> Assumptions:
        return self.url_when | self.headers_when | self.client_when

    @cached_property
    def context(self) -> Assumptions:
        """What it rests on apart from branches."""
        return context_of(self.when)

    @property
    def sending(self) -> cst.CSTNode:
        """The call that sends the request."""
        return self.call if self.sent_at is None else self.sent_at.node

    @property
    def url_text(self) -> str:
        """The URL with holes for what is unknown."""
        return texts.pattern_of(self.url)


class Exchanges:
    """Reads the calls of one module."""

    def __init__(
        self, evaluator: Evaluator, registry: Registry | None = None, paths: frozenset[str] = frozenset()
    ) -> None:
        """``paths`` are single words that may be the path of a request, relative to a client's base URL."""
        self.evaluator = evaluator
        self.registry = registry or load_registry()
        self._headers = Headers(evaluator)
        self._clients = Clients(evaluator, self.registry)
        self._wrappers = Wrappers(evaluator, self.registry)
        self._patches = Patches(evaluator, self.registry)
        self._own_clients = OwnClients(evaluator, self.registry)
        self.calls = SendingCalls(evaluator, self.registry, self._wrappers, paths)
        self._reached = Reached(evaluator, self._read, self.calls.may_send, self.registry.last_names)

    def of(self, module: Module, call: cst.Call, frame: Frame | None = None) -> list[Exchange]:
        """The requests that a call sends; none for a call that sends nothing, or of which nothing is known.

        ``frame`` is the activation in which it does; without one, any.
        """
        if not self.calls.may_send(module, call) and not self.calls.may_reach(module, call):
            return []
        with self.evaluator.question():
            return self._of(module, call, frame or self.evaluator.frame_of(module, call))

    def _of(self, module: Module, call: cst.Call, frame: Frame) -> list[Exchange]:
        ways = _all_if_few(
            (callee.when, read)
            for callee in self.evaluator.evaluate(call.func, frame)
            for read in self._read(callee.value, call, frame)
        )
        if not any(_tells(read) for _, read in ways):
            return [self._exchange(read, when, NOTHING, module, call, frame) for when, read in ways]
        conditions = self.evaluator.flow.conditions(call, frame)  # asked last: tests lead to all callers of a function
        if conditions is None:
            return []
        return [
            self._exchange(read, when, conditions, module, call, frame)
            for when, read in ways
            if compatible(when, conditions)
            and compatible(when | conditions, read.url_when)
            and compatible(when | conditions | read.url_when, read.headers_when)
        ]

    def _exchange(
        self,
        read: Read,
        client_when: Assumptions,
        conditions: Assumptions,
        module: Module,
        call: cst.Call | cst.ClassDef,
        frame: Frame,
    ) -> Exchange:
        """The exchange that takes place: its URL rests on the call's conditions as well."""
        headers, library = read.headers, read.library
        sender = module if read.sent_at is None else read.sent_at.module
        hooks = library.global_hooks if library is not None and read.client is None else frozenset()
        if library is not None and (hooks & sender.words or self._patches.are_in(sender)):
            headers = mappings.opened(headers, "headers that every request gets")
        url_when = read.url_when | conditions
        return Exchange(
            module=module,
            call=call,
            frame=frame,
            url=read.url,
            url_when=url_when,
            headers=headers,
            headers_when=read.headers_when,
            library=library,
            by_wrapper=read.by_wrapper,
            body=read.body,
            client_when=client_when,
            sent_at=read.sent_at,
            client=read.client,
        )

    def _read(self, callee: Value, call: cst.Call, frame: Frame, prepared: Prepared | None = None) -> Iterator[Read]:
        if isinstance(callee, Prepared):
            yield from self._read(callee.callee, call, frame, callee)
            return
        if isinstance(callee, Function) and callee.module is not frame.module:
            yield from self._sent_elsewhere(callee, call, frame)
        if isinstance(callee, Function | Class):
            return
        name = self.registry.name_of(callee) or self._inherited_name(callee)
        receiver = callee.whole if isinstance(callee, Part) and isinstance(callee.whole, Made) else None
        if name in self.registry.sendings:
            library, sending = self.registry.sendings[name]
            if isinstance(callee, Unknown):
                yield from self._sent_by_own_client(library, sending, call, frame, prepared)
                return
            for read in self._sent(library, sending, receiver, call, frame, prepared):
                yield replace(read, library=library, client=_made_at(receiver))
        elif name in self.registry.buildings and self.registry.buildings[name][1].sends:
            library, building = self.registry.buildings[name]
            for read in self._built_and_sent(library, building, name, call, frame):
                yield replace(read, library=library)
        elif passes_partial(call):
            yield from self._prepared_elsewhere(call, frame)
        elif self._wrappers.looks_like_request(call) and self._wrappers.may_be(callee, name):
            yield from self._wrappers.read(call, frame)

    def _sent_by_own_client(
        self, library: Library, sending: Sending, call: cst.Call, frame: Frame, prepared: Prepared | None
    ) -> Iterator[Read]:
        """What a method sends that the program's own kind of client inherits."""
        clients = self._own_clients.called(call, frame)
        for client in clients:
            assert isinstance(client.value, Made)
            for read in further(self._sent(library, sending, client.value, call, frame, prepared), client.when):
                yield replace(read, library=library, client=_made_at(client.value))
        for read in self._sent(library, sending, None, call, frame, prepared) if not clients else ():
            yield replace(_inherited(read), library=library)

    def _sent_elsewhere(self, callee: Function, call: cst.Call, frame: Frame) -> Iterator[Read]:
        """What a function of another file sends; where that is not seen, what the arguments say by themselves."""
        found = list(self._reached.by_call(callee, call, frame))
        yield from found
        looks_like_request = self._wrappers.looks_like_request
        if found or not looks_like_request(call):
            return
        if any(isinstance(node, cst.Call) and looks_like_request(node) for node in walk(callee.node.body)):
            yield from self._wrappers.read(call, frame)

    def of_class(self, module: Module, node: cst.ClassDef) -> list[Exchange]:
        """The requests that methods inherited from other files send for the objects of a class."""
        cls = Class(module, node)
        objects, frame = self.evaluator.objects, self.evaluator.frame_of(module, node)
        ways = (read for method in objects.inherited(cls) for read in self._reached.by_class(cls, method))
        with self.evaluator.question():
            return [self._exchange(read, NOTHING, NOTHING, module, node, frame) for read in _all_if_few(ways)]

    def _inherited_name(self, callee: Value) -> str:
        """The name of a client's method that a class of the program inherits; empty for anything else."""
        if not isinstance(callee, Unknown):
            return ""
        client, _, method = callee.name.rpartition(".")
        client = self.registry.canonical(client)
        return f"{client}().{method}" if client in self.registry.clients else ""

    def _prepared_elsewhere(self, call: cst.Call, frame: Frame) -> Iterator[Read]:
        """``run_in_executor(None, functools.partial(requests.post, url, headers=headers))``."""
        for argument in call.args:
            for alternative in self.evaluator.evaluate(argument.value, frame):
                if isinstance(alternative.value, Prepared):
                    nothing_more = cst.Call(func=cst.Name("prepared"))
                    yield from further(self._read(alternative.value, nothing_more, frame), alternative.when)

    # Known libraries

    def _sent(
        self,
        library: Library,
        sending: Sending,
        client: Made | None,
        call: cst.Call,
        frame: Frame,
        prepared: Prepared | None,
    ) -> Iterator[Read]:
        for arguments, when in self.evaluator.calls.arguments(call, frame, prepared):
            if sending.command is not None:
                for alternative in sending.command(self.evaluator, arguments):
                    if isinstance(alternative.value, Sequence) and compatible(when, alternative.when):
                        url, mapping = alternative.value.items
                        if isinstance(url, Value) and isinstance(mapping, Mapping):
                            yield Read(url, alternative.when | when, mapping, alternative.when | when)
            elif sending.begun_by:
                yield from further(self._begun(sending, client), when)
            elif sending.request is not None:
                yield from self._request_sent(library, sending.request, client, arguments, when)
            if sending.url is not None and not sending.begun_by:
                for sender in self._clients_given(sending, arguments) or [client]:
                    urls = self._clients.urls(sender, arguments, sending.url)
                    headers = self._clients.headers(library, sender, arguments, sending.headers)
                    yield from pairs(urls, headers, when, given_body(sending, arguments))

    def _begun(self, sending: Sending, client: Made | None) -> Iterator[Read]:
        """A request whose URL and headers a client was told by one call after the other."""
        changes = client.changes if client is not None else ()
        begun = [index for index, change in enumerate(changes) if change.path == (sending.begun_by,)]
        first = changes[begun[-1]] if begun else None
        if first is None or not isinstance(first.node, cst.Call):
            return
        headers: Alternatives = just(Mapping())
        for change in changes[begun[-1] + 1 :]:
            headers = self.evaluator.limit(self._request_changed(headers, change, sending.adders))
        for arguments, when in self.evaluator.calls.arguments(first.node, first.frame):
            yield from pairs(self._clients.urls(client, arguments, sending.url), headers, when)

    def _clients_given(self, sending: Sending, arguments: Arguments) -> list[Made | None]:
        """The clients that a function may be told to send with."""
        given = sending.client and arguments.get(sending.client.position, *sending.client.names)
        found = self.evaluator.force(given) if given else ()
        return [alternative.value for alternative in found if isinstance(alternative.value, Made)]

    # Requests that are built first

    def _request_sent(
        self, library: Library, declared: Parameter, client: Made | None, arguments: Arguments, when: Assumptions
    ) -> Iterator[Read]:
        given = arguments.get(declared.position, *declared.names)
        if given is None:
            return
        for alternative in self.evaluator.force(given):
            if isinstance(alternative.value, Made) and compatible(when, alternative.when):
                yield from further(self._built(library, alternative.value, client), alternative.when | when)

    def _built(self, library: Library, made: Made, client: Made | None) -> Iterator[Read]:
        """URL and headers of a request object."""
        known = self.registry.buildings.get(self.registry.canonical(made.name))
        if known is None:
            return
        building = known[1]
        for read in self._built_from(library, building, made, client):
            headers: Alternatives = (Alternative(read.headers, read.headers_when),)
            for change in made.changes:
                headers = self.evaluator.limit(self._request_changed(headers, change, building.adders))
            body = None if any(change.path[:1] in _CONTENTS for change in made.changes) else read.body
            yield from pairs((Alternative(read.url, read.url_when),), headers, NOTHING, body)

    def _built_from(self, library: Library, building: Building, made: Made, client: Made | None) -> Iterator[Read]:
        """URL and headers that a request object was made with."""
        owner = made.receiver if isinstance(made.receiver, Made) else None
        if building.url is None and building.request is None and owner is not None:
            yield from self._built(library, owner, client)
            return
        for arguments, when in self.evaluator.calls.arguments(made.call, made.frame):
            if building.request is not None:
                yield from self._request_sent(library, building.request, owner, arguments, when)
                continue
            headers = self._clients.headers(library, owner or client, arguments, building.headers)
            urls = self._clients.urls(owner, arguments, building.url)
            yield from pairs(urls, headers, when, given_body(building, arguments))

    def _request_changed(self, states: Alternatives, change: Change, adders: frozenset[str]) -> Iterable[Alternative]:
        """The headers of a request object after something was done to it."""
        if change.kind == "unknown":
            return [
                Alternative(mappings.opened(as_mapping(a.value), "a request handed elsewhere"), a.when) for a in states
            ]
        if change.kind == "call" and change.path[-1] in adders and isinstance(change.node, cst.Call):
            return self._headers.added(states, change.node, change.frame)
        if change.path[:1] == ("headers",):
            return self._headers.changed(states, change)
        return states

    def _built_and_sent(
        self, library: Library, building: Building, name: str, call: cst.Call, frame: Frame
    ) -> Iterator[Read]:
        """A request object whose making counts as sending, as it is by the end of the function."""
        for alternative in self._final_states(Made(name, call, frame), call, frame):
            if isinstance(alternative.value, Made) and alternative.value.call is call:
                yield from further(self._built(library, alternative.value, None), alternative.when)

    def _final_states(self, made: Made, call: cst.Call, frame: Frame) -> Alternatives:
        """What became of an object that a statement assigns to a name: what later statements did to it."""
        module = frame.module
        step = module.step_of(call)
        if isinstance(step, cst.Return) and self._completed_elsewhere("", step, frame):
            return just(replace(made, changes=(Change("unknown", (), call, frame),)))
        if self._is_handed_on(call, frame):
            return just(replace(made, changes=(Change("unknown", (), call, frame),)))
        if not isinstance(step, cst.Assign | cst.AnnAssign) or step.value is not call:
            return just(made)
        target = step.targets[0].target if isinstance(step, cst.Assign) else step.target
        path = dotted(target)
        if path is None:
            return just(made)
        found = self._at_end_of_scope(path, step, frame)
        states = tuple(a for a in found if isinstance(a.value, Made) and a.value.call is call)
        if self._completed_elsewhere(path, step, frame):
            return just(replace(made, changes=(Change("unknown", (), call, frame),)))
        return states or just(made)

    def _is_handed_on(self, call: cst.Call, frame: Frame) -> bool:
        """Whether a request object is made for a function that may complete it: ``urlopen(prepare(Request(url)))``."""
        argument = frame.module.parent(call)
        taker = frame.module.parent(argument) if isinstance(argument, cst.Arg) else None
        if not isinstance(taker, cst.Call):
            return False
        return any(isinstance(a.value, Function | Unknown) for a in self.evaluator.evaluate(taker.func, frame))

    def _at_end_of_scope(self, path: str, step: cst.CSTNode, frame: Frame) -> Alternatives:
        scope = frame.module.scope_of(step)
        if isinstance(scope, cst.FunctionDef):
            return self.evaluator.flow.at_end(scope, path, frame)
        return self.evaluator.flow.at_module_end(path, frame) if scope is None else ()

    def _completed_elsewhere(self, path: str, step: cst.CSTNode, frame: Frame) -> bool:
        """Whether other functions may complete the object: it is kept in an attribute, or returned."""
        module, scope = frame.module, frame.module.scope_of(step)
        others = [
            call
            for call in module.nodes(cst.Call)
            if last_name(call.func) in self.registry.adders and module.scope_of(call) is not scope
        ]
        if not others:
            return False
        returned = any(
            isinstance(node.value, cst.Name) and node.value.value == path and module.scope_of(node) is scope
            for node in module.nodes(cst.Return)
        )
        return "." in path or returned or isinstance(step, cst.Return)


def _inherited(read: Read) -> Read:
    """What the program's own kind of client sends, of which nothing is known: its base URL and headers are not seen."""
    headers = mappings.opened(read.headers, "a client's subclass may add headers")
    return replace(read, url=joined(Text(HOLE), read.url), headers=headers)


def _made_at(client: Made | None) -> Place | None:
    return Place(client.frame.module, client.call) if client is not None else None


def _all_if_few(ways: Iterator[Way]) -> list[Way]:
    """All of them; none where there are too many to follow."""
    found = list(islice(ways, MAX_WAYS + 1))
    return found if len(found) <= MAX_WAYS else []


def _tells(read: Read) -> bool:
    """Whether anything is known of where a request goes, or of its headers."""
    return bool(read.headers.entries) or texts.pattern_of(read.url) not in ("", HOLE)
