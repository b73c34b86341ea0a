"""The command, as a process: what it prints, what it writes, and what it ends with."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import BROKEN, CLEAN, MENDED, git, lint, run, run_python

LINE = "3:12: CAV101 "


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a program that lacks the header, and one that has nothing to do with it."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "ask.py").write_text(BROKEN)
    (tmp_path / "app" / "hello.py").write_text(CLEAN)
    return tmp_path


def error_lines(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    return [line for line in done.stderr.decode().splitlines() if line.startswith("claude-api-lint: ")]


# check


def test_check_shows_each_finding_with_its_line_and_fix_and_ends_with_1(project: Path) -> None:
    done = lint("check", "app", cwd=project)
    assert done.returncode == 1
    headline, _, source, mark, fix = done.stdout.decode().splitlines()
    assert headline.startswith(f"app/ask.py:{LINE}")
    assert source.index("requests.post(") == mark.index("^")
    assert fix == "  = fix: Add the header anthropic-version: 2023-06-01"


def test_concise_is_a_line_for_each_finding(project: Path) -> None:
    done = lint("check", "--output-format", "concise", "app", cwd=project)
    assert done.returncode == 1
    (line,) = done.stdout.decode().splitlines()
    assert line.startswith(f"app/ask.py:{LINE}")


def test_check_says_on_stderr_how_much_was_found_and_how_much_is_fixable(project: Path) -> None:
    summary = lint("check", "app", cwd=project).stderr.decode()
    assert "Found 1 finding in 1 file (2 scanned)." in summary
    assert "1 fixable with `claude-api-lint fix`" in summary


def test_check_prints_nothing_and_ends_with_0_where_nothing_is_found(project: Path) -> None:
    done = lint("check", "app/hello.py", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"Found nothing (1 scanned).\n")


def test_quiet_leaves_the_summary_out(project: Path) -> None:
    for name in ("ask", "hello"):
        assert lint("check", "--quiet", f"app/{name}.py", cwd=project).stderr == b""


@pytest.mark.parametrize("name", ["json", "jsonl", "sarif", "github", "gitlab", "junit"])
def test_what_is_for_programs_comes_without_a_summary(project: Path, name: str) -> None:
    done = lint("check", "--output-format", name, "app", cwd=project)
    assert done.returncode == 1
    assert b"app/ask.py" in done.stdout
    assert done.stderr == b""


def test_no_path_at_all_is_nothing_to_do(project: Path) -> None:
    for face in ("check", "fix"):
        done = lint(face, cwd=project)
        assert (done.returncode, done.stdout) == (0, b"")
        assert done.stderr == b"claude-api-lint: no file or folder named, nothing done\n"
    assert (project / "app" / "ask.py").read_text() == BROKEN


def test_json_is_one_array_with_the_documented_keys(project: Path) -> None:
    done = lint("check", "--output-format", "json", "app", cwd=project)
    (finding,) = json.loads(done.stdout)
    assert list(finding) == [
        "path",
        "line",
        "column",
        "end_line",
        "end_column",
        "code",
        "name",
        "message",
        "confidence",
        "fix",
    ]
    assert finding["path"] == "app/ask.py"
    assert (finding["line"], finding["column"]) == (3, 12)
    assert (finding["code"], finding["name"]) == ("CAV101", "missing-version-header")
    assert finding["fix"]["applicability"] == "safe"
    assert done.returncode == 1


def test_json_without_findings_is_an_empty_array(project: Path) -> None:
    done = lint("check", "--output-format", "json", "app/hello.py", cwd=project)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--select", "CAV101"], 1),
        (["--select", "CAV102"], 0),
        (["--select", "CAV102,CAV101"], 1),
        (["--select", "CAV102", "--select", "CAV1"], 1),
        (["--ignore", "CAV101"], 0),
        (["--ignore", "CAV102, CAV101"], 0),
        (["--ignore", "CAV1", "--select", "CAV101"], 1),
    ],
)
def test_rules_are_selected_and_ignored_by_prefix(project: Path, options: list[str], status: int) -> None:
    assert lint("check", *options, "app", cwd=project).returncode == status


def test_options_beat_the_configuration_file(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.claude-api-lint]\nselect = ["CAV102"]\n')
    assert lint("check", "app", cwd=project).returncode == 0
    assert lint("check", "--select", "CAV101", "app", cwd=project).returncode == 1


def test_a_noqa_comment_silences_its_line(project: Path) -> None:
    (project / "app" / "ask.py").write_text(BROKEN.rstrip() + "  # noqa: CAV101\n")
    assert lint("check", "app", cwd=project).returncode == 0


def test_check_reads_the_standard_input(project: Path) -> None:
    done = lint("check", "-", "--stdin-filename", "app/new.py", cwd=project, stdin=BROKEN.encode())
    assert done.returncode == 1
    assert done.stdout.decode().startswith(f"app/new.py:{LINE}")


def test_the_standard_input_is_governed_by_the_configuration_of_its_name(project: Path) -> None:
    (project / "app" / "pyproject.toml").write_text('[tool.claude-api-lint]\nignore = ["CAV101"]\n')
    named = lint("check", "-", "--stdin-filename", "app/new.py", cwd=project, stdin=BROKEN.encode())
    unnamed = lint("check", "-", cwd=project, stdin=BROKEN.encode())
    assert (named.returncode, unnamed.returncode) == (0, 1)


def test_nothing_that_analyses_is_imported_where_no_file_mentions_the_api(project: Path) -> None:
    script = (
        "import sys; from claude_api_lint.cli import main; "
        "status = main(sys.argv[1:]); not_needed = {'libcst', 'tomli', 'claude_api_lint.findings', 'hashlib'}; "
        "assert not_needed.isdisjoint(sys.modules); sys.exit(status)"
    )
    (project / "app" / "ask.py").unlink()
    for face in ("check", "fix"):
        done = run_python("-c", script, face, "app", cwd=project)
        assert done.returncode == 0, done.stderr.decode()


def test_libcst_is_not_imported_for_a_namesake(project: Path) -> None:
    (project / "app" / "ask.py").write_text("# After Claude Shannon.\ncontent_block = ''.join(parts)\n")
    script = "import sys; from claude_api_lint.cli import main; main(sys.argv[1:]); sys.exit('libcst' in sys.modules)"
    for face in ("check", "fix"):
        assert run_python("-c", script, face, "--no-cache", "app", cwd=project).returncode == 0


# Which files


def paths(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The files in which something was found, by a report in concise lines."""
    return [line.partition(":")[0] for line in done.stdout.decode().splitlines()]


