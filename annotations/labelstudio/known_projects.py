"""Which projects this store has pushed to, so that several of them can lie side by side.

Comes in: the review store, its events, titles that a user gave. Goes out: the projects that are on the server. A push
remembers its project in the store; a clone that has no such memory knows a project by the events that came from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from annotations.labelstudio.connection import Server
from annotations.labelstudio.project import Project, default_title, find, projects_of
from annotations.labelstudio.results import origin
from annotations.store.review_store import ReviewStore
from curation.persona import Persona
from curation.review.decisions import Decision

_KEY = "label-studio projects"  # {uid: was it the project of the default title?}


def remember(store: ReviewStore, project: Project, default: bool) -> None:
    """Remember a project that was pushed to; ``default`` says that no title was given for it."""
    known = _known(store)
    if known.get(project.uid) != default:
        store.meta.set(_KEY, json.dumps(known | {project.uid: default}))


def on_server(server: Server, store: ReviewStore, events: Iterable[Decision]) -> list[Project]:
    """Return the known projects that are on the server, by title."""
    return projects_of(server, {*_known(store), *uids_in(events)})


def former_default(server: Server, store: ReviewStore) -> Project | None:
    """Return the project that had the default title under the persona's earlier name, None where there is none."""
    found = projects_of(server, (uid for uid, default in _known(store).items() if default))
    return found[0] if len(found) == 1 else None


def titles(
    server: Server, store: ReviewStore, persona: Persona, given: Sequence[str], events: Iterable[Decision]
) -> list[str]:
    """Return the titles of the projects to look at: those given, or every known one and the default one."""
    if given:
        return list(dict.fromkeys(given))
    known = [project.title for project in on_server(server, store, events)]
    default = default_title(persona)
    if default not in known and (not known or find(server, default) is not None):
        known.insert(0, default)
    return known


def uids_in(events: Iterable[Decision]) -> set[str]:
    """Return the uids of the projects that events came from."""
    return {where.project for where in (origin(event.id) for event in events) if where is not None}


def _known(store: ReviewStore) -> dict[str, bool]:
    found: dict[str, bool] = json.loads(store.meta.get(_KEY) or "{}")
    return found
