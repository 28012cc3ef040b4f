"""A Label Studio in memory, for tests of what a push sends and a pull records. It holds one project.

What a real server does with them is for ``test_against_server.py``.
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
    """The server's state. A user's token is their e-mail address."""

    def __init__(self, *emails: str) -> None:
        self.url = ""
        self.users = [{"id": n, "email": email, "username": email} for n, email in enumerate(emails, 1)]
        self.projects: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any, user: int) -> Any:
        """Return the JSON for a request, None for 404."""
        if path == "api/current-user/whoami":
            return self.users[user - 1]
        if path == "api/users/":
            return self.users
        if path == "api/projects/" and method == "GET":
            first = query.get("page", ["1"]) == ["1"]  # the SDK asks for pages until one is empty
            found = [p for p in self.projects if first and p["title"] == query["title"][0]]
            return {"count": len(found), "next": None, "previous": None, "results": found}
        if path == "api/projects/":
            self.projects.append({"id": 1, "created_at": NOW, **body})
            return self.projects[-1]
        if path == "api/projects/1/":
            self.projects[0] |= body or {}
            return self.projects[0]
        if path == "api/projects/1/import":
            for task in body:
                self.tasks.append({"id": len(self.tasks) + 1, "updated_at": NOW, "annotations": [], **task})
            return {"task_count": len(body)}
        if path == "api/tasks/":
            return {"tasks": self.tasks, "total": len(self.tasks), "total_annotations": 0, "total_predictions": 0}
        if match := re.fullmatch(r"api/tasks/(\d+)/annotations/", path):
            annotations = self.tasks[int(match[1]) - 1]["annotations"]
            number = int(match[1]) * 100 + len(annotations)
            said = {"id": number, "completed_by": user, "was_cancelled": False, "updated_at": NOW, **body}
            annotations.append(said)
            return said
        return None


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
            path = "api/tasks/" if path == "api/tasks" else path
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
