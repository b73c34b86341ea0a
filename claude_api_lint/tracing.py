"""Why there is a finding at a call, or none: how each part of its request was resolved, and where knowledge ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from claude_api_lint.dataflow import texts
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of
from claude_api_lint.dataflow.values import (
    HOLE,
    Alternatives,
    Class,
    Const,
    External,
    Frame,
    Function,
    Instance,
    Made,
    Mapping,
    Namespace,
    Part,
    Sequence,
    Unknown,
    Value,
)
from claude_api_lint.http.exchanges import Exchange
from claude_api_lint.rule import Analysis

if TYPE_CHECKING:
    from claude_api_lint.dataflow.project import Project
    from claude_api_lint.source import Source

MAX_STEPS = 60
"""Steps that are shown of one call; beyond them nobody reads."""
MAX_CODE = 60
_TOLD = cst.Name | cst.Attribute | cst.Call | cst.Subscript | cst.FormattedString | cst.BinaryOperation | cst.Dict


@dataclass
class _Steps:
    """What was evaluated, in the order in which it was asked for, each with its depth."""

    analysis: Analysis
    seen: list[tuple[int, Module, cst.CSTNode, Alternatives]] = field(default_factory=list)

    def note(self, depth: int, node: cst.BaseExpression, frame: Frame, alternatives: Alternatives) -> None:
        if isinstance(node, _TOLD):
            self.seen.append((depth, frame.module, node, alternatives))

    def lines(self) -> Iterator[str]:
        told: set[cst.CSTNode] = set()
        for depth, module, node, alternatives in self.seen[::-1]:
            if node in told:
                continue
            told.add(node)
            if len(told) > MAX_STEPS:
                yield "    ... and more"
                return
            where = f"{module.path}:{module.line(node)}"
            values = " or ".join(dict.fromkeys(said(alternative.value) for alternative in alternatives))
            yield f"    {'  ' * min(depth, 8)}{where}: {_short(node)} is {values}"


def trace(source: Source, path: str, line: int, target: str, project: Project | None) -> list[str]:
    """What is known of the calls at a line (from 1) of a file, as lines for people.

    Raises parsing.Refused for a file that cannot be analysed.
    """
    from claude_api_lint.parsing import with_big_stack

    return with_big_stack(lambda: list(_traced(source, path, line, target, project)))


def _traced(source: Source, path: str, line: int, target: str, project: Project | None) -> Iterator[str]:
    module = Module(source, path)
    if project is None:
        analysis = Analysis(module, target)
    else:
        analysis = Analysis(project.modules.adopt(module), target, Evaluator(project.modules))
    module = analysis.module
    found = False
    for call in (node for node in module.nodes(cst.Call) if module.line(node) == line):
        steps = _Steps(analysis)
        analysis.evaluator.observer = steps.note
        exchanges = analysis.requests.exchanges(call)
        analysis.evaluator.observer = None
        if not exchanges and not steps.seen:
            continue
        found = True
        yield f"{path}:{line}: {_short(call)}"
        yield from _told_of(analysis, exchanges)
        yield "  how that is known, the last step first:"
        yield from steps.lines()
    if not found:
        yield f"{path}:{line}: no call here that could send a request"


def _told_of(analysis: Analysis, exchanges: list[Exchange]) -> Iterator[str]:
    if not exchanges:
        yield "  sends no request that is known of"
    requests = {id(request.exchange): request for request in analysis.requests.among(exchanges)}
    for exchange in exchanges:
        sent = f", sent at {analysis.where(exchange.sent_at)}" if exchange.sent_at is not None else ""
        library = exchange.library.name if exchange.library is not None else "a function that is not known"
        yield f"  a request by {library}{sent}"
        yield f"    URL: {_text(exchange.url_text) or 'not known'}"
        names = ", ".join(entry.key for entry in exchange.headers.entries) or "none"
        why = f"; there may be others: {exchange.headers.why or 'not all are seen'}" if exchange.headers.open else ""
        yield f"    headers: {names}{why}"
        for home in exchange.headers.homes:
            yield f"    built at {analysis.where(home)}"
        request = requests.get(id(exchange))
        known = (
            f"goes to the Claude API ({request.confidence.value})"
            if request
            else "is not known to go to the Claude API"
        )
        yield f"    it {known}"


def said(value: Value) -> str:
    """A value in a few words."""
    if isinstance(value, Const):
        return repr(value.value)
    if isinstance(value, Mapping):
        names = ", ".join(entry.key for entry in value.entries)
        return f"a mapping of {names or 'nothing'}{' and maybe more' if value.open else ''}"
    if isinstance(value, Sequence):
        return f"a list of {len(value.items)}{' or more' if value.open else ''}"
    if isinstance(value, Function):
        return "a function" if isinstance(value.node, cst.Lambda) else f"the function {value.node.name.value}"
    if isinstance(value, Class):
        return f"the class {value.node.name.value}"
    if isinstance(value, Instance):
        return f"an object of {value.cls.node.name.value}"
    if isinstance(value, Namespace):
        return f"the module {value.path}"
    if isinstance(value, External | Made):
        return f"{value.name}{'()' if isinstance(value, Made) else ''}, of another distribution"
    if isinstance(value, Part):
        return f"the attribute {'.'.join(value.path)} of {said(value.whole)}"
    if isinstance(value, Unknown):
        return f"unknown ({value.why or 'nothing tells'})"
    return _text(texts.pattern_of(value)) or "unknown"


def _text(pattern: str) -> str:
    return pattern.replace(HOLE, "{...}")


def _short(node: cst.CSTNode) -> str:
    code = " ".join(code_of(node).split())
    return code if len(code) <= MAX_CODE else f"{code[: MAX_CODE - 3]}..."
