"""httpx: module functions, ``Client`` and ``AsyncClient``, streams, and built requests."""

from __future__ import annotations

from claude_api_lint.http.declarations import VERBS, Building, Client, Gives, Library, Reading, Sending, parameter

_JSON, _BODY = parameter(None, "json"), parameter(None, "content", "data")
_BY_VERB = Sending(url=parameter(0, "url"), headers=parameter(None, "headers"), json=_JSON, body=_BODY)
_BY_METHOD = Sending(url=parameter(1, "url"), headers=parameter(None, "headers"), json=_JSON, body=_BODY)
_BUILT = Building(url=parameter(1, "url"), headers=parameter(None, "headers"), json=_JSON, body=_BODY)
_CLIENTS = ("httpx.Client", "httpx.AsyncClient")
_CLIENT = Client(
    base_url=parameter(None, "base_url"),
    headers=parameter(None, "headers"),
    attribute="headers",
    # An Auth class, an event hook or a transport gets the request before it goes out.
    hooks=frozenset({"auth", "event_hooks", "transport", "mounts"}),
    inner=frozenset(
        {
            "request",
            "send",
            "build_request",
            "_merge_headers",
            "_build_request_auth",
            "_send_handling_auth",
            "_send_handling_redirects",
            "_send_single_request",
            "_init_transport",
            "_transport_for_url",
        }
    ),
)

LIBRARY = Library(
    name="httpx",
    clients=dict.fromkeys(_CLIENTS, _CLIENT),
    sendings={
        **{f"httpx.{verb}": _BY_VERB for verb in VERBS},
        **{f"{client}().{verb}": _BY_VERB for client in _CLIENTS for verb in VERBS},
        **{
            f"{owner}.{name}": _BY_METHOD
            for owner in ("httpx", *(f"{c}()" for c in _CLIENTS))
            for name in ("request", "stream")
        },
        **{f"{client}().send": Sending(request=parameter(0, "request")) for client in _CLIENTS},
    },
    buildings={
        **{f"{client}().build_request": _BUILT for client in _CLIENTS},
        "httpx.Request": _BUILT,
    },
    # A plain dict becomes a list of pairs (httpx.Headers), and each goes out as its own line.
    repeats_casings=True,
    stock=frozenset(
        f"httpx.{name}" for name in ("HTTPTransport", "AsyncHTTPTransport", "BasicAuth", "DigestAuth", "NetRCAuth")
    ),
    late_hooks=frozenset({"response"}),
    response={
        "json": Reading(Gives.REPLY),
        "text": Reading(Gives.BODY),
        "content": Reading(Gives.BODY, binary=True),
        **{
            prefix + name: reading
            for prefix in ("", "a")
            for name, reading in {
                "read": Reading(Gives.BODY, binary=True),
                "iter_lines": Reading(Gives.LINES),
                "iter_text": Reading(Gives.CHUNKS),
                "iter_bytes": Reading(Gives.CHUNKS, binary=True),
                "iter_raw": Reading(Gives.CHUNKS, binary=True),
            }.items()
        },
    },
)
