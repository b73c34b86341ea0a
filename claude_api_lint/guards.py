"""What LibCST's parser must not be given: it is native code that recurses, and nobody can interrupt it.

Deep or long expressions overflow its stack, which takes the process down, or keep it busy for minutes and fill the
memory. The limits are far above what people write, and far below what hurts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from claude_api_lint.source import Source

MAX_DEPTH = 300
"""Levels of ``ast`` nodes. The deepest of 1,196 real files has 140."""
MAX_OPERANDS = 500
"""Operands of one ``and``, ``or`` or comparison. The widest of 1,196 real files has 18."""
MAX_BRACKETS = 100
"""Nested brackets, counted in the text, where ``ast`` cannot read the file."""
MAX_CHAIN = 1_000
"""Operators that nothing separates, counted in the text, where ``ast`` cannot read the file."""
MAX_PATTERN_COST = 1 << 18
"""What the patterns of all ``case`` together may cost; LibCST 1.9 needs about 5 microseconds for one of it."""

TOO_DEEP = "it is too deeply nested to analyse"
TOO_LONG = "it has an expression too long to analyse"

_OPERANDS = {ast.BoolOp: "values", ast.Compare: "comparators"}
_LEAVES = frozenset({ast.Name, ast.Constant, ast.Load, ast.Store})


def refusal_of_tree(tree: ast.Module, source: Source) -> str | None:
    """Why LibCST must not parse a file that ``ast`` could read, or None."""
    pattern_cost = 0
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH + 1):
        for node in level:
            operands = _OPERANDS.get(node.__class__)
            if operands is not None and isinstance(node, ast.expr):
                if len(getattr(node, operands)) > MAX_OPERANDS:
                    return f"line {node.lineno} has an expression too long to analyse"
            elif isinstance(node, ast.Match):
                pattern_cost += sum(_pattern_cost(text) for text in _case_heads(node, source))
                if pattern_cost > MAX_PATTERN_COST:
                    return f"line {node.lineno} has patterns too deeply nested to analyse"
        level = _below(level)
        if not level:
            return None
    return TOO_DEEP


def _below(level: list[ast.AST]) -> list[ast.AST]:
    """The nodes directly below some others. Every node of every file passes here: ``ast.walk`` takes three times as
    long."""
    below: list[ast.AST] = []
    for node in level:
        if node.__class__ in _LEAVES:
            continue
        for name in node._fields:
            value = getattr(node, name, None)
            if value.__class__ is list:
                below += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                below.append(value)
    return below


def refusal_of_text(text: str) -> str | None:
    """Why LibCST must not parse a file that ``ast`` could not read, or None; all that is known is the text."""
    pattern_cost = elifs = 0
    for line in _logical_lines(text):
        if line.deepest > MAX_BRACKETS:
            return TOO_DEEP
        if line.longest_chain > MAX_CHAIN:
            return TOO_LONG
        elifs += line.first_word == "elif"
        pattern_cost += 1 << line.pattern_depth if line.first_word == "case" else 0
        if elifs > MAX_CHAIN or pattern_cost > MAX_PATTERN_COST:
            return TOO_DEEP
    return None


def _case_heads(match: ast.Match, source: Source) -> Iterator[str]:
    """The text of each ``case`` up to its body: ``ast`` does not tell where the parentheses of a pattern are."""
    first = match.subject.end_lineno or match.lineno
    for case in match.cases:
        yield source.lines(first + 1, case.body[0].lineno)
        first = case.body[-1].end_lineno or case.body[-1].lineno


def _pattern_cost(text: str) -> int:
    """LibCST 1.9 reads what is in a bracket of a pattern twice, and what is in a brace four times; so does each
    bracket in it (measured: 20 nested brackets take 8 seconds, 90 take for ever)."""
    return 1 << max((line.pattern_depth for line in _logical_lines(text)), default=0)


# Text that is only skimmed

_TOKEN = re.compile(
    r"""
      (?P<ignored> \#[^\n]* | \\\n )
    | (?P<string> \"\"\"(?:[^\\]|\\.)*?\"\"\" | '''(?:[^\\]|\\.)*?''' | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    | (?P<open> [(\[{] )
    | (?P<close> [)\]}] )
    | (?P<separator> [,;] )
    | (?P<end> \n )
    | (?P<word> \w+ )
    | (?P<operator> [-+*/%~.@|&^<>=!:] )
    """,
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = frozenset("and or not if else for in is lambda await yield".split())


@dataclass
class _LogicalLine:
    """What a logical line (with all lines that its brackets span) has come to."""

    first_word: str | None = None
    deepest: int = 0
    pattern_depth: int = 0
    longest_chain: int = 0
    chains: list[int] = field(default_factory=lambda: [0])
    """The operators so far since the last separator: outside of brackets, and in each open one."""
    weights: list[int] = field(default_factory=list)

    def open(self, bracket: str) -> None:
        self.extend_chain()
        self.chains.append(0)
        self.weights.append(2 if bracket == "{" else 1)
        self.deepest = max(self.deepest, len(self.weights))
        self.pattern_depth = max(self.pattern_depth, sum(self.weights[: MAX_BRACKETS + 1]))

    def close(self) -> None:
        if self.weights:
            self.chains.pop()
            self.weights.pop()

    def extend_chain(self) -> None:
        self.chains[-1] += 1
        self.longest_chain = max(self.longest_chain, self.chains[-1])

    @property
    def is_hopeless(self) -> bool:
        return self.deepest > MAX_BRACKETS or self.longest_chain > MAX_CHAIN


def _logical_lines(text: str) -> Iterator[_LogicalLine]:
    """The logical lines of a text; the first one that is too much is the last.

    Strings in the fields of an f-string that have its own quotes are taken for what they are not; that hides operators
    from somebody who means to hide them, and from nobody else.
    """
    line = _LogicalLine()
    for match in _TOKEN.finditer(text.replace("\r\n", "\n").replace("\r", "\n")):
        kind, token = match.lastgroup, match.group()
        if kind == "word" and line.first_word is None:
            line.first_word = token
        if kind == "open":
            line.open(token)
        elif kind == "close":
            line.close()
        elif kind == "separator":
            line.chains[-1] = 0
        elif kind in ("operator", "string") or token in _OPERATORS:
            line.extend_chain()
        elif kind == "end" and not line.weights:
            yield line
            line = _LogicalLine()
        if line.is_hopeless:
            break
    yield line
