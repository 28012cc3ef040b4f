"""The annotator's own figures and drafts."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from annotations.ui import pace
from annotations.ui.session import Desk, go_to, plain, set_mode, show_view


def show(desk: Desk) -> None:
    """Show the annotator's verdicts and drafts."""
    mine = [day for day in desk.store.statistics.by_day() if day.annotator == desk.who]
    today = datetime.now(UTC).date().isoformat()
    each = pace.seconds_per_verdict(desk)
    figures = (
        ("today", sum(day.verdicts for day in mine if day.date == today)),
        ("all_time", sum(day.verdicts for day in mine)),
        ("my_pace", round(3600 / each) if each else "–"),
    )
    for column, (key, value) in zip(st.columns(3), figures, strict=True):
        column.metric(desk.say(key), value, border=True)
    for verdict, n in desk.store.statistics.by_verdict(desk.who).items():
        st.text(f"{desk.say(f'verdict_{verdict}')}: {n:,}")
    if mine:
        st.bar_chart({day.date: day.verdicts for day in mine}, y_label=desk.say("verdicts"), height=220)
    st.subheader(desk.say("my_drafts"), anchor=False)
    drafts = desk.store.drafts.samples(desk.who)
    if not drafts:
        st.caption(desk.say("none"))
    for sample_id in drafts:
        st.button(plain(sample_id), on_click=_open, args=(sample_id,), key=f"draft {sample_id}")


def _open(sample_id: str) -> None:
    go_to(sample_id)
    show_view("review")
    set_mode("edit")
