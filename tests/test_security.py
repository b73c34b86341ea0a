"""The checked code is read, and no more: it is not run, nothing is sent, and only the named files are written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import BROKEN, REPOSITORY, flake8, run
from hostile import hostile_files

AUDITED = Path(__file__).resolve().parent / "audited.py"
CORPUS = Path(os.environ.get("CLAUDE_API_LINT_CORPUS") or REPOSITORY / "build" / "corpus")

TRAP = "import os, sys\nopen(os.environ['TRAP'], 'w').write(__file__)\nsys.exit(3)\n"
SHADOWED = (
    "libcst", "click", "tomli", "json", "ast", "tokenize", "fixers", "lint_rules", "claude_api_lint", "sitecustomize",
)  # fmt: skip
"""Modules that a checked project may have in its root under the names of ours, or of those that we use."""

ALONE = ("--jobs", "1", "--no-cache")
"""In one process, and with nothing kept: what other processes do is not heard."""


def heard(folder: Path, *arguments: str) -> list[str]:
    """What the command does beyond reading, by Python's own audit events."""
    done = run(sys.executable, "-B", AUDITED, folder, *arguments, cwd=folder, timeout=1800)
    assert b"\nHEARD" in done.stdout, done.stderr.decode()[-2000:]
    return done.stdout.partition(b"\nHEARD")[2].decode().split("\n")[1:]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The fixtures, and small hostile files."""
    folder = tmp_path / "tree"
    for kind in ("broken", "unfixable"):
        shutil.copytree(REPOSITORY / "fixtures" / kind, folder / kind)
    for name, data in hostile_files().items():
        if len(data) < 1_000:
            (folder / f"{name}.py").write_bytes(data)
    return folder


def test_checking_writes_nothing_runs_nothing_and_reaches_nothing(tree: Path) -> None:
    assert heard(tree, "check", *ALONE, ".") == []


def test_fixing_writes_the_named_files_alone(tree: Path) -> None:
    assert heard(tree, "fix", *ALONE, "--unsafe-fixes", ".") == []


def test_showing_what_a_fix_would_do_writes_nothing(tree: Path) -> None:
    assert heard(tree, "fix", *ALONE, "--diff", "broken/CAV101") == []


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the packages of benchmarks/accuracy are not there")
def test_checking_published_packages_writes_nothing_runs_nothing_and_reaches_nothing() -> None:
    assert heard(CORPUS, "check", *ALONE, ".") == []


@pytest.mark.parametrize("event", ["write", "run", "connect", "start"])
def test_the_ear_hears(event: str, tmp_path: Path) -> None:
    does = {
        "write": "open('other.txt', 'w').close()",
        "run": "exec(compile('x = 1', 'tree/program.py', 'exec'))",
        "connect": "import socket; socket.socket()",
        "start": "import subprocess; subprocess.run(['true'])",
    }
    (tmp_path / "tree").mkdir()
    script = (
        f"import sys; sys.path.insert(0, {str(AUDITED.parent)!r}); import audited; "
        f"ear = audited.Ear('tree', may_write=True); sys.addaudithook(ear); {does[event]}; print(len(ear.heard))"
    )
    done = run(sys.executable, "-c", script, cwd=tmp_path)
    assert int(done.stdout) >= 1, done.stderr


def program(name: str) -> Path:
    """A command as it is installed; ``python -m`` looks into the current folder first, as Python does."""
    return Path(sys.executable).with_name(name)


@pytest.mark.parametrize("command", [["claude-api-lint", "check"], ["claude-api-lint", "fix"], ["flake8"]])
def test_nothing_of_the_checked_project_is_imported(command: list[str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in SHADOWED:
        (project / f"{name}.py").write_text(TRAP)
    (project / "conftest.py").write_text(TRAP)
    (project / "ask.py").write_text("import libcst, fixers, json\nfrom claude_api_lint import x\n" + BROKEN)
    done = subprocess.run(
        [program(command[0]), *command[1:], "."],
        cwd=project,
        capture_output=True,
        env={**os.environ, "TRAP": str(tmp_path / "sprung")},
        timeout=120,
    )
    assert not (tmp_path / "sprung").exists()
    assert b"CAV101" in done.stdout or b"Fixed 1 finding" in done.stderr


def test_flake8_hears_of_names_and_texts_without_what_steers_a_terminal(tmp_path: Path) -> None:
    names = [name for name in hostile_files() if "escape" in name]
    for name in names:
        (tmp_path / f"{name}.py").write_bytes(hostile_files()[name])
    done = flake8(".", cwd=tmp_path)
    assert b"CAV" in done.stdout
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout.decode())
