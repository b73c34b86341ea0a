"""What the fixers of streams and legacy replies make of a program, and that the result gives the right answer.

Each form stands in a small program that is fixed, compared, and then run against replies as version 2023-06-01 gives
them, and as the versioning policy lets a future one give them: with events, fields and stop reasons that nobody knows.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from functools import cache

import pytest

from claude_api_lint.findings import Applicability, Finding
from claude_api_lint.fixer import FixResult, fix_source
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings
from wire import ANSWER, answer, connected


@pytest.fixture(params=["2023-06-01", "future"])
def wire(request: pytest.FixtureRequest) -> Iterator[None]:
    with connected(request.param == "future"):
        yield


# Fixing


@cache
def fixed(program: str, *, unsafe: bool = True) -> FixResult:
    result = fix_source(program.encode(), "program.py", Settings(unsafe_fixes=unsafe))
    assert result.skipped is None, result.skipped
    return result


def fix(program: str) -> str:
    """The fixed program; nothing is left to find in it, and fixing it again changes nothing."""
    result = fixed(program)
    after = result.source.decode()
    assert [(finding.code, finding.line, finding.no_fix_reason) for finding in result.remaining] == []
    assert fixed(after).source == result.source
    return after


@cache
def findings(program: str) -> tuple[Finding, ...]:
    result = check_source(program.encode(), "program.py", Settings())
    assert result.skipped is None, result.skipped
    return result.findings


HEADERS = "{'x-api-key': key, 'anthropic-version': '2023-06-01'}"
REQUESTS = f"""\
import json
import requests


def ask(key):
    text = ''
    headers = {HEADERS}
    r = requests.post('https://api.anthropic.com/v1/ENDPOINT', headers=headers, stream=True)
    for line in r.iter_lines(decode_unicode=True):
        if not line.startswith('data:'):
            continue
        data = line[5:].strip()
LOOP
    return text
"""
READING = """\
event = json.loads(data)
if event['type'] == 'content_block_delta':
    text += event['delta'].get('text', '')
