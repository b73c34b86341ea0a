"""What one small statement does to what a dotted name stands for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from claude_api_lint.dataflow import mappings
from claude_api_lint.dataflow.calls import READING_METHODS
from claude_api_lint.dataflow.imports import source_of
from claude_api_lint.dataflow.trees import dotted, string_value, target_names, walk
from claude_api_lint.dataflow.values import (
    Additions,
    Alternative,
    Alternatives,
    Change,
    Const,
    Entry,
    External,
    Frame,
    Function,
    Instance,
    Made,
    Mapping,
    Part,
    Place,
    Sequence,
    Thunk,
    Unbound,
    Unknown,
    Value,
    assuming,
    just,
)

if TYPE_CHECKING:
    from claude_api_lint.dataflow.evaluator import Evaluator

MAX_CHANGES = 24
"""Changes of one object that are told apart; beyond them anything may have happened to it."""
_LOGGING_METHODS = frozenset("debug info warning warn error exception critical log print".split())
_HARMLESS_DISTRIBUTIONS = frozenset(
    "requests httpx aiohttp urllib3 pytest rich click loguru structlog tenacity orjson".split()
)
_SENDING_WORDS = frozenset("post get put patch delete request send fetch call stream http query retry".split())


class Effects:
    """Assignments, deletions and calls, as they change one name."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._changing: dict[cst.CSTNode, list[cst.Call | cst.NamedExpr]] = {}

    def after(
        self, step: cst.CSTNode, path: str, frame: Frame, before: Callable[[], Alternatives]
    ) -> Iterable[Alternative]:
        """What ``path`` stands for after a small statement; ``before`` tells what it stood for before it."""
        bound = self._bound(step, path, frame)
        if bound is not None:
            return bound
        return self._assigned_inside(step, path, frame, self.inside(step, path, frame, before()))

    def inside(self, node: cst.CSTNode, path: str, frame: Frame, state: Alternatives) -> Alternatives:
        """What ``path`` stands for after the calls and ``:=`` inside a statement or expression."""
        if node not in self._changing:  # asked for each name that lives on after it
            kinds = (cst.Call, cst.NamedExpr)
            self._changing[node] = [inner for inner in walk(node, into_scopes=False) if isinstance(inner, kinds)]
        for inner in self._changing[node]:
            if isinstance(inner, cst.Call):
                state = self._called(inner, path, frame, state)
            elif dotted(inner.target) == path:
                state = self.evaluator.evaluate(inner.value, frame)
        return state

    # Binding

    def _bound(self, step: cst.CSTNode, path: str, frame: Frame) -> Iterable[Alternative] | None:
        """The new value where the statement binds the name (or a beginning of it) anew."""
        flow = self.evaluator.flow
        for target, value in _assignments(step):
            name = dotted(target)
            if name is not None and (path == name or path.startswith(name + ".")):
                return flow.rest_of(self.evaluator.evaluate(value, frame), name, path)
            if isinstance(target, cst.Tuple | cst.List):
                for inner in target_names(target):
                    if path == inner or path.startswith(inner + "."):
                        parts = flow.unpacked(target, inner, self.evaluator.evaluate(value, frame), frame)
                        return flow.rest_of(parts, inner, path)
        if isinstance(step, cst.Import | cst.ImportFrom):
            return self._imported(step, path, frame)
        if isinstance(step, cst.Del) and dotted(step.target) == path:
            return just(Unbound())
        return None

    def _imported(self, step: cst.Import | cst.ImportFrom, path: str, frame: Frame) -> Iterable[Alternative] | None:
        root, imports = path.split(".")[0], self.evaluator.imports
        if isinstance(step.names, cst.ImportStar):
            return None
        for alias in step.names:
            name = dotted(alias.name) or ""
            bound = dotted(alias.asname.name) if alias.asname else None
            if isinstance(step, cst.ImportFrom):
                if (bound or name) == root:
                    return self._rest(imports.imported(frame.module, source_of(step), name), root, path)
            elif bound == root:
                return self._rest(imports.imported(frame.module, name, None), root, path)
            elif bound is None and name.split(".")[0] == root:
                return self._rest(imports.imported(frame.module, root, None), root, path)
        return None

    def _rest(self, values: Alternatives, bound: str, path: str) -> Iterable[Alternative]:
        return self.evaluator.flow.rest_of(values, bound, path)

    # Changing what is bound

    def _assigned_inside(
        self, step: cst.CSTNode, path: str, frame: Frame, state: Alternatives
    ) -> Iterable[Alternative]:
        """``path[key] = value``, ``path.attribute = value``, ``path |= value``, ``del path[key]``."""
        evaluator = self.evaluator
        if isinstance(step, cst.AugAssign) and dotted(step.target) == path:
            right = evaluator.evaluate(step.value, frame)
            return evaluator.combine(
                (state, right), lambda left, other: evaluator.operate(step.operator, _started(left), other)
            )
        if isinstance(step, cst.AugAssign) and (dotted(step.target) or "").startswith(path + "."):
            return self._joined(step, path, frame, state)
        for target, value in _assignments(step):
            state = self._stored(target, value, path, frame, state)
        if isinstance(step, cst.Del):
            for target in _deleted(step.target):
                state = self._removed(target, path, frame, state)
        return state

    def _stored(
        self, target: cst.CSTNode, value: cst.BaseExpression, path: str, frame: Frame, state: Alternatives
    ) -> Alternatives:
        if isinstance(target, cst.Subscript):
            return self._item_stored(target, value, path, frame, state)
        name = dotted(target)
        if name is None or not name.startswith(path + "."):
            return state
        change = Change("set", tuple(name[len(path) + 1 :].split(".")), value, frame)
        return tuple(Alternative(_changed(a.value, change), a.when) for a in state)

    def _joined(self, step: cst.AugAssign, path: str, frame: Frame, state: Alternatives) -> Alternatives:
        """``path.attribute |= value``."""
        names = (dotted(step.target) or "")[len(path) + 1 :].split(".")
        change = Change("joined", tuple(names), step.value, frame)
        return tuple(Alternative(_changed(a.value, change), a.when) for a in state)

    def _item_stored(
        self, target: cst.Subscript, value: cst.BaseExpression, path: str, frame: Frame, state: Alternatives
    ) -> Alternatives:
        evaluator, key, name = self.evaluator, _index(target), dotted(target.value)
        if key is None:
            return state
        if name == path:
            keys, thunk, place = evaluator.evaluate(key, frame), Thunk(value, frame), Place(frame.module, key)
            return evaluator.limit(
                evaluator.combine((state, keys), lambda whole, k: evaluator.with_item(_started(whole), k, thunk, place))
            )
        if name is not None and name.startswith(path + "."):
            change = Change("item", tuple(name[len(path) + 1 :].split(".")), value, frame, key)
            return tuple(Alternative(_changed(a.value, change), a.when) for a in state)
        taken_from = _taken_from(target.value, path)
        if taken_from is not None:
            return _with_unknown_entry(state, taken_from)
        if isinstance(target.value, cst.Subscript) and dotted(target.value.value) == path:
            outer = _index(target.value)
            if outer is not None:
                return self._inner_item_stored(outer, key, value, frame, state)
        return state

    def _inner_item_stored(
        self,
        outer: cst.BaseExpression,
        key: cst.BaseExpression,
        value: cst.BaseExpression,
        frame: Frame,
        state: Alternatives,
    ) -> Alternatives:
        """``path[outer][key] = value``."""
        evaluator, name, inner_name = self.evaluator, string_value(outer), string_value(key)

        def stored(whole: Value) -> Value:
            if not isinstance(whole, Mapping) or not isinstance(name, str):
                return whole
            inner: Value = Unknown("an inner mapping that is not known")
            for entry in mappings.find(whole, name):
                inner = evaluator.only(entry.value)
            changed = evaluator.with_item(inner, Const(inner_name), Thunk(value, frame), Place(frame.module, key))
            return mappings.set_entry(whole, _entry(name, changed)) if isinstance(inner_name, str) else whole

        return tuple(Alternative(stored(a.value), a.when) for a in state)

    def _removed(self, target: cst.CSTNode, path: str, frame: Frame, state: Alternatives) -> Alternatives:
        if not isinstance(target, cst.Subscript):
            return state
        name, key = dotted(target.value), _index(target)
        if name == path and key is not None:
            known = string_value(key)
            return tuple(
                Alternative(mappings.delete(a.value, known if isinstance(known, str) else None), a.when)
                if isinstance(a.value, Mapping)
                else a
                for a in state
            )
        if name is not None and name.startswith(path + ".") and key is not None:
            change = Change("delete", tuple(name[len(path) + 1 :].split(".")), target, frame, key)
            return tuple(Alternative(_changed(a.value, change), a.when) for a in state)
        return state

    # Calls

    def _called(self, call: cst.Call, path: str, frame: Frame, state: Alternatives) -> Alternatives:
        """What a call does to the object that ``path`` names: its method is called, or it is handed over."""
        func = call.func
        receiver = dotted(func.value) if isinstance(func, cst.Attribute) else None
        if isinstance(func, cst.Attribute) and receiver == path:
            return self.evaluator.limit(self._method_called(func.attr.value, call, frame, state))
        if isinstance(func, cst.Attribute) and receiver is not None and receiver.startswith(path + "."):
            change = Change("call", (*receiver[len(path) + 1 :].split("."), func.attr.value), call, frame)
            return tuple(Alternative(_changed(a.value, change), a.when) for a in state)
        if (
            isinstance(func, cst.Attribute)
            and isinstance(func.value, cst.Subscript)
            and dotted(func.value.value) == path
        ):
            return self._item_method_called(func.value, func.attr.value, call, frame, state)
        if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Subscript):
            held = dotted(func.value.value) or ""
            if held.startswith(path + "."):
                names = (*held[len(path) + 1 :].split("."), func.attr.value)
                change = Change("within", names, call, frame, _index(func.value))
                return tuple(Alternative(_changed(a.value, change), a.when) for a in state)
        if isinstance(func, cst.Attribute) and func.attr.value not in READING_METHODS:
            taken_from = _taken_from(func.value, path)
            if taken_from is not None:
                return _with_unknown_entry(state, taken_from)
        if path.startswith("self.") and isinstance(func, cst.Attribute) and _is_own(func.value):
            state = self._own_method_called(call, func.attr.value, path, frame, state)
        if any(dotted(argument.value) == path and not argument.star for argument in call.args):
            return self._handed_over(call, path, frame, state)
        return state

    def _method_called(self, method: str, call: cst.Call, frame: Frame, state: Alternatives) -> Iterable[Alternative]:
        evaluator = self.evaluator
        for alternative in state:
            value = alternative.value
            if isinstance(value, Unbound) and method in ("update", "setdefault", "append", "extend"):
                value = Mapping(added=True) if method in ("update", "setdefault") else Sequence(())
            if isinstance(value, Mapping):
                for changed in evaluator.calls.mapping_changed(value, method, call, frame):
                    yield from assuming((changed,), alternative.when)
                continue
            if isinstance(value, Sequence):
                yield Alternative(evaluator.calls.sequence_changed(value, method, call, frame), alternative.when)
                continue
            yield Alternative(_changed(value, Change("call", (method,), call, frame)), alternative.when)

    def _item_method_called(
        self, item: cst.Subscript, method: str, call: cst.Call, frame: Frame, state: Alternatives
    ) -> Alternatives:
        """``path[key].update(...)``."""
        evaluator, key = self.evaluator, _index(item)
        name = string_value(key) if key is not None else None

        def changed(whole: Value) -> Value:
            if not isinstance(whole, Mapping) or not isinstance(name, str) or method in READING_METHODS:
                return whole
            for entry in mappings.find(whole, name):
                inner = evaluator.only(entry.value)
                if isinstance(inner, Mapping):
                    after = tuple(evaluator.calls.mapping_changed(inner, method, call, frame))
                    value = after[0].value if len(after) == 1 else Unknown("changed in several ways")
                    whole = mappings.set_entry(whole, _entry(name, value))
            return whole

        return tuple(Alternative(changed(a.value), a.when) for a in state)

    def _own_method_called(
        self, call: cst.Call, method: str, path: str, frame: Frame, state: Alternatives
    ) -> Alternatives:
        """``self.prepare()`` where that method assigns or changes the attribute."""
        attribute, objects = path.split(".")[1], self.evaluator.objects
        assert isinstance(call.func, cst.Attribute)
        owners = [owner.value for owner in self.evaluator.evaluate(call.func.value, frame)]
        assigned = [
            own for own in owners if isinstance(own, Instance) and attribute in objects.assigned_by(own, method)
        ]
        if not assigned:
            return state
        left = self._left_by_method(call, path, frame)
        for owner in assigned if not left else ():
            left.extend(self.evaluator.flow.rest_of(objects.attribute(owner, attribute), "self." + attribute, path))
        return self.evaluator.limit(left) if left else state

    def _left_by_method(self, call: cst.Call, path: str, frame: Frame) -> list[Alternative]:
        """What an attribute is when one of the object's own methods has returned; nothing where that is not seen."""
        found: list[Alternative] = []
        for callee in self.evaluator.evaluate(call.func, frame):
            function = callee.value
            if not isinstance(function, Function) or not isinstance(function.node, cst.FunctionDef):
                return []
            inner = self.evaluator.calls.activation(function, call, frame)
            name = self.evaluator.calls.receiver_name(function.module, function.node)
            if inner is None or name != "self":
                return []
            left = self.evaluator.flow.at_end(function.node, path, inner)
            if not left:
                return []
            found.extend(assuming(left, callee.when))
        return found

    def _handed_over(self, call: cst.Call, path: str, frame: Frame, state: Alternatives) -> Alternatives:
        """A call that gets the object: a known function is followed, an unknown one may have changed anything."""
        if not any(isinstance(a.value, Mapping | Made | Sequence) for a in state):
            return state
        followed: list[Alternative] = []
        for callee in self.evaluator.evaluate(call.func, frame):
            value = callee.value
            if isinstance(value, Function):
                changed = self.evaluator.calls.changed_by(value, call, path, frame)
                followed.extend(changed if changed is not None else state)
            elif _is_harmless(value, call):
                followed.extend(state)
            else:
                followed.extend(Alternative(_exposed(a.value, call, frame), a.when) for a in state)
        return self.evaluator.limit(followed)


