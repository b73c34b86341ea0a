"""Request headers as a program builds them: mappings, lists of pairs, and what is done to them later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import libcst as cst

from claude_api_lint.dataflow import mappings
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.values import (
    Alternative,
    Alternatives,
    Assumptions,
    Change,
    Const,
    Entry,
    Frame,
    Mapping,
    Place,
    Thunk,
    Value,
    assuming,
    compatible,
    outside_rounds,
)
from claude_api_lint.http.declarations import Library

AUTH_HEADERS = frozenset({"x-api-key", "authorization", "api-key"})
"""Headers that carry a key: a mapping with one of them is meant to be the request's whole set."""
HEADER_NAMES = AUTH_HEADERS | {"content-type", "accept", "user-agent"}


class Headers:
    """Reads values as headers and follows what happens to them."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator

    def of(self, value: Value, library: Library | None = None) -> Mapping:
        """A headers argument as a mapping, open where it may hold more than is seen."""
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

    def changed(self, states: Alternatives, change: Change) -> Iterable[Alternative]:
        """A mapping of headers after a change to it, whatever object it belongs to."""
        evaluator = self.evaluator
        states = tuple(Alternative(mappings.ignoring_case(as_mapping(a.value)), a.when) for a in states)
        if change.kind == "set" and isinstance(change.node, cst.BaseExpression):
            values = evaluator.evaluate(change.node, change.frame)
            return [Alternative(self.of(a.value), a.when) for a in values]
        if change.kind == "joined" and isinstance(change.node, cst.BaseExpression):
            return evaluator.combine((states, evaluator.evaluate(change.node, change.frame)), evaluator.updated)
        if change.kind == "item" and change.key is not None and isinstance(change.node, cst.BaseExpression):
            thunk, place = Thunk(change.node, change.frame), Place(change.frame.module, change.key)
            keys = evaluator.evaluate(change.key, change.frame)
            return evaluator.combine(
                (states, keys),
                lambda whole, key: evaluator.with_item(whole, key, thunk, place),
            )
        if change.kind == "delete" and change.key is not None:
            key = evaluator.only(Thunk(change.key, change.frame))
            name = str(key.value) if isinstance(key, Const) else None
            return [Alternative(mappings.delete(as_mapping(a.value), name), a.when) for a in states]
        if change.kind == "call" and isinstance(change.node, cst.Call):
            method = change.path[-1]
            return [
                Alternative(new.value, new.when | a.when)
                for a in states
                for new in evaluator.calls.mapping_changed(as_mapping(a.value), method, change.node, change.frame)
                if compatible(a.when, new.when)
            ]
        return states

    def added(self, states: Alternatives, call: cst.Call, frame: Frame) -> Iterator[Alternative]:
        """``request.add_header(name, value)``."""
        for arguments, when in self.evaluator.calls.arguments(call, frame):
            key, value = arguments.get(0, "key"), arguments.get(1, "val")
            if key is None or value is None:
                continue
            names, place = self.evaluator.force(key), self.evaluator.place_of(key)
            for state in assuming(states, when):
                mapping = mappings.ignoring_case(as_mapping(state.value))
                begun = replace(mapping, homes=(*mapping.homes, Place(frame.module, call)))
                for run, given in _by_run(names).items():
                    if compatible(state.when, run):
                        yield Alternative(self._with_names(begun, given, value, place), state.when | run)

    def _with_names(
        self, headers: Mapping, names: list[Alternative], value: Thunk | Value, place: Place | None
    ) -> Value:
        """Headers with those added that a call adds: a loop may run it for one name after the other."""
        if len(names) == 1:
            return self.evaluator.with_item(headers, names[0].value, value, place)
        if not all(isinstance(name.value, Const) for name in names):
            return mappings.opened(headers, "a header whose name is not known")
        for name in names:
            known = self.evaluator.fitting(value, name.when)
            written = name.value.place if isinstance(name.value, Const) else None
            only = self.evaluator.with_item(Mapping(), name.value, known, written or place)
            headers = mappings.merge(headers, as_mapping(only), certain=False)
        return headers


def _by_run(names: Alternatives) -> dict[Assumptions, list[Alternative]]:
    """What a name can be in one run of the code around it, for one caller, say; the rounds of a loop are one run."""
    found: dict[Assumptions, list[Alternative]] = {}
    for name in names:
        found.setdefault(outside_rounds(name.when), []).append(name)
    return found


def as_mapping(value: Value) -> Mapping:
    """The mapping that a value is known to be, else an open one."""
    return value if isinstance(value, Mapping) else Mapping((), True, why="headers that are not known")


def overridden(defaults: Mapping, given: Mapping) -> Mapping:
    """Default headers with a call's own on top: names compare without case."""
    names = {entry.key.lower() for entry in given.entries if entry.certain}
    kept = tuple(entry for entry in defaults.entries if entry.key.lower() not in names)
    return Mapping(
        (*kept, *given.entries),
        defaults.open or given.open,
        (*given.homes, *defaults.homes),
        given.why or defaults.why,
    )


def is_headers(mapping: Mapping) -> bool:
    """Whether a mapping has an entry that only headers have."""
    return any(entry.key.lower() in HEADER_NAMES for entry in mapping.entries)
