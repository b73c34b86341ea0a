"""The measurements: what is run, beside what, and what is to be reached."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import inputs
from measuring import Command
from peers import PEERS

OURS = "ours"
ALL_FLAKE8 = ("flake8", "flake8-torchfix", "flake8-async")
OTHERS = ("ruff", *ALL_FLAKE8, "fixit", "semgrep", "ast-grep")


@dataclass(frozen=True)
class Goal:
    """At most so many times what another command of the case takes, or, without one, so many seconds."""

    figure: str
    most: float
    beside: str | None = None


@dataclass(frozen=True)
class Case:
    """One measurement. ``commands`` has ours, and those beside it; ``needs`` is an option that ours must have."""

    name: str
    commands: Callable[[Path], dict[str, Command]]
    goals: tuple[Goal, ...] = ()
    needs: str | None = None
    rounds: int = 5
    slow: bool = False
    peers: tuple[str, ...] = field(default=())
    warmed: bool = True
    """Whether one round runs before those that count; it fills the caches."""
    exits: tuple[int, ...] = (0, 1)
    """The exit codes of ours with which a goal can be reached; 2 says that something was skipped."""


def _check(environments: Path, peer: str, *paths: str | Path) -> Command:
    return Command(tuple(PEERS[peer].command(environments, *paths)), PEERS[peer].environment)


def _each(peers: tuple[str, ...], paths: Callable[[], list[Path]], environments: Path) -> dict[str, Command]:
    found = paths()
    return {peer: _check(environments, peer, *found) for peer in peers}


def beside_peers(name: str, peers: tuple[str, ...], paths: Callable[[], list[Path]], **more: object) -> Case:
    """Each tool on the same paths; the first one is measured against the others."""
    return Case(name, partial(_each, peers, paths), peers=peers, **more)  # type: ignore[arg-type]


def _beside_python(script: str, paths: Callable[[], list[Path]], environments: Path) -> dict[str, Command]:
    found = paths()
    python = str(environments / OURS / "bin" / "python")
    return {OURS: _check(environments, OURS, *found), "Python": Command((python, "-c", script, *map(str, found)))}


def beside_python(name: str, script: str, paths: Callable[[], list[Path]], **more: object) -> Case:
    """Ours, and a few lines of Python in the same environment."""
    return Case(name, partial(_beside_python, script, paths), peers=(OURS,), **more)  # type: ignore[arg-type]


PARSE = "import sys, libcst; [libcst.parse_module(open(path, 'rb').read()) for path in sys.argv[1:]]"
CLICK = "import click"


def _growth(environments: Path) -> dict[str, Command]:
    long, short = inputs.candidate(50_000), inputs.candidate(5_000)
    return {OURS: _check(environments, OURS, long), "a tenth of it": _check(environments, OURS, short)}


def _jobs(environments: Path) -> dict[str, Command]:
    folder = inputs.package("langchain-community")
    return {
        OURS: _check(environments, OURS, "--jobs", "2", folder),
        "one process": _check(environments, OURS, "--jobs", "1", folder),
    }


def _cache(environments: Path) -> dict[str, Command]:
    folders, cache = inputs.packages(), inputs.BUILD / "speed" / "cache"
    program = str(environments / OURS / "bin" / PEERS[OURS].program)
    return {
        OURS: Command((program, "check", "--cache-dir", str(cache), *map(str, folders))),
        "ruff": _check(environments, "ruff", *folders),
    }


def cases(every: int) -> list[Case]:
    """All measurements. Of the packages that slow tools check, ``every`` so-manieth file counts."""

    def django() -> list[Path]:
        return [inputs.sample("django", every)]

    def litellm() -> list[Path]:
        return [inputs.sample("litellm", every)]

    return [
        beside_peers(
            "an ordinary tree (22 packages)",
            (OURS, "ruff"),
            partial(inputs.packages, speaking=False),
            goals=(Goal("wall", 0.4, "ruff"), Goal("cpu", 0.25, "ruff")),
        ),
        beside_peers(
            "the whole tree (24 packages, two of which speak of the API all over)",
            (OURS, "ruff"),
            inputs.packages,
            goals=(Goal("wall", 1.0, "ruff"),),
            rounds=1,
            warmed=False,
        ),
        beside_python(
            "ten files that do not mention the API",
            CLICK,
            partial(inputs.silent_files, 10),
            goals=(Goal("wall", 1.5, "Python"),),
            rounds=15,
        ),
        beside_python(
            "a small candidate (100 lines), beside libcst.parse_module",
            PARSE,
            lambda: [inputs.candidate(100)],
            goals=(Goal("cpu", 1.5, "Python"),),
            rounds=9,
        ),
        beside_python(
            "a candidate of 5,000 lines, beside libcst.parse_module", PARSE, lambda: [inputs.candidate(5_000)], rounds=3
        ),
        Case(
            "a candidate of 50,000 lines, beside one of 5,000",
            _growth,
            goals=(Goal("cpu", 12.0, "a tenth of it"),),
            rounds=2,
            peers=(OURS,),
        ),
        beside_python(
            "one line of three megabytes, beside libcst.parse_module",
            PARSE,
            lambda: [inputs.line_of_three_megabytes()],
            goals=(Goal("cpu", 30.0),),
            exits=(0, 1, 2),
            rounds=2,
        ),
        beside_python(
            "a dict of 30,000 entries, beside libcst.parse_module",
            PARSE,
            lambda: [inputs.dict_of_thirty_thousand()],
            goals=(Goal("cpu", 30.0),),
            rounds=2,
        ),
        beside_peers(
            "flake8 with the plugin over django",
            ("flake8-ours", "flake8"),
            django,
            goals=(Goal("cpu", 1.03, "flake8"),),
        ),
        beside_peers(
            "flake8 with the plugin over litellm",
            ("flake8-ours", "flake8"),
            litellm,
            goals=(Goal("cpu", 1.15, "flake8"),),
        ),
        beside_peers("every tool over django", (OURS, *OTHERS), django, rounds=2, slow=True),
        beside_peers("every tool over litellm", (OURS, *OTHERS), litellm, rounds=2, slow=True),
        Case(
            "two processes over langchain-community, beside one",
            _jobs,
            (Goal("wall", 0.65, "one process"),),
            "--jobs",
            1,
            peers=(OURS,),
            warmed=False,
        ),
        Case(
            "the whole tree with a warm cache",
            _cache,
            (Goal("wall", 0.4, "ruff"),),
            "--cache-dir",
            2,
            peers=(OURS, "ruff"),
        ),
    ]


if __name__ == "__main__":
    sys.exit("run run.py")
