"""Which files a path stands for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_api_lint import discovery
from claude_api_lint.discovery import changed_only, find_files, listed_files, read_file
from claude_api_lint.git import GitError, changed_since
from claude_api_lint.patterns import Excludes, Patterns
from commands import git, run_python


class Found:
    """The files found, and the problems told, from a folder."""

    def __init__(self, *paths: str, **options: Any) -> None:
        self.problems: list[tuple[str, str]] = []
        self.files = list(find_files(paths, lambda path, what: self.problems.append((path, what)), **options))


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


# What git ignores


ALL = ["./a.py", "./a.pyi", "./b.py", "./pkg.py", "./pkg/z.py", "./pkg/sub/y.py"]


@pytest.fixture(params=["a checkout", "a plain folder", "a checkout without git"])
def kind(request: pytest.FixtureRequest, tree: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The three ways to honour ignore files; they have to agree."""
    if request.param != "a plain folder":
        git("init", "--quiet", cwd=tree)
    if request.param == "a checkout without git":
        monkeypatch.setenv("PATH", str(tree / "nowhere"))
    return str(request.param)


@pytest.mark.parametrize(
    ("ignore_files", "left_out"),
    [
        ({}, []),
        ({".gitignore": "pkg/sub/\n# a comment\n\n"}, ["./pkg/sub/y.py"]),
        ({".gitignore": "z.py\nb.*\n"}, ["./b.py", "./pkg/z.py"]),
        ({".gitignore": "/z.py\n/b.py\n"}, ["./b.py"]),
        ({".gitignore": "*.py\n!/a.py\n!y.py\n"}, ["./b.py", "./pkg.py", "./pkg/z.py"]),
        ({".gitignore": "pkg/*\n!pkg/z.py\n"}, ["./pkg/sub/y.py"]),
        ({"pkg/.gitignore": "*.py\n", "pkg/sub/.gitignore": "!y.py\n"}, ["./pkg/z.py"]),
        ({"pkg/.gitignore": "/sub\n"}, ["./pkg/sub/y.py"]),
        ({".gitignore": "!\n[z-a]\nb.py\n"}, ["./b.py"]),
    ],
)
def test_what_git_ignores_is_left_out(tree: Path, kind: str, ignore_files: dict[str, str], left_out: list[str]) -> None:
    for name, content in ignore_files.items():
        (tree / name).write_text(content)
    assert Found(".").files == [name for name in ALL if name not in left_out]
    assert Found(".", respect_gitignore=False).files == ALL


def test_an_ignore_file_above_the_folder_that_is_named_counts(tree: Path, kind: str) -> None:
    (tree / ".gitignore").write_text("y.py\n")
    assert Found("pkg").files == ["pkg/z.py"]
    assert Found("pkg/sub", "pkg/sub/y.py").files[-1:] == ["pkg/sub/y.py"]


def test_a_file_that_is_named_is_taken_though_git_ignores_it(tree: Path, kind: str) -> None:
    (tree / ".gitignore").write_text("*\n")
    assert Found("pkg/z.py").files == ["pkg/z.py"]


def test_a_folder_of_which_git_ignores_everything_was_named_on_purpose(tree: Path) -> None:
    git("init", "--quiet", cwd=tree)
    (tree / ".gitignore").write_text("pkg\n")
    assert Found("pkg").files == ["pkg/z.py", "pkg/sub/y.py"]


def test_a_file_that_git_tracks_is_taken_though_it_is_ignored_and_one_that_is_gone_is_not(tree: Path) -> None:
    git("init", "--quiet", cwd=tree)
    git("add", ".", cwd=tree)
    (tree / ".gitignore").write_text("a.py\n")
    (tree / "b.py").unlink()
    assert Found(".").files == [name for name in ALL if name != "./b.py"]


