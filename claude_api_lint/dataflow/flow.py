"""What a name stands for at a place: bindings, and what the statements before the place did to it.

A question is about one dotted name (``headers``, ``self.headers``) before one step. It is answered backwards: the steps
before are asked in turn, steps that do not touch the name are skipped, and where a block begins the question goes on
before the statement that owns the block.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING

import libcst as cst

from claude_api_lint.dataflow.additions import is_addition, with_additions
from claude_api_lint.dataflow.aliases import Aliases
from claude_api_lint.dataflow.effects import Effects
from claude_api_lint.dataflow.module import Block, Module
from claude_api_lint.dataflow.trees import (
    COMPREHENSIONS,
    bound_by,
    code_of,
    dotted,
    is_irrefutable,
    is_statement,
    literal_value,
    target_names,
    walk,
)
from claude_api_lint.dataflow.values import (
    NOTHING,
    Alternative,
    Alternatives,
    Assumption,
    Assumptions,
    Class,
    Const,
    Derived,
    External,
    Frame,
    Function,
    Generator,
    How,
    Instance,
    Made,
    Mapping,
    Namespace,
    Sequence,
    Text,
    Thunk,
    Unbound,
    Unknown,
    Value,
    assuming,
    bound,
    compatible,
    has_origin,
    in_round,
    is_placeholder,
    just,
)

if TYPE_CHECKING:
    from claude_api_lint.dataflow.evaluator import Evaluator

FunctionNode = cst.FunctionDef | cst.Lambda
_BINDING = COMPREHENSIONS | {cst.Lambda, cst.With}
"""What may bind a name for what stands inside its own line."""
_DECIDING = frozenset({cst.If, cst.IfExp, cst.MatchCase})
MAX_SUBCLASSES = 8


class Leaving(IntEnum):
    """Which statements end an arm for what comes after it."""

    ANY = 0
    """return, raise, break and continue: the question is what holds just after."""
    SCOPE = 1
    """return and raise: the question is what holds after the loop around."""
    NONE = 2
    """None: the question is what the name can have been at all (closures, module globals)."""


class Flow:
    """Names, attributes and the paths through statements."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.effects = Effects(evaluator)
        self._aliases: dict[Module, Aliases] = {}
        self._codes: dict[cst.BaseExpression, str] = {}
        self._tests: dict[cst.BaseExpression, str] = {}
        self._bindings: dict[cst.FunctionDef, tuple[dict[cst.CSTNode | None, int], list[tuple[int, str]]]] = {}
        self._touching: dict[tuple[Module, str], list[cst.FunctionDef]] = {}

    # Names

    def name(self, node: cst.Name, frame: Frame) -> Iterable[Alternative]:
        """What a name is where it is used."""
        name = node.value
        inner = self._inner_binding(node, frame)
        if inner is not None:
            return inner
        step = frame.module.step_of(node)
        found = self.variable(name, step, frame) if step is not None else ()
        fitting = self._narrowed_here(self._fitting(found, node, frame), node, frame)
        return self._shared(name, fitting, node, frame) or self._unseen(name, frame)

    def _narrowed_here(self, alternatives: list[Alternative], node: cst.Name, frame: Frame) -> list[Alternative]:
        """Without the values that the tests around the node rule out: ``if name: ... name ...``."""
        if not any(isinstance(a.value, Const) for a in alternatives) or len(alternatives) < 2:
            return alternatives
        return self._passing_tests(alternatives, node.value, node, frame) or alternatives

    def _passing_tests(
        self, alternatives: list[Alternative], path: str, node: cst.CSTNode, frame: Frame
    ) -> list[Alternative]:
        """The values of a dotted name that pass the tests of it around a node."""
        kept = alternatives
        for test, holds in self.tests_around(node, frame):
            for subject, constants, wanted in _atoms(test, holds):
                if subject is not node and dotted(subject) == path:
                    kept = [a for a in kept if _verdict(a.value, constants) in (None, wanted)]
        return kept

    def tests_around(self, node: cst.CSTNode, frame: Frame) -> Iterator[tuple[cst.BaseExpression, bool]]:
        """The tests that decide whether a node runs, each with the outcome that it needs."""
        below = node
        for above in frame.module.ancestors(node):
            if isinstance(above, FunctionNode) and below is above.body:
                break
            if isinstance(above, cst.If | cst.IfExp | cst.While) and below in (above.body, above.orelse):
                yield above.test, below is above.body
            elif isinstance(above, cst.BooleanOperation) and below is above.right:
                yield above.left, isinstance(above.operator, cst.And)
            elif isinstance(above, cst.BaseComp):
                yield from ((test.test, True) for test in self._filters(above, below))
            below = above
        for guard in self._guards_before(node, frame):
            yield guard.test, False
        for assertion in self._assertions_before(node, frame):
            yield assertion.test, True

    def _filters(self, comprehension: cst.BaseComp, below: cst.CSTNode) -> Iterator[cst.CompIf]:
        """The filters of a comprehension that an element, a key or a value has passed."""
        loop: cst.CompFor | None = comprehension.for_in if below is not comprehension.for_in else None
        while loop is not None:
            yield from loop.ifs
            loop = loop.inner_for_in

    def _assertions_before(self, node: cst.CSTNode, frame: Frame) -> Iterator[cst.Assert]:
        step = frame.module.step_of(node)
        while step is not None:
            block, index = frame.module.position_of(step)
            yield from (earlier for earlier in block.steps[:index] if isinstance(earlier, cst.Assert))
            if isinstance(block.owner, cst.Module | cst.FunctionDef | cst.ClassDef):
                return
            step = frame.module.step_of(block.owner)

    def _shared(self, path: str, alternatives: list[Alternative], node: cst.CSTNode, frame: Frame) -> list[Alternative]:
        """An object that is changed under another name, or by an inner function, may be anything by now."""
        if not any(isinstance(alternative.value, Mapping | Made) for alternative in alternatives):
            return alternatives
        aliases = self.aliases(frame.module)
        if not aliases.changed_elsewhere(frame.module.scope_of(node), path):
            return alternatives
        return list(aliases.opened(alternatives))

    def aliases(self, module: Module) -> Aliases:
        """What is changed in a module, and under which names."""
        if module not in self._aliases:
            self._aliases[module] = Aliases(module)
        return self._aliases[module]

    def _unseen(self, name: str, frame: Frame) -> Alternatives:
        """What a name is that nothing is seen to be bound to: a builtin, unless only the module binds it."""
        if frame.module.may_bind(name) and not hasattr(builtins, name):
            return just(Unknown("a name that has no value yet", name))
        return just(External(f"builtins.{name}"))

    def attribute(self, node: cst.Attribute, frame: Frame) -> Iterable[Alternative]:
        """What ``base.name`` is where it is used: what was assigned to it before, else the object's attribute."""
        found = list(self.attribute_of(node.value, node.attr.value, frame))
        path = dotted(node) if any(is_placeholder(alternative.value) for alternative in found) else None
        if path is None:
            return found
        kept = self._passing_tests(found, path, node, frame)
        return kept or just(Unknown("a value that the program makes sure of"))

    def attribute_of(self, node: cst.BaseExpression, name: str, frame: Frame) -> Iterable[Alternative]:
        """What an attribute of an expression is where that stands."""
        evaluator, step, base_path = self.evaluator, frame.module.step_of(node), dotted(node)
        path = f"{base_path}.{name}"

        def found(base: Value) -> Iterable[Alternative]:
            is_followed = base_path is not None and not self._inner(node, frame)
            if isinstance(base, Instance) and is_followed and step is not None:
                assigned = self.variable(path, step, frame)
                if assigned:
                    return self._shared(path, self._fitting(assigned, node, frame), node, frame)
            return evaluator.objects.attribute(base, name)

        return evaluator.each(evaluator.evaluate(node, frame), found)

    def _inner(self, node: cst.CSTNode, frame: Frame) -> bool:
        root = node
        while isinstance(root, cst.Attribute):
            root = root.value
        return isinstance(root, cst.Name) and self._inner_binding(root, frame) is not None

    def _fitting(self, alternatives: Iterable[Alternative], node: cst.CSTNode, frame: Frame) -> list[Alternative]:
        """The alternatives that fit the conditions under which the node runs."""
        alternatives = list(alternatives)
        if not any(alternative.when for alternative in alternatives):
            return alternatives
        conditions = self.conditions(node, frame)
        if conditions is None:
            return alternatives
        return [alternative for alternative in alternatives if compatible(alternative.when, conditions)]

    def _inner_binding(self, node: cst.Name, frame: Frame) -> Alternatives | None:
        """A name bound inside an expression or a ``with`` line: by a comprehension, a lambda, an earlier item."""
        below: cst.CSTNode = node
        for above in frame.module.ancestors(node):
            if above.__class__ not in _BINDING and not is_statement(above.__class__):
                below = above
                continue
            if isinstance(above, cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp):
                bound = self._comprehension_binding(above.for_in, node, frame)
                if bound is not None:
                    return bound
            elif isinstance(above, cst.Lambda) and below is above.body:
                if any(parameter.name.value == node.value for parameter in parameters(above.params)):
                    inner = (
                        frame if frame.function is above else self.evaluator.enter(frame.module, above, enclosing=frame)
                    )
                    return self.evaluator.calls.parameter(node.value, inner)
            elif isinstance(above, cst.With) and isinstance(below, cst.WithItem):
                for item in above.items[: list(above.items).index(below)]:
                    if item.asname is not None and dotted(item.asname.name) == node.value:
                        return tuple(self.evaluator.calls.entered(item.item, frame))
            elif is_statement(above.__class__):
                return None
            below = above
        return None

    def _comprehension_binding(self, loop: cst.CompFor, node: cst.Name, frame: Frame) -> Alternatives | None:
        current: cst.CompFor | None = loop
        while current is not None:
            if any(name == node.value for name in target_names(current.target)):
                ancestors = set(frame.module.ancestors(node))
                if current.iter is not node and current.iter not in ancestors:
                    return tuple(self.unpacked(current.target, node.value, self.elements(current.iter, frame), frame))
            current = current.inner_for_in
        return None

    # Scopes

    def variable(self, path: str, step: cst.CSTNode, frame: Frame) -> Alternatives:
        """What a dotted name stands for before a step; empty for a name that is bound nowhere."""
        while isinstance(frame.function, cst.Lambda) and frame.enclosing is not None:
            frame = frame.enclosing  # no step stands in a lambda
        module = frame.module
        scope = module.scope_of(step)
        if isinstance(scope, cst.ClassDef):
            return self._in_class_body(path, step, scope, frame)
        if scope is None:
            return self._before_module_level(path, step, frame)
        if path == self.evaluator.calls.receiver_name(module, scope) and not self.evaluator.calls.rebinds(scope, path):
            return self._receiver(path, scope, frame)
        if self.binds(scope, path.split(".")[0]) or "." in path:
            block, index = module.position_of(step)
            return (*self.before(block, index, path, frame), *self._from_inner_functions(path, scope, frame))
        return self.free(path, scope, frame)

    def _receiver(self, name: str, function: FunctionNode, frame: Frame) -> Alternatives:
        """``self``, wherever it stands in a method that does not bind it anew."""
        if frame.function is not function:
            frame = self.evaluator.frame_of(frame.module, function.body)
        return self.evaluator.calls.parameter(name, frame)

    def _from_inner_functions(self, path: str, scope: FunctionNode, frame: Frame) -> Iterator[Alternative]:
        """What functions inside assign to a name that they declare ``nonlocal``."""
        module = frame.module
        for node in module.nodes_of(cst.Nonlocal, module.statement_of(scope)):
            inner = module.scope_of(node)
            if not isinstance(inner, cst.FunctionDef) or not any(item.name.value == path for item in node.names):
                continue
            if scope in module.ancestors(inner):
                yield from self.at_end(inner, path, self.evaluator.frame_of(module, node))

    def _in_class_body(self, path: str, step: cst.CSTNode, scope: cst.ClassDef, frame: Frame) -> Alternatives:
        block, index = frame.module.position_of(step)
        found = self.before(block, index, path, frame)
        return bound(found) or self.variable(path, scope, frame)

    def _before_module_level(self, path: str, step: cst.CSTNode, frame: Frame) -> Alternatives:
        block, index = frame.module.position_of(step)
        found = bound(self.before(block, index, path, frame))
        if not found:
            return self.at_module_end(path, frame)
        if not any(isinstance(alternative.value, Mapping | Made) for alternative in found):
            return found
        _, added = self._from_functions(path, frame, only_rebound=False)  # functions that statements above may call
        return tuple(replace(a, value=with_additions(a.value, added)) for a in found)

    def free(self, path: str, scope: FunctionNode, frame: Frame) -> Alternatives:
        """A name that a function takes from around it: what it is at the end of the scope that binds it."""
        root = path.split(".")[0]
        module, around = frame.module, frame.module.scope_of(scope)
        enclosing = frame.enclosing if frame.function is scope else None
        while around is not None:
            if isinstance(around, FunctionNode) and self.binds(around, root):
                inner = enclosing if enclosing is not None and enclosing.function is around else None
                inner = inner or self.evaluator.frame_of(module, around.body)
                return self.at_end(around, path, inner)
            if enclosing is not None and enclosing.function is around:
                enclosing = enclosing.enclosing
            around = module.scope_of(around)
        return self.at_module_end(path, self.evaluator.enter(module))

    def at_end(self, scope: FunctionNode, path: str, frame: Frame) -> Alternatives:
        """What a name can have been by the end of a function."""
        if isinstance(scope, cst.Lambda):
            return self.evaluator.calls.parameter(path, frame)
        block = frame.module.block(scope.body)
        found = self.before(block, len(block.steps), path, frame, Leaving.NONE)
        return bound(found)

    def at_module_end(self, path: str, frame: Frame) -> Alternatives:
        """What a module-level name is for code that runs later."""
        module = frame.module
        module_frame = self.evaluator.enter(module)
        return self.evaluator.remember(("module", module, path), lambda: self._at_module_end(path, module_frame))

    def _at_module_end(self, path: str, frame: Frame) -> Iterable[Alternative]:
        module, root = frame.module, path.split(".")[0]
        if not module.may_bind(root):  # a builtin, say
            return self.rest_of(self.evaluator.imports.starred(module, root), root, path) if module.star_imports else ()
        found = self._through_statements(path, len(module.statements), frame)
        values = [alternative.value for alternative in bound(found)]
        rebound, added = self._from_functions(path, frame, only_rebound=_cannot_change(values))
        if not found and not rebound and module.star_imports:
            found = tuple(self.rest_of(self.evaluator.imports.starred(module, root), root, path))
        alternatives = bound((*found, *rebound))
        real = [a for a in alternatives if not is_placeholder(a.value)]
        if not real and self._is_checked(path, frame):
            return just(Unknown("a value that the program makes sure of"))
        return [replace(a, value=with_additions(a.value, added)) for a in real or alternatives]

    def _is_checked(self, path: str, frame: Frame) -> bool:
        """Whether the module itself tests a global, so that it is not left empty."""
        tests = [node.test for node in frame.module.nodes(cst.Assert, path)]
        tests += [node.test for node in frame.module.nodes(cst.If, path)]
        return any(
            isinstance(subject, cst.Name) and subject.value == path
            for test in tests
            for holds in (True, False)
            for subject, _, _ in _atoms(test, holds)
        )

    def _from_functions(self, path: str, frame: Frame, *, only_rebound: bool) -> tuple[list[Alternative], list[Value]]:
        """What functions assign to a global, and what they add to it."""
        rebound: list[Alternative] = []
        added: list[Value] = []
        root = path.split(".")[0]
        if only_rebound and root not in frame.module.globals:
            return rebound, added
        for function in self._functions_touching(root, frame):
            block = frame.module.block(function.body)
            any_call = self.evaluator.frame_of(frame.module, function.body)
            found = [
                alternative
                for inner in self.evaluator.calls.activations_storing(path, any_call)
                for alternative in self.before(block, len(block.steps), path, inner, Leaving.NONE)
            ]
            for alternative in found:
                if is_addition(alternative.value):
                    added.append(self.evaluator.settled(alternative))
                elif not isinstance(alternative.value, Unbound):
                    rebound.append(alternative)
                elif any(
                    path + "." in touched + "."
                    for s in block.steps
                    for touched in frame.module.touched(s, root)
                    if touched != path
                ):
                    added.append(Unknown("a function changes it"))
        return rebound, added

    def _functions_touching(self, name: str, frame: Frame) -> list[cst.FunctionDef]:
        """The functions that assign or change a global."""
        module = frame.module
        key = (module, name)
        if key not in self._touching:
            self._touching[key] = [
                node
                for node in module.nodes(cst.FunctionDef, name)
                if not self.binds(node, name)
                and any(module.touched(step, name) for step in module.block(node.body).steps)
            ]
        return self._touching[key]

    def _through_statements(self, path: str, count: int, frame: Frame) -> Alternatives:
        module, root = frame.module, path.split(".")[0]
        for index in range(count - 1, -1, -1):
            statement = module.statements[index]
            if root not in statement.words:
                continue
            if statement.defines and statement.binds is not None and root not in statement.binds:
                continue  # what a function does, it does later
            block = module.block(module.tree(statement))
            if any(module.touches(step, path) for step in block.steps):
                found = self.before(block, len(block.steps), path, frame, Leaving.NONE)
                return bound(found)
        return ()

    def binds(self, scope: FunctionNode, name: str) -> bool:
        """Whether a function binds a name itself."""
        return name in self.evaluator.calls.bound_names(scope)

    # Paths through statements

    def before(self, block: Block, index: int, path: str, frame: Frame, leaving: Leaving = Leaving.ANY) -> Alternatives:
        """What a dotted name stands for before the step ``index`` of a block."""
        while index > 0 and not self._touches(block.steps[index - 1], path, frame):
            index -= 1
        return self.evaluator.remember(
            (block, index, path, frame, leaving),
            lambda: (
                self._after(block, index - 1, path, frame, leaving) if index else self._at_start(block, path, frame)
            ),
        )

    def _after(self, block: Block, index: int, path: str, frame: Frame, leaving: Leaving) -> Iterable[Alternative]:
        """What it stands for after the step ``index``, which touches it."""
        step = block.steps[index]
        if isinstance(step, cst.If):
            return self._after_if(step, path, frame, leaving)
        if isinstance(step, cst.For | cst.While):
            return self._after_loop(step, block, index, path, frame, leaving)
        if isinstance(step, cst.Try | cst.TryStar):
            return self._after_try(step, path, frame, leaving)
        if isinstance(step, cst.Match):
            return self._after_match(step, block, index, path, frame, leaving)
        if isinstance(step, cst.With):
            return self._end(step.body, path, frame, leaving)
        if isinstance(step, cst.FunctionDef):
            return just(Function(frame.module, step, frame if frame.function is not None else None))
        if isinstance(step, cst.ClassDef):
            bound = Class(frame.module, step, frame if frame.function is not None else None)
            return self.rest_of(just(bound), step.name.value, path)
        return self.effects.after(step, path, frame, lambda: self.before(block, index, path, frame, leaving))

    def _touches(self, step: cst.CSTNode, path: str, frame: Frame) -> bool:
        """Whether a step may change what a dotted name stands for, be it by a method of the object itself."""
        if frame.module.touches(step, path):
            return True
        if not path.startswith("self."):
            return False
        called = frame.module.own_methods(step)
        return bool(called) and self._is_changed_by(called, path.split(".")[1], frame)

    def _is_changed_by(self, methods: list[str], attribute: str, frame: Frame) -> bool:
        """Whether one of an object's own methods assigns or changes an attribute."""
        function, calls = frame.function, self.evaluator.calls
        if function is None or calls.receiver_name(frame.module, function) != "self":
            return True
        owners = [owner.value for owner in calls.parameter("self", frame)]
        return any(
            not isinstance(owner, Instance) or attribute in self.evaluator.objects.assigned_by(owner, method)
            for owner in owners
            for method in methods
        )

    def _touched_in_arms(self, step: cst.If, path: str, frame: Frame) -> bool:
        """Whether what stands in the arms of an ``if`` touches a name, or leaves an arm."""
        blocks = [frame.module.block(step.body)]
        if isinstance(step.orelse, cst.If):
            blocks.append(frame.module.block(step.orelse))
        elif step.orelse is not None:
            blocks.append(frame.module.block(step.orelse.body))
        return any(leaves(b, Leaving.ANY) or any(self._touches(s, path, frame) for s in b.steps) for b in blocks)

    def _touched_in(self, body: cst.CSTNode, path: str, frame: Frame) -> bool:
        return any(self._touches(step, path, frame) for step in frame.module.block(body).steps)

    def rest_of(self, alternatives: Iterable[Alternative], bound: str, path: str) -> Iterable[Alternative]:
        """What ``path`` is once ``bound``, a beginning of it, was bound to something."""
        for attribute in path[len(bound) :].split(".")[1:]:
            alternatives = [
                found
                for base in alternatives
                for found in assuming(self.evaluator.objects.attribute(base.value, attribute), base.when)
            ]
        return alternatives

    def _end(self, body: cst.CSTNode, path: str, frame: Frame, leaving: Leaving) -> Alternatives:
        """What it is where a body ends; nothing where the body never gets there."""
        block = frame.module.block(body)
        if leaves(block, leaving):
            return ()
        return self.before(block, len(block.steps), path, frame, leaving)

    def _after_if(self, step: cst.If, path: str, frame: Frame, leaving: Leaving) -> Iterator[Alternative]:
        if not self._touched_in_arms(step, path, frame):
            yield from self._before_step(step, path, frame, leaving)
            return
        for assumptions in self.arms(step.test, frame, True):
            yield from assuming(self._end(step.body, path, frame, leaving), assumptions)
        for assumptions in self.arms(step.test, frame, False):
            if isinstance(step.orelse, cst.If):
                otherwise = self._end(step.orelse, path, frame, leaving)
            elif step.orelse is not None:
                otherwise = self._end(step.orelse.body, path, frame, leaving)
            else:
                otherwise = _passing(self._before_step(step, path, frame, leaving), step.test, path)
            yield from assuming(otherwise, assumptions)

    def _before_step(self, step: cst.CSTNode, path: str, frame: Frame, leaving: Leaving = Leaving.ANY) -> Alternatives:
        """What it is when the body of a compound statement is reached: before it, and after its own line's calls."""
        block, index = frame.module.position_of(step)
        state = self.before(block, index, path, frame, leaving)
        for line in _heads(step):
            if self._touches(line, path, frame):
                state = self.effects.inside(line, path, frame, state)
        return state

    def _after_loop(
        self, step: cst.For | cst.While, block: Block, index: int, path: str, frame: Frame, leaving: Leaving
    ) -> Iterator[Alternative]:
        yield from self._before_step(step, path, frame, leaving)
        yield from self._end(step.body, path, frame, max(leaving, Leaving.SCOPE))
        if step.orelse is not None:
            yield from self._end(step.orelse.body, path, frame, leaving)

    def _after_try(
        self, step: cst.Try | cst.TryStar, path: str, frame: Frame, leaving: Leaving
    ) -> Iterator[Alternative]:
        if step.finalbody is not None and self._touched_in(step.finalbody.body, path, frame):
            yield from self._end(step.finalbody.body, path, frame, leaving)
            return
        yield from self._after_guarded(step, path, frame, leaving)

    def _after_guarded(
        self, step: cst.Try | cst.TryStar, path: str, frame: Frame, leaving: Leaving
    ) -> Iterator[Alternative]:
        if step.orelse is None or leaves(frame.module.block(step.body), leaving):
            yield from self._end(step.body, path, frame, leaving)
        else:
            yield from self._end(step.orelse.body, path, frame, leaving)
        for handler in step.handlers:
            yield from self._end(handler.body, path, frame, leaving)

    def _after_match(
        self, step: cst.Match, block: Block, index: int, path: str, frame: Frame, leaving: Leaving
    ) -> Iterator[Alternative]:
        for case in step.cases:
            for assumptions in self._case_arms(step, case, frame):
                yield from assuming(self._end(case.body, path, frame, leaving), assumptions)
        if not any(is_irrefutable(case) for case in step.cases):
            yield from self.before(block, index, path, frame, leaving)

    # Where blocks begin

    def _at_start(self, block: Block, path: str, frame: Frame) -> Iterable[Alternative]:
        """What it stands for where a block begins."""
        owner = block.owner
        if isinstance(owner, cst.Module):
            module = frame.module
            return self._through_statements(path, module.statements.index(module.statement_of(owner)), frame)
        if isinstance(owner, cst.FunctionDef):
            return self._at_function_start(owner, path, frame)
        if isinstance(owner, cst.ClassDef):
            return just(Unbound())
        return self._at_inner_start(block, owner, path, frame)

    def _at_function_start(self, function: cst.FunctionDef, path: str, frame: Frame) -> Iterable[Alternative]:
        root, _, rest = path.partition(".")
        if frame.function is not function:
            frame = self.evaluator.frame_of(frame.module, function.body)
        if not any(parameter.name.value == root for parameter in parameters(function.params)):
            return just(Unbound()) if not rest or self.binds(function, root) else ()
        if rest and root == self.evaluator.calls.receiver_name(frame.module, function):
            assigned = self._before_method_call(rest, frame)
            if assigned:
                return assigned
        return self.rest_of(self.evaluator.calls.parameter(root, frame), root, path)

    def _before_method_call(self, attribute: str, frame: Frame) -> Alternatives:
        """What the caller of a method has assigned to an attribute of its own object before."""
        call, caller = frame.call, frame.caller
        if call is None or caller is None or not isinstance(call.func, cst.Attribute):
            return ()
        step, receiver = caller.module.step_of(call), dotted(call.func.value)
        if step is None or receiver != "self":
            return ()
        return self.variable(f"{receiver}.{attribute}", step, caller)

    def _at_inner_start(self, block: Block, owner: cst.CSTNode, path: str, frame: Frame) -> Iterable[Alternative]:
        evaluator, root = self.evaluator, path.split(".")[0]
        if isinstance(owner, cst.For):
            if root in target_names(owner.target):
                bound = self.unpacked(owner.target, root, self.elements(owner.iter, frame), frame)
                return self.rest_of(bound, root, path)
            return (*self._before_step(owner, path, frame), *self._end(owner.body, path, frame, Leaving.SCOPE))
        if isinstance(owner, cst.While):
            return (*self._before_step(owner, path, frame), *self._end(owner.body, path, frame, Leaving.SCOPE))
        if isinstance(owner, cst.With):
            for item in reversed(owner.items):
                if item.asname is not None and path.startswith(dotted(item.asname.name) or "\0"):
                    name = dotted(item.asname.name) or ""
                    if path == name or path.startswith(name + "."):
                        return self.rest_of(evaluator.calls.entered(item.item, frame), name, path)
                if item.asname is not None and root in target_names(item.asname.name):
                    return just(Unknown("unpacked by a with statement"))
            return self._before_step(owner, path, frame)
        if isinstance(owner, cst.ExceptHandler | cst.ExceptStarHandler):
            if owner.name is not None and dotted(owner.name.name) == root:
                return just(Unknown("an exception"))
            guarded = frame.module.parent(owner)
            assert isinstance(guarded, cst.Try | cst.TryStar)
            return (*self._before_step(guarded, path, frame), *self._end(guarded.body, path, frame, Leaving.NONE))
        if isinstance(owner, cst.Else):
            return self._at_else(owner, path, frame)
        if isinstance(owner, cst.Finally):
            guarded = frame.module.parent(owner)
            assert isinstance(guarded, cst.Try | cst.TryStar)
            return (*self._before_step(guarded, path, frame), *self._after_guarded(guarded, path, frame, Leaving.NONE))
        if isinstance(owner, cst.MatchCase):
            if root in _captures(owner):
                return just(Unknown("captured by a pattern"))
            matched = frame.module.parent(owner)
            assert matched is not None
            return self._before_step(matched, path, frame)
        return self._before_step(owner, path, frame)

    def _at_else(self, owner: cst.Else, path: str, frame: Frame) -> Iterable[Alternative]:
        around = frame.module.parent(owner)
        assert around is not None
        if isinstance(around, cst.Try | cst.TryStar):
            return self._end(around.body, path, frame, Leaving.ANY)
        if isinstance(around, cst.For | cst.While):
            return (*self._before_step(around, path, frame), *self._end(around.body, path, frame, Leaving.SCOPE))
        step = frame.module.step_of(around)
        assert step is not None
        return self._before_step(step, path, frame)

    # Loops and unpacking

    def elements(self, iterable: cst.BaseExpression, frame: Frame) -> Alternatives:
        """What a loop over an expression yields."""
        evaluator = self.evaluator
        return evaluator.limit(
            evaluator.each(evaluator.evaluate(iterable, frame), lambda value: self.elements_of(value, iterable, frame))
        )

    def elements_of(self, value: Value, iterable: cst.BaseExpression, frame: Frame) -> Iterator[Alternative]:
        """What iterating over a value gives; ``iterable`` is the expression that it comes from."""
        evaluator = self.evaluator
        if isinstance(value, Generator):
            yield from evaluator.remember(("yielded", value), lambda: evaluator.calls.yielded(value))
            return
        elements = self._elements_of(value, iterable)
        for index, element in enumerate(elements):
            round_ = frozenset({in_round(iterable, frame, index)} if len(elements) > 1 else ())
            yield from assuming(evaluator.force(element), round_)

    def _elements_of(self, value: Value, iterable: cst.BaseExpression) -> list[Thunk | Value]:
        if isinstance(value, Mapping) and value.entries:
            called = _method_name(iterable)
            if called == "items":
                return [Sequence((Const(entry.key, entry.key_place), entry.value)) for entry in value.entries]
            return [entry.value if called == "values" else Const(entry.key, entry.key_place) for entry in value.entries]
        if isinstance(value, Sequence) and value.items:
            return list(value.items)
        if isinstance(value, Derived) and value.how is How.NUMBERED:
            element = Derived("an element", whole=value.whole, how=How.ELEMENT)
            return [Sequence((Unknown("its number"), element))]
        if has_origin(value):
            return [Derived("an element of something unknown", whole=value, how=How.ELEMENT)]
        return [Unknown("an element of something unknown")]

    def unpacked(
        self, target: cst.CSTNode, name: str, alternatives: Alternatives, frame: Frame
    ) -> Iterable[Alternative]:
        """What ``name`` gets when a value is assigned to ``target``."""
        if dotted(target) == name:
            return alternatives
        if not isinstance(target, cst.Tuple | cst.List):
            return just(Unknown("an assignment that is not followed"))
        for index, element in enumerate(target.elements):
            if name not in target_names(element.value):
                continue
            if isinstance(element, cst.StarredElement):
                return self.evaluator.each(alternatives, _rest_of)

            def part(value: Value, index: int = index, element: cst.BaseElement = element) -> Iterable[Alternative]:
                whole = self.evaluator.objects.as_sequence(value)
                if whole is None and has_origin(value):
                    return just(Derived("unpacked from something unknown", whole=value, how=How.ITEM, key=index))
                if whole is None or whole.open or index >= len(whole.items):
                    return just(Unknown("unpacked from something unknown"))
                return self.unpacked(element.value, name, self.evaluator.force(whole.items[index]), frame)

            return self.evaluator.each(alternatives, part)
        return just(Unknown("an assignment that is not followed"))

    # Conditions

    def conditions(self, node: cst.CSTNode, frame: Frame) -> Assumptions | None:
        """What must hold for a node to run; None where it cannot run in this activation."""
        module = frame.module
        when: Assumptions = NOTHING
        below = node
        for above in module.ancestors(node):
            if above is frame.function or (isinstance(above, FunctionNode) and below is above.body):
                break
            arms = self._arms_between(above, below, frame)
            if arms is not None:
                if not arms:
                    return None
                when |= frozenset.intersection(*arms)
            below = above
        for guard in self._guards_before(node, frame):
            arms = self.arms(guard.test, frame, False)
            if not arms:
                return None
            when |= frozenset.intersection(*arms)
        return when

    def _arms_between(self, above: cst.CSTNode, below: cst.CSTNode, frame: Frame) -> tuple[Assumptions, ...] | None:
        if above.__class__ not in _DECIDING:
            return None
        if isinstance(above, cst.If | cst.IfExp):
            if below is above.body:
                return self.arms(above.test, frame, True)
            if below is above.orelse:
                return self.arms(above.test, frame, False)
        if isinstance(above, cst.MatchCase) and below is above.body:
            matched = frame.module.parent(above)
            assert isinstance(matched, cst.Match)
            return self._case_arms(matched, above, frame)
        return None

    def _guards_before(self, node: cst.CSTNode, frame: Frame) -> Iterator[cst.If]:
        """``if ...: return`` statements that stand before a node: they did not hold where the node runs."""
        module = frame.module
        step = module.step_of(node)
        while step is not None:
            block, index = module.position_of(step)
            for earlier in block.steps[:index]:
                arm: cst.CSTNode | None = earlier
                while arm.__class__ is cst.If and leaves(module.block(arm.body), Leaving.ANY):
                    yield arm
                    arm = arm.orelse
            if isinstance(block.owner, cst.Module | cst.FunctionDef | cst.ClassDef):
                return
            step = module.step_of(block.owner)

    def arms(self, test: cst.BaseExpression, frame: Frame, holds: bool) -> tuple[Assumptions, ...]:
        """The ways in which a test can hold (or not); none where it cannot."""
        return self._arms_cached((test, frame, holds), test, frame, holds)

    def _arms_cached(self, key: object, test: cst.BaseExpression, frame: Frame, holds: bool) -> tuple[Assumptions, ...]:
        known = self.evaluator.remember(
            ("arms", key), lambda: [Alternative(_ARM, when) for when in self._arms(test, frame, holds)] or just(_NO_ARM)
        )
        if not known:
            return (NOTHING,)
        return tuple(alternative.when for alternative in known if alternative.value is not _NO_ARM)

    def _arms(self, test: cst.BaseExpression, frame: Frame, holds: bool) -> list[Assumptions]:
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            return list(self.arms(test.expression, frame, not holds))
        if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And) == holds:
            left, right = self.arms(test.left, frame, holds), self.arms(test.right, frame, holds)
            return [one | other for one in left for other in right if compatible(one, other)]
        subject, constants, equal = _comparison(test)
        if subject is None:
            assumed = frozenset({self._decided_truth(frame, self._tested(test, frame), holds)})
            return self._narrowed(test, None, frame, holds, assumed)
        assumed = self._assumed(subject, constants, frame, holds == equal)
        return self._narrowed(subject, constants, frame, holds == equal, assumed)

    def _tested(self, node: cst.BaseExpression, frame: Frame) -> str:
        """What a test is about: its text, and how often what it names was bound anew before it, as the text runs.

        Two tests of a name that is bound anew between them tell nothing about each other.
        """
        if node not in self._tests:
            bound = self._bound_before(node, frame)
            self._tests[node] = f"{self._code(node)} after {bound}" if bound else self._code(node)
        return self._tests[node]

    def _bound_before(self, node: cst.BaseExpression, frame: Frame) -> int:
        names = {inner.value for inner in walk(node) if isinstance(inner, cst.Name)}
        module, function, text = frame.module, frame.function, self._code(node)
        if not isinstance(function, cst.FunctionDef):
            statement = module.statement_of(node)
            binders = {binder for name in names for binder in module.binders(name)}
            return sum(before in binders for before in module.statements[: module.statements.index(statement)])
        if names.isdisjoint(name.split(".")[0] for name in self.evaluator.calls.assigned_in(function)):
            return 0
        if function not in self._bindings:
            self._bindings[function] = _bindings(module, function)
        places, bound = self._bindings[function]
        place = places.get(module.step_of(node), len(places))
        return sum(at < place and (name in names or ("." in name and name in text)) for at, name in bound)

    def _code(self, node: cst.BaseExpression) -> str:
        """The text of a test, which is asked for in each activation."""
        if node not in self._codes:
            self._codes[node] = code_of(node)
        return self._codes[node]

    def _assumed(
        self, subject: cst.BaseExpression, constants: tuple[object, ...], frame: Frame, equal: bool
    ) -> Assumptions:
        if equal and len(constants) == 1:
            return self.choosing(subject, constants[0], frame)
        text = self._tested(subject, frame)
        unequal = [self._decided(frame, f"{text} == {constant!r}", False) for constant in constants if not equal]
        return frozenset({self._decided(frame, f"{text} in {constants!r}", equal), *unequal})

    def _decided(self, frame: Frame, what: object, choice: object) -> Assumption:
        """That something comes out one way in an activation, whichever attribute of its object is asked for."""
        receiver = frame.receiver
        if isinstance(receiver, Instance) and receiver.blank:
            frame = self.evaluator.enter(
                frame.module,
                frame.function,
                frame.call,
                frame.caller,
                replace(receiver, blank=""),
                frame.enclosing,
                frame.prepared,
            )
        return Assumption((frame, what), choice)

    def _decided_truth(self, frame: Frame, what: str, holds: bool) -> Assumption:
        return self._decided(frame, f"bool({what})", holds)

    def rules_out(self, subject: cst.BaseExpression, value: str, frame: Frame) -> bool:
        """Whether the tests around an expression keep it from having a value there."""
        text = self._code(subject)
        for test, holds in self.tests_around(subject, frame):
            for tested, constants, wanted in _atoms(test, holds):
                if self._code(tested) == text and _verdict(Const(value), constants) not in (None, wanted):
                    return True
        return False

    def choosing(self, subject: cst.BaseExpression, constant: object, frame: Frame) -> Assumptions:
        """What holds where an expression has a value: every test of it comes out as the value says."""
        text = self._tested(subject, frame)
        chosen, equal = self._decided(frame, text, constant), self._decided(frame, f"{text} == {constant!r}", True)
        return frozenset({chosen, equal, self._decided_truth(frame, text, bool(constant))})

    def _narrowed(
        self,
        subject: cst.BaseExpression,
        constants: tuple[object, ...] | None,
        frame: Frame,
        holds: bool,
        assumed: Assumptions,
    ) -> list[Assumptions]:
        """Rest the arm on the alternatives of the subject that lead into it: callers that pass None, say."""
        is_of_object = isinstance(frame.receiver, Instance) and self.evaluator.calls.is_of_receiver(subject, frame)
        if not (isinstance(subject, cst.Name) or is_of_object or self._is_set_here(subject, frame)):
            return [assumed]
        leading: list[Alternative] = []
        alternatives = self.evaluator.evaluate(subject, frame)
        for alternative in alternatives:
            verdict = _verdict(alternative.value, constants)
            if verdict is None or verdict == holds:
                leading.append(alternative)
        if len(leading) == len(alternatives) or (is_of_object and not leading):
            return [assumed]
        return [assumed | alternative.when for alternative in leading if compatible(assumed, alternative.when)]

    def _is_set_here(self, subject: cst.BaseExpression, frame: Frame) -> bool:
        """Whether a test is about an attribute that the same function assigns: ``self.backend = backend``."""
        path = dotted(subject)
        return path is not None and frame.function is not None and self.evaluator.calls.rebinds(frame.function, path)

    def _case_arms(self, step: cst.Match, case: cst.MatchCase, frame: Frame) -> tuple[Assumptions, ...]:
        """The ways in which a case is taken: patterns of constants tell, others only which case it is."""
        taken = frozenset({self._decided(frame, step, case)})
        arms: list[Assumptions] = [taken]
        for earlier in step.cases:
            constants = _pattern_constants(earlier.pattern)
            is_this = earlier is case
            if constants and (is_this or earlier.guard is None):
                assumed = self._assumed(step.subject, constants, frame, is_this)
                leading = self._narrowed(step.subject, constants, frame, is_this, assumed)
                arms = [one | other for one in arms for other in leading if compatible(one, other)]
            if is_this:
                break
        return tuple(arms)


