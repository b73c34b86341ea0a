"""Requests without the version header: which of them lack it on every path, and which call a reader should look at."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

import libcst as cst

from claude_api_lint.api_requests import ApiRequest, ApiRequests, has_key
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import last_name, string_value
from claude_api_lint.dataflow.values import Assumptions, Mapping, Place, compatible
from claude_api_lint.http.exchanges import Exchange

# Methods of HTTP that only ask, and calls that do not say there which method they use.
_PROBING = frozenset({"get", "head", "options", "urlopen", "open", "fetch", "endheaders"})


def without_version(requests: ApiRequests, sent: list[ApiRequest]) -> Iterator[list[ApiRequest]]:
    """The cases of a call (same URL, same caller, any branch) in which no request can have the version header."""
    for case in _cases(sent):
        judged = [request.exchange for request in sent if _may_be(request, case)]
        if all(_lacks_version(requests, exchange) for exchange in judged) and any(map(_asks_for_more, judged)):
            yield case


def _cases(sent: list[ApiRequest]) -> Iterable[list[ApiRequest]]:
    """The requests that are judged together: same URL, same caller, any branch."""
    cases: dict[Hashable, list[ApiRequest]] = {}
    for request in sent:
        exchange = request.exchange
        cases.setdefault((exchange.url_text, exchange.url_when, exchange.context), []).append(request)
    return cases.values()


def _may_be(request: ApiRequest, case: list[ApiRequest]) -> bool:
    """Whether a request is, on some branch, the one that a case is about."""
    one, other = request.exchange, case[0].exchange
    same = one.url_text == other.url_text
    return same and compatible(one.when, other.url_when | other.context)


def _lacks_version(requests: ApiRequests, exchange: Exchange) -> bool:
    return not (exchange.headers.open or requests.version_entries(exchange) or requests.misspelled_entries(exchange))


def _asks_for_more(exchange: Exchange) -> bool:
    """Whether a request has a key, or cannot be meant to find out if somebody is there alone."""
    return has_key(exchange) or not (exchange.by_wrapper or _is_probe(exchange))


def _is_probe(exchange: Exchange) -> bool:
    """Whether a request without a key can only ask if somebody is there: any answer will do."""
    call = exchange.sending
    if not isinstance(call, cst.Call):
        return False
    first = string_value(call.args[0].value) if call.args else None
    return not _PROBING.isdisjoint({str(first).lower(), last_name(call.func) or ""})


def sender(requests: ApiRequests, call: cst.Call | cst.ClassDef, built: Mapping, when: Assumptions) -> cst.CSTNode:
    """The call to point at: the caller that builds a mapping, where the function of ``call`` only passes it on.

    For a class it is what builds the mapping, as far as that stands in its file, else its name.
    """
    module, homes = requests.module, built.homes
    if isinstance(call, cst.ClassDef):
        return next((home.node for home in homes if home.module is module), call.name)
    if not homes:
        return call
    around_home = [homes[0].node, *homes[0].module.ancestors(homes[0].node)]
    callers = {
        assumption.key: assumption.choice
        for assumption in when
        if assumption.context and isinstance(assumption.choice, cst.Call)
    }
    pointed_at: cst.CSTNode = call
    while True:
        function = next((a for a in module.ancestors(pointed_at) if isinstance(a, cst.FunctionDef)), None)
        caller = callers.pop(("caller", function), None)
        if function is None or not isinstance(caller, cst.Call) or function in around_home:
            return pointed_at
        if not _brings(requests, caller, homes, around_home):
            return pointed_at
        pointed_at = caller


def _brings(requests: ApiRequests, call: cst.Call, homes: tuple[Place, ...], around_home: list[cst.CSTNode]) -> bool:
    """Whether a mapping comes from a caller: built in its function, or handed over by the call."""
    module: Module = requests.module
    if any(isinstance(above, cst.FunctionDef) and above in around_home for above in module.ancestors(call)):
        return True
    frame = requests.evaluator.frame_of(module, call)
    return any(
        set(value.homes) & set(homes)
        for argument in call.args
        for value in (a.value for a in requests.evaluator.evaluate(argument.value, frame))
        if isinstance(value, Mapping)
    )
