"""sseclient-py, sseclient and httpx-sse: readers that make server-sent events of a response."""

from __future__ import annotations

from claude_api_lint.http.declarations import Gives, Library, Reading, Sending, parameter

_CONNECTING = Sending(url=parameter(2, "url"), headers=parameter(None, "headers"), client=parameter(0, "client"))

LIBRARY = Library(
    name="server-sent events",
    sendings={"httpx_sse.connect_sse": _CONNECTING, "httpx_sse.aconnect_sse": _CONNECTING},
    response={
        "events": Reading(Gives.EVENTS),
        "iter_sse": Reading(Gives.EVENTS),
        "aiter_sse": Reading(Gives.EVENTS),
    },
    event_streams={
        "sseclient.SSEClient": parameter(0, "event_source"),
        "httpx_sse.EventSource": parameter(0, "response"),
    },
)
