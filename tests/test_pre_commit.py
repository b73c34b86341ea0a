"""The hooks, run by pre-commit as in a user's repository."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

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
    (tmp_path / "notes.txt").write_text(BROKEN)
    (tmp_path / "ask.ipynb").write_text(nbformat.writes(new_notebook(cells=[new_code_cell(BROKEN)])))
    (tmp_path / "ask.md").write_text(f"```python\n{BROKEN}```\n")
    (tmp_path / "ask.rst").write_text(f".. code-block:: python\n\n{textwrap.indent(BROKEN, '   ')}")
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
    assert b"ask.ipynb:cell 1:3:12: CAV101 " in done.stdout
    assert b"notes.txt" not in done.stdout
    assert b"ask.md" not in done.stdout
    assert (project / "ask.py").read_text() == BROKEN


def test_the_mending_hook_mends_and_then_passes(hooks: Path, cache: Path, project: Path) -> None:
    done = use("claude-api-fix", hooks, cache, project)
    assert done.returncode == 1, done.stderr.decode()
    assert b"files were modified by this hook" in done.stdout
    assert (project / "ask.py").read_text() == MENDED
    assert nbformat.read(project / "ask.ipynb", as_version=4).cells[0].source == MENDED
    git("add", "--all", cwd=project)
    for hook in ("claude-api-fix", "claude-api-lint"):
        again = use(hook, hooks, cache, project)
        assert again.returncode == 0, again.stdout.decode()


def test_the_checking_hook_for_documents_reads_their_code_blocks(hooks: Path, cache: Path, project: Path) -> None:
    done = use("claude-api-lint-docs", hooks, cache, project)
    assert done.returncode == 1, done.stderr.decode()
    assert b"ask.md:4:12: CAV101 " in done.stdout
    assert b"ask.rst:5:15: CAV101 " in done.stdout
    assert b"ask.py" not in done.stdout


def test_the_mending_hook_for_documents_mends_their_code_blocks(hooks: Path, cache: Path, project: Path) -> None:
    done = use("claude-api-fix-docs", hooks, cache, project)
    assert done.returncode == 1, done.stderr.decode()
    assert (project / "ask.md").read_text() == f"```python\n{MENDED}```\n"
    assert (project / "ask.py").read_text() == BROKEN
    git("add", "--all", cwd=project)
    assert use("claude-api-lint-docs", hooks, cache, project).returncode == 0
