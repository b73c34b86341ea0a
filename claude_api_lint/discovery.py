"""Which files a run looks at, and their bytes.

This runs over whole trees of which hardly a file matters, so it uses the plain calls of ``os``: they are several times
faster than ``pathlib`` and ``open``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import pairwise

from claude_api_lint.git import GitError, ignores_all_in, listed, root_above
from claude_api_lint.patterns import Excludes, Patterns, first_verdict

STDIN = "-"

SUFFIXES = (".py", ".pyi", ".ipynb")

_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 18

OnProblem = Callable[[str, str], None]
"""Told the path, and what is the matter with it."""

ExcludesIn = Callable[[str], Excludes]
"""Told a folder, it says what is left out there."""


def find_files(
    paths: Sequence[str],
    on_problem: OnProblem,
    excludes_in: ExcludesIn = lambda folder: Excludes(),
    *,
    respect_gitignore: bool = True,
    force_exclude: bool = False,
    suffixes: tuple[str, ...] = SUFFIXES,
) -> Iterator[str]:
    """The files that the paths stand for, each once; a folder stands for the files below it that have one of the
    suffixes, in sorted order.

    What git ignores, and what is excluded, is left out of folders. A path that is named itself is taken all the same,
    unless ``force_exclude`` says that files are to be left out, too.
    """
    seen: set[str] = set()
    may_meet = not _are_apart(paths)
    for path in paths:
        for file in _files(path, on_problem, excludes_in, respect_gitignore, suffixes):
            if (
                force_exclude
                and file == path
                and file != STDIN
                and excludes_in(os.path.dirname(file)).match_above(file)
            ):
                continue
            if may_meet:
                identity = file if file == STDIN else os.path.abspath(file)
                if identity in seen:
                    continue
                seen.add(identity)
            yield file


def _are_apart(paths: Sequence[str]) -> bool:
    """Whether no file can stand below two of the paths."""
    known = sorted(os.path.join(os.path.abspath(path), "") for path in paths)
    return not any(after.startswith(before) for before, after in pairwise(known))


def listed_files(data: bytes) -> list[str]:
    """The paths in a list of them: ended by NUL characters, as by ``git diff -z``, or else one on each line."""
    separator = b"\0" if b"\0" in data else None
    entries = data.split(separator) if separator else data.splitlines()
    names = [os.fsdecode(entry) for entry in entries if entry]
    return [f"./{name}" if name == STDIN else name for name in names]


def changed_only(files: Iterable[str], changed: Container[str]) -> Iterator[str]:
    """Those of the files that are among the changed ones, which are absolute."""
    folders: dict[str, str] = {}
    for file in files:
        folder, name = os.path.split(file)
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        if os.path.join(folders[folder], name) in changed:
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


def _files(
    path: str, on_problem: OnProblem, excludes_in: ExcludesIn, respect_gitignore: bool, suffixes: tuple[str, ...]
) -> Iterator[str]:
    if path == STDIN or os.path.isfile(path):
        yield path
    elif os.path.isdir(path):
        yield from _Walk(path, on_problem, excludes_in, suffixes).files(respect_gitignore)
    elif os.path.exists(path):  # a pipe, or a device
        yield path
    else:
        on_problem(path, "no such file or folder; check the spelling and the folder that you are in")


class _Walk:
    """The way through one folder that was named."""

    def __init__(self, top: str, on_problem: OnProblem, excludes_in: ExcludesIn, suffixes: tuple[str, ...]) -> None:
        self.top = top
        self.suffixes = suffixes
        self.on_problem = on_problem
        self.excludes_in = excludes_in
        self._excludes: dict[str, Excludes] = {}
        self._left_out: dict[str, bool] = {"": False}

    def files(self, respect_gitignore: bool) -> Iterator[str]:
        """The files below the folder, each as its path begins with the folder's as it was given."""
        prefix = self.top if self.top.endswith("/") else f"{self.top}/"
        names = self._of_git("") if respect_gitignore and root_above(self.top) else None
        for name in names if names is not None else self._scanned("", respect_gitignore):
            yield prefix + name

    def _of_git(self, below: str) -> list[str] | None:
        """What git lists below a folder of the walk; None where it is of no help there."""
        folder = os.path.join(self.top, below)
        try:
            entries = {below + name for name in listed(folder)}
            if not entries and ignores_all_in(folder):
                return list(self._scanned(below, False))  # somebody means these files all the same
        except GitError:
            return None
        repositories = sorted(name for name in entries if name.endswith("/"))
        names = [name for name in entries if name.endswith(self.suffixes) and not self._is_excluded(name)]
        names = [name for name in names if os.path.isfile(os.path.join(self.top, name))]
        for repository in repositories:
            if not self._is_folder_excluded(repository[:-1]) and os.path.isdir(os.path.join(self.top, repository)):
                within = self._of_git(repository) if _is_repository(os.path.join(self.top, repository)) else None
                names += within if within is not None else self._scanned(repository, True)
        return sorted(names, key=_order)

    def _scanned(self, below: str, respect_gitignore: bool) -> Iterator[str]:
        """What the folders themselves list. Links to folders are not followed, so that a walk always ends."""
        folders = [(below, self._ignored_above(below) if respect_gitignore else ())]
        while folders:
            folder, ignored = folders.pop()
            path = f"{self.top.rstrip('/')}/{folder.rstrip('/')}" if folder else self.top
            try:
                with os.scandir(path) as entries:
                    listing = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self.on_problem(path, f"the folder cannot be listed ({reason(error)}); check its permissions")
                continue
            names = {entry.name for entry in listing}
            if respect_gitignore and ".git" in names and folder != below:
                of_git = self._of_git(folder)
                if of_git is not None:
                    yield from of_git
                    continue
            if respect_gitignore and ".gitignore" in names:
                ignored = (*_ignore_file(path), *ignored)
            for entry in listing:
                if entry.name.endswith(self.suffixes) and entry.is_file():
                    name = folder + entry.name
                    if not self._is_excluded(name) and not self._is_ignored(ignored, name):
                        yield name
            inner = [folder + entry.name for entry in listing if entry.is_dir(follow_symlinks=False)]
            for name in reversed(inner):
                if not self._is_folder_excluded(name) and not self._is_ignored(ignored, name, is_folder=True):
                    folders.append((f"{name}/", ignored))

    def _is_ignored(self, ignored: tuple[Patterns, ...], name: str, *, is_folder: bool = False) -> bool:
        return bool(ignored) and first_verdict(ignored, os.path.join(self.top, name), is_folder=is_folder)

    def _ignored_above(self, below: str) -> tuple[Patterns, ...]:
        """The ignore files above a folder, the nearest first: from the checkout, or else the current folder, down."""
        folder = os.path.abspath(os.path.join(self.top, below))
        root = root_above(folder) or os.getcwd()
        found: list[Patterns] = []
        while folder.startswith(os.path.join(root, "")):
            folder = os.path.dirname(folder)
            found += _ignore_file(folder)
        return tuple(found)

    def _is_excluded(self, name: str) -> bool:
        """Whether a file of the walk is left out, or a folder on the way to it."""
        folder = name.rpartition("/")[0]
        if self._is_folder_excluded(folder):
            return True
        excludes = self._excludes_of(folder)
        return bool(excludes.patterns) and excludes.match(os.path.join(self.top, name))

    def _is_folder_excluded(self, folder: str) -> bool:
        asked = []
        while folder not in self._left_out:
            asked.append(folder)
            folder = folder.rpartition("/")[0]
        left_out = self._left_out[folder]
        for inner in reversed(asked):
            excludes = self._excludes_of(inner.rpartition("/")[0])
            left_out = left_out or excludes.match(os.path.join(self.top, inner), is_folder=True)
            self._left_out[inner] = left_out
        return left_out

    def _excludes_of(self, folder: str) -> Excludes:
        if folder not in self._excludes:
            excludes = self.excludes_in(os.path.join(self.top, folder))
            self._excludes[folder] = excludes.unless_named(self.top)
        return self._excludes[folder]


def _is_repository(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, ".git"))


def _ignore_file(folder: str) -> tuple[Patterns, ...]:
    """The patterns of a folder's .gitignore, if it has one that can be read."""
    try:
        data = read_file(os.path.join(folder, ".gitignore"))
    except OSError:
        return ()
    return (Patterns(os.path.abspath(folder), tuple(data.decode("utf-8", "replace").splitlines())),)


def _order(name: str) -> tuple[list[str], str]:
    """Files before the folders beside them, as a walk comes upon them."""
    folder, _, file = name.rpartition("/")
    return (folder.split("/") if folder else []), file
