"""``noqa`` means here what it means in flake8: every case is put to flake8 itself."""

from __future__ import annotations

import argparse
import io
from dataclasses import replace

import pytest
from flake8.processor import FileProcessor
from flake8.violation import Violation
from hypothesis import given
from hypothesis import strategies as st

from claude_api_lint.fixer import fix_source
from claude_api_lint.linter import check_source
from claude_api_lint.marking import mark
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source
from claude_api_lint.suppression import Suppressions
from commands import BROKEN, run_python

CODES = ("ZZA101", "ZZA102", "ZZB101")

# A flake8 plugin that reports every code on every line, so that what remains is what noqa leaves.
PROBE = f"""\
class Probe:
    def __init__(self, tree, total_lines):
        self.total_lines = total_lines

    def run(self):
        for line in range(1, self.total_lines + 1):
            for code in {CODES}:
                yield line, 0, code + " here", type(self)
"""
CONFIGURATION = """\
[flake8]
select = ZZ
format = %(path)s %(row)d %(code)s

[flake8:local-plugins]
extension =
    ZZ = probe:Probe
paths = .
"""

CASES = {
    "nothing": "x = 1\ny = 2\n",
    "an empty file": "",
    "a blanket comment": "x = 1  # noqa\ny = 2\n",
    "no space after the hash": "x = 1  #noqa\n",
    "two spaces after the hash": "x = 1  #  noqa\n",
    "any casing": "x = 1  # NoQA\ny = 2  # NOQA: ZZA101\n",
    "one code": "x = 1  # noqa: ZZA101\ny = 2\n",
    "no space before the code": "x = 1  # noqa:ZZA101\n",
    "two spaces before the code": "x = 1  # noqa:  ZZA101\n",
    "a space before the colon": "x = 1  # noqa : ZZA101\n",
    "several codes": "x = 1  # noqa: ZZA101,ZZB101\ny = 2  # noqa: ZZA101 ZZA102\nz = 3  # noqa: ZZA101, ZZA102,\n",
    "codes that are prefixes": "x = 1  # noqa: ZZA1\ny = 2  # noqa: ZZ1\n",
    "letters without digits": "x = 1  # noqa: ZZA\n",
    "codes in lower case": "x = 1  # noqa: zza101\n",
    "the code of somebody else": "x = 1  # noqa: E501\n",
    "a reason after the code": "x = 1  # noqa: ZZA101 because\ny = 2  # noqa because\n",
    "words joined to the code": "x = 1  # noqa: ZZA101because\ny = 2  # noqa: ZZA101-x\nz = 3  # noqaX\n",
    "after another comment": "x = 1  # type: ignore  # noqa: ZZA101\n",
    "before another comment": "x = 1  # noqa: ZZA101  # type: ignore\n",
    "two comments": "x = 1  # noqa: ZZA101  # noqa: ZZB101\n",
    "in a string": "x = '# noqa'\ny = '# noqa: ZZA101'\n",
    "after a string of several lines": "x = '''a\nb\nc'''  # noqa: ZZA101\ny = 1\n",
    "in a string of several lines": "x = '''a\n# noqa: ZZA101\nc'''\ny = 1\n",
    "a docstring": 'def f():\n    """One.\n\n    Two.\n    """  # noqa\n    return 1\n',
    "an f-string of several lines": "x = f'''a\n{1}\nc'''  # noqa: ZZA101\ny = 1\n",
    "a backslash": "x = 1 + \\\n    2  # noqa: ZZA101\ny = 1\n",
    "a call over several lines": "x = dict(\n    a=1,  # noqa: ZZA101\n    b=2,\n)  # noqa: ZZB101\n",
    "a string within a call": "x = dict(\n    a='''1\n    2''', b=1,  # noqa: ZZA101\n    c=2,\n)\n",
    "a comment of its own": "# noqa\nx = 1\n    # noqa: ZZA101\ny = 2\n",
    "the whole file": "x = 1\n# flake8: noqa\ny = 2\n",
    "the whole file, on an indented line": "if True:\n    # flake8: noqa\n    y = 2\n",
    "the whole file, with an equals sign": "# flake8=noqa\nx = 1\n",
    "the whole file, in any casing": "# FLAKE8: NOQA\nx = 1\n",
    "the whole file, with codes": "# flake8: noqa: ZZA101\nx = 1\n",
    "the whole file, with a reason": "# flake8: noqa because\nx = 1\n",
    "the whole file, behind code": "x = 1  # flake8: noqa\ny = 1\n",
    "the whole file, without a space": "#flake8: noqa\nx = 1\n",
    "the whole file, in a string": "x = '''\n# flake8: noqa\n'''\n",
    "lines that end in two characters": "x = '''a\r\nb'''  # noqa: ZZA101\r\ny = 1  # noqa\r\nz = 1\r\n",
    "no line end at the end": "x = 1\ny = 2  # noqa",
    "a form feed": "x = 1\n\x0c\ny = 2  # noqa\nz = '\x1c'\nw = 1  # noqa\n",
    "a byte order mark": "\ufeff# noqa\nx = 1\n",
    "a byte order mark and the whole file": "\ufeff# flake8: noqa\nx = 1\n",
    "several statements": "x = 1; y = 2  # noqa: ZZA101\nif x: y = 3  # noqa\n",
    "a decorator": "@print  # noqa: ZZA101\ndef f(): pass\n",
}


