"""Submitted annotations become events of the review store. One that was deleted or changed there is undone here.

Drafts, skipped tasks, tasks without an annotation and annotations that a reviewer rejected do not count; an event that
was made of such an annotation is undone. A task's ground truth comes after its other annotations and overrules them.
Every event's id follows from the annotation and
its content, so a pull that was interrupted at any point can be run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from annotations.labelstudio.annotation_events import AnnotationEvents, Place
from annotations.labelstudio.comments import comments_on
from annotations.labelstudio.connection import LabelStudioError, Server, explained
from annotations.labelstudio.page_texts import guidelines_in
from annotations.labelstudio.project import Project, existing
from annotations.labelstudio.results import Reading, Unreadable, origin, read, rejected
from annotations.store.log_sync import known_events, sync_store
from annotations.store.review_store import ReviewStore
from curation.console import bar
from curation.folders import Folders
from curation.persona import Persona
from curation.review.decisions import Decision, fold

_ANNOTATED = {"filter": "filter:tasks:total_annotations", "operator": "greater", "type": "Number", "value": 0}
# The server dates a task's change before it commits it; a slow commit must not fall between two polls.
_COMMIT_MARGIN = timedelta(seconds=60)


@dataclass(slots=True)
class Pulled:
    """What a pull found and wrote. ``problems`` are messages about annotations that could not be read.

    ``new`` and ``undone`` count verdicts, ``rejected`` the annotations that a reviewer rejected.
    """

    project: str
    title: str = ""
    annotations: int = 0
    new: int = 0
    undone: int = 0
    rejected: int = 0
    conflicts: int = 0
    problems: list[str] = field(default_factory=list)
    newest: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain objects."""
        return asdict(self) | {"newest": None if self.newest is None else self.newest.isoformat()}


def pull(
    server: Server,
    title: str,
    persona: Persona,
    store: ReviewStore,
    names: Mapping[str, str] | None = None,
    *,
    since: datetime | None = None,
    write: bool = True,
    quiet: bool = False,
) -> Pulled:
    """Write what annotators submitted as events. ``names`` maps e-mail addresses to names in the review store.

    ``since`` reads only tasks that changed after that time. A whole pull also notices deleted tasks, and first brings
    the review log into the store, because what another clone has pulled is not new. Without ``write`` it only counts.
    Raises LabelStudioError; what was written stays written.
    """
    project = existing(server, title)
    folders = Folders(persona.root)
    result = Pulled(project.url, project.title)
    people = _people(project, names or {})
    if write and since is None:
        sync_store(store, folders)
    seq = store.log.last_seq()
    events = store.log.events() if write else known_events(store, folders)
    log = AnnotationEvents(events, project.uid, persona.review, guidelines_in(project.instruction))
    present: set[Place] = set()
    tasks: set[int] = set()
    touched: set[str] = set()

    def save(events: list[Decision]) -> None:
        nonlocal seq
        if write:
            store.log.add(events)
            seq = store.log.last_seq()
        log.add(events)
        result.new += sum(e.verdict not in ("undo", "note") for e in events)
        result.undone += sum(e.verdict == "undo" and origin(e.reason) is not None for e in events)
        touched.update(e.sample_id for e in events)

    for page in _pages(project, since, quiet):
        if store.log.last_seq() != seq:  # a verdict was made at the desk in between: ours come after it
            log.add(store.log.events())
            seq = store.log.last_seq()
        new: list[Decision] = []
        for task in page:
            tasks.add(task["id"])
            result.newest = max(filter(None, (result.newest, task["updated_at"])), default=None)
            for annotation in sorted(task["annotations"] or [], key=lambda a: bool(a.get("ground_truth"))):
                result.rejected += rejected(annotation)
                reading = read(task, annotation, project.uid)
                if reading is None:
                    continue
                present.add((task["id"], annotation["id"]))
                result.annotations += 1
                new += _events(reading, people, log, result.problems)
                if isinstance(reading, Reading) and reading.comments:
                    new += _comments(project, (task["id"], annotation["id"]), people, log)
        save(new)
    gone = [place for place in log.last if place not in present and (since is None or place[0] in tasks)]
    for place in gone:
        save(_retracted(project, place, log, result.problems))
    states = fold(e for sample in touched for e in log.by_sample[sample])
    result.conflicts = sum(bool(s.conflicts or s.disputed) for s in states.values())
    return result


