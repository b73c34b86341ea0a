"""``[tool.claude-api-lint]``: where it is looked for, what it may say, and what is said about its mistakes."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tomli

from claude_api_lint.configuration import KEYS, Configuration, ConfigurationError, Options, read_options
from claude_api_lint.describing import described
from claude_api_lint.findings import Applicability
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings
from commands import BROKEN, run_python

EVERYTHING = Options(("CAV1",), ("CAV105",), "2023-01-01", True)


def write(folder: Path, body: str) -> Path:
    """A pyproject.toml with this table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(f"[tool.claude-api-lint]\n{body}\n")
    return folder / "pyproject.toml"


def test_every_key_is_read(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        'select = ["CAV1"]\nignore = ["CAV105"]\ntarget-version = "2026-10-21"\nunsafe-fixes = true',
    )
    assert read_options(str(file)) == Options(("CAV1",), ("CAV105",), "2026-10-21", True)
    file = write(
        tmp_path,
        'extend-select = ["CAV2"]\nexclude = ["gen"]\nextend-exclude = ["old"]\nbaseline = "b.json"\n'
        'extend-safe-fixes = ["CAV3"]\nextend-unsafe-fixes = ["CAV4"]\nper-file-ignores = { "tests/*" = ["CAV1"] }',
    )
    assert read_options(str(file)) == Options(
        extend_select=("CAV2",),
        exclude=("gen",),
        extend_exclude=("old",),
        baseline="b.json",
        extend_safe_fixes=("CAV3",),
        extend_unsafe_fixes=("CAV4",),
        per_file_ignores=(("tests/*", ("CAV1",)),),
    )


def test_without_a_file_everything_is_as_it_comes(tmp_path: Path) -> None:
    assert Configuration().settings_for(str(tmp_path / "a.py")) == Settings()


def test_a_file_without_the_table_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["claude-api-lint"]\n')
    assert read_options(str(tmp_path / "pyproject.toml")) is None


def test_the_nearest_table_governs(tmp_path: Path) -> None:
    write(tmp_path, 'target-version = "2023-01-01"')
    write(tmp_path / "near", 'ignore = ["CAV105"]')
    configuration = Configuration()
    assert configuration.settings_for(str(tmp_path / "a.py")).target_version == "2023-01-01"
    assert configuration.settings_for(str(tmp_path / "near" / "below" / "a.py")) == Settings(ignore=("CAV105",))


def test_a_nearer_file_without_the_table_is_passed_by(tmp_path: Path) -> None:
    write(tmp_path, 'ignore = ["CAV105"]')
    (tmp_path / "member").mkdir()
    (tmp_path / "member" / "pyproject.toml").write_text("[project]\nname = 'member'\n")
    assert Configuration().settings_for(str(tmp_path / "member" / "a.py")).ignore == ("CAV105",)


def test_a_relative_path_is_looked_up_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'ignore = ["CAV105"]')
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for path in ("a.py", "./a.py", "../a.py", "-"):
        assert Configuration().settings_for(path).ignore == ("CAV105",)


def test_a_folder_is_looked_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, 'ignore = ["CAV105"]')
    configuration = Configuration()
    configuration.settings_for(str(tmp_path / "a.py"))
    file.unlink()
    assert configuration.settings_for(str(tmp_path / "b.py")).ignore == ("CAV105",)
    assert configuration.settings_for(str(tmp_path / "below" / "c.py")).ignore == ("CAV105",)


@pytest.mark.parametrize(
    ("options", "file", "expected"),
    [
        (Options(), EVERYTHING, EVERYTHING),
        (EVERYTHING, Options(("CAV2",), ("CAV201",), "2026-10-21", False), EVERYTHING),
        (Options(unsafe_fixes=False), Options(unsafe_fixes=True), Options(unsafe_fixes=False)),
        (Options(ignore=("CAV102",)), Options(ignore=("CAV101",)), Options(ignore=("CAV102",))),
        (Options(select=("CAV101",)), Options(select=("CAV2",), ignore=("CAV101",)), Options(select=("CAV101",))),
    ],
)
def test_options_beat_the_file(options: Options, file: Options, expected: Options) -> None:
    assert options.over(file) == expected


def test_a_family_ignored_by_option_is_ignored_though_the_file_selects_its_members() -> None:
    settings = Options(ignore=("CAV1",)).over(Options(select=("CAV101", "CAV2"))).settings()
    assert not settings.selects("CAV101")
    assert settings.selects("CAV201")