CONCISE = ("check", "--output-format", "concise")


@pytest.fixture
def checkout(project: Path) -> Path:
    """The folder as a checkout, in which one file is ignored and one has changed."""
    (project / "app" / "generated.py").write_text(BROKEN)
    (project / ".gitignore").write_text("generated.py\n")
    git("init", "--quiet", cwd=project)
    git("add", ".", cwd=project)
    git("commit", "--quiet", "--message", "x", cwd=project)
    (project / "app" / "new.py").write_text(BROKEN)
    return project


def test_what_git_ignores_is_left_out_of_folders(checkout: Path) -> None:
    assert paths(lint(*CONCISE, ".", cwd=checkout)) == ["./app/ask.py", "./app/new.py"]
    assert paths(lint(*CONCISE, "--no-respect-gitignore", "app", cwd=checkout)) == [
        "app/ask.py",
        "app/generated.py",
        "app/new.py",
    ]
    assert paths(lint(*CONCISE, "app/generated.py", cwd=checkout)) == ["app/generated.py"]


def test_since_takes_what_has_changed(checkout: Path) -> None:
    assert paths(lint(*CONCISE, "--since", "HEAD", cwd=checkout)) == ["./app/new.py"]
    assert paths(lint(*CONCISE, "--since", "HEAD", "app/ask.py", cwd=checkout)) == []
    done = lint(*CONCISE, "--since", "nowhere", cwd=checkout)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "--since nowhere: unknown revision 'nowhere'" in error_lines(done)[0]


def test_since_needs_a_checkout(project: Path) -> None:
    done = lint("check", "--since", "HEAD", "app", cwd=project)
    assert done.returncode == 2
    assert "--since HEAD: app is not in a git checkout" in error_lines(done)[0]


def test_paths_are_taken_from_a_list(checkout: Path) -> None:
    (checkout / "list").write_text("app/new.py\napp/hello.py\n")
    assert paths(lint(*CONCISE, "--files-from", "list", cwd=checkout)) == ["app/new.py"]
    listed = lint(*CONCISE, "--files-from", "-", "app/ask.py", cwd=checkout, stdin=b"app/new.py\0app/ask.py\0")
    assert paths(listed) == ["app/ask.py", "app/new.py"]
    assert lint("check", "--files-from", "-", cwd=checkout).returncode == 0


