"""The programs in ``fixtures/broken/*/programs``, run against the server: they fail, are fixed, and give the answer.

They are not changed for it: they say ``https://api.anthropic.com``, and for their process that is the server.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commands import REPOSITORY
from harness import Outcome, Program, Sandbox, programs, table
from server import ApiServer, Authority

PROGRAMS = programs()

each_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: f"{program.code}/{program.name}")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def today(authority: Authority) -> Iterator[Sandbox]:
    with ApiServer(authority) as server:
        yield Sandbox(server)
    assert server.failures == []


@pytest.fixture(scope="module")
def future(authority: Authority) -> Iterator[Sandbox]:
    with ApiServer(authority, future=True) as server:
        yield Sandbox(server)
    assert server.failures == []


@each_program
def test_a_broken_program_does_not_give_the_answer(program: Program, today: Sandbox) -> None:
    outcome = today.run(program.broken)
    assert outcome.is_answer(program.answer) is program.is_right_today, outcome.description


@each_program
def test_a_broken_program_does_not_give_the_answer_in_the_future(program: Program, future: Sandbox) -> None:
    if not program.is_right_today or program.is_harmless:
        return  # what is wrong today has been shown; what is harmless stays so
    outcome = future.run(program.broken)
    assert not outcome.is_answer(program.answer), outcome.description


@each_program
def test_the_fixed_program_gives_the_answer(program: Program, today: Sandbox) -> None:
    outcome = today.run(program.fixed)
    assert outcome.is_answer(program.answer), outcome.description


@each_program
def test_the_fixed_program_gives_the_answer_in_the_future_as_well(program: Program, future: Sandbox) -> None:
    outcome = future.run(program.fixed)
    assert outcome.is_answer(program.answer), outcome.description


def test_the_clients_that_people_use_are_among_the_programs() -> None:
    assert {"requests", "httpx", "aiohttp", "urllib.request"} <= {program.client for program in PROGRAMS}


# The table in the docs


@pytest.fixture(scope="module")
def rows() -> list[table.Row]:
    return list(table.parse((REPOSITORY / "docs" / "programs.md").read_text(encoding="utf-8")))


def test_the_table_lists_exactly_the_programs_that_there_are(rows: list[table.Row]) -> None:
    listed = [(row.code, row.name, row.client) for row in rows]
    assert listed == [(program.code, program.name, program.client) for program in PROGRAMS], "make docs/programs.md"


def test_the_table_says_that_every_fixed_program_gives_the_answer(rows: list[table.Row]) -> None:
    for program, row in zip(PROGRAMS, rows, strict=True):
        assert {row.after, row.after_future} == {table.right(program)}, "make docs/programs.md"


def test_the_table_says_that_no_broken_program_gives_the_answer(rows: list[table.Row]) -> None:
    for program, row in zip(PROGRAMS, rows, strict=True):
        assert (row.before == table.right(program)) is program.is_right_today, "make docs/programs.md"


def test_a_page_can_be_read_as_it_was_written() -> None:
    told = table.described(Outcome("a | b ` c\n", "", 0))
    rows = [
        table.Row("CAV201", "one", "httpx", "`hangs`", "`hangs`", told, told),
        table.Row("CAV301", "two", "requests", "`hangs`", "`hangs`", told, told),
    ]
    assert list(table.parse(table.page(rows))) == rows
