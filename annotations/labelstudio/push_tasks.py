"""The queue goes to Label Studio: each open sample that is not there yet, at its newest revision, as a task.

A push also brings the project itself up to date, and closes the tasks of samples that were decided elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from annotations.guidelines import read_guidelines
from annotations.labelstudio import close_tasks, known_projects
from annotations.labelstudio.close_tasks import Closed
from annotations.labelstudio.connection import ONCE, LabelStudioError, Server, explained
from annotations.labelstudio.interface import layout_of, room_for
from annotations.labelstudio.open_samples import Here, OpenSample, Selection, open_samples, read_here
from annotations.labelstudio.page_texts import instruction, page_language
from annotations.labelstudio.project import Project, TaskThere, Wishes, default_title, ensure, existing
from annotations.labelstudio.tasks import Key, to_task
from annotations.store.projection import status_of
from annotations.store.review_store import ReviewStore
from curation.codes import Language
from curation.console import bar
from curation.errors import InosukeError
from curation.folders import Folders
from curation.persona import Persona
from curation.review.decisions import State
from curation.review.queue import QueueItem

# A batch is one transaction on the server: all of it is there or nothing. 500 tasks stay far from a proxy's timeout.
BATCH = 500


@dataclass(slots=True)
class Pushed:
    """What a push did.

    ``doubled`` tasks were there twice, without an annotation; the second is deleted. ``closed``, ``marked`` and
    ``reopened`` are of samples that were decided elsewhere: see :class:`close_tasks.Closed`. ``elsewhere`` says how
    many of the selected samples another project has, by its title.
    """

    project: str
    created: bool = False
    new: int = 0
    already_there: int = 0
    closed: int = 0
    marked: int = 0
    reopened: int = 0
    doubled: int = 0
    foreign: int = 0
    elsewhere: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain objects."""
        return asdict(self)


def push(
    server: Server,
    title: str | None,
    persona: Persona,
    store: ReviewStore,
    *,
    selection: Selection | None = None,
    language: Language | None = None,
    everything: bool = False,
    twice: bool = False,
    quiet: bool = False,
) -> Pushed:
    """Send each open sample that is not on the server yet. Raises LabelStudioError; what was sent stays sent.

    Without a ``title`` the project has the default one, and is renamed when the persona has another name.
    ``everything`` sends decided samples too, for another opinion; ``twice`` those that another project has.
    """
    folders = Folders(persona.root)
    with _only_push(folders):
        here = read_here(store, folders, persona)
        wanted = open_samples(here.items, here.states, everything)
        chosen = [o for o in wanted if selection is None or selection.takes(o.item)]
        wishes = Wishes(
            title=title or default_title(persona),
            layout=room_for(o.messages for o in chosen),
            instruction=_instruction(persona),
            language=language,
            # A panel for a share of the samples is set task by task.
            overlap=persona.review.annotators if persona.review.overlap >= 1 else 1,
        )
        former = known_projects.former_default(server, store) if title is None else None
        project, created = ensure(server, persona, wishes, former)
        known_projects.remember(store, project, default=title is None)
        result = Pushed(project.url, created)
        there, foreign = ({}, []) if created else project.keys()
        result.foreign = len(foreign)
        missing = [o for o in chosen if o.key not in there]
        result.already_there = len(chosen) - len(missing)
        missing = _left_out(server, store, here, project, missing, result, twice)
        if selection is not None and selection.limit is not None:
            missing = missing[: max(0, selection.limit - result.already_there)]
        spoken = _language(project, persona)
        decided = {o.key for o in wanted if status_of(here.states.get(o.key.sample_id, State())) != "pending"}
        clusters = _clusters(here.items)
        with bar(len(missing), "push", "task", quiet=quiet) as progress:
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                _send(project, [_task(o, persona, clusters, here, spoken, o.key in decided) for o in batch])
                result.new += len(batch)
                progress.update(len(batch))
        before = sum(map(len, there.values())) + len(foreign)
        arrived = {o.key for o in missing}
        if missing and (_panels_differ(missing, here, project) or project.count() != before + len(missing)):
            # Tasks need an overlap of their own, or were lost, or the server was still busy with a batch of an
            # interrupted push. Only then is everything listed again, which takes as long as sending it.
            there, _ = project.keys()
            arrived &= there.keys()
        removed = _remove_doubles(project, there)
        result.doubled = len(removed)
        there = {key: [t for t in tasks if t.id not in removed] for key, tasks in there.items()}
        done = _closed(project, there, {o.key for o in wanted}, here, spoken)
        result.closed, result.marked, result.reopened = done.deleted, done.marked, done.reopened
        lost = [o.key for o in missing if o.key not in arrived]
        if lost:
            raise LabelStudioError(
                f"{len(lost):,} tasks that {project.url} took are not there (the first: {lost[0].sample_id}). Another "
                "user may be deleting tasks. Run the command again; it sends what is missing."
            )
        return result


