"""One question, opposite answers: yes to one row and no to another. Pure.

Two questions are one where they differ in case, marks, the character's name, the word for "you", or a closing particle.
An answer counts as yes or no by how it begins; most replies are neither. Only the first exchange of a dialogue is
looked at, since what is said later depends on what came before.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from curation.contracts.rows import ChatRow

_MARKS = re.compile(r"[^\w\s]+")
_CAPITAL = re.compile(r"(?<=\w )[A-ZĐÀ-Ỹ]\w+")
_YOU = re.compile(r"\b(?:nhà ngươi|ngươi|mày|cậu|bạn|mi|you)\b")
_PARTICLES = re.compile(r"(?:\s+(?:nhỉ|nhé|nha|thế|vậy|hả|à|ạ|hử|hở|hở|đấy|đó|cơ|nào|then|huh))+$")
# What a question that can be answered with yes or no looks like.
_YES_NO = re.compile(
    r"\b(?:không|chưa|hông|hôn|ko)\s*(?:nhỉ|nhé|thế|vậy|hả|ạ|đấy|đó|nào|cơ)?\s*[?.!…]*$"
    r"|\b(?:à|hả|phải không|đúng không|sao|chứ)\s*[?.!…]*$"
    r"|^(?:do|does|did|are|is|was|were|can|could|will|would|have|has|had|should|am)(?:n['’]t)?\b",
    re.IGNORECASE,
)
# Sounds that may come before an answer.
_SOUNDS = re.compile(
    r"^(?:(?:h[aáàảăâ]+|hừ+m?|hm+|à+|á+|ồ+|ờ+|ơ+|ê+|hả|gì|(?:ha){2,}h?|hah|oh|huh|hmph?|grr+)\b[\s\W]*)+"
)
_NO = re.compile(
    r"^(?:(?:không|chẳng|chả|hổng|ko)(?! (?:ai|gì|những|chỉ|biết|nhớ|rõ|thể không|đứa nào|kẻ nào|con nào)\b)"
    r"|chưa(?! (?:chắc|biết|rõ)\b)|đời nào|còn lâu|đừng hòng|đâu có|làm gì có|never|no|nope|nah|of course not|not)\b"
)
_YES = re.compile(
    r"^(?:có(?! (?:ai|gì|khi|lẽ|mà|điều|vẻ|thể|đâu|phải|mỗi|cái gì|đứa|kẻ|con|thằng)\b)"
    r"|ừ|ừm|đúng|dĩ nhiên|tất nhiên|đương nhiên|chắc chắn|hẳn rồi|luôn luôn|rồi(?=\s*[!.,…]|$)"
    r"|phải(?= rồi| chứ|\s*[!.,…])|được(?= chứ|\s*[!.,…])|yes|yeah|yep|sure|of course|always|certainly|obviously)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A row that answers a question: its id, where it comes from, and the reply."""

    id: str
    place: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """One question, as the first row asks it, and the rows that say yes and no to it."""

    question: str
    yes: tuple[Answer, ...]
    no: tuple[Answer, ...]


def folded(question: str, names: Collection[str]) -> str:
    """Return the form in which two questions are one; ``names`` are the character's."""
    text = unicodedata.normalize("NFC", question).casefold()
    for name in sorted(map(str.casefold, names), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text)
    text = _YOU.sub("you", _MARKS.sub(" ", text))
    return _PARTICLES.sub("", " ".join(text.split()))


def says(reply: str) -> str:
    """Return ``yes``, ``no``, or an empty text for a reply that begins with neither."""
    text = _SOUNDS.sub("", unicodedata.normalize("NFC", reply).casefold().lstrip(" \"'“‘.…!-"))
    return "no" if _NO.match(text) else "yes" if _YES.match(text) else ""


def contradictions(rows: Sequence[ChatRow], names: Collection[str]) -> list[Contradiction]:
    """Return the questions to which some rows say yes and some no; those with most rows come first."""
    groups: dict[tuple[str, str], list[tuple[str, str, Answer]]] = defaultdict(list)
    for key, asked, answer in _first_exchanges(rows, names):
        if _YES_NO.search(asked.strip()) and (said := says(answer.reply)):
            groups[key].append((asked, said, answer))
    found = []
    for group in groups.values():
        yes, no = (tuple(answer for _, said, answer in group if said == side) for side in ("yes", "no"))
        if yes and no:
            found.append(Contradiction(question=group[0][0], yes=yes, no=no))
    return sorted(found, key=lambda c: (-len(c.yes) - len(c.no), c.question))


def repeated(rows: Sequence[ChatRow], names: Collection[str]) -> dict[str, int]:
    """Return how many questions stand in several rows (``questions``), and in how many (``rows``)."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for key, _, _ in _first_exchanges(rows, names):
        counts[key] += 1
    several = [n for n in counts.values() if n > 1]
    return {"questions": len(several), "rows": sum(several)}


def _first_exchanges(rows: Sequence[ChatRow], names: Collection[str]) -> Iterator[tuple[tuple[str, str], str, Answer]]:
    """Yield (what identifies the question, the question, the answer) of rows of dialogue.

    Where only the topic names a person, that name is a part of the question: "Do you like him?" about two people are
    two questions.
    """
    for row in rows:
        if row["kind"] not in ("conversation", "generic_qa"):
            continue
        turns = [m for m in row["messages"] if m["role"] != "system"]
        at = next((n for n, m in enumerate(turns) if m["role"] == "assistant"), 0)
        asked = "\n".join(m["content"] for m in turns[:at])
        if asked:
            answer = Answer(id=row["id"], place=f"{row['source']}, {row['locator']}", reply=turns[at]["content"])
            named = _CAPITAL.findall(row["topic"] or "")
            about = "" if any(name in asked for name in named) else " ".join(named)
            yield (folded(asked, names), about), asked, answer
