"""Who "he" is: whether a dialogue names the person that a question is about, or else its topic does.

A source can say in its topic line alone whom a dialogue is about. A model never reads that line, so
:func:`curation.chat.with_topic` says it where the dialogue needs it. Words and letters only: no model, no chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

from curation.persona import Persona
from curation.record import Flag, Message, Sample

# Third persons. The last group can stand for a thing that was just named, so it counts only where little stands before.
_PERSONS = re.compile(
    r"(?<!\w)(?:hắn(?: ta)?|gã(?: ta)?|ả(?: ta)?|mụ(?: ta)?|y|(?:lão|ông|bà|cô|anh|chị|cậu) (?:ta|ấy|đó|kia)"
    r"|(?:em|thằng|tên|người) (?:ấy|đó|kia)|he|him|his|she|her)(?!\w)",
    re.IGNORECASE,
)
_CALLED = re.compile(r"\W*(?:cậu|anh|chị|cô|ông|bà|thằng|tên) kia(?!\w)", re.IGNORECASE)
_ASKS = re.compile(
    r"\?|(?<!\w)(?:không|chưa|sao|gì|nào|thế nào|à|hả|nhỉ|đâu|what|how|why|who|where|do you|did you|have you)\W*$",
    re.IGNORECASE,
)
_THINGS_TOO = re.compile(r"(?<!\w)(?:nó|họ|it|they|them)(?!\w)", re.IGNORECASE)
_WORDS_BEFORE = 2
# What can be the referent without a name.
_PEOPLE_WORDS = """bố mẹ cha má ông bà anh chị em cô chú bác cháu con thằng tên kẻ người đứa bạn thầy vợ chồng quỷ chúa
địch đối thủ sư trụ kiếm lão hắc vua lũ bọn ai father mother dad mom boy girl man woman demon friend guy brother
sister king lord master teacher enemy someone anyone somebody who old kid child wife husband"""
_PEOPLE = frozenset(_PEOPLE_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_START = re.compile(r"(?:(?:^|\n)\s*[-–—]?|[.!?…:;\"“”‘(]|(?<!\w)['’])\s*[\"“‘'(]*$")
# Words that begin sentences, so that a capital says nothing about them.
_OPENER_WORDS = """when if how what who why where which whose do does did is are was were can could will would shall
should has have had so and but or he she they him her his it i you we the a an that this these those my your our maybe
perhaps tell say oh hey hi hello no not yes yeah well ok okay please let after before while since because don't isn't
didn't there here then now once one some any even just only still about imagine suppose remember think never always
nothing nobody sure right fine good great bad strong weak stop wait run fight eat come go look listen ha hah hmph bah"""
_OPENERS = frozenset(_OPENER_WORDS.split())
_VIETNAMESE = re.compile("[\u00e0-\u01b0\u1ea1-\u1ef9]")
# A syllable that Vietnamese could have: what begins a sentence and is not one is a name.
_SYLLABLE = re.compile(
    r"(?:ngh|ch|gh|gi|kh|ng|nh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?"
    r"[aeiouyăâêôơư\u00e0-\u00fd\u1ea1-\u1ef9]{1,3}(?:ch|ng|nh|[cmnpt])?"
)
# "Đoạn hội thoại về Douma.", "A talk about Douma": what stands behind the last of these words is the subject.
_ABOUT = re.compile(
    r"(?<!\w)(về|about|on|regarding)\s+(?!.*(?<!\w)(?:về|about|regarding)\s)(.+)$", re.IGNORECASE | re.DOTALL
)
_MOST_WORDS = 8


def mention(sample: Sample, names: Iterable[str] = ()) -> str:
    """Return what a question leaves out and the topic has, as ``Về Douma`` or ``About Douma``, else "".

    That is so where a user turn speaks of a third person whom no turn before it names, and nothing said so far has a
    name of the topic's subject or, of a subject without names, all of its words. ``names`` are the character's.
    """
    own = _own(names)
    at = _asking(sample.messages, own)
    if at is None or not sample.topic:
        return ""
    about, subject, named = _subject(sample.topic.strip(), own)
    words = _WORD.findall(subject)
    said = {word.casefold() for m in sample.messages[: at + 1] for word in _WORD.findall(m.content)}
    if not words or any(word.casefold() in said for word in named):
        return ""
    if not named and any(m.role == "user" for m in sample.messages[:at]):
        return ""  # what was said before is as likely to be meant
    if not named and all(word.casefold() in said for word in words):
        return ""
    english = about.casefold() != "về" if about else sample.language == "en"
    return f"{'About' if english else 'Về'} {subject}"


def _subject(topic: str, own: Set[str]) -> tuple[str, str, list[str]]:
    """Return a topic's preposition, its subject and the names in it; of a long one, the names are the subject."""
    found = _ABOUT.search(topic)
    subject = (found[2] if found else topic).strip().rstrip(".!?… ")
    names = _names(subject if found else f"- {subject}") - own
    named = [word for word in _WORD.findall(subject) if word.casefold() in names]
    if found and len(_WORD.findall(subject)) <= _MOST_WORDS:
        return found[1], subject, named
    return (found[1] if found else ""), " ".join(named), named


