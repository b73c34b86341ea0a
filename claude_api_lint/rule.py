"""What a rule is: a LibCST visitor that asks what expressions are, and reports."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import libcst as cst

from claude_api_lint.api import Catalog, load_catalog
from claude_api_lint.api_requests import ApiRequests
from claude_api_lint.completed_elsewhere import CompletedElsewhere
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import string_value, walk
from claude_api_lint.dataflow.values import Place
from claude_api_lint.findings import Confidence
from claude_api_lint.parsing import Statement
from claude_api_lint.platform_requests import PlatformRequests
from claude_api_lint.replies import Replies
from claude_api_lint.source import Source
from claude_api_lint.vocabulary import Vocabulary


@dataclass(eq=False)
class Analysis:
    """One module under analysis: what rules and fixers ask their questions of."""

    module: Module
    target: str
    evaluator: Evaluator = field(default_factory=Evaluator)
    _requests: dict[Module, ApiRequests] = field(default_factory=dict)

    @property
    def catalog(self) -> Catalog:
        return load_catalog()

    @cached_property
    def requests(self) -> ApiRequests:
        return ApiRequests(self.module, self.evaluator, self.requests_of)

    def requests_of(self, module: Module) -> ApiRequests:
        """The requests of another module of the project."""
        if module is self.module:
            return self.requests
        if module not in self._requests:
            self._requests[module] = ApiRequests(module, self.evaluator, self.requests_of)
        return self._requests[module]

    @cached_property
    def completed_elsewhere(self) -> CompletedElsewhere:
        return CompletedElsewhere(self.evaluator)

    @cached_property
    def platforms(self) -> PlatformRequests:
        return PlatformRequests(self.requests)

    @cached_property
    def replies(self) -> Replies:
        return Replies(self.requests)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.module)

    def where(self, place: Place) -> str:
        """Where something is written, for people: ``line 3``, or ``headers.py:3`` in another file."""
        line = place.module.line(place.node)
        return f"line {line}" if place.module is self.module else f"{os.path.normpath(place.module.path)}:{line}"

    def source_of(self, path: str) -> Source:
        """The text of a file of the project, by its absolute path."""
        if os.path.abspath(self.module.path) == path:
            return self.module.source
        module = self.evaluator.resolver.at(path)
        return module.source if module is not None else Source("")

    def module_of(self, node: cst.CSTNode) -> Module:
        """The module that a node stands in."""
        return self.module if self.module.owns(node) else self.evaluator.resolver.owner(node) or self.module


@dataclass(frozen=True)
class Violation:
    """What a rule saw: where, what to say, how sure it is, and the evidence that the fixer works from.

    ``span`` narrows the place to a part of the node, as two offsets into the file's text.
    """

    rule: type[Rule]
    node: cst.CSTNode
    message: str
    confidence: Confidence
    evidence: object = None
    span: tuple[int, int] | None = None


class StepPart(enum.Enum):
    """The two parts of a step to another version: one without the other changes what a program does."""

    REQUEST = "the version that is asked for"
    REPLY = "what the replies are taken for"


class Rule(cst.CSTVisitor):
    """A rule. Its docstring is its page in the manual: the first line says what is reported.

    Rules are run together, in one pass over the tree that calls their ``visit_...`` methods; every violation is
    reported once, however often it is met.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    since: ClassVar[str]
    """The API version since which the rule holds."""
    needles: ClassVar[tuple[str, ...]]
    """The rule can report something only in a file that has one of these texts, in any casing."""
    origins: ClassVar[tuple[str, ...]] = ()
    """And one of these, if there are any: what the values come from that the rule is about."""

    follows_imports: ClassVar[bool] = False
    """Whether what the values come from may also stand in what a file's imports lead to."""

    part_of_step: ClassVar[StepPart | None] = None
    """Which part of the step to another version a finding of the rule is, if it is one."""

    def __init__(self, analysis: Analysis) -> None:
        super().__init__()
        self.analysis = analysis
        self.violations: dict[tuple[object, ...], Violation] = {}

    @classmethod
    def is_about(cls, lowered: str) -> bool:
        """Whether a text, in lower case, has what the rule is about."""
        if not any(needle in lowered for needle in cls.needles):
            return False
        return not cls.origins or any(origin in lowered for origin in cls.origins)

    @classmethod
    def may_be_about(cls, lowered: str) -> bool:
        """Whether a text, in lower case, has what must stand in the file itself: imports may lead to the rest."""
        return not cls.origins or any(needle in lowered for needle in cls.needles)

    def looks_into(self, statement: Statement) -> bool:
        """Whether the rule may find something in a top-level statement: ten times cheaper than parsing it."""
        return True

    def is_near(self, statement: Statement) -> bool:
        """Whether a statement has one of the rule's needles, or uses a name whose binding has."""
        return _has(statement, self.needles) or not self._names_near.isdisjoint(statement.words)

    @cached_property
    def _names_near(self) -> frozenset[str]:
        """The module-level names whose bindings have a needle, or may have one in another file."""
        module, imports = self.analysis.module, self.analysis.evaluator.imports
        bound = (statement.binds or () for statement in module.statements if _has(statement, self.needles))
        return frozenset().union(*bound, imports.from_project(module) if self.follows_imports else ())

    def is_for_a_version(self, node: cst.CSTNode) -> bool:
        """Whether a node runs only under a test, or in a case, that names a version: the code knows what it does."""
        analysis = self.analysis
        tests = analysis.evaluator.flow.tests_around(node, analysis.evaluator.frame_of(analysis.module, node))
        cases = [above.pattern for above in analysis.module.ancestors(node) if isinstance(above, cst.MatchCase)]
        words = (inner for root in (*(test for test, _ in tests), *cases) for inner in walk(root))
        return any(isinstance(w, cst.SimpleString) and analysis.catalog.is_known(str(string_value(w))) for w in words)

    def report(
        self,
        node: cst.CSTNode,
        message: str,
        confidence: Confidence,
        evidence: object = None,
        span: tuple[int, int] | None = None,
    ) -> None:
        """Report a node of the module. Of two reports of the same place the more certain one counts."""
        key = (node, span)
        former = self.violations.get(key)
        if former is None or (former.confidence is Confidence.LIKELY and confidence is Confidence.CERTAIN):
            self.violations[key] = Violation(type(self), node, message, confidence, evidence, span)


def _has(statement: Statement, needles: tuple[str, ...]) -> bool:
    return any(needle in statement.lowered for needle in needles)
