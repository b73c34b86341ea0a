"""CAV106 beyond single programs: what the project requires, which fixes are safe, and what other rules leave to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_api_lint.findings import Applicability, Confidence, Finding
from claude_api_lint.fixer import fix_source
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings

OLDER = 'client = anthropic.Anthropic(default_headers={"anthropic-version": "2023-01-01"})'
PINNED = 'client = anthropic.Anthropic(default_headers={"anthropic-version": "2023-06-01"})'
CASED = 'client = anthropic.Anthropic(default_headers={"Anthropic-Version": "2023-06-01"})'


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")  # a folder named after a test would make tests of its modules


def found(project: Path, program: str, requires: str = "", target: str | None = None) -> list[Finding]:
    """The findings in a program of a project that requires the SDK in this way."""
    if requires:
        (project / "requirements.txt").write_text(f"anthropic{requires}\n")
    source = f"import anthropic\n\n{program}\n".encode()
    return list(check_source(source, str(project / "ask.py"), Settings(target_version=target)).findings)


def only(findings: list[Finding]) -> Finding:
    assert [finding.code for finding in findings] == ["CAV106"]
    return findings[0]


def applicability(finding: Finding) -> Applicability | None:
    return finding.fix.applicability if finding.fix else None


# What the project requires


@pytest.mark.parametrize("requires", ["<1", "==0.39.0", "~=0.75", ">=0.30,<1.0.0"])
def test_another_casing_is_reported_where_only_releases_before_1_may_run(project: Path, requires: str) -> None:
    finding = only(found(project, CASED, requires))
    assert '"2023-06-01, 2023-06-01" is not a valid version' in finding.message
    assert applicability(finding) is Applicability.SAFE


@pytest.mark.parametrize("requires", ["", ">=0.39", "==1.0.0", ">=0.39,<=1", ">=2", "~=2.1"])
def test_another_casing_is_silent_where_a_later_release_may_run(project: Path, requires: str) -> None:
    assert found(project, CASED, requires) == []


def test_the_sdks_own_header_comes_first_where_a_request_repeats_it(project: Path) -> None:
    program = 'anthropic.Anthropic().models.list(extra_headers={"Anthropic-Version": "2023-01-01"})'
    assert '"2023-06-01, 2023-01-01" is not a valid version' in only(found(project, program, "<1")).message


def test_another_casing_that_stands_for_nothing_does_nothing_before_1(project: Path) -> None:
    program = 'anthropic.Anthropic(default_headers={"Anthropic-Version": anthropic.Omit()})'
    assert found(project, program, "<1") == []
    assert "leave out" in only(found(project, program, ">=1")).message


@pytest.mark.parametrize(
    ("requires", "target", "wanted"),
    [
        ("<2", None, Applicability.SAFE),
        ("==0.39.0", None, Applicability.SAFE),
        ("", None, Applicability.UNSAFE),
        (">=1", None, Applicability.UNSAFE),
        (">=2", None, Applicability.UNSAFE),
        ("<2", "2026-10-21", Applicability.UNSAFE),
        (">=2", "2026-10-21", Applicability.UNSAFE),
    ],
)
def test_removing_an_older_version_is_safe_where_the_sdk_then_sends_the_target(
    project: Path, requires: str, target: str | None, wanted: Applicability
) -> None:
    assert applicability(only(found(project, OLDER, requires, target))) is wanted


def test_a_pin_is_outdated_only_where_the_target_is_later(project: Path) -> None:
    assert found(project, PINNED) == []
    assert (
        'send anthropic-version "2023-06-01", older than' in only(found(project, PINNED, target="2026-10-21")).message
    )


# Which fixes are safe


@pytest.mark.parametrize(
    "program",
    [
        'anthropic.Anthropic(default_headers={"anthropic-version": "2024-01-01"})',
        'anthropic.Anthropic(default_headers={"anthropic-version": ""})',
        'anthropic.Anthropic(default_headers={"anthropic_version": "2023-06-01"})',
        '_HEADERS = {"anthropic_version": "2023-06-01"}\nanthropic.Anthropic(default_headers=_HEADERS)',
        'def make():\n    h = {"anthropic_version": "1"}\n    return anthropic.Anthropic(default_headers=h)',
        'anthropic.Anthropic().models.list(extra_headers={"anthropic-version": None})',
    ],
)
def test_removing_what_fails_or_does_nothing_is_safe(project: Path, program: str) -> None:
    assert applicability(only(found(project, program))) is Applicability.SAFE


@pytest.mark.parametrize(
    "program",
    [
        '_H = {"anthropic_version": "1"}\nanthropic.Anthropic(default_headers=_H)\nprint(_H)',
        'class My:\n    headers = {"anthropic_version": "1"}\n\nanthropic.Anthropic(default_headers=My.headers)',
        'HEADERS = {"anthropic_version": "2023-06-01"}\nanthropic.Anthropic(default_headers=HEADERS)',
        'anthropic.Anthropic(default_headers={"anthropic_version": "1"  # as agreed\n})',
        'anthropic.Anthropic(default_headers={\n    # as agreed\n    "anthropic_version": "1"})',
        'anthropic.Anthropic(\n    # as agreed\n    default_headers={"anthropic_version": "1"},\n    timeout=9,\n)',
        'anthropic.Anthropic(default_headers={"x": "1", "anthropic_version": "1",  # as agreed\n    "y": "2"})',
    ],
)
def test_removing_what_has_other_uses_or_is_explained_is_not(project: Path, program: str) -> None:
    assert applicability(only(found(project, program))) is Applicability.UNSAFE


def test_headers_that_are_also_sent_by_hand_are_left_to_a_person(project: Path) -> None:
    program = (
        "import os\n\nimport requests\n\n"
        'HEADERS = {"x-api-key": os.environ["KEY"], "anthropic-version": "2023-01-01"}\n'
        "client = anthropic.Anthropic(default_headers=HEADERS)\n"
        'requests.get("https://api.anthropic.com/v1/models", headers=HEADERS)'
    )
    sdk, by_hand = sorted(found(project, program), key=lambda finding: finding.code, reverse=True)
    assert (sdk.code, by_hand.code) == ("CAV106", "CAV102")
    assert sdk.fix is None
    assert sdk.no_fix_reason == "the same headers are sent without the SDK as well"


def test_headers_that_are_written_in_an_own_line_go_with_their_line(project: Path) -> None:
    program = (
        "def make():\n"
        "    headers = {}\n"
        '    headers["anthropic_version"] = "1"\n'
        "    return anthropic.Anthropic(default_headers=headers)\n"
    )
    fixed = fix_source(f"import anthropic\n\n{program}".encode(), str(project / "ask.py"), Settings()).source.decode()
    assert fixed.endswith("    headers = {}\n    return anthropic.Anthropic(default_headers=headers)\n")


# What others leave to it


@pytest.mark.parametrize(
    "headers",
    [
        '{"content-type": "application/json", "anthropic-version": "2023-01-01"}',
        '{"content-type": "application/json", "anthropic-version": "2024-01-01"}',
        '{"content-type": "application/json", "anthropic_version": "2023-06-01"}',
    ],
)
def test_headers_of_the_sdk_are_reported_once(project: Path, headers: str) -> None:
    only(found(project, f"client = anthropic.Anthropic(default_headers={headers})"))
    only(found(project, f"headers = {headers}\nanthropic.Anthropic().messages.stream(extra_headers=headers)"))


def test_a_request_of_the_sdk_with_headers_of_its_own_lacks_nothing(project: Path) -> None:
    headers = '{"x-api-key": "key", "anthropic-beta": "files-api-2025-04-14"}'
    assert found(project, f'anthropic.Anthropic().messages.stream(model="m", extra_headers={headers})') == []


# How sure it is


@pytest.mark.parametrize(
    ("base", "wanted"),
    [
        ("None", Confidence.CERTAIN),
        ('"https://api.anthropic.com"', Confidence.CERTAIN),
        ("settings.url", Confidence.LIKELY),
        ('f"https://{host}"', Confidence.LIKELY),
    ],
)
def test_an_override_is_certain_where_the_requests_surely_go_to_the_api(
    project: Path, base: str, wanted: Confidence
) -> None:
    program = f'anthropic.Anthropic(base_url={base}, default_headers={{"anthropic-version": "2023-01-01"}})'
    finding = only(found(project, program))
    assert finding.confidence is wanted


@pytest.mark.parametrize("value", ["bedrock-2023-05-31", "vertex-2023-10-16"])
def test_a_value_of_another_platform_may_go_to_it_where_the_host_is_not_known(project: Path, value: str) -> None:
    override = f'default_headers={{"anthropic-version": "{value}"}}'
    assert found(project, f"anthropic.Anthropic(base_url=settings.url, {override})") == []
    assert "is not a valid version" in only(found(project, f"anthropic.Anthropic({override})")).message