def _bindings(module: Module, function: cst.FunctionDef) -> tuple[dict[cst.CSTNode | None, int], list[tuple[int, str]]]:
    """The places of a function's steps as the text runs, and the names that they bind, each with its place."""
    places: dict[cst.CSTNode | None, int] = {}
    bound: list[tuple[int, str]] = []
    for node in walk(function.body):
        if module.is_step(node):
            places[node] = len(places)
        bound += ((places.get(module.step_of(node), 0), name) for name in bound_by(node))
    return places, bound


class _Arm(Value):
    pass


_ARM, _NO_ARM = _Arm(), _Arm()


def _heads(step: cst.CSTNode) -> list[cst.CSTNode]:
    """The expressions in the first line of a compound statement."""
    if isinstance(step, cst.If | cst.While):
        return [step.test]
    if isinstance(step, cst.For):
        return [step.iter]
    return [step.subject] if isinstance(step, cst.Match) else []


def _comparison(test: cst.BaseExpression) -> tuple[cst.BaseExpression | None, tuple[object, ...], bool]:
    """``(subject, constants, equal)`` of ``x == "a"``, ``x != "a"``, ``x in ("a", "b")``, ``x is None``."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None, (), True
    operator, right = test.comparisons[0].operator, test.comparisons[0].comparator
    left = test.left
    if isinstance(operator, cst.In | cst.NotIn) and isinstance(right, cst.Tuple | cst.List | cst.Set):
        constants = [_constant(element.value) for element in right.elements]
        if all(constant is not None for constant in constants):
            return left, tuple(constant[0] for constant in constants if constant), isinstance(operator, cst.In)
    if isinstance(operator, cst.Equal | cst.NotEqual | cst.Is | cst.IsNot):
        equal = isinstance(operator, cst.Equal | cst.Is)
        if (constant := _constant(right)) is not None:
            return left, constant, equal
        if (constant := _constant(left)) is not None:
            return right, constant, equal
    return None, (), True


def _atoms(
    test: cst.BaseExpression, holds: bool
) -> Iterator[tuple[cst.BaseExpression, tuple[object, ...] | None, bool]]:
    """The single tests that must come out one way for the whole to come out as ``holds`` says."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield from _atoms(test.expression, not holds)
    elif isinstance(test, cst.BooleanOperation):
        if isinstance(test.operator, cst.And) == holds:
            yield from _atoms(test.left, holds)
            yield from _atoms(test.right, holds)
    else:
        subject, constants, equal = _comparison(test)
        yield (test, None, holds) if subject is None else (subject, constants, holds == equal)


