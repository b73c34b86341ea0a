"""The API server in ``fixtures/server``, in whole conversations: what goes in, and every byte that comes out."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from claude_api_lint.api import Catalog, load_catalog
from server import ApiServer, Authority
from server.dialects import dialects

VERSIONS = [version.date for version in load_catalog().versions]
NAMED = [version for version in VERSIONS if version != "2023-01-01"]

KEY = ("x-api-key", "a key")

PROMPT = "\n\nHuman: Who are you?\n\nAssistant:"
COMPLETE: dict[str, Any] = {"model": "claude-2.1", "prompt": PROMPT, "max_tokens_to_sample": 100}
MESSAGE: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Who are you?"}],
}
COUNT: dict[str, Any] = {"model": "claude-opus-4-8", "messages": MESSAGE["messages"]}

REQUESTS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "/v1/complete": ("POST", COMPLETE),
    "/v1/messages": ("POST", MESSAGE),
    "/v1/messages/count_tokens": ("POST", COUNT),
    "/v1/models": ("GET", None),
    "/v1/models/claude-opus-4-8": ("GET", None),
}
each_path = pytest.mark.parametrize("path", REQUESTS)


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def events(self) -> list[tuple[str | None, Any]]:
        """The events of a stream: their names, and their data."""
        return [event(part) for part in self.text.split("\n\n") if part]

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, type and message of an error."""
        assert self.json["type"] == "error"
        return self.status, self.json["error"]["type"], self.json["error"]["message"]


def event(text: str) -> tuple[str | None, Any]:
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    data = fields["data"]
    return fields.get("event"), data if data == "[DONE]" else json.loads(data)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(authority: Authority) -> Iterator[ApiServer]:
    with ApiServer(authority) as server:
        yield server
    assert server.failures == []


@pytest.fixture
def future(authority: Authority) -> Iterator[ApiServer]:
    with ApiServer(authority, future=True) as server:
        yield server
    assert server.failures == []


def connect(server: ApiServer) -> HTTPSConnection:
    return HTTPSConnection("localhost", server.port, context=server.authority.client_context(), timeout=10)


def send(
    connection: HTTPSConnection, path: str, body: object = None, *headers: tuple[str, str], method: str = ""
) -> HTTPResponse:
    """Send a request with these header lines, as they are written here, and no others of any weight."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    connection.putrequest(method or ("GET" if body is None else "POST"), path)
    for name, value in headers:
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content)
    return connection.getresponse()


def ask(server: ApiServer, path: str, body: object = None, *headers: tuple[str, str], method: str = "") -> Answer:
    """A request on a connection of its own, and the answer."""
    connection = connect(server)
    response = send(connection, path, body, *headers, method=method)
    answer = Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, response.read())
    connection.close()
    return answer


def ask_as(version: str, server: ApiServer, path: str, body: object = None, method: str = "") -> Answer:
    """A request with a key, for a version."""
    return ask(server, path, body, KEY, ("anthropic-version", version), method=method)


def refused(message: str, number: int = 1) -> dict[str, Any]:
    """The whole body of an answer to a request that is not valid."""
    error = {"type": "invalid_request_error", "message": message}
    return {"type": "error", "error": error, "request_id": f"req_{number:024}"}


# The version header


@each_path
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_the_history_is_spoken(path: str, version: str, server: ApiServer) -> None:
    assert ask_as(version, server, path, REQUESTS[path][1]).status == 200


@each_path
def test_a_request_without_a_version_is_refused(path: str, server: ApiServer) -> None:
    answer = ask(server, path, REQUESTS[path][1], KEY)
    assert answer.status == 400
    assert answer.json == refused("anthropic-version: header is required")


@each_path
@pytest.mark.parametrize("version", ["2023-10-01", "2025-11-01", "vertex-2023-10-16", "latest"])
def test_an_unknown_version_is_refused(path: str, version: str, server: ApiServer) -> None:
    answer = ask_as(version, server, path, REQUESTS[path][1])
    assert answer.status == 400
    assert answer.json == refused(f'anthropic-version: "{version}" is not a valid version')


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (("anthropic-version", "anthropic-version"), ("2023-06-01", "2023-06-01")),
        (("anthropic-version", "Anthropic-Version"), ("2023-06-01", "2023-06-01")),
        (("Anthropic-Version", "anthropic-version"), ("2023-01-01", "2023-06-01")),
        (("anthropic-version",), ("2023-06-01, 2023-06-01",)),
        (("anthropic-version",) * 3, ("2023-06-01",) * 3),
    ],
)
def test_a_version_that_is_sent_twice_is_refused(
    names: tuple[str, ...], values: tuple[str, ...], server: ApiServer
) -> None:
    answer = ask(server, "/v1/messages", MESSAGE, KEY, *zip(names, values, strict=True))
    assert answer.status == 400
    assert answer.json == refused(f'anthropic-version: "{", ".join(values)}" is not a valid version')


@pytest.mark.parametrize("name", ["anthropic-version", "Anthropic-Version", "ANTHROPIC-VERSION", "aNtHrOpIc-vErSiOn"])
def test_the_casing_of_header_names_does_not_matter(name: str, server: ApiServer) -> None:
    assert ask(server, "/v1/messages", MESSAGE, ("X-API-KEY", "a key"), (name, "2023-06-01")).status == 200


@pytest.mark.parametrize("name", ["anthropic_version", "x-anthropic-version", "anthropic-api-version"])
def test_another_name_is_no_version_header(name: str, server: ApiServer) -> None:
    answer = ask(server, "/v1/messages", MESSAGE, KEY, (name, "2023-06-01"))
    assert answer.json == refused("anthropic-version: header is required")


def test_an_empty_version_is_none(server: ApiServer) -> None:
    assert ask_as("", server, "/v1/messages", MESSAGE).json == refused("anthropic-version: header is required")


NEW_VERSION = """
[[version]]
date = "2029-01-01"
source = "a test"

