"""Walking LibCST trees fast: a stack instead of visitors, and no look at whitespace."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache

import libcst as cst

_LAYOUT = ("whitespace", "lpar", "rpar", "lbrac", "rbrac", "lbrace", "rbrace", "comma", "semicolon", "colon", "equal")
_LAYOUT_NAMES = frozenset(
    {"leading_lines", "lines_after_decorators", "trailing_whitespace", "header", "footer", "indent", "dot"}
)

_PLAIN = frozenset({str, bool, "str", "bool"})

Scope = cst.FunctionDef | cst.Lambda | cst.ClassDef
_SCOPES = frozenset({cst.FunctionDef, cst.Lambda, cst.ClassDef})
# Told by the class itself, here and wherever many nodes are asked: an ``isinstance`` costs a microsecond, as LibCST's
# classes are abstract base classes to Python.
TARGETING = frozenset({cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For})
NAMING = frozenset({cst.FunctionDef, cst.ClassDef, cst.ImportAlias, cst.MatchAs, cst.MatchStar, cst.MatchMapping})
COMPREHENSIONS = frozenset({cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp})
_OF_A_WHOLE = frozenset({cst.Attribute, cst.Subscript})
ADDING_METHODS = frozenset("update setdefault append extend insert add".split())
"""The methods that put something into a dict, a list or a set."""
CHANGING_METHODS = ADDING_METHODS | {"pop", "popitem", "clear"}
"""The methods that change a dict, a list or a set in place."""
SmallOrCompound = cst.BaseSmallStatement | cst.BaseCompoundStatement


@cache
def _child_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node class that can hold code, in source order."""
    fields = [field for field in dataclasses.fields(kind) if field.type not in _PLAIN]
    names = [field.name for field in fields if not field.name.startswith(_LAYOUT)]
    names = [name for name in names if name not in _LAYOUT_NAMES]
    if kind is cst.Call:
        return ("func", "args")
    if kind is cst.IfExp:
        return ("test", "body", "orelse")
    if kind in COMPREHENSIONS:
        return tuple(sorted(names, key=lambda name: name != "for_in"))
    return tuple(names)


@cache
def _is_node(kind: type) -> bool:
    """``isinstance`` of an abstract base class is slow enough to show; classes are few."""
    return issubclass(kind, cst.CSTNode)


@cache
def is_statement(kind: type) -> bool:
    """Whether the nodes of a class are statements, small or compound."""
    return issubclass(kind, cst.BaseStatement | cst.BaseSmallStatement)


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The nodes directly below that hold code, in source order."""
    below: list[cst.CSTNode] = []
    for name in _child_fields(node.__class__):
        value = getattr(node, name)
        kind = value.__class__
        if kind is list or kind is tuple:
            below += [item for item in value if _is_node(item.__class__)]
        elif _is_node(kind):
            below.append(value)
    return below


def walk(
    root: cst.CSTNode, *, into_scopes: bool = True, apart: frozenset[cst.CSTNode] = frozenset()
) -> Iterator[cst.CSTNode]:
    """The nodes of a tree in source order; without ``into_scopes`` not those of nested functions and classes, and never
    what stands below those set ``apart``.
    """
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if not into_scopes and node.__class__ in _SCOPES and node is not root:
            continue
        if apart and node in apart:
            continue
        stack += reversed(children(node))


def dotted(node: cst.CSTNode) -> str | None:
    """``a.b.c`` for a chain of attributes that starts at a name, else None."""
    names: list[str] = []
    while node.__class__ is cst.Attribute:
        names.append(node.attr.value)
        node = node.value
    if node.__class__ is not cst.Name:
        return None
    return ".".join([node.value, *reversed(names)])


def target_names(target: cst.CSTNode) -> list[str]:
    """The dotted names that an assignment to a target binds, those inside tuples and lists among them."""
    if isinstance(target, cst.Tuple | cst.List):
        return [name for element in target.elements for name in target_names(element.value)]
    name = dotted(target)
    return [name] if name else []


def bound_by(node: cst.CSTNode) -> Iterator[str]:
    """The names that one node binds, those inside it not counted."""
    if node.__class__ in TARGETING:
        yield from target_names(node.target)
    elif node.__class__ is cst.AsName:
        yield from target_names(node.name)
    elif node.__class__ in NAMING:
        yield from named_by(node)


def named_by(node: cst.CSTNode) -> Iterator[str]:
    """The names that a definition, an import without ``as`` or a pattern binds: one of the classes in ``NAMING``."""
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        yield node.name.value
    elif isinstance(node, cst.ImportAlias) and node.asname is None:
        yield (dotted(node.name) or "").split(".")[0]
    elif isinstance(node, cst.MatchAs | cst.MatchStar) and node.name is not None:
        yield node.name.value
    elif isinstance(node, cst.MatchMapping) and node.rest is not None:
        yield node.rest.value


def last_name(node: cst.CSTNode) -> str | None:
    """``c`` of ``a.b.c`` and of ``f().c``; None for what is neither name nor attribute."""
    if node.__class__ is cst.Attribute:
        return str(node.attr.value)
    return str(node.value) if node.__class__ is cst.Name else None


def root_name(node: cst.CSTNode) -> str | None:
    """``a`` of ``a``, ``a.b``, ``a().b`` and ``a[0].b``; None where the beginning is no name."""
    while node.__class__ is not cst.Name:
        if node.__class__ in _OF_A_WHOLE:
            node = node.value
        elif node.__class__ is cst.Call:
            node = node.func
        else:
            return None
    return str(node.value)


def string_value(node: cst.CSTNode) -> str | bytes | None:
    """The value of a string literal without holes, adjacent literals glued; None for anything else."""
    if isinstance(node, cst.SimpleString):
        value = literal_value(node)
        return value if isinstance(value, str | bytes) else None
    if isinstance(node, cst.ConcatenatedString):
        left, right = string_value(node.left), string_value(node.right)
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(left, bytes) and isinstance(right, bytes):
            return left + right
    return None


def literal_value(node: cst.SimpleString | cst.Integer | cst.Float) -> str | bytes | float | None:
    """The value of a literal; None for one that LibCST takes and Python does not (a bad escape, too many digits)."""
    if isinstance(node, cst.SimpleString) and not node.prefix and "\\" not in node.value and "\r" not in node.value:
        return node.raw_value  # nothing to compile, as it is with nearly every string
    try:
        return node.evaluated_value
    except (SyntaxError, ValueError):
        return None


def is_literal(node: cst.CSTNode) -> bool:
    """Whether an expression says its own value: a text, a number, ``None``, ``True`` or ``False``."""
    if isinstance(node, cst.Name):
        return node.value in ("None", "True", "False")
    return isinstance(node, cst.BaseNumber | cst.SimpleString | cst.ConcatenatedString)


def is_irrefutable(case: cst.MatchCase) -> bool:
    """Whether a case takes every value: ``case _:``, ``case other:``, ``case _ as other:``, ``case "a" | _:``."""
    return case.guard is None and takes_everything(case.pattern)


def takes_everything(pattern: cst.MatchPattern) -> bool:
    """Whether a pattern matches every value; of alternatives only the last one can."""
    if isinstance(pattern, cst.MatchOr):
        return takes_everything(pattern.patterns[-1].pattern)
    return isinstance(pattern, cst.MatchAs) and (pattern.pattern is None or takes_everything(pattern.pattern))


def code_of(node: cst.CSTNode) -> str:
    """The source text of a node."""
    return cst.Module(body=()).code_for_node(node)
