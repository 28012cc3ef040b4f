"""The dashboard: counts by kind and annotator, a chart of verdicts per day, agreement."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from annotations.store.log_sync import sync_store
from annotations.store.projection import STATUSES
from annotations.team.gold_items import GoldItems
from annotations.team.times import paces
from annotations.ui.local_time import clock, number, zone
from annotations.ui.session import Desk, attempt, bring_queue, tell
from annotations.words import explain_reason
from curation.review.agreement import Agreement, agreement


def show(desk: Desk) -> None:
    """Show the figures."""
    counts = desk.store.queue.counts()
    totals = {s: sum(by_status.get(s, 0) for by_status in counts.values()) for s in STATUSES}
    for column, status in zip(st.columns(len(STATUSES)), STATUSES, strict=True):
        column.metric(desk.say(f"status_{status}"), number(totals[status], desk.language), border=True)
    kinds, people = st.columns(2, gap="large")
    with kinds:
        st.subheader(desk.say("by_kind"), anchor=False)
        _table(desk, counts)
    with people:
        st.subheader(desk.say("by_annotator"), anchor=False)
        _people(desk)
    _reasons(desk)
    _times(desk)
    if desk.role == "adjudicator":
        _scores(desk)
    st.subheader(desk.say("per_day"), anchor=False)
    _days(desk)
    st.subheader(desk.say("agreement"), anchor=False)
    _agreement(desk)
    st.button(desk.say("sync_now"), icon=":material/sync:", on_click=_sync, args=(desk,))


def _table(desk: Desk, counts: dict[str, dict[str, int]]) -> None:
    rows = [
        {desk.say("kind"): kind} | {desk.say(f"status_{s}"): by_status.get(s, 0) for s in STATUSES}
        for kind, by_status in counts.items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def _people(desk: Desk) -> None:
    totals = desk.store.statistics.by_annotator()
    if not totals:
        st.caption(desk.say("none"))
        return
    rows = [{desk.say("annotator"): who, desk.say("verdicts"): n} for who, n in totals.most_common()]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def _reasons(desk: Desk) -> None:
    """Show how many standing rejections have each reason."""
    found = desk.store.statistics.by_reason()
    if found:
        rows = [
            {desk.say("reason"): explain_reason(why, desk.language, desk.persona) or "–", desk.say("verdicts"): n}
            for why, n in found.most_common()
        ]
        st.subheader(desk.say("by_reason"), anchor=False)
        st.dataframe(pd.DataFrame(rows), hide_index=True)


def _times(desk: Desk) -> None:
    """Show how long a verdict takes, where clients have measured it."""
    rows = [
        {
            desk.say("annotator"): pace.annotator,
            desk.say("kind"): pace.kind or desk.say("total"),
            desk.say("verdicts"): pace.verdicts,
            desk.say("seconds"): pace.seconds,
        }
        for pace in paces(desk.store)
    ]
    if rows:
        st.subheader(desk.say("times"), anchor=False)
        st.dataframe(pd.DataFrame(rows), hide_index=True)


def _scores(desk: Desk) -> None:
    """Show an adjudicator how everyone judges the gold items."""
    rows = [
        {desk.say("annotator"): score.annotator, "n": score.answered, "%": f"{score.right / score.answered:.0%}"}
        for score in GoldItems(desk.store).scores()
    ]
    if rows:
        st.subheader(desk.say("gold_scores"), anchor=False)
        st.dataframe(pd.DataFrame(rows), hide_index=True)


def _days(desk: Desk) -> None:
    rows = [(d.date, d.annotator, d.verdicts) for d in desk.store.statistics.by_day(zone())]
    days = pd.DataFrame(rows, columns=["day", "who", "n"])
    if days.empty:
        st.caption(desk.say("none"))
        return
    chart = (
        alt.Chart(days)
        .mark_bar(size=28)
        .encode(
            x=alt.X("day:O", title=desk.say("day"), axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("n:Q", title=desk.say("verdicts"), axis=alt.Axis(format="d", tickMinStep=1)),
            color=alt.Color("who:N", title=desk.say("annotator")),
            tooltip=["day", "who", "n"],
        )
        .properties(height=220)
    )
    st.altair_chart(chart)


def _agreement(desk: Desk) -> None:
    events = desk.store.log.of_panels()
    kinds = desk.store.queue.kinds_of({e.sample_id for e in events})
    overall = agreement(events)
    if not overall.samples:
        st.caption(desk.say("agreement_none"))
        return
    rows = [_row(desk.say("total"), overall)]
    for kind in sorted(set(kinds.values())):
        rows.append(_row(kind, agreement(e for e in events if kinds.get(e.sample_id) == kind)))
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption(desk.say("over_time"))
    where = zone()
    dated = [(clock(e.time, where)[:10], e) for e in events]
    dates = sorted({day for day, _ in dated})
    days = [_row(day, agreement(e for date, e in dated if date <= day)) for day in dates[-30:]]
    st.dataframe(pd.DataFrame(days), hide_index=True)


def _row(name: str, a: Agreement) -> dict[str, object]:
    return {
        "": name,
        "n": a.samples,
        "Cohen κ": _figure(a.cohen),
        "Fleiss κ": _figure(a.fleiss),
        "Krippendorff α": _figure(a.krippendorff),
        "%": f"{a.observed:.0%}" if a.observed is not None else "–",
    }


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


@attempt
def _sync(desk: Desk) -> None:
    synced = sync_store(desk.store, desk.folders)
    bring_queue(desk, again=True)
    tell(desk.say("synced", to_log=synced.to_log, to_store=synced.to_store))
