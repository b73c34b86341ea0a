"""Which expressions are found to be a reply of the Claude API, or a part of one: small programs that say so.

``show(x)  # LINE, streamed, bytes`` claims what ``x`` is: the name of a ``Kind``; ``at a.b`` where it stands in a
parsed reply; whether it came in a stream, whether it is bytes or text where that is known, and ``likely`` where it is
not certain. ``ELSEWHERE`` is something that is known to be another's, ``nothing`` what nobody knows. ``URL`` stands for
the address of the Text Completions API, ``HEADERS`` for headers with a key.
"""

from __future__ import annotations

import re
import textwrap

import libcst as cst
import pytest

from claude_api_lint.api_requests import ApiRequests
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.findings import Confidence
from claude_api_lint.parsing import with_big_stack
from claude_api_lint.replies import ELSEWHERE, Kind, Read, Replies, ReplyPart
from claude_api_lint.source import Source

CLAIM = re.compile(r"show\(.*\)  # (.*)$")
EVENTS = {Kind.EVENTS, Kind.EVENT, Kind.EVENT_NAME}
EVENTS = {Kind.EVENTS, Kind.EVENT, Kind.EVENT_NAME}
PARSED = {Kind.RESPONSE, Kind.REPLIES, Kind.REPLY, *EVENTS}
EVENTS = {Kind.EVENTS, Kind.EVENT, Kind.EVENT_NAME}
EVENTS = {Kind.EVENTS, Kind.EVENT, Kind.EVENT_NAME}
PARSED = {Kind.RESPONSE, Kind.REPLIES, Kind.REPLY, *EVENTS}
EVENTS = {Kind.EVENTS, Kind.EVENT, Kind.EVENT_NAME}
EVENTS = {Kind.EVENTS, Kind.EVENT, Kind.EVENT_NAME}
PARSED = {Kind.RESPONSE, Kind.REPLIES, Kind.REPLY, *EVENTS}
EVENTS = {Kind.EVENTS, Kind.EVENT, Kind.EVENT_NAME}
PARSED = {Kind.RESPONSE, Kind.REPLIES, Kind.REPLY, *EVENTS}
PLACES = {
    "URL": "'https://api.anthropic.com/v1/complete'",
    "HEADERS": "{'x-api-key': key, 'anthropic-version': '2023-06-01'}",
}


def program(text: str) -> str:
    return re.sub(r"\b(URL|HEADERS)\b(?!['\"\w])", lambda place: PLACES[place[0]], textwrap.dedent(text))


def said(read: Read) -> str:
    """What something is, in the words of a claim."""
    if read is ELSEWHERE:
        return "ELSEWHERE"
    if not isinstance(read, ReplyPart):
        return "nothing"
    words = [read.kind.name + (f" at {'.'.join(read.path)}" if read.path else "")]
    words += ["streamed"] if read.streamed and read.kind not in EVENTS else []
    words += {True: ["bytes"], False: ["text"], None: []}[read.binary] if read.kind not in PARSED else []
    words += ["likely"] if read.confidence is Confidence.LIKELY else []
    return ", ".join(words)


def shown(text: str) -> dict[int, Read]:
    """What the arguments of a program's ``show`` calls are, by their lines."""
    module = Module(Source(program(text)), "program.py")
    replies = Replies(ApiRequests(module, Evaluator()))

    def read() -> dict[int, Read]:
        calls = [
            call
            for call in module.nodes(cst.Call, "show")
            if isinstance(call.func, cst.Name) and call.func.value == "show"
        ]
        return {module.line(call): replies.whence(call.args[0].value) for call in calls}

    return with_big_stack(read)


def claimed(text: str) -> dict[int, str]:
    lines = enumerate(program(text).splitlines(), start=1)
    return {number: claim[1] for number, line in lines if (claim := CLAIM.search(line))}


