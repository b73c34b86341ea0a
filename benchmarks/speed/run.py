#!/usr/bin/env python3
"""Measure the linter side by side with other tools, and write ``benchmarks/RESULTS.md``.

    make bench                                        # or, without make:
    python benchmarks/speed/run.py                    # every measurement
    python benchmarks/speed/run.py --only tree        # those in whose names a regular expression is found
    python benchmarks/speed/run.py --quick            # one round of each, and none of the slow ones

Fetches packages (once, into build/bigtree, or where CLAUDE_API_LINT_BIGTREE says) and installs the tools (once, into
build/peers). Exits 1 where a goal is missed. Nothing of the fetched code is run.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import inputs
from cases import OURS, Case, Goal, cases
from measuring import Run, Spread, interleaved, ratio
from peers import PEERS, install

RESULTS = Path(__file__).resolve().parent.parent / "RESULTS.md"


@dataclass(frozen=True)
class Result:
    """What came of a case: the runs of each command, the first one being ours; or why there are none."""

    case: Case
    runs: dict[str, list[Run]]
    skipped: str | None = None


def measure(case: Case, environments: Path, options: str) -> Result:
    """Run a case, unless ours lacks the option that it needs."""
    if case.needs and case.needs not in options:
        return Result(case, {}, f"`check` has no {case.needs}")
    return Result(case, interleaved(case.commands(environments), case.rounds, warmed=case.warmed))


def reached(goal: Goal, case: Case, runs: dict[str, list[Run]]) -> tuple[Spread, bool]:
    """The figure that a goal is about, and whether it is good enough."""
    ours = next(iter(runs.values()))
    spread = (
        ratio(ours, runs[goal.beside], goal.figure)
        if goal.beside
        else Spread.of([getattr(run, goal.figure) for run in ours])
    )
    return spread, spread.median <= goal.most and all(run.exit_code in case.exits for run in ours)


def page(results: list[Result], versions: list[str], every: int) -> str:
    """The results, in Markdown."""
    return "\n".join(
        [
            "# Speed, measured side by side",
            "",
            "Made by `make bench`. Each figure is the median of whole processes that ran in turn; a ratio is that of",
            "the first command to the other, round by round, with the least and the most in brackets: below 1, the",
            "first takes less. CPU is the time of all processes of a command. The other tools have a rule as close to",
            "ours as they allow, and follow no values.",
            "",
            f"Machine: {os.cpu_count()} cores, {_memory()}, {_model()}; {platform.system()}, Python"
            f" {platform.python_version()}.",
            "",
            f"Versions: {', '.join(versions)}. Of django and litellm, where they are named, every {every}th file."
            if every > 1
            else f"Versions: {', '.join(versions)}.",
            "",
            *(line for result in results for line in _section(result)),
        ]
    )


def _section(result: Result) -> list[str]:
    lines = [f"## {result.case.name[0].upper()}{result.case.name[1:]}", ""]
    if result.skipped:
        return [*lines, f"Skipped: {result.skipped}.", ""]
    rounds = len(next(iter(result.runs.values())))
    lines += [
        "| command | wall | CPU | ratio of wall | ratio of CPU | exit |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    first = next(iter(result.runs.values()))
    for index, (name, runs) in enumerate(result.runs.items()):
        ratios = [_ratio(ratio(first, runs, figure)) if index else "" for figure in ("wall", "cpu")]
        figures = [_seconds(Spread.of([getattr(run, figure) for run in runs]).median) for figure in ("wall", "cpu")]
        codes = ", ".join(map(str, sorted({run.exit_code for run in runs})))
        lines.append(f"| {name} | {' | '.join([*figures, *ratios, codes])} |")
    lines += ["", f"{rounds} rounds."] if rounds > 1 else ["", "One round."]
    for goal in result.case.goals:
        spread, good = reached(goal, result.case, result.runs)
        wanted = (
            f"{goal.most:g} times the {goal.figure} of {goal.beside}"
            if goal.beside
            else f"{goal.most:g} s {goal.figure}"
        )
        lines.append(f"Goal: at most {wanted}; {spread.median:.2f}: {'reached' if good else '**missed**'}.")
    return [*lines, ""]


def _ratio(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f}-{spread.most:.2f})"


def _seconds(figure: float) -> str:
    return f"{figure * 1000:.0f} ms" if figure < 1 else f"{figure:.1f} s"


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> int:
    """Install, measure, write."""
    summary, _, notes = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=notes, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", default="", help="measure only the cases in whose name this regular expression is found"
    )
    parser.add_argument("--quick", action="store_true", help="one round of each, and none of the slow ones")
    parser.add_argument("--every", type=int, default=10, help="check every so-manieth file of django and litellm")
    parser.add_argument("--environments", type=Path, default=inputs.BUILD / "peers", help="where the tools are")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the page to write")
    options = parser.parse_args()
    chosen = [case for case in cases(options.every) if re.search(options.only, case.name)]
    if options.quick:
        chosen = [replace(case, rounds=1) for case in chosen if not case.slow]
    needed = dict.fromkeys([OURS, *(peer for case in chosen for peer in case.peers)])
    for name in needed:
        sys.stderr.write(f"installing {name}\n")
        install(PEERS[name], options.environments)
    ours = str(options.environments / OURS / "bin" / "claude-api-lint")
    understood = subprocess.run([ours, "check", "--help"], capture_output=True, text=True, check=True).stdout
    versions = [PEERS[name].version(options.environments) for name in needed if name != "flake8-ours"]
    results: list[Result] = []
    for case in chosen:
        sys.stderr.write(f"measuring {case.name}\n")
        results.append(measure(case, options.environments, understood))
        options.output.write_text(page(results, versions, options.every), encoding="utf-8")
    missed = [
        r.case.name for r in results if not all(reached(goal, r.case, r.runs)[1] for goal in r.case.goals if r.runs)
    ]
    for name in missed:
        sys.stderr.write(f"a goal is missed: {name}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
