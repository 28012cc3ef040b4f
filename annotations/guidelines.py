"""The guidelines that annotators go by: which file, which version, in which language, and as HTML.

The file is persona.toml's ``[review] guidelines``, or docs/guidelines.md of the project, or the one that comes with
the program. A version is a hash of the text: the same text is the same version on every machine.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from markdown_it import MarkdownIt
from markupsafe import Markup

from curation.codes import Language
from curation.errors import UsageError
from curation.persona import Persona

_OWN = Path("docs") / "guidelines.md"
# The part of the file behind such a line is for readers of that language.
_PART = re.compile(r"^[ \t]*<!--\s*language:\s*([a-z]{2})\s*-->[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HISTORY = "guidelines"


@dataclass(frozen=True, slots=True)
class Guidelines:
    """Guidelines as Markdown. ``version`` is "" and ``path`` None where there are none."""

    text: str = ""
    version: str = ""
    path: Path | None = None

    def for_readers_of(self, language: Language) -> str:
        """Return the part in a language: of a file without parts the whole, of a file without this one the first."""
        pieces = _PART.split(self.text)
        parts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
        return (parts.get(language) or next(iter(parts.values())) if parts else self.text).strip()

    def html(self, language: Language) -> Markup:
        """Return the part in a language as HTML. Tags in the text are shown as text; nothing is fetched for it."""
        text = _COMMENT.sub("", self.for_readers_of(language))
        # Pictures would be fetched from other hosts.
        renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
        return Markup(renderer.render(text))  # noqa: S704 (markdown-it escapes all tags with html off)


def read_guidelines(persona: Persona) -> Guidelines:
    """Return the guidelines in force. Raises UsageError where persona.toml names a file that cannot be read."""
    named = persona.review.guidelines
    places = [persona.root / named] if named else [persona.root / _OWN, Path(__file__).parents[1] / _OWN]
    path = next((place for place in places if place.is_file()), None)
    if path is None and not named:
        return Guidelines()
    try:
        text = (path or places[0]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{places[0]}: the guidelines cannot be read ({error}). Expected a Markdown file in UTF-8: create it, or "
            "change `guidelines` in the [review] table of persona.toml."
        ) from None
    text = unicodedata.normalize("NFC", "\n".join(text.splitlines()))
    return Guidelines(text, hashlib.sha256(text.strip().encode()).hexdigest()[:12], path)


# ---------------------------------------------------------------- versions in a store


class _Meta(Protocol):
    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...


class Keeps(Protocol):
    """The parts of a review store that remember versions."""

    guidelines: str

    @property
    def meta(self) -> _Meta:
        """Values by key."""

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Era:
    """A version and when it came into force (ISO 8601, UTC)."""

    version: str
    since: str


def put_in_force(store: Keeps, version: str) -> None:
    """Let every verdict of this store record a version from now on, and note since when it is in force."""
    if store.guidelines == version:
        return
    store.guidelines = version
    known = history(store)
    if version and (not known or known[-1].version != version):
        now = datetime.fromtimestamp(store.clock(), UTC).isoformat(timespec="seconds")
        rows = [[one.version, one.since] for one in (*known, Era(version, now))]
        store.meta.set(_HISTORY, json.dumps(rows))


def history(store: Keeps) -> list[Era]:
    """Return the versions that were in force in this store, oldest first. A version that came back is there twice."""
    return [Era(version, since) for version, since in json.loads(store.meta.get(_HISTORY) or "[]")]
