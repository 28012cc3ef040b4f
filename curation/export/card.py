"""The dataset card (the export's README.md). Reads a manifest; knows nothing of sources, the log or the Hub.

The text is a template below, in the order of a reader's interest. It stands between two marks, so that
:mod:`curation.export.card_merge` can renew it and leave alone what people wrote around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from curation.export.card_merge import BEGIN, END
from curation.export.charts import KIND_NAMES
from curation.export.exported_rows import CONFIGS, SIDES, parquet
from curation.record import KINDS

# The pie's slices, in the order of the kinds: the charts' two colours and two that stand apart from them.
_PIE = ("#7a5195", "#e0a040", "#3b6ea8", "#5a9c6e")
_PIE_STYLE = {"pieOpacity": "1", "pieSectionTextColor": "#fff", "pieStrokeColor": "#fff", "pieOuterStrokeWidth": "0px"}
_NEAR_BY = {"reply": "alike in their replies", "prompt": "alike in their prompts", "scene": "of one scene"}
# Hub identifier → how a card names it. Any other is named by its identifier.
_LICENCES = {
    "cc-by-4.0": "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)",
    "cc-by-sa-4.0": "[CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/)",
    "cc-by-nc-4.0": "[CC BY-NC 4.0](https://creativecommons.org/licenses/by-nc/4.0/)",
    "cc0-1.0": "[CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/)",
}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def text(manifest: Mapping[str, Any], repo: str = "OWNER/NAME") -> str:
    """Return the card: the Hub's YAML block, then what a reader wants to know. ``repo`` is where it will be read."""
    from huggingface_hub import DatasetCardData

    block = DatasetCardData(**metadata(manifest)).to_yaml()
    return f"---\n{block}\n---\n\n{BEGIN}\n\n{_template().render(**_figures(manifest, repo))}\n\n{END}\n"