@pytest.fixture(scope="module")
def left_by_flake8(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[int, str]]]:
    """What flake8 itself still reports, case by case."""
    folder = tmp_path_factory.mktemp("noqa")
    (folder / "probe.py").write_text(PROBE)
    (folder / "flake8.cfg").write_text(CONFIGURATION)
    files = {name: f"case{number}.py" for number, name in enumerate(CASES)}
    for name, file in files.items():
        (folder / file).write_bytes(CASES[name].encode())
    done = run_python("-m", "flake8", "--config", "flake8.cfg", *files.values(), cwd=folder)
    assert done.stderr == b""
    left: dict[str, set[tuple[int, str]]] = {name: set() for name in CASES}
    for file, row, code in map(str.split, done.stdout.decode().splitlines()):
        left[next(name for name in CASES if files[name] == file)].add((int(row), code))
    return left


@pytest.mark.parametrize("name", CASES)
def test_what_is_left_is_what_flake8_leaves(name: str, left_by_flake8: dict[str, set[tuple[int, str]]]) -> None:
    text = CASES[name]
    lines = range(1, len(io.StringIO(text.removeprefix("\ufeff"), newline=None).readlines()) + 1)
    suppressions = Suppressions(text)
    left = {(line, code) for line in lines for code in CODES if not suppressions.covers(line, code)}
    assert left == left_by_flake8[name]


FRAGMENTS = st.sampled_from(
    [
        "# noqa",
        ": ",
        "ZZA101",
        ",",
        "ZZ",
        "# flake8: noqa",
        "x",
        "=",
        "'''",
        '"',
        "(",
        ")",
        "\\",
        "\n",
        "    ",
        "#",
        "f'{",
    ]
)


@given(st.lists(FRAGMENTS | st.text(max_size=3), max_size=25).map("".join))
def test_any_text_is_read_as_flake8_reads_it(text: str) -> None:
    options = argparse.Namespace(
        hang_closing=False, indent_size=4, max_line_length=79, max_doc_length=None, verbose=0, disable_noqa=False
    )
    lines = io.StringIO(text, newline=None).readlines()
    processor = FileProcessor("case.py", options, lines)
    suppressions = Suppressions(text)
    whole_file = processor.should_ignore_file()
    for number, line in enumerate(processor.lines, start=1):
        physical_line = processor.noqa_line_for(number)
        violation = Violation("ZZA101", "case.py", number, 1, "", line if physical_line is None else physical_line)
        assert suppressions.covers(number, "ZZA101") == (whole_file or violation.is_inline_ignored(False))


