"""Several processes, and results that are kept: the same answers, in the same order, whatever happens to either."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from claude_api_lint.jobs import FEW, MANY, Lost, each, passing
from commands import REPOSITORY, lint, run_python

BROKEN = REPOSITORY / "fixtures" / "broken" / "CAV101"
FOLDER = ".claude-api-lint-cache"


def doubled(number: int) -> int:
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 17:
        raise ValueError("seventeen")
    return 2 * number


def test_results_come_in_the_order_of_the_tasks() -> None:
    tasks = [number for number in range(40) if number not in (13, 17)]
    assert list(each(tasks, doubled, 3)) == [(number, 2 * number) for number in tasks]


def test_results_come_in_order_whichever_tasks_are_near_each_other() -> None:
    tasks = [number for number in range(200) if number not in (13, 17)]
    assert list(each(tasks, doubled, 3, near=lambda number: number % 5)) == [(n, 2 * n) for n in tasks]


def test_a_worker_that_dies_costs_its_own_task_alone() -> None:
    results = dict(each([*range(17)], doubled, 2))
    lost = results.pop(13)
    assert isinstance(lost, Lost)
    assert "SIGKILL" in lost.why
    assert results == {number: 2 * number for number in range(17) if number != 13}


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="seventeen"):
        list(each([*range(14, 14 + FEW + 5)], doubled, 2))


def test_what_is_known_is_not_worked_on() -> None:
    known = {13: 26, 17: 34}
    assert dict(each([*range(30)], doubled, 2, known.get)) == {number: 2 * number for number in range(30)}


NUMBERS = [str(number) for number in range(3 * MANY)]


def is_even(number: str) -> bool:
    return int(number) % 2 == 0


def test_several_processes_tell_which_items_pass() -> None:
    assert passing(NUMBERS, is_even, 3) == set(filter(is_even, NUMBERS))


def test_no_other_process_is_asked_about_few_items() -> None:
    assert passing(NUMBERS[:MANY], is_even, 3) == set()


def test_what_a_process_would_have_told_is_left_out_when_it_dies() -> None:
    own = os.getpid()

    def only_here(number: str) -> bool:
        if os.getpid() != own:
            raise ValueError(number)
        return is_even(number)

    assert passing(NUMBERS, only_here, 2) == set(filter(is_even, NUMBERS[::2]))


def test_many_files_are_all_looked_at_whichever_process_does_it(tmp_path: Path) -> None:
    calls = 'import requests\nrequests.post("https://api.anthropic.com/v1/messages", headers={})\n'
    for number in range(2 * MANY):
        (tmp_path / f"file{number}.py").write_text(calls if number % 500 in (0, 7) else "x = 1\n")
    (tmp_path / "named.py").write_text("x = 1  # noqa: CAV101\n")
    (tmp_path / "link.py").symlink_to("nowhere")
    (tmp_path / "unread.py").write_text("x = 1\n")
    (tmp_path / "unread.py").chmod(0)
    alone = lint("check", "--jobs", "1", "--no-cache", ".", cwd=tmp_path)
    assert alone.stdout.count(b"CAV101 request") == 2 * MANY // 250
    together = lint("check", "--jobs", "2", "--no-cache", ".", cwd=tmp_path)
    assert (together.stdout, together.stderr, together.returncode) == (alone.stdout, alone.stderr, alone.returncode)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    shutil.copytree(BROKEN, folder, ignore=shutil.ignore_patterns("programs"))
    (folder / "pyproject.toml").write_text("")
    return folder


def found(tree: Path, *options: str) -> list[dict[str, object]]:
    return list(json.loads(lint("check", "--output-format", "json", *options, ".", cwd=tree).stdout))


def test_any_number_of_processes_finds_the_same_in_the_same_order(tree: Path) -> None:
    alone = found(tree, "--jobs", "1", "--no-cache")
    assert alone
    assert found(tree, "--jobs", "3", "--no-cache") == alone
    assert not (tree / FOLDER).exists()


def test_any_number_of_processes_fixes_the_same(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tree, other)
    lint("fix", "--jobs", "1", ".", cwd=tree)
    lint("fix", "--jobs", "3", ".", cwd=other)
    texts = [{p.name: p.read_bytes() for p in folder.glob("*.py")} for folder in (tree, other)]
    assert texts[0] == texts[1]


def test_a_second_run_finds_the_same_and_imports_no_parser(tree: Path) -> None:
    first = found(tree)
    code = (
        "import sys; from claude_api_lint.cli import main; "
        "main(['check', '--output-format', 'json', '.']); assert 'libcst' not in sys.modules, 'parsed'"
    )
    second = run_python("-c", code, cwd=tree)
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout) == first


def test_what_was_found_to_be_right_is_not_looked_at_again_by_fix(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(
        "import requests\n\n"
        'HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}\n'
        'requests.post("https://api.anthropic.com/v1/messages", headers=HEADERS)\n'
    )
    assert found(tmp_path) == []
    code = (
        "import sys; from claude_api_lint.cli import main; "
        "main(['fix', '--unsafe-fixes', '.']); assert 'libcst' not in sys.modules, 'parsed'"
    )
    done = run_python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "ask.py").read_text()
    (tmp_path / "ask.py").write_text(text.replace(', "anthropic-version": "2023-06-01"', ""))
    lint("fix", ".", cwd=tmp_path)
    assert (tmp_path / "ask.py").read_text() == text


def test_a_file_that_changed_is_looked_at_again(tree: Path) -> None:
    before = found(tree)
    path = sorted(tree.glob("*.py"))[0]
    path.write_bytes(b"# nothing\n")
    assert found(tree) == [finding for finding in before if Path(str(finding["path"])).name != path.name]


def test_a_file_that_another_one_imports_from_counts_as_its_part(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "ask.py").write_text(
        "import requests\nfrom parts import HEADERS\n\n"
        'requests.post("https://api.anthropic.com/v1/messages", headers=HEADERS)\n'
    )
    parts = tmp_path / "parts.py"
    parts.write_text('HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}\n')
    assert found(tmp_path) == []
    parts.write_text('HEADERS = {"x-api-key": "k"}\n')
    assert [finding["code"] for finding in found(tmp_path)] == ["CAV101"]


def test_what_was_right_while_nothing_named_the_vendor_is_looked_at_again(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    config = tmp_path / "config.py"
    config.write_text("URL = 'https://api.example.com/v1/messages'\nHEADERS = {'x-api-key': KEY}\n")
    (tmp_path / "main.py").write_text(
        "# Asks Claude.\nimport requests\nfrom config import HEADERS, URL\n\nrequests.post(URL, headers=HEADERS)\n"
    )
    assert found(tmp_path) == []
    config.write_text(config.read_text().replace("example", "anthropic"))
    assert [finding["code"] for finding in found(tmp_path)] == ["CAV101"]


def test_a_file_that_begins_to_use_a_name_counts_as_its_part(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "versions.py").write_text('API_VERSION = "2023-01-01"  # of Claude\n')
    (tmp_path / "other.py").write_text("# Nothing.\n")
    assert found(tmp_path) == []
    (tmp_path / "other.py").write_text("# Nothing more.\n")
    assert found(tmp_path) == []
    (tmp_path / "ask.py").write_text(
        "import requests\nfrom versions import API_VERSION\n\n"
        'HEADERS = {"x-api-key": "k", "anthropic-version": API_VERSION}\n'
        'requests.post("https://api.anthropic.com/v1/messages", headers=HEADERS)\n'
    )
    assert [(finding["path"], finding["code"]) for finding in found(tmp_path)] == [("./versions.py", "CAV102")]


def test_entries_that_are_spoiled_are_misses(tree: Path) -> None:
    before = found(tree)
    for entry in (tree / FOLDER).rglob("*"):
        if entry.is_file() and entry.parent.parent.name == FOLDER:
            entry.write_bytes(entry.read_bytes()[:-7] + b"garbage")
    assert found(tree) == before


def test_a_cache_that_cannot_be_written_costs_nothing(tree: Path) -> None:
    (tree / FOLDER).write_text("a file stands in its place")
    assert found(tree) == found(tree, "--no-cache")
