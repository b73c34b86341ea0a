"""urllib.request: ``Request`` objects, which count as sent, and ``urlopen``."""

from __future__ import annotations

from claude_api_lint.http.declarations import ITERATED, Building, Client, Gives, Library, Reading, Sending, parameter

_OPENERS = ("urllib.request.build_opener", "urllib.request.OpenerDirector")
_HANDLERS = ("HTTPHandler", "HTTPSHandler", "HTTPRedirectHandler", "HTTPCookieProcessor", "ProxyHandler")

LIBRARY = Library(
    name="urllib.request",
    global_hooks=frozenset({"install_opener", "addheaders"}),
    # ``addheaders`` of an opener goes out with every request; handlers may add more.
    clients=dict.fromkeys(_OPENERS, Client(attribute="addheaders", hooks=frozenset({"add_handler"}), takes_hooks=True)),
    stock=frozenset(f"urllib.request.{name}" for name in _HANDLERS),
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
        **{f"{opener}().open": Sending(url=parameter(0, "fullurl"), body=parameter(1, "data")) for opener in _OPENERS},
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
