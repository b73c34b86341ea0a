"""requests: module functions, ``Session``, and prepared requests."""

from __future__ import annotations

from dataclasses import replace

from claude_api_lint.http.declarations import (
    ITERATED,
    VERBS,
    Building,
    Client,
    Gives,
    Library,
    Reading,
    Sending,
    parameter,
)

_JSON, _BODY = parameter(None, "json"), parameter(None, "data")
_BY_VERB = Sending(url=parameter(0, "url"), headers=parameter(None, "headers"), json=_JSON, body=_BODY)
_BY_METHOD = Sending(url=parameter(1, "url"), headers=parameter(None, "headers"), json=_JSON, body=_BODY)
# Only here the body has a place of its own: post(url, data, json).
_POST = replace(_BY_VERB, json=parameter(2, "json"), body=parameter(1, "data"))

LIBRARY = Library(
    name="requests",
    clients={
        # An auth object or a mounted adapter may set any header (requests.auth.AuthBase, HTTPAdapter.add_headers).
        "requests.Session": Client(
            attribute="headers",
            hooks=frozenset({"auth", "mount"}),
            inner=frozenset({"request", "send", "prepare_request", "rebuild_auth", "get_adapter"}),
        ),
    },
    sendings={
        **{f"requests.{verb}": _BY_VERB for verb in VERBS},
        **{f"requests.Session().{verb}": _BY_VERB for verb in VERBS},
        "requests.post": _POST,
        "requests.Session().post": _POST,
        "requests.request": _BY_METHOD,
        "requests.Session().request": _BY_METHOD,
        "requests.Session().send": Sending(request=parameter(0, "request")),
    },
    buildings={
        "requests.Request": Building(url=parameter(1, "url"), headers=parameter(2, "headers"), json=_JSON, body=_BODY),
        "requests.Request().prepare": Building(),
        "requests.Session().prepare_request": Building(request=parameter(0, "request")),
    },
    aliases={
        "requests.session": "requests.Session",
        "requests.sessions.Session": "requests.Session",
        "requests.sessions.session": "requests.Session",
        "requests.models.Request": "requests.Request",
        **{f"requests.api.{verb}": f"requests.{verb}" for verb in (*VERBS, "request")},
    },
    drops_none=True,
    stock=frozenset(
        {
            "requests.adapters.HTTPAdapter",
            "requests.auth.HTTPBasicAuth",
            "requests.auth.HTTPDigestAuth",
            "requests.auth.HTTPProxyAuth",
        }
    ),
    response={
        ITERATED: Reading(Gives.CHUNKS, binary=True),
        "json": Reading(Gives.REPLY),
        "text": Reading(Gives.BODY),
        "content": Reading(Gives.BODY, binary=True),
        "iter_lines": Reading(Gives.LINES, binary=True, decoded_by="decode_unicode"),
        "iter_content": Reading(Gives.CHUNKS, binary=True, decoded_by="decode_unicode"),
        "raw": Reading(Gives.LINES, binary=True),
    },
)