def _assignments(step: cst.CSTNode) -> Iterable[tuple[cst.CSTNode, cst.BaseExpression]]:
    if isinstance(step, cst.Assign):
        return [(target.target, step.value) for target in step.targets]
    if isinstance(step, cst.AnnAssign) and step.value is not None:
        return [(step.target, step.value)]
    return ()


def _taken_from(node: cst.CSTNode, path: str) -> str | None:
    """The key in ``path.setdefault(key, ...)`` and ``path.get(key)``; None for any other expression."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or not node.args:
        return None
    key = string_value(node.args[0].value)
    is_entry = node.func.attr.value in ("setdefault", "get") and dotted(node.func.value) == path
    return key if is_entry and isinstance(key, str) else None


def _with_unknown_entry(state: Alternatives, key: str) -> Alternatives:
    """The mappings after what stands under a key was changed in a way that is not followed."""
    changed = Entry(key, Unknown("an entry that is changed in place"))
    return tuple(
        Alternative(mappings.set_entry(a.value, changed), a.when) if isinstance(a.value, Mapping) else a for a in state
    )


def _is_own(node: cst.CSTNode) -> bool:
    """Whether an expression is ``self``, or what one of its methods returns, as in ``self.add(a).add(b)``."""
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        node = node.func.value
    return isinstance(node, cst.Name) and node.value == "self"


def _deleted(target: cst.CSTNode) -> list[cst.CSTNode]:
    return [element.value for element in target.elements] if isinstance(target, cst.Tuple) else [target]


def _index(node: cst.Subscript) -> cst.BaseExpression | None:
    if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
        return node.slice[0].slice.value
    return None


def _entry(name: str, value: Value) -> Entry:
    return Entry(name, value)


def _started(value: Value) -> Value:
    """What is not yet assigned, when something is put into it, counts as an empty mapping: the part that is added."""
    return Mapping(added=True) if isinstance(value, Unbound) else value


def _changed(value: Value, change: Change) -> Value:
    if isinstance(value, Unbound):
        return Additions((change,))
    if isinstance(value, Additions):
        return Additions((*value.changes, change)[:MAX_CHANGES])
    if isinstance(value, Made):
        if value.changes and value.changes[-1].kind == "unknown":
            return value  # after that nothing is known of it anyway
        if len(value.changes) >= MAX_CHANGES:
            change = Change("unknown", (), change.node, change.frame)
        return replace(value, changes=(*value.changes, change))
    if isinstance(value, Part):
        whole = _changed(value.whole, replace(change, path=(*value.path, *change.path)))
        return Part(whole, value.path)
    return value


def _exposed(value: Value, call: cst.Call, frame: Frame) -> Value:
    if isinstance(value, Mapping):
        return mappings.opened(value, "it is handed to a function that is not known")
    if isinstance(value, Sequence):
        return replace(value, open=True)
    return _changed(value, Change("unknown", (), call, frame))


def _is_harmless(callee: Value, call: cst.Call) -> bool:
    """Whether a callee is known to leave its arguments as they are."""
    if isinstance(callee, External):
        root = callee.name.split(".")[0]
        return root in sys.stdlib_module_names or root in ("builtins", *_HARMLESS_DISTRIBUTIONS)
    if isinstance(callee, Part):
        whole = callee.whole
        while isinstance(whole, Made | Part):
            if isinstance(whole, Made) and whole.receiver is None:
                return _is_harmless(External(whole.name), call)
            whole = whole.whole if isinstance(whole, Part) else whole.receiver  # type: ignore[assignment]
    name = (dotted(call.func) or "").rsplit(".", 1)[-1]
    if name in _LOGGING_METHODS:
        return True
    return bool(_SENDING_WORDS & set(name.lower().strip("_").split("_")))
