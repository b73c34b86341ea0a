"""What IPython adds to Python, hidden from the linter: ``%magic``, ``!command``, ``help?``, ``x = !command``.

A text that is Python already is left alone; so are strings, and lines that continue others. What is hidden keeps its
length, so that no place in the text moves. https://ipython.readthedocs.io/en/stable/interactive/reference.html
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Generator, Iterator

from claude_api_lint.embedded import PLACEHOLDER, Hidden

_CELL_MAGIC = re.compile(r"\s*%%(\w*)[^\n]*\n?")
# The cell magics of IPython whose body is Python that runs in the notebook, and those whose body is anything else. Of
# the others, which extensions bring, nobody knows; a body that is Python is most likely run as such.
_PYTHON_CELLS = frozenset({"capture", "debug", "prun", "time", "timeit"})
_OTHER_CELLS = frozenset(
    "HTML SVG bash cmd file html javascript js latex markdown perl pypy python python2 python3 ruby script sh svg sx"
    " system writefile".split()
)

# What Databricks writes in the first line of a cell in another language.
_OTHER_LANGUAGE = re.compile(r"\s*%(?:fs|md|r|scala|sh|sql)[ \t]*\r?\n")

# In a cell of one line, these need no per cent sign: IPython's "automagic" and its aliases of shell commands.
_AUTOMAGIC = re.compile(
    r"\s*(?:alias|cat|cd|clear|conda|cp|env|less|ll|load_ext|ls|mamba|man|matplotlib|mkdir|more|mv|pip|pwd|pylab|rm"
    r"|rmdir|run|uv|who|whos)\b[^\n=(]*\s*"
)

_REST = r"(?:\\\r?\n|[^\r\n])*"
_LINE_END = re.compile(r"\r?\n|\r")
_COMMAND = re.compile(rf"[ \t]*(?P<command>[%!?,;/]{_REST})")
_TIMED = re.compile(r"%(?:prun|time|timeit)[ \t]+(?=[^\s-])")
_PART = re.compile(
    rf"""
    (?P<string> '''(?:\\.|[^\\])*?''' | \"""(?:\\.|[^\\])*?\""" | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" )
    | (?P<comment> \#[^\r\n]* )
    | (?P<open> [(\[{{] )
    | (?P<close> [)\]}}] )
    | (?P<assignment> (?<![=<>!:])=[ \t]* (?P<command>[%!]{_REST}) )
    | (?P<help> \?\??[ \t]*(?=\r?\n|\Z) )
    | (?P<continued> \\\r?\n )
    | (?P<end> \r?\n )
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def is_python_cell(source: str) -> bool:
    """Whether a cell of a Python notebook is in Python, as far as its first lines say."""
    position, names = 0, set()
    while magic := _CELL_MAGIC.match(source, position):
        names.add(magic[1])
        position = magic.end()
    if "" in names or names & _OTHER_CELLS or _OTHER_LANGUAGE.match(source, position):
        return False
    return names <= _PYTHON_CELLS or is_python(hide_commands(source)[0])


def hide_commands(source: str) -> tuple[str, tuple[Hidden, ...]]:
    """The source as plain Python, as long as it was, and what is hidden in it."""
    if is_python(source):
        return source, ()
    if _AUTOMAGIC.fullmatch(source):
        found = [Hidden(0, len(source), len(source))]
    else:
        start = _after_cell_magics(source)
        found = [Hidden(-1, start, start)] if start else []  # nothing can be written before a cell magic, either
        found += _commands(source, start)
    pieces, position = [], 0
    for hidden in found:
        first = max(hidden.start, 0)
        pieces += [source[position:first], _blank(source[first : hidden.code])]
        if hidden.code < hidden.end:
            pieces[-1] = pieces[-1][:-1] + ";"
        position = hidden.code
    return "".join([*pieces, source[position:]]), tuple(found)


def is_python(text: str) -> bool:
    """Whether this Python can parse the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _after_cell_magics(source: str) -> int:
    position = 0
    while magic := _CELL_MAGIC.match(source, position):
        position = magic.end()
    return position


def _commands(source: str, position: int) -> Iterator[Hidden]:
    """The commands of a source, from the beginning of a logical line on."""
    while position < len(source):
        command = _COMMAND.match(source, position)
        if command is None:
            position = yield from _in_logical_line(source, position)
            continue
        start, end = command.span("command")
        yield Hidden(start, end, _code_after(source, start, end))
        line_end = _LINE_END.match(source, end)
        position = line_end.end() if line_end else end


def _in_logical_line(source: str, start: int) -> Generator[Hidden, None, int]:
    """The command in a line of Python, if there is one; gives back where the next line begins."""
    depth, position = 0, start
    while part := _PART.match(source, position):
        position = part.end()
        kind = part.lastgroup
        if kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
        elif part["command"] and depth <= 0:
            yield Hidden(part.start("command"), part.end("command"), part.end("command"))
        elif kind == "help" and depth <= 0:
            indentation = len(source[start:]) - len(source[start:].lstrip())
            yield Hidden(start + indentation, part.end(), part.end())
        elif kind == "end" and depth <= 0:
            break
    return position


def _code_after(source: str, start: int, end: int) -> int:
    """Where the Python of ``%time f()`` begins, which runs in the notebook; the end for other commands."""
    timed = _TIMED.match(source, start, end)
    if timed is None or not is_python(f"{PLACEHOLDER};{source[timed.end() : end]}"):
        return end
    return timed.end()


def _blank(text: str) -> str:
    """What stands for a command: the placeholder, and spaces."""
    blank = re.sub(r"[^\r\n]", " ", text)
    first = len(text) - len(text.lstrip())
    return blank[:first] + PLACEHOLDER + blank[first + 1 :]
