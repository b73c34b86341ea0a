"""The report as JUnit XML, which most CI servers read: a suite for each file, a failed test for each finding."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

from claude_api_lint.findings import Finding
from claude_api_lint.output.paths import from_here
from claude_api_lint.output.report import Report, Skipped
from claude_api_lint.output.terminal import printable

NAME = "claude-api-lint"


def render(report: Report) -> str:
    """One document; where nothing was found it holds one test that passed, as an empty one counts as broken."""
    suites = ET.Element("testsuites", name=NAME)
    for path, findings in itertools.groupby(report.findings, key=lambda finding: finding.path):
        _add_suite(suites, path, list(findings))
    for skipped in report.skipped:
        _add_skipped(suites, skipped)
    if not len(suites):
        suite = ET.SubElement(suites, "testsuite", name=NAME, tests="1", failures="0", errors="0")
        ET.SubElement(suite, "testcase", name="nothing found", classname=NAME)
    for key in ("tests", "failures", "errors"):
        suites.set(key, str(sum(int(suite.get(key, 0)) for suite in suites)))
    ET.indent(suites)
    document: bytes = ET.tostring(suites, encoding="us-ascii", xml_declaration=True)
    return document.decode("ascii") + "\n"


def _add_suite(suites: ET.Element, path: str, findings: list[Finding]) -> None:
    number, name = str(len(findings)), printable(from_here(path))
    suite = ET.SubElement(suites, "testsuite", name=name, tests=number, failures=number, errors="0")
    for finding in findings:
        title = f"{finding.code} {finding.name} ({finding.line}:{finding.column})"
        case = ET.SubElement(suite, "testcase", name=title, classname=name, file=name, line=str(finding.line))
        failure = ET.SubElement(case, "failure", type=finding.code, message=printable(finding.message))
        failure.text = f"{printable(finding.path)}:{finding.line}:{finding.column}: {printable(finding.message)}"


def _add_skipped(suites: ET.Element, skipped: Skipped) -> None:
    name = printable(from_here(skipped.path)) if skipped.path else NAME
    suite = ET.SubElement(suites, "testsuite", name=name, tests="1", failures="0", errors="1")
    case = ET.SubElement(suite, "testcase", name="can be checked", classname=name)
    ET.SubElement(case, "error", message=printable(skipped.reason))
