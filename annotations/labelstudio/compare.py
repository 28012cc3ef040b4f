"""How the project on the server and the review store differ. Reads only, on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from annotations.labelstudio.connection import Server
from annotations.labelstudio.project import find
from annotations.labelstudio.pull_verdicts import pull
from annotations.labelstudio.push_tasks import open_samples
from annotations.store.log_sync import known_events
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import Persona
from curation.review.decisions import State, fold
from curation.review.queue import read_queue


@dataclass(slots=True)
class Comparison:
    """Counts of both sides. ``outdated`` tasks show a revision that has been replaced here since."""

    project: str | None = None
    open_here: int = 0
    tasks_there: int = 0
    annotations_there: int = 0
    to_push: int = 0
    to_pull: int = 0
    to_undo: int = 0
    outdated: int = 0
    doubled: int = 0
    foreign: int = 0
    unknown_samples: int = 0
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain objects."""
        return asdict(self)

    @property
    def same(self) -> bool:
        """Return whether there is nothing to push, to pull or to repair."""
        return not (self.to_push or self.to_pull or self.to_undo or self.doubled or self.foreign or self.problems)


def compare(
    server: Server,
    title: str,
    persona: Persona,
    store: ReviewStore,
    names: Mapping[str, str] | None = None,
    *,
    quiet: bool = False,
) -> Comparison:
    """Compare both sides. Raises LabelStudioError where the server cannot be asked."""
    folders = Folders(persona.root)
    items = read_queue(folders.queue)
    states = fold(known_events(store, folders))
    wanted = {o.key for o in open_samples(items, states)}
    result = Comparison(open_here=len(wanted))
    project = find(server, title)
    if project is None:
        result.to_push = len(wanted)
        return result
    result.project = project.url
    there, foreign = project.keys()
    known = {i.sample.id for i in items}
    result.tasks_there = sum(map(len, there.values()))
    result.to_push = len(wanted - there.keys())
    result.doubled = sum(len(ids) - 1 for ids in there.values())
    result.foreign = len(foreign)
    result.unknown_samples = sum(k.sample_id not in known for k in there)
    result.outdated = sum(k.revision < states.get(k.sample_id, State()).revision for k in there)
    waiting = pull(server, title, persona, store, names, write=False, quiet=quiet)
    result.annotations_there, result.to_pull, result.to_undo = waiting.annotations, waiting.new, waiting.undone
    result.problems = waiting.problems
    return result


def table(result: Comparison) -> str:
    """Return the comparison as text for the terminal."""
    if result.project is None:
        return f"no project there yet; {result.open_here:,} open samples here\n\nNext: inosuke label-studio push"
    rows = [
        ("open samples here", result.open_here),
        ("tasks there", result.tasks_there),
        ("annotations there", result.annotations_there),
        ("to push", result.to_push),
        ("to pull", result.to_pull),
        ("to undo (changed or deleted there)", result.to_undo),
        ("tasks of an older revision", result.outdated),
        ("tasks of samples that are not in the queue", result.unknown_samples),
        ("tasks there twice", result.doubled),
        ("tasks that were not pushed from here", result.foreign),
    ]
    lines = [result.project, *(f"  {name:<44}{number:>8,}" for name, number in rows), ""]
    commands = []
    if result.to_push or result.doubled:
        commands.append("inosuke label-studio push")
    if result.to_pull or result.to_undo:
        commands.append("inosuke label-studio pull")
    lines.append(f"Next: {' && '.join(commands)}" if commands else "Both sides are the same.")
    return "\n".join(lines)