@pytest.mark.parametrize(
    ("options", "file", "selected"),
    [
        (Options(), Options(extend_select=("CAV2",)), {"CAV101", "CAV105", "CAV201"}),
        (Options(), Options(ignore=("CAV1",), extend_select=("CAV101",)), {"CAV101", "CAV201"}),
        (Options(), Options(select=("CAV2",), extend_select=("CAV101",)), {"CAV101", "CAV201"}),
        (Options(select=("CAV105",)), Options(ignore=("CAV105",), extend_select=("CAV101",)), {"CAV105"}),
        (Options(extend_select=("CAV101",)), Options(select=("CAV2",)), {"CAV101", "CAV201"}),
        (Options(ignore=("CAV1",)), Options(extend_select=("CAV101",)), {"CAV201"}),
    ],
)
def test_rules_are_added_to_those_that_are_selected(options: Options, file: Options, selected: set[str]) -> None:
    settings = options.over(file).settings()
    assert {code for code in ("CAV101", "CAV105", "CAV201") if settings.selects(code)} == selected


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("tests/*", {"tests/a.py", "tests/sub/b.py"}),
        ("a.py", {"a.py", "tests/a.py"}),
        ("/a.py", {"a.py"}),
        ("!tests/", {"a.py"}),
    ],
)
def test_rules_are_ignored_for_the_files_that_a_pattern_names(tmp_path: Path, pattern: str, files: set[str]) -> None:
    write(tmp_path, f'select = ["CAV101", "CAV2"]\nper-file-ignores = {{ "{pattern}" = ["CAV1"] }}')
    configuration = Configuration()
    settings = {name: configuration.settings_for(str(tmp_path / name)) for name in FILES}
    assert {name for name in FILES if not settings[name].selects("CAV101")} == files
    assert all(settings[name].selects("CAV201") for name in FILES)


FILES = ("a.py", "tests/a.py", "tests/sub/b.py")


def test_patterns_count_from_the_folder_of_the_file_and_options_from_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write(tmp_path, 'exclude = ["/a"]\nextend-exclude = ["/b"]')

    def left_out(options: Options) -> set[str]:
        excludes = Configuration(options).excludes_in(str(tmp_path))
        names = ("a/x.py", "b/x.py", "here/a/x.py", "here/c/x.py", "build")
        return {name for name in names if excludes.match(str(tmp_path / name), is_folder=name == "build")}

    assert left_out(Options()) == {"a/x.py", "b/x.py"}
    assert left_out(Options(exclude=("/a",))) == {"here/a/x.py", "b/x.py"}
    assert left_out(Options(extend_exclude=("/c",))) == {"a/x.py", "b/x.py", "here/c/x.py"}


def test_the_baseline_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    write(tmp_path, 'baseline = "known.json"')
    assert Configuration().project_of(str(tmp_path / "below")).baseline == str(tmp_path / "known.json")
    assert Configuration(Options(baseline="b")).project_of(str(tmp_path)).baseline == "b"
    assert Configuration().project_of(str(tmp_path.parent)).baseline is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), Applicability.SAFE),
        (Settings(unsafe_fixes_of=("CAV1",)), Applicability.UNSAFE),
        (Settings(unsafe_fixes_of=("CAV1",), safe_fixes=("CAV101",)), Applicability.SAFE),
        (Settings(unsafe_fixes_of=("CAV101",), safe_fixes=("CAV101",)), Applicability.UNSAFE),
        (Settings(unsafe_fixes_of=("CAV2",)), Applicability.SAFE),
    ],
)
def test_what_counts_as_a_safe_fix_can_be_said(settings: Settings, expected: Applicability) -> None:
    assert settings.applicability("CAV101", Applicability.SAFE) is expected
    (finding,) = check_source(BROKEN.encode(), "a.py", settings).findings
    assert finding.fix is not None
    assert finding.fix.applicability is expected


