"""Nothing breaks it: each hostile file is analysed or named with a reason, and every other file is done."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import BROKEN, lint, run
from hostile import hostile_files

FILES = hostile_files()
SILENT = {"nothing", "nothing but a comment", "UTF-16 without a mark"}
"""What has no request, or none that anybody can see."""

LARGE = {"a line of three megabytes", "a string of three megabytes", "a dict of many in lines", "blank lines"}
"""What is given to the command here, of the files that take seconds; `make hostile` gives it all of them."""

GROUPS = 8
MEMORY = 3 << 30
PATIENCE = 900
"""Seconds; the files of a group take a few, and a hang takes for ever."""

COMMAND = (sys.executable, "-m", "claude_api_lint")


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def written(folder: Path, names: list[str]) -> Path:
    """A folder with these files, and one that everybody can read."""
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_bytes(FILES[name])
    (folder / "zzz.py").write_text(BROKEN)
    return folder


def names_of(output: Iterator[str]) -> set[str]:
    return {Path(line).name.removesuffix(".py") for line in output}


def places(report: bytes) -> set[tuple[str, ...]]:
    """File, line, column and code of each finding."""
    lines = [line.split(":", 3) for line in report.decode().splitlines()]
    return {(Path(path).stem, line, column, rest.split()[0]) for path, line, column, rest in lines}


@pytest.mark.parametrize("group", range(GROUPS))
def test_each_file_is_analysed_or_named_with_a_reason(group: int, tmp_path: Path) -> None:
    names = [name for name in sorted(FILES) if len(FILES[name]) < 250_000 or name in LARGE][group::GROUPS]
    folder = written(tmp_path / "hostile", names)
    done = subprocess.run(
        [*COMMAND, "check", "--output-format", "json", folder.name],
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE,
        preexec_fn=limited,
    )
    errors = done.stderr.decode()
    assert done.returncode == 2, errors[-2000:]
    assert "Traceback" not in errors
    assert "the analysis failed" not in errors
    found = names_of(finding["path"] for finding in json.loads(done.stdout))
    told = names_of(line.split(": ")[1] for line in errors.splitlines() if line.startswith("claude-api-lint: "))
    assert (set(names) | {"zzz"}) - found - told <= SILENT
    assert "zzz" in found


def test_flake8_survives_them_and_finds_what_the_command_finds(tmp_path: Path) -> None:
    # flake8 itself is slow with large files, and ends with some coding cookies.
    names = [name for name, data in FILES.items() if len(data) < 5_000 and "cookie" not in name]
    folder = written(tmp_path / "hostile", names)
    theirs = [
        run(*(sys.executable, "-m", "flake8", "--select", "CAV", *jobs, folder.name), cwd=tmp_path, timeout=PATIENCE)
        for jobs in (["-j1"], ["-j", "2"])
    ]
    for done in theirs:
        assert b"Traceback" not in done.stderr, done.stderr.decode()[-2000:]
        assert done.returncode == 1
    assert sorted(theirs[0].stdout.splitlines()) == sorted(theirs[1].stdout.splitlines())
    ours = lint("check", "--output-format", "concise", folder.name, cwd=tmp_path)
    refused = names_of(line.split(": ")[1] for line in ours.stderr.decode().splitlines() if ": " in line)
    # flake8 reads as latin-1 what Python refuses, and makes newlines of all line ends, so that more could be fixed.
    assert {place for place in places(theirs[0].stdout) if place[0] not in refused} <= places(ours.stdout)
    assert f"{folder.name}/zzz.py:3:12: CAV101".encode() in theirs[1].stdout


def test_fixing_them_keeps_what_compiles_compiling_and_the_rest_as_it_is(tmp_path: Path) -> None:
    names = [name for name, data in FILES.items() if len(data) < 5_000]
    folder = written(tmp_path / "hostile", names)
    done = lint("fix", "--unsafe-fixes", folder.name, cwd=tmp_path)
    assert b"Traceback" not in done.stderr
    assert b"the analysis failed" not in done.stderr
    for name in names:
        after = (folder / f"{name}.py").read_bytes()
        if after != FILES[name]:
            assert compiles(after) or not compiles(FILES[name]), name
    once = {path.name: path.read_bytes() for path in folder.glob("*.py")}
    lint("fix", "--unsafe-fixes", "--no-cache", folder.name, cwd=tmp_path)
    assert {path.name: path.read_bytes() for path in folder.glob("*.py")} == once


def compiles(data: bytes) -> bool:
    try:
        compile(data, "program.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


def test_reports_steer_no_terminal(tmp_path: Path) -> None:
    names = [name for name in FILES if "escape" in name]
    folder = written(tmp_path / "hos\x1b[2Jtile\n\u202e", names)
    for arguments in (["check"], ["check", "--output-format", "json"], ["fix", "--unsafe-fixes"]):
        done = lint(*arguments, folder.name, cwd=tmp_path)
        for output in (done.stdout, done.stderr):
            text = output.decode()
            assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text), text


@pytest.mark.skipif(
    "--jobs" not in lint("check", "--help", cwd=Path.cwd()).stdout.decode(), reason="there is no --jobs"
)
@pytest.mark.parametrize("signal", ["SIGKILL", "SIGSEGV"])
def test_a_worker_that_dies_is_replaced_and_its_file_named(tmp_path: Path, signal: str) -> None:
    for number in range(20):
        (tmp_path / f"ask{number}.py").write_text(BROKEN)
    (tmp_path / "deadly.py").write_text(BROKEN)
    # Nobody knows a file that kills a worker; this is in every process, and does it.
    (tmp_path / "sitecustomize.py").write_text(
        textwrap.dedent(
            f"""
            import os, signal
            from claude_api_lint import linter

            check = linter.check_source

            def deadly(source, path, *rest):
                if path.endswith("deadly.py"):
                    os.kill(os.getpid(), signal.{signal})
                return check(source, path, *rest)

            linter.check_source = deadly
            """
        )
    )
    command = [*COMMAND, "check", "--jobs", "2", "--output-format", "json", "."]
    done = run(*command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, timeout=PATIENCE)
    assert done.returncode == 2
    assert b"deadly.py" in done.stderr
    assert {finding["path"] for finding in json.loads(done.stdout)} == {f"./ask{number}.py" for number in range(20)}
