"""The queue goes to Label Studio: every open sample that is not there yet, at its newest revision, as a task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from annotations.labelstudio.connection import ONCE, LabelStudioError, Server, explained
from annotations.labelstudio.progress import bar
from annotations.labelstudio.project import Project, ensure
from annotations.labelstudio.tasks import Key, to_task
from annotations.store.log_sync import refresh
from annotations.store.overlap import overlap_of
from annotations.store.queue_table import in_order
from annotations.store.review_store import ReviewStore
from curation.errors import InosukeError
from curation.folders import Folders
from curation.persona import Persona
from curation.record import Message
from curation.review.decisions import State, fold
from curation.review.queue import QueueItem, read_queue

# A batch is one transaction on the server: all of it is there or nothing. 500 take it 1 to 2 s, far from any timeout
# of a proxy between us.
BATCH = 500


@dataclass(slots=True)
class Pushed:
    """What a push did. ``doubled`` tasks were there twice, without an annotation, and are there once now."""

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
class Open:
    """A sample to be judged, as it stands now."""

    item: QueueItem
    revision: int
    messages: tuple[Message, ...]

    @property
    def key(self) -> Key:
        """What makes its task the same as another."""
        return Key(self.item.sample.id, self.revision)


def open_samples(items: Sequence[QueueItem], states: dict[str, State], everything: bool = False) -> list[Open]:
    """Return what is to be judged, in the desk's order: samples that are pending, or all of them."""
    found = []
    for item in in_order(items):
        state = states.get(item.sample.id, State())
        messages = item.sample.messages if state.messages is None else state.messages
        # Label Studio's page is for correcting the character's turns; a sample without one is for the review desk.
        if (everything or state.status == "pending") and any(m.role == "assistant" for m in messages):
            found.append(Open(item, state.revision, messages))
    return found


def push(
    server: Server, title: str, persona: Persona, store: ReviewStore, *, everything: bool = False, quiet: bool = False
) -> Pushed:
    """Bring every open sample to the server that is not there yet. Raises LabelStudioError; what was sent stays sent.

    ``everything`` pushes decided samples too, for another opinion.
    """
    folders = Folders(persona.root)
    with _alone(folders):
        refresh(store, folders, overlap_of(persona))
        items = read_queue(folders.queue)
        wanted = open_samples(items, fold(store.log.events()), everything)
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
        with bar(len(missing), "push", quiet) as progress:
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                _send(project, [_task(o, persona, clusters) for o in batch])
                result.new += len(batch)
                progress.update(len(batch))
        before = sum(map(len, there.values())) + len(foreign)
        arrived = {o.key for o in missing}
        if missing and project.count() != before + len(missing):
            # Something was lost, or the server was still busy with a batch of an earlier push that was broken off:
            # only then is everything listed again, which takes as long as sending it.
            there, _ = project.keys()
            arrived &= there.keys()
        result.doubled = _remove_doubles(project, there)
        lost = [o.key for o in missing if o.key not in arrived]
        if lost:
            raise LabelStudioError(
                f"{len(lost):,} tasks that {project.url} took are not there (the first: {lost[0].sample_id}). Somebody "
                "may be deleting tasks meanwhile; run the command again, it sends what is missing."
            )
        return result


def _task(sample: Open, persona: Persona, clusters: dict[str, list[QueueItem]]) -> dict[str, Any]:
    mates = [i for i in clusters.get(sample.item.cluster or "", ()) if i.sample.id != sample.item.sample.id]
    return to_task(sample.item, sample.revision, sample.messages, persona, mates)


def _send(project: Project, tasks: list[dict[str, Any]]) -> None:
    """Check the predictions, for the server only logs what is wrong with them, then import one batch."""
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
    """Delete the second task of a sample and revision where nobody has annotated it. Returns how many there were."""
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
def _alone(folders: Folders) -> Iterator[None]:
    """Keep a second push from this project out: both would see the same samples missing."""
    from filelock import FileLock, Timeout

    folders.queue.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folders.queue.parent / "label-studio.lock", timeout=0):
            yield
    except Timeout:
        raise InosukeError("another push is under way in this project. Wait for it to end, then look again.") from None
