"""Answers what an expression is, lazily and memoised, within a budget.

``Evaluator.evaluate`` looks at the expression's own kind here; names and what statements do to them are ``flow``,
calls are ``calls``, attributes of objects are ``objects``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import libcst as cst

from claude_api_lint.dataflow import mappings, texts
from claude_api_lint.dataflow.calls import Calls
from claude_api_lint.dataflow.flow import Flow
from claude_api_lint.dataflow.imports import Imports
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.objects import Objects
from claude_api_lint.dataflow.resolver import OneFile, Resolver
from claude_api_lint.dataflow.trees import dotted, literal_value, string_value, walk
from claude_api_lint.dataflow.values import (
    CUT,
    HOLE,
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
    Frame,
    Function,
    Generator,
    How,
    Instance,
    Mapping,
    Namespace,
    Place,
    Prepared,
    Sequence,
    Text,
    Thunk,
    Unknown,
    Value,
    assuming,
    compatible,
    glued_to,
    has_origin,
    just,
    piece_of,
)

BUDGET = 40_000
"""Steps of evaluation per file; after them everything is unknown. Real files need a few hundred, large ones 2,000."""
EXPRESSION_BUDGET = 3_000
"""Steps of evaluation for one expression that is asked for, so that a costly one does not starve the others."""
QUESTION_BUDGET = 10_000
"""Steps of evaluation for all that belongs to one question of a rule, such as what a call sends. Nearly every request
takes fewer than 500; ``anthropic.completion`` in litellm 1.0, with all that leads to it, 8,000."""
MAX_ALTERNATIVES = 24
"""Alternatives kept of one expression; beyond them one more, unknown, stands for the rest."""
MAX_ENTRIES = 500
"""Entries of a dict literal, and items of a list made of others, that are followed; no headers have as many."""
MAX_CALL_DEPTH = 8
"""Calls followed into one another; recursion in the analysed program ends here."""
MAX_NESTING = 400
"""Evaluations under way at once."""

_CASING = frozenset("lower upper title capitalize casefold strip encode".split())

Observer = Callable[[int, cst.BaseExpression, Frame, Alternatives], None]
"""Told what is evaluated: how deep in other questions, the expression, its activation, and what it can be."""
Compute = Callable[[], Iterable[Alternative]]


class Evaluator:
    """Evaluates expressions of one analysed program."""

    def __init__(self, resolver: Resolver | None = None, budget: int = BUDGET) -> None:
        self.resolver = resolver or OneFile()
        self.budget = budget
        self._allowance = 0
        self._is_asked = False
        self.observer: Observer | None = None
        self.flow = Flow(self)
        self.calls = Calls(self)
        self.objects = Objects(self)
        self.imports = Imports(self)
        self._known: dict[Hashable, Alternatives] = {}
        self._active: dict[Hashable, int] = {}
        self._provisional: dict[Hashable, tuple[Alternatives, int]] = {}
        self._shallowest_cycle = MAX_NESTING
        self._frames: dict[Hashable, Frame] = {}

    # Activations

    def enter(
        self,
        module: Module,
        function: cst.FunctionDef | cst.Lambda | None = None,
        call: cst.Call | None = None,
        caller: Frame | None = None,
        receiver: Value | None = None,
        enclosing: Frame | None = None,
        prepared: Prepared | None = None,
    ) -> Frame:
        """The activation with these properties; equal ones are the same object."""
        key = (module, function, call, caller, receiver, enclosing, prepared)
        if key not in self._frames:
            self._frames[key] = Frame(module, function, call, caller, receiver, enclosing, prepared)
        return self._frames[key]

    def frame_of(self, module: Module, node: cst.CSTNode) -> Frame:
        """The activation of the function that a node stands in, whoever called it."""
        scope = module.scope_of(node)
        while isinstance(scope, cst.ClassDef):
            scope = module.scope_of(scope)
        if scope is None:
            return self.enter(module)
        return self.enter(module, scope, enclosing=self.frame_of(module, scope))

    def frame_within(self, frame: Frame, node: cst.CSTNode) -> Frame:
        """The activation of the function that a node stands in, which may be nested in the one of a frame."""
        scope = frame.module.scope_of(node)
        while isinstance(scope, cst.ClassDef):
            scope = frame.module.scope_of(scope)
        if scope is None or scope is frame.function:
            return frame
        return self.enter(frame.module, scope, enclosing=self.frame_within(frame, scope))

    # Remembering

    def remember(self, key: Hashable, compute: Compute) -> Alternatives:
        """What ``compute`` gives, computed once; a question that needs its own answer gets none.

        An answer that had to do without another question still under way is provisional: it serves until that question
        is answered, and is then forgotten.
        """
        if key in self._known:
            return self._known[key]
        if key in self._active:
            self._shallowest_cycle = min(self._shallowest_cycle, self._active[key])
            return ()
        if key in self._provisional:
            alternatives, cycle = self._provisional[key]
            self._shallowest_cycle = min(self._shallowest_cycle, cycle)
            return alternatives
        if not self._active and not self._is_asked:
            self._allowance = EXPRESSION_BUDGET
        self._spend()
        if self._is_used_up or len(self._active) >= MAX_NESTING:
            return just(Unknown("the analysis budget is used up"))
        depth, provisional_before = len(self._active), len(self._provisional)
        self._active[key] = depth
        outer_cycle, self._shallowest_cycle = self._shallowest_cycle, MAX_NESTING
        try:
            alternatives = self.limit(compute())
        finally:
            del self._active[key]
            cycle, self._shallowest_cycle = self._shallowest_cycle, outer_cycle
        if cycle < depth:
            self._provisional[key] = (alternatives, cycle)
            self._shallowest_cycle = min(outer_cycle, cycle)
            return alternatives
        while len(self._provisional) > provisional_before:
            self._provisional.popitem()
        if not self._is_used_up or not (self._active or self._is_asked):
            self._known[key] = alternatives  # an answer that was cut short is kept for its own question alone
        return alternatives

    @contextmanager
    def question(self) -> Iterator[None]:
        """Let everything that is evaluated within be one question, with one budget."""
        outer = self._allowance, self._is_asked
        self._allowance, self._is_asked = QUESTION_BUDGET, True
        try:
            yield
        finally:
            self._allowance, self._is_asked = outer

    def _spend(self) -> None:
        self.budget -= 1
        self._allowance -= 1

    @property
    def _is_used_up(self) -> bool:
        return self._allowance < 0 or self.budget < 0

    def limit(self, alternatives: Iterable[Alternative]) -> Alternatives:
        """At most MAX_ALTERNATIVES different ones."""
        different: dict[Alternative, None] = {}
        for count, alternative in enumerate(alternatives):
            different[alternative] = None
            if count > MAX_ALTERNATIVES:  # a step that makes many costs as much as many steps
                self._spend()
                if self._is_used_up:
                    break
            if len(different) > MAX_ALTERNATIVES:
                different = dict.fromkeys(_merged(different))
            if len(different) > MAX_ALTERNATIVES:
                kept = list(different)[: MAX_ALTERNATIVES - 1]
                return (*kept, Alternative(Unknown("too many possibilities")))
        # What something is when it is itself adds nothing to what else it can be.
        return tuple(a for a in different if a.value is not ITSELF) or tuple(different)

    # Evaluating

    def evaluate(self, node: cst.BaseExpression, frame: Frame) -> Alternatives:
        """What an expression can be where it stands, in an activation of the function that it stands in."""
        alternatives = self.remember((node, frame), lambda: self._evaluate(node, frame)) or just(ITSELF)
        if self.observer is not None:
            self.observer(len(self._active), node, frame, alternatives)
        return alternatives

    def force(self, value: Thunk | Value) -> Alternatives:
        """Evaluate what was put off."""
        return self.evaluate(value.node, value.frame) if isinstance(value, Thunk) else just(value)

    def settled(self, alternative: Alternative) -> Value:
        """A value on its own, for somebody who forgets what it rests on: its entries are what they are then.

        ``for name, value in PAIRS: headers[name] = value``: each name stays with its value.
        """
        value = alternative.value
        if not isinstance(value, Mapping) or not alternative.when:
            return value
        entries = (replace(entry, value=self.fitting(entry.value, alternative.when)) for entry in value.entries)
        return replace(value, entries=tuple(entries))

    def fitting(self, value: Thunk | Value, when: Assumptions) -> Thunk | Value:
        """The one thing that a value can be where something is assumed; else the value as it is put off."""
        found = [a.value for a in self.force(value) if compatible(a.when, when)]
        return found[0] if len(found) == 1 else value

    def _evaluate(self, node: cst.BaseExpression, frame: Frame) -> Iterable[Alternative]:
        if isinstance(node, cst.Attribute):  # the three that there are most of come first
            return self.flow.attribute(node, frame)
        if isinstance(node, cst.Call):
            return self.calls.result(node, frame)
        place = Place(frame.module, node)
        if isinstance(node, cst.Name):
            if node.value in ("None", "True", "False"):
                return just(Const({"None": None, "True": True, "False": False}[node.value], place))
            return self.flow.name(node, frame)
        if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
            value = string_value(node)
            return just(Const(value, place)) if value is not None else self._concatenated(node, frame)
        if isinstance(node, cst.FormattedString):
            return self._formatted(node, frame)
        if isinstance(node, cst.Integer | cst.Float):
            number = literal_value(node)
            return just(Const(number, place) if number is not None else Unknown("a number that Python refuses"))
        if isinstance(node, cst.UnaryOperation):
            return self._negated(node, frame)
        if isinstance(node, cst.Subscript):
            return self._subscript(node, frame)
        if isinstance(node, cst.Dict):
            return self._dict(node, frame)
        if isinstance(node, cst.DictComp):
            return self._dict_comprehension(node, frame)
        if isinstance(node, cst.List | cst.Tuple | cst.Set):
            return self._sequence(node, frame)
        if isinstance(node, cst.BinaryOperation):
            return self.combine(
                (self.evaluate(node.left, frame), self.evaluate(node.right, frame)),
                lambda left, right: self.operate(node.operator, left, right),
            )
        if isinstance(node, cst.BooleanOperation):
            return self._boolean(node, frame)
        if isinstance(node, cst.IfExp):
            return self._conditional(node, frame)
        if isinstance(node, cst.NamedExpr):
            return self.evaluate(node.value, frame)
        if isinstance(node, cst.Await):
            return self.evaluate(node.expression, frame)
        if isinstance(node, cst.Lambda):
            return just(Function(frame.module, node, frame, None))
        if isinstance(node, cst.ListComp | cst.SetComp | cst.GeneratorExp):
            return just(Generator("a comprehension", node=node, frame=frame))
        return just(Unknown("an expression that is not followed"))

    def _negated(self, node: cst.UnaryOperation, frame: Frame) -> Iterable[Alternative]:
        """``-1``: an index from the end, say."""
        value = self.only(Thunk(node.expression, frame))
        if isinstance(node.operator, cst.Minus) and isinstance(value, Const) and isinstance(value.value, int | float):
            return just(Const(-value.value, Place(frame.module, node)))
        return just(Unknown("an operation that is not followed"))

    def combine(self, operands: Iterable[Alternatives], join: Callable[..., Value]) -> Iterator[Alternative]:
        """Join every combination of alternatives that fit together."""
        for combination in itertools.islice(itertools.product(*operands), MAX_ALTERNATIVES**2):
            when: Assumptions | None = NOTHING
            for alternative in combination:
                when = when | alternative.when if when is not None and compatible(when, alternative.when) else None
            if when is not None:
                yield Alternative(join(*(alternative.value for alternative in combination)), when)

    def each(
        self, alternatives: Alternatives, answer: Callable[[Value], Iterable[Alternative]]
    ) -> Iterator[Alternative]:
        """What ``answer`` gives for each value, resting on what that value rests on."""
        for alternative in alternatives:
            yield from assuming(answer(alternative.value), alternative.when)

    # Texts

    def _formatted(self, node: cst.FormattedString, frame: Frame) -> Iterable[Alternative]:
        pieces: list[Alternatives] = []
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                pieces.append(just(Const(part.value.replace("{{", "{").replace("}}", "}"))))
            elif isinstance(part, cst.FormattedStringExpression):
                plain = part.format_spec is None and part.conversion in (None, "s")
                pieces.append(self.evaluate(part.expression, frame) if plain else just(Text(HOLE)))
        return self.combine(self._reduced(pieces), lambda *values: texts.text("".join(map(texts.pattern_of, values))))

    def _reduced(self, pieces: list[Alternatives]) -> list[Alternatives]:
        """Keep the number of combinations bounded: pieces beyond the bound become holes."""
        combinations = 1
        reduced: list[Alternatives] = []
        for piece in pieces:
            combinations *= len(piece)
            reduced.append(piece if combinations <= MAX_ALTERNATIVES**2 or len(piece) == 1 else just(Text(HOLE)))
        return reduced

    def _concatenated(self, node: cst.BaseExpression, frame: Frame) -> Iterable[Alternative]:
        if not isinstance(node, cst.ConcatenatedString):
            return just(Unknown("a string that cannot be evaluated"))
        sides = (self.evaluate(node.left, frame), self.evaluate(node.right, frame))
        return self.combine(sides, lambda *values: texts.text("".join(map(texts.pattern_of, values))))

    def operate(self, operator: cst.CSTNode, left: Value, right: Value) -> Value:
        """``left <operator> right``."""
        if isinstance(operator, cst.Add | cst.AddAssign):
            if (glued := _glued(left, right)) is not None:
                return glued
            if texts.is_text(left) or texts.is_text(right):
                return texts.text(texts.pattern_of(left) + texts.pattern_of(right))
            if isinstance(left, Sequence):
                return self.extended(left, right)
        if isinstance(operator, cst.Divide) and (texts.is_text(left) or texts.is_text(right)):
            return texts.text(texts.pattern_of(left).rstrip("/") + "/" + texts.pattern_of(right).lstrip("/"))
        if isinstance(operator, cst.BitOr | cst.BitOrAssign) and isinstance(left, Mapping):
            return (
                mappings.merge(left, right)
                if isinstance(right, Mapping)
                else mappings.opened(left, "merged with something unknown")
            )
        if isinstance(operator, cst.BitOr) and isinstance(right, Mapping):
            return mappings.opened(right, "merged with something unknown")
        if isinstance(operator, cst.Modulo) and texts.is_text(left):
            return texts.format_percent(texts.pattern_of(left), *self._fillers(right))
        return Unknown("an operation that is not followed")

    def _fillers(self, value: Value) -> tuple[list[str], dict[str, str]]:
        if isinstance(value, Sequence):
            return [self.pattern(item) for item in value.items], {}
        if isinstance(value, Mapping):
            return [], {entry.key: self.pattern(entry.value) for entry in value.entries if entry.certain}
        return [texts.pattern_of(value)], {}

    def pattern(self, value: Thunk | Value) -> str:
        """The one text that a value gives, a hole where it has several alternatives."""
        alternatives = self.force(value)
        return texts.pattern_of(alternatives[0].value) if len(alternatives) == 1 else HOLE

    def extended(self, sequence: Sequence, other: Value) -> Sequence:
        """``sequence + other``."""
        if isinstance(other, Sequence) and len(sequence.items) + len(other.items) <= MAX_ENTRIES:
            return replace(sequence, items=(*sequence.items, *other.items), open=sequence.open or other.open)
        return replace(sequence, open=True)

    # Collections

    def _dict(self, node: cst.Dict, frame: Frame) -> Iterable[Alternative]:
        home = Place(frame.module, node)
        built: Alternatives = just(Mapping(homes=(home,)))
        if len(node.elements) > MAX_ENTRIES:
            return just(Mapping(open=True, homes=(home,), why="a mapping too large to follow"))
        for element in node.elements:
            if isinstance(element, cst.StarredDictElement):
                added = self.evaluate(element.value, frame)
                built = self.limit(self.combine((built, added), self.updated))
                continue
            assert isinstance(element, cst.DictElement)
            keys = self.evaluate(element.key, frame)
            thunk, key_place = Thunk(element.value, frame), Place(frame.module, element.key)
            built = self.limit(
                self.combine(
                    (built, keys), lambda mapping, key, t=thunk, k=key_place: self.with_item(mapping, key, t, k)
                )
            )
        return built

    def with_item(self, mapping: Value, key: Value, value: Thunk | Value, key_place: Place | None) -> Value:
        """``mapping[key] = value``."""
        if isinstance(mapping, Sequence):
            return self._with_element(mapping, key, value)
        if not isinstance(mapping, Mapping):
            return mapping
        if isinstance(key, Const):
            name = key.value.decode("latin-1") if isinstance(key.value, bytes) else str(key.value)
            return mappings.set_entry(mapping, Entry(name, value, key_place))
        return mappings.opened(mapping, "a key that is not known")

    def _with_element(self, sequence: Sequence, key: Value, value: Thunk | Value) -> Sequence:
        items = list(sequence.items)
        if not isinstance(key, Const) or not isinstance(key.value, int) or sequence.open:
            return replace(sequence, items=(), open=True)
        if not -len(items) <= key.value < len(items):
            return replace(sequence, items=(), open=True)
        items[key.value] = value
        return replace(sequence, items=tuple(items))

    def updated(self, mapping: Value, other: Value) -> Value:
        """``mapping.update(other)``."""
        if not isinstance(mapping, Mapping):
            return mapping
        if isinstance(other, Mapping):
            return mappings.merge(mapping, other)
        if isinstance(other, Const) and other.value is None:
            return mapping
        pairs = self.as_mapping(other)
        return mappings.merge(mapping, pairs) if pairs else mappings.opened(mapping, self.why(other))

    def as_mapping(self, value: Value) -> Mapping | None:
        """A list of pairs as the mapping that ``dict`` makes of it."""
        if isinstance(value, Mapping):
            return value
        if not isinstance(value, Sequence):
            return None
        mapping: Value = Mapping(open=value.open, homes=(value.home,) if value.home else ())
        for item in value.items:
            pair = self.only(item)
            if not isinstance(pair, Sequence) or len(pair.items) != 2:
                return None
            mapping = self.with_item(mapping, self.only(pair.items[0]), pair.items[1], self.place_of(pair.items[0]))
        return mapping if isinstance(mapping, Mapping) else None

    def place_of(self, value: Thunk | Value) -> Place | None:
        return Place(value.frame.module, value.node) if isinstance(value, Thunk) else getattr(value, "place", None)

    def only(self, value: Thunk | Value) -> Value:
        """The one value that something has; unknown where it has several."""
        return self.only_of(self.force(value))

    def only_of(self, alternatives: Alternatives) -> Value:
        return alternatives[0].value if len(alternatives) == 1 else Unknown("several possibilities")

    def why(self, value: Value) -> str:
        return value.why if isinstance(value, Unknown) and value.why else "a value that is not known"

    def _dict_comprehension(self, node: cst.DictComp, frame: Frame) -> Iterable[Alternative]:
        """``{k: v for k, v in other.items()}``, filtered or with the keys' casing changed, keeps what was known."""
        loop = node.for_in
        source, target = loop.iter, loop.target
        if not (
            isinstance(source, cst.Call)
            and isinstance(source.func, cst.Attribute)
            and source.func.attr.value == "items"
        ):
            return just(Unknown("a comprehension that is not followed"))
        names = (
            [e.value.value for e in target.elements if isinstance(e.value, cst.Name)]
            if isinstance(target, cst.Tuple)
            else []
        )
        key: cst.BaseExpression = node.key
        casings: list[str] = []
        while isinstance(key, cst.Call) and isinstance(key.func, cst.Attribute) and key.func.attr.value in _CASING:
            casings.insert(0, key.func.attr.value)
            key = key.func.value
        if len(names) != 2 or not isinstance(key, cst.Name) or key.value != names[0] or loop.inner_for_in:
            return just(Unknown("a comprehension that is not followed"))

        def filtered(value: Value) -> Value:
            if not isinstance(value, Mapping):
                return Unknown("a comprehension over something unknown")
            kept = _recased(self._filtered(value.entries, loop, names[1]), casings)
            return mappings.merge(replace(value, entries=(), ignores_case=False), Mapping(kept))

        return self.combine((self.evaluate(source.func.value, frame),), filtered)

    def _filtered(self, entries: tuple[Entry, ...], loop: cst.CompFor, value_name: str) -> Iterator[Entry]:
        """The entries that a comprehension's ``if`` lets pass; one about the values drops the empty ones."""
        about_values = any(isinstance(n, cst.Name) and n.value == value_name for test in loop.ifs for n in walk(test))
        for entry in entries:
            known = self.only(entry.value)
            if about_values and isinstance(known, Const) and not known.value:
                continue
            passes = not loop.ifs or (about_values and isinstance(known, Const))
            yield replace(entry, certain=entry.certain and passes)

    def _sequence(self, node: cst.List | cst.Tuple | cst.Set, frame: Frame) -> Iterable[Alternative]:
        items: list[Thunk | Value] = []
        is_open = False
        for element in node.elements:
            if not isinstance(element, cst.StarredElement):
                items.append(Thunk(element.value, frame))
                continue
            inner = self.only(Thunk(element.value, frame))
            if not isinstance(inner, Sequence) or len(items) + len(inner.items) > MAX_ENTRIES:
                is_open = True
                continue
            items.extend(inner.items)
            is_open = is_open or inner.open
        return just(Sequence(tuple(items), is_open, Place(frame.module, node)))

    def _subscript(self, node: cst.Subscript, frame: Frame) -> Iterable[Alternative]:
        if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
            wholes, key = self.evaluate(node.value, frame), CUT if _cuts_beginning(node) else None
            return [replace(a, value=_piece(a.value, key) or Unknown("a slice")) for a in wholes]
        index = node.slice[0].slice.value
        wholes, keys = self.evaluate(node.value, frame), self.evaluate(index, frame)
        return self.each(wholes, lambda whole: self.each(keys, lambda key: self.item(whole, key, index, frame)))

    def item(self, whole: Value, key: Value, written: cst.BaseExpression, frame: Frame) -> Alternatives:
        """``whole[key]``; the key is ``written`` there."""
        whole = self.objects.as_sequence(whole) or whole
        if isinstance(whole, Sequence) and isinstance(key, Const) and isinstance(key.value, int) and not whole.open:
            in_range = -len(whole.items) <= key.value < len(whole.items)
            return self.force(whole.items[key.value]) if in_range else just(Unknown("an index out of range"))
        if isinstance(whole, Mapping) and isinstance(key, Const):
            return self.entry(whole, str(key.value)) or just(Unknown(f"no key {key.value!r} is known"))
        if isinstance(whole, Mapping):
            return self.any_entry(whole, written, frame)
        if has_origin(whole):
            known = key.value if isinstance(key, Const) and isinstance(key.value, str | int) else None
            return just(Derived("an item of something unknown", whole=whole, how=How.ITEM, key=known))
        return just(Unknown("an item of something unknown"))

    def any_entry(self, mapping: Mapping, key: cst.BaseExpression, frame: Frame) -> Alternatives:
        """What an unknown key can give: each entry that the tests of the key let pass, told apart so that what one
        entry holds stays together.
        """
        every = tuple(
            found
            for entry in mapping.entries
            if not self.flow.rules_out(key, entry.key, frame)
            for found in assuming(self.force(entry.value), self._choosing(key, entry.key, frame))
        )
        unknown = just(Unknown("a key that is not known"))
        return (*every, *unknown) if mapping.open or not every else every

    def _choosing(self, key: cst.BaseExpression, value: str, frame: Frame) -> Assumptions:
        """That a key has a value; one that is a name has it wherever it is used, and in every test."""
        if dotted(key) is None or value.isdigit():  # digits may stand for a number, which no test calls a text
            return frozenset({Assumption(("entry", frame, key), value)})
        return self.flow.choosing(key, value, frame)

    def entry(self, mapping: Mapping, key: str) -> Alternatives:
        """What ``mapping[key]`` can be; nothing where the key is not known to be there."""
        return tuple(found for entry in mappings.find(mapping, key) for found in self.force(entry.value))

    # Choices

    def _boolean(self, node: cst.BooleanOperation, frame: Frame) -> Iterable[Alternative]:
        """``a or default``: ``a`` where it is not known to be false, else the default."""
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        if isinstance(node.operator, cst.And):
            return right
        kept = [alternative for alternative in left if truth(alternative.value) is not False]
        if all(truth(alternative.value) is True for alternative in left):
            return kept
        return (*kept, *right)

    def _conditional(self, node: cst.IfExp, frame: Frame) -> Iterable[Alternative]:
        for body, holds in ((node.body, True), (node.orelse, False)):
            for assumptions in self.flow.arms(node.test, frame, holds):
                yield from assuming(self.evaluate(body, frame), assumptions)


