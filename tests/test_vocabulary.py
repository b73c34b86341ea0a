"""Which words of the code around an expression tell that it reads a stream of the Claude API, and which deny it.

``here()`` stands in each program where the question is asked.
"""

from __future__ import annotations

import textwrap

import libcst as cst
import pytest

from claude_api_lint.api import load_catalog
from claude_api_lint.dataflow.module import Module
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source
from claude_api_lint.vocabulary import Vocabulary


def told(program: str, path: str = "program.py") -> str | None:
    """The endpoint that the words around ``here()`` tell."""
    module = Module(Source(textwrap.dedent(program)), path)
    (call,) = [node for node in module.nodes(cst.Call) if getattr(node.func, "value", "") == "here"]
    return Vocabulary(module).endpoint_of(call)


MESSAGES, COMPLETE = "/v1/messages", "/v1/complete"

TELLING = {
    # Messages: the types of its events, compared
    "a comparison of the type": ("if event['type'] == 'content_block_delta': pass", MESSAGES),
    "an attribute": ("if event.type == 'message_stop': pass", MESSAGES),
    "the other way round": ("if 'message_stop' == kind: pass", MESSAGES),
    "an inequality": ("if kind != 'content_block_start': pass", MESSAGES),
    "a tuple": ("if kind in ('ping', 'message_delta'): pass", MESSAGES),
    "a list": ("if kind in ['content_block_stop']: pass", MESSAGES),
    "a set": ("if kind in {'content_block_delta', 'x'}: pass", MESSAGES),
    "bytes": ("if b'content_block_delta' in line: pass", MESSAGES),
    "startswith": ("if kind.startswith('content_block_delta'): pass", MESSAGES),
    "a chain of comparisons": ("if a == kind == 'message_stop': pass", MESSAGES),
    "a conditional expression": ("x = 1 if kind == 'message_stop' else 2", MESSAGES),
    "an elif": ("if kind == 'x': pass\n    elif kind == 'message_stop': pass", MESSAGES),
    "a filter": ("x = [e for e in events if e['type'] == 'content_block_delta']", MESSAGES),
    "a match": ("match kind:\n        case 'content_block_delta': pass", MESSAGES),
    "a match of several": ("match kind:\n        case 'a' | 'content_block_delta': pass", MESSAGES),
    "a match of a mapping": ("match event:\n        case {'type': 'content_block_delta'}: pass", MESSAGES),
    "an inner function": ("def g(kind): return kind == 'content_block_delta'", MESSAGES),
    # Text Completions: its text is read, and its words are there
    "the completion of a prompt": ("post(max_tokens_to_sample=9); x = e['completion']", COMPLETE),
    "the body of the request": ("body = {'max_tokens_to_sample': 9}; x = e.get('completion')", COMPLETE),
    "the prompt's constant": ("p = f'{HUMAN_PROMPT} hello'; x = e.pop('completion')", COMPLETE),
    "the first SDK": ("for e in c.completion_stream(): e['completion']", COMPLETE),
}
"""Sentence -> a line of a function, and what it tells."""


@pytest.mark.parametrize("sentence", TELLING)
def test_words_of_the_function_tell(sentence: str) -> None:
    line, endpoint = TELLING[sentence]
    assert told(f"def f(kind, event, line, e, c):\n    {line}\n    here()\n") == endpoint


@pytest.mark.parametrize("sentence", TELLING)
def test_words_of_a_loop_tell(sentence: str) -> None:
    line, endpoint = TELLING[sentence]
    loop = textwrap.indent(line.replace("\n    ", "\n"), "    ")
    assert told(f"for event in events:\n{loop}\n    here()\n") == endpoint


@pytest.mark.parametrize("sentence", TELLING)
def test_words_of_the_class_tell(sentence: str) -> None:
    line, endpoint = TELLING[sentence]
    method = f"    def g(self, kind, event, line, e, c):\n        {line.replace(chr(10), chr(10) + '    ')}\n"
    assert told(f"class C:\n{method}    def f(self):\n        here()\n") == endpoint


@pytest.mark.parametrize("sentence", TELLING)
def test_words_of_another_function_tell_nothing(sentence: str) -> None:
    line, _ = TELLING[sentence]
    assert told(f"def f(kind, event, line, e, c):\n    {line}\ndef g():\n    here()\n") is None


@pytest.mark.parametrize("sentence", TELLING)
def test_words_in_a_test_file_tell_nothing(sentence: str) -> None:
    line, endpoint = TELLING[sentence]
    program = f"def f(kind, event, line, e, c):\n    {line}\n    here()\n"
    for path in ("tests/stream.py", "test_stream.py", "stream_test.py", "a/testing/b.py", "conftest.py"):
        assert told(program, path) is None
    for path in ("latest/stream.py", "contest.py", "attest_stream.py"):
        assert told(program, path) == endpoint


