"""What git knows about a tree. Every question is one process of git's; its index and its hooks are left alone."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator

_STAGED = re.compile(rb"(\d{6}) [0-9a-f]{40,64} [0-3]\t", re.DOTALL)
_SUBMODULE = b"160000"


class GitError(Exception):
    """git is not there, or will not answer; the message says why in its words."""


def root_above(folder: str) -> str | None:
    """The nearest folder, at or above this one, that is a checkout; None where there is none."""
    folder = os.path.abspath(folder)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def listed(folder: str) -> Iterator[str]:
    """The files below a folder of a checkout that git tracks or does not ignore, relative to it.

    A folder that is a repository of its own, a submodule or a checkout within, comes as its path with a slash.
    """
    answer = _git(folder, "ls-files", "--cached", "--others", "--stage", "--exclude-standard", "-z")
    for entry in filter(None, answer.split(b"\0")):
        staged = _STAGED.match(entry)
        name = os.fsdecode(entry[staged.end() :] if staged else entry)
        yield f"{name}/" if staged and staged[1] == _SUBMODULE else name


def ignores_all_in(folder: str) -> bool:
    """Whether git ignores whatever Python file would be put into a folder."""
    try:
        _git(folder, "check-ignore", "--quiet", "--", "x.py")
    except GitError:
        return False
    return True


def changed_since(root: str, revision: str) -> set[str]:
    """The files of a checkout that differ from where it left a revision, and those that git does not know yet.

    Where it left: a branch that has moved on since does not count. Paths are absolute. Raises GitError, also for a
    revision that does not exist.
    """
    try:
        commit = _git(root, "rev-parse", "--verify", f"{revision}^{{commit}}").strip()  # no option ends like this
    except GitError as error:
        raise GitError(f"unknown revision {revision!r} ({error})") from error
    with contextlib.suppress(GitError):  # without a common history it is compared with the revision itself
        commit = _git(root, "merge-base", commit.decode(), "HEAD").strip()
    changed = _git(root, "diff", "--name-only", "--no-ext-diff", "--diff-filter=d", "-z", commit.decode(), "--")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return {os.path.join(root, os.fsdecode(name)) for name in (changed + new).split(b"\0") if name}


def _git(folder: str, *arguments: str) -> bytes:
    import subprocess  # slow to import, and a run over single files needs no git

    # What a hook is told about the repository that it runs in must not lead git to another one than the folder's, and
    # a repository that came with the tree must not name programs to run.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ("git", "-c", "core.fsmonitor=false", *arguments)
    try:
        done = subprocess.run(
            command, cwd=folder, env={**environment, "GIT_OPTIONAL_LOCKS": "0"}, capture_output=True, check=False
        )
    except OSError as error:
        raise GitError(f"git cannot be run ({error.strerror or error})") from error
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise GitError(said[0] if said else f"git {arguments[0]} ended with {done.returncode}")
    return done.stdout
