"""Which expressions are open values of the Claude API: enum-like outputs that may get new variants at any time.

The dataflow tells by where a value stands in a reply; annotations and casts tell by the SDK's types; and where a value
arrives as a bare parameter, the words that it is compared with tell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from claude_api_lint.api import OpenValue
from claude_api_lint.dataflow.flow import parameters
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of, dotted, last_name, string_value, walk
from claude_api_lint.dataflow.values import Class, Const, External, Mapping, Sequence, Unknown
from claude_api_lint.findings import Confidence
from claude_api_lint.replies import ELSEWHERE, Kind, ReplyPart
from claude_api_lint.rule import Analysis
from claude_api_lint.shapes import Shape
from claude_api_lint.stored import Stored

_TYPE = "type"
MAX_STEPS = 5
"""Names that are followed to an annotation; real code needs two."""
# Bedrock's Converse has the same words under these keys.
_KEYS_OF_OTHERS = re.compile(r"stopReason|finish_?[rR]eason|contentBlock")
_REQUEST_TYPES = re.compile(r"Param\b|Request\b|Input\b")
_STORED_TYPES = re.compile(r"\b(?:Namespace|Row|RowMapping|Record)\b")
_PLAIN_ANNOTATIONS = re.compile(r"(Optional\[|Union\[|None|str|Any|object|dict|Dict|Mapping|[\[\]|, \"'.]|typing)+")


@dataclass(frozen=True)
class Told:
    """What an expression is told to be, and how sure that is."""

    output: OpenValue
    confidence: Confidence


class OpenValues:
    """Answers for one module."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @cached_property
    def stored(self) -> Stored:
        return Stored(self.analysis)

    @cached_property
    def are_listed(self) -> bool:
        """Whether a literal or an Enum of the module has known values, or may come from elsewhere in the project."""
        module = self.analysis.module
        if self.analysis.evaluator.imports.from_project(module):
            return True
        words = self.analysis.catalog.output_words
        return any(
            statement.shapes is None or any(not shape.keys.isdisjoint(words) for shape in statement.shapes)
            for statement in module.statements
        )

    def are_compared(self, shape: Shape) -> bool:
        """Whether a function may compare an open value with known ones."""
        if not shape.compared.isdisjoint(self.analysis.catalog.output_words):
            return True
        return bool(shape.constants) and self.are_listed

    def of(self, subject: cst.BaseExpression, words: Collection[str], key: str | None = None) -> Told | None:
        """The open value that an expression is; ``words`` are the texts that the code compares it with.

        With ``key`` it is the value under that key, as patterns of mappings look at it.
        """
        if key is not None:
            index = cst.Index(cst.SimpleString(repr(key)))
            looked_up = cst.Subscript(subject, [cst.SubscriptElement(index)])
            return self._under(subject, key, words) or self._nested(looked_up, words, subject)
        told = self.seen(subject, words)
        if told is not None or not self._may_be(words) or self._is_known(subject):
            return told
        return self._worded(subject, words)

    def seen(self, subject: cst.BaseExpression, words: Collection[str]) -> Told | None:
        """The open value that an expression is by its place in a reply, or by its type, whatever the words say."""
        if self.analysis.module.is_test or not self._may_be(words):
            return None
        part = self.analysis.replies.whence(subject)
        if isinstance(part, ReplyPart):
            output = self.at(part, words)
            return Told(output, part.confidence) if output is not None else self._annotated(subject, words)
        return None if part is ELSEWHERE or self._is_own(subject) else self._annotated(subject, words)

    def _is_known(self, subject: cst.BaseExpression) -> bool:
        """Whether it can be seen where a value comes from, so that its words tell nothing."""
        part = self.analysis.replies.whence(subject)
        if self.analysis.module.is_test or isinstance(part, ReplyPart) or part is ELSEWHERE:
            return True
        if self._speaks_of_others(subject) or self._is_own(subject):
            return True
        return self.stored.is_read_back(subject, self._key_of(subject))

    def wherever(self, subject: cst.BaseExpression) -> Told | None:
        """The open value that an expression is by its place alone, whatever it is compared with."""
        part = self.analysis.replies.whence(subject)
        if self.analysis.module.is_test or not isinstance(part, ReplyPart):
            return None
        every = {word for output in self.analysis.catalog.outputs for word in output.known}
        output = self.at(part, every)
        return Told(output, part.confidence) if output is not None else None

    def _under(self, subject: cst.BaseExpression, key: str, words: Collection[str]) -> Told | None:
        part = self.analysis.replies.whence(subject)
        if not isinstance(part, ReplyPart) or part.kind is not Kind.REPLY:
            return None
        output = self.at(replace(part, path=(*part.path, key)), words)
        return Told(output, part.confidence) if output is not None else None

    def _may_be(self, words: Collection[str]) -> bool:
        """A cheap look: some open value has one of the words."""
        return any(not output.known.isdisjoint(words) for output in self.analysis.catalog.outputs)

    def _speaks_of_others(self, subject: cst.BaseExpression) -> bool:
        """Whether the value is taken from a key that other APIs have."""
        root, _ = _taken_apart(subject)
        value = self._bound_to(root)[0] if isinstance(root, cst.Name) else None
        return any(_KEYS_OF_OTHERS.search(code_of(node)) for node in (subject, value) if node is not None)

    def _key_of(self, subject: cst.BaseExpression) -> str | None:
        """The key that a value is looked up by, here or where its name is bound."""
        bound = self._bound_to(subject)[0] if isinstance(subject, cst.Name) else None
        looked_up = subject if bound is None else bound
        _, steps = _taken_apart(looked_up)
        return steps[-1] if steps and isinstance(looked_up, cst.Subscript | cst.Call) else None

    def of_classes(self, subject: cst.BaseExpression, classes: Collection[cst.BaseExpression]) -> Told | None:
        """The open value that an object is, by the SDK's classes that the code tells it from."""
        names = {self._sdk_name(node) for node in classes}
        if self.analysis.module.is_test or None in names or not names:
            return None
        for output in self.analysis.catalog.outputs:
            if names <= output.class_names:
                return Told(output, Confidence.LIKELY)
        return None

    def words_of(self, collection: cst.BaseExpression) -> frozenset[str]:
        """The texts of a collection that has a name; empty where they are not all known."""
        evaluator = self.analysis.evaluator
        for alternative in evaluator.evaluate(collection, evaluator.frame_of(self.analysis.module, collection)):
            value = alternative.value
            if isinstance(value, Mapping) and not value.open:
                return frozenset(entry.key for entry in value.entries)
            if isinstance(value, Sequence) and not value.open:
                items = [item for i in value.items if (item := evaluator.only(i)) != Const(None)]
                words = [item.value for item in items if isinstance(item, Const) and isinstance(item.value, str)]
                return frozenset(words) if len(words) == len(items) else frozenset()
        return frozenset()

    def _sdk_name(self, node: cst.BaseExpression) -> str | None:
        """The name of a class of the SDK; None for any other."""
        evaluator = self.analysis.evaluator
        for alternative in evaluator.evaluate(node, evaluator.frame_of(self.analysis.module, node)):
            value = alternative.value
            if isinstance(value, External) and value.name.split(".")[0] == "anthropic":
                return value.name.rsplit(".", 1)[-1]
        return None

    # Where it stands in a reply

    def at(self, part: ReplyPart, words: Collection[str]) -> OpenValue | None:
        """The open value that stands at a place in a reply; of several the one that has most of the words."""
        if part.kind is Kind.EVENT_NAME or part.is_text:
            found = [self._event_type(part)]
        elif part.kind is not Kind.REPLY or not part.path:
            return None
        else:
            place = ".".join(_steps(part.path))
            roots = self.analysis.catalog.roots(part.endpoint, part.streamed) | self._block_types
            found = [output for output in self.analysis.catalog.outputs if _is_at(output, place, roots)]
        known = [output for output in found if output is not None and not output.known.isdisjoint(words)]
        return max(known, key=lambda output: len(output.known.intersection(words)), default=None)

    @cached_property
    def _block_types(self) -> frozenset[str]:
        """What content blocks hold stands under their types, in the words of outputs.toml."""
        return self.analysis.catalog.output("content-block-type").known

    def _event_type(self, part: ReplyPart) -> OpenValue | None:
        events = self.analysis.catalog.stream(part.endpoint)
        return self.analysis.catalog.output(events.events) if events is not None and events.events else None

    # What annotations and casts say

    def _annotated(self, subject: cst.BaseExpression, words: Collection[str]) -> Told | None:
        """``block.type``, where ``block`` is annotated with (or cast to) one of the SDK's types, or stands in one."""
        for steps, typed in self._typed(subject):
            place = ".".join(steps)
            roots = self._roots_of(typed)
            for output in self.analysis.catalog.outputs:
                if not set(words) <= output.known:
                    continue
                if place == _TYPE and typed in {*output.types} | output.class_names:
                    return Told(output, Confidence.CERTAIN)
                if any(path.partition(".")[0] in roots and path.partition(".")[2] == place for path in output.paths):
                    return Told(output, Confidence.CERTAIN)
        return None

    def _roots_of(self, typed: str) -> frozenset[str]:
        """The kinds of object that a type of the SDK stands for: a message, or an event of a stream."""
        if typed.endswith("Event"):
            return self.analysis.catalog.roots(None, streamed=True)
        return self.analysis.catalog.roots(None, streamed=False) if typed.endswith("Message") else frozenset()

    def _typed(self, subject: cst.BaseExpression) -> Iterator[tuple[list[str], str]]:
        """The steps that lead to an expression from a name of one of the SDK's types, and the type."""
        root, steps = _taken_apart(subject)
        for _ in range(MAX_STEPS):
            if not isinstance(root, cst.Name):
                return
            for typed in self._sdk_types(self._annotation(root)):
                yield _steps(tuple(steps)), typed
            value, more = self._bound_to(root)
            if value is None:
                return
            if isinstance(value, cst.Call) and last_name(value.func) == "cast" and value.args:
                written = string_value(value.args[0].value)
                for typed in self._sdk_types(written if isinstance(written, str) else code_of(value.args[0].value)):
                    yield _steps(tuple(steps)), typed
                return
            root, before = _taken_apart(value)
            steps = [*before, *more, *steps]

    def _bound_to(self, name: cst.Name) -> tuple[cst.BaseExpression | None, list[str]]:
        """What a name is bound to by the only assignment of its function, or the loop around it."""
        module = self.analysis.module
        for above in module.ancestors(name):
            if isinstance(above, cst.For) and dotted(above.target) == name.value:
                return above.iter, ["[]"]
            if isinstance(above, cst.FunctionDef):
                assigns = [n for n in walk(above.body, into_scopes=False) if isinstance(n, cst.Assign)]
                values = [n.value for n in assigns if any(dotted(t.target) == name.value for t in n.targets)]
                return (values[0], []) if len(values) == 1 else (None, [])
        return None, []

    def _sdk_types(self, annotation: str) -> list[str]:
        """The SDK's types that an annotation names."""
        found: list[str] = []
        for name in re.findall(r"\w+", annotation):
            frame = self.analysis.evaluator.enter(self.analysis.module)
            for alternative in self.analysis.evaluator.flow.at_module_end(name, frame):
                value = alternative.value
                if isinstance(value, External) and value.name.split(".")[0] == "anthropic":
                    found.append(value.name.rsplit(".", 1)[-1])
            if "." in annotation:  # anthropic_types.ContentBlock
                found.extend(n for n in re.findall(r"anthropic\w*\.(?:\w+\.)*(\w+)", annotation) if n not in found)
        return found

    def _annotation(self, node: cst.BaseExpression) -> str:
        """The annotation of the parameter that a name is; empty where there is none."""
        scope = self.analysis.module.scope_of(node)
        name = dotted(node)
        if not isinstance(scope, cst.FunctionDef) or name is None:
            return ""
        for parameter in parameters(scope.params):
            if parameter.name.value == name and parameter.annotation is not None:
                return code_of(parameter.annotation.annotation)
        return ""

    # What the words say

    def _worded(self, subject: cst.BaseExpression, words: Collection[str]) -> Told | None:
        """An expression of unknown origin that is compared with words of Claude's own, and with no others."""
        root = _root(subject)
        annotation = self._annotation(root)
        if _REQUEST_TYPES.search(annotation) or _STORED_TYPES.search(annotation):
            return None
        if root is subject and annotation and not _PLAIN_ANNOTATIONS.fullmatch(annotation):
            return None  # a type of the program's own
        if isinstance(subject, cst.Attribute) and self._is_declared(subject.attr.value):
            return None
        for output in self.analysis.catalog.outputs:
            if set(words) <= output.known and output.is_told_by(words) and _is_named_after(subject, output):
                return Told(output, Confidence.LIKELY)
        return self._nested(subject, words, subject)

    def _is_declared(self, attribute: str) -> bool:
        """Whether a class of the program, here or where names are imported from, gives an attribute a closed type."""
        return any(_declares_closed(module, attribute) for module in (self.analysis.module, *self._homes_of_classes))

    @cached_property
    def _homes_of_classes(self) -> frozenset[Module]:
        """The other modules of the project that classes are imported from."""
        evaluator, module = self.analysis.evaluator, self.analysis.module
        names = [name for name in evaluator.imports.from_project(module) if name[:1].isupper()]
        found = (a.value for name in names for a in evaluator.flow.at_module_end(name, evaluator.enter(module)))
        return frozenset(value.module for value in found if isinstance(value, Class))

    def _nested(self, subject: cst.BaseExpression, words: Collection[str], where: cst.BaseExpression) -> Told | None:
        """``delta.type`` in code that tells the events of Claude's streams apart."""
        place = _place(subject)
        if place is None:
            return None
        if self.analysis.vocabulary.endpoint_of(where) is None:
            return None
        events = self.analysis.catalog.roots(None, streamed=True)
        for output in self.analysis.catalog.outputs:
            for path in output.paths:
                root, _, rest = path.partition(".")
                if root in events and rest == place and set(words) <= output.known:
                    return Told(output, Confidence.LIKELY)
        return None

    def _is_own(self, subject: cst.BaseExpression) -> bool:
        """Whether the program itself has made the value: every one that is seen is a constant of its own."""
        evaluator = self.analysis.evaluator
        found = evaluator.evaluate(subject, evaluator.frame_of(self.analysis.module, subject))
        values = [alternative.value for alternative in found]
        return any(isinstance(value, Const) and value.value is not None for value in values) and all(
            isinstance(value, Const | Unknown) for value in values
        )


