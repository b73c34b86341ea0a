"""Calls: which arguments reach which parameter, what comes back, and who calls a function."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import libcst as cst

from claude_api_lint.dataflow import library, mappings, texts
from claude_api_lint.dataflow.decorators import calls_by_wrappers, hands_on, passes_on
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import bound_by, dotted, last_name, root_name, string_value, walk
from claude_api_lint.dataflow.values import (
    ITSELF,
    NOTHING,
    Alternative,
    Alternatives,
    Assumption,
    Assumptions,
    Class,
    Const,
    Derived,
    Entry,
    External,
    Frame,
    Function,
    Generator,
    How,
    Instance,
    Made,
    Mapping,
    Part,
    Prepared,
    Sequence,
    Thunk,
    Unknown,
    Value,
    assuming,
    just,
)

if TYPE_CHECKING:
    from claude_api_lint.dataflow.evaluator import Evaluator

FunctionNode = cst.FunctionDef | cst.Lambda
READING_METHODS = frozenset("get items keys values copy popitem __getitem__ __contains__".split())
MAX_CALLERS = 16
_TELLING_DEFAULT = re.compile(r"://|^\d{4}-\d\d-\d\d$")


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call. ``open`` tells that ``*`` or ``**`` of something unknown may add others."""

    positional: tuple[Thunk | Value, ...] = ()
    keywords: dict[str, Thunk | Value] = field(default_factory=dict)
    open_positional: bool = False
    open_keywords: bool = False

    def get(self, position: int | None, *names: str) -> Thunk | Value | None:
        """The argument at a position (from 0) or with one of the names; None where it is not given."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def may_have(self, position: int | None) -> bool:
        """Whether an argument that is not seen may be given all the same."""
        return self.open_keywords or (position is not None and self.open_positional)


class Calls:
    """Follows calls into functions of the analysed program and out of them."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._bound: dict[FunctionNode, frozenset[str]] = {}
        self._assigned: dict[FunctionNode, tuple[frozenset[str], frozenset[str]]] = {}
        self._callers: dict[FunctionNode, list[tuple[cst.Call, Frame]]] = {}
        self._keyed: dict[FunctionNode, frozenset[str]] = {}
        self._giving: dict[FunctionNode, list[cst.Return | cst.Yield]] = {}

    # Arguments

    def arguments(
        self, call: cst.Call, frame: Frame, prepared: Prepared | None = None
    ) -> Iterator[tuple[Arguments, Assumptions]]:
        """The arguments of a call, for each way in which its ``**`` arguments can be."""
        built: list[tuple[Arguments, Assumptions]] = [(Arguments(), NOTHING)]
        if prepared is not None:
            built = [
                (replace(arguments, positional=arguments.positional[1:]), when)
                for arguments, when in self.arguments(prepared.call, prepared.frame)
            ]
        for argument in call.args:
            if argument.star == "**":
                built = [new for old in built for new in self._with_keywords(old, argument.value, frame)]
            elif argument.star == "*":
                built = [self._with_positional(old, argument.value, frame) for old in built]
            elif argument.keyword is not None:
                thunk = Thunk(argument.value, frame)
                built = [
                    (replace(old, keywords={**old.keywords, argument.keyword.value: thunk}), when)
                    for old, when in built
                ]
            else:
                thunk = Thunk(argument.value, frame)
                built = [(replace(old, positional=(*old.positional, thunk)), when) for old, when in built]
        yield from built[:MAX_CALLERS]

    def _with_keywords(
        self, old: tuple[Arguments, Assumptions], node: cst.BaseExpression, frame: Frame
    ) -> Iterator[tuple[Arguments, Assumptions]]:
        arguments, before = old
        for alternative in assuming(self.evaluator.evaluate(node, frame), before):
            value = alternative.value
            if not isinstance(value, Mapping):
                yield replace(arguments, open_keywords=True), alternative.when
                continue
            if value.open:  # what is not seen may take the place of what is
                yield replace(arguments, open_keywords=True), alternative.when
            added = {entry.key: entry.value for entry in value.entries}
            yield (
                replace(
                    arguments,
                    keywords={**added, **arguments.keywords},
                    open_keywords=arguments.open_keywords or value.open,
                ),
                alternative.when,
            )

    def _with_positional(
        self, old: tuple[Arguments, Assumptions], node: cst.BaseExpression, frame: Frame
    ) -> tuple[Arguments, Assumptions]:
        arguments, when = old
        value = self.evaluator.only(Thunk(node, frame))
        if isinstance(value, Sequence) and not value.open:
            return replace(arguments, positional=(*arguments.positional, *value.items)), when
        return replace(arguments, open_positional=True), when

    # Parameters

    def parameter(self, name: str, frame: Frame) -> Alternatives:
        """What a parameter is at the start of its function, in an activation of it."""
        return self.evaluator.remember(("parameter", name, frame), lambda: self._parameter(name, frame))

    def _parameter(self, name: str, frame: Frame) -> Iterable[Alternative]:
        function = frame.function
        assert function is not None
        if name == self.receiver_name(frame.module, function):
            return self._receiver(function, frame)
        wrapping = self._wrapping(function, frame)
        if wrapping:
            return [alternative for inner in wrapping for alternative in self.parameter(name, inner)]
        if frame.call is None:
            return self._from_any_caller(name, function, frame)
        assert frame.caller is not None
        skip = 1 if self.receiver_name(frame.module, function) and frame.receiver is not None else 0
        if isinstance(frame.receiver, Instance) and skip and self.passes_receiver(frame.call, frame.caller):
            skip = 0
        found: list[Alternative] = []
        for arguments, when in self.arguments(frame.call, frame.caller, frame.prepared):
            found.extend(assuming(self._passed(name, function, frame, arguments, skip), when))
        return found

    def passes_receiver(self, call: cst.Call, caller: Frame) -> bool:
        """Whether a call passes the object to a method that it takes from a class: ``Base.__init__(self, key)``."""
        func = call.func
        if not isinstance(func, cst.Attribute) or not call.args or not isinstance(call.args[0].value, cst.Name):
            return False
        if (
            call.args[0].keyword is not None
            or call.args[0].star
            or not isinstance(func.value, cst.Name | cst.Attribute)
        ):
            return False
        return any(isinstance(owner.value, Class) for owner in self.evaluator.evaluate(func.value, caller))

    def _passed(
        self, name: str, function: FunctionNode, frame: Frame, arguments: Arguments, skip: int
    ) -> Iterable[Alternative]:
        params = function.params
        positional = [*params.posonly_params, *params.params]
        names = [parameter.name.value for parameter in positional]
        if isinstance(params.star_kwarg, cst.Param) and params.star_kwarg.name.value == name:
            known = {*names, *(parameter.name.value for parameter in params.kwonly_params)}
            rest = tuple(Entry(key, value) for key, value in arguments.keywords.items() if key not in known)
            return just(Mapping(rest, arguments.open_keywords, why="the keyword arguments of a call"))
        if isinstance(params.star_arg, cst.Param) and params.star_arg.name.value == name:
            return just(Sequence(arguments.positional[len(names) - skip :], arguments.open_positional))
        position = names.index(name) - skip if name in names else None
        given = arguments.get(position, name)
        if given is not None:
            return self.evaluator.force(given)
        added = self._added_by_wrapper(name, function, frame)
        if added:
            return added
        default = self.default(name, function, frame)
        if arguments.may_have(position) or self._is_wrapped(function, frame):
            return (*default, Alternative(Unknown("an argument that a caller or a decorator may pass on")))
        return default or just(Unknown("an argument that is not given"))

    def _is_replaced(self, function: cst.FunctionDef, frame: Frame) -> bool:
        """Whether what a decorator of the project makes of a function may return something else than it does."""
        return any(
            (isinstance(value, External) and value.name.startswith("."))
            or (isinstance(value, Function) and isinstance(value.node, cst.FunctionDef) and not passes_on(value.node))
            for value, _ in self._decorating(function, frame)
        )

    def _is_wrapped(self, function: FunctionNode, frame: Frame) -> bool:
        """Whether a decorator of the analysed program may add arguments of its own."""
        return any(
            isinstance(value, Function | Class) or (isinstance(value, External) and value.name.startswith("."))
            for value, _ in self._decorating(function, frame)
        )

    def _decorating(self, function: FunctionNode, frame: Frame) -> Iterator[tuple[Value, bool]]:
        """What the decorators of a function are, and whether they are called for what decorates."""
        if isinstance(function, cst.Lambda) or not function.decorators:
            return
        around = self.evaluator.frame_of(frame.module, function)
        for decorator in function.decorators:
            is_called = isinstance(decorator.decorator, cst.Call)
            node = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
            for alternative in self.evaluator.evaluate(node, around):
                yield alternative.value, is_called

    def _by_wrappers(self, function: FunctionNode, frame: Frame) -> Iterator[tuple[cst.Call, cst.FunctionDef, Module]]:
        """The calls of a function in the wrappers that the project's decorators put in its place."""
        for value, is_called in self._decorating(function, frame):
            if isinstance(value, Function) and isinstance(value.node, cst.FunctionDef):
                for call, wrapper in calls_by_wrappers(value.node, is_called):
                    yield call, wrapper, value.module

    def _wrapping(self, function: FunctionNode, frame: Frame) -> list[Frame]:
        """The activations of a function by wrappers that pass other arguments than they get.

        None where the wrappers hand on what they get, and for such an activation itself.
        """
        found: list[Frame] = []
        for call, wrapper, module in self._by_wrappers(function, frame):
            if call is frame.call:
                return []
            if hands_on(call, wrapper):
                continue
            caller = self.evaluator.frame_of(module, call)
            if frame.call is not None and not self.receiver_name(frame.module, function):
                caller = self.evaluator.enter(module, wrapper, frame.call, frame.caller)
            found.append(self.evaluator.enter(frame.module, function, call, caller, None, frame.enclosing))
        return found

    def _added_by_wrapper(self, name: str, function: FunctionNode, frame: Frame) -> Alternatives:
        """What the wrappers of a function pass as a keyword argument beside those that they hand on."""
        return tuple(
            alternative
            for call, _, module in self._by_wrappers(function, frame)
            for argument in call.args
            if argument.keyword is not None and argument.keyword.value == name
            for alternative in self.evaluator.evaluate(argument.value, self.evaluator.frame_of(module, call))
        )

    def default(self, name: str, function: FunctionNode, frame: Frame) -> Alternatives:
        """The default value of a parameter; nothing where it has none."""
        for parameter in _all_parameters(function):
            if parameter.name.value == name and parameter.default is not None:
                return self.evaluator.evaluate(parameter.default, self.evaluator.frame_of(frame.module, function))
        return ()

    def _from_any_caller(self, name: str, function: FunctionNode, frame: Frame) -> Iterator[Alternative]:
        """Joined over the calls that can be seen, and over a caller from elsewhere."""
        if isinstance(frame.receiver, Instance) and isinstance(function, cst.FunctionDef):
            initializing = self.evaluator.objects.initializing(frame.receiver, function)
            for call, caller in initializing:
                by_subclass = self.evaluator.enter(
                    frame.module, function, call, caller, frame.receiver, frame.enclosing
                )
                yield from self.parameter(name, by_subclass)
            if initializing:
                return
        callers = [*self.callers(frame.module, function), *self._constructions(name, function, frame)]
        for call, caller in dict.fromkeys(callers):
            inner = self._called_by(call, caller, function, frame)
            if inner is None:
                continue
            context = frozenset({Assumption(("caller", function), call, context=True)})
            yield from assuming(self.parameter(name, inner), context)
        if callers and self._is_private(function, frame.module):
            return
        outside = frozenset({Assumption(("caller", function), "outside")})
        added = self._added_by_wrapper(name, function, frame)
        if added:
            yield from assuming(added, outside)
            return
        default = () if self._is_wrapped(function, frame) else self.default(name, function, frame)
        unknown = Alternative(Unknown(f"the parameter {name}, which a caller elsewhere passes", name))
        if not default:
            star = function.params.star_kwarg
            if isinstance(star, cst.Param) and star.name.value == name:
                unknown = Alternative(Mapping((), True, why="the keyword arguments of a call"))
            elif (cls := self._annotated_class(name, function, frame)) is not None:
                unknown = Alternative(Instance(cls, given=True))
        yield from assuming(default or (unknown,), outside)
        if _is_none(default):
            yield from assuming((unknown,), outside)  # None says that a caller is expected to bring it
        elif default:
            given = frozenset({Assumption(("caller", function), "outside, giving " + name)})
            yield from assuming((unknown,), given)

    def _called_by(self, call: cst.Call, caller: Frame, function: FunctionNode, frame: Frame) -> Frame | None:
        """The activation of a function by a call; None where that is for another object than the one that is known."""
        for receiver in self._receivers_of(call, caller, function, frame):
            if _may_be(receiver, frame.receiver):
                return self.evaluator.enter(frame.module, function, call, caller, receiver, frame.enclosing)
        return None

    def activations_storing(self, path: str, frame: Frame) -> list[Frame]:
        """The activations of a function in which it changes what a dotted name stands for, given the one by any caller.

        One for each call that is seen, where it stores under a key that it is passed: so the name of a header and its
        value stay together.
        """
        function = frame.function
        if (
            frame.call is not None
            or not isinstance(function, cst.FunctionDef)
            or not self._stores_passed(function, path)
        ):
            return [frame]
        called = [
            self._called_by(call, caller, function, frame) for call, caller in self.callers(frame.module, function)
        ]
        entered = [
            self.evaluator.enter(inner.module, function, inner.call, inner.caller, frame.receiver, inner.enclosing)
            for inner in called
            if inner is not None
        ]
        return entered or [frame]

    def _stores_passed(self, function: cst.FunctionDef, path: str) -> bool:
        """Whether a function stores something under a key that is a parameter: ``self.headers[name] = value``."""
        if function not in self._keyed:
            self._keyed[function] = frozenset(_stored_under_parameters(function))
        return any(stored == path or stored.startswith(f"{path}.") for stored in self._keyed[function])

    def _constructions(self, name: str, function: FunctionNode, frame: Frame) -> list[tuple[cst.Call, Frame]]:
        """The calls that construct an object, for a parameter of its constructor that has no value by itself."""
        receiver = frame.receiver
        if not isinstance(receiver, Instance) or receiver.call is not None:
            return []
        initializer = self.evaluator.objects.method(receiver.cls, "__init__")
        if initializer is None or initializer.node is not function:
            return []
        default = self.default(name, function, frame)
        return [] if default and not _is_none(default) else self.evaluator.objects.possible_constructions(receiver)

    def _annotated_class(self, name: str, function: FunctionNode, frame: Frame) -> Class | None:
        """The class of the analysed program that a parameter is annotated with."""
        for parameter in _all_parameters(function):
            if parameter.name.value == name and parameter.annotation is not None:
                value = self.evaluator.only_of(self._annotated(parameter.annotation.annotation, function, frame))
                return value if isinstance(value, Class) else None
        return None

    def _annotated(self, annotation: cst.BaseExpression, function: FunctionNode, frame: Frame) -> Alternatives:
        """What ``C`` is in the annotations ``C``, ``"C"``, ``C | None`` and ``Optional[C]``."""
        evaluator, node = self.evaluator, _without_none(annotation)
        name = string_value(node)
        if isinstance(name, str):
            return evaluator.flow.at_module_end(name, evaluator.enter(frame.module)) if name.isidentifier() else ()
        if isinstance(node, cst.Name | cst.Attribute):
            return evaluator.evaluate(node, evaluator.frame_of(frame.module, function))
        return ()

    def _receivers_of(
        self, call: cst.Call, caller: Frame, function: FunctionNode, frame: Frame
    ) -> Iterator[Value | None]:
        """The objects on which a call may call a method; None for a plain function, and where none is seen."""
        if not self.receiver_name(frame.module, function):
            yield None
            return
        found = False
        for callee in self.evaluator.evaluate(call.func, caller):
            if isinstance(callee.value, Function) and callee.value.node is function:
                found = True
                yield callee.value.receiver or self._passed_receiver(call, caller)
            elif isinstance(callee.value, Class):
                found = True
                yield Instance(callee.value, call, caller)
        if not found:
            yield None

    def _passed_receiver(self, call: cst.Call, caller: Frame) -> Value | None:
        """The object that a call passes to a method that it takes from a class."""
        return self.evaluator.only(Thunk(call.args[0].value, caller)) if self.passes_receiver(call, caller) else None

    def _is_private(self, function: FunctionNode, module: Module) -> bool:
        """Whether nobody outside is meant to call a function."""
        if isinstance(function, cst.Lambda):
            return True
        name = function.name.value
        if name.startswith("__") and name.endswith("__"):
            return False
        return name.startswith("_") or isinstance(module.scope_of(function), cst.FunctionDef)

    def callers(self, module: Module, function: FunctionNode) -> list[tuple[cst.Call, Frame]]:
        """The calls of a function in its module, each with the activation that it stands in."""
        if function in self._callers:
            return self._callers[function]
        if isinstance(function, cst.Lambda):
            return []
        self._callers[function] = []  # a function that is asked for its callers while they are looked for has none
        owner = module.scope_of(function)
        names = [function.name.value]
        if names == ["__init__"] and isinstance(owner, cst.ClassDef):
            names.append(owner.name.value)  # constructed, or called by a subclass through super()
        found: list[tuple[cst.Call, Frame]] = []
        for name in names:
            for node in module.calls_of(name):
                caller = self.evaluator.frame_of(module, node)
                if any(self._is(callee.value, function) for callee in self.evaluator.evaluate(node.func, caller)):
                    found.append((node, caller))
        self._callers[function] = found[:MAX_CALLERS]
        return self._callers[function]

    def _is(self, callee: Value, function: FunctionNode) -> bool:
        if isinstance(callee, Class):
            initializer = self.evaluator.objects.method(callee, "__init__")
            return initializer is not None and initializer.node is function
        return isinstance(callee, Function) and callee.node is function

    def receiver_name(self, module: Module, function: FunctionNode) -> str | None:
        """The name of ``self`` or ``cls`` in a method, else None."""
        if not isinstance(function, cst.FunctionDef) or not isinstance(module.scope_of(function), cst.ClassDef):
            return None
        if "staticmethod" in decorators(function):
            return None
        positional = [*function.params.posonly_params, *function.params.params]
        return positional[0].name.value if positional else None

    def is_of_receiver(self, node: cst.BaseExpression, frame: Frame) -> bool:
        """Whether an expression is an attribute of the object whose method an activation is of: ``self.provider``."""
        if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Name) or frame.function is None:
            return False
        return node.value.value == self.receiver_name(frame.module, frame.function)

    def _receiver(self, function: FunctionNode, frame: Frame) -> Iterable[Alternative]:
        """What ``self`` is: the object that the activation belongs to, else any of the class or its subclasses."""
        if frame.receiver is not None:
            return just(frame.receiver)
        node = frame.module.scope_of(function)
        assert isinstance(node, cst.ClassDef)
        cls = Class(frame.module, node, frame.enclosing)
        is_class_method = isinstance(function, cst.FunctionDef) and "classmethod" in decorators(function)
        own = self.evaluator.objects.kinds(cls)
        return [
            Alternative(
                candidate if is_class_method else Instance(candidate),
                frozenset({Assumption(("self", node), candidate.node, context=True)}) if len(own) > 1 else NOTHING,
            )
            for candidate in own
        ]

    def bound_names(self, function: FunctionNode) -> frozenset[str]:
        """The names that a function binds itself: parameters, and what its statements assign."""
        if function not in self._bound:
            names = {parameter.name.value for parameter in _all_parameters(function)}
            assigned, outside = self._assigned_by(function)
            self._bound[function] = frozenset((names | assigned) - outside)
        return self._bound[function]

    def rebinds(self, function: FunctionNode, name: str) -> bool:
        """Whether the statements of a function bind one of its parameters anew."""
        return name in self.assigned_in(function)

    def assigned_in(self, function: FunctionNode) -> frozenset[str]:
        """The dotted names that the statements of a function bind."""
        return self._assigned_by(function)[0]

    def _assigned_by(self, function: FunctionNode) -> tuple[frozenset[str], frozenset[str]]:
        """The names that a function's statements bind, and those of them that belong to the scopes around it."""
        if function not in self._assigned:
            names: set[str] = set()
            outside: set[str] = set()
            for node in walk(function.body, into_scopes=False) if isinstance(function, cst.FunctionDef) else ():
                names.update(bound_by(node))
                if node.__class__ is cst.Global or node.__class__ is cst.Nonlocal:
                    outside |= {item.name.value for item in node.names}
            self._assigned[function] = frozenset(names), frozenset(outside)
        return self._assigned[function]

    # Results

    def result(self, call: cst.Call, frame: Frame) -> Iterable[Alternative]:
        """What a call returns."""
        func = call.func
        if isinstance(func, cst.Name) and func.value == "super":
            return self.evaluator.objects.super_of(call, frame)
        return self.evaluator.each(
            self.evaluator.evaluate(func, frame), lambda callee: self.called(callee, call, frame)
        )

    def called(
        self, callee: Value, call: cst.Call, frame: Frame, prepared: Prepared | None = None
    ) -> Iterable[Alternative]:
        """What calling a known value returns."""
        if isinstance(callee, Function):
            if _is_recursive(callee, frame):
                return just(ITSELF)
            inner = self.activation(callee, call, frame, prepared)
            return self.returned(callee, inner) if inner is not None else just(Unknown("calls too deep to follow"))
        if isinstance(callee, Class):
            return just(Instance(callee, call, frame))
        if isinstance(callee, Prepared):
            return self.called(callee.callee, call, frame, callee)
        if isinstance(callee, External):
            return library.call(self.evaluator, callee.name, call, frame)
        if isinstance(callee, Part):
            return self._method_result(callee, call, frame)
        why, name = "the result of a function that is not known", last_name(call.func) or ""
        if isinstance(callee, Derived) and callee.how is How.ATTRIBUTE:
            found = just(Derived(why, name, callee.whole, How.CALLED, name, call, frame))
        else:
            found = just(Derived(why, name, callee, How.RETURNED, name, call, frame))
        default = _default_of_lookup(call)
        return found if default is None else (*found, *self.evaluator.evaluate(default, frame))

    def activation(
        self, callee: Function, call: cst.Call, frame: Frame, prepared: Prepared | None = None
    ) -> Frame | None:
        from claude_api_lint.dataflow.evaluator import MAX_CALL_DEPTH

        if frame.depth >= MAX_CALL_DEPTH:
            return None
        receiver = callee.receiver
        if receiver is None and prepared is None and self.receiver_name(callee.module, callee.node):
            receiver = self._passed_receiver(call, frame)
        return self.evaluator.enter(callee.module, callee.node, call, frame, receiver, callee.enclosing, prepared)

    def returned(self, callee: Function, frame: Frame) -> Alternatives:
        """What a function returns in an activation; what it yields, for a context manager."""
        node = callee.node
        if isinstance(node, cst.Lambda):
            return self.evaluator.evaluate(node.body, frame)
        if self._is_replaced(node, frame):
            return just(Unknown("a function under a decorator that is not known"))
        return self.evaluator.remember(("returned", node, frame), lambda: self._returned(node, frame))

    def _returned(self, node: cst.FunctionDef, frame: Frame) -> Iterator[Alternative]:
        manager = bool(decorators(node) & {"contextmanager", "asynccontextmanager"})
        for step in self._giving_steps(node):
            value: cst.BaseExpression | None = None
            if step.__class__ is cst.Return and not manager:
                value = step.value
            elif step.__class__ is cst.Yield:
                if not manager:
                    yield Alternative(Generator("a generator", node=node, frame=frame))
                    return
                value = step.value if isinstance(step.value, cst.BaseExpression) else None
            if value is None:
                continue
            conditions = self.evaluator.flow.conditions(step, frame)
            if conditions is not None:
                yield from assuming(self.evaluator.evaluate(value, frame), conditions)

    def _giving_steps(self, function: cst.FunctionDef) -> list[cst.Return | cst.Yield]:
        """Every ``return`` and ``yield`` of a function, which are asked for anew in each activation."""
        if function not in self._giving:
            kinds = (cst.Return, cst.Yield)
            steps = walk(function.body, into_scopes=False)
            self._giving[function] = [step for step in steps if isinstance(step, kinds)]
        return self._giving[function]

    def yielded(self, generator: Generator) -> Iterator[Alternative]:
        """What iterating over a generator gives."""
        node, frame, flow = generator.node, generator.frame, self.evaluator.flow
        assert node is not None
        assert frame is not None
        if isinstance(node, cst.ListComp | cst.SetComp | cst.GeneratorExp):
            yield from self.evaluator.evaluate(node.elt, frame)
            return
        assert isinstance(node, cst.FunctionDef)
        for step in self._giving_steps(node):
            if not isinstance(step, cst.Yield) or step.value is None:
                continue
            conditions = flow.conditions(step, frame)
            if conditions is None:
                continue
            if isinstance(step.value, cst.From):
                yield from assuming(flow.elements(step.value.item, frame), conditions)
            else:
                yield from assuming(self.evaluator.evaluate(step.value, frame), conditions)

    def changed_by(self, callee: Function, call: cst.Call, path: str, frame: Frame) -> Alternatives | None:
        """What an argument (the caller's name ``path``) is after a call of a known function; None if untouched."""
        node, inner = callee.node, self.activation(callee, call, frame)
        if isinstance(node, cst.Lambda) or inner is None:
            return None
        skip = 1 if callee.receiver is not None and self.receiver_name(callee.module, node) else 0
        names = [parameter.name.value for parameter in [*node.params.posonly_params, *node.params.params]][skip:]
        given: list[str] = []
        for index, argument in enumerate(call.args):
            if dotted(argument.value) == path and not argument.star:
                if argument.keyword is not None:
                    given.append(argument.keyword.value)
                elif index < len(names):
                    given.append(names[index])
        block = callee.module.block(node.body)
        for name in given:
            if any(callee.module.touches(step, name) for step in block.steps):
                return self.evaluator.flow.at_end(node, name, inner)
        return None

    # Methods of texts, mappings and sequences

    def _method_result(self, method: Part, call: cst.Call, frame: Frame) -> Iterable[Alternative]:
        whole, name = method.whole, method.path[-1]
        if len(method.path) == 1 and texts.is_text(whole):
            return self._text_method(whole, name, call, frame)
        if len(method.path) == 1 and isinstance(whole, Mapping):
            return self._mapping_method(whole, name, call, frame)
        if isinstance(whole, Made):
            return library.method(self.evaluator, method, call, frame)
        return just(Unknown(f"the result of {name}()", name))

    def _text_method(self, whole: Value, name: str, call: cst.Call, frame: Frame) -> Iterator[Alternative]:
        pattern, evaluator = texts.pattern_of(whole), self.evaluator
        for arguments, when in self.arguments(call, frame):
            positional = [evaluator.pattern(value) for value in arguments.positional]
            if name == "format":
                keywords = {key: evaluator.pattern(value) for key, value in arguments.keywords.items()}
                yield Alternative(texts.format_braces(pattern, positional, keywords), when)
            elif name == "join" and arguments.positional:
                items = evaluator.only(arguments.positional[0])
                known = isinstance(items, Sequence) and not items.open
                pieces = [evaluator.pattern(item) for item in items.items] if isinstance(items, Sequence) else []
                yield Alternative(
                    texts.joined(pattern, pieces) if known else Unknown("joined from unknown pieces"), when
                )
            else:
                result = texts.call_method(pattern, name, positional)
                yield Alternative(result or Unknown(f"the result of {name}()"), when)

    def _mapping_method(self, whole: Mapping, name: str, call: cst.Call, frame: Frame) -> Iterable[Alternative]:
        if name in ("copy", "items", "__or__"):
            return just(whole)
        if name not in ("get", "pop", "setdefault"):
            return just(Unknown(f"the result of {name}()"))
        return self._looked_up(whole, call, frame)

    def _looked_up(self, whole: Mapping, call: cst.Call, frame: Frame) -> Iterator[Alternative]:
        """``mapping.get(key, default)``."""
        evaluator = self.evaluator
        for arguments, when in self.arguments(call, frame):
            key = evaluator.only(arguments.get(0, "key") or Unknown())
            default = evaluator.force(arguments.get(1, "default") or Const(None))
            found = evaluator.entry(whole, str(key.value)) if isinstance(key, Const) else ()
            certain = isinstance(key, Const) and any(e.certain for e in mappings.find(whole, str(key.value)))
            if not isinstance(key, Const):
                found = evaluator.any_entry(whole, call.args[0].value if call.args else call, frame)
            yield from assuming(found, when)
            if not certain:
                yield from assuming(default, when)
                if whole.open or not isinstance(key, Const):
                    yield Alternative(Unknown("an entry that is not known"), when)

    def mapping_changed(self, whole: Mapping, method: str, call: cst.Call, frame: Frame) -> Iterator[Alternative]:
        """What a mapping is after one of its methods was called."""
        evaluator = self.evaluator
        for arguments, when in self.arguments(call, frame):
            first = arguments.get(0, "key")
            key = evaluator.only(first) if first is not None and method in ("setdefault", "pop") else None
            if method == "update":
                states: Iterable[Alternative] = just(whole)
                if first is not None:
                    states = evaluator.combine((tuple(states), evaluator.force(first)), evaluator.updated)
                extra = Mapping(
                    tuple(
                        Entry(name, value)
                        for name, value in arguments.keywords.items()
                        if arguments.positional or name != "key"
                    ),
                    arguments.open_keywords,
                )
                states = [Alternative(evaluator.updated(state.value, extra), state.when) for state in states]
                yield from assuming(states, when)
            elif method == "setdefault" and isinstance(key, Const):
                if not any(entry.certain for entry in mappings.find(whole, str(key.value))):
                    value = arguments.get(1, "default") or Const(None)
                    place = evaluator.place_of(first) if first is not None else None
                    yield Alternative(mappings.set_entry(whole, Entry(str(key.value), value, place)), when)
                else:
                    yield Alternative(whole, when)
            elif method == "pop":
                known = str(key.value) if isinstance(key, Const) else None
                yield Alternative(mappings.delete(whole, known), when)
            elif method == "clear":
                yield Alternative(replace(whole, entries=(), open=False), when)
            elif method in ("add", "__setitem__") and first is not None and len(arguments.positional) > 1:
                keys, place = evaluator.force(first), evaluator.place_of(first)
                for name in assuming(keys, when):
                    yield Alternative(evaluator.with_item(whole, name.value, arguments.positional[1], place), name.when)
            elif method in READING_METHODS:
                yield Alternative(whole, when)
            else:
                yield Alternative(mappings.opened(whole, f"changed by {method}()"), when)

    def sequence_changed(self, whole: Sequence, method: str, call: cst.Call, frame: Frame) -> Sequence:
        """What a list is after one of its methods was called."""
        values = [Thunk(argument.value, frame) for argument in call.args]
        if method == "append" and values:
            return replace(whole, items=(*whole.items, values[0]))
        if method == "extend" and values:
            return self.evaluator.extended(whole, self.evaluator.only(values[0]))
        if method in ("count", "index", "copy"):
            return whole
        return replace(whole, open=True)

    # Context managers

    def entered(self, node: cst.BaseExpression, frame: Frame) -> Iterator[Alternative]:
        """What ``with node as name`` binds: external managers give themselves, our own what ``__enter__`` returns."""
        for alternative in self.evaluator.evaluate(node, frame):
            value = alternative.value
            if isinstance(value, Instance):
                enter = self.evaluator.objects.method(value.cls, "__enter__") or self.evaluator.objects.method(
                    value.cls, "__aenter__"
                )
                if enter is not None:
                    bound = replace(enter, receiver=value)
                    inner = self.evaluator.enter(enter.module, enter.node, None, None, value, enter.enclosing)
                    yield from assuming(self.returned(bound, inner), alternative.when)
                    continue
            yield alternative


