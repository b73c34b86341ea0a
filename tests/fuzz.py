"""Look for a program that breaks what holds for every program, with new ones each time, until the time is up.

python tests/fuzz.py --minutes 10
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = ("test_properties.py", "test_agreement.py", "test_parsing.py")


def main() -> int:
    """Run the property tests with one seed after the other; exit 1, and say with which, when they fail."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to look")
    parser.add_argument("--seed", type=int, help="look once, with this seed")
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    rounds = 0
    while time.monotonic() < end:
        seed = options.seed if options.seed is not None else random.randrange(1 << 32)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "auto", "-p", "no:cacheprovider"]
        command += ["--hypothesis-profile=explore", f"--hypothesis-seed={seed}"]
        left = max(1.0, end - time.monotonic())
        try:
            done = subprocess.run([*command, *(str(HERE / test) for test in TESTS)], cwd=HERE.parent, timeout=left)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"\nthe last round was broken off; if it shows an F: python tests/fuzz.py --seed {seed}\n")
            break
        if done.returncode != 0:
            sys.stderr.write(f"found something; again with: python tests/fuzz.py --seed {seed}\n")
            return 1
        rounds += 1
        if options.seed is not None:
            break
    sys.stderr.write(f"nothing found in {rounds} whole rounds\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
