"""Which words can be a speaker's label, and where a line may hold one. Pure; knows no file and no persona."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from curation.transcripts.trade_words import name_kind

# A label and what follows. Two slashes after the colon make it an address, a digit makes it a time (`10:42`).
LABEL = re.compile(r"^(?P<label>[^\s:：][^:：\n]{0,40}?)\s?[:：](?!//|\d)\s*(?P<rest>.*)$")
COLON = re.compile("[:：]")
# A dash, or the chevrons of captions for the deaf: another speaker.
DASH = re.compile(r"^\s*(?:[-‐‑–—―]|>{2,})\s*(?=\S)")
TOGETHER = re.compile(r"\s*(?:[,;/&+・、]|\bvà\b|\band\b)\s*", re.IGNORECASE)
# `Inosuke (OFF)`, `TANJIRO [thinking]`: how the line is said, not who says it.
MANNER = re.compile(r"\s*[(（\[【][^)）\]】]*[)）\]】]\s*")

# The brackets that a name can stand in, of every script. What is in the first ones is also a sound or a direction.
DIRECTION_OPENS = "[(（【［〔"
DIRECTION_CLOSES = "])）】］〕"
OPENS = f"{DIRECTION_OPENS}{{<«‹〈《｛＜≪"
CLOSES = f"{DIRECTION_CLOSES}}}>»›〉》｝＞≫"
# They stand inside a line as well, since Japanese captions end few sentences with a mark.
LOOSE_OPENS = "（【［〔｛＜"
# They quote words, give titles and stress, so a known name in them is a label only where the file writes labels so.
QUOTING = frozenset({"«", "‹", "〈", "《", "≪", "**", "*", "__", "_"})
_OPEN, _CLOSE = re.escape(OPENS), re.escape(CLOSES)
HAS_BRACKET = re.compile(rf"[{_OPEN}「『*_]")
# A name in brackets, or in bold, before words, anywhere in a line: `[Inosuke] Up!`, `上だ！（炭治郎）来い`.
BRACKETED = re.compile(
    rf"(?:(?P<open>[{_OPEN}])\s?(?P<label>[^{_OPEN}{_CLOSE}\n:：*]{{1,40}})[{_CLOSE}]"
    r"|(?P<bold>\*\*?|(?<!\w)__?)(?P<bold_label>[^*_\n:：\s][^*_\n:：]{0,40})(?P=bold))"
    rf"[ \t]*(?P<colon>[:：]?)\s*(?=(?:[\[(（【][^\[\]()（）【】\n]{{1,40}}[\])）】]\s*)?(?:[^\s{_OPEN}{_CLOSE}]|>\s))"
)
# The same at the start of a line, with the words; a dash or an arrow may stand between.
BRACKET_FIRST = re.compile(
    rf"^(?:[{_OPEN}]\s?(?P<label>[^{_CLOSE}\n]{{1,40}})[{_CLOSE}]"
    r"|(?P<bold>\*\*?|__?)(?P<bold_label>[^*_\n:：]{1,40})(?P=bold))"
    r"\s*(?:[:：]|[-–—―|>→](?=\s))?\s*(?P<rest>.*)$"
)
# 伊之助「上だぞ！」: the ordinary form of a Japanese script.
_NO_NAME = r"\s「」『』、。！？…,:：（）()【】"
CORNERED = re.compile(
    rf"(?:^|(?<=[\n」』。！？ 　]))(?P<label>[^{_NO_NAME}]{{1,12}}(?: [^{_NO_NAME}]{{1,12}}){{0,2}})[ 　]?"
    rf"(?:「(?P<said>[^「」]*)」|『(?P<told>[^『』]*)』)(?=\s*(?:$|\n|[^{_NO_NAME}]{{1,12}}[ 　]?[「『]))"
)
_NAME_WORD = re.compile(r"^[^\W\d_][\w.'’-]*$")
_NUMBER = re.compile(r"^#?\d{1,3}$")
_MAX_WORDS = 4
# The ids of diarisation: they are no names yet, and persona.toml can say who each is.
_ID = re.compile(
    r"^(?:speaker|spk|voice|người nói|giọng|話者|说话人|說話人|화자)[ _#-]?(?:\d{1,3}|[A-Z])$", re.IGNORECASE
)
# What is heard or done, as captions write it in brackets before words: not a name.
_SOUND = re.compile(
    r"^(?:(?:laugh|sigh|gasp|grunt|chuckl|cough|sniff|groan|moan|scream|shout|yell|whisper|sob|giggl|mutter|mumbl|pant|"
    r"exhal|inhal|snor|hum|growl|roar|cheer|clap|applaud|knock|whistl|sing|speak|talk|continu|narrat|think|sneez|burp|"
    r"hiccup|snicker|scoff|wail|weep|breath|stutter|yawn|gulp|click|beep|ring|buzz|bark|sputter|whimper|squeal|chant|"
    r"mock|imitat|clear|stammer|snort|shriek|cackl|howl|hiss|creak|squeak|crash|bang|thud|rustl|rumbl|splash|"
    r"explo|explosion|bleat|chirp|crackl|clatter|crunch|drip|echo|grin|smil|nod|shrug|wink|blush|frown|paus|"
    r"smirk|gag|stamm|slurp|munch|chew|spit|tsk|tut)(?:s|es|e|ed|ing|ter|le|les|ling|led|r|rs|es)?|"
    r"cries|crying|music|applause|door|doors|phone|"
    r"thunder|wind|rain|bell|bells|gun\w*|silence|crowd|both|all|together|off|offscreen|loudly|softly|quietly|angrily|"
    r"sadly|happily|thought|thoughts|flashback|sound|sounds|noise|noises|footsteps|static|radio|tv|television|"
    r"intercom|indistinct|inaudible|unintelligible|foreign|in|on|over|to|from|into|through|speaks|"
    r"(?:in )?(?:japanese|english|vietnamese|korean|chinese|french|spanish|german)|"
    r"sfx|fx|bgm|beat|pause|ad|ads|end|cont|contd|continued|offstage|os|vo|"
    r"thở dài|cười|khóc|ho|hét|thì thầm|nhạc|tiếng|hát|nói|la|suy nghĩ|gầm|nấc|thở|rên|im lặng|vỗ tay|cả hai|tất cả|"
    r"hắt xì|gõ cửa|ngáp|gió|mưa|sấm|chuông|quay lại|gật đầu|lắc đầu|nghĩ|hồi tưởng|lồng tiếng|ngoài hình|"
    r"웃음|한숨|음악|박수|비명|울음|기침|속삭임|문 소리|.{0,6} ?소리)"
    r"(?![\w'’])",
    re.IGNORECASE,
)
_SOUND_CJK = re.compile(
    r"(?:音|声|聲|息|鳴|笑い?|泣き?|叫び?|咳|拍手|歓声|悲鳴|回想|ナレーション|一同|全員|みんな|二人|音乐|音樂|"
    r"旁白|字幕|モノローグ)$|^(?:電話|着信|風|雨|雷)$"
)
_PARTICLES = "はがもをにとでる"


def may_be_label(line: str) -> bool:
    """Return whether a line opens with what could be a name, known or not, and a colon."""
    match = LABEL.match(line)
    return match is not None and is_name(match["label"]) and not match["rest"][:1].islower()


@lru_cache(maxsize=4096)
def is_name(label: str) -> bool:
    """Return whether a label is one to three names of at most four words. `MAN 1` and 伊之助 are names, `10` is not."""
    names = parts(label)
    return 0 < len(names) <= 3 and all(_is_person(p.split()) for p in names)


def is_id(label: str) -> bool:
    """Return whether a label is an id that diarisation gave: `SPEAKER_00`, `Speaker 1`."""
    return _ID.match(label) is not None


@lru_cache(maxsize=4096)
def may_be_bracketed(label: str) -> bool:
    """Return whether words in brackets could be a speaker's name: a name that is not a sound or a manner."""
    name = bare(label)
    if not is_name(name) or name_kind(name) or is_sound(name) or name[:1].islower():
        return False
    return name.isascii() or name[-1] not in _PARTICLES


def is_sound(words: str) -> bool:
    """Return whether words in brackets say what is heard or how a line is said: `Sighs`, `Tiếng gió`, `笑い声`."""
    if _SOUND.match(unicodedata.normalize("NFC", words)) or _SOUND_CJK.search(words):
        return True
    return words.isascii() and " " not in words and len(words) > 5 and words.endswith("ing")


def is_caps(text: str) -> bool:
    """Return whether a text is in capitals, two letters at least."""
    return text.isupper() and sum(c.isalpha() for c in text) > 1


def bare(label: str) -> str:
    """Return a label without what stands in brackets in or behind it."""
    return MANNER.sub(" ", label).strip()


def parts(label: str) -> list[str]:
    """Return the names of a label that names several people: `ASH, MISTY` → `ASH`, `MISTY`."""
    return [p for p in TOGETHER.split(bare(label)) if p]


def _is_person(words: list[str]) -> bool:
    if not 0 < len(words) <= _MAX_WORDS or not _NAME_WORD.match(words[0]):
        return False
    return all(_NUMBER.match(w) or (_NAME_WORD.match(w) and not w[0].islower()) for w in words)