def _is_none(alternatives: Alternatives) -> bool:
    values = [alternative.value for alternative in alternatives]
    return len(values) == 1 and isinstance(values[0], Const) and values[0].value is None


def _without_none(annotation: cst.BaseExpression) -> cst.BaseExpression:
    """``C`` of ``C | None`` and ``Optional[C]``."""
    if isinstance(annotation, cst.BinaryOperation) and isinstance(annotation.operator, cst.BitOr):
        sides = [annotation.left, annotation.right]
        return next((side for side in sides if not (isinstance(side, cst.Name) and side.value == "None")), annotation)
    if isinstance(annotation, cst.Subscript) and last_name(annotation.value) == "Optional":
        index = annotation.slice[0].slice
        return _without_none(index.value) if isinstance(index, cst.Index) else annotation
    return annotation


def _is_recursive(callee: Function, frame: Frame) -> bool:
    """Whether a function calls itself again, twice over: what it then returns is among what it returns anyway."""
    depth, above = 0, frame
    while above.caller is not None:
        depth += above.function is callee.node
        above = above.caller
    return depth > 1


def _stored_under_parameters(function: cst.FunctionDef) -> Iterator[str]:
    names = {parameter.name.value for parameter in _all_parameters(function)}
    for node in walk(function.body, into_scopes=False) if len(names) > 1 else ():
        target = node.target if isinstance(node, cst.AssignTarget) else None
        if isinstance(target, cst.Subscript) and (stored := dotted(target.value)) is not None:
            index = target.slice[0].slice
            if isinstance(index, cst.Index) and root_name(index.value) in names:
                yield stored


def _default_of_lookup(call: cst.Call) -> cst.BaseExpression | None:
    """The default of ``settings.get("version", "2023-06-01")``: a version or an address; others tell nobody a thing."""
    if last_name(call.func) != "get" or len(call.args) != 2 or any(a.keyword or a.star for a in call.args):
        return None
    default = string_value(call.args[1].value)
    return call.args[1].value if isinstance(default, str) and _TELLING_DEFAULT.search(default) else None


def _may_be(receiver: Value | None, known: Value | None) -> bool:
    """Whether the object of a call may be the one that a method's activation is known to belong to."""
    if not isinstance(receiver, Instance) or not isinstance(known, Instance):
        return True
    if receiver.cls.node is not known.cls.node:
        return False
    return receiver.call is known.call or None in (receiver.call, known.call)


def decorators(function: cst.FunctionDef) -> set[str]:
    """The last names of a function's decorators."""
    nodes = [decorator.decorator for decorator in function.decorators]
    names = [last_name(node.func if isinstance(node, cst.Call) else node) for node in nodes]
    return {name for name in names if name}


def _all_parameters(function: FunctionNode) -> list[cst.Param]:
    from claude_api_lint.dataflow.flow import parameters

    return parameters(function.params)
