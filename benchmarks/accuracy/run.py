#!/usr/bin/env python3
"""Measure the linter on published packages: fetch them, score the findings, mutate correct headers and mend them.

    python benchmarks/accuracy/run.py                    # fetch once into build/corpus, then score and mutate
    python benchmarks/accuracy/run.py --steps score      # only some of fetch, score, mutate, silent
    python benchmarks/accuracy/run.py --steps fetch-big,silent

Exits 1 where a number falls below what the project promises. Fetching needs pip and the package index, the rest needs
nothing but the linter; the fetched code is never run.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build"
STEPS = ("fetch", "score", "mutate")
BIG_STEPS = ("fetch-big", "silent")

SCORE = {"certain_recall": 0.9, "precision": 0.95}
MUTATION = {"caught": 0.95, "repaired": 0.95}
SILENT = ("django", "sympy", "pandas", "botocore")
"""Packages of bigtree.txt in which there is nothing to find."""

NEEDS = ("function", "module")
"""How far one must look to give the right answer; what needs more counts for nothing here."""

CHECK = f"{shlex.quote(sys.executable)} -m claude_api_lint check --output-format json"
FIX = f"{shlex.quote(sys.executable)} -m claude_api_lint fix"


def tool(name: str, *arguments: str | Path) -> dict[str, Any]:
    """Run one of the scripts beside this one; gives the JSON of its last line, if it has one."""
    command = [sys.executable, str(HERE / name), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout)
    sys.stdout.flush()
    if done.returncode != 0:
        sys.exit(f"{name} failed with exit code {done.returncode}")
    last = done.stdout.rstrip().rpartition("\n")[2]
    return dict(json.loads(last)) if last.startswith("{") else {}


def below(numbers: dict[str, Any], promised: dict[str, float]) -> list[str]:
    return [f"{name} is {numbers[name]}, below {least}" for name, least in promised.items() if numbers[name] < least]


def score(corpus: Path, groups: str, show: bool) -> list[str]:
    """Precision and recall on the labelled files."""
    labels = [json.loads(line) for line in (HERE / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    for label in labels:
        for finding in label["findings"] if label["needs"] not in NEEDS else []:
            finding["confidence"] = "contested"
    with tempfile.TemporaryDirectory() as folder:
        chosen = Path(folder) / "labels.jsonl"
        chosen.write_text("".join(json.dumps(label) + "\n" for label in labels), encoding="utf-8")
        arguments: list[str | Path] = ["--labels", chosen, "--corpus", corpus, "--command", CHECK, "--groups", groups]
        numbers = tool("score.py", *arguments, *(["--show"] if show else []))
    barred = [f"{numbers['barred']} findings where a label bars them"] if numbers["barred"] else []
    return below(numbers, SCORE) + barred


def mutate(corpus: Path, show: bool) -> list[str]:
    """Break correct headers, and mend them."""
    sites = (HERE / "sites.txt").read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        chosen = Path(folder) / "sites.txt"
        chosen.write_text("\n".join(site for site in sites if any(f"# {needed}:" in site for needed in NEEDS)))
        arguments: list[str | Path] = ["--sites", chosen, "--corpus", corpus, "--command", CHECK, "--fix-command", FIX]
        return below(tool("mutate.py", *arguments, *(["--show"] if show else [])), MUTATION)


def silent(big: Path) -> list[str]:
    """Findings in packages in which there is nothing to find."""
    wrong: list[str] = []
    for folder in sorted(big.iterdir()):
        if folder.name.partition("==")[0] in SILENT:
            done = subprocess.run([*shlex.split(CHECK), str(folder)], capture_output=True, text=True, check=False)
            wrong += [f"{f['path']}:{f['line']}: {f['code']} is a false alarm" for f in json.loads(done.stdout or "[]")]
            sys.stdout.write(f"{folder.name}: exit {done.returncode}\n")
    return wrong


def main() -> int:
    """Run the chosen steps."""
    summary, _, notes = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=notes, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=BUILD / "corpus", help="where the labelled packages are")
    parser.add_argument("--big", type=Path, default=BUILD / "bigtree", help="where the packages of bigtree.txt are")
    parser.add_argument("--steps", default=",".join(STEPS), help=f"of {', '.join((*STEPS, *BIG_STEPS))}")
    parser.add_argument("--groups", default="R1,R2", help="rule groups to score")
    parser.add_argument("--show", action="store_true", help="list every miss and every false alarm")
    options = parser.parse_args()
    steps = options.steps.split(",")
    if unknown := set(steps) - {*STEPS, *BIG_STEPS}:
        parser.error(f"unknown step: {', '.join(sorted(unknown))}")
    short: list[str] = []
    if "fetch" in steps and not options.corpus.is_dir():
        tool("fetch_corpus.py", HERE / "packages.txt", options.corpus, "--labels", HERE / "labels.jsonl")
    if "score" in steps:
        short += score(options.corpus, options.groups, options.show)
    if "mutate" in steps:
        short += mutate(options.corpus, options.show)
    if "fetch-big" in steps and not options.big.is_dir():
        tool("fetch_corpus.py", HERE / "bigtree.txt", options.big)
    if "silent" in steps:
        short += silent(options.big)
    for line in short:
        sys.stderr.write(f"short of the promise: {line}\n")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
