"""The project on the server: found or created by its title, its interface and instructions kept up to date."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from annotations.labelstudio import interface
from annotations.labelstudio.connection import ONCE, LabelStudioError, Server, connect, explained
from annotations.labelstudio.page_texts import page_language, same_html
from annotations.labelstudio.tasks import CLOSED, Key, key_of
from annotations.words import say
from curation.codes import Language
from curation.persona import Persona

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio

# Larger pages cost the server more time a task. Its synchronous export costs more too, and Enterprise does not have it.
PAGE = 500

# The fields that a listing asks for. `include` drops all others, inside annotations as well.
_KEYS = "id,data,overlap,is_labeled,total_annotations"
# `last_action`, `reviews` and `comment_count` are of the paid editions; the others leave out what they do not know.
_ANNOTATIONS = (
    "id,data,annotations,result,completed_by,updated_at,was_cancelled,ground_truth,lead_time,last_action,reviews,"
    "comment_count"
)


@dataclass(frozen=True, slots=True)
class TaskThere:
    """A task as the server has it.

    ``overlap`` annotators are asked for it; it is ``labeled`` when no more are. ``closed`` and ``again`` are marks that
    a push has made: the sample was decided elsewhere; it was sent for another opinion.
    """

    id: int
    overlap: int = 1
    labeled: bool = False
    annotations: int = 0
    closed: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """A project that a push created. ``uid`` names it, whatever the server's address and the title are.

    ``overlap`` is how many annotators its new tasks are offered to.
    """

    server: Server
    client: LabelStudio
    id: int
    title: str
    uid: str
    interface: str
    instruction: str = ""
    overlap: int = 1

    @property
    def url(self) -> str:
        """The URL of its page."""
        return f"{self.server.url}projects/{self.id}/data"

    def tasks(
        self,
        *,
        annotations: bool = False,
        filters: Sequence[dict[str, Any]] = (),
        ids: Sequence[int] | None = None,
    ) -> Iterator[tuple[list[dict[str, Any]], int]]:
        """Yield pages of tasks (with ``ids``, of those) as plain objects, with how many tasks there are in all."""
        import json

        query: dict[str, Any] = {
            "filters": {"conjunction": "and", "items": list(filters)},
            "ordering": ["tasks:id"],
        }
        if ids is not None:
            query["selectedItems"] = {"all": False, "included": list(ids)}
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

    def keys(self) -> tuple[dict[Key, list[TaskThere]], list[int]]:
        """Return the tasks of each sample and revision, and the ids of tasks that no push has made."""
        ours: dict[Key, list[TaskThere]] = {}
        foreign: list[int] = []
        for page, _ in self.tasks():
            for task in page:
                key = key_of(task["data"])
                if key is None:
                    foreign.append(task["id"])
                else:
                    ours.setdefault(key, []).append(_task_there(task))
        return ours, foreign


def _task_there(task: Mapping[str, Any]) -> TaskThere:
    return TaskThere(
        id=task["id"],
        overlap=task.get("overlap") or 1,
        labeled=bool(task.get("is_labeled")),
        annotations=task.get("total_annotations") or 0,
        closed=CLOSED in task["data"],
        again=bool(task["data"].get("again")),
    )


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


def existing(server: Server, title: str) -> Project:
    """Return the project. Raises LabelStudioError where nothing has been pushed yet."""
    project = find(server, title)
    if project is None:
        raise LabelStudioError(
            f"{server.url} has no project called {title!r} (or the token's owner may not see it). "
            "Run `inosuke label-studio push` first, or name another with --project."
        )
    return project


def projects_of(server: Server, uids: Iterable[str]) -> list[Project]:
    """Return the projects with these uids that are on the server, by title, whatever they are called by now."""
    wanted = set(uids)
    if not wanted:
        return []
    client = connect(server)
    with explained(server):
        listed: list[Any] = list(client.projects.list())
        found: list[Any] = [client.projects.get(listing.id) for listing in listed if _uid(listing) in wanted]
    return sorted((_project(server, client, one) for one in found), key=lambda project: project.title)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a push wants its project. ``language`` None keeps the page's own, for a new one the persona's.

    ``instruction`` makes the instructions, as HTML, in a language. ``overlap`` annotators judge each new task.
    """

    title: str
    layout: interface.Layout
    instruction: Callable[[Language], str]
    language: Language | None = None
    overlap: int = 1


def ensure(server: Server, persona: Persona, wishes: Wishes, former: Project | None = None) -> tuple[Project, bool]:
    """Return the project, created or updated, and whether it is new.

    ``former`` is the one to rename where none has the title: the persona has another name now. An update changes only
    what differs, and keeps everything that annotations refer to: text areas and reasons only ever become more.
    """
    project = find(server, wishes.title) or former
    if project is None:
        language = wishes.language or page_language(persona)
        client = connect(server)
        with explained(server):
            made: Any = client.projects.create(
                title=wishes.title,
                description=say("ls_description", language, name=persona.name),
                label_config=interface.build(persona, replace(wishes.layout, language=language)),
                expert_instruction=wishes.instruction(language),
                show_instruction=True,
                maximum_annotations=wishes.overlap,
                request_options=ONCE,
            )
            found: Any = client.projects.get(made.id)
        return _project(server, client, found), True
    there = interface.layout_of(project.interface)
    language = wishes.language or there.language or page_language(persona)
    layout = interface.Layout(
        replies=max(wishes.layout.replies, there.replies),
        lines=max(wishes.layout.lines, there.lines),
        language=language,
        reasons=there.reasons,
    )
    changes: dict[str, Any] = {}
    page, told = interface.build(persona, layout), wishes.instruction(language)
    if page != project.interface:
        changes["label_config"] = page
    if not same_html(project.instruction, told):
        changes |= {"expert_instruction": told, "show_instruction": True}
    if wishes.title != project.title:
        changes |= {"title": wishes.title, "description": say("ls_description", language, name=persona.name)}
    if wishes.overlap != project.overlap:
        changes["maximum_annotations"] = wishes.overlap
    if not changes:
        return project, False
    with explained(server):
        project.client.projects.update(project.id, **changes)
    return replace(project, interface=page, instruction=told, title=wishes.title, overlap=wishes.overlap), False


def _project(server: Server, client: LabelStudio, found: Any) -> Project:
    return Project(
        server=server,
        client=client,
        id=found.id,
        title=found.title,
        uid=_uid(found),
        interface=found.label_config or "",
        instruction=found.expert_instruction or "",
        overlap=found.maximum_annotations or 1,
    )


def _uid(project: Any) -> str:
    """Return 8 hexadecimal digits from the project's id and the microsecond it was created in, not its address."""
    return hashlib.sha256(f"{project.id} {project.created_at.isoformat()}".encode()).hexdigest()[:8]
