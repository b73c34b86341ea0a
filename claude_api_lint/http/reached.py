"""Requests that functions of other files send on behalf of a call or of a class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import libcst as cst

from claude_api_lint.dataflow import texts
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import last_name, root_name, walk
from claude_api_lint.dataflow.values import (
    Assumptions,
    Class,
    Frame,
    Function,
    Instance,
    Mapping,
    Place,
    Prepared,
    Value,
    compatible,
)
from claude_api_lint.http.headers import HEADER_NAMES
from claude_api_lint.http.reads import Read, further
from claude_api_lint.http.wrappers import has_sending_word, is_named_as_target, names_target

MAX_DEPTH = 5
"""Functions of other files that are entered one from the other."""
MAX_CALLS = 400
"""Calls that are looked at on behalf of one call."""

MayBe = Callable[["Module", cst.Call], bool]
ReadCall = Callable[[Value, cst.Call, Frame], Iterator[Read]]


class Reached:
    """Enters functions of other files, with what a call brings there."""

    def __init__(self, evaluator: Evaluator, read: ReadCall, may_send: MayBe, sending: frozenset[str]) -> None:
        self.evaluator = evaluator
        self._sending = sending
        self._read = read
        self._may_send = may_send
        self._calls: dict[cst.FunctionDef | cst.Lambda, list[cst.Call]] = {}

    def by_call(self, callee: Function, call: cst.Call, frame: Frame) -> Iterator[Read]:
        """The requests that a function of another file sends with what a call brings: URL, headers, an object."""
        if not self._brings(callee, call, frame):
            return
        inner = self.evaluator.calls.activation(callee, call, frame)
        if inner is not None:
            yield from self._sent_in(callee, inner, [MAX_CALLS], 0)

    def by_class(self, cls: Class, method: Function) -> Iterator[Read]:
        """The requests that a method, inherited from another file, sends for the objects of a class."""
        frame = self.evaluator.enter(method.module, method.node, None, None, Instance(cls), method.enclosing)
        yield from self._sent_in(method, frame, [MAX_CALLS], 0)

    def _sent_in(self, function: Function, frame: Frame, left: list[int], depth: int) -> Iterator[Read]:
        """The requests of a function's calls, and of those that it calls itself; ``left`` counts down."""
        for call in self._calls_in(function.node):
            left[0] -= 1
            if left[0] < 0:
                return
            if not self._may_send(function.module, call) and not _may_lead_on(call):
                continue
            inner = self.evaluator.frame_within(frame, call)
            conditions = self.evaluator.flow.conditions(call, inner)
            if conditions is not None:
                yield from further_from(self._sent_by(call, function.module, inner, left, depth), conditions)

    def _calls_in(self, function: cst.FunctionDef | cst.Lambda) -> list[cst.Call]:
        """The calls of a function, those that are named like a library's first, while there is something to spend."""
        if function not in self._calls:
            calls = [node for node in walk(function.body) if isinstance(node, cst.Call)]
            self._calls[function] = sorted(calls, key=lambda call: last_name(call.func) not in self._sending)
        return self._calls[function]

    def _sent_by(self, call: cst.Call, module: Module, frame: Frame, left: list[int], depth: int) -> Iterator[Read]:
        place = Place(module, call)
        for callee in self.evaluator.evaluate(call.func, frame):
            if isinstance(callee.value, Function):
                if depth < MAX_DEPTH and callee.value.node is not frame.function:
                    inner = self.evaluator.calls.activation(callee.value, call, frame)
                    if inner is not None:
                        yield from further(self._sent_in(callee.value, inner, left, depth + 1), callee.when)
            elif self._may_send(module, call):
                for read in further(self._read(callee.value, call, frame), callee.when):
                    yield replace(read, sent_at=place)

    # What a call brings

    def _brings(self, callee: Function, call: cst.Call, frame: Frame) -> bool:
        """Whether a call decides where a request goes, or with which headers."""
        if isinstance(callee.receiver, Instance | Class) and self._is_from(callee.receiver, frame.module):
            return True
        likeliest_first = sorted(call.args, key=lambda argument: not names_target(argument))
        return any(self._is_telling(argument.value, frame) for argument in likeliest_first)

    def _is_from(self, receiver: Instance | Class, module: Module) -> bool:
        """Whether an object is made in a module, or of a class that it defines."""
        if isinstance(receiver, Class):
            return receiver.module is module
        if receiver.frame is not None and receiver.frame.module is module:
            return True
        return any(cls.module is module for cls in self.evaluator.objects.line(receiver.cls)[0])

    def _is_telling(self, argument: cst.BaseExpression, frame: Frame) -> bool:
        if isinstance(argument, cst.Integer | cst.Float | cst.Comparison):
            return False
        return any(_tells(alternative.value) for alternative in self.evaluator.evaluate(argument, frame))


def _may_lead_on(call: cst.Call) -> bool:
    """Whether a function of the program's own may send something, by its name."""
    if has_sending_word(last_name(call.func) or ""):
        return True
    if isinstance(call.func, cst.Attribute) and root_name(call.func) in ("self", "super"):
        return True
    return any(map(is_named_as_target, call.args))


def further_from(reads: Iterator[Read], conditions: Assumptions) -> Iterator[Read]:
    """The reads of a call that runs under conditions."""
    for read in further(reads, conditions):
        if compatible(read.url_when, conditions):
            yield replace(read, url_when=read.url_when | conditions)


def _tells(value: Value) -> bool:
    """Whether a value says where a request goes or what its headers are, or may carry what does."""
    if isinstance(value, Instance | Class | Function | Prepared):
        return True
    if isinstance(value, Mapping):
        return any(_is_telling_key(entry.key.lower()) for entry in value.entries)
    return texts.is_text(value) and _is_url(texts.pattern_of(value))


def _is_telling_key(key: str) -> bool:
    return key in HEADER_NAMES or "header" in key or "url" in key or key.startswith("anthropic")


def _is_url(pattern: str) -> bool:
    return "://" in pattern or pattern.startswith("/v") or ".anthropic.com" in pattern
