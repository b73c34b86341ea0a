"""The baseline: what is known is left out, and what is new is reported, however lines have moved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claude_api_lint import baseline
from claude_api_lint.configuration import ConfigurationError
from claude_api_lint.findings import Finding
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source
from commands import BROKEN, lint

CALL = BROKEN.splitlines()[-1] + "\n"


def found(program: str, path: str) -> tuple[Finding, ...]:
    return check_source(program.encode(), path, Settings()).findings


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The baseline of a program with one finding."""
    monkeypatch.chdir(tmp_path)
    baseline.write("known.json", found(BROKEN, "app/ask.py"), lambda path: Source(BROKEN))
    return str(tmp_path / "known.json")


def new(known: str, program: str, path: str = "app/ask.py") -> int:
    """How many of the program's findings are new."""
    loaded = baseline.load(known)
    return sum(not loaded.take(finding, Source(program)) for finding in found(program, path))


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (BROKEN, 0),
        (f"import os\n\n\n{BROKEN}", 0),
        (
            BROKEN.replace("def ask", "class Api:\n  @staticmethod\n  def ask").replace("    return", "        return"),
            0,
        ),
        (BROKEN.replace("\n", "\r\n"), 0),
        (BROKEN + CALL, 1),
        (BROKEN.replace("max_tokens", "max_token"), 1),
        (f"{BROKEN}{CALL.replace('max_tokens', 'max_token')}", 1),
    ],
)
def test_a_finding_is_known_by_its_text_as_often_as_it_was_there(known: str, program: str, expected: int) -> None:
    assert new(known, program) == expected


def test_a_finding_is_known_in_its_file_alone(known: str) -> None:
    assert new(known, BROKEN, "app/other.py") == 1
    assert new(known, BROKEN, "./app/../app/ask.py") == 0


def test_a_finding_over_several_lines_is_known_by_all_of_them(known: str) -> None:
    spread = BROKEN.replace('{"model"', '\n        {"model"').replace("max_tokens", "MAX")
    baseline.write(known, found(spread, "a.py"), lambda path: Source(spread))
    assert new(known, spread, "a.py") == 0
    assert new(known, spread.replace("MAX", "max_tokens"), "a.py") == 1


def test_a_baseline_is_the_same_however_it_comes_about(known: str) -> None:
    text = Path(known).read_text()
    findings = found(BROKEN, "app/ask.py")
    baseline.write(known, (*findings, *found(BROKEN, "b.py"), *findings), lambda path: Source(BROKEN))
    more = json.loads(Path(known).read_text())
    assert [(one["path"], one["count"]) for one in more["findings"]] == [("app/ask.py", 2), ("b.py", 1)]
    baseline.write(known, findings, lambda path: Source(BROKEN))
    assert Path(known).read_text() == text
    baseline.write(known, [], lambda path: None)
    assert json.loads(Path(known).read_text()) == {"version": 1, "findings": []}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a baseline"),
        (b"[]", "not a baseline"),
        (b'{"version": 1}', "not a baseline"),
        (b'{"version": 1, "findings": [{"path": []}]}', "not a baseline"),
        (b'{"version": 1, "findings": 7}', "not a baseline"),
        (b"[" * 100_000, "not a baseline"),
        (b'{"version": 2, "findings": []}', "another version"),
    ],
)
def test_a_file_that_is_no_baseline_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "known.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=told):
        baseline.load(str(tmp_path / "known.json"))


# As a user has it


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a finding that is known."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "ask.py").write_text(BROKEN)
    (tmp_path / "pyproject.toml").write_text('[tool.claude-api-lint]\nbaseline = "known.json"\n')
    done = lint("baseline", "app", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    return tmp_path


def test_only_what_is_new_is_reported_and_decides(project: Path) -> None:
    done = lint("check", ".", cwd=project)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"1 known finding left out: see the baseline." in done.stderr
    (project / "app" / "ask.py").write_text("\n" + BROKEN + CALL.replace("x-api-key", "X-Api-Key"))
    done = lint("check", "--output-format", "concise", ".", cwd=project)
    assert done.returncode == 1
    assert [line.split(b":")[1] for line in done.stdout.splitlines()] == [b"5"]


def test_the_option_beats_the_table(project: Path) -> None:
    (project / "empty.json").write_text('{"version": 1, "findings": []}')
    assert lint("check", "--baseline", "empty.json", "app", cwd=project).returncode == 1


def test_a_new_baseline_holds_what_the_old_one_held(project: Path) -> None:
    before = (project / "known.json").read_text()
    lint("baseline", "app", cwd=project)
    assert (project / "known.json").read_text() == before


def test_a_baseline_that_is_missing_is_told_once_and_everything_is_reported(project: Path) -> None:
    (project / "known.json").unlink()
    (project / "app" / "two.py").write_text(BROKEN)
    done = lint("check", "--output-format", "concise", "app", cwd=project)
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr.count(b"the baseline cannot be read") == 1


def test_no_baseline_is_written_of_a_part(project: Path) -> None:
    before = (project / "known.json").read_text()
    (project / "app" / "bad.py").write_text("claude = (\n")
    done = lint("baseline", "app", cwd=project)
    assert done.returncode == 2
    assert b"no baseline was written" in done.stderr
    assert (project / "known.json").read_text() == before
