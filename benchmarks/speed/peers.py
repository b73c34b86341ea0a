"""The tools that the linter is measured beside, each pinned and in an environment of its own.

Each one has a rule as close to ours as it allows (in ``rules/``): a request to the Claude API without its version
header, as far as it stands in one call. None of them follows values, so none does the same work.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
RULES = HERE / "rules"

_FLAKE8 = ("flake8==7.4.1",) if sys.version_info < (3, 11) else ("flake8==7.5.0",)


@dataclass(frozen=True)
class Peer:
    """A tool: what to install, the program that it is, and its arguments before the paths."""

    name: str
    requirements: tuple[str, ...]
    program: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()

    def command(self, environments: Path, *paths: str | Path) -> list[str]:
        """The command that checks some paths."""
        return [str(environments / self.name / "bin" / self.program), *self.arguments, *map(str, paths)]

    def version(self, environments: Path) -> str:
        """What was asked for, as it is installed."""
        name = self.requirements[0].partition("==")[0]
        if name == str(REPOSITORY):
            name = "claude-api-lint"
        script = f"import importlib.metadata as m; print(m.version({name!r}))"
        python = str(environments / self.name / "bin" / "python")
        done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
        return f"{name} {done.stdout.strip()}"


PEERS = {
    peer.name: peer
    for peer in (
        Peer("ours", (str(REPOSITORY),), "claude-api-lint", ("check", "--no-cache")),
        Peer(
            "ruff",
            ("ruff==0.17.6",),
            "ruff",
            ("check", "--isolated", "--no-cache", "--quiet", "--select", "E9,F"),
        ),
        Peer("flake8", _FLAKE8, "flake8", ("--isolated", "-j1")),
        Peer("flake8-ours", (str(REPOSITORY), *_FLAKE8), "flake8", ("--isolated", "-j1")),
        Peer("flake8-torchfix", ("torchfix==0.7.0", *_FLAKE8), "flake8", ("--isolated", "-j1")),
        Peer("flake8-async", ("flake8-async==26.8.1", *_FLAKE8), "flake8", ("--isolated", "-j1")),
        Peer(
            "fixit",
            ("fixit==2.2.1",),
            "fixit",
            ("--rules", "missing_version", "lint"),
            (("PYTHONPATH", str(RULES)),),
        ),
        Peer(
            "semgrep",
            ("semgrep==1.182.0",),
            "semgrep",
            (
                "scan", "--metrics=off", "--disable-version-check", "--no-git-ignore", "--quiet",
                "--config", str(RULES / "semgrep.yml"),
            ),
        ),
        Peer("ast-grep", ("ast-grep-cli==0.51.1",), "ast-grep", ("scan", "--rule", str(RULES / "ast-grep.yml"))),
    )
}  # fmt: skip


def install(peer: Peer, environments: Path) -> None:
    """Make the environment of a peer, unless it is there."""
    folder = environments / peer.name
    done = folder / "installed.txt"
    wanted = "\n".join(peer.requirements)
    if done.is_file() and done.read_text() == wanted and str(REPOSITORY) not in peer.requirements:
        return
    if not done.is_file() or done.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *peer.requirements], check=True)
    if str(REPOSITORY) in peer.requirements:  # the code of today, whatever its version says
        subprocess.run([*pip, "--force-reinstall", "--no-deps", str(REPOSITORY)], check=True)
    done.write_text(wanted)
