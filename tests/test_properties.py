"""What holds for every program: checking never fails, and fixing changes what is wrong and nothing else.

The programs are made up, in every layout that people write: quotes, indentation, line ends, trailing commas, comments,
one line or many; headers at the call or far from it; several clients; each with one fault in the version header.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_api_lint.fixer import FixResult, apply, fix_source
from claude_api_lint.linter import CheckResult, check_source
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source
from wire import ANSWER, answer, connected

TARGET = "2023-06-01"
HEADER = "anthropic-version"
FAULTS = {
    "CAV101": [],
    "CAV102": [(HEADER, "2023-01-01"), ("Anthropic-Version", "2023-01-01")],
    "CAV103": [(HEADER, "2024-01-01"), (HEADER, ""), ("ANTHROPIC-VERSION", "v1")],
    "CAV104": [("anthropic_version", TARGET), ("x-anthropic-version", TARGET)],
}

thorough = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Layout:
    """How somebody writes a dict."""

    quote: str
    indentation: str
    one_line: bool
    trailing_comma: bool
    comments: tuple[str, ...]
    spaced: bool


@dataclass(frozen=True)
class Program:
    """A program with one fault: ``code`` is what must be found."""

    text: str
    code: str
    layout: Layout

    def __repr__(self) -> str:
        return f"<{self.code} in:\n{self.text!r}\n{self.text}\n>"


layouts = st.builds(
    Layout,
    quote=st.sampled_from(["'", '"']),
    indentation=st.sampled_from(["    ", "  ", "\t", "        "]),
    one_line=st.booleans(),
    trailing_comma=st.booleans(),
    comments=st.tuples(*[st.sampled_from(["", "", "  # the key", "  # {'\"é"])] * 4),
    spaced=st.booleans(),
)


def written(entries: list[tuple[str, str]], layout: Layout, level: int) -> str:
    """The dict literal with these entries, of which the values are expressions."""
    quoted = [f"{layout.quote}{key}{layout.quote}: {value.replace(chr(39), layout.quote)}" for key, value in entries]
    comma = "," if layout.trailing_comma and entries else ""
    if layout.one_line or not entries:
        space = " " if layout.spaced and entries else ""
        return "{" + space + ", ".join(quoted) + comma + space + "}"
    inner = "\n" + layout.indentation * (level + 1)
    lines = []
    for index, entry in enumerate(quoted):
        is_last = index == len(quoted) - 1
        lines.append(entry + (comma if is_last else ",") + layout.comments[index % len(layout.comments)])
    return "{" + inner + inner.join(lines) + "\n" + layout.indentation * level + "}"


URL = "'https://api.anthropic.com/v1/messages'"

# Where {headers} is a dict literal. The number is how deep the line is indented that it stands on.
SHAPES = {
    "requests at the call": """
        import requests
        response = requests.post(URL, json=body, headers={0})
    """,
    "httpx at the call": """
        import httpx
        def ask(key, body):
            return httpx.post(URL, headers={1}, json=body)
    """,
    "an httpx stream": """
        import httpx as h
        def ask(key, body):
            with h.stream('POST', url=URL, headers={1}) as r:
                pass
    """,
    "a local": """
        import requests
        def ask(key):
            headers = {1}
            log(1)
            return requests.get(URL, headers=headers)
    """,
    "a constant of the module": """
        import requests
        HEADERS = {0}


        def ask():
            return requests.get(URL, headers=HEADERS)
    """,
    "a helper": """
        import httpx
        def _headers(key):
            return {1}


        async def ask(key):
            async with httpx.AsyncClient() as client:
                return await client.post(URL, headers=_headers(key))
    """,
    "self.headers": """
        import requests
        class Client:
            def __init__(self, key):
                self.headers = {2}

            def ask(self):
                return requests.post(URL, headers=self.headers)
    """,
    "a session": """
        import requests
        session = requests.Session()
        session.headers.update({0})
        session.post(URL)
    """,
    "a client with a base URL": """
        import httpx
        client = httpx.Client(base_url='https://api.anthropic.com', headers={0})
        client.post('/v1/messages')
    """,
    "urllib": """
        import urllib.request
        def ask(key, data):
            request = urllib.request.Request(URL, data=data, headers={1})
            return urllib.request.urlopen(request)
    """,
    "http.client": """
        import http.client
        def ask(key, body):
            connection = http.client.HTTPSConnection('api.anthropic.com')
            connection.request('POST', '/v1/messages', body, {1})
    """,
    "aiohttp": """
        import aiohttp
        async def ask(key):
            async with aiohttp.ClientSession(headers={1}) as session:
                async with session.post(URL) as response:
                    return await response.json()
    """,
    "a spread": """
        import requests
        BASE = {'accept': '*/*'}
        def ask(key):
            headers = {1}
            return requests.post(URL, headers={**BASE, **headers})
    """,
}
KEYS = ("key", "KEYS['a']", "f'{key}'", "os.environ['ANTHROPIC_API_KEY']")
BEGINNINGS = ("", '"""Ask. é"""\n', "# -*- coding: utf-8 -*-\n\n", "from __future__ import annotations\n", "\ufeff")
ENDINGS = ("", "# end", "\n\n\nif __name__ == '__main__':\n    main()\n", "\x0c\n")


@st.composite
def programs(draw: st.DrawFn, codes: Sequence[str] = tuple(FAULTS), ends: Sequence[str] = ("\n", "\r\n")) -> Program:
    """A program with one fault."""
    code = draw(st.sampled_from(codes))
    layout = draw(layouts)
    others = draw(st.lists(st.sampled_from(["content-type", "accept", "User-Agent"]), max_size=2, unique=True))
    entries = [("x-api-key", draw(st.sampled_from(KEYS))), *((name, "'text'") for name in others)]
    if FAULTS[code]:
        name, value = draw(st.sampled_from(FAULTS[code]))
        entries.insert(draw(st.integers(0, len(entries))), (name, f"'{value}'"))
    shape = textwrap.dedent(SHAPES[draw(st.sampled_from(sorted(SHAPES)))]).lstrip("\n")
    text = shape.replace("    ", layout.indentation).replace("URL", URL)
    text = re.sub(r"\{(\d)\}", lambda place: written(entries, layout, int(place[1])), text)
    text = f"{draw(st.sampled_from(BEGINNINGS))}import os  # noqa: E401\n{text}{draw(st.sampled_from(ENDINGS))}"
    return Program(text.replace("\n", draw(st.sampled_from(ends))), code, layout)


def check(text: str, *, unsafe: bool = True) -> CheckResult:
    result = check_source(text.encode(), "program.py", Settings(unsafe_fixes=unsafe))
    assert result.skipped is None, result.skipped
    return result


def fix(text: str) -> str:
    return fixed(text).source.decode()


def fixed(text: str) -> FixResult:
    result = fix_source(text.encode(), "program.py", Settings(unsafe_fixes=True))
    assert result.skipped is None, result.skipped
    return result


def comments(text: str) -> list[str]:
    readline = io.BytesIO(text.removeprefix("\ufeff").encode()).readline
    return [token.string for token in tokenize.tokenize(readline) if token.type == tokenize.COMMENT]


def without_version(text: str) -> str:
    """The program's syntax tree without version headers, whatever they are called and hold."""
    tree = ast.parse(text.removeprefix("\ufeff"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            kept = [(k, v) for k, v in zip(node.keys, node.values, strict=True) if not _is_version(k)]
            node.keys, node.values = [k for k, _ in kept], [v for _, v in kept]
    return ast.dump(tree)


def _is_version(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and "version" in str(key.value).lower()


def versions(text: str) -> list[tuple[str, object]]:
    """The version headers in the program's dicts."""
    return [
        (str(ast.literal_eval(key)), ast.literal_eval(value))
        for node in ast.walk(ast.parse(text.removeprefix("\ufeff")))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if key is not None and _is_version(key)
    ]


# What is found


@thorough
@given(programs())
def test_the_fault_is_found_and_nothing_else(program: Program) -> None:
    assert [finding.code for finding in check(program.text).findings] == [program.code]


@thorough
@given(programs())
def test_a_finding_points_into_the_file(program: Program) -> None:
    source = Source.decode(program.text.encode())
    for finding in check(program.text).findings:
        start = source.offset(finding.line, finding.column - 1)
        end = source.offset(finding.end_line, finding.end_column - 1)
        assert 0 <= start < end <= len(source.text)
        assert not source.text[start].isspace()
        ast.parse("(" + source.text[start:end].replace("\r\n", "\n") + ")")


@thorough
@given(programs())
def test_checking_twice_finds_the_same(program: Program) -> None:
    assert check(program.text) == check(program.text)


# What is fixed


@thorough
@given(programs())
def test_fixing_leaves_a_program_without_a_finding(program: Program) -> None:
    result = fixed(program.text)
    assert [finding.code for finding in result.fixed] == [program.code]
    assert result.remaining == ()
    assert check(result.source.decode()).findings == ()


@thorough
@given(programs())
def test_the_fixed_program_sends_the_target_version_once_and_is_the_same_otherwise(program: Program) -> None:
    after = fix(program.text)
    assert [(name.lower(), value) for name, value in versions(after)] == [(HEADER, TARGET)]
    assert without_version(after) == without_version(program.text)


@thorough
@given(programs())
def test_fixing_again_changes_nothing(program: Program) -> None:
    once = fix(program.text)
    assert fix(once) == once


@thorough
@given(programs())
def test_every_comment_survives(program: Program) -> None:
    assert comments(fix(program.text)) == comments(program.text)


@thorough
@given(programs(codes=("CAV101",)))
def test_a_missing_header_is_inserted_and_nothing_else_is_touched(program: Program) -> None:
    before, after = program.text, fix(program.text)
    quote = program.layout.quote
    entry = f"{quote}{HEADER}{quote}: {quote}{TARGET}{quote}"
    assert is_within(before, after.replace(entry, "", 1))
    assert sorted(re.sub(r"\s", "", after)) == sorted(re.sub(r"\s", "", before + entry + ","))


def is_within(part: str, whole: str) -> bool:
    """Whether the characters of a text are all there in another one, in the same order."""
    rest = iter(whole)
    return all(character in rest for character in part)


@thorough
@given(programs(codes=("CAV101",)).filter(lambda program: "BASE" not in program.text))
def test_an_inserted_header_is_laid_out_as_the_others_are(program: Program) -> None:
    before, after = program.text.splitlines(), fix(program.text).splitlines()
    (line,) = [line for line in after if HEADER in line]
    if program.layout.one_line:
        assert len(after) == len(before)
        closing = re.search(rf", ['\"]{HEADER}['\"]: ['\"]{TARGET}['\"](,?)( ?)}}", line)
        assert closing is not None
        assert bool(closing[1]) == program.layout.trailing_comma
        assert bool(closing[2]) == program.layout.spaced
    else:
        assert len(after) == len(before) + 1
        key = next(line for line in after if "x-api-key" in line)
        assert indentation(line) == indentation(key)
        assert line.endswith(",") == program.layout.trailing_comma


def indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


@thorough
@given(programs(codes=("CAV102", "CAV103", "CAV104")))
def test_a_wrong_header_is_changed_where_it_is_written_and_nothing_else_is_touched(program: Program) -> None:
    before, after = program.text.splitlines(keepends=True), fix(program.text).splitlines(keepends=True)
    ((old, new),) = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    wrong = {part for fault in FAULTS[program.code] for part in fault} - {HEADER, TARGET}
    right = TARGET if program.code != "CAV104" else HEADER
    quote = program.layout.quote
    assert new in {old.replace(f"{quote}{part}{quote}", f"{quote}{right}{quote}", 1) for part in wrong}


@thorough
@given(programs())
def test_line_ends_and_encoding_stay(program: Program) -> None:
    before, after = program.text, fix(program.text)
    assert after.startswith("\ufeff") == before.startswith("\ufeff")
    assert ("\r\n" in after) == ("\r\n" in before)
    assert re.search(r"(?<!\r)\n", after) is None or "\r\n" not in before
    assert after.endswith("\n") == before.endswith("\n")


@thorough
@given(programs())
def test_a_file_that_is_marked_is_left_alone(program: Program) -> None:
    marked = program.text + "\n# flake8: noqa\n"
    assert check(marked).findings == ()
    assert fix(marked) == marked


@thorough
@given(programs())
def test_a_line_that_is_marked_with_the_code_is_left_alone(program: Program) -> None:
    (finding,) = check(program.text).findings
    marked = with_comment(program.text, finding.line, f"# noqa: {program.code}")
    if marked is None:
        return
    assert check(marked).findings == ()
    assert fix(marked) == marked


@thorough
@given(programs())
def test_a_line_that_a_fix_would_change_and_that_is_marked_is_left_alone(program: Program) -> None:
    (finding,) = check(program.text).findings
    assert finding.fix is not None
    source = Source.decode(program.text.encode())
    line = source.position(finding.fix.edits[0].start)[0]
    marked = with_comment(program.text, line, f"# noqa: {program.code}")
    if marked is None:
        return
    assert fix(marked) == marked


def with_comment(text: str, number: int, comment: str) -> str | None:
    """The program with a comment at the end of a line; None where it cannot get one."""
    lines = re.split(r"(\r\n|\n)", text)
    if "#" in lines[2 * (number - 1)]:
        return None
    lines[2 * (number - 1)] += f"  {comment}"
    return "".join(lines)


# Other encodings


@thorough
@given(programs(ends=("\n",)), st.sampled_from(["latin-1", "cp1252", "utf-8", "iso-8859-15", "koi8-r"]))
def test_a_file_keeps_its_encoding(program: Program, encoding: str) -> None:
    text = program.text.removeprefix("\ufeff").replace("# -*- coding: utf-8 -*-\n", "").replace("é", "e")
    text = f"# -*- coding: {encoding} -*-\nx = '\x7f'\n" + text
    data = text.encode(encoding) + b"# " + bytes(range(0xE1, 0xE9)) * (encoding != "utf-8") + b"\n"
    result = fix_source(data, "program.py", Settings(unsafe_fixes=True))
    assert [finding.code for finding in result.fixed] == [program.code]
    plain = data.decode(encoding).replace("coding:", "decoding")
    assert result.source.decode(encoding).replace("coding:", "decoding") == fix(plain)


def test_a_file_whose_bytes_have_several_spellings_keeps_its_own() -> None:
    text = (
        "import requests\n"
        "x = '+AGEAYg-'  # two letters in UTF-7, that nobody has to write so\n"
        "requests.get('https://api.anthropic.com/v1/models', headers={'x-api-key': key})\n"
    )
    data = b"# coding: utf-7\n" + text.encode("ascii")
    result = fix_source(data, "program.py", Settings())
    assert b"+AGEAYg-" in result.source


# Anything at all

FRAGMENTS = st.sampled_from(
    [
        "anthropic-version",
        "'anthropic-version'",
        "'https://api.anthropic.com/v1/messages'",
        "requests.post(",
        "httpx.Client(base_url=",
        "headers=",
        "{'x-api-key': key, ",
        "'2023-01-01'",
        "import requests\n",
        "import httpx\n",
        "def f(self, **kwargs):\n    ",
        "class C(B):\n    ",
        "return ",
        "self.headers",
        "self.headers[",
        " = ",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\n",
        "\r\n",
        "    ",
        "\t",
        "'",
        '"""',
        "f'{",
        "#",
        "# noqa",
        "\\",
        "lambda x: ",
        "if x: ",
        "else: ",
        " for x in y",
        "match x:\n    case ",
        "try:\n    ",
        "except: ",
        "with x as y: ",
        "async ",
        "await ",
        "yield ",
        "global x\n",
        "del x\n",
        "*",
        "**",
        "@",
        ":=",
        "x",
        "None",
        "\x0c",
        "\0",
        "é",
        "\ud800",
    ]
)
anything = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def survives(data: bytes) -> None:
    """Neither checking nor fixing raises, and a file that compiled compiles after it."""
    for unsafe in (False, True):
        result = fix_source(data, "program.py", Settings(unsafe_fixes=unsafe))
        assert isinstance(result.source, bytes)
        if not result.fixed:
            assert result.source == data
        elif compiles(data):
            assert compiles(result.source)
            assert fix_source(result.source, "program.py", Settings(unsafe_fixes=unsafe)).source == result.source


def compiles(data: bytes) -> bool:
    try:
        ast.parse(data)
    except (SyntaxError, ValueError):
        return False
    return True


@anything
@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_no_text_makes_it_fail(text: str) -> None:
    survives(text.encode("utf-8", "surrogatepass"))


@anything
@given(st.binary(max_size=300).map(lambda data: b"anthropic-version" + data))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    survives(data)


@anything
@given(programs(), st.data())
def test_a_program_that_is_mangled_does_not_make_it_fail(program: Program, data: st.DataObject) -> None:
    text = program.text
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(FRAGMENTS | st.just("")) + text[end:]
    survives(text.encode("utf-8", "surrogatepass"))


@settings(anything, max_examples=80)
@given(programs(), programs())
def test_two_programs_in_one_file_are_fixed_as_each_alone(one: Program, other: Program) -> None:
    texts = [program.text.removeprefix("\ufeff").replace("\r\n", "\n") for program in (one, other)]
    texts = [text.replace("from __future__ import annotations\n", "") for text in texts]
    # The second program's names are its own.
    names = ("HEADERS", "BASE", "Client", "session", "client", "_headers", "ask", "headers")
    texts[1] = re.sub(rf"(?<![\w'\".])({'|'.join(names)})\b(?!=)", r"\1_2", texts[1])
    texts[1] = texts[1].replace("(headers_2=", "(headers=").replace("headers_2={", "headers={")
    together = "\n".join(texts)
    if not compiles(together.encode()):
        return
    assert fix(together) == "\n".join(fix(text) for text in texts)


# Streams: programs that read one, in every way that people do, with any of the faults that the old version left

Block = list["str | tuple[str, Block]"]


@dataclass(frozen=True)
class StreamClient:
    """How a program gets the lines of a stream: what stands above, the loop's head, and whether a line is bytes."""

    above: tuple[str, ...]
    head: str
    binary: bool
    is_async: bool = False


SENDING = "'https://api.anthropic.com/v1/ENDPOINT', headers=headers"
CLIENTS = {
    "requests": StreamClient((f"r = requests.post({SENDING}, stream=True)",), "for line in r.iter_lines():", True),
    "requests, text": StreamClient(
        (f"r = requests.post({SENDING}, stream=True)",), "for line in r.iter_lines(decode_unicode=True):", False
    ),
    "requests in a with": StreamClient(
        (f"with requests.post({SENDING}, stream=True) as r:",), "for line in r.iter_lines():", True
    ),
    "httpx": StreamClient((f"with httpx.stream('POST', {SENDING}) as r:",), "for line in r.iter_lines():", False),
    "httpx, async": StreamClient(
        ("async with httpx.AsyncClient() as client:", f"async with client.stream('POST', {SENDING}) as r:"),
        "async for line in r.aiter_lines():",
        False,
        True,
    ),
    "aiohttp": StreamClient(
        ("async with aiohttp.ClientSession() as session:", f"async with session.post({SENDING}) as r:"),
        "async for line in r.content:",
        True,
        True,
    ),
    "urllib": StreamClient(
        (f"with urllib.request.urlopen(urllib.request.Request({SENDING})) as r:",), "for line in r:", True
    ),
}
SENTINEL_FORMS = (
    "none", "break", "continue", "return", "or", "in front", "in", "line", "guard", "and guard", "not guard", "else",
    "elif", "one line",
)  # fmt: skip
PREFIX_FORMS = ("skip", "nest", "cut", "replace", "split")
GUARD_FORMS = ("skip", "nest", "none")
TEXT_FORMS = ("append", "slice", "prefix", "counter", "overwrite", "pair", "named")
STREAM_COMMENTS = ("", "", "", "", "  # é", "  # the text")


@dataclass(frozen=True)
class StreamProgram:
    """A program that reads a stream; ``codes`` are what must be found, ``choices`` say what it was made of."""

    text: str
    codes: frozenset[str]
    choices: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<{sorted(self.codes)} {self.choices} in:\n{self.text}\n>"


def flat(block: Block, indentation: str, depth: int) -> list[str]:
    lines: list[str] = []
    for entry in block:
        if isinstance(entry, str):
            lines.append(indentation * depth + entry)
        else:
            lines += [indentation * depth + entry[0], *flat(entry[1], indentation, depth + 1)]
    return lines


def with_text(form: str) -> tuple[list[str], Block]:
    """What stands before the loop, and what is done with an event that has text."""
    completion = "event['completion']"
    forms: dict[str, tuple[list[str], Block]] = {
        "append": ([], [f"text += {completion}"]),
        "slice": (["seen = ''"], [f"text += {completion}[len(seen):]", f"seen = {completion}"]),
        "prefix": (["seen = ''"], [f"new = {completion}.removeprefix(seen)", f"seen = {completion}", "text += new"]),
        "counter": (["count = 0"], [f"new = {completion}[count:]", "count += len(new)", "text += new"]),
        "overwrite": ([], [f"text = {completion}"]),
        "pair": (["seen = ''"], [f"new, seen = {completion}[len(seen):], {completion}", "text += new"]),
        "named": (
            ["seen = ''"],
            [f"whole = {completion}", "text += whole[len(seen):]", "log(text)", "seen = whole"],
        ),
    }
    return forms[form]


def for_the_sentinel(form: str, rest: Block, b: str) -> Block:
    """A test of ``data`` for the sentinel, and what comes after it."""
    done = f"{b}'[DONE]'"
    forms: dict[str, Block] = {
        "none": rest,
        "break": [(f"if data == {done}:", ["break"]), *rest],
        "continue": [(f"if data == {done}:", ["continue"]), *rest],
        "return": [(f"if data == {done}:", ["return text"]), *rest],
        "or": [(f"if not data or data == {done}:", ["continue"]), *rest],
        "in front": [(f"if data == {done} or not data:", ["continue"]), *rest],
        "not guard": [(f"if not data == {done}:", rest)],
        "in": [(f"if data in ({done}, {b}''):", ["continue"]), *rest],
        "line": [(f"if line.strip() == {b}'data: [DONE]':", ["break"]), *rest],
        "guard": [(f"if data != {done}:", rest)],
        "and guard": [(f"if data and data != {done}:", rest)],
        "else": [(f"if data == {done}:", ["break"]), ("else:", rest)],
        "elif": [("if not data:", ["continue"]), (f"elif data == {done}:", ["break"]), *rest],
        "one line": [f"if data == {done}: break", *rest],
    }
    return forms[form]


def of_the_line(form: str, rest: Block, b: str) -> Block:
    """How ``data`` is made of a line."""
    forms: dict[str, Block] = {
        "skip": [(f"if not line.startswith({b}'data:'):", ["continue"]), "data = line[5:].strip()", *rest],
        "nest": [(f"if line.startswith({b}'data:'):", ["data = line[5:].strip()", *rest])],
        "cut": [("if not line.strip():", ["continue"]), "data = line[6:].strip()", *rest],
        "replace": [("if line.strip():", [f"data = line.replace({b}'data: ', {b}'').strip()", *rest])],
        "split": [("if not line.strip():", ["continue"]), f"data = line.split({b}': ', 1)[1].strip()", *rest],
    }
    return forms[form]


def of_the_event(guard: str, handling: Block, endpoint: str) -> Block:
    """How the event is told apart from others."""
    if endpoint == "messages":
        delta: Block = ["text += event['delta'].get('text', '')"]
        return ["event = json.loads(data)", ("if event['type'] == 'content_block_delta':", delta)]
    forms: dict[str, Block] = {
        "skip": [("if event['type'] != 'completion':", ["continue"]), *handling],
        "nest": [("if 'completion' in event:", handling)],
        "none": handling,
    }
    return ["event = json.loads(data)", *forms[guard]]


@st.composite
def streams(draw: st.DrawFn, ends: Sequence[str] = ("\n", "\r\n"), commented: bool = True) -> StreamProgram:
    """A program that reads a stream."""
    name = draw(st.sampled_from(sorted(CLIENTS)))
    client = CLIENTS[name]
    endpoint = draw(st.sampled_from(["complete", "complete", "messages"]))
    sentinel, prefix = draw(st.sampled_from(SENTINEL_FORMS)), draw(st.sampled_from(PREFIX_FORMS))
    guard, form = draw(st.sampled_from(GUARD_FORMS)), draw(st.sampled_from(TEXT_FORMS))
    decoded = client.binary and draw(st.booleans())
    b = "b" if client.binary and not decoded else ""
    before, handling = with_text(form)
    loop = of_the_line(prefix, for_the_sentinel(sentinel, of_the_event(guard, handling, endpoint), b), b)
    block: Block = [(client.head, [*(["line = line.decode('utf-8')"] if decoded else []), *loop])]
    for line in reversed(client.above):
        block = [(line, block)] if line.endswith(":") else [line, *block]
    versioned = draw(st.booleans())
    headers = "{'x-api-key': key" + ", 'anthropic-version': '2023-06-01'" * versioned + "}"
    body: Block = ["text = ''", *before, f"headers = {headers}", *block, "return text"]
    head = "async def ask(key):" if client.is_async else "def ask(key):"
    imports = "import json\nimport os\nimport urllib.request\n\nimport aiohttp\nimport httpx\nimport requests\n"
    log = "\n\ndef log(text):\n    pass\n\n\n"
    lines = flat([(head, body)], draw(st.sampled_from(["    ", "  ", "\t"])), 0)
    if commented:
        lines = [line + draw(st.sampled_from(STREAM_COMMENTS)) for line in lines]
    if draw(st.booleans()):
        lines.insert(draw(st.integers(2, len(lines) - 1)), "")
    text = (
        imports + log + "\n".join(lines).replace("ENDPOINT", endpoint) + draw(st.sampled_from(["\n", "\n\n\nx = 1\n"]))
    )
    if draw(st.booleans()):
        text = re.sub(r"'([^'\"\n]*)'", r'"\1"', text)
    codes = {
        "CAV101": not versioned,
        "CAV301": sentinel != "none",
        "CAV302": endpoint == "complete" and form != "append",
        "CAV303": prefix in ("cut", "replace", "split") or (endpoint == "complete" and guard == "none"),
    }
    choices = (name, endpoint, sentinel, prefix, guard, form)
    text = draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", draw(st.sampled_from(ends)))
    return StreamProgram(text, frozenset(code for code, found in codes.items() if found), choices)


@settings(thorough, max_examples=80)
@given(streams())
def test_the_faults_of_a_stream_are_found_and_nothing_else(program: StreamProgram) -> None:
    assert {finding.code for finding in check(program.text).findings} == program.codes


@settings(thorough, max_examples=50)
@given(streams(), st.booleans())
def test_a_fixed_stream_compiles_and_has_nothing_left_to_fix(program: StreamProgram, unsafe: bool) -> None:
    settings = Settings(unsafe_fixes=unsafe)
    before = check(program.text).findings
    result = fix_source(program.text.encode(), "program.py", settings)
    assert result.skipped is None
    after = result.source.decode()
    ast.parse(after.removeprefix("\ufeff"))
    assert fix_source(result.source, "program.py", settings).source == result.source
    left = [f for f in result.remaining if f.fix is not None and (unsafe or f.fix.applicability.value == "safe")]
    assert left == []
    assert Counter(f.code for f in result.remaining) <= Counter(f.code for f in before)
    assert len(result.remaining) + len(result.fixed) >= len(before)


@settings(thorough, max_examples=50)
@given(streams())
def test_a_safe_fix_of_a_stream_changes_no_line_that_it_is_not_about(program: StreamProgram) -> None:
    result = fix_source(program.text.encode(), "program.py", Settings())
    before, after = program.text, result.source.decode()
    assert comments(after) == comments(before)
    assert after.startswith("\ufeff") == before.startswith("\ufeff")
    assert ("\r\n" in after) == ("\r\n" in before)
    assert re.search(r"(?<!\r)\n", after) is None or "\r\n" not in before
    assert not {"'", '"'} & set(after) - set(before)
    assert ("\t" in after) == ("\t" in before)
    about = (
        "DONE",
        "completion",
        "seen",
        "count",
        "headers",
        "whole",
        "data",
        "line",
        "else",
        "break",
        "continue",
        "return",
    )
    kept = [line.strip() for line in before.splitlines() if line.strip() and not any(word in line for word in about)]
    assert is_within_lines(kept, [line.strip() for line in after.splitlines()])


def is_within_lines(part: list[str], whole: list[str]) -> bool:
    """Whether lines are all there among others, in the same order."""
    rest = iter(whole)
    return all(line in rest for line in part)


@settings(thorough, max_examples=25)
@given(streams())
def test_each_fix_of_a_stream_is_small_and_mends_what_it_is_for(program: StreamProgram) -> None:
    findings = check(program.text).findings
    source = Source.decode(program.text.encode())
    for finding in findings:
        if finding.fix is None:
            continue
        alone = apply(source.text, finding.fix.edits)
        ast.parse(alone)
        codes = [left.code for left in check(alone).findings]
        assert codes.count(finding.code) < [found.code for found in findings].count(finding.code)
        for edit in finding.fix.edits:
            old = source.text[edit.start : edit.end]
            assert old != edit.text
            assert not (old and edit.text) or old[0] != edit.text[0]


@settings(thorough, max_examples=80)
@given(streams(ends=("\n",)), st.booleans())
def test_the_fixed_stream_gives_the_whole_text(program: StreamProgram, future: bool) -> None:
    after = fix(program.text)
    with connected(future):
        assert answer(after.removeprefix("\ufeff")) == ANSWER


@settings(anything, max_examples=50)
@given(streams(), st.data())
def test_a_stream_that_is_mangled_does_not_make_it_fail(program: StreamProgram, data: st.DataObject) -> None:
    text = program.text
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(FRAGMENTS | st.just("")) + text[end:]
    survives(text.encode("utf-8", "surrogatepass"))