LIBRARIES = {
    "requests: what a response gives": """
        import json, requests
        r = requests.post(URL, headers=HEADERS, stream=True)
        show(r)  # RESPONSE
        show(r.json())  # REPLY
        show(r.text)  # BODY, text
        show(r.content)  # BODY, bytes
        show(r.iter_lines())  # LINES, streamed, bytes
        show(r.iter_lines(decode_unicode=True))  # LINES, streamed, text
        show(r.iter_lines(decode_unicode=False))  # LINES, streamed, bytes
        show(r.iter_content(chunk_size=None))  # CHUNKS, streamed, bytes
        show(r.iter_content(None, decode_unicode=True))  # CHUNKS, streamed, text
        show(r.raw)  # LINES, streamed, bytes
        show(r.raw.readline())  # LINE, streamed, bytes
        show(r.raw.read(1024))  # CHUNK, streamed, bytes
        show(r.raw.stream(1024))  # CHUNKS, streamed, bytes
        show(r.status_code)  # nothing
        show(r.headers['x'])  # nothing
        show(r.raise_for_status())  # RESPONSE
        show(json.loads(r.text))  # REPLY
        show(json.loads(r.content))  # REPLY
        show(json.loads(r.content.decode('utf-8')))  # REPLY
    """,
    "requests: loops over a response": """
        import requests
        with requests.Session() as session:
            session.headers.update(HEADERS)
            with session.post(URL, stream=True) as r:
                for chunk in r:
                    show(chunk)  # CHUNK, streamed, bytes
                for line in r.iter_lines():
                    show(line)  # LINE, streamed, bytes
                for line in r.raw:
                    show(line)  # LINE, streamed, bytes
                for chunk in r.iter_content(chunk_size=1):
                    show(chunk)  # CHUNK, streamed, bytes
    """,
    "requests: a prepared request": """
        import requests
        session = requests.Session()
        request = requests.Request('POST', URL, headers=HEADERS)
        show(session.send(request.prepare()).json())  # REPLY
        show(session.send(session.prepare_request(request)).text)  # BODY, text
    """,
    "httpx: what a response gives": """
        import httpx
        r = httpx.post(URL, headers=HEADERS)
        show(r)  # RESPONSE
        show(r.json())  # REPLY
        show(r.text)  # BODY, text
        show(r.content)  # BODY, bytes
        show(r.read())  # BODY, bytes
        show(r.iter_lines())  # LINES, streamed, text
        show(r.iter_text())  # CHUNKS, streamed, text
        show(r.iter_bytes())  # CHUNKS, streamed, bytes
        show(r.iter_raw())  # CHUNKS, streamed, bytes
        show(r.aiter_lines())  # LINES, streamed, text
        show(r.aiter_text())  # CHUNKS, streamed, text
        show(r.aiter_bytes())  # CHUNKS, streamed, bytes
        show(r.aiter_raw())  # CHUNKS, streamed, bytes
        show(r.is_success)  # nothing
    """,
    "httpx: a stream": """
        import httpx
        with httpx.stream('POST', URL, headers=HEADERS) as r:
            for line in r.iter_lines():
                show(line)  # LINE, streamed, text
            show(r.read())  # BODY, bytes
    """,
    "httpx: an async stream": """
        import httpx, json
        async def ask(key):
            async with httpx.AsyncClient(headers=HEADERS) as client:
                async with client.stream('POST', URL) as r:
                    async for line in r.aiter_lines():
                        show(line)  # LINE, streamed, text
                        show(json.loads(line))  # REPLY, streamed
                    show(await r.aread())  # BODY, bytes
                r = await client.post(URL)
                show(r.json())  # REPLY
    """,
    "httpx: a request that is built and sent": """
        import httpx
        client = httpx.Client()
        request = client.build_request('POST', URL, headers=HEADERS)
        r = client.send(request, stream=True)
        for line in r.iter_lines():
            show(line)  # LINE, streamed, text
    """,
    "aiohttp: what a response gives": """
        import aiohttp, json
        async def ask(key):
            async with aiohttp.ClientSession(headers=HEADERS) as session:
                async with session.post(URL) as r:
                    show(r)  # RESPONSE
                    show(await r.json())  # REPLY
                    show(await r.text())  # BODY, text
                    show(await r.read())  # BODY, bytes
                    show(json.loads(await r.text()))  # REPLY
                    show(r.content)  # LINES, streamed, bytes
                    show(await r.content.readline())  # LINE, streamed, bytes
                    show(await r.content.read(10))  # CHUNK, streamed, bytes
                    show(await r.content.readany())  # CHUNK, streamed, bytes
                    show(await r.content.readuntil(b'x'))  # CHUNK, streamed, bytes
                    show(r.content.iter_any())  # CHUNKS, streamed, bytes
                    show(r.content.iter_chunked(10))  # CHUNKS, streamed, bytes
                    show(r.status)  # nothing
                    async for line in r.content:
                        show(line)  # LINE, streamed, bytes
                    async for chunk in r.content.iter_any():
                        show(chunk.decode())  # CHUNK, streamed, text
                    async for chunk, last in r.content.iter_chunks():
                        show(chunk)  # CHUNK, streamed, bytes
    """,
    "urllib: what a response gives": """
        import json, urllib.request
        request = urllib.request.Request(URL, headers=HEADERS)
        r = urllib.request.urlopen(request)
        show(r)  # RESPONSE
        show(r.read())  # BODY, bytes
        show(r.read().decode())  # BODY, text
        show(json.loads(r.read()))  # REPLY
        show(json.load(r))  # REPLY
        show(r.readline())  # LINE, streamed, bytes
        show(r.readlines())  # LINES, streamed, bytes
        show(r.fp)  # LINES, streamed, bytes
        show(r.status)  # nothing
        for line in r:
            show(line)  # LINE, streamed, bytes
        for line in r.fp:
            show(line)  # LINE, streamed, bytes
    """,
    "urllib: in a with": """
        import json
        from urllib.request import Request, urlopen
        def ask(key):
            with urlopen(Request(URL, headers=HEADERS)) as r:
                for line in r:
                    show(line.decode('utf-8').strip())  # LINE, streamed, text
    """,
    "http.client: what a response gives": """
        import http.client, json
        c = http.client.HTTPSConnection('api.anthropic.com')
        c.request('POST', '/v1/complete', '{}', HEADERS)
        r = c.getresponse()
        show(r)  # RESPONSE
        show(r.read())  # BODY, bytes
        show(json.loads(r.read().decode()))  # REPLY
        show(r.readline())  # LINE, streamed, bytes
        show(r.fp.readline())  # LINE, streamed, bytes
        for line in r:
            show(line)  # LINE, streamed, bytes
    """,
    "urllib3: what a response gives": """
        import json, urllib3
        http = urllib3.PoolManager()
        r = http.request('POST', URL, headers=HEADERS, preload_content=False)
        show(r)  # RESPONSE
        show(r.json())  # REPLY
        show(r.data)  # BODY, bytes
        show(json.loads(r.data))  # REPLY
        show(r.read())  # BODY, bytes
        show(r.readline())  # LINE, streamed, bytes
        show(r.stream(64))  # CHUNKS, streamed, bytes
        show(r.read_chunked())  # CHUNKS, streamed, bytes
        for line in r:
            show(line)  # LINE, streamed, bytes
    """,
    "sseclient: events of a response": """
        import json, requests, sseclient
        r = requests.post(URL, headers=HEADERS, stream=True)
        client = sseclient.SSEClient(r)
        show(client)  # EVENTS
        show(client.events())  # EVENTS
        for event in client.events():
            show(event)  # EVENT
            show(event.event)  # EVENT_NAME
            show(event.data)  # EVENT_DATA, streamed, text
            show(json.loads(event.data))  # REPLY, streamed
            show(event.id)  # nothing
        for event in client:
            show(event.data)  # EVENT_DATA, streamed, text
    """,
    "httpx-sse: events of a response": """
        import httpx
        from httpx_sse import EventSource, connect_sse
        client = httpx.Client(headers=HEADERS)
        with connect_sse(client, 'POST', URL) as source:
            for sse in source.iter_sse():
                show(sse.event)  # EVENT_NAME
                show(sse.data)  # EVENT_DATA, streamed, text
                show(sse.json())  # REPLY, streamed
                show(sse.json()['completion'])  # REPLY at completion, streamed
        with client.stream('POST', URL) as r:
            for sse in EventSource(r).iter_sse():
                show(sse.data)  # EVENT_DATA, streamed, text
    """,
    "httpx-sse: async": """
        import httpx
        from httpx_sse import aconnect_sse
        async def ask(key):
            async with httpx.AsyncClient(headers=HEADERS) as client:
                async with aconnect_sse(client, 'POST', URL) as source:
                    async for sse in source.aiter_sse():
                        show(sse.data)  # EVENT_DATA, streamed, text
    """,
    "a wrapper that nobody knows": """
        import json
        from .net import send
        def ask(key):
            r = send(url=URL, headers=HEADERS)
            show(r)  # RESPONSE, likely
            show(r.json())  # REPLY, likely
            show(r.text)  # BODY, likely
            show(r.json()['completion'])  # REPLY at completion, likely
            for line in r.iter_lines():
                show(line)  # LINE, streamed, likely
                show(json.loads(line))  # REPLY, streamed, likely
    """,
    "functools.partial of a client's function": """
        import functools, requests
        post = functools.partial(requests.post, URL, headers=HEADERS)
        show(post().json())  # REPLY
    """,
    "the response in a with": """
        from .net import send
        def ask(key):
            with send(url=URL, headers=HEADERS) as r:
                show(r.json())  # REPLY, likely
            response = send(url=URL, headers=HEADERS).__enter__()
            show(response.json())  # REPLY, likely
    """,
    "a client in self": """
        import httpx
        class Client:
            def __init__(self, key):
                self.http = httpx.Client(base_url='https://api.anthropic.com', headers=HEADERS)
            def ask(self, body):
                r = self.http.post('/v1/complete', json=body)
                show(r.json())  # REPLY
    """,
    "a client that is a parameter": """
        import aiohttp
        async def ask(key, session: aiohttp.ClientSession):
            async with session.post(URL, headers=HEADERS) as r:
                show(await r.json())  # REPLY, likely
                async for line in r.content:
                    show(line)  # LINE, streamed, bytes, likely
    """,
}
"""Sentence -> program. What every client library gives."""