SILENT = {
    "no words": "x = 1",
    "a word that others have too": "if kind == 'ping' or kind == 'error': pass",
    "a word that is only named": "x = 'content_block_delta'",
    "a word that is sent": "send({'type': 'content_block_delta'})",
    "a word in a docstring": "'content_block_delta'",
    "a word in a comment": "pass  # content_block_delta",
    "a completion of anything": "x = e['completion']",
    "a request whose reply is not read": "post(max_tokens_to_sample=9)",
    "a word in a longer text": "if line == 'event: content_block_delta': pass",
}


@pytest.mark.parametrize("sentence", SILENT)
def test_other_words_tell_nothing(sentence: str) -> None:
    assert told(f"def f(kind, event, line, e, c):\n    {SILENT[sentence]}\n    here()\n") is None


DENYING = {
    "OpenAI's text": "x = event['choices'][0]",
    "OpenAI's text, looked up": "x = event.get('choices')",
    "OpenAI's object": "if event['object'] == 'chat.completion.chunk': pass",
    "Google's text": "x = event['candidates']",
    "Cohere's text": "x = event.pop('generations')",
    "the events of the Responses API": "if event['type'] == 'response.completed': pass",
    "another provider": "if provider == 'openai': pass",
    "one of several providers": "if provider in ('anthropic', 'groq'): pass",
    "a match over providers": "match provider:\n        case 'mistral': pass",
}


@pytest.mark.parametrize("sentence", DENYING)
def test_who_reads_others_as_well_tells_nothing(sentence: str) -> None:
    words = "if kind == 'content_block_delta': pass"
    assert told(f"def f(kind, event, provider):\n    {words}\n    here()\n") == MESSAGES
    assert told(f"def f(kind, event, provider):\n    {words}\n    {DENYING[sentence]}\n    here()\n") is None


@pytest.mark.parametrize("name", ["openai_stream", "parse_azure", "OllamaClient", "DeepSeek", "together_events"])
def test_a_name_after_another_vendor_denies(name: str) -> None:
    words = "if kind == 'content_block_delta': pass"
    assert told(f"def {name}(kind):\n    {words}\n    here()\n") is None
    assert told(f"class {name}:\n    def f(self, kind):\n        {words}\n        here()\n") is None


def test_a_class_for_several_vendors_tells_nothing() -> None:
    program = """
        class Client:
            def one(self, event):
                if event['type'] == 'content_block_delta':
                    here()
            def two(self, event):
                return event['choices']
    """
    assert told(program) is None
    assert told(program.replace("def one", "def read_claude")) == MESSAGES
    assert told(program.replace("class Client", "class AnthropicClient")) == MESSAGES
    assert told(program.replace("choices", "content")) == MESSAGES


CHOOSING = {
    "a provider": "if provider == 'x': CLAUDE\n    else: OTHER",
    "a provider that comes first": "if provider == 'x': OTHER\n    else: CLAUDE",
    "a flag and an elif": "if flag: CLAUDE\n    elif 'usage' in event: OTHER",
    "a flag beside the type": "if flag and event['type'] == 'message_stop': pass\n    elif 'usage' in event: OTHER",
    "an attribute of the own object": "if not self.flag: CLAUDE\n    else: OTHER",
    "an arm that leaves": "if flag:\n        CLAUDE\n        return\n    OTHER",
    "a match": "match provider:\n        case 'x': CLAUDE\n        case _: OTHER",
    "a conditional expression": "x = event['type'] == 'message_stop' if flag else event['end']",
    "a name made of the event": "kind = event['type']\n    if flag: KIND\n    else: OTHER",
}
"""Sentence -> lines that read Claude's events on one outcome of a test, and others on the others."""

CLAUDE, OTHER = "x = event['type'] == 'message_stop'", "print(event)"


def chosen(lines: str, other: str = OTHER) -> str:
    lines = lines.replace("CLAUDE", CLAUDE).replace("OTHER", other).replace("KIND", "x = kind == 'message_stop'")
    return f"def f(self, provider, flag, event):\n    here()\n    {lines}\n"


@pytest.mark.parametrize("sentence", CHOOSING)
def test_events_that_a_test_chooses_from_anothers_tell_nothing(sentence: str) -> None:
    assert told(chosen(CHOOSING[sentence])) is None
    assert told(f"{chosen(CHOOSING[sentence])}    {CLAUDE}\n") == MESSAGES


@pytest.mark.parametrize(
    "sentence", [sentence for sentence, lines in CHOOSING.items() if ": OTHER" in lines and "elif" not in lines]
)
def test_events_that_no_other_sender_s_stand_beside_tell(sentence: str) -> None:
    assert told(chosen(CHOOSING[sentence], "pass")) == MESSAGES
    assert told(chosen(CHOOSING[sentence], "x = event['type'] == 'content_block_delta'")) == MESSAGES


def test_within_the_arm_that_is_chosen_its_events_tell() -> None:
    program = (
        "def f(provider, event):\n    if provider == 'x':\n        CLAUDE\n        HERE\n    else:\n        OTHER\n"
    )
    program = program.replace("CLAUDE", CLAUDE)
    assert told(program.replace("HERE", "here()").replace("OTHER", OTHER)) == MESSAGES
    assert told(program.replace("HERE", "pass").replace("OTHER", f"{OTHER}; here()")) is None