def test_text_that_is_no_python_is_read_line_by_line() -> None:
    suppressions = Suppressions("x = (\ny = 1  # noqa\n'''\n")
    assert [suppressions.covers(line, "CAV101") for line in (1, 2, 3)] == [False, True, False]


def test_text_without_a_comment_is_not_tokenized(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("tokenized")

    monkeypatch.setattr("tokenize.generate_tokens", fail)
    assert not Suppressions("x = 1\n" * 10).covers(1, "CAV101")


def test_a_line_outside_the_file_is_not_covered() -> None:
    assert not Suppressions("x = 1  # noqa\n").covers(7, "CAV101")


def test_the_probe_reports_every_line(left_by_flake8: dict[str, set[tuple[int, str]]]) -> None:
    assert left_by_flake8["nothing"] == {(line, code) for line in (1, 2) for code in CODES}


# Comments of which nothing is left to silence (CAV001)

FOUND = BROKEN.splitlines()[-1]


def unused(program: str, settings: Settings | None = None) -> list[tuple[int, str]]:
    """Line and message of each comment that is reported."""
    result = check_source(program.encode(), "a.py", settings or Settings())
    assert result.skipped is None
    return [(one.line, one.message) for one in result.findings if one.code == "CAV001"]


def fixed(program: str) -> str:
    return fix_source(program.encode(), "a.py", Settings()).source.decode()


def broken(comment: str) -> str:
    return BROKEN.rstrip() + comment + "\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1  # noqa: CAV101\n", "x = 1\n"),
        ("x = 1  # noqa:CAV101", "x = 1"),
        ("x = 1  # NoQA: CAV101,CAV102\r\ny = 1\r\n", "x = 1\r\ny = 1\r\n"),
        ("x = 1  # noqa: E501, CAV101\n", "x = 1  # noqa: E501\n"),
        ("x = 1  # noqa: CAV101 E501,CAV2\n", "x = 1  # noqa: E501\n"),
        ("x = 1  # noqa: CAV101 as agreed\n", "x = 1  # as agreed\n"),
        ("x = 1  # noqa: CAV101  # type: ignore\n", "x = 1  # type: ignore\n"),
        ("x = 1  # type: ignore  # noqa: CAV101\n", "x = 1  # type: ignore\n"),
        ("if x:\n    # noqa: CAV101\n    y()\n", "if x:\n    y()\n"),
        ("x = '''\na'''  # noqa: CAV101\n", "x = '''\na'''\n"),
        ("x = 1  # noqa: CAV999\n", "x = 1\n"),
        ("\ufeffx = 1  # noqa: CAV101\n", "\ufeffx = 1\n"),
    ],
)
def test_a_comment_that_names_our_code_in_vain_is_reported_and_cut_down(before: str, after: str) -> None:
    assert len(unused(before)) == 1
    assert fixed(before) == after
    assert unused(after) == []


@pytest.mark.parametrize(
    "program",
    [
        "x = 1  # noqa\n",
        "x = 1  # noqa: E501\n",
        "x = 1  # noqa: cav101\n",
        "x = 1  # noqa: CAVITY1\n",
        "x = 1  # noqa: CAV101, CAV001\n",
        "x = 1  # noqa: CAV0\n",
        "x = '# noqa: CAV101'\n",
        "x = '''\n# noqa: CAV101\n'''\n",
        "# flake8: noqa\nx = 1  # noqa: CAV101\n",
        broken("  # noqa: CAV101"),
        broken("  # noqa: CAV1"),
        broken("  # noqa: E501,CAV101"),
    ],
)
def test_a_comment_that_silences_something_or_is_not_ours_is_left_alone(program: str) -> None:
    assert unused(program) == []


def test_of_several_codes_those_are_named_that_are_not_found() -> None:
    program = broken("  # noqa: CAV101, CAV102, CAV201")
    assert unused(program) == [(3, "this noqa names CAV102, CAV201, which are not found here")]
    assert fixed(program) == broken("  # noqa: CAV101")


