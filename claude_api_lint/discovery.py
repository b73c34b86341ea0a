"""Which files a run looks at, and their bytes.

This runs over whole trees of which hardly a file matters, so it uses the plain calls of ``os``: they are several times
faster than ``pathlib`` and ``open``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

STDIN = "-"

SUFFIXES = (".py", ".pyi", ".ipynb")

# Folders that hold no code of the project's own. One that is named explicitly is walked all the same.
EXCLUDED = frozenset(
    {
        ".bzr",
        ".direnv",
        ".eggs",
        ".git",
        ".hg",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
        "__pypackages__",
        "build",
        "dist",
        "node_modules",
        "venv",
    }
)
EXCLUDED_SUFFIX = ".egg-info"

_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 18

OnProblem = Callable[[str, str], None]
"""Told the path, and what is the matter with it."""


def find_files(paths: Sequence[str], on_problem: OnProblem, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[str]:
    """The files that the paths stand for, each once; a folder stands for the files below it that have one of the
    suffixes, in sorted order."""
    if len(paths) == 1:
        yield from _files(paths[0], on_problem, suffixes)
        return
    seen = set()
    for path in paths:
        for file in _files(path, on_problem, suffixes):
            identity = file if file == STDIN else os.path.abspath(file)
            if identity not in seen:
                seen.add(identity)
                yield file


def read_file(path: str) -> bytes:
    """The bytes of a file."""
    descriptor = os.open(path, _OPEN_FLAGS)
    try:
        chunks = []
        while chunk := os.read(descriptor, _CHUNK):
            chunks.append(chunk)
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def reason(error: OSError) -> str:
    """What the operating system said, in its own words and without its numbers."""
    return error.strerror or type(error).__name__


def _files(path: str, on_problem: OnProblem, suffixes: tuple[str, ...]) -> Iterator[str]:
    if path == STDIN or os.path.isfile(path):
        yield path
    elif os.path.isdir(path):
        yield from _walk(path, on_problem, suffixes)
    elif os.path.exists(path):  # a pipe, or a device
        yield path
    else:
        on_problem(path, "no such file or folder; check the spelling and the folder that you are in")


def _walk(top: str, on_problem: OnProblem, suffixes: tuple[str, ...]) -> Iterator[str]:
    """The files below a folder. Links to folders are not followed, so that a walk always ends."""
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                listing = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            on_problem(folder, f"the folder cannot be listed ({reason(error)}); check its permissions")
            continue
        prefix = folder if folder.endswith("/") else f"{folder}/"
        yield from (prefix + entry.name for entry in listing if entry.name.endswith(suffixes) and entry.is_file())
        below = (entry.name for entry in listing if entry.is_dir(follow_symlinks=False))
        folders += [prefix + name for name in sorted(below, reverse=True) if not _is_excluded(name)]


def _is_excluded(name: str) -> bool:
    return name in EXCLUDED or name.endswith(EXCLUDED_SUFFIX)