LINES = {
    "json.loads and its kin": """
        import json, orjson, ujson, simplejson, msgspec, requests
        from json import loads
        r = requests.post(URL, headers=HEADERS)
        show(json.loads(r.text))  # REPLY
        show(loads(r.text))  # REPLY
        show(orjson.loads(r.content))  # REPLY
        show(ujson.loads(r.text))  # REPLY
        show(simplejson.loads(r.text))  # REPLY
        show(msgspec.json.decode(r.content))  # REPLY
        show(json.JSONDecoder().decode(r.text))  # REPLY
        show(json.dumps(r.json()))  # nothing
        show(json.loads(other))  # nothing
    """,
    "a line is cut, stripped and decoded": """
        import json, requests
        r = requests.post(URL, headers=HEADERS)
        for line in r.iter_lines():
            show(line[6:])  # LINE, streamed, bytes
            show(line[len(b'data: '):].strip())  # LINE, streamed, bytes
            show(line.decode('utf-8'))  # LINE, streamed, text
            show(line.decode().strip().removeprefix('data:'))  # LINE, streamed, text
            show(line.decode().encode())  # LINE, streamed, bytes
            show(line.replace(b'data: ', b''))  # LINE, streamed, bytes
            show(line.lstrip(b'data: '))  # LINE, streamed, bytes
            show(str(line, 'utf-8'))  # LINE, streamed, bytes
            show(line.split(b': ', 1)[1])  # LINE, streamed, bytes
            show(line.partition(b':')[2])  # LINE, streamed, bytes
            show(line.startswith(b'data:'))  # nothing
            show(len(line))  # nothing
            show(line.decode().upper().expandtabs())  # LINE, streamed, text
    """,
    "a line in several steps": """
        import json, httpx
        with httpx.stream('POST', URL, headers=HEADERS) as r:
            for raw in r.iter_lines():
                line = raw.strip()
                if not line.startswith('data:'):
                    continue
                data = line[5:]
                data = data.strip()
                show(data)  # LINE, streamed, text
                event = json.loads(data)
                show(event)  # REPLY, streamed
    """,
    "a line is unpacked": """
        import json, requests
        r = requests.post(URL, headers=HEADERS)
        for line in r.iter_lines(decode_unicode=True):
            field, _, value = line.partition(': ')
            show(value)  # LINE, streamed, text
            name, *rest = line.split(':')
            show(name)  # LINE, streamed, text
            show(rest)  # LINES, streamed, text
            show(':'.join(rest))  # nothing
    """,
    "a walrus": """
        import json, requests, urllib.request
        r = urllib.request.urlopen(urllib.request.Request(URL, headers=HEADERS))
        while line := r.readline():
            show(line)  # LINE, streamed, bytes
            if (data := line.strip()) != b'':
                show(data)  # LINE, streamed, bytes
    """,
    "readline in a loop": """
        import http.client
        c = http.client.HTTPSConnection('api.anthropic.com')
        c.request('POST', '/v1/complete', '{}', HEADERS)
        r = c.getresponse()
        while True:
            line = r.readline()
            if not line:
                break
            show(line)  # LINE, streamed, bytes
    """,
    "a buffer that is cut at line ends": """
        import httpx, json
        buffer = ''
        with httpx.stream('POST', URL, headers=HEADERS) as r:
            for chunk in r.iter_text():
                buffer += chunk
                show(buffer)  # BODY, streamed, text
                while '\\n' in buffer:
                    line, buffer = buffer.split('\\n', 1)
                    show(line)  # LINE, streamed, text
                *lines, buffer = buffer.split('\\n')
                for line in lines:
                    show(line)  # LINE, streamed, text
    """,
    "a buffer of bytes that is cut at blank lines": """
        import requests
        buffer = b''
        r = requests.post(URL, headers=HEADERS, stream=True)
        for chunk in r.iter_content(1024):
            buffer = buffer + chunk
            show(buffer.split(b'\\n\\n'))  # BLOCKS, streamed, bytes
            for block in buffer.split(b'\\n\\n'):
                show(block)  # BLOCK, streamed, bytes
                for line in block.splitlines():
                    show(line)  # LINE, streamed, bytes
            while b'\\r\\n\\r\\n' in buffer:
                block, buffer = buffer.split(b'\\r\\n\\r\\n', 1)
                show(block)  # BLOCK, streamed, bytes
    """,
    "the whole text, split": """
        import json, requests
        r = requests.post(URL, headers=HEADERS)
        show(r.text.split('\\n'))  # LINES, streamed, text
        for line in r.text.splitlines():
            show(line)  # LINE, streamed, text
        for block in r.text.split('\\n\\n'):
            show(block)  # BLOCK, streamed, text
            show(block.split('\\n'))  # BLOCK_LINES, streamed, text
            show(block.split('\\n')[0])  # BLOCK, streamed, text
            show(block.splitlines()[1])  # EVENT_DATA, streamed, text
            name, data = block.split('\\ndata: ', 1)
            show(data)  # EVENT_DATA, streamed, text
            show(block.partition(':')[2])  # LINE, streamed, text
        for line in r.content.decode().strip().split('\\n'):
            show(json.loads(line))  # REPLY, streamed
    """,
    "codecs.iterdecode and a TextIOWrapper": """
        import codecs, io, requests, urllib.request
        r = urllib.request.urlopen(urllib.request.Request(URL, headers=HEADERS))
        for line in codecs.iterdecode(r, 'utf-8'):
            show(line)  # LINE, streamed, text
        for line in io.TextIOWrapper(r, encoding='utf-8'):
            show(line)  # LINE, streamed, text
        response = requests.post(URL, headers=HEADERS, stream=True)
        for line in codecs.iterdecode(response.iter_lines(), 'utf-8'):
            show(line)  # LINE, streamed, text
    """,
    "re.sub of a line": """
        import re, requests
        r = requests.post(URL, headers=HEADERS, stream=True)
        PREFIX = re.compile('^data: ')
        for line in r.iter_lines(decode_unicode=True):
            show(re.sub('^data: ', '', line))  # LINE, streamed, text
            show(PREFIX.sub('', line))  # LINE, streamed, text
            show(re.sub('x', 'y', other))  # nothing
    """,
    "enumerate, iter, reversed, list, filter and next": """
        import requests
        r = requests.post(URL, headers=HEADERS, stream=True)
        for number, line in enumerate(r.iter_lines()):
            show(line)  # LINE, streamed, bytes
            show(number)  # nothing
        for number, line in enumerate(r.iter_lines(), start=1):
            show(line)  # LINE, streamed, bytes
        for line in iter(r.iter_lines()):
            show(line)  # LINE, streamed, bytes
        for line in list(r.iter_lines()):
            show(line)  # LINE, streamed, bytes
        for line in filter(None, r.iter_lines()):
            show(line)  # LINE, streamed, bytes
        lines = r.iter_lines()
        show(next(lines))  # LINE, streamed, bytes
        show(next(lines, None))  # LINE, streamed, bytes
        show(list(lines)[-1])  # LINE, streamed, bytes
        show(lines[0])  # LINE, streamed, bytes
    """,
    "comprehensions": """
        import json, requests
        r = requests.post(URL, headers=HEADERS, stream=True)
        lines = [line.decode() for line in r.iter_lines() if line]
        for line in lines:
            show(line)  # LINE, streamed, text
        events = (json.loads(line[6:]) for line in lines)
        for event in events:
            show(event)  # REPLY, streamed
        for text in [event['completion'] for event in events]:
            show(text)  # REPLY at completion, streamed
        show(next(line for line in lines if line))  # LINE, streamed, text
        show({line: 1 for line in lines})  # nothing
        [
            show(event['completion'])  # REPLY at completion, streamed
            for line in lines
            for event in [json.loads(line)]
        ]
    """,
    "generators": """
        import json, requests
        def lines(key):
            r = requests.post(URL, headers=HEADERS, stream=True)
            for line in r.iter_lines():
                if line:
                    yield line.decode()
        def events(key):
            for line in lines(key):
                show(line)  # LINE, streamed, text
                yield json.loads(line[6:])
        def every(key):
            yield from events(key)
        for event in every('k'):
            show(event)  # REPLY, streamed
        show(next(lines('k')))  # LINE, streamed, text
        show(list(events('k'))[-1])  # nothing
    """,
    "async generators": """
        import httpx, json
        async def events(key):
            async with httpx.AsyncClient() as client:
                async with client.stream('POST', URL, headers=HEADERS) as r:
                    async for line in r.aiter_lines():
                        yield json.loads(line[6:])
        async def ask(key):
            async for event in events(key):
                show(event)  # REPLY, streamed
    """,
    "helper functions and parameters": """
        import json, requests
        def parse(line):
            show(line)  # LINE, streamed, bytes
            return json.loads(line[6:])
        def read(response):
            show(response)  # RESPONSE
            for line in response.iter_lines():
                event = parse(line)
                show(event)  # REPLY, streamed
        def ask(key):
            read(requests.post(URL, headers=HEADERS, stream=True))
    """,
    "methods": """
        import json, requests
        class Client:
            def __init__(self, key):
                self.key = key
            def _send(self, body):
                return requests.post(URL, headers={'x-api-key': self.key}, json=body)
            def ask(self, body):
                return self._read(self._send(body))
            def remember(self, body):
                self.response = self._send(body)
            def _read(self, response):
                show(response.json())  # REPLY
            def again(self):
                show(self.response.json())  # REPLY
    """,
}
"""Sentence -> program. From a response to its lines and events."""