def test_what_is_in_force_is_shown_with_where_it_is_from(tmp_path: Path) -> None:
    file = write(tmp_path, 'ignore = ["CAV105"]\nper-file-ignores = { "a \\"b" = ["CAV1"] }')
    shown = described(Configuration(Options(target_version="2023-01-01")), str(tmp_path / "a.py"))
    lines = shown.splitlines()
    origins = {line.partition(" = ")[0]: above for above, line in itertools.pairwise(lines) if line[0] != "#"}
    assert origins["ignore"] == origins["per-file-ignores"] == f'# from "{file}"'
    assert origins["target-version"] == "# from the command line"
    assert origins["select"] == "# from default"
    (tmp_path / "pyproject.toml").write_text(shown)
    assert set(KEYS) - {"baseline"} == set(tomli.loads(shown)["tool"]["claude-api-lint"])
    again = Configuration().settings_for(str(tmp_path / "a.py"))
    assert again == replace(Configuration().settings_for(str(tmp_path / "a.py")), target_version="2023-01-01")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('targetversion = "2023-06-01"', "unknown key 'targetversion' in [tool.claude-api-lint]; did you mean"),
        ('targetversion = "2023-06-01"', "did you mean 'target-version'?"),
        ("colour = 1", "known are baseline, exclude, extend-exclude, extend-safe-fixes, "),
        ('select = "CAV101"', "select in [tool.claude-api-lint]: it must be a list of rule codes"),
        ("ignore = [101]", "ignore in [tool.claude-api-lint]: it must be a list of rule codes"),
        ('select = ["CAV1011"]', "unknown rule code 'CAV1011'; did you mean 'CAV101'?"),
        ('select = ["cav101"]', "unknown rule code 'cav101'; did you mean 'CAV101'?"),
        ('select = [""]', "unknown rule code ''"),
        ('extend-select = ["CAV1011"]', "did you mean 'CAV101'?"),
        ('extend-safe-fixes = ["CAV1011"]', "did you mean 'CAV101'?"),
        ('per-file-ignores = ["CAV101"]', "it must be a table of patterns with rule codes"),
        ('per-file-ignores = { "a.py" = "CAV101" }', "it must be a list of rule codes"),
        ('per-file-ignores = { "a.py" = ["CAV1011"] }', "did you mean 'CAV101'?"),
        ('exclude = "gen"', "it must be a list of patterns"),
        ('exclude = ["!"]', "'!' is not a pattern as in .gitignore"),
        ('extend-exclude = [" "]', "' ' is not a pattern as in .gitignore"),
        ("baseline = true", "it must be a path in quotes"),
        ('target-version = "2023-06-02"', "(did you mean '2023-06-01'?)"),
        ("target-version = 2023-06-01", "it must be a version in quotes"),
        ('target-version = "2024-01-01"', "unknown target version '2024-01-01'"),
        ('target-version = "2024-01-01"', "the API has had 2023-01-01, 2023-06-01, 2026-10-21"),
        ("unsafe-fixes = 'yes'", "it must be true or false"),
        ("select = [", "not a TOML file"),
        ("[tool]\nclaude-api-lint = 1", "not a TOML file"),
    ],
)
def test_a_mistake_is_told_with_the_file_and_the_remedy(tmp_path: Path, body: str, told: str) -> None:
    file = write(tmp_path, body)
    with pytest.raises(ConfigurationError) as caught:
        Configuration().settings_for(str(tmp_path / "a.py"))
    assert str(caught.value).startswith(f"{file}: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[tool]\nclaude-api-lint = 1\n", "must be a table"),
        (b"# claude-api-lint \xff\n", "not a TOML file"),
        (b"claude-api-lint = " + b"[" * 100_000, "not a TOML file"),
    ],
)
def test_a_file_that_cannot_be_understood_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=told):
        read_options(str(tmp_path / "pyproject.toml"))


def test_tool_may_be_anything_in_a_file_that_is_not_for_us(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("# claude-api-lint\ntool = 1\n")
    assert read_options(str(tmp_path / "pyproject.toml")) is None


def test_tomli_is_imported_for_a_file_that_mentions_the_table_only(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    script = (
        "import sys; from claude_api_lint.configuration import Configuration; "
        "Configuration().settings_for(sys.argv[1]); print('tomli' in sys.modules)"
    )
    assert run_python("-c", script, str(tmp_path / "a.py"), cwd=tmp_path).stdout.strip() == b"False"
    write(tmp_path, "unsafe-fixes = true")
    assert run_python("-c", script, str(tmp_path / "a.py"), cwd=tmp_path).stdout.strip() == b"True"


@pytest.mark.skipif(sys.platform == "win32", reason="paths are shorter there")
def test_a_very_deep_folder_is_no_problem(tmp_path: Path) -> None:
    assert Configuration().settings_for(f"{tmp_path}{'/a' * 1500}/x.py") == Settings()
