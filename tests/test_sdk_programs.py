"""Programs that use the newest official SDK, run against the server: an addition breaks them, until they are fixed.

Those in ``fixtures/sdk_programs`` are as those in ``fixtures/broken/*/programs``, but tests install their client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import test_server_sdk
from commands import REPOSITORY
from harness import Program, Sandbox
from server import ApiServer, Authority
from server.future import BLOCK_TYPE, DELTA_TYPE, EVENT_TYPE, STOP_REASON
from test_fixtures import EXPECTATION, check, expected, read

PROGRAMS = [Program(path) for path in sorted((REPOSITORY / "fixtures" / "sdk_programs").glob("*.py"))]
ADDITIONS = (BLOCK_TYPE, DELTA_TYPE, EVENT_TYPE, STOP_REASON)

each_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)

environments = test_server_sdk.environments
newest = test_server_sdk.newest


def with_the_sdk(test: Callable[..., None]) -> Callable[..., None]:
    """A test that needs the SDK: marked, and kept to the process that installs it, as the tests of the server are."""
    for mark in test_server_sdk.pytestmark:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def today(authority: Authority, newest: Path) -> Iterator[Sandbox]:
    with ApiServer(authority) as server:
        yield Sandbox(server, newest, patience=10, limit=60)
    assert server.failures == []


@pytest.fixture
def future(authority: Authority, newest: Path) -> Iterator[Sandbox]:
    with ApiServer(authority, future=True) as server:
        yield Sandbox(server, newest, patience=10, limit=60)
    assert server.failures == []


# What is found


@each_program
def test_exactly_the_expected_findings_are_reported(program: Program) -> None:
    text = read(program.path)
    assert check(text.encode(), program.path.name) == expected(text) != []
    assert check(program.broken, program.path.name) == expected(text)
    assert text.count("# expect") == len(EXPECTATION.findall(text)), "an expectation is misspelled"


@each_program
def test_nothing_is_left_to_find_in_a_fixed_program(program: Program) -> None:
    assert program.fixed != program.broken
    assert check(program.fixed, program.path.name) == []


@each_program
def test_a_program_is_harmless_only_where_a_match_lets_other_values_pass(program: Program) -> None:
    assert program.is_harmless is (codes(program) == {"CAV402"})


def test_each_rule_has_a_program_and_so_has_each_way_to_ask() -> None:
    assert set().union(*map(codes, PROGRAMS)) == {"CAV401", "CAV402", "CAV403"}
    assert {program.client for program in PROGRAMS} == {"anthropic"}
    sources = b"\n".join(program.broken for program in PROGRAMS)
    for way in (b"Anthropic()", b"AsyncAnthropic(", b"messages.create(", b"messages.stream(", b"stream=True"):
        assert way in sources


def codes(program: Program) -> set[str]:
    return {code for _, code in expected(read(program.path))}


# What comes of it


@with_the_sdk
@each_program
def test_a_broken_program_is_right_today(program: Program, today: Sandbox) -> None:
    outcome = today.run(program.broken)
    assert outcome.is_answer(program.answer), outcome.description


@with_the_sdk
@each_program
def test_a_broken_program_raises_at_what_is_new(program: Program, future: Sandbox) -> None:
    outcome = future.run(program.broken)
    if program.is_harmless:
        assert outcome.is_answer(program.answer), outcome.description
        return
    assert outcome.raised, outcome.description
    assert any(addition in outcome.error for addition in ADDITIONS), outcome.description


@with_the_sdk
@each_program
def test_the_fixed_program_is_right_today(program: Program, today: Sandbox) -> None:
    outcome = today.run(program.fixed)
    assert outcome.is_answer(program.answer), outcome.description


@with_the_sdk
@each_program
def test_the_fixed_program_is_right_in_the_future_as_well(program: Program, future: Sandbox) -> None:
    outcome = future.run(program.fixed)
    assert outcome.is_answer(program.answer), outcome.description
