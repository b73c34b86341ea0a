"""Models that replies of the Claude API are made into, and what in them refuses what the API may add.

Where a reply goes into a model is told by the dataflow; which types the model's fields have, by the names that its
module gives to classes and types.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from claude_api_lint.api import OpenValue
from claude_api_lint.dataflow.trees import code_of, dotted, last_name, string_value, walk
from claude_api_lint.dataflow.values import Class, Instance, Made, Value
from claude_api_lint.findings import Confidence
from claude_api_lint.lookups import Lookups
from claude_api_lint.open_values import OpenValues
from claude_api_lint.replies import Kind, ReplyPart
from claude_api_lint.rule import Analysis

# Methods of a model (or a TypeAdapter) that take parsed data, and those that take text.
_OF_DATA = frozenset({"model_validate", "parse_obj", "validate_python", "from_dict"})
_OF_TEXT = frozenset({"model_validate_json", "parse_raw", "validate_json"})
_SCHEMA_LOADS = {"load": False, "loads": True}
# Functions that take the data first and the type next to it, and whether the data is text.
_FUNCTIONS = {"msgspec.json.decode": True, "msgspec.convert": False, "msgspec.json.Decoder().decode": True}
_TYPE_FIRST = frozenset({"pydantic.parse_obj_as", "pydantic.tools.parse_obj_as"})
_VALIDATIONS = frozenset({"validate", "iter_errors", "is_valid"})
TAKERS = _OF_DATA | _OF_TEXT | _VALIDATIONS | {*_SCHEMA_LOADS, "decode", "convert", "parse_obj_as"}
"""The last names of what makes data into something of a type, or checks it."""
# What Claude has written, in the words and the shape that it was asked for.
_WRITTEN_BY_CLAUDE = frozenset({"input", "parsed_output"})
_DATACLASSES = frozenset({"dataclass", "define", "frozen", "mutable", "attrs", "s", "attrib"})
_ENUMS = frozenset({"Enum", "StrEnum"})
_LISTS = frozenset("list List Sequence Iterable tuple Tuple set frozenset".split())
_UNIONS = frozenset({"Union", "Optional"})
_TYPE = "type"
# What is called with a value before pydantic checks it: in an annotation, and as a decorator.
_PREPARING = frozenset({"BeforeValidator", "PlainValidator", "WrapValidator"})
_VALIDATORS = frozenset({"field_validator", "validator"})
_EARLY = re.compile(r"\b(?:before|plain|wrap)\b|\bpre\s*=\s*True\b")
MAX_DEPTH = 8
"""Types within types; replies of the API need four."""


Path = tuple[str, ...]


class Sort(enum.Enum):
    """What checks the data."""

    PYDANTIC = "pydantic"
    MSGSPEC = "msgspec"
    MARSHMALLOW = "marshmallow"
    PLAIN = "a class that checks nothing, but takes its fields only"


@dataclass(frozen=True)
class Closing:
    """One place that refuses what may be added: a field that is not known (``output`` is None), or a variant.

    ``node`` is what to report; ``setting`` what says so, where a change of it alone would do; ``owner`` its class.
    """

    node: cst.CSTNode
    confidence: Confidence
    output: OpenValue | None = None
    setting: cst.CSTNode | None = None
    owner: cst.ClassDef | None = None


@dataclass(frozen=True)
class Field:
    """A field of a class with its ``name``, and the ``key`` under which a reply has its value."""

    name: str
    key: str
    step: cst.AnnAssign


@dataclass(frozen=True)
class Intake:
    """A call that makes a part of a reply into something: of a type, or as a JSON schema says."""

    call: cst.Call
    part: ReplyPart
    type: cst.BaseExpression | cst.ClassDef | None = None
    schema: cst.BaseExpression | None = None
    spread: bool = False


class ReplyModels:
    """Answers for one module."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.values = OpenValues(analysis)

    @cached_property
    def lookups(self) -> Lookups:
        return Lookups(self.analysis)

    def closings(self, call: cst.Call) -> Iterator[Closing]:
        """What refuses additions in the model that a call makes a reply into; nothing for any other call."""
        yield from self._of_keywords(call)
        intake = self._intake(call)
        if intake is None:
            return
        if intake.schema is not None:
            yield from Schemas(self, intake.part).closings(intake.schema)
        elif isinstance(intake.type, cst.ClassDef):
            if intake.spread and self.sort(intake.type) in (Sort.PLAIN, Sort.MSGSPEC):
                yield from [Closing(call, intake.part.confidence)] if not self._takes_more(intake.type) else []
            else:
                yield from Types(self).of_class(intake.type, intake.part, ())
        elif intake.type is not None:
            yield from Types(self).of_type(intake.type, intake.part, call, ())

    def may_be_made(self, names: Set[str]) -> bool:
        """Whether one of some names is that of a class of this module that is derived from another one."""
        return not names.isdisjoint(self._class_names)

    @cached_property
    def _class_names(self) -> frozenset[str]:
        return frozenset(re.findall(r"\bclass\s+(\w+)\s*\(", self.analysis.module.source.text))

    # Where replies go into models

    def _of_keywords(self, call: cst.Call) -> Iterator[Closing]:
        """``Reply(stop_reason=message.stop_reason)``: pydantic checks each value that a model is made of."""
        given = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
        if not given or not self.may_be_made({last_name(call.func) or ""}):
            return
        cls = self._class_of(call.func)
        if cls is None or self.sort(cls) is not Sort.PYDANTIC:
            return
        types = Types(self)
        for field in self.fields(cls):
            value, annotation = given.get(field.key), field.step.annotation.annotation
            if value is None or isinstance(value, cst.IfExp) or self.is_prepared(cls, field.name):
                continue
            part = self.analysis.replies.of(value) if types.words_of(annotation) else None
            if part is not None and part.kind is Kind.REPLY and not self.lookups.is_cared_for(call, value):
                yield from types.of_type(annotation, part, field.step, (cls,))

    def _intake(self, call: cst.Call) -> Intake | None:
        method, first = last_name(call.func), call.args[0] if call.args else None
        if first is None:
            return None
        if first.star == "**" and len(call.args) == 1:
            return self._spread(call, first.value)
        if first.star:
            return None
        if method in _OF_DATA | _OF_TEXT and isinstance(call.func, cst.Attribute):
            part = self._part(first.value, method in _OF_TEXT)
            return Intake(call, part, self._adapted(call.func.value)) if part is not None else None
        if method in _SCHEMA_LOADS and isinstance(call.func, cst.Attribute):
            return self._loaded(call, call.func.value, _SCHEMA_LOADS[method])
        if method in _VALIDATIONS:
            return self._checked(call)
        return self._decoded(call) if method in ("decode", "convert", "parse_obj_as") else None

    def _spread(self, call: cst.Call, data: cst.BaseExpression) -> Intake | None:
        """``Model(**reply)``."""
        if not isinstance(call.func, cst.Name | cst.Attribute):
            return None
        cls = self._class_of(call.func)
        part = self._part(data, False) if cls is not None else None
        return Intake(call, part, cls, spread=True) if part is not None else None

    def _loaded(self, call: cst.Call, schema: cst.BaseExpression, text: bool) -> Intake | None:
        """``ReplySchema().load(reply)``."""
        if any(argument.keyword is not None and argument.keyword.value == "unknown" for argument in call.args):
            return None
        for value in self._values(schema):
            if isinstance(value, Instance) and value.cls.module is self.analysis.module and value.call is not None:
                options = {argument.keyword.value for argument in value.call.args if argument.keyword is not None}
                if self.sort(value.cls.node) is Sort.MARSHMALLOW and "unknown" not in options:
                    part = self._part(call.args[0].value, text)
                    return Intake(call, part, value.cls.node) if part is not None else None
        return None

    def _decoded(self, call: cst.Call) -> Intake | None:
        """``msgspec.json.decode(text, type=Model)``, ``msgspec.json.Decoder(Model).decode(text)``."""
        for value in self._values(call):
            if not isinstance(value, Made):
                continue
            typed: cst.BaseExpression | None = None
            if value.name in _TYPE_FIRST:
                typed, data, text = call.args[0].value, call.args[-1].value, False
            elif value.name in _FUNCTIONS:
                maker = value.receiver.call if isinstance(value.receiver, Made) else None
                typed = _argument(maker or call, 0 if maker is not None else 1, _TYPE)
                data, text = call.args[0].value, _FUNCTIONS[value.name]
            part = self._part(data, text) if typed is not None else None
            if part is not None:
                return Intake(call, part, typed)
        return None

    def _checked(self, call: cst.Call) -> Intake | None:
        """``jsonschema.validate(reply, SCHEMA)``, ``Draft7Validator(SCHEMA).validate(reply)``."""
        for value in self._values(call):
            if not isinstance(value, Made) or value.name.split(".")[0] not in ("jsonschema", "fastjsonschema"):
                continue
            maker = value.receiver.call if isinstance(value.receiver, Made) else None
            schema = _argument(maker or call, 0 if maker is not None else 1, "schema")
            data = _argument(call, 0, "instance")
            part = self._part(data, False) if schema is not None and data is not None else None
            if part is not None:
                return Intake(call, part, schema=schema)
        return None

    def _part(self, data: cst.BaseExpression, text: bool) -> ReplyPart | None:
        """The part of a reply that is made into something; None for what Claude has written itself."""
        part = self.analysis.replies.of(data)
        if part is None:
            return None
        if part.kind is Kind.REPLY:
            own = all(step in self._objects or step.lstrip("-").isdigit() for step in part.path)
            return part if own and not text else None
        if not text:
            return None
        if part.library is None and not part.is_text:  # what a response's attributes are differs among libraries
            return replace(part, kind=Kind.REPLY, path=(), streamed=False)
        if not part.is_text and part.kind is not Kind.RESPONSE:
            return None
        return replace(part, kind=Kind.REPLY, path=(), streamed=part.kind not in (Kind.BODY, Kind.RESPONSE))

    @cached_property
    def _objects(self) -> frozenset[str]:
        """The keys under which replies have objects of the API's."""
        steps = {step for output in self.analysis.catalog.outputs for path in output.paths for step in path.split(".")}
        return frozenset({"usage", "data", "[]"} | {step.removesuffix("[]") for step in steps})

    def _adapted(self, node: cst.BaseExpression) -> cst.BaseExpression | cst.ClassDef | None:
        """The class that a model is, or the type of a ``TypeAdapter``."""
        for value in self._values(node):
            if isinstance(value, Made) and value.name.endswith("TypeAdapter"):
                return _argument(value.call, 0, _TYPE)
        return self._class_of(node)

    def _class_of(self, node: cst.BaseExpression) -> cst.ClassDef | None:
        """The class of this module that an expression is."""
        for value in self._values(node):
            if isinstance(value, Class) and value.module is self.analysis.module:
                return value.node
        return None

    def _values(self, node: cst.BaseExpression) -> list[Value]:
        evaluator = self.analysis.evaluator
        return [found.value for found in evaluator.evaluate(node, evaluator.frame_of(self.analysis.module, node))]

    # What classes are

    def sort(self, node: cst.ClassDef) -> Sort | None:
        """What checks the data that a class is made of; None for a class that nothing is known of."""
        outside = {name.split(".")[0]: name.rsplit(".", 1)[-1] for name in self.line(node)[1]}
        if "pydantic" in outside and "Settings" not in outside["pydantic"]:
            return Sort.PYDANTIC
        if outside.get("msgspec") == "Struct":
            return Sort.MSGSPEC
        if "marshmallow" in outside:
            return Sort.MARSHMALLOW
        return Sort.PLAIN if _decorators(node) & _DATACLASSES and not outside else None

    def line(self, node: cst.ClassDef) -> tuple[list[Class], list[str]]:
        """A class of the module with its base classes, and the names of those that cannot be seen."""
        return self.analysis.evaluator.objects.line(Class(self.analysis.module, node))

    def steps(self, node: cst.ClassDef) -> Iterator[cst.CSTNode]:
        """The statements of a class and of its base classes in this module, the nearest first."""
        for cls in self.line(node)[0]:
            if cls.module is self.analysis.module:
                yield from cls.module.block(cls.node.body).steps

    def fields(self, node: cst.ClassDef) -> list[Field]:
        """The fields of a class, each as the nearest class declares it."""
        found: dict[str, Field] = {}
        for step in self.steps(node):
            if isinstance(step, cst.AnnAssign) and isinstance(step.target, cst.Name):
                name = step.target.value
                found.setdefault(name, Field(name, _alias(step.value) or name, step))
        return list(found.values())

    def _takes_more(self, node: cst.ClassDef) -> bool:
        """Whether the constructor is written by hand: it may take what it does not know."""
        return any(isinstance(step, cst.FunctionDef) and step.name.value == "__init__" for step in self.steps(node))

    def is_prepared(self, node: cst.ClassDef, field: str) -> bool:
        """Whether a method of a model is called with a field's value before it is checked: it may take any."""
        methods = [step for step in self.steps(node) if isinstance(step, cst.FunctionDef)]
        decorators = [one.decorator for method in methods for one in method.decorators]
        return any(
            last_name(call.func) in _VALIDATORS and field in strings_in(call) and _EARLY.search(code_of(call))
            for call in decorators
            if isinstance(call, cst.Call)
        )

    def named(self, name: str) -> cst.ClassDef | cst.BaseExpression | None:
        """The class or the type that the module gives a name to; None where there is not exactly one."""
        module = self.analysis.module
        classes = [node for node in module.nodes(cst.ClassDef, name) if node.name.value == name]
        types = [
            node.value
            for node in module.nodes(cst.Assign, name)
            if module.scope_of(node) is None and any(dotted(target.target) == name for target in node.targets)
        ]
        aliases = [node.value for node in module.nodes(cst.TypeAlias, name) if node.name.value == name]
        annotated = [
            node.value
            for node in module.nodes(cst.AnnAssign, name)
            if module.scope_of(node) is None and dotted(node.target) == name and node.value is not None
        ]
        found: list[cst.ClassDef | cst.BaseExpression] = [*classes, *types, *aliases, *annotated]
        return found[0] if len(found) == 1 else None

    def words_of_enum(self, node: cst.ClassDef) -> frozenset[str]:
        """The values of an Enum that refuses others; empty for any other class."""
        if not {name.rsplit(".", 1)[-1] for name in self.line(node)[1]} & _ENUMS:
            return frozenset()
        steps = list(self.steps(node))
        if any(isinstance(step, cst.FunctionDef) and step.name.value == "_missing_" for step in steps):
            return frozenset()
        return frozenset(word for step in steps if isinstance(step, cst.Assign) for word in strings_in(step.value))

    def open_value(self, part: ReplyPart, words: frozenset[str]) -> OpenValue | None:
        """The open value at a place in a reply, if these are some of its words and no others."""
        output = self.values.at(part, words) if words else None
        return output if output is not None and words <= output.known else None


