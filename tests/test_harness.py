"""The harness in ``fixtures/harness``: programs run as they are, but what they reach is the server."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Outcome, Program, Sandbox, programs
from harness.outcomes import outcome
from server import ApiServer, Authority


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with ApiServer(Authority()) as server:
        yield server
    assert server.failures == []


@pytest.fixture
def sandbox(server: ApiServer) -> Sandbox:
    return Sandbox(server, patience=0.5)


PRELUDE = """\
import asyncio, json, os
url = "https://api.anthropic.com/v1/messages"
headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
body = {"model": "claude-opus-4-8", "max_tokens": 100, "messages": [{"role": "user", "content": "Who are you?"}]}
"""

CLIENTS = {
    "requests": "import requests\nreply = requests.post(url, headers=headers, json=body).json()",
    "a session of requests": """\
import requests
with requests.Session() as session:
    reply = session.post(url, headers=headers, json=body, timeout=5).json()
""",
    "httpx": "import httpx\nreply = httpx.post(url, headers=headers, json=body).json()",
    "httpx, asynchronously": """\
import httpx
async def ask():
    async with httpx.AsyncClient(headers=headers) as client:
        return (await client.post(url, json=body)).json()
reply = asyncio.run(ask())
""",
    "aiohttp": """\
import aiohttp
async def ask():
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json=body) as response:
        return await response.json()
reply = asyncio.run(ask())
""",
    "aiohttp with the list of certifi": """\
import aiohttp, certifi, ssl
async def ask():
    context = ssl.create_default_context(cafile=certifi.where())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        async with session.post(url, json=body, headers=headers) as response:
            return await response.json()
reply = asyncio.run(ask())
""",
    "urllib.request": """\
import urllib.request
request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)
with urllib.request.urlopen(request) as response:
    reply = json.load(response)
""",
    "http.client": """\
import http.client
connection = http.client.HTTPSConnection("api.anthropic.com")
connection.request("POST", "/v1/messages", json.dumps(body), headers)
reply = json.load(connection.getresponse())
""",
    "urllib3": """\
import urllib3
reply = urllib3.PoolManager().request("POST", url, headers=headers, json=body).json()
""",
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_reaches_the_server_under_the_name_of_the_api(
    client: str, server: ApiServer, sandbox: Sandbox
) -> None:
    server.received.clear()
    outcome = sandbox.run(f"{PRELUDE}{CLIENTS[client]}\nprint(reply['content'][0]['text'])\n")
    assert outcome == Outcome("Hello! My name is Claude.\n", "", 0)
    [received] = server.received
    assert received.values("host") == ["api.anthropic.com"]


@pytest.mark.parametrize(
    "attempt",
    [
        "import requests; requests.get('https://example.org/')",
        "import requests; requests.get('http://api.anthropic.com/')",
        "import httpx; httpx.get('https://example.org/')",
        "import urllib.request; urllib.request.urlopen('https://console.anthropic.com/')",
        "import socket; socket.create_connection(('198.51.100.7', 443), timeout=3)",
        "import socket; socket.socket().connect(('198.51.100.7', 443))",
        "import socket; socket.socket().connect_ex(('198.51.100.7', 443))",
        "import asyncio; asyncio.run(asyncio.open_connection('example.org', 443))",
        "import socket; socket.socket().connect(('example.org', 443))",
        "import socket; socket.gethostbyname('example.org')",
    ],
)
def test_nothing_else_can_be_reached(attempt: str, sandbox: Sandbox) -> None:
    outcome = sandbox.run(attempt)
    assert outcome.exit_code == 1
    assert "cannot be reached from the sandbox, only" in outcome.error


def test_a_server_of_the_program_itself_can_be_reached(sandbox: Sandbox) -> None:
    program = """\
import socket
with socket.create_server(("localhost", 0)) as server:
    socket.create_connection(("localhost", server.getsockname()[1])).close()
