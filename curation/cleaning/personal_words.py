"""Personal data that is written so that no program finds it, or that only words around it make personal. Pure.

An address in words, a phone number with letters for digits, an account on a named network or at a bank, and a person's
full name beside a birthday. Each function yields the words as they stand in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from curation.cleaning.word_lists import UNMARKED, knows

_AT = r"(?:a\s?còng|a\s?cong|a\s?móc|@|[(\[{]\s?(?:at|a còng)\s?[)\]}])"
_DOT = r"(?:\s?\.\s?|\s(?:chấm|cham|dot|gạch dưới|gach duoi|underscore)\s|\s?[(\[{]\s?(?:dot|chấm)\s?[)\]}]\s?)"
_PART = r"[\w+-]+"
_TOP = r"(?:com|net|org|edu|gov|info|vn|jp|us|uk|me|io|co|dev|app)"
# `a còng` is said of addresses alone. A bare `at` is not: it needs a mail service after it.
_SERVICE = r"(?:gmail|g\s?mail|yahoo|outlook|hotmail|icloud|proton(?:mail)?|live)"
_IN_WORDS = re.compile(
    rf"(?<!\w){_PART}(?:{_DOT}{_PART}){{0,4}}\s?(?:{_AT}\s?{_PART}|\sat\s{_SERVICE})"
    rf"(?:{_DOT}{_PART}){{0,2}}?{_DOT}{_TOP}\b"
    rf"(?:{_DOT}(?:vn|jp|uk)\b)?",
    re.IGNORECASE,
)
_SAYS_AT = re.compile(r"a\s?còng|a\s?cong|a\s?móc|@|\bat\b", re.IGNORECASE)
_SAYS_DOT = re.compile(r"chấm|cham|dot", re.IGNORECASE)

# `O9l2 345 678`: letters that are typed for digits, in a run that has mostly digits.
_TYPED = re.compile(r"(?<![\w.])[+0Oo](?:[ .-]?[\dOolI|SB]){8,12}(?![\w|])")
_DIGIT_LETTERS = str.maketrans("OolI|SB", "0011158")
_MOST = 5
_DIGIT_WORDS = {
    "không": "0", "khong": "0", "một": "1", "mot": "1", "mốt": "1", "hai": "2", "ba": "3", "bốn": "4", "bon": "4",
    "tư": "4", "năm": "5", "nam": "5", "lăm": "5", "sáu": "6", "sau": "6", "bảy": "7", "bẩy": "7", "bay": "7",
    "tám": "8", "tam": "8", "chín": "9", "chin": "9",
}  # fmt: skip
_SPOKEN = re.compile(rf"(?<!\w)(?:không|khong)(?:[ ,.-]+(?:{'|'.join(_DIGIT_WORDS)})(?!\w)){{8,11}}", re.IGNORECASE)

_NETWORK = (
    r"(?:fb|face|facebook|zalo|ig|insta|instagram|tiktok|tik tok|tele|telegram|discord|twitter|threads|snap|snapchat|"
    r"skype|wechat|viber|locket|youtube|ins|line id|kakao(?:talk)?)(?!\w)"
)
_BETWEEN = (
    r"(?:của|cua|mình|minh|em|anh|chị|tôi|toi|tao|ta|tớ|t|m|my|me|nick|id|user|username|acc|account|tên|ten|là|la|is|"
    r"nè|này|đây|on|at)"
)
_HANDLE = re.compile(
    rf"(?<![\w./@]){_NETWORK}(?:\s{_BETWEEN})*\s?[:=\-–]?\s?(?P<handle>@?[A-Za-z][\w.]{{2,30}}(?:#\d{{4}})?)(?![\w@/])",
    re.IGNORECASE,
)
_LETTERS_OF_A_HANDLE = 6

_BANKS = (
    r"(?:ngân hàng|bank|vietcombank|vcb|techcombank|tcb|mb ?bank|mb|bidv|agribank|vietinbank|acb|tpbank|sacombank|"
    r"vpbank|vib|shb|msb|ocb|momo)"
)
_ACCOUNT = re.compile(
    rf"(?<!\w)(?:(?:stk|s[ốo] (?:tài khoản|tai khoan|tk)|tài khoản|tai khoan|account (?:number|no\.?)|bank account)"
    rf"(?:\s(?:{_BETWEEN}|{_BANKS}))*|(?!bank|ngân hàng|mb\b|momo){_BANKS})\s?[:=\-–]?\s?(?:{_BANKS}\s?[:\-–]?\s?)?"
    r"(?P<number>\d(?:[ .-]?\d){5,18})(?![ .-]?\d)(?!\s?(?:đồng|vàng|xu|k|đ|vnd|usd))",
    re.IGNORECASE,
)

# The commonest family names; a name with another is found where the text says that it is one.
_FAMILY = (
    r"(?:Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý|Đinh|Trịnh|Đoàn|Mai|Lương|Cao|Tô|Đào|"
    r"Nguyen|Tran|Pham|Hoang|Huynh|Dang|Bui|Duong|Trinh)"
)
_CAPITAL = r"[^\W\d_a-zà-ỹđ][^\W\d_A-Z]+"
_NAME = re.compile(
    rf"(?<!\w)(?:{_FAMILY}(?:\s{_CAPITAL}){{1,4}}|(?:(?<=tên )|(?<=tên là )){_CAPITAL}(?:\s{_CAPITAL}){{1,4}}|"
    rf"(?<=name is ){_CAPITAL}(?:\s{_CAPITAL}){{1,3}}|(?<=I'm ){_CAPITAL}(?:\s{_CAPITAL}){{1,3}})(?!\w)"
)
_YEAR = r"(?:19|20)\d\d"
_DAY = (
    r"(?:\d{1,2}\s?[/.-]\s?\d{1,2}(?:\s?[/.-]\s?(?:19|20)\d\d)?|"
    r"\d{1,2} tháng \d{1,2}(?:,? năm (?:19|20)\d\d)?|"
    r"\d{1,2}(?:st|nd|rd|th)? (?:of )?[A-Z][a-z]{2,8},?(?: (?:19|20)\d\d)?|"
    r"[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?,?(?: (?:19|20)\d\d)?|năm (?:19|20)\d\d)"
)
_BORN = re.compile(
    r"(?:(?<!\w)(?:sinh(?: ngày| nhật|:)?(?: là| của \w+ là)?|sn|ngày sinh|ns|born(?: on| in)?|birthday(?: is)?|dob)"
    rf"\s?:?\s?(?:{_DAY}|{_YEAR}(?!\d))|\(\s?{_DAY})",
    re.IGNORECASE,
)
_SCHOOL = re.compile(
    r"(?<!\w)(?:trường|lớp \d|THPT|THCS|tiểu học|đại học|cao đẳng|school|university|college|grade \d+)(?!\w)",
    re.IGNORECASE,
)
# A number, then what the house lies in, each with a name or a number.
_IN = r"(?<!\w)(?i:ngõ|ngách|hẻm|đường|phố|phường|quận|huyện|xã|thôn|ấp|tổ|khu phố|thành phố|tỉnh|tp|q|p)(?!\w)\.?"
_HOUSE = re.compile(
    r"(?<![\w/])(?:(?i:số)(?: nhà)? )?\d{1,4}[A-Z]?(?:/\d{1,4})*[ ,]+"
    rf"(?:[^.!?\n]{{0,25}}?{_IN}\s?(?:\d{{1,4}}|{_CAPITAL})(?:\s{_CAPITAL})*[ ,]*){{2,5}}"
)
_NEAR = 200  # characters between a name and the birthday beside it


def addresses_in_words(text: str) -> Iterator[str]:
    """Yield e-mail addresses that are spelled out: ``a chấm b a còng gmail chấm com``."""
    if _SAYS_AT.search(text) and (_SAYS_DOT.search(text) or "còng" in text or "cong" in text):
        yield from (m.group() for m in _IN_WORDS.finditer(text))


def phones_in_letters(text: str) -> Iterator[tuple[str, str]]:
    """Yield what may be a phone number with letters or words for digits, as it stands and in digits."""
    for match in _TYPED.finditer(text):
        run = match.group()
        if sum(c.isdigit() for c in run) >= _MOST and run.translate(_DIGIT_LETTERS) != run:
            yield run, run.translate(_DIGIT_LETTERS)
    for match in _SPOKEN.finditer(text):
        words = re.findall(r"[^\W\d_]+", match.group().lower())
        yield match.group(), "".join(_DIGIT_WORDS[word] for word in words)


def network_accounts(text: str, languages: Sequence[str]) -> Iterator[str]:
    """Yield accounts on a network that the text names: ``zalo: hoa.rung95``, ``ig @hoa_rung``."""
    for match in _HANDLE.finditer(text):
        handle = match["handle"].rstrip(".")
        plain = handle.lstrip("@")
        told = handle != plain or re.search(r"\d|_|\w\.\w|#|[a-z][A-Z]", plain) is not None
        letters = plain.isascii() and plain.islower() and len(plain) >= _LETTERS_OF_A_HANDLE
        if told or (letters and not any(knows(code, plain) for code in ("vi", "en", UNMARKED))):
            yield text[match.start() : match.start("handle") + len(handle)]


def bank_accounts(text: str, languages: Sequence[str]) -> Iterator[str]:
    """Yield the numbers of bank accounts, which a word for it or a bank's name stands before."""
    yield from (m["number"] for m in _ACCOUNT.finditer(text))


def postal_addresses(text: str, languages: Sequence[str]) -> Iterator[str]:
    """Yield the address of a house: its number, and two names of what it lies in, or a street after a slash."""
    for match in _HOUSE.finditer(text):
        parts = len(re.findall(_IN, match.group()))
        if parts > 1:
            yield match.group().rstrip(" ,")


def people(text: str, languages: Sequence[str]) -> Iterator[str]:
    """Yield a full name with a birthday beside it, where the birthday has its year or a school is named, too."""
    for born in _BORN.finditer(text):
        if not (re.search(_YEAR, born.group()) or _SCHOOL.search(text)):
            continue
        names = [m for m in _NAME.finditer(text) if not _SCHOOL.search(text[max(0, m.start() - 12) : m.start()])]
        near = [m for m in names if abs(m.start() - born.start()) <= _NEAR]
        if near:
            name = min(near, key=lambda m: abs(m.start() - born.start()))
            yield text[min(name.start(), born.start()) : max(name.end(), born.end())]
