"""Where a version is written that some request sends as its version header, or that can only be meant so."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import libcst as cst

from claude_api_lint.api_requests import ApiRequests
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of, dotted, string_value, walk
from claude_api_lint.dataflow.values import Alternative, Const, Entry, Mapping, Place, Thunk, compatible
from claude_api_lint.findings import Confidence
from claude_api_lint.http.headers import AUTH_HEADERS, HEADER_NAMES
from claude_api_lint.parsing import Statement
from claude_api_lint.prefilter import VERSION_CONSTANT, mentions_api, names_vendor
from claude_api_lint.rule import Analysis, Rule

MAX_USERS = 12
"""Files that are looked at to find out who sends a constant."""
_VERSION_NAME = re.compile(r"version", re.IGNORECASE)
_DATE = re.compile(r"""["'](20\d\d-\d\d-\d\d)["']""")
# Other APIs have dates as versions, too: Azure OpenAI's api-version, X-GitHub-Api-Version, Notion-Version.
_OTHER_API = re.compile(r"azure|openai|github|notion|stripe", re.IGNORECASE)
_OTHER_HEADER = re.compile(r"""["'](?!anthropic)\w[\w-]*-version["']\s*[:,]\s*["'][^"']*["']""", re.IGNORECASE)
_HEADERS_NAME = re.compile(r"header|hdr", re.IGNORECASE)


@dataclass(frozen=True)
class VersionValue:
    """A value of the version header: what it is, where it is written, and how sure it is that it is sent."""

    value: str | None
    place: Place
    confidence: Confidence
    sent_by: cst.CSTNode | None = None
    """The call or class that sends it, where one is seen."""


class HeaderRule(Rule):
    """A rule about what is written as the version header: in this file, or in another one for a request of this file.

    What is written in another file is reported there, where that file alone tells what it is; else at the request.
    """

    def looks_into(self, statement: Statement) -> bool:
        return "anthropic" in statement.lowered or self.analysis.requests.may_be_in(statement)

    def report_written(
        self, place: Place, sent_by: cst.CSTNode | None, message: str, confidence: Confidence, evidence: object
    ) -> None:
        """Report what is written at a place."""
        module = self.analysis.module
        if place.module is module:
            self.report(place.node, message, confidence, evidence)
        elif sent_by is not None and module.owns(sent_by) and not self.is_told_there(place):
            message = f"{message} (it is written at {self.analysis.where(place)})"
            self.report(_pointed_at(sent_by), message, confidence, evidence)

    def is_told_there(self, place: Place) -> bool:
        """Whether the other file in which something is written is reported for it by itself."""
        return False


class VersionValueRule(HeaderRule):
    """A rule about the values of the version header: it is shown them wherever they are met."""

    def looks_into(self, statement: Statement) -> bool:
        return super().looks_into(statement) or is_version_constant(self.analysis, self.analysis.module, statement)

    @classmethod
    def is_about(cls, lowered: str) -> bool:
        return super().is_about(lowered) or VERSION_CONSTANT.search(lowered) is not None

    def judge(self, values: Iterable[VersionValue]) -> None:
        """Report the values that fall short."""
        raise TypeError(f"{type(self).__name__} does not say how to judge")

    def is_told_there(self, place: Place) -> bool:
        analysis, module = self.analysis, place.module
        requests = analysis.requests_of(module)
        if any(value.place == place for node in module.nodes(cst.Dict) for value in written_values(requests, node)):
            return True
        statement = module.statement_of(place.node)
        if not is_version_constant(analysis, module, statement):
            return False
        return any(value.place == place for value in sent_elsewhere(analysis, module, statement))

    def report_value(self, value: VersionValue, message: str) -> None:
        """Report a value."""
        self.report_written(value.place, value.sent_by, message, value.confidence, value)

    def visit_Module(self, node: cst.Module) -> None:
        """A top-level statement: a constant that the requests of other files send is reported where it is written."""
        module = self.analysis.module
        statement = module.statement_of(node)
        if is_version_constant(self.analysis, module, statement):
            values = sent_elsewhere(self.analysis, module, statement)
            self.judge(value for value in values if module.statement_of(value.place.node) is statement)

    def visit_Call(self, node: cst.Call) -> None:
        self.judge(sent_values(self.analysis.requests, node))

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.judge(sent_values(self.analysis.requests, node))

    def visit_Dict(self, node: cst.Dict) -> None:
        self.judge(written_values(self.analysis.requests, node))

    def visit_Assign(self, node: cst.Assign) -> None:
        self.judge(assigned_values(self.analysis.requests, node))


def sent_values(requests: ApiRequests, node: cst.Call | cst.ClassDef) -> Iterator[VersionValue]:
    """The values that the requests of a call, or those that a class inherits, send to the API."""
    values: list[VersionValue | None] = []
    for request in requests.of(node):
        exchange = request.exchange
        for entry in requests.version_entries(exchange):
            for alternative in requests.values(entry):
                if compatible(alternative.when, exchange.when):
                    value = _written(alternative, entry, request.confidence)
                    values.append(replace(value, sent_by=node) if value is not None else None)
    yield from _meant(values)


def is_version_constant(analysis: Analysis, module: Module, statement: Statement) -> bool:
    """Whether a statement of a file that mentions the API names a version that is not right: somebody may send it."""
    text = _OTHER_HEADER.sub("", statement.text)
    if module.is_test or not _VERSION_NAME.search(text) or not mentions_api(module.source.text.encode()):
        return False
    if re.match(r"(async\s+)?def\b", text.lstrip()) or (_OTHER_API.search(text) and not names_vendor(text.encode())):
        return False
    versions = _DATE.findall(text)
    return any(analysis.catalog.is_outdated(v, analysis.target) or not analysis.catalog.is_known(v) for v in versions)


def sent_elsewhere(analysis: Analysis, module: Module, statement: Statement) -> Iterator[VersionValue]:
    """The values written in a statement of a module that requests of other files of the project send."""
    for name in sorted((statement.binds or frozenset()) | _dated_fields(module, statement)):
        for user in itertools.islice(analysis.evaluator.resolver.users(module, name), MAX_USERS):
            requests = analysis.requests_of(user)
            for call in requests.calls:
                for value in sent_values(requests, call):
                    if value.place.module is module:
                        yield value


def _dated_fields(module: Module, statement: Statement) -> frozenset[str]:
    """The class attributes and fields that a statement gives a date: others read them from objects."""
    nodes = [n for n in walk(module.tree(statement)) if isinstance(n, cst.Assign | cst.AnnAssign)]
    fields = [n for n in nodes if isinstance(module.scope_of(n), cst.ClassDef) and _DATE.search(code_of(n))]
    targets = [n.target if isinstance(n, cst.AnnAssign) else n.targets[0].target for n in fields]
    return frozenset(target.value for target in targets if isinstance(target, cst.Name))


def _pointed_at(node: cst.CSTNode) -> cst.CSTNode:
    return node.name if isinstance(node, cst.ClassDef) else node


def _meant(values: list[VersionValue | None]) -> Iterator[VersionValue]:
    """The values without the empty ones that stand where another may take their place."""
    only_empty = all(value is not None and not value.value for value in values)
    for value in values:
        if value is not None and (value.value or only_empty):
            yield value


def _written(alternative: Alternative, entry: Entry, confidence: Confidence) -> VersionValue | None:
    constant = alternative.value
    if not isinstance(constant, Const) or not isinstance(constant.value, str | bytes | None):
        return None
    place = constant.place or (
        Place(entry.value.frame.module, entry.value.node) if isinstance(entry.value, Thunk) else entry.key_place
    )
    text = constant.value.decode("latin-1") if isinstance(constant.value, bytes) else constant.value
    return VersionValue(text, place, confidence) if place is not None else None


def written_headers(requests: ApiRequests, node: cst.Dict) -> Iterator[Mapping]:
    """The mapping of a dict literal that can only be request headers for the API, wherever it is sent.

    It must have another header, and be named or passed as headers, or have a key beside the kind of what is sent; tests
    that compare or fake headers are left alone.
    """
    module = requests.module
    if module.is_test or requests.is_mocked:
        return
    names = frozenset(_written_names(node)) & HEADER_NAMES
    if not names or _is_another_matter(requests, node):
        return
    if not _is_used_as_headers(requests, node) and not (names & AUTH_HEADERS and names - AUTH_HEADERS):
        return
    for alternative in requests.evaluator.evaluate(node, requests.evaluator.frame_of(module, node)):
        if isinstance(alternative.value, Mapping):
            yield alternative.value


def is_written_as_headers(requests: ApiRequests, place: Place) -> bool:
    """Whether a key or a value stands in a dict literal that can only be request headers."""
    above = [place.node, *itertools.islice(requests.module.ancestors(place.node), 2)]
    return any(isinstance(node, cst.Dict) and any(True for _ in written_headers(requests, node)) for node in above)


def written_values(requests: ApiRequests, node: cst.Dict) -> Iterator[VersionValue]:
    """The version header's values in a dict literal that can only be request headers."""
    for mapping in written_headers(requests, node):
        for entry in mapping.entries:
            if requests.catalog.is_version_header(entry.key):
                yield from _likely_values(requests, entry)


def assigned_names(requests: ApiRequests, node: cst.Assign) -> Iterator[tuple[cst.CSTNode, str]]:
    """The keys of ``headers["..."] = value``, for a name that says headers, each with the node that writes it."""
    module = requests.module
    if module.is_test or requests.is_mocked:
        return
    for target in node.targets:
        subscript = target.target
        if not isinstance(subscript, cst.Subscript) or not isinstance(subscript.slice[0].slice, cst.Index):
            continue
        key = subscript.slice[0].slice.value
        name = string_value(key)
        if Place(module, key) in requests.sdk.keys:
            continue
        if not isinstance(name, str) or not _HEADERS_NAME.search(code_of(subscript.value)):
            continue
        if Place(module, key) not in requests.keys_on_platforms:
            yield key, name


def assigned_values(requests: ApiRequests, node: cst.Assign) -> Iterator[VersionValue]:
    """The values of ``headers["anthropic-version"] = value``, for a name that says headers."""
    for key, name in assigned_names(requests, node):
        if requests.catalog.is_version_header(name):
            frame = requests.evaluator.frame_of(requests.module, node)
            yield from _likely_values(requests, Entry(name, Thunk(node.value, frame), Place(requests.module, key)))


def _likely_values(requests: ApiRequests, entry: Entry) -> Iterator[VersionValue]:
    yield from _meant([_written(alternative, entry, Confidence.LIKELY) for alternative in requests.values(entry)])


def _written_names(node: cst.Dict) -> Iterator[str]:
    """The keys of a dict literal, and those of ``**({"key": value} if test else {})`` in it, in lower case."""
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            key = string_value(element.key)
            if isinstance(key, str):
                yield key.lower()
        else:
            for inner in walk(element.value):
                if isinstance(inner, cst.Dict):
                    yield from _written_names(inner)


def _is_another_matter(requests: ApiRequests, node: cst.Dict) -> bool:
    """Whether a request with the literal is seen, which tells more, or the SDK gets it, which is for another rule."""
    module = requests.module
    keys = (element.key for element in node.elements if isinstance(element, cst.DictElement))
    return Place(module, node) in requests.homes_of_others | requests.judged_homes or any(
        Place(module, key) in requests.sdk.keys for key in keys
    )


def _is_used_as_headers(requests: ApiRequests, node: cst.Dict) -> bool:
    """Whether the literal is bound to, returned from or passed as something named headers."""
    module = requests.module
    parent = module.parent(node)
    if isinstance(parent, cst.Arg):
        call = module.parent(parent)
        name = parent.keyword.value if parent.keyword is not None else dotted(getattr(call, "func", node)) or ""
        return bool(_HEADERS_NAME.search(name))
    if isinstance(parent, cst.Assign):
        return any(
            _HEADERS_NAME.search(code_of(target.target)) or _is_returned_as_headers(requests, node, target.target)
            for target in parent.targets
        )
    if isinstance(parent, cst.AnnAssign):
        return bool(_HEADERS_NAME.search(code_of(parent.target)))
    if isinstance(parent, cst.Return):
        function = next((above for above in module.ancestors(node) if isinstance(above, cst.FunctionDef)), None)
        return function is not None and bool(_HEADERS_NAME.search(function.name.value))
    if isinstance(parent, cst.DictElement):
        key = string_value(parent.key)
        return isinstance(key, str) and bool(_HEADERS_NAME.search(key))
    return False


def _is_returned_as_headers(requests: ApiRequests, node: cst.CSTNode, target: cst.BaseExpression) -> bool:
    """Whether a name is what a function that is named after headers returns."""
    function = next((above for above in requests.module.ancestors(node) if isinstance(above, cst.FunctionDef)), None)
    if function is None or not isinstance(target, cst.Name) or not _HEADERS_NAME.search(function.name.value):
        return False
    returns = [inner for inner in walk(function.body, into_scopes=False) if isinstance(inner, cst.Return)]
    return any(isinstance(inner.value, cst.Name) and inner.value.value == target.value for inner in returns)
