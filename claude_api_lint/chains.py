"""Chains of tests that tell the variants of one value apart, and what happens to a variant that none of them knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of, is_irrefutable, last_name, string_value, takes_everything

_TYPE = "type"
_BLAMING = frozenset("AssertionError KeyError LookupError NotImplementedError TypeError ValueError".split())
"""What is raised for a value that the code did not expect."""

Leaving = cst.Return | cst.Raise | cst.Continue | cst.Break


@dataclass(frozen=True)
class Tested:
    """What one test says about a subject: the words or classes that it tells, and whether it asks for one of them."""

    subject: cst.BaseExpression
    words: frozenset[str] = frozenset()
    classes: tuple[cst.BaseExpression, ...] = ()
    positive: bool = True
    collection: cst.BaseExpression | None = None
    """The name of a collection that holds the words elsewhere."""


@dataclass(frozen=True)
class Chain:
    """Tests of one subject, and ``failing``: the statement that makes every other variant fail (None if none does)."""

    subject: cst.BaseExpression
    words: frozenset[str]
    classes: tuple[cst.BaseExpression, ...]
    failing: cst.CSTNode | None
    fallback: cst.CSTNode | None = None
    """The ``else`` or the case that the failing statement stands in."""
    tests: tuple[Tested, ...] = field(default=(), compare=False)
    refuses: bool = False
    """Whether it is one test that refuses everything but a list."""
    collections: tuple[cst.BaseExpression, ...] = ()
    """Names of lists that stand elsewhere."""
    key: str | None = None
    """The key of the subject that patterns of mappings tell apart."""


@dataclass(frozen=True)
class Refusal:
    """A test that fails where ``value`` is None; ``fallback`` is the ``else`` that the failing statement stands in.

    ``place`` is what to report: the whole test, or what comes behind it.
    """

    value: cst.BaseExpression
    failing: cst.CSTNode
    place: cst.CSTNode
    fallback: cst.Else | None = None


def tested(test: cst.BaseExpression) -> Tested | None:
    """What a test says about the one subject that it compares; None where it says anything else."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = tested(test.expression)
        return (
            Tested(inner.subject, inner.words, inner.classes, not inner.positive, inner.collection) if inner else None
        )
    if isinstance(test, cst.BooleanOperation):
        return _joined(tested(test.left), tested(test.right), isinstance(test.operator, cst.Or))
    if isinstance(test, cst.Call):
        return _by_class(test)
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    operator, right = test.comparisons[0].operator, test.comparisons[0].comparator
    if isinstance(operator, cst.Is | cst.Equal) and last_name(right) == "None":
        return Tested(test.left)
    if isinstance(operator, cst.Equal | cst.NotEqual | cst.Is | cst.IsNot):
        word = string_value(right)
        if isinstance(word, str):
            return Tested(test.left, frozenset({word}), positive=isinstance(operator, cst.Equal | cst.Is))
        word = string_value(test.left)
        if isinstance(word, str):
            return Tested(right, frozenset({word}), positive=isinstance(operator, cst.Equal | cst.Is))
    if isinstance(operator, cst.In | cst.NotIn):
        words = words_of(right)
        if words is not None:
            return Tested(test.left, words, positive=isinstance(operator, cst.In))
        if isinstance(right, cst.Name | cst.Attribute):
            return Tested(test.left, positive=isinstance(operator, cst.In), collection=right)
    return None


def words_of(node: cst.CSTNode) -> frozenset[str] | None:
    """The texts of a literal collection; None where it is none, or has anything else but ``None``."""
    if isinstance(node, cst.Dict):
        keys = [element.key if isinstance(element, cst.DictElement) else None for element in node.elements]
    elif isinstance(node, cst.Tuple | cst.List | cst.Set):
        keys = [element.value for element in node.elements]
    else:
        return None
    told = [key for key in keys if key is None or last_name(key) != "None"]
    words = [word for key in told if key is not None and isinstance(word := string_value(key), str)]
    return frozenset(words) if words and len(words) == len(told) else None


def _joined(left: Tested | None, right: Tested | None, either: bool) -> Tested | None:
    """``x == "a" or x == "b"``; of ``x == "a" and ready`` the part about the subject."""
    if left is None or right is None:
        return None if either else left or right
    if code_of(left.subject) != code_of(right.subject):
        return None if either else left
    return Tested(left.subject, left.words | right.words, (*left.classes, *right.classes), left.positive)


