"""From a call to the requests that it sends: for each way, the URL and the headers that go out.

Known libraries are read by their declarations. A call of something unknown counts as a *wrapper* when its arguments are
those of a request: a URL, and a mapping that can only be headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from claude_api_lint.dataflow import mappings, texts
from claude_api_lint.dataflow.calls import Arguments
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.flow import Leaving
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import dotted, string_value
from claude_api_lint.dataflow.values import (
    NOTHING,
    Alternative,
    Alternatives,
    Assumptions,
    Change,
    Class,
    Const,
    Entry,
    External,
    Frame,
    Function,
    Instance,
    Made,
    Mapping,
    Part,
    Place,
    Prepared,
    Sequence,
    Thunk,
    Unknown,
    Value,
    assuming,
    compatible,
    just,
)
from claude_api_lint.http.declarations import Building, Client, Library, Parameter, Sending
from claude_api_lint.http.registry import Registry, load_registry

AUTH_HEADERS = frozenset({"x-api-key", "authorization", "api-key"})
"""Headers that carry a key: a mapping with one of them is meant to be the request's whole set."""
HEADER_NAMES = AUTH_HEADERS | {"content-type", "accept", "user-agent"}

_SENDING_WORDS = frozenset(
    "post get put patch delete head request requests send fetch call stream http https query retry invoke execute "
    "submit download upload urlopen perform".split()
)
# What is done with a request apart from sending it.
_NOT_SENDING = frozenset(
    "build create new construct prepare parse format validate config configure register mock stub fake expect match "
    "verify assert log trace record dump print debug info warn error sign redact mask sanitize serialize encode hash "
    "cache key headers responses respx".split()
)
_URL_NAME = re.compile(r"(^|_)(url|uri|endpoint|link|host|api_base|base)s?($|_)", re.IGNORECASE)


@dataclass(frozen=True)
class Exchange:
    """One way in which one call sends a request.

    ``call`` is the call as a reader would point at it. ``url_when`` is what the URL alone rests on; ``when`` what all
    of it rests on. ``library`` is None for a wrapper.
    """

    module: Module
    call: cst.Call
    frame: Frame
    url: Value
    url_when: Assumptions
    headers: Mapping
    headers_when: Assumptions
    library: Library | None
    by_wrapper: bool = False

    @cached_property
    def when(self) -> Assumptions:
        return self.url_when | self.headers_when

    @property
    def url_text(self) -> str:
        """The URL with holes for what is unknown."""
        return texts.pattern_of(self.url)


@dataclass(frozen=True)
class Read:
    """What a call's arguments say about a request: an Exchange before it is known to take place."""

    url: Value
    url_when: Assumptions
    headers: Mapping
    headers_when: Assumptions
    library: Library | None = None
    by_wrapper: bool = False