def test_a_test_about_the_event_or_the_stream_so_far_chooses_no_sender() -> None:
    about = ("event", "'usage' in event", "event['first']", "seen")
    for test in about:
        program = f"def f(events):\n    for event in events:\n        here()\n        if {test}: {CLAUDE}\n"
        assert told(f"{program}        else: {OTHER}\n        seen = True\n") == MESSAGES


def test_a_name_after_claude_wants_a_test_for_a_vendor() -> None:
    program = chosen("if flag: CLAUDE\n    else: OTHER").replace("def f", "def read_claude")
    assert told(program) == MESSAGES
    assert told(program.replace("if flag", "if provider == 'claude'")) is None


def test_what_stands_under_the_name_of_a_vendor_alone_tells_nothing() -> None:
    program = f"def f(provider, event):\n    here()\n    if TEST: {CLAUDE}\n    return event\n"
    assert told(program.replace("TEST", "provider == 'claude'")) is None
    assert told(program.replace("TEST", "not provider.is_openai")) is None
    assert told(program.replace("TEST", "provider")) == MESSAGES


def test_a_function_that_tests_for_a_vendor_is_not_told_by_its_class() -> None:
    program = "class C:\n    def f(self, provider, event):\n        here()\n        x = one() if TEST else two()\n"
    program += f"    def g(self, event):\n        {CLAUDE}\n"
    assert told(program.replace("TEST", "provider == 'claude'")) is None
    assert told(program.replace("TEST", "provider")) == MESSAGES


def test_the_innermost_scope_that_tells_counts() -> None:
    program = """
        def f(events, others, e):
            for event in others:
                if event['type'] == 'message_stop':
                    pass
            for e in events:
                OTHER
                here()
            post(max_tokens_to_sample=9)
    """
    assert told(program.replace("OTHER", "pass")) == MESSAGES
    assert told(program.replace("OTHER", "x = e['completion'], HUMAN_PROMPT")) == COMPLETE


def test_a_loop_that_tells_other_events_apart_is_not_about_claudes() -> None:
    program = """
        def f(events, others):
            for event in others:
                if event['type'] == 'message_stop':
                    pass
            for event in events:
                if event['type'] == 'something.else':
                    here()
    """
    assert told(program) is None
    assert told(program.replace("event['type'] == 'something.else'", "event")) == MESSAGES


def test_every_distinctive_type_of_event_tells() -> None:
    streams = [stream for stream in load_catalog().streams if stream.events]
    distinctive = [(word, s.endpoint) for s in streams for word in load_catalog().output(s.events or "").distinctive]
    assert distinctive
    for word, endpoint in distinctive:
        assert told(f"def f(kind):\n    if kind == '{word}':\n        here()\n") == endpoint


def test_every_word_of_a_stream_tells_beside_its_text() -> None:
    (stream,) = [stream for stream in load_catalog().streams if stream.words]
    for word in stream.words:
        assert told(f"def f(event):\n    x = event['{stream.text}'], '{word}'\n    here()\n") == stream.endpoint


def vocabulary(text: str) -> tuple[Vocabulary, cst.CSTNode]:
    module = Module(Source(textwrap.dedent(text)), "program.py")
    (function,) = module.nodes(cst.FunctionDef)
    return Vocabulary(module), function


def test_what_is_compared_is_collected() -> None:
    words, function = vocabulary("""
        def f(x):
            if x == 'a' or 'b' != x or x in ('c', b'd') or x.startswith('e') or x.endswith('f'):
                return 'not this'
            match x:
                case 'g' | 'h':
                    pass
            return x['nor this']
    """)
    assert words.compared(function) == set("abcdefgh")


def test_what_is_looked_up_is_collected() -> None:
    words, function = vocabulary("""
        def f(x):
            y = x['a']['b'], x.get('c'), x.pop('d', 1), x[0], x[1:], x[name], x.send('not this'), x.get()
            return x.__getitem__('e') == 'nor this'
    """)
    assert words.looked_up(function) == set("abcde")


# As a rule uses it

READER = """
def read(lines):
    for line in lines:
        if line == "data: [DONE]":
            break
        event = json.loads(line[6:])
        if event["type"] == "content_block_delta":
            yield event["delta"]["text"]
"""


@pytest.mark.parametrize(
    ("program", "found"),
    [
        (READER, ["CAV301"]),
        (READER.replace("content_block_delta", "delta"), []),
        (READER.replace('event["delta"]["text"]', 'event["choices"][0]'), []),
        (READER.replace("for line in lines", "for line in lines['choices']"), []),
    ],
)
def test_a_rule_reports_what_the_words_tell_as_likely(program: str, found: list[str]) -> None:
    findings = check_source(f"import json  # Claude's stream\n{program}".encode(), "program.py", Settings()).findings
    assert [finding.code for finding in findings] == found
    assert all(finding.confidence.value == "likely" for finding in findings)
