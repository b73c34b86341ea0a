"""The plugin, in a real flake8 process: it finds what the command finds, and never gets in flake8's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_api_lint import flake8_plugin
from claude_api_lint.flake8_plugin import Plugin
from commands import BROKEN, CLEAN, MENDED, REPOSITORY, flake8, lint, run_python

CONCISE = ("--output-format", "concise")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with programs to find something in, and some to find nothing in."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "ask.py").write_text(BROKEN)
    (tmp_path / "app" / "crlf.py").write_bytes(b"\xef\xbb\xbf" + BROKEN.replace("\n", "\r\n").encode())
    (tmp_path / "app" / "latin.py").write_bytes(
        b"# coding: latin-1\n" + BROKEN.replace("ask", "\xe4sk").encode("latin-1")
    )
    (tmp_path / "app" / "wide.py").write_text(BROKEN.replace("return", "name = 'ünï'; return"))
    (tmp_path / "app" / "silent.py").write_text(BROKEN.rstrip() + "  # noqa: CAV101\n")
    (tmp_path / "app" / "hello.py").write_text(CLEAN)
    return tmp_path


def test_flake8_and_the_command_print_the_same_lines(project: Path) -> None:
    ours, theirs = lint("check", *CONCISE, "app", cwd=project), flake8("app", cwd=project)
    assert theirs.stdout.decode().splitlines() == ours.stdout.decode().splitlines()
    assert len(ours.stdout.splitlines()) == 4
    assert (ours.returncode, theirs.returncode) == (1, 1)


def test_flake8_and_the_command_print_the_same_lines_over_all_fixtures() -> None:
    ours, theirs = lint("check", *CONCISE, "fixtures", cwd=REPOSITORY), flake8("fixtures", cwd=REPOSITORY)
    in_modules = [line for line in ours.stdout.decode().splitlines() if ".ipynb:" not in line]  # flake8 opens no others
    assert sorted(theirs.stdout.decode().splitlines()) == sorted(in_modules)
    assert in_modules


def test_the_plugin_is_on_without_being_asked_for(project: Path) -> None:
    done = run_python("-m", "flake8", "app/ask.py", cwd=project)
    assert b"app/ask.py:3:12: CAV101 " in done.stdout


def test_the_standard_input_is_checked(project: Path) -> None:
    done = flake8("--stdin-display-name", "app/new.py", "-", cwd=project, stdin=BROKEN.encode())
    assert done.stdout.startswith(b"app/new.py:3:12: CAV101 ")


def test_noqa_is_left_to_flake8(project: Path) -> None:
    assert flake8("app/silent.py", cwd=project).stdout == b""
    assert b"app/silent.py:3:12: CAV101 " in flake8("--disable-noqa", "app/silent.py", cwd=project).stdout


def test_what_counts_is_left_to_flake8(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.claude-api-lint]\nignore = ["CAV101"]\n')
    assert flake8("app/ask.py", cwd=project).returncode == 1
    assert flake8("--extend-ignore", "CAV1", "app/ask.py", cwd=project).returncode == 0


@pytest.mark.parametrize(
    "table",
    ['ignore = ["CAV101"]', 'select = ["CAV2"]', 'per-file-ignores = { "app/*" = ["CAV1"] }'],
)
def test_the_table_counts_until_flake8_itself_selects_our_codes(project: Path, table: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.claude-api-lint]\n{table}\n")

    def reported(*options: str) -> bool:
        return b"CAV101" in run_python("-m", "flake8", *options, "app/ask.py", cwd=project).stdout

    assert not reported()
    assert not reported("--select", "C,E")
    assert reported("--extend-select", "CAV101")
    assert reported("--select", "E,CAV")
    assert not reported("--select", "E,CAV", "--extend-ignore", "CAV1")


def test_unused_noqa_comments_are_left_to_the_command(project: Path) -> None:
    (project / "app" / "old.py").write_text(MENDED.rstrip() + "  # noqa: CAV101\n")
    assert b"CAV001" in lint("check", "app/old.py", cwd=project).stdout
    assert flake8("app/old.py", cwd=project).stdout == b""


@pytest.mark.parametrize("header", ["2023-06-01", "2026-10-21"])
@pytest.mark.parametrize("way", ["pyproject", "option", "configuration"])
def test_the_target_version_is_taken_from_wherever_it_is_given(project: Path, way: str, header: str) -> None:
    outdated = BROKEN.replace('"x-api-key": key', f'"x-api-key": key, "anthropic-version": "{header}"')
    (project / "app" / "ask.py").write_text(outdated)
    options = []
    if way == "pyproject":
        (project / "pyproject.toml").write_text('[tool.claude-api-lint]\ntarget-version = "2026-10-21"\n')
    elif way == "option":
        options = ["--claude-api-target-version", "2026-10-21"]
    else:
        (project / ".flake8").write_text("[flake8]\nclaude-api-target-version = 2026-10-21\n")
    done = flake8(*options, "app/ask.py", cwd=project)
    assert (b" CAV102 " in done.stdout) == (header == "2023-06-01")


@pytest.mark.parametrize("way", ["option", "configuration"])
def test_a_bad_target_version_is_told_before_any_file_is_checked(project: Path, way: str) -> None:
    options = ["--claude-api-target-version", "2024-01-01"] if way == "option" else []
    if way == "configuration":
        (project / ".flake8").write_text("[flake8]\nclaude-api-target-version = 2024-01-01\n")
    done = flake8(*options, "app", cwd=project)
    assert done.returncode == 1
    assert done.stderr == b""
    assert b"unknown target version '2024-01-01'; the API has had 2023-01-01, 2023-06-01, 2026-10-21" in done.stdout
    assert b"CAV101" not in done.stdout


def test_a_bad_pyproject_is_told_before_any_file_is_checked(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.claude-api-lint]\ntarget_version = '2023-06-01'\n")
    done = flake8("app", cwd=project)
    assert done.returncode == 1
    assert b"unknown key 'target_version' in [tool.claude-api-lint]; did you mean 'target-version'?" in done.stdout


def test_files_go_to_worker_processes_unharmed(project: Path) -> None:
    for number in range(20):
        (project / "app" / f"ask{number}.py").write_text(BROKEN)
    done = flake8("-j", "2", "--claude-api-target-version", "2023-06-01", "app", cwd=project)
    assert len(done.stdout.splitlines()) == 24


def test_a_file_that_is_no_python_is_left_to_flake8(project: Path) -> None:
    (project / "app" / "ask.py").write_text("claude = (\n")
    done = run_python("-m", "flake8", "app/ask.py", cwd=project)
    assert b"E9" in done.stdout
    assert b"Traceback" not in done.stdout + done.stderr


def test_neither_libcst_nor_click_is_imported_for_a_file_that_is_not_about_the_api(project: Path) -> None:
    script = (
        "import sys; from flake8.main.cli import main; status = main(sys.argv[1:]); "
        "assert 'claude_api_lint.flake8_plugin' in sys.modules; "
        "assert not {'libcst', 'click', 'tomli'} & set(sys.modules); sys.exit(status)"
    )
    done = run_python("-c", script, "-j1", "app/hello.py", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("failure", [RuntimeError("no"), RecursionError(), MemoryError(), BaseException("a panic")])
def test_no_exception_leaves_the_plugin(failure: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> bool:
        raise failure

    monkeypatch.setattr(flake8_plugin, "concerns", fail)
    assert list(Plugin(None, BROKEN.splitlines(keepends=True), "ask.py").run()) == []  # type: ignore[arg-type]


def test_text_that_no_encoding_holds_is_no_problem() -> None:
    assert list(Plugin(None, ["x = '\udcff'\n"], "ask.py").run()) == []  # type: ignore[arg-type]
