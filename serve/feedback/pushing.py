"""Pushes feedback to a private repository on the Hub from a thread of its own, for a disk that is not kept.

Each server has a folder of its own in the repository, named by an id that lies beside the feedback; a file there has
the lines of one day. A push sends whole files, so what is sent twice changes nothing. ``CommitScheduler`` of
``huggingface_hub`` does not fit: a server with a new disk would overwrite the files of the one before, a failed push
waits for the next turn of the clock and cannot be counted, and a public repository is accepted.
"""

from __future__ import annotations

import atexit
import logging
import re
import secrets
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from curation.errors import InosukeError
from curation.files import write_atomically
from serve.feedback.inbox import feedback_files
from serve.feedback.repository import FeedbackRepository, HubAway, Overtaken

log = logging.getLogger("serve.feedback")

# Seconds between two pushes: the Hub accepts about 120 commits an hour to one repository.
EVERY = 60.0
# Seconds until a failed push is tried again; twice as long each time, up to the second figure.
_RETRY, _LONGEST = 5.0, 600.0
# Seconds that a server which ends gives the last push.
LAST_PUSH = 15.0
# How often a push begins again because another server was faster.
_RACES = 5
_ID = ".server"


class Pusher:
    """Keeps a repository up to date with a folder of feedback.

    ``count`` is told of each push whether it arrived.
    """

    def __init__(
        self, folder: Path, repository: FeedbackRepository, count: Callable[[bool], None], every: float = EVERY
    ) -> None:
        self._folder, self._repository, self._count, self._every = folder, repository, count, every
        self._pushed: dict[str, int] = {}  # path in the repository → how many bytes of it are there
        self._new, self._hurry, self._closing, self._ended = (threading.Event() for _ in range(4))
        self._thread = threading.Thread(target=self._run, name="push feedback", daemon=True)

    def start(self) -> str:
        """Check the repository, start the thread, and return a line about it.

        Raises InosukeError where feedback may not be pushed. A Hub that cannot be reached is tried again later.
        """
        line = f"feedback is pushed to {self._repository.name}, a private repository"
        try:
            self._repository.sign_in()
            self._repository.newest(create=True)
        except HubAway as error:
            line = f"feedback waits on this disk and is pushed once the Hub answers: {error}"
        self._new.set()  # what an earlier process left on this disk
        self._thread.start()
        atexit.register(self.close)
        return line

    def wake(self) -> None:
        """Push soon: there is a new line."""
        self._new.set()

    def hurry(self) -> None:
        """Push at once and wait less between two pushes from now on: the server is about to end."""
        self._hurry.set()
        self._new.set()

    def close(self, seconds: float = LAST_PUSH) -> None:
        """Push what is left, and end. What the Hub does not take in that time stays on the disk, with a warning."""
        if self._ended.is_set():
            return
        self._closing.set()
        self.hurry()
        try:
            if self._thread.ident:  # was started
                self._thread.join(seconds)
        finally:  # Ctrl+C ends the wait
            self._ended.set()
        if left := self.unpushed():
            log.warning(
                "%d bytes of feedback were not pushed to %s. They are in %s: start the server on this disk again, or "
                "copy them.", left, self._repository.name, self._folder,
            )  # fmt: skip

    def unpushed(self) -> int:
        """Return how many bytes of feedback are on this disk alone."""
        server = self._id()
        sizes = {f"{server}/{path.name}": path.stat().st_size for path in feedback_files(self._folder)}
        return sum(max(0, size - self._pushed.get(path, 0)) for path, size in sizes.items())

    def _run(self) -> None:
        failures = 0
        while not self._ended.is_set():
            self._new.wait()
            self._new.clear()
            pause = self._every
            try:
                arrived = self._push()
            except Exception as error:  # whatever it is, the lines are still here and are tried again
                failures += 1
                pause = max(min(_RETRY * 2 ** (failures - 1), _LONGEST), getattr(error, "retry_after", 0))
                self._failed(error, pause)
                self._new.set()
            else:
                failures = 0
                if arrived:
                    self._count(True)
                else:
                    pause = 0
            if self._closing.is_set() and not self._new.is_set():
                return
            if self._hurry.wait(pause):
                self._ended.wait(1)

    def _push(self) -> bool:
        """Send what the repository lacks. Return whether there was anything."""
        for _ in range(_RACES):
            if not self._waiting():
                return False
            commit = self._repository.newest(create=True)
            # Read after the commit was looked up: whoever shares this folder may have pushed more of it until then.
            files = self._waiting()
            if not self._repository.continues(files, commit):
                # This disk is a copy of another server's, and both have gone on.
                self._rename()
                continue
            lines = sum(data.count(b"\n", self._pushed.get(path, 0)) for path, data in files.items())
            try:
                self._repository.commit(files, f"Feedback: {lines} lines", commit)
            except Overtaken:
                continue
            self._pushed |= {path: len(data) for path, data in files.items()}
            log.info("pushed %d lines of feedback to %s", lines, self._repository.name)
            return True
        raise HubAway(f"{self._repository.name}: other servers were faster {_RACES} times.")

    def _failed(self, error: Exception, pause: float) -> None:
        if not isinstance(error, InosukeError):  # not the Hub's answer but a bug
            log.error("%s", self._repository.hidden("".join(traceback.format_exception(error))))
        log.warning(
            "feedback was not pushed: %s It stays on this disk, and is tried again in %d s.",
            self._repository.hidden(str(error)), pause,
        )  # fmt: skip
        self._count(False)

    def _waiting(self) -> dict[str, bytes]:
        return {path: data for path, data in self._files().items() if len(data) != self._pushed.get(path, 0)}

    def _files(self) -> dict[str, bytes]:
        """Return path in the repository → the whole lines of each file."""
        files = feedback_files(self._folder)
        server = self._server() if files else ""
        # A line that is being written has no end yet.
        return {f"{server}/{p.name}": data[: data.rfind(b"\n") + 1] for p in files for data in [p.read_bytes()]}

    def _server(self) -> str:
        if not self._id():
            self._rename()
        return self._id()

    def _id(self) -> str:
        """Return the id that lies beside the feedback, or an empty text."""
        path = self._folder / _ID
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        return text if re.fullmatch(r"[0-9a-f]{16}", text) else ""

    def _rename(self) -> None:
        write_atomically(self._folder / _ID, secrets.token_hex(8))