"""


def within(loop: str, template: str = REQUESTS, endpoint: str = "messages") -> str:
    """A program with these lines in its loop."""
    loop = textwrap.indent(loop.replace("READING\n", READING), "        ").rstrip("\n")
    return template.replace("LOOP", loop).replace("ENDPOINT", endpoint)


# CAV301

SENTINELS = {
    "an equality": ("if data == '[DONE]':\n    break\nREADING\n", "READING\n"),
    "the other way round": ("if '[DONE]' == data:\n    break\nREADING\n", "READING\n"),
    "the whole line": ("if line == 'data: [DONE]':\n    break\nREADING\n", "READING\n"),
    "the whole line, stripped": ("if line.strip() == 'data: [DONE]':\n    break\nREADING\n", "READING\n"),
    "its beginning": ("if line.startswith('data: [DONE]'):\n    break\nREADING\n", "READING\n"),
    "its end": ("if line.endswith('[DONE]'):\n    break\nREADING\n", "READING\n"),
    "a part of it": ("if '[DONE]' in line:\n    break\nREADING\n", "READING\n"),
    "continue": ("if data == '[DONE]':\n    continue\nREADING\n", "READING\n"),
    "pass": ("if data == '[DONE]':\n    pass\nREADING\n", "READING\n"),
    "the same return as after the loop": ("if data == '[DONE]':\n    return text\nREADING\n", "READING\n"),
    "on one line": ("if data == '[DONE]': break\nREADING\n", "READING\n"),
    "double quotes": ('if data == "[DONE]":\n    break\nREADING\n', "READING\n"),
    "or": ("if not data or data == '[DONE]':\n    continue\nREADING\n", "if not data:\n    continue\nREADING\n"),
    "or in front": ("if data == '[DONE]' or not data:\n    break\nREADING\n", "if not data:\n    break\nREADING\n"),
    "one of a tuple": (
        "if data in ('[DONE]', ''):\n    continue\nREADING\n",
        "if data == '':\n    continue\nREADING\n",
    ),
    "one of three": (
        "if data in ('', '[DONE]', 'x'):\n    continue\nREADING\n",
        "if data in ('', 'x'):\n    continue\nREADING\n",
    ),
    "the last of three": (
        "if data in ['', 'x', '[DONE]']:\n    continue\nREADING\n",
        "if data in ['', 'x']:\n    continue\nREADING\n",
    ),
    "one of a set": (
        "if data in {'[DONE]', 'x', ''}:\n    continue\nREADING\n",
        "if data in {'x', ''}:\n    continue\nREADING\n",
    ),
    "a guard": (
        "if data != '[DONE]':\n    READ(data)\n",
        "READ(data)\n",
    ),
    "a guard with not": (
        "if not data == '[DONE]':\n    READ(data)\n",
        "READ(data)\n",
    ),
    "a guard with and": ("if data and data != '[DONE]':\n    READ(data)\n", "if data:\n    READ(data)\n"),
    "a guard with not in": ("if data not in ('[DONE]', ''):\n    READ(data)\n", "if data != '':\n    READ(data)\n"),
    "an else": ("if data == '[DONE]':\n    break\nelse:\n    READ(data)\n", "READ(data)\n"),
    "an elif behind it": (
        "if data == '[DONE]':\n    break\nelif data:\n    READ(data)\n",
        "if data:\n    READ(data)\n",
    ),
    "an elif": (
        "if not data:\n    continue\nelif data == '[DONE]':\n    break\nREADING\n",
        "if not data:\n    continue\nREADING\n",
    ),
    "an elif before an else": (
        "if not data:\n    continue\nelif data == '[DONE]':\n    break\nelse:\n    READ(data)\n",
        "if not data:\n    continue\nelse:\n    READ(data)\n",
    ),
    "a conditional expression": (
        "data = '{}' if data == '[DONE]' else data\nREAD(data)\n",
        "data = data\nREAD(data)\n",
    ),
    "a match": (
        "match data:\n    case '[DONE]':\n        break\n    case _:\n        READ(data)\n",
        "match data:\n    case _:\n        READ(data)\n",
    ),
    "an alternative of a match": (
        "match data:\n    case '' | '[DONE]':\n        continue\n    case _:\n        READ(data)\n",
        "match data:\n    case '':\n        continue\n    case _:\n        READ(data)\n",
    ),
    "a walrus": (
        "if (rest := line[5:].strip()) == '[DONE]':\n    break\nREAD(rest)\n",
        "rest = line[5:].strip()\nREAD(rest)\n",
    ),
}
"""Sentence -> before and after. ``READ(data)`` stands for the reading on one line."""
ONE_LINE = "event = json.loads({0}); text += event.get('delta', {{}}).get('text', '')"


def with_reading(lines: str) -> str:
    for name in ("data", "rest"):
        lines = lines.replace(f"READ({name})", ONE_LINE.format(name))
    return lines


@pytest.mark.parametrize("sentence", SENTINELS)
def test_the_test_for_the_sentinel_is_dropped(sentence: str, wire: None) -> None:
    before, after = (within(with_reading(lines)) for lines in SENTINELS[sentence])
    assert [finding.code for finding in findings(before)] == ["CAV301"]
    assert fix(before) == after
    assert fixed(before, unsafe=False).source.decode() == after
    assert answer(after) == ANSWER


URLLIB = f"""\
import json
import urllib.request


def ask(key):
    text = ''
    headers = {HEADERS}
    r = urllib.request.urlopen(urllib.request.Request('https://api.anthropic.com/v1/ENDPOINT', headers=headers))
    while True:
        line = r.readline()
        if line == b'data: [DONE]\\n':
            break
        if not line.startswith(b'data:'):
            continue
LOOP
    return text