[[version.change]]
kind = "request-parameter-removed"
where = ["/v1/messages"]
name = "system"
source = "a test"
"""


def test_a_new_version_needs_data_only(tmp_path: Path) -> None:
    folder = load_catalog().folder
    for table in folder.glob("*.toml"):
        shutil.copy(table, tmp_path)
    marker = "# What the server answers"
    head, _, tail = (tmp_path / "versions.toml").read_text().partition(marker)
    (tmp_path / "versions.toml").write_text(f"{head}\n{NEW_VERSION}\n{marker}{tail}")
    old, latest = dialects(Catalog(tmp_path))["2026-10-21"], dialects(Catalog(tmp_path))["2029-01-01"]
    assert latest.has_named_events("/v1/complete")
    assert not latest.is_cumulative("/v1/complete")
    assert "system" not in old.refused_parameters("/v1/messages")
    assert latest.refused_parameters("/v1/messages") == ["temperature", "top_p", "top_k", "system"]


# Who asks


@each_path
def test_a_request_without_a_key_is_nobodys(path: str, server: ApiServer) -> None:
    answer = ask(server, path, REQUESTS[path][1], ("anthropic-version", "2023-06-01"))
    assert answer.error == (401, "authentication_error", "x-api-key header is required")


@pytest.mark.parametrize("header", [("x-api-key", "a key"), ("authorization", "Bearer a key")])
def test_a_key_comes_in_either_header(header: tuple[str, str], server: ApiServer) -> None:
    assert ask(server, "/v1/messages", MESSAGE, header, ("anthropic-version", "2023-06-01")).status == 200


@pytest.mark.parametrize("header", [("x-api-key", ""), ("authorization", "Bearer "), ("authorization", "Basic a key")])
def test_what_holds_no_key_is_none(header: tuple[str, str], server: ApiServer) -> None:
    assert ask(server, "/v1/messages", MESSAGE, header, ("anthropic-version", "2023-06-01")).status == 401


def test_every_answer_has_the_id_of_its_request(server: ApiServer) -> None:
    good = ask_as("2023-06-01", server, "/v1/messages", MESSAGE)
    bad = ask_as("2023-06-01", server, "/v1/messages", {})
    assert good.headers["request-id"] == "req_000000000000000000000001"
    assert bad.headers["request-id"] == bad.json["request_id"] == "req_000000000000000000000002"


# /v1/complete

OLD_FIELDS: dict[str, Any] = {
    "stop": "\n\nHuman:",
    "stop_reason": "stop_sequence",
    "truncated": False,
    "log_id": "6e3a1f0c9b7d4e528a0c1d2e3f405162",
    "model": "claude-2.1",
    "exception": None,
}


def test_a_completion_of_the_first_version(server: ApiServer) -> None:
    answer = ask_as("2023-01-01", server, "/v1/complete", COMPLETE)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"completion": " Hello! My name is Claude.", **OLD_FIELDS}


@pytest.mark.parametrize("version", NAMED)
def test_a_completion_since_the_second_version(version: str, server: ApiServer) -> None:
    assert ask_as(version, server, "/v1/complete", COMPLETE).json == {
        "type": "completion",
        "completion": " Hello! My name is Claude.",
        "id": "compl_018CKm6gsux7P8yMcwZbeCPw",
        "model": "claude-2.1",
        "stop_reason": "stop_sequence",
    }


@pytest.mark.parametrize("limit", [1, 4])
def test_a_completion_that_is_cut_off(limit: int, server: ApiServer) -> None:
    body = {**COMPLETE, "max_tokens_to_sample": limit}
    old, new = (ask_as(version, server, "/v1/complete", body).json for version in VERSIONS[:2])
    assert old["completion"] == new["completion"] == " Hello! My"
    assert old["stop_reason"] == new["stop_reason"] == "max_tokens"
    assert old["truncated"] is True
    assert old["stop"] is None


def test_a_completion_with_just_enough_tokens_is_whole(server: ApiServer) -> None:
    body = {**COMPLETE, "max_tokens_to_sample": 5}
    assert ask_as("2023-06-01", server, "/v1/complete", body).json["stop_reason"] == "stop_sequence"


OLD_STREAM = """\
data: {"completion":" Hello","stop":null,"stop_reason":null,OTHERS}

