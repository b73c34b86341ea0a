"""Which releases of a distribution a project asks for, by the files that say so beside or above one of its modules.

Only numbers count here, and only whether a release *may* be meant: markers and pre-releases are passed over, and what
is not understood leaves everything open. That is little enough to do without a library for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from claude_api_lint.api.sdk import Release, release

MAX_FOLDERS = 12
"""Folders that are asked, upwards."""
MAX_FILES = 20
"""Files of requirements that are read in one folder."""
MAX_SIZE = 1 << 20
"""Larger files say other things."""

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*")
_CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>|\^|~|)\s*v?(\d{1,9}(?:\.\d{1,9})*)(?!\.?\d)(\.\*)?[^,\s]*")


@dataclass(frozen=True)
class Span:
    """The releases from ``low`` on, up to ``high``, which is not among them; None where there is no end."""

    low: Release = ()
    high: Release | None = None

    def __and__(self, other: Span) -> Span:
        highs = [high for high in (self.high, other.high) if high is not None]
        return Span(max(self.low, other.low), min(highs, default=None))

    @property
    def is_empty(self) -> bool:
        return self.high is not None and self.low >= self.high


EVERYTHING = Span()


def required(path: str, distribution: str) -> tuple[Span, ...]:
    """The releases of a distribution that the project of a file may run with.

    The nearest folder counts in which a pyproject.toml, a setup.cfg or a requirements*.txt names the distribution.
    Where none does, or none can be read, everything is left open. Never raises.
    """
    folder = os.path.dirname(os.path.abspath(path))
    for _ in range(MAX_FOLDERS):
        specifiers = [text for name, text in _stated_in(folder) if _normal(name) == distribution]
        if specifiers:
            return tuple(span(text) for text in specifiers)
        parent = os.path.dirname(folder)
        if parent == folder or os.path.exists(os.path.join(folder, ".git")):
            break
        folder = parent
    return (EVERYTHING,)


def span(specifier: str) -> Span:
    """The releases that ``>=0.39,<1`` or ``^0.39`` lets in; everything where it is not understood, or lets in none."""
    allowed = EVERYTHING
    for clause in filter(None, (part.strip() for part in specifier.split(","))):
        match = _CLAUSE.fullmatch(clause)
        if clause == "*":
            continue
        if match is None:
            return EVERYTHING
        allowed &= _span(match[1] or "==", match[2], wildcard=bool(match[3]))
    return EVERYTHING if allowed.is_empty else allowed


def _span(operator: str, text: str, *, wildcard: bool) -> Span:
    low = release(text) or ()
    numbers = tuple(map(int, text.split(".")))
    if operator == "~=":
        return Span(low, _next(numbers[:-1] or numbers))
    if operator == "~":
        return Span(low, _next(numbers[:2]))
    if operator == "^":
        leading = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
        return Span(low, _next(numbers[: leading + 1]))
    if operator in ("==", "==="):
        return Span(low, _next(numbers) if wildcard else _just_above(low))
    if operator in ("<", "<="):
        return Span(high=low if operator == "<" else _just_above(low))
    return Span(low) if operator in (">", ">=") else EVERYTHING  # != leaves out too little to matter


def _next(numbers: Release) -> Release:
    """The first release that does not begin with these numbers."""
    return (*numbers[:-1], numbers[-1] + 1)


def _just_above(low: Release) -> Release:
    return (*low, 0, 0, 0, 1)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# Reading files


def _stated_in(folder: str) -> Iterator[tuple[str, str]]:
    """The distributions that the files of a folder ask for, each with its specifier."""
    for name, read in _READERS.items():
        yield from _read(os.path.join(folder, name), read)
    for name in _requirement_files(folder):
        yield from _read(os.path.join(folder, name), _in_requirements)


def _requirement_files(folder: str) -> list[str]:
    try:
        names = [name for name in os.listdir(folder) if name.startswith("requirements") and name.endswith(".txt")]
    except OSError:
        return []
    return sorted(names)[:MAX_FILES]


def _read(path: str, reader: Reader) -> Iterable[tuple[str, str]]:
    """What one file asks for; nothing where it is missing, or is not what it should be."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > MAX_SIZE:
            return []
        with open(path, encoding="utf-8-sig") as file:
            return list(reader(file.read()))
    except (OSError, ValueError, RecursionError):  # a broken file is not for us to complain of
        return []


def _in_pyproject(text: str) -> Iterator[tuple[str, str]]:
    import tomli

    document = tomli.loads(text)
    project, poetry = _table(document, "project"), _table(document, "tool", "poetry")
    yield from _lines(project.get("dependencies"))
    for groups in (_table(project, "optional-dependencies"), _table(document, "dependency-groups")):
        for group in groups.values():
            yield from _lines(group)
    yield from _entries(_table(poetry, "dependencies"))
    for name in _table(poetry, "group"):
        yield from _entries(_table(poetry, "group", name, "dependencies"))


def _in_setup_cfg(text: str) -> Iterator[tuple[str, str]]:
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    if parser.has_option("options", "install_requires"):
        yield from _lines(parser.get("options", "install_requires").splitlines())
    if parser.has_section("options.extras_require"):
        for _, extra in parser.items("options.extras_require"):
            yield from _lines(extra.splitlines())


def _in_requirements(text: str) -> Iterator[tuple[str, str]]:
    return _lines(re.sub(r"\\\r?\n", " ", text).splitlines())


def _lines(lines: object) -> Iterator[tuple[str, str]]:
    """The requirements among the items of a list: ``anthropic[bedrock] (>=0.39) ; python_version > "3.8"``."""
    for line in lines if isinstance(lines, list) else ():
        match = _NAME.match(line) if isinstance(line, str) else None
        if match is not None:
            specifier = re.split(r";|\s#|\s--", line[match.end() :], maxsplit=1)[0]
            yield match[1], specifier.strip().strip("()")


def _entries(table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Poetry's way: the specifier by the name, or a table that may have it as its version."""
    for name, value in table.items():
        stated = value.get("version", "*") if isinstance(value, dict) else value
        yield name, stated if isinstance(stated, str) else "*"


def _table(table: Mapping[str, object], *keys: str) -> Mapping[str, object]:
    """The table within a table that the keys lead to; an empty one where there is none."""
    for key in keys:
        inner = table.get(key)
        table = inner if isinstance(inner, dict) else {}
    return table


Reader = Callable[[str], Iterable[tuple[str, str]]]
_READERS: dict[str, Reader] = {"pyproject.toml": _in_pyproject, "setup.cfg": _in_setup_cfg}
