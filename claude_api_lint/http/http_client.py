"""http.client: a connection to a host, and ``request`` with positional arguments."""

from __future__ import annotations

from claude_api_lint.http.declarations import ITERATED, Client, Gives, Library, Reading, Sending, parameter

_CONNECTIONS = {"http.client.HTTPSConnection": "https://", "http.client.HTTPConnection": "http://"}

LIBRARY = Library(
    name="http.client",
    clients={name: Client(base_url=parameter(0, "host"), scheme=scheme) for name, scheme in _CONNECTIONS.items()},
    sendings={
        f"{name}().{method}": sending
        for name in _CONNECTIONS
        for method, sending in {
            "request": Sending(url=parameter(1, "url"), headers=parameter(3, "headers"), body=parameter(2, "body")),
            "endheaders": Sending(
                url=parameter(1, "url"), begun_by="putrequest", adders=frozenset({"putheader"}), body=parameter(0)
            ),
        }.items()
    },
    response={
        ITERATED: Reading(Gives.LINES, binary=True),
        "read": Reading(Gives.BODY, binary=True),
        "readline": Reading(Gives.LINE, binary=True),
        "readlines": Reading(Gives.LINES, binary=True),
        "fp": Reading(Gives.LINES, binary=True),
    },
    responses=frozenset({"getresponse"}),
    # Every entry of the mapping becomes one putheader().
    repeats_casings=True,
)
