#!/usr/bin/env python3
"""Give every hostile file to every tool, and write down in ``docs/hostile.md`` what became of it.

    make hostile                                      # or, without make:
    python benchmarks/hostile.py                      # every file, every tool; takes an hour
    python benchmarks/hostile.py --tools ours,ruff    # only these tools

The files are made by ``fixtures/hostile``; the tools are installed (once) into build/peers.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "speed"), str(HERE.parent / "fixtures")]

import inputs  # noqa: E402
from peers import PEERS, Peer, install  # noqa: E402

from hostile import hostile_files  # noqa: E402

PAGE = HERE.parent / "docs" / "hostile.md"
SECONDS = 60
MEMORY = 4 << 30
_BAD = ("crash", "hang", "memory")


@dataclass(frozen=True)
class Outcome:
    """What a tool did with a file: ``ok``, ``error`` (it says that it cannot), ``crash``, ``hang`` or ``memory``."""

    what: str
    seconds: float

    def __str__(self) -> str:
        return f"**{self.what}**" if self.what in _BAD else self.what


def outcome(peer: Peer, environments: Path, path: Path) -> Outcome:
    """Let a tool check a file, for a bounded time and in a bounded memory."""
    started = time.monotonic()
    process = subprocess.Popen(
        peer.command(environments, path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **dict(peer.environment)},
        preexec_fn=_limit,
        start_new_session=True,
    )
    timer = threading.Timer(SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    output, _ = process.communicate()
    timer.cancel()
    seconds = time.monotonic() - started
    return Outcome(_what(process.returncode, output, seconds), seconds)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _what(code: int, output: bytes, seconds: float) -> str:
    if seconds >= SECONDS:
        return "hang"
    if b"MemoryError" in output or b"memory allocation of" in output:
        return "memory"
    if code < 0 or code >= 128 or b"Traceback (most recent call last)" in output:
        return "crash"
    return "ok" if code in (0, 1) else "error"


def page(names: list[str], tools: list[str], outcomes: dict[tuple[str, str], Outcome], versions: list[str]) -> str:
    """The outcomes, in Markdown."""
    counts = {tool: Counter(outcomes[tool, name].what for name in names) for tool in tools}
    whats = ("ok", "error", *_BAD)
    return "\n".join(
        [
            "# What hostile files do to linters",
            "",
            "Made by `make hostile`. Each file was given to each tool in a process of its own, with"
            f" {MEMORY >> 30} GiB of memory",
            f"and {SECONDS} seconds. *ok*: it was checked (exit 0 or 1). *error*: the tool says that it cannot, or",
            "that something is wrong (exit 2 or more). *crash*: a signal, or an exception that nobody caught. The",
            "files are made by `fixtures/hostile`.",
            "",
            f"Versions: {', '.join(versions)}.",
            "",
            f"| | {' | '.join(tools)} |",
            f"| --- |{' --- |' * len(tools)}",
            *(f"| {what} | {' | '.join(str(counts[tool][what]) for tool in tools)} |" for what in whats),
            f"| slowest | {' | '.join(f'{max(outcomes[tool, n].seconds for n in names):.1f} s' for tool in tools)} |",
            "",
            f"| file | {' | '.join(tools)} |",
            f"| --- |{' --- |' * len(tools)}",
            *(f"| {name} | {' | '.join(str(outcomes[tool, name]) for tool in tools)} |" for name in names),
            "",
        ]
    )


def main() -> int:
    """Install the tools, give them the files, write the page."""
    summary, _, notes = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=notes, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tools", default=",".join(PEERS), help="which tools")
    parser.add_argument("--only", default="", help="only the files whose name has this")
    parser.add_argument("--environments", type=Path, default=inputs.BUILD / "peers", help="where the tools are")
    parser.add_argument("--output", type=Path, default=PAGE, help="the page to write")
    options = parser.parse_args()
    tools = options.tools.split(",")
    for tool in tools:
        install(PEERS[tool], options.environments)
    files = {name: data for name, data in sorted(hostile_files().items()) if options.only in name}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        paths = {name: Path(folder) / name.replace(" ", "_") / "program.py" for name in files}
        for name, data in files.items():
            paths[name].parent.mkdir()
            paths[name].write_bytes(data)
        pairs = [(tool, name) for tool in tools for name in files]
        found = pool.map(lambda pair: outcome(PEERS[pair[0]], options.environments, paths[pair[1]]), pairs)
        outcomes = dict(zip(pairs, found, strict=True))
    versions = [PEERS[tool].version(options.environments) for tool in tools]
    options.output.write_text(page(list(files), tools, outcomes, versions), encoding="utf-8")
    return 1 if any(outcomes["ours", name].what in _BAD for name in files if "ours" in tools) else 0


if __name__ == "__main__":
    sys.exit(main())
