"""Replacing a file as a whole, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress

from claude_api_lint.discovery import read_file, reason


class WriteError(Exception):
    """The file was left as it was; the message says why, and what to do."""


def replace_file(path: str, before: bytes, after: bytes) -> None:
    """Replace the content of a file, which was ``before`` when it was read.

    The new content is written beside the file and then takes its place, so that nobody ever sees half of it. A symbolic
    link stays, and what it points to is replaced. Raises WriteError where the file cannot be replaced, or has changed.
    """
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
        if not stat.S_ISREG(status.st_mode):
            raise WriteError("it is not a regular file; name a file that can be replaced")
        if not os.access(target, os.W_OK):
            raise WriteError("it is write-protected; make it writable and run again")
        _replace(target, before, after, status)
    except OSError as error:
        raise WriteError(f"it cannot be written ({reason(error)}); check the permissions of its folder") from error


def replace_files(changes: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Replace the contents of several files that belong together: for each path what it was, and what it is to be.

    Raises WriteError, and leaves every file as it was, where one of them cannot be replaced.
    """
    done: list[str] = []
    for path, (before, after) in changes.items():
        try:
            replace_file(path, before, after)
        except WriteError as error:
            for other in done:
                replace_file(other, changes[other][1], changes[other][0])
            raise error if len(changes) == 1 else WriteError(f"{path} belongs to the change: {error}") from error
        done.append(path)


def write_file(path: str, content: bytes) -> None:
    """Write a file, new or not, as a whole; raises WriteError. What is no regular file, a pipe say, is written to."""
    import tempfile

    target = os.path.realpath(path)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as stream:
                stream.write(content)
            return
        umask = os.umask(0)
        os.umask(umask)
        mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else 0o666 & ~umask
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".claude-api-lint.", suffix=".tmp")
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise WriteError(f"it cannot be written ({reason(error)}); check its folder") from error


def _replace(target: str, before: bytes, after: bytes, status: os.stat_result) -> None:
    import tempfile  # slow to import, and hardly any run writes

    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".claude-api-lint.", suffix=".tmp")
    try:
        with open(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        _copy_owner_and_mode(status, temporary)
        if read_file(target) != before:
            raise WriteError("it has changed since it was read; run again")
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _copy_owner_and_mode(status: os.stat_result, path: str) -> None:
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root may give a file away
            os.chown(path, status.st_uid, status.st_gid)
    os.chmod(path, stat.S_IMODE(status.st_mode))
