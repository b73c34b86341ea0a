"""What an expression can be: abstract values, and the assumptions under which it is them.

An expression has *alternatives*: each is a value and the assumptions it rests on ("this arm of that ``if``", "called
from there"). Two alternatives fit together when they assume nothing contradictory, which is how URL and headers that
one ``if`` sets together stay together.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import libcst as cst

    from claude_api_lint.dataflow.module import Module


Hashed = TypeVar("Hashed")


def hashed_once(cls: type[Hashed]) -> type[Hashed]:
    """Remember the hash of a frozen dataclass: values nest deeply, and are looked up over and over."""
    compute = cls.__hash__

    def __hash__(self: Hashed) -> int:
        known = self.__dict__.get("_hash")
        if known is None:
            known = self.__dict__["_hash"] = compute(self)
        return int(known)

    cls.__hash__ = __hash__  # type: ignore[method-assign,assignment]
    return cls


@dataclass(frozen=True)
class Place:
    """Where something is written: a node of a module's tree."""

    module: Module
    node: cst.CSTNode


@dataclass(frozen=True, eq=False)
class Frame:
    """One activation of a function (or the module itself): which call it answers, and what ``self`` is.

    ``call`` is None where any caller is meant; ``enclosing`` is the activation that made the function, for its free
    names. Frames are made by ``Evaluator.enter`` alone, so that equal ones are the same object.
    """

    module: Module
    function: cst.FunctionDef | cst.Lambda | None = None
    call: cst.Call | None = None
    caller: Frame | None = None
    receiver: Value | None = None
    enclosing: Frame | None = None
    prepared: Prepared | None = None

    @property
    def depth(self) -> int:
        return 0 if self.caller is None else self.caller.depth + 1


@dataclass(frozen=True)
class Thunk:
    """An expression with the activation to evaluate it in; nothing is evaluated until somebody asks."""

    node: cst.BaseExpression
    frame: Frame


@hashed_once
@dataclass(frozen=True)
class Assumption:
    """A decision that the analysed program takes: ``key`` says which, ``choice`` says how.

    A decision about the *context* (which caller, which subclass) is judged case by case; one about a *branch* is not:
    what holds must hold on every branch.
    """

    key: Hashable
    choice: Hashable
    context: bool = False


_ROUND = "round"
Assumptions = frozenset[Assumption]
NOTHING: Assumptions = frozenset()


def in_round(iterable: object, frame: Frame, number: int) -> Assumption:
    """That a loop is in one of its rounds, counted from 0: what it does there with one element stays together."""
    return Assumption((_ROUND, frame, iterable), number)


def outside_rounds(when: Assumptions) -> Assumptions:
    """What is assumed, rounds of loops left out."""
    return frozenset(a for a in when if not (isinstance(a.key, tuple) and a.key[0] is _ROUND))


def compatible(one: Assumptions, other: Assumptions) -> bool:
    """Whether both can hold in one run of the analysed program."""
    if not one or not other:
        return True
    few, many = (one, other) if len(one) < len(other) else (other, one)
    choices = {assumption.key: assumption.choice for assumption in few}
    return all(choices.get(assumption.key, assumption.choice) == assumption.choice for assumption in many)


def context_of(when: Assumptions) -> Assumptions:
    """What something rests on apart from branches: callers, subclasses, constructions."""
    return frozenset(assumption for assumption in when if assumption.context)


class Value:
    """What an expression is. Subclasses are frozen dataclasses."""


@dataclass(frozen=True)
class Unknown(Value):
    """Nothing is known. ``why`` says where knowledge ended, for people."""

    why: str = ""
    name: str = ""
    """The dotted name or attribute that could not be followed, where there is one."""


@hashed_once
@dataclass(frozen=True)
class Derived(Unknown):
    """Something unknown of which it is known what it came from: ``how`` it was taken out of ``whole``.

    ``key`` is the item's key, or the name of the attribute or method; ``call`` is the call that gave it, if one did.
    """

    whole: Value = field(default_factory=Unknown)
    how: How = field(default_factory=lambda: How.RETURNED)
    key: str | int | None = None
    call: cst.Call | None = None
    frame: Frame | None = None


class How(enum.Enum):
    """How something was taken out of something else."""

    ATTRIBUTE = "an attribute of it"
    ITEM = "an item of it, by its key"
    ELEMENT = "one of the elements that iterating over it gives"
    NUMBERED = "its elements, with their numbers"
    TEXT = "a piece of its text"
    GLUED = "its text with more of the kind"
    CALLED = "what one of its methods returned"
    RETURNED = "what a call of something unknown returned"


@hashed_once
@dataclass(frozen=True)
class Generator(Unknown):
    """What iterating over a generator or a comprehension of the analysed program gives."""

    node: cst.FunctionDef | cst.BaseComp | None = None
    frame: Frame | None = None


ITSELF = Unknown("it depends on itself")
"""What something is when it is itself: it adds nothing to what else it can be."""


@dataclass(frozen=True)
class Unbound(Value):
    """The name has no value here."""


@dataclass(frozen=True)
class Const(Value):
    """A known constant, and where it is written."""

    value: str | bytes | int | float | bool | None
    place: Place | None = field(default=None, compare=False)


HOLE = "\ue000"
"""An unknown piece of a text: a private-use character, so that str's own methods work on texts with holes."""


@dataclass(frozen=True)
class Text(Value):
    """A text with at least one ``HOLE`` in ``pattern``."""

    pattern: str


@hashed_once
@dataclass(frozen=True)
class Sequence(Value):
    """A list or a tuple. ``open`` tells that there may be more items; ``home`` is the literal that made it."""

    items: tuple[Thunk | Value, ...]
    open: bool = False
    home: Place | None = field(default=None, compare=False)


