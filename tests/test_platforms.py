"""Claude on other platforms: what tells them, what a request's body is, and how sure findings and fixes are."""

from __future__ import annotations

import textwrap

import libcst as cst
import pytest

from claude_api_lint.api import Platform, VersionPlace, load_catalog
from claude_api_lint.api_requests import ApiRequests
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.values import HOLE, Mapping
from claude_api_lint.findings import Applicability, Confidence, Finding
from claude_api_lint.fixer import fix_source
from claude_api_lint.http.bodies import documents
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source

BEDROCK, VERTEX, FOUNDRY, MANTLE, AWS = load_catalog().platforms

# --- the table --------------------------------------------------------------------------------------------------------

VERTEX_PATH = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4-8:rawPredict"


@pytest.mark.parametrize(
    ("url", "platform"),
    [
        ("https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2/invoke", BEDROCK),
        (f"https://bedrock-runtime.{HOLE}.amazonaws.com/model/{HOLE}/invoke-with-response-stream", BEDROCK),
        (f"{HOLE}/model/anthropic.claude-v2/invoke", BEDROCK),
        (f"https://us-east5-aiplatform.googleapis.com{VERTEX_PATH}", VERTEX),
        (f"https://aiplatform.googleapis.com{VERTEX_PATH}?alt=sse", VERTEX),
        (f"https://aiplatform.eu.rep.googleapis.com{VERTEX_PATH}", VERTEX),
        (f"https://{HOLE}-aiplatform.googleapis.com/{HOLE}/publishers/anthropic/models/{HOLE}:rawPredict", VERTEX),
        (f"{HOLE}{VERTEX_PATH}", VERTEX),
        ("https://Example.Services.AI.Azure.com/anthropic/v1/messages", FOUNDRY),
        (f"https://{HOLE}.services.ai.azure.com/anthropic/v1/messages/count_tokens", FOUNDRY),
        (f"https://bedrock-mantle.{HOLE}.api.aws/anthropic/v1/messages", MANTLE),
        ("https://aws-external-anthropic.eu-west-1.api.aws/v1/messages", AWS),
    ],
)
def test_a_url_tells_its_platform_and_no_other(url: str, platform: Platform) -> None:
    assert [other for other in load_catalog().platforms if other.reads(url, HOLE)] == [platform]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.anthropic.com/v1/messages",
        f"{HOLE}/anthropic/v1/messages",
        f"{HOLE}/v1/messages",
        "https://api.deepseek.com/anthropic/v1/messages",
        f"https://proxy.example.com{VERTEX_PATH}",
        "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/mistralai/models/m:rawPredict",
        "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/claude",
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2/converse",
        "https://example.services.ai.azure.com/openai/v1/chat/completions",
        "https://services.ai.azure.com.example.com/anthropic/v1/messages",
        "",
    ],
)
def test_a_url_of_nobody_or_of_others_tells_no_platform(url: str) -> None:
    assert [platform for platform in load_catalog().platforms if platform.reads(url, HOLE)] == []


def test_a_host_that_is_not_seen_makes_a_hint_of_a_url() -> None:
    seen = VERTEX.reads(f"https://aiplatform.googleapis.com{VERTEX_PATH}", HOLE)
    hinted = VERTEX.reads(f"{HOLE}{VERTEX_PATH}", HOLE)
    assert seen
    assert seen.has_host
    assert hinted
    assert not hinted.has_host


@pytest.mark.parametrize(
    ("model", "is_claude"),
    [
        ("anthropic.claude-v2", True),
        ("us.anthropic.claude-opus-4-8", True),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", True),
        (f"{HOLE}.anthropic.{HOLE}", True),
        ("mistral.mistral-large-2407-v1:0", False),
        ("amazon.titan-text-lite-v1", False),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/a1", None),
        (HOLE, None),
        (None, None),
    ],
)
def test_the_name_of_a_model_tells_whether_it_is_claude(model: str | None, is_claude: bool | None) -> None:
    assert BEDROCK.serves_claude(model, HOLE) is is_claude


def test_a_platform_that_has_nothing_but_claude_needs_no_name() -> None:
    assert FOUNDRY.serves_claude(None, HOLE) is True


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("us.anthropic.claude-opus-4-8", True),
        ("anthropic.claude-opus-4-7", True),
        (None, True),
        ("us.anthropic.claude-opus-4-6-v1", False),
        ("anthropic.claude-sonnet-4-20250514-v1:0", False),
        ("anthropic.claude-3-haiku-20240307-v1:0", False),
        ("anthropic.claude-v2:1", False),
    ],
)
def test_bedrock_takes_the_newest_version_for_later_models_only(model: str | None, takes: bool) -> None:
    newest = load_catalog().versions[-1].date
    assert BEDROCK.takes(newest, model) is takes
    assert VERTEX.takes(newest, model)
    assert BEDROCK.takes(BEDROCK.values[0], model)