class Types:
    """What refuses additions in classes and types, each looked into once."""

    def __init__(self, models: ReplyModels) -> None:
        self.models = models
        self.seen: set[cst.CSTNode] = set()

    def of_class(self, node: cst.ClassDef, part: ReplyPart, within: tuple[cst.CSTNode, ...]) -> Iterator[Closing]:
        """What refuses additions in a class that a part of a reply is made into, and in the types of its fields."""
        sort = self.models.sort(node)
        if node in self.seen or sort in (None, Sort.PLAIN) or len(within) > MAX_DEPTH:
            return
        self.seen.add(node)
        forbidding = self._forbidding(node)
        if forbidding is not None:
            owner, setting = forbidding
            yield Closing(owner.name, part.confidence, None, setting, owner)
        if sort is Sort.MARSHMALLOW:
            yield from self._of_schema(node, part, within)
            return
        for field in self.models.fields(node):
            if field.key not in _WRITTEN_BY_CLAUDE and not self.models.is_prepared(node, field.name):
                place = replace(part, path=(*part.path, field.key))
                yield from self._of_field(field.step, place, (*within, node))

    def _of_schema(self, node: cst.ClassDef, part: ReplyPart, within: tuple[cst.CSTNode, ...]) -> Iterator[Closing]:
        """What refuses additions in the fields of a schema of marshmallow."""
        for step in self.models.steps(node):
            if isinstance(step, cst.Assign) and isinstance(step.value, cst.Call):
                name = dotted(step.targets[0].target) or "?"
                yield from self._of_marshmallow(step, step.value, replace(part, path=(*part.path, name)), within)

    def _of_field(self, step: cst.AnnAssign, part: ReplyPart, within: tuple[cst.CSTNode, ...]) -> Iterator[Closing]:
        if part.path[-1] == _TYPE:
            return  # it tells the variants of a union apart: who holds the union says what may come
        yield from self.of_type(step.annotation.annotation, part, step, within)

    def of_type(
        self, node: cst.BaseExpression, part: ReplyPart, place: cst.CSTNode, within: tuple[cst.CSTNode, ...]
    ) -> Iterator[Closing]:
        """What refuses additions in a type; ``place`` is where it is said that a part of a reply is of this type."""
        members = [(member, replace(part, path=path)) for member, path in self._members(node, part.path)]
        if len(within) > MAX_DEPTH:
            return
        words = [self._words_of(member) for member, _ in members]
        literals = [member for member, _ in members if not isinstance(member, cst.ClassDef)]
        inner = members[0][1] if members else part
        variants = [self._tags(member) for member, _ in members if isinstance(member, cst.ClassDef)]
        output = None
        if members and all(words):
            output = self.models.open_value(inner, frozenset().union(*words))
        elif variants and not literals and all(variants) and not (isinstance(place, cst.Call) and len(variants) == 1):
            typed = replace(inner, path=(*inner.path, _TYPE))
            output = self.models.open_value(typed, frozenset().union(*variants))
        if output is not None:
            setting = (
                literals[0] if len(literals) == len(members) == 1 and self._is_written_in(place, literals[0]) else None
            )
            yield Closing(place, part.confidence, output, setting)
        for member, whole in members:
            if isinstance(member, cst.ClassDef):
                yield from self.of_class(member, whole, (*within, member))

    def words_of(self, node: cst.BaseExpression) -> frozenset[str]:
        """The values that a type knows, where it is nothing but some Literals and Enums."""
        words = [self._words_of(member) for member, _ in self._members(node, ())]
        return frozenset().union(*words) if all(words) else frozenset()

    def _is_written_in(self, place: cst.CSTNode, literal: cst.CSTNode) -> bool:
        return any(above is place for above in self.models.analysis.module.ancestors(literal))

    def _members(
        self, node: cst.BaseExpression, path: Path, depth: int = MAX_DEPTH
    ) -> Iterator[tuple[cst.CSTNode, Path]]:
        """The alternatives of a type, or of the elements of a list, with their places; ``None`` is left out."""
        name = last_name(node) if isinstance(node, cst.Name | cst.Attribute) else None
        written = string_value(node)
        if depth == 0:
            yield node, path
        elif isinstance(written, str) and written.isidentifier():
            yield from self._members_of_name(written, node, path, depth)
        elif name is not None and name != "None":
            yield from self._members_of_name(name, node, path, depth)
        elif isinstance(node, cst.BinaryOperation):
            yield from self._members(node.left, path, depth - 1)
            yield from self._members(node.right, path, depth - 1)
        elif isinstance(node, cst.Subscript):
            yield from self._members_of_subscript(node, path, depth)
        elif name is None:
            yield node, path

    def _members_of_name(
        self, name: str, node: cst.BaseExpression, path: Path, depth: int
    ) -> Iterator[tuple[cst.CSTNode, Path]]:
        found = self.models.named(name)
        if isinstance(found, cst.BaseExpression):
            yield from self._members(found, path, depth - 1)
        else:
            yield (node if found is None else found), path

    def _members_of_subscript(self, node: cst.Subscript, path: Path, depth: int) -> Iterator[tuple[cst.CSTNode, Path]]:
        name = last_name(node.value)
        inner = [element.slice.value for element in node.slice if isinstance(element.slice, cst.Index)]
        if name in _LISTS and inner:
            yield from self._members(inner[0], (*path, "[]"), depth - 1)
        elif name == "Annotated" and inner:
            if any(last_name(called) in _PREPARING for one in inner for called in walk(one)):
                return  # what the API sends is made into something else first
            yield from self._members(inner[0], path, depth - 1)
        elif name in _UNIONS:
            for member in inner:
                yield from self._members(member, path, depth - 1)
        else:
            yield node, path

    def _words_of(self, member: cst.CSTNode) -> frozenset[str]:
        """The values that a Literal or an Enum knows; empty for any other type."""
        if isinstance(member, cst.ClassDef):
            return self.models.words_of_enum(member)
        if isinstance(member, cst.Subscript) and last_name(member.value) == "Literal":
            return frozenset(word for element in member.slice for word in strings_in(element))
        return frozenset()

    def _tags(self, node: cst.ClassDef) -> frozenset[str]:
        """The values of ``type`` for which a model stands; empty where it takes any."""
        for step in self.models.steps(node):
            if isinstance(step, cst.AnnAssign) and dotted(step.target) == _TYPE:
                return self._words_of(step.annotation.annotation)
        options = {argument.keyword.value: argument.value for argument in node.keywords if argument.keyword is not None}
        tagged = string_value(options["tag"]) if "tag" in options else None
        field = string_value(options["tag_field"]) if "tag_field" in options else _TYPE
        return frozenset({tagged}) if isinstance(tagged, str) and field == _TYPE else frozenset()

    # What forbids fields that are not known

    def _forbidding(self, node: cst.ClassDef) -> tuple[cst.ClassDef, cst.CSTNode] | None:
        """The class, of those that a class is derived from, that forbids other fields, and what in it says so."""
        for cls in self.models.line(node)[0]:
            if cls.module is not self.models.analysis.module:
                return None
            setting = next(self._settings(cls.node), None)
            if setting is not None:
                value = setting.value if isinstance(setting, cst.Arg) else setting
                says = string_value(value) or last_name(value)
                return (cls.node, setting) if says in ("forbid", "RAISE", "raise", "True") else None
        return None

    def _settings(self, node: cst.ClassDef) -> Iterator[cst.CSTNode]:
        """What a class says about fields that are not known."""
        for argument in node.keywords:
            if argument.keyword is not None and argument.keyword.value == "extra":
                yield argument.value
            elif argument.keyword is not None and argument.keyword.value == "forbid_unknown_fields":
                yield argument
        for step in self.models.analysis.module.block(node.body).steps:
            if isinstance(step, cst.Assign | cst.AnnAssign) and step.value is not None:
                target = step.targets[0].target if isinstance(step, cst.Assign) else step.target
                if dotted(target) == "model_config":
                    yield from _said_of_extra(step.value)
            elif isinstance(step, cst.ClassDef) and step.name.value in ("Config", "Meta"):
                for inner in self.models.analysis.module.block(step.body).steps:
                    if isinstance(inner, cst.Assign) and dotted(inner.targets[0].target) in ("extra", "unknown"):
                        yield inner.value

    # Schemas of marshmallow

    def _of_marshmallow(
        self, step: cst.Assign, field: cst.Call, part: ReplyPart, within: tuple[cst.CSTNode, ...]
    ) -> Iterator[Closing]:
        """What refuses additions in a field of a schema: ``OneOf``, ``fields.Enum``, or the schema that it nests."""
        for call in (node for node in walk(field) if isinstance(node, cst.Call) and node.args):
            first, kind = call.args[0].value, last_name(call.func)
            cls = (
                self.models.named(str(string_value(first) or last_name(first))) if kind in ("Nested", "Enum") else None
            )
            if kind == "OneOf":
                words = frozenset(strings_in(first)) or self.models.values.words_of(first)
            elif kind == "Enum" and isinstance(cls, cst.ClassDef):
                words = self.models.words_of_enum(cls)
            else:
                words = frozenset()
            output = self.models.open_value(part, words)
            if output is not None:
                yield Closing(step, part.confidence, output)
            if kind == "Nested" and isinstance(cls, cst.ClassDef):
                options = {argument.keyword.value for argument in call.args if argument.keyword is not None}
                if "unknown" not in options:
                    yield from self.of_class(cls, part, (*within, cls))