data: {"completion":" Hello!","stop":null,"stop_reason":null,OTHERS}

event: ping
data: {"type":"ping"}

data: {"completion":" Hello! My","stop":null,"stop_reason":null,OTHERS}

data: {"completion":" Hello! My name","stop":null,"stop_reason":null,OTHERS}

data: {"completion":" Hello! My name is","stop":null,"stop_reason":null,OTHERS}

data: {"completion":" Hello! My name is Claude","stop":null,"stop_reason":null,OTHERS}

data: {"completion":" Hello! My name is Claude.","stop":"\\n\\nHuman:","stop_reason":"stop_sequence",OTHERS}

data: [DONE]

""".replace(
    "OTHERS",
    '"truncated":false,"log_id":"6e3a1f0c9b7d4e528a0c1d2e3f405162","model":"claude-2.1","exception":null',
)


def test_the_stream_of_the_first_version_is_cumulative_and_without_names(server: ApiServer) -> None:
    answer = ask_as("2023-01-01", server, "/v1/complete", {**COMPLETE, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == OLD_STREAM


NEW_STREAM = """\
event: completion
data: {"type":"completion","completion":" Hello","stop_reason":null,"model":"claude-2.1"}

event: completion
data: {"type":"completion","completion":"!","stop_reason":null,"model":"claude-2.1"}

event: ping
data: {"type":"ping"}

event: completion
data: {"type":"completion","completion":" My","stop_reason":null,"model":"claude-2.1"}

event: completion
data: {"type":"completion","completion":" name","stop_reason":null,"model":"claude-2.1"}

event: completion
data: {"type":"completion","completion":" is","stop_reason":null,"model":"claude-2.1"}

event: completion
data: {"type":"completion","completion":" Claude","stop_reason":null,"model":"claude-2.1"}

event: completion
data: {"type":"completion","completion":".","stop_reason":null,"model":"claude-2.1"}

event: completion
data: {"type":"completion","completion":"","stop_reason":"stop_sequence","model":"claude-2.1"}