def _declares_closed(module: Module, attribute: str) -> bool:
    """Whether a class of a module declares an attribute as a ``Literal``, an Enum, or what stands for one of them."""
    for node in module.nodes(cst.AnnAssign, attribute):
        if dotted(node.target) == attribute and isinstance(module.scope_of(node), cst.ClassDef):
            annotation = code_of(node.annotation.annotation)
            binding = (s.text for word in re.findall(r"\w+", annotation) for s in module.binders(word))
            if any(re.search(r"\bLiteral\[|\(.*Enum\b", text) for text in (annotation, *binding)):
                return True
    return False


def _is_at(output: OpenValue, place: str, roots: frozenset[str]) -> bool:
    """Whether an open value stands at a place, seen from one of the roots."""
    for path in output.paths:
        root, _, rest = path.partition(".")
        if root in roots and (place == rest or place.endswith("." + rest)):
            return True
    return False


def _steps(path: tuple[str, ...]) -> list[str]:
    """``content[].type`` for ("content", "0", "type")."""
    steps: list[str] = []
    for step in path:
        if step in ("[]", "?") or step.lstrip("-").isdigit():
            if steps:
                steps[-1] += "[]"
        else:
            steps.append(step)
    return steps


def _root(subject: cst.BaseExpression) -> cst.BaseExpression:
    while isinstance(subject, cst.Attribute | cst.Subscript | cst.Call):
        subject = subject.func if isinstance(subject, cst.Call) else subject.value
    return subject


