"""The guidelines as the desk shows them: the text, its version, and examples from samples that were adjudicated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from annotations.guidelines import history, read_guidelines
from annotations.ui.session import Desk
from annotations.words import explain_reason
from curation.record import Message
from curation.review.decisions import DECISIVE, Decision, Verdict, standing

STYLE = """<style>
.guidelines { font-size: .92rem; line-height: 1.5; overflow-wrap: anywhere; }
.guidelines h1, .guidelines h2 { font-size: 1.02rem; padding: .6rem 0 .2rem; }
.guidelines table { border-collapse: collapse; overflow-wrap: normal; }
.guidelines :is(ol, ul) { padding-left: 1.3rem; }
.guidelines td, .guidelines th { border: 1px solid rgba(128,128,128,.3);
  padding: .2rem .45rem; vertical-align: top; text-align: left; }
.guidelines .version { opacity: .75; font-size: .8rem; }
.guidelines .example { border-left: .25rem solid rgba(128,128,128,.5); padding: .1rem .6rem; margin: 0 0 .5rem; }
</style>"""

# Of each verdict; more would be a page of its own.
_EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Example:
    """A sample that annotators disagreed on, as it was before an adjudicator's verdict."""

    sample_id: str
    verdict: Verdict
    reason: str
    messages: tuple[Message, ...] | None  # of a rewrite


def adjudicated(events: Iterable[Decision], each: int = _EXAMPLES) -> list[Example]:
    """Return the newest verdicts that settled a disagreement, up to ``each`` of a kind.

    ``events`` are all events of the samples that had a blind verdict. A sample was adjudicated where its blind verdicts
    differ and a later verdict of one person stands.
    """
    by_sample: dict[str, list[Decision]] = {}
    for event in standing(events):
        if event.verdict in DECISIVE:
            by_sample.setdefault(event.sample_id, []).append(event)
    settled = []
    for of_sample in by_sample.values():
        blind = {(e.verdict, e.messages) for e in of_sample if e.panel > 1}
        alone = [e for e in of_sample if e.panel == 1 and e.client != "import"]
        if len(blind) > 1 and alone:
            settled.append(max(alone, key=lambda e: (e.time, e.id)))
    found: list[Example] = []
    for event in sorted(settled, key=lambda e: (e.time, e.id), reverse=True):
        if sum(one.verdict == event.verdict for one in found) < each:
            found.append(Example(event.sample_id, event.verdict, event.reason, event.messages))
    return found


def guidelines_html(desk: Desk) -> Markup:
    """Return the guidelines in the annotator's language, with their version and examples."""
    guidelines = read_guidelines(desk.persona)
    if not guidelines.version:
        return Markup('<div class="guidelines">{}</div>').format(desk.say("guidelines_none"))
    since = next((one.since for one in reversed(history(desk.store)) if one.version == guidelines.version), "")
    version = desk.say("guidelines_version", version=guidelines.version, since="–" if not since else since[:10])
    return Markup('<div class="guidelines">{}{}<p class="version">{}</p></div>').format(
        guidelines.html(desk.language), _examples(desk), version
    )


def _examples(desk: Desk) -> Markup:
    found = adjudicated(desk.store.log.of_panels())
    if not found:
        return Markup("")
    return Markup("<h2>{}</h2>{}").format(
        desk.say("guidelines_examples"), Markup("").join(_example(desk, one) for one in found)
    )


def _example(desk: Desk, one: Example) -> Markup:
    messages = desk.store.queue.item(one.sample_id).sample.messages
    why = explain_reason(one.reason, desk.language, desk.persona)
    head = " · ".join(part for part in (desk.say(f"verdict_{one.verdict}"), why) if part)
    after = _turns(desk, one.messages) if one.messages is not None else Markup("")
    arrow = Markup("<div>→</div>") if one.messages is not None else ""
    return Markup('<div class="example"><b>{}</b>{}{}{}</div>').format(head, _turns(desk, messages), arrow, after)


def _turns(desk: Desk, messages: Sequence[Message]) -> Markup:
    last = list(messages)[-2:]
    return Markup("").join(Markup("<div>{}: {}</div>").format(desk.names.of(m), m.content[:200]) for m in last)
