"""Objects of the analysed program: attributes, methods, base classes, fields and enum members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from claude_api_lint.dataflow import library
from claude_api_lint.dataflow.additions import is_addition, with_additions
from claude_api_lint.dataflow.calls import decorators
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of, dotted, last_name, walk
from claude_api_lint.dataflow.values import (
    Alternative,
    Alternatives,
    Assumption,
    Class,
    Const,
    Derived,
    External,
    Frame,
    Function,
    How,
    Instance,
    Made,
    Mapping,
    Namespace,
    Part,
    Sequence,
    Super,
    Text,
    Thunk,
    Unbound,
    Unknown,
    Value,
    assuming,
    bound,
    is_placeholder,
    just,
)
from claude_api_lint.prefilter import mentions_api

if TYPE_CHECKING:
    from claude_api_lint.dataflow.evaluator import Evaluator

MAX_BASES = 16
MAX_CONSTRUCTIONS = 12
_PROPERTIES = frozenset({"property", "cached_property", "async_cached_property"})


class Objects:
    """Looks up attributes as Python does, as far as the analysed program shows them."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._lines: dict[cst.ClassDef, tuple[list[Class], list[str]]] = {}
        self._attributes: dict[cst.ClassDef, dict[str, set[str]]] = {}
        self._constructed: dict[cst.ClassDef, list[tuple[cst.Call, Frame]]] = {}
        self._assigned: dict[cst.ClassDef, dict[str, list[cst.FunctionDef]]] = {}

    # Attributes

    def attribute(self, base: Value, name: str) -> Alternatives:
        """What ``base.name`` is."""
        if isinstance(base, Instance):
            return self.evaluator.remember(("attribute", base, name), lambda: self._of_instance(base, name))
        if isinstance(base, Class):
            return self.evaluator.remember(("attribute", base, name), lambda: self._of_class(base, name))
        if isinstance(base, Super):
            return self.evaluator.remember(("attribute", base, name), lambda: self._of_super(base, name))
        if isinstance(base, Namespace):
            return self.evaluator.imports.member(base, name)
        if isinstance(base, External):
            return just(External(f"{base.name}.{name}"))
        if isinstance(base, Const) and base.value is None:
            return just(Unknown("a value that is set later", name))
        if isinstance(base, Const | Text) and name in ("value", "name"):
            return just(base)
        if isinstance(base, Const | Text | Mapping | Sequence):
            return just(Part(base, (name,)))
        if isinstance(base, Made):
            return library.attribute(self.evaluator, base, name)
        if isinstance(base, Part):
            return just(Part(base.whole, (*base.path, name)))
        if isinstance(base, Derived):
            return just(Derived(base.why, name, base, How.ATTRIBUTE, name))
        why = base.why if isinstance(base, Unknown) and base.why else "an attribute of something unknown"
        return just(Unknown(why, name))

    def _of_instance(self, base: Instance, name: str) -> Iterable[Alternative]:
        method = self.method(base.cls, name)
        if method is not None:
            return self._of_method(method, base)
        if base.blank == name:
            return just(Unbound())
        assigned = self._assigned_anywhere(base, name)
        declared = self._class_level(base, name)
        base_values = self._meaningful([*assigned, *([] if self._surely_assigned(base, name) else declared)])
        if base_values and all(is_placeholder(a.value) for a in base_values) and self._is_abstract(base.cls):
            return just(Unknown(f"the attribute {name}, which subclasses set", name))
        if base_values:
            contributed = [a for _, a in self._contributions(base, name) if is_addition(a.value)]
            added = [self.evaluator.settled(alternative) for alternative in contributed]
            added += self._added_from_outside(base, name)
            return [replace(a, value=with_additions(a.value, added)) for a in self.evaluator.limit(base_values)]
        outside = next((unknown for unknown in self.line(base.cls)[1] if unknown), "")
        return just(Unknown(f"the attribute {name} is not set in this file", f"{outside}.{name}"))

    def _of_method(self, method: Function, base: Instance) -> Iterable[Alternative]:
        """The method of an object, or what it returns where it is a property."""
        bound = replace(method, receiver=base)
        if isinstance(method.node, cst.FunctionDef) and decorators(method.node) & _PROPERTIES:
            inner = self.evaluator.enter(method.module, method.node, None, None, base, method.enclosing)
            return self.evaluator.calls.returned(bound, inner)
        return just(self._unbound_where_static(bound, base))

    def _of_super(self, base: Super, name: str) -> Iterable[Alternative]:
        """What ``super().name`` is: a method of a base class, for the same object; or an attribute of such a class."""
        cls = base.seen.cls if isinstance(base.seen, Instance) else base.seen
        method = self.method(cls, name, base.owner)
        if method is not None:
            if isinstance(base.seen, Instance):
                return self._of_method(method, base.seen)
            assert isinstance(method.node, cst.FunctionDef)
            return just(replace(method, receiver=cls) if "classmethod" in decorators(method.node) else method)
        found = self._class_attribute(cls, name, base.owner)
        outside = next((unknown for unknown in self.line(base.owner)[1] if unknown), "")
        return found or just(Unknown("a base class from elsewhere", f"{outside}.{name}"))

    def _is_abstract(self, cls: Class) -> bool:
        """Whether a class is made to be derived from."""
        if any(name.rsplit(".", 1)[-1] == "ABC" for name in self.line(cls)[1]):
            return True
        steps = cls.module.block(cls.node.body).steps
        return any(isinstance(step, cst.FunctionDef) and "abstractmethod" in decorators(step) for step in steps)

    def _unbound_where_static(self, bound: Function, base: Value) -> Function:
        assert isinstance(bound.node, cst.FunctionDef)
        names = decorators(bound.node)
        if "staticmethod" in names:
            return replace(bound, receiver=None)
        if "classmethod" in names and isinstance(base, Instance):
            return replace(bound, receiver=base.cls)
        return bound

    def _of_class(self, base: Class, name: str) -> Iterable[Alternative]:
        method = self.method(base, name)
        if method is not None:
            assert isinstance(method.node, cst.FunctionDef)
            if "classmethod" in decorators(method.node):
                return just(replace(method, receiver=base))
            return just(method)
        found = self._class_level(Instance(base), name)
        return found or just(Unknown(f"the class attribute {name} is not set in this file", name))

    def method(self, cls: Class, name: str, after: Class | None = None) -> Function | None:
        """The method that a class has by a name, from the class itself or a base class that can be seen.

        With ``after``, only from the classes that come after that one in look-up order.
        """
        for candidate in self._line_after(cls, after):
            for step in candidate.module.block(candidate.node.body).steps:
                if isinstance(step, cst.FunctionDef) and step.name.value == name:
                    if any(
                        isinstance(d.decorator, cst.Attribute) and d.decorator.attr.value == "setter"
                        for d in step.decorators
                    ):
                        continue
                    return Function(candidate.module, step, candidate.enclosing)
        return None

    def inherited(self, cls: Class) -> list[Function]:
        """The methods that a class has from base classes of other files."""
        found: list[Function] = []
        for candidate in self.line(cls)[0]:
            if candidate.module is cls.module:
                continue
            for step in candidate.module.block(candidate.node.body).steps:
                if isinstance(step, cst.FunctionDef):
                    method = self.method(cls, step.name.value)
                    if method is not None and method.node is step:
                        found.append(method)
        return found

    def initializing(self, receiver: Instance, initializer: cst.FunctionDef) -> list[tuple[cst.Call, Frame]]:
        """The calls by which a subclass calls the initializer of a base class.

        ``super().__init__(...)``, or ``Base.__init__(self, ...)``.
        """
        below: list[tuple[Class, cst.FunctionDef]] = []
        for candidate in self.line(receiver.cls)[0]:
            for step in candidate.module.block(candidate.node.body).steps:
                if step is initializer:
                    return [call for cls, method in below[-1:] for call in self.super_calls(cls, method, receiver)]
                if isinstance(step, cst.FunctionDef) and step.name.value == "__init__":
                    below.append((candidate, step))
        return []

    def super_calls(self, cls: Class, method: cst.FunctionDef, receiver: Instance) -> Iterator[tuple[cst.Call, Frame]]:
        """The calls of a base class's initializer in an initializer, each with the activation that it stands in."""
        frame = self.method_frame(cls, method, receiver)
        for node in walk(method.body, into_scopes=False):
            if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
                base = node.func.value
                is_super = isinstance(base, cst.Call) and last_name(base.func) == "super"
                if node.func.attr.value == "__init__" and (
                    is_super or self.evaluator.calls.passes_receiver(node, frame)
                ):
                    yield node, frame

    def super_of(self, call: cst.Call, frame: Frame) -> Iterable[Alternative]:
        """``super()``: the object, as the base classes know it that can be seen."""
        function = frame.function
        owner = frame.module.scope_of(function) if function is not None else None
        name = self.evaluator.calls.receiver_name(frame.module, function) if function is not None else None
        if name is None or not isinstance(owner, cst.ClassDef):
            return just(Unknown("super() outside a method"))
        cls = Class(frame.module, owner, frame.enclosing)
        if len(self.line(cls)[0]) < 2:
            return just(Unknown("a base class from elsewhere"))
        return [
            replace(a, value=Super(a.value, cls)) if isinstance(a.value, Instance | Class) else a
            for a in self.evaluator.calls.parameter(name, frame)
        ]

    # Classes

    def line(self, cls: Class) -> tuple[list[Class], list[str]]:
        """A class and its base classes in look-up order, and the names of the bases that cannot be seen."""
        if cls.node not in self._lines:
            self._lines[cls.node] = ([cls], [])  # a class that inherits from itself ends here
            seen, unknown = [cls], list[str]()
            for base in self._bases(cls):
                if isinstance(base, Class):
                    inner, missing = self.line(base)
                    seen.extend(c for c in inner if c not in seen)
                    unknown.extend(missing)
                else:
                    unknown.append(base.name if isinstance(base, External) else "")
            self._lines[cls.node] = (seen[:MAX_BASES], [name for name in unknown if name != "builtins.object"])
        return self._lines[cls.node]

    def _line_after(self, cls: Class, after: Class | None) -> list[Class]:
        line = self.line(cls)[0]
        places = [place for place, candidate in enumerate(line) if after is not None and candidate.node is after.node]
        return line[places[0] + 1 :] if places else line

    def _bases(self, cls: Class) -> Iterator[Value]:
        frame = self.evaluator.frame_of(cls.module, cls.node)
        for argument in cls.node.bases:
            if argument.keyword is None and not argument.star:
                node = argument.value
                if isinstance(node, cst.Subscript):
                    node = node.value  # Generic[T]
                yield self.evaluator.only(Thunk(node, frame))

    def kinds(self, cls: Class) -> list[Class]:
        """The classes whose objects a method may belong to: the class itself and those that derive from it.

        Without the class itself where it is only made to be derived from: it is abstract, or nobody constructs it, or
        asks it for something where nobody constructs any of them, while a class that derives from it is.
        """
        below = self.subclasses(cls)
        if not below or self._is_abstract(cls):
            return below or [cls]
        constructed = [candidate for candidate in (cls, *below) if self.constructions(candidate)]
        used = constructed or [candidate for candidate in (cls, *below) if self._is_asked(candidate, below)]
        return below if used and cls not in used else [cls, *below]

    def _is_asked(self, cls: Class, below: list[Class]) -> bool:
        """Whether something is asked of a class by its name, ``Claude.ask()``: not by those that derive from it."""
        name, module, deriving = cls.node.name.value, cls.module, {candidate.node for candidate in below}
        asked = (node for node in module.nodes(cst.Attribute, name) if dotted(node.value) == name)
        return any(deriving.isdisjoint(module.ancestors(node)) for node in asked)

    def subclasses(self, cls: Class) -> list[Class]:
        """The classes of the same module that derive from a class."""
        from claude_api_lint.dataflow.flow import MAX_SUBCLASSES

        found: list[Class] = []
        for node in cls.module.nodes(cst.ClassDef, cls.node.name.value):
            if node is not cls.node and node.bases:
                candidate = Class(cls.module, node)
                if any(above.node is cls.node for above in self.line(candidate)[0][1:]):
                    found.append(candidate)
        return found[:MAX_SUBCLASSES]

    def _class_level(self, base: Instance, name: str) -> Alternatives:
        """A field's value, as the constructor got it or by default, or a plain class attribute."""
        cls = base.cls
        fields = self.fields(cls)
        if name in fields and self.method(cls, "__init__") is None:
            return self.evaluator.limit(self._field(base, name, fields))
        return self._class_attribute(cls, name)

    def _class_attribute(self, cls: Class, name: str, after: Class | None = None) -> Alternatives:
        for candidate in self._line_after(cls, after):
            block = candidate.module.block(candidate.node.body)
            frame = self.evaluator.frame_of(candidate.module, candidate.node)
            found = self.evaluator.flow.before(block, len(block.steps), name, frame)
            values = bound(found)
            if values:
                changed = self.evaluator.flow.aliases(candidate.module)
                path = f"{candidate.node.name.value}.{name}"
                return changed.opened(values) if changed.changed_anywhere(path) else values
        return ()

    # Fields of dataclasses, pydantic models, NamedTuples and their kin

    def fields(self, cls: Class) -> list[str]:
        """The annotated names of a class and its bases, base classes first: what a generated constructor takes."""
        names: list[str] = []
        for candidate in reversed(self.line(cls)[0]):
            for step in candidate.module.block(candidate.node.body).steps:
                if not isinstance(step, cst.AnnAssign) or not isinstance(step.target, cst.Name):
                    continue
                if step.target.value not in names and "ClassVar" not in code_of(step.annotation.annotation):
                    names.append(step.target.value)
        return names

    def _field(self, base: Instance, name: str, fields: list[str]) -> Iterator[Alternative]:
        evaluator = self.evaluator
        constructions = [(base.call, base.frame)] if base.call is not None else self.possible_constructions(base)
        default = self._class_attribute(base.cls, name)
        for call, frame in constructions:
            if call is None or frame is None:
                continue
            context = frozenset({Assumption(("made", base.cls.node), call, context=True)} if base.call is None else ())
            for arguments, when in evaluator.calls.arguments(call, frame):
                given = arguments.get(fields.index(name), name)
                if given is not None:
                    yield from assuming(assuming(evaluator.force(given), when), context)
                elif default:
                    yield from assuming(default, context | when)
                if given is None and arguments.may_have(fields.index(name)):
                    yield Alternative(Unknown("a field that a constructor may get"), context | when)
        if base.call is None:
            outside = frozenset({Assumption(("made", base.cls.node), "outside")})
            yield from assuming(default or just(Unknown(f"the field {name}, given elsewhere", name)), outside)

    def possible_constructions(self, base: Instance) -> list[tuple[cst.Call, Frame]]:
        """The calls that may have constructed an object; none where it is one of several and nobody knows which."""
        found = [(call, frame) for call, frame in self.constructions(base.cls) if not _is_of_class(call, frame)]
        return [] if base.given and len(found) > 1 else found

    def constructions(self, cls: Class) -> list[tuple[cst.Call, Frame]]:
        """The calls that construct a class: in its module, else in those of the project that use it."""
        if cls.node not in self._constructed:
            self._constructed[cls.node] = []  # none, while they are looked for
            here = self._constructions_in(cls.module, cls)
            self._constructed[cls.node] = here or self._constructions_elsewhere(cls)
        return self._constructed[cls.node]

    def _constructions_in(self, module: Module, cls: Class) -> list[tuple[cst.Call, Frame]]:
        own = self._constructions_by_itself(cls) if module is cls.module else ()
        calls = (*module.calls_of(cls.node.name.value), *own)
        return [(call, self.evaluator.frame_of(module, call)) for call in calls]

    def _constructions_by_itself(self, cls: Class) -> Iterator[cst.Call]:
        """``cls(...)`` in the class methods of a class."""
        for step in cls.module.block(cls.node.body).steps:
            if not isinstance(step, cst.FunctionDef) or "classmethod" not in decorators(step):
                continue
            name = self.evaluator.calls.receiver_name(cls.module, step)
            for node in walk(step.body, into_scopes=False):
                if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == name:
                    yield node

    def _constructions_elsewhere(self, cls: Class) -> list[tuple[cst.Call, Frame]]:
        """Only for a class of a file that mentions the API, and as far as its name leads to it."""
        if not mentions_api(cls.module.source.text.encode("utf-8", "surrogatepass")):
            return []
        found: list[tuple[cst.Call, Frame]] = []
        name = cls.node.name.value
        for user, _ in self.evaluator.resolver.importers(cls.module, name):
            if not self.evaluator.resolver.may_look_into(user, user.calling(name)):
                return []
            for call, frame in self._constructions_in(user, cls):
                values = [alternative.value for alternative in self.evaluator.evaluate(call.func, frame)]
                if any(isinstance(value, Class) and value.node is cls.node for value in values):
                    found.append((call, frame))
            if len(found) >= MAX_CONSTRUCTIONS:
                break
        return found[:MAX_CONSTRUCTIONS]

    def as_sequence(self, value: Value) -> Sequence | None:
        """A list or tuple as such; a NamedTuple by its fields."""
        if isinstance(value, Sequence):
            return value
        if not isinstance(value, Instance) or "typing.NamedTuple" not in self.line(value.cls)[1]:
            return None
        items = [self.evaluator.only_of(self.attribute(value, name)) for name in self.fields(value.cls)]
        return Sequence(tuple(items))

    # What methods assign to self

    def assigned_by(self, base: Instance, method: str) -> frozenset[str]:
        """The attributes that a method of the object's class assigns or changes."""
        return frozenset().union(*(self._by_method(cls).get(method, ()) for cls in self.line(base.cls)[0]))

    def _by_method(self, cls: Class) -> dict[str, set[str]]:
        if cls.node not in self._attributes:
            table = self._attributes[cls.node] = {}
            for attribute, methods in self._assignments(cls).items():
                for function in methods:
                    table.setdefault(function.name.value, set()).add(attribute)
        return self._attributes[cls.node]

    def _assignments(self, cls: Class) -> dict[str, list[cst.FunctionDef]]:
        """For each attribute of ``self``: the methods of the class that may assign or change it."""
        if cls.node not in self._assigned:
            table: dict[str, list[cst.FunctionDef]] = {}
            for step in cls.module.block(cls.node.body).steps:
                if not isinstance(step, cst.FunctionDef):
                    continue
                receiver = self.evaluator.calls.receiver_name(cls.module, step)
                for attribute in self._attributes_touched(cls, step, receiver) if receiver else ():
                    table.setdefault(attribute, []).append(step)
            self._assigned[cls.node] = table
        return self._assigned[cls.node]

    def _attributes_touched(self, cls: Class, method: cst.FunctionDef, receiver: str) -> list[str]:
        attributes: dict[str, None] = {}
        for step in cls.module.block(method.body).steps:
            for path in cls.module.touched(step, receiver):
                parts = path.split(".")
                if len(parts) > 1 and parts[1] != "()":
                    attributes[parts[1]] = None
        return list(attributes)

    def _contributions(self, base: Instance, name: str) -> Iterator[tuple[cst.FunctionDef, Alternative]]:
        """What each method leaves in ``self.name``, as if it had been unset before."""
        for candidate in self.line(base.cls)[0]:
            for method in self._assignments(candidate).get(name, ()):
                receiver = self.evaluator.calls.receiver_name(candidate.module, method)
                block = candidate.module.block(method.body)
                from claude_api_lint.dataflow.flow import Leaving

                any_call = self.method_frame(candidate, method, replace(base, blank=name))
                for frame in self.evaluator.calls.activations_storing(f"{receiver}.{name}", any_call):
                    for alternative in self.evaluator.flow.before(
                        block, len(block.steps), f"{receiver}.{name}", frame, Leaving.NONE
                    ):
                        yield method, alternative

    def _added_from_outside(self, base: Instance, name: str) -> Iterator[Value]:
        """What code around a class puts into an attribute of its objects: ``client.headers["a"] = "b"``."""
        flow, kinds = self.evaluator.flow, {cls.node for cls in self.kinds(base.cls)}
        for module in {base.cls.module: None} | {frame.module: None for _, frame in self.constructions(base.cls)}:
            for node, path in flow.aliases(module).changes_of(name):
                owner, frame = path[: -len(name) - 1], self.evaluator.frame_of(module, node)
                if owner in ("self", "cls") or base.blank:
                    continue
                step = module.step_of(node)
                assert step is not None
                owners = [a.value for a in flow.variable(owner, step, frame)]
                if any(isinstance(o, Instance) and o.cls.node in kinds for o in owners):
                    for alternative in flow.effects.after(step, path, frame, lambda: just(Unbound())):
                        if is_addition(alternative.value):
                            yield self.evaluator.settled(alternative)

    def method_frame(self, cls: Class, method: cst.FunctionDef, receiver: Instance) -> Frame:
        """The activation of a method for an object; of ``__init__``, the one by the call that constructs it."""
        initializer = self.method(receiver.cls, "__init__")
        call = receiver.call if initializer is not None and initializer.node is method else None
        caller = receiver.frame if call is not None else None
        return self.evaluator.enter(cls.module, method, call, caller, receiver, cls.enclosing)

    def _assigned_anywhere(self, base: Instance, name: str) -> list[Alternative]:
        return [
            alternative
            for _, alternative in self._contributions(base, name)
            if not isinstance(alternative.value, Unbound) and not is_addition(alternative.value)
        ]

    def _surely_assigned(self, base: Instance, name: str) -> bool:
        """Whether ``__init__`` (or its kin) assigns the attribute, so that the class-level value is never seen."""
        for method, alternative in self._contributions(base, name):
            if method.name.value in ("__init__", "__post_init__", "model_post_init", "__attrs_post_init__"):
                return not isinstance(alternative.value, Unbound) and not is_addition(alternative.value)
        return False

    def _meaningful(self, alternatives: list[Alternative]) -> list[Alternative]:
        """Without the placeholders (None, "") that stand until another method assigns the real thing."""
        real = [a for a in alternatives if not is_placeholder(a.value)]
        return list(bound(real) or bound(alternatives))


def _is_of_class(call: cst.Call, frame: Frame) -> bool:
    """Whether an object is made in the body of a class, whose attribute it is: who means it looks it up there."""
    return isinstance(frame.module.scope_of(call), cst.ClassDef)
