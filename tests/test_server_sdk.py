"""The API server as clients see it that nobody here wrote: the official SDK, two old ones and the newest.

Each has an environment of its own, which is kept in the cache of pytest, and is run in the sandbox as any program.
"""

from __future__ import annotations

import ast
import sys
import venv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from claude_api_lint.api import load_catalog
from commands import run
from harness import Outcome, Sandbox
from server import ApiServer, Authority

pytestmark = [pytest.mark.index, pytest.mark.xdist_group("sdk")]  # each environment is made once

SECONDS_TO_INSTALL = 300


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(params=["today", "future"])
def server(request: pytest.FixtureRequest, authority: Authority) -> Iterator[ApiServer]:
    with ApiServer(authority, future=request.param == "future") as server:
        yield server
    assert server.failures == []


@pytest.fixture(scope="session")
def environments(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the environments are kept."""
    kept: pytest.Cache | None = getattr(request.config, "cache", None)  # it can be switched off
    return kept.mkdir("sdk") if kept else tmp_path_factory.mktemp("sdk")


def python_with(packages: tuple[str, ...], environments: Path) -> Path:
    """The Python of an environment with these packages; where they cannot be had, the test is skipped."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = environments / "-".join([version, *packages])
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if reason := why_not_installed(python, folder, packages):
        pytest.skip(f"pip cannot install {' '.join(packages)}: {reason}")
    return python


@cache
def why_not_installed(python: Path, folder: Path, packages: tuple[str, ...]) -> str:
    """Make the environment, or bring it up to date; where that fails, what pip says. It is tried once for all tests."""
    if not python.exists():
        venv.create(folder, with_pip=True)
    command = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", *packages)
    done = run(python, *command, cwd=folder, timeout=SECONDS_TO_INSTALL)
    return done.stderr.decode(errors="replace").strip().rpartition("\n")[2] if done.returncode else ""


@pytest.fixture
def first(environments: Path) -> Path:
    """The first SDK: the only one that says that it wants the first version."""
    return python_with(("anthropic==0.2.10",), environments)


@pytest.fixture
def later(environments: Path) -> Path:
    """A later one. httpx 0.28 does not know all of the arguments that it gives."""
    return python_with(("anthropic==0.3.11", "httpx==0.27.2"), environments)


@pytest.fixture
def newest(environments: Path) -> Path:
    """The newest."""
    return python_with(("anthropic",), environments)


def ask(server: ApiServer, python: Path, program: str) -> Outcome:
    """Run a program with an SDK, which may wait before it tries again."""
    return Sandbox(server, python, patience=10, limit=60).run(program)


def told(outcome: Outcome) -> list[Any]:
    """What a program printed: Python values, one in a line."""
    assert outcome.exit_code == 0, outcome.description
    return [ast.literal_eval(line) for line in outcome.stdout.splitlines()]


def versions(server: ApiServer) -> set[str]:
    """The versions that were asked for."""
    return {value for received in server.received for value in received.values("anthropic-version")}


def prompt(text: str) -> str:
    return repr(f"\n\nHuman: {text}\n\nAssistant:")


GROWING = [
    " Hello",
    " Hello!",
    " Hello! My",
    " Hello! My name",
    " Hello! My name is",
    " Hello! My name is Claude",
    " Hello! My name is Claude.",
]
PIECES = ["Hello", "!", " My", " name", " is", " Claude", "."]
COMPLETION_PIECES = [" Hello", *PIECES[1:], ""]


ERRORS = """
def tried(ask):
    try:
        ask()
    except Exception as error:
        print([type(error).__name__, str(error)])
"""


# anthropic 0.2.10: data-only and cumulative

OLD = """\
import anthropic, asyncio, os
client = anthropic.Client(os.environ["ANTHROPIC_API_KEY"])
asked = {"model": "claude-v1", "max_tokens_to_sample": 100}
"""


def test_the_first_sdk_gets_completions(first: Path, server: ApiServer) -> None:
    program = f"""{OLD}
reply = client.completion(prompt={prompt("Who are you?")}, **asked)
print([reply[name] for name in ("completion", "stop", "truncated", "exception")])
async def ask():
    reply = await client.acompletion(prompt={prompt("Who are you?")}, **{{**asked, "max_tokens_to_sample": 4}})
    print([reply[name] for name in ("completion", "stop", "truncated", "exception", "stop_reason")])
asyncio.run(ask())
{ERRORS}
tried(lambda: client.completion(prompt={prompt("overloaded")}, **asked))
"""
    whole, cut, [kind, message] = told(ask(server, first, program))
    assert whole == [" Hello! My name is Claude.", "\n\nHuman:", False, None]
    assert cut == [" Hello! My", None, True, None, "max_tokens"]
    assert kind == "ApiException"
    assert "post request failed with status code: 529" in message
    assert "'overloaded_error', 'message': 'Overloaded'" in message
    assert versions(server) == {"2023-01-01"}


def test_the_first_sdk_gets_streams_that_grow(first: Path, server: ApiServer) -> None:
    program = f"""{OLD}
print([event["completion"] for event in client.completion_stream(prompt={prompt("Who are you?")}, **asked)])
async def ask():
    stream = await client.acompletion_stream(prompt={prompt("Who are you?")}, **asked)
    print([event["completion"] async for event in stream])
asyncio.run(ask())
"""
    assert told(ask(server, first, program)) == [GROWING, GROWING]


# anthropic 0.3.11: named events and increments

LATER = """\
import anthropic, asyncio
client = anthropic.Anthropic(max_retries=0)
asked = {"model": "claude-2", "max_tokens_to_sample": 100}
"""


def test_a_later_sdk_gets_completions(later: Path, server: ApiServer) -> None:
    program = f"""{LATER}
reply = client.completions.create(prompt={prompt("Who are you?")}, **asked)
print([reply.completion, reply.model])
{ERRORS}
tried(lambda: client.completions.create(prompt={prompt("overloaded")}, **asked))
"""
    whole, [kind, message] = told(ask(server, later, program))
    assert whole == [" Hello! My name is Claude.", "claude-2"]
    assert kind == "InternalServerError"
    assert "'overloaded_error', 'message': 'Overloaded'" in message
    assert versions(server) == {"2023-06-01"}


def test_a_later_sdk_gets_streams_of_increments(later: Path, server: ApiServer) -> None:
    program = f"""{LATER}
stream = client.completions.create(prompt={prompt("Who are you?")}, stream=True, **asked)
print([event.completion for event in stream])
async def ask():
    completions = anthropic.AsyncAnthropic().completions
    stream = await completions.create(prompt={prompt("Who are you?")}, stream=True, **asked)
    print([event.completion async for event in stream if event.stop_reason is None])
asyncio.run(ask())
{ERRORS}
stream = client.completions.create(prompt={prompt("halfway")}, stream=True, **asked)
print([next(stream).completion, next(stream).completion])
tried(lambda: next(stream))
"""
    whole, unfinished, half, [kind, message] = told(ask(server, later, program))
    assert whole == COMPLETION_PIECES
    assert unfinished == COMPLETION_PIECES[:-1]
    assert half == COMPLETION_PIECES[:2]
    assert kind == "APIStatusError"
    assert "'overloaded_error', 'message': 'Overloaded'" in message


def test_a_later_sdk_sees_nothing_in_a_stream_of_the_first_version(later: Path, server: ApiServer) -> None:
    program = f"""{LATER}
client = anthropic.Anthropic(default_headers={{"anthropic-version": "2023-01-01"}})
stream = client.completions.create(prompt={prompt("Who are you?")}, stream=True, **asked)
print([event.completion for event in stream])
"""
    assert told(ask(server, later, program)) == [[]]
    assert versions(server) == {"2023-01-01"}


# The newest

NEW = """\
import anthropic, asyncio
client = anthropic.Anthropic(max_retries=0)
asked = {"model": "claude-opus-4-8", "messages": [{"role": "user", "content": "Who are you?"}]}
"""


def test_the_newest_sdk_gets_messages_and_all_the_rest(newest: Path, server: ApiServer) -> None:
    program = f"""{NEW}
message = client.messages.create(max_tokens=100, **asked)
print([block.text for block in message.content if block.type == "text"])
message = client.messages.create(max_tokens=4, **asked)
print([message.content[0].text, message.stop_reason, message.usage.input_tokens])
print(client.messages.count_tokens(**asked).input_tokens)
print([model.id for model in client.models.list()])
print(client.models.retrieve("claude-opus-4-8").display_name.split())
"""
    assert told(ask(server, newest, program)) == [
        ["Hello! My name is Claude."],
        ["Hello! My", "max_tokens", 12],
        12,
        ["claude-opus-4-8", "claude-sonnet-4-6"],
        ["Claude", "Opus", "4.8"],
    ]
    assert versions(server) == {load_catalog().versions[-1].date}


def test_the_newest_sdk_gets_streams(newest: Path, server: ApiServer) -> None:
    program = f"""{NEW}
with client.messages.stream(max_tokens=100, **asked) as stream:
    print(list(stream.text_stream))
    print([block.text for block in stream.get_final_message().content if block.type == "text"])
async def ask():
    texts, types = [], []
    async for event in await anthropic.AsyncAnthropic().messages.create(max_tokens=100, stream=True, **asked):
        types.append(event.type)
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            texts.append(event.delta.text)
    print(texts)
    print(types)
asyncio.run(ask())
"""
    pieces, whole, raw_pieces, types = told(ask(server, newest, program))
    assert pieces == raw_pieces == PIECES
    assert whole == ["Hello! My name is Claude."]
    assert ("future_event" in types) is server.future


def test_the_newest_sdk_is_told_what_is_wrong(newest: Path, server: ApiServer) -> None:
    program = f"""{NEW}{ERRORS}
def said(text):
    return {{**asked, "max_tokens": 100, "messages": [{{"role": "user", "content": text}}]}}
def half():
    with client.messages.stream(**said("halfway")) as stream:
        for text in stream.text_stream:
            print([text])
def with_version(version):
    client.messages.create(extra_headers={{"anthropic-version": version}}, **said("Hello"))
tried(half)
tried(lambda: client.messages.create(**said("overloaded")))
tried(lambda: client.messages.create(extra_body={{"temperature": 1}}, **said("Hello")))
tried(lambda: with_version("2023-10-01"))
tried(lambda: with_version(anthropic.omit))
tried(lambda: client.models.retrieve("claude-0"))
"""
    first, second, *errors = told(ask(server, newest, program))
    assert [first, second] == [["Hello"], ["!"]]
    wanted = [
        ("APIStatusError", "'overloaded_error', 'message': 'Overloaded'"),
        ("OverloadedError", "'overloaded_error', 'message': 'Overloaded'"),
        ("BadRequestError", "temperature: Extra inputs are not permitted"),
        ("BadRequestError", 'anthropic-version: "2023-10-01" is not a valid version'),
        ("BadRequestError", "anthropic-version: header is required"),
        ("NotFoundError", "model: claude-0"),
    ]
    for (kind, message), (wanted_kind, part) in zip(errors, wanted, strict=True):
        assert kind == wanted_kind
        assert part in message


# What overrides the version, and what does not (CAV106)


NOW = """\
import anthropic
from anthropic._types import NOT_GIVEN, Omit
client = anthropic.Anthropic(max_retries=0)
http = anthropic.DefaultHttpxClient(headers={"anthropic-version": "2023-10-01"})
"""


def test_an_override_is_sent_and_what_is_none_does_nothing(newest: Path, server: ApiServer) -> None:
    program = f"""{NOW}{ERRORS}
def listed(client, **given):
    print(len(client.models.list(**given).data))
listed(anthropic.Anthropic(default_headers={{"anthropic_version": "2023-10-01"}}))
listed(anthropic.Anthropic(http_client=http))
listed(client, extra_headers={{"anthropic-version": NOT_GIVEN}})
tried(lambda: listed(client.with_options(set_default_headers={{"Anthropic-Version": "2023-10-01"}})))
tried(lambda: listed(client.copy(default_headers={{"anthropic-version": Omit()}})))
tried(lambda: client.get("/v1/models", cast_to=object, options={{"headers": {{"anthropic-version": "2023-10-01"}}}}))
tried(lambda: listed(client, extra_headers={{"anthropic-version": None}}))
tried(lambda: listed(anthropic.Anthropic(default_headers={{"anthropic-version": NOT_GIVEN}})))
tried(lambda: client._client.get("/v1/models").raise_for_status())
"""
    first, second, third, *errors = told(ask(server, newest, program))
    assert first == second == third > 0
    *refused, no_text, not_given, [past, said] = errors
    answers = [load_catalog().messages.unknown("2023-10-01"), load_catalog().messages.missing()]
    for [kind, message], answer in zip(refused, [*answers, answers[0]], strict=True):
        assert kind == "BadRequestError"
        assert answer in message
    assert {no_text[0], not_given[0]} <= {"AttributeError", "TypeError"}
    assert past == "HTTPStatusError"
    assert "Client error '401" in said  # no key


def test_an_sdk_before_1_sends_another_casing_beside_its_own(later: Path, server: ApiServer) -> None:
    program = f"""{LATER}{ERRORS}
cased = {{"Anthropic-Version": "2023-01-01"}}
def complete(client, **given):
    client.completions.create(prompt={prompt("Who are you?")}, **asked, **given)
tried(lambda: complete(anthropic.Anthropic(default_headers=cased)))
tried(lambda: complete(client, extra_headers=cased))
"""
    [_, default], [_, extra] = told(ask(server, later, program))
    assert load_catalog().messages.duplicate("2023-01-01", "2023-06-01") in default
    assert load_catalog().messages.duplicate("2023-06-01", "2023-01-01") in extra


def test_the_newest_sdk_puts_another_casing_in_the_place_of_its_own(newest: Path, server: ApiServer) -> None:
    program = f"""{NOW}
print(len(client.models.list(extra_headers={{"Anthropic-Version": "2023-06-01"}}).data))
"""
    assert told(ask(server, newest, program))[0] > 0
    assert versions(server) == {"2023-06-01"}


def test_what_the_first_sdk_has_is_gone_from_the_newest(newest: Path, server: ApiServer) -> None:
    program = f"""{NEW}{ERRORS}
tried(lambda: anthropic.Client("key"))
tried(lambda: anthropic.Client().completion(prompt="x"))
"""
    assert [kind for kind, _ in told(ask(server, newest, program))] == ["TypeError", "AttributeError"]
