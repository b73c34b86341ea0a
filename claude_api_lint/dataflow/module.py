"""A module of the analysed program: statements parsed on demand, blocks of steps, parents, and places.

A *step* is a small statement or a compound statement; a *block* is a run of steps that execute one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from claude_api_lint.dataflow.trees import (
    NAMING,
    TARGETING,
    Scope,
    SmallOrCompound,
    children,
    dotted,
    last_name,
    named_by,
    walk,
)
from claude_api_lint.parsing import Refused, Statement, split
from claude_api_lint.source import Source

Node = TypeVar("Node", bound=cst.CSTNode)
_TARGETING = TARGETING | {cst.CompFor, cst.Del}
_BODIES = frozenset({cst.IndentedBlock, cst.SimpleStatementSuite})
_NOTHING = (frozenset[str](), frozenset[str]())
_TEST_FILE = re.compile(r"(^|/)(tests?|testing|conftest\.py|test_[^/]*|[^/]*_test\.py)(/|$)", re.IGNORECASE)
_OWN_METHOD = "self.()."
"""Marks the name of a method that a step calls on its own object: it may change attributes of it."""


@dataclass(frozen=True, eq=False)
class Block:
    """Steps that run one after the other; ``owner`` is the node whose body it is (Module, FunctionDef, If ...)."""

    owner: cst.CSTNode
    steps: tuple[SmallOrCompound, ...]


class Reading:
    """How much one analysis looks into other files than its own.

    What it has looked into counts, whether or not that was parsed for somebody else before: so the answers do not
    depend on the order of the files.
    """

    def __init__(self, characters: int) -> None:
        self._left = characters
        self._known: set[Statement | str] = set()

    @property
    def is_over(self) -> bool:
        """Whether no further file should be looked into."""
        return self._left < 0

    def note(self, statement: Statement) -> None:
        """A statement is looked into."""
        if statement not in self._known:
            self._known.add(statement)
            self._left -= len(statement.text)

    def allows(self, statements: Iterable[Statement]) -> bool:
        """Whether statements may be looked into."""
        new = (len(statement.text) for statement in statements if statement not in self._known)
        return sum(new) <= max(self._left, 0)

    def may_open(self, path: str, size: int) -> bool:
        """Whether a file may be split into statements, which costs a tenth of what parsing all of them does."""
        if path not in self._known and not self.is_over:
            self._known.add(path)
            self._left -= size // 10
        return path in self._known


class Module:
    """One file of the analysed program.

    Statements are parsed when they are first looked into; a statement that cannot be parsed is noted in ``refusals``
    and is empty from then on. Raises Refused where nothing of the text can be analysed. ``reading`` is told of each
    statement, where the module is looked into for the sake of another one.
    """

    reading: Reading | None = None

    def __init__(self, source: Source, path: str, statements: list[Statement] | None = None) -> None:
        self.source = source
        self.path = path
        self.statements = split(source) if statements is None else statements
        self.forget_trees()

    def forget_trees(self) -> None:
        """Forget everything that takes more memory than the text; what is asked for again is parsed again."""
        for statement in self.statements:
            statement.forget()
        self.__dict__.pop("_by_word", None)
        self.refusals: list[str] = []
        self._trees: dict[Statement, cst.Module] = {}
        self._statements: dict[cst.CSTNode, Statement] = {}
        self._parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self._by_kind: dict[Statement, dict[type[cst.CSTNode], list[cst.CSTNode]]] = {}
        self._blocks: dict[cst.CSTNode, Block] = {}
        self._steps: dict[cst.CSTNode, tuple[Block, int]] = {}
        self._touched: dict[cst.CSTNode, dict[str, tuple[frozenset[str], frozenset[str]]]] = {}
        self._scopes: dict[cst.CSTNode, Scope | None] = {}
        self._positions: dict[Statement, tuple[object, int]] = {}

    @property
    def is_test(self) -> bool:
        """Whether the file is a test by its path: it may hold any text as an example."""
        parts = self.path.split("/")
        near = parts[-3:] if self.path.startswith("/") else parts  # where a checkout lies says nothing about it
        return _TEST_FILE.search("/".join(near)) is not None

    # The tree

    @property
    def parsed(self) -> int:
        """Characters of the statements whose trees are in memory."""
        return sum(len(statement.text) for statement in self._trees)

    def owns(self, node: cst.CSTNode) -> bool:
        """Whether a node is part of this module."""
        return node in self._parents or node in self._statements

    def tree(self, statement: Statement) -> cst.Module:
        """The statement's tree, indexed; an empty one where LibCST refuses it."""
        if self.reading is not None:
            self.reading.note(statement)
        if statement not in self._trees:
            try:
                tree = statement.tree
            except Refused as refusal:
                self.refusals.append(str(refusal))
                tree = cst.Module(body=())
            self._trees[statement] = tree
            self._statements[tree] = statement
            self._by_kind[statement] = self._index(tree)
        return self._trees[statement]

    def _index(self, tree: cst.Module) -> dict[type[cst.CSTNode], list[cst.CSTNode]]:
        """Note where each node of a tree stands; the nodes by their classes."""
        self._add_block(tree, tree.body)
        by_kind: dict[type[cst.CSTNode], list[cst.CSTNode]] = {}
        stack: list[cst.CSTNode] = [tree]
        while stack:
            node = stack.pop()
            by_kind.setdefault(node.__class__, []).append(node)
            below = children(node)
            self._parents.update(dict.fromkeys(below, node))
            stack += reversed(below)
            if node.__class__ in _BODIES:
                self._add_block(self._parents[node], node.body, key=node)
            elif node.__class__ is cst.If and node.orelse.__class__ is cst.If:
                self._add_block(node, (node.orelse,), key=node.orelse)
        return by_kind

    def _add_block(self, owner: cst.CSTNode, body: object, key: cst.CSTNode | None = None) -> None:
        steps: list[SmallOrCompound] = []
        assert isinstance(body, list | tuple)
        for line in body:
            steps.extend(line.body if isinstance(line, cst.SimpleStatementLine) else (line,))
        block = Block(owner, tuple(steps))
        self._blocks[key or owner] = block
        for index, step in enumerate(steps):
            self._steps[step] = (block, index)

    def nodes(self, kind: type[Node], word: str | None = None) -> Iterator[Node]:
        """The nodes of exactly this class, in source order; with ``word`` only from statements that have the word."""
        for statement in self.statements if word is None else self._by_word.get(word, ()):
            yield from self.nodes_of(kind, statement)

    def calls_of(self, name: str) -> Iterator[cst.Call]:
        """The calls of something whose last name is this one, in source order."""
        for statement in self.calling(name):
            yield from (call for call in self.nodes_of(cst.Call, statement) if last_name(call.func) == name)

    def calling(self, name: str) -> list[Statement]:
        """The statements that seem to call something of a name."""
        word = re.escape(name)  # which comes first in the pattern: looking behind it first is forty times slower
        called = re.compile(rf"{word}(?<!\w{word})(?<!class {word})(?<!def {word})\s*\(")
        return [statement for statement in self._by_word.get(name, ()) if called.search(statement.text)]

    def nodes_of(self, kind: type[Node], statement: Statement) -> list[Node]:
        """The nodes of exactly this class in one statement, in source order."""
        self.tree(statement)
        return self._by_kind[statement].get(kind, [])  # type: ignore[return-value]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        return self._parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes above, the nearest first."""
        parent = self._parents.get(node)
        while parent is not None:
            yield parent
            parent = self._parents.get(parent)

    def block(self, body: cst.CSTNode) -> Block:
        """The block of a body (IndentedBlock, SimpleStatementSuite, Module, or the If of an ``elif``)."""
        return self._blocks[body]

    def step_of(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The innermost step that the node is part of."""
        if node in self._steps:
            return node
        return next((above for above in self.ancestors(node) if above in self._steps), None)

    def is_step(self, node: cst.CSTNode) -> bool:
        """Whether a node is a step of some block."""
        return node in self._steps

    def position_of(self, step: cst.CSTNode) -> tuple[Block, int]:
        """The block that a step stands in, and its index there."""
        return self._steps[step]

    def scope_of(self, node: cst.CSTNode) -> Scope | None:
        """The innermost function or class whose body the node stands in; None for module level.

        Decorators, default values, annotations and base classes belong to the scope around.
        """
        if node not in self._scopes:
            self._scopes[node] = self._scope_around(node)
        return self._scopes[node]

    def _scope_around(self, node: cst.CSTNode) -> Scope | None:
        below = node
        for above in self.ancestors(node):
            if isinstance(above, Scope) and below is above.body:
                return above
            below = above
        return None

    def statement_of(self, node: cst.CSTNode) -> Statement:
        """The top-level statement that a node belongs to."""
        return self._statements[next(above for above in (node, *self.ancestors(node)) if above in self._statements)]

    def binders(self, name: str) -> list[Statement]:
        """The top-level statements that may bind a module-level name."""
        return [
            statement for statement in self._by_word.get(name, ()) if statement.binds is None or name in statement.binds
        ]

    def may_bind(self, name: str) -> bool:
        """Whether a statement or a function may bind a module-level name, ``from x import *`` not counted."""
        return bool(self.binders(name)) or name in self.globals

    @cached_property
    def star_imports(self) -> list[Statement]:
        """The top-level statements with a ``from x import *``, the last one first."""
        found = [s for s in self._by_word.get("import", ()) if s.binds is None or "*" in s.binds]
        return found[::-1]

    @cached_property
    def globals(self) -> frozenset[str]:
        """The module-level names that functions may bind anew."""
        lines = re.findall(r"^[ \t]*global\b([^\n]*)", self.source.text, re.MULTILINE)
        return frozenset(word for line in lines for word in re.findall(r"\w+", line))

    @property
    def words(self) -> Set[str]:
        """Every identifier-like word of the file."""
        return self._by_word.keys()

    @cached_property
    def _by_word(self) -> dict[str, list[Statement]]:
        """The statements that have a word, in order."""
        statements: dict[str, list[Statement]] = {}
        for statement in self.statements:
            for word in statement.words:
                statements.setdefault(word, []).append(statement)
        return statements

    # Steps

    def touched(self, step: cst.CSTNode, root: str) -> frozenset[str]:
        """The dotted names beginning with ``root`` that a step may bind, change, or hand to somebody who may."""
        return self._bound(step, root) | self._used(step, root)

    def touches(self, step: cst.CSTNode, path: str) -> bool:
        """Whether a step may bind or change what a dotted name stands for, or hand it to somebody who may.

        What a method of the object itself may do to it is another matter: ``own_methods``.
        """
        root = path.split(".")[0]
        bound = self._bound(step, root)
        if any(name == path or name.startswith(path + ".") or path.startswith(name + ".") for name in bound):
            return True
        return any(name == path or name.startswith(path + ".") for name in self._used(step, root))

    def _bound(self, step: cst.CSTNode, root: str) -> frozenset[str]:
        """The dotted names that a step binds or assigns to: what stands under them is another thing afterwards."""
        return self._touched_by(step).get(root, _NOTHING)[0]

    def _used(self, step: cst.CSTNode, root: str) -> frozenset[str]:
        """The dotted names whose methods a step calls, and those that it passes to somebody."""
        return self._touched_by(step).get(root, _NOTHING)[1]

    def _touched_by(self, step: cst.CSTNode) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        if step not in self._touched:
            by_root: dict[str, tuple[set[str], set[str]]] = {}
            for name, is_used in _touched(step):
                by_root.setdefault(name.split(".")[0], (set(), set()))[is_used].add(name)
            self._touched[step] = {name: (frozenset(b), frozenset(u)) for name, (b, u) in by_root.items()}
        return self._touched[step]

    def own_methods(self, step: cst.CSTNode) -> list[str]:
        """The methods that a step calls on ``self``."""
        called = self._used(step, "self")
        return [path.removeprefix(_OWN_METHOD) for path in called if path.startswith(_OWN_METHOD)]

    # Places

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The offsets in the file's text at which a node begins and ends, parentheses around it not counted."""
        statement = self.statement_of(node)
        if statement not in self._positions:
            wrapper = MetadataWrapper(self._trees[statement], unsafe_skip_copy=True)
            self._positions[statement] = (wrapper.resolve(PositionProvider), statement.first_line - 1)
        ranges, shift = self._positions[statement]
        place = ranges[node]  # type: ignore[index]
        return (
            self.source.offset(place.start.line + shift, place.start.column),
            self.source.offset(place.end.line + shift, place.end.column),
        )

    def line(self, node: cst.CSTNode) -> int:
        """The line, from 1, at which a node begins."""
        return self.source.position(self.span(node)[0])[0]


def _touched(step: cst.CSTNode) -> Iterator[tuple[str, bool]]:
    """The names that a step touches, and whether it only uses them: calls a method of theirs, or passes them on."""
    if isinstance(step, cst.FunctionDef | cst.ClassDef):
        yield step.name.value, False
        return
    for node in walk(step, into_scopes=False):  # classes are compared: ``isinstance`` costs a microsecond
        if node.__class__ is cst.Call:
            yield from ((name, True) for name in _used_by_call(node))
        elif node.__class__ in _TARGETING:
            yield from ((name, False) for name in _lvalues(node.target))
        elif node.__class__ is cst.AsName:
            yield from ((name, False) for name in _lvalues(node.name))
        elif node.__class__ in NAMING:
            yield from ((name, False) for name in named_by(node))


def _lvalues(target: cst.CSTNode) -> Iterator[str]:
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _lvalues(element.value)
        return
    while isinstance(target, cst.Subscript):
        target = target.value
    path = dotted(target)
    if path is not None:
        yield path


def _used_by_call(call: cst.Call) -> Iterator[str]:
    func = call.func
    if isinstance(func, cst.Attribute):
        path = dotted(func.value)
        if path is not None:
            yield path
        if path == "self":
            yield _OWN_METHOD + func.attr.value
        base: cst.CSTNode = func.value
        while isinstance(base, cst.Subscript):
            base = base.value
        if base is not func.value:
            yield from _lvalues(base)
    for argument in call.args:
        path = dotted(argument.value)
        if path is not None and not argument.star:
            yield path
