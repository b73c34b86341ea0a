"""The reports, byte by byte."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from claude_api_lint.findings import Applicability, Confidence, Edit, Finding, Fix
from claude_api_lint.output import FOR_PEOPLE, FORMATS, diff, renderer, statistics, summary
from claude_api_lint.output.report import Report, Skipped
from claude_api_lint.rules import rule_codes, rule_pages
from claude_api_lint.source import Source

SAFE = Fix("add the header", Applicability.SAFE, (Edit(18, 18, ", b"),))
UNSAFE = Fix("replace the value", Applicability.UNSAFE, ())
PROGRAM = Source("one\ntwo\n    call(a, ü漢)  # three\nfour\n")
SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))


def finding(
    path: str = "a.py", fix: Fix | None = None, message: str = "a message", reason: str | None = None
) -> Finding:
    return Finding(path, 3, 5, 3, 16, "CAV101", "missing-version-header", message, Confidence.LIKELY, fix, reason)


def report(*findings: Finding, program: Source | None = PROGRAM, **others: Any) -> Report:
    return Report(findings=findings, read=lambda path: program, pages=rule_pages, **others)


def rendered(name: str, *findings: Finding, **others: Any) -> str:
    return renderer(name)(report(*findings, **others))


# For people


def test_concise_has_a_line_for_each_finding() -> None:
    assert rendered("concise", finding(), finding("b.py")) == (
        "a.py:3:5: CAV101 a message\nb.py:3:5: CAV101 a message\n"
    )


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_what_fix_would_mend_unasked_is_marked(name: str) -> None:
    assert "a.py:3:5: CAV101 a message [*]\n" in rendered(name, finding(fix=SAFE))
    assert "a.py:3:5: CAV101 a message\n" in rendered(name, finding(fix=UNSAFE))


def test_text_shows_the_line_with_a_mark_below_and_the_fix() -> None:
    assert rendered("text", finding(fix=SAFE)) == (
        "a.py:3:5: CAV101 a message [*]\n"
        "  |\n"
        "3 |     call(a, ü漢)  # three\n"
        "  |     ^^^^^^^^^^^^\n"
        "  = fix: add the header\n"
    )


def test_text_says_what_an_unsafe_fix_takes_and_why_there_is_none() -> None:
    assert rendered("text", finding(fix=UNSAFE)).endswith("  = fix with --unsafe-fixes: replace the value\n")
    assert rendered("text", finding(reason="it is built elsewhere")).endswith("  = no fix: it is built elsewhere\n")


@pytest.mark.parametrize(
    ("line", "start", "end", "shown"),
    [
        ("\tcall()", 2, 8, ["9 |     call()", "  |     ^^^^^^"]),
        ("漢 = call()", 5, 11, ["9 | 漢 = call()", "  |      ^^^^^^"]),
        ("a\u0301 = call()", 6, 12, ["9 | a\u0301 = call()", "  |     ^^^^^^"]),
        ("\x1b[2J; call()", 7, 13, ["9 | \\x1b[2J; call()", "  |          ^^^^^^"]),
        ("call()", 7, 7, ["9 | call()", "  |       ^"]),
    ],
)
def test_the_mark_stands_below_what_is_meant(line: str, start: int, end: int, shown: list[str]) -> None:
    one = replace(finding(), line=9, column=start, end_line=9, end_column=end)
    assert rendered("text", one, program=Source("\n" * 8 + line)).splitlines()[2:4] == shown


def test_a_finding_over_several_lines_is_marked_to_the_end_of_the_first() -> None:
    one = replace(finding(), end_line=4, end_column=2)
    assert rendered("text", one, program=Source("\n\n    call(\r\n)\r\n")).splitlines()[3] == "  |     ^^^^^"


def test_of_a_very_long_line_the_part_around_the_finding_is_shown() -> None:
    one = replace(finding(), column=100_001, end_column=100_007)
    shown = rendered("text", one, program=Source(f"\n\n{'x' * 100_000}call(){'y' * 100_000}\n")).splitlines()
    assert "xxxcall()yyy" in shown[2]
    assert max(map(len, shown)) < 250
    assert shown[3].index("^^^^^^") == shown[2].index("call()")


def test_a_file_that_is_gone_has_no_excerpt() -> None:
    assert rendered("text", finding(), program=None) == "a.py:3:5: CAV101 a message\n"
    assert rendered("text", finding(), program=Source("short")) == "a.py:3:5: CAV101 a message\n"


HOSTILE = finding(
    "a\n\x1b[2J\u202e\udcff.py", message="tab\t\x9b %0A::error::x\r\n]]> bell\x07 é", reason="\x1b]0;x\x07"
)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_in_a_name_or_a_source_can_steer_a_terminal(name: str) -> None:
    program = Source("\n\n\x1b[31mcall(\x9b2J \u202e)\n")
    text = rendered(name, HOSTILE, program=program, skipped=(Skipped("b\x1b\n.py", "why\x1b\nnot"),))
    assert not set(text) & set("\x1b\x9b\x07\u202e\r\udcff")


def test_concise_stays_on_one_line() -> None:
    hostile = finding("a\n\x1b[2J\u202e\udcff.py", message="tab\t\x9b bell\x07 é")
    assert rendered("concise", hostile) == "a\\n\\x1b[2J\\u202e\\udcff.py:3:5: CAV101 tab\\t\\x9b bell\\x07 é\n"


def test_colours_are_there_when_they_are_wanted_and_for_people_only() -> None:
    for name in FORMATS:
        colourful = rendered(name, finding(fix=SAFE), color=True)
        assert ("\x1b[" in colourful) == (name in FOR_PEOPLE)
        assert click.unstyle(colourful) == rendered(name, finding(fix=SAFE))


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], "Found nothing (7 scanned).\n"),
        ([finding()], "Found 1 finding in 1 file (7 scanned).\n1 left for a person.\n"),
        (
            [finding(fix=SAFE), finding(), finding("b.py", fix=UNSAFE)],
            "Found 3 findings in 2 files (7 scanned).\n"
            "[*] 1 fixable with `claude-api-lint fix`.\n"
            "1 more fixable with `claude-api-lint fix --unsafe-fixes`.\n"
            "1 left for a person.\n",
        ),
        (
            [finding(fix=UNSAFE)],
            "Found 1 finding in 1 file (7 scanned).\n1 fixable with `claude-api-lint fix --unsafe-fixes`.\n",
        ),
    ],
)
def test_the_summary_counts(findings: list[Finding], expected: str) -> None:
    assert summary.of_check(report(*findings, scanned=7)) == expected


def test_the_summary_tells_what_was_skipped_and_what_is_known() -> None:
    skipped = (Skipped("b.py", "it is no Python"),)
    assert summary.of_check(report(scanned=7, skipped=skipped, known=2)) == (
        "Found nothing (7 scanned, 1 skipped). 2 known findings left out: see the baseline.\n"
    )


@pytest.mark.parametrize(
    ("fixed", "left", "dry_run", "expected"),
    [
        ([], [], False, "Found nothing to fix (7 scanned).\n"),
        ([finding()], [], False, "Fixed 1 finding in 1 file (7 scanned).\n"),
        (
            [],
            [finding(fix=UNSAFE)],
            False,
            "Fixed 0 findings in 0 files, and left 1 (7 scanned).\n"
            "1 fixable with `claude-api-lint fix --unsafe-fixes`.\n",
        ),
        (
            [finding()] * 2,
            [finding()],
            True,
            "Would fix 2 findings in 1 file, and would leave 1 (7 scanned).\n1 left for a person.\n",
        ),
    ],
)
def test_the_summary_of_fix_counts(fixed: list[Finding], left: list[Finding], dry_run: bool, expected: str) -> None:
    assert summary.of_fix(report(*left, fixed=tuple(fixed), scanned=7), dry_run=dry_run) == expected


def test_statistics_count_each_rule_and_mark_those_that_fix_would_mend() -> None:
    other = replace(finding(), code="CAV405", name="error-message-match")
    counted = report(other, *[finding(fix=SAFE)] * 10)
    assert statistics.render(counted) == (
        "10  CAV101  [*]  missing-version-header\n 1  CAV405       error-message-match\n"
    )
    assert json.loads(statistics.render_json(counted))[0] == {
        "code": "CAV101",
        "name": "missing-version-header",
        "count": 10,
        "fixable": 10,
    }
    assert statistics.render(report()) == ""


# For programs


def documented(fix: object) -> dict[str, object]:
    return {
        "path": "a.py",
        "line": 3,
        "column": 5,
        "end_line": 3,
        "end_column": 16,
        "code": "CAV101",
        "name": "missing-version-header",
        "message": "a message",
        "confidence": "likely",
        "fix": fix,
    }


FIXES = ({"applicability": "unsafe", "title": "replace the value"}, None)


def test_json_holds_what_is_documented() -> None:
    assert json.loads(rendered("json", finding(fix=UNSAFE), finding())) == [documented(fix) for fix in FIXES]


def test_jsonl_holds_the_same_objects_on_a_line_each() -> None:
    lines = rendered("jsonl", finding(fix=UNSAFE), finding()).splitlines()
    assert [json.loads(line) for line in lines] == [documented(fix) for fix in FIXES]
    assert rendered("jsonl") == ""


@pytest.mark.parametrize("name", ["json", "jsonl", "sarif", "gitlab", "junit"])
def test_what_programs_read_is_plain_ascii(name: str) -> None:
    assert rendered(name, finding("é\x1b\udcff.py", message="漢")).isascii()


def test_json_keeps_any_path() -> None:
    assert json.loads(rendered("json", finding("é\x1b\udcff.py")))[0]["path"] == "é\x1b\udcff.py"


def test_json_without_findings_is_an_empty_array() -> None:
    assert rendered("json") == rendered("gitlab") == "[]\n"


def sarif(*findings: Finding, **others: Any) -> dict[str, Any]:
    """The one run of a SARIF log, which is as the schema has it."""
    log = json.loads(rendered("sarif", *findings, **others))
    jsonschema.validate(log, SCHEMA, format_checker=jsonschema.FormatChecker())
    run: dict[str, Any] = log["runs"][0]
    return run


@pytest.mark.parametrize(
    "findings",
    [[], [finding()], [finding(fix=SAFE), finding(fix=UNSAFE), finding("b c.py", reason="why")], [HOSTILE]],
)
def test_sarif_is_as_the_schema_has_it(findings: list[Finding]) -> None:
    skipped = (Skipped("a b.py", "no Python"), Skipped("", "pyproject.toml: wrong"))
    assert len(sarif(*findings, skipped=skipped)["results"]) == len(findings)


def test_the_schema_notices_what_it_does_not_know() -> None:
    log = json.loads(rendered("sarif", finding()))
    log["runs"][0]["results"][0]["region"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SCHEMA)


def test_sarif_holds_place_rule_and_fix() -> None:
    run = sarif(finding(fix=SAFE))
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 16},
    }
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (rule["id"], rule["name"]) == ("CAV101", "MissingVersionHeader")
    assert "Bad:" in rule["help"]["markdown"]
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 3, "startColumn": 11, "endLine": 3, "endColumn": 11},
            "insertedContent": {"text": ", b"},
        }
    ]


def test_sarif_says_why_there_is_no_fix_and_what_was_skipped() -> None:
    run = sarif(finding(reason="it is built elsewhere"), skipped=(Skipped("b.py", "no Python"),))
    assert run["results"][0]["properties"]["noFix"] == "it is built elsewhere"
    assert "fixes" not in run["results"][0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "no Python"


@pytest.mark.parametrize(
    ("path", "uri"),
    [("./p q/é.py", "p%20q/%C3%A9.py"), ("/elsewhere/a.py", "file:///elsewhere/a.py"), ("x\udcff#.py", "x%FF%23.py")],
)
def test_sarif_names_files_by_uris(path: str, uri: str) -> None:
    assert sarif(finding(path))["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_gitlab_holds_what_its_documentation_asks_for() -> None:
    assert json.loads(rendered("gitlab", finding("./a.py")))[0] == {
        "check_name": "CAV101",
        "description": "CAV101 a message",
        "severity": "minor",
        "fingerprint": json.loads(rendered("gitlab", finding("./a.py")))[0]["fingerprint"],
        "location": {
            "path": "a.py",
            "positions": {"begin": {"line": 3, "column": 5}, "end": {"line": 3, "column": 16}},
        },
    }


def test_fingerprints_tell_all_findings_apart_and_outlast_lines_that_move() -> None:
    twice = [finding(), finding(), finding("b.py")]
    marks = [one["fingerprint"] for one in json.loads(rendered("gitlab", *twice))]
    assert len(set(marks)) == 3
    moved = Source(f"import new\n{PROGRAM.text}")
    again = [replace(one, line=4, end_line=4) for one in twice]
    assert [one["fingerprint"] for one in json.loads(rendered("gitlab", *again, program=moved))] == marks


def test_github_escapes_what_its_commands_are_made_of() -> None:
    one = finding("a,b:c%.py", message="100 % of ::error::\nlines")
    assert rendered("github", one) == (
        "::warning title=CAV101 missing-version-header,file=a%2Cb%3Ac%25.py,line=3,endLine=3,col=5,endColumn=16"
        "::a,b:c%25.py:3: 100 %25 of ::error::\\nlines\n"
    )


def test_github_gets_no_columns_for_several_lines() -> None:
    assert "col" not in rendered("github", replace(finding(), end_line=5)).lower()


def test_github_is_told_what_was_skipped() -> None:
    skipped = (Skipped("b.py", "no Python"), Skipped("", "pyproject.toml: wrong"))
    assert rendered("github", skipped=skipped) == "::error file=b.py::no Python\n::error::pyproject.toml: wrong\n"


def test_junit_has_a_suite_for_each_file_and_a_failure_for_each_finding() -> None:
    document = ET.fromstring(
        rendered("junit", finding(), finding(), finding("<&.py"), skipped=(Skipped("c.py", "no Python"),))
    )
    assert document.attrib == {"name": "claude-api-lint", "tests": "4", "failures": "3", "errors": "1"}
    assert [suite.get("name") for suite in document] == ["a.py", "<&.py", "c.py"]
    assert [failure.get("message") for failure in document.iter("failure")] == ["a message"] * 3
    assert [error.get("message") for error in document.iter("error")] == ["no Python"]


def test_junit_without_findings_has_a_test_that_passed() -> None:
    document = ET.fromstring(rendered("junit"))
    assert document.attrib["tests"] == "1"
    assert [len(case) for case in document.iter("testcase")] == [0]


# What a format can ask of a report


def test_a_report_has_the_pages_of_all_rules() -> None:
    assert report().rules["CAV101"].summary.startswith("A request reaches the Claude API")
    assert set(report().rules) == set(rule_codes())


def test_a_report_tells_what_a_fix_would_change() -> None:
    ((path, before, after),) = report().changes(finding(fix=SAFE))
    assert path == "a.py"
    assert before is PROGRAM
    assert after.text == PROGRAM.text.replace("ll(a", "ll(a, b")
    assert list(report().changes(finding())) == []


# Patches


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


def test_the_cell_of_a_notebook_stands_before_the_line() -> None:
    in_cell = replace(finding("a.ipynb"), cell=7)
    assert rendered("concise", in_cell) == "a.ipynb:cell 7:3:12: CAV101 a message\n"
    (as_json,) = json.loads(rendered("json", in_cell))
    assert (as_json["cell"], as_json["line"]) == (7, 3)
    assert "cell" not in json.loads(rendered("json", finding()))[0]


def test_findings_are_sorted_by_cell_before_line() -> None:
    later = replace(finding("a.ipynb"), cell=2, line=1)
    assert sorted([later, replace(finding("a.ipynb"), cell=1)], key=lambda one: one.sort_key)[1] == later
