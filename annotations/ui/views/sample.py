"""Beside a sample: its flags, its near-duplicates, its notes and its source."""

from __future__ import annotations

import streamlit as st
from rapidfuzz import fuzz

from annotations.store.types import Item
from annotations.ui import markup
from annotations.ui.actions import settle_cluster
from annotations.ui.session import Desk, go_to
from curation.codes import explain_flag, findings

# No more neighbours than this are shown: a screen full of diffs does not help.
_NEIGHBOURS = 6


def beside(desk: Desk, item: Item) -> None:
    """Show what helps to judge the sample."""
    _flags(desk, item)
    if item.queued.cluster:
        _neighbours(desk, item)
    if item.state.notes:
        st.subheader(desk.say("notes"), anchor=False)
        for note in item.state.notes:
            st.text(note)
    _provenance(desk, item)


def _flags(desk: Desk, item: Item) -> None:
    st.subheader(desk.say("flags"), anchor=False)
    found = findings(item.sample.flags)
    for flag in found:
        st.html(markup.flag(explain_flag(flag.code, desk.language), flag.detail))
    if not found:
        st.caption(desk.say("no_flags"))


def _neighbours(desk: Desk, item: Item) -> None:
    members = desk.store.queue.cluster(str(item.queued.cluster))
    others = [m for m in members if m.id != item.id]
    st.subheader(desk.say("near", n=len(others)), anchor=False)
    for other in others[:_NEIGHBOURS]:
        score = fuzz.ratio(_text(item), _text(other))
        with st.container(border=True):
            st.html(
                markup.facts(
                    [(f"{score:.0f} %", desk.say(f"status_{other.status}")), ("", other.sample.source.locator)]
                )
            )
            st.html(
                markup.diff(item.messages, other.messages, desk.names, desk.say("diff_too_long"))
                or markup.turns(other.messages, desk.names, desk.cut)
            )
            st.button(desk.say("open_this"), type="tertiary", on_click=go_to, args=(other.id,), key=f"open {other.id}")
    if not others or item.holders:
        return
    with st.container(horizontal=True):
        st.button(
            desk.say("cluster_keep"),
            shortcut="k",
            on_click=settle_cluster,
            args=(desk, members, "reject", item),
            key="cluster_keep",
        )
        st.button(
            desk.say("cluster_approve"), on_click=settle_cluster, args=(desk, members, "approve"), key="cluster_approve"
        )
        st.button(
            desk.say("cluster_reject"), on_click=settle_cluster, args=(desk, members, "reject"), key="cluster_reject"
        )


def _text(item: Item) -> str:
    return "\n".join(m.content for m in item.messages)


def _provenance(desk: Desk, item: Item) -> None:
    sample, source = item.sample, item.sample.source
    st.subheader(desk.say("source_of"), anchor=False)
    pairs = [("", f"{source.path} · {source.locator}"), ("", f"{source.importer} · {source.rights}")]
    pairs += [("", desk.say("also_in", path=s.path, locator=s.locator)) for s in item.queued.merged]
    pairs += [(desk.say("topic"), sample.topic)] if sample.topic else []
    pairs += [(desk.say("sample"), sample.id)]
    st.html(markup.facts(pairs))
