"""Measures the passport and decides which of its figures are shown.

In: a :class:`~train.evaluation.subject.Subject`, the export, and the replies of base and adapter to the same prompts.
Out: the ``passport`` of evaluation.json: for each figure the voices' values, the proof, and why it is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from curation.contracts.rows import HeldOut
from curation.persona import Persona
from curation.repeats import find_loop
from train.data.dialogues import Export
from train.data.groups import drawn_together
from train.evaluation import authorship, bootstrap, forced_choice, novelty, pronouns, scripted
from train.evaluation.bootstrap import Figure
from train.evaluation.metrics import syllables
from train.evaluation.subject import Subject
from train.evaluation.voices import FEWEST, Proof, Voice, Voices, above, lines_of_others, prove, replies_of
from train.model.generate import Reply
from train.progress import bar
from train.speaking.language import guess_language

Say = Callable[[str], None]
QUESTIONS = 30
TURNS = (1, 10, 40)
AROUND = 1  # a turn stands for itself and its neighbours: few dialogues have few replies at one turn
SENTENCE = 5  # words: a shorter cry may be repeated


@dataclass(slots=True, kw_only=True)
class Entry:
    """A figure of the passport. It is not shown where ``why_not`` gives a reason.

    ``voices`` holds a figure for each voice that has one; ``proof`` how well known voices are ordered; ``details`` what
    else was measured. A ``percent`` is a share.
    """

    key: str
    label: str
    voices: dict[str, Figure] = field(default_factory=dict)
    why_not: str = ""
    percent: bool = True
    digits: int = 0
    proof: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def measure(
    subject: Subject,
    export: Export,
    prompts: Sequence[HeldOut],
    groups: Sequence[str],
    by_base: Sequence[Reply],
    by_adapter: Sequence[Reply],
    dialogues: int,
    say: Say,
) -> dict[str, Any]:
    """Return the passport; reply i of each side answers prompt i, of group i. ``dialogues`` are talked through."""
    say("Measuring the passport: authorship, address, forced choice, novelty, loops")
    persona = export.persona
    own = drawn_together(export.eval)
    voices = Voices(
        author=replies_of(export.eval, export.held_out, own),
        speaker=lines_of_others(export.eval, own, persona.dedup.template_prompts),
        base=Voice([r.text for r in by_base], groups),
        adapter=Voice([r.text for r in by_adapter], groups),
    )
    talks = _talks(subject, persona, dialogues, say)
    entries = [
        _authorship(voices, export),
        _address(voices, persona, talks),
        _forced_choice(subject, export, own, say),
        *_novelty(voices, export),
        _loops(voices, by_base, by_adapter, talks),
    ]
    return {"dialogues": len(talks), "turns": len(talks[0]) if talks else 0, "figures": [asdict(e) for e in entries]}


def _authorship(voices: Voices, export: Export) -> Entry:
    entry = Entry(key="authorship", label="taken for the author's by a verifier")
    train, persona = export.train, export.persona
    ids = [row.id for row in train]
    author = replies_of(train, (), ids)
    others = lines_of_others(train, ids, persona.dedup.template_prompts)
    if min(len(author.texts), len(others.texts)) < authorship.FEWEST:
        entry.why_not = f"the train split has fewer than {authorship.FEWEST} lines of the author or of others"
        return entry
    if len(voices.base.texts) < FEWEST:
        entry.why_not = f"fewer than {FEWEST} prompts were answered"
        return entry

    def masked(texts: Sequence[str]) -> list[str]:
        return [pronouns.mask(text, persona.style.pronouns) for text in texts]

    # Each verifier learns from the base's replies to one half of the prompts and judges replies to the other half.
    names = sorted(set(voices.base.groups))
    half = {name: i % 2 for i, name in enumerate(names)}
    judges = []
    for judged in (0, 1):
        taught = voices.base
        kept = [t for t, g in zip(taught.texts, taught.groups, strict=True) if half[g] != judged]
        judges.append(authorship.Verifier(masked(author.texts), [masked(others.texts), masked(kept)]))

    def odds(voice: Voice) -> list[float]:
        texts = masked(voice.texts)
        both = [judge.odds(texts) if texts else [] for judge in judges]
        return [both[half[g]][i] if g in half else (both[0][i] + both[1][i]) / 2 for i, g in enumerate(voice.groups)]

    measured = {name: odds(getattr(voices, name)) for name in ("author", "speaker", "base", "adapter")}
    for name, values in measured.items():
        entry.voices[name] = bootstrap.mean([float(v > 0) for v in values], getattr(voices, name).groups)
    entry.details["log_odds"] = {
        name: bootstrap.mean(values, getattr(voices, name).groups) for name, values in measured.items()
    }
    return _proved(entry, prove(measured["author"], measured["speaker"], measured["base"], voices))


def _address(voices: Voices, persona: Persona, talks: list[list[Reply]]) -> Entry:
    main, own = persona.languages[0], persona.style.pronouns
    entry = Entry(key="address", label=f"pronouns that are {persona.name}'s own ({main})")
    if not own:
        entry.why_not = "persona.toml names no pronouns under [style]"
        return entry
    if main not in pronouns.COUNTED:
        entry.why_not = f"no list of pronouns is here for the language {main}"
        return entry

    def share(text: str) -> float | None:
        return pronouns.own_share(text, own, main) if guess_language(text, persona) == main else None

    speaking = voices.where(lambda text: share(text) is not None)
    values = {
        name: [share(text) or 0.0 for text in getattr(speaking, name).texts]
        for name in ("author", "speaker", "base", "adapter")
    }
    for name, of in values.items():
        entry.voices[name] = bootstrap.mean(of, getattr(speaking, name).groups)
    if talks:
        entry.details |= _drift([[share(r.text) for r in talk] for talk in talks])
    return _proved(entry, prove(values["author"], values["speaker"], values["base"], speaking))


def _drift(talks: list[list[float | None]]) -> dict[str, Any]:
    """Return the share around turns 1, 10 and 40 of scripted dialogues, and its slope a ten turns."""
    turns = {}
    for turn in TURNS:
        first, last = max(0, turn - 1 - AROUND), min(turn + AROUND, len(talks[0]))
        if turn <= len(talks[0]):
            values = [(v, str(i)) for i, talk in enumerate(talks) for v in talk[first:last]]
            turns[str(turn)] = bootstrap.mean([v for v, _ in values], [g for _, g in values])
    slopes = []
    for talk in talks:
        points = [(at / 10, v) for at, v in enumerate(talk) if v is not None]
        if len({x for x, _ in points}) > 1:
            slopes.append(float(np.polyfit([x for x, _ in points], [y for _, y in points], 1)[0]))
    return {"turns": turns, "slope_of_ten_turns": bootstrap.mean(slopes)}


def _forced_choice(subject: Subject, export: Export, groups: Sequence[str], say: Say) -> Entry:
    entry = Entry(key="forced_choice", label=f"finds the real reply among {forced_choice.LINES}")
    persona, templates = export.persona, export.persona.dedup.template_prompts
    others = lines_of_others(export.eval, groups, templates).texts
    main = persona.languages[0]

    def fits(text: str) -> bool:
        return guess_language(text, persona) in (main, None)

    asked = [
        (row.messages[:-1], row.messages[-1].content, group)
        for row, group in zip(export.eval, groups, strict=True)
        if fits(row.messages[-1].content) and row.messages[-2].content.strip() not in templates
    ]
    asked += [(p.messages, p.reference, p.id) for p in export.held_out if p.reference and fits(p.reference)]
    chosen = forced_choice.questions(asked, [line for line in others if fits(line)], QUESTIONS)
    if len(chosen) < FEWEST:
        entry.why_not = f"the export has enough lines for {len(chosen)} questions only, and {FEWEST} are needed"
        return entry
    say(f"Scoring {forced_choice.LINES} lines after each of {len(chosen)} prompts")
    drawn = [q.group for q in chosen]
    with bar(3 * len(chosen), "Choosing", "prompt") as shown:

        def scores(questions: Sequence[forced_choice.Question]) -> list[list[float]]:
            return forced_choice.score(
                subject.model, subject.tokenizer, persona, subject.recipe.prompt, questions, shown.update
            )

        real, elsewhere = scores(chosen), scores(forced_choice.shifted(chosen))
        with subject.model.disable_adapter():
            by_base = scores(chosen)
    for side, of in (("adapter", real), ("base", by_base)):
        entry.voices[side] = bootstrap.mean([float(min(q) == q[0]) for q in of], drawn)
    first_other, first_own = 1, 1 + forced_choice.BY_OTHERS
    author = [-q[0] for q in real]
    speaker = [-min(q[first_other:first_own]) for q in real]
    pair = above(author, [-float(np.mean(q[first_other:first_own])) for q in real], drawn, drawn)
    # After another prompt, the real reply is one of the author's own like the five others.
    control = bootstrap.mean([float(min([q[0], *q[first_own:]]) == q[0]) for q in elsewhere], drawn)
    chance = 1 / (1 + forced_choice.BY_THE_AUTHOR)
    entry.proof = {"pairs": {"author over another speaker": pair}, "control": control, "chance_of_control": chance}
    entry.details = {
        "chance": 1 / forced_choice.LINES,
        "over_others_lines": bootstrap.mean([float(a > b) for a, b in zip(author, speaker, strict=True)], drawn),
        "over_own_replies": bootstrap.mean([float(q[0] < min(q[first_own:])) for q in real], drawn),
    }
    if pair["low"] <= 0.5:
        entry.why_not = f"it prefers the author to another speaker in {pair['value']:.0%} of pairs only"
    elif not control["low"] <= chance <= control["high"]:
        entry.why_not = (
            f"after another prompt it finds the reply as well ({control['value']:.0%} where chance is {chance:.0%})"
        )
    return entry


def _novelty(voices: Voices, export: Export) -> list[Entry]:
    learnt = replies_of(export.train, (), [row.id for row in export.train])
    training = novelty.Training(learnt.texts)
    shuffled = [" ".join(sorted(syllables(text))) for text in voices.author.texts]
    known = Voice(learnt.texts[:: max(1, len(learnt.texts) // 200)], learnt.groups[:: max(1, len(learnt.texts) // 200)])
    found = []
    for key, label, of, percent in (
        ("copied_span", "longest copied span, share of the reply", _span_share(training), True),
        ("nearest_training", "nearest training reply (ratio 0–100)", training.nearest, False),
    ):
        entry = Entry(key=key, label=label, percent=percent)
        author = [of(text) for text in voices.author.texts]
        for name in ("author", "base", "adapter"):
            voice: Voice = getattr(voices, name)
            values = author if name == "author" else [of(text) for text in voice.texts]
            entry.voices[name] = bootstrap.mean(values, voice.groups)
        pairs = {
            "a training reply over a held-out one": above(
                [of(text) for text in known.texts], author, known.groups, voices.author.groups
            ),
            "a held-out reply over its own words in another order": above(
                author, [of(text) for text in shuffled], voices.author.groups, voices.author.groups
            ),
        }
        entry.proof = {"pairs": pairs}
        for name, pair in pairs.items():
            if pair["value"] is None:
                entry.why_not = f"{name}: fewer than {FEWEST} texts"
            elif pair["low"] <= 0.5:
                entry.why_not = f"{name} in {pair['value']:.0%} of pairs only"
        if key == "copied_span":
            entry.details["words"] = {
                name: bootstrap.mean([float(training.longest_span(t)) for t in voice.texts], voice.groups)
                for name, voice in (("author", voices.author), ("base", voices.base), ("adapter", voices.adapter))
            }
        found.append(entry)
    return found


def _span_share(training: novelty.Training) -> Callable[[str], float]:
    return lambda text: training.longest_span(text) / max(1, len(syllables(text)))


def _loops(voices: Voices, by_base: Sequence[Reply], by_adapter: Sequence[Reply], talks: list[list[Reply]]) -> Entry:
    entry = Entry(key="loops", label="repeats itself")
    author = [float(find_loop(text, ended=True) is not None) for text in voices.author.texts]
    entry.voices["author"] = bootstrap.mean(author, voices.author.groups)
    for name, said in (("base", by_base), ("adapter", by_adapter)):
        values = [float(find_loop(r.text, ended=r.ended) is not None) for r in said]
        entry.voices[name] = bootstrap.mean(values, getattr(voices, name).groups)
    if talks:
        long = [(float(find_loop(r.text, ended=r.ended) is not None), str(i)) for i, t in enumerate(talks) for r in t]
        entry.details["scripted"] = bootstrap.mean([v for v, _ in long], [g for _, g in long])
    long_enough = [text for text in voices.author.texts if len(syllables(text)) >= SENTENCE]
    stuck = [float(find_loop(" ".join([text] * 4), ended=True) is not None) for text in long_enough]
    found = sum(stuck) / len(stuck) if stuck else 0.0
    entry.proof = {"author": entry.voices["author"], "the author's replies four times over": found}
    if not stuck or found < 0.9 or sum(author) > 0.02 * len(author):
        entry.why_not = (
            f"it finds loops in {sum(author):.0f} of {len(author)} replies of the author, and in {found:.0%} of them "
            "when each stands four times over"
        )
    return entry


def _talks(subject: Subject, persona: Persona, count: int, say: Say) -> list[list[Reply]]:
    said = scripted.scripts(persona.languages[0], count)
    if not said:
        if count:
            say(f"No scripted dialogues: there is no script in the persona's first language, {persona.languages[0]}.")
        return []
    say(f"Talking through {len(said)} dialogues of {len(said[0])} turns")
    with bar(len(said[0]), "Talking", "turn") as shown:
        return scripted.talk(subject.model, subject.tokenizer, persona, subject.recipe.prompt, said, shown.update)


def _proved(entry: Entry, proof: Proof) -> Entry:
    entry.proof, entry.why_not = proof.to_json(), proof.fault
    return entry