print("done")
"""
    assert sandbox.run(program) == Outcome("done\n", "", 0)


def test_proxies_and_keys_of_the_user_do_not_get_in(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a key of the user")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    program = f"{PRELUDE}{CLIENTS['requests']}\nprint(headers['x-api-key'])\n"
    assert sandbox.run(program) == Outcome("sk-ant-no-key-at-all\n", "", 0)


def test_a_program_runs_under_this_python(sandbox: Sandbox) -> None:
    assert sandbox.run("import sys; print(sys.prefix)").stdout.strip() == sys.prefix


def test_a_program_that_has_its_answer_and_does_not_end_hangs(server: ApiServer) -> None:
    program = f"{PRELUDE}{CLIENTS['http.client']}\nprint('so far', flush=True)\nwhile True: pass\n"
    start = time.monotonic()
    outcome = Sandbox(server, patience=0.5, limit=20).run(program)
    assert outcome == Outcome("so far\n", "", None)
    assert outcome.hangs
    assert time.monotonic() - start < 15, "nobody waits to the limit"


def test_a_program_that_asks_for_nothing_may_take_longer_but_not_for_ever(server: ApiServer) -> None:
    slow = "import time; time.sleep(0.6); print('done')"
    assert Sandbox(server, patience=0.1).run(slow) == Outcome("done\n", "", 0)
    assert Sandbox(server, limit=0.3).run(slow).hangs


def test_a_program_that_waits_for_the_server_does_not_hang() -> None:
    program = f"{PRELUDE}import urllib.request\nbody['stream'] = True\n"
    program += "request = urllib.request.Request(url, json.dumps(body).encode(), headers)\n"
    program += "print(sum(1 for line in urllib.request.urlopen(request)))\n"
    with ApiServer(Authority(), pause=lambda: time.sleep(0.04)) as server:
        assert Sandbox(server, patience=0.25).run(program) == Outcome("42\n", "", 0)


def test_what_a_program_writes_without_end_is_not_all_kept(server: ApiServer) -> None:
    outcome = Sandbox(server, limit=0.5).run("while True: print('again' * 1000)")
    assert outcome.hangs
    assert len(outcome.stdout) == 1 << 20


def test_no_path_of_this_machine_gets_out(sandbox: Sandbox) -> None:
    outcome = sandbox.run("import os; print(__file__); print(os.getcwd()); raise ValueError(__file__)")
    assert outcome == Outcome("./program.py\n.\n", "ValueError: ./program.py", 1, raised=True)


# What people are told

FRAME = 'Traceback (most recent call last):\n  File "program.py", line 1, in <module>\n    f()\n    ^^^\n'


DESCRIBED = [
    (" Hello!\n", "", 0, "prints ' Hello!'"),
    ("Hello!\nBye!\n", "", 0, "prints 'Hello!\\nBye!'"),
    ("", "", 0, "prints nothing"),
    ("Hello!", "a warning\n", 0, "prints 'Hello!'"),
    ("", f"{FRAME}KeyError: 'completion'\n", 1, "raises KeyError: 'completion'"),
    ("", f"{FRAME}StopIteration\n", 1, "raises StopIteration"),
    ("Hello\n", f"{FRAME}KeyError: 'a'\n", 1, "prints 'Hello' and raises KeyError: 'a'"),
    ("", f"{FRAME}KeyError: 'a'\nUnclosed client session\n", 1, "raises KeyError: 'a'"),
    ("", f"{FRAME}ValueError: one\ntwo\n", 1, "raises ValueError: one"),
    ("", f"{FRAME}KeyError: 'a'\n\nDuring handling of it:\n\n{FRAME}OSError: b\n", 1, "raises OSError: b"),
    ("", "no answer\n", 1, "exits with 1, saying 'no answer'"),
    ("", "", 3, "exits with 3"),
    ("", "", None, "hangs"),
    ("Hello", "", None, "prints 'Hello' and hangs"),
    ("a" * 500, "", 0, f"prints '{'a' * 152}…"),
]


@pytest.mark.parametrize(
    ("stdout", "stderr", "exit_code", "description"), DESCRIBED, ids=[row[-1] for row in DESCRIBED]
)
def test_an_outcome_is_described(stdout: str, stderr: str, exit_code: int | None, description: str) -> None:
    assert outcome(stdout, stderr, exit_code).description == description


@pytest.mark.parametrize(
    ("stdout", "exit_code", "is_answer"),
    [("Hello\n", 0, True), ("Hello", 0, True), ("Hello\n\n", 0, False), (" Hello\n", 0, False),
     ("Hello\nHello\n", 0, False), ("", 0, False), ("Hello\n", 1, False), ("Hello\n", None, False)],
)  # fmt: skip
def test_an_answer_is_the_exact_text_and_a_good_end(stdout: str, exit_code: int | None, is_answer: bool) -> None:
    assert outcome(stdout, "", exit_code).is_answer("Hello") is is_answer


# The programs

SAMPLE = '''\
"""Ask for a name.

