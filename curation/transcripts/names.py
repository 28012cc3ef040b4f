"""Names that are close to the character's without being one of them: `Inosuke-kun`, `Young Inosuke`, `Inôsuke`.

In: speakers' names. Out: those that persona.toml may have forgotten. Pure. Only its author can tell whether such a name
is the character, so nothing here renames anyone: the names are shown, and samples that hold one are flagged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from curation.persona import Persona
from curation.record import Flag, Message

# What is put before or after a name and leaves the person the same. Without accents, in small letters.
_AFFIXES = frozenset(
    {
        *("kun", "san", "sama", "chan", "tan", "dono", "sensei", "senpai", "sempai", "shi", "nii", "nee", "niisan"),
        *("neesan", "niichan", "neechan", "onii", "onee", "aniki", "no", "oppa", "hyung", "hyeong", "noona", "unnie"),
        *(
            "ssi",
            "nim",
            "ah",
            "ya",
            "ge",
            "gege",
            "jie",
            "jiejie",
            "di",
            "didi",
            "mei",
            "xiong",
            "shixiong",
            "jr",
            "sr",
        ),
        *("mr", "mrs", "ms", "miss", "mister", "sir", "madam", "lady", "lord", "master", "dr", "doctor", "prof"),
        *("professor", "king", "queen", "prince", "princess", "captain", "young", "younger", "little", "kid", "child"),
        *("baby", "teen", "teenage", "old", "older", "elder", "adult", "grown", "past", "future", "fake", "real"),
        *("other", "evil", "dark", "off", "os", "vo", "voice", "v", "o", "s", "on", "screen", "offscreen", "thought"),
        *("thoughts", "thinking", "inner", "mind", "monologue", "narration", "narrating", "whisper", "whispering"),
        *("shouting", "singing", "flashback", "phone", "tv", "radio", "letter", "dream", "cont", "contd", "continued"),
        *("anh", "chi", "em", "co", "chu", "bac", "ong", "ba", "cau", "to", "ngai", "tieu", "cong", "chua", "hoang"),
        *("tu", "thieu", "gia", "su", "phu", "dai", "nho", "tre", "be", "noi", "tam", "nghi", "suy", "hoi", "tuong"),
        *("qua", "khu", "the", "ver", "version", "alt", "a", "b", "c", "d", "i", "ii", "iii"),
        *("mom", "mother", "dad", "father", "sister", "brother"),
    }
)
_CJK_AFFIX = re.compile(
    r"^(?:君|くん|クン|さん|サン|様|さま|サマ|ちゃん|チャン|殿|どの|氏|先生|先輩|先辈|兄|姉|兄さん|姉さん|小|大|老|阿|若い|若き|"
    r"幼い|幼き|幼|幼少|子供|子ども|少年|少女|成人|大人|偽|偽物|本物|心|心の声|声|OFF|モノローグ|回想|同学|同學|哥|哥哥|姐|姐姐|弟|"
    r"妹|大人|小姐|公子|殿下|씨|님|군|양|아|야|の.*|.*の|的.*|.*的|의.*|[\d０-９]+|[?？!！]+)+$"
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NOT_LETTERS = re.compile(r"[\W_]+")
_TOGETHER = re.compile(r"\s*(?:[,;/&+、・＆／]|\bvà\b|\band\b)\s*", re.IGNORECASE)


def names_like(persona: Persona, speakers: Iterable[str]) -> list[str]:
    """Return the names that are close to one of the character's, each once, in the order in which they come."""
    return [name for name in dict.fromkeys(speakers) if name and is_like(persona, name)]


def is_like(persona: Persona, speaker: str) -> bool:
    """Return whether a name is close to one of the character's: with an honorific, an affix, an owner's s or accents.

    A longer name counts if it holds the character's own name (`Inosuke Mom`); one that only holds an alias, which may
    be a family's, counts if the rest is an affix (`Hashibira-san`, not `Kotoha Hashibira`). A group does not count.
    """
    return _is_like((persona.name, *persona.aliases), unicodedata.normalize("NFC", speaker))


def name_flags(persona: Persona, messages: Iterable[Message]) -> tuple[Flag, ...]:
    """Return a flag for a dialogue in which a turn has a name that is close to the character's."""
    like = names_like(persona, (m.name for m in messages if m.name))
    return (Flag("similar_name", ", ".join(like)),) if like else ()


@lru_cache(maxsize=4096)
def _is_like(own: tuple[str, ...], speaker: str) -> bool:
    folded = {name.strip().casefold() for name in own}
    if any(part.strip().casefold() in folded for part in (speaker, *_TOGETHER.split(speaker))):
        return False  # the character, or a group that includes them, which has a flag of its own
    return any(_holds(name, speaker, number == 0) for number, name in enumerate(own))


def _holds(name: str, speaker: str, is_own: bool) -> bool:
    if _CJK.search(name):
        before, found, after = re.sub(r"[\s_.・]+", "", speaker).partition(name)
        rest = [part.strip("-‐–—()（）[]【】「」\"'") for part in (before, after)]
        return bool(found) and (is_own or all(not part or _CJK_AFFIX.match(part) for part in rest))
    wanted, words = _words(name), _words(speaker)
    if not wanted:
        return False
    for at in range(len(words) - len(wanted) + 1):
        if words[at : at + len(wanted)] == wanted:
            rest = [*words[:at], *words[at + len(wanted) :]]
            # An owner's s makes it someone of theirs (`Hashibira's mother`), which is worth a question too.
            return is_own or rest[:1] == ["s"] or all(word in _AFFIXES or word.isdigit() for word in rest)
    joined, whole = "".join(words), "".join(wanted)
    rest_of_it = joined.removeprefix(whole) if joined.startswith(whole) else joined
    return rest_of_it != joined and (not rest_of_it or rest_of_it in _AFFIXES or rest_of_it.isdigit())


@lru_cache(maxsize=4096)
def _words(name: str) -> list[str]:
    """Return the words of a name in small letters without accents: `Inôsuke-kun` → `inosuke`, `kun`."""
    letters = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return _NOT_LETTERS.sub(" ", "".join(c for c in letters if not unicodedata.combining(c))).split()
