"""Write ``programs.md``: what each program in ``fixtures/`` prints, before and after it is fixed.

python docs/make_programs.py
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "programs.md"

sys.path.insert(0, str(PAGE.parent.parent / "fixtures"))

from harness import programs, table  # noqa: E402
from server import Authority  # noqa: E402


def main() -> int:
    """Run the programs, a few at a time, and write the page."""
    authority = Authority()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(lambda program: table.row(program, authority), programs()))
    PAGE.write_text(table.page(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