class Schemas:
    """What refuses additions in a JSON schema that is written out."""

    def __init__(self, models: ReplyModels, part: ReplyPart) -> None:
        self.models = models
        self.part = part

    def closings(self, schema: cst.BaseExpression) -> Iterator[Closing]:
        yield from self._of_schema(schema, self.part, MAX_DEPTH)

    def _of_schema(self, schema: cst.BaseExpression, part: ReplyPart, depth: int) -> Iterator[Closing]:
        if isinstance(schema, cst.Name):
            found = self.models.named(schema.value)
            schema = found if isinstance(found, cst.BaseExpression) else schema
        if not isinstance(schema, cst.Dict) or depth == 0:
            return
        for element in schema.elements:
            if not isinstance(element, cst.DictElement):
                continue
            key = string_value(element.key)
            if key == "additionalProperties" and last_name(element.value) == "False":
                yield Closing(element, part.confidence, None, element.value)
            elif key == "enum":
                output = self.models.open_value(part, frozenset(strings_in(element.value)))
                if output is not None:
                    yield Closing(element, part.confidence, output)
            elif key == "items":
                yield from self._of_schema(element.value, replace(part, path=(*part.path, "[]")), depth - 1)
            elif key in ("properties", "$defs", "definitions"):
                yield from self._of_each(element.value, part, key == "properties", depth)
            elif key in ("anyOf", "oneOf", "allOf") and isinstance(element.value, cst.List):
                for inner in element.value.elements:
                    yield from self._of_schema(inner.value, part, depth - 1)

    def _of_each(self, node: cst.BaseExpression, part: ReplyPart, named: bool, depth: int) -> Iterator[Closing]:
        """Of each property of an object, or of each schema that has a name."""
        for element in node.elements if isinstance(node, cst.Dict) else ():
            if isinstance(element, cst.DictElement) and string_value(element.key) not in _WRITTEN_BY_CLAUDE:
                key = str(string_value(element.key)) if named else "?"
                yield from self._of_schema(element.value, replace(part, path=(*part.path, key)), depth - 1)


