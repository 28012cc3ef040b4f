"""A flag's detail in the annotator's language, and the other sample that it names.

Details are data: queues and exports keep them as they were written, in English. Each form that a check writes is
described here once. What is not known (an older queue's detail) is returned as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from curation import faults
from curation.codes import EVIDENCE, Language
from curation.record import Flag


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a detail: what it looks like, and its words, in which ``{name}`` is what the pattern's group found."""

    pattern: re.Pattern[str]
    vi: str
    en: str


def _form(pattern: str, vi: str, en: str) -> Form:
    return Form(re.compile(pattern, re.DOTALL), vi, en)


_LIKE = r"(?P<score>\d+(?:\.\d+)?) like (?P<twin>\S+?)"

# A text that is gone: another than a twin, which can be opened.
_OLD = r"(?P<score>\d+(?:\.\d+)?) like (?P<old>\S+?)"

# code → the forms of its details; a code without forms has no detail, or one that is all the sample's own words.
FORMS: dict[str, tuple[Form, ...]] = {
    "near_duplicate": (
        *(
            _form(
                rf"\S+: {_LIKE}, {how}(?:, chain cut here)?",
                f"giống {{score}} % với mẫu {{twin}}: {vi}",
                f"{{score}} % like sample {{twin}}: {how}",
            )
            for how, vi in (
                ("spelt or addressed otherwise", "cách viết hoặc cách xưng hô khác"),
                ("the words in another order", "cùng những chữ ấy, thứ tự khác"),
                ("one contains the other", "lời này nằm trong lời kia"),
                ("the same reply to another prompt", "cùng một lời đáp cho câu hỏi khác"),
                ("one begins the other", "đoạn này mở đầu đoạn kia"),
            )
        ),
        _form(
            rf"\S+: {_LIKE}, chain cut here",
            "giống {score} % với mẫu {twin}; nhóm được cắt ở đây vì các mẫu nối nhau quá dài",
            "{score} % like sample {twin}; the group was cut here, because a chain of samples had grown too long",
        ),
        _form(rf"\S+: {_LIKE}", "giống {score} % với mẫu {twin}", "{score} % like sample {twin}"),
    ),
    "diacritics": (
        _form(
            rf"without diacritics: {_LIKE}",
            "bỏ dấu đi thì giống {score} % với mẫu {twin}",
            "{score} % like sample {twin} when the diacritics are left out",
        ),
    ),
    "lost_referent": (_form(r"(?P<word>.+)", "“{word}” là ai?", "who is “{word}”?"),),
    "edited_since_review": (
        _form(
            rf"{_OLD}, which (?P<who>.+) approved",
            "{score} % số chữ giống mẫu {old} mà {who} đã nhận",
            "{score} % of the words are those of {old}, which {who} approved",
        ),
    ),
    "review_outdated": (
        _form(
            rf"{_OLD}, which (?P<who>.+?) rejected",
            "{score} % số chữ giống mẫu {old} mà {who} đã loại",
            "{score} % of the words are those of {old}, which {who} rejected",
        ),
        _form(
            rf"{_OLD}, which (?P<who>.+?) rewrote: (?P<text>.*)",
            "{score} % số chữ giống mẫu {old} mà {who} đã viết lại: “{text}”",
            "{score} % of the words are those of {old}, which {who} rewrote: “{text}”",
        ),
    ),
    "language": (
        _form(
            r"looks like `(?P<code>[^`]+)`; expected (?P<languages>.+)",
            "trông như {code:language}; nhân vật nói {languages:languages}",
            "it looks like {code:language}; the character speaks {languages:languages}",
        ),
        *(
            _form(
                rf"looks like `(?P<code>[^`]+)` \({reason}, (?P<sure>\d+)%\); expected (?P<languages>.+)",
                f"trông như {{code:language}} ({vi}, {{sure}} %); nhân vật nói {{languages:languages}}",
                f"it looks like {{code:language}} ({en}, {{sure}}%); the character speaks {{languages:languages}}",
            )
            for reason, vi, en in (
                (r"written in (?P<scripts>[^)]+)", "viết bằng chữ {scripts}", "written in {scripts}"),
                (r"by its words", "xét theo từ", "by its words"),
                (r"by langdetect", "theo langdetect", "by langdetect"),
            )
        ),
        _form(
            r"partly written in (?P<scripts>.+?); expected (?P<languages>.+)",
            "một phần viết bằng chữ {scripts}; nhân vật nói {languages:languages}",
            "part of it is written in {scripts}; the character speaks {languages:languages}",
        ),
    ),
    "no_diacritics": (_form(r"(?P<text>.+)", "“{text}”", "“{text}”"),),
    "chat_spelling": (_form(r"(?P<words>.+)", "{words}", "{words}"),),
    "empty_reply": (_form(r"the reply is empty", "", ""),),
    "out_of_character": (
        _form(
            r"(?P<name>.+?) would not say: (?P<words>.+)", "{name} không nói: {words}", "{name} would not say: {words}"
        ),
    ),
    "over_length": (
        _form(
            r"(?P<n>\d+) characters; (?P<name>.+) says at most (?P<limit>\d+) at once",
            "{n:number} ký tự; {name} nói nhiều nhất {limit:number} ký tự một lượt",
            "{n:number} characters; {name} says at most {limit:number} at once",
        ),
    ),
    "label_in_reply": (
        _form(r"the label `(?P<label>.+):` is inside the reply", "nhãn “{label}:”", "the label “{label}:”"),
    ),
    "example_row": (_form(r"(?P<mark>.+)", "“{mark}”", "“{mark}”"),),
    "possible_speaker": (_form(r"(?P<name>.+)", "dòng của “{name}”?", "a line of “{name}”?"),),
    "unknown_speaker": (
        _form(
            r"no speaker is named for: (?P<text>.*)", "không rõ ai nói: “{text}”", "no speaker is named for: “{text}”"
        ),
        _form(
            r"said by several at once: (?P<names>.+)",
            "nhiều người cùng nói: {names}",
            "said by several at once: {names}",
        ),
    ),
    "weak_speaker": (
        _form(
            r"only this names (?P<name>.+) as the speaker: (?P<evidence>\S*?)(?P<more>:.*)?",
            "chỉ có điều này cho biết là {name} nói: {evidence:evidence}{more}",
            "only this names {name} as the speaker: {evidence:evidence}{more}",
        ),
    ),
    "personal_data": (_form(r"(?P<data>.+)", "{data:data}", "{data:data}"),),
    "feedback_better": (
        _form(
            r"a visitor wrote this instead of: (?P<text>.*)",
            "người dùng viết lời này thay cho: “{text}”",
            "a visitor wrote this instead of: “{text}”",
        ),
    ),
    "feedback_up": (_form(r"a visitor liked this reply", "", ""),),
    "feedback_down": (_form(r"a visitor disliked this reply: rewrite or reject it", "", ""),),
    "user_line_repeated": (_form(r"(?P<line>.+)", "“{line}”", "“{line}”"),),
    "empty_turn": (),
    "no_reply_at_the_end": (),
    "similar_name": (_form(r"(?P<names>.+)", "{names}", "{names}"),),
    "template_words": (_form(r"(?P<words>.+)", "{words}", "{words}"),),
    "damaged_letters": (_form(r"(?P<text>.+)", "“{text}”", "“{text}”"),),
    **{code: (_form(r"(?P<words>.+)", "“{words}”", "“{words}”"),) for code in faults.codes()},
    "repaired_letters": (_form(r"(?P<text>.*)", "“{text}”", "“{text}”"),),
    "prompt_echoed": (_form(r"(?P<line>.+)", "“{line}”", "“{line}”"),),
    "name_spelling": (_form(r"(?P<names>.+)", "{names}", "{names}"),),
    "wrong_address": (_form(r"(?P<people>.+)", "{people:people}", "{people:people}"),),
    "missing_attachment": (_form(r"a turn also holds what is not text", "", ""),),
    "written_by_model": (_form(r"a chat with a bot", "", ""),),
}