def metadata(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card's YAML block: what the Hub searches by, and where ``load_dataset`` finds the files."""
    sides = [manifest["counts"][side] for side in SIDES]
    total = sum(side["samples"] for side in sides)
    languages = sum((Counter(side["language"]) for side in sides), Counter[str]())
    rights = {name for side in sides for name in side["rights"]}
    return {
        # A line that is a cry has no language: it counts as None and is no code that the Hub knows.
        "language": [code for code, _ in languages.most_common() if code != "None"],
        "license": manifest["persona"].get("license", "other") if rights <= {"own"} else "other",
        "pretty_name": f"{manifest['persona']['name']}: a character's lines",
        "size_categories": [next((label for limit, label in _SIZES if total < limit), "n>1M")],
        "task_categories": ["text-generation"],
        "tags": ["persona", "roleplay", "conversational"],
        "configs": [
            {
                "config_name": config,
                # `load_dataset` fails on a split without rows (datasets 5.2), so an empty one is not announced.
                "data_files": [
                    {"split": side, "path": parquet(config, side)}
                    for side in SIDES
                    if manifest["counts"][side]["samples"]
                ],
                **({"default": True} if config == "chat" else {}),
            }
            for config in CONFIGS
        ],
    }


def _figures(manifest: Mapping[str, Any], repo: str) -> dict[str, Any]:
    counts = {side: manifest["counts"][side] for side in SIDES}

    def both(key: str) -> int:
        return sum(int(side[key]) for side in counts.values())

    replies = both("replies")
    mean = sum(side["mean_reply_chars"] * side["replies"] for side in counts.values()) / replies if replies else 0.0
    kinds = [
        {"name": KIND_NAMES[kind], **{side: counts[side]["kind"].get(kind, 0) for side in SIDES}} for kind in KINDS
    ]
    languages, rights, importers = (
        # An export of an older version does not count its importers.
        sum((Counter(side.get(key, {})) for side in counts.values()), Counter[str]())
        for key in ("language", "rights", "importer")
    )
    return {
        **manifest,
        "name": manifest["persona"]["name"],
        "repo": repo,
        "sides": counts,
        "total": both("samples"),
        "multi_turn": both("multi_turn"),
        "rewritten": both("rewritten"),
        "mean_reply_chars": mean,
        "kinds": kinds,
        "empty_kinds": [k["name"] for k in kinds if not any(k[side] for side in SIDES)],
        "languages": {code if code != "None" else "without one": n for code, n in languages.most_common()},
        "rights": dict(rights),
        "importers": dict(importers.most_common()),
        "collected": {KIND_NAMES.get(kind, kind).lower(): n for kind, n in manifest["imported"].items()},
        "words": _words(manifest["persona"], set(rights) <= {"own"}),
        "openings": manifest.get("openings", {}),
        "leaks": _leaks(manifest["split"].get("leakage", {})),
        "leak_rows": _leak_rows(manifest["split"].get("leakage", {})),
        "colours": {f"pie{n}": colour for n, colour in enumerate(_PIE, 1)} | _PIE_STYLE,
        "published": manifest.get("published", {}),
        "left_out": manifest.get("left_out", {}),
    }


def _words(persona: Mapping[str, Any], all_own: bool) -> dict[str, str]:
    """Return what persona.toml says of the lines' origin, licence and owners; the first two of own lines alone."""
    licence = str(persona.get("license", "other")) if all_own else "other"
    return {
        "origin": str(persona.get("origin", "")) if all_own else "",
        "licence": "" if licence == "other" else _LICENCES.get(licence, f"`{licence}`"),
        "owners": str(persona.get("owners", "")) or "The character belongs to its owners",
    }


def _leaks(leakage: Any) -> int:
    """Return the pairs across the border, however deep the report nests them (by kind, by what was compared)."""
    return sum(map(_leaks, leakage.values())) if isinstance(leakage, Mapping) else int(leakage)


def _leak_rows(leakage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each way of being near: pairs across the border by kind."""
    return [
        {"name": _NEAR_BY.get(what, what), "pairs": [by_kind.get(kind, 0) for kind in KINDS]}
        for what, by_kind in leakage.items()
        if isinstance(by_kind, Mapping)
    ]


def _listed(counts: Mapping[str, Any]) -> str:
    return (
        ", ".join(f"{n:,} {key.replace('_', ' ')}" for key, n in counts.items() if isinstance(n, int) and n) or "none"
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    # Markdown, not HTML: names and figures are ours. Undefined figures are a mistake of this file, so they raise.
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    environment.filters["listed"] = _listed
    environment.filters["thousands"] = lambda n: f"{n:,}"
    return environment.from_string(_TEXT)


_TEXT = """\
# {{ name }}: a character's lines

{{ total | thousands }} approved samples in the voice of {{ name }}. Somebody answers for every line of the character; \
lines of others are context, never a target.{% if words.origin %} {{ words.origin }}{% endif %}{% if words.licence %} \
Licence: {{ words.licence }}.{% endif %}

{% if empty_kinds %}Kinds without a sample so far: {{ empty_kinds | join(", ") }}.
{% endif %}

| Kind | Train | Eval | Total | Share |
|---|--:|--:|--:|--:|
{% for kind in kinds %}
| {{ kind.name }} | {{ kind.train | thousands }} | {{ kind.eval | thousands }} | \
{{ (kind.train + kind.eval) | thousands }} | {{ "%.1f" | format(100 * (kind.train + kind.eval) / (total or 1)) }}% |
{% endfor %}
| **All** | **{{ sides.train.samples | thousands }}** | **{{ sides.eval.samples | thousands }}** | \
**{{ total | thousands }}** | |

Languages: {{ languages | listed }}. {{ multi_turn | thousands }} samples are multi-turn. A reply has \
{{ "%.0f" | format(mean_reply_chars) }} characters on average.
{% for code, opening in openings.items() %}
Of {{ opening.replies | thousands }} replies in `{{ code }}`, at most \
{{ "%.1f" | format(100 * opening.share) }}% begin with the same two words (`{{ opening.words }}`).
{% endfor %}

```mermaid
%%{init: {"theme": "base", "themeVariables": {{ colours | tojson }}}}%%
pie showData title Composition
{% for kind in kinds if kind.train + kind.eval %}
  "{{ kind.name }}" : {{ kind.train + kind.eval }}
{% endfor %}
```

![Samples of each kind, train and eval](charts/composition.png)
![Histogram of the length of replies](charts/reply_length.png)

## How to load it

```python
from datasets import load_dataset

load_dataset("{{ repo }}", "chat")      # messages: a list of role, content, name
load_dataset("{{ repo }}", "instruct")  # instruction, input, output
```

| Column | What it says |
|---|---|
| `id` | names the sample in every version, rewritten or not |
| `kind`, `language`, `topic` | what sort of line it is |
| `flags` | what rules found worth a look |
| `revision`, `reviewers` | how often it was rewritten, how many people or authors decided |
| `source`, `source_sha256`, `locator`, `importer`, `rights` | where it comes from |

`jsonl/` holds the same rows to read without a library, `heldout.jsonl` {{ held_out | thousands }} prompts that \
nothing is trained on, `manifest.json` the hash of every file.

## How it was made

- **Collected**: {{ collected | listed }}.\
{% if importers %} What is here was read as: {{ importers | listed }} (column `importer`).{% endif %}

- **Cleaned**: one spelling for the same words (Unicode NFC, no invisible characters, single spaces); a dialogue that \
was written inside one text is taken apart into turns. Nothing else is changed without a person.
- **Set aside** with a reason, before anybody looked: {{ rejected | listed }}.
- **Duplicates**: {{ duplicates.exact | thousands }} exact ones merged (what several files hold counts once). \
{{ duplicates.near | thousands }} samples are near another (rapidfuzz ratio of \
{{ "%g" | format(configuration.dedup_threshold) }} or more): \
{% if configuration.get("auto_near") %}left out by rule, the best of each cluster stays.\
{% else %}flagged for a person, never dropped by themselves.{% endif %}

- **Flags**: {{ flagged | listed }}.
- **Reviewed**: {{ review.approved | thousands }} samples approved, {{ review.awaiting_review | thousands }} wait. \
{% if "annotators" in review and not review.annotators %}Nobody but the author has judged them: \
{{ review.only_vouched_for_by_the_author | thousands }} stand on their author's word alone. \
{% elif "annotators" in review %}{{ review.seen_by_a_person | thousands }} were judged by a person \
({{ review.annotators | thousands }} annotators; verdicts: {{ review.verdicts | listed }}), \
{{ review.only_vouched_for_by_the_author | thousands }} stand on their author's word alone. {% endif %}
{{ rewritten | thousands }} of the exported ones are rewritten.\
{% if left_out %} Approved and still not exported: {{ left_out | listed }}.{% endif %}

{% if review.get("agreement") %}
- **Agreement** between annotators, on {{ review.agreement.samples | thousands }} samples that two or more judged: \
{{ "%.0f" | format(100 * review.agreement.share) }}% of verdict pairs are alike, Krippendorff's alpha \
{{ review.agreement.alpha if review.agreement.alpha is not none else "undefined (all verdicts alike)" }}.
{% else %}
- **Agreement** between annotators: not measured, no sample was judged by two people.
{% endif %}
- **Split**: near-duplicates and samples of one scene stay on one side. Near pairs across the border: \
**{{ leaks | thousands }}**.{% if split.get("left_out") %} {{ split.left_out | length | thousands }} samples are on \
neither side, because they are near both or near a prompt that is held out.{% endif %}\
{% if split.get("short") %} Too little to evaluate on: {{ split.short | map("join", " ") | join(", ") }}.{% endif %}

{% if leak_rows %}

| Near pairs between train and eval | {{ kinds | map(attribute="name") | join(" | ") }} |
|---|--:|--:|--:|--:|
{% for row in leak_rows %}
| {{ row.name }} | {{ row.pairs | join(" | ") }} |
{% endfor %}
{% endif %}
{% if published.get("left_out") %}

Left out of this publication: {{ published.left_out | listed }}. The figures of this section speak of the whole project.
{% endif %}

## Limits

- The character may be rude, boast, and be wrong with confidence: nothing here is a source of facts.
- Flags come from rules and languages from a detector; neither replaces reading. Tables count samples, not quality.
- The split keeps lines apart that are spelled alike. Two lines with one thought in other words may sit on both sides.

## Rights

Samples by the rights of their source (column `rights`): {{ rights | listed }}.\
{% if words.licence %} The lines are offered under {{ words.licence }}: use them, change them, and say where they come \
from. The licence covers the wording of the lines, not the character.{% endif %}


{{ words.owners }}, with whom this dataset is not affiliated.
{% if published.get("included") %}
Included by name, though not marked as publishable: {{ published.included.keys() | join(", ") }}.
{% endif %}

## How to cite

```bibtex
@misc{ {{- name | lower | replace(" ", "_") }}_lines_{{ version }},
  title        = { {{- name }}: a character's lines},
  author       = { {{- repo.split("/")[0] }}},
  version      = { {{- version }}},
  howpublished = {\\url{https://huggingface.co/datasets/{{ repo }}}}
}
```
"""