def test_what_one_body_wants_the_other_refuses() -> None:
    assert not BEDROCK.takes(VERTEX.values[0], None)
    assert not VERTEX.takes(BEDROCK.values[0], None)
    assert not any(body.takes(load_catalog().default_target, None) for body in (BEDROCK, VERTEX))


def test_headers_get_the_target_version_and_bodies_the_platforms_own() -> None:
    for platform in load_catalog().platforms:
        written = {platform.value(version.date) for version in load_catalog().versions}
        if platform.place is VersionPlace.BODY:
            assert written == {platform.values[0]}
        else:
            assert written == set(platform.values)


# --- bodies -----------------------------------------------------------------------------------------------------------

BODIES = """\
import io, json, httpx, orjson, requests, urllib3, http.client, urllib.request
from app import send_request

url = "https://example.com/"
document = {"one": 1}
text = json.dumps(document)
connection = http.client.HTTPSConnection("example.com")
changed = urllib.request.Request(url, data=bytes(text, "ascii"))
changed.data = b"{}"
"""


@pytest.mark.parametrize(
    ("call", "keys"),
    [
        ("requests.post(url, json=document)", ["one"]),
        ("requests.post(url, None, document)", ["one"]),
        ("requests.post(url, text)", ["one"]),
        ("requests.Session().post(url, text.encode('utf-8'))", ["one"]),
        ("requests.request('POST', url, data=json.dumps(obj=document).encode())", ["one"]),
        ("httpx.Client().stream('POST', url, json={**document, 'two': 2})", ["one", "two"]),
        ("httpx.post(url, content=orjson.dumps(document))", ["one"]),
        ("httpx.post(url, content=bytes(text, 'utf-8'))", ["one"]),
        ("urllib3.request('POST', url, body=io.BytesIO(text.encode()))", ["one"]),
        ("connection.request('POST', '/', text)", ["one"]),
        ("urllib.request.Request(url, text.encode())", ["one"]),
        ("send_request(url=url, headers={}, json=document)", ["one"]),
    ],
)
def test_the_body_of_a_request_is_read(call: str, keys: list[str]) -> None:
    (body,) = bodies_of(call)
    assert [entry.key for entry in body.entries] == keys
    assert not body.open


@pytest.mark.parametrize(
    "call",
    [
        "requests.post(url, data=document)",
        "requests.post(url, data=text + ' ')",
        "requests.post(url, json=unknown)",
        "httpx.post(url, content=open('body.json').read())",
    ],
)
def test_a_body_that_is_no_json_or_not_known_is_open(call: str) -> None:
    assert all(body.open for body in bodies_of(call))


def test_no_body_is_none() -> None:
    assert bodies_of("requests.get(url)") == []


def test_the_body_of_a_request_object_that_gets_another_is_not_known() -> None:
    assert bodies_of('urllib.request.Request(url, data=bytes(text, "ascii"))') == []


def bodies_of(call: str) -> list[Mapping]:
    """The bodies that the last line of a program sends."""
    module = Module(Source(f"{BODIES}{call}\n"), "program.py")
    requests = ApiRequests(module, Evaluator())
    node = next(node for node in module.nodes(cst.Call) if cst.Module(()).code_for_node(node) == call)
    found = [exchange.body for exchange in requests.exchanges(node) if exchange.body is not None]
    values = [a.value for body in found for a in documents(requests.evaluator, body)]
    return [value for value in values if isinstance(value, Mapping)]


# --- findings and fixes -----------------------------------------------------------------------------------------------

PRELUDE = """\
import json, os
import boto3, requests
claude = "anthropic.claude-3-haiku-20240307-v1:0"
foundry = "https://example.services.ai.azure.com/anthropic/v1/messages"
api = "https://api.anthropic.com/v1/messages"
own = {"x-api-key": os.environ["KEY"], "anthropic-version": "2023-06-01"}
messages = [{"role": "user", "content": "Hello"}]
"""


def found(program: str, path: str = "program.py") -> list[Finding]:
    """What is found in the lines behind the prelude."""
    result = check_source((PRELUDE + textwrap.dedent(program)).encode(), path, Settings())
    assert result.skipped is None
    return list(result.findings)


def codes(program: str, path: str = "program.py") -> list[str]:
    return [finding.code for finding in found(program, path)]


def applicability(program: str) -> Applicability | None:
    (finding,) = found(program)
    return finding.fix.applicability if finding.fix else None