def _recased(entries: Iterable[Entry], methods: list[str]) -> tuple[Entry, ...]:
    """The entries with methods of str called on their keys, one after the other."""
    for method in methods:
        entries = [
            replace(e, key=texts.pattern_of(texts.call_method(e.key, method, []) or Const(e.key))) for e in entries
        ]
    return tuple(entries)


def _piece(whole: Value, key: str | None) -> Value | None:
    """A slice of a text whose origin is known."""
    return piece_of(whole, key) if has_origin(whole) else None


def _cuts_beginning(node: cst.Subscript) -> bool:
    """Whether a slice is one from some place on."""
    return any(isinstance(item.slice, cst.Slice) and item.slice.lower is not None for item in node.slice)


def _glued(left: Value, right: Value) -> Value | None:
    """``left + right`` where one continues the other: both from somewhere known, or one still empty."""
    if has_origin(left) and (has_origin(right) or _is_empty(right)):
        return glued_to(left)
    return glued_to(right) if _is_empty(left) and has_origin(right) else None


def _is_empty(value: Value) -> bool:
    return isinstance(value, Const) and value.value in ("", b"")


def _merged(alternatives: Iterable[Alternative]) -> Iterator[Alternative]:
    """One alternative for each value, resting on what all alternatives with that value rest on."""
    when: dict[Value, Assumptions] = {}
    for alternative in alternatives:
        when[alternative.value] = when.get(alternative.value, alternative.when) & alternative.when
    return (Alternative(value, assumptions) for value, assumptions in when.items())


def truth(value: Value) -> bool | None:
    """Whether a value is true in a condition, None where that is not known."""
    if isinstance(value, Const):
        return bool(value.value)
    if isinstance(value, Text):
        return True if value.pattern.replace(HOLE, "") else None
    if isinstance(value, Mapping):
        return True if any(entry.certain for entry in value.entries) else None if value.open or value.entries else False
    if isinstance(value, Sequence):
        return True if value.items else None if value.open else False
    return True if isinstance(value, Function | Class | Instance | Namespace) else None