PLACES_IN_REPLIES = {
    "keys, attributes, elements": """
        import requests
        reply = requests.post(URL, headers=HEADERS).json()
        show(reply['completion'])  # REPLY at completion
        show(reply.get('completion'))  # REPLY at completion
        show(reply.get('completion', ''))  # REPLY at completion
        show(reply.pop('completion'))  # REPLY at completion
        show(reply.setdefault('completion', ''))  # REPLY at completion
        show(reply['content'][0]['text'])  # REPLY at content.0.text
        show(reply['content'][-1].get('text'))  # REPLY at content.-1.text
        show(reply[name])  # REPLY at ?
        show(reply.completion)  # REPLY at completion
        show(reply.error.message)  # REPLY at error.message
        show(reply.copy()['completion'])  # REPLY at completion
        show(reply.keys())  # nothing
        show(reply.items())  # nothing
        for block in reply['content']:
            show(block)  # REPLY at content.[]
            show(block['type'])  # REPLY at content.[].type
        for number, block in enumerate(reply['content']):
            show(block['type'])  # REPLY at content.[].type
    """,
    "a key with a name": """
        import requests
        KEY = 'completion'
        reply = requests.post(URL, headers=HEADERS).json()
        show(reply[KEY])  # REPLY at completion
        show(reply.get(KEY))  # REPLY at completion
    """,
    "text at a place": """
        import requests
        reply = requests.post(URL, headers=HEADERS).json()
        text = reply['completion']
        show(text.strip())  # REPLY at completion
        show(text[3:])  # REPLY at completion
        show(text + reply['completion'])  # REPLY at completion.+
        show('' + text)  # REPLY at completion.+
        show(text.upper())  # REPLY at completion
        show(text.split())  # nothing
        show(f'{text}')  # nothing
    """,
    "one name for two things": """
        import requests
        reply = requests.post(URL, headers=HEADERS).json()
        text = reply['completion'] if reply['completion'] else reply['text']
        show(text)  # REPLY at completion, likely
        same = reply['completion'] if x else reply.get('completion')
        show(same)  # REPLY at completion
    """,
    "an event in a nest of calls": """
        import json, requests
        r = requests.post(URL, headers=HEADERS, stream=True)
        for line in r.iter_lines():
            show(json.loads(line.decode('utf-8').split('data: ')[1])['completion'])  # REPLY at completion, streamed
            show(json.loads(line)['delta'].get('text', ''))  # REPLY at delta.text, streamed
    """,
    "models of the program": """
        import dataclasses, pydantic, requests
        class Reply(pydantic.BaseModel):
            completion: str
            @classmethod
            def parse(cls, data):
                return cls.model_validate(data)
        r = requests.post(URL, headers=HEADERS)
        show(Reply.model_validate(r.json()))  # REPLY
        show(Reply.parse_obj(r.json()).completion)  # REPLY at completion
        show(Reply.model_validate_json(r.text).completion)  # REPLY at completion
        show(Reply.parse_raw(r.content).completion)  # REPLY at completion
        show(Reply(**r.json()))  # REPLY
        show(Reply.model_validate(other))  # nothing
        show(Reply(completion='x'))  # nothing
    """,
}
"""Sentence -> program. Places in parsed replies."""