"""
MOVED = {
    "messages: behind the parsed event": (
        "messages",
        "event = json.loads(line[5:])\ntext += event.get('delta', {}).get('text', '')\n",
        "event = json.loads(line[5:])\nif event.get('type') == 'message_stop':\n    break\n"
        "text += event.get('delta', {}).get('text', '')\n",
    ),
    "messages: in the manner of the loop": (
        "messages",
        "event = json.loads(line[5:])\nif event['type'] == 'content_block_delta':\n"
        "    if 'text' in event['delta']:\n        text += event['delta']['text']\n",
        "event = json.loads(line[5:])\nif event['type'] == 'message_stop':\n    break\n"
        "if event['type'] == 'content_block_delta':\n    if 'text' in event['delta']:\n"
        "        text += event['delta']['text']\n",
    ),
    "completions: at the end of the loop, for the last event may hold text": (
        "complete",
        "event = json.loads(line[5:])\ntext += event.get('completion', '')\n",
        "event = json.loads(line[5:])\ntext += event.get('completion', '')\n"
        "if event.get('stop_reason') is not None:\n    break\n",
    ),
}


@pytest.mark.parametrize("sentence", MOVED)
def test_a_loop_that_has_no_other_end_ends_at_the_last_event(sentence: str, wire: None) -> None:
    endpoint, before, after = MOVED[sentence]
    program = within(before, URLLIB, endpoint)
    expected = within(after, URLLIB, endpoint).replace(
        "        if line == b'data: [DONE]\\n':\n            break\n", ""
    )
    assert fix(program) == expected
    assert fixed(program, unsafe=False).source.decode() == expected
    with pytest.raises(TimeoutError):
        answer(program)
    assert answer(expected) == ANSWER


AFTER_LOOPS = {
    "a failure behind the loop": ("        if data == '[DONE]':\n            return text\n", "    raise EOFError\n"),
    "a failure in the loop's else": (
        "        if data == '[DONE]':\n            break\n",
        "    else:\n        raise EOFError\n    return text\n",
    ),
    "another value behind the loop": ("        if data == '[DONE]':\n            return text\n", "    return None\n"),
}


@pytest.mark.parametrize("sentence", AFTER_LOOPS)
def test_what_the_sentinel_led_to_moves_to_the_last_event_where_the_end_matters(sentence: str, wire: None) -> None:
    sentinel, end = AFTER_LOOPS[sentence]
    beginning = REQUESTS.replace("ENDPOINT", "messages").partition("LOOP")[0]
    reading = textwrap.indent(READING, "        ")
    program = beginning + sentinel + reading + end
    parsing, rest = reading.split("\n", 1)
    moved = sentinel.replace("data == '[DONE]'", "event['type'] == 'message_stop'")
    assert fix(program) == f"{beginning}{parsing}\n{moved}{rest}{end}"
    assert fixed(program, unsafe=False).source.decode() == f"{beginning}{parsing}\n{moved}{rest}{end}"
    assert answer(fix(program)) == ANSWER


def test_what_does_more_than_leave_moves_only_when_a_person_looks(wire: None) -> None:
    program = within("if data == '[DONE]':\n    text += '\\n'\n    break\nREADING\n")
    assert fixed(program, unsafe=False).source.decode() == program
    (finding,) = findings(program)
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE
    assert answer(program) == ANSWER
    assert answer(fix(program)) == ANSWER + "\n"


def test_a_comment_goes_only_when_a_person_looks(wire: None) -> None:
    program = within("if data == '[DONE]':  # the end\n    break\nREADING\n")
    assert fixed(program, unsafe=False).source.decode() == program
    assert fix(program) == within("READING\n")


AT_THE_END = """\
import json


def texts(lines, queue):
    for line in lines:
        data = line.removeprefix("data: ")
        if data == "[DONE]":
            queue.put("end")
            break
        event = json.loads(data)
        if event["type"] == "content_block_delta":
            queue.put(event["delta"]["text"])
        END
"""


@pytest.mark.parametrize(
    ("end", "is_safe"),
    [
        ('elif event["type"] == "message_stop":\n            queue.put("end")\n            break', True),
        (
            'match event:\n            case "message_stop":\n                queue.put("end")\n                break',
            True,
        ),
        ('elif event["type"] == "message_stop":\n            queue.put("over")\n            break', False),
        ('elif event["type"] != "message_stop":\n            queue.put("end")\n            break', False),
        ('elif event["type"] == "message_stop":\n            break', False),
    ],
)
def test_what_is_done_at_the_last_event_as_well_goes_with_the_sentinel(end: str, is_safe: bool) -> None:
    result = fixed(AT_THE_END.replace("END", end), unsafe=False)
    assert ("[DONE]" not in result.source.decode()) is is_safe
    assert (
        result.source.decode().count('queue.put("end")') == AT_THE_END.replace("END", end).count('put("end")') - is_safe
    )


FOR_SEVERAL = """\
import json


def texts(lines, provider):
    for line in lines:
        data = line.removeprefix("data: ")
        if data == "[DONE]":
            break
        event = json.loads(data)
        if event["type"] == "content_block_delta":
            yield event["delta"]["text"]
        TEST
            print(event["usage"]["output_tokens"])
