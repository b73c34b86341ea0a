"""``fix`` never loses a byte: whatever ends it, and whoever else writes, each file is wholly old or wholly new."""

from __future__ import annotations

import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from claude_api_lint.atomic import PREFIX
from commands import BROKEN, CLEAN, MENDED, lint, run, run_python

FILES = 30
COMMAND = (sys.executable, "-m", "claude_api_lint", "fix", "tree")

is_root = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of broken programs."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"ask{number:03}.py").write_text(BROKEN)
    return folder


def contents(tree: Path) -> list[str]:
    return [path.read_text() for path in sorted(tree.glob("*.py"))]


def assert_old_or_new(tree: Path) -> None:
    assert set(contents(tree)) <= {BROKEN, MENDED}
    assert len(contents(tree)) == FILES


def leftovers(tree: Path) -> list[str]:
    return [path.name for path in tree.iterdir() if path.name.startswith(PREFIX)]


def wait_for_the_first_fix(tree: Path) -> None:
    end = time.monotonic() + 60
    while MENDED not in contents(tree) and time.monotonic() < end:
        time.sleep(0.005)


# What ends it


def test_killed_at_any_moment_a_file_is_old_or_new(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, random, signal, sys, time
        from claude_api_lint.atomic import replace_file

        old, new = b"old\\n" * 5_000, b"new\\n" * 9_000
        random.seed(1)
        kept = set()
        for _ in range(200):
            with open("a.py", "wb") as file:
                file.write(old)
            child = os.fork()
            if child == 0:
                replace_file("a.py", old, new)
                os._exit(0)
            time.sleep(random.random() * 0.003)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            with open("a.py", "rb") as file:
                kept.add(file.read())
        assert kept <= {old, new}, "a file is neither old nor new"
        print(len(kept))
        """
    )
    done = run_python("-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert set(os.listdir(tmp_path)) - {"a.py"} == {name for name in os.listdir(tmp_path) if name.startswith(PREFIX)}


@pytest.mark.parametrize("seed", range(2))
def test_the_command_killed_while_it_writes_leaves_each_file_old_or_new(tree: Path, seed: int) -> None:
    process = subprocess.Popen(COMMAND, cwd=tree.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_the_first_fix(tree)
    time.sleep(random.Random(seed).random() * 0.05)
    process.kill()
    process.wait()
    assert_old_or_new(tree)
    again = lint("fix", "tree", cwd=tree.parent)
    assert again.returncode == 0
    assert set(contents(tree)) == {MENDED}


def test_interrupted_it_says_what_it_has_done_and_leaves_nothing_behind(tree: Path) -> None:
    process = subprocess.Popen(COMMAND, cwd=tree.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for_the_first_fix(tree)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert_old_or_new(tree)
    assert leftovers(tree) == []
    assert b"Traceback" not in errors
    if BROKEN in contents(tree):  # it was not quicker than the signal
        assert process.returncode == 130
        assert f"Fixed {contents(tree).count(MENDED)} finding".encode() in errors
        assert b"interrupted; " in errors


def test_control_c_in_a_terminal_ends_it_between_two_files(tree: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tree.parent)
        os.execv(COMMAND[0], COMMAND)
    wait_for_the_first_fix(tree)
    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert_old_or_new(tree)
    assert leftovers(tree) == []
    assert os.waitstatus_to_exitcode(status) == 130 or BROKEN not in contents(tree)


# Who else writes


def test_two_runs_at_once_fix_each_file_once(tree: Path) -> None:
    runs = [
        subprocess.Popen(COMMAND, cwd=tree.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    for process in runs:
        _, errors = process.communicate(timeout=120)
        assert b"Traceback" not in errors
        # A file that the other one was quicker with is either clean when it is read, or has changed since.
        assert process.returncode == 0 or b"not fixed: it has changed since it was read; run again" in errors
    assert set(contents(tree)) == {MENDED}
    assert leftovers(tree) == []


def test_hard_links_are_told_and_not_broken(tree: Path) -> None:
    (tree / "other.py").hardlink_to(tree / "ask000.py")
    done = lint("fix", "tree/ask000.py", cwd=tree.parent)
    assert done.returncode == 2
    assert b"tree/ask000.py: not fixed: it has 2 names (hard links)" in done.stderr
    assert (tree / "ask000.py").samefile(tree / "other.py")
    assert (tree / "other.py").read_text() == BROKEN


def test_one_file_that_cannot_be_written_does_not_keep_the_others_from_being_fixed(tree: Path) -> None:
    (tree / "other.py").hardlink_to(tree / "ask000.py")
    done = lint("fix", "tree", cwd=tree.parent)
    assert done.returncode == 2
    assert contents(tree).count(BROKEN) == 2
    assert contents(tree).count(MENDED) == FILES - 1


# Where there is nothing to write on


def in_a_small_file_system(tmp_path: Path, options: str, script: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script in a folder that is a file system of its own; skips where nobody may mount one."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare to mount a file system with")
    small = tmp_path / "small"
    small.mkdir()
    identity = [] if is_root else ["--map-root-user", "--user"]
    mount = f"mount -t tmpfs -o {options} tmpfs small"
    if run("unshare", *identity, "--mount", "sh", "-c", mount, cwd=tmp_path).returncode != 0:
        pytest.skip("nobody may mount a file system here")
    return run("unshare", *identity, "--mount", "sh", "-c", f"{mount} && {script}", cwd=tmp_path)


def test_on_a_full_disk_a_file_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(BROKEN)
    script = (
        "cp ask.py small/ask.py; cat /dev/zero > small/filler 2>/dev/null; "
        f"{sys.executable} -m claude_api_lint fix small; echo $?; cmp ask.py small/ask.py && ls -A small"
    )
    done = in_a_small_file_system(tmp_path, "size=16k", script)
    assert done.stdout.decode().split() == ["2", "ask.py", "filler"]
    assert b"not fixed: it cannot be written (No space left on device); make room and run again" in done.stderr


def test_on_a_read_only_file_system_a_file_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(BROKEN)
    script = (
        "cp ask.py small/ask.py; mount -o remount,ro small; "
        f"{sys.executable} -m claude_api_lint fix small; echo $?; cmp ask.py small/ask.py && ls -A small"
    )
    done = in_a_small_file_system(tmp_path, "size=64k", script)
    assert done.stdout.decode().split() == ["2", "ask.py"]
    assert b"not fixed: it is write-protected; make it writable and run again" in done.stderr


# Whose it is


@pytest.mark.skipif(not is_root, reason="only root can be somebody else")
@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (0o777, "its owner and group could not be kept; run as its owner"),
        (0o755, "it cannot be written (Permission denied); check the permissions of its folder"),
    ],
)
def test_somebody_elses_file_stays_theirs(mode: int, reason: str) -> None:
    script = textwrap.dedent(
        """
        import os, sys, tempfile
        from claude_api_lint.atomic import WriteError, replace_file

        os.setgid(65534)
        os.setuid(65534)
        try:
            replace_file(sys.argv[1], b"before", b"after")
        except WriteError as error:
            print(error)
        """
    )
    with tempfile.TemporaryDirectory() as name:  # pytest's own are closed to others
        folder = Path(name)
        (folder / "ask.py").write_bytes(b"before")
        (folder / "ask.py").chmod(0o666)
        folder.chmod(mode)
        done = run_python("-c", script, folder / "ask.py", cwd=folder)
        assert done.stdout.decode().strip() == reason, done.stderr.decode()
        assert (folder / "ask.py").read_bytes() == b"before"
        assert (folder / "ask.py").stat().st_uid == 0
        assert os.listdir(folder) == ["ask.py"]


@pytest.mark.skipif(not is_root, reason="only root can give a file away")
def test_roots_fix_leaves_a_file_to_its_owner(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(BROKEN)
    os.chown(tmp_path / "ask.py", 65534, 65534)
    assert lint("fix", "ask.py", cwd=tmp_path).returncode == 0
    status = (tmp_path / "ask.py").stat()
    assert (tmp_path / "ask.py").read_text() == MENDED
    assert (status.st_uid, status.st_gid) == (65534, 65534)


def test_extended_attributes_stay(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(BROKEN)
    try:
        os.setxattr(tmp_path / "ask.py", "user.reviewed", b"yes")
    except (OSError, AttributeError):
        pytest.skip("this file system has no extended attributes")
    assert lint("fix", "ask.py", cwd=tmp_path).returncode == 0
    assert os.getxattr(tmp_path / "ask.py", "user.reviewed") == b"yes"


def test_a_file_with_nothing_to_fix_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(CLEAN)
    before = (tmp_path / "hello.py").stat()
    lint("fix", "hello.py", cwd=tmp_path)
    after = (tmp_path / "hello.py").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
