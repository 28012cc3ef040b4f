"""A sample's neighbours by meaning as HTML: how near, near by letters too or not, and what was said of the pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from markupsafe import Markup

from annotations.meaning import pairs
from annotations.meaning.index import Hit, MeaningIndex, State
from annotations.store.types import Item, UnknownSample
from annotations.ui import markup
from annotations.ui.sample.decided import decided, stands
from annotations.ui.session import Desk
from curation.dedup.wording import compared, normal
from curation.meaning.calibration import LEAST_PAIRS, Calibration
from curation.meaning.neighbours import group_of, likeness
from curation.meaning.report import calibration_of
from curation.meaning.verdicts import Side, pair_of

_MOST = 6
# Pairs this far below the threshold are shown as well: without verdicts on them it could never be lowered.
_BELOW = 0.02


@dataclass(frozen=True, slots=True)
class Part:
    """The part as ``html``; with ``wait`` the model is still reading, and the page asks again."""

    html: str
    wait: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it for an HTTP answer."""
        return {"html": self.html, "wait": self.wait}


@st.cache_resource(show_spinner=False)
def _index(_desk: Desk, store: str, folder: Path, template_prompts: tuple[str, ...]) -> MeaningIndex:
    return MeaningIndex(_desk.store, folder, template_prompts)


def index_of(desk: Desk) -> MeaningIndex:
    """Return the index of the desk's queue, one a process."""
    return _index(desk, str(desk.store.engine.url), desk.folders.vectors, desk.persona.dedup.template_prompts)


def meaning(desk: Desk, item: Item) -> Part:
    """Return the samples that are near one by meaning, the nearest first; while the model reads, how far it is."""
    index = index_of(desk)
    state = index.state()
    if state.status != "ready":
        return not_ready(desk, state)
    given = pairs.verdicts(desk.store)
    calibration = calibration_of(given, index.vectors)[group_of(item.sample)]
    mine = {verdict.pair: verdict.answer for verdict in given if verdict.annotator == desk.who}
    own = index.text(item).text
    cards = []
    for hit in index.near(item, calibration.threshold - _BELOW, _MOST):
        try:
            other = desk.store.queue.item(hit.sample_id, desk.who)
        except UnknownSample:  # a queue that was loaded a moment ago no longer has it
            continue
        cards.append(_card(desk, item, other, hit, calibration, mine.get(pair_of(own, hit.text))))
    body = Markup("").join(cards) or markup.quiet(desk.say("meaning_none", cosine=f"{calibration.threshold:g}"))
    return Part(Markup("{}{}").format(markup.quiet(about(desk, calibration)), body))


def not_ready(desk: Desk, state: State) -> Part:
    """Return how far the reading is, or why it failed."""
    if state.status == "failed":
        return Part(markup.notices([("bad", state.error)]))
    return Part(markup.quiet(desk.say("meaning_reading", done=state.done, total=state.total)), wait=True)


def about(desk: Desk, calibration: Calibration) -> str:
    """Return where the threshold is from, and how often pairs above it were the same, in the annotator's language."""
    cosine = f"{calibration.threshold:g}"
    said = [desk.say("meaning_default", cosine=cosine, n=calibration.judged, least=LEAST_PAIRS)]
    if calibration.source == "verdicts":
        said = [desk.say("meaning_judged", cosine=cosine, n=calibration.judged)]
    if calibration.share is not None and calibration.low is not None and calibration.high is not None:
        share, low, high = (f"{value * 100:.0f}" for value in (calibration.share, calibration.low, calibration.high))
        said.append(desk.say("meaning_share", share=share, low=low, high=high, n=calibration.above))
    return " ".join(said)


def sides(desk: Desk, item: Item, other: Item) -> tuple[Side, Side]:
    """Return two samples as a verdict on them holds them: their texts as they stand now."""
    index = index_of(desk)
    one, two = (Side(text=index.text(sample).text, sample=sample.id) for sample in (item, other))
    return one, two


def _card(desk: Desk, item: Item, other: Item, hit: Hit, calibration: Calibration, answer: str | None) -> str:
    changed = markup.diff(item.messages, other.messages, desk.names, desk.say("diff_too_long"))
    verdict = stands(desk, other)
    status = decided(desk, other, verdict) if verdict else markup.quiet(desk.say(f"status_{other.status}"))
    below = [("", desk.say("meaning_below"))] if hit.cosine < calibration.threshold else []
    return markup.card(
        markup.facts(
            [(f"{hit.cosine:.3f}", _by_letters(desk, item, other)), *below, ("", other.sample.source.locator)]
        ),
        status,
        changed or markup.turns(other.messages, desk.names, desk.cut),
        markup.choices(
            [
                ("same", desk.say("meaning_same"), answer == "same"),
                ("different", desk.say("meaning_different"), answer == "different"),
            ],
            other.id,
        ),
        markup.link_button("open", desk.say("open_this"), other.id),
    )


def _by_letters(desk: Desk, item: Item, other: Item) -> str:
    """Return what the exact comparison says of a pair."""
    templates = {normal(prompt) for prompt in desk.persona.dedup.template_prompts}
    ratio = likeness(compared(item.sample, templates), compared(other.sample, templates))
    near = ratio >= desk.persona.dedup.threshold
    return desk.say("meaning_exact" if near else "meaning_only", ratio=f"{ratio:.0f}")