def _asking(messages: Sequence[Message], own: Set[str]) -> int | None:
    """Return the number of the first user turn that is about a third person whom no turn before it names."""
    for at, message in enumerate(messages):
        if message.role == "user" and pronoun(message.content, own) is not None:
            return at
        if _names(message.content) - own:
            return None
    return None


def _own(names: Iterable[str]) -> frozenset[str]:
    """Return the words of the character's names, in small letters."""
    return frozenset(word.casefold() for name in names for word in _WORD.findall(name))


def pronoun(text: str, own: Set[str] = frozenset()) -> str | None:
    """Return the first third person of a text that nothing before it explains, or None.

    ``own`` are the words of the character's names, in small letters.
    """
    if match := _PERSONS.search(text):
        return match[0]
    match = _THINGS_TOO.search(text)
    if match is None:
        return None
    before = [word for word in _WORD.findall(text[: match.start()]) if word.casefold() not in own]
    return match[0] if len(before) <= _WORDS_BEFORE else None


def check(sample: Sample, persona: Persona) -> tuple[Flag, ...]:
    """Flag a dialogue with a question about a person whom nothing names: no turn, and not the topic."""
    own = _own(persona.names)
    at = _asking(sample.messages, own)
    if at is None or mention(sample, persona.names):
        return ()
    text = sample.messages[at].content
    match = _PERSONS.search(text)
    # `Cậu kia` is said to someone; who tells of a person of their own (`Cậu ấy không thích lại tôi.`) need not name
    # them, and among several people of a scene the one who is meant may be there.
    if match is None or _CALLED.match(text) or not _ASKS.search(text[match.start() :]):
        return ()
    if len({m.name for m in sample.messages if m.role == "user" and m.name} - set(persona.user_labels)) > 1:
        return ()
    if any(_names(text) - own for text in (*(m.content for m in sample.messages), sample.topic or "")):
        return ()
    asked = " ".join(_PERSONS.sub(" ", m.content) for m in sample.messages[: at + 1])
    if any(word.casefold() in _PEOPLE for word in _WORD.findall(asked)):
        return ()
    return (Flag("lost_referent", match[0]),)


def _names(text: str) -> set[str]:
    """Return the words of a text that look like names, in small letters."""
    found = set()
    vietnamese = bool(_VIETNAMESE.search(text.casefold()))
    for match in _WORD.finditer(text):
        word = match[0]
        if not word[0].isupper() or word.isupper():
            continue
        if _SENTENCE_START.search(text[: match.start()]):
            common = _SYLLABLE.fullmatch(word.casefold()) if vietnamese else word.casefold() in _OPENERS
            if common:
                continue
        found.add(word.casefold())
    return found
