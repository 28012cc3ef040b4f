"""The project on the server: found or created by its title, its labeling interface kept up to date."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from annotations.labelstudio import interface
from annotations.labelstudio.connection import ONCE, LabelStudioError, Server, connect, explained
from annotations.labelstudio.tasks import Key, key_of
from curation.persona import Persona

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio

# Larger pages cost the server more time a task. Its synchronous export costs more too, and Enterprise does not have it.
PAGE = 500

# The fields that a listing asks for. `include` drops all others, inside annotations as well.
_KEYS = "id,data"
_ANNOTATIONS = "id,data,annotations,result,completed_by,updated_at,was_cancelled"


@dataclass(frozen=True, slots=True)
class Project:
    """A project that a push created. ``uid`` names it, whatever the server's address is."""

    server: Server
    client: LabelStudio
    id: int
    title: str
    uid: str
    interface: str

    @property
    def url(self) -> str:
        """The URL of its page."""
        return f"{self.server.url}projects/{self.id}/data"

    def tasks(
        self, *, annotations: bool = False, filters: Sequence[dict[str, Any]] = ()
    ) -> Iterator[tuple[list[dict[str, Any]], int]]:
        """Yield pages of tasks as plain objects, with how many tasks there are in all."""
        import json

        query = {"filters": {"conjunction": "and", "items": list(filters)}, "ordering": ["tasks:id"]}
        page, seen = 1, 0
        while True:
            with explained(self.server):
                answer = self.client.tasks.with_raw_response.list(
                    project=self.id,
                    page=page,
                    page_size=PAGE,
                    fields="all" if annotations else "task_only",
                    include=_ANNOTATIONS if annotations else _KEYS,
                    query=json.dumps(query),
                )
            tasks = [task.model_dump() for task in answer.items or []]
            total = answer.response.total
            seen += len(tasks)
            yield tasks, total
            if seen >= total or not tasks:
                return
            page += 1

    def count(self) -> int:
        """Return how many tasks there are, in one short request."""
        with explained(self.server):
            answer = self.client.tasks.with_raw_response.list(
                project=self.id, page=1, page_size=1, fields="task_only", include="id"
            )
        total: int = answer.response.total
        return total

    def keys(self) -> tuple[dict[Key, list[int]], list[int]]:
        """Return the ids of the tasks of each sample and revision, and of tasks that no push has made."""
        ours: dict[Key, list[int]] = {}
        foreign: list[int] = []
        for page, _ in self.tasks():
            for task in page:
                key = key_of(task["data"])
                if key is None:
                    foreign.append(task["id"])
                else:
                    ours.setdefault(key, []).append(task["id"])
        return ours, foreign


def default_title(persona: Persona) -> str:
    """Return the title of the project where none is given; Label Studio takes at most 50 characters."""
    return f"{persona.name[:40].strip()} · review"


def find(server: Server, title: str) -> Project | None:
    """Return the project of this title, None where there is none.

    Raises LabelStudioError where two have the title, or where its labeling interface was not made by a push.
    """
    client = connect(server)
    with explained(server):
        listed: list[Any] = list(client.projects.list(title=title))
        matches = [p for p in listed if p.title == title]
    if len(matches) > 1:
        raise LabelStudioError(
            f"{server.url} has {len(matches)} projects called {title!r} (ids {', '.join(str(p.id) for p in matches)}). "
            "Expected one: rename the others, or name another with --project."
        )
    if not matches:
        return None
    with explained(server):
        found: Any = client.projects.get(matches[0].id)
    xml = found.label_config or ""
    if not interface.is_ours(xml) and not interface.is_empty(xml):
        raise LabelStudioError(
            f"the project {title!r} at {server.url} has another labeling interface than the review's, so it may be "
            "another team's work. Nothing was changed. Rename it, or name another with --project."
        )
    return _project(server, client, found)


def ensure(server: Server, title: str, persona: Persona, replies: int) -> tuple[Project, bool]:
    """Return the project, created or updated, and whether it is new.

    ``replies`` is how many turns of the character the interface must have text areas for.
    """
    project = find(server, title)
    if project is None:
        client = connect(server)
        with explained(server):
            made: Any = client.projects.create(
                title=title,
                description=f"Review of {persona.name}'s lines, kept by `inosuke label-studio`.",
                label_config=interface.build(persona, max(replies, 1)),
                expert_instruction=interface.instruction(persona),
                show_instruction=True,
                request_options=ONCE,
            )
            found: Any = client.projects.get(made.id)
        return _project(server, client, found), True
    # Never fewer text areas than there are: annotations may refer to them.
    wanted = interface.build(persona, max(replies, interface.replies_in(project.interface), 1))
    if wanted == project.interface:
        return project, False
    with explained(server):
        project.client.projects.update(
            project.id, label_config=wanted, expert_instruction=interface.instruction(persona), show_instruction=True
        )
    return replace(project, interface=wanted), False


def _project(server: Server, client: LabelStudio, found: Any) -> Project:
    return Project(
        server=server,
        client=client,
        id=found.id,
        title=found.title,
        uid=_uid(found),
        interface=found.label_config or "",
    )


def _uid(project: Any) -> str:
    """Return 8 hexadecimal digits from the project's id and the microsecond it was created in, not its address."""
    return hashlib.sha256(f"{project.id} {project.created_at.isoformat()}".encode()).hexdigest()[:8]
