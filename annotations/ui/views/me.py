"""The annotator's own figures and drafts, and, for an adjudicator, who may settle disputes."""

from __future__ import annotations

import streamlit as st

from annotations.team.gold_items import GoldItems
from annotations.ui import pace
from annotations.ui.local_time import clock, number, today, zone
from annotations.ui.session import Desk, attempt, go_to, plain, set_mode, show_view, tell

_ROLES = ("annotator", "adjudicator")


def show(desk: Desk) -> None:
    """Show the annotator's verdicts and drafts."""
    mine = [day for day in desk.store.statistics.by_day(zone()) if day.annotator == desk.who]
    each = pace.seconds_per_verdict(desk)
    figures = (
        ("today", number(sum(day.verdicts for day in mine if day.date == today(desk)), desk.language)),
        ("all_time", number(sum(day.verdicts for day in mine), desk.language)),
        ("my_pace", number(round(3600 / each), desk.language) if each else "–"),
    )
    for column, (key, value) in zip(st.columns(3), figures, strict=True):
        column.metric(desk.say(key), value, border=True)
    mine_on_gold = [score for score in GoldItems(desk.store).scores() if score.annotator == desk.who]
    for score in mine_on_gold:
        st.text(desk.say("gold_mine", right=score.right, answered=score.answered))
    for verdict, n in desk.store.statistics.by_verdict(desk.who).items():
        st.text(f"{desk.say(f'verdict_{verdict}')}: {number(n, desk.language)}")
    if mine:
        st.bar_chart({day.date: day.verdicts for day in mine}, y_label=desk.say("verdicts"), height=220)
    st.subheader(desk.say("my_drafts"), anchor=False)
    drafts = desk.store.drafts.samples(desk.who)
    if not drafts:
        st.caption(desk.say("none"))
    for sample_id in drafts:
        draft = desk.store.drafts.get(sample_id, desk.who)
        words = "" if draft is None else f"{clock(draft.time)} · {draft.messages[-1].content[:80]}"
        st.button(plain(words or sample_id), on_click=_open, args=(sample_id,), key=f"draft {sample_id}")
    if desk.role == "adjudicator":
        _people(desk)


def _open(sample_id: str) -> None:
    go_to(sample_id)
    show_view("review")
    set_mode("edit")


def _people(desk: Desk) -> None:
    st.subheader(desk.say("people"), anchor=False)
    for name, role in desk.store.people.roles().items():
        key = f"role of {name}"
        st.selectbox(
            plain(name),
            _ROLES,
            index=_ROLES.index(role),
            format_func=lambda role: desk.say(f"role_{role}"),
            key=key,
            on_change=_set_role,
            args=(desk, name, key),
            width=260,
        )


@attempt
def _set_role(desk: Desk, name: str, key: str) -> None:
    # Asked again: the page may have been drawn before another adjudicator changed this one's role.
    if desk.store.people.roles().get(desk.who) != "adjudicator":
        tell(desk.say("adjudication_role"), problem=True)
        return
    desk.store.people.set_role(name, st.session_state[key])
