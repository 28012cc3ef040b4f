"""Folding: one key for all texts that say the same words, and in prompts, whoever is asked and however politely.

A folded text is for comparing alone: it is never shown, trained or exported. Texts in, keys out; knows nothing of
pairs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain, groupby

from curation.dedup.spellings import Language, Word, language_of, words

# What a prompt's key has for the one who is asked, and for the one who asks.
YOU, ME = "@you", "@me"
# For any greeting.
HELLO = "@hello"

_NAME = Word("@name", True)
_HONORIFICS = frozenset(("kun", "san", "sama", "chan", "senpai"))


class Folding:
    """Folds texts for one character. ``names`` are what others call the character: in a prompt, they are address."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = sorted({tuple(words(name)) for name in names} - {()}, key=len, reverse=True)
        self.reply = reply_key
        # One cache for each object, which a method's own would not be.
        self.prompt: Callable[[str], str] = lru_cache(maxsize=1 << 16)(self._prompt)

    def _prompt(self, text: str) -> str:
        """Return a prompt's key: without vocatives and particles, with one word for the one who is asked.

        ``Inosuke, cậu đói à?`` and ``Ngươi đói hả?`` have one key; ``Hắn đói à?`` has another. A prompt that is
        nothing but address keeps its words.
        """
        language = language_of(text)
        clauses = [_without_vocative(self._named(clause), language) for clause in language.clauses(text)]
        said = [_greeting(_without_particles(clause, language), language) for clause in _addressed(clauses, language)]
        # "Hi! Who are you?" asks what "Who are you?" asks.
        asked = [clause for clause in said if clause and not (clause[0].startswith(HELLO) and len(clause) == 1)]
        asked = asked or [clause for clause in said if clause][:1]
        return " ".join(word for word, _ in groupby(chain.from_iterable(asked))) or reply_key(text)

    def _named(self, clause: list[Word]) -> list[Word]:
        """Put one word in the place of each of the character's names, honorifics included."""
        spelt = [word.text for word in clause]
        found: list[Word] = []
        at = 0
        while at < len(clause):
            size = next((len(name) for name in self._names if tuple(spelt[at : at + len(name)]) == name), 0)
            found.append(_NAME if size else clause[at])
            at += size or 1
            if size and spelt[at : at + 1] and spelt[at] in _HONORIFICS:
                at += 1
        return found


@cache
def folding_for(names: tuple[str, ...]) -> Folding:
    """Return the folding for a character, which remembers the keys that it has made."""
    return Folding(names)


@lru_cache(maxsize=1 << 16)
def reply_key(text: str) -> str:
    """Return the folded words of a text, with spaces between; a text of marks alone keeps them."""
    return " ".join(words(text)) or unicodedata.normalize("NFKC", text).casefold().strip()


def _without_vocative(clause: list[Word], language: Language) -> list[Word]:
    """Take the call out of a clause: the name alone, before ``ơi`` or before a pronoun, or after all is said."""
    said = [word.text for word in clause]
    if _NAME.text not in said:
        return clause
    begin = _past(language.openers.at, said, 0)
    if said[begin : begin + 1] == [_NAME.text]:
        after = _past(language.enders.at, said, begin + 1)
        if after == len(clause):
            return clause[: language.greetings.at(said, 0)]  # the clause only calls
        if after > begin + 1 or language.you.at(said, after) or language.nouns_too.at(said, after):
            return clause[after:]
    if said[-1] == _NAME.text and len(said) > 1:
        rest = said[:-1]
        addressed = any(language.you.at(rest, at) for at in range(len(rest)))
        if addressed or any(phrases.ends(rest) for phrases in (language.enders, language.closing, language.greetings)):
            return clause[:-1]
    return clause


def _past(find: Callable[[Sequence[str], int], int], said: Sequence[str], at: int) -> int:
    """Return the place after all phrases that follow each other from a place on."""
    while size := find(said, at):
        at += size
    return at


def _addressed(clauses: list[list[Word]], language: Language) -> list[list[str]]:
    """Write one word for the one who is asked, and one for the one who asks.

    ``bạn`` or ``anh`` may be a noun, so it is address only where no pronoun is, and only one such word.
    """
    spelt = [[word.text for word in clause] for clause in clauses]

    def address(find: Callable[[Sequence[str], int], int]) -> set[str]:
        return {
            said[at]
            for said in spelt
            for at in range(len(said))
            if (size := find(said, at)) and not _is_third(said, at + size, language)
        }

    nouns = not address(language.you.at) and len(address(language.nouns_too.at)) == 1
    return [_in_clause(clause, language, nouns) for clause in clauses]


def _is_third(said: Sequence[str], after: int, language: Language) -> bool:
    """Return whether the word after an address makes it another person or a thing: ``cậu ấy``, ``anh hùng``."""
    return after < len(said) and said[after] in language.not_before


def _in_clause(clause: list[Word], language: Language, nouns: bool) -> list[str]:
    said = [word.text for word in clause]
    found: list[str] = []
    at = 0
    while at < len(clause):
        size = language.you.at(said, at) or (nouns and language.nouns_too.at(said, at)) or 0
        after = at + size
        named = after < len(clause) and clause[after].capital and clause[after] != _NAME  # "anh Tanjiro"
        if said[at] == _NAME.text or (size and not named and not _is_third(said, after, language)):
            found.append(YOU)
        elif said[at] in language.me and (at == 0 or said[at - 1] not in language.not_after):
            found.append(ME)
            size = 1
        else:
            size = size or 1
            found += said[at : at + size]
        at += size or 1
    return found


def _without_particles(said: list[str], language: Language) -> list[str]:
    """Take the particles off both ends of a clause; nothing is left of a clause of particles alone."""
    if language.greetings.at(said, 0) == len(said):
        return said
    begin, end = _past(language.openers.at, said, 0), len(said)
    while begin < end:
        size = language.enders.ends(said[begin:end])
        before = said[end - 2] if end - begin > 1 else YOU
        if not size and before not in (YOU, ME):
            verb = before not in language.movers and language.verbs_too.ends(said[begin:end])
            size = verb or (before not in language.pointed and language.pointers.ends(said[begin:end])) or 0
        if not size:
            break
        end -= size
    return said[begin:end]


def _greeting(said: list[str], language: Language) -> list[str]:
    """Write one word for a greeting, without the one who is greeted: ``Xin chào``, ``Chào ngươi``."""
    size = language.greetings.at(said, 0)
    if not size:
        return said
    rest = said[size:]
    return [HELLO if language.vietnamese else f"{HELLO}-en", *(rest[1:] if rest[:1] == [YOU] else rest)]