"""
"""A loop over lines of which only the words tell whose they are."""


@pytest.mark.parametrize(
    ("test", "applicability"),
    [
        ('if event["type"] == "message_delta":', Applicability.SAFE),
        ('if provider == "anthropic" and event["type"] == "message_delta":', Applicability.UNSAFE),
        ('if provider.is_claude and "usage" in event:', Applicability.UNSAFE),
    ],
)
def test_a_test_for_a_vendor_makes_dropping_unsafe_where_only_words_tell(
    test: str, applicability: Applicability
) -> None:
    (finding,) = [finding for finding in findings(FOR_SEVERAL.replace("TEST", test)) if finding.code == "CAV301"]
    assert finding.fix is not None
    assert finding.fix.applicability is applicability


# CAV302

COMPLETIONS = {
    "cut by the length of what came before": (
        "new = event['completion'][len(seen):]\nseen = event['completion']\ntext += new\n",
        "new = event['completion']\nseen += event['completion']\ntext += new\n",
    ),
    "cut by the length, in one line": (
        "text += event['completion'][len(text):]\n",
        "text += event['completion']\n",
    ),
    "removeprefix": (
        "new = event['completion'].removeprefix(seen)\nseen = event['completion']\ntext += new\n",
        "new = event['completion']\nseen += event['completion']\ntext += new\n",
    ),
    "replace": (
        "new = event['completion'].replace(seen, '')\nseen = event['completion']\ntext += new\n",
        "new = event['completion']\nseen += event['completion']\ntext += new\n",
    ),
    "split": (
        "new = event['completion'].split(seen)[-1] if seen else event['completion']\n"
        "seen = event['completion']\ntext += new\n",
        "new = event['completion']\nseen += event['completion']\ntext += new\n",
    ),
    "a counter": (
        "text += event['completion'][count:]\ncount = len(event['completion'])\n",
        "text += event['completion']\n",
    ),
    "a counter that is added to": (
        "new = event['completion'][count:]\ncount += len(new)\ntext += new\n",
        "new = event['completion']\ntext += new\n",
    ),
    "two names at once": (
        "new, seen = event['completion'][len(seen):], event['completion']\ntext += new\n",
        "new = event['completion']\nseen += event['completion']\ntext += new\n",
    ),
    "a name for the text": (
        "whole = event['completion']\ntext += whole[len(seen):]\nseen = whole\n",
        "whole = event['completion']\ntext += whole\nseen += whole\n",
    ),
    "the last one is kept": ("text = event['completion']\n", "text += event['completion']\n"),
    "the last one is kept, looked up": (
        "text = event.get('completion', '')\n",
        "text += event.get('completion', '')\n",
    ),
}
"""Sentence -> what a loop over completions does with the event, before and after."""

COMPLETION_LOOPS = {
    "requests": REQUESTS.replace(
        "LOOP",
        "        event = json.loads(data)\n        if event['type'] != 'completion':\n            continue\nLOOP",
    ),
    "httpx": f"""\
import httpx, json


def ask(key):
    text = ''
    headers = {HEADERS}
    with httpx.stream('POST', 'https://api.anthropic.com/v1/ENDPOINT', headers=headers) as r:
      for line in r.iter_lines():
        if not line.startswith('data:'):
            continue
        event = json.loads(line[5:])
        if 'completion' not in event:
            continue
LOOP
    return text
""",
    "the first SDK": """\
import anthropic


def ask(key):
    text = ''
    client = anthropic.Client(key)  # noqa: CAV101
    for event in client.completion_stream(prompt='x', max_tokens_to_sample=9):
LOOP
    return text
""",
}


def started(program: str, lines: str) -> str:
    """The program with the names that a form needs set before its loop."""
    seen = "    seen = ''\n" if "seen" in lines else ""
    count = "    count = 0\n" if "count" in lines else ""
    return program.replace("    text = ''\n", f"    text = ''\n{seen}{count}")


@pytest.mark.parametrize("client", COMPLETION_LOOPS)
@pytest.mark.parametrize("sentence", COMPLETIONS)
def test_what_each_event_brings_is_appended(sentence: str, client: str, wire: None) -> None:
    before, after = (
        started(within(lines, COMPLETION_LOOPS[client], "complete"), lines) for lines in COMPLETIONS[sentence]
    )
    assert "CAV302" in {finding.code for finding in findings(before)}
    if "len(" in before or "kept" in sentence:  # the others cut nothing off where nothing is repeated
        assert answer(before) != ANSWER
    assert fix(before) == after
    assert answer(after) == ANSWER
    safe = fixed(before, unsafe=False).source.decode()
    assert safe == (before if client == "the first SDK" else after), "the SDK asks for the old version until it goes"


@pytest.mark.parametrize(
    ("start", "after"),
    [
        ("text = ''", "text = ''"),
        ("text = None", "text = ''"),
        ("text: str = None", "text: str = ''"),
        ("", "text = ''"),
    ],
)
def test_the_text_starts_empty(start: str, after: str, wire: None) -> None:
    before = within("text = event['completion']\n", COMPLETION_LOOPS["requests"], "complete")
    program = before.replace("    text = ''\n", f"    {start}\n" if start else "")
    result = fix(program)
    assert result.count("''") == program.count("''") + (start != "text = ''")
    assert f"    {after}\n" in result
    assert answer(result) == ANSWER


# CAV303

UNFILTERED = f"""\
import json
import requests


