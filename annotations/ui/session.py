"""What every page of the desk is given, and what it remembers between two runs of the script.

The truth is in the store. Who one is, which sample is open and the filters are in the page's address, so that a reload
or a restarted server comes back to the same place; session state holds only what may be lost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, cast

import streamlit as st

from annotations.store.database import store_url
from annotations.store.log_sync import refresh
from annotations.store.overlap import overlap_of
from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from annotations.ui.markup import Names
from annotations.words import Language, say
from curation.errors import InosukeError
from curation.folders import Folders
from curation.persona import Persona, load_persona

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Desk:
    """One annotator at the desk."""

    store: ReviewStore
    persona: Persona
    folders: Folders
    language: Language
    who: str = ""
    role: str = "annotator"
    filters: Filters = field(default_factory=Filters)

    def say(self, key: str, **values: object) -> str:
        """Return a text of the interface."""
        return say(key, self.language, **values)

    def cut(self, hidden: int) -> str:
        """Say that so many characters of a turn are not shown."""
        return self.say("cut", n=hidden)

    @property
    def names(self) -> Names:
        """What the roles are called."""
        return Names(self.say("role_user"), self.persona.name, self.say("role_system"))


def persona_file() -> Path:
    """Return the project's persona.toml; REVIEW_PERSONA names another one, as REVIEW_DB names another store."""
    return Path(os.environ.get("REVIEW_PERSONA") or "persona.toml")


@st.cache_resource(show_spinner=False)
def _store(url: str) -> ReviewStore:
    return ReviewStore(url)


@st.cache_resource(show_spinner=False)
def _persona(path: Path, changed: float) -> Persona:
    return load_persona(path)


def open_desk(language: Language) -> Desk:
    """Return the desk with nobody at it. Raises InosukeError where persona.toml or the store cannot be used."""
    path = persona_file()
    persona = _persona(path, path.stat().st_mtime if path.is_file() else 0.0)
    return Desk(_store(store_url(persona.root)), persona, Folders(persona.root), language)


def bring_queue(desk: Desk, again: bool = False) -> None:
    """Bring the log and the queue into the store, once a session. Raises InosukeError when there is no queue."""
    if again or not st.session_state.get("queue_is_here"):
        refresh(desk.store, desk.folders, overlap_of(desk.persona))
        st.session_state["queue_is_here"] = True


# ---------------------------------------------------------------- where one is


def current_sample() -> str | None:
    """Return the sample that is open, by the page's address."""
    return st.query_params.get("sample")


def go_to(sample_id: str | None) -> None:
    """Open a sample at the next run of the script, or none."""
    set_mode("look")
    if sample_id is None:
        st.query_params.pop("sample", None)
    else:
        st.query_params["sample"] = sample_id


def from_address(name: str, options: Collection[Any], default: Any = None) -> None:
    """Give the widget with this key the value that the page's address names, when the widget is new.

    Streamlit's own binding writes the label into the address, which is another one in the other language.
    """
    if name not in st.session_state:
        wanted = st.query_params.get(name)
        st.session_state[name] = wanted if wanted in options else default


def to_address(name: str, default: Any = None) -> None:
    """Note a widget's new value in the page's address: for its ``on_change``."""
    value = st.session_state[name]
    if value in (None, "", default):
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def show_view(name: str) -> None:
    """Lead to another page at the next run of the script."""
    st.session_state["view"] = st.query_params["view"] = name


def mode() -> str:
    """Return what the annotator is doing with the open sample: look, edit, reject, note."""
    return cast(str, st.session_state.get("mode", "look"))


def set_mode(name: str) -> None:
    """Begin something else with the open sample."""
    st.session_state["mode"] = name


# ---------------------------------------------------------------- saying things


def tell(text: str, problem: bool = False) -> None:
    """Show a sentence at the next run of the script."""
    st.session_state.setdefault("told", []).append((text, problem))


def show_told() -> None:
    """Show what :func:`tell` was given."""
    for text, problem in st.session_state.pop("told", []):
        if problem:
            st.error(plain(text), icon=":material/error:")
        else:
            st.toast(plain(text), icon=":material/check:")


def plain(text: str) -> str:
    """Return text so that Streamlit's Markdown shows it as it is: every punctuation mark escaped."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def attempt(action: Callable[P, Any]) -> Callable[P, None]:
    """Make an action say what went wrong instead of ending the page: for what a button calls."""

    @wraps(action)
    def attempted(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            action(*args, **kwargs)
        except InosukeError as error:
            tell(str(error), problem=True)

    return attempted
