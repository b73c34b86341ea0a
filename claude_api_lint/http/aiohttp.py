"""aiohttp: ``ClientSession`` with base URL and headers."""

from __future__ import annotations

from claude_api_lint.http.declarations import VERBS, Client, Gives, Library, Reading, Sending, parameter

_JSON, _BODY = parameter(None, "json"), parameter(None, "data")
_BY_VERB = Sending(url=parameter(0, "url"), headers=parameter(None, "headers"), json=_JSON, body=_BODY)
_BY_METHOD = Sending(url=parameter(1, "url"), headers=parameter(None, "headers"), json=_JSON, body=_BODY)
_SESSIONS = ("aiohttp.ClientSession", "aiohttp_retry.RetryClient")

LIBRARY = Library(
    name="aiohttp",
    clients=dict.fromkeys(
        _SESSIONS,
        Client(
            base_url=parameter(0, "base_url"),
            headers=parameter(None, "headers"),
            attribute="headers",
            hooks=frozenset({"auth", "middlewares", "trace_configs", "client_session"}),
            inner=frozenset({"_request", "_prepare_headers"}),
        ),
    ),
    sendings={
        **{f"{session}().{verb}": _BY_VERB for session in _SESSIONS for verb in VERBS},
        **{f"{session}().request": _BY_METHOD for session in _SESSIONS},
        "aiohttp.request": _BY_METHOD,
    },
    response={
        "json": Reading(Gives.REPLY),
        "text": Reading(Gives.BODY),
        "read": Reading(Gives.BODY, binary=True),
        "content": Reading(Gives.LINES, binary=True),
    },
    stock=frozenset({"aiohttp.BasicAuth"}),
    aliases={"aiohttp.client.ClientSession": "aiohttp.ClientSession"},
)