SDKS = {
    "the first SDK: dicts": """
        import anthropic
        client = anthropic.Client('key')
        show(client.completion(prompt='x'))  # REPLY
        show(client.completion(prompt='x')['completion'])  # REPLY at completion
        show(client.completion_stream(prompt='x'))  # REPLIES, streamed
        for data in client.completion_stream(prompt='x'):
            show(data)  # REPLY, streamed
            show(data['completion'])  # REPLY at completion, streamed
    """,
    "the first SDK: async": """
        import anthropic
        async def ask():
            client = anthropic.Client('key')
            show(await client.acompletion(prompt='x'))  # REPLY
            async for data in await client.acompletion_stream(prompt='x'):
                show(data['stop_reason'])  # REPLY at stop_reason, streamed
    """,
    "the next SDK: objects": """
        import anthropic
        client = anthropic.Anthropic()
        show(client.completions.create(prompt='x'))  # REPLY
        show(client.completions.create(prompt='x').completion)  # REPLY at completion
        show(client.completions.create(prompt='x', stream=False).completion)  # REPLY at completion
        for event in client.completions.create(prompt='x', stream=True):
            show(event)  # REPLY, streamed
            show(event.completion)  # REPLY at completion, streamed
        async def ask():
            stream = await anthropic.AsyncAnthropic().completions.create(prompt='x', stream=True)
            async for event in stream:
                show(event.completion)  # REPLY at completion, streamed
    """,
    "a client that comes as a parameter": """
        import anthropic
        def ask(client, max_tokens_to_sample):
            for data in client.completion_stream(prompt='x', max_tokens_to_sample=max_tokens_to_sample):
                show(data['completion'])  # REPLY at completion, streamed, likely
            show(client.completion(prompt='x'))  # REPLY, likely
    """,
    "another library's completion": """
        import openai
        client = openai.OpenAI()
        show(client.completion(prompt='x'))  # nothing
        show(client.completions.create(prompt='x'))  # nothing
        def ask(client, max_tokens_to_sample):
            show(client.completion(prompt='x'))  # nothing
            show(client.completions.create(prompt='x', stream=True))  # nothing
    """,
    "the first SDK's name without its words": """
        import anthropic
        def ask(client):
            show(client.completion(prompt='x'))  # nothing
    """,
    "a method whose name tells": """
        def ask(client):
            show(client.acompletion_stream(prompt='x'))  # REPLIES, streamed, likely
            show(client.completion(prompt='x'))  # nothing
    """,
}
"""Sentence -> program. The official SDKs for Text Completions."""

