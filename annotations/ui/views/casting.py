"""Casting: who the voices without a name are. One click names a voice in every episode of its folder."""

from __future__ import annotations

import json

import streamlit as st

from annotations.team.casting import Named, name_voice, undo_naming, voices
from annotations.ui.session import Desk, attempt, persona_file, plain, tell
from curation.transcripts.casting import Voice

_SHOWN = 20  # voices on the page
_CANDIDATES = 5
_LAST = "cast_last"  # in session state: the last naming, which can be undone


@st.cache_data(show_spinner=True, max_entries=2)
def _voices(_desk: Desk, root: str, changed: float, stamp: str | None, last: int) -> list[Voice]:
    return voices(_desk.store, _desk.persona)


def show(desk: Desk) -> None:
    """Show each voice with its most telling lines, its episodes and the characters who talk like it."""
    st.caption(desk.say("cast_rule"))
    path = persona_file()
    changed = path.stat().st_mtime if path.is_file() else 0.0
    found = _voices(desk, str(desk.persona.root), changed, desk.store.queue.stamp(), desk.store.log.last_seq())
    if (last := st.session_state.get(_LAST)) is not None:
        st.button(desk.say("undo"), shortcut="u", on_click=_undo, args=(desk, last), key="cast_undo")
        st.caption(desk.say("cast_map"))
        label, name = (json.dumps(text, ensure_ascii=False) for text in (last.label, last.name))
        st.code(f"speakers = {{ {label} = {name} }}", language="toml")
    if not found:
        st.info(desk.say("cast_none"))
    for voice in found[:_SHOWN]:
        with st.container(border=True):
            _voice(desk, voice)


def _voice(desk: Desk, voice: Voice) -> None:
    st.subheader(plain(f"{voice.label} · {voice.folder}"), anchor=False)
    where = ", ".join(f"{path.rpartition('/')[2]} {n}" for path, n in list(voice.episodes.items())[:_CANDIDATES])
    st.caption(plain(desk.say("cast_lines", n=voice.lines, episodes=len(voice.episodes), where=where)))
    for text in voice.telling:
        st.text(f"“{text}”")
    key = f"{voice.folder} {voice.label}"
    if not voice.ranking:
        st.caption(desk.say("cast_nobody"))
    with st.container(horizontal=True):
        for candidate in voice.ranking[:_CANDIDATES]:
            st.button(
                plain(f"{candidate.name} {_percent(candidate.probability)}"),
                on_click=_name,
                args=(desk, voice, candidate.name),
                key=f"cast {key} {candidate.name}",
            )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(desk.say("cast_other"), key=f"cast_other {key}")
        st.button(desk.say("cast_name"), on_click=_name_typed, args=(desk, voice), key=f"cast {key}")


def _percent(probability: float) -> str:
    return f"{probability:.0%}" if probability >= 0.01 else "<1%"


def _name_typed(desk: Desk, voice: Voice) -> None:
    _name(desk, voice, st.session_state.get(f"cast_other {voice.folder} {voice.label}", ""))


@attempt
def _name(desk: Desk, voice: Voice, name: str) -> None:
    named = name_voice(desk.store, desk.persona, desk.who, voice, name)
    st.session_state[_LAST] = named
    number = len(named.batch.decisions) if named.batch else 0
    done = {"label": voice.label, "name": named.name, "n": number, "drafts": len(named.drafts)}
    tell(desk.say("cast_done", refused=named.refused, **done))


@attempt
def _undo(desk: Desk, last: Named) -> None:
    st.session_state.pop(_LAST, None)
    undone, dropped = undo_naming(desk.store, desk.who, last)
    tell(desk.say("cast_undone", n=undone, drafts=dropped))
