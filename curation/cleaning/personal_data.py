"""Personal data in a dialogue: addresses, phone, card and account numbers, pages and names on networks, people.

They must not be published by accident: a sample that holds one is never approved by itself, and
:mod:`curation.hub.dataset_repository` refuses rows with this flag that no annotator has seen. Pure; knows no files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from curation.cleaning import personal_words
from curation.persona import Persona
from curation.record import Flag, Sample

# The part before the @ may be in any script; a full stop after the address is not part of it.
_EMAIL = re.compile(r"[\w.+%-]+(?:@| ?[(\[] ?(?:at|a còng) ?[)\]] ?)[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}", re.I)
_PAGE = re.compile(
    r"(?<![\w.])(?:www\.|m\.)?(?:facebook|fb|instagram|zalo|t|tiktok|threads|twitter|x)\.(?:com|me|net)/@?[\w.]{3,}",
    re.I,
)
# Fewer than seven digits are not a phone number; this check spares most texts the slow library.
_DIGITS = re.compile(r"(?:\d[\s.()+/-]{0,3}){6}\d")
# Numbers of the United States that films and examples use (555) are not valid ones for the library.
_AMERICAN = re.compile(r"(?<![\d-])(?:\(555\) ?|555[ .-])\d{3}[ .-]\d{4}(?![\d-])")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
# Vietnam's 12 digits (a province 001 to 096, then century and sex) and the United States' 3-2-4.
_IDENTITY = re.compile(
    r"(?<!\d)0(?:0[1-9]|[1-8]\d|9[0-6])\d{9}(?!\d)|(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])"
)
# This many groups of digits are not a phone number if they rise in steps, or are single digits.
_COUNTS = 5
# The country of a number without a country code, for languages whose code is not the country's.
_REGIONS = {"vi": "VN", "en": "US", "ja": "JP", "ko": "KR", "zh": "CN"}


def check(sample: Sample, persona: Persona) -> tuple[Flag, ...]:
    """Return one flag for everything found in any turn of a sample, the other person's turns and the topic included."""
    return flag((*(m.content for m in sample.messages), sample.topic or ""), persona.languages)


def flag(texts: Iterable[str], languages: Sequence[str]) -> tuple[Flag, ...]:
    """Return one flag that lists what :func:`find` finds in these texts, or none."""
    found = dict.fromkeys(item for text in texts for item in find(text, languages))
    return (Flag("personal_data", "; ".join(f"{kind}: {value}" for kind, value in found)),) if found else ()


def find(text: str, languages: Sequence[str] = ("vi", "en")) -> list[tuple[str, str]]:
    """Return (what it is, the words themselves) for each piece of personal data in a text.

    ``languages`` (ISO 639-1) decide which countries' phone numbers count where no country code is written.
    """
    found = [(kind, value) for kind, rule in RULES.items() for value in rule(text, languages)]
    accounts = {value for kind, value in found if kind == "bank account"}
    # The number of an account may be as long as a phone number.
    return [(kind, value) for kind, value in found if kind == "bank account" or value not in accounts]


def _emails(text: str, languages: Sequence[str]) -> Iterator[str]:
    maybe = "@" in text or "(" in text or "[" in text
    written = [m.group() for m in _EMAIL.finditer(text)] if maybe else []
    yield from written
    yield from (found for found in personal_words.addresses_in_words(text) if found not in written)


def _phones(text: str, languages: Sequence[str]) -> Iterator[str]:
    if _DIGITS.search(text):
        yield from _numbers(text, languages)
    yield from (m.group() for m in _AMERICAN.finditer(text) if "en" in languages)
    for written, digits in personal_words.phones_in_letters(text):
        if any(_numbers(digits, languages)):
            yield written


def _numbers(text: str, languages: Sequence[str]) -> Iterator[str]:
    import phonenumbers

    seen: set[int] = set()
    for region in dict.fromkeys(_REGIONS.get(code, code.upper()) for code in languages):
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            if match.start not in seen and not _counted(match.raw_string):
                seen.add(match.start)
                yield match.raw_string


def _counted(number: str) -> bool:
    """Return whether someone counts: ``1 2 3 4 5 6 7 8 9 10``, ``10 9 8 7 6 5 4``, ``1 2 1 2 1 2 1 2 1 2``."""
    groups = [int(group) for group in re.findall(r"\d+", number)]
    steps = {after - before for before, after in pairwise(groups)}
    singles = all(group < 10 for group in groups) and groups[0] != 0
    return len(groups) >= _COUNTS and (len(steps) == 1 or (singles and "+" not in number))


def _cards(text: str, languages: Sequence[str]) -> Iterator[str]:
    return (m.group() for m in _CARD.finditer(text) if _luhn([int(c) for c in m.group() if c.isdigit()]))


def _identities(text: str, languages: Sequence[str]) -> Iterator[str]:
    return (m.group() for m in _IDENTITY.finditer(text)) if _DIGITS.search(text) else iter(())


def _luhn(digits: Sequence[int]) -> bool:
    """Return whether the check digit of a payment card is right (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * d, 10)) if i % 2 else d for i, d in enumerate(reversed(digits))]
    return any(digits) and sum(doubled) % 10 == 0


def _pages(text: str, languages: Sequence[str]) -> Iterator[str]:
    return (m.group() for m in _PAGE.finditer(text)) if "/" in text else iter(())


# what it is → (text, languages) → every occurrence. One rule per line.
RULES: dict[str, Callable[[str, Sequence[str]], Iterator[str]]] = {
    "e-mail address": _emails,
    "phone number": _phones,
    "card number": _cards,
    "identity number": _identities,
    "personal page": _pages,
    "account on a network": personal_words.network_accounts,
    "bank account": personal_words.bank_accounts,
    "name with birthday": personal_words.people,
    "postal address": personal_words.postal_addresses,
}