class Exchanges:
    """Reads the calls of one module."""

    def __init__(self, evaluator: Evaluator, registry: Registry | None = None) -> None:
        self.evaluator = evaluator
        self.registry = registry or load_registry()
        self._last_names = self.registry.last_names

    def of(self, module: Module, call: cst.Call) -> list[Exchange]:
        """The requests that a call sends; none for a call that sends nothing, or of which nothing is known."""
        if not self._may_send(call):
            return []
        frame = self.evaluator.frame_of(module, call)
        conditions = self.evaluator.flow.conditions(call, frame)
        if conditions is None:
            return []
        found: list[Exchange] = []
        for callee in self.evaluator.evaluate(call.func, frame):
            if not compatible(callee.when, conditions):
                continue
            base = callee.when | conditions
            for read in self._read(callee.value, call, frame):
                if compatible(base, read.url_when) and compatible(base | read.url_when, read.headers_when):
                    found.append(self._exchange(read, base, module, call, frame))
        return found

    def _exchange(self, read: Read, when: Assumptions, module: Module, call: cst.Call, frame: Frame) -> Exchange:
        """The exchange that takes place under the conditions of the call, which the URL then rests on as well."""
        headers, library = read.headers, read.library
        if library is not None and library.global_hooks & module.words:
            headers = mappings.opened(headers, "headers that every request gets")
        url_when = read.url_when | when
        return Exchange(module, call, frame, read.url, url_when, headers, read.headers_when, library, read.by_wrapper)

    def _may_send(self, call: cst.Call) -> bool:
        """A cheap look before anything is evaluated."""
        if any(a.star or (a.keyword is not None and _is_request_word(a.keyword.value)) for a in call.args):
            return True
        name = _last_name(call.func) or ""
        if name in self._last_names:
            return not _looks_up_a_key(call)
        return len(call.args) > 1 and (not name or bool(_words(name) & _SENDING_WORDS))

    def _read(self, callee: Value, call: cst.Call, frame: Frame, prepared: Prepared | None = None) -> Iterator[Read]:
        if isinstance(callee, Prepared):
            yield from self._read(callee.callee, call, frame, callee)
            return
        if isinstance(callee, Function | Class):
            return
        name, receiver = self._name_of(callee)
        if name in self.registry.sendings:
            library, sending = self.registry.sendings[name]
            for read in self._sent(library, sending, receiver, call, frame, prepared):
                yield replace(read, library=library)
        elif name in self.registry.buildings and self.registry.buildings[name][1].sends:
            library, building = self.registry.buildings[name]
            for read in self._built_and_sent(library, building, name, call, frame):
                yield replace(read, library=library)
        elif self._may_wrap(callee, name, call):
            yield from self._wrapped(callee, call, frame)

    def _name_of(self, callee: Value) -> tuple[str, Made | None]:
        """The dotted name of what is called, and the client that it is a method of."""
        if isinstance(callee, External):
            return self.registry.canonical(callee.name), None
        if isinstance(callee, Part) and isinstance(callee.whole, Made):
            return self.registry.canonical(f"{callee.whole.name}().{'.'.join(callee.path)}"), callee.whole
        if isinstance(callee, Made):
            return self.registry.canonical(callee.name), None
        return "", None

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
            elif sending.request is not None:
                yield from self._request_sent(library, sending.request, client, arguments, when)
            else:
                urls = self._urls(client, arguments, sending.url)
                headers = self._headers(library, client, arguments, sending.headers)
                yield from _pairs(urls, headers, when)

    def _urls(self, client: Made | None, arguments: Arguments, declared: Parameter | None) -> Alternatives:
        """The URL argument, joined to the client's base URL."""
        evaluator = self.evaluator
        given = arguments.get(declared.position, *declared.names) if declared is not None else None
        urls = evaluator.force(given) if given is not None else just(Unknown("a URL that is not seen"))
        if client is None:
            return urls
        description = self._client(client)
        if description is None or description.base_url is None:
            return urls
        bases = self._client_argument(client, description.base_url)
        return evaluator.limit(
            evaluator.combine((bases, urls), lambda base, url: _joined(base, url, description.scheme))
        )

    def _client(self, client: Made) -> Client | None:
        known = self.registry.clients.get(self.registry.canonical(client.name))
        return known[1] if known else None

    def _client_argument(self, client: Made, declared: Parameter) -> Alternatives:
        """What a client was constructed with, or what was assigned to the attribute of that name since."""
        for change in reversed(client.changes):
            if (
                change.kind == "set"
                and change.path == (declared.names[0],)
                and isinstance(change.node, cst.BaseExpression)
            ):
                return self.evaluator.evaluate(change.node, change.frame)
        found: list[Alternative] = []
        for arguments, when in self.evaluator.calls.arguments(client.call, client.frame):
            given = arguments.get(declared.position, *declared.names)
            if given is not None:
                found.extend(assuming(self.evaluator.force(given), when))
            elif arguments.may_have(declared.position):
                found.append(Alternative(Unknown("arguments that are passed on to the client"), when))
            else:
                found.append(Alternative(Const(None), when))
        return tuple(found)

    def _headers(
        self, library: Library, client: Made | None, arguments: Arguments, declared: Parameter | None
    ) -> Alternatives:
        """The headers argument on top of the client's defaults, as a closed or open Mapping."""
        given = self._given_headers(library, arguments, declared)
        if client is None:
            return given
        description = self._client(client)
        if description is not None and not description.merges and self._has(arguments, declared):
            return given
        defaults = self._default_headers(library, client, arguments)
        return self.evaluator.limit(
            self.evaluator.combine((defaults, given), lambda old, new: _overridden(_mapping(old), _mapping(new)))
        )

    def _has(self, arguments: Arguments, declared: Parameter | None) -> bool:
        return declared is not None and arguments.get(declared.position, *declared.names) is not None

    def _given_headers(self, library: Library, arguments: Arguments, declared: Parameter | None) -> Alternatives:
        if declared is None:
            return just(Mapping())
        if "auth" in arguments.keywords and self._hooked(arguments.keywords["auth"]):
            return just(Mapping((), True, why="an auth object that may add headers"))
        given = arguments.get(declared.position, *declared.names)
        if given is not None:
            return tuple(Alternative(self._as_headers(a.value, library), a.when) for a in self.evaluator.force(given))
        if arguments.may_have(declared.position):
            return just(Mapping((), True, why="arguments that are passed on"))
        return just(Mapping())

    def _as_headers(self, value: Value, library: Library | None) -> Mapping:
        if isinstance(value, Const) and value.value is None:
            return Mapping()
        mapping = self.evaluator.as_mapping(value)
        if mapping is None:
            return Mapping((), True, why=self.evaluator.why(value))
        if library is not None and library.drops_none:
            kept = tuple(entry for entry in mapping.entries if not self._is_none(entry))
            return replace(mapping, entries=kept)
        return mapping

    def _is_none(self, entry: Entry) -> bool:
        value = self.evaluator.only(entry.value)
        return isinstance(value, Const) and value.value is None

    def _default_headers(self, library: Library, client: Made, arguments: Arguments) -> Alternatives:
        """The headers that a client sends with every request."""
        description = self._client(client)
        if description is None:
            return just(Mapping((), True, why="a client that is not known"))
        if any(self._hooked(arguments.keywords[hook]) for hook in description.hooks & arguments.keywords.keys()):
            return just(Mapping((), True, why="a hook that may add headers"))
        states: Alternatives = just(Mapping())
        if description.headers is not None:
            given = self._client_argument(client, description.headers)
            states = tuple(Alternative(self._as_headers(a.value, None), a.when) for a in given)
        if self._constructed_with_hook(client, description):
            states = tuple(
                Alternative(mappings.opened(_mapping(a.value), "a hook that may add headers"), a.when) for a in states
            )
        for change in client.changes:
            states = self.evaluator.limit(self._changed(states, change, description))
        return states

    def _constructed_with_hook(self, client: Made, description: Client) -> bool:
        hooks = [a for a in client.call.args if a.keyword is not None and a.keyword.value in description.hooks]
        return any(self._hooked(Thunk(argument.value, client.frame)) for argument in hooks)

    def _hooked(self, value: Thunk | Value) -> bool:
        """Whether an auth argument or hook may add headers: a pair of user and password, or None, does not."""
        known = self.evaluator.only(value)
        return not (isinstance(known, Const) or (isinstance(known, Sequence) and not known.open))

    def _changed(self, states: Alternatives, change: Change, description: Client) -> Iterable[Alternative]:
        """The default headers after something was done to the client."""
        if change.kind == "unknown":
            return [
                Alternative(mappings.opened(_mapping(a.value), "a client handed elsewhere"), a.when) for a in states
            ]
        if change.path and change.path[0] in description.hooks and self._adds_hook(change):
            return [
                Alternative(mappings.opened(_mapping(a.value), "a hook that may add headers"), a.when) for a in states
            ]
        if description.attribute is None or change.path[:1] != (description.attribute,):
            return states
        return self._headers_changed(states, change)

    def _adds_hook(self, change: Change) -> bool:
        """Whether a change gives the client something of the program's own that may add headers."""
        if change.kind == "set":
            return True
        arguments = change.node.args if isinstance(change.node, cst.Call) else ()
        values = [self.evaluator.only(Thunk(argument.value, change.frame)) for argument in arguments]
        return any(isinstance(value, Instance | Unknown | Class) for value in values)

    def _headers_changed(self, states: Alternatives, change: Change) -> Iterable[Alternative]:
        """A mapping of headers after a change to it, whatever object it belongs to."""
        evaluator = self.evaluator
        if change.kind == "set" and isinstance(change.node, cst.BaseExpression):
            values = evaluator.evaluate(change.node, change.frame)
            return [Alternative(self._as_headers(a.value, None), a.when) for a in values]
        if change.kind == "item" and change.key is not None and isinstance(change.node, cst.BaseExpression):
            thunk, place = Thunk(change.node, change.frame), Place(change.frame.module, change.key)
            keys = evaluator.evaluate(change.key, change.frame)
            return evaluator.combine(
                (states, keys),
                lambda whole, key: _replacing_case(_mapping(whole), evaluator.with_item, key, thunk, place),
            )
        if change.kind == "delete" and change.key is not None:
            key = evaluator.only(Thunk(change.key, change.frame))
            name = str(key.value) if isinstance(key, Const) else None
            return [Alternative(mappings.delete(_mapping(a.value), name), a.when) for a in states]
        if change.kind == "call" and isinstance(change.node, cst.Call):
            method = change.path[-1]
            return [
                Alternative(new.value, new.when | a.when)
                for a in states
                for new in evaluator.calls.mapping_changed(_mapping(a.value), method, change.node, change.frame)
                if compatible(a.when, new.when)
            ]
        return states

    # Requests that are built first

    def _request_sent(
        self, library: Library, declared: Parameter, client: Made | None, arguments: Arguments, when: Assumptions
    ) -> Iterator[Read]:
        given = arguments.get(declared.position, *declared.names)
        if given is None:
            return
        for alternative in self.evaluator.force(given):
            if isinstance(alternative.value, Made) and compatible(when, alternative.when):
                yield from _further(self._built(library, alternative.value, client), alternative.when | when)

    def _built(self, library: Library, made: Made, client: Made | None) -> Iterator[Read]:
        """URL and headers of a request object."""
        known = self.registry.buildings.get(self.registry.canonical(made.name))
        if known is None:
            return
        building = known[1]
        for read in self._built_from(library, building, made, client):
            headers: Alternatives = (Alternative(read.headers, read.headers_when),)
            for change in made.changes:
                headers = self.evaluator.limit(self._request_changed(headers, change, building))
            yield from _pairs((Alternative(read.url, read.url_when),), headers, NOTHING)

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
            headers = self._headers(library, owner or client, arguments, building.headers)
            yield from _pairs(self._urls(owner, arguments, building.url), headers, when)

    def _request_changed(self, states: Alternatives, change: Change, building: Building) -> Iterable[Alternative]:
        """The headers of a request object after something was done to it."""
        if change.kind == "unknown":
            return [
                Alternative(mappings.opened(_mapping(a.value), "a request handed elsewhere"), a.when) for a in states
            ]
        if change.kind == "call" and change.path[-1] in building.adders and isinstance(change.node, cst.Call):
            return self._header_added(states, change.node, change.frame)
        if change.path[:1] == ("headers",):
            return self._headers_changed(states, change)
        return states

    def _header_added(self, states: Alternatives, call: cst.Call, frame: Frame) -> Iterator[Alternative]:
        for arguments, when in self.evaluator.calls.arguments(call, frame):
            key, value = arguments.get(0, "key"), arguments.get(1, "val")
            if key is None or value is None:
                continue
            known, place = self.evaluator.only(key), self.evaluator.place_of(key)
            for state in assuming(states, when):
                mapping = _mapping(state.value)
                added = _replacing_case(mapping, self.evaluator.with_item, known, value, place)
                homes = (*mapping.homes, Place(frame.module, call))
                yield Alternative(replace(_mapping(added), homes=homes), state.when)

    def _built_and_sent(
        self, library: Library, building: Building, name: str, call: cst.Call, frame: Frame
    ) -> Iterator[Read]:
        """A request object whose making counts as sending, as it is by the end of the function."""
        for alternative in self._final_states(Made(name, call, frame), call, frame):
            if isinstance(alternative.value, Made) and alternative.value.call is call:
                yield from _further(self._built(library, alternative.value, None), alternative.when)

    def _final_states(self, made: Made, call: cst.Call, frame: Frame) -> Alternatives:
        """What became of an object that a statement assigns to a name: what later statements did to it."""
        module = frame.module
        step = module.step_of(call)
        if not isinstance(step, cst.Assign | cst.AnnAssign) or step.value is not call:
            return just(made)
        target = step.targets[0].target if isinstance(step, cst.Assign) else step.target
        path = dotted(target)
        if path is None:
            return just(made)
        block, _ = module.position_of(step)
        found = self.evaluator.flow.before(block, len(block.steps), path, frame, Leaving.NONE)
        states = tuple(a for a in found if isinstance(a.value, Made) and a.value.call is call)
        return states or just(made)

    # Wrappers

    def _may_wrap(self, callee: Value, name: str, call: cst.Call) -> bool:
        """Whether something unknown could send the request that its arguments describe."""
        last = _last_name(call.func) or ""
        words = _words(last)
        if isinstance(callee, External) and callee.name.split(".")[0] in (
            "builtins",
            "functools",
            "dataclasses",
            "typing",
        ):
            return False
        if isinstance(callee, Instance | Class | Mapping | Sequence | Const):
            return False
        if name in self.registry.buildings or name in self.registry.clients:
            return False
        if words & _NOT_SENDING or last[:1].isupper():
            return False
        return bool(words & _SENDING_WORDS) or any(self._is_sending_function(argument, call) for argument in call.args)

    def _is_sending_function(self, argument: cst.Arg, call: cst.Call) -> bool:
        return (
            isinstance(argument.value, cst.Attribute | cst.Name)
            and (dotted(argument.value) or "").split(".")[-1] in self._last_names
        )

    def _wrapped(self, callee: Value, call: cst.Call, frame: Frame) -> Iterator[Read]:
        for arguments, when in self.evaluator.calls.arguments(call, frame):
            library = self._passed_library(arguments)
            urls = self._url_arguments(arguments)
            headers = self._header_arguments(arguments, library)
            for read in _pairs(urls, headers, when):
                yield replace(read, library=library, by_wrapper=library is None)

    def _passed_library(self, arguments: Arguments) -> Library | None:
        """The library of an HTTP function that is passed as a value: ``retry(requests.post, url, headers=headers)``."""
        for value in (*arguments.positional, *arguments.keywords.values()):
            if isinstance(value, Thunk) and isinstance(value.node, cst.Name | cst.Attribute):
                for alternative in self.evaluator.force(value):
                    name, _ = self._name_of(alternative.value)
                    if name in self.registry.sendings:
                        return self.registry.sendings[name][0]
        return None

    def _url_arguments(self, arguments: Arguments) -> Alternatives:
        """The argument that is named like a URL, else the first that is the text of one."""
        for name, value in arguments.keywords.items():
            if _URL_NAME.search(name) and (found := self.evaluator.force(value)):
                return found
        for value in arguments.positional:
            found = self.evaluator.force(value)
            if any(texts.is_text(a.value) and _is_url(texts.pattern_of(a.value)) for a in found):
                return found
        return just(Unknown("a URL that is not seen"))

    def _header_arguments(self, arguments: Arguments, library: Library | None) -> Alternatives:
        """The argument that is named like headers, else the one that holds nothing but headers."""
        opened = arguments.open_keywords
        named = [value for name, value in arguments.keywords.items() if "header" in name.lower()]
        for value in (*named, *arguments.positional):
            found = [Alternative(self._as_headers(a.value, library), a.when) for a in self.evaluator.force(value)]
            if value in named or any(_is_headers(_mapping(a.value)) for a in found):
                return tuple(found)
        return just(
            Mapping((), True, why="headers that are not seen" if not opened else "arguments that are passed on")
        )


