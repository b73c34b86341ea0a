"""What is measured: published packages, and files made up for the occasion."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build"
ACCURACY = HERE.parent / "accuracy"
VARIABLE = "CLAUDE_API_LINT_BIGTREE"

SPEAKING = ("litellm", "langchain-community")
"""The packages of the tree in which the API is spoken of all over."""

CANDIDATE = '''\
class Client{n}:
    """Asks the model number {n}."""

    def __init__(self, key: str, timeout: float = 30.0) -> None:
        self.key = key
        self.url = "https://api.anthropic.com/v1/messages"
        self.headers = {{"x-api-key": key, "anthropic-version": "2023-06-01"}}
        self.timeout = timeout

    def ask(self, text: str, *, model: str = "claude-opus-4-8", most: int = 100) -> str:
        messages = [{{"role": "user", "content": text}}]
        body = {{"model": model, "max_tokens": most, "messages": messages}}
        for attempt in range(3):
            response = requests.post(self.url, headers=self.headers, json=body, timeout=self.timeout)
            if response.status_code < 500:
                break
        response.raise_for_status()
        return "".join(block.get("text", "") for block in response.json()["content"])


'''


def bigtree() -> Path:
    """The packages of ``bigtree.txt``: where the environment says that they are, or fetched."""
    folder = Path(os.environ.get(VARIABLE) or BUILD / "bigtree")
    if not folder.is_dir():
        script = [sys.executable, str(ACCURACY / "fetch_corpus.py"), str(ACCURACY / "bigtree.txt"), str(folder)]
        subprocess.run(script, check=True)
    return folder


def packages(*, speaking: bool | None = None) -> list[Path]:
    """The folders of the packages; with ``speaking`` only those that do, or do not, speak of the API."""
    every = sorted(bigtree().iterdir())
    if speaking is None:
        return every
    return [folder for folder in every if (folder.name.partition("==")[0] in SPEAKING) is speaking]


def package(name: str) -> Path:
    """The folder of a package."""
    return next(folder for folder in bigtree().iterdir() if folder.name.partition("==")[0] == name)


def sample(name: str, every: int) -> Path:
    """A copy of every so-manieth file of a package; the package itself where that is each one."""
    folder = package(name)
    if every == 1:
        return folder
    copy = BUILD / "speed" / f"{folder.name}-every-{every}"
    if not copy.is_dir():
        for path in sorted(folder.rglob("*.py"))[::every]:
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        (copy / "pyproject.toml").touch()  # a project of its own: Fixit heeds the .gitignore of the one around it
    return copy


def made(name: str, text: str) -> Path:
    """A file with this text."""
    path = BUILD / "speed" / "made" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def candidate(lines: int) -> Path:
    """A file of so many lines that speaks to the API all over, and does it right."""
    classes = lines // CANDIDATE.count("\n")
    text = "import requests\n\n\n" + "".join(CANDIDATE.format(n=n) for n in range(classes))
    return made(f"candidate_{lines}.py", text)


def line_of_three_megabytes() -> Path:
    """A candidate of which one line has three megabytes."""
    words = "', '".join(["word"] * 375_000)
    return made("long_line.py", candidate(100).read_text(encoding="utf-8") + f"WORDS = ['{words}']\n")


def dict_of_thirty_thousand() -> Path:
    """A candidate with a dict of 30,000 entries."""
    entries = "".join(f"    'anthropic-{n}': {n},\n" for n in range(30_000))
    return made("large_dict.py", candidate(100).read_text(encoding="utf-8") + f"TABLE = {{\n{entries}}}\n")


def silent_files(count: int) -> list[Path]:
    """Files that do not mention the API."""
    files = sorted(sample("django", 1).rglob("*.py"), key=lambda path: path.as_posix())
    return [path for path in files if 1_000 < path.stat().st_size < 20_000][:count]
