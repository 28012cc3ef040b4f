"""What an export says little about. Pure.

Two lists, both simple on purpose. Everyday subjects: the rows whose prompts have a word of the subject, counted. And
questions that will be asked, which are the held-out prompts and the page's starters: those that share no two content
words with any prompt in train. Words are compared, not meanings, so a subject can be there in other words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.contracts.rows import ChatRow, HeldOutRow

LITTLE = 5  # a subject in fewer rows than this is a gap
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
# A word in more than this share of the prompts says nothing about their subject; neither does one of a single letter.
_COMMON = 0.02

# Subject → what names it, by language. A word may be several syllables; each counts as a whole word, in any case.
SUBJECTS: dict[str, dict[str, str]] = {
    "food": {
        "vi": "ăn, cơm, đói, bánh, thịt, cá, nấu, món, uống, bữa, trà, tempura",
        "en": "eat, food, hungry, rice, meat, cook, meal, drink, tea, lunch, dinner, dish",
    },
    "sleep and dreams": {"vi": "ngủ, mơ, giấc, thức", "en": "sleep, dream, tired, awake, nap"},
    "family": {
        "vi": "mẹ, cha, bố, anh em, gia đình, con cái, bà ngoại, ông nội",
        "en": "mother, father, family, parents, brother, sister, mom, dad",
    },
    "friends": {"vi": "bạn bè, bạn thân, kết bạn, tình bạn, đồng đội", "en": "friend, friends, friendship"},
    "love": {
        "vi": "yêu, thương, hẹn hò, cưới, vợ, chồng, người yêu",
        "en": "love, marry, girlfriend, boyfriend, kiss, date, wedding",
    },
    "sadness and comfort": {
        "vi": "buồn, khóc, cô đơn, an ủi, tuyệt vọng, nước mắt",
        "en": "sad, cry, lonely, comfort, tears, upset",
    },
    "fear": {"vi": "sợ, ma, run, hoảng", "en": "afraid, fear, scared, scary, ghost"},
    "anger and insults": {"vi": "giận, tức, chửi, mắng, ngu", "en": "angry, mad, stupid, idiot, insult"},
    "fighting": {"vi": "đánh, đấu, kiếm, chiến, thắng, thua", "en": "fight, battle, sword, win, lose, punch"},
    "death": {"vi": "chết, hy sinh, giết, mộ", "en": "die, death, dead, kill, grave"},
    "wounds and illness": {
        "vi": "đau, bệnh, ốm, thuốc, vết thương, máu, sốt",
        "en": "hurt, sick, ill, medicine, wound, blood, fever, pain",
    },
    "weather and seasons": {
        "vi": "mưa, nắng, tuyết, gió, lạnh, nóng, mùa",
        "en": "rain, snow, wind, cold, hot, weather, winter, summer",
    },
    "animals": {"vi": "chó, mèo, lợn, heo, gấu, chim, thú", "en": "dog, cat, boar, pig, bear, bird, animal"},
    "mountains and forest": {"vi": "núi, rừng, cây, suối, sông", "en": "mountain, forest, tree, river, woods"},
    "town and travel": {
        "vi": "thành phố, phố, tàu, xe, làng, du lịch, đường",
        "en": "city, town, train, village, travel, trip, road",
    },
    "school and learning": {
        "vi": "học, trường, thầy, bài tập, đọc, viết, sách, thi",
        "en": "school, learn, teacher, homework, read, write, book, exam",
    },
    "work and money": {
        "vi": "làm việc, công việc, tiền, lương, mua, bán, giàu, nghèo",
        "en": "work, job, money, buy, sell, rich, poor, pay",
    },
    "play and music": {
        "vi": "chơi, trò chơi, hát, nhạc, nhảy múa, đàn",
        "en": "play, game, sing, song, music, dance",
    },
    "numbers and sums": {"vi": "cộng, trừ, đếm, số, bao nhiêu, mấy", "en": "count, number, plus, minus, how many"},
    "phones and machines": {
        "vi": "điện thoại, máy tính, mạng, internet, tivi, robot, máy",
        "en": "phone, computer, internet, robot, machine, video, online, ai",
    },
    "clothes and looks": {
        "vi": "quần, áo, mặt nạ, tóc, đẹp, xấu, mặc",
        "en": "clothes, mask, hair, pretty, ugly, wear, shirt",
    },
    "feasts and holidays": {
        "vi": "tết, sinh nhật, lễ, quà, tiệc",
        "en": "birthday, holiday, christmas, gift, present, party, festival",
    },
    "past and childhood": {
        "vi": "hồi nhỏ, ngày xưa, quá khứ, tuổi thơ, lúc bé, nhớ",
        "en": "childhood, past, remember, grew up, young",
    },
    "plans and wishes": {
        "vi": "ước, mơ ước, tương lai, ngày mai, muốn trở thành",
        "en": "wish, future, tomorrow, plan, hope, want to be",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An everyday subject and the number of dialogues in a language whose prompts have one of its words."""

    name: str
    language: str
    rows: int

    @property
    def missing(self) -> bool:
        """Whether the export says little or nothing about it."""
        return self.rows < LITTLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that will be asked; ``group`` is the skill that it tests, or ``starter``."""

    group: str
    text: str


def subjects(rows: Sequence[ChatRow]) -> list[Subject]:
    """Return the subjects in each language of the export that the list has words for, the rarest first."""
    by_language: dict[str, list[str]] = {}
    for row in rows:
        by_language.setdefault(row["language"] or "", []).append(_asked(row))
    found = []
    for language in sorted(by_language):
        for name, words in SUBJECTS.items():
            if language in words:
                pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, words[language].split(', ')))})\b")
                count = sum(bool(pattern.search(text)) for text in by_language[language])
                found.append(Subject(name=name, language=language, rows=count))
    return sorted(found, key=lambda subject: (subject.language, subject.rows, subject.name))


def unlike_train(
    train: Sequence[ChatRow], held_out: Sequence[HeldOutRow], starters: Mapping[str, Sequence[str]]
) -> tuple[list[Question], int]:
    """Return the held-out prompts and starters that are like no prompt in train, and how many there are in all.

    A prompt is like another if they share two content words, or its only one.
    """
    asked = [set(_WORD.findall(_asked(row))) for row in train]
    common = Counter(word for words in asked for word in words)
    limit = max(2.0, _COMMON * len(asked))
    by_word: dict[str, list[int]] = {}
    for number, words in enumerate(asked):
        for word in words:
            if common[word] <= limit:
                by_word.setdefault(word, []).append(number)

    def known(text: str) -> bool:
        content = {w for w in _WORD.findall(_folded(text)) if len(w) > 1 and common[w] <= limit}
        shared = Counter(number for word in content for number in by_word.get(word, ()))
        return not content or max(shared.values(), default=0) >= min(2, len(content))

    questions = [Question(group=row["tests"] or "held out", text=_last(row)) for row in held_out]
    questions += [Question(group="starter", text=text) for texts in starters.values() for text in texts]
    return [question for question in questions if not known(question.text)], len(questions)


def _last(row: HeldOutRow) -> str:
    return next((m["content"] for m in reversed(row["messages"]) if m["role"] == "user"), "")


def _asked(row: ChatRow) -> str:
    return _folded("\n".join([row["topic"] or "", *(m["content"] for m in row["messages"] if m["role"] == "user")]))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
