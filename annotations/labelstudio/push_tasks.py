"""The queue goes to Label Studio: each open sample that is not there yet, at its newest revision, as a task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from annotations.labelstudio.connection import ONCE, LabelStudioError, Server, explained
from annotations.labelstudio.project import Project, ensure
from annotations.labelstudio.tasks import Key, to_task
from annotations.store.log_sync import refresh
from annotations.store.panels import panel_size
from annotations.store.projection import status_of
from annotations.store.queue_table import in_order
from annotations.store.review_store import ReviewStore
from curation.console import bar
from curation.errors import InosukeError
from curation.folders import Folders
from curation.persona import Persona
from curation.record import Message
from curation.review.decisions import Decision, State, fold
from curation.review.queue import QueueItem, read_queue

# A batch is one transaction on the server: all of it is there or nothing. 500 tasks stay far from a proxy's timeout.
BATCH = 500


@dataclass(slots=True)
class Pushed:
    """What a push did. ``doubled`` tasks were there twice, without an annotation; the second is deleted."""

    project: str
    created: bool = False
    new: int = 0
    already_there: int = 0
    doubled: int = 0
    foreign: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain objects."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OpenSample:
    """A sample to be judged, at its newest revision."""

    item: QueueItem
    revision: int
    messages: tuple[Message, ...]

    @property
    def key(self) -> Key:
        """The identity of its task."""
        return Key(self.item.sample.id, self.revision)


def open_samples(items: Sequence[QueueItem], states: dict[str, State], everything: bool = False) -> list[OpenSample]:
    """Return the samples to be judged, in the desk's order: pending ones, or with ``everything`` all of them.

    A sample that waits for the rest of its panel is pending. One that its panel disagrees on is not: an adjudicator
    settles it at the desk.
    """
    found = []
    for item in in_order(items):
        state = states.get(item.sample.id, State())
        messages = item.sample.messages if state.messages is None else state.messages
        # Label Studio's page is for correcting the character's turns; a sample without one is for the review desk.
        if (everything or status_of(state) == "pending") and any(m.role == "assistant" for m in messages):
            found.append(OpenSample(item, state.revision, messages))
    return found


def push(
    server: Server, title: str, persona: Persona, store: ReviewStore, *, everything: bool = False, quiet: bool = False
) -> Pushed:
    """Send each open sample that is not on the server yet. Raises LabelStudioError; what was sent stays sent.

    ``everything`` sends decided samples too, for another opinion.
    """
    folders = Folders(persona.root)
    with _only_push(folders):
        refresh(store, folders, persona.review)
        items = read_queue(folders.queue)
        events: dict[str, list[Decision]] = defaultdict(list)
        for event in store.log.events():
            events[event.sample_id].append(event)
        states = fold(event for log in events.values() for event in log)
        wanted = open_samples(items, states, everything)
        clusters: dict[str, list[QueueItem]] = defaultdict(list)
        for item in items:
            if item.cluster:
                clusters[item.cluster].append(item)
        most = max((sum(m.role == "assistant" for m in o.messages) for o in wanted), default=1)
        project, created = ensure(server, title, persona, most)
        result = Pushed(project.url, created)
        there, foreign = ({}, []) if created else project.keys()
        missing = [o for o in wanted if o.key not in there]
        result.already_there, result.foreign = len(wanted) - len(missing), len(foreign)

        def panel(sample: OpenSample) -> int:
            name = sample.item.sample.id
            return panel_size(name, events[name], states.get(name, State()), persona.review)

        with bar(len(missing), "push", "task", quiet=quiet) as progress:
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                _send(project, [_task(o, persona, clusters, panel(o)) for o in batch])
                result.new += len(batch)
                progress.update(len(batch))
        before = sum(map(len, there.values())) + len(foreign)
        arrived = {o.key for o in missing}
        if missing and project.count() != before + len(missing):
            # Tasks were lost, or the server was still busy with a batch of an interrupted push. Only then is everything
            # listed again, which takes as long as sending it.
            there, _ = project.keys()
            arrived &= there.keys()
        result.doubled = _remove_doubles(project, there)
        lost = [o.key for o in missing if o.key not in arrived]
        if lost:
            raise LabelStudioError(
                f"{len(lost):,} tasks that {project.url} took are not there (the first: {lost[0].sample_id}). Another "
                "user may be deleting tasks. Run the command again; it sends what is missing."
            )
        return result


def _task(sample: OpenSample, persona: Persona, clusters: dict[str, list[QueueItem]], panel: int = 1) -> dict[str, Any]:
    mates = [i for i in clusters.get(sample.item.cluster or "", ()) if i.sample.id != sample.item.sample.id]
    return to_task(sample.item, sample.revision, sample.messages, persona, neighbours=mates, panel=panel)


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


def _remove_doubles(project: Project, there: dict[Key, list[int]]) -> int:
    """Delete a sample's second task of a revision unless it is annotated. Returns how many were deleted."""
    removed = 0
    for ids in there.values():
        for task in sorted(ids)[1:]:
            with explained(project.server):
                found = project.client.tasks.get(str(task))
                if found.total_annotations or found.drafts:
                    continue
                project.client.tasks.delete(str(task))
            removed += 1
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
