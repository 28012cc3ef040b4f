"""A few lines about what has fallen out of a conversation: who the visitor is, what was agreed. The client keeps them.

The served model sums up. A small one invents, so only lines whose words were said count. Where most were not, the
visitor's own sentences that state a fact are quoted instead. Older lines stay as they are: the visitor may have written
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from curation.chat import language_of
from curation.persona import Persona
from curation.record import Message
from serve.answering.service import Service
from serve.engine import Cancelled, ConversationTooLong, CountsTokens, Delta, Done, Settings

# The memory that is made: older lines go first when there is more.
MOST_LINES = 12
MOST_CHARS = 1200
_LONGEST_LINE = 160
# The share of a line's words that must have been said. Below, a model makes things up.
_SAID = 0.8
# Of the model's lines, how many must be good for any of them to count.
_GOOD = 0.5

_WORDS = {
    "vi": (
        "Ngươi tóm tắt hội thoại. Viết nhiều nhất ba dòng ngắn, ngôi thứ ba, chỉ gồm những gì đã được nói.",
        "Tóm tắt: người đối thoại là ai, thích gì, và hai bên đã hẹn điều gì?",
        "Người đối thoại",
        "Người đối thoại nói",
    ),
    "en": (
        "You summarise conversations. Write at most three short lines in the third person, only what was said.",
        "Summary: who is the visitor, what do they like, and what was agreed?",
        "Visitor",
        "The visitor said",
    ),
}
# What a visitor says of themselves or promises, in Vietnamese and in English. Anything else goes by the English words.
_FACT = re.compile(
    r"""\b(?:
    tên\ (?:của\ )?(?:tôi|tớ|mình|em|anh|chị|tao|tui)\ là
    | gọi\ (?:tôi|tớ|mình|em|anh|chị|tao|tui)\ là
    | (?:tôi|tớ|mình|em|anh|chị|tao|tui|con|cháu)\ (?:tên|là)
    | (?:tôi|tớ|mình|em|anh|chị|tao|tui|con|cháu)\ (?:(?:rất|không|cũng|đang|sẽ|vừa|từng|hay)\ )?
      (?:thích|ghét|yêu|sống|ở|làm|học|có|sợ|muốn|nuôi|bị|dị\ ứng|sinh|ăn|đi|đến|tặng|mang)
    | hứa | hẹn | đồng\ ý | thoả\ thuận | thỏa\ thuận | đừng\ quên | nhớ\ nhé | nhớ\ là
    | my\ name\ is | call\ me | i(?:'m|'ll|'d|\ am|\ was) | my\ \w+(?:\ \w+)?\ (?:is|was|are)
    | i\ (?:(?:also|really|never|always)\ )?
      (?:live|work|study|like|love|hate|have|want|need|prefer|come|keep|promise|will|can't)
    | we(?:'ll|\ will|\ agreed|\ meet) | let's | promise | remember | don't\ forget | agreed
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")


def remember(service: Service, turns: Sequence[Message], memory: str, gone: Cancelled) -> str | None:
    """Return the memory with what ``turns`` add to it, or None once the client has gone.

    The model works in the background: it stops for every visitor and begins again. Raises LineFull where it never gets
    the time.
    """
    said = service.waiting_line.in_background(lambda stop: _ask(service, turns, stop), gone)
    if said is None:
        return None
    return added(memory, supported(said, turns) or quotes(turns, service.persona))


def supported(said: str, turns: Sequence[Message]) -> list[str]:
    """Return the lines of a model's summary that were said in other words, or none where most of them were not."""
    given = " ".join(text for texts in _WORDS.values() for text in texts)
    heard = {word for turn in turns for word in _words(turn.content)} | _words(given)
    turns_as_lines = {" ".join(turn.content.split()).casefold() for turn in turns if turn.role == "assistant"}
    lines = [line for raw in said.splitlines() if (line := _line(raw))]
    good = [
        line
        for line in lines
        if len(line) <= _LONGEST_LINE
        and not line.endswith("?")
        and line.casefold() not in turns_as_lines
        and len(words := re.findall(r"\w+", line.casefold())) >= 3
        and len(set(words)) >= 0.6 * len(words)
        and sum(word in heard for word in words) >= _SAID * len(words)
    ]
    return good if len(good) >= _GOOD * len(lines) else []


def quotes(turns: Sequence[Message], persona: Persona) -> list[str]:
    """Return the visitor's sentences that state a fact, marked as theirs."""
    mark = _words_of(turns, persona)[3]
    found = []
    for turn in turns:
        for sentence in _SENTENCE.findall(turn.content) if turn.role == "user" else ():
            sentence = " ".join(sentence.split())
            if 8 <= len(sentence) <= _LONGEST_LINE and not sentence.endswith("?") and _FACT.search(sentence):
                found.append(f"{mark}: “{sentence}”")
    return found


def added(memory: str, lines: Iterable[str]) -> str:
    """Return a memory with new lines at its end, each once, without the oldest ones where it would be too long."""
    kept: dict[str, str] = {}
    for raw in (*memory.splitlines(), *lines):
        if line := _line(raw):
            kept.setdefault(line.casefold(), line)
    whole = list(kept.values())[-MOST_LINES:]
    while len(whole) > 1 and sum(len(line) + 3 for line in whole) > MOST_CHARS:
        whole.pop(0)
    return "\n".join(f"- {line}" for line in whole)[:MOST_CHARS]


def _ask(service: Service, turns: Sequence[Message], stop: Cancelled) -> str | None:
    """Return what the model writes about these turns, or None where it was stopped."""
    rules, question, visitor, _ = _words_of(turns, service.persona)
    lines = [f"{visitor if turn.role == 'user' else service.persona.name}: {turn.content.strip()}" for turn in turns]
    settings = service.settings.model_copy(update={"temperature": 0.0, "max_new_tokens": 120, "seed": None, "stop": ()})
    while lines:
        prompt = (Message("system", rules), Message("user", "\n".join((*lines, "", question))))
        if _fits(service, prompt, settings):
            break
        lines = lines[len(lines) // 4 + 1 :]  # the latest are the likeliest to matter still
    else:
        return ""
    text = []
    for event in service.engine.stream(prompt, settings, stop):
        if isinstance(event, Delta):
            text.append(event.text)
        elif isinstance(event, Done) and event.finish_reason == "cancelled":
            return None
    return "".join(text)


def _fits(service: Service, prompt: Sequence[Message], settings: Settings) -> bool:
    if isinstance(service.engine, CountsTokens):
        try:
            service.engine.check(prompt, settings)
        except ConversationTooLong:
            return False
    return True


def _words_of(turns: Sequence[Message], persona: Persona) -> tuple[str, str, str, str]:
    return _WORDS.get(language_of(turns, persona).lower().split("-")[0], _WORDS["en"])


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _line(text: str) -> str:
    return " ".join(text.split()).lstrip("-*• ").strip()
