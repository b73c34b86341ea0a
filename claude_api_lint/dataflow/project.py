"""The files of the project around a checked file: which one an import names, and what it says.

Nothing of the project is imported or run, nothing outside it is looked at, and a file is read when somebody asks for
it, once. This module needs no LibCST: it also decides whether a file that does not mention the API leads to it.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from claude_api_lint.prefilter import mentions_api, names_vendor
from claude_api_lint.source import Source, UnreadableSource

if TYPE_CHECKING:
    from claude_api_lint.dataflow.resolver import Across
    from claude_api_lint.parsing import Statement

ROOT_FILES = ("pyproject.toml", "setup.cfg", "setup.py", ".git")
"""What tells that a folder is the root of a project."""
SOURCE_FOLDERS = ("src", "lib")
"""Folders below the root whose modules are imported without naming the folder."""
MAX_STEPS = 60
"""Top-level statements looked at to find out whether a file's imports lead to the API."""
MAX_FILE = 1_000_000
"""Bytes of a file that is read for the sake of another one."""
MAX_LISTED = 5_000
"""Files of a project that are looked at to find who uses a name."""

FILE, FOLDER, NOTHING = "file", "folder", "nothing"
_PACKAGE = "__init__.py"
_LEADING = "may lead"
LIBRARIES = frozenset("aiohttp anthropic attr attrs boto3 botocore httpx openai pydantic requests urllib3".split())
"""Distributions that rules know: a file of the project with such a name is not what an absolute import means."""

_SPACE = r"(?:[ \t]|\\\r?\n)"
_IMPORT = re.compile(
    rf"(?:^|[;:])[ \t]*(?:from{_SPACE}+(?P<module>\.+(?=import\b)|[.\w]+){_SPACE}*import\b[ \t]*"
    rf"(?P<names>\((?:[^)#]|#[^\n]*)*\)|(?:[^\n;#\\]|\\\r?\n)*)"
    rf"|import{_SPACE}+(?P<modules>(?:[^\n;#\\]|\\\r?\n)*))",
    re.MULTILINE,
)
_WORD = re.compile(r"\w+")
_ATTRIBUTE = re.compile(r"\.\s*(\w+)")
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "site-packages", "build", "dist", "venv"})

Read = Callable[[str], bytes]


@dataclass(frozen=True)
class Import:
    """One name that an import binds: ``from module import name as bound``; ``name`` is None for ``import module``.

    ``module`` keeps the dots of a relative import; a star import has the name ``*``.
    """

    bound: str
    module: str
    name: str | None


class _Used(NamedTuple):
    """What code says and uses beside its imports: its words, and which of these follow a dot."""

    text: str
    words: frozenset[str]
    attributes: frozenset[str]

    @classmethod
    def by(cls, text: str) -> _Used:
        rest = _IMPORT.sub("", text)
        return cls(rest, frozenset(_WORD.findall(rest)), frozenset(_ATTRIBUTE.findall(rest)))

    def has(self, found: Import) -> bool:
        """Whether an import binds what is used."""
        return found.bound == "*" or found.bound in self.words

    def __or__(self, other: _Used) -> _Used:
        return _Used(self.text, self.words | other.words, self.attributes | other.attributes)


