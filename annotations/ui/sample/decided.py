"""The verdict that decided a sample, in words: by whom, when and why."""

from __future__ import annotations

from annotations.store.types import Item
from annotations.ui import markup
from annotations.ui.session import Desk
from annotations.words import explain_reason
from curation.review.decisions import DECISIVE, Decision, standing


def stands(desk: Desk, item: Item) -> Decision | None:
    """Return the verdict that decided the sample, None while it is open."""
    if item.state.status == "pending":
        return None
    decisive = [e for e in standing(desk.store.log.history(item.id)) if e.verdict in DECISIVE]
    counted = [e for e in decisive if e.id not in item.state.conflicts]
    return counted[-1] if counted else None


def decided(desk: Desk, item: Item, verdict: Decision | None) -> str:
    """Return who decided the sample, when and why; empty without a verdict. The browser shows the time as its own."""
    if verdict is None:
        return ""
    who = ", ".join(item.state.reviewers) or verdict.annotator
    why = explain_reason(item.state.reason, desk.language, desk.persona)
    head = desk.say("decided", status=desk.say(f"status_{item.status}"), who=who)
    return markup.decided(item.status, head, verdict.time, why)


def overruled(desk: Desk, item: Item, verdict: Decision | None) -> str | None:
    """Return the question to ask before a colleague's verdict is overruled, None where there is none to overrule."""
    if verdict is None or not by_colleague(desk, verdict):
        return None
    return desk.say("overrule", who=verdict.annotator, status=desk.say(f"status_{item.status}"))


def by_colleague(desk: Desk, verdict: Decision) -> bool:
    """Return whether another person made the verdict; what import approved is no person's."""
    return verdict.annotator != desk.who and verdict.client != "import"
