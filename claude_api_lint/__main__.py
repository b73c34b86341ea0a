"""``python -m claude_api_lint``."""

from __future__ import annotations

import sys

from claude_api_lint.cli import main

if __name__ == "__main__":
    sys.exit(main())
