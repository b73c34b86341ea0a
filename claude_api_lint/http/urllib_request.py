"""urllib.request: ``Request`` objects, which count as sent, and ``urlopen``."""

from __future__ import annotations

from claude_api_lint.http.declarations import ITERATED, Building, Client, Gives, Library, Reading, Sending, parameter

LIBRARY = Library(
    name="urllib.request",
    global_hooks=frozenset({"install_opener", "addheaders"}),
    clients={
        # ``addheaders`` of an opener goes out with every request; handlers may add more.
        "urllib.request.build_opener": Client(hooks=frozenset({"addheaders"})),
        "urllib.request.OpenerDirector": Client(hooks=frozenset({"addheaders"})),
    },
    response={
        ITERATED: Reading(Gives.LINES, binary=True),
        "read": Reading(Gives.BODY, binary=True),
        "readline": Reading(Gives.LINE, binary=True),
        "readlines": Reading(Gives.LINES, binary=True),
        "fp": Reading(Gives.LINES, binary=True),
    },
    sendings={
        "urllib.request.urlopen": Sending(url=parameter(0, "url")),
        "urllib.request.urlretrieve": Sending(url=parameter(0, "url")),
    },
    buildings={
        "urllib.request.Request": Building(
            url=parameter(0, "url"),
            headers=parameter(2, "headers"),
            body=parameter(1, "data"),
            sends=True,
            adders=frozenset({"add_header", "add_unredirected_header"}),
        ),
    },
)
