"""Which files a path stands for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from claude_api_lint.discovery import find_files, read_file


class Found:
    """The files found, and the problems told, from a folder."""

    def __init__(self, *paths: str) -> None:
        self.problems: list[tuple[str, str]] = []
        self.files = list(find_files(paths, lambda path, what: self.problems.append((path, what))))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project; the tests stand in it."""
    for name in ("b.py", "a.py", "a.pyi", "notes.txt", "script", "pkg/z.py", "pkg/sub/y.py", "pkg.py", "A.PY"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_stands_for_the_python_files_below_it_in_order(tree: Path) -> None:
    assert Found(".").files == ["./a.py", "./a.pyi", "./b.py", "./pkg.py", "./pkg/z.py", "./pkg/sub/y.py"]


def test_a_folder_stands_for_its_notebooks_and_for_others_when_asked(tree: Path) -> None:
    (tree / "pkg" / "a.ipynb").touch()
    (tree / "pkg" / "a.md").touch()
    assert Found("pkg").files == ["pkg/a.ipynb", "pkg/z.py", "pkg/sub/y.py"]
    assert list(find_files(["pkg"], lambda path, what: None, (".md",))) == ["pkg/a.md"]


@pytest.mark.parametrize("given", ["pkg", "pkg/", "./pkg", "../{name}/pkg"])
def test_paths_begin_as_they_were_given(tree: Path, given: str) -> None:
    given = given.format(name=tree.name)
    assert Found(given).files == [f"{given.rstrip('/')}/z.py", f"{given.rstrip('/')}/sub/y.py"]


def test_an_absolute_path_stays_absolute(tree: Path) -> None:
    assert Found(str(tree / "pkg")).files == [f"{tree}/pkg/z.py", f"{tree}/pkg/sub/y.py"]


def test_a_file_that_is_named_is_taken_whatever_its_name(tree: Path) -> None:
    assert Found("script", "notes.txt").files == ["script", "notes.txt"]


def test_a_file_is_taken_once(tree: Path) -> None:
    assert Found("pkg/z.py", "pkg", str(tree / "pkg" / "sub"), "./pkg/z.py").files == ["pkg/z.py", "pkg/sub/y.py"]


def test_the_standard_input_is_passed_on(tree: Path) -> None:
    assert Found("-", "a.py", "-").files == ["-", "a.py"]


@pytest.mark.parametrize(
    "folder",
    [
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "__pycache__",
        ".tox",
        ".nox",
        "node_modules",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        "build",
        "dist",
        ".eggs",
        "thing.egg-info",
    ],
)
def test_folders_that_hold_no_code_of_the_project_are_left_out_unless_named(tree: Path, folder: str) -> None:
    inside = tree / "pkg" / folder
    inside.mkdir()
    (inside / "x.py").write_text("")
    assert Found("pkg").files == ["pkg/z.py", "pkg/sub/y.py"]
    assert Found(f"pkg/{folder}").files == [f"pkg/{folder}/x.py"]
    assert Found(f"pkg/{folder}/x.py").files == [f"pkg/{folder}/x.py"]


def test_site_packages_are_walked(tree: Path) -> None:
    (tree / "site-packages").mkdir()
    (tree / "site-packages" / "x.py").write_text("")
    assert "./site-packages/x.py" in Found(".").files


def test_a_folder_named_like_a_file_is_walked(tree: Path) -> None:
    (tree / "odd.py").mkdir()
    (tree / "odd.py" / "x.py").write_text("")
    assert Found("odd.py").files == ["odd.py/x.py"]
    assert "./odd.py/x.py" in Found(".").files


def test_links_to_folders_are_not_followed_and_links_to_files_are(tree: Path) -> None:
    (tree / "pkg" / "loop").symlink_to(tree)
    (tree / "pkg" / "link.py").symlink_to("z.py")
    (tree / "pkg" / "broken.py").symlink_to("nowhere.py")
    found = Found("pkg")
    assert found.files == ["pkg/link.py", "pkg/z.py", "pkg/sub/y.py"]
    assert found.problems == []


def test_a_pipe_in_a_folder_is_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "pkg" / "pipe.py")
    assert Found("pkg").files == ["pkg/z.py", "pkg/sub/y.py"]


def test_a_path_that_does_not_exist_is_a_problem(tree: Path) -> None:
    found = Found("nowhere", "a.py")
    assert found.files == ["a.py"]
    (problem,) = found.problems
    assert problem[0] == "nowhere"
    assert problem[1].startswith("no such file or folder; ")


def test_a_folder_that_cannot_be_listed_is_a_problem(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path == "./pkg/sub":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = Found(".")
    assert "./pkg/z.py" in found.files
    assert [path for path, _ in found.problems] == ["./pkg/sub"]


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000 + b"\r\n\x1a"
    (tmp_path / "a.py").write_bytes(content)
    assert read_file(str(tmp_path / "a.py")) == content


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    script = "import sys; out = open(sys.argv[1], 'wb', 0); [out.write(b'x' * 50_000) for _ in range(10)]"
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "pipe")]):
        assert read_file(str(tmp_path / "pipe")) == b"x" * 500_000
