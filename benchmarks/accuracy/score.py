#!/usr/bin/env python3
# ruff: noqa: E501, E731, SIM115, T201
"""Score the linter against a labelled corpus of published packages. Standard library only.

    python3 score.py --labels labels.jsonl --corpus DEST [--command "claude-api-lint check --output-format json"]

It runs the command once per package folder (DEST/NAME==VERSION), reads the JSON array of findings from standard
output, and compares them with the labels, rule group by rule group:

    R1 CAV101 CAV104 CAV105 CAV106   R2 CAV102 CAV103   R3 CAV201 CAV202   R4 CAV301   R5 CAV302   R6 CAV303   R7 CAV401..CAV405

A label is hit when a finding of its group starts at, or spans, the label's line or one of its alt_lines, or starts at most two lines away.
recall     = hit families / families, over the labels 'certain' and 'likely' (near-copies of one file across versions are one family)
certain    = the same over the labels 'certain' alone
false      = findings in labelled files that hit no label; 'barred' are those on a line that a label says must not be reported
precision  = findings that hit a label / those + false     ('contested' labels count for nothing, either way)
"""

import argparse
import collections
import json
import os
import shlex
import subprocess
import sys

GROUPS = {
    "R1": ("CAV101", "CAV104", "CAV105", "CAV106"),
    "R2": ("CAV102", "CAV103"),
    "R3": ("CAV201", "CAV202"),
    "R4": ("CAV301",),
    "R5": ("CAV302",),
    "R6": ("CAV303",),
    "R7": ("CAV401", "CAV402", "CAV403", "CAV404", "CAV405"),
}
GROUP_OF = {code: group for group, codes in GROUPS.items() for code in codes}


def run(command, folder):
    """Findings of one package folder; exit 2 (some file could not be checked) is an answer too if the findings are there."""
    done = subprocess.run([*shlex.split(command), "."], cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 1, 2) or not done.stdout.strip():
        sys.exit(f"{folder}: exit {done.returncode}: {done.stderr.strip()[-800:]}")
    return json.loads(done.stdout)


def touches(finding, line):
    first, last = finding["line"], finding.get("end_line") or finding["line"]
    return first - 2 <= line <= max(last, first + 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--command", default="claude-api-lint check --output-format json")
    parser.add_argument("--show", action="store_true", help="list every miss and every false finding")
    parser.add_argument("--groups", default=",".join(GROUPS), help="rule groups to score, e.g. R1,R2")
    options = parser.parse_args()
    groups = options.groups.split(",")

    files = collections.defaultdict(list)
    for row in open(options.labels, encoding="utf-8"):
        label = json.loads(row)
        files[f"{label['package']}=={label['version']}"].append(label)

    families = {g: collections.defaultdict(list) for g in groups}
    certain = {g: collections.defaultdict(list) for g in groups}
    good = collections.Counter()
    false = collections.Counter()
    barred = collections.Counter()
    shown = []
    for package, labels in sorted(files.items()):
        found = collections.defaultdict(list)
        for finding in run(options.command, os.path.join(options.corpus, package)):
            if GROUP_OF.get(finding["code"]) in groups:
                found[os.path.normpath(finding["path"])].append(finding)
        for label in labels:
            here = found.get(os.path.normpath(label["file"]), [])
            explained = set()
            for want in label["findings"]:
                group = want["rule"]
                if group not in groups:
                    continue
                lines = [want["line"], *want.get("alt_lines", [])]
                hits = [
                    k for k, f in enumerate(here) if GROUP_OF[f["code"]] == group and any(touches(f, n) for n in lines)
                ]
                explained.update(hits)
                if want["confidence"] == "contested":
                    continue
                families[group][label["family"]].append(bool(hits))
                if want["confidence"] == "certain":
                    certain[group][label["family"]].append(bool(hits))
                good[group] += bool(hits)
                if not hits:
                    shown.append(
                        f"missed {group} {package} {label['file']}:{want['line']} ({want['confidence']}, needs {label['needs']}) {want['why']}"
                    )
            for k, finding in enumerate(here):
                if k in explained:
                    continue
                group = GROUP_OF[finding["code"]]
                false[group] += 1
                why = [n["why"] for n in label["not_findings"] if n["rule"] == group and touches(finding, n["line"])]
                barred[group] += bool(why)
                shown.append(
                    f"false {finding['code']} {package} {label['file']}:{finding['line']} {'BARRED: ' + why[0] if why else ''}"
                )

    if options.show:
        print("\n".join(shown))
    total = collections.Counter()
    print("group  families  recall  certain  false  barred  precision")
    for group in groups:
        rate = lambda table: sum(sum(v) / len(v) for v in table.values()) / len(table) if table else float("nan")
        n, r, c = len(families[group]), rate(families[group]), rate(certain[group])
        precision = good[group] / (good[group] + false[group]) if good[group] + false[group] else float("nan")
        print(f"{group:5}  {n:8}  {r:6.2f}  {c:7.2f}  {false[group]:5}  {barred[group]:6}  {precision:9.2f}")
        total.update(
            families=n,
            recall=sum(sum(v) / len(v) for v in families[group].values()),
            good=good[group],
            false=false[group],
            barred=barred[group],
            nc=len(certain[group]),
            c=sum(sum(v) / len(v) for v in certain[group].values()),
        )
    print(
        json.dumps(
            {
                "recall": round(total["recall"] / max(total["families"], 1), 3),
                "certain_recall": round(total["c"] / max(total["nc"], 1), 3),
                "precision": round(total["good"] / max(total["good"] + total["false"], 1), 3),
                "false": total["false"],
                "barred": total["barred"],
                "families": total["families"],
            }
        )
    )


if __name__ == "__main__":
    main()
