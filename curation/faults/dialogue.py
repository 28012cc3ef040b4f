"""What shows only beside other turns: a reply that repeats the prompt, and the wrong words for a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rapidfuzz import fuzz

from curation.checks import own_speech
from curation.faults.syllables import is_syllable
from curation.faults.words import blanked, whole
from curation.persona import Persona
from curation.record import Flag, Message

# A reply may repeat a shorter user's line ("Ta hả?") by chance.
_LINE_CHARS = 12
_ECHO_WORDS = 3
_MOST = 0.75  # of a question's letters, where a reply stops before its end
_SAME = 95.0  # fuzz.ratio: one letter of twenty
_WORDS = re.compile(r"[^\W_]+")

# Keys of the table `[address]` that are not the name of a third person.
NOT_NAMES = ("self", "user")
# The words for "you" in speech to one person. Kinship terms (anh, chị, ông) are left out: they name others as well.
_YOU = ("ngươi", "mày", "mi", "cậu", "bạn", "cưng", "quý khách", "quý vị")
# Where these syllables are another word: eyebrows and lashes, a third person, a friend, to pamper.
_NOT_YOU = re.compile(
    r"(?<!\w)(?:(?:lông|chân|mặt|cau|nhíu|nhướn|nhướng|chau|đôi) mày|mày (?:mò|đay|râu|ngài)|"
    r"(?:lông|hàng|rèm|bờ|cu) mi|mi (?:mắt|cong|ni|li|nhon)|"
    r"cậu (?:ấy|ta|bé|chủ|út|nhóc|họ|ruột|ông|con|kia|này)|"
    # A bạn is a friend, unless the word greets someone or begins a request.
    r"(?<!chào )(?<!chúc )(?<!cảm ơn )bạn(?! (?:ơi|nhé|nha|hãy|có thể|cần|nên|cứ|đừng)(?!\w))"
    r"(?!(?:(?<=^bạn)|(?<=[.!?…] bạn)) (?:cầm|lấy|ngồi|chờ|đợi|thử|xem|nhìn|nghe)(?!\w))|"
    r"cưng(?! (?:ơi|à|nhé|nha)(?!\w)))(?!\w)",
    re.IGNORECASE,
)
# The words for "I" that are nothing else, and where their syllables are another word: servants, to temper, refined.
_I = ("tao", "tớ", "tôi", "tui", "ông đây", "bổn tọa", "bản tọa", "lão tử", "bố mày", "bố đây")
_NOT_I = re.compile(
    r"(?<!\w)(?:bề tôi|tôi (?:tớ|đòi|luyện|thép|rèn|vôi)|tao (?:nhã|đàn|ngộ)|thanh tao|đầy tớ)(?!\w)", re.IGNORECASE
)
# `Em không đi, chị đi đi!`: the first begins a clause and does something, the other is told something.
_KIN = re.compile(
    r"(?:^|[.!?…]\s)(?P<self>anh|em|chị|con|cháu|cô|chú|bác|mẹ|bố)\s(?:không|chưa|sẽ|đã|đang|cũng|vẫn|ăn|đi|là|xin|thương|"
    r"yêu|nhớ|muốn|biết|về|ở|có)(?!\w)[^.!?\n]{0,60}(?<!\w)(?P<you>anh|em|chị|con|cháu|cô|chú|bác|mẹ|bố)\s"
    r"(?:\w+\s){0,4}(?:đi|nhé|nha|ạ|à|ơi|nào|thôi)(?!\w)",
    re.IGNORECASE,
)
# `Em không sợ anh đâu!`: the first does something to the other, and a particle ends the sentence.
_KIN_TOLD = re.compile(
    r"(?:^|[.!?…]\s)(?P<self>anh|em|chị|con|cháu)\s(?:không|chưa|sẽ|đã|đang|cũng|vẫn|xin|thương|yêu|nhớ|muốn|biết|ghét|sợ|quý)"
    r"(?!\w)(?:\s\w+){0,3}\s(?P<you>anh|em|chị|cô|chú|bác|mẹ|bố|ông|bà)\s(?:đâu|lắm|mà|nữa|rồi|nhiều|quá)(?=\s?[.!?…])",
    re.IGNORECASE,
)
# `mình` is also "oneself" and "body": it is "I" at the beginning of a clause beside a friend who is spoken to.
_FRIENDS = re.compile(
    r"(?:(?:^|[.!?…,]\s)(?P<self>mình|tớ)\s(?:thấy|nghĩ|sẽ|đã|đang|cũng|không|chẳng|muốn|thích|biết|thổi|đấm|đánh|tin|là|"
    r"có|rất|vui|chỉ)(?!\w)[^.!?\n]{0,80}(?<!\w)(?P<you>bạn|cậu)(?!\w))",
    re.IGNORECASE,
)
_FRIENDS_TURNED = re.compile(
    r"(?:^|[.!?…]\s)(?P<you>bạn|cậu)(?!\w)(?! (?:ấy|ta|bè|bé|chủ))[^.!?\n]{0,60},\s(?P<self>mình|tớ)(?!\w)",
    re.IGNORECASE,
)
# `Em không mệt, em chạy tiếp!`: the same word begins both clauses, and only the speaker is spoken of. Other words of
# kinship are a third person's as often.
_KIN_TWICE = re.compile(
    r"(?:^|[.!?…]\s)(?P<self>em|cháu)\s(?:không|chưa|chẳng|sẽ|đã|đang|cũng|vẫn|vừa|muốn|biết)(?!\w)[^.!?\n]{0,60},\s(?P=self)\s"
    r"(?!bé|ấy|gái|trai|út|họ)",
    re.IGNORECASE,
)
# `Anh cứ lấy đi!`, `Chị đừng lo!`: told what to do, at the beginning of a sentence.
_KIN_ASKED = re.compile(
    r"(?:^|[.!?…]\s)(?P<you>anh|chị|em|cô|chú|bác|cháu)\s(?:(?:hãy|đừng)\s|cứ\s[^.!?\n]{1,40}(?<!\w)(?:đi|nhé|nha)(?!\w))",
    re.IGNORECASE,
)
# The words for one other person. `nó` is not among them: of nine that were seen, eight were a thing.
_OTHER = (
    "ông ấy", "ông ta", "lão ấy", "lão ta", "lão", "anh ấy", "anh ta", "chị ấy", "chị ta", "cô ấy", "cô ta", "bà ấy",
    "bà ta", "mụ ta", "cậu ấy", "cậu ta", "hắn ta", "hắn", "gã ta", "gã", "y ta", "thằng đó", "thằng ấy",
    "thằng này", "thằng nhóc", "thằng kia", "con bé", "con nhỏ", "con đó", "nhỏ đó",
)  # fmt: skip
_TITLES = ("ông", "lão", "anh", "chị", "cô", "bà", "mụ", "cậu", "thằng", "con", "gã", "nhỏ", "em", "bé")
# Where one of these is about, `hắn` may be someone else than the person who is named.
_THIRD = re.compile(r"\b(?:quỷ|địch|kẻ|tên|ai|đứa|con|thằng|gã|người|bọn|lũ|chúng|sư phụ|mẹ|cha|bố)\b", re.IGNORECASE)
_NAME = re.compile(r"(?:(?<=[^\W\d_] )|(?<=, ))[A-ZĐ][^\W\d_]{2,}|^[A-ZĐ][^\W\d_]{3,}(?=[ ,'’])", re.MULTILINE)


def in_dialogue(messages: Sequence[Message], persona: Persona) -> tuple[Flag, ...]:
    """Return the flags that a dialogue's turns raise together, each code once."""
    found: dict[str, Flag] = {}
    said: list[str] = []
    for message in messages:
        text = message.content.strip()
        if message.role == "user":
            said.append(text)
        elif message.role == "assistant":
            for flag in (
                *_repeats(text, said, (persona.name, *persona.aliases)),
                *_address(text, said[-1] if said else "", persona),
            ):
                found.setdefault(flag.code, flag)
    return tuple(flag for code, flag in found.items() if code not in persona.checks.off)


