"""Run the command with an ear on everything that Python does on the way, and print what it must not do.

python audited.py FOLDER ARGUMENT ...     FOLDER holds the checked code, and is what ``fix`` may write to
"""

from __future__ import annotations

import os
import sys
from typing import Any

FORBIDDEN = (
    "socket.", "urllib.", "http.", "ftplib.", "smtplib.", "ssl.", "webbrowser.",  # the network
    "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.",  # programs
    "pickle.", "marshal.load", "shelve.",  # what runs code when it is read
)  # fmt: skip
CHANGING = frozenset(
    "os.chflags os.chmod os.chown os.link os.mkdir os.remove os.removexattr os.rename os.rmdir os.setxattr os.symlink "
    "os.truncate os.utime shutil.copyfile shutil.move shutil.rmtree".split()
)
"""Events about a path that is changed."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Ear:
    """Remembers what is forbidden. Python's own writing of its byte code is switched off by the caller."""

    def __init__(self, folder: str, may_write: bool) -> None:
        self.folder = os.path.join(os.path.realpath(folder), "")
        self.may_write = may_write
        self.heard: dict[str, None] = {}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "marshal.loads":  # Python's own modules
            return
        if event.startswith(FORBIDDEN):
            self.heard[f"{event} {arguments!r}"[:300]] = None
        elif event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & WRITING:
                self._changes(event, path)
        elif event in CHANGING:
            self._changes(event, *arguments[: 2 if event in ("os.rename", "os.link") else 1])
        elif event == "exec":
            self._runs(getattr(arguments[0], "co_filename", ""))
        elif event == "import" and arguments[1]:
            self._runs(arguments[1])

    def _changes(self, event: str, *paths: Any) -> None:
        for path in paths:
            if isinstance(path, int) or os.fspath(path) in (os.devnull, ""):
                continue
            absolute = os.path.realpath(os.fsdecode(path))
            if not self.may_write or not absolute.startswith(self.folder):
                self.heard[f"{event} changes {absolute}"] = None

    def _runs(self, filename: str) -> None:
        if not filename.startswith("<") and os.path.realpath(filename).startswith(self.folder):
            self.heard[f"{filename} is run"] = None


def main() -> int:
    """Run the command, and tell."""
    folder, *arguments = sys.argv[1:]
    ear = Ear(folder, may_write=arguments[0] == "fix" and "--diff" not in arguments)
    sys.addaudithook(ear)
    from claude_api_lint.cli import main as command

    command(arguments)
    for name, module in list(sys.modules.items()):
        ear._runs(getattr(module, "__file__", None) or "")
        if name in ("ssl", "http.client", "urllib.request"):  # importlib.metadata imports socket
            ear.heard[f"{name} is imported"] = None
    sys.stdout.write("\n".join(["", "HEARD", *ear.heard]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
