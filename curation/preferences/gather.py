"""Everything that people preferred, without what would leak, mislead or give something away. Read :func:`gather`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from curation.cleaning import personal_data
from curation.cleaning.normalise import clean_text
from curation.dedup.nearness import Nearness
from curation.dedup.wording import normal
from curation.persona import Persona
from curation.preferences import from_log
from curation.preferences.opinions import Judged, Opinions, Pair, Reason, Side, on_side
from curation.record import Message, Sample, Source, messages_from_json, sample_id
from curation.review.choices import Vote, preferences
from curation.review.events import Decision
from curation.review.states import State

SHORTEST = 3  # letters of a reply that was chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is read: all samples as imported, the approved ones as they stand, and what people said about them."""

    samples: Sequence[Sample]
    approved: Sequence[Sample]
    states: Mapping[str, State]
    decisions: Sequence[Decision]
    votes: Sequence[Vote]
    side: Mapping[str, Side]
    held_out: Sequence[Sample]
    choices_file: str


def gather(material: Material, persona: Persona) -> Opinions:
    """Return the pairs and labels that can be trained on or measured, with their sides.

    A pair is on its sample's side; one whose sample has none is trained on. A pair for training whose texts are near an
    eval row, an evaluated pair or a held-out prompt by the split's own rule is set aside, and so is an evaluated one
    near a held-out prompt: nothing that is evaluated is trained in this way either.
    """
    found = Opinions()
    near = Nearness([], persona.dedup.threshold, persona.dedup.template_prompts, persona.names)
    from_log.read(found, material.samples, material.states, material.decisions, near.informs, persona.names)
    found.pairs += _from_votes(material)
    found.pairs = found.keep(_merged(found), lambda pair: _wrong_pair(pair, persona))
    found.labels = found.keep(_once(found.labels), lambda label: _wrong_label(label, persona))
    _take_sides(found, material, persona)
    return found


# ---------------------------------------------------------------- votes


def _from_votes(material: Material) -> list[Pair]:
    """Return a pair for each that has a majority of votes."""
    rows = preferences(material.votes)
    known = {(_texts(s.messages[:-1]), s.messages[-1].content): s for s in (*material.samples, *material.approved)}
    pairs = []
    for row in rows:
        prompt = messages_from_json(row["prompt"])
        chosen, rejected = row["chosen"][0]["content"], row["rejected"][0]["content"]
        ours, theirs = known.get((_texts(prompt), chosen)), known.get((_texts(prompt), rejected))
        sample = ours or theirs
        pairs.append(
            Pair(
                sample=sample or _of_vote(prompt, chosen, row["id"], material.choices_file),
                prompt=prompt,
                chosen=chosen,
                rejected=rejected,
                origin="vote",
                annotators=row["votes"]["chosen"],
                other=theirs if ours and theirs and ours.id != theirs.id else None,
            )
        )
    return pairs


def _of_vote(prompt: tuple[Message, ...], chosen: str, pair: str, path: str) -> Sample:
    messages = (*prompt, Message("assistant", chosen))
    return Sample(
        id=sample_id("conversation", messages),
        kind="conversation",
        messages=messages,
        language=None,
        topic=None,
        source=Source(path=path, sha256="", locator=f"pair {pair}", importer="choices", rights="unknown"),
    )


def _texts(messages: Iterable[Message]) -> str:
    return json.dumps([[m.role, m.content] for m in messages], ensure_ascii=False)


# ---------------------------------------------------------------- what is set aside


def _merged(found: Opinions) -> list[Pair]:
    """Return each pair once, with the most people that stand behind it; one that others turned round is set aside."""
    by_texts: dict[tuple[str, str, str], Pair] = {}
    for pair in found.pairs:
        key = (_texts(pair.prompt), normal(pair.chosen), normal(pair.rejected))
        other = by_texts.get(key)
        by_texts[key] = pair if other is None else replace(other, annotators=max(other.annotators, pair.annotators))
    turned = {(p, c, r) for p, c, r in by_texts if c != r and (p, r, c) in by_texts}
    found.set_aside["contradicted"] += len(turned)
    return [pair for key, pair in by_texts.items() if key not in turned]


def _once(labels: Iterable[Judged]) -> list[Judged]:
    return list({(_texts(one.prompt), normal(one.reply), one.wanted): one for one in labels}.values())


def _wrong_pair(pair: Pair, persona: Persona) -> Reason | None:
    if normal(clean_text(pair.chosen)) == normal(clean_text(pair.rejected)):
        return "identical"
    return _wrong(pair, pair.chosen, persona)


def _wrong_label(label: Judged, persona: Persona) -> Reason | None:
    return _wrong(label, label.reply if label.wanted else None, persona)


def _wrong(one: Pair | Judged, chosen: str | None, persona: Persona) -> Reason | None:
    if not any(m.role == "user" for m in one.prompt):
        return "no_prompt"
    if chosen is not None and sum(map(str.isalpha, chosen)) < SHORTEST:
        return "too_short"
    if not all(text.strip() for text in one.texts):
        return "too_short"
    # A rewrite may have taken out what must not be given away.
    if personal_data.flag((*(m.content for m in one.prompt), *one.texts), persona.languages):
        return "personal_data"
    return None


# ---------------------------------------------------------------- sides


def _take_sides(found: Opinions, material: Material, persona: Persona) -> None:
    everything: list[Pair | Judged] = [*found.pairs, *found.labels]
    if not everything:
        return
    shown = [_as_sample(one) for one in everything]
    evaluated = [s for s in material.approved if material.side.get(s.id) == "eval"]
    near = Nearness(
        [*shown, *evaluated, *material.held_out],
        persona.dedup.threshold,
        persona.dedup.template_prompts,
        persona.names,
    )
    held_out = range(len(shown) + len(evaluated), len(near.samples))
    beside_held_out = {link.a for link in near.links(range(len(shown)), held_out)}
    wanted = {at for at, one in enumerate(everything) if material.side.get(one.sample.id) == "eval"}
    measured = wanted - beside_held_out
    rest = {*range(len(shown))} - wanted
    # A rejected reply is on no row of `chat`, so the evaluated pairs are compared too, not only the eval rows.
    close = {link.a for link in near.links(rest, {*measured, *range(len(shown), len(shown) + len(evaluated))})}
    gone = beside_held_out | close
    sides: list[Side | None] = [None if at in gone else "eval" if at in wanted else "train" for at in range(len(shown))]
    found.set_aside["near_eval"] += len(gone)
    pairs = len(found.pairs)
    found.pairs, found.labels = on_side(found.pairs, sides[:pairs]), on_side(found.labels, sides[pairs:])


def _as_sample(one: Pair | Judged) -> Sample:
    """Return the prompt with every reply, so that each is compared."""
    replies = (Message("assistant", text) for text in one.texts)
    return replace(one.sample, messages=(*one.prompt, *replies))
