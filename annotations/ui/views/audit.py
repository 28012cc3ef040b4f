"""Blind reading: the rows of an audit, one by one and as text alone; below, what was found wrong."""

from __future__ import annotations

import streamlit as st

from annotations.team.audits import Audits, Finding, Task
from annotations.ui import markup
from annotations.ui.session import Desk, attempt, go_to, plain, show_view, tell
from annotations.words import REASONS, explain_reason

_WHY = "audit_why"  # in session state: the row that the reader has just called wrong
_SHOWN = 20


def show(desk: Desk) -> None:
    """Show the reader's next row, and the rows that wait for a person to correct or clear them."""
    audits = Audits(desk.store)
    task = audits.task(desk.who)
    if task is None:
        st.info(desk.say("audit_none"), icon=":material/done_all:")
        st.button(desk.say("undo"), shortcut="u", on_click=_withdraw, args=(desk, audits), key="audit_undo")
    else:
        _read(desk, audits, task)
    found = audits.findings() if desk.role == "adjudicator" else []
    if found:
        st.subheader(desk.say("audit_found", n=len(found)), anchor=False)
        st.caption(desk.say("audit_found_hint"))
    for finding in found[:_SHOWN]:
        _finding(desk, audits, finding)


def _read(desk: Desk, audits: Audits, task: Task) -> None:
    st.caption(desk.say("audit_left", n=task.left))
    st.html(markup.turns(task.item.messages, desk.names, desk.cut))
    key = task.item.id
    with st.bottom, st.container(horizontal=True, horizontal_alignment="center", gap="xsmall"):
        if st.session_state.get(_WHY) == key:
            st.text(desk.say("audit_why"))
            for number, reason in enumerate(REASONS, 1):
                st.button(
                    desk.say(f"reason_{reason}"),
                    shortcut=str(number),
                    on_click=_answer,
                    args=(desk, audits, task, False, reason),
                    key=f"audit {reason} {key}",
                )
            st.button(desk.say("cancel"), shortcut="Esc", type="tertiary", on_click=_why, args=("",), key="audit_no")
            return
        st.button(
            desk.say("audit_right"),
            type="primary",
            shortcut="a",
            on_click=_answer,
            args=(desk, audits, task, True, ""),
            key=f"audit right {key}",
        )
        st.button(desk.say("audit_wrong"), shortcut="x", on_click=_why, args=(key,), key="audit wrong")
        st.button(desk.say("undo"), shortcut="u", on_click=_withdraw, args=(desk, audits), key="audit_undo")


def _why(row: str) -> None:
    st.session_state[_WHY] = row


@attempt
def _answer(desk: Desk, audits: Audits, task: Task, right: bool, reason: str) -> None:
    _why("")
    audits.answer(task.audit, task.item.id, desk.who, "right" if right else "wrong", reason)


@attempt
def _withdraw(desk: Desk, audits: Audits) -> None:
    gone = audits.withdraw(desk.who)
    tell(desk.say("nothing_to_undo" if gone is None else "audit_withdrawn"))


def _finding(desk: Desk, audits: Audits, finding: Finding) -> None:
    item = finding.item
    with st.container(border=True):
        st.html(markup.turns(item.messages, desk.names, desk.cut))
        for answer in finding.answers:
            said = desk.say(f"audit_{answer.verdict}")
            why = explain_reason(answer.reason, desk.language)
            verdict = "approve" if answer.verdict == "right" else "reject"
            st.html(markup.event(verdict, f"{answer.annotator} · {said}", why, False))
        with st.container(horizontal=True):
            st.button(desk.say("reject"), on_click=_reject, args=(desk, audits, finding), key=f"audit reject {item.id}")
            st.button(desk.say("audit_rewrite"), on_click=_open, args=(item.id,), key=f"audit open {item.id}")
            if finding.disputed:
                for verdict in ("right", "wrong"):
                    st.button(
                        desk.say(f"audit_settle_{verdict}"),
                        on_click=_settle,
                        args=(desk, audits, finding, verdict),
                        key=f"audit settle {verdict} {item.id}",
                    )


@attempt
def _reject(desk: Desk, audits: Audits, finding: Finding) -> None:
    reasons = [answer.reason for answer in finding.answers if answer.verdict == "wrong" and answer.reason]
    audits.confirm(finding, desk.who, reasons[0] if reasons else "other")
    tell(plain(desk.say("did_reject")))


@attempt
def _settle(desk: Desk, audits: Audits, finding: Finding, verdict: str) -> None:
    audits.settle(finding, desk.who, "right" if verdict == "right" else "wrong")


def _open(sample_id: str) -> None:
    go_to(sample_id)
    show_view("review")
