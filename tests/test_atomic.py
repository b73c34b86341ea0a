"""A file is replaced as a whole, or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from claude_api_lint.atomic import WriteError, replace_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file, alone in its folder."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.py").write_bytes(b"before")
    return tmp_path / "folder" / "a.py"


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_the_content_is_replaced_and_nothing_is_left_beside_it(file: Path) -> None:
    replace_file(str(file), b"before", b"after\r\n\x00")
    assert file.read_bytes() == b"after\r\n\x00"
    assert names(file.parent) == ["a.py"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664])
def test_the_mode_stays(file: Path, mode: int) -> None:
    file.chmod(mode)
    replace_file(str(file), b"before", b"after")
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_link_stays_and_what_it_points_to_is_replaced(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.py"
    link.symlink_to("folder/a.py")
    replace_file(str(link), b"before", b"after")
    assert link.is_symlink()
    assert file.read_bytes() == b"after"
    assert names(tmp_path) == ["folder", "link.py"]


def test_a_file_that_has_changed_since_it_was_read_is_left_alone(file: Path) -> None:
    with pytest.raises(WriteError, match="changed since it was read; run again"):
        replace_file(str(file), b"earlier", b"after")
    assert file.read_bytes() == b"before"
    assert names(file.parent) == ["a.py"]


def test_a_file_that_is_gone_is_not_made_again(file: Path) -> None:
    file.unlink()
    with pytest.raises(WriteError, match="No such file"):
        replace_file(str(file), b"before", b"after")
    assert names(file.parent) == []


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(WriteError, match="not a regular file"):
            replace_file(str(path), b"", b"after")


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes everywhere")
def test_a_write_protected_file_is_refused(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(WriteError, match="write-protected"):
        replace_file(str(file), b"before", b"after")
    assert file.read_bytes() == b"before"


@pytest.mark.parametrize("call", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_after_any_failure_the_file_is_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch, call: str, failure: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(os, call, fail)
    with pytest.raises((WriteError, KeyboardInterrupt)) as caught:
        replace_file(str(file), b"before", b"after")
    if isinstance(failure, OSError):
        assert str(caught.value).startswith("it cannot be written (No space left on device); ")
    assert file.read_bytes() == b"before"
    assert names(file.parent) == ["a.py"]


def test_a_very_long_name_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / f"{'n' * 250}.py"
    file.write_bytes(b"before")
    replace_file(str(file), b"before", b"after")
    assert file.read_bytes() == b"after"
