"""Functions of the analysed program, or of nobody known, that send the request which their arguments describe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import libcst as cst

from claude_api_lint.dataflow import texts
from claude_api_lint.dataflow.calls import Arguments
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.trees import dotted, last_name, walk
from claude_api_lint.dataflow.values import (
    Alternative,
    Alternatives,
    Class,
    Const,
    External,
    Frame,
    Instance,
    Made,
    Mapping,
    Part,
    Sequence,
    Thunk,
    Unknown,
    Value,
    just,
)
from claude_api_lint.http.bodies import given_body
from claude_api_lint.http.clients import joined
from claude_api_lint.http.declarations import Library, Sending, parameter
from claude_api_lint.http.headers import Headers, as_mapping, is_headers
from claude_api_lint.http.reads import Read, pairs
from claude_api_lint.http.registry import Registry

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
_QUESTION = re.compile(r"_*(is|has|was|are|does|can|may|should|needs|supports|count)_")
_URL_NAME = re.compile(r"(^|_)(url|uri|endpoint|link|host|api_base|base)s?($|_)", re.IGNORECASE)
# Names of what says where a request goes, or with which headers.
_TARGET = re.compile(r"url|uri|endpoint|host|header|client|session|config|transport|provider", re.IGNORECASE)
_BASES = frozenset({"base_url", "base", "api_base", "host"})
_PATHS = frozenset({"path", "endpoint", "route"})
_DOUBLES = frozenset({"mock", "fake", "stub", "respx", "responses"})
# What nearly every client calls the arguments that hold a body.
_BODY_ARGUMENTS = Sending(json=parameter(None, "json"), body=parameter(None, "data", "content", "body"))
_NO_WRAPPERS = frozenset({"builtins", "functools", "dataclasses", "typing"})


class Wrappers:
    """Reads calls of functions that are not known by their arguments: a URL, and headers."""

    def __init__(self, evaluator: Evaluator, registry: Registry) -> None:
        self.evaluator = evaluator
        self.registry = registry
        self._headers = Headers(evaluator)
        self._last_names = registry.last_names

    def looks_like_request(self, call: cst.Call) -> bool:
        """A cheap look at a call before anything is evaluated: whether it could be such a wrapper's."""
        name = last_name(call.func) or ""
        if not may_send_by_name(name) or _words(dotted(call.func) or "") & _DOUBLES:
            return False
        if not has_sending_word(name) and not any(self._is_sending_function(a.value) for a in call.args):
            return False
        return len(call.args) > 1 or any(a.star or is_named_as_target(a) for a in call.args)

    def may_be(self, callee: Value, name: str) -> bool:
        """Whether something unknown could send the request that its arguments describe."""
        if isinstance(callee, External) and callee.name.split(".")[0] in _NO_WRAPPERS:
            return False
        if isinstance(callee, Instance | Class | Mapping | Sequence | Const):
            return False
        if isinstance(callee, Part) and not isinstance(callee.whole, Made):
            return False  # a method of a dict, a list or a text
        if (
            isinstance(callee, Unknown)
            and self.registry.canonical(callee.name.rpartition(".")[0]) in self.registry.clients
        ):
            return False  # a class of the program's own that derives from a client: what it adds is not seen
        return name not in self.registry.buildings and name not in self.registry.clients

    def _is_sending_function(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Attribute | cst.Name) and last_name(node) in self._last_names

    def read(self, call: cst.Call, frame: Frame) -> Iterator[Read]:
        """The requests that a call describes."""
        for arguments, when in self.evaluator.calls.arguments(call, frame):
            library = self._passed_library(arguments)
            urls = self._url_arguments(arguments)
            headers = self._header_arguments(arguments, library)
            for read in pairs(urls, headers, when, given_body(_BODY_ARGUMENTS, arguments)):
                yield replace(read, library=library, by_wrapper=library is None)

    def _passed_library(self, arguments: Arguments) -> Library | None:
        """The library of an HTTP function that is passed as a value: ``retry(requests.post, url, headers=headers)``."""
        for value in (*arguments.positional, *arguments.keywords.values()):
            if isinstance(value, Thunk) and self._is_sending_function(value.node):
                for alternative in self.evaluator.force(value):
                    name = self.registry.name_of(alternative.value)
                    if name in self.registry.sendings:
                        return self.registry.sendings[name][0]
        return None

    def _url_arguments(self, arguments: Arguments) -> Alternatives:
        """The argument that is named like a URL (with a path, where one is given too), else the first that is one."""
        base = next((value for name, value in arguments.keywords.items() if name in _BASES), None)
        path = next((value for name, value in arguments.keywords.items() if name in _PATHS), None)
        if base is not None and path is not None:
            sides = (self.evaluator.force(base), self.evaluator.force(path))
            return tuple(self.evaluator.combine(sides, lambda start, end: joined(start, end)))
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
            found = [Alternative(self._headers.of(a.value, library), a.when) for a in self.evaluator.force(value)]
            if value in named or any(is_headers(as_mapping(a.value)) for a in found):
                return tuple(found)
        return just(
            Mapping((), True, why="headers that are not seen" if not opened else "arguments that are passed on")
        )


def may_send_by_name(name: str) -> bool:
    """Whether the name of a function does not say that it does something else than sending."""
    return not name[:1].isupper() and _NOT_SENDING.isdisjoint(_words(name)) and not _QUESTION.match(name)


def has_sending_word(name: str) -> bool:
    """Whether the name of a function says that it sends something."""
    return not _SENDING_WORDS.isdisjoint(_words(name))


@cache
def _words(name: str) -> frozenset[str]:
    """The words of a name: ``_makePostRequest`` has make, post and request."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))


def is_request_word(name: str) -> bool:
    """Whether the name of an argument says that it is a URL, or headers."""
    return "header" in name.lower() or _URL_NAME.search(name) is not None


def is_named_as_target(argument: cst.Arg) -> bool:
    """Whether an argument is passed as a URL, or as headers, by its keyword."""
    return argument.keyword is not None and is_request_word(argument.keyword.value)


def names_target(argument: cst.Arg) -> bool:
    """Whether an argument may say, by its name or the names in it, where a request goes or what its headers are."""
    if is_named_as_target(argument):
        return True
    return any(isinstance(node, cst.Name) and _TARGET.search(node.value) for node in walk(argument))


def _is_url(pattern: str) -> bool:
    return re.match(r"https?://|[a-z0-9.-]+\.[a-z]+/", pattern, re.IGNORECASE) is not None
