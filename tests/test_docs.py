"""The documents hold together: links resolve, paths exist, experiments are complete and listed, lines are short."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from serve.config import NAMES
from tests.conftest import ROOT

# The project's own documents; the cards under datasets/ and generated results have tests of their own.
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "datasets" / "sources").rglob("*.md")],
    key=lambda path: path.relative_to(ROOT).as_posix(),
)
EXPERIMENTS = sorted(p for p in (ROOT / "docs" / "experiments").glob("*.md") if p.name != "README.md")
FOLDERS = ("curation", "annotations", "train", "serve", "tests", "benchmarks", "docs", ".github")
# A run's or an export's folder, a pattern, a folder that only commands write: these are forms, not places.
FORM = re.compile(r"[<>*…{}]|YYYY")
LONGEST = 120


def _id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_of_prose(text: str) -> list[tuple[int, str]]:
    """Return the numbered lines outside code blocks, tables and the YAML block at the top."""
    found, fenced = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("|"):
            found.append((number, line))
    return found


def without_code(text: str) -> str:
    """Return the text with code blocks left out and inline code emptied, so that no link is read in them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*(?:\n[^`\n]+)?`", "``", text)


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", text, flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        names.add(f"{slug}-{found[slug]}" if slug in found else slug)
        found[slug] = found.get(slug, 0) + 1
    return names


def wrong_links(document: Path) -> list[str]:
    """Return the relative links of a document that lead to no file, or to no heading in it."""
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (document.parent / place).resolve() if place else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    assert wrong_links(document) == []


def test_a_wrong_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# What `it` is, and why\n\n# Twice\n# Twice\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](there.md#what-it-is-and-why) [b](there.md#twice-1) [c](#here) [d](https://example.org/x)\n"
        "[e](gone.md) [f](there.md#thrice) `[g](code.md)`\n```\n[h](code.md)\n```\n",
        encoding="utf-8",
    )
    assert wrong_links(page) == ["gone.md", "there.md#thrice"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_every_path_of_the_project_that_it_names_exists(document: Path) -> None:
    names = re.findall(r"`((?:" + "|".join(map(re.escape, FOLDERS)) + r")/[^`\s]*)`", document.read_text("utf-8"))
    assert [name for name in names if not FORM.search(name) and not (ROOT / name).exists()] == []


def test_code_names_only_documents_that_exist() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "*.py", "*.toml", "*.js", "*.html", "*.md", "Makefile"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True,
    ).stdout.splitlines()  # fmt: skip
    wrong = [
        f"{name}: {page}"
        for name in tracked
        if (ROOT / name).is_file() and name != "tests/test_docs.py"
        for page in re.findall(r"\bdocs/[\w/.-]+\.md", (ROOT / name).read_text(encoding="utf-8"))
        if not (ROOT / page).is_file()
    ]
    assert len(tracked) > 200 and wrong == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_id)
def test_no_line_of_prose_is_too_long(document: Path) -> None:
    long = [n for n, line in lines_of_prose(document.read_text(encoding="utf-8")) if len(line) > LONGEST]
    assert long == []


@pytest.mark.parametrize("page", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_has_a_date_and_says_what_came_out(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    date = re.match(r"(\d{4}-\d{2}-\d{2})-[a-z0-9-]+\.md$", page.name)
    assert date and text.splitlines()[2].startswith(f"{date[1]}, ")
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Question", "Set-up", "Result", "Verdict"]
    assert all(part.strip() for part in re.split(r"^## .+$", text, flags=re.MULTILINE))


def test_the_index_lists_every_experiment_once_newest_first() -> None:
    index = (ROOT / "docs" / "experiments" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\S+) \| \[[^]]+\]\((\S+)\) \| [^|]+ \| [^|]+ \|$", index, flags=re.MULTILINE)
    assert sorted(name for _, name in listed) == [page.name for page in EXPERIMENTS]
    assert [date for date, _ in listed] == sorted((date for date, _ in listed), reverse=True)
    assert all(name.startswith(date) for date, name in listed)


def test_what_supersedes_a_page_is_named_on_it() -> None:
    """A page and the one that replaces its figure link to each other."""
    told: dict[str, set[tuple[str, str]]] = {"Supersedes": set(), "Superseded by": set()}
    for page in EXPERIMENTS:
        head = page.read_text(encoding="utf-8").split("## Question")[0]
        for word, names in re.findall(r"^(Supersedes|Superseded by): ((?:.+\n)+)", head, flags=re.MULTILINE):
            for name in re.findall(r"\]\(([^)#]+)\)", names):
                told[word].add((page.name, name))
    assert told["Supersedes"] == {(new, old) for old, new in told["Superseded by"]}
    assert len(told["Supersedes"]) > 5


def test_serving_documents_every_setting_with_its_variable() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| `(INOSUKE_[A-Z_]+)` \|", (ROOT / "docs/serving.md").read_text("utf-8"), re.M)
    assert dict(rows) == {key: f"INOSUKE_{key}" for key in NAMES}


def test_the_glossary_is_in_alphabetical_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = [row.split("|")[1].strip() for row in text.splitlines() if row.startswith("| ")][1:]
    assert len(terms) > 50 and terms == sorted(terms, key=str.casefold)
