"""What must not matter: which face looks, in which order files come, and which fixes meet in one file."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_api_lint.fixer import fix_source
from claude_api_lint.flake8_plugin import Plugin
from claude_api_lint.linter import check_source
from claude_api_lint.output.concise import message
from claude_api_lint.settings import Settings
from commands import REPOSITORY
from test_properties import Program, StreamProgram, compiles, programs, streams, thorough

BROKEN = {path.name: path for path in sorted((REPOSITORY / "fixtures" / "broken").iterdir())}


@settings(thorough, max_examples=40)
@given(programs() | streams())
def test_the_command_and_flake8_say_the_same(program: Program | StreamProgram) -> None:
    text = program.text.removeprefix("\ufeff").replace("\r\n", "\n")  # as flake8 reads it
    theirs = {(line, column + 1, what) for line, column, what, _ in as_flake8_does(text)}
    ours = check_source(program.text.encode(), "program.py", Settings(honour_noqa=False)).findings
    assert theirs == {(finding.line, finding.column, message(finding)) for finding in ours}


def as_flake8_does(text: str) -> list[tuple[int, int, str, type]]:
    return list(Plugin(None, text.splitlines(keepends=True), "program.py").run())  # type: ignore[arg-type]


@settings(thorough, max_examples=15)
@given(st.lists(programs() | streams(), min_size=2, max_size=4), st.randoms())
def test_the_order_of_files_does_not_matter(files: list[Program | StreamProgram], random: object) -> None:
    def checked(order: list[int]) -> dict[int, object]:
        return {n: check_source(files[n].text.encode(), f"program{n}.py", Settings()) for n in order}

    order = list(range(len(files)))
    shuffled = order.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert checked(order) == checked(shuffled)


@settings(thorough, max_examples=25)
@given(programs() | streams(), st.booleans())
def test_every_line_that_no_edit_touches_stays_byte_for_byte(program: Program | StreamProgram, unsafe: bool) -> None:
    data = program.text.encode()
    result = fix_source(data, "program.py", Settings(unsafe_fixes=unsafe))
    touched = {line for finding in result.fixed for line in lines_touched(program.text, finding.fix.edits)}  # type: ignore[union-attr]
    kept = [line for number, line in enumerate(data.splitlines(keepends=True), 1) if number not in touched]
    rest = iter(result.source.splitlines(keepends=True))
    if len(result.fixed) == len(check_source(data, "program.py", Settings()).findings):  # one pass: places still hold
        assert all(line in rest for line in kept)


def lines_touched(text: str, edits: tuple[object, ...]) -> set[int]:
    """The lines, from 1, in which an edit begins, ends, or lies."""
    numbers: set[int] = set()
    for edit in edits:
        first = text.count("\n", 0, edit.start) + 1  # type: ignore[attr-defined]
        last = text.count("\n", 0, edit.end) + 1  # type: ignore[attr-defined]
        numbers.update(range(first, last + 1))
    return numbers


def simplest(code: str) -> str:
    """The shortest broken program of a rule."""
    texts = [path.read_bytes().decode() for path in BROKEN[code].glob("*.py")]
    plain = [text for text in texts if "from __future__" not in text and compiles(text.encode())]
    return min(plain, key=len)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(sorted(BROKEN), 2)))
def test_two_fixers_in_one_file_converge(one: str, other: str) -> None:
    data = f"{simplest(one)}\n\n{simplest(other)}".encode()
    settings = Settings(unsafe_fixes=True)
    result = fix_source(data, "program.py", settings)
    assert result.skipped is None
    assert {one, other} <= {finding.code for finding in result.fixed}
    assert compiles(result.source)
    assert not [finding for finding in result.remaining if finding.fix is not None]
    assert fix_source(result.source, "program.py", settings).source == result.source