def _pairs(urls: Alternatives, headers: Alternatives, when: Assumptions) -> Iterator[Read]:
    for url in urls:
        for mapping in headers:
            if compatible(url.when, mapping.when) and compatible(when, url.when) and compatible(when, mapping.when):
                yield Read(url.value, url.when | when, _mapping(mapping.value), mapping.when | when)


def _further(reads: Iterable[Read], when: Assumptions) -> Iterator[Read]:
    for read in reads:
        if compatible(read.url_when, when) and compatible(read.headers_when, when):
            yield replace(read, url_when=read.url_when | when, headers_when=read.headers_when | when)


def _mapping(value: Value) -> Mapping:
    return value if isinstance(value, Mapping) else Mapping((), True, why="headers that are not known")


def _overridden(defaults: Mapping, given: Mapping) -> Mapping:
    """Default headers with a call's own on top: names compare without case."""
    names = {entry.key.lower() for entry in given.entries if entry.certain}
    kept = tuple(entry for entry in defaults.entries if entry.key.lower() not in names)
    return Mapping(
        (*kept, *given.entries),
        defaults.open or given.open,
        (*given.homes, *defaults.homes),
        given.why or defaults.why,
    )


def _replacing_case(
    mapping: Mapping, with_item: object, key: Value, value: Thunk | Value, place: Place | None
) -> Value:
    """``headers[key] = value`` on a mapping that ignores case, as the headers of clients and requests do."""
    if isinstance(key, Const):
        name = str(key.value).lower()
        mapping = replace(mapping, entries=tuple(e for e in mapping.entries if e.key.lower() != name))
    return with_item(mapping, key, value, place)  # type: ignore[operator,no-any-return]


