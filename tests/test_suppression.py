"""``noqa`` means here what it means in flake8: every case is put to flake8 itself."""

from __future__ import annotations

import argparse
import io

import pytest
from flake8.processor import FileProcessor
from flake8.violation import Violation
from hypothesis import given
from hypothesis import strategies as st

from claude_api_lint.suppression import Suppressions
from commands import run_python

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
    suppressions = Suppressions.of(text)
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
    suppressions = Suppressions.of(text)
    whole_file = processor.should_ignore_file()
    for number, line in enumerate(processor.lines, start=1):
        physical_line = processor.noqa_line_for(number)
        violation = Violation("ZZA101", "case.py", number, 1, "", line if physical_line is None else physical_line)
        assert suppressions.covers(number, "ZZA101") == (whole_file or violation.is_inline_ignored(False))


def test_text_that_is_no_python_is_read_line_by_line() -> None:
    suppressions = Suppressions.of("x = (\ny = 1  # noqa\n'''\n")
    assert [suppressions.covers(line, "CAV101") for line in (1, 2, 3)] == [False, True, False]


def test_text_without_a_comment_is_not_tokenized(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("tokenized")

    monkeypatch.setattr("tokenize.generate_tokens", fail)
    assert not Suppressions.of("x = 1\n" * 10).covers(1, "CAV101")


def test_a_line_outside_the_file_is_not_covered() -> None:
    assert not Suppressions.of("x = 1  # noqa\n").covers(7, "CAV101")


def test_the_probe_reports_every_line(left_by_flake8: dict[str, set[tuple[int, str]]]) -> None:
    assert left_by_flake8["nothing"] == {(line, code) for line in (1, 2) for code in CODES}
