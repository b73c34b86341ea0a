"""The hooks, run by pre-commit as in a user's repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from commands import BROKEN, CLEAN, MENDED, REPOSITORY, git, run

pytestmark = [pytest.mark.index, pytest.mark.xdist_group("pre-commit")]  # one environment for all


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository that holds the working tree as it stands."""
    copy = tmp_path_factory.mktemp("hooks") / "claude-api-lint"
    listed = git("ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=REPOSITORY).split("\0")
    for name in filter(None, listed):
        if (REPOSITORY / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((REPOSITORY / name).read_bytes())
    git("init", "--quiet", cwd=copy)
    git("add", "--all", cwd=copy)
    git("commit", "--quiet", "--message", "As it stands", cwd=copy)
    return copy


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps the environment of the hooks, so that it makes one for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's repository."""
    git("init", "--quiet", cwd=tmp_path)
    (tmp_path / "ask.py").write_text(BROKEN)
    (tmp_path / "stub.pyi").write_text("def ask(key: str, text: str) -> object: ...\n")
    (tmp_path / "hello.py").write_text(CLEAN)
    (tmp_path / "notes.md").write_text(BROKEN)
    git("add", "--all", cwd=tmp_path)
    return tmp_path


def use(hook: str, hooks: Path, cache: Path, project: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a hook over every file of the project."""
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), hook, "--all-files", "--verbose"]
    return run(*command, cwd=project, env={"PRE_COMMIT_HOME": str(cache)}, timeout=600)


def test_the_checking_hook_fails_with_the_findings(hooks: Path, cache: Path, project: Path) -> None:
    done = use("claude-api-lint", hooks, cache, project)
    assert done.returncode == 1, done.stderr.decode()
    assert b"ask.py:3:12: CAV101 " in done.stdout
    assert b"notes.md" not in done.stdout
    assert (project / "ask.py").read_text() == BROKEN


def test_the_mending_hook_mends_and_then_passes(hooks: Path, cache: Path, project: Path) -> None:
    done = use("claude-api-fix", hooks, cache, project)
    assert done.returncode == 1, done.stderr.decode()
    assert b"files were modified by this hook" in done.stdout
    assert (project / "ask.py").read_text() == MENDED
    git("add", "--all", cwd=project)
    for hook in ("claude-api-fix", "claude-api-lint"):
        again = use(hook, hooks, cache, project)
        assert again.returncode == 0, again.stdout.decode()