_LANGUAGES: dict[str, tuple[str, str]] = {
    "vi": ("tiếng Việt", "Vietnamese"),
    "en": ("tiếng Anh", "English"),
    "ja": ("tiếng Nhật", "Japanese"),
    "zh": ("tiếng Trung", "Chinese"),
    "ko": ("tiếng Hàn", "Korean"),
    "fr": ("tiếng Pháp", "French"),
    "de": ("tiếng Đức", "German"),
    "es": ("tiếng Tây Ban Nha", "Spanish"),
    "th": ("tiếng Thái", "Thai"),
    "id": ("tiếng Indonesia", "Indonesian"),
    "ru": ("tiếng Nga", "Russian"),
    "uk": ("tiếng Ukraina", "Ukrainian"),
    "ar": ("tiếng Ả Rập", "Arabic"),
    "he": ("tiếng Do Thái", "Hebrew"),
    "hi": ("tiếng Hindi", "Hindi"),
    "el": ("tiếng Hy Lạp", "Greek"),
    "it": ("tiếng Ý", "Italian"),
    "pt": ("tiếng Bồ Đào Nha", "Portuguese"),
    "tl": ("tiếng Tagalog", "Tagalog"),
    "ms": ("tiếng Mã Lai", "Malay"),
}
_DATA = {
    "e-mail address": "địa chỉ e-mail",
    "phone number": "số điện thoại",
    "card number": "số thẻ",
    "identity number": "số căn cước",
    "personal page": "trang cá nhân",
    "account on a network": "tài khoản mạng xã hội",
    "bank account": "tài khoản ngân hàng",
    "name with birthday": "họ tên kèm ngày sinh",
}