def test_a_list_that_cannot_be_read_is_told(project: Path) -> None:
    done = lint("check", "--files-from", "nowhere", cwd=project)
    assert done.returncode == 2
    assert "nowhere: the list cannot be read" in error_lines(done)[0]
    done = lint("check", "--files-from", "-", "-", cwd=project)
    assert "the standard input cannot be both" in error_lines(done)[0]


def test_paths_are_excluded_by_option_and_by_table(project: Path) -> None:
    (project / "old").mkdir()
    (project / "old" / "ask.py").write_text(BROKEN)
    assert paths(lint(*CONCISE, "--exclude", "old/,x", ".", cwd=project)) == ["./app/ask.py"]
    (project / "pyproject.toml").write_text('[tool.claude-api-lint]\nextend-exclude = ["old"]\n')
    assert paths(lint(*CONCISE, ".", cwd=project)) == ["./app/ask.py"]
    assert paths(lint(*CONCISE, "old/ask.py", cwd=project)) == ["old/ask.py"]
    assert paths(lint(*CONCISE, "--force-exclude", "old/ask.py", cwd=project)) == []
    assert "'!' is not a pattern" in error_lines(lint("check", "--exclude", "!", ".", cwd=project))[0]


# How it is reported


def test_a_report_goes_to_a_file_as_a_whole(project: Path) -> None:
    (project / "report.json").write_text("old")
    done = lint("check", "--output-format", "json", "--output-file", "report.json", "app", cwd=project)
    assert (done.returncode, done.stdout) == (1, b"")
    assert len(json.loads((project / "report.json").read_bytes())) == 1
    assert sorted(path.name for path in project.iterdir()) == ["app", "report.json"]
    umask = os.umask(0)
    os.umask(umask)
    lint("check", "--output-file", "new.txt", "app", cwd=project)
    assert (project / "new.txt").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_report_that_cannot_be_written_is_told(project: Path) -> None:
    done = lint("check", "--output-file", "nowhere/report", "app", cwd=project)
    assert done.returncode == 2
    assert "nowhere/report: it cannot be written" in error_lines(done)[0]


