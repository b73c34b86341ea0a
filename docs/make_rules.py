"""Write the page of every rule in ``docs/rules/`` from the docstring of its class.

python docs/make_rules.py           # write the pages
python docs/make_rules.py --check   # exit 1 where a page is not what the docstring says
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from pathlib import Path

from claude_api_lint.rule import Rule
from claude_api_lint.rules import rule_classes

PAGES = Path(__file__).resolve().parent / "rules"
EXAMPLE = re.compile(r"^(Bad|Good):\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)


def page(rule: type[Rule]) -> str:
    """The page of a rule, in Markdown."""
    text = EXAMPLE.sub(_example, (inspect.getdoc(rule) or "") + "\n")
    return f"# {rule.code}: {rule.name}\n\n{text.rstrip()}\n"


def _example(match: re.Match[str]) -> str:
    return f"{match[1]}:\n\n```python\n{inspect.cleandoc(match[2]).strip()}\n```\n\n"


def pages() -> dict[Path, str]:
    """The pages of all rules, by the files that they belong in."""
    return {PAGES / f"{rule.code}.md": page(rule) for rule in rule_classes()}


def stale() -> list[Path]:
    """The files that are not what they should be: missing, old, or the page of a rule that is gone."""
    wanted = pages()
    wrong = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    return sorted([*wrong, *(path for path in PAGES.glob("*.md") if path not in wanted)])


def main() -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description="Write docs/rules/ from the docstrings of the rules.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is not fresh")
    if parser.parse_args().check:
        for path in stale():
            sys.stderr.write(f"{path} is not fresh; run: python docs/make_rules.py\n")
        return 1 if stale() else 0
    PAGES.mkdir(exist_ok=True)
    for path in stale():
        path.unlink(missing_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