def _taken_apart(subject: cst.BaseExpression) -> tuple[cst.BaseExpression, list[str]]:
    """The root of ``x.delta["type"]``, ``x.get("delta").type``, ``x.content[0].type``, and the steps from it."""
    steps: list[str] = []
    node = subject
    while True:
        if isinstance(node, cst.Attribute):
            steps.append(node.attr.value)
            node = node.value
        elif isinstance(node, cst.Subscript) and isinstance(node.slice[0].slice, cst.Index):
            key = string_value(node.slice[0].slice.value)
            steps.append(key if isinstance(key, str) else "[]")
            node = node.value
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "get":
            steps.append(str(string_value(node.args[0].value)) if node.args else "?")
            node = node.func.value
        else:
            return node, steps[::-1]


def _place(subject: cst.BaseExpression) -> str | None:
    """``delta.type`` for ``event["delta"]["type"]``, ``delta.type`` and ``x.delta.type``."""
    root, steps = _taken_apart(subject)
    keys = [*([root.value] if isinstance(root, cst.Name) else []), *steps]
    return ".".join(_steps(tuple(keys))[-2:]) if len(keys) > 1 else None


def _is_named_after(subject: cst.BaseExpression, output: OpenValue) -> bool:
    """Whether the name or key of an expression fits the open value: ``stop_reason``, ``block.type``, ``kind``."""
    keys = {path.rpartition(".")[2] for path in output.paths}
    name = last_name(subject) or next(
        (str(string_value(node)) for node in reversed(list(walk(subject))) if isinstance(node, cst.SimpleString)), ""
    )
    if _TYPE in keys:
        return bool(re.search(r"type|kind|event|name|^t$|variant|tag", name))
    words = {word for key in keys for word in key.split("_")}
    return bool(words & set(re.split(r"[_\W]+", name.lower()))) or name in ("reason", "value", "v", "r", "x", "code")
