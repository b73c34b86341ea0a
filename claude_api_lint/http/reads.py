"""What a call's arguments say about a request, before it is known to take place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from claude_api_lint.dataflow.values import Alternatives, Assumptions, Mapping, Place, Value, compatible
from claude_api_lint.http.bodies import Body
from claude_api_lint.http.declarations import Library
from claude_api_lint.http.headers import as_mapping


@dataclass(frozen=True)
class Read:
    """What a call's arguments say about a request: an Exchange before it is known to take place.

    ``sent_at`` is the call of another file that sends it, on behalf of the one that is looked at, ``client`` the call
    that makes the client which sends it.
    """

    url: Value
    url_when: Assumptions
    headers: Mapping
    headers_when: Assumptions
    library: Library | None = None
    by_wrapper: bool = False
    body: Body | None = None
    sent_at: Place | None = None
    client: Place | None = None


def pairs(urls: Alternatives, headers: Alternatives, when: Assumptions, body: Body | None = None) -> Iterator[Read]:
    """Every URL with every headers that fit together and the assumptions."""
    for url in urls:
        for mapping in headers:
            if compatible(url.when, mapping.when) and compatible(when, url.when) and compatible(when, mapping.when):
                yield Read(url.value, url.when | when, as_mapping(mapping.value), mapping.when | when, body=body)


def further(reads: Iterable[Read], when: Assumptions) -> Iterator[Read]:
    """The reads that fit what an object's state rests on; the headers are part of that state, the URL is not."""
    for read in reads:
        if compatible(read.url_when, when) and compatible(read.headers_when, when):
            yield replace(read, headers_when=read.headers_when | when)
