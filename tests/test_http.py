"""Every way of sending a request: found where its version header is missing, silent where it is there.

``HEADERS`` stands for a dict of headers, ``PAIRS`` for the same as a list of pairs, ``ARGUMENT`` and ``OPTION`` for one
more argument or option of curl. In the good twin they have the version header, in the bad one they have not; the line
with ``# here`` is the one that is to be reported.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest

import claude_api_lint.http
from claude_api_lint.api_requests import ApiRequests
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import walk
from claude_api_lint.findings import Finding
from claude_api_lint.fixer import fix_source
from claude_api_lint.http.declarations import (
    ITERATED,
    Building,
    Client,
    Gives,
    Library,
    Reading,
    Sending,
    parameter,
)
from claude_api_lint.http.exchanges import Exchange, Exchanges
from claude_api_lint.http.registry import Registry, load_registry
from claude_api_lint.linter import check_source
from claude_api_lint.replies import Kind, Replies
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source

BAD = {
    "HEADERS": "{'x-api-key': key, 'content-type': 'application/json'}",
    "PAIRS": "[('x-api-key', key)]",
    "ARGUMENT": "",
    "OPTION": "",
}
GOOD = {
    "HEADERS": "{'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json'}",
    "PAIRS": "[('x-api-key', key), ('anthropic-version', '2023-06-01')]",
    "ARGUMENT": ", '-H', 'anthropic-version: 2023-06-01'",
    "OPTION": ' -H "anthropic-version: 2023-06-01"',
}
URL = "'https://api.anthropic.com/v1/messages'"

FORMS = {
    # requests
    "requests: the function of each verb": """
        import requests
        requests.put(URL, data={}, headers=HEADERS)  # here
    """,
    "requests: the URL by keyword": """
        import requests
        requests.post(url=URL, headers=HEADERS)  # here
    """,
    "requests: request() with positions": """
        import requests
        requests.request('POST', URL, headers=HEADERS)  # here
    """,
    "requests: request() with keywords": """
        import requests
        requests.request(method='POST', url=URL, headers=HEADERS)  # here
    """,
    "requests: a session's request()": """
        import requests
        session = requests.Session()
        session.request('POST', URL, headers=HEADERS)  # here
    """,
    "requests: a session made in the call": """
        import requests
        requests.Session().post(URL, headers=HEADERS)  # here
    """,
    "requests: the old name of Session": """
        import requests
        requests.session().post(URL, headers=HEADERS)  # here
    """,
    "requests: Session from where it is defined": """
        from requests.sessions import Session
        with Session() as s:
            s.post(URL, headers=HEADERS)  # here
    """,
    "requests: a session's headers are assigned": """
        import requests
        s = requests.Session()
        s.headers = HEADERS
        s.get(URL)  # here
    """,
    "requests: no parameters, by position": """
        import requests
        s = requests.Session()
        s.headers = HEADERS
        s.get(URL, None)  # here
    """,
    "httpx: the path is one word below the base URL": """
        import httpx
        client = httpx.Client(base_url='https://api.anthropic.com/v1', headers=HEADERS)
        client.get('models')  # here
    """,
    "requests: a function kept in self": """
        import requests
        class C:
            def __init__(self, key):
                self._method = requests.post
                self._headers = HEADERS
            def ask(self):
                return self._method(URL, headers=self._headers)  # here
    """,
    "requests: a session's headers and the call's": """
        import requests
        with requests.Session() as s:
            s.headers.update(HEADERS)
            s.get(URL, headers={'accept': '*/*'})  # here
    """,
    "requests: a session kept in self": """
        import requests
        class C:
            def __init__(self, key):
                self._session = requests.Session()
                self._session.headers.update(HEADERS)
            def ask(self):
                return self._session.post(URL)  # here
    """,
    "requests: a session from a factory": """
        import requests
        def make(key):
            session = requests.Session()
            session.headers.update(HEADERS)
            return session
        def ask(key):
            return make(key).post(URL)  # here
    """,
    "requests: a session that is a parameter's default": """
        import requests
        SESSION = requests.Session()
        def _ask(key, session=SESSION):
            return session.post(URL, headers=HEADERS)  # here
        _ask('k')
    """,
    "requests: a session with an adapter and retries": """
        import requests
        from requests.adapters import HTTPAdapter
        s = requests.Session()
        s.mount('https://', HTTPAdapter(max_retries=3))
        s.post(URL, headers=HEADERS)  # here
    """,
    "requests: a request is prepared and sent": """
        import requests
        request = requests.Request('POST', URL, headers=HEADERS)
        prepared = request.prepare()
        with requests.Session() as session:
            session.send(prepared)  # here
    """,
    "requests: a request is prepared by the session": """
        import requests
        session = requests.Session()
        request = requests.Request('POST', URL, HEADERS)
        session.send(session.prepare_request(request))  # here
    """,
    "requests: keyword arguments from a mapping": """
        import requests
        arguments = {'url': URL, 'headers': HEADERS, 'timeout': 10}
        requests.post(**arguments)  # here
    """,
    "requests: keyword arguments from dict()": """
        import requests
        arguments = dict(headers=HEADERS)
        requests.post(URL, **arguments)  # here
    """,
    "requests: the method chosen by name": """
        import requests
        getattr(requests, 'post')(URL, headers=HEADERS)  # here
    """,
    # httpx
    "httpx: request()": """
        import httpx
        httpx.request('POST', URL, headers=HEADERS)  # here
    """,
    "httpx: stream()": """
        import httpx
        with httpx.stream('POST', URL, headers=HEADERS) as r:  # here
            pass
    """,
    "httpx-sse: connect_sse": """
        import httpx
        from httpx_sse import connect_sse
        with connect_sse(httpx.Client(), 'POST', URL, headers=HEADERS) as source:  # here
            pass
    """,
    "httpx-sse: a client's headers": """
        import httpx, httpx_sse
        client = httpx.Client(base_url='https://api.anthropic.com', headers=HEADERS)
        with httpx_sse.connect_sse(client, 'POST', '/v1/messages') as source:  # here
            pass
    """,
    "httpx-sse: aconnect_sse with keywords": """
        import httpx, httpx_sse
        async def ask(key):
            async with httpx.AsyncClient() as client:
                connecting = httpx_sse.aconnect_sse(client=client, method='POST', url=URL, headers=HEADERS)  # here
                async with connecting as source:
                    pass
    """,
    "httpx: headers as pairs": """
        import httpx
        httpx.post(URL, headers=PAIRS)  # here
    """,
    "httpx: headers as httpx.Headers": """
        import httpx
        httpx.post(URL, headers=httpx.Headers(HEADERS))  # here
    """,
    "httpx: a URL object": """
        import httpx
        httpx.post(httpx.URL(URL), headers=HEADERS)  # here
    """,
    "httpx: a client in a with": """
        import httpx
        with httpx.Client(timeout=5) as client:
            client.post(URL, headers=HEADERS)  # here
    """,
    "httpx: an async client's stream": """
        import httpx
        async def ask(key):
            async with httpx.AsyncClient() as client:
                async with client.stream('POST', URL, headers=HEADERS) as r:  # here
                    pass
    """,
    "httpx: a client's headers are updated": """
        import httpx
        client = httpx.Client()
        client.headers.update(HEADERS)
        client.post(URL)  # here
    """,
    "httpx: a client's headers are assigned": """
        import httpx
        client = httpx.Client()
        client.headers = HEADERS
        client.post(URL)  # here
    """,
    "httpx: a base URL with a path": """
        import httpx
        client = httpx.Client(base_url='https://api.anthropic.com/v1', headers=HEADERS)
        client.post('messages')  # here
    """,
    "httpx: a base URL is assigned": """
        import httpx
        client = httpx.Client(headers=HEADERS)
        client.base_url = 'https://api.anthropic.com'
        client.post('/v1/messages')  # here
    """,
    "httpx: a request that is built and sent": """
        import httpx
        client = httpx.Client(headers=HEADERS)
        request = client.build_request('POST', URL)
        client.send(request, stream=True)  # here
    """,
    "httpx: a Request that is made and sent": """
        import httpx
        with httpx.Client() as client:
            client.send(httpx.Request('POST', URL, headers=HEADERS))  # here
    """,
    "httpx: a client kept in a class attribute": """
        import httpx
        class C:
            client = httpx.Client(base_url='https://api.anthropic.com', headers=HEADERS)
            def ask(self):
                return self.client.post('/v1/messages')  # here
    """,
    "httpx: a client made by a context manager": """
        import contextlib
        import httpx
        @contextlib.contextmanager
        def connected(key):
            with httpx.Client(headers=HEADERS) as client:
                yield client
        def ask(key):
            with connected(key) as client:
                return client.post(URL)  # here
    """,
    "httpx: a client made on demand": """
        import httpx
        class C:
            _client = None
            @property
            def client(self):
                if self._client is None:
                    self._client = httpx.Client(headers=HEADERS)
                return self._client
            def ask(self):
                return self.client.post(URL)  # here
    """,
    "httpx: many requests at once": """
        import asyncio
        import httpx
        async def ask(client: httpx.AsyncClient, key):
            return await client.post(URL, headers=HEADERS)  # here
        async def main(key):
            async with httpx.AsyncClient() as client:
                await asyncio.gather(*(ask(client, key) for _ in range(9)))
    """,
    # aiohttp
    "aiohttp: a session's post": """
        import aiohttp
        async def ask(key):
            async with aiohttp.ClientSession() as session:
                async with session.post(URL, headers=HEADERS) as r:  # here
                    return await r.json()
    """,
    "aiohttp: a session's request": """
        import aiohttp
        async def ask(key):
            session = aiohttp.ClientSession()
            r = await session.request('POST', URL, headers=HEADERS)  # here
    """,
    "aiohttp: headers of the session": """
        import aiohttp
        async def ask(key):
            async with aiohttp.ClientSession(headers=HEADERS) as session, session.post(URL) as r:  # here
                return await r.json()
    """,
    "aiohttp: a base URL in the first position": """
        import aiohttp
        async def ask(key):
            async with aiohttp.ClientSession('https://api.anthropic.com', headers=HEADERS) as session:
                await session.post('/v1/messages')  # here
    """,
    "aiohttp: the module's request": """
        import aiohttp
        async def ask(key):
            async with aiohttp.request('POST', URL, headers=HEADERS) as r:  # here
                return await r.text()
    """,
    "aiohttp: a session kept in self": """
        import aiohttp
        class C:
            async def start(self, key):
                self.session = aiohttp.ClientSession(headers=HEADERS)
            async def ask(self):
                async with self.session.post(URL) as r:  # here
                    return await r.json()
    """,
    # urllib
    "urllib: a Request in the call": """
        import urllib.request
        urllib.request.urlopen(urllib.request.Request(URL, data=b'', headers=HEADERS))  # here
    """,
    "urllib: a Request by position": """
        from urllib.request import Request, urlopen
        request = Request(URL, b'', HEADERS)  # here
        urlopen(request)
    """,
    "urllib: headers one by one": """
        from urllib import request
        r = request.Request(URL, method='POST')  # here
        for name, value in HEADERS.items():
            r.add_header(name, value)
        request.urlopen(r)
    """,
    "urllib: an opener": """
        import urllib.request
        opener = urllib.request.build_opener()
        opener.open(urllib.request.Request(URL, headers=HEADERS))  # here
    """,
    "urllib: headers of an opener": """
        import urllib.request
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.addheaders = PAIRS
        opener.open(URL)  # here
    """,
    # tornado
    "tornado: a request": """
        from tornado.httpclient import HTTPClient, HTTPRequest
        request = HTTPRequest(URL, 'POST', HEADERS, body='')
        HTTPClient().fetch(request)  # here
    """,
    "tornado: a URL": """
        from tornado import httpclient
        client = httpclient.HTTPClient()
        client.fetch(URL, method='POST', headers=HEADERS, body='')  # here
    """,
    # urllib3
    "urllib3: a pool manager": """
        import urllib3
        http = urllib3.PoolManager(num_pools=2)
        http.request('POST', URL, headers=HEADERS)  # here
    """,
    "urllib3: headers of the pool manager": """
        import urllib3
        http = urllib3.PoolManager(headers=HEADERS)
        http.request('POST', URL, json={})  # here
    """,
    "urllib3: the module's request": """
        import urllib3
        urllib3.request('POST', URL, headers=HEADERS)  # here
    """,
    "urllib3: a pool of connections to one host": """
        import urllib3
        pool = urllib3.HTTPSConnectionPool('api.anthropic.com', headers=HEADERS)
        pool.request('POST', '/v1/messages')  # here
    """,
    "urllib3: a pool of connections, and urlopen": """
        from urllib3 import HTTPSConnectionPool
        with HTTPSConnectionPool('api.anthropic.com', maxsize=4) as pool:
            pool.urlopen('POST', '/v1/messages', body=b'', headers=HEADERS)  # here
    """,
    "urllib3: a proxy": """
        import urllib3
        http = urllib3.ProxyManager('http://proxy:3128')
        http.request('POST', URL, headers=HEADERS)  # here
    """,
    "urllib3: a pool by its URL": """
        import urllib3
        pool = urllib3.connection_from_url('https://api.anthropic.com')
        pool.request('POST', '/v1/messages', headers=HEADERS)  # here
    """,
    # http.client
    "http.client: headers by position": """
        import http.client
        connection = http.client.HTTPSConnection('api.anthropic.com')
        connection.request('POST', '/v1/messages', b'', HEADERS)  # here
    """,
    "http.client: headers by keyword": """
        from http.client import HTTPSConnection
        connection = HTTPSConnection('api.anthropic.com', 443, timeout=10)
        connection.request('POST', '/v1/messages', body=b'', headers=HEADERS)  # here
    """,
    "http.client: with closing": """
        import contextlib
        import http.client
        with contextlib.closing(http.client.HTTPSConnection('api.anthropic.com')) as connection:
            connection.request('POST', '/v1/messages', '', HEADERS)  # here
    """,
    "http.client: one line after the other": """
        import http.client
        connection = http.client.HTTPSConnection('api.anthropic.com')
        connection.putrequest('POST', '/v1/messages', skip_accept_encoding=True)
        for name, value in HEADERS.items():
            connection.putheader(name, value)
        connection.endheaders(b'')  # here
    """,
    # curl
    "curl: an argument list": """
        import subprocess
        subprocess.run(['curl', '-s', URL, '-H', f'x-api-key: {key}'ARGUMENT, '-d', '{}'])  # here
    """,
    "curl: an argument list in a variable": """
        import subprocess
        command = ['curl', URL, '-H', f'x-api-key: {key}'ARGUMENT]
        subprocess.check_output(command)  # here
    """,
    "curl: an argument list that grows": """
        import subprocess
        command = ['curl', '-X', 'POST']
        command += ['-H', f'x-api-key: {key}'ARGUMENT]
        command.append(URL)
        subprocess.check_call(command, timeout=9)  # here
    """,
    "curl: a full path": """
        import subprocess
        subprocess.Popen(['/usr/bin/curl', '--header', f'x-api-key: {key}'ARGUMENT, URL])  # here
    """,
    "curl: options glued to their values": """
        import subprocess
        subprocess.run(['curl', f'-Hx-api-key: {key}', '--header=accept: */*'ARGUMENT, '--url', URL])  # here
    """,
    "curl: one string for the shell": """
        import subprocess
        subprocess.run('curl https://api.anthropic.com/v1/models -H "x-api-key: $KEY"OPTION -s', shell=True)  # here
    """,
    "curl: os.system": """
        import os
        os.system(f'curl -s https://api.anthropic.com/v1/models -H "x-api-key: {key}"OPTION')  # here
    """,
    "curl: os.popen": """
        import os
        os.popen('curl https://api.anthropic.com/v1/models --header "x-api-key: $KEY"OPTION').read()  # here
    """,
    "curl: getoutput": """
        import subprocess
        subprocess.getoutput('curl https://api.anthropic.com/v1/models -H "x-api-key: $KEY"OPTION')  # here
    """,
    "curl: a command that is split": """
        import shlex
        import subprocess
        subprocess.run(shlex.split('curl https://api.anthropic.com/v1/models -H "x-api-key: a"OPTION'))  # here
    """,
    "curl: arguments one by one": """
        import asyncio
        async def ask(key):
            await asyncio.create_subprocess_exec('curl', URL, '-H', f'x-api-key: {key}'ARGUMENT)  # here
    """,
    "curl: a string for the shell, asynchronously": """
        import asyncio
        async def ask():
            command = 'curl https://api.anthropic.com/v1/models -H "x-api-key: $KEY"OPTION'
            await asyncio.create_subprocess_shell(command)  # here
    """,
    # Functions passed as values
    "functools.partial with everything": """
        import functools
        import requests
        ask = functools.partial(requests.post, URL, headers=HEADERS)
        ask(json={})  # here
    """,
    "functools.partial with the headers": """
        from functools import partial
        import httpx
        post = partial(httpx.post, headers=HEADERS)
        post(URL, json={})  # here
    """,
    "asyncio.to_thread": """
        import asyncio
        import requests
        async def ask(key):
            return await asyncio.to_thread(requests.post, URL, headers=HEADERS)  # here
    """,
    "an executor's submit": """
        import concurrent.futures
        import requests
        with concurrent.futures.ThreadPoolExecutor() as pool:
            pool.submit(requests.post, URL, headers=HEADERS)  # here
    """,
    "run_in_executor with a partial": """
        import asyncio
        import functools
        import requests
        async def ask(key):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, functools.partial(requests.post, URL, headers=HEADERS))  # here
    """,
    "run_in_executor with a lambda": """
        import asyncio
        import requests
        async def ask(key):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, lambda: requests.post(URL, headers=HEADERS))  # here
    """,
    "a retry that gets the method": """
        import requests
        from somewhere import retry
        retry(call_method=requests.post, url=URL, headers=HEADERS, json={})  # here
    """,
    "a retry that gets the method by position": """
        import httpx
        from somewhere import with_backoff
        with_backoff(httpx.post, URL, headers=HEADERS)  # here
    """,
    "the method kept in a variable": """
        import requests
        send = requests.post
        send(URL, headers=HEADERS)  # here
    """,
    "the method kept in a table": """
        import requests
        methods = {'GET': requests.get, 'POST': requests.post}
        methods['POST'](URL, headers=HEADERS)  # here
    """,
    "the method as a parameter": """
        import requests
        def _send(method, headers):
            return method(URL, headers=headers)
        def ask(key):
            return _send(requests.post, HEADERS)  # here
    """,
    # Wrappers
    "a wrapper of the project, by keyword": """
        from .transport import fetch
        def ask(key):
            return fetch(url=URL, headers=HEADERS)  # here
    """,
    "a wrapper of the project, by position": """
        from .transport import send_request
        def ask(key):
            return send_request('POST', URL, HEADERS, {})  # here
    """,
    "a wrapper that is a method of something unknown": """
        class C:
            def __init__(self, http):
                self.http = http
            def ask(self, key):
                return self.http.post(URL, headers=HEADERS)  # here
    """,
    "a wrapper in the same file": """
        import requests
        def _call(url, headers, **kwargs):
            headers['accept'] = '*/*'
            return requests.post(url, headers=headers, **kwargs)
        def ask(key):
            return _call(URL, HEADERS, json={})  # here
    """,
    "a wrapper in the same class": """
        import httpx
        class C:
            def _post(self, path, headers):
                return httpx.post(f'https://api.anthropic.com/v1/{path}', headers=headers)
            def ask(self, key):
                return self._post('messages', HEADERS)  # here
    """,
}
"""Sentence -> program."""

KEY = "import os\nkey = os.environ['ANTHROPIC_API_KEY']\n"


def program(form: str, words: dict[str, str]) -> str:
    text = KEY + textwrap.dedent(form).lstrip("\n")
    for word, meaning in {**words, "URL": URL}.items():
        escaped = meaning.replace("\\", r"\\")
        text = re.sub(rf"(?<!\.)\b{word}\b|(?<=['\"]){word}\b", escaped, text)
    compile(text, "program.py", "exec")
    return text


def check(text: str) -> tuple[Finding, ...]:
    result = check_source(text.encode(), "program.py", Settings())
    assert result.skipped is None
    return result.findings


@pytest.mark.parametrize("sentence", FORMS)
def test_a_request_without_the_version_is_found_where_it_is_sent(sentence: str) -> None:
    text = program(FORMS[sentence], BAD)
    here = [number for number, line in enumerate(text.splitlines(), start=1) if line.endswith("# here")]
    assert len(here) == 1
    assert [(finding.line, finding.code) for finding in check(text)] == [(here[0], "CAV101")]


@pytest.mark.parametrize("sentence", FORMS)
def test_the_same_request_with_the_version_is_silent(sentence: str) -> None:
    assert check(program(FORMS[sentence], GOOD)) == ()


@pytest.mark.parametrize("sentence", FORMS)
def test_a_fix_of_the_request_leaves_it_silent_or_says_why_there_is_none(sentence: str) -> None:
    text = program(FORMS[sentence], BAD)
    (finding,) = check(text)
    fixed = fix_source(text.encode(), "program.py", Settings())
    if finding.fix is None:
        assert finding.no_fix_reason
        assert fixed.source.decode() == text
    else:
        assert check(fixed.source.decode()) == ()
        assert fixed.source.decode().count("anthropic-version") == 1


SILENT = {
    "a request to somebody else": """
        import requests
        requests.post('https://example.org/v1/messages', headers=HEADERS)
    """,
    "a host that only begins like the API's": """
        import requests
        requests.post('https://api.anthropic.com.example.org/v1/messages', headers=HEADERS)
    """,
    "a request that is built and never sent": """
        import requests
        request = requests.Request('POST', URL, headers=HEADERS).prepare()
    """,
    "a request that is built by a client and never sent": """
        import httpx
        request = httpx.Client(headers=HEADERS).build_request('POST', URL)
    """,
    "a dict that has a get": """
        cache = {}
        cache.get(URL, HEADERS)
    """,
    "a curl command that is only printed": """
        print(['curl', URL, '-H', 'x-api-key: k'])
    """,
    "another command than curl": """
        import subprocess
        subprocess.run(['echo', URL, '-H', 'x-api-key: k'])
    """,
    "a curl command with a header file": """
        import subprocess
        subprocess.run(['curl', URL, '-H', '@headers.txt'])
    """,
    "a curl command with a configuration": """
        import subprocess
        subprocess.run(['curl', '-K', 'curl.cfg', URL])
    """,
    "a wrapper of the project without a key in the headers": """
        from .transport import fetch
        fetch(url=URL, headers={'accept': '*/*'})
    """,
    "a wrapper of the project that gets no headers": """
        from .transport import fetch
        fetch(URL)
    """,
    "headers that are not known": """
        import requests
        from .auth import headers
        requests.post(URL, headers=headers)
    """,
    "headers that are partly not known": """
        import requests
        from .auth import more
        requests.post(URL, headers={**HEADERS, **more})
    """,
    "keyword arguments that are not known": """
        import requests
        def f(**kwargs):
            requests.post(URL, **kwargs)
    """,
    "a session that comes from elsewhere": """
        from .net import session
        session.post(URL, json={})
    """,
    "a session with an auth object": """
        import requests
        from .auth import Auth
        s = requests.Session()
        s.auth = Auth()
        s.post(URL, headers=HEADERS)
    """,
    "a call with an auth object": """
        import requests
        from .auth import Auth
        requests.post(URL, auth=Auth())
    """,
    "a client with an event hook": """
        import httpx
        from .hooks import add
        httpx.Client(event_hooks={'request': [add]}).post(URL, headers=HEADERS)
    """,
    "an opener with headers of its own": """
        import urllib.request
        opener = urllib.request.build_opener()
        opener.addheaders = [('x-api-key', key), ('anthropic-version', '2023-06-01')]
        opener.open(URL)
    """,
    "a client whose headers another module completes": """
        import httpx
        from .net import prepare
        client = httpx.Client(headers=HEADERS)
        prepare(client)
        client.post(URL)
    """,
    "a function of the same name as a library's": """
        class requests:
            @staticmethod
            def post(url, headers): ...
        requests.post(URL, headers=HEADERS)
    """,
    "a library that is hidden by a parameter": """
        import requests
        def f(requests):
            requests.head(URL)
    """,
}


@pytest.mark.parametrize("sentence", SILENT)
def test_what_sends_nothing_to_the_api_or_is_not_known_is_silent(sentence: str) -> None:
    assert check(program(SILENT[sentence], BAD)) == ()


# Programs that are right, though the header is not where the request is

RIGHT = {
    "headers that a script adds to a request line by line": """
        import urllib.request
        r = urllib.request.Request(URL)
        r.add_header('x-api-key', key)
        r.add_header('anthropic-version', '2023-06-01')
        urllib.request.urlopen(r)
    """,
    "headers that are added after an if that makes the request": """
        import urllib.request
        def f(key, data):
            if data:
                r = urllib.request.Request(URL, data)
            else:
                r = urllib.request.Request(URL)
            r.add_header('x-api-key', key)
            r.add_header('anthropic-version', '2023-06-01')
            return urllib.request.urlopen(r)
    """,
    "headers that are added after a try that makes the request": """
        import urllib.request
        def f(key, data):
            try:
                r = urllib.request.Request(URL, data)
            except ValueError:
                return None
            r.add_header('x-api-key', key)
            r.add_header('anthropic-version', '2023-06-01')
            return urllib.request.urlopen(r)
    """,
    "headers that a script adds to a request in a loop": """
        import urllib.request
        headers = {'x-api-key': key, 'anthropic-version': '2023-06-01'}
        r = urllib.request.Request(URL, method='POST')
        for k, v in headers.items():
            r.add_header(k, v)
        urllib.request.urlopen(r)
    """,
    "a request that a helper makes and its caller completes": """
        import urllib.request
        def make(key):
            r = urllib.request.Request(URL)
            r.add_header('x-api-key', key)
            return r
        def f(key):
            r = make(key)
            r.add_header('anthropic-version', '2023-06-01')
            return urllib.request.urlopen(r)
    """,
    "a request that a method completes": """
        import urllib.request
        class C:
            def _auth(self, r):
                r.add_header('x-api-key', self.key)
                r.add_header('anthropic-version', '2023-06-01')
            def f(self):
                r = urllib.request.Request(URL)
                self._auth(r)
                return urllib.request.urlopen(r)
    """,
    "a request that is kept in self and completed later": """
        import urllib.request
        class C:
            def __init__(self, key):
                self.r = urllib.request.Request(URL)
                self.r.add_header('x-api-key', key)
            def f(self):
                self.r.add_header('anthropic-version', '2023-06-01')
                return urllib.request.urlopen(self.r)
    """,
    "a request's own headers that are set afterwards": """
        import urllib.request
        r = urllib.request.Request(URL, headers={'x-api-key': key})
        r.headers['Anthropic-version'] = '2023-06-01'
        urllib.request.urlopen(r)
    """,
    "a request's own headers that are updated afterwards": """
        import urllib.request
        r = urllib.request.Request(URL, headers={'x-api-key': key})
        r.headers.update({'anthropic-version': '2023-06-01'})
        urllib.request.urlopen(r)
    """,
    "an opener that adds headers to a Request": """
        import urllib.request
        o = urllib.request.build_opener()
        o.addheaders = [('anthropic-version', '2023-06-01')]
        o.open(urllib.request.Request(URL, headers={'x-api-key': key}))
    """,
    "headers that depend on how the URL starts": """
        import httpx
        def f(url, key):
            h = {'x-api-key': key}
            if url.startswith('https://api.anthropic.com'):
                h['anthropic-version'] = '2023-06-01'
            httpx.post(url, headers=h)
        f(URL, 'k')
        f('https://x.example', 'k')
    """,
    "headers that depend on what is in the URL": """
        import httpx
        LINK = URL
        def f(key, url=LINK):
            h = {'x-api-key': key}
            if 'anthropic' in url:
                h['anthropic-version'] = '2023-06-01'
            httpx.post(url, headers=h)
    """,
    "URL and headers that the same name chooses": """
        import httpx
        URLS = {'anthropic': URL, 'openai': 'https://api.openai.com/v1'}
        def f(provider, key):
            if provider == 'anthropic':
                h = {'x-api-key': key, 'anthropic-version': '2023-06-01'}
            else:
                h = {'Authorization': 'Bearer ' + key}
            httpx.post(URLS[provider], headers=h)
    """,
    "headers that are built in steps for a provider": """
        import httpx
        URLS = {'anthropic': URL, 'openai': 'https://api.openai.com/v1'}
        def f(provider, key):
            url = URLS[provider]
            h = {}
            if provider == 'openai':
                h['Authorization'] = 'Bearer ' + key
            if provider == 'anthropic':
                h['x-api-key'] = key
                h['anthropic-version'] = '2023-06-01'
            httpx.post(url, headers=h)
    """,
    "a URL and headers that two functions choose by the same name": """
        import httpx
        def headers(p, key):
            if p != 'anthropic':
                return {'Authorization': key}
            return {'x-api-key': key, 'anthropic-version': '2023-06-01'}
        def f(p, key):
            url = URL if p == 'anthropic' else 'https://x.example'
            httpx.post(url, headers=headers(p, key))
    """,
    "a URL and headers that two chains of ifs choose": """
        import httpx
        def f(p, key):
            if p == 'anthropic':
                url = URL
            elif p == 'openai':
                url = 'https://api.openai.com/v1/chat/completions'
            else:
                raise ValueError(p)
            headers = {'content-type': 'application/json'}
            headers.update(auth(p, key))
            httpx.post(url, headers=headers)
        def auth(p, key):
            if p == 'anthropic':
                return {'x-api-key': key, 'anthropic-version': '2023-06-01'}
            return {'Authorization': 'Bearer ' + key}
    """,
    "a class for each provider, and one method that sends": """
        import httpx
        class P:
            def send(self):
                return httpx.post(self.url(), headers=self.headers())
        class A(P):
            def url(self): return URL
            def headers(self): return {'x-api-key': self.k, 'anthropic-version': '2023-06-01'}
        class O(P):
            def url(self): return 'https://o.example'
            def headers(self): return {'Authorization': self.k}
    """,
    "a class for each provider, and a base class that raises": """
        import httpx
        class Base:
            link = ''
            def headers(self):
                raise NotImplementedError
            def f(self):
                httpx.post(self.link, headers=self.headers())
        class C(Base):
            link = URL
            def headers(self):
                return {'x-api-key': 'k', 'anthropic-version': '2023-06-01'}
        class O(Base):
            link = 'https://api.openai.com/v1'
            def headers(self):
                return {'Authorization': 'k'}
    """,
    "objects for each provider, and one method that sends": """
        import httpx
        from dataclasses import dataclass, field
        @dataclass
        class P:
            url: str
            headers: dict = field(default_factory=dict)
            def send(self):
                return httpx.post(self.url, headers=self.headers)
        A = P(URL, {'x-api-key': 'k', 'anthropic-version': '2023-06-01'})
        O = P('https://o.example')
    """,
    "an Enum that knows URL and headers": """
        import httpx, enum
        class P(enum.Enum):
            A = URL
            O = 'https://o.example'
            def headers(self, k):
                if self is P.A:
                    return {'x-api-key': k, 'anthropic-version': '2023-06-01'}
                return {'Authorization': k}
        def f(p: P, k):
            httpx.post(p.value, headers=p.headers(k))
        f(P.A, 'k')
    """,
    "a table of providers with functions for headers": """
        import requests
        T = {'anthropic': {'url': URL, 'headers': lambda k: {'x-api-key': k, 'anthropic-version': '2023-06-01'}},
             'openai': {'url': 'https://api.openai.com/v1', 'headers': lambda k: {'Authorization': k}}}
        def f(p, k):
            c = T[p]
            return requests.post(c['url'], headers=c['headers'](k))
    """,
    "versions that belong to other cases of a match": """
        import requests
        def f(provider, key):
            match provider:
                case 'anthropic':
                    url, version = URL, '2023-06-01'
                case _:
                    url, version = 'https://old.example/v1', '2023-01-01'
            return requests.post(url, headers={'x-api-key': key, 'anthropic-version': version})
    """,
    "a version that an if chain chooses by a constant": """
        import requests
        def v(p):
            if p == 'new':
                return '2023-06-01'
            elif p == 'x':
                return '2023-06-01'
            return '2023-01-01'
        def f(key):
            return requests.post(URL, headers={'x-api-key': key, 'anthropic-version': v('new')})
    """,
    "a version from the environment that is used when it is not empty": """
        import os, requests
        def f(key):
            v = os.environ.get('V', '')
            h = {'x-api-key': key}
            if v:
                h['anthropic-version'] = v
            else:
                h['anthropic-version'] = '2023-06-01'
            requests.post(URL, headers=h)
    """,
    "a version that is used when it is not None": """
        import requests
        def f(key, version=None):
            h = {'x-api-key': key, 'anthropic-version': '2023-06-01'}
            if version is not None:
                h['anthropic-version'] = version
            requests.post(URL, headers=h)
        f('k')
    """,
    "a version that is used when it is true": """
        import httpx
        def _f(key, version=None):
            h = {'x-api-key': key, 'anthropic-version': '2023-06-01'}
            if version:
                h['anthropic-version'] = version
            httpx.post(URL, headers=h)
        _f('k')
        _f('k', '2023-06-01')
    """,
    "a version in self that is used when it is true": """
        import httpx
        class C:
            def __init__(self, version=None):
                self.version = version
            def f(self, key):
                h = {'x-api-key': key, 'anthropic-version': '2023-06-01'}
                if self.version:
                    h['anthropic-version'] = self.version
                httpx.post(URL, headers=h)
        C()
    """,
    "a version in self that is used when it is true, in an expression": """
        import httpx
        class C:
            def __init__(self, version=''):
                self.version = version
            def f(self, key):
                version = self.version if self.version else '2023-06-01'
                httpx.post(URL, headers={'x-api-key': key, 'anthropic-version': version})
        C()
    """,
    "a version that must not be empty, or the program ends": """
        import os, httpx
        def f(key):
            v = os.getenv('V', '')
            if not v:
                raise SystemExit('set V')
            httpx.post(URL, headers={'x-api-key': key, 'anthropic-version': v})
    """,
    "a version that is asserted not to be empty": """
        import os, httpx
        V = os.getenv('V', '')
        assert V
        httpx.post(URL, headers={'x-api-key': key, 'anthropic-version': V})
    """,
    "a version that a subclass sets": """
        import httpx
        class Base:
            version = None
            def f(self, key):
                httpx.post(URL, headers={'x-api-key': key, 'anthropic-version': self.version})
        class C(Base):
            version = '2023-06-01'
        C().f('k')
    """,
    "a version that an abstract class leaves to its subclasses": """
        import httpx
        from abc import ABC, abstractmethod
        class Base(ABC):
            version: str = ''
            @abstractmethod
            def g(self): ...
            def f(self, key):
                httpx.post(URL, headers={'x-api-key': key, 'anthropic-version': self.version})
        class C(Base):
            version = '2023-06-01'
            def g(self): ...
    """,
    "headers that are filtered of None": """
        import httpx
        def f(k, version=None):
            h = {'x-api-key': k, 'anthropic-version': version}
            h = {a: b for a, b in h.items() if b is not None}
            httpx.post(URL, headers=h)
    """,
    "headers of a helper under a decorator of the project": """
        import requests
        from .d import with_headers
        @with_headers
        def _headers(key):
            return {'x-api-key': key}
        def f(key):
            return requests.post(URL, headers=_headers(key))
    """,
    "headers that an inner function completes": """
        import requests
        def f(key):
            h = {'x-api-key': key}
            def add():
                h['anthropic-version'] = '2023-06-01'
            add()
            return requests.post(URL, headers=h)
    """,
    "headers that a lambda completes": """
        import requests
        h = {'x-api-key': key}
        add = lambda: h.update({'anthropic-version': '2023-06-01'})
        add()
        requests.post(URL, headers=h)
    """,
    "headers that an inner function assigns": """
        import requests
        def f(key):
            headers = None
            def login():
                nonlocal headers
                headers = {'x-api-key': key, 'anthropic-version': '2023-06-01'}
            login()
            return requests.post(URL, headers=headers)
    """,
    "headers of self that are completed under another name": """
        import requests
        class C:
            def __init__(self, key):
                self.headers = {'x-api-key': key}
            def ask(self):
                h = self.headers
                h['anthropic-version'] = '2023-06-01'
                return requests.post(URL, headers=self.headers)
    """,
    "headers that are completed under another name": """
        import requests
        base = {'x-api-key': key}
        h = base
        base['anthropic-version'] = '2023-06-01'
        requests.post(URL, headers=h)
    """,
    "headers of self that a method completes": """
        import requests
        class C:
            def __init__(self, key):
                self.headers = {'x-api-key': key}
                self._complete(self.headers)
            def _complete(self, headers):
                headers['anthropic-version'] = '2023-06-01'
            def ask(self):
                return requests.post(URL, headers=self.headers)
    """,
    "headers of self that another method updates": """
        import requests
        class C:
            def __init__(self, key):
                self.headers = {'x-api-key': key}
            def login(self):
                self.headers.update({'anthropic-version': '2023-06-01'})
            def ask(self):
                return requests.post(URL, headers=self.headers)
    """,
    "headers of a class that are completed from outside": """
        import requests
        class C:
            HEADERS = {'x-api-key': 'k'}
        C.HEADERS['anthropic-version'] = '2023-06-01'
        def f():
            return requests.post(URL, headers=C.HEADERS)
    """,
    "headers of a session that are completed under another name": """
        import requests
        s = requests.Session()
        s.headers['x-api-key'] = key
        h = s.headers
        h['anthropic-version'] = '2023-06-01'
        s.post(URL)
    """,
    "headers of a session that are updated under another name": """
        import requests
        s = requests.Session()
        h = s.headers
        h.update({'x-api-key': key, 'anthropic-version': '2023-06-01'})
        s.post(URL)
    """,
    "a session that a function of the file completes": """
        import requests
        def setup(s):
            s.headers['anthropic-version'] = '2023-06-01'
        s = requests.Session()
        s.headers['x-api-key'] = key
        setup(s)
        s.post(URL)
    """,
    "headers that depend on what a function of the project says": """
        import requests
        from .flags import lookup
        def f(key):
            h = {'x-api-key': key}
            ok = lookup('x')
            if not ok:
                h['anthropic-version'] = '2023-06-01'
                return requests.post(URL, headers=h)
    """,
    "headers that depend on what another library says": """
        import requests, shutil
        def f(key):
            h = {'x-api-key': key}
            have = shutil.which('x')
            if not have:
                h['anthropic-version'] = '2023-06-01'
            return requests.post(URL, headers=h)
    """,
    "curl: an argument that is replaced": """
        import subprocess
        cmd = ['curl', URL, '-H', 'x-api-key: k', '-H', 'placeholder: x']
        cmd[5] = 'anthropic-version: 2023-06-01'
        subprocess.run(cmd)
    """,
    "a client class that completes requests": """
        import httpx
        class C(httpx.Client):
            def build_request(self, *a, **k):
                r = super().build_request(*a, **k)
                r.headers['anthropic-version'] = '2023-06-01'
                return r
        C().post(URL, headers={'x-api-key': key})
    """,
    "a client whose transport is among its keyword arguments": """
        import httpx
        from .t import T
        kw = dict(transport=T())
        httpx.Client(**kw).post(URL, headers={'x-api-key': key})
    """,
    "a session with an adapter of the project": """
        import requests
        from .t import HeaderAdapter
        s = requests.Session()
        s.mount('https://', HeaderAdapter())
        s.post(URL, headers={'x-api-key': key})
    """,
    "a session with tracing hooks": """
        import aiohttp
        from .t import T
        async def f():
            async with aiohttp.ClientSession(trace_configs=[T()]) as s:
                await s.post(URL, headers={'x-api-key': key})
    """,
    "an opener that is installed for all": """
        import urllib.request
        o = urllib.request.build_opener()
        o.addheaders = [('anthropic-version', '2023-06-01')]
        urllib.request.install_opener(o)
        urllib.request.urlopen(urllib.request.Request(URL, headers={'x-api-key': key}))
    """,
    "keyword arguments whose headers are completed": """
        import requests
        def send(**kwargs):
            kwargs.setdefault('headers', {})['anthropic-version'] = '2023-06-01'
            return requests.post(URL, **kwargs)
        send(headers={'x-api-key': key})
    """,
    "keyword arguments from which headers are taken and completed": """
        import requests
        def send(**kwargs):
            headers = kwargs.pop('headers', {})
            headers['anthropic-version'] = '2023-06-01'
            return requests.post(URL, headers=headers, **kwargs)
        send(headers={'x-api-key': key})
    """,
    "a dict class that fills itself": """
        import requests
        class H(dict):
            def __init__(self, key):
                super().__init__({'x-api-key': key})
                self['anthropic-version'] = '2023-06-01'
        requests.post(URL, headers=H(key))
    """,
    "headers that are zipped": """
        import requests
        h = dict(zip(['x-api-key', 'anthropic-version'], [key, '2023-06-01']))
        requests.post(URL, headers=h)
    """,
    "headers that are merged by reduce": """
        import requests, functools, operator
        h = functools.reduce(operator.or_, [{'x-api-key': key}, {'anthropic-version': '2023-06-01'}])
        requests.post(URL, headers=h)
    """,
    "headers from a comprehension over pairs": """
        import requests
        h = {k: v for k, v in [('x-api-key', key), ('anthropic-version', '2023-06-01')]}
        requests.post(URL, headers=h)
    """,
    "a client that a context manager completes": """
        import contextlib, httpx
        @contextlib.asynccontextmanager
        async def client(key):
            async with httpx.AsyncClient() as c:
                c.headers['x-api-key'] = key
                c.headers['anthropic-version'] = '2023-06-01'
                yield c
        async def f(key):
            async with client(key) as c:
                await c.post(URL)
    """,
    "a prepared request that is completed": """
        import requests
        p = requests.Request('POST', URL, headers={'x-api-key': key}).prepare()
        p.headers['anthropic-version'] = '2023-06-01'
        requests.Session().send(p)
    """,
}
"""Sentence -> program."""


@pytest.mark.parametrize("sentence", RIGHT)
def test_a_program_that_is_right_is_silent(sentence: str) -> None:
    assert check(program(RIGHT[sentence], {})) == ()


# What goes out: header names without casing, in the order of the libraries' own rules

CASINGS = {
    "httpx": """
        import httpx
        httpx.post(URL, headers=TWICE)
    """,
    "http.client": """
        import http.client
        c = http.client.HTTPSConnection('api.anthropic.com')
        c.request('GET', '/v1/models', None, TWICE)
    """,
    "urllib3": """
        import urllib3
        urllib3.PoolManager().request('POST', URL, headers=TWICE)
    """,
}
FOLDED = {
    "requests": """
        import requests
        requests.post(URL, headers=TWICE)
    """,
    "aiohttp": """
        import aiohttp
        async def f():
            await aiohttp.ClientSession().post(URL, headers=TWICE)
    """,
    "urllib.request": """
        import urllib.request as u
        u.urlopen(u.Request(URL, headers=TWICE))
    """,
}
TWICE = {"TWICE": "{'x-api-key': key, 'anthropic-version': '2023-06-01', 'Anthropic-Version': '2023-06-01'}"}


@pytest.mark.parametrize("library", CASINGS)
def test_two_casings_are_two_headers_where_the_library_sends_both(library: str) -> None:
    assert [finding.code for finding in check(program(CASINGS[library], TWICE))] == ["CAV105"]


@pytest.mark.parametrize("library", FOLDED)
def test_two_casings_are_one_header_where_the_library_folds_them(library: str) -> None:
    assert check(program(FOLDED[library], TWICE)) == ()


@pytest.mark.parametrize("name", ["Anthropic-Version", "ANTHROPIC-VERSION", "anthropic-Version"])
@pytest.mark.parametrize("library", [*CASINGS, *FOLDED])
def test_a_header_is_the_same_in_any_casing(library: str, name: str) -> None:
    once = {"TWICE": f"{{'x-api-key': key, '{name}': '2023-06-01'}}"}
    assert check(program({**CASINGS, **FOLDED}[library], once)) == ()


# The libraries' names are true: each exists in the library, where that is at hand.


@pytest.mark.parametrize("library", load_registry().libraries, ids=lambda library: library.name)
def test_a_library_is_described_by_names_that_it_has(library: Library) -> None:
    names = [*library.sendings, *library.buildings, *library.clients, *library.aliases]
    for name in names:
        owner = name.split("().")[0]
        if owner.split(".")[0] not in sys.stdlib_module_names:
            continue
        module, _, attribute = owner.rpartition(".")
        value = getattr(__import__(module, fromlist=[attribute]), attribute)
        for method in name.split("().")[1:]:
            if isinstance(value, type):
                value = getattr(value, method)


# Adding a client

CARRIER = Library(
    name="carrier",
    clients={
        "carrier.Pigeon": Client(base_url=parameter(0, "loft"), headers=parameter(None, "rings"), attribute="rings")
    },
    sendings={
        "carrier.fly": Sending(url=parameter(1, "to"), headers=parameter(2, "rings")),
        "carrier.Pigeon().fly": Sending(url=parameter(0, "to"), headers=parameter(None, "rings")),
        "carrier.Pigeon().release": Sending(request=parameter(0, "letter")),
    },
    buildings={"carrier.Letter": Building(url=parameter(0, "to"), headers=parameter(1, "rings"))},
    aliases={"carrier.birds.Pigeon": "carrier.Pigeon"},
)

CARRIED = {
    "carrier.fly('now', 'a', {'k': 'v'})": ("a", {"k"}),
    "carrier.fly('now', to='a', rings={'k': 'v'})": ("a", {"k"}),
    "carrier.Pigeon('https://a').fly('/b')": ("https://a/b", set()),
    "carrier.Pigeon('https://a', rings={'k': 'v'}).fly('b', rings={'l': 'w'})": ("https://a/b", {"k", "l"}),
    "carrier.birds.Pigeon('https://a').fly('/b')": ("https://a/b", set()),
    "carrier.Pigeon().release(carrier.Letter('a', {'k': 'v'}))": ("a", {"k"}),
}


def registry_of(*libraries: Library) -> Registry:
    return Registry(
        libraries,
        {name: (library, sending) for library in libraries for name, sending in library.sendings.items()},
        {name: (library, building) for library in libraries for name, building in library.buildings.items()},
        {name: (library, client) for library in libraries for name, client in library.clients.items()},
        {alias: name for library in libraries for alias, name in library.aliases.items()},
        {name: given for library in libraries for name, given in library.event_streams.items()},
    )


def exchanges(text: str, registry: Registry) -> list[Exchange]:
    module = Module(Source(text), "program.py")
    reader = Exchanges(Evaluator(), registry)
    calls = [
        node for statement in module.statements for node in walk(module.tree(statement)) if isinstance(node, cst.Call)
    ]
    return [exchange for call in calls for exchange in reader.of(module, call)]


@pytest.mark.parametrize("call", CARRIED)
def test_a_library_is_read_by_its_description_alone(call: str) -> None:
    url, headers = CARRIED[call]
    (exchange,) = exchanges(f"import carrier\n{call}\n", registry_of(CARRIER))
    assert exchange.library is CARRIER
    assert exchange.url_text == url
    assert {entry.key for entry in exchange.headers.entries} == headers
    assert not exchange.headers.open


def test_a_library_that_is_not_described_is_not_read() -> None:
    assert exchanges("import carrier\ncarrier.fly('now', 'a', {})\n", registry_of()) == []


@pytest.fixture
def with_niquests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """One more module in the package of clients: the one that docs/adding-a-client.md shows."""
    page = Path(__file__).resolve().parent.parent / "docs" / "adding-a-client.md"
    (code,) = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "niquests.py").write_text(code)
    monkeypatch.setattr(claude_api_lint.http, "__path__", [*claude_api_lint.http.__path__, str(tmp_path)])
    load_registry.cache_clear()
    yield
    load_registry.cache_clear()
    sys.modules.pop("claude_api_lint.http.niquests", None)


@pytest.mark.parametrize(
    "form",
    [
        "import niquests\nniquests.post(URL, headers=HEADERS)  # here\n",
        "import niquests\nwith niquests.Session() as s:\n    s.headers.update(HEADERS)\n    s.post(URL)  # here\n",
        "from niquests.sessions import Session\nSession().put(URL, headers=HEADERS)  # here\n",
    ],
)
def test_adding_a_client_takes_one_module(form: str, with_niquests: None) -> None:
    (finding,) = check(program(form, BAD))
    assert finding.code == "CAV101"
    assert finding.confidence.value == "certain"
    assert check(program(form, GOOD)) == ()


# What comes back: claude_api_lint/replies.py reads it by the same descriptions

SPEAKING = dataclasses.replace(
    CARRIER,
    response={
        "shout": Reading(Gives.REPLY),
        "scroll": Reading(Gives.BODY, binary=True),
        "verses": Reading(Gives.LINES, binary=True, decoded_by="readable"),
        "verse": Reading(Gives.LINE),
        "crumbs": Reading(Gives.CHUNKS, binary=True),
        "crumb": Reading(Gives.CHUNK),
        ITERATED: Reading(Gives.EVENTS),
    },
    event_streams={"carrier.Parrot": parameter(1, "of")},
)

FLOWN = "carrier.fly('now', 'https://api.anthropic.com/v1/complete', {'x-api-key': 'k'})"
SPOKEN = {
    f"{FLOWN}.shout()": (Kind.REPLY, None),
    f"{FLOWN}.scroll": (Kind.BODY, True),
    f"{FLOWN}.verses()": (Kind.LINES, True),
    f"{FLOWN}.verses(readable=True)": (Kind.LINES, False),
    f"next({FLOWN}.verses())": (Kind.LINE, True),
    f"{FLOWN}.verse()": (Kind.LINE, False),
    f"{FLOWN}.crumbs": (Kind.CHUNKS, True),
    f"{FLOWN}.crumb": (Kind.CHUNK, False),
    f"next({FLOWN})": (Kind.EVENT, None),
    f"carrier.Parrot('grey', {FLOWN})": (Kind.EVENTS, None),
    f"carrier.Parrot('grey', of={FLOWN})": (Kind.EVENTS, None),
}


@pytest.mark.parametrize("expression", SPOKEN)
def test_a_response_is_read_by_its_librarys_description_alone(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = registry_of(SPEAKING)
    monkeypatch.setattr("claude_api_lint.http.exchanges.load_registry", lambda: registry)
    module = Module(Source(f"import carrier\nx = {expression}\n"), "program.py")
    (assign,) = module.nodes(cst.Assign)
    part = Replies(ApiRequests(module, Evaluator()), registry).of(assign.value)
    assert part is not None
    assert part.library is SPEAKING
    kind, binary = SPOKEN[expression]
    assert part.kind is kind
    assert binary is None or part.binary is binary


LIBRARIES = {library.name: library for library in load_registry().libraries}


@pytest.mark.parametrize("name", [name for name in LIBRARIES if name != "curl"])
def test_every_client_says_what_its_response_gives(name: str) -> None:
    assert LIBRARIES[name].response


def test_whatever_a_response_gives_is_a_part_of_a_reply() -> None:
    assert {gives.name for gives in Gives} <= set(Kind.__members__)


@pytest.mark.parametrize("name", LIBRARIES)
def test_only_bytes_have_an_argument_that_decodes_them(name: str) -> None:
    assert all(reading.binary for reading in LIBRARIES[name].response.values() if reading.decoded_by)


def test_a_client_whose_response_comes_later_says_how() -> None:
    assert {name for name, library in LIBRARIES.items() if library.responses} == {"http.client"}


def test_every_module_of_the_package_that_describes_a_client_is_found() -> None:
    names = {library.name for library in load_registry().libraries}
    assert names >= {"requests", "httpx", "aiohttp", "urllib.request", "urllib3", "http.client", "curl"}
