"""Jupyter notebooks: the Python cells of one share their names, as in the kernel that runs them in order.

What the linter and the fixer see is one text of all cells. Edits are made in the JSON text of the file, inside the
source of the cells that they change; nothing else is written anew.
https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from claude_api_lint.embedded import Hidden, Piece, check_pieces, decoded, refusal
from claude_api_lint.findings import Edit
from claude_api_lint.ipython_commands import hide_commands, is_python_cell
from claude_api_lint.json_spans import JsonText, elements, members
from claude_api_lint.linter import CheckResult
from claude_api_lint.prefilter import mentions_api
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source

if TYPE_CHECKING:
    from claude_api_lint.fixer import FixResult

_PYTHON = frozenset({"ipython", "python"})


class NotANotebook(Exception):
    """The bytes are no notebook that can be read; the message says why, and what to do."""


@dataclass(frozen=True)
class Layout:
    """Where a version of the format has its cells, and their code."""

    sheets: str | None
    source: str


_LAYOUTS = {3: Layout("worksheets", "input"), 4: Layout(None, "source")}


def check_notebook(data: bytes, path: str, settings: Settings) -> CheckResult:
    """Check the bytes of a notebook. Never raises for bad input."""
    try:
        return _check(_decoded(data).text, path, settings)
    except NotANotebook as error:
        return CheckResult(skipped=str(error))


def fix_notebook(data: bytes, path: str, settings: Settings) -> FixResult:
    """Fix the bytes of a notebook as far as ``settings`` allows."""
    from claude_api_lint.fixer import FixResult, Reading, fix_decoded

    reading = Reading(lambda text: _check(text, path, settings), lambda text: len(_read(text).unreadable))
    try:
        return fix_decoded(data, _decoded(data), reading, settings)
    except NotANotebook as error:
        return FixResult(data, skipped=str(error))


@dataclass(frozen=True)
class File:
    """The JSON text of a notebook."""

    text: str
    layout: Layout

    @cached_property
    def cells(self) -> list[int]:
        """Where each cell begins."""
        sheets = [members(self.text, self.text.index("{"))]
        if self.layout.sheets is not None:
            sheets = [members(self.text, start) for start, _ in elements(self.text, sheets[0][self.layout.sheets])]
        return [start for sheet in sheets for start, _ in elements(self.text, sheet["cells"])]

    def source_of(self, cell: int) -> JsonText:
        """The source of a cell (from 1)."""
        return JsonText(self.text, members(self.text, self.cells[cell - 1])[self.layout.source])


@dataclass(frozen=True, eq=False)
class Cell(Piece):
    """A cell with Python code."""

    file: File
    number: int
    text: str
    hidden: tuple[Hidden, ...]

    @property
    def cell(self) -> int:
        return self.number

    def place(self, line: int, column: int) -> tuple[int, int]:
        return line, column

    def offset(self, offset: int) -> int:
        return self._source.offset(offset)

    def outside(self, edit: Edit) -> Edit:
        text = self._source.written(edit.text, is_last=edit.end == len(self.text))
        return Edit(self.offset(edit.start), self.offset(edit.end), text)

    @cached_property
    def _source(self) -> JsonText:
        return self.file.source_of(self.number)


@dataclass(frozen=True)
class Notebook:
    """The cells that hold Python, and by their number those that should and cannot be read, with the reason."""

    cells: tuple[Cell, ...]
    unreadable: Mapping[int, str]


def _check(text: str, path: str, settings: Settings) -> CheckResult:
    notebook = _read(text)
    result = check_pieces(notebook.cells, path, settings)
    skipped = [f"cell {cell} was left out: {reason}" for cell, reason in notebook.unreadable.items()]
    if result.skipped:
        skipped.append(result.skipped)
    return CheckResult(result.findings, "; ".join(skipped) or None)


def _decoded(data: bytes) -> Source:
    try:
        return decoded(data)
    except UnicodeDecodeError as error:
        raise NotANotebook(f"it is not a notebook ({error}); save it as UTF-8") from None


def _read(text: str) -> Notebook:
    """The notebook in a JSON text. Raises NotANotebook."""
    document = _parsed(text)
    layout = _LAYOUTS[document["nbformat"]]
    sources = list(_sources(document, layout)) if _is_python(document) else []
    if not any(mentions_api(source.encode("utf-8", "surrogatepass")) for _, source in sources):
        return Notebook((), {})  # what is said in texts and outputs is nothing to us
    file = File(text, layout)
    cells: list[Cell] = []
    unreadable: dict[int, str] = {}
    for number, source in sources:
        shown, hidden = hide_commands(source)
        reason = refusal(shown)
        if reason is None:
            cells.append(Cell(file, number, shown, hidden))
        else:
            unreadable[number] = reason
    return Notebook(tuple(cells), unreadable)


def _parsed(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotANotebook(f"it is not a notebook (no JSON: {error}); save it again with Jupyter") from None
    version = document.get("nbformat") if isinstance(document, dict) else None
    if version is None:
        raise NotANotebook('it is not a notebook (it has no "nbformat"); exclude it, or give it another name')
    if type(version) is not int or version not in _LAYOUTS:
        raise NotANotebook(f"it is a notebook of version {version!r}; open it with Jupyter and save it as version 4")
    assert isinstance(document, dict)
    return document


def _is_python(document: Mapping[str, Any]) -> bool:
    """Whether the kernel of a notebook speaks Python; so it does where nothing is said."""
    metadata = document.get("metadata")
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        language = _get(metadata, key, name)
        if language is not None:
            return str(language).lower() in _PYTHON
    return True


def _sources(document: Mapping[str, Any], layout: Layout) -> Iterator[tuple[int, str]]:
    """The code of the Python cells that have any, by the number of the cell."""
    try:
        sheets = [document] if layout.sheets is None else document[layout.sheets]
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        for number, cell in enumerate(cells, start=1):
            if cell["cell_type"] == "code" and _is_python_by_its_metadata(cell):
                source = "".join(cell[layout.source])
                if source.strip() and is_python_cell(source):
                    yield number, source
    except (KeyError, TypeError, AttributeError):
        raise NotANotebook("its cells are not those of a notebook; open it with Jupyter and save it again") from None


def _is_python_by_its_metadata(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is in the language of the kernel: version 3, and Visual Studio Code, let each have its own."""
    language = cell.get("language") or _get(cell.get("metadata"), "vscode", "languageId")
    return language is None or str(language).lower() in _PYTHON


def _get(value: object, *keys: str) -> object:
    """What nested objects hold under these keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