@hashed_once
@dataclass(frozen=True)
class Entry:
    """One entry of a mapping. ``certain`` is False where it is there on some paths only."""

    key: str
    value: Thunk | Value
    key_place: Place | None = field(default=None, compare=False)
    certain: bool = True


@hashed_once
@dataclass(frozen=True)
class Mapping(Value):
    """A mapping with known keys; ``open`` tells that there may be others, and ``why``.

    ``homes`` are the literals and calls that built it, the first one first: where an entry could be added. ``added``
    marks what a function puts into a mapping that is made elsewhere, ``ignores_case`` one in which two casings are one
    key.
    """

    entries: tuple[Entry, ...] = ()
    open: bool = False
    homes: tuple[Place, ...] = field(default=(), compare=False)
    why: str = field(default="", compare=False)
    added: bool = False
    ignores_case: bool = False


@dataclass(frozen=True)
class Function(Value):
    """A function of the analysed program, with the activation that made it and the object that it is bound to."""

    module: Module
    node: cst.FunctionDef | cst.Lambda
    enclosing: Frame | None = None
    receiver: Value | None = None


@dataclass(frozen=True)
class Prepared(Value):
    """``functools.partial(callee, ...)``: a call that waits for the rest of its arguments."""

    callee: Value
    call: cst.Call
    frame: Frame


@dataclass(frozen=True)
class Class(Value):
    """A class of the analysed program."""

    module: Module
    node: cst.ClassDef
    enclosing: Frame | None = None


@hashed_once
@dataclass(frozen=True)
class Instance(Value):
    """An object of such a class; ``call`` is the place that constructs it, or None for any.

    ``blank`` names an attribute that counts as not yet assigned, while it is found out what one method assigns to it.
    ``given`` tells that somebody unknown hands the object over: which of several constructions it is from is not known.
    """

    cls: Class
    call: cst.Call | None = None
    frame: Frame | None = None
    blank: str = ""
    given: bool = False


@dataclass(frozen=True)
class Additions(Value):
    """What is done to an object by somebody who did not make it."""

    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Super(Value):
    """An object or class as its base classes know it: what a method of ``owner`` has as ``super()``."""

    seen: Instance | Class
    owner: Class


@dataclass(frozen=True)
class Namespace(Value):
    """A module or package of the analysed project: its file, or the folder of a package without one of its own.

    ``module`` is None for such a folder, and for a file that cannot be read or parsed.
    """

    path: str
    module: Module | None


@dataclass(frozen=True)
class External(Value):
    """Something that another distribution defines, by its dotted name: ``requests.post``."""

    name: str


@hashed_once
@dataclass(frozen=True)
class Made(Value):
    """What a call of something external returned: ``requests.Session()``, ``httpx.Client().stream(...)``.

    ``name`` is the dotted name of what was called; ``receiver`` is the object of a method call; ``changes`` is what was
    done to the object since.
    """

    name: str
    call: cst.Call
    frame: Frame
    receiver: Value | None = None
    changes: tuple[Change, ...] = ()


@hashed_once
@dataclass(frozen=True)
class Part(Value):
    """An attribute or a bound method of an external object: ``session.headers``, ``session.post``."""

    whole: Value
    path: tuple[str, ...]


@hashed_once
@dataclass(frozen=True)
class Change:
    """What a statement did to an object: ``kind`` is "call", "set", "item", "within", "joined" or "delete"; ``path``
    the attributes to it.

    For a call ``node`` is the Call; for "set" and "item" the value assigned (``key`` being the item's key). A call of a
    method of an item is "within": ``client.event_hooks["request"].append(hook)``; for "joined" ``node`` is what ``|=``
    or ``+=`` joins to it.
    """

    kind: str
    path: tuple[str, ...]
    node: cst.CSTNode
    frame: Frame
    key: cst.BaseExpression | None = None
    certain: bool = True


@hashed_once
@dataclass(frozen=True)
class Alternative:
    """One value that an expression can have, and when."""

    value: Value
    when: Assumptions = NOTHING


Alternatives = tuple[Alternative, ...]


def has_origin(value: Value) -> bool:
    """Whether it is known what an otherwise unknown value came from."""
    return isinstance(value, Made | Part | Derived)


CUT = "without its beginning"
"""The key of a piece of a text from whose beginning something was taken off."""


def piece_of(text: Value, key: str | None = None) -> Value:
    """A piece of a text, or the text rewritten: told apart from the whole only by not being it, and by being CUT."""
    if isinstance(text, Derived) and text.how is How.TEXT:
        return text if key in (None, text.key) else replace(text, key=key)
    return Derived("a piece of a text", whole=text, how=How.TEXT, key=key)


def glued_to(text: Value) -> Value:
    """A text with more of the same kind before or behind it."""
    if isinstance(text, Derived) and text.how is How.GLUED:
        return text
    return Derived("a text that is put together", whole=text, how=How.GLUED)


def bound(alternatives: Iterable[Alternative]) -> Alternatives:
    """The alternatives in which there is a value."""
    return tuple(alternative for alternative in alternatives if not isinstance(alternative.value, Unbound | Additions))


def is_placeholder(value: Value) -> bool:
    """Whether a value (None, "") only stands until the real one is assigned."""
    return isinstance(value, Const) and value.value in (None, "")


def just(value: Value) -> Alternatives:
    return (Alternative(value),)


def assuming(alternatives: Iterable[Alternative], assumptions: Assumptions) -> Alternatives:
    """The alternatives that fit the assumptions, resting on them as well."""
    if not assumptions:
        return tuple(alternatives)
    return tuple(
        replace(alternative, when=alternative.when | assumptions)
        for alternative in alternatives
        if compatible(alternative.when, assumptions)
    )