@pytest.mark.parametrize(
    "settings",
    [
        Settings(select=("CAV001", "CAV2")),
        Settings(ignore=("CAV101",)),
        Settings(ignore=("CAV001",)),
        Settings(ignore_here=("CAV1",)),
        Settings(honour_noqa=False),
    ],
)
def test_nothing_is_said_about_a_code_whose_rule_was_not_run(settings: Settings) -> None:
    assert unused("x = 1  # noqa: CAV101\n", settings) == []
    assert unused("claude = 1  # noqa: CAV101\n", settings) == []


def test_a_family_is_judged_only_where_all_of_it_was_run() -> None:
    assert unused("x = 1  # noqa: CAV1\n", Settings(ignore=("CAV105",))) == []
    assert unused("x = 1  # noqa: CAV1\n", Settings(select=("CAV1", "CAV001"))) != []


def test_a_comment_that_keeps_a_fix_away_is_of_use() -> None:
    program = """\
import requests
def ask(key):
    headers = {"x-api-key": key}  # noqa: CAV101
    return requests.post("https://api.anthropic.com/v1/messages", headers=headers)
"""
    assert unused(program) == []
    assert fixed(program) == program


def test_a_file_that_could_not_be_analysed_is_not_judged() -> None:
    result = check_source(b"claude = (  # noqa: CAV101\n", "a.py", Settings())
    assert result.skipped
    assert result.findings == ()


# Comments that are written


def mended_by_noqa(program: str) -> str:
    """The program with a comment for everything that is found, which is then found no more."""
    source = Source.decode(program.encode())
    text, failed = mark(source, check_source(program.encode(), "a.py", Settings()).findings)
    assert failed == []
    assert check_source(source.encode(text), "a.py", Settings()).findings == ()
    return source.encode(text).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "  # noqa: CAV101"),
        ("   ", "  # noqa: CAV101"),
        ("  # why", "  # why  # noqa: CAV101"),
        ("  # noqa: E501", "  # noqa: E501, CAV101"),
        ("  # noqa: E501,  because", "  # noqa: E501, CAV101,  because"),
        ("  # NOQA:E501 # type: ignore", "  # NOQA:E501, CAV101 # type: ignore"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", ""])
def test_a_comment_is_added_at_the_end_of_the_line_or_to_the_one_there(before: str, after: str, line_end: str) -> None:
    program = BROKEN.rstrip().replace("\n", line_end or "\n")
    assert mended_by_noqa(program + before + line_end) == program + after + line_end


STRING = """\
import requests
def ask(key):
    return requests.post("https://api.anthropic.com/v1/messages", headers={"x-api-key": key}, data=\'\'\'
      {}
    \'\'\', timeout=3)
"""
BACKSLASH = """\
import requests
def ask(key):
    reply = \\
        requests.post("https://api.anthropic.com/v1/messages", headers={"x-api-key": key}) \\
        or None
"""


@pytest.mark.parametrize("program", [STRING, BACKSLASH])
def test_a_comment_stands_behind_what_makes_several_lines_one(program: str) -> None:
    assert mended_by_noqa(program) == program.rstrip() + "  # noqa: CAV101\n"
    bom = "\ufeff" + program
    assert mended_by_noqa(bom) == bom.rstrip() + "  # noqa: CAV101\n"


def test_several_findings_on_one_line_share_a_comment() -> None:
    (finding,) = check_source(BROKEN.encode(), "a.py", Settings()).findings
    text, _ = mark(Source(BROKEN), [finding, replace(finding, code="CAV301"), finding])
    assert text == BROKEN.rstrip() + "  # noqa: CAV101, CAV301\n"


def test_a_line_whose_string_says_noqa_cannot_be_marked_and_the_others_are() -> None:
    spoiled = FOUND.replace('"x-api-key": key', '"x-api-key": key, "x": "# noqa: E501"')
    program = f"{BROKEN}{spoiled}\n"
    text, failed = mark(Source(program), check_source(program.encode(), "a.py", Settings()).findings)
    assert [finding.line for finding in failed] == [4]
    assert text == f"{broken('  # noqa: CAV101')}{spoiled}\n"