"""


@pytest.mark.parametrize("version", NAMED)
def test_the_stream_since_the_second_version_is_incremental_and_named(version: str, server: ApiServer) -> None:
    assert ask_as(version, server, "/v1/complete", {**COMPLETE, "stream": True}).text == NEW_STREAM


def test_a_stream_that_is_cut_off_says_so_at_its_end(server: ApiServer) -> None:
    body = {**COMPLETE, "stream": True, "max_tokens_to_sample": 4}
    old, new = (ask_as(version, server, "/v1/complete", body).events for version in VERSIONS[:2])
    assert [data["completion"] for name, data in new if name == "completion"] == [" Hello", "!", " My", ""]
    assert new[-1][1]["stop_reason"] == "max_tokens"
    *_, (_, last), (_, end) = old
    assert (last["completion"], last["stop_reason"], last["truncated"], end) == (
        " Hello! My", "max_tokens", True, "[DONE]",
    )  # fmt: skip


@pytest.mark.parametrize("version", NAMED)
def test_a_stream_of_completions_breaks_off_with_an_error_event(version: str, server: ApiServer) -> None:
    body = {**COMPLETE, "stream": True, "prompt": PROMPT.replace("Who", "halfway")}
    answer = ask_as(version, server, "/v1/complete", body)
    assert answer.status == 200
    assert answer.text == (
        NEW_STREAM[: NEW_STREAM.index('event: completion\ndata: {"type":"completion","completion":" My"')]
        + 'event: error\ndata: {"error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    )


def test_the_first_version_puts_the_error_into_the_completion(server: ApiServer) -> None:
    body = {**COMPLETE, "stream": True, "prompt": PROMPT.replace("Who", "halfway")}
    *_, (_, failed), (_, end) = ask_as("2023-01-01", server, "/v1/complete", body).events
    assert (failed["completion"], failed["stop_reason"], failed["exception"]) == (" Hello!", None, "Overloaded")
    assert end == "[DONE]"


# /v1/messages


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message(version: str, server: ApiServer) -> None:
    assert ask_as(version, server, "/v1/messages", MESSAGE).json == {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-8",
        "content": [{"type": "text", "text": "Hello! My name is Claude."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 7},
    }


def test_a_message_that_is_cut_off(server: ApiServer) -> None:
    reply = ask_as("2023-06-01", server, "/v1/messages", {**MESSAGE, "max_tokens": 4}).json
    assert (reply["content"][0]["text"], reply["stop_reason"]) == ("Hello! My", "max_tokens")


MESSAGE_STREAM = """\
event: message_start
data: {"type":"message_start","message":{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant",\
"model":"claude-opus-4-8","content":[],"stop_reason":null,"stop_sequence":null,\
"usage":{"input_tokens":12,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"!"}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" My"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" name"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" is"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" Claude"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"."}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}}

event: message_stop
data: {"type":"message_stop"}

"""


@pytest.mark.parametrize("version", VERSIONS)
def test_the_stream_of_a_message(version: str, server: ApiServer) -> None:
    answer = ask_as(version, server, "/v1/messages", {**MESSAGE, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == MESSAGE_STREAM


def test_the_stream_of_a_message_that_is_cut_off(server: ApiServer) -> None:
    answer = ask_as("2023-06-01", server, "/v1/messages", {**MESSAGE, "stream": True, "max_tokens": 4})
    assert spoken(answer) == "Hello! My"
    assert answer.events[-2][1]["delta"]["stop_reason"] == "max_tokens"


def test_the_stream_of_a_message_breaks_off_with_an_error_event(server: ApiServer) -> None:
    body = {**MESSAGE, "stream": True, "messages": [{"role": "user", "content": "Stop halfway."}]}
    answer = ask_as("2023-06-01", server, "/v1/messages", body)
    assert answer.status == 200
    assert answer.text == (
        MESSAGE_STREAM[: MESSAGE_STREAM.index('event: content_block_delta\ndata: {"type":"content_block_delta",'
        '"index":0,"delta":{"type":"text_delta","text":" My"')]
        + 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    )  # fmt: skip


def spoken(answer: Answer) -> str:
    """The text of a stream, read as a client should."""
    events = [data for _, data in answer.events if data["type"] == "content_block_delta"]
    return "".join(data["delta"]["text"] for data in events if data["delta"]["type"] == "text_delta")


def test_the_tokens_of_a_message_are_counted(server: ApiServer) -> None:
    assert ask_as("2023-06-01", server, "/v1/messages/count_tokens", COUNT).json == {"input_tokens": 12}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_a_parameter_is_refused_by_the_version_that_removed_it(path: str, name: str, server: ApiServer) -> None:
    body = {**MESSAGE, name: 1}
    assert ask_as("2023-06-01", server, path, body).status == 200
    answer = ask_as("2026-10-21", server, path, body)
    assert answer.status == 400
    assert answer.json == refused(f"{name}: Extra inputs are not permitted", 2)


# /v1/models


def test_the_models(server: ApiServer) -> None:
    page = ask_as("2023-06-01", server, "/v1/models?limit=20").json
    assert [model["id"] for model in page["data"]] == ["claude-opus-4-8", "claude-sonnet-4-6"]
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("claude-opus-4-8", "claude-sonnet-4-6", False)


def test_a_model(server: ApiServer) -> None:
    assert ask_as("2023-06-01", server, "/v1/models/claude-opus-4-8").json == {
        "type": "model",
        "id": "claude-opus-4-8",
        "display_name": "Claude Opus 4.8",
        "created_at": "2026-05-01T00:00:00Z",
        "lifecycle": "active",
        "line": "opus",
    }


def test_a_model_that_there_is_not(server: ApiServer) -> None:
    answer = ask_as("2023-06-01", server, "/v1/models/claude-0")
    assert answer.error == (404, "not_found_error", "model: claude-0")


# Requests that are wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_an_overloaded_server_says_so(version: str, server: ApiServer) -> None:
    body = {**COMPLETE, "prompt": PROMPT.replace("Who", "overloaded")}
    assert ask_as(version, server, "/v1/complete", body).error == (529, "overloaded_error", "Overloaded")


@pytest.mark.parametrize("content", ["overloaded?", [{"type": "text", "text": "overloaded?"}]])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_overloaded_server_says_so_before_a_stream_begins(
    content: object, path: str, stream: bool, server: ApiServer
) -> None:
    body = {**MESSAGE, "stream": stream, "messages": [{"role": "user", "content": content}]}
    assert ask_as("2023-06-01", server, path, body).error == (529, "overloaded_error", "Overloaded")


@pytest.mark.parametrize("path", ["/v1/complete", "/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("body", [b"", b"{", b"prompt=Hello", b"\xff"])
def test_a_body_that_is_not_json_is_refused(path: str, body: bytes, server: ApiServer) -> None:
    status, kind, message = ask_as("2023-06-01", server, path, body, method="POST").error
    assert (status, kind) == (400, "invalid_request_error")
    assert message.startswith("The request body is not valid JSON: ")


def test_a_body_that_is_no_object_is_refused(server: ApiServer) -> None:
    assert ask_as("2023-06-01", server, "/v1/messages", ["Hello"]).json == refused(
        "The request body is not a JSON object"
    )


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        *(("/v1/complete", COMPLETE, name) for name in COMPLETE),
        *(("/v1/messages", MESSAGE, name) for name in MESSAGE),
        *(("/v1/messages/count_tokens", COUNT, name) for name in COUNT),
    ],
)
def test_a_body_without_a_field_that_it_needs_is_refused(
    path: str, body: dict[str, Any], name: str, server: ApiServer
) -> None:
    without = {other: value for other, value in body.items() if other != name}
    assert ask_as("2023-06-01", server, path, without).json == refused(f"{name}: Field required")


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        ("/v1/complete", {"prompt": "Hello"}, 'prompt must start with "\\n\\nHuman:" turn'),
        ("/v1/complete", {"prompt": "\n\nHuman: Hello"}, 'prompt must contain "\\n\\nAssistant:" turn'),
        ("/v1/complete", {"max_tokens_to_sample": "9"}, "max_tokens_to_sample: Input should be a valid integer"),
        ("/v1/messages", {"max_tokens": True}, "max_tokens: Input should be a valid integer"),
        ("/v1/messages", {"model": None}, "model: Input should be a valid string"),
        ("/v1/messages", {"messages": []}, "messages: at least one message is required"),
        ("/v1/messages", {"messages": "Hello"}, "messages: Input should be a valid list"),
        ("/v1/messages", {"messages": ["Hello"]}, "messages.0: Input should be an object"),
        ("/v1/messages", {"messages": [{"content": ""}]}, "messages.0.role: Field required"),
        (
            "/v1/messages",
            {"messages": [{"role": "system", "content": ""}]},
            "messages.0.role: Input should be 'user' or 'assistant'",
        ),
        *(
            (
                "/v1/messages",
                {"messages": [*MESSAGE["messages"], {"role": "user", "content": content}]},
                "messages.1.content: Input should be a string or a list of content blocks",
            )
            for content in (None, 7, ["Hello"])
        ),
    ],
)
def test_a_field_that_is_wrong_is_refused(path: str, change: object, message: str, server: ApiServer) -> None:
    body = {**(COMPLETE if path == "/v1/complete" else MESSAGE), **change}  # type: ignore[dict-item]
    assert ask_as("2023-06-01", server, path, body).json == refused(message)


@pytest.mark.parametrize("path", ["/", "/v1/", "/v1/message", "/v1/complete/", "/v2/messages", "/v1/messages/batches"])
def test_a_path_that_is_not_served_is_not_found(path: str, server: ApiServer) -> None:
    assert ask_as("2023-06-01", server, path, MESSAGE).error == (404, "not_found_error", "Not found")


@each_path
def test_a_path_takes_one_method_only(path: str, server: ApiServer) -> None:
    right = REQUESTS[path][0]
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {right}:
        answer = ask_as("2023-06-01", server, path, REQUESTS[path][1], method=method)
        assert answer.error == (405, "invalid_request_error", f"{method} is not allowed here")


# HTTP and TLS


def test_urllib_reads_answers_errors_and_streams(server: ApiServer) -> None:
    url, context = f"https://localhost:{server.port}", server.authority.client_context()
    headers = {"x-api-key": "a key", "anthropic-version": "2023-06-01", "content-type": "application/json"}

    def open_(path: str, body: object, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
        return urllib.request.urlopen(request, context=context, timeout=10)

    with open_("/v1/messages", MESSAGE, headers) as response:
        assert json.load(response)["content"][0]["text"] == "Hello! My name is Claude."
    with open_("/v1/complete", {**COMPLETE, "stream": True}, headers) as response:
        assert b"".join(response).decode() == NEW_STREAM
    with pytest.raises(urllib.error.HTTPError) as raised:
        open_("/v1/messages", MESSAGE, {"x-api-key": "a key"})
    with raised.value as error:
        assert error.code == 400
        assert json.load(error)["error"]["message"] == "anthropic-version: header is required"


def test_a_connection_is_kept_for_the_next_request(server: ApiServer) -> None:
    connection = connect(server)
    version = ("anthropic-version", "2023-06-01")
    for body in (MESSAGE, {**MESSAGE, "stream": True}, {}, MESSAGE):
        response = send(connection, "/v1/messages", body, KEY, version)
        first = connection.sock
        response.read()
        assert connection.sock is first is not None
    assert [received.target for received in server.received] == ["/v1/messages"] * 4
    connection.close()


def test_an_answer_says_how_long_it_is_and_a_stream_comes_in_chunks(server: ApiServer) -> None:
    answer = ask_as("2023-06-01", server, "/v1/messages", MESSAGE)
    assert int(answer.headers["content-length"]) == len(answer.body)
    stream = ask_as("2023-06-01", server, "/v1/messages", {**MESSAGE, "stream": True})
    assert stream.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in stream.headers


def test_a_request_may_come_in_chunks(server: ApiServer) -> None:
    connection = connect(server)
    content = json.dumps(MESSAGE).encode()
    headers = dict([KEY, ("anthropic-version", "2023-06-01"), ("content-type", "application/json")])
    connection.request("POST", "/v1/messages", iter([content[:20], content[20:]]), headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    assert server.received[0].values("transfer-encoding") == ["chunked"]
    assert server.received[0].body == content
    connection.close()


def test_each_event_is_sent_when_it_is_there(authority: Authority) -> None:
    may_go_on = threading.Semaphore(0)
    with ApiServer(authority, pause=lambda: may_go_on.acquire(timeout=10)) as server:
        connection = connect(server)
        body = {**COMPLETE, "stream": True}
        response = send(connection, "/v1/complete", body, KEY, ("anthropic-version", "2023-06-01"))
        for part in NEW_STREAM.split("\n\n")[:-1]:
            assert b"".join(response.readline() for _ in range(3)).decode() == f"{part}\n\n"
            may_go_on.release()
        assert response.read() == b""
        connection.close()


def test_the_server_knows_whether_it_is_busy(authority: Authority) -> None:
    may_go_on = threading.Event()
    with ApiServer(authority, pause=lambda: may_go_on.wait(10)) as server:
        connection = connect(server)
        body = {**COMPLETE, "stream": True}
        response = send(connection, "/v1/complete", body, KEY, ("anthropic-version", "2023-06-01"))
        response.readline()
        assert server.quiet_for() == 0
        may_go_on.set()
        response.read()
        connection.close()
        while not server.quiet_for():
            time.sleep(0.01)


def test_the_server_knows_how_long_it_has_had_nothing_to_do(server: ApiServer) -> None:
    time.sleep(0.05)
    start = time.monotonic()
    ask_as("2023-06-01", server, "/v1/messages", MESSAGE)
    while not server.quiet_for():
        time.sleep(0.01)
    assert server.quiet_for() < time.monotonic() - start


def test_a_client_that_leaves_early_is_no_trouble(server: ApiServer) -> None:
    connection = connect(server)
    send(connection, "/v1/messages", {**MESSAGE, "stream": True}, KEY, ("anthropic-version", "2023-06-01")).close()
    assert connection.sock is not None
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # do not say goodbye
    connection.close()
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert ask_as("2023-06-01", server, "/v1/messages", MESSAGE).status == 200


def test_a_client_that_says_nothing_keeps_nobody_waiting(server: ApiServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        assert ask_as("2023-06-01", server, "/v1/messages", MESSAGE).status == 200


def test_only_who_trusts_the_authority_trusts_the_server(server: ApiServer) -> None:
    for context in (ssl.create_default_context(), Authority().client_context()):
        connection = HTTPSConnection("localhost", server.port, context=context, timeout=10)
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.request("GET", "/v1/models")


def test_the_server_can_prove_that_it_is_the_host_of_the_api(server: ApiServer) -> None:
    context = server.authority.client_context()
    for name in ("api.anthropic.com", "localhost"):
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
    with socket.create_connection(("127.0.0.1", server.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="api.example.org")


def test_what_came_in_is_kept_as_it_was_written(server: ApiServer) -> None:
    ask(server, "/v1/messages?beta=true", MESSAGE, KEY, ("Anthropic-Version", "2023-06-01"), ("X-Other", "a, b"))
    [received] = server.received
    assert (received.method, received.target) == ("POST", "/v1/messages?beta=true")
    assert ("Anthropic-Version", "2023-06-01") in received.headers
    assert received.values("x-other") == ["a, b"]
    assert received.values("x-another") == []
    assert json.loads(received.body) == MESSAGE


# The future


def objects(value: object) -> Iterator[dict[str, Any]]:
    """All objects in a JSON value."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    if isinstance(value, list):
        for inner in value:
            yield from objects(inner)


NEW_FIELD = "added_in_the_future"


def pruned(value: Any) -> Any:
    """A reply of the future without its new fields."""
    if isinstance(value, list):
        return [pruned(inner) for inner in value]
    if isinstance(value, dict):
        return {name: pruned(inner) for name, inner in value.items() if name != NEW_FIELD}
    return value


def has_new_fields_everywhere(value: object) -> bool:
    described = (inner for inner in objects(value) if inner != {"of": "any kind"} and inner != {"index": 0})
    return all(NEW_FIELD in inner for inner in described)


@each_path
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_of_the_future_has_a_new_field(path: str, version: str, future: ApiServer) -> None:
    reply = ask_as(version, future, path, REQUESTS[path][1]).json
    assert has_new_fields_everywhere(reply)
    assert len(list(objects(reply))) > 1


def test_an_error_of_the_future_is_the_same_with_new_fields(future: ApiServer) -> None:
    reply = ask(future, "/v1/messages", MESSAGE, KEY).json
    assert has_new_fields_everywhere(reply)
    assert pruned(reply) == refused("anthropic-version: header is required")


def test_a_message_of_the_future_has_a_new_block_and_a_new_reason_to_stop(future: ApiServer) -> None:
    reply = ask_as("2023-06-01", future, "/v1/messages", MESSAGE).json
    assert pruned(reply["content"]) == [
        {"type": "text", "text": "Hello! My name is Claude."},
        {"type": "future_block", "future": "?"},
    ]
    assert reply["stop_reason"] == "future_reason"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_completion_of_the_future_has_a_new_reason_to_stop(version: str, future: ApiServer) -> None:
    reply = ask_as(version, future, "/v1/complete", COMPLETE).json
    assert (reply["completion"], reply["stop_reason"]) == (" Hello! My name is Claude.", "future_reason")


def test_that_the_limit_was_reached_is_said_in_the_future_as_today(future: ApiServer) -> None:
    message = ask_as("2023-06-01", future, "/v1/messages", {**MESSAGE, "max_tokens": 4}).json
    completion = ask_as("2023-06-01", future, "/v1/complete", {**COMPLETE, "max_tokens_to_sample": 4}).json
    assert message["stop_reason"] == completion["stop_reason"] == "max_tokens"


def test_the_stream_of_a_message_of_the_future_holds_everything_that_may_come(future: ApiServer) -> None:
    answer = ask_as("2023-06-01", future, "/v1/messages", {**MESSAGE, "stream": True})
    events = answer.events
    assert all(has_new_fields_everywhere(data) for _, data in events)
    assert all(name == data["type"] for name, data in events)
    assert ("future_event", {"type": "future_event", NEW_FIELD: {"index": 0}}) in events
    deltas = [(data["index"], data["delta"]["type"]) for name, data in events if name == "content_block_delta"]
    assert {(0, "text_delta"), (0, "future_delta"), (1, "future_delta")} == set(deltas)
    started = [data["content_block"]["type"] for name, data in events if name == "content_block_start"]
    assert started == ["text", "future_block"]
    assert [data["index"] for name, data in events if name == "content_block_stop"] == [0, 1]
    [end] = [data["delta"]["stop_reason"] for name, data in events if name == "message_delta"]
    assert end == "future_reason"
    assert spoken(answer) == "Hello! My name is Claude."


def test_the_events_of_today_come_in_the_future_in_their_order(server: ApiServer, future: ApiServer) -> None:
    today, tomorrow = (
        [name for name, _ in ask_as("2023-06-01", api, "/v1/messages", {**MESSAGE, "stream": True}).events]
        for api in (server, future)
    )
    assert tomorrow.count("ping") > 2 * today.count("ping")
    assert (tomorrow[0], tomorrow[-1]) == ("message_start", "message_stop")
    rest = iter(tomorrow)
    assert all(name in rest for name in today)


@pytest.mark.parametrize("version", NAMED)
def test_the_stream_of_a_completion_of_the_future(version: str, future: ApiServer) -> None:
    events = ask_as(version, future, "/v1/complete", {**COMPLETE, "stream": True}).events
    assert {name for name, _ in events} == {"completion", "ping", "future_event"}
    completions = [data for name, data in events if name == "completion"]
    assert "".join(data["completion"] for data in completions) == " Hello! My name is Claude."
    assert [data["stop_reason"] for data in completions] == [None] * 7 + ["future_reason"]
    assert events[-1][1] is completions[-1]
    assert all("completion" not in data for name, data in events if name != "completion")
    assert all(has_new_fields_everywhere(data) for _, data in events)


def test_the_stream_of_the_first_version_gets_no_event_that_nothing_tells_apart(future: ApiServer) -> None:
    events = ask_as("2023-01-01", future, "/v1/complete", {**COMPLETE, "stream": True}).events
    assert {name for name, _ in events} == {None, "ping"}
    *texts, end = [data for name, data in events if name is None]
    assert pruned(texts[-1]) == {"completion": " Hello! My name is Claude.", **OLD_FIELDS}
    assert all(has_new_fields_everywhere(data) for data in texts)
    assert end == "[DONE]"


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/complete"])
def test_a_stream_of_the_future_breaks_off_with_the_error_of_today(path: str, future: ApiServer) -> None:
    body = {**REQUESTS[path][1], "stream": True}  # type: ignore[dict-item]
    body |= (
        {"prompt": PROMPT + " halfway"} if "prompt" in body else {"messages": [{"role": "user", "content": "halfway"}]}
    )
    name, data = ask_as("2023-06-01", future, path, body).events[-1]
    assert name == "error"
    assert pruned(data["error"]) == {"type": "overloaded_error", "message": "Overloaded"}
    assert has_new_fields_everywhere(data)
