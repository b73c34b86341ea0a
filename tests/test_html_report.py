"""The report as a web page: whole, harmless, and alive in a real browser."""

from __future__ import annotations

import html.parser
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from commands import BROKEN, CLEAN, REPOSITORY, lint, run

UNFIXABLE = """\
import anthropic
def ask(client):
    try:
        return client.messages.create(model="claude-opus-4-8", max_tokens=1, messages=[])
    except anthropic.APIError as error:
        if "overloaded" in str(error):
            return None
        raise
"""
HOSTILE = BROKEN.replace("def ask", "# </pre></script><script>document.title = 'run'</script>\ndef ask").replace(
    "text}]", '\'"><img src=x onerror="document.title = 1">\'}]'
)


@dataclass
class Page(html.parser.HTMLParser):
    """What is in a page: elements with their attributes, and all text."""

    source: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of the elements with this name, and with these attributes."""
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in attributes.items())
        ]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two repositories with something to find, and one without."""
    for name, text in {
        "shop/app/ask.py": BROKEN,
        "shop/app/again.py": BROKEN,
        "desk/ask.py": UNFIXABLE,
        "quiet/hello.py": CLEAN,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def report(project: Path, *arguments: str, status: int = 1) -> str:
    done = lint("check", "--output-format", "html", *(arguments or (".",)), cwd=project)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode("ascii")


# What is in it


def test_every_finding_is_there_with_its_place_its_kind_and_its_folder(project: Path) -> None:
    page = Page(report(project))
    findings = page.all("details")
    assert [(f["data-code"], f["data-folder"], f["data-kind"]) for f in findings] == [
        ("CAV405", "desk", "none"),
        ("CAV101", "shop", "safe"),
        ("CAV101", "shop", "safe"),
    ]
    assert {"3:12", "6:12"} <= set(page.text)


def test_the_change_of_each_fix_is_shown(project: Path) -> None:
    page = Page(report(project))
    assert len(page.all("span", **{"class": "new"})) == len(page.all("span", **{"class": "old"})) == 2
    added = next(text for text in page.text if text.startswith("+"))
    assert '"anthropic-version": "2023-06-01"' in added


def test_every_rule_of_which_something_is_found_has_its_page_and_no_other(project: Path) -> None:
    page = Page(report(project))
    links = {found["href"] for found in page.all("a") if (found["href"] or "").startswith("#")}
    assert links == {f"#{found['id']}" for found in page.all("article")} == {"#CAV101", "#CAV405"}


def test_rules_and_folders_are_counted(project: Path) -> None:
    page = Page(report(project))
    assert {found["aria-label"] for found in page.all("svg")} == {"2 safe fix", "1 no fix"}
    values = [(found["data-field"], found["data-value"]) for found in page.all("button") if "data-field" in found]
    assert values == [("code", "CAV101"), ("code", "CAV405"), ("folder", "shop"), ("folder", "desk")]


def test_a_page_without_findings_says_so(project: Path) -> None:
    assert "Nothing found." in Page(report(project, "quiet", status=0)).text


def test_a_file_that_cannot_be_checked_is_named(project: Path) -> None:
    (project / "shop" / "broken.py").write_text("claude = (\n")
    page = Page(report(project, status=2))
    assert any(text.endswith("shop/broken.py") for text in page.text)
    assert len(page.all("details")) == 3


def test_all_fixtures_make_a_page() -> None:
    page = Page(report(REPOSITORY, "fixtures/broken"))
    assert len(page.all("details")) > 300


# What is not in it


def test_what_a_file_says_stays_text(project: Path) -> None:
    name = "<b onmouseover='x'>&amp;.py"
    (project / name).write_text(HOSTILE)
    source = report(project)
    page = Page(source)
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not page.all("b", onmouseover="x")
    assert any(text.endswith(name) for text in page.text)
    assert any("<script>document.title = 'run'</script>" in text for text in page.text)


def test_what_cannot_be_seen_is_written_out(project: Path) -> None:
    (project / "desk" / "ask.py").write_text(BROKEN.replace("def ask", "# \u202e \x0c\ndef ask"))
    assert any(r"\u202e" in text for text in Page(report(project, "desk")).text)


def test_the_page_loads_nothing(project: Path) -> None:
    source = report(project)
    page = Page(source)
    assert not [found for _, found in page.elements if "src" in found]
    assert not page.all("link")
    assert not re.search(r"url\(|@import|fetch|XMLHttp", source)
    (policy,) = (found["content"] or "" for found in page.all("meta") if "http-equiv" in found)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


# In a browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


def in_browser(test: Callable[..., None]) -> Callable[..., None]:
    """A test that needs a browser, and says so where there is none."""
    reason = "no Chromium is installed (Debian: apt-get install chromium)"
    return pytest.mark.browser(pytest.mark.skipif(CHROMIUM is None, reason=reason)(test))


OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
)


def shown(source: str, folder: Path, asked: str = "") -> Page:
    """A page after the browser has run its script; ``asked`` is the end of its address."""
    (folder / "report.html").write_text(source)
    assert CHROMIUM is not None
    address = f"file://{quote(str(folder / 'report.html'))}{asked}"
    options = (*OPTIONS.split(), f"--user-data-dir={folder / 'browser'}")
    done = run(CHROMIUM, *options, "--dump-dom", address, cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    return Page(done.stdout.decode())


def visible(page: Page) -> list[str | None]:
    return [found["data-code"] for found in page.all("details") if "hidden" not in found]


@pytest.mark.parametrize(
    ("asked", "codes", "count"),
    [
        ("", ["CAV405", "CAV101", "CAV101"], "3 findings"),
        ("#?code=CAV101&folder=shop", ["CAV101", "CAV101"], "2 of 3"),
        ("#?kind=safe&search=AGAIN.py", ["CAV101"], "1 of 3"),
    ],
)
@in_browser
def test_the_page_shows_what_is_asked_for(project: Path, asked: str, codes: list[str], count: str) -> None:
    page = shown(report(project), project, asked)
    assert visible(page) == codes
    assert count in page.text
    (filters,) = page.all("form", id="filters")
    assert "hidden" not in filters


@in_browser
def test_nothing_of_a_hostile_file_runs(project: Path) -> None:
    (project / "shop" / "app" / "ask.py").write_text(HOSTILE)
    page = shown(report(project), project)
    assert "claude-api-lint: 3 findings" in page.text  # the title
    assert "run" not in page.text


@in_browser
def test_the_policy_of_the_page_lets_nothing_else_run(project: Path) -> None:
    source = report(project).replace("</body>", "<script>document.title = 'run'</script></body>")
    assert "claude-api-lint: 3 findings" in shown(source, project).text
