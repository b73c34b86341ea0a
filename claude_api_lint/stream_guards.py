"""What keeps other lines and events away from code that reads data: tests around it, generators, caught errors."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from claude_api_lint.api import ChangeKind
from claude_api_lint.dataflow.trees import dotted, last_name, string_value, target_names, walk
from claude_api_lint.dataflow.values import External, Function, Generator, Part
from claude_api_lint.loops import Loop, loop_around
from claude_api_lint.replies import Kind
from claude_api_lint.rule import Analysis

PARSE_ERRORS = frozenset("JSONDecodeError ValueError Exception BaseException".split())
KEY_ERRORS = frozenset("KeyError LookupError Exception BaseException".split())
_TESTING_METHODS = frozenset({"startswith", "endswith", "strip", "lower", "decode", "rstrip", "lstrip"})


class StreamGuards:
    """Answers for one module, and for what generators of other files do with its lines."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    def _loop_around(self, node: cst.CSTNode) -> Loop | None:
        return loop_around(self.analysis.module_of(node), node)

    def is_run_for_each_line(self, node: cst.Call) -> bool:
        """Whether a parser runs for each line; one behind the loop parses what was put together of them."""
        module = self.analysis.module_of(node)
        if loop_around(module, node) is not None:
            return True
        if any(isinstance(above, cst.BaseComp) for above in module.ancestors(node)):
            return True
        return any(loop_around(module, call) is not None for call in self._callers(node))

    def keep_other_lines_from(self, node: cst.CSTNode, text: cst.BaseExpression) -> bool:
        """Whether what is no data does not get to a node, or does no harm there; the callers may see to it."""
        if self._is_harmless(node, text):
            return True
        if self._loop_around(node) is not None:
            return False
        arguments = [(call, argument.value) for call in self._callers(node) for argument in call.args]
        return any(self._is_harmless(call, value) for call, value in arguments)

    def _is_harmless(self, node: cst.CSTNode, text: cst.BaseExpression) -> bool:
        return self.is_caught(node, PARSE_ERRORS) or self.is_filtered(node, text)

    def _callers(self, node: cst.CSTNode) -> list[cst.Call]:
        """The calls of the function that a node stands in."""
        module = self.analysis.module_of(node)
        scope = module.scope_of(node)
        if not isinstance(scope, cst.FunctionDef):
            return []
        return [call for call, _ in self.analysis.evaluator.calls.callers(module, scope)]

    # Errors that are caught

    def is_caught(self, node: cst.CSTNode, names: frozenset[str]) -> bool:
        """Whether the error that a node raises is caught, and the loop goes on."""
        module = self.analysis.module_of(node)
        below = node
        for above in module.ancestors(node):
            if isinstance(above, cst.FunctionDef | cst.Lambda):
                return False
            guarded = isinstance(above, cst.Try) and below is above.body
            if guarded and any(self._catches(handler, names) for handler in above.handlers):  # type: ignore[attr-defined]
                return True
            if isinstance(above, cst.With) and any(self._suppresses(item, names) for item in above.items):
                return True
            below = above
        return False

    def _catches(self, handler: cst.ExceptHandler, names: frozenset[str]) -> bool:
        steps = self.analysis.module_of(handler).block(handler.body).steps
        if steps and isinstance(steps[-1], cst.Raise):
            return False
        return handler.type is None or any(_is_named(node, names) for node in walk(handler.type))

    def _suppresses(self, item: cst.WithItem, names: frozenset[str]) -> bool:
        call = item.item
        if not isinstance(call, cst.Call) or last_name(call.func) != "suppress":
            return False
        return any(_is_named(argument.value, names) for argument in call.args)

    # Whether something lets only lines with data pass

    def is_filtered(self, node: cst.CSTNode, text: cst.BaseExpression) -> bool:
        """Whether a test around a node tells lines with data from others, or the text comes filtered."""
        names = self._related(node, text)
        flow, module = self.analysis.evaluator.flow, self.analysis.module_of(node)
        frame = self.analysis.evaluator.frame_of(module, node)
        if any(self._tells_lines_apart(test, names) for test, _ in flow.tests_around(node, frame)):
            return True
        if any(isinstance(above, cst.MatchCase) for above in module.ancestors(node)):
            return True
        if any(self._yields_filtered(source) for source in self._sources(node, names)):
            return True
        return any(self._picks_lines(value, names) for value in self._values(node, names))

    def _values(self, node: cst.CSTNode, names: frozenset[str]) -> Iterator[cst.BaseExpression]:
        """What the loop or function around a node assigns to some names."""
        return (value for bound, value in self._assigned(node) if bound & names)

    def _picks_lines(self, value: cst.BaseExpression, names: frozenset[str]) -> bool:
        """``next(line for line in lines if line.startswith("data:"))``, and ``next`` of a generator that does so."""
        for inner in walk(value):
            takes_next = isinstance(inner, cst.Call) and last_name(inner.func) in ("next", "anext") and inner.args
            if takes_next and self._yields_filtered(inner.args[0].value):  # type: ignore[attr-defined]
                return True
            if isinstance(inner, cst.CompFor):
                bound = frozenset(target_names(inner.target))
                if any(self._tells_lines_apart(test.test, names | bound) for test in inner.ifs):
                    return True
        return False

    def _related(self, node: cst.CSTNode, text: cst.BaseExpression) -> frozenset[str]:
        """The names that a text is made from, and the names that are made from those, in the loop or function."""
        names = {inner.value for inner in walk(text) if isinstance(inner, cst.Name)}
        pairs = [(bound, used) for bound, used in self._assignments(node)]
        while True:
            more = {name for bound, used in pairs if bound & names for name in used}
            more |= {name for bound, used in pairs if used & names for name in bound}
            if more <= names:
                return frozenset(names)
            names |= more

    def _assignments(self, node: cst.CSTNode) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
        """What each assignment of the loop or function around a node binds, and what it uses."""
        loop = self._loop_around(node)
        if isinstance(loop, cst.For) and isinstance(loop.iter, cst.Name):  # whose lines may also be taken by ``next``
            yield frozenset(target_names(loop.target)), frozenset({loop.iter.value})
        for bound, value in self._assigned(node):
            parsed = self.analysis.replies.of(value)
            if parsed is None or parsed.kind is not Kind.REPLY:
                yield bound, frozenset(n.value for n in walk(value) if isinstance(n, cst.Name))

    def _assigned(self, node: cst.CSTNode) -> Iterator[tuple[frozenset[str], cst.BaseExpression]]:
        """The names and the value of each assignment of the loop, or else the function, around a node."""
        loop, scope = self._loop_around(node), self.analysis.module_of(node).scope_of(node)
        around = loop if loop is not None else scope.body if scope is not None else None
        for inner in walk(around, into_scopes=False) if around is not None else ():
            if isinstance(inner, cst.Assign | cst.NamedExpr | cst.AnnAssign) and inner.value is not None:
                targets = [t.target for t in inner.targets] if isinstance(inner, cst.Assign) else [inner.target]
                yield frozenset(name for target in targets for name in target_names(target)), inner.value

    def _tells_lines_apart(self, test: cst.BaseExpression, names: frozenset[str]) -> bool:
        """Whether a test is more than one for an empty line, a comment, a ping or the sentinel."""
        if isinstance(test, cst.BooleanOperation):
            return self._tells_lines_apart(test.left, names) or self._tells_lines_apart(test.right, names)
        if isinstance(test, cst.UnaryOperation):
            return self._tells_lines_apart(test.expression, names)
        if not any(isinstance(inner, cst.Name) and inner.value in names for inner in walk(test)):
            return False
        if isinstance(test, cst.Call) and last_name(test.func) in ("isinstance", "len", "bool"):
            return False
        texts = [string_value(inner) for inner in walk(test) if isinstance(inner, cst.SimpleString)]
        if texts:
            return not all(text is not None and self._is_no_filter(text) for text in texts)
        if isinstance(test, cst.Comparison):
            if isinstance(test.comparisons[0].operator, cst.Is | cst.IsNot) and self._is_chosen(test.left):
                return True
            return not any(last_name(inner) in ("len", "None") for inner in walk(test)) and not self._has_sentinel(test)
        if isinstance(test, cst.Call) and last_name(test.func) in _TESTING_METHODS:
            return bool(test.args)
        part = self.analysis.replies.of(test)
        return part is None or not part.is_text or self._is_chosen(test)

    def _is_chosen(self, test: cst.BaseExpression) -> bool:
        """Whether a name holds what a function of the program has made of a line: it may say None to some.

        Or what ``line.partition("data:")`` has found, if anything.
        """
        name = dotted(test.target if isinstance(test, cst.NamedExpr) else test)
        made = [value for bound, value in self._assigned(test) if name in bound and isinstance(value, cst.Call)]
        return any(self._is_of_program(call) or self._parts_lines(call) for call in made)

    def _parts_lines(self, call: cst.Call) -> bool:
        texts = [string_value(argument.value) for argument in call.args]
        return last_name(call.func) == "partition" and any(text and not self._is_no_filter(text) for text in texts)

    def _is_of_program(self, call: cst.Call) -> bool:
        """Whether a function of the program is called, or one that nobody knows."""
        evaluator = self.analysis.evaluator
        found = evaluator.evaluate(call.func, evaluator.frame_of(self.analysis.module_of(call), call))
        unknown = isinstance(call.func, cst.Name)
        return any(
            isinstance(a.value, Function)
            or (unknown and not isinstance(a.value, External | Part))
            or (isinstance(a.value, External) and not a.value.name.startswith("builtins."))
            for a in found
        )

    def _is_no_filter(self, text: str | bytes) -> bool:
        """Whether a constant in a test tells nothing about lines with data."""
        word = text.decode("latin-1") if isinstance(text, bytes) else text
        sentinels = self.analysis.catalog.changes(ChangeKind.STREAM_SENTINEL_REMOVED, self.analysis.target)
        if "ping" in word or any(sentinel.name in word for sentinel in sentinels):
            return True
        return word.strip() in ("", ":", "utf-8", "utf8")

    def _has_sentinel(self, test: cst.Comparison) -> bool:
        """Whether a test compares with a constant that is named after the sentinel."""
        names = [last_name(inner) or "" for inner in walk(test)]
        return any("done" in name.lower() for name in names)

    def _sources(self, node: cst.CSTNode, names: frozenset[str]) -> Iterator[cst.BaseExpression]:
        """What the loops and comprehensions around a node iterate over, for the names that matter."""
        for above in self.analysis.module_of(node).ancestors(node):
            if isinstance(above, cst.For) and set(target_names(above.target)) & names:
                yield above.iter
            elif isinstance(above, cst.BaseComp):
                yield above.for_in.iter

    def _yields_filtered(self, source: cst.BaseExpression) -> bool:
        """Whether a generator of the program that a loop goes over has filtered what it yields."""
        evaluator = self.analysis.evaluator
        if isinstance(source, cst.Call) and last_name(source.func) == "filter" and source.args:
            return last_name(source.args[0].value) != "None"
        found = evaluator.evaluate(source, evaluator.frame_of(self.analysis.module_of(source), source))
        generators = [alternative.value for alternative in found if isinstance(alternative.value, Generator)]
        return any(self.is_filtered(node, value) for generator in generators for node, value in _yielded_by(generator))

    # Whether something looks at events

    def looks_at_event(self, node: cst.Subscript, key: str) -> bool:
        """Whether the type of the event, its name, or whether it has the field, was asked before."""
        if self._looks_at(node, key):
            return True
        names = frozenset({dotted(node.value) or ""})
        return any(self._yields_known_events(source, key) for source in self._sources(node, names))

    def _looks_at(self, node: cst.CSTNode, key: str) -> bool:
        flow, module = self.analysis.evaluator.flow, self.analysis.module_of(node)
        if any(isinstance(above, cst.MatchCase) for above in module.ancestors(node)):
            return True
        tests = flow.tests_around(node, self.analysis.evaluator.frame_of(module, node))
        return any(self._is_about_event(test, key) for test, _ in tests)

    def _yields_known_events(self, source: cst.BaseExpression, key: str) -> bool:
        """Whether a generator of the program has looked at the events that it yields."""
        evaluator = self.analysis.evaluator
        found = evaluator.evaluate(source, evaluator.frame_of(self.analysis.module_of(source), source))
        generators = [alternative.value for alternative in found if isinstance(alternative.value, Generator)]
        return any(self._looks_at(node, key) for generator in generators for node, _ in _yielded_by(generator))

    def _is_about_event(self, test: cst.BaseExpression, key: str) -> bool:
        for inner in walk(test):
            text = string_value(inner) if isinstance(inner, cst.SimpleString) else None
            if text is not None and (text in (key, "type", "event") or "ping" in str(text)):
                return True
            if isinstance(inner, cst.Attribute | cst.Name):
                part = self.analysis.replies.of(inner) if "event" in (dotted(inner) or "") else None
                if part is not None and part.kind is Kind.EVENT_NAME:
                    return True
        return False

    def is_read_before(self, node: cst.Subscript) -> bool:
        """Whether the same field of the same name is read in the same loop before."""
        loop, event = self._loop_around(node), dotted(node.value)
        for inner in walk(loop.body, into_scopes=False) if loop is not None and event is not None else ():
            if inner is node:
                return False
            if isinstance(inner, cst.Subscript) and dotted(inner.value) == event and inner.deep_equals(node):
                return True
        return False


def _yielded_by(generator: Generator) -> Iterator[tuple[cst.CSTNode, cst.BaseExpression]]:
    """What a generator or a comprehension yields, with the node that stands under its tests."""
    if isinstance(generator.node, cst.GeneratorExp | cst.ListComp):
        yield generator.node.elt, generator.node.elt
    elif isinstance(generator.node, cst.FunctionDef):
        for node in walk(generator.node.body, into_scopes=False):
            if isinstance(node, cst.Yield) and isinstance(node.value, cst.BaseExpression):
                yield node, node.value


def _is_named(node: cst.CSTNode, names: frozenset[str]) -> bool:
    return last_name(node) in names