def explain_detail(flag: Flag, language: Language) -> str:
    """Return a flag's detail in a language; empty where the flag's own words say everything."""
    for form in FORMS.get(flag.code, ()):
        match = form.pattern.fullmatch(flag.detail)
        if match is not None:
            return _filled(form.vi if language == "vi" else form.en, match, language)
    return flag.detail


def twin(flag: Flag) -> str | None:
    """Return the id of the sample that a flag compares with, None where it compares with none."""
    for form in FORMS.get(flag.code, ()):
        match = form.pattern.fullmatch(flag.detail)
        if match is not None and "twin" in match.groupdict():
            return match["twin"]
    return None


def _filled(template: str, match: re.Match[str], language: Language) -> str:
    def one(blank: re.Match[str]) -> str:
        found = match[blank["name"]] or ""
        return _VALUES[blank["kind"] or ""](found, language)

    return re.sub(r"\{(?P<name>\w+)(?::(?P<kind>\w+))?\}", one, template)


def language_name(code: str, language: Language) -> str:
    """Return a language's name in a language, its code where it has none here."""
    return _LANGUAGES[code][language == "en"] if code in _LANGUAGES else code


def _languages(found: str, language: Language) -> str:
    names = [language_name(code, language) for code in found.split(" or ")]
    return (" hoặc " if language == "vi" else " or ").join(names)


def _evidence(code: str, language: Language) -> str:
    if code not in EVIDENCE:
        return code
    return EVIDENCE[code].vi if language == "vi" else EVIDENCE[code].en


def _data(found: str, language: Language) -> str:
    if language == "vi":
        for english, vietnamese in _DATA.items():
            found = re.sub(rf"(^|; ){english}: ", rf"\g<1>{vietnamese}: ", found)
    return found


def _people(found: str, language: Language) -> str:
    """Return `user: mày; Rengoku: hắn` with words for the two keys that are no names."""
    yourself, you = ("tự xưng", "gọi người dùng") if language == "vi" else ("calls itself", "calls the user")
    return re.sub(r"(^|; )self: ", rf"\g<1>{yourself}: ", re.sub(r"(^|; )user: ", rf"\g<1>{you}: ", found))


def _number(found: str, language: Language) -> str:
    return f"{int(found):,}".replace(",", "." if language == "vi" else ",")


_VALUES: dict[str, Callable[[str, Language], str]] = {
    "": lambda found, _: found,
    "language": language_name,
    "languages": _languages,
    "evidence": _evidence,
    "data": _data,
    "number": _number,
    "people": _people,
}
