"""Fixtures of the Label Studio tests: a project folder with a queue, and annotators who use the server's API."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from annotations.labelstudio.tasks import prediction
from annotations.store.review_store import ReviewStore
from curation.importers import read
from curation.persona import Persona, load_persona
from curation.record import Flag, Message, Sample, Source, sample_id
from curation.review.queue import QueueItem, write_queue
from tests.conftest import CORPUS, ROOT

SCENE = (
    Message("user", "Inosuke, ngươi đi đâu đấy?", "Tanjiro"),
    Message("assistant", "Ta lên núi! Đừng có cản ta!"),
    Message("user", "Đợi tớ với!", "Zenitsu"),
    Message("assistant", "Chậm như rùa! Theo kịp thì theo!"),
)


def item(
    number: int,
    messages: Sequence[Message] | None = None,
    cluster: str | None = None,
    flags: tuple[Flag, ...] = (),
) -> QueueItem:
    """Return a queue item with a unique line."""
    turns = tuple(messages or ()) or (
        Message("user", f"Ngươi đã leo mấy ngọn núi rồi, lần thứ {number}?"),
        Message("assistant", f"Ta leo {number} ngọn rồi! Ngọn nào cũng thua ta!"),
    )
    source = Source(path="doi-thoai.jsonl", sha256="0" * 64, locator=f"row {number}", importer="rows")
    kind = "conversation"
    return QueueItem(
        Sample(
            id=sample_id(kind, turns), kind=kind, messages=turns, language="vi", topic=None, source=source, flags=flags
        ),
        cluster,
    )


def real_samples(count: int, persona: Persona) -> list[QueueItem]:
    """Return ``count`` different samples: from the user's corpus if it is there, the project's, then numbered lines."""
    found: dict[str, QueueItem] = {}
    files = [*sorted(CORPUS.glob("*.json")), *sorted((ROOT / "datasets" / "sources" / "handwritten").glob("*.json*"))]
    for file in files:
        if file.name.startswith("test_set"):
            continue
        for sample in read(file, persona).samples:
            found.setdefault(sample.id, QueueItem(sample))
            if len(found) == count:
                return list(found.values())
    return [*found.values(), *(item(n) for n in range(count - len(found)))]


class Desk:
    """A project folder with its persona, queue and review store."""

    def __init__(self, root: Path, items: Sequence[QueueItem]) -> None:
        root.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "persona.toml", root / "persona.toml")
        self.root = root
        self.persona = load_persona(root / "persona.toml")
        self.queue(items)
        self.store = ReviewStore(f"sqlite:///{root / 'datasets' / 'review.db'}")

    def queue(self, items: Sequence[QueueItem]) -> None:
        """Write another queue, as `inosuke dataset` does."""
        self.items = list(items)
        write_queue(self.items, self.root / "datasets" / "build" / "samples.parquet")


class Annotator:
    """An annotator in Label Studio, through the API that its own page uses."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=120)

    def tasks(self, project: int) -> dict[str, dict[str, Any]]:
        """Return the tasks of a project by their sample's id."""
        wanted = {"project": project, "page_size": 10_000, "include": "id,data,total_predictions"}
        body = self.http.get("api/tasks", params=wanted).raise_for_status().json()
        return {t["data"].get("sample_id", f"foreign {t['id']}"): t for t in body["tasks"]}

    def submit(
        self,
        task: dict[str, Any],
        verdict: str,
        *,
        replies: Sequence[str] | None = None,
        lead_time: float = 1.5,
        **more: Any,
    ) -> int:
        """Submit an annotation that starts from the prediction, as the page does; return its number."""
        body = {"result": result(task, verdict, replies, **more), "lead_time": lead_time}
        answer = self.http.post(f"api/tasks/{task['id']}/annotations/", json=body)
        number: int = answer.raise_for_status().json()["id"]
        return number

    def change(self, annotation: int, task: dict[str, Any], verdict: str, **more: Any) -> None:
        """Save a submitted annotation again."""
        self.http.patch(
            f"api/annotations/{annotation}/", json={"result": result(task, verdict, **more)}
        ).raise_for_status()

    def skip(self, task: dict[str, Any]) -> None:
        """Press Skip."""
        body = {"result": [], "was_cancelled": True}
        self.http.post(f"api/tasks/{task['id']}/annotations/", json=body).raise_for_status()

    def draft(self, task: dict[str, Any], verdict: str) -> None:
        """Begin and not submit."""
        body = {"result": result(task, verdict), "lead_time": 1}
        self.http.post(f"api/tasks/{task['id']}/drafts", json=body).raise_for_status()

    def delete(self, path: str) -> None:
        self.http.delete(path).raise_for_status()


def result(
    task: dict[str, Any],
    verdict: str | None,
    replies: Sequence[str] | None = None,
    reasons: Sequence[str] = (),
    notes: str = "",
    lines: Sequence[tuple[str, str]] | None = None,
) -> list[dict[str, Any]]:
    """Return what the page sends for a task: the prediction's areas, the verdict, and the other fields.

    ``replies`` are the character's turns, ``lines`` the speaker and the text of each other turn.
    """
    turns = tuple(Message(t["role"], t["text"], t["name"]) for t in task["data"]["turns"])
    given = iter(replies if replies is not None else [m.content for m in turns if m.role == "assistant"])
    typed = iter(lines if lines is not None else [(m.name or "", m.content) for m in turns if m.role != "assistant"])
    shown = []
    for turn in turns:
        name, text = ("", next(given)) if turn.role == "assistant" else next(typed)
        shown.append(Message(turn.role, text, name or None))
    regions: list[dict[str, Any]] = list(prediction(shown)["result"])
    where = {"to_name": "dialogue", "type": "choices"}
    if verdict:
        regions.append({"from_name": "verdict", "value": {"choices": [verdict]}, **where})
    if reasons:
        regions.append({"from_name": "reason", "value": {"choices": list(reasons)}, **where})
    if notes:
        regions.append({"from_name": "notes", "to_name": "dialogue", "type": "textarea", "value": {"text": [notes]}})
    return regions