def _asked_for(test: cst.BaseExpression) -> tuple[cst.BaseExpression, bool] | None:
    """What a test asks whether it is there, and whether that is what holds: ``x``, ``not x``, ``x is None``."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression, False
    if not isinstance(test, cst.Comparison):
        return test, True
    target = test.comparisons[0]
    if len(test.comparisons) != 1 or last_name(target.comparator) != "None":
        return None
    return test.left, isinstance(target.operator, cst.IsNot | cst.NotEqual)


def _by_class(test: cst.Call) -> Tested | None:
    """``isinstance(x, A)``, ``isinstance(x, (A, B))``."""
    if last_name(test.func) != "isinstance" or len(test.args) != 2:
        return None
    classes = test.args[1].value
    nodes = tuple(e.value for e in classes.elements) if isinstance(classes, cst.Tuple) else (classes,)
    return Tested(test.args[0].value, classes=nodes)


class Chains:
    """Reads the chains of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module

    def of_if(self, node: cst.If) -> Chain | None:
        """The chain that begins at an ``if``, with the ``if`` statements behind it that go on with it."""
        if self._is_continued(node):
            return None
        tests: list[Tested] = []
        current: cst.If | None = node
        while current is not None:
            outcome = self._arms(current, tests)
            if outcome is None:
                return None
            leaves, orelse = outcome
            if orelse is not None:
                return self._chain(tests, self.failing(orelse.body), orelse)
            following = self._next(node if current is node else current) if leaves else None
            if isinstance(following, cst.Raise) or _is_never(following):
                return self._chain(tests, following, None)
            current = following if isinstance(following, cst.If) and self._goes_on(following, tests[0]) else None
        return None

    def of_refusal(self, node: cst.If) -> Chain | None:
        """``if x not in KNOWN: raise``, ``if x != "text": raise``; with the tests before it that leave."""
        said = tested(node.test)
        failing = self.failing(node.body)
        if said is None or said.positive or failing is None or node.orelse is not None:
            return None
        words, refuses = said.words, True
        block, index = self.module.position_of(node)
        for before in reversed(block.steps[:index]):
            if not isinstance(before, cst.If) or isinstance(before.test, cst.BooleanOperation):
                break
            earlier = tested(before.test)
            if earlier is None or not earlier.positive or code_of(earlier.subject) != code_of(said.subject):
                break
            if not self._leaves(before.body) or self.failing(before.body) is not None:
                break
            words, refuses = words | earlier.words, False
        return Chain(
            said.subject,
            words,
            said.classes,
            failing,
            None,
            (said,),
            refuses,
            (said.collection,) if said.collection is not None else (),
        )

    def of_none(self, node: cst.If) -> Refusal | None:
        """``if handler is None: raise``, ``if not handler: raise``, ``if handler: ... else: raise``."""
        asked = _asked_for(node.test)
        if asked is None or isinstance(self.module.parent(node), cst.If):
            return None
        subject, is_there = asked
        fallback = node.orelse if is_there and isinstance(node.orelse, cst.Else) else None
        if is_there:
            failing = self.failing(fallback.body) if fallback is not None else self._failing_behind(node)
        else:
            failing = self.failing(node.body) if node.orelse is None else None
        value = self._bound_before(node, subject) if failing is not None else None
        if value is None or failing is None:
            return None
        return Refusal(value, failing, failing if is_there else node, fallback)

    def _failing_behind(self, node: cst.If) -> cst.CSTNode | None:
        """The statement that fails behind an ``if`` that leaves."""
        following = self._next(node) if node.orelse is None and self._leaves(node.body) else None
        return following if isinstance(following, cst.Raise) or _is_never(following) else None

    def _bound_before(self, step: cst.CSTNode, subject: cst.BaseExpression) -> cst.BaseExpression | None:
        """What an expression stands for: itself, or for a name what the nearest step before that binds it assigns."""
        if isinstance(subject, cst.NamedExpr):
            return subject.value
        if not isinstance(subject, cst.Name):
            return subject
        block, index = self.module.position_of(step)
        for before in reversed(block.steps[:index]):
            if self.module.touches(before, subject.value):
                if not isinstance(before, cst.Assign | cst.AnnAssign):
                    return None
                target = before.targets[0].target if isinstance(before, cst.Assign) else before.target
                return before.value if last_name(target) == subject.value else None
        return None

    def is_raising_anyway(self, node: cst.CSTNode) -> bool:
        """Whether every arm raises: then the chain only chooses the exception."""
        bodies: list[cst.BaseSuite] = []
        arm: object = node
        while isinstance(arm, cst.If):
            bodies.append(arm.body)
            arm = arm.orelse
        if isinstance(node, cst.Match):
            bodies = [case.body for case in node.cases if not is_irrefutable(case)]
        if isinstance(node, cst.If) and node.orelse is None and len(bodies) == 1:
            return False
        return bool(bodies) and all(self.failing(body) is not None for body in bodies)

    def raises_in_an_arm(self, node: cst.CSTNode) -> bool:
        """Whether some arm raises as well."""
        bodies: list[cst.BaseSuite] = [case.body for case in node.cases[:-1]] if isinstance(node, cst.Match) else []
        arm: object = node
        while isinstance(arm, cst.If):
            bodies.append(arm.body)
            arm = arm.orelse
        return any(self.failing(body) is not None for body in bodies)

    def _arms(self, node: cst.If, tests: list[Tested]) -> tuple[bool, cst.Else | None] | None:
        """Read the arms of one ``if``: whether all of them leave, and its ``else``. None for another kind of chain."""
        arm: cst.If | cst.Else | None = node
        leaves = True
        while isinstance(arm, cst.If):
            said = tested(arm.test)
            if said is None or not said.positive:
                return None
            if tests and code_of(said.subject) != code_of(tests[0].subject):
                return None
            tests.append(said)
            leaves = leaves and self._leaves(arm.body)
            arm = arm.orelse
        return leaves, arm

    def _chain(self, tests: list[Tested], failing: cst.CSTNode | None, fallback: cst.CSTNode | None) -> Chain | None:
        if failing is None:
            return None
        words = frozenset().union(*(test.words for test in tests))
        classes = tuple(node for test in tests for node in test.classes)
        collections = tuple(test.collection for test in tests if test.collection is not None)
        if bool(words or collections) == bool(classes):
            return None
        return Chain(tests[0].subject, words, classes, failing, fallback, tuple(tests), collections=collections)

    def _is_continued(self, node: cst.If) -> bool:
        """Whether an ``if`` is an arm of another one, or goes on with the one before it."""
        if isinstance(self.module.parent(node), cst.If):
            return True
        block, index = self.module.position_of(node)
        before = block.steps[index - 1] if index else None
        said = tested(node.test)
        if not isinstance(before, cst.If) or said is None:
            return False
        return before.orelse is None and self._leaves(before.body) and self._goes_on(before, said)

    def _goes_on(self, node: cst.If, first: Tested) -> bool:
        said = tested(node.test)
        return said is not None and said.positive and code_of(said.subject) == code_of(first.subject)

    def _next(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The step behind a statement, in its block."""
        block, index = self.module.position_of(node)
        return block.steps[index + 1] if index + 1 < len(block.steps) else None

    def _leaves(self, body: cst.BaseSuite) -> bool:
        steps = self.module.block(body).steps
        return bool(steps) and isinstance(steps[-1], Leaving)

    def failing(self, body: cst.BaseSuite) -> cst.CSTNode | None:
        """The statement of a body that fails, where the body does nothing else than say so."""
        steps = self.module.block(body).steps
        if not steps or not (isinstance(steps[-1], cst.Raise) or _is_never(steps[-1])):
            return None
        return steps[-1] if all(_is_telling(step) for step in steps[:-1]) else None

    def of_match(self, node: cst.Match) -> tuple[Chain | None, bool]:
        """The chain that a ``match`` is, and whether it has a case for everything else."""
        words: set[str] = set()
        classes: list[cst.BaseExpression] = []
        keys: set[str | None] = set()
        for case in node.cases:
            if _takes_the_rest(case.pattern, keys):
                if case.guard is not None:
                    continue
                failing = self.failing(case.body)
                return self._matched(node, words, classes, keys, failing, case), True
            for pattern in _alternatives(case.pattern):
                if isinstance(pattern, cst.MatchSingleton) and last_name(pattern.value) == "None":
                    continue  # no variant
                if isinstance(pattern, cst.MatchValue) and isinstance(word := string_value(pattern.value), str):
                    words.add(word)
                    keys.add(None)
                elif isinstance(pattern, cst.MatchClass):
                    classes.append(pattern.cls)
                elif isinstance(pattern, cst.MatchMapping) and (told := _typed_pattern(pattern)) is not None:
                    words.add(told)
                    keys.add(_TYPE)
                else:
                    return None, False
        following = self._next(node)
        leaves = all(self._leaves(case.body) for case in node.cases)
        failing = following if leaves and (isinstance(following, cst.Raise) or _is_never(following)) else None
        return self._matched(node, words, classes, keys, failing, None), False

    def _matched(
        self,
        node: cst.Match,
        words: set[str],
        classes: list[cst.BaseExpression],
        keys: set[str | None],
        failing: cst.CSTNode | None,
        fallback: cst.CSTNode | None,
    ) -> Chain | None:
        if len(keys) > 1 or bool(words) == bool(classes):
            return None
        key = keys.pop() if keys else None
        return Chain(node.subject, frozenset(words), tuple(classes), failing, fallback, key=key)


def _takes_the_rest(pattern: cst.MatchPattern, keys: set[str | None]) -> bool:
    """Whether a pattern takes all that those before it did not: of everything, of texts, or of what has a type."""
    if takes_everything(pattern):
        return True
    if isinstance(pattern, cst.MatchAs) and pattern.pattern is not None:
        return _takes_the_rest(pattern.pattern, keys)
    if isinstance(pattern, cst.MatchMapping) and keys == {_TYPE} and len(pattern.elements) == 1:
        (element,) = pattern.elements
        return string_value(element.key) == _TYPE and _takes_the_rest(element.pattern, {None})
    return isinstance(pattern, cst.MatchClass) and keys == {None} and _takes_texts(pattern)


def _takes_texts(pattern: cst.MatchClass) -> bool:
    """``str()``, ``str(other)``."""
    captured = [element.value for element in pattern.patterns]
    return last_name(pattern.cls) == "str" and not pattern.kwds and all(map(takes_everything, captured))


def _typed_pattern(pattern: cst.MatchMapping) -> str | None:
    """``text`` of ``{"type": "text", ...}``."""
    for element in pattern.elements:
        if string_value(element.key) == _TYPE and isinstance(element.pattern, cst.MatchValue):
            word = string_value(element.pattern.value)
            return word if isinstance(word, str) else None
    return None


def raised_names(failing: cst.CSTNode) -> frozenset[str]:
    """The names under which what a statement raises can be caught."""
    names = {"Exception", "BaseException"}
    if isinstance(failing, cst.Raise) and failing.exc is not None:
        exc = failing.exc.func if isinstance(failing.exc, cst.Call) else failing.exc
        names.add(last_name(exc) or "")
        names |= {"LookupError"} if last_name(exc) in ("KeyError", "IndexError") else set()
    else:
        names.add("AssertionError")
    return frozenset(names - {""})


def is_passed_on(failing: cst.CSTNode | None) -> bool:
    """Whether an error is raised as the error that it is: again, or as one that does not blame the value itself."""
    if not isinstance(failing, cst.Raise):
        return False
    return failing.exc is None or raised_names(failing).isdisjoint(_BLAMING)


def _alternatives(pattern: cst.MatchPattern) -> Iterator[cst.MatchPattern]:
    if isinstance(pattern, cst.MatchOr):
        for option in pattern.patterns:
            yield from _alternatives(option.pattern)
    elif isinstance(pattern, cst.MatchAs) and pattern.pattern is not None:
        yield from _alternatives(pattern.pattern)
    else:
        yield pattern


def _is_never(step: cst.CSTNode | None) -> bool:
    """``assert_never(x)``, ``assert False``."""
    if isinstance(step, cst.Assert):
        return code_of(step.test) == "False"
    return (
        isinstance(step, cst.Expr) and isinstance(step.value, cst.Call) and last_name(step.value.func) == "assert_never"
    )


def _is_telling(step: cst.CSTNode) -> bool:
    """Whether a statement before the failing one only says what is wrong: logs it, or makes the message."""
    if isinstance(step, cst.Assign):
        return True
    return isinstance(step, cst.Expr) and isinstance(step.value, cst.Call | cst.SimpleString | cst.ConcatenatedString)
