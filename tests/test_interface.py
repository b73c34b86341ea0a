"""What other programs call, and what it costs them to import it."""

from __future__ import annotations

from pathlib import Path

import pytest

import claude_api_lint
from claude_api_lint import Applicability, ConfigurationError, Finding, check_paths, check_source, fix_source
from commands import BROKEN, CLEAN, MENDED, run_python

OUTDATED = MENDED.replace("2023-06-01", "2023-01-01")


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a program that lacks the header, and one that has nothing to do with it."""
    (tmp_path / "ask.py").write_text(BROKEN)
    (tmp_path / "hello.py").write_text(CLEAN)
    return tmp_path


# The import


def test_the_import_of_the_package_imports_nothing_else(tmp_path: Path) -> None:
    script = "import sys; before = {*sys.modules}; import claude_api_lint; print(*{*sys.modules} - before)"
    assert run_python("-c", script, cwd=tmp_path).stdout.decode().split() == ["claude_api_lint"]


@pytest.mark.parametrize("name", claude_api_lint.__all__)
def test_every_name_is_there_and_listed(name: str) -> None:
    assert getattr(claude_api_lint, name).__name__ == name
    assert name in dir(claude_api_lint)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'claude_api_lint' has no attribute 'check_sauce'"):
        claude_api_lint.check_sauce  # type: ignore[attr-defined]  # noqa: B018


# One file


@pytest.mark.parametrize("source", [BROKEN, BROKEN.encode()])
def test_text_and_bytes_are_checked_alike(source: str | bytes) -> None:
    (finding,) = check_source(source, "app/ask.py").findings
    assert (finding.path, finding.line, finding.column, finding.code) == ("app/ask.py", 3, 12, "CAV101")
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.SAFE


def test_the_edits_of_a_finding_are_offsets_into_the_text() -> None:
    (finding,) = check_source(BROKEN).findings
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    assert BROKEN[: edit.start] + edit.text + BROKEN[edit.end :] == MENDED


def test_codes_and_versions_are_chosen_as_on_the_command_line() -> None:
    assert codes(check_source(OUTDATED).findings) == ["CAV102"]
    assert codes(check_source(OUTDATED, target_version="2023-01-01").findings) == []
    assert codes(check_source(OUTDATED, ignore=["CAV1"]).findings) == []
    assert codes(check_source(OUTDATED, select=["CAV101"]).findings) == []


@pytest.mark.parametrize("source", [BROKEN, BROKEN.encode()])
def test_text_and_bytes_are_fixed_alike(source: str | bytes) -> None:
    result = fix_source(source)
    assert result.source.decode() == MENDED
    assert (codes(result.fixed), result.remaining) == (["CAV101"], ())


def test_unsafe_fixes_are_applied_on_request_only() -> None:
    assert fix_source(MENDED, target_version="2026-10-21").source.decode() == MENDED
    result = fix_source(MENDED, target_version="2026-10-21", unsafe_fixes=True)
    assert result.source.decode() == MENDED.replace("2023-06-01", "2026-10-21")


def test_a_text_with_a_coding_line_is_encoded_as_it_says() -> None:
    text = "# coding: latin-1\n" + BROKEN.replace("ask", "\xe4sk")
    assert fix_source(text).source.decode("latin-1") == "# coding: latin-1\n" + MENDED.replace("ask", "\xe4sk")


@pytest.mark.parametrize("text", ["# coding: klingon\n", "# coding: ascii\nx = '\xe4'\n", "x = '\udcff'\n"])
def test_a_text_that_its_encoding_cannot_hold_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="the source cannot be encoded"):
        fix_source(text)


def test_bad_input_is_told_and_not_raised() -> None:
    assert check_source("claude = (").skipped
    assert check_source(b"claude = '\xff'").skipped
    assert fix_source("claude = (").skipped


# Many files


def test_files_and_folders_are_checked(project: Path) -> None:
    for paths in ([project], [str(project)], [project / "ask.py", project / "hello.py"]):
        result = check_paths(paths)
        assert [(finding.path, finding.code) for finding in result.findings] == [(f"{project}/ask.py", "CAV101")]
        assert result.problems == ()


def test_pyproject_governs_and_arguments_beat_it(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.claude-api-lint]\nignore = ["CAV101"]\n')
    assert check_paths([project]).findings == ()
    assert codes(check_paths([project], select=["CAV101"]).findings) == ["CAV101"]


def test_what_cannot_be_done_is_told_and_the_rest_is_checked(project: Path) -> None:
    (project / "broken.py").write_text("claude = (\n")
    result = check_paths([project, project / "gone.py"])
    assert codes(result.findings) == ["CAV101"]
    told = {problem.partition(": ")[0] for problem in result.problems}
    assert told == {f"{project}/broken.py", f"{project}/gone.py"}


def test_a_wrong_pyproject_is_a_problem_that_is_told_once(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.claude-api-lint]\nselekt = []\n")
    result = check_paths([project])
    assert result.findings == ()
    (problem,) = result.problems
    assert "unknown key 'selekt'" in problem


# Wrong wishes


@pytest.mark.parametrize("wish", [{"select": ["CAV9"]}, {"ignore": ["X"]}, {"target_version": "2024-01-01"}])
def test_a_wish_that_cannot_be_met_is_an_error(wish: dict[str, object], project: Path) -> None:
    for function, what in ((check_source, BROKEN), (fix_source, BROKEN), (check_paths, [project])):
        with pytest.raises(ConfigurationError, match="unknown"):
            function(what, **wish)  # type: ignore[operator]
