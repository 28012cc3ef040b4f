"""What the editor needs: drafts that are kept while the annotator types, the live diff, the live checks."""

from __future__ import annotations

import threading
from typing import Any

from annotations.desk_api.bodies import Check, DropDraft, SaveDraft
from annotations.dialogue_checks import check_messages
from annotations.flag_words import explain_detail
from annotations.ui import markup
from annotations.ui.sample.item_page import draft_json, working_text
from annotations.ui.session import Desk
from curation.cleaning.typed_text import clean_typed
from curation.codes import explain_flag
from curation.errors import InosukeError

# Two requests of one annotator must not both find the draft that they know.
_one_at_a_time = threading.Lock()


class OtherDraft(InosukeError):
    """Another tab or computer of the same annotator has saved a different draft since. ``theirs`` is it, as JSON."""

    def __init__(self, theirs: dict[str, Any]) -> None:
        super().__init__("another tab or computer has changed this draft. Choose which text to keep.")
        self.theirs = theirs


def save_draft(desk: Desk, body: SaveDraft) -> dict[str, Any]:
    """Keep an unfinished rewrite and return its ``time``. Raises OtherDraft where it would overwrite one unseen."""
    messages = tuple(turn.message() for turn in body.messages)
    with _one_at_a_time:
        there = desk.store.drafts.get(body.sample, desk.who)
        if there is not None and there.messages == messages and there.revision == body.revision:
            return {"time": there.time}
        if there is not None and there.time != body.known and not body.force:
            raise OtherDraft(draft_json(there) or {})
        desk.store.drafts.save(body.sample, desk.who, body.revision, messages)
        saved = desk.store.drafts.get(body.sample, desk.who)
    return {"time": None if saved is None else saved.time}


def drop_draft(desk: Desk, body: DropDraft) -> dict[str, Any]:
    """Discard an unfinished rewrite."""
    desk.store.drafts.drop(body.sample, desk.who)
    return {}


def check(desk: Desk, body: Check) -> dict[str, Any]:
    """Return the ``diff`` and the ``checks`` of a text as HTML, and what saving it will remove, in words."""
    item = desk.store.queue.item(body.sample, desk.who)
    typed = tuple(turn.message() for turn in body.messages)
    messages, removed = clean_typed(typed)
    found = [
        markup.flag(explain_flag(f.code, desk.language), explain_detail(f, desk.language))
        for f in check_messages(messages, desk.persona)
    ]
    changed = (
        markup.diff(item.messages, messages, desk.names, desk.say("diff_too_long"))
        if body.newest
        else working_text(desk, item, messages)
    )
    return {
        "diff": changed or markup.quiet(desk.say("no_changes")),
        "checks": "".join(found) or markup.quiet(desk.say("checks_fine")),
        "removed": markup.removed(desk.say("will_remove"), removed) if removed else "",
    }