ASK = 'boto3.client("bedrock-runtime").invoke_model(modelId=claude, body=json.dumps(body))\n'


def test_a_client_and_a_model_that_are_seen_make_a_finding_certain() -> None:
    body = 'body = {"messages": messages, "max_tokens": 9}\n'
    assert [finding.confidence for finding in found(body + ASK)] == [Confidence.CERTAIN]


@pytest.mark.parametrize(
    "call",
    [
        "def ask(client):\n    client.invoke_model(modelId=claude, body=json.dumps(body))\n",
        'boto3.client("bedrock-runtime").invoke_model(modelId=os.environ["CLAUDE"], body=json.dumps(body))\n',
        "class Claude:\n    def ask(self, m):\n        self.c.invoke_model(modelId=m, body=json.dumps(body))\n",
    ],
)
def test_a_client_or_a_model_that_only_names_tell_makes_it_likely(call: str) -> None:
    body = 'body = {"messages": messages, "max_tokens": 9}\n'
    assert [finding.confidence for finding in found(body + call)] == [Confidence.LIKELY]


@pytest.mark.parametrize(
    "body",
    [
        '{"messages": messages, "max_tokens": 9, **json.load(open("more.json"))}',
        '{"prompt": "...", "max_tokens_to_sample": 9}',
        '{"messages": messages, "max_tokens": 9} if os.environ else {"prompt": "", "max_tokens_to_sample": 9}',
        '{"messages": messages, "max_tokens": 9, "anthropic_version": os.environ["VERSION"]}',
    ],
)
def test_a_body_that_may_be_right_is_not_reported(body: str) -> None:
    assert codes(f"body = {body}\n{ASK}") == []


MODEL_TESTS = {
    "model.startswith('anthropic.')": True,
    "model.startswith(('anthropic.', 'us.anthropic.'))": True,
    "not model.startswith('meta.') and 'claude' in model": True,
    "'claude' in model.lower()": True,
    "model.split('.')[0] == 'anthropic'": True,
    "maker == 'anthropic'": True,
    "flag": True,
    "is_claude(model)": True,
    "re.match('(us[.])?anthropic', model)": True,
    "'claude' not in model": False,
    "maker != 'anthropic'": False,
    "model.startswith(('anthropic.', 'mistral.'))": None,
    "model.startswith('mistral.')": None,
    "'claude' in style": None,
    "len(model) > 4": None,
    "is_claude(style)": None,
}
"""Test -> whether it holds for Claude's models; None where it does not ask for them."""


@pytest.mark.parametrize("test", MODEL_TESTS)
def test_a_test_of_the_model_tells_whose_body_it_is(test: str) -> None:
    arms = {True: "body = {'messages': [1]}", False: "body = {'messages': [2]}"}
    program = f"""
def ask(model, style):
    maker = model.split('.')[0]
    flag = 'claude' in model
    if {test}:
        {arms[True]}
    else:
        {arms[False]}
    boto3.client("bedrock-runtime").invoke_model(modelId=model, body=json.dumps(body))
"""
    mended = fix_source((PRELUDE + program).encode(), "program.py", Settings()).source.decode()
    holds = MODEL_TESTS[test]
    assert codes(program) == ([] if holds is None else ["CAV107"])
    assert ["[1]," in mended, "[2]," in mended] == [holds is True, holds is False]


def test_a_test_patches_its_clients() -> None:
    program = 'body = {"messages": messages, "max_tokens": 9}\n' + ASK
    assert codes(program, "tests/test_claude.py") == []


def test_another_services_client_is_not_bedrocks() -> None:
    program = 'body = {"messages": messages}\n' + ASK.replace("bedrock-runtime", "our-own-service")
    assert codes(program) == []


@pytest.mark.parametrize(
    "headers",
    [
        '{"api-key": "k"}',
        '{"api-key": "k", "anthropic-version": "2023-01-01"}',
        '{"api-key": "k", "anthropic-version": "2024-10-22"}',
        '{"api-key": "k", "anthropic-version": ""}',
        '{"api-key": "k", "anthropic-version": "vertex-2023-10-16"}',
        '{"api-key": "k", "anthropic_version": "2023-06-01"}',
        '{"x-api-key": "k", "x-anthropic-version": "2023-06-01"}',
    ],
)
def test_what_is_wrong_on_another_platform_is_reported_once(headers: str) -> None:
    assert codes(f"headers = {headers}\nrequests.post(foundry, headers=headers, json=messages)\n") == ["CAV107"]