@pytest.mark.parametrize(
    ("options", "env", "colourful"),
    [
        ([], {}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--output-format", "json", "--color", "always"], {}, False),
        (["--output-file", "/dev/stdout"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_a_pipe_gets_colours_on_request_only(
    project: Path, options: list[str], env: dict[str, str], colourful: bool
) -> None:
    done = run(sys.executable, "-m", "claude_api_lint", "check", *options, "app", cwd=project, env=env)
    assert b"CAV101" in done.stdout
    assert (b"\x1b[" in done.stdout) == colourful


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals there")
@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_gets_colours_unless_its_user_does_not_want_them(project: Path, env: dict[str, str]) -> None:
    shown = on_a_terminal("check", "app", cwd=project, env=env)
    assert b"CAV101" in shown
    assert bool(re.search(rb"\x1b\[[0-9;]*m", shown)) == (not env)  # the bar, if one is shown, has other sequences


def on_a_terminal(*arguments: str, cwd: Path, env: dict[str, str]) -> bytes:
    """What the command shows on a terminal, both its streams."""
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, *(("-m", "claude_api_lint") if arguments[0] != "-c" else ()), *arguments]
    environment = {"TERM": "xterm", **os.environ, **env}
    with subprocess.Popen(command, cwd=cwd, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # so Linux says that nobody writes any more
            pass
    os.close(ours)
    return shown


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals there")
def test_a_long_run_shows_on_a_terminal_how_far_it_is(project: Path) -> None:
    script = (
        "import sys; from claude_api_lint import cli, progress; progress.PATIENCE = 0; "
        "sys.exit(cli.main(['check', 'app']))"
    )
    shown = on_a_terminal("-c", script, cwd=project, env={})
    assert b"Looking  [" in shown
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l"), "the cursor is hidden"
    assert b"Found 1 finding" in shown
    assert run_python("-c", script, cwd=project).stderr.startswith(b"Found 1 finding")


def test_statistics_count_instead_of_showing(project: Path) -> None:
    assert lint("check", "--statistics", "app", cwd=project).stdout == b"1  CAV101  [*]  missing-version-header\n"
    done = lint("check", "--statistics", "--output-format", "json", "app", cwd=project)
    assert json.loads(done.stdout)[0]["count"] == 1
    assert lint("check", "--statistics", "--output-format", "sarif", "app", cwd=project).returncode == 2


def test_exit_zero_ends_with_0_though_something_is_found_but_not_where_something_went_wrong(project: Path) -> None:
    assert lint("check", "--exit-zero", "app", cwd=project).returncode == 0
    assert lint("check", "--exit-zero", "app", "nowhere", cwd=project).returncode == 2


def test_unsafe_and_safe_can_be_said_of_a_rule(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.claude-api-lint]\nextend-unsafe-fixes = ["CAV101"]\n')
    assert lint("fix", "app", cwd=project).returncode == 1
    assert (project / "app" / "ask.py").read_text() == BROKEN
    lint("fix", "--unsafe-fixes", "app", cwd=project)
    assert (project / "app" / "ask.py").read_text() == MENDED


def test_the_configuration_in_force_is_shown(project: Path) -> None:
    (project / "app" / "pyproject.toml").write_text('[tool.claude-api-lint]\nignore = ["CAV105"]\n')
    done = lint("show-config", "app/ask.py", "--select", "CAV1", cwd=project)
    assert done.returncode == 0
    assert f'# from "{project}/app/pyproject.toml"\nignore = []' not in done.stdout.decode()
    assert '# from the command line\nselect = ["CAV1"]' in done.stdout.decode()
    (project / "app" / "pyproject.toml").write_text("[tool.claude-api-lint]\nignored = []\n")
    assert "did you mean 'ignore'?" in error_lines(lint("show-config", "app", cwd=project))[0]


# add-noqa


def test_what_is_found_is_marked_and_reported_no_more(project: Path) -> None:
    (project / "app" / "crlf.py").write_bytes(BROKEN.replace("\n", "\r\n").encode("utf-8-sig"))
    done = lint("add-noqa", "app", cwd=project)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"Marked 2 findings with noqa." in done.stderr
    marked = BROKEN.rstrip() + "  # noqa: CAV101\n"
    assert (project / "app" / "ask.py").read_text() == marked
    assert (project / "app" / "crlf.py").read_bytes() == marked.replace("\n", "\r\n").encode("utf-8-sig")
    assert (project / "app" / "hello.py").read_text() == CLEAN
    assert lint("check", "app", cwd=project).returncode == 0
    assert b"Marked 0 findings" in lint("add-noqa", "app", cwd=project).stderr


def test_the_standard_input_is_marked_and_passed_on(project: Path) -> None:
    done = lint("add-noqa", "-", cwd=project, stdin=BROKEN.encode())
    assert done.stdout.decode() == BROKEN.rstrip() + "  # noqa: CAV101\n"
    for unmarked in (b"x = 1", b"claude = (\n", b"\xff\xfe"):
        assert lint("add-noqa", "-", cwd=project, stdin=unmarked).stdout == unmarked


def test_a_stale_comment_is_reported_in_any_file_and_fix_takes_it_away(project: Path) -> None:
    (project / "app" / "hello.py").write_text(CLEAN.rstrip() + "  # noqa: CAV101\n")
    assert b"CAV001" in lint("check", "app/hello.py", cwd=project).stdout
    assert lint("fix", "app/hello.py", cwd=project).returncode == 0
    assert (project / "app" / "hello.py").read_text() == CLEAN


# fix


def test_fix_mends_the_file_and_ends_with_0(project: Path) -> None:
    done = lint("fix", "app", cwd=project)
    assert (project / "app" / "ask.py").read_text() == MENDED
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"Fixed 1 finding in 1 file (2 scanned)." in done.stderr
    assert lint("check", "app", cwd=project).returncode == 0


def test_fix_writes_the_target_version(project: Path) -> None:
    lint("fix", "--target-version", "2023-01-01", "app", cwd=project)
    assert '"anthropic-version": "2023-01-01"' in (project / "app" / "ask.py").read_text()


def test_fix_leaves_what_noqa_marks(project: Path) -> None:
    marked = BROKEN.rstrip() + "  # noqa\n"
    (project / "app" / "ask.py").write_text(marked)
    assert lint("fix", "app", cwd=project).returncode == 0
    assert (project / "app" / "ask.py").read_text() == marked


def test_fix_passes_the_standard_input_on_as_bytes(project: Path) -> None:
    broken = b"\xef\xbb\xbf" + BROKEN.replace("\n", "\r\n").encode()
    done = lint("fix", "-", cwd=project, stdin=broken)
    assert done.stdout == b"\xef\xbb\xbf" + MENDED.replace("\n", "\r\n").encode()
    assert done.returncode == 0


@pytest.mark.parametrize("source", [b"x = 1", b"", b"\xff\xfe no text at all", b"claude = (\n"])
def test_fix_passes_what_it_cannot_mend_on_unchanged(project: Path, source: bytes) -> None:
    assert lint("fix", "-", cwd=project, stdin=source).stdout == source


def test_diff_writes_nothing_and_ends_with_1(project: Path) -> None:
    done = lint("fix", "--diff", "app", cwd=project)
    assert done.returncode == 1
    assert (project / "app" / "ask.py").read_text() == BROKEN
    assert done.stdout.startswith(b"--- a/app/ask.py\n+++ b/app/ask.py\n")


def test_diff_is_empty_where_nothing_would_change(project: Path) -> None:
    done = lint("fix", "--diff", "app/hello.py", cwd=project)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize("name", ["ask.py", "with space.py", "ünï.py", 'quo"te.py'])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n"])
@pytest.mark.parametrize("apply", [("git", "apply"), ("patch", "-p1", "--binary")])
def test_the_diff_does_what_fix_does(
    tmp_path: Path, name: str, line_end: str, last: str, apply: tuple[str, ...]
) -> None:
    if not shutil.which(apply[0]):
        pytest.skip(f"{apply[0]} is not installed")
    git("init", "--quiet", cwd=tmp_path)
    file = tmp_path / "app" / name
    file.parent.mkdir()
    file.write_bytes((BROKEN.rstrip() + last).replace("\n", line_end).encode())
    diff = lint("fix", "--diff", "app", cwd=tmp_path).stdout
    applied = run(*apply, cwd=tmp_path, stdin=diff)
    assert applied.returncode == 0, applied.stderr.decode() + applied.stdout.decode()
    assert file.read_bytes() == (MENDED.rstrip() + last).replace("\n", line_end).encode()


def test_the_diff_is_applied_from_the_folder_below_which_it_was_made(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    sub = tmp_path / "sub"
    (sub / "app").mkdir(parents=True)
    (sub / "app" / "ask.py").write_text(BROKEN)
    (sub / "ask.py").write_text(BROKEN)
    applied = run("git", "apply", cwd=sub, stdin=lint("fix", "--diff", ".", cwd=sub).stdout)
    assert applied.returncode == 0, applied.stderr.decode()
    assert (sub / "app" / "ask.py").read_text() == (sub / "ask.py").read_text() == MENDED


def test_fix_names_the_file_that_it_cannot_write_and_mends_the_rest(project: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    locked = project / "locked.py"
    locked.write_text(BROKEN)
    locked.chmod(0o400)
    done = lint("fix", "locked.py", "app", cwd=project)
    assert done.returncode == 2
    assert "locked.py: not fixed: it is write-protected" in error_lines(done)[0]
    assert locked.read_text() == BROKEN
    assert (project / "app" / "ask.py").read_text() == MENDED


# rules and explain


def test_rules_lists_every_rule_with_its_name(tmp_path: Path) -> None:
    done = lint("rules", cwd=tmp_path)
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert lines == sorted(lines)
    assert lines[1].startswith("CAV101  missing-version-header ")


def test_explain_prints_the_page_of_the_rule(tmp_path: Path) -> None:
    done = lint("explain", "CAV101", cwd=tmp_path)
    assert done.returncode == 0
    page = done.stdout.decode()
    assert page
    assert not page.startswith((" ", "\n"))


def test_explain_names_the_nearest_code(tmp_path: Path) -> None:
    done = lint("explain", "CAV1011", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert error_lines(done) == ["claude-api-lint: unknown rule code 'CAV1011'; did you mean 'CAV101'?"]


# Bad input: one clear line, the rest is still checked, and the end is 2.


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# claude\ndef (:\n", "bad.py: "),
        (b"claude = '\xff\xfe'\n", "bad.py: "),
        (b"# coding: no-such\nclaude = 1\n", "bad.py: "),
        (b"claude = 1\x00\n", "bad.py: "),
    ],
)
def test_a_file_that_is_no_python_is_named_and_the_rest_is_checked(project: Path, content: bytes, told: str) -> None:
    (project / "bad.py").write_bytes(content)
    for face in ("check", "fix"):
        done = lint(face, "bad.py", "app", cwd=project)
        assert done.returncode == 2
        (problem,) = error_lines(done)
        assert told in problem
        assert (project / "bad.py").read_bytes() == content
        if face == "check":
            assert LINE in done.stdout.decode()
    assert (project / "app" / "ask.py").read_text() == MENDED


def test_a_path_that_does_not_exist_is_named_and_the_rest_is_checked(project: Path) -> None:
    done = lint("check", "nowhere.py", "app", cwd=project)
    assert done.returncode == 2
    assert LINE in done.stdout.decode()
    assert error_lines(done)[0].startswith("claude-api-lint: nowhere.py: no such file or folder; ")


def test_a_file_that_cannot_be_read_is_named(project: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (project / "app" / "secret.py").write_text(BROKEN)
    (project / "app" / "secret.py").chmod(0)
    done = lint("check", "app", cwd=project)
    assert done.returncode == 2
    assert LINE in done.stdout.decode()
    assert "app/secret.py: it cannot be read (Permission denied)" in error_lines(done)[0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--select", "CAV1011"], "did you mean 'CAV101'?"),
        (["--ignore", "E501"], "unknown rule code 'E501'"),
        (["--target-version", "2023-06-02"], "2023-01-01, 2023-06-01, 2026-10-21"),
        (["--selct", "CAV101"], "--select"),
        (["--output-format", "xml"], "'json'"),
    ],
)
def test_a_bad_option_is_one_line_and_nothing_is_done(project: Path, options: list[str], told: str) -> None:
    done = lint("check", *options, "app", cwd=project)
    assert (done.returncode, done.stdout) == (2, b"")
    (problem,) = error_lines(done)
    assert told in problem
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[tool.claude-api-lint]\nselct = ["CAV101"]', "unknown key 'selct'"),
        ("[tool.claude-api-lint", "not a TOML file"),
        ('[tool.claude-api-lint]\ntarget-version = "2024-01-01"', "2023-01-01, 2023-06-01, 2026-10-21"),
    ],
)
def test_a_bad_configuration_is_told_once_and_files_elsewhere_are_checked(project: Path, table: str, told: str) -> None:
    bad = project / "bad"
    bad.mkdir()
    (bad / "pyproject.toml").write_text(table)
    (bad / "one.py").write_text(BROKEN)
    (bad / "two.py").write_text(BROKEN)
    done = lint("fix", "bad", "app", cwd=project)
    assert done.returncode == 2
    (problem,) = error_lines(done)
    assert told in problem
    assert str(bad / "pyproject.toml") in problem
    assert (bad / "one.py").read_text() == BROKEN
    assert (project / "app" / "ask.py").read_text() == MENDED


def test_a_path_cannot_steer_the_terminal(project: Path) -> None:
    (project / "app" / "\x1b[31mred\n.py").write_text(BROKEN)
    done = lint("check", "app", "no\x1bwhere", cwd=project)
    assert b"\x1b" not in done.stdout + done.stderr
    assert rb"app/\x1b[31mred\n.py:3:12: CAV101" in done.stdout


def test_a_name_that_does_not_fit_the_terminal_is_escaped(project: Path) -> None:
    (project / "ünï.py").write_text(BROKEN)
    done = run(sys.executable, "-m", "claude_api_lint", "check", ".", cwd=project, env={"PYTHONIOENCODING": "cp1251"})
    assert rb"./\xfcn\xef.py:3:12: CAV101" in done.stdout


# The ends of a process.


def test_the_command_without_a_face_shows_its_help(tmp_path: Path) -> None:
    done = lint(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Usage: claude-api-lint" in done.stderr


def test_the_version_is_printed(tmp_path: Path) -> None:
    done = lint("--version", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(b"claude-api-lint")


def test_a_closed_standard_input_is_a_problem_not_a_crash(project: Path) -> None:
    done = run("sh", "-c", f'"{sys.executable}" -m claude_api_lint check - app <&-', cwd=project)
    assert done.returncode == 2
    assert LINE in done.stdout.decode()
    assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    command = [sys.executable, "-m", "claude_api_lint", "check", "app"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""


def wait_until_it_waits(pid: int) -> None:
    """Return when a process has been asleep for a while: it waits for its standard input."""
    asleep, used = 0, ""
    while asleep < 5:
        time.sleep(0.2)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        asleep = asleep + 1 if fields[0] == "S" and fields[11] == used else 0
        used = fields[11]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="nobody tells what a process does")
def test_an_interrupt_ends_quietly(project: Path) -> None:
    command = [sys.executable, "-m", "claude_api_lint", "check", "-"]
    with subprocess.Popen(
        command,
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a background job ignores it
    ) as process:
        wait_until_it_waits(process.pid)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert process.returncode == 130
    assert stderr.strip() == b""
