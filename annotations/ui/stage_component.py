"""The stage: the part of the Review view that runs in the browser, as one Streamlit component.

Streamlit gives it who is signed in, the filters and the words. From then on it talks to the routes of
``annotations.desk_api`` by itself, so that a key does not wait for a run of the page's script.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from annotations.signing import sign, store_mark
from annotations.ui import markup, stage_files
from annotations.ui.access import address
from annotations.ui.session import Desk, asked, current_sample, mode
from annotations.words import HELP, reasons
from curation.record import ROLES, Message

# A v2 component's script is inline; this one only fetches the real files.
_JS = """
const stages = new WeakMap();
export default function (component) {
  const root = component.parentElement.querySelector(".stage");
  const before = stages.get(root) ?? Promise.resolve(null);
  const now = before.then(async (stage) => {
    const { show } = await import(new URL(component.data.files, window.location.href).href);
    return show(root, component, stage);
  });
  stages.set(root, now);
  return () => {
    stages.delete(root);
    return now.then((stage) => stage.leave());
  };
}
"""

# The words that the browser puts together itself. What stands for a value there is in _BLANKS.
_WORDS = (
    "approve",
    "reject",
    "edit",
    "skip",
    "undo",
    "previous",
    "next",
    "note",
    "help",
    "cancel",
    "save",
    "save_note",
    "note_text",
    "why_reject",
    "other_reason_text",
    "save_reason",
    "did_approve",
    "did_reject",
    "did_rewrite",
    "did_skip",
    "did_note",
    "undone",
    "verdict_approve",
    "verdict_reject",
    "verdict_rewrite",
    "verdict_skip",
    "verdict_note",
    "nothing_to_undo",
    "nothing_left",
    "nothing_left_hint",
    "first_one",
    "loading",
    "gone_sample",
    "editing",
    "turn_text",
    "turn_role",
    "turn_name",
    "turn_up",
    "turn_down",
    "turn_remove",
    "turn_add",
    "changes",
    "checks",
    "discard",
    "discard_sure",
    "discarded",
    "discard_undone",
    "draft_found",
    "draft_here",
    "draft_two",
    "draft_choose",
    "draft_elsewhere",
    "draft_use",
    "draft_use_theirs",
    "draft_theirs",
    "draft_mine",
    "draft_kept",
    "merge_title",
    "merge_theirs",
    "merge_yours",
    "merge_keep_mine",
    "merge_take_theirs",
    "too_long_to_edit_here",
    "empty_turn",
    "no_reply_last",
    "yes",
    "overrule_again",
    "cluster_keep_sure",
    "cluster_approve_sure",
    "cluster_reject_sure",
    "cluster_done",
    "cluster_overrules",
    "cluster_refused",
    "not_on_screen",
    "not_counted",
    "cannot_judge",
    "offline",
    "sending",
    "online_again",
    "wait_for_undo",
    "refused_verdict",
    "open_this",
    "dismiss",
    "no_storage",
    "signed_out",
    "keys_of",
    "guidelines",
    "guidelines_key",
    "context",
    "meaning",
    "did_same",
    "did_different",
    "same_undone",
    "twins",
    "twins_none",
    "twins_leave",
    "back",
    "loading_part",
    "part_failed",
    "scene",
    "scene_of",
    "scene_no_name",
    "scene_title",
    "scene_rewrites",
    "scene_drafts",
    "scene_refused",
    "scene_none",
    "scene_do",
    "scene_back",
    "scene_leave",
    "scene_done",
    "scene_undone",
    "suggest",
    "suggest_loading",
    "suggest_writing",
    "suggest_by",
    "suggest_take",
    "suggest_taken",
    "suggest_another",
    "suggest_again",
)
_BLANKS = {
    name: f"{{{name}}}"
    for name in ("n", "who", "verdict", "sample", "time", "why", "status", "chars", "name", "drafts")
}


def stage(desk: Desk, on_sample: Callable[[], None]) -> None:
    """Show the stage. ``on_sample`` is called when it has opened another sample; its id is in ``st.session_state``."""
    # Registered at every run: the registry belongs to the running server, and tests start several.
    component = st.components.v2.component(
        "stage", html='<div class="stage" tabindex="-1"></div>', css=stage_files.css(), js=_JS, isolate_styles=False
    )
    component(key="stage", data=_data(desk), on_sample_change=on_sample)


def _data(desk: Desk) -> dict[str, Any]:
    values = {name: getattr(desk.filters, name) for name in type(desk.filters).__slots__}
    return {
        "address": address(),
        "files": f"{address()}/static/{stage_files.version()}/stage.js",
        "token": sign(desk.store, desk.who, desk.way),
        "who": desk.who,
        "desk": store_mark(desk.store),
        "language": desk.language,
        "filters": {name: value for name, value in values.items() if value != ""},
        "sample": current_sample(),
        "asked": asked(),
        "edit": mode() == "edit",
        "reasons": list(reasons(desk.persona, desk.language).items()),
        "roles": [[role, desk.names.of(Message(role, ""))] for role in ROLES],
        "help": markup.keys((key, words[0 if desk.language == "vi" else 1]) for key, *words in HELP),
        "words": {key: desk.say(key, **_BLANKS) for key in _WORDS},
    }
