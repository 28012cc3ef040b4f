"""The stage without a browser: the same requests, to the same routes, with the token that the page was given."""

from __future__ import annotations

import json
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from annotations.desk_api.routes import desk_routes
from annotations.signing import Way
from curation.record import Message, messages_to_json


def stage_data(app: AppTest) -> dict[str, Any]:
    """Return what the page gives to the stage."""
    return next(json.loads(e.proto.json) for e in app.get("bidi_component") if "stage.js" in e.proto.json)


class StageClient:
    """One annotator's stage. It starts as the browser does: it opens the page's sample, or else the next one."""

    def __init__(self, data: dict[str, Any], way: Way = "name") -> None:
        self.data = data
        self.http = TestClient(Starlette(routes=desk_routes("/desk", lambda: way)), base_url="http://127.0.0.1")
        self.item: dict[str, Any] | None = None
        self.open(sample=data["sample"], resume=True)

    def ask(self, method: str, path: str, body: dict[str, Any], token: str | None = None) -> Any:
        """Send a request; return the answer."""
        headers = {"X-Desk-Token": self.data["token"] if token is None else token}
        body = {"language": self.data["language"], **body}
        return self.http.request(method, f"/desk/{path}", json=body, headers=headers)

    def good(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.ask(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def open(self, **request: Any) -> dict[str, Any]:
        found = self.good("POST", "open", {"filters": self.data["filters"], **request})
        self.item = found["item"]
        return found

    def judge(self, verdict: str, reason: str = "", messages: tuple[Message, ...] | None = None, **more: Any) -> Any:
        """Send a verdict on the open sample; return the answer. Opens the next sample if it was recorded."""
        item = self.item
        assert item is not None
        body = {
            "event_id": uuid.uuid4().hex,
            "sample": item["id"],
            "revision": item["revision"],
            "seen": item["seen"],
            "verdict": verdict,
            "reason": reason,
            "messages": None if messages is None else messages_to_json(messages),
            **more,
        }
        answer = self.ask("POST", "verdict", body)
        if answer.status_code == 200 and verdict != "note":
            self.open(after=item["rank"])
        return answer

    def undo(self, **request: Any) -> dict[str, Any]:
        found = self.good("POST", "undo", request)
        self.item = found["item"]
        return found

    def cluster(self, verdict: str, keep: str | None = None) -> dict[str, Any]:
        assert self.item is not None
        body = {"batch": uuid.uuid4().hex, "verdict": verdict, "keep": keep, "members": self.item["cluster"]}
        return self.good("POST", "cluster", body)

    def draft(self, messages: tuple[Message, ...], **more: Any) -> Any:
        assert self.item is not None
        body = {"sample": self.item["id"], "revision": self.item["revision"], "messages": messages_to_json(messages)}
        return self.ask("PUT", "draft", body | more)

    def check(self, messages: tuple[Message, ...], **more: Any) -> dict[str, Any]:
        assert self.item is not None
        return self.good("POST", "check", {"sample": self.item["id"], "messages": messages_to_json(messages), **more})

    @property
    def shown(self) -> str:
        """What is on the screen, as HTML."""
        item = self.item
        if item is None:
            return ""
        parts = [*item["above"], {"html": item["decided"]}, {"html": item["turns"]}, *item["beside"]]
        return "\n".join(part["html"] for part in parts)
