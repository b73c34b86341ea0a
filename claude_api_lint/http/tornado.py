"""tornado: ``fetch`` of its clients, with a URL or with an ``HTTPRequest``."""

from __future__ import annotations

from claude_api_lint.http.declarations import Building, Client, Gives, Library, Reading, Sending, parameter

_CLIENTS = ("tornado.httpclient.AsyncHTTPClient", "tornado.httpclient.HTTPClient")

LIBRARY = Library(
    name="tornado",
    clients={name: Client() for name in _CLIENTS},
    sendings={
        f"{name}().fetch": Sending(
            url=parameter(0, "request"),
            headers=parameter(None, "headers"),
            body=parameter(None, "body"),
            request=parameter(0, "request"),
        )
        for name in _CLIENTS
    },
    buildings={
        "tornado.httpclient.HTTPRequest": Building(
            url=parameter(0, "url"), headers=parameter(2, "headers"), body=parameter(3, "body")
        ),
    },
    response={"body": Reading(Gives.BODY, binary=True)},
)
