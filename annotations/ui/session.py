"""What every view of the desk is given, and what the page remembers between two runs of the script.

The store is the source of truth. The annotator, the open sample and the filters are in the page's address, so a reload
or a restarted server returns to the same place. Session state holds only what may be lost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, cast

import streamlit as st

from annotations.guidelines import put_in_force, read_guidelines
from annotations.signing import Way
from annotations.store.database import store_url
from annotations.store.log_sync import refresh
from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from annotations.team.books import sync_books
from annotations.team.gold import GoldStore
from annotations.ui.markup import Names
from annotations.words import say
from curation.codes import Language
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
    way: Way = "name"
    filters: Filters = field(default_factory=Filters)

    def say(self, key: str, **values: object) -> str:
        """Return the words of a key, in the annotator's language."""
        return say(key, self.language, **values)

    def signed_in(self, who: str, role: str, way: Way) -> Desk:
        """Return the desk with its annotator, who signed in this way."""
        return replace(self, who=who, role=role, way=way)

    def cut(self, hidden: int) -> str:
        """Return the note that ``hidden`` characters of a turn are not shown."""
        return self.say("cut", n=hidden)

    @property
    def names(self) -> Names:
        """The names of the roles."""
        return Names(self.say("role_user"), self.persona.name, self.say("role_system"))


def persona_file() -> Path:
    """Return the path of persona.toml. REVIEW_PERSONA names another one, as REVIEW_DB names another store."""
    return Path(os.environ.get("REVIEW_PERSONA") or "persona.toml")


@st.cache_resource(show_spinner=False)
def _store(url: str) -> GoldStore:
    return GoldStore(url)


@st.cache_resource(show_spinner=False)
def _persona(path: Path, changed: float) -> Persona:
    return load_persona(path)


def open_desk(language: Language) -> Desk:
    """Return the desk without an annotator. Raises InosukeError where persona.toml or the store cannot be used."""
    path = persona_file()
    persona = _persona(path, path.stat().st_mtime if path.is_file() else 0.0)
    store = _store(store_url(persona.root))
    put_in_force(store, read_guidelines(persona).version)
    store.mixing.share = persona.review.gold_share
    return Desk(store, persona, Folders(persona.root), language)


def bring_queue(desk: Desk, again: bool = False) -> None:
    """Bring the log, the queue and ``[review]`` into the store, once a session. Raises InosukeError without a queue."""
    if again or not st.session_state.get("queue_is_here"):
        refresh(desk.store, desk.folders, desk.persona.review)
        sync_books(desk.store, desk.folders)
        st.session_state["queue_is_here"] = True


# ---------------------------------------------------------------- the page's address


def current_sample() -> str | None:
    """Return the id of the open sample, from the page's address."""
    return st.query_params.get("sample")


def go_to(sample_id: str | None) -> None:
    """Open a sample, or none, at the next run of the script."""
    set_mode("look")
    st.session_state["asked"] = asked() + 1
    if sample_id is None:
        st.query_params.pop("sample", None)
    else:
        st.query_params["sample"] = sample_id


def asked() -> int:
    """Return a number that grows whenever a view asks for a sample: the stage opens the one in the address then."""
    return cast(int, st.session_state.get("asked", 0))


def from_address(name: str, options: Collection[Any], default: Any = None) -> None:
    """Set a new widget, by its key, to the value in the page's address.

    Streamlit's own binding writes the label into the address, and the label depends on the language.
    """
    if name not in st.session_state:
        wanted = st.query_params.get(name)
        st.session_state[name] = wanted if wanted in options else default


def to_address(name: str, default: Any = None) -> None:
    """Write a widget's new value to the page's address: for its ``on_change``."""
    value = st.session_state[name]
    if value in (None, "", default):
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def show_view(name: str) -> None:
    """Show another view at the next run of the script."""
    st.session_state["view"] = st.query_params["view"] = name


def mode() -> str:
    """Return how the review view is to open: ``look``, or ``edit`` for a draft that another view leads to."""
    return cast(str, st.session_state.get("mode", "look"))


def set_mode(name: str) -> None:
    """Set how the review view is to open."""
    st.session_state["mode"] = name


# ---------------------------------------------------------------- messages


def tell(text: str, problem: bool = False) -> None:
    """Show a message at the next run of the script."""
    st.session_state.setdefault("messages", []).append((text, problem))


def show_messages() -> None:
    """Show the messages of :func:`tell`."""
    for text, problem in st.session_state.pop("messages", []):
        if problem:
            st.error(plain(text), icon=":material/error:")
        else:
            st.toast(plain(text), icon=":material/check:")


def plain(text: str) -> str:
    """Return text with every punctuation mark escaped, so that Streamlit's Markdown shows it as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def attempt(action: Callable[P, Any]) -> Callable[P, None]:
    """Wrap a button's action so that an InosukeError becomes a message on the page."""

    @wraps(action)
    def attempted(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            action(*args, **kwargs)
        except InosukeError as error:
            tell(str(error), problem=True)

    return attempted