@pytest.mark.parametrize("assigned", ['["anthropic-version"] = "2024-10-22"', '["anthropic_version"] = "2023-06-01"'])
def test_a_header_that_is_assigned_is_reported_once(assigned: str) -> None:
    program = f'headers = {{"api-key": "k"}}\nheaders{assigned}\nrequests.post(foundry, headers=headers, json={{}})\n'
    assert codes(program) == ["CAV107"]


def test_headers_that_also_go_to_the_api_are_judged_there() -> None:
    program = """
        headers = {"x-api-key": "k", "anthropic-version": "2024-10-22"}
        requests.post(api, headers=headers, json={})
        requests.post(foundry, headers=headers, json={})
        """
    assert codes(program) == ["CAV103"]


def test_a_call_that_may_go_to_both_is_reported_once() -> None:
    program = 'requests.post(api if os.getenv("API") else foundry, headers={"x-api-key": "k"}, json={})\n'
    assert codes(program) == ["CAV101"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('body = {"messages": messages, "max_tokens": 9}\n', Applicability.SAFE),
        ('body = dict(messages=messages, max_tokens=9, anthropic_version="2023-06-01")\n', Applicability.SAFE),
        ('V = "2023-06-01"\nbody = {"messages": messages, "anthropic_version": V}\n', Applicability.SAFE),
        (
            'def version(v="2023-06-01"):\n    return v\nbody = {"messages": [], "anthropic_version": version()}\n',
            Applicability.UNSAFE,
        ),
        ('body = {"messages": messages, "anthropic_version": "2026-10-21"}\n', Applicability.UNSAFE),
        (
            'a = {"messages": messages, "max_tokens": 9}\nb = {"messages": []}\nbody = a if os.environ else b\n',
            Applicability.UNSAFE,
        ),
        ('body = {"messages": messages}\nrequests.post(api, headers=own, json=body)\n', None),
        ('body = {"messages": messages}\nrequests.post(api if 1 else os.environ["U"], headers=own, json=body)\n', None),
        ('V: str = "2023-06-01"\nbody = {"messages": messages, "anthropic_version": V}\n', Applicability.SAFE),
    ],
)
def test_a_fix_is_as_safe_as_it_says(body: str, expected: Applicability | None) -> None:
    assert applicability(body + ASK) is expected


def test_the_message_says_where_a_value_is_written() -> None:
    program = """
        class Claude:
            def __init__(self, version="2023-06-01"):
                self.version = version
            def body(self):
                return {"messages": messages, "anthropic_version": self.version}
        boto3.client("bedrock-runtime").invoke_model(modelId=claude, body=json.dumps(Claude().body()))
    """
    (finding,) = found(program)
    assert finding.message.endswith("(it is written at line 10)")


def test_a_version_that_moves_into_the_body_leaves_headers_alone_that_go_elsewhere() -> None:
    program = f"""
        requests.post(api, headers=own, json={{}})
        url = "https://aiplatform.googleapis.com{VERTEX_PATH}"
        requests.post(url, headers=own, json={{"messages": messages, "max_tokens": 9}})
        """
    assert applicability(program) is Applicability.UNSAFE


def test_a_version_that_moves_into_the_headers_leaves_a_body_alone_that_goes_elsewhere() -> None:
    program = f"""
        body = {{"messages": messages, "max_tokens": 9, "anthropic_version": "bedrock-2023-05-31"}}
        requests.post(foundry, headers={{"api-key": "k"}}, json=body)
        {ASK}
        """
    assert applicability(program) is Applicability.UNSAFE


def test_a_body_of_two_platforms_is_left_to_a_person() -> None:
    program = f"""
        body = {{"messages": messages, "max_tokens": 9}}
        requests.post("https://aiplatform.googleapis.com{VERTEX_PATH}", headers={{"Authorization": "t"}}, json=body)
        {ASK}
        """
    assert [finding.fix for finding in found(program)] == [None, None]


def test_a_call_that_may_go_to_the_api_as_well_is_left_to_a_person() -> None:
    program = f"""
        url = "https://aiplatform.googleapis.com{VERTEX_PATH}" if os.getenv("VERTEX") else api
        requests.post(url, headers=own, json={{"messages": messages, "max_tokens": 9}})
        """
    assert [finding.fix for finding in found(program)] == [None]


def test_the_headers_of_a_platform_get_the_target_version() -> None:
    newest = load_catalog().versions[-1].date
    program = PRELUDE + 'requests.post(foundry, headers={"api-key": "k"}, json={})\n'
    fixed = fix_source(program.encode(), "program.py", Settings(target_version=newest)).source.decode()
    assert f'{{"api-key": "k", "anthropic-version": "{newest}"}}' in fixed
