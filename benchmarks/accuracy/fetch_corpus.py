#!/usr/bin/env python3
# ruff: noqa: E501, SIM115, C408, RUF017, T201
"""Rebuild a folder of unpacked PyPI packages from a pinned list. Standard library + pip; nothing is installed or run.

    python3 fetch_corpus.py packages.txt corpus/                 # download, check sha256, unpack *.py
    python3 fetch_corpus.py packages.txt corpus/ --labels labels.jsonl   # and check the sha256 of every labelled file
    python3 fetch_corpus.py names.txt corpus/ --lock packages.txt        # names.txt: bare NAME==VERSION lines; writes the pins

List format, one archive a line ('#' starts a comment):
    NAME==VERSION                                            (no pin: allowed only together with --lock)
    NAME==VERSION --hash=sha256:HEX  FILENAME.whl  [tags...] (pinned; extra words, such as dev / heldout, are tags: see --tag)
Each archive is unpacked in DEST/NAME==VERSION/ with its paths as they are inside the wheel.

Wheels only: `pip download` of an sdist would run the package's build backend, so an sdist needs --allow-sdist.
pip is called with --no-deps and, where a pin exists, --require-hashes; the sha256 is then checked again here.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile


def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for b in iter(lambda: f.read(1 << 20), b""):
            h.update(b)
    return h.hexdigest()


def read_list(path):
    rows = []
    for line in open(path, encoding="utf-8"):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        m = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)", words[0])
        if not m:
            sys.exit(f"{path}: not NAME==VERSION: {line.rstrip()}")
        row = dict(name=m[1], version=m[2], sha256=None, file=None, tags=[])
        for w in words[1:]:
            if w.startswith("--hash=sha256:"):
                row["sha256"] = w[14:]
            elif w.endswith((".whl", ".tar.gz", ".zip")):
                row["file"] = w
            else:
                row["tags"].append(w)
        rows.append(row)
    return rows


def tag_args(wheel):
    """pip options that make exactly this wheel acceptable, whatever Python runs this script"""
    py, abi, plat = wheel[:-4].split("-")[-3:]
    if plat == "any" and abi == "none" and "py3" in py.split("."):
        return []
    args = []
    for p in plat.split("."):
        args += ["--platform", p]
    for a in abi.split("."):
        args += ["--abi", a]
    m = re.match(r"(cp|py|pp)(\d)(\d*)", py.split(".")[-1])
    if m:
        args += ["--implementation", m[1]]
        if m[3]:
            args += ["--python-version", f"{m[2]}.{m[3]}"]
    return args


def pip_download(row, out, a):
    base = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-cache-dir",
        "-d",
        out,
    ]
    sdist = bool(row["file"]) and not row["file"].endswith(".whl")
    if sdist and not a.allow_sdist:
        return "an sdist: needs --allow-sdist (pip runs its build backend for metadata)"
    base += ["--no-binary", ":all:"] if sdist else ["--only-binary", ":all:", "--ignore-requires-python"]
    spec = f"{row['name']}=={row['version']}"
    if row["sha256"]:
        req = os.path.join(out, "req.txt")
        with open(req, "w") as f:
            f.write(f"{spec} --hash=sha256:{row['sha256']}\n")
        want = ["--require-hashes", "-r", req]
    else:
        want = [spec]
    tries = [base + (tag_args(row["file"]) if row["file"] and not sdist else []) + want]
    if not row["file"]:
        many = sum(
            (
                ["--platform", p]
                for p in ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "any")
            ),
            [],
        )
        tries += [base + many + ["--python-version", v] + want for v in ("3.11", "3.12", "3.13")]
    err = ""
    for t in tries:
        for _ in range(2):
            r = subprocess.run(t, capture_output=True, text=True)
            if r.returncode == 0:
                return ""
            err = r.stderr.strip()[-600:]
            if "timed out" not in err and "onnection" not in err:
                break
    return err or "pip download failed"


def members(path):
    if path.endswith((".whl", ".zip")):
        with zipfile.ZipFile(path) as z:
            for i in z.infolist():
                if not i.is_dir():
                    yield i.filename, (lambda i=i: z.read(i))
    else:
        with tarfile.open(path) as t:
            for m in t:
                if m.isfile() and "/" in m.name:
                    yield m.name.split("/", 1)[1], (lambda m=m: t.extractfile(m).read())


def unpack(path, dest, exts):
    n = 0
    for name, read in members(path):
        parts = name.split("/")
        if name.startswith("/") or "\\" in name or ".." in parts or not name.endswith(exts):
            continue
        target = os.path.join(dest, *parts)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as f:
            f.write(read())
        n += 1
    return n


def one(row, a):
    spec = f"{row['name']}=={row['version']}"
    dest = os.path.join(a.dest, spec)
    tmp = tempfile.mkdtemp(dir=a.dest)
    try:
        kept = os.path.join(a.archives, row["file"]) if a.archives and row["file"] else ""
        if kept and os.path.exists(kept) and row["sha256"] == sha256(kept):
            path = kept
        else:
            err = pip_download(row, tmp, a)
            if err:
                return spec, None, err
            got = [f for f in os.listdir(tmp) if f != "req.txt"]
            if len(got) != 1:
                return spec, None, f"expected one archive, got {got}"
            path = os.path.join(tmp, got[0])
        digest = sha256(path)
        if row["sha256"] and digest != row["sha256"]:
            return spec, None, f"sha256 is {digest}, pinned {row['sha256']}"
        if row["file"] and os.path.basename(path) != row["file"]:
            return spec, None, f"got {os.path.basename(path)}, pinned {row['file']}"
        row = dict(row, sha256=digest, file=os.path.basename(path), size=os.path.getsize(path))
        shutil.rmtree(dest, ignore_errors=True)
        os.makedirs(dest)
        row["unpacked"] = unpack(path, dest, tuple(a.ext))
        if a.archives and path != kept:
            os.makedirs(a.archives, exist_ok=True)
            shutil.move(path, os.path.join(a.archives, row["file"]))
        return spec, row, ""
    except Exception as e:
        return spec, None, repr(e)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("list")
    p.add_argument("dest")
    p.add_argument("--lock", help="write the pinned list here")
    p.add_argument("--labels", help="labels.jsonl to check")
    p.add_argument("--archives", help="keep archives here and reuse those whose sha256 is right")
    p.add_argument("--tag", help="only the rows with this tag (for example dev)")
    p.add_argument("--ext", action="append", help="suffix to unpack (default .py); repeat for more")
    p.add_argument("--jobs", type=int, default=4)
    p.add_argument("--allow-sdist", action="store_true")
    a = p.parse_args()
    a.ext = a.ext or [".py"]
    rows = [r for r in read_list(a.list) if not a.tag or a.tag in r["tags"]]
    if not a.lock and any(not r["sha256"] for r in rows):
        sys.exit("a row has no --hash=sha256: pin; use --lock FILE to make the pins")
    a.dest = os.path.abspath(a.dest)
    os.makedirs(a.dest, exist_ok=True)
    done, bad = [], 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as ex:
        for spec, row, err in ex.map(lambda r: one(r, a), rows):
            if row:
                done.append(row)
                print(f"ok   {spec}  {row['unpacked']} files  {row['file']}", flush=True)
            else:
                bad += 1
                print(f"FAIL {spec}: {err}", flush=True)
    if a.lock:
        with open(a.lock, "w") as f:
            for r in done:
                f.write(
                    f"{r['name']}=={r['version']} --hash=sha256:{r['sha256']}  {r['file']}{''.join('  ' + t for t in r['tags'])}\n"
                )
    print(f"{len(done)} archives, {sum(r['unpacked'] for r in done)} files, {bad} failed")
    if a.labels:
        have = {(r["name"], r["version"]) for r in done}
        ok = wrong = 0
        for line in open(a.labels, encoding="utf-8"):
            x = json.loads(line)
            if (x["package"], x["version"]) not in have:
                continue
            f = os.path.join(a.dest, f"{x['package']}=={x['version']}", x["file"])
            if os.path.exists(f) and sha256(f) == x["sha256"]:
                ok += 1
            else:
                wrong += 1
                print("label mismatch", f)
        print(f"labelled files: {ok} match, {wrong} do not")
        bad += wrong
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
