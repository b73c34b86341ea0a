"""What is wrong with the version that a request to Claude on another platform asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from claude_api_lint.api import Platform, VersionPlace
from claude_api_lint.api_requests import ApiRequests
from claude_api_lint.dataflow import mappings
from claude_api_lint.dataflow.values import (
    Alternative,
    Alternatives,
    Assumptions,
    Const,
    Entry,
    Mapping,
    Place,
    Thunk,
    compatible,
    context_of,
)
from claude_api_lint.findings import Confidence
from claude_api_lint.http.exchanges import Exchange
from claude_api_lint.missing_headers import sender, without_version
from claude_api_lint.platform_requests import PlatformRequest, PlatformRequests


@dataclass(frozen=True)
class MissingVersion:
    """No version where the platform wants it.

    ``built`` are the mappings, bodies or headers, that could have it; ``elsewhere`` are entries that have it where it
    does not count. ``exchanges`` are the requests over HTTP. ``serves_others`` tells that the call sends one of them to
    models of other vendors as well.
    """

    platform: Platform
    node: cst.CSTNode
    confidence: Confidence
    call: cst.Call
    built: tuple[Mapping, ...]
    elsewhere: tuple[Entry, ...]
    exchanges: tuple[Exchange, ...]
    serves_others: bool = False


@dataclass(frozen=True)
class WrongVersion:
    """A value that the platform does not take, and where it is written; ``taken`` are those that it takes.

    ``limited`` tells that it does take the value, but not for this model. Where another file writes it into the body,
    or the headers, ``node`` is the ``call`` that sends them.
    """

    platform: Platform
    node: cst.CSTNode
    confidence: Confidence
    call: cst.Call
    value: str | None
    place: Place
    taken: tuple[str, ...]
    limited: bool


@dataclass(frozen=True)
class MisnamedVersion:
    """An entry that can only be meant as the version, under a name that the platform does not know.

    Where another file writes it, ``node`` is the ``call`` that sends it.
    """

    platform: Platform
    node: cst.CSTNode
    confidence: Confidence
    call: cst.Call
    entry: Entry


Fault = MissingVersion | WrongVersion | MisnamedVersion


def faults(platforms: PlatformRequests, call: cst.Call) -> Iterator[Fault]:
    """What is wrong with the versions of the requests that a call sends to other platforms."""
    sent = platforms.of(call)
    for platform in dict.fromkeys(request.platform for request in sent):
        served = [request for request in sent if request.platform is platform]
        if platform.place is VersionPlace.BODY:
            yield from _in_bodies(platforms.requests, served)
        else:
            yield from _in_headers(platforms.requests, platform, served)


# In the body


def _in_bodies(requests: ApiRequests, sent: list[PlatformRequest]) -> Iterator[Fault]:
    of_others = {
        home
        for request in sent
        if request.is_claude is False
        for body in request.bodies
        for home in _mapping(body).homes
    }
    for request in sent:
        if request.is_claude is False:
            continue
        for body in request.bodies:
            yield from _of_entries(requests, request, _mapping(body).entries, body.when)
        for case in _cases(request.bodies) if request.is_claude else ():
            if (lacking := _lacking(requests, request.platform, case)) is not None:
                yield _missing_in_body(requests, request, lacking, of_others)


def _mapping(body: Alternative) -> Mapping:
    assert isinstance(body.value, Mapping)
    return body.value


def _cases(bodies: Alternatives) -> Iterator[list[Alternative]]:
    """The bodies that are judged together: same caller, any branch."""
    for context in dict.fromkeys(context_of(body.when) for body in bodies):
        yield [body for body in bodies if compatible(context, body.when)]


def _lacking(requests: ApiRequests, platform: Platform, case: list[Alternative]) -> list[Alternative] | None:
    """The bodies of a case that need the version, if none can have it; those of other vendors do not.

    A body of Claude's that needs none tells that one which would need it is another vendor's.
    """
    bodies = [_mapping(body) for body in case]
    if any(body.open or _has_key(body, platform.spared_by) for body in bodies):
        return None
    if any(_is_meant_as_version(requests, entry) for body in bodies for entry in body.entries):
        return None
    return [body for body in case if _has_key(_mapping(body), platform.needed_by)] or None


def _has_key(body: Mapping, key: str | None) -> bool:
    return key is not None and bool(mappings.find(body, key))


def _is_meant_as_version(requests: ApiRequests, entry: Entry) -> bool:
    return requests.catalog.is_version_header(entry.key) or requests.catalog.is_misspelled_header(entry.key)


def _missing_in_body(
    requests: ApiRequests, request: PlatformRequest, lacking: list[Alternative], of_others: set[Place]
) -> MissingVersion:
    built = tuple(dict.fromkeys(_mapping(body) for body in lacking))
    exchanges = (request.sent.exchange,) if request.sent is not None else ()
    return MissingVersion(
        platform=request.platform,
        node=sender(requests, request.call, built[0], lacking[0].when),
        confidence=request.confidence,
        call=request.call,
        built=built,
        elsewhere=tuple(entry for exchange in exchanges for entry in requests.version_entries(exchange)),
        exchanges=exchanges,
        serves_others=any(home in of_others for body in built for home in body.homes),
    )


# In the headers


def _in_headers(requests: ApiRequests, platform: Platform, sent: list[PlatformRequest]) -> Iterator[Fault]:
    for request in sent:
        if request.sent is not None:
            exchange = request.sent.exchange
            if not set(exchange.headers.homes) & requests.judged_homes:  # those are judged with the API's own
                yield from _of_entries(requests, request, exchange.headers.entries, exchange.when)
    for case in without_version(requests, [request.sent for request in sent if request.sent is not None]):
        first = case[0].exchange
        if not isinstance(first.call, cst.Call):
            continue  # a class: which of its methods sends is told at the call
        if any(own.exchange.headers.homes == first.headers.homes for own in requests.of(first.call)):
            continue  # the same headers are missed on the way to the API itself
        bodies = [_mapping(body) for request in sent if request.sent in case for body in request.bodies]
        yield MissingVersion(
            platform=platform,
            node=sender(requests, first.call, first.headers, first.headers_when),
            confidence=_least([way.confidence for way in case]),
            call=first.call,
            built=tuple(dict.fromkeys(way.exchange.headers for way in case)),
            elsewhere=tuple(_entries_for_version(requests, bodies)),
            exchanges=tuple(way.exchange for way in case),
        )


def _entries_for_version(requests: ApiRequests, bodies: Iterable[Mapping]) -> Iterator[Entry]:
    for body in dict.fromkeys(bodies):
        yield from (entry for entry in body.entries if _is_meant_as_version(requests, entry))


def _least(confidences: list[Confidence]) -> Confidence:
    return Confidence.LIKELY if Confidence.LIKELY in confidences else Confidence.CERTAIN


# Entries


def _of_entries(
    requests: ApiRequests, request: PlatformRequest, entries: tuple[Entry, ...], when: Assumptions
) -> Iterator[Fault]:
    """What is wrong with the entries of a body, or of headers, that are the version or are meant as it."""
    meant = [entry for entry in entries if _is_meant_as_version(requests, entry)]
    right = [entry for entry in meant if _is_key(request.platform, entry)]
    for entry in right:
        yield from _wrong_values(requests, request, entry, when)
    for entry in meant if not right else ():
        if entry.key_place is not None:
            node = entry.key_place.node if entry.key_place.module is requests.module else request.call
            yield MisnamedVersion(request.platform, node, request.confidence, request.call, entry)


def _is_key(platform: Platform, entry: Entry) -> bool:
    """Whether an entry has the platform's own name for the version; the names of headers ignore case."""
    if platform.place is VersionPlace.HEADER:
        return entry.key.lower() == platform.key
    return entry.key == platform.key


def _wrong_values(
    requests: ApiRequests, request: PlatformRequest, entry: Entry, when: Assumptions
) -> Iterator[WrongVersion]:
    platform = request.platform
    values = [a.value for a in requests.values(entry) if compatible(a.when, when)]
    only_empty = all(isinstance(value, Const) and not value.value for value in values)
    for value in values:
        if not isinstance(value, Const) or not isinstance(value.value, str | None) or not (value.value or only_empty):
            continue
        if value.value is not None and platform.takes(value.value, request.model):
            continue
        written = Place(entry.value.frame.module, entry.value.node) if isinstance(entry.value, Thunk) else None
        place = value.place or written
        taken = tuple(other for other in platform.values if platform.takes(other, request.model))
        limited = value.value in platform.values
        confidence = Confidence.LIKELY if limited else request.confidence
        if place is not None and written is not None:
            node = written.node if written.module is requests.module else request.call
            yield WrongVersion(platform, node, confidence, request.call, value.value, place, taken, limited)