def _passing(alternatives: Alternatives, test: cst.BaseExpression, path: str) -> Alternatives:
    """The values of ``path`` that can come past a test which does not hold."""
    kept = alternatives
    for subject, constants, wanted in _atoms(test, False):
        if dotted(subject) == path:
            kept = tuple(a for a in kept if _verdict(a.value, constants) in (None, wanted))
    return kept


def _constant(node: cst.CSTNode) -> tuple[object] | None:
    if isinstance(node, cst.SimpleString | cst.Integer):
        return (literal_value(node),)
    if isinstance(node, cst.Name) and node.value in ("None", "True", "False"):
        return ({"None": None, "True": True, "False": False}[node.value],)
    return None


def _pattern_constants(pattern: cst.MatchPattern) -> tuple[object, ...]:
    if isinstance(pattern, cst.MatchValue | cst.MatchSingleton):
        return _constant(pattern.value) or ()
    if isinstance(pattern, cst.MatchOr):
        parts = [_pattern_constants(element.pattern) for element in pattern.patterns]
        return tuple(constant for part in parts for constant in part) if all(parts) else ()
    return ()


def _verdict(value: Value, constants: tuple[object, ...] | None) -> bool | None:
    """Whether a value is true (no ``constants``) or one of ``constants``; None where that is not known."""
    from claude_api_lint.dataflow.evaluator import truth

    if constants is None:
        return truth(value)
    if isinstance(value, Const):
        return any(value.value is constant or value.value == constant for constant in constants)
    if isinstance(value, Unknown) or any(constant is not None for constant in constants):
        return None
    return False


