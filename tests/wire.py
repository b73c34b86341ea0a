"""Client libraries with an API behind them that nobody has to reach: replies as they come over the wire.

They are as version 2023-06-01 gives them, or as the versioning policy lets a *future* one give them: with events,
fields and stop reasons that nobody knows. ``fixtures/server`` is the real thing; this is quick enough for hundreds of
programs.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import sys
import types
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

ANSWER = "Hello! My name is Claude."
PIECES = ["Hello!", " My", " name", " is Claude", "."]


# Replies as they come over the wire


def completions(future: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, piece in enumerate([*PIECES, ""]):
        last = index == len(PIECES)
        reason = "end_turn" if last and future else "stop_sequence" if last else None
        more = {"annotations": []} if future else {}
        yield "completion", {"type": "completion", "completion": piece, "stop_reason": reason, "model": "c", **more}
        if index == 1:
            yield "ping", {"type": "ping"}
            if future:
                yield "usage_report", {"type": "usage_report", "tokens": 5}


def messages(future: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "message_start", {"type": "message_start", "message": {"content": [], "stop_reason": None}}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
    for index, piece in enumerate(PIECES):
        delta = {"type": "text_delta", "text": piece}
        yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
        if index == 1:
            yield "ping", {"type": "ping"}
            if future:
                strange = {"type": "scent_delta", "scent": "rose"}
                yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": strange}
                yield "usage_report", {"type": "usage_report", "tokens": 5}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    yield "message_delta", {"type": "message_delta", "delta": {"stop_reason": "bored" if future else "end_turn"}}
    yield "message_stop", {"type": "message_stop"}


class Wire:
    """A response of any client library, as far as the programs below use it."""

    status_code = 200

    def __init__(self, url: str, future: bool) -> None:
        self.events = list((messages if url.endswith("messages") else completions)(future))
        lines = [f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in self.events]
        self.text = "".join(lines)
        self.rest = self.text.encode().splitlines(keepends=True)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def raise_for_status(self) -> None:
        pass

    async def __aenter__(self) -> Wire:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def json(self) -> dict[str, Any]:
        return {"completion": ANSWER, "stop_reason": "max_tokens", "type": "completion", "model": "c", "stop": None}

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.rest)

    def readline(self) -> bytes:
        if not self.rest:
            raise TimeoutError("the program went on reading after the end")
        return self.rest.pop(0)


class RequestsWire(Wire):
    def iter_lines(self, decode_unicode: bool = False) -> Iterator[Any]:
        return iter(self.text.splitlines() if decode_unicode else self.text.encode().splitlines())

    def iter_content(self, size: int = 7) -> Iterator[bytes]:
        return (self.text.encode()[start : start + size] for start in range(0, len(self.text), size))


class HttpxWire(Wire):
    def iter_lines(self) -> Iterator[str]:
        return iter(self.text.splitlines())

    async def aiter_lines(self) -> AsyncIterator[str]:
        for line in self.text.splitlines():
            yield line


class AiohttpWire(Wire):
    @property
    async def content(self) -> AsyncIterator[bytes]:
        for line in self.rest:
            yield line


class AsyncClient:
    """httpx.AsyncClient and aiohttp.ClientSession."""

    def __init__(self, future: bool) -> None:
        self.future = future

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def stream(self, method: str, url: str, **_: object) -> Wire:
        return HttpxWire(url, self.future)

    def post(self, url: str, **_: object) -> Wire:
        return AiohttpWire(url, self.future)


class OldClient:
    """The first SDK, as it would be if it asked for version 2023-06-01."""

    def __init__(self, key: str = "") -> None:
        self.wire = Wire("complete", False)

    def completion_stream(self, **_: object) -> Iterator[dict[str, Any]]:
        return (data for name, data in self.wire.events if name == "completion")

    def completion(self, **_: object) -> dict[str, Any]:
        return self.wire.json()


@contextlib.contextmanager
def connected(future: bool) -> Iterator[None]:
    """The client libraries, with the API behind them."""

    def asking(kind: type[Wire]) -> object:
        def ask(*arguments: Any, **_: object) -> Wire:
            return kind(next(a for a in arguments if isinstance(a, str) and a.startswith("https")), future)

        return ask

    def opening(request: urllib.request.Request) -> Wire:
        return Wire(request.full_url, future)

    def client(**_: object) -> AsyncClient:
        return AsyncClient(future)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "requests", types.SimpleNamespace(post=asking(RequestsWire)))  # type: ignore[misc]
        httpx = types.SimpleNamespace(stream=asking(HttpxWire), AsyncClient=client)
        patch.setitem(sys.modules, "httpx", httpx)  # type: ignore[misc]
        patch.setitem(sys.modules, "aiohttp", types.SimpleNamespace(ClientSession=client))  # type: ignore[misc]
        patch.setitem(sys.modules, "anthropic", types.SimpleNamespace(Client=OldClient))  # type: ignore[misc]
        patch.setattr(urllib.request, "urlopen", opening)
        yield


def answer(program: str) -> object:
    """What the function ``ask`` of a program returns."""
    scope: dict[str, Any] = {}
    exec(compile(program, "program.py", "exec"), scope)
    found = scope["ask"]("key")
    return asyncio.run(found) if inspect.iscoroutine(found) else found