def test_checkouts_within_are_walked_by_their_own_ignore_files(tree: Path) -> None:
    inner = tree / "pkg" / "sub"
    (inner / "x.py").write_text("")
    (inner / ".gitignore").write_text("y.py\n")
    git("init", "--quiet", cwd=inner)
    git("add", ".", cwd=inner)
    git("commit", "--quiet", "--message", "x", cwd=inner)
    expected = ["pkg/z.py", "pkg/sub/x.py"]
    assert Found("pkg").files == expected  # below a plain folder
    git("init", "--quiet", cwd=tree)
    assert Found("pkg").files == expected  # unknown to the checkout around it
    git("-c", "advice.addEmbeddedRepo=false", "add", "pkg", cwd=tree)
    assert Found("pkg").files == expected  # a submodule of it


def test_folders_of_tools_are_left_out_of_a_checkout_though_git_tracks_them(tree: Path) -> None:
    git("init", "--quiet", cwd=tree)
    (tree / "pkg" / "build").mkdir()
    (tree / "pkg" / "build" / "x.py").write_text("")
    git("add", "--force", ".", cwd=tree)
    assert Found(".").files == ALL
    assert Found("pkg/build").files == ["pkg/build/x.py"]


def test_git_is_not_led_astray_by_a_hook_that_it_runs_in(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "--quiet", cwd=tree)
    (tree / ".git" / "info").mkdir(exist_ok=True)
    (tree / ".git" / "info" / "exclude").write_text("b.py\n")
    monkeypatch.setenv("GIT_DIR", "elsewhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "elsewhere")
    assert "./b.py" not in Found(".").files


def test_a_repository_cannot_name_a_program_to_run(tree: Path) -> None:
    git("init", "--quiet", cwd=tree)
    git("config", "core.fsmonitor", f"touch {tree}/ran; false", cwd=tree)
    assert Found(".").files == ALL
    assert not (tree / "ran").exists()


@pytest.mark.parametrize("name", ["ünï.py", "with space.py", "new\nline.py", 'quo"te.py', "raw\udcff.py"])
def test_any_name_is_found_in_a_checkout(tree: Path, name: str) -> None:
    git("init", "--quiet", cwd=tree)
    (tree / "pkg" / name).write_text("")
    git("add", ".", cwd=tree)
    assert f"pkg/{name}" in Found("pkg").files


def test_pathspec_is_imported_where_there_is_a_pattern_only(tree: Path) -> None:
    script = (
        "import sys; from claude_api_lint.discovery import find_files; "
        "files = list(find_files(['.'], print)); print(len(files), 'pathspec' in sys.modules)"
    )
    assert run_python("-c", script, cwd=tree).stdout == b"6 False\n"
    (tree / ".gitignore").write_text("b.py\n")
    assert run_python("-c", script, cwd=tree).stdout == b"5 True\n"
    git("init", "--quiet", cwd=tree)
    assert run_python("-c", script, cwd=tree).stdout == b"5 False\n"


@pytest.mark.skipif(sys.platform == "win32", reason="paths are shorter there")
def test_a_very_deep_folder_is_no_problem(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "--quiet", cwd=tree)
    names = ["d"] * 1500
    monkeypatch.setattr(discovery, "listed", lambda _: iter(["/".join([*names, "x.py"])]))
    assert Found(".").files == []  # as it is not there; what counts is that nothing breaks


# What is excluded


def excluding(folder: Path, *lines: str, defaults: bool = True) -> dict[str, Any]:
    return {"excludes_in": lambda _: Excludes((Patterns(str(folder), lines),), defaults)}


@pytest.mark.parametrize(
    ("lines", "left_out"),
    [
        (["pkg"], ["./pkg/z.py", "./pkg/sub/y.py"]),
        (["pkg/*.py"], ["./pkg/z.py"]),
        (["**/sub/**"], ["./pkg/sub/y.py"]),
        (["/sub"], []),
        (["*.pyi", "b.py"], ["./a.pyi", "./b.py"]),
    ],
)
def test_patterns_leave_paths_out(tree: Path, kind: str, lines: list[str], left_out: list[str]) -> None:
    assert Found(".", **excluding(tree, *lines)).files == [name for name in ALL if name not in left_out]


def test_what_is_named_is_taken_though_it_is_excluded(tree: Path, kind: str) -> None:
    options = excluding(tree, "pkg", "b.py")
    assert Found("pkg", "b.py", **options).files == ["pkg/z.py", "pkg/sub/y.py", "b.py"]
    assert Found("pkg/z.py", "b.py", "a.py", "-", force_exclude=True, **options).files == ["a.py", "-"]


def test_forced_excludes_hold_the_default_ones_as_well(tree: Path) -> None:
    (tree / "venv").mkdir()
    (tree / "venv" / "x.py").write_text("")
    assert Found("venv/x.py", "a.py", force_exclude=True).files == ["a.py"]
    assert Found("venv/x.py", force_exclude=True, **excluding(tree, "b", defaults=False)).files == ["venv/x.py"]


def test_the_folder_that_one_is_in_may_have_any_name(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tree / "build" / "pkg"
    inside.mkdir(parents=True)
    (inside / "x.py").write_text("")
    monkeypatch.chdir(inside)
    assert Found("x.py", str(tree / "a.py"), force_exclude=True).files == ["x.py", str(tree / "a.py")]
    assert Found(str(inside / "x.py"), force_exclude=True).files == [str(inside / "x.py")]


def test_without_the_default_excludes_everything_is_walked(tree: Path) -> None:
    (tree / "build").mkdir()
    (tree / "build" / "x.py").write_text("")
    assert "./build/x.py" in Found(".", **excluding(tree, "b.py", defaults=False)).files


# Lists, and what has changed


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"", []),
        (b"a.py\nb c.py\n", ["a.py", "b c.py"]),
        (b"a.py\r\n\r\nb.py", ["a.py", "b.py"]),
        (b"a\nb.py\0c.py\0", ["a\nb.py", "c.py"]),
        (b"-\n\xff.py\n", ["./-", "\udcff.py"]),
    ],
)
def test_a_list_of_paths_has_one_on_each_line_or_ends_them_with_nul(data: bytes, names: list[str]) -> None:
    assert listed_files(data) == names