def _pages(project: Project, since: datetime | None, quiet: bool) -> Iterator[list[dict[str, Any]]]:
    changed = _ANNOTATED
    if since is not None:
        moment = (since - _COMMIT_MARGIN).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        changed = {"filter": "filter:tasks:updated_at", "operator": "greater", "type": "Datetime", "value": moment}
    with bar(0, "pull", "task", quiet=quiet) as progress:
        for page, total in project.tasks(annotations=True, filters=[changed]):
            progress.total = total
            yield page
            progress.update(len(page))


def _people(project: Project, names: Mapping[str, str]) -> dict[int, str]:
    """Return the annotator's name of each of the server's users: the one in ``names``, or the e-mail address."""
    mapped = {email.casefold(): name for email, name in names.items()}
    with explained(project.server):
        users = project.client.users.list()
    emails = {u.id: (u.email or "").strip().casefold() for u in users if u.id is not None}
    return {number: mapped.get(email, email) for number, email in emails.items() if email}


def _events(
    reading: Reading | Unreadable, people: Mapping[int, str], log: AnnotationEvents, problems: list[str]
) -> list[Decision]:
    if isinstance(reading, Unreadable):
        problems.append(f"annotation {reading.annotation} of task {reading.task} was left out: {reading.why}.")
        return []
    annotator = people.get(reading.user) if reading.user is not None else None
    if annotator is None:
        problems.append(
            f"annotation {reading.origin.annotation} of task {reading.origin.task} was left out: the server does not "
            f"say who user {reading.user} is. Give that user an e-mail address there, then pull again."
        )
        return []
    new = log.record(reading, annotator)
    log.add(new)
    return new


def _comments(project: Project, place: Place, people: Mapping[int, str], log: AnnotationEvents) -> list[Decision]:
    """Return notes for the comments on an annotation that has a verdict here."""
    if place not in log.last:
        return []
    new: list[Decision] = []
    for comment in comments_on(project, place[1]):
        who = people.get(comment.user) if comment.user is not None else None
        notes = log.record_comment(log.last[place][1], comment, who or "label-studio")
        log.add(notes)
        new += notes
    return new


def _retracted(project: Project, place: Place, log: AnnotationEvents, problems: list[str]) -> list[Decision]:
    """Return the events for a verdict whose annotation is missing from the listing.

    The server is asked for it by its id, because pages may have shifted while annotators worked.
    """
    event = log.stands(place)
    if event is None or _is_there(project, place[1]):
        return []
    now = datetime.now(UTC)
    if not _task_is_there(project, place[0]):
        problems.append(
            f"task {place[0]} (sample {event.sample_id}) was deleted in Label Studio; the {event.verdict} by "
            f"{event.annotator} is kept. Undo it in the review desk if it should not count."
        )
        return log.keep(event, "its task was deleted in Label Studio; the verdict is kept", now)
    by = log.built_upon(event)
    if by is not None:
        problems.append(
            f"annotation {place[1]} (sample {event.sample_id}) was deleted in Label Studio, but {by} has continued "
            "from it, so it is kept. Look at the sample's history in the review desk."
        )
        return log.keep(event, f"deleted in Label Studio after {by} had continued from it; kept", now)
    return log.undo(event, now)


def _is_there(project: Project, annotation: int) -> bool:
    """Return whether an annotation is there and submitted; one skipped or rejected later does not count."""
    try:
        with explained(project.server):
            found = project.client.annotations.get(annotation)
    except LabelStudioError as error:
        if error.status == 404:
            return False
        raise
    return not found.was_cancelled and not rejected(found.model_dump())


def _task_is_there(project: Project, task: int) -> bool:
    try:
        with explained(project.server):
            project.client.tasks.get(str(task))
    except LabelStudioError as error:
        if error.status == 404:
            return False
        raise
    return True
