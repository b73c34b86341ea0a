"""urllib3: ``PoolManager``, connection pools, and the module function."""

from __future__ import annotations

from claude_api_lint.http.declarations import ITERATED, Client, Gives, Library, Reading, Sending, parameter

_MANAGERS = ("urllib3.PoolManager", "urllib3.ProxyManager")
_POOLS = ("urllib3.HTTPSConnectionPool", "urllib3.HTTPConnectionPool")
# The position of ``headers`` differs between versions 1 and 2.
_BY_METHOD = Sending(
    url=parameter(1, "url"),
    headers=parameter(None, "headers", unsure_from=2),
    json=parameter(None, "json"),
    body=parameter(None, "body"),
)

LIBRARY = Library(
    name="urllib3",
    clients={
        "urllib3.PoolManager": Client(headers=parameter(1, "headers"), attribute="headers", merges=False),
        "urllib3.ProxyManager": Client(headers=parameter(2, "headers"), attribute="headers", merges=False),
        "urllib3.connection_from_url": Client(
            base_url=parameter(0, "url"), headers=parameter(None, "headers"), attribute="headers", merges=False
        ),
        **{
            pool: Client(
                base_url=parameter(0, "host"),
                headers=parameter(None, "headers"),
                attribute="headers",
                scheme=scheme,
                merges=False,
            )
            for pool, scheme in zip(_POOLS, ("https://", "http://"), strict=True)
        },
    },
    sendings={
        "urllib3.request": _BY_METHOD,
        **{
            f"{client}().{method}": _BY_METHOD
            for client in (*_MANAGERS, *_POOLS, "urllib3.connection_from_url")
            for method in ("request", "urlopen", "request_encode_body", "request_encode_url")
        },
    },
    response={
        ITERATED: Reading(Gives.LINES, binary=True),
        "json": Reading(Gives.REPLY),
        "data": Reading(Gives.BODY, binary=True),
        "read": Reading(Gives.BODY, binary=True),
        "readline": Reading(Gives.LINE, binary=True),
        "stream": Reading(Gives.CHUNKS, binary=True),
        "read_chunked": Reading(Gives.CHUNKS, binary=True),
    },
    aliases={f"urllib3.poolmanager.{name.rsplit('.', 1)[1]}": name for name in _MANAGERS},
    # A plain dict goes out entry by entry.
    repeats_casings=True,
)