OTHERS = {
    "another vendor": """
        import json, requests
        r = requests.post('https://api.openai.com/v1/chat/completions', headers={'authorization': key}, stream=True)
        show(r)  # ELSEWHERE
        show(r.json())  # ELSEWHERE
        show(r.json()['completion'])  # ELSEWHERE
        for line in r.iter_lines():
            show(line)  # ELSEWHERE
            show(line.decode()[6:])  # ELSEWHERE
            show(json.loads(line))  # ELSEWHERE
            show(json.loads(line)['completion'])  # ELSEWHERE
    """,
    "a vendor behind a reader of events": """
        import requests, sseclient
        r = requests.post('https://api.openai.com/v1/completions', headers={'authorization': key}, stream=True)
        for event in sseclient.SSEClient(r).events():
            show(event.data)  # ELSEWHERE
    """,
    "nobody knows where it comes from": """
        import json, sys
        def read(response):
            show(response)  # nothing
            for line in response.iter_lines():
                show(line)  # nothing
                show(json.loads(line))  # nothing
        for line in sys.stdin:
            show(line)  # nothing
        show(json.load(open('x')))  # nothing
    """,
    "an address that is not known": """
        import requests
        def ask(url, key):
            show(requests.post(url, headers={'authorization': key}).json())  # nothing
    """,
    "one response of two": """
        import requests
        def ask(key, ours):
            if ours:
                r = requests.post(URL, headers=HEADERS)
            else:
                r = requests.post('https://api.openai.com/v1/completions', headers={'authorization': key})
            show(r.json())  # ELSEWHERE
        def ask_each(key, ours):
            if ours:
                r = requests.post(URL, headers=HEADERS)
                show(r.json())  # REPLY
            else:
                r = requests.post('https://api.openai.com/v1/completions', headers={'authorization': key})
                show(r.json())  # ELSEWHERE
    """,
    "one request to several": """
        import requests
        def ask(key, ours):
            url = URL if ours else 'https://api.openai.com/v1/completions'
            show(requests.post(url, headers=HEADERS).json())  # nothing
    """,
    "a reader that two requests share": """
        import requests
        def _read(response):
            show(response.json())  # ELSEWHERE
        def ask(key):
            _read(requests.post(URL, headers=HEADERS))
            _read(requests.post('https://api.openai.com/v1/completions', headers={'authorization': key}))
    """,
    "a module that answers its requests itself": """
        import requests, responses
        @responses.activate
        def test_it():
            show(requests.post(URL, headers=HEADERS).json())  # nothing
    """,
    "a fixture that answers them": """
        import httpx
        def test_it(httpx_mock):
            show(httpx.post(URL, headers=HEADERS).json())  # nothing
    """,
    "a name that depends on itself": """
        import json, requests
        line = line
        show(line)  # nothing
        def again(x):
            return again(x)
        show(again(1))  # nothing
    """,
}
"""Sentence -> program. What is another's, or not known."""

