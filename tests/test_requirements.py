"""Which releases of a distribution a project asks for, by its own files."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_api_lint.requirements import EVERYTHING, MAX_FOLDERS, MAX_SIZE, Span, required, span

BELOW_ONE = Span(high=(1,))


def asked(folder: Path, **files: str) -> tuple[Span, ...]:
    """What a project with these files asks for, as a module deep inside it sees it."""
    for name, text in files.items():
        (folder / name.replace("_dot_", ".")).write_text(text)
    return required(str(folder / "src" / "app" / "ask.py"), "anthropic")


@pytest.mark.parametrize(
    ("specifier", "wanted"),
    [
        ("<1", BELOW_ONE),
        (">=0.39,<1.0.0", Span((0, 39), (1,))),
        (">= 0.39 , < 1", Span((0, 39), (1,))),
        ("~=0.75", Span((0, 75), (1,))),
        ("~=0.75.1", Span((0, 75, 1), (0, 76))),
        ("==0.*", Span((), (1,))),
        ("^0.39.2", Span((0, 39, 2), (0, 40))),
        ("^1.2", Span((1, 2), (2,))),
        ("^0.0.3", Span((0, 0, 3), (0, 0, 4))),
        ("~0.75", Span((0, 75), (0, 76))),
        (">=1,!=1.3.0", Span((1,))),
        (">2.0.0rc1", Span((2,))),
        ("*", EVERYTHING),
        ("", EVERYTHING),
        (">=1,<0.5", EVERYTHING),
        ("@ git+https://example.com/sdk", EVERYTHING),
        ("^0.39 || ^1", EVERYTHING),
        ("==9999999999", EVERYTHING),
    ],
)
def test_a_specifier_lets_releases_in(specifier: str, wanted: Span) -> None:
    assert span(specifier) == wanted


@pytest.mark.parametrize("specifier", ["==0.39.0", "0.39.0", "<=0.39", "===0.39"])
def test_an_exact_release_is_below_the_next_one(specifier: str) -> None:
    assert not (span(specifier) & Span((0, 39), (0, 39, 1))).is_empty
    assert (span(specifier) & Span((0, 39, 1))).is_empty


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "requests\nanthropic<1  # until the move\n"),
        ("requirements.txt", "anthropic[bedrock] (<1); python_version > '3.8'\n"),
        ("requirements-dev.txt", "-r base.txt\nAnthropic <1 \\\n    --hash=sha256:00\n"),
        ("pyproject.toml", '[project]\ndependencies = ["anthropic<1"]\n'),
        ("pyproject.toml", '[project.optional-dependencies]\nclaude = ["anthropic < 1"]\n'),
        ("pyproject.toml", '[dependency-groups]\ndev = [{include-group = "x"}, "anthropic<1"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\nanthropic = "<1"\n'),
        ("pyproject.toml", '[tool.poetry.group.ai.dependencies]\nanthropic = {version = "<1", extras = ["x"]}\n'),
        ("setup.cfg", "[options]\ninstall_requires =\n    requests\n    anthropic<1\n"),
        ("setup.cfg", "[options.extras_require]\nclaude = anthropic<1\n"),
    ],
)
def test_a_requirement_is_found_wherever_projects_write_it(tmp_path: Path, name: str, text: str) -> None:
    assert asked(tmp_path, **{name: text}) == (BELOW_ONE,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[project\ndependencies = ['anthropic<1']"),
        ("pyproject.toml", "project = 1\ntool = []\n[dependency-groups]\ndev = 'anthropic<1'\n"),
        ("setup.cfg", "anthropic<1"),
        ("requirements.txt", "anthropic-tools<1\nlangchain-anthropic<1\n# anthropic<1\n-r anthropic<1\n"),
        ("requirements.txt", "anthropic<1\n" + "#" * MAX_SIZE),
        ("constraints.txt", "anthropic<1"),
    ],
)
def test_what_is_broken_or_about_something_else_leaves_everything_open(tmp_path: Path, name: str, text: str) -> None:
    assert asked(tmp_path, **{name: text}) == (EVERYTHING,)


def test_bytes_that_are_no_text_leave_everything_open(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfe\x00anthropic<1")
    assert asked(tmp_path) == (EVERYTHING,)


def test_a_folder_under_the_name_of_a_file_leaves_everything_open(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    assert asked(tmp_path) == (EVERYTHING,)


def test_each_statement_counts(tmp_path: Path) -> None:
    texts = {"requirements.txt": "anthropic==2.1.0", "setup.cfg": "[options]\ninstall_requires = anthropic<1"}
    assert len(asked(tmp_path, **texts)) == 2


def test_the_nearest_folder_that_names_the_distribution_counts(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "requirements.txt").write_text("anthropic<1")
    (tmp_path / "src" / "pyproject.toml").write_text("[project]\ndependencies = []")
    assert asked(tmp_path, **{"requirements.txt": "anthropic>=2"}) == (BELOW_ONE,)


def test_what_stands_above_the_repository_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "src" / ".git").mkdir(parents=True)
    assert asked(tmp_path, **{"requirements.txt": "anthropic<1"}) == (EVERYTHING,)


def test_the_search_upwards_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("anthropic<1")
    deep = "/".join(["d"] * MAX_FOLDERS)
    assert required(str(tmp_path / deep / "ask.py"), "anthropic") == (EVERYTHING,)
    assert required(str(tmp_path / deep[2:] / "ask.py"), "anthropic") == (BELOW_ONE,)
