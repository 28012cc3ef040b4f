"""The dataset card (the export's README.md). Reads a manifest; knows nothing of sources, the log or the Hub.

The text is the template at the end of this file, in the order of a reader's interest. It is enclosed in two marks, so
that :mod:`curation.export.card_merge` can replace it and keep what people wrote around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from curation.contracts.manifest import Manifest
from curation.export import terms, trainers
from curation.export.card_merge import BEGIN, END
from curation.export.charts import KIND_NAMES
from curation.export.columns import COLUMNS
from curation.export.exported_rows import SIDES, features, filled, parquet
from curation.record import KINDS
from curation.review import audit_words

EXAMPLE_REPO = "OWNER/NAME"  # where a card says that it is before it is published

_NEAR_BY = {"reply": "near replies", "prompt": "near prompts", "scene": "same scene"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def text(
    manifest: Manifest,
    repo: str = EXAMPLE_REPO,
    infos: Sequence[Mapping[str, Any]] = (),
    licence: terms.Licence | None = None,
) -> str:
    """Return the card: the Hub's YAML block, then the text. ``repo`` is where readers will find it.

    ``infos`` is the block's ``dataset_info``. ``licence`` is one that the owner set on the Hub: the text follows it.
    """
    from huggingface_hub import DatasetCardData

    block = DatasetCardData(**metadata(manifest, repo, infos)).to_yaml()
    figures = _figures(manifest, repo) | {"words": _words(manifest, repo, licence)}
    return f"---\n{block}\n---\n\n{BEGIN}\n\n{_template().render(**figures)}\n\n{END}\n"


def metadata(manifest: Manifest, repo: str = EXAMPLE_REPO, infos: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the card's YAML data: what the Hub searches by, and where ``load_dataset`` finds the files."""
    sides = [manifest.counts[side] for side in SIDES]
    total = sum(side.samples for side in sides)
    languages = sum((Counter(side.language) for side in sides), Counter[str]())
    return {
        # A reply that is only a cry has no language. It counts as None, which is not a code that the Hub knows.
        "language": [code for code, _ in languages.most_common() if code != "None"],
        **terms.together(manifest, repo).front_matter(),
        "pretty_name": f"{manifest.persona.name}: a character's lines",
        "size_categories": [next((label for limit, label in _SIZES if total < limit), "n>1M")],
        "task_categories": ["text-generation"],
        "tags": ["persona", "roleplay", "conversational"],
        "configs": [
            {
                "config_name": config,
                # `load_dataset` fails on a split without rows, so an empty side is not listed.
                "data_files": [{"split": side, "path": parquet(config, side)} for side in sides],
                **({"default": True} if config == "chat" else {}),
            }
            for config, sides in filled(manifest).items()
        ],
        **({"dataset_info": [dict(info) for info in infos]} if infos else {}),
    }


def bibtex(manifest: Manifest, repo: str) -> str:
    """Return the entry with which a paper cites this version."""
    key = f"{manifest.persona.name.lower().replace(' ', '_')}_lines_{manifest.version}"
    return "\n".join(
        (
            f"@misc{{{key},",
            f"  title        = {{{manifest.persona.name}: a character's lines}},",
            f"  author       = {{{repo.split('/')[0]}}},",
            f"  version      = {{{manifest.version}}},",
            f"  howpublished = {{\\url{{https://huggingface.co/datasets/{repo}}}}}",
            "}",
        )
    )


def _figures(manifest: Manifest, repo: str) -> dict[str, Any]:
    """Return the template's variables."""
    counts = {side: manifest.counts[side] for side in SIDES}
    replies = sum(side.replies for side in counts.values())
    chars = sum(side.mean_reply_chars * side.replies for side in counts.values())
    kinds = [{"name": KIND_NAMES[kind], **{side: counts[side].kind.get(kind, 0) for side in SIDES}} for kind in KINDS]
    there = {column for config in filled(manifest) for column in features(config)}
    leakage = manifest.split.get("leakage", {})
    languages = sum((Counter(side.language) for side in counts.values()), Counter[str]())
    return {
        "about": manifest,
        "elsewhere": trainers.card_section(manifest, repo),
        "columns": {name: words for name, words in COLUMNS.items() if name in there},
        "bibtex": bibtex(manifest, repo),
        "name": manifest.persona.name,
        "repo": repo,
        "sides": counts,
        "total": sum(side.samples for side in counts.values()),
        "multi_turn": sum(side.multi_turn for side in counts.values()),
        "rewritten": sum(side.rewritten for side in counts.values()),
        "mean_reply_chars": chars / replies if replies else 0.0,
        "kinds": kinds,
        "empty_kinds": [k["name"] for k in kinds if not any(k[side] for side in SIDES)],
        "languages": {code if code != "None" else "without one": n for code, n in languages.most_common()},
        "rights": dict(sum((Counter(side.rights) for side in counts.values()), Counter[str]())),
        "importers": dict(sum((Counter(side.importer) for side in counts.values()), Counter[str]()).most_common()),
        "collected": {KIND_NAMES.get(kind, kind).lower(): n for kind, n in manifest.imported.items()},
        "audits": [audit_words.paragraph(facts) for facts in manifest.review.audits if facts.bound is not None],
        "leaks": _leaks(leakage),
        "leak_rows": _leak_rows(leakage),
    }


