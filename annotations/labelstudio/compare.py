"""How the project on the server and the review store differ. Reads only, on both sides."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from annotations.labelstudio import close_tasks
from annotations.labelstudio.connection import Server
from annotations.labelstudio.open_samples import open_samples
from annotations.labelstudio.project import find
from annotations.labelstudio.pull_verdicts import pull
from annotations.labelstudio.tasks import Key
from annotations.store.log_sync import known_events
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import Persona
from curation.review.decisions import Decision, State, fold
from curation.review.queue import read_queue


@dataclass(slots=True)
class Comparison:
    """Counts of both sides. ``outdated`` tasks show a revision that has been replaced here since.

    ``to_close`` tasks are handed out there although their sample needs no verdict any more, ``to_reopen`` the other way
    round. ``keys`` and ``wanted`` are the tasks there and the open samples here.
    """

    project: str | None = None
    title: str = ""
    open_here: int = 0
    tasks_there: int = 0
    annotations_there: int = 0
    to_push: int = 0
    to_pull: int = 0
    to_undo: int = 0
    to_close: int = 0
    to_reopen: int = 0
    outdated: int = 0
    doubled: int = 0
    foreign: int = 0
    unknown_samples: int = 0
    problems: list[str] = field(default_factory=list)
    keys: frozenset[Key] = frozenset()
    wanted: frozenset[Key] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain objects."""
        return {name: value for name, value in asdict(self).items() if name not in ("keys", "wanted")}

    @property
    def same(self) -> bool:
        """Return whether there is nothing to push, to pull or to repair."""
        differs = (self.to_push, self.to_pull, self.to_undo, self.to_close, self.to_reopen, self.doubled, self.foreign)
        return not (any(differs) or self.problems)


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
    events: dict[str, list[Decision]] = defaultdict(list)
    for event in known_events(store, folders):
        events[event.sample_id].append(event)
    states = fold(event for log in events.values() for event in log)
    wanted = frozenset(o.key for o in open_samples(items, states))
    result = Comparison(title=title, open_here=len(wanted), wanted=wanted)
    project = find(server, title)
    if project is None:
        result.to_push = len(wanted)
        return result
    result.project = project.url
    there, foreign = project.keys()
    result.keys = frozenset(there)
    known = {i.sample.id for i in items}
    result.tasks_there = sum(map(len, there.values()))
    result.to_push = len(wanted - there.keys())
    result.doubled = sum(len(ids) - 1 for ids in there.values())
    result.foreign = len(foreign)
    result.unknown_samples = sum(k.sample_id not in known for k in there)
    result.outdated = sum(k.revision < states.get(k.sample_id, State()).revision for k in there)
    found = close_tasks.plan(there, wanted, known, states, events, persona.review, project.uid)
    result.to_close, result.to_reopen = len(found.close), len(found.reopen)
    waiting = pull(server, title, persona, store, names, write=False, quiet=quiet)
    result.annotations_there, result.to_pull, result.to_undo = waiting.annotations, waiting.new, waiting.undone
    result.problems = waiting.problems
    return result


def side_by_side(results: Sequence[Comparison]) -> dict[str, int]:
    """Count only those open samples as still to be pushed that no project has, and return the doubly judged samples.

    That is how many samples two of the projects have, by the titles of the two.
    """
    everywhere = frozenset().union(*(r.keys for r in results))
    for result in results:
        result.to_push = len(result.wanted - everywhere)
    shared: Counter[str] = Counter()
    for number, one in enumerate(results):
        for other in results[number + 1 :]:
            both = {k.sample_id for k in one.keys} & {k.sample_id for k in other.keys}
            shared[f"{one.title} + {other.title}"] = len(both)
    return {titles: count for titles, count in shared.items() if count}


def table(result: Comparison, default: str = "") -> str:
    """Return the comparison as text for the terminal. The commands in it name a project but the ``default`` one."""
    named = "" if result.title == default else f" --project {shlex.quote(result.title)}"
    if result.project is None:
        first = f"no project {result.title!r} there yet; {result.open_here:,} open samples here"
        return f"{first}\n\nNext: inosuke label-studio push{named}"
    rows = [
        ("open samples here", result.open_here),
        ("tasks there", result.tasks_there),
        ("annotations there", result.annotations_there),
        ("to push", result.to_push),
        ("to pull", result.to_pull),
        ("to undo (changed or deleted there)", result.to_undo),
        ("to close (decided elsewhere)", result.to_close),
        ("to open again", result.to_reopen),
        ("tasks of an older revision", result.outdated),
        ("tasks of samples that are not in the queue", result.unknown_samples),
        ("tasks there twice", result.doubled),
        ("tasks that were not pushed from here", result.foreign),
    ]
    lines = [f"{result.title} · {result.project}", *(f"  {name:<44}{number:>8,}" for name, number in rows), ""]
    commands = []
    if result.to_pull or result.to_undo:
        commands.append(f"inosuke label-studio pull{named}")
    if result.to_push or result.doubled or result.to_close or result.to_reopen:
        commands.append(f"inosuke label-studio push{named}")
    lines.append(f"Next: {' && '.join(commands)}" if commands else "Both sides are the same.")
    return "\n".join(lines)
