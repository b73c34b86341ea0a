"""From text to a list of top-level statements, each parsed by LibCST only when somebody looks into it.

LibCST's parser is native code that recurses: deep or long expressions overflow the stack and take the process down, or
keep it busy for minutes. So every file is gated first (size, then ``ast``, whose own limits are tighter, then
``guards``), and analysis runs on a big stack, for a bounded time (``with_big_stack``).
"""

from __future__ import annotations

import ast
import bisect
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from claude_api_lint.guards import TOO_DEEP, refusal_of_text, refusal_of_tree
from claude_api_lint.shapes import Shape, shapes_of

if TYPE_CHECKING:
    import libcst as cst

    from claude_api_lint.source import Source

T = TypeVar("T")

MAX_TEXT = 4_000_000
"""Characters of a file; a parsed tree costs about a thousand bytes per byte of source."""
MAX_STATEMENT = 1_500_000
"""Characters of one top-level statement that LibCST is asked to parse."""
MAX_SECONDS, MAX_SECONDS_PER_CHARACTER = 30.0, 60e-6
"""Seconds of the processor that a file may take. A program of 50,000 lines and 1.7 million characters, requests all
over, takes about 30; nothing that people write takes as long for its size."""

_STACK = 64 * 1024 * 1024
_RECURSION = 12_000
_GLOBAL = re.compile(r"global(?<!\wglobal)\b")  # a pattern that begins with its text is found faster


class Refused(Exception):
    """The text is not analysed; the message says why."""


@dataclass(eq=False)
class Statement:
    """One top-level statement (or several that share a line), with the comments above it.

    ``first_line`` counts from 1; ``binds`` are the module-level names that it may bind, or None where that is unknown.
    ``defines`` tells that it does nothing but define a function or a class.
    """

    text: str
    first_line: int
    binds: frozenset[str] | None
    defines: bool = False

    def forget(self) -> None:
        """Forget what takes more memory than the text."""
        for name in ("tree", "words", "lowered", "shapes"):
            self.__dict__.pop(name, None)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every identifier-like word of the text: a name that is not among them plays no part in the statement."""
        return frozenset(re.findall(r"\w+", self.text))

    @cached_property
    def lowered(self) -> str:
        """The text in lower case."""
        return self.text.lower()

    @cached_property
    def shapes(self) -> tuple[Shape, ...] | None:
        """What its functions do, at a glance; None where nobody can tell."""
        return shapes_of(self.text)

    @cached_property
    def tree(self) -> cst.Module:
        """The statement as a LibCST module of its own. Raises Refused where LibCST cannot read it."""
        import libcst as cst

        if len(self.text) > MAX_STATEMENT:
            raise Refused(f"the statement at line {self.first_line} is too large to analyse")
        try:
            return cst.parse_module(self.text)
        except cst.ParserSyntaxError as error:
            line = self.first_line + error.raw_line - 1
            raise Refused(f"line {line} is not valid Python ({error.message.split('.')[0]})") from None
        except RecursionError:
            raise Refused(f"the statement at line {self.first_line} is too deeply nested to analyse") from None
        except Exception as error:  # LibCST raises four more types on bad input; each means the same to the user.
            raise Refused(f"the statement at line {self.first_line} cannot be parsed ({error})") from None


def split(source: Source) -> list[Statement]:
    """The top-level statements of a file, in order; together their texts are the whole text.

    Raises Refused for text that no Python could run, or that is too large or too deep to analyse.
    """
    if len(source.text) > MAX_TEXT:
        raise Refused(f"it is too large to analyse ({len(source.text):,} characters; the limit is {MAX_TEXT:,})")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.text)
    except (RecursionError, MemoryError):
        raise Refused(TOO_DEEP) from None
    except (SyntaxError, ValueError) as error:
        return [_unsplit(source, error)]
    if refusal := refusal_of_tree(tree, source):
        raise Refused(refusal)
    return list(_statements(source, tree))


def _statements(source: Source, tree: ast.Module) -> Iterator[Statement]:
    """Cut the text at the ends of the statements' last lines."""
    global_lines = [source.position(match.start())[0] for match in _GLOBAL.finditer(source.text)]
    start, binds, defines = 1, set[str](), True
    for index, node in enumerate(tree.body):
        behind = bisect.bisect_left(global_lines, node.lineno)
        has_globals = behind < len(global_lines) and global_lines[behind] <= (node.end_lineno or node.lineno)
        binds |= _bound_names(node, has_globals)
        defines = defines and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        is_last = index == len(tree.body) - 1
        last = len(source.line_starts) if is_last else node.end_lineno or node.lineno
        if not is_last and _first_line(tree.body[index + 1]) <= last:
            continue  # the next statement shares the line
        yield Statement(source.lines(start, last), start, frozenset(binds), defines)
        start, binds, defines = last + 1, set(), True


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _bound_names(statement: ast.stmt, has_globals: bool) -> set[str]:
    """The module-level names that a statement binds, those that its functions declare global among them."""
    names: set[str] = set()
    stack: list[tuple[ast.AST, bool]] = [(statement, True)]
    while stack:
        node, top_level = stack.pop()
        if isinstance(node, ast.Global):
            names.update(node.names)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            if top_level and not isinstance(node, ast.Lambda):
                names.add(node.name)
            top_level = False
            if not has_globals:
                continue
        if top_level:
            names |= _names_bound_by(node)
        stack.extend((child, top_level) for child in ast.iter_child_nodes(node))
    return names


