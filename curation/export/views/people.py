"""How the character speaks of each person and to each person: the words for them, counted. Pure.

A person is a name: words with capital letters in the middle of sentences, in several rows. The words are counted in
the replies of rows whose prompt, topic or speaker names this person and no other, so a "hắn" is probably theirs.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from curation.contracts.rows import ChatRow
from curation.export.exported_rows import replies
from curation.faults.dialogue import NOT_NAMES

LEAST_ROWS = 5  # a name in fewer rows is left out
MIXED = 0.8  # below this share of the most frequent word, a person has no settled one

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# A run of capitalised words that does not begin a sentence or a quotation.
_NAME = re.compile(r"(?<=[^\W\d_,;] |[,;] )((?:[A-ZĐÀ-ỸĀ-Ž][^\W\d_]+)(?: [A-ZĐÀ-ỸĀ-Ž][^\W\d_]+)*)")
# Words for a third person, the longer ones first: `tụi nó` is not `nó`.
_THIRD = (
    "ông ấy", "ông ta", "bà ấy", "bà ta", "anh ấy", "anh ta", "chị ấy", "chị ta", "cô ấy", "cô ta", "em ấy", "cậu ấy",
    "cậu ta", "thằng đó", "thằng ấy", "thằng này", "thằng nhóc", "con nhỏ", "con bé", "cô bé", "tên đó", "tên ấy",
    "gã đó", "mụ đó", "lão đó", "tụi nó", "bọn nó", "chúng nó", "bọn chúng", "hắn", "nó", "gã", "mụ", "lão", "ả",
    "ổng", "bả", "he", "she", "it", "they",
)  # fmt: skip
_SECOND = (
    "nhà ngươi", "các ngươi", "lũ ngươi", "bọn ngươi", "chúng mày", "bọn mày", "tụi bay", "ngươi", "mày", "mi", "cậu",
    "bạn", "nhóc", "you",
)  # fmt: skip
_ENGLISH = frozenset({"he", "she", "it", "they", "you"})
_FORMS = {"him": "he", "his": "he", "her": "she", "hers": "she", "its": "it", "them": "they", "their": "they"}
_FORMS |= {"your": "you", "yours": "you"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """How the replies speak of a person (``referred``) and to them (``addressed``): rows with each word.

    ``rows`` is the number of rows that name this person alone. The name is empty for whoever talks with the character.
    ``table`` holds the words that ``[address]`` of persona.toml gives for this person, none without an entry.
    """

    name: str
    rows: int
    referred: Mapping[str, int]
    addressed: Mapping[str, int]
    table: tuple[str, ...] = ()

    @property
    def beside_table(self) -> dict[str, int]:
        """The Vietnamese words for the person that the table does not have; empty without an entry in it."""
        fine = {part for form in self.table for part in (form.casefold(), form.casefold().split()[-1])}
        counts = self.addressed if not self.name else self.referred
        return {w: n for w, n in counts.items() if self.table and w not in _ENGLISH and w not in fine and w != "nó"}

    @property
    def settled(self) -> float:
        """The share of each language's most frequent word among all words for the person; 1 where there is none."""
        english, other = (
            [n for word, n in self.referred.items() if (word in _ENGLISH) == is_english] for is_english in (True, False)
        )
        if not self.referred:
            return 1.0
        return (max(english, default=0) + max(other, default=0)) / sum(self.referred.values())

    @property
    def mixed(self) -> bool:
        """Whether the replies of a language use several words for the person, and none of them nearly always.

        With an entry in the table, whether they use words that it does not have.
        """
        if self.table:
            return bool(self.beside_table)
        return sum(self.referred.values()) >= LEAST_ROWS and self.settled < MIXED


def people(
    rows: Sequence[ChatRow], own: Collection[str], table: Mapping[str, Sequence[str]] | None = None
) -> list[Person]:
    """Return the people of an export, the most frequent first, and whoever talks with the character before them.

    ``own`` are the character's names and the labels of the user. ``table`` is ``[address]`` of persona.toml: whoever
    has an entry is listed, however few rows name them.
    """
    table = table or {}
    known = names(rows, own) | {name: 0 for name in table if name not in NOT_NAMES}
    about: dict[str, list[str]] = defaultdict(list)
    to: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        said = "\n".join(replies(row))
        speakers = {str(m["name"]) for m in row["messages"] if m["role"] == "user" and m["name"] in known}
        to[speakers.pop() if len(speakers) == 1 else ""].append(said)
        asked = "\n".join(m["content"] for m in row["messages"] if m["role"] == "user")
        named = set(_mentioned(asked, known)) or set(_mentioned(row["topic"] or "", known))
        if len(named) == 1:
            about[named.pop()].append(said)
    found = [
        Person(
            name=name,
            rows=len(about[name]),
            referred=_counted(about[name], _THIRD),
            addressed=_counted(to.get(name, ()), _SECOND),
            table=tuple(table.get(name, ())),
        )
        for name in known
        if about[name] or name in to or name in table
    ]
    talking = Person(
        name="", rows=len(to[""]), referred={}, addressed=_counted(to[""], _SECOND), table=tuple(table.get("user", ()))
    )
    return [talking, *sorted(found, key=lambda person: (-person.rows, person.name))]


def names(rows: Sequence[ChatRow], own: Collection[str]) -> dict[str, int]:
    """Return the names in an export and the number of rows with each, the most frequent first.

    A word that mostly stands in lower case is not a name, and neither is one of ``own``.
    """
    texts = [_text(row) for row in rows]
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update({match[1] for match in _NAME.finditer(text)})
    words = Counter(word for text in texts for word in _WORD.findall(text))
    mine = {part.casefold() for name in own for part in (name, name.split()[0])}
    wanted = [
        name
        for name in seen
        if name.casefold() not in mine
        and not all(word.casefold() in mine for word in name.split())
        and all(words[word] > words[word.lower()] for word in name.split())
    ]
    everywhere = Counter(name for text in texts for name in set(_mentioned(text, wanted)))
    kept = {name: n for name, n in everywhere.most_common() if n >= LEAST_ROWS and seen[name] >= 2}
    return dict(sorted(kept.items(), key=lambda pair: (-pair[1], pair[0])))


def _text(row: ChatRow) -> str:
    labels = [str(m["name"]) for m in row["messages"] if m["role"] == "user" and m["name"]]
    turns = [m["content"] for m in row["messages"] if m["role"] != "system"]
    return "\n".join([row["topic"] or "", *turns, *(f"with {label}" for label in labels)])


def _mentioned(text: str, known: Collection[str]) -> Iterator[str]:
    """Yield the known names in a text; a name inside a longer one does not count."""
    words = _WORD.findall(text)
    longest = max((name.count(" ") + 1 for name in known), default=0)
    at = 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            if (name := " ".join(words[at : at + length])) in known:
                yield name
                at += length - 1
                break
        at += 1


def _counted(texts: Sequence[str], words: Sequence[str]) -> dict[str, int]:
    """Return in how many texts each of the words stands, the most frequent first."""
    forms = [*words, *_FORMS]
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(forms, key=len, reverse=True)))})\b")
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({_FORMS.get(word, word) for word in pattern.findall(text.casefold())} & set(words))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