def leaves(block: Block, leaving: Leaving) -> bool:
    """Whether the end of a block is never reached."""
    if leaving is Leaving.NONE or not block.steps:
        return False
    last = block.steps[-1]
    if isinstance(last, cst.Return | cst.Raise):
        return True
    return leaving is Leaving.ANY and isinstance(last, cst.Break | cst.Continue)


def parameters(params: cst.Parameters) -> list[cst.Param]:
    """Every parameter of a function, ``*args`` and ``**kwargs`` among them."""
    starred = [star for star in (params.star_arg, params.star_kwarg) if isinstance(star, cst.Param)]
    return [*params.posonly_params, *params.params, *params.kwonly_params, *starred]


def _captures(case: cst.MatchCase) -> set[str]:
    names: set[str] = set()
    for node in walk(case.pattern):
        if isinstance(node, cst.MatchAs | cst.MatchStar) and node.name is not None:
            names.add(node.name.value)
        elif isinstance(node, cst.MatchMapping) and node.rest is not None:
            names.add(node.rest.value)
    return names


def _rest_of(whole: Value) -> Alternatives:
    """What a starred target gets: a list of elements of the whole."""
    return just(whole if has_origin(whole) else Unknown("an assignment that is not followed"))


def _method_name(node: cst.CSTNode) -> str:
    """The name of the method that an expression calls; empty for any other expression."""
    return node.func.attr.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else ""


def _cannot_change(values: list[Value]) -> bool:
    """Whether values stay what they are, whatever functions do with the name that they are bound to."""
    constant = Const | Text | External | Function | Class | Namespace
    return bool(values) and all(isinstance(v, constant) and not is_placeholder(v) for v in values)
