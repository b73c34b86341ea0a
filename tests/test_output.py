"""The reports, byte by byte."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from claude_api_lint.findings import Applicability, Confidence, Finding, Fix
from claude_api_lint.output import diff, text
from claude_api_lint.output import json as json_output

SAFE = Fix("add the header", Applicability.SAFE, ())
UNSAFE = Fix("replace the value", Applicability.UNSAFE, ())


def finding(
    path: str = "a.py", fix: Fix | None = None, message: str = "a message", reason: str | None = None
) -> Finding:
    return Finding(path, 3, 12, 4, 1, "CAV101", "missing-version-header", message, Confidence.LIKELY, fix, reason)


def test_text_has_a_line_for_each_finding() -> None:
    assert text.render([finding(), finding("b.py")]) == "a.py:3:12: CAV101 a message\nb.py:3:12: CAV101 a message\n"


def test_the_cell_of_a_notebook_stands_before_the_line() -> None:
    in_cell = replace(finding("a.ipynb"), cell=7)
    assert text.render([in_cell]) == "a.ipynb:cell 7:3:12: CAV101 a message\n"
    (as_json,) = json.loads(json_output.render([in_cell]))
    assert (as_json["cell"], as_json["line"]) == (7, 3)
    assert "cell" not in json.loads(json_output.render([finding()]))[0]


def test_findings_are_sorted_by_cell_before_line() -> None:
    later = replace(finding("a.ipynb"), cell=2, line=1)
    assert sorted([later, replace(finding("a.ipynb"), cell=1)], key=lambda one: one.sort_key)[1] == later


def test_text_marks_what_fix_would_mend_unasked() -> None:
    assert text.render([finding(fix=SAFE)]) == "a.py:3:12: CAV101 a message [*]\n"
    assert text.render([finding(fix=UNSAFE)]) == "a.py:3:12: CAV101 a message\n"


def test_text_stays_on_one_line_and_steers_no_terminal() -> None:
    hostile = finding("a\n\x1b[2J\u202e\udcff.py", message="tab\t\x9b bell\x07 é")
    assert text.render([hostile]) == "a\\n\\x1b[2J\\u202e\\udcff.py:3:12: CAV101 tab\\t\\x9b bell\\x07 é\n"


def test_what_fix_leaves_is_told_with_the_reason() -> None:
    assert text.render_unfixed([finding(reason="the headers are built elsewhere")]) == (
        "a.py:3:12: CAV101 a message\n    not fixed: the headers are built elsewhere\n"
    )
    assert text.render_unfixed([finding(fix=UNSAFE)]) == (
        "a.py:3:12: CAV101 a message\n    not fixed: --unsafe-fixes would replace the value\n"
    )


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], ""),
        ([finding()], "Found 1 finding in 1 file.\n"),
        (
            [finding(fix=SAFE), finding(), finding("b.py", fix=UNSAFE)],
            "Found 3 findings in 2 files.\n"
            "[*] 1 fixable with `claude-api-lint fix`.\n"
            "1 more fixable with `claude-api-lint fix --unsafe-fixes`.\n",
        ),
        (
            [finding(fix=UNSAFE)],
            "Found 1 finding in 1 file.\n1 fixable with `claude-api-lint fix --unsafe-fixes`.\n",
        ),
    ],
)
def test_the_summary_counts(findings: list[Finding], expected: str) -> None:
    assert text.summary(findings) == expected


def test_the_summary_of_fix_counts() -> None:
    assert text.fix_summary([], []) == ""
    assert text.fix_summary([finding()], []) == "Fixed 1 finding in 1 file.\n"
    assert text.fix_summary([], [finding()]) == "Fixed 0 findings in 0 files, and left 1.\n"
    assert text.fix_summary([finding()] * 2, [finding()], dry_run=True) == (
        "Would fix 2 findings in 1 file, and would leave 1.\n"
    )


def test_json_holds_what_is_documented() -> None:
    assert json.loads(json_output.render([finding(fix=UNSAFE), finding()])) == [
        {
            "path": "a.py",
            "line": 3,
            "column": 12,
            "end_line": 4,
            "end_column": 1,
            "code": "CAV101",
            "name": "missing-version-header",
            "message": "a message",
            "confidence": "likely",
            "fix": fix,
        }
        for fix in ({"applicability": "unsafe", "title": "replace the value"}, None)
    ]


def test_json_is_plain_ascii() -> None:
    rendered = json_output.render([finding("é\x1b\udcff.py")])
    assert rendered.isascii()
    assert "\x1b" not in rendered
    assert json.loads(rendered)[0]["path"] == "é\x1b\udcff.py"


def test_json_without_findings_is_an_empty_array() -> None:
    assert json_output.render([]) == "[]\n"


def test_a_diff_of_the_same_is_empty() -> None:
    assert diff.render("a.py", b"same", b"same") == b""


def test_a_diff_keeps_line_ends_and_says_where_the_last_is_missing() -> None:
    assert diff.render("a.py", b"one\r\ntwo\rthree", b"one\r\ntwo\rfour") == (
        b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n one\r\n"
        b"-two\rthree\n\\ No newline at end of file\n+two\rfour\n\\ No newline at end of file\n"
    )


def test_a_diff_keeps_bytes_of_any_encoding() -> None:
    assert b"-caf\xe9\n+the\xff\n" in diff.render("a.py", b"caf\xe9\n", b"the\xff\n")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.py", b"a/a.py"),
        ("./pkg//a.py", b"a/pkg/a.py"),
        ("{here}/pkg/a.py", b"a/pkg/a.py"),
        ("/elsewhere/a.py", b"a/elsewhere/a.py"),
        ("my file.py", b"a/my file.py\t"),
        ('quo"te\\\n.py', b'"a/quo\\"te\\\\\\012.py"'),
        ("caf\udce9.py", b"a/caf\xe9.py"),
    ],
)
def test_a_diff_names_the_file_as_git_would(
    path: str, name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first_line = diff.render(path.format(here=tmp_path), b"x\n", b"y\n").split(b"\n")[0]
    assert first_line == b"--- " + name