def close_decided(server: Server, title: str, persona: Persona, store: ReviewStore) -> Closed:
    """Close a project's tasks of samples that were decided elsewhere, and reopen those that need a verdict again.

    Sends nothing new. Raises LabelStudioError; what was done stays done.
    """
    folders = Folders(persona.root)
    with _only_push(folders):
        here = read_here(store, folders, persona)
        project = existing(server, title)
        there, _ = project.keys()
        wanted = {o.key for o in open_samples(here.items, here.states)}
        return _closed(project, there, wanted, here, _language(project, persona))


def _left_out(
    server: Server,
    store: ReviewStore,
    here: Here,
    project: Project,
    missing: list[OpenSample],
    result: Pushed,
    twice: bool,
) -> list[OpenSample]:
    """Count the samples that other projects have, and return the rest (with ``twice``, all)."""
    others: dict[str, str] = {}
    logged = (event for log in here.events.values() for event in log)
    for other in known_projects.on_server(server, store, logged):
        if other.uid != project.uid:
            others |= dict.fromkeys((key.sample_id for key in other.keys()[0]), other.title)
    for sample in missing:
        if (name := others.get(sample.key.sample_id)) is not None:
            result.elsewhere[name] = result.elsewhere.get(name, 0) + 1
    return missing if twice else [o for o in missing if o.key.sample_id not in others]


def _closed(
    project: Project, there: Mapping[Key, Sequence[TaskThere]], wanted: set[Key], here: Here, language: Language
) -> Closed:
    queued = (item.sample.id for item in here.items)
    found = close_tasks.plan(there, wanted, queued, here.states, here.events, here.review, project.uid)
    return close_tasks.carry_out(project, found, language)


def _panels_differ(missing: list[OpenSample], here: Here, project: Project) -> bool:
    return any(here.panel(o.key.sample_id) != project.overlap for o in missing)


def _instruction(persona: Persona) -> Callable[[Language], str]:
    guidelines = read_guidelines(persona)
    return lambda language: instruction(persona, language, guidelines)


def _language(project: Project, persona: Persona) -> Language:
    return layout_of(project.interface).language or page_language(persona)


def _clusters(items: Sequence[QueueItem]) -> dict[str, list[QueueItem]]:
    clusters: dict[str, list[QueueItem]] = defaultdict(list)
    for item in items:
        if item.cluster:
            clusters[item.cluster].append(item)
    return clusters


def _task(
    sample: OpenSample,
    persona: Persona,
    clusters: Mapping[str, list[QueueItem]],
    here: Here,
    language: Language,
    again: bool,
) -> dict[str, Any]:
    name = sample.key.sample_id
    mates = [i for i in clusters.get(sample.item.cluster or "", ()) if i.sample.id != name]
    return to_task(
        sample.item,
        sample.revision,
        sample.messages,
        persona,
        language=language,
        neighbours=mates,
        panel=here.panel(name),
        # Another opinion is one that does not know the first: if they differ, an adjudicator looks.
        after="" if again else here.after(name),
        again=again,
    )


def _send(project: Project, tasks: list[dict[str, Any]]) -> None:
    """Check the predictions, because the server only logs what is wrong with them, then import one batch."""
    from label_studio_sdk.label_interface.interface import LabelInterface

    page: Any = LabelInterface(project.interface)
    for task in tasks:
        errors = page.validate_prediction(task["predictions"][0], return_errors=True)
        if errors:
            raise LabelStudioError(
                f"the prediction for sample {task['data']['sample_id']} does not fit the labeling interface: "
                f"{'; '.join(errors)}. Nothing of this batch was sent. Please report this sample."
            )
    with explained(project.server):
        project.client.projects.import_tasks(
            project.id,
            request=tasks,  # type: ignore[arg-type]
            request_options=ONCE,
        )


def _remove_doubles(project: Project, there: Mapping[Key, list[TaskThere]]) -> set[int]:
    """Delete a sample's second task of a revision unless it is annotated. Return the ids of those deleted."""
    removed: set[int] = set()
    for tasks in there.values():
        for task in sorted(t.id for t in tasks)[1:]:
            with explained(project.server):
                found = project.client.tasks.get(str(task))
                if found.total_annotations or found.drafts:
                    continue
                project.client.tasks.delete(str(task))
            removed.add(task)
    return removed


@contextmanager
def _only_push(folders: Folders) -> Iterator[None]:
    """Hold the project's push lock: two pushes at once would both see the same samples missing."""
    from filelock import FileLock, Timeout

    folders.queue.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folders.queue.parent / "label-studio.lock", timeout=0):
            yield
    except Timeout:
        raise InosukeError("another push is running in this project. Wait for it to end, then try again.") from None
