"""A rewrite that the trained model suggests, on request: from `inosuke serve`, in a process of its own.

Comes in: a dialogue. Goes out: what the model would say in place of its last reply, with the state of the request. The
model is never loaded into the desk's process: the first request starts a server on a free port of this computer, and
the next ones ask it. A request never waits; the caller asks again for its state. Nothing here touches a draft or a
sample: a suggestion is a text, and an annotator takes it or not.
"""

from __future__ import annotations

import atexit
import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from curation.errors import InosukeError, UsageError
from curation.record import Message, messages_to_json

Status: TypeAlias = Literal["none", "loading", "writing", "ready", "failed"]

_OPEN = re.compile(r"Open (http://\S+)")
_KEPT = 200  # suggestions that are remembered
_ANSWER_SECONDS = 300  # on a CPU that other work keeps busy, a long reply takes minutes


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The state of a request. ``text`` is the suggested reply when ``ready``, ``error`` what went wrong if ``failed``.

    ``loading``: the model is being loaded. ``writing``: it answers. ``none``: it was not asked. ``run`` names the run.
    ``cause`` is ``no_model`` where no model could be served.
    """

    status: Status
    text: str = ""
    error: str = ""
    run: str = ""
    cause: Literal["", "no_model"] = ""

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain objects, for an HTTP answer."""
        return asdict(self)


class Suggester:
    """Asks the newest model of the project in ``root``. Safe to use from several threads.

    ``options`` are those of `inosuke serve`, such as ``("--run", "2026-11-22-1")``; without any, the newest run answers
    with the fastest engine it has.
    """

    def __init__(self, root: Path, options: Sequence[str] = ()) -> None:
        self._root = root
        self._command = [sys.executable, "-m", "serve", "--port", "0", "--no-feedback", "--rate", "0", *options]
        self._lock = threading.Lock()
        self._found: OrderedDict[str, Suggestion] = OrderedDict()
        self._server: _Server | None = None
        atexit.register(self.close)

    def ask(self, messages: Sequence[Message], again: bool = False) -> Suggestion:
        """Ask for another last reply, if that was not done before, and return the state of the request.

        ``again`` asks for a new one where there is one, or after a failure. Raises UsageError for a dialogue that has
        nothing to answer.
        """
        turns = prompt_of(messages)
        key = _key(turns)
        with self._lock:
            known = self._found.get(key)
            if known is not None and not (again and known.status in ("ready", "failed")):
                return known
            server = self._server
            if server is None or server.ended:
                server = self._server = _Server(self._command, self._root)
            state = Suggestion("writing" if server.url else "loading")
            self._keep(key, state)
        threading.Thread(target=self._answer, args=(server, key, turns), name="suggest", daemon=True).start()
        return state

    def state(self, messages: Sequence[Message]) -> Suggestion:
        """Return the state of an earlier request, ``none`` where there was none. Starts nothing."""
        with self._lock:
            return self._at(_key(prompt_of(messages)))

    def _at(self, key: str) -> Suggestion:
        return self._found.get(key, Suggestion("none"))

    def close(self) -> None:
        """End the model's process. The next request starts another one."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def _answer(self, server: _Server, key: str, turns: list[dict[str, str]]) -> None:
        try:
            url = server.wait()
            self._set(key, Suggestion("writing"))
            reply = _post(f"{url}/api/chat", {"messages": turns})
            self._set(key, Suggestion("ready", text=reply["reply"], run=reply.get("run") or ""))
        except NoModel as error:
            self._set(key, Suggestion("failed", error=str(error), cause="no_model"))
        except InosukeError as error:
            self._set(key, Suggestion("failed", error=str(error)))

    def _set(self, key: str, state: Suggestion) -> None:
        with self._lock:
            self._keep(key, state)

    def _keep(self, key: str, state: Suggestion) -> None:
        self._found[key] = state
        self._found.move_to_end(key)
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)


class NoModel(InosukeError):
    """The model's process ended before it served one."""


class _Server:
    """One process of `inosuke serve`: its address when it is ready, or its own error message."""

    def __init__(self, command: Sequence[str], root: Path) -> None:
        self.url = ""
        self._error = ""
        self._known = threading.Event()  # the address, or that there will be none
        try:
            self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                command,
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise InosukeError(
                f"the model's process cannot be started ({error}). Start it by hand: make serve"
            ) from None
        threading.Thread(target=self._listen, name="suggest-log", daemon=True).start()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self) -> str:
        """Return the server's address once it is ready. Raises InosukeError where it ended instead."""
        self._known.wait()
        # The address is printed a moment before the server hands its requests on to the model.
        while self.url and not _is_ready(self.url):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)
                break
        if not self.url:
            raise NoModel(self._error)
        if self.ended:
            raise InosukeError(self._error or "the model's process has ended. Ask again.")
        return self.url

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        """Read what the process prints to its end, so that it never waits for a full pipe."""
        assert self._process.stdout is not None
        last = ""
        for line in self._process.stdout:
            last = line.strip() or last
            found = _OPEN.search(line)
            if found and not self.url:
                self.url = found[1]
                self._known.set()
        self._process.wait()
        said = last.removeprefix("Error: ") or f"the model's process ended with status {self._process.returncode}"
        self._error = f"{said} A suggestion needs a trained model." if not self.url else said
        self._known.set()


def prompt_of(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return the turns before the last reply, as a chat request has them. Raises UsageError if none is a user's."""
    turns = list(messages)
    if turns and turns[-1].role == "assistant":
        turns.pop()
    if not turns or turns[-1].role != "user" or not turns[-1].content.strip():
        raise UsageError("there is no line to answer before the last reply, so the model has nothing to suggest.")
    spoken = tuple(Message(m.role, m.content) for m in turns if m.role != "system" and m.content.strip())
    return messages_to_json(spoken)


def _key(turns: list[dict[str, str]]) -> str:
    return json.dumps(turns, ensure_ascii=False)


def _is_ready(url: str) -> bool:
    """Return whether the server answers that its model is loaded."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=_ANSWER_SECONDS):  # noqa: S310
            return True
    except OSError:  # "not yet" (503), or it has just ended, which the process tells
        return False


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 (our own server)
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
            reply: dict[str, Any] = json.load(answer)
            return reply
    except urllib.error.HTTPError as error:
        try:
            said = json.load(error)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            said = str(error)
        raise InosukeError(f"the model refused: {said}") from error
    except (OSError, ValueError) as error:
        raise InosukeError(f"the model did not answer ({error}). Ask again.") from error


_suggesters: dict[Path, Suggester] = {}
_suggesters_lock = threading.Lock()


def suggester(root: Path) -> Suggester:
    """Return the process's one suggester for the project in ``root``: every annotator asks the same model."""
    root = root.resolve()
    with _suggesters_lock:
        if root not in _suggesters:
            _suggesters[root] = Suggester(root)
        return _suggesters[root]
