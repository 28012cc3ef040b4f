"""Many samples at once: find and replace with a preview, and a verdict on all samples of the filter."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from annotations.store.types import Batch
from annotations.team import many
from annotations.team.many import Change, Preview, Selection
from annotations.team.search import Replacement
from annotations.ui import markup
from annotations.ui.html import show_html
from annotations.ui.session import Desk, attempt, tell
from annotations.words import REASONS
from curation.codes import explain_flag
from curation.review.decisions import Verdict

_PREVIEW, _CHOSEN = "replace_preview", "all_chosen"  # in session state: (what was asked, what was found)
_PAGE = 25


def show(desk: Desk) -> None:
    """Show find and replace, then the verdicts on the whole filter."""
    st.caption(desk.say("many_filter"))
    st.subheader(desk.say("replace_title"), anchor=False)
    st.caption(desk.say("replace_rule"))
    _find(desk)
    st.subheader(desk.say("all_title"), anchor=False)
    _whole_filter(desk)


# ---------------------------------------------------------------- find and replace


def _find(desk: Desk) -> None:
    left, right = st.columns(2)
    left.text_input(desk.say("replace_find"), key="replace_find")
    right.text_input(desk.say("replace_put"), key="replace_put")
    with st.container(horizontal=True):
        st.checkbox(desk.say("replace_word"), value=True, key="replace_word")
        st.checkbox(desk.say("replace_case"), key="replace_case")
        st.checkbox(desk.say("replace_own"), key="replace_own")
        st.checkbox(desk.say("replace_regex"), key="replace_regex")
    st.button(desk.say("replace_preview"), on_click=_look, args=(desk,), key="replace_look")
    asked, seen = st.session_state.get(_PREVIEW, (None, None))
    if seen is not None and asked == (_asked(), desk.filters, desk.who):
        _preview(desk, seen)


def _asked() -> tuple[object, ...]:
    return tuple(st.session_state[f"replace_{key}"] for key in ("find", "put", "regex", "word", "case", "own"))


@attempt
def _look(desk: Desk) -> None:
    st.session_state.pop(_PREVIEW, None)
    find, put, regex, word, case, own = _asked()
    wanted = Replacement(str(find), str(put), bool(regex), bool(word), bool(case), bool(own))
    seen = many.preview(desk.store, desk.persona, desk.who, wanted, desk.filters)
    st.session_state[_PREVIEW] = ((_asked(), desk.filters, desk.who), seen)
    for change in seen.changes:
        st.session_state[_key(change)] = True


def _key(change: Change) -> str:
    return f"replace {change.item.id}"


def _preview(desk: Desk, seen: Preview) -> None:
    st.text(desk.say("replace_found", n=len(seen.changes), matches=sum(c.matches for c in seen.changes)))
    first = 0
    if len(seen.changes) > _PAGE:
        first = st.number_input(desk.say("replace_shown"), 1, len(seen.changes), step=_PAGE, key="replace_first") - 1
    for change in seen.changes[first : first + _PAGE]:
        with st.container(border=True):
            changed = markup.diff(change.item.messages, change.messages, desk.names, desk.say("diff_too_long"))
            show_html(changed, desk.say("no_changes"))
            chosen = st.checkbox(
                desk.say("replace_include"), value=st.session_state.get(_key(change), True), key=f"tick {_key(change)}"
            )
            # Streamlit forgets a widget that is not drawn, such as one on another page of the list.
            st.session_state[_key(change)] = chosen
    if seen.refused:
        st.warning(desk.say("replace_refused", n=len(seen.refused)))
        for change in seen.refused[:_PAGE]:
            st.text(f"{change.item.id}: {', '.join(explain_flag(c, desk.language) for c in change.forbidden)}")
    drafts = False
    if seen.waiting:
        st.text(desk.say("replace_waiting", n=len(seen.waiting)))
        drafts = st.checkbox(desk.say("replace_drafts"), key="replace_drafts")
    number = len(seen.changes) - len(_left_out(seen))
    st.button(
        desk.say("replace_do", n=number),
        type="primary",
        disabled=not number and not drafts,
        on_click=_replace,
        args=(desk, seen, drafts),
        key="replace_do",
    )


def _left_out(seen: Preview) -> list[str]:
    return [change.item.id for change in seen.changes if not st.session_state.get(_key(change), True)]


@attempt
def _replace(desk: Desk, seen: Preview, drafts: bool) -> None:
    st.session_state.pop(_PREVIEW, None)
    if len(_left_out(seen)) < len(seen.changes):
        _told(desk, many.rewrite(desk.store, desk.who, seen, _left_out(seen)))
    if drafts:
        tell(desk.say("replace_drafted", n=many.keep_drafts(desk.store, desk.who, seen)))


def _told(desk: Desk, batch: Batch) -> None:
    tell(desk.say("cluster_done", n=len(batch.decisions)))
    if batch.refused:
        why = "; ".join(f"{sample}: {error}" for sample, error in list(batch.refused.items())[:_PAGE])
        tell(desk.say("cluster_refused", n=len(batch.refused), why=why), problem=True)


# ---------------------------------------------------------------- a verdict on the whole filter


def _whole_filter(desk: Desk) -> None:
    reason = st.selectbox(
        desk.say("why_reject"),
        REASONS,
        index=None,
        placeholder=desk.say("none"),
        format_func=lambda r: desk.say(f"reason_{r}"),
        key="all_reason",
    )
    with st.container(horizontal=True):
        for verdict in ("approve", "reject", "skip"):
            st.button(
                desk.say(f"all_{verdict}"),
                disabled=verdict == "reject" and reason is None,
                on_click=_choose,
                args=(desk, verdict),
                key=f"all {verdict}",
            )
        st.button(desk.say("undo"), on_click=_undo, args=(desk,), key="all_undo")
    asked, chosen = st.session_state.get(_CHOSEN, (None, None))
    if chosen is None or asked != (desk.filters, desk.who):
        return
    for why, n in Counter(chosen.refused.values()).most_common():
        st.text(desk.say("all_refused", n=n, why=_why(desk, why)))
    with st.container(horizontal=True):
        st.button(
            desk.say(f"all_sure_{chosen.verdict}", n=len(chosen.items)),
            type="primary",
            disabled=not chosen.items,
            on_click=_judge,
            args=(desk, chosen, reason or ""),
            key="all_sure",
        )
        st.button(desk.say("cancel"), type="tertiary", on_click=_forget, key="all_no")


def _why(desk: Desk, code: str) -> str:
    if code == "blind":
        return desk.say("all_blind")
    return desk.say("all_held") if code == "held" else explain_flag(code, desk.language)


@attempt
def _choose(desk: Desk, verdict: Verdict) -> None:
    found = many.selection(desk.store, desk.persona, desk.who, desk.filters, verdict)
    st.session_state[_CHOSEN] = ((desk.filters, desk.who), found)


def _forget() -> None:
    st.session_state.pop(_CHOSEN, None)


@attempt
def _judge(desk: Desk, chosen: Selection, reason: str) -> None:
    _forget()
    _told(desk, many.judge(desk.store, desk.who, chosen, reason))


@attempt
def _undo(desk: Desk) -> None:
    undone = desk.store.take_back(desk.who)
    tell(desk.say("cluster_done", n=len(undone)) if undone else desk.say("nothing_to_undo"))