@dataclass(eq=False)
class File:
    """One file of the project, by its path. Raises nothing: what cannot be read or parsed is empty."""

    path: str
    data: bytes
    _uses: dict[Statement, _Used] = field(default_factory=dict)

    def uses(self, statement: Statement) -> _Used:
        """What one of the top-level statements uses."""
        if statement not in self._uses:
            self._uses[statement] = _Used.by(statement.text)
        return self._uses[statement]

    @cached_property
    def digest(self) -> str:
        """A hash of the content."""
        import hashlib

        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def mentions_api(self) -> bool:
        return mentions_api(self.data)

    @cached_property
    def source(self) -> Source | None:
        try:
            return Source.decode(self.data)
        except UnreadableSource:
            return None

    @cached_property
    def statements(self) -> list[Statement] | None:
        """The top-level statements; None where the file cannot be analysed."""
        from claude_api_lint.parsing import Refused, split

        try:
            return split(self.source) if self.source is not None else None
        except (Refused, RecursionError):
            return None

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that the module binds."""
        return frozenset().union(*(statement.binds or frozenset() for statement in self.statements or ()))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return imports_in(self.source.text) if self.source is not None else ()


def imports_in(text: str) -> tuple[Import, ...]:
    """Every import of a file, in whatever scope it stands; found in the text, which is ten times as fast as parsing."""
    return tuple(found for match in _IMPORT.finditer(text) for found in _imports_of(match))


class Project:
    """The files that the checked files of one run lead to, each read once.

    ``read`` gives the bytes of a file by its path, or raises OSError; ``changeable`` are the files that fixes may edit;
    ``whole`` are folders all of whose files are checked in the run.
    """

    def __init__(self, read: Read, changeable: Iterable[str] = (), whole: Iterable[str] = ()) -> None:
        self._read = read
        self._given = tuple(changeable)
        self._whole = tuple(map(os.path.abspath, whole))
        self.is_frozen = False
        self._changed: dict[str, bytes] = {}
        self._files: dict[str, File | None] = {}
        self._kinds: dict[str, str] = {}
        self._listed: dict[str, tuple[str, ...]] = {}
        self._queries: dict[tuple[str, ...], None] = {}
        self._roots: dict[str, str | None] = {}
        self._states: dict[str, str] = {}
        self._leading: dict[str, set[str] | None] = {}
        self._may_lead = True

    @cached_property
    def _changeable(self) -> dict[str, tuple[int, str]]:
        """The files that fixes may edit by their absolute paths: their places in the run, and how they were given."""
        return {os.path.abspath(path): (number, path) for number, path in enumerate(self._given)}

    @cached_property
    def modules(self) -> Across:
        """The files as modules to analyse. Needs LibCST."""
        from claude_api_lint.dataflow.resolver import Across

        return Across(self)

    # What was asked

    def listen(self, *, may_lead: bool = True) -> None:
        """Begin to note what is asked for another file; whether its imports may lead to what names the vendor."""
        self._queries = {}
        self._roots = {}
        self._may_lead = may_lead

    @property
    def may_lead(self) -> bool:
        """Whether imports of the checked file may lead to what names the vendor, as far as the run knows."""
        if not self._may_lead:
            self._queries[_LEADING,] = None
        return self._may_lead

    @property
    def queries(self) -> Iterator[list[str]]:
        """What was asked since then."""
        return map(list, self._queries)

    def answers(self, query: list[str]) -> str:
        """The answer to a question of an earlier run, as a text."""
        kind, *rest = query
        if kind == _LEADING:
            return str(self._may_lead)
        if kind == "kind":
            return self._kind(*rest)
        if kind == "users":
            return "\n".join([self._state(self.root_of(rest[0])), *self.users(*rest)])
        file = self.file(*rest)
        return file.digest if file is not None else ""

    def still_answers(self, query: list[str], answer: str) -> bool:
        """Whether a question would get the same answer as in an earlier run.

        Who uses a name takes a look at every file of the project, and is the same where none of them has changed.
        """
        kind, *rest = query
        if kind != "users":
            return self.answers(query) == answer
        state, *users = answer.split("\n")
        return state == self._state(self.root_of(rest[0])) or users == self.users(*rest)

    def _state(self, root: str) -> str:
        """A hash of all Python files of a project."""
        if root not in self._states:
            import hashlib

            files = ((path, self.file(path)) for path in self._below(root))
            listed = "\n".join(f"{file.digest} {path}" for path, file in files if file is not None)
            self._states[root] = hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
        return self._states[root]

    # Files

    def file(self, path: str) -> File | None:
        """A file of the project; None where it cannot be read or is too large."""
        if path not in self._files:
            path = os.path.abspath(path)
        self._queries["file", path] = None
        if path not in self._files:
            self._files[path] = self._opened(path)
        return self._files[path]

    def _opened(self, path: str) -> File | None:
        try:
            data = self.data(path)
        except OSError:
            return None
        return File(path, data) if len(data) <= MAX_FILE else None

    def shown(self, path: str) -> str:
        """A file's path as people know it: relative to the working directory where it lies below that."""
        relative = os.path.relpath(path)
        return path if relative.startswith(os.pardir) else relative.replace(os.sep, "/")

    def data(self, path: str) -> bytes:
        """A file's bytes as they are after the changes so far. Raises OSError."""
        changed = self._changed.get(os.path.abspath(path)) if self._changed else None
        return self._read(path) if changed is None else changed

    def settled(self, path: str) -> bytes:
        """A file's bytes as they lie there. Raises OSError."""
        return self._read(os.path.abspath(path))

    def may_change(self, path: str) -> bool:
        """Whether a file is one of those that a run may change."""
        return os.path.abspath(path) in self._changeable

    def frozen(self) -> Project:
        """The same project for somebody who must not change other files than his own."""
        project = Project(self._read, self._given, self._whole)
        project.is_frozen = True
        return project

    def given(self, path: str) -> str:
        """A file's path as it was given to the run."""
        known = self._changeable.get(os.path.abspath(path))
        return known[1] if known is not None else path

    def place(self, path: str) -> int:
        """The place of a file among those of the run, from 0; one that is not among them comes last."""
        return self._changeable.get(os.path.abspath(path), (len(self._changeable), path))[0]

    def root_of(self, path: str) -> str:
        """The root of the project that a file belongs to."""
        return self.root(os.path.dirname(os.path.abspath(path)))

    def covers(self, folder: str) -> bool:
        """Whether all files of a folder are checked in the run."""
        return any(_lies_in(folder, whole) for whole in self._whole)

    def encloses(self, folder: str) -> bool:
        """Whether a folder lies in one all of whose files are checked, and so does whatever project it belongs to."""
        return any(_lies_in(folder, whole) for whole in self._enclosing)

    def may_lead_to_vendor(self, path: str) -> bool:
        """Whether a file's imports may lead to one that names the vendor, by what files they name.

        It is looked up where the run is over a folder of the project, or several: to read all files takes less time
        than to look for what the imports of a few dozen lead to, name by name.
        """
        path = os.path.abspath(path)
        root = self.root_of(path)
        if not any(_lies_in(whole, root) for whole in self._whole):
            return True
        if root not in self._leading:
            self._leading[root] = self._leading_to_vendor(root)
        leading = self._leading[root]
        return leading is None or path in leading

    def _leading_to_vendor(self, root: str) -> set[str] | None:
        """The files of a project that import what names the vendor; None where there are too many to look."""
        paths = self._below(root)
        if len(paths) == MAX_LISTED:
            return None
        files = [file for path in paths if (file := self.file(path)) is not None]
        reached = [file.path for file in files if names_vendor(file.data)]
        if not reached:
            return set()
        importers: dict[str, list[str]] = {}
        for file in files:
            for target in {target for found in file.imports for target, _ in self._targets(file, found)}:
                importers.setdefault(target, []).append(file.path)
        leading: set[str] = set()
        while reached:
            new = [path for path in importers.get(reached.pop(), ()) if path not in leading]
            leading.update(new)
            reached += new
        return leading

    @cached_property
    def _enclosing(self) -> tuple[str, ...]:
        """Those of the whole folders that are no part of a larger project."""
        return tuple(whole for whole in self._whole if self.root(whole) == whole)

    def change(self, path: str, data: bytes) -> None:
        """Let everybody who asks from now on see other bytes of a file."""
        path = os.path.abspath(path)
        self._changed[path] = data
        self._forget(path)

    def _forget(self, path: str) -> None:
        self._files.pop(path, None)
        self._states.clear()
        if "modules" in self.__dict__:
            self.modules.forget(path)

    def settle(self, path: str) -> None:
        """Read a file from where it lies again: its changes are written, or given up."""
        path = os.path.abspath(path)
        self._changed.pop(path, None)
        self._forget(path)

    # Imports

    def find(self, importer: str, module: str) -> str | None:
        """The path of what ``import module`` names in a file: a file, or the folder of a namespace package.

        ``module`` keeps the dots of a relative import. None for what the project does not have.
        """
        folder = os.path.dirname(os.path.abspath(importer))
        name = module.lstrip(".")
        parts = name.split(".") if name else []
        level = len(module) - len(name)
        if level:
            return self._relative(folder, level, parts)
        if parts[0] in sys.stdlib_module_names or parts[0] in LIBRARIES:
            return None
        for root in self._search_path(folder):
            found = self.inside(root, parts)
            if found is not None and found != os.path.abspath(importer):
                return found
        return None

    def _relative(self, folder: str, level: int, parts: list[str]) -> str | None:
        root = self.root(folder)
        for _ in range(level - 1):
            if folder == root:
                return None
            folder = os.path.dirname(folder)
        return self.inside(folder, parts)

    def inside(self, folder: str, parts: list[str]) -> str | None:
        """The file or folder of a dotted name below a folder."""
        for part in parts[:-1]:
            folder = os.path.join(folder, part)
        if not parts:
            package = os.path.join(folder, _PACKAGE)
            return package if self._is_file(package) else folder if self._is_namespace(folder) else None
        path = os.path.join(folder, parts[-1])
        for candidate in (os.path.join(path, _PACKAGE), path + ".py"):
            if self._is_file(candidate):
                return candidate
        return path if self._is_namespace(path) else None

    def may_give(self, source: str, name: str | None, path: str) -> bool:
        """Whether ``import``, or ``from source import name``, may bind a file or something of it.

        A package may give what any of its modules has: it may have imported that.
        """
        if source == path:
            return True
        folder = os.path.dirname(source) if source.endswith(_PACKAGE) else source
        if not path.startswith(folder + os.sep):
            return False
        return source.endswith(_PACKAGE) or name is None or self.inside(folder, [name]) == path

    def _is_namespace(self, folder: str) -> bool:
        """Whether a folder without ``__init__.py`` can be meant by an import: it holds modules or packages."""
        if not self._is_folder(folder):
            return False
        with os.scandir(folder) as entries:
            names = [(entry.name, entry.is_dir()) for entry in entries]
        return any(
            name.endswith(".py") or (is_folder and self._is_file(os.path.join(folder, name, _PACKAGE)))
            for name, is_folder in names
        )

    def _search_path(self, folder: str) -> tuple[str, ...]:
        """The folders in which absolute imports of a folder's files are looked up, the nearest first."""
        root = self.root(folder)
        above = [folder]
        while above[-1] != root:
            above.append(os.path.dirname(above[-1]))
        sources = [os.path.join(root, name) for name in SOURCE_FOLDERS]
        folders = [*above, *(path for path in sources if self._is_folder(path))]
        return tuple(path for path in folders if not self._is_file(os.path.join(path, _PACKAGE)))

    def root(self, folder: str) -> str:
        """The project's root: the nearest folder above with a project's files, else that of the outermost package."""
        return self._marked_root(folder) or self._package_root(folder)

    def _marked_root(self, folder: str) -> str | None:
        """The nearest folder above with a project's files. What is asked for it is noted once, so is the answer."""
        if folder not in self._roots:
            above = os.path.dirname(folder)
            if any(self._kind(os.path.join(folder, name)) != NOTHING for name in ROOT_FILES):
                self._roots[folder] = folder
            else:
                self._roots[folder] = self._marked_root(above) if above != folder else None
        return self._roots[folder]

    def _package_root(self, folder: str) -> str:
        while self._is_file(os.path.join(folder, _PACKAGE)) and os.path.dirname(folder) != folder:
            folder = os.path.dirname(folder)
        return folder

    def _kind(self, path: str) -> str:
        """What lies at a path: a file, a folder, or nothing."""
        self._queries["kind", path] = None
        if path not in self._kinds:
            try:
                mode = os.stat(path).st_mode
            except (OSError, ValueError):
                self._kinds[path] = NOTHING
            else:
                self._kinds[path] = FOLDER if stat.S_ISDIR(mode) else FILE if stat.S_ISREG(mode) else NOTHING
        return self._kinds[path]

    def _is_file(self, path: str) -> bool:
        return self._kind(path) == FILE

    def _is_folder(self, path: str) -> bool:
        return self._kind(path) == FOLDER

    # What imports lead to

    def reached(self, path: str, data: bytes) -> Iterator[str]:
        """The texts of the top-level statements of other files that a file's imports lead to, the nearest first.

        Name by name: what binds an imported name, then what binds the names that this uses. At most MAX_STEPS. Imports
        are no part of the texts: of all that they name, what is used counts.
        """
        importer = File(os.path.abspath(path), data)
        if importer.source is None:
            return
        used = _Used.by(importer.source.text)
        queue: list[tuple[File, Import | str]] = [(importer, found) for found in importer.imports if used.has(found)]
        seen: set[tuple[str, str]] = set()
        steps = 0
        while queue:
            where, wanted = queue.pop(0)
            for file, names in self._wanted(where, wanted, used):
                for name in sorted(names):
                    if (file.path, name) in seen:
                        continue
                    seen.add((file.path, name))
                    for statement in _binding(file, name):
                        steps += 1
                        if steps > MAX_STEPS:
                            return
                        uses = file.uses(statement)
                        yield uses.text
                        used |= uses
                        queue += [(file, found) for found in file.imports if found.bound in uses.words]
                        queue += [(file, name) for name in sorted(file.binds & uses.words)]
                    queue += [(file, found) for found in file.imports if found.bound in (name, "*")]

    def _wanted(self, importer: File, wanted: Import | str, used: _Used) -> Iterator[tuple[File, frozenset[str]]]:
        """The files that an import names, each with the names that are wanted of it; a name is the file's own."""
        if isinstance(wanted, str):
            yield importer, frozenset({wanted})
            return
        for path, is_module in self._targets(importer, wanted):
            if (file := self.file(path)) is not None:
                yield file, file.binds & used.attributes if is_module else _names_wanted(wanted, file, used)

    def _targets(self, importer: File, wanted: Import) -> Iterator[tuple[str, bool]]:
        """The files that an import names: the module, and the one inside it that may be the name that is imported."""
        found = self.find(importer.path, wanted.module)
        if found is None:
            return
        if found.endswith(".py"):
            yield found, False
        if wanted.name not in (None, "*"):
            folder = os.path.dirname(found) if found.endswith(_PACKAGE) else found
            below = self.inside(folder, [str(wanted.name)]) if not folder.endswith(".py") else None
            if below is not None and below.endswith(".py"):
                yield below, True

    # Who uses a name

    def users(self, path: str, name: str) -> list[str]:
        """The other files of a file's project that have a name as a word, the nearest first."""
        path = os.path.abspath(path)
        queries = dict(self._queries)
        text = re.escape(name.encode())
        word = re.compile(
            text + rb"(?<!\w" + text + rb")\b"
        )  # a pattern that begins with its text is as fast as ``in``
        found = []
        for other in self._below(self.root(os.path.dirname(path))):
            if other == path or (file := self.file(other)) is None:
                continue
            if word.search(file.data):
                found.append(other)
        self._queries = {**queries, ("users", path, name): None}  # what was looked at for the answer is part of it
        self._roots = {}
        return sorted(found, key=lambda other: (-len(os.path.commonpath([path, other])), other))

    def _below(self, root: str) -> tuple[str, ...]:
        """The Python files of a project."""
        if root not in self._listed:
            paths: list[str] = []
            for folder, folders, files in os.walk(root):
                folders[:] = sorted(name for name in folders if name[:1] != "." and name not in _SKIPPED_FOLDERS)
                paths += [os.path.join(folder, name) for name in sorted(files) if name.endswith(".py")]
                if len(paths) > MAX_LISTED:
                    break
            self._listed[root] = tuple(paths[:MAX_LISTED])
        return self._listed[root]


def _lies_in(folder: str, above: str) -> bool:
    """Whether a folder is another one, or lies below it."""
    return folder == above or folder.startswith(above + os.sep)


def _names_wanted(wanted: Import, file: File, used: _Used) -> frozenset[str]:
    """The names of a file that are wanted where an import names it, or something that it has."""
    if wanted.name is None:
        return file.binds & used.attributes
    return file.binds & used.words if wanted.name == "*" else frozenset({wanted.name})


def _binding(file: File, name: str) -> list[Statement]:
    return [s for s in file.statements or () if name in s.words and (s.binds is None or name in s.binds)]


def _imports_of(match: re.Match[str]) -> Iterator[Import]:
    module, names = match["module"], re.sub(r"#[^\n]*|[()\\\n]", " ", match["names"] or match["modules"] or "")
    for words in (name.split() for name in names.split(",")):
        if not words:
            continue
        bound = words[2] if len(words) == 3 and words[1] == "as" else words[0]
        if module is None:
            yield Import(bound.split(".")[0], words[0], None)
        else:
            yield Import(bound, module, words[0])