def _repeats(text: str, said: Sequence[str], names: Sequence[str]) -> Iterator[Flag]:
    reply = _folded(text)
    for line in said[-1:]:
        asked = _folded(line)
        words = asked.count(" ") + 1
        # The name that the question begins with may be left out, and its last word or two.
        called = next((name for name in names if asked.startswith(f"{name.casefold()} ")), "")
        bare = asked.removeprefix(f"{called.casefold()} ") if called else asked
        first = words > _ECHO_WORDS and reply.startswith((f"{asked} ", f"{bare} ")) and bare.count(" ") >= _ECHO_WORDS
        begun = reply.count(" ") >= _ECHO_WORDS and bare.startswith(f"{reply} ") and len(reply) >= _MOST * len(bare)
        same = max(fuzz.ratio(asked, reply), fuzz.ratio(bare, reply)) >= _SAME
        if words >= _ECHO_WORDS and reply and (first or begun or same):
            yield Flag("prompt_echoed", line[:80])
            return
    folded = text.casefold()
    repeated = next((s for s in said if len(s) >= _LINE_CHARS and s.casefold() in folded), "")
    if repeated:
        yield Flag("user_line_repeated", repeated[:80])


def _folded(text: str) -> str:
    return " ".join(_WORDS.findall(text.casefold()))


