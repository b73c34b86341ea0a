"""Lookups of a value in tables, Enums and attributes of the program, and what keeps unknown values away from them."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from claude_api_lint.dataflow.trees import code_of, dotted, last_name, literal_value, root_name, string_value, walk
from claude_api_lint.dataflow.values import Class, Mapping
from claude_api_lint.rule import Analysis
from claude_api_lint.stream_guards import KEY_ERRORS, StreamGuards

_ENUMS = frozenset({"Enum", "StrEnum", "IntEnum"})
_SPEAKING = re.compile(
    r"type|reason|event|status|tier|code|kind|variant|block|delta|stop|result|value|name", re.IGNORECASE
)
_ERRORS = KEY_ERRORS | {"ValueError", "AttributeError"}


@dataclass(frozen=True)
class Lookup:
    """A lookup that gives None for what it does not know: of ``key``, in a ``table`` (None for attributes)."""

    key: cst.BaseExpression
    table: cst.BaseExpression | None = None


class Lookups:
    """Answers for one module."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.guards = StreamGuards(analysis)

    def key_of(self, node: cst.Subscript) -> cst.BaseExpression | None:
        """The key of a lookup that reads; None for a slice, a constant key, or an assignment."""
        index = node.slice[0].slice
        if len(node.slice) != 1 or not isinstance(index, cst.Index):
            return None
        if not isinstance(index.value, cst.Name | cst.Attribute | cst.Subscript | cst.Call | cst.BooleanOperation):
            return None
        if not self.speaks(index.value) and not self._may_be_table(node.value):
            return None  # before anything is evaluated
        parent = self.analysis.module.parent(node)
        return None if isinstance(parent, cst.AssignTarget | cst.Del | cst.AugAssign) else _plain(index.value)

    def speaks(self, key: cst.BaseExpression) -> bool:
        """Whether a key is called what open values are called."""
        return bool(_SPEAKING.search(code_of(key)))

    def _may_be_table(self, node: cst.BaseExpression) -> bool:
        """Whether an expression has the name of a table of known values, or of an Enum, or comes from elsewhere."""
        while isinstance(node, cst.Subscript):
            node = node.value
        if isinstance(node, cst.Dict) or last_name(node) in self._table_names:
            return True
        return root_name(node) in self.analysis.evaluator.imports.from_project(self.analysis.module)

    @cached_property
    def _table_names(self) -> frozenset[str]:
        """What the module calls its Enums, and its tables that have known values for keys."""
        module = self.analysis.module
        tables = (
            name
            for statement in module.statements
            if statement.shapes is None or any(self._are_known(shape.keys) for shape in statement.shapes)
            for node in module.nodes_of(cst.Dict, statement)
            if self._are_known({string_value(e.key) for e in node.elements if isinstance(e, cst.DictElement)})
            for name in self._names_given(node)
        )
        enums = re.findall(r"\bclass\s+(\w+)\s*\([^)]*Enum\b", module.source.text)
        return frozenset({*tables, *enums})

    def _are_known(self, words: Set[object]) -> bool:
        """Whether several words are values that one open value is known to have."""
        return any(len(output.known & words) > 1 for output in self.analysis.catalog.outputs)

    def _names_given(self, node: cst.CSTNode) -> list[str]:
        """The last names of what an expression is assigned to, or a part of."""
        step = self.analysis.module.step_of(node)
        targets = [target.target for target in step.targets] if isinstance(step, cst.Assign) else []
        targets += [step.target] if isinstance(step, cst.AnnAssign) else []
        return [name for target in targets if (name := last_name(target)) is not None]

    def giving_none(self, node: cst.BaseExpression) -> Lookup | None:
        """``TABLE.get(key)``, ``getattr(self, f"on_{key}", None)``; None for any other expression."""
        if not isinstance(node, cst.Call) or any(a.star or a.keyword is not None for a in node.args):
            return None
        name, given = last_name(node.func), [argument.value for argument in node.args]
        if name == "getattr" and len(given) == 3 and last_name(given[2]) == "None":
            key = self.key_in_text(given[1])
            return Lookup(key) if key is not None else None
        if name != "get" or not isinstance(node.func, cst.Attribute) or string_value(given[0] if given else node):
            return None
        known = len(given) == 1 or (len(given) == 2 and last_name(given[1]) == "None")
        return Lookup(_plain(given[0]), node.func.value) if known else None

    def key_in_text(self, node: cst.BaseExpression) -> cst.BaseExpression | None:
        """The value that a text is made with: ``event.type`` of ``f"on_{event.type}"``."""
        if isinstance(node, cst.FormattedString):
            parts = [part.expression for part in node.parts if isinstance(part, cst.FormattedStringExpression)]
            return parts[0] if len(parts) == 1 else None
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            return node.right
        return None

    def words_of_table(self, node: cst.BaseExpression) -> frozenset[str]:
        """The keys of a table that has these keys and no others; empty where that is not known."""
        evaluator = self.analysis.evaluator
        words: set[str] = set()
        for alternative in evaluator.evaluate(node, evaluator.frame_of(self.analysis.module, node)):
            value = alternative.value
            if not isinstance(value, Mapping) or value.open:
                return frozenset()
            words |= {entry.key for entry in value.entries}
        return frozenset(words)

    def is_enum(self, node: cst.BaseExpression) -> bool:
        """Whether a name is an Enum of the program."""
        evaluator = self.analysis.evaluator
        found = evaluator.evaluate(node, evaluator.frame_of(self.analysis.module, node))
        return any(isinstance(a.value, Class) and self._is_enum(a.value) for a in found)

    def words_of_enum(self, node: cst.BaseExpression) -> frozenset[str]:
        """The values of an Enum of the program that refuses others; empty for anything else."""
        if last_name(node) not in self._class_names:
            return frozenset()
        evaluator = self.analysis.evaluator
        for alternative in evaluator.evaluate(node, evaluator.frame_of(self.analysis.module, node)):
            cls = alternative.value
            if not isinstance(cls, Class) or not self._is_enum(cls) or evaluator.objects.method(cls, "_missing_"):
                return frozenset()
            words = {word for step in cls.module.block(cls.node.body).steps for word in _member(step)}
            return frozenset(words)
        return frozenset()

    @cached_property
    def _class_names(self) -> frozenset[str]:
        """The names of the module's classes that have bases."""
        return frozenset(re.findall(r"\bclass\s+(\w+)\s*\(", self.analysis.module.source.text))

    def _is_enum(self, cls: Class) -> bool:
        return any(name.rsplit(".", 1)[-1] in _ENUMS for name in self.analysis.evaluator.objects.line(cls)[1])

    # What keeps unknown values away

    def is_cared_for(self, node: cst.BaseExpression, key: cst.BaseExpression) -> bool:
        """Whether an unknown key was tested for before, or what it raises is caught."""
        if self.guards.is_caught(node, _ERRORS) or self._is_member(key):
            return True
        flow, module = self.analysis.evaluator.flow, self.analysis.module
        text = code_of(key)
        tests = flow.tests_around(node, self.analysis.evaluator.frame_of(module, node))
        if any(_lists(test, text, holds) for test, holds in tests):
            return True
        return self._is_narrowed(node, text) or any(_lists(value, None, True) for value in self._values_of(key))

    def _is_member(self, key: cst.BaseExpression) -> bool:
        """Whether a key is made a member of an Enum first: an unknown value has failed there."""
        made = [value for value in (key, *self._assigned_to(key)) if isinstance(value, cst.Call)]
        return any(last_name(call.func) in self._class_names and self.is_enum(call.func) for call in made)

    def _values_of(self, key: cst.BaseExpression) -> list[cst.BaseExpression]:
        """The tests of what is assigned to the name that a key is, where the choice stands in the value."""
        return [value.test for value in self._assigned_to(key) if isinstance(value, cst.IfExp)]

    def _assigned_to(self, key: cst.BaseExpression) -> list[cst.BaseExpression]:
        """What the function around assigns to the name that a key is."""
        scope = self.analysis.module.scope_of(key)
        if not isinstance(key, cst.Name) or not isinstance(scope, cst.FunctionDef):
            return []
        assigns = [node for node in walk(scope.body, into_scopes=False) if isinstance(node, cst.Assign)]
        return [node.value for node in assigns if any(dotted(t.target) == key.value for t in node.targets)]

    def _is_narrowed(self, node: cst.CSTNode, text: str) -> bool:
        """Whether a ``match`` of the same value stands around, in one of whose cases the lookup is."""
        for above in self.analysis.module.ancestors(node):
            if isinstance(above, cst.MatchCase):
                matched = self.analysis.module.parent(above)
                if isinstance(matched, cst.Match) and code_of(matched.subject) == text:
                    return True
        return False