def _words(manifest: Manifest, repo: str, set_on_the_hub: terms.Licence | None) -> dict[str, Any]:
    """Return the words on the origin, licence and owners of the lines: for all of them, and by source folder."""
    licence = set_on_the_hub or terms.together(manifest, repo)
    table = []
    for source in manifest.sources:
        own = terms.of_source(source)
        if set_on_the_hub and source.rights == "own":  # the author may choose again, and did so on the Hub
            own = set_on_the_hub
        offered = source.rights in terms.OFFERED
        said = own.title or ("none stated: ask the author" if offered else "none: not offered to anyone")
        table.append({"source": source, "licence": said, "origin": source.origin.replace("|", "\\|") or "not stated"})
    return {
        "origin": terms.origin(manifest),
        "licence": licence.title,
        "conditions": licence.conditions,
        "covers": "lines" if all(s.rights in terms.OFFERED for s in manifest.sources) else "`own` and `licensed` lines",
        "sources": table,
        "owners": manifest.persona.owners or "The character belongs to its owners",
    }


def _leaks(leakage: Any) -> int:
    """Return the near pairs across the border, however deep the report nests them (by kind, by what was compared)."""
    return sum(map(_leaks, leakage.values())) if isinstance(leakage, Mapping) else int(leakage)


def _leak_rows(leakage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a table row for each way of being near: the pairs across the border, by kind."""
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

    # The text is Markdown and not HTML, so nothing is escaped. An undefined figure is a bug in this file: it raises.
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    environment.filters["listed"] = _listed
    environment.filters["thousands"] = lambda n: f"{n:,}"
    return environment.from_string(_TEXT)


_TEXT = """\
# {{ name }}: a character's lines

{{ total | thousands }} approved samples in the voice of {{ name }}. A person answers for every line of the character. \
Lines of other speakers are context and never a training target.{% if words.origin %} {{ words.origin }}{% endif %}\
{% if words.licence %} Licence: {{ words.licence }}.\
{% elif words.sources | length > 1 %} The licence differs by source: see [Rights](#rights).{% endif %}

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
{% for code, opening in about.openings.items() %}
Of {{ opening.replies | thousands }} replies in `{{ code }}`, at most \
{{ "%.1f" | format(100 * opening.share) }}% begin with the same two words (`{{ opening.words }}`).\
{% if opening.first_word %} At most {{ "%.1f" | format(100 * opening.first_word.share) }}% begin with the same word \
(`{{ opening.first_word.words }}`).{% endif %}

{% endfor %}

![Samples of each kind, train and eval](charts/composition.png)
![Histogram of the length of replies](charts/reply_length.png)

## How to load it

```python
from datasets import load_dataset

load_dataset("{{ repo }}", "chat")      # messages: a list of role, content, name
load_dataset("{{ repo }}", "instruct")  # a row for each reply: instruction, input, output, history
{% if about.preferences.pairs %}
load_dataset("{{ repo }}", "preferences")  # pairs for trl's DPOTrainer: prompt, chosen, rejected
{% endif %}
{% if about.preferences.labels %}
load_dataset("{{ repo }}", "labels")  # single replies for trl's KTOTrainer: prompt, completion, label
{% endif %}
```

| Column | Meaning |
|---|---|
{% for column, meaning in columns.items() %}
| `{{ column }}` | {{ meaning }} |
{% endfor %}

`jsonl/` holds the same rows in a form that needs no library to read: an empty text stands where Parquet has no value, \
and `flags` is one text, its codes separated by spaces. `heldout.jsonl` holds \
{{ about.held_out | thousands }} held-out prompts: nothing is trained on them. `manifest.json` holds the hash of every \
file; `croissant.json` describes the files and columns for programs (MLCommons Croissant).

{% if about.preferences.pairs or about.preferences.labels %}
## What people preferred

Of two replies to one prompt, people chose one: they wrote it in the place of the other, approved it where they had \
rejected the other, voted for it, or a visitor wrote it and an annotator approved it. \
{{ about.preferences.pairs | listed }} pairs (`preferences`: {{ about.preferences.origins | listed }}), \
{{ about.preferences.labels | listed }} single replies (`labels`). A pair is on its sample's side of the split; one \
whose texts are near an evaluated or held-out line is not here. **The replies in `rejected`, and those with \
`label` false, are not the character's**: many are a model's. The system prompt is in `system`, as in `chat`.

{% endif %}
{% if elsewhere %}
{{ elsewhere }}

{% endif %}
## How it was made

- **Collected**: {{ collected | listed }}.\
{% if importers %} Importers of the samples here: {{ importers | listed }} (column `importer`).{% endif %}

- **Cleaned**: one spelling for the same words (Unicode NFC, no invisible characters, single spaces). A dialogue that \
was written inside one text is split into turns. Nothing else changes without a person.
- **Quarantined** with a reason, before review: {{ about.rejected | listed }}.
- **Duplicates**: {{ about.duplicates.exact | thousands }} exact ones merged (a sample in several files counts once). \
{{ about.duplicates.near | thousands }} samples are near another (rapidfuzz ratio of \
{{ "%g" | format(about.configuration.dedup_threshold) }} or more): \
{% if about.configuration.get("auto_near") %}left out by rule; the best of each cluster stays.\
{% else %}flagged for a person and never dropped automatically.{% endif %}

- **Flags**: {{ about.flagged | listed }}.
- **Reviewed**: {{ about.review.approved | thousands }} samples approved, \
{{ about.review.awaiting_review | thousands }} await review. \
{% if about.review.annotators == 0 %}No one but the author has judged them: \
{{ about.review.only_vouched_for_by_the_author | thousands }} are approved on their author's word alone. \
{% elif about.review.annotators %}{{ about.review.seen_by_a_person | thousands }} were judged by a person \
({{ about.review.annotators | thousands }} annotators; verdicts: {{ about.review.verdicts | listed }}), \
{{ about.review.only_vouched_for_by_the_author | thousands }} are approved on their author's word alone. {% endif %}\
{% if about.review.decided_unread %}{{ about.review.decided_unread | thousands }} were decided by one action on many \
samples. {% endif %}
{{ rewritten | thousands }} of the exported samples are rewritten.\
{% if about.left_out %} Approved but not exported: {{ about.left_out | listed }}.{% endif %}

{% if about.review.agreement and about.review.agreement.blind %}
- **Agreement** between annotators, on {{ about.review.agreement.samples | thousands }} samples that two or more \
judged blind: {{ "%.0f" | format(100 * about.review.agreement.share) }}% of verdict pairs are equal, Krippendorff's \
alpha {{ about.review.agreement.alpha if about.review.agreement.alpha is not none else \
"undefined (all verdicts are equal)" }}.
{% else %}
- **Agreement** between annotators: not measured, because no two people judged a sample blind.
{% endif %}
{% for audit in audits %}
- **Audited**: {{ audit }}
{% endfor %}
- **Split**: near-duplicates and samples of one scene stay on one side. Near pairs across the border: \
**{{ leaks | thousands }}**.{% if about.split.get("left_out") %} {{ about.split.left_out | length | thousands }} \
samples are on neither side, because they are near both sides or near a held-out prompt.{% endif %}\
{% if about.split.get("short") %} Too few samples to evaluate on: \
{{ about.split.short | map("join", " ") | join(", ") }}.{% endif %}

{% if leak_rows %}

| Near pairs between train and eval | {{ kinds | map(attribute="name") | join(" | ") }} |
|---|--:|--:|--:|--:|
{% for row in leak_rows %}
| {{ row.name }} | {{ row.pairs | join(" | ") }} |
{% endfor %}
{% endif %}
{% if about.published and about.published.left_out %}

Left out of this publication: {{ about.published.left_out | listed }}. The figures of this section describe the whole \
project.
{% endif %}

## Limits

- The character may be rude, may boast, and may be wrong with confidence. Do not use this dataset as a source of facts.
- Flags come from rules and languages from a detector; neither replaces reading. The tables count samples and do not \
measure quality.
- The split separates lines with similar wording. Two lines that say the same in other words may be on both sides.

## Rights

Samples by the rights of their source (column `rights`): {{ rights | listed }}.\
{% if words.licence %} The {{ words.covers }} are offered under {{ words.licence }}\
{% if words.conditions %}: {{ words.conditions }}{% endif %}. \
The licence covers the wording of the lines, not the character.{% endif %}


{% if words.sources %}
| Source (begin of column `source`) | Samples | Rights | Licence | Origin |
|---|--:|---|---|---|
{% for row in words.sources %}
| `{{ row.source.folder }}` | {{ row.source.samples | thousands }} | {{ row.source.rights }} | {{ row.licence }} | \
{{ row.origin }} |
{% endfor %}

{% endif %}
{{ words.owners }}, with whom this dataset is not affiliated.
{% if about.published and about.published.included %}
Included by name, though not marked as publishable: {{ about.published.included.keys() | join(", ") }}.
{% endif %}

## How to cite

```bibtex
{{ bibtex }}
```

`CITATION.cff` holds the same for reference managers.
"""
