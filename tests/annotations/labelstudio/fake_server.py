"""A Label Studio in memory, for tests of what a push sends and a pull records.

It knows reviews and comments, which the real server of the tests (the free edition) does not. What a real server does
with all the rest is for ``test_against_server.py``.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC).isoformat()


class FakeLabelStudio:
    """The server's state. A user's token is their e-mail address. ``updates`` are the changes of projects, in order."""

    def __init__(self, *emails: str) -> None:
        self.url = ""
        self.users = [{"id": n, "email": email, "username": email} for n, email in enumerate(emails, 1)]
        self.projects: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] | None = None  # None: an edition without comments
        self.updates: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any, user: int) -> Any:
        """Return the JSON for a request, None for 404."""
        if path == "api/current-user/whoami":
            return self.users[user - 1]
        if path == "api/users/":
            return self.users
        if path == "api/projects/":
            return self._projects(method, query, body)
        if path == "api/tasks/":
            return self._tasks(query)
        if path == "api/dm/actions/":
            return self._delete(int(query["project"][0]), body)
        if path == "api/comments/" and self.comments is not None:
            return [c for c in self.comments if str(c["annotation"]) == query["annotation"][0]]
        if match := re.fullmatch(r"api/projects/(\d+)/", path):
            project = next((p for p in self.projects if p["id"] == int(match[1])), None)
            if project is not None and body:
                project |= body
                self.updates.append(body)
            return project
        if match := re.fullmatch(r"api/projects/(\d+)/import", path):
            project = next(p for p in self.projects if p["id"] == int(match[1]))
            for task in body:
                self._add(project, task)
            return {"task_count": len(body)}
        if match := re.fullmatch(r"api/tasks/(\d+)/", path):
            task = self.task(int(match[1]))
            if task is not None and method == "PATCH":
                task |= body
            return task
        if match := re.fullmatch(r"api/tasks/(\d+)/drafts", path):
            self.task(int(match[1]))["drafts"].append({"id": 1, **body})
            return {"id": 1}
        if match := re.fullmatch(r"api/tasks/(\d+)/annotations/", path):
            return self._annotate(self.task(int(match[1])), body, user)
        if match := re.fullmatch(r"api/annotations/(\d+)/", path):
            return next((a for t in self.tasks for a in t["annotations"] if a["id"] == int(match[1])), None)
        return None

    def task(self, number: int) -> Any:
        """Return a task, None where there is none."""
        return next((t for t in self.tasks if t["id"] == number), None)

    def annotation(self, number: int) -> dict[str, Any]:
        """Return an annotation, to change it."""
        return next(a for t in self.tasks for a in t["annotations"] if a["id"] == number)

    def _projects(self, method: str, query: dict[str, list[str]], body: Any) -> Any:
        if method == "GET":
            first = query.get("page", ["1"]) == ["1"]  # the SDK asks for pages until one is empty
            title = query.get("title", [None])[0]
            found = [p for p in self.projects if first and title in (None, p["title"])]
            return {"count": len(found), "next": None, "previous": None, "results": found}
        number = len(self.projects) + 1
        self.projects.append({"id": number, "created_at": NOW, "maximum_annotations": 1, **body})
        return self.projects[-1]

    def _add(self, project: dict[str, Any], task: dict[str, Any]) -> None:
        number = max((t["id"] for t in self.tasks), default=0) + 1
        made = {"id": number, "project": project["id"], "updated_at": NOW, "annotations": [], "drafts": []}
        counts = {"overlap": project["maximum_annotations"], "is_labeled": False, "total_annotations": 0}
        self.tasks.append(made | counts | task)

    def _tasks(self, query: dict[str, list[str]]) -> Any:
        selected = json.loads(query.get("query", ["{}"])[0]).get("selectedItems")
        wanted = None if selected is None else selected["included"]
        project = int(query["project"][0])
        found = [t for t in self.tasks if t["project"] == project and (wanted is None or t["id"] in wanted)]
        return {"tasks": found, "total": len(found), "total_annotations": 0, "total_predictions": 0}

    def _delete(self, project: int, body: Any) -> Any:
        asked = {f["filter"].removeprefix("filter:tasks:") for f in body["filters"]["items"]}
        assert asked == {"total_annotations", "cancelled_annotations", "draft_exists"}, "work must not be deleted"
        self.tasks = [
            task
            for task in self.tasks
            if task["project"] != project
            or task["id"] not in body["selectedItems"]["included"]
            or task["annotations"]
            or task["drafts"]
        ]
        return {}

    def _annotate(self, task: dict[str, Any], body: Any, user: int) -> dict[str, Any]:
        number = task["id"] * 100 + len(task["annotations"])
        said = {"id": number, "completed_by": user, "was_cancelled": False, "updated_at": NOW, **body}
        task["annotations"].append(said)
        task["total_annotations"] += not said["was_cancelled"]
        task["is_labeled"] = task["total_annotations"] >= task["overlap"]
        return said


@contextmanager
def running(fake: FakeLabelStudio) -> Iterator[FakeLabelStudio]:
    """Serve the fake on a free loopback port; ``fake.url`` is its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers["Authorization"].removeprefix("Token ")
            user = next(u["id"] for u in fake.users if u["email"] == token)
            path = parts.path.lstrip("/")
            path = path if path.endswith(("/", "whoami", "import", "drafts")) else f"{path}/"
            answer = fake.answer(self.command, path, parse_qs(parts.query), json.loads(text or "null"), user)
            encoded = json.dumps(answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_POST = do_PATCH = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