EVERY = {**LIBRARIES, **LINES, **PLACES_IN_REPLIES, **SDKS, **OTHERS}


@pytest.mark.parametrize("sentence", EVERY)
def test_what_is_a_part_of_a_reply(sentence: str) -> None:
    text = EVERY[sentence]
    assert {line: said(read) for line, read in shown(text).items()} == claimed(text)


@pytest.mark.parametrize("sentence", EVERY)
def test_a_program_claims_something_about_everything_it_shows(sentence: str) -> None:
    text = program(EVERY[sentence])
    compile(text, sentence, "exec")
    assert len(claimed(text)) == text.count("show(")


def test_every_kind_is_shown() -> None:
    kinds = {claim.split(",")[0].split(" at ")[0] for text in EVERY.values() for claim in claimed(text).values()}
    assert kinds == {kind.name for kind in Kind} | {"ELSEWHERE", "nothing"}


# What else is known about a part


def part(expression: str, before: str) -> ReplyPart:
    (read,) = shown(f"{textwrap.dedent(before)}\nshow({expression})\n").values()
    assert isinstance(read, ReplyPart)
    return read


REQUEST = """
    import requests
    r = requests.post(URL, headers=HEADERS, stream=True)
"""


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("'https://api.anthropic.com/v1/complete'", "/v1/complete"),
        ("'https://api.anthropic.com/v1/messages'", "/v1/messages"),
        ("'https://api.anthropic.com/v1/messages?beta=true'", "/v1/messages"),
        ("f'{base}/v1/messages'", "/v1/messages"),
        ("f'https://api.anthropic.com/v1/messages/batches/{batch}'", "/v1/messages/batches/{id}"),
        ("f'https://api.anthropic.com/v1/{path}'", None),
        ("'https://api.anthropic.com/v1/unheard_of'", None),
    ],
)
def test_the_endpoint_is_the_documented_path_of_the_address(url: str, endpoint: str | None) -> None:
    before = f"""
        import requests
        r = requests.post({url}, headers={{'x-api-key': os.environ['ANTHROPIC_API_KEY']}})
    """
    assert part("r.json()['x']", before).endpoint == endpoint


def test_a_response_of_two_endpoints_has_no_endpoint_of_its_own() -> None:
    before = """
        import requests
        def read(r):
            show(r.json())
        def ask(key):
            read(requests.post(URL, headers=HEADERS))
            read(requests.post('https://api.anthropic.com/v1/messages', headers=HEADERS))
    """
    (read,) = shown(before).values()
    assert isinstance(read, ReplyPart)
    assert (read.kind, read.endpoint, read.confidence) == (Kind.REPLY, None, Confidence.CERTAIN)


