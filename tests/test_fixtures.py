"""The programs in ``fixtures/``: what is found in them, what becomes of them, and what stays silent.

``broken/<code>/`` holds programs whose lines say ``# expect: CAV101`` where a finding starts, ``mended/<code>/`` what
``claude-api-lint fix`` makes of them (without those comments), ``unfixable/<code>/`` programs that are reported and
left to a person, and ``silent/`` programs in which nothing must be found. Those in ``<code>/programs/`` are also run.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from claude_api_lint.fixer import fix_source
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"

EXPECTATION = re.compile(r"# expect: (CAV\d{3}(?:, CAV\d{3})*)$", re.MULTILINE)
EXPECTATION_COMMENT = re.compile(r"[ ]*# expect: .*$", re.MULTILINE)


def programs(kind: str) -> list[Path]:
    return sorted((FIXTURES / kind).rglob("*.py"))


def name(program: Path) -> str:
    return program.relative_to(FIXTURES).with_suffix("").as_posix()


def read(program: Path) -> str:
    return program.read_bytes().decode()


def expected(text: str) -> list[tuple[int, str]]:
    """Line and code of every expectation in a program."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if expectation := EXPECTATION.search(line):
            found += [(number, code) for code in expectation[1].split(", ")]
    return sorted(found)


def stripped(text: str) -> bytes:
    """The program as its author would have written it: without our comments."""
    return EXPECTATION_COMMENT.sub("", text).encode()


def check(source: bytes, path: str) -> list[tuple[int, str]]:
    """Line and code of every finding; a program that is skipped has failed."""
    result = check_source(source, path, Settings())
    assert not result.skipped, f"{path} was skipped: {result.skipped}"
    return sorted((finding.line, finding.code) for finding in result.findings)


def fix(source: bytes, path: str) -> bytes:
    fixed = fix_source(source, path, Settings(unsafe_fixes=True)).source
    assert isinstance(fixed, bytes)
    return fixed


BROKEN = programs("broken")
MENDED = programs("mended")
UNFIXABLE = programs("unfixable")
SILENT = programs("silent")
REPORTED = BROKEN + UNFIXABLE


def each(programs: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("program", programs, ids=name)


def mended_twin(program: Path) -> Path:
    return FIXTURES / "mended" / program.relative_to(FIXTURES / "broken")


@each(REPORTED)
def test_exactly_the_expected_findings_are_reported(program: Path) -> None:
    text = read(program)
    assert check(text.encode(), name(program)) == expected(text)


@each(REPORTED)
def test_findings_stand_where_they_stood_when_our_comments_are_gone(program: Path) -> None:
    text = read(program)
    assert check(stripped(text), name(program)) == expected(text)


@each(REPORTED)
def test_a_noqa_on_every_expected_line_silences_the_program(program: Path) -> None:
    marked = EXPECTATION.sub(r"# noqa: \1", read(program))
    assert check(marked.encode(), name(program)) == []


@each(REPORTED)
def test_a_noqa_on_every_expected_line_keeps_the_fixer_away(program: Path) -> None:
    marked = EXPECTATION.sub(r"# noqa: \1", read(program)).encode()
    assert fix(marked, name(program)) == marked


@each(BROKEN)
def test_fixing_a_broken_program_gives_its_mended_twin(program: Path) -> None:
    assert fix(stripped(read(program)), name(program)).decode() == read(mended_twin(program))


@each(MENDED)
def test_nothing_is_left_to_find_in_a_mended_program(program: Path) -> None:
    assert check(program.read_bytes(), name(program)) == []


@each(MENDED)
def test_fixing_a_mended_program_again_changes_nothing(program: Path) -> None:
    assert fix(program.read_bytes(), name(program)) == program.read_bytes()


@each(UNFIXABLE)
def test_a_program_that_needs_a_person_is_left_alone(program: Path) -> None:
    source = stripped(read(program))
    assert fix(source, name(program)) == source


@each(UNFIXABLE)
def test_a_finding_without_a_fix_says_why(program: Path) -> None:
    for finding in check_source(stripped(read(program)), name(program), Settings()).findings:
        assert finding.fix is None
        assert finding.no_fix_reason


@each(SILENT)
def test_nothing_is_found_in_a_silent_program(program: Path) -> None:
    assert check(program.read_bytes(), name(program)) == []


@each(SILENT)
def test_the_fixer_leaves_a_silent_program_alone(program: Path) -> None:
    assert fix(program.read_bytes(), name(program)) == program.read_bytes()


@each(REPORTED + MENDED + SILENT)
def test_every_program_compiles(program: Path) -> None:
    compile(program.read_bytes(), str(program), "exec")


@each(REPORTED)
def test_a_reported_program_expects_the_code_of_its_folder(program: Path) -> None:
    text = read(program)
    folder = program.relative_to(FIXTURES).parts[1]
    assert folder in {code for _, code in expected(text)}
    assert text.count("# expect") == len(EXPECTATION.findall(text)), "an expectation is misspelled"


@each(MENDED + SILENT)
def test_a_program_without_findings_expects_none(program: Path) -> None:
    assert "# expect" not in read(program)


def test_every_broken_program_has_a_mended_twin_and_the_other_way_round() -> None:
    broken = [program.relative_to(FIXTURES / "broken") for program in BROKEN]
    mended = [program.relative_to(FIXTURES / "mended") for program in MENDED]
    assert broken == mended


def test_no_program_is_both_fixable_and_unfixable() -> None:
    broken = {program.relative_to(FIXTURES / "broken") for program in BROKEN}
    unfixable = {program.relative_to(FIXTURES / "unfixable") for program in UNFIXABLE}
    assert not broken & unfixable


def test_there_are_at_least_as_many_silent_programs_as_reported_ones() -> None:
    assert REPORTED
    assert len(SILENT) >= len(REPORTED)