@pytest.fixture
def history(tree: Path) -> Path:
    """A checkout on a branch, with a file of each fate since it left."""
    git("init", "--quiet", "--initial-branch", "main", cwd=tree)
    (tree / "gone.py").write_text("")
    git("add", ".", cwd=tree)
    git("commit", "--quiet", "--message", "first", cwd=tree)
    git("checkout", "--quiet", "-b", "work", cwd=tree)
    (tree / "a.py").write_text("committed")
    git("commit", "--quiet", "--all", "--message", "work", cwd=tree)
    git("checkout", "--quiet", "main", cwd=tree)
    (tree / "pkg.py").write_text("somebody else's")
    git("commit", "--quiet", "--all", "--message", "meanwhile", cwd=tree)
    git("checkout", "--quiet", "work", cwd=tree)
    (tree / "b.py").write_text("not committed")
    (tree / "pkg" / "ü new.py").write_text("")
    (tree / "gone.py").unlink()
    return tree


def test_what_has_changed_since_a_branch_was_left_is_found(history: Path) -> None:
    changed = changed_since(str(history), "main")
    assert changed == {str(history / name) for name in ("a.py", "b.py", "pkg/ü new.py")}
    assert list(changed_only(Found(".").files, changed)) == ["./a.py", "./b.py", "./pkg/ü new.py"]
    assert changed_since(str(history), "HEAD") == changed - {str(history / "a.py")}


def test_a_linked_folder_is_the_folder_that_it_links_to(history: Path) -> None:
    (history / "link").symlink_to(history / "pkg")
    assert list(changed_only(["link/ü new.py"], changed_since(str(history), "main"))) == ["link/ü new.py"]


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD:a.py", ""])
def test_a_revision_that_does_not_exist_is_told(history: Path, revision: str) -> None:
    with pytest.raises(GitError, match="unknown revision"):
        changed_since(str(history), revision)
    assert not (history / "x").exists()