def _names_bound_by(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return {node.id}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.MatchMapping):
        return {node.rest} if node.rest else set()
    name = getattr(node, "name", None) if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) else None
    return {name} if name else set()


def _unsplit(source: Source, error: Exception) -> Statement:
    """The whole file as one statement: ``ast`` cannot read it, but LibCST may know syntax that is newer."""
    if "\0" in source.text:
        raise Refused("it contains NUL characters, which Python refuses")
    if refusal := refusal_of_text(source.text):
        raise Refused(refusal)
    statement = Statement(source.text, 1, None)
    try:
        statement.tree  # noqa: B018  (asked for its refusal: neither parser can read the text)
    except Refused:
        if isinstance(error, SyntaxError) and error.lineno is not None:
            raise Refused(f"line {error.lineno} is not valid Python ({error.msg})") from None
        raise
    return statement


class TooSlow(BaseException):
    """Ends work that takes too long; no ``except Exception`` on its way stops it."""


def seconds_for(text: str) -> float:
    """How long the analysis of a file may take."""
    return MAX_SECONDS + MAX_SECONDS_PER_CHARACTER * len(text)


def with_big_stack(work: Callable[[], T], seconds: float = MAX_SECONDS) -> T:
    """Run ``work`` in a thread with a 64 MB stack and return (or raise) what it does. Costs about 0.1 ms.

    Raises Refused where it needs more than so many seconds of the processor. LibCST's parser cannot be interrupted:
    ``guards`` keep away from it what would take it long.
    """
    outcome: list[tuple[T | None, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    recursion, stack = sys.getrecursionlimit(), threading.stack_size(_STACK)
    try:
        sys.setrecursionlimit(max(recursion, _RECURSION))
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
    finally:
        threading.stack_size(stack)
    try:
        _join(thread, seconds)
    finally:
        sys.setrecursionlimit(recursion)
    result, error = outcome[0] if outcome else (None, TooSlow())
    if isinstance(error, TooSlow):
        raise Refused(f"it takes more than {seconds:.3g} seconds to analyse; please report this file")
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _join(thread: threading.Thread, seconds: float) -> None:
    """Wait for a thread to end; end it when the process has used so many seconds more."""
    end = time.process_time() + seconds
    while True:
        thread.join(max(0.1, end - time.process_time()))
        if not thread.is_alive():
            return
        if time.process_time() >= end:
            _interrupt(thread)


def _interrupt(thread: threading.Thread) -> None:
    """Raise TooSlow in a thread, where it runs Python; at once, or when the native call that it is in returns."""
    import ctypes

    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TooSlow))