def _decorators(node: cst.ClassDef) -> set[str | None]:
    """The last names of a class's decorators, called or not."""
    written = (one.decorator for one in node.decorators)
    return {last_name(one.func if isinstance(one, cst.Call) else one) for one in written}


def strings_in(node: cst.CSTNode) -> list[str]:
    """The texts that are written in a node."""
    values = (string_value(inner) for inner in walk(node) if isinstance(inner, cst.SimpleString))
    return [value for value in values if isinstance(value, str)]


def _argument(call: cst.Call, position: int, name: str) -> cst.BaseExpression | None:
    """The argument of a call at a position, or with a name."""
    for index, argument in enumerate(call.args):
        if argument.star:
            return None
        if argument.keyword.value == name if argument.keyword is not None else index == position:
            return argument.value
    return None


def _alias(value: cst.BaseExpression | None) -> str | None:
    """The key that a field is read from, where it has another name."""
    for argument in value.args if isinstance(value, cst.Call) else ():
        if argument.keyword is not None and argument.keyword.value in ("alias", "validation_alias", "name"):
            written = string_value(argument.value)
            return written if isinstance(written, str) else None
    return None


def _said_of_extra(config: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """``"forbid"`` in ``ConfigDict(extra="forbid")`` and ``{"extra": "forbid"}``."""
    if isinstance(config, cst.Call):
        for argument in config.args:
            if argument.keyword is not None and argument.keyword.value == "extra":
                yield argument.value
    elif isinstance(config, cst.Dict):
        for element in config.elements:
            if isinstance(element, cst.DictElement) and string_value(element.key) == "extra":
                yield element.value