It compares with ``truncated``.

Prints:  Hello! My name is Claude.
"""
import os
import requests

reply = {"a": 1}
print(reply["a"])  # expect: CAV202
'''


def sample(folder: Path, text: str = SAMPLE, code: str = "CAV202", name: str = "name") -> Program:
    path = folder / code / "programs" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    [program] = [program for program in programs(folder) if program.path == path]
    return program


def test_a_program_says_what_it_prints(tmp_path: Path) -> None:
    program = sample(tmp_path)
    assert program.answer == " Hello! My name is Claude."
    assert (program.code, program.name, program.client, program.is_harmless) == ("CAV202", "name", "requests", False)


def test_a_program_may_print_several_lines(tmp_path: Path) -> None:
    assert sample(tmp_path, '"""A.\n\nPrints: one\ntwo\n"""\n').answer == "one\ntwo"
    assert sample(tmp_path, '"""A.\n\nPrints: one"""\n').answer == "one"


def test_a_program_that_does_not_say_what_it_prints_is_an_error(tmp_path: Path) -> None:
    for text in ('"""A."""\n', "", '"""A.\n\nPrints: one\n\nB.\n"""\n'):
        with pytest.raises(AssertionError, match="does not end with"):
            assert sample(tmp_path, text).answer


def test_a_program_is_run_without_our_comments(tmp_path: Path) -> None:
    assert b"expect" not in sample(tmp_path).broken
    assert sample(tmp_path).broken.endswith(b'print(reply["a"])\n')


def test_a_program_may_be_harmless(tmp_path: Path) -> None:
    assert sample(tmp_path, SAMPLE.replace("It compares", "Harmless: it compares")).is_harmless
    assert not sample(tmp_path, SAMPLE.replace("It compares", "Not Harmless: it compares")).is_harmless


@pytest.mark.parametrize(
    ("line", "client"),
    [
        ("import requests", "requests"),
        ("import httpx as h", "httpx"),
        ("from aiohttp import ClientSession", "aiohttp"),
        ("import urllib.request", "urllib.request"),
        ("from urllib import request", "urllib.request"),
        ("from urllib.request import urlopen", "urllib.request"),
        ("import http.client", "http.client"),
        ("import urllib.parse, http.client", "http.client"),
        ("import urllib3", "urllib3"),
        ("import socket", "none that is known"),
    ],
)
def test_the_client_of_a_program_is_what_it_imports(line: str, client: str, tmp_path: Path) -> None:
    assert sample(tmp_path, f'"""A."""\n{line}\n').client == client


def test_programs_come_in_the_order_of_the_rules(tmp_path: Path) -> None:
    for code, name in (("CAV302", "a"), ("CAV201", "z"), ("CAV201", "b")):
        sample(tmp_path, code=code, name=name)
    (tmp_path / "CAV201" / "no_program.py").write_text("")
    assert [(program.code, program.name) for program in programs(tmp_path)] == [
        ("CAV201", "b"), ("CAV201", "z"), ("CAV302", "a"),
    ]  # fmt: skip


def test_a_program_is_mended_by_the_fixers(tmp_path: Path) -> None:
    text = f'"""A.\n\nPrints: Hello! My name is Claude.\n"""\n{PRELUDE}{CLIENTS["requests"]}\n'
    broken = text.replace(', "anthropic-version": "2023-06-01"', "") + 'print(reply["content"][0]["text"])\n'
    program = sample(tmp_path, broken)
    assert program.broken.decode() == broken
    assert program.fixed.decode() == text + 'print(reply["content"][0]["text"])\n'