def test_a_request_to_two_endpoints_has_no_endpoint_of_its_own() -> None:
    before = """
        import requests
        url = URL if old else 'https://api.anthropic.com/v1/messages'
        r = requests.post(url, headers=HEADERS)
    """
    found = part("r.json()", before)
    assert (found.kind, found.endpoint, found.confidence) == (Kind.REPLY, None, Confidence.CERTAIN)


def test_a_part_of_which_one_way_is_only_likely_is_only_likely() -> None:
    before = """
        import requests
        r = requests.post(URL, headers=HEADERS) if x else requests.post(URL, headers={})
    """
    found = part("r.json()", before)
    assert (found.kind, found.confidence) == (Kind.REPLY, Confidence.LIKELY)


def test_a_line_of_two_libraries_may_be_text_or_bytes() -> None:
    before = """
        import httpx, requests
        def read(lines):
            for line in lines:
                show(line)
        def ask(key):
            read(requests.post(URL, headers=HEADERS).iter_lines())
            read(httpx.post(URL, headers=HEADERS).iter_lines())
    """
    (read,) = shown(before).values()
    assert isinstance(read, ReplyPart)
    assert (read.kind, read.binary, read.confidence) == (Kind.LINE, None, Confidence.CERTAIN)


@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("requests", "requests.post(URL, headers=HEADERS)"),
        ("httpx", "httpx.post(URL, headers=HEADERS)"),
        ("urllib.request", "urllib.request.urlopen(urllib.request.Request(URL, headers=HEADERS))"),
        ("urllib3", "urllib3.request('POST', URL, headers=HEADERS)"),
        (None, "send(url=URL, headers=HEADERS)"),
    ],
)
def test_a_part_knows_which_library_asked_for_it(library: str | None, call: str) -> None:
    found = part("r", f"import requests, httpx, urllib3, urllib.request\nfrom .net import send\nr = {call}")
    assert (found.library.name if found.library else None) == library


def test_a_part_knows_the_call_that_sent_for_it() -> None:
    for expression in ("r", "r.json()['completion']", "next(r.iter_lines()).decode()"):
        sender = part(expression, REQUEST).sender
        assert cst.Module(body=()).code_for_node(sender.func) == "requests.post"


@pytest.mark.parametrize(
    ("call", "method", "version"),
    [
        ("anthropic.Client('k').completion(prompt='x')", "completion", "2023-01-01"),
        ("list(anthropic.Client('k').completion_stream(prompt='x'))[0]", "completion_stream", "2023-01-01"),
        ("anthropic.Anthropic().completions.create(prompt='x')", "completions.create", "2023-06-01"),
    ],
)
def test_a_reply_of_an_sdk_knows_the_method_that_gave_it(call: str, method: str, version: str) -> None:
    found = part(call, "import anthropic")
    assert found.sdk is not None
    assert (found.sdk.method, found.sdk.version, found.endpoint) == (method, version, "/v1/complete")
    assert part("r.json()", REQUEST).sdk is None


@pytest.mark.parametrize(
    ("headers", "confidence"),
    [
        ("{'x-api-key': key}", Confidence.CERTAIN),
        ("{'authorization': key}", Confidence.CERTAIN),
        ("{}", Confidence.LIKELY),
    ],
)
def test_a_part_is_as_certain_as_its_request(headers: str, confidence: Confidence) -> None:
    found = part("r.json()['completion']", f"import requests\nr = requests.post(URL, headers={headers})")
    assert found.confidence is confidence


@pytest.mark.parametrize(
    ("expression", "is_text"),
    [
        ("r", False),
        ("r.text", True),
        ("r.iter_lines()", False),
        ("next(r.iter_lines())", True),
        ("next(r.iter_content())", True),
        ("r.text.split('\\n\\n')[0]", True),
        ("r.json()", False),
    ],
)
def test_text_is_what_is_not_parsed_yet(expression: str, is_text: bool) -> None:
    assert part(expression, REQUEST).is_text is is_text


def replies_of(text: str) -> Replies:
    return Replies(ApiRequests(Module(Source(program(text)), "program.py"), Evaluator()))


@pytest.mark.parametrize(
    ("call", "parses"),
    [
        ("json.loads(x)", True),
        ("loads(x)", True),
        ("orjson.loads(x)", True),
        ("json.JSONDecoder().decode(x)", True),
        ("pickle.loads(x)", False),
        ("x.decode('utf-8')", False),
        ("json.dumps(x)", False),
    ],
)
def test_a_call_that_parses_json_is_told_by_the_module_that_it_comes_from(call: str, parses: bool) -> None:
    replies = replies_of(f"import json, orjson, pickle\nfrom json import loads\n{call}\n")
    node = next(n for n in replies.module.nodes(cst.Call) if cst.Module(body=()).code_for_node(n) == call)
    assert replies.parses(node) is parses


def test_something_of_another_is_no_part_of_a_reply() -> None:
    replies = replies_of("import requests\nx = requests.get('https://example.com/', headers={'authorization': key})\n")
    (call,) = replies.module.nodes(cst.Call)
    assert replies.whence(call) is ELSEWHERE
    assert replies.of(call) is None
