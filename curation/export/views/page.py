"""All figures of `inosuke dataset stats` as one page: Markdown, or HTML made of the same Markdown. Pure."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from curation.export.charts import KIND_NAMES
from curation.export.variety import LIMIT

CHARTS = {"composition.png": "Samples by kind", "reply_length.png": "Length of replies"}  # file → title
_SHOWN = 40  # pairs and questions of each sort; `--json` has all
_MARKS = re.compile(r"([\\`*_{}\[\]()#|<>~])")


def markdown(found: Mapping[str, Any]) -> str:
    """Return the page for what the command found, as its JSON gives it."""
    return "\n".join(_lines(found)).rstrip() + "\n"


def web_page(found: Mapping[str, Any], charts: Mapping[str, bytes]) -> str:
    """Return the page as HTML in one file; ``charts`` are PNG pictures by their title."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown(found))
    pictures = "".join(
        f'<figure><img alt="{html.escape(title)}" src="data:image/png;base64,{b64encode(data).decode()}"></figure>\n'
        for title, data in charts.items()
    )
    head, _, rest = body.partition("</h1>\n")
    title = html.escape(f"{found['name']}: dataset {found['version']}")
    return _PAGE.replace("TITLE", title).replace("BODY", f"{head}</h1>\n{pictures}{rest}")


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"# {_text(found['name'])}: dataset {found['version']}", "")
    yield from _table(("Kind", *found["counts"], "all"), _kinds(found["counts"]))
    yield from ("", "## How replies begin", "", f"The guide allows {LIMIT:.0%} for one opening.", "")
    openings = [
        (
            language,
            length,
            f"`{o['words']}`",
            f"{o['count']:,}",
            f"{100 * o['share']:.1f}%",
            "over" if o["over"] else "",
        )
        for length, key in (("one word", "first_words"), ("two words", "first_two_words"))
        for language, listed in found[key].items()
        for o in listed
    ]
    yield from _table(("language", "length", "opening", "replies", "share", ""), openings)
    yield from ("", "## Opposite answers to one question", "", _contradictions(found), "")
    for entry in found["contradictions"][:_SHOWN]:
        yield f"- **{_text(entry['question'])}**"
        for side in ("yes", "no"):
            yield from (f"    - {side}, {_text(a['place'])}: {_text(a['reply'])}" for a in entry[side])
    yield from ("", "## What people are called", "", _PEOPLE, "")
    persons = [
        (
            _text(p["name"] or "(whoever talks)"),
            f"{p['rows']:,}",
            _counts(p["referred"]),
            _counts(p["addressed"]),
            ", ".join(map(_text, p["table"])),
            _counts(p["beside_table"]) if p["table"] else "mixed" if p["mixed"] else "",
        )
        for p in found["people"]
    ]
    yield from _table(("person", "rows", "of them", "to them", "[address]", "not in it, or mixed"), persons)
    yield from ("", "## What the corpus says little about", "", _GAPS, "")
    subjects = [(s["language"], s["name"], f"{s['rows']:,}", "gap" if s["missing"] else "") for s in found["subjects"]]
    yield from _table(("language", "subject", "rows", ""), subjects)
    unlike = found["unlike_train"]
    yield from (
        "",
        f"{len(unlike):,} of {found['asked']:,} held-out prompts and starters are like no prompt in train.",
        "",
    )
    yield from (f"- {_text(q['group'])}: {_text(q['text'])}" for q in unlike[:_SHOWN])
    for key, what in (("near_replies", "replies"), ("near_samples", "samples")):
        pairs = found[key]
        yield from ("", f"## Near-duplicate {what}", "")
        yield f"{len(pairs):,} pairs at fuzz.ratio {found['threshold']:g} or more."
        yield ""
        near = [(f"{p['score']:.1f}", _text(p["texts"][0]), _text(p["texts"][1])) for p in pairs[:_SHOWN]]
        yield from _table(("score", "one", "the other"), near)


def _kinds(counts: Mapping[str, Mapping[str, Any]]) -> Iterator[Sequence[str]]:
    for kind, name in KIND_NAMES.items():
        numbers = [side["kind"].get(kind, 0) for side in counts.values()]
        yield (name, *(f"{n:,}" for n in (*numbers, sum(numbers))))
    numbers = [side["samples"] for side in counts.values()]
    yield ("All", *(f"{n:,}" for n in (*numbers, sum(numbers))))


def _contradictions(found: Mapping[str, Any]) -> str:
    repeated = found["repeated_questions"]
    return (
        f"{repeated['questions']:,} questions stand in several rows ({repeated['rows']:,} rows). To "
        f"{len(found['contradictions']):,} of them some rows begin with a yes and others with a no."
    )


_PEOPLE = (
    "The words for a person in the replies to prompts that name them alone, by rows. `mixed`: none of the words stands "
    "in 80% of the cases. Where `[address]` of persona.toml has an entry, the words that it does not have are "
    "listed instead."
)
_GAPS = (
    "Rows whose prompts have a word of the subject. Words are compared, not meanings. Subjects with fewer than 5 rows "
    "are gaps."
)


def _counts(words: Mapping[str, int]) -> str:
    return ", ".join(f"{_text(word)} {n:,}" for word, n in list(words.items())[:6])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    rows = list(rows)
    if rows:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from (f"| {' | '.join(row)} |" for row in rows)


def _text(words: str) -> str:
    """Return words that Markdown shows as they are, in one line."""
    return _MARKS.sub(r"\\\1", " ".join(words.split()))


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>TITLE</title>
<style>
  body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; }
  body { font: 16px/1.55 system-ui, "Noto Sans", sans-serif; }
  table { border-collapse: collapse; display: block; overflow-x: auto; }
  th, td { text-align: left; vertical-align: top; padding: .3rem .75rem; border-bottom: 1px solid #8884; }
  td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
  figure { margin: 1rem 0; } img { max-width: 100%; background: #fff; }
</style>
</head>
<body>
BODY</body>
</html>
"""
