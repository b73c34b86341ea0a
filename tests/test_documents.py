"""Code blocks of Markdown and reStructuredText: which there are, what is found in them, and how they are fixed.

``fixtures/documents`` holds ``broken`` documents with their ``mended`` twins, and ``silent`` ones in which nothing must
be found. And every program of the other fixtures stands in a code block here, too.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from claude_api_lint.code_blocks import CodeBlock, blocks_of_markdown, blocks_of_rst
from claude_api_lint.documents import Snippet, check_document, fix_document
from claude_api_lint.findings import Edit
from claude_api_lint.fixer import FixResult, apply
from claude_api_lint.linter import CheckResult, check_source
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source
from commands import lint
from test_fixtures import BROKEN, FIXTURES, REPORTED, SILENT, each, expected, mended_twin, name, read, stripped

DOCUMENTS = FIXTURES / "documents"

POST = 'requests.post("https://api.anthropic.com/v1/messages", headers={"x-api-key": "k"}, json={})'
MENDED_POST = POST.replace('"k"}', '"k", "anthropic-version": "2023-06-01"}')

PLACES = {
    "guide.rst": [(11, 4, "CAV101"), (26, 9, "CAV101"), (36, 11, "CAV101"), (42, 4, "CAV101")],
    "tutorial.md": [
        (7, 12, "CAV101"),
        (23, 4, "CAV101"),
        (28, 106, "CAV102"),
        (37, 3, "CAV402"),
        (52, 13, "CAV101"),
        (61, 1, "CAV101"),
        (68, 1, "CAV101"),
    ],
}


def check(text: str, path: str = "page.md") -> CheckResult:
    return check_document(text.encode(), path, Settings())


def places(text: str, path: str = "page.md") -> list[tuple[int, int, str]]:
    return [(finding.line, finding.column, finding.code) for finding in check(text, path).findings]


def fix(text: str, path: str = "page.md") -> FixResult:
    return fix_document(text.encode(), path, Settings(unsafe_fixes=True))


def documents(kind: str) -> pytest.MarkDecorator:
    files = sorted((DOCUMENTS / kind).iterdir())
    return pytest.mark.parametrize("file", files, ids=lambda file: file.name)


def line_by_line(text: str, before: str) -> str:
    """The text with something before each line, and no blank at the end of any."""
    return "".join(f"{before}{line}".rstrip() + "\n" for line in text.splitlines())


# Documents as they are


@documents("broken")
def test_what_is_found_stands_where_the_document_has_it(file: Path) -> None:
    assert places(file.read_text(), file.name) == PLACES[file.name]


@documents("broken")
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_fixing_a_broken_document_gives_its_mended_twin(file: Path, line_end: str) -> None:
    fixed = fix(file.read_text().replace("\n", line_end), file.name)
    assert fixed.source.decode() == (DOCUMENTS / "mended" / file.name).read_text().replace("\n", line_end)
    assert fixed.skipped is None


@documents("mended")
def test_nothing_is_left_to_find_in_a_mended_document(file: Path) -> None:
    assert check(file.read_text(), file.name) == CheckResult()


@documents("silent")
def test_nothing_is_found_in_a_silent_document(file: Path) -> None:
    assert check(file.read_text(), file.name) == CheckResult()
    assert fix(file.read_text(), file.name).source == file.read_bytes()


@documents("silent")
def test_a_silent_document_is_about_the_api(file: Path) -> None:
    assert b"anthropic.com" in file.read_bytes()


# Programs in documents

WRAPPINGS: dict[str, tuple[str, Callable[[str], str]]] = {
    "list": ("page.md", lambda code: "1.  x\n\n" + line_by_line(f"```py\n{code}```", "    ") + "\nend\n"),
    "quote": ("page.md", lambda code: "# T\n\n" + line_by_line(f"~~~python3\n{code}~~~", "> ") + "\nend\n"),
    "rst": ("page.rst", lambda code: ".. code-block:: python\n\n" + line_by_line(code, "\t") + "\nend\n"),
}


@each(REPORTED + SILENT)
def test_a_program_is_judged_in_a_code_block_as_in_a_file(program: Path) -> None:
    path, code = f"{name(program)}.page.md", stripped(read(program))
    result = check(WRAPPINGS["quote"][1](code.decode()), path)
    assert sorted((finding.line - 3, finding.code) for finding in result.findings) == expected(read(program))
    in_file = check_source(code, path, Settings()).findings
    assert [(found.line, found.column, found.message) for found in result.findings] == [
        (found.line + 3, found.column + len("> "), _shifted(found.message, 3)) for found in in_file
    ]


def _shifted(message: str, lines: int) -> str:
    return re.sub(r"line (\d+)", lambda match: f"line {int(match[1]) + lines}", message)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@each(BROKEN)
def test_a_program_is_fixed_in_a_code_block_as_in_a_file(program: Path, wrapping: str) -> None:
    suffix, wrap = WRAPPINGS[wrapping]
    fixed = fix(wrap(stripped(read(program)).decode()), f"{name(program)}.{suffix}")
    assert fixed.source.decode() == wrap(read(mended_twin(program)))


# Which blocks are Python


@pytest.mark.parametrize(
    ("info", "is_python"),
    [
        ("python", True),
        ("Python", True),
        ("py", True),
        ("python3", True),
        (' python title="x"', True),
        ("python{1,3}", True),
        ("python:ask.py", True),
        ("{.python .x}", True),
        ("{ .python }", True),
        ("{python}", True),
        ("{code-block} python", True),
        ("{code-cell} ipython3", True),
        ("ipython", True),
        ("", False),
        ("pycon", False),
        ("python-console", False),
        ("bash", False),
        ("{note} python", False),
        ("{code-block}", False),
        ("text python", False),
    ],
)
def test_the_word_after_the_fence_is_the_language(info: str, is_python: bool) -> None:
    assert bool(places(f"```{info}\nimport requests\n{POST}\n```\n")) == is_python


@pytest.mark.parametrize(
    ("directive", "is_python"),
    [
        (".. code-block:: python", True),
        (".. code:: python3", True),
        (".. sourcecode:: py", True),
        (".. jupyter-execute::", True),
        (".. testcode:: group", True),
        (".. code-block::", False),
        (".. code-block:: pycon", False),
        ("::", False),
        ("Text::", False),
        (".. comment", False),
        (".. ipython::", False),
    ],
)
def test_the_directive_names_the_language(directive: str, is_python: bool) -> None:
    assert bool(places(f"{directive}\n\n   import requests\n   {POST}\n", "page.rst")) == is_python


@pytest.mark.parametrize("options", [":linenos:\n:name: x\n", "---\nlinenos: true\n---\n"])
def test_options_are_no_code(options: str) -> None:
    lines = options.count("\n")
    assert places(f"```{{code-block}} python\n{options}\nimport requests\n{POST}\n```\n") == [(lines + 4, 1, "CAV101")]
    if options[0] == ":":
        indented = line_by_line(options, "   ")
        text = f".. code-block:: python\n{indented}\n   import requests\n   {POST}\n"
        assert places(text, "page.rst") == [(lines + 4, 4, "CAV101")]


def test_a_block_knows_nothing_of_another() -> None:
    first = f"```python\nimport requests\nheaders = {{}}\n{POST}\n```\n"
    call = POST.replace('{"x-api-key": "k"}', "headers")
    assert places(first + f"```python\nimport requests\n{call}\n```\n") == [(4, 1, "CAV101")]


# What a document leaves out


@pytest.mark.parametrize(
    ("call", "is_found"),
    [
        ("requests.post(URL, headers={'x-api-key': 'k'}, ...)", True),
        ("requests.post(URL, headers={'x-api-key': 'k', ...})", False),
        ("requests.post(URL, ...)", False),
        ("requests.post(URL, headers={...})", False),
        ("requests.post(URL, headers=...)", False),
        ("requests.post(URL, headers={'x-api-key': 'k',  # ... and so on\n})", False),
        ("requests.post(URL, headers={'x-api-key': 'k',\n    # …\n})", False),
        ("requests.post(URL, headers={'x-api-key': 'k'})  # ...", True),
        ("requests.post(URL, headers={'x-api-key': '(...)'})", True),
        ("x = (...)\nrequests.post(URL, headers={'x-api-key': 'k'})", True),
        ("def f(): ...\nrequests.post(URL, headers={'x-api-key': 'k'})", True),
    ],
)
def test_dots_stand_for_what_nobody_knows(call: str, is_found: bool) -> None:
    text = f"```python\nimport requests\nURL = 'https://api.anthropic.com/v1/messages'\n{call}\n```\n"
    assert bool(places(text)) == is_found


def test_dots_stay_where_something_is_fixed() -> None:
    call = "requests.post('https://api.anthropic.com/v1/messages', headers={'x-api-key': 'k'}, ...)"
    fixed = fix(f"```python\nimport requests\n{call}\n```\n").source.decode()
    assert "'x-api-key': 'k', 'anthropic-version': '2023-06-01'}, ...)\n```\n" in fixed


# Files


def test_what_cannot_be_decoded_is_told() -> None:
    for result in (
        check_document(b"\xff anthropic", "page.md", Settings()),
        fix_document(b"\xff anthropic", "page.md", Settings()),
    ):
        assert result.skipped
        assert result.skipped.startswith("it cannot be decoded ('utf-8' codec")


def test_a_byte_order_mark_stays() -> None:
    text = f"\ufeff```python\nimport requests\n{POST}\n```\n"
    assert places(text) == [(3, 1, "CAV101")]
    assert fix(text).source.decode() == text.replace(POST, MENDED_POST)


@given(st.text(alphabet="`~> -1.)\t\n\r:apyclaude{}<!", max_size=80))
def test_no_text_raises_anything(text: str) -> None:
    for path in ("page.md", "page.rst"):
        document = f"{text}\n```python\nanthropic\n```\n.. code:: python\n\n anthropic\n{text}"
        assert check(document, path).findings == ()
        assert fix(document, path).source == document.encode()


# Other people's parsers say the same

CODE = st.lists(st.sampled_from(["x = 1", "", "if x:", "    y = 2", "é = '…'", "\tz", "> 3"]), max_size=5).map(
    lambda lines: "\n".join(["first", *lines, "last"])
)
FENCES = st.sampled_from(["```", "~~~", "````", "~~~~~"])
WORDS = st.sampled_from(["python", "py", "", "bash", "python title=x"])


@st.composite
def markdown(draw: st.DrawFn, depth: int = 2) -> str:
    """A piece of Markdown: text, fences, and lists, quotes and comments with more of them."""
    kinds = ["text", "fence", "indented fence", "unclosed"] + (["quote", "bullet", "number", "nested"] if depth else [])
    parts = []
    for kind in draw(st.lists(st.sampled_from([kind for kind in kinds if kind != "unclosed"]), min_size=1, max_size=3)):
        fence, code = draw(FENCES), draw(CODE)
        block = f"{fence} {draw(WORDS)}\n{code}\n{fence}\n"
        if kind == "text":
            parts.append("Some `text` with ``` in it.\n")
        elif kind == "fence":
            parts.append(block)
        elif kind == "indented fence":
            parts.append(line_by_line(block, "  "))
        elif kind == "nested":
            parts.append(f"``````markdown\n{block}``````\n")
        else:
            inner = draw(markdown(depth - 1))
            if kind == "quote":
                parts.append(line_by_line(inner, "> "))
            else:
                marker = "- " if kind == "bullet" else "10. "
                parts.append(marker + line_by_line(inner, " " * len(marker)).removeprefix(" " * len(marker)))
        parts.append("\n<!-- apart -->\n\n")
    return "".join(parts)


def seen(blocks: Iterator[CodeBlock]) -> list[tuple[str, str]]:
    return [(block.language, "".join(line.code for line in block.lines).rstrip()) for block in blocks]


@given(markdown())
def test_the_fences_are_those_of_commonmark(text: str) -> None:
    tokens = [token for token in MarkdownIt().parse(text) if token.type == "fence"]
    theirs = [((token.info.split() or [""])[0], token.content.rstrip()) for token in tokens]
    assert [(language, code.expandtabs()) for language, code in seen(blocks_of_markdown(text))] == [
        (language, code.expandtabs()) for language, code in theirs
    ]


@st.composite
def rst(draw: st.DrawFn, depth: int = 2) -> str:
    """A piece of reStructuredText: text, code, literal blocks, comments, and notes and lists with more of them."""
    kinds = ["text", "code", "literal", "comment"] + (["note", "list"] if depth else [])
    parts = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)):
        options = draw(st.sampled_from(["", "   :number-lines:\n", "   :name: x\n   :class: y\n"]))
        language = draw(st.sampled_from(["python", "py", "bash"]))
        block = f".. code-block:: {language}\n{options}\n" + line_by_line(draw(CODE).replace("\t", "    "), "   ")
        if kind == "text":
            parts.append("Some text.\n")
        elif kind == "code":
            parts.append(block)
        elif kind == "literal":
            parts.append("As follows::\n\n" + line_by_line(block, "  "))
        elif kind == "comment":
            parts.append(".. A comment\n\n" + line_by_line(block, "   "))
        elif kind == "note":
            parts.append(".. note::\n\n" + line_by_line(draw(rst(depth - 1)), "   "))
        else:
            parts.append("- " + line_by_line("Item.\n\n" + draw(rst(depth - 1)), "  ").removeprefix("  "))
        parts.append("\nApart.\n\n")
    return "".join(parts)


@given(rst())
def test_the_code_blocks_are_those_of_docutils(text: str) -> None:
    settings = {"report_level": 5, "syntax_highlight": "none", "_disable_config": True}
    tree = docutils.core.publish_doctree(text, settings_overrides=settings)
    found = [node for node in tree.findall(docutils.nodes.literal_block) if "code" in node["classes"]]
    theirs = [
        (next(word for word in node["classes"] if word not in ("code", "y")), _without_line_numbers(node))
        for node in found
    ]
    assert seen(blocks_of_rst(text)) == theirs


def _without_line_numbers(node: docutils.nodes.Element) -> str:
    texts = (child for child in node.findall(docutils.nodes.Text))
    return "".join(text for text in texts if "ln" not in getattr(text.parent, "get", dict)("classes", ())).rstrip()


# Edits

PREFIXES = st.sampled_from(["", "> ", "    ", "> > ", "\t", ">   "])
NEW = st.lists(st.sampled_from(["", "a", "    b", "c = 'é'"]), max_size=3)


@given(PREFIXES, CODE, NEW, st.booleans(), st.sampled_from(["\n", "\r\n"]), st.data())
def test_an_edit_of_the_code_is_an_edit_of_the_document(
    prefix: str, code: str, new: list[str], is_whole: bool, line_end: str, data: st.DataObject
) -> None:
    document = "# T\n\n" + line_by_line(f"```python\n{code}\n```", prefix) + "\nend\n"
    document, code, text = (part.replace("\n", line_end) for part in (document, code, "\n".join(new)))
    (block,) = blocks_of_markdown(document)
    starts = Source(document).line_starts
    offsets = tuple(starts[line.number - 1] + len(line.before) for line in block.lines)
    snippet = Snippet(block, offsets, code, ())
    ends = [match.end() for match in re.finditer(r"\n", code)]
    places = st.sampled_from(ends) if is_whole else st.integers(len("first"), len(code))
    start, end = sorted((data.draw(places), data.draw(places)))
    if is_whole and text:
        text += line_end
    expected_code = code[:start] + text + code[end:]
    if line_end == "\r\n" and re.search(r"\r(?!\n)|(?<!\r)\n", expected_code):
        return  # the edit cuts a line end in two
    after = apply(document, [snippet.outside(Edit(start, end, text))])
    (changed,) = blocks_of_markdown(after)
    assert _lines("".join(line.code for line in changed.lines)) == _lines(expected_code)
    assert after.startswith(document[: starts[3]])
    assert after.endswith(line_by_line("```", prefix).replace("\n", line_end) + line_end + f"end{line_end}")
    if is_whole:
        assert not re.search(r"[ \t]+\r?$", after, re.MULTILINE)


def _lines(code: str) -> list[str]:
    """The lines of some code; what is blank may be so in any way."""
    return [line if line.strip() else "" for line in code.rstrip().split("\n")]


# The command


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "README.md").write_text(f"```python\nimport requests\n{POST}\n```\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.rst").write_text(f".. code:: python\n\n   import requests\n   {POST}\n")
    return tmp_path


def test_folders_are_searched_for_documents_when_asked(project: Path) -> None:
    assert lint("check", ".", cwd=project).returncode == 0
    done = lint("check", "--output-format", "concise", "--docs", ".", cwd=project)
    assert done.returncode == 1
    found = [line.split(" ")[0] for line in done.stdout.decode().splitlines()]
    assert found == ["./README.md:3:1:", "./docs/index.rst:4:4:"]


def test_a_document_that_is_named_is_read_as_one(project: Path) -> None:
    assert lint("check", "README.md", cwd=project).stdout.startswith(b"README.md:3:1: CAV101 ")


def test_the_command_fixes_documents(project: Path) -> None:
    assert lint("fix", "--docs", ".", cwd=project).returncode == 0
    assert (project / "README.md").read_text() == f"```python\nimport requests\n{MENDED_POST}\n```\n"
    assert textwrap.dedent("".join((project / "docs" / "index.rst").read_text().splitlines(True)[2:])) == (
        f"import requests\n{MENDED_POST}\n"
    )
    assert lint("check", "--docs", ".", cwd=project).returncode == 0