def _joined(base: Value, url: Value, scheme: str) -> Value:
    """A client's base URL and the URL of a call: an absolute one wins, any other is appended."""
    if isinstance(base, Const) and base.value is None:
        return url
    if isinstance(url, Unknown):
        return texts.text(scheme + texts.pattern_of(base).rstrip("/") + "/" + texts.pattern_of(url))
    relative = texts.pattern_of(url)
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", relative):
        return url
    return texts.text(scheme + texts.pattern_of(base).rstrip("/") + "/" + relative.lstrip("/"))


def _last_name(node: cst.CSTNode) -> str | None:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else None


def _looks_up_a_key(call: cst.Call) -> bool:
    """``mapping.get("key")``: a text that is no path, and nothing else that a request has."""
    first = string_value(call.args[0].value) if call.args else None
    return isinstance(first, str) and "/" not in first and len(call.args) < 3 and " " not in first


def _words(name: str) -> frozenset[str]:
    """The words of a name: ``_makePostRequest`` has make, post and request."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))


def _is_request_word(name: str) -> bool:
    return "header" in name.lower() or _URL_NAME.search(name) is not None


def _is_url(pattern: str) -> bool:
    return re.match(r"https?://|[a-z0-9.-]+\.[a-z]+/", pattern, re.IGNORECASE) is not None


def _is_headers(mapping: Mapping) -> bool:
    return any(entry.key.lower() in HEADER_NAMES for entry in mapping.entries)