def _lists(test: cst.BaseExpression, text: str | None, holds: bool) -> bool:
    """Whether a test asks for known values of an expression, or for the attribute that is looked up."""
    for inner in walk(test):
        if isinstance(inner, cst.Call) and last_name(inner.func) == "hasattr":
            return True
        if not isinstance(inner, cst.Comparison):
            continue
        left = inner.left.target if isinstance(inner.left, cst.NamedExpr) else inner.left
        if text is not None and code_of(left) != text:
            continue
        wanted = cst.In | cst.Equal if holds else cst.NotIn | cst.NotEqual
        if isinstance(inner.comparisons[0].operator, wanted):
            return True
    return False


def _plain(key: cst.BaseExpression) -> cst.BaseExpression:
    """``x`` in ``str(x)``, and in ``x or "default"``."""
    if isinstance(key, cst.BooleanOperation) and isinstance(key.operator, cst.Or):
        return _plain(key.left)
    if isinstance(key, cst.Call) and last_name(key.func) == "str" and len(key.args) == 1:
        return key.args[0].value
    if isinstance(key, cst.Call) and isinstance(key.func, cst.Attribute) and key.func.attr.value in ("upper", "lower"):
        return key.func.value
    return key


def _member(step: cst.CSTNode) -> list[str]:
    """The value of a member of an Enum, where it is a text."""
    if not isinstance(step, cst.Assign):
        return []
    strings = [literal_value(inner) for inner in walk(step.value) if isinstance(inner, cst.SimpleString)]
    return [value for value in strings if isinstance(value, str)]
