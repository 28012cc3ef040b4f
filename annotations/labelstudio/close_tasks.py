"""Tasks of samples that need no verdict any more are closed on the server, and opened again when they do.

Samples are decided at the desk, by import and in other clones too. A push deletes their tasks as long as no user has
worked on them: the server itself looks for annotations and drafts when it deletes, so none that arrives then is
lost. A task that carries a user's work stays: it is marked, its page tells the user, and it is no longer handed out.

A task that is handed out to ``overlap`` annotators is how the server knows a panel. So the same comparison keeps each
task's overlap: the verdicts that are missing, and those that were given on it and do not count any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.labelstudio.connection import explained
from annotations.labelstudio.project import Project, TaskThere
from annotations.labelstudio.results import origin
from annotations.labelstudio.tasks import CLOSED, Key
from annotations.store.panels import panel_size, votes
from annotations.store.projection import status_of
from annotations.words import say
from curation.codes import Language
from curation.persona import Review
from curation.review.decisions import DECISIVE, Decision, State, standing

# Their numbers travel in an address when the rest is listed.
_AT_ONCE = 200


@dataclass(slots=True)
class Plan:
    """What is to be done with the tasks of a project: ``close`` with the state that closed them, ``reopen``, and the
    ``overlap`` that a task should have.
    """

    close: dict[int, str] = field(default_factory=dict)
    reopen: list[int] = field(default_factory=list)
    overlap: dict[int, tuple[TaskThere, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Closed:
    """How many tasks were ``deleted``, ``marked`` because they carry work, and ``reopened``."""

    deleted: int = 0
    marked: int = 0
    reopened: int = 0


def plan(
    there: Mapping[Key, Sequence[TaskThere]],
    open_keys: Iterable[Key],
    queued: Iterable[str],
    states: Mapping[str, State],
    events: Mapping[str, Sequence[Decision]],
    review: Review,
    project: str,
) -> Plan:
    """Return what differs. Tasks of samples that this queue does not hold are another queue's, and stay.

    ``project`` is the project's uid. A task that was sent for another opinion is closed when its revision is replaced.
    """
    wanted, known, found = set(open_keys), set(queued), Plan()
    for key, tasks in there.items():
        state = states.get(key.sample_id, State())
        log = events.get(key.sample_id, ())
        for task in tasks:
            mine = _from_task(log, project, task)
            if key in wanted:
                if task.closed:
                    found.reopen.append(task.id)
                overlap = _overlap(task, mine, panel_size(key.sample_id, log, state, review), log, state)
                if overlap != task.overlap or (task.labeled and task.annotations < overlap):
                    found.overlap[task.id] = (task, overlap)
                continue
            needed = key.sample_id not in known or (task.again and key.revision == state.revision)
            # Where an annotation was deleted there, the next pull takes its verdict back.
            waits = not task.annotations and _stand(mine, log)
            if not (task.labeled or needed or waits):
                found.close[task.id] = "replaced" if key.revision != state.revision else status_of(state)
    return found


def carry_out(project: Project, found: Plan, language: Language) -> Closed:
    """Do what a plan says. Raises LabelStudioError; what was done stays done."""
    result = Closed()
    for batch in _batches(list(found.close)):
        _delete_untouched(project, batch)
        left = [task for page, _ in project.tasks(ids=batch) for task in page]
        result.deleted += len(batch) - len(left)
        for task in left:
            _mark(project, task, found.close[task["id"]], language)
            result.marked += 1
    for batch in _batches(found.reopen):
        for page, _ in project.tasks(ids=batch):
            for task in page:
                data = dict(task["data"])
                data["about"] = data.pop(CLOSED)
                _update(project, task["id"], data=data)
                result.reopened += 1
    for known, overlap in found.overlap.values():
        _update(project, known.id, overlap=overlap, is_labeled=known.annotations >= overlap)
    return result


def _from_task(events: Sequence[Decision], project: str, task: TaskThere) -> dict[int, Decision]:
    """Return the newest verdict of each annotation of a task, as the log has it."""
    found: dict[int, tuple[int, Decision]] = {}
    for event in events:
        where = origin(event.id)
        if where is None or (where.project, where.task) != (project, task.id):
            continue
        if where.annotation not in found or found[where.annotation][0] <= where.saved:
            found[where.annotation] = (where.saved, event)
    return {annotation: event for annotation, (_, event) in found.items()}


def _stand(mine: Mapping[int, Decision], events: Sequence[Decision]) -> set[int]:
    """Return which annotations' verdicts still stand."""
    stand = {e.id for e in standing(events)} if mine else set()
    return {annotation for annotation, event in mine.items() if event.id in stand}


def _overlap(
    task: TaskThere, mine: Mapping[int, Decision], panel: int, events: Sequence[Decision], state: State
) -> int:
    """Return how many annotators a task needs.

    That is the panel, without the blind verdicts that were given elsewhere, and one more for each annotation of the
    task that does not help: its verdict was undone or dismissed, or it only asks for a rewrite.
    """
    own = {e.id for e in mine.values()}
    elsewhere = sum(vote.id not in own for vote in votes(events, state).values()) if panel > 1 else 0
    stand = _stand(mine, events)
    idle = sum(annotation not in stand or e.verdict not in DECISIVE for annotation, e in mine.items())
    return max(1, panel - elsewhere) + min(idle, task.annotations)


def _delete_untouched(project: Project, tasks: list[int]) -> None:
    untouched = [_filter(name, "Number", 0) for name in ("total_annotations", "cancelled_annotations")]
    untouched.append(_filter("draft_exists", "Boolean", "false"))
    with explained(project.server):
        project.client.actions.create(
            id="delete_tasks",
            project=project.id,
            filters={"conjunction": "and", "items": untouched},  # type: ignore[arg-type]
            selected_items={"all": False, "included": tasks},  # type: ignore[arg-type]
        )


def _filter(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{name}", "operator": "equal", "type": kind, "value": value}


def _mark(project: Project, task: dict[str, Any], why: str, language: Language) -> None:
    status = say("ls_replaced", language) if why == "replaced" else say(f"status_{why}", language)
    about = task["data"].get(CLOSED, task["data"]["about"])
    told = f"{say('ls_decided', language, status=status)}\n{about}"
    _update(project, task["id"], data={**task["data"], "about": told, CLOSED: about}, is_labeled=True)


def _update(project: Project, task: int, **changes: Any) -> None:
    with explained(project.server):
        project.client.tasks.update(str(task), **changes)


def _batches(tasks: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(tasks), _AT_ONCE):
        yield tasks[start : start + _AT_ONCE]