def ask(key):
    text = ''
    headers = {HEADERS}
    r = requests.post('https://api.anthropic.com/v1/ENDPOINT', headers=headers, stream=True)
    for line in r.iter_lines(BINARY):
LOOP
    return text
"""
LINES = {
    "cut at six": ("data = line[6:]\nREAD(data)\n", "SKIP\ndata = line[6:]\nREAD(data)\n"),
    "cut in the call": ("if line:\n    READ(line[6:])\n", "if line:\n    SKIP(1)\n    READ(line[6:])\n"),
    "the prefix replaced": (
        "data = line.replace(B'data: ', B'')\nREAD(data)\n",
        "SKIP\ndata = line.replace(B'data: ', B'')\nREAD(data)\n",
    ),
    "the prefix split off": (
        "data = line.split(B': ', 1)[1]\nREAD(data)\n",
        "SKIP\ndata = line.split(B': ', 1)[1]\nREAD(data)\n",
    ),
    "the prefix removed": (
        "data = line.removeprefix(B'data:')\nREAD(data)\n",
        "SKIP\ndata = line.removeprefix(B'data:')\nREAD(data)\n",
    ),
    "in two steps": (
        "data = line[5:]\ndata = data.strip()\nREAD(data)\n",
        "SKIP\ndata = line[5:]\ndata = data.strip()\nREAD(data)\n",
    ),
    "an empty line is skipped": (
        "if not line:\n    continue\nREAD(line[6:])\n",
        "if not line:\n    continue\nSKIP\nREAD(line[6:])\n",
    ),
}


@pytest.mark.parametrize("binary", [True, False], ids=["bytes", "text"])
@pytest.mark.parametrize("sentence", LINES)
def test_lines_that_are_no_data_are_skipped(sentence: str, binary: bool, wire: None) -> None:
    def program(lines: str) -> str:
        for depth, mark in (("", "SKIP\n"), ("    ", "SKIP(1)\n    ")):
            guard = f"if not line.startswith({'b' * binary}'data:'):\n{depth}    continue\n{depth}"
            lines = lines.replace(mark, guard)
        for name in ("data", "line[6:]"):
            lines = lines.replace(f"READ({name})", ONE_LINE.format(name))
        lines = lines.replace("B'", "b'" if binary else "'")
        text = within(lines, UNFILTERED)
        return text.replace("BINARY", "" if binary else "decode_unicode=True")

    before, after = (program(lines) for lines in LINES[sentence])
    assert [finding.code for finding in findings(before)] == ["CAV303"]
    with pytest.raises((json.JSONDecodeError, IndexError)):
        answer(before)
    assert fix(before) == after
    assert fixed(before, unsafe=False).source.decode() == after
    assert answer(after) == ANSWER


GUARD = "if 'completion' not in event and 'error' not in event:\n    continue\n"
EVENTS = {
    "the event has a name": (
        "event = json.loads(data)\ntext += event['completion']\n",
        f"event = json.loads(data)\n{GUARD}text += event['completion']\n",
    ),
    "the event has none": (
        "text += json.loads(data)['completion']\n",
        f"event = json.loads(data)\n{GUARD}text += event['completion']\n",
    ),
    "the name is taken": (
        "event = data\ntext += json.loads(event)['completion']\n",
        f"event = data\nDATA = json.loads(event)\n{GUARD.replace('in event', 'in DATA')}text += DATA['completion']\n",
    ),
}


@pytest.mark.parametrize("sentence", EVENTS)
def test_events_without_text_are_skipped(sentence: str, wire: None) -> None:
    before, after = (within(lines, endpoint="complete").replace("DATA", "payload") for lines in EVENTS[sentence])
    (finding,) = findings(before)
    assert (finding.code, finding.confidence.value) == ("CAV303", "likely")
    with pytest.raises(KeyError):
        answer(before)
    assert fix(before) == after
    assert answer(after) == ANSWER


def test_an_error_is_not_skipped_as_if_it_were_the_end() -> None:
    guard = fix(within(EVENTS["the event has a name"][0], endpoint="complete"))
    condition = next(line for line in guard.splitlines() if "not in event" in line).strip()
    assert eval(condition[3:-1], {"event": {"type": "ping"}})
    assert not eval(condition[3:-1], {"event": {"type": "completion", "completion": ""}})
    assert not eval(condition[3:-1], {"event": {"type": "error", "error": {}}})


# CAV202

REPLY = f"""\
import requests


