#!/usr/bin/env python3
# ruff: noqa: E501, E731, SIM115, B905, T201
"""Recall on real code shapes, by mutation. Standard library only.

    python3 mutate.py --sites sites.txt --corpus DEST [--command ...] [--fix-command ...] [--show]

Each line of sites.txt names a place in a published package where a correct version header is written:
NAME==VERSION FILE LINE. For each site the package is copied, the file is broken in one way, and the linter is run on the copy:

    drop        the header entry is deleted                          -> a new finding of CAV101
    outdated    its value becomes "2023-01-01"                       -> a new finding of CAV102
    unknown     its value becomes "2024-01-01"                       -> a new finding of CAV103
    underscore  its name becomes "anthropic_version"                 -> a new finding of CAV101 or CAV104

A mutant is caught when a finding with such a code is there that the unbroken copy does not have. With --fix-command, that
command is then run on every caught mutant and the linter again: repaired = no finding of the group is left and the file parses.
Sites whose value is not a literal are mutated by 'drop' and 'underscore' only.
"""

import argparse
import ast
import collections
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

WANTED = {"drop": {"CAV101"}, "outdated": {"CAV102"}, "unknown": {"CAV103"}, "underscore": {"CAV101", "CAV104"}}
NEW_VALUE = {"outdated": "2023-01-01", "unknown": "2024-01-01"}


def offset(lines, line, column):
    """Character offset of an ast position (1-based line, UTF-8 byte column)."""
    return sum(len(text) for text in lines[: line - 1]) + len(lines[line - 1].encode()[:column].decode())


def entry(source, line):
    """(span of the whole entry, span of the key, span of a literal value or None) of the header written at a line."""
    lines = source.splitlines(keepends=True)
    span = lambda node: (
        offset(lines, node.lineno, node.col_offset),
        offset(lines, node.end_lineno, node.end_col_offset),
    )
    is_key = lambda node: isinstance(node, ast.Constant) and str(node.value).lower() == "anthropic-version"
    literal = lambda node: span(node) if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values):
                if key is not None and is_key(key) and key.lineno == line:
                    start, end = span(key)[0], span(value)[1]
                    rest = source[end:]
                    comma = len(rest) - len(rest.lstrip())
                    if rest[comma : comma + 1] == ",":
                        end += comma + 1
                    return (start, end), span(key), literal(value), ""
        if (
            isinstance(node, ast.Assign)
            and node.lineno == line
            and isinstance(node.targets[0], ast.Subscript)
            and is_key(node.targets[0].slice)
        ):
            return span(node), span(node.targets[0].slice), literal(node.value), "pass"
    raise SystemExit(f"no version header at line {line}")


def mutants(source, line):
    whole, key, value, filler = entry(source, line)
    cut = lambda span, new: source[: span[0]] + new + source[span[1] :]
    yield "drop", cut(whole, filler)
    yield "underscore", cut(key, '"anthropic_version"')
    if value:
        for kind, version in NEW_VALUE.items():
            yield kind, cut(value, f'"{version}"')


def check(command, folder):
    done = subprocess.run([*shlex.split(command), "."], cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 1, 2) or not done.stdout.strip():
        sys.exit(f"{folder}: exit {done.returncode}: {done.stderr.strip()[-800:]}")
    return collections.Counter(f["code"] for f in json.loads(done.stdout))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--command", default="claude-api-lint check --output-format json")
    parser.add_argument("--fix-command", default="")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    total, caught, repaired = collections.Counter(), collections.Counter(), collections.Counter()
    for row in open(options.sites, encoding="utf-8"):
        words = row.split("#", 1)[0].split()
        if not words:
            continue
        package, name, line = words[0], words[1], int(words[2])
        with tempfile.TemporaryDirectory() as scratch:
            folder = os.path.join(scratch, "package")
            shutil.copytree(os.path.join(options.corpus, package), folder)
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8", newline="") as file:
                source = file.read()
            before = check(options.command, folder)
            for kind, text in mutants(source, line):
                ast.parse(text)
                with open(path, "w", encoding="utf-8", newline="") as file:
                    file.write(text)
                after = check(options.command, folder)
                total[kind] += 1
                hit = any(after[code] > before[code] for code in WANTED[kind])
                caught[kind] += hit
                if not hit and options.show:
                    print(f"escaped {kind} {package} {name}:{line}")
                if hit and options.fix_command:
                    subprocess.run([*shlex.split(options.fix_command), "."], cwd=folder, capture_output=True, text=True)
                    with open(path, encoding="utf-8", newline="") as file:
                        ast.parse(file.read())
                    left = check(options.command, folder)
                    good = all(left[code] <= before[code] for code in WANTED[kind])
                    repaired[kind] += good
                    if not good and options.show:
                        print(f"not repaired {kind} {package} {name}:{line}")
                    for root, _, files in os.walk(os.path.join(options.corpus, package)):
                        for file in files:
                            original = os.path.join(root, file)
                            shutil.copyfile(
                                original,
                                os.path.join(folder, os.path.relpath(original, os.path.join(options.corpus, package))),
                            )
                with open(path, "w", encoding="utf-8", newline="") as file:
                    file.write(source)
    for kind in total:
        print(f"{kind:11} {caught[kind]:4} of {total[kind]:4} caught, {repaired[kind]:4} repaired")
    print(
        json.dumps(
            {
                "mutants": sum(total.values()),
                "caught": round(sum(caught.values()) / max(sum(total.values()), 1), 3),
                "repaired": round(sum(repaired.values()) / max(sum(caught.values()), 1), 3),
            }
        )
    )


if __name__ == "__main__":
    main()
