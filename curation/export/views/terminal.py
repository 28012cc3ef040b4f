"""The figures of `inosuke dataset stats` as lines for a terminal, the first few of each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curation.export.charts import KIND_NAMES
from curation.export.variety import LIMIT

_SHOWN = 5  # pairs, people and questions; `--json` has all
_MANY = 12  # openings


def lines(found: Mapping[str, Any], seed: int) -> Iterator[str]:
    """Yield the lines for what `collect` found; ``seed`` is what the random samples were drawn with."""
    sides = list(found["counts"].values())
    total = sum(side["samples"] for side in sides)
    replies = sum(side["replies"] for side in sides)
    chars = sum(side["replies"] * side["mean_reply_chars"] for side in sides)
    yield f"{'Dataset ' + found['version']:<22}{'train':>8}{'eval':>8}{'all':>8}"
    for kind, name in KIND_NAMES.items():
        yield _counts(name, [side["kind"].get(kind, 0) for side in sides], total)
    yield _counts("All", [side["samples"] for side in sides])
    yield _counts("of these multi-turn", [side["multi_turn"] for side in sides], total)
    for code in sorted({code for side in sides for code in side["language"]}):
        yield _counts(f"in {code}", [side["language"].get(code, 0) for side in sides], total)
    yield ""
    yield f"mean reply        {chars / (replies or 1):.0f} characters, over {replies:,} replies"
    for code, opening in found["openings"].items():
        yield (
            f"opening words     {code}: {100 * opening['share']:.1f}% of {opening['replies']:,} replies begin with "
            f"`{opening['words']}` ({opening['count']:,}), the most frequent two words"
        )
    yield from _openings(found)
    yield from _contradictions(found)
    yield from _people(found["people"])
    yield from _gaps(found)
    for key, what in (("near_replies", "replies"), ("near_samples", "samples")):
        yield f"near-duplicates   {len(found[key]):,} pairs of {what} at fuzz.ratio {found['threshold']:g} or more"
        for pair in found[key][:_SHOWN]:
            yield f"  {pair['score']:5.1f}  {pair['ids'][0]}  {_line(pair['texts'][0])}"
            yield f"         {pair['ids'][1]}  {_line(pair['texts'][1])}"
    for kind, drawn in found["samples"].items():
        yield f"\n{KIND_NAMES[kind]}: {len(drawn):,} at random (seed {seed})"
        for row in drawn:
            yield f"\n  {row['id']}  {row['source']}, {row['locator']}"
            yield from (f"    {_who(m, found['name'])}: {m['content']}" for m in row["messages"])


def _openings(found: Mapping[str, Any]) -> Iterator[str]:
    for key in ("first_words", "first_two_words"):
        for code, openings in found[key].items():
            over = [o for o in openings if o["over"]]
            if over:
                shown = ", ".join(f"`{o['words']}` {100 * o['share']:.1f}%" for o in over[:_MANY])
                more = f" and {len(over) - _MANY:,} more" if len(over) > _MANY else ""
                what = "first word" if key == "first_words" else "first two words"
                yield f"over the guide     {code}: {what} of more than {LIMIT:.0%} of the replies: {shown}{more}"


def _contradictions(found: Mapping[str, Any]) -> Iterator[str]:
    repeated, contradictions = found["repeated_questions"], found["contradictions"]
    yield (
        f"contradictions     {len(contradictions):,} of {repeated['questions']:,} questions that stand in several rows "
        "are answered with both yes and no"
    )
    for entry in contradictions[:_SHOWN]:
        yield f"  {_line(entry['question'])}"
        for side in ("yes", "no"):
            answer = entry[side][0]
            yield f"    {side:<4}({len(entry[side]):,})  {answer['id']}  {answer['place']}  {_line(answer['reply'])}"


def _people(people: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    mixed = sum(person["mixed"] for person in people)
    yield (
        f"people             {len(people) - 1:,} named; {mixed:,} without one word that stands in 80% of the cases, or "
        "with words that [address] does not have"
    )
    listed = sorted(people[1:], key=lambda person: (not person["mixed"], not person["table"]))
    for person in [*people[:1], *listed][: _SHOWN + 1]:
        words = [
            f"{what} {', '.join(f'{word} {n:,}' for word, n in list(counts.items())[:4])}"
            for what, counts in (("of them:", person["referred"]), ("to them:", person["addressed"]))
            if counts
        ]
        if person["table"]:
            words.append(f"[address]: {', '.join(person['table'])}")
            if beside := person["beside_table"]:
                words.append(f"not in it: {', '.join(f'{word} {n:,}' for word, n in beside.items())}")
        yield f"  {person['name'] or '(whoever talks)':<17}{person['rows']:>6,} rows  {'; '.join(words)}".rstrip()


def _gaps(found: Mapping[str, Any]) -> Iterator[str]:
    missing: dict[str, list[str]] = {}
    for subject in found["subjects"]:
        if subject["missing"]:
            missing.setdefault(subject["language"], []).append(f"{subject['name']} {subject['rows']:,}")
    for language, subjects in missing.items():
        yield f"little about       {language}: {', '.join(subjects)}"
    unlike = found["unlike_train"]
    yield f"unlike train       {len(unlike):,} of {found['asked']:,} held-out prompts and starters are like no prompt"
    for question in unlike[:_SHOWN]:
        yield f"  {question['group']}: {_line(question['text'])}"


def _counts(name: str, counts: Sequence[int], total: int = 0) -> str:
    share = f"{100 * sum(counts) / total:>7.1f}%" if total else ""
    return f"{name:<22}{''.join(f'{n:>8,}' for n in (*counts, sum(counts)))}{share}"


def _who(message: Mapping[str, Any], character: str) -> str:
    return str(message["name"] or (character if message["role"] == "assistant" else message["role"]))


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 80 else words[:79] + "…"