def ask(key):
    headers = {HEADERS}
    r = requests.post('https://api.anthropic.com/v1/complete', headers=headers)
    r.raise_for_status()
    d = r.json()
LINES
"""

TRUNCATED = {
    "a subscript": ("d['truncated']", "d['stop_reason'] == 'max_tokens'"),
    "in its own quotes": ('d["truncated"]', 'd["stop_reason"] == "max_tokens"'),
    "get": ("d.get('truncated')", "d.get('stop_reason') == 'max_tokens'"),
    "get with a default": ("d.get('truncated', False)", "d.get('stop_reason') == 'max_tokens'"),
    "not": ("not d['truncated']", "d['stop_reason'] != 'max_tokens'"),
    "not not": ("not not d['truncated']", "not d['stop_reason'] != 'max_tokens'"),
    "is True": ("d['truncated'] is True", "d['stop_reason'] == 'max_tokens'"),
    "== True": ("d['truncated'] == True", "d['stop_reason'] == 'max_tokens'"),
    "is False": ("d['truncated'] is False", "d['stop_reason'] != 'max_tokens'"),
    "!= False": ("d['truncated'] != False", "d['stop_reason'] == 'max_tokens'"),
    "not == False": ("not d['truncated'] == False", "d['stop_reason'] == 'max_tokens'"),
    "in": ("'truncated' in d", "'stop_reason' in d"),
    "not in": ("'truncated' not in d", "'stop_reason' not in d"),
    "and": ("d and d['truncated'] and 1", "d and d['stop_reason'] == 'max_tokens' and 1"),
    "bool()": ("bool(d['truncated'])", "bool(d['stop_reason'] == 'max_tokens')"),
    "a number": ("d['truncated'] + 1", "(d['stop_reason'] == 'max_tokens') + 1"),
    "a comparison": ("1 == d['truncated']", "1 == (d['stop_reason'] == 'max_tokens')"),
    "a sign": ("-d['truncated']", "-(d['stop_reason'] == 'max_tokens')"),
    "an index": ("'ab'[d['truncated']]", "'ab'[d['stop_reason'] == 'max_tokens']"),
    "a conditional expression": ("1 if d['truncated'] else 2", "1 if d['stop_reason'] == 'max_tokens' else 2"),
    "a value": ("{'cut': d['truncated']}", "{'cut': d['stop_reason'] == 'max_tokens'}"),
    "parentheses": ("(d['truncated'])", "(d['stop_reason'] == 'max_tokens')"),
    "a keyword": ("dict(cut=d['truncated'])", "dict(cut=d['stop_reason'] == 'max_tokens')"),
    "a format": ("f\"{d['truncated']}\"", "f\"{d['stop_reason'] == 'max_tokens'}\""),
    "an or": ("d['truncated'] or d", "d['stop_reason'] == 'max_tokens' or d"),
    "a lambda": ("(lambda: d['truncated'])()", "(lambda: d['stop_reason'] == 'max_tokens')()"),
    "a method": ("d['truncated'].real", "(d['stop_reason'] == 'max_tokens').real"),
}
"""Sentence -> before, after."""


@pytest.mark.parametrize("sentence", TRUNCATED)
def test_the_stop_reason_is_compared(sentence: str) -> None:
    before, after = (REPLY.replace("LINES", f"    return {expression}") for expression in TRUNCATED[sentence])
    assert [finding.code for finding in findings(before)] == ["CAV202"]
    assert fix(before) == after
    assert fixed(before, unsafe=False).source.decode() == after


@pytest.mark.parametrize("sentence", TRUNCATED)
def test_the_comparison_has_the_value_that_the_field_had(sentence: str) -> None:
    before, after = TRUNCATED[sentence]
    for truncated, reason in ((True, "max_tokens"), (False, "stop_sequence")):
        old: dict[str, object] = {"d": {"truncated": truncated, "stop_reason": reason}}
        new: dict[str, object] = {"d": {"stop_reason": reason}}
        if sentence not in ("or", "an or"):
            assert eval(after, new) == eval(before, old)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{'truncated': True}", "{'stop_reason': 'max_tokens'}"),
        ('{"a": 1, "truncated": True}', '{"a": 1, "stop_reason": "max_tokens"}'),
    ],
)
def test_a_pattern_of_the_field_is_a_pattern_of_the_stop_reason(before: str, after: str) -> None:
    lines = "    match d:\n        case {}:\n            return 1"
    assert fix(REPLY.replace("LINES", lines.format(before))) == REPLY.replace("LINES", lines.format(after))


# CAV201

HANDLED = "    r.raise_for_status()\n"
CHECKED = {
    "a raise": (
        "    if d['exception']:\n        raise RuntimeError(d['exception'])\n    return d['completion']",
        "    return d['completion']",
    ),
    "get": (
        "    if d.get('exception'):\n        raise RuntimeError\n    return d['completion']",
        "    return d['completion']",
    ),
    "is not None": (
        "    if d['exception'] is not None:\n        raise RuntimeError\n    return d['completion']",
        "    return d['completion']",
    ),
    "!= None": (
        "    if d.get('exception') != None:\n        raise RuntimeError\n    return d['completion']",
        "    return d['completion']",
    ),
    "in": (
        "    if 'exception' in d:\n        raise RuntimeError\n    return d['completion']",
        "    return d['completion']",
    ),
    "an else": (
        "    if d['exception']:\n        raise RuntimeError\n    else:\n        return d['completion']",
        "    return d['completion']",
    ),
    "not": (
        "    if not d['exception']:\n        return d['completion']\n    raise RuntimeError",
        "    return d['completion']\n    raise RuntimeError",
    ),
    "is None": (
        "    if d['exception'] is None:\n        return d['completion']\n    return None",
        "    return d['completion']\n    return None",
    ),
    "not in": (
        "    if 'exception' not in d:\n        return d['completion']\n    return None",
        "    return d['completion']\n    return None",
    ),
    "or": (
        "    if not d or d['exception']:\n        raise RuntimeError\n    return d['completion']",
        "    if not d:\n        raise RuntimeError\n    return d['completion']",
    ),
    "a conditional expression": (
        "    return None if d['exception'] else d['completion']",
        "    return d['completion']",
    ),
    "an assertion": ("    assert not d['exception']\n    return d['completion']", "    return d['completion']"),
    "an assertion of None": (
        "    assert d['exception'] is None, d['exception']\n    return d['completion']",
        "    return d['completion']",
    ),
}


@pytest.mark.parametrize("sentence", CHECKED)
def test_the_test_goes_where_the_status_is_looked_at(sentence: str, wire: None) -> None:
    before, after = (REPLY.replace("LINES", lines) for lines in CHECKED[sentence])
    assert {finding.code for finding in findings(before)} == {"CAV201"}
    assert fix(before) == after
    assert answer(after) == ANSWER


@pytest.mark.parametrize(
    "check",
    [
        "    r.raise_for_status()\n",
        "    if r.status_code != 200:\n        raise OSError\n",
        "    if not r.ok:\n        raise OSError\n",
    ],
)
def test_a_look_at_the_status_is_seen(check: str) -> None:
    program = REPLY.replace("LINES", CHECKED["a raise"][0])
    assert "exception" not in fix(program.replace(HANDLED, check))
    assert "d.get('error')" in fix(program.replace(HANDLED, ""))


UNCHECKED = {
    "a raise": (
        "    if d['exception']:\n        raise RuntimeError(d['exception'])\n    return d['completion']",
        "    if d.get('error'):\n        raise RuntimeError(d['error']['message'])\n    return d['completion']",
    ),
    "get": (
        '    if d.get("exception"):\n        raise RuntimeError(d.get("exception"))\n    return d',
        '    if d.get("error"):\n        raise RuntimeError(d["error"]["message"])\n    return d',
    ),
    "in": (
        "    if 'exception' in d:\n        print('failed: ' + d['exception'])\n    return d",
        "    if 'error' in d:\n        print('failed: ' + d['error']['message'])\n    return d",
    ),
    "is not None": (
        "    if d['exception'] is not None:\n        return d['exception']\n    return d",
        "    if d.get('error') is not None:\n        return d['error']['message']\n    return d",
    ),
}


@pytest.mark.parametrize("sentence", UNCHECKED)
def test_the_reply_s_error_is_read_where_no_status_is_looked_at(sentence: str) -> None:
    before, after = (REPLY.replace("LINES", lines).replace(HANDLED, "") for lines in UNCHECKED[sentence])
    assert fix(before) == after
    assert fixed(before, unsafe=False).source.decode() == after


# What is left to a person


def reasons(program: str) -> list[tuple[str, str]]:
    result = fixed(program)
    assert result.source.decode() == program
    return [(finding.code, finding.no_fix_reason or "") for finding in result.remaining]


@pytest.mark.parametrize(
    ("program", "code", "reason"),
    [
        (within("x = data == '[DONE]'\nREADING\n"), "CAV301", "used as a value"),
        (within("while data != '[DONE]':\n    pass\n"), "CAV301", ""),
        (
            within("if data in ENDS:\n    break\nREADING\n").replace("def ask", "ENDS = ('[DONE]', 'x')\ndef ask"),
            "CAV301",
            "written elsewhere",
        ),
        (REPLY.replace("LINES", "    err = d['exception']\n    return err"), "CAV201", "what the value is for"),
        (REPLY.replace("LINES", "    print(d['exception'])"), "CAV201", "what the value is for"),
        (REPLY.replace("LINES", "    return d.pop('truncated')"), "CAV202", "other code may rely"),
        (
            REPLY.replace("LINES", "    match d:\n        case {'truncated': cut}:\n            return cut"),
            "CAV202",
            "other code may rely",
        ),
        (
            started(
                within(
                    "if len(event['completion']) > len(seen):\n    text += event['completion'][len(seen):]\n"
                    "seen = event['completion']\n",
                    COMPLETION_LOOPS["requests"],
                    "complete",
                ),
                "seen",
            ),
            "CAV302",
            "a test compares",
        ),
    ],
)
def test_a_finding_without_a_fix_says_why(program: str, code: str, reason: str) -> None:
    found = reasons(program)
    assert {found_code for found_code, _ in found} == {code}
    assert all(why and reason in why for _, why in found)


# What is right, or another's


@pytest.mark.parametrize(
    "program",
    [
        within("READING\n"),
        within("if data == '[DONE]':\n    break\nREADING\n").replace("api.anthropic.com", "api.openai.com"),
        within(
            "if data == '[DONE]':\n    break\ntext += json.loads(data)['choices'][0]\n", endpoint="chat/completions"
        ),
        within("READING\nprint('data: [DONE]')\n"),
        REPLY.replace("LINES", "    return d['completion'], d['stop_reason']"),
        REPLY.replace("LINES", "    return d['truncated'], d['exception']").replace("anthropic.com", "example.com"),
        REPLY.replace("LINES", "    d['truncated'] = False\n    return d['truncated']"),
        within("text += json.loads(data).get('completion', '')\n", endpoint="complete"),
        within(
            "event = json.loads(data)\nif event['type'] == 'completion':\n    text += event['completion']\n",
            endpoint="complete",
        ),
        within("text += json.loads(data)['completion'][6:]\n", endpoint="complete").replace(
            "r.iter_lines", "r2.iter_lines"
        ),
    ],
)
def test_nothing_is_found_in_what_is_right_or_anothers(program: str) -> None:
    compile(program, "program.py", "exec")
    assert findings(program + "# Claude\n") == ()


VERSIONED = within(
    "if version == '2023-01-01':\n    text += event['completion'][len(text):]\n"
    "else:\n    text += event['completion']\n",
    COMPLETION_LOOPS["requests"],
    "complete",
)


def test_code_that_knows_which_version_it_speaks_is_left_alone() -> None:
    assert findings(VERSIONED) == ()
    assert [finding.code for finding in findings(VERSIONED.replace("2023-01-01", "old"))] == ["CAV302"]


@pytest.mark.parametrize(
    "program",
    [
        within("if data == '[DONE]':\n    break\nREADING\n"),
        started(within(COMPLETIONS["removeprefix"][0], COMPLETION_LOOPS["requests"], "complete"), "seen"),
        within("READ(line[6:])\n".replace("READ(line[6:])", ONE_LINE.format("line[6:]")), UNFILTERED).replace(
            "BINARY", ""
        ),
        REPLY.replace("LINES", "    return d['truncated']"),
        REPLY.replace("LINES", "    return d['exception']"),
    ],
)
def test_nothing_is_found_where_the_target_is_the_old_version(program: str) -> None:
    program = program.replace("2023-06-01", "2023-01-01")
    assert check_source(program.encode(), "p.py", Settings(target_version="2023-01-01")).findings == ()
    assert check_source(program.encode(), "p.py", Settings(target_version="2026-10-21")).findings


def test_three_faults_are_mended_in_one_run(wire: None) -> None:
    program = started(
        within(
            "if data == '[DONE]':\n    break\nevent = json.loads(data)\n"
            "text += event['completion'][len(seen):]\nseen = event['completion']\n",
            endpoint="complete",
        ),
        "seen",
    ).replace(", 'anthropic-version': '2023-06-01'", "")
    assert {finding.code for finding in findings(program)} == {"CAV101", "CAV301", "CAV302", "CAV303"}
    assert answer(fix(program)) == ANSWER