def _address(text: str, asked: str, persona: Persona) -> Iterator[Flag]:
    """Compare the words for people with the table ``[address]`` of persona.toml."""
    table = persona.address
    if not table:
        return
    own = own_speech(text)
    # A line on its own (`Say something …`) is said to no one in particular.
    to_user = "user" in table and asked and asked not in persona.dedup.template_prompts
    wrong = [
        *(_wrong_word("self", own, _I, table["self"], _NOT_I) if "self" in table else ()),
        *(_wrong_word("user", own, _YOU, table["user"], _NOT_YOU) if to_user else ()),
        *(_kin(own, table["self"], table.get("user", ())) if "self" in table and to_user else ()),
        *_wrong_other(
            own, asked, {name: words for name, words in table.items() if name not in NOT_NAMES}, persona.name
        ),
    ]
    if wrong:
        yield Flag("wrong_address", "; ".join(f"{who}: {word}" for who, word in dict.fromkeys(wrong))[:200])


def _wrong_word(
    who: str, text: str, words: Sequence[str], allowed: Sequence[str], other: re.Pattern[str]
) -> Iterator[tuple[str, str]]:
    """Yield the words of a kind that are not allowed, outside of the other words that they are part of."""
    fine = {part for form in allowed for part in (form.casefold(), *form.casefold().split())}
    wrong = [word for word in words if word not in fine]
    if wrong:
        yield from ((who, m.group()) for m in whole(*wrong).finditer(blanked(text, other.finditer(text))))


def _kin(text: str, own: Sequence[str], user: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield a word of kinship as "I" that stands beside another one as "you": ``Anh ăn rồi, em ăn đi!``."""
    fine = {form.casefold() for form in (*own, *user)}
    for pattern in (_KIN, _KIN_TOLD, _FRIENDS, _FRIENDS_TURNED):
        for match in pattern.finditer(text):
            if match["self"].casefold() not in fine and match["self"].casefold() != match["you"].casefold():
                yield "self", match["self"]
    yield from (("self", m["self"]) for m in _KIN_TWICE.finditer(text) if m["self"].casefold() not in fine)
    yield from (("user", m["you"]) for m in _KIN_ASKED.finditer(text) if m["you"].casefold() not in fine)


def _wrong_other(text: str, asked: str, table: Mapping[str, Sequence[str]], own_name: str) -> Iterator[tuple[str, str]]:
    """Yield what people of the table are called otherwise: before their name, and where no one else is spoken of."""
    named = [name for name in table if whole(name).search(f"{asked} {text}")]
    for name in named:
        fine = [form.casefold() for form in table[name]]
        for match in re.finditer(rf"(?<!\w)({'|'.join(_TITLES)}) {re.escape(name)}(?!\w)", text, re.IGNORECASE):
            title = match[1].casefold()
            if match.group().casefold() not in fine and not any(form.split()[0] == title for form in fine):
                yield name, match.group()
    if len(named) != 1:
        return
    [name] = named
    for form in table[name]:
        text = blanked(text, re.finditer(rf"(?<!\w){re.escape(form)}(?: (?:ấy|ta|đó|này|kia))?(?!\w)", text, re.I))
    allowed = {form.casefold() for form in table[name]}
    if not whole(name).search(asked):
        # `Rengoku á? Hắn ăn khỏe lắm!`: the reply names a person and goes on about that person.
        begun = re.match(rf"(?:Cái )?{re.escape(name)}(?: (?:á|à|hả|ấy|thì|ư))?\s?[?,!…]+\s+", text)
        rest = text[begun.end() :] if begun else ""
        spoken = whole(*_OTHER).match(rest)
        if spoken and spoken.group().casefold() not in allowed:
            yield name, spoken.group()
        return
    # The first word of a sentence has a capital as well.
    others = {word for word in _NAME.findall(asked) if not is_syllable(word)} - {name, *name.split(), own_name}
    if others or _THIRD.search(blanked(asked, whole(name).finditer(asked))):
        return
    yield from ((name, m.group()) for m in whole(*_OTHER).finditer(text) if m.group().casefold() not in allowed)
