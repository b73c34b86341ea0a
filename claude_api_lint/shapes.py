"""What the functions of a statement do, at a glance: enough to tell that a rule has nothing to find in it.

``ast`` reads code ten times as fast as LibCST does, so a rule looks at shapes before it has a statement parsed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
LOOKUP = "lookup"
"""Stands among the kinds of nodes for a lookup by a value that is not written out."""
SPREAD = "spread"
"""Stands among the kinds of nodes for a call whose only argument is a mapping of keywords."""
_TEXT_TESTS = frozenset({"startswith", "endswith"})


@dataclass(frozen=True)
class Shape:
    """One function without those inside it, or what stands outside of functions.

    ``calls`` are the last names of what is called (not ``get("key")``; empty for what has no name), ``passed`` those of
    what is passed or bound, and ``keywords`` the names of keyword arguments;
    ``compared`` the texts and names that something is compared with, in lower case, and ``constants`` the names in
    capitals among them; ``keys`` the keys and elements of literals and the values that class bodies assign, in lower
    case; ``kinds`` the names of the classes of its nodes, and LOOKUP and SPREAD.
    """

    calls: frozenset[str]
    passed: frozenset[str]
    keywords: frozenset[str]
    compared: frozenset[str]
    constants: frozenset[str]
    keys: frozenset[str]
    kinds: frozenset[str]


def shapes_of(text: str) -> tuple[Shape, ...] | None:
    """The shapes of a statement; None where ``ast`` cannot read it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: list[Shape] = []
    functions: list[ast.AST] = [tree]
    while functions:
        function = functions.pop()
        found.append(_shape(function, functions))
    return tuple(found)


def _shape(function: ast.AST, functions: list[ast.AST]) -> Shape:
    """The shape of one function; the functions inside it are put to the others."""
    calls: set[str] = set()
    passed: set[str] = set()
    keywords: set[str] = set()
    compared: set[str] = set()
    constants: set[str] = set()
    keys: set[str] = set()
    kinds: set[str] = set()
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        kinds.add(node.__class__.__name__)
        if isinstance(node, Function):
            functions.append(node)
            continue
        if isinstance(node, ast.Call) and not _looks_up_a_key(node):
            calls.add(_last_name(node.func))
        if isinstance(node, ast.keyword) and node.arg is not None:
            keywords.add(node.arg)
        passed.update(map(_last_name, _handed_on(node)))
        for operand in _operands(node):
            names = list(_texts(operand))
            compared.update(map(str.lower, names))
            constants.update(filter(str.isupper, names))
        keys.update(_keys(node))
        if _is_lookup(node):
            kinds.add(LOOKUP)
        elif _is_spread(node):
            kinds.add(SPREAD)
        stack.extend(ast.iter_child_nodes(node))
    return Shape(*map(frozenset, (calls, passed, keywords, compared, constants, keys, kinds)))


def _handed_on(node: ast.AST) -> Iterator[ast.AST]:
    """What is passed to a call, or bound to a name or a key."""
    if isinstance(node, ast.Call):
        yield from (*node.args, *(keyword.value for keyword in node.keywords))
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield node.value
    elif isinstance(node, ast.Dict):
        yield from node.values
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.arguments):
        yield from (default for default in (*node.defaults, *node.kw_defaults) if default is not None)


def _operands(node: ast.AST) -> Iterator[ast.AST]:
    """What is compared: by operators, by cases, by ``isinstance``, by methods of texts."""
    if isinstance(node, ast.Compare):
        yield from (node.left, *node.comparators)
    elif isinstance(node, ast.MatchValue):
        yield node.value
    elif isinstance(node, ast.MatchClass):
        yield node.cls
    elif isinstance(node, ast.Call):
        if _last_name(node.func) == "isinstance":
            yield from node.args[1:]
        elif _last_name(node.func) in _TEXT_TESTS:
            yield from node.args[:1]


def _texts(operand: ast.AST) -> Iterator[str]:
    for node in ast.walk(operand):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name | ast.Attribute):
            yield _last_name(node)


def _keys(node: ast.AST) -> Iterator[str]:
    values: list[ast.expr | None] = []
    if isinstance(node, ast.ClassDef):
        yield from (target.id.lower() for step in node.body for target in _targets(step))
    if isinstance(node, ast.Dict):
        values = [*node.keys]
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        values = [*node.elts]
    elif isinstance(node, ast.ClassDef):
        values = [step.value for step in node.body if isinstance(step, ast.Assign | ast.AnnAssign)]
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value.lower()


def _targets(step: ast.stmt) -> Iterator[ast.Name]:
    targets = step.targets if isinstance(step, ast.Assign) else [getattr(step, "target", None)]
    yield from (target for target in targets if isinstance(target, ast.Name))


def _is_lookup(node: ast.AST) -> bool:
    """``TABLE[value]``, ``Kind(value)``: with a value that is not written out."""
    if isinstance(node, ast.Subscript):
        return not isinstance(node.slice, ast.Constant | ast.Slice | ast.Tuple)
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return False
    return _last_name(node.func)[:1].isupper() and not isinstance(node.args[0], ast.Constant)


def _is_spread(node: ast.AST) -> bool:
    """``Model(**values)``."""
    return isinstance(node, ast.Call) and not node.args and [keyword.arg for keyword in node.keywords] == [None]


def _looks_up_a_key(call: ast.Call) -> bool:
    """``mapping.get("key")``: a text that is no path."""
    if _last_name(call.func) != "get" or not call.args or len(call.args) + len(call.keywords) > 2:
        return False
    first = call.args[0]
    return isinstance(first, ast.Constant) and isinstance(first.value, str) and "/" not in first.value


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
