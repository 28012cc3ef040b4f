"""The language of a conversation, by what the user says: chooses the system prompt, in training and serving alike.

No model and no chance: letters, then short lists of words. A message has to be judged in microseconds and the same on
every machine. :mod:`curation.cleaning.language` judges the lines of a dataset and may take its time.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from curation.persona import Persona
from curation.record import Message

# Evidence is counted in words. From here on a turn shows its language; below, it only hints at one.
_CLEAR = 1.0

# The script of a letter, by the first word of its Unicode name, and the languages that are written in it. Kana are
# Japanese; Han letters alone are Chinese, unless the character does not speak it.
_SCRIPTS = {
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "CJK": ("zh", "ja"),
    "HANGUL": ("ko",),
    "CYRILLIC": ("ru", "uk", "bg", "sr", "mk", "be", "kk", "mn"),
    "GREEK": ("el",),
    "ARABIC": ("ar", "fa", "ur"),
    "HEBREW": ("he",),
    "DEVANAGARI": ("hi", "mr", "ne"),
    "BENGALI": ("bn",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "THAI": ("th",),
    "LAO": ("lo",),
    "KHMER": ("km",),
    "MYANMAR": ("my",),
    "GEORGIAN": ("ka",),
    "ARMENIAN": ("hy",),
}
_OTHER_SCRIPT = frozenset(code for codes in _SCRIPTS.values() for code in codes)

# The commonest words of languages in Latin letters. Vietnamese ones stand without marks, as people type them.
_WORDS = {
    "vi": """ai an anh ao ay ba bac bai ban bao bay bi biet bo buon buoi cac cai cam can cau cay cha chac chan chao
        chet chi chiu cho choi chua chuc chung chuyen co con cong cu cua cung cuoi cuu dang danh dau day de den deo di
        dia dich diem dinh do doi dong du dua dung duoc em gap ghe ghet gi gia giet gio gioi giu giup gui hai hay het
        hieu ho hoa hoac hoc hoi hom hon kem khac khi khoc khoe khong kia kieu lai lam lan lau len lon luc luon ma may
        me mot mua muon nay nen neu ngay nghe nghi ngon ngu nguoi nha nhan nhat nhe nhi nhieu nho nhu nhung noi nua oi
        on phai qua quen ra rang rat roi rung sao sap sau se so song ta tai tam tao tat te ten thang thanh thay the
        thi thich thien thoi thu thua thuong tien tim tinh toi tot tra trai tre tren trong truoc tui tuoi tuong uong
        va vai vay ve vi viec voi vua vui xa xem xin xong yeu dc dm j k ko vl""",
    "en": """a about after again all always am an and any are aren't as ask at back be because been before being best
        but by can can't come could did didn't do does doesn't doing don't down each eat else ever every favorite
        favourite feel fight find first food for friend from get give go going good got great had has have haven't
        having he help her here him his how i i'd i'll i'm i've if in into is isn't it it's its just know let let's
        like little live long look love made make man many may maybe me mean more most much must my name need never
        new not nothing now of off old on once one only or other our out over people please r really right said same
        say see she should since so some something sometimes still strong such take talk tell than that that's the
        their them then there these they thing things think this those though thought time to today tomorrow tonight
        too try u under until up ur us very want was wasn't way we well were weren't what what's when where which
        while who who's whom whose why will with won't work would you you'd you'll you're you've your yours""",
    "fr": """à ai au aux avec ce ces cette c'est comme comment dans de des dit du elle en es est et être fait faire il
        ils je j'ai la le les leur lui ma mais me mes moi mon ne nous on ou où par pas plus pour pourquoi que qui quoi
        sa se ses si son suis sur ta te tes toi ton tout très tu un une vous quel quelle oui non bonjour merci""",
    "de": """aber als am an auch auf aus bei bin bist da das dass dein deine dem den der des dich die dir doch du ein
        eine einen er es für geht habe haben hast hat hier ich ihr im in ist ja kann kannst kein keine man mein meine
        mich mir mit nein nicht noch nur oder sein sie sind so und uns von war warum was wenn wer wie wir wo zu
        zum""",
    "es": """a al bien como cómo con cuál cuando de del donde dónde el ella él en eres es esta está estás este eso hay
        hola la las le lo los más me mi mí muy no nos o para pero por porque puedes que qué quién quiero se ser si sí
        sin sobre son soy su también te tengo ti tienes todo tu tú un una y ya yo gracias""",
    "pt": """a ao as até bem com como da de do dos e é ela ele em era essa esse está eu foi isso já lhe mais mas me
        meu minha muito na não nem no nos o os ou para pela pelo por porque qual quando que quem quero se sem ser seu
        só sua também te tem tenho teu tu tudo um uma você obrigado oi olá sim""",
    "it": """a al anche che chi ci ciao come con cosa così da dei del della di dove e è ei era fare gli ha hai ho i il
        in io la le lei lo lui ma me mi mia mio molto ne nel noi non o per perché più qual quando quello questo se sei
        si sì sono su sua suo ti tu tuo tutto un una vi voi grazie""",
    "id": """ada adalah aku anda apa apakah atau bagaimana bagus baik banyak belum bisa bukan dan dari dengan di dia
        ini itu jangan juga kalau kamu kami karena ke kenapa kita lagi mana mau mengapa mereka nama pada sangat saya
        sebagai semua siapa sudah suka tahu tapi tentang tidak untuk yang ya""",
    "pl": """ale bardzo być ci co czy dla do dlaczego gdzie ja jak jest jestem jesteś jeszcze kiedy kim kto lub ma mam
        masz mi mnie może na nie niż o od po przez się są tak tam ten to ty tylko w we wiem z za że""",
    "nl": """aan als bij ben bent dat de die dit een en er het hij hoe ik in is ja je jij jou kan maar me met mij mijn
        naar niet nog nu of om ook op te tot uit van voor waar waarom was wat we wel wie wij zijn zo""",
    "tr": """ama ben bana bir biz bu bunu çok da daha de değil dedi evet gibi hayır için ile kadar ki kim mi misin mı
        mu mü nasıl ne neden nerede o olarak olan onu sen senin seni siz şey şu var ve ya yok""",
}
_LISTS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
# Greetings that travel: an English one inside another language says little, but alone it is all there is.
_HINTS = {"en": frozenset({"bye", "hello", "hey", "hi", "no", "sorry", "thank", "thanks", "welcome", "yeah", "yes"})}
# Typed in every language.
_ANYWHERE = frozenset({"ah", "aha", "ha", "haha", "hehe", "hm", "hmm", "huhu", "lol", "oh", "ok", "okay", "uh", "wow"})

# A Vietnamese syllable without its marks: at most one of these at the front, and one of these rhymes.
_SYLLABLE = re.compile(
    r"(?:ngh|ch|gh|gi|kh|ng|nh|ph|qu|th|tr|[bcdghklmnpqrstvx])?"
    r"(?:a(?:ch|ng|nh|[cimnoptuy])?|e(?:ch|ng|nh|[cmnoptu])?|i(?:ch|nh|e(?:ng|[cmnptu])|[amnptu])?"
    r"|o(?:ng|[cimnpt]|a(?:ch|ng|nh|[cimnopty])?|e[not]?|o(?:c|ng))?"
    r"|u(?:ng|[acimnptu]|o(?:ng|[cimnptu])?|a(?:ng|[nty])|e(?:ch|nh)?|y(?:ch|en|et|nh|[atu])?)?"
    r"|y(?:e(?:ng|[mntu]))?)"
)
# Letters with these marks are Vietnamese alone among the languages of the lists: ă, đ, ơ, ư and all with two marks.
_VIETNAMESE = re.compile("[ăđơư\u1ea0-\u1ef9]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def language_of(messages: Sequence[Message], persona: Persona) -> str:
    """Return the language of a conversation: one of ``persona.languages``, by the user's turns alone.

    The last user turn that shows a language decides, so a visitor who changes to another language is answered in it.
    Where no turn does, the last one that hints at a language ("Hi!") decides; where none does, the persona's first
    language. A whole dialogue has one language. In training that is the language of all its user turns, as it would be
    when its last reply is served; :func:`curation.chat.render` leaves earlier replies out of the loss if they would
    have been served under another system prompt.
    """
    return languages_at(messages, persona)[-1] if messages else persona.languages[0]


def tables(persona: Persona) -> dict[str, Any]:
    """Return what this module goes by, as JSON, for a page that chooses the system prompt without a server.

    Only the scripts of the persona's languages are in it, each with the ranges of its letters.
    """
    bases = {code.lower().split("-")[0] for code in persona.languages}
    scripts = {name: codes for name, codes in _SCRIPTS.items() if bases & set(codes)}
    return {
        "languages": persona.languages,
        "names": (persona.name, *persona.aliases),
        "clear": _CLEAR,
        "words": {code: sorted(words) for code, words in _LISTS.items() if code in bases},
        "hints": {code: sorted(words) for code, words in _HINTS.items() if code in bases},
        "anywhere": sorted(_ANYWHERE),
        "syllable": _SYLLABLE.pattern,
        "scripts": {name: {"languages": codes, "ranges": _ranges(name)} for name, codes in scripts.items()},
    }


def _ranges(script: str) -> list[tuple[int, int]]:
    """Return the first and the last letter of each run of a script's letters."""
    ranges: list[tuple[int, int]] = []
    for point in range(0x370, sys.maxunicode + 1):
        if _scripts(chr(point)) == {script: 1}:
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1] = (ranges[-1][0], point)
            else:
                ranges.append((point, point))
    return ranges


def languages_at(messages: Sequence[Message], persona: Persona) -> list[str]:
    """Return for each message the language of the conversation up to it; see :func:`language_of`."""
    decided: str | None = None
    hinted: str | None = None
    languages = []
    for message in messages:
        if message.role == "user" and len(persona.languages) > 1:
            # A known name says nothing about the language of the words around it.
            names = (persona.name, *persona.aliases)
            language, evidence = _shown(message.content, persona.languages, names)
            if language and evidence >= _CLEAR:
                decided = language
            hinted = language or hinted
        languages.append(decided or hinted or persona.languages[0])
    return languages


@lru_cache(maxsize=4096)
def _shown(text: str, languages: tuple[str, ...], names: tuple[str, ...]) -> tuple[str | None, float]:
    """Return which of the languages a text shows, and how clearly, in words; (None, 0.0) where it shows none."""
    text = unicodedata.normalize("NFC", text)
    for name in names:
        text = text.replace(name, " ")
    by_base = {code.lower().split("-")[0]: code for code in reversed(languages)}
    scores = dict.fromkeys(by_base, 0.0)
    for script, count in _scripts(text).items():
        if spoken := next((code for code in _SCRIPTS[script] if code in by_base), None):
            scores[spoken] += count / 2  # a word of two letters, where words are written without spaces
    if _scripts(text).keys() & {"HIRAGANA", "KATAKANA"} and "ja" in scores and "zh" in scores:
        scores["ja"], scores["zh"] = scores["ja"] + scores["zh"], 0.0
    for code, evidence in _latin_words(text, [c for c in by_base if c not in _OTHER_SCRIPT]).items():
        scores[code] += evidence
    best, *others = sorted(scores, key=lambda code: -scores[code])
    if scores[best] <= max((scores[code] for code in others), default=0.0):
        return None, 0.0
    return by_base[best], scores[best]


def _scripts(text: str) -> dict[str, int]:
    """Count the letters of each script in the table."""
    counts: dict[str, int] = {}
    for letter in text:
        if letter > "\u036f" and letter.isalpha():
            script = unicodedata.name(letter, "").split(" ", 1)[0].split("-", 1)[0]
            if script in _SCRIPTS:
                counts[script] = counts.get(script, 0) + 1
    return counts


def _latin_words(text: str, languages: Sequence[str]) -> dict[str, float]:
    """Return the evidence for each language from words in Latin letters.

    A word in the list of one language counts whole, in the lists of several half. With Vietnamese among them, a word
    that cannot be a Vietnamese syllable speaks for the others, and one that can, for Vietnamese.
    """
    scores = dict.fromkeys(languages, 0.0)
    others = [code for code in languages if code != "vi"]
    for word in _WORD.findall(text):
        small = word.lower().replace("’", "'")
        plain = without_marks(small)
        if not plain.isascii():
            continue
        if "vi" in scores and small != plain and _SYLLABLE.fullmatch(plain):
            scores["vi"] += 2.0 if _VIETNAMESE.search(small) else 1.0
            continue
        known = [c for c in languages if small in _LISTS.get(c, ()) or (c == "vi" and plain in _LISTS["vi"])]
        for code in known:
            scores[code] += 1.0 if len(known) == 1 else 0.5
        if known or len(small) < 2 or small in _ANYWHERE:
            continue
        if hinted := [c for c in languages if small in _HINTS.get(c, ())]:
            scores[hinted[0]] += 0.5
        elif "vi" in scores and word.islower():  # a capital may be a name's
            if _SYLLABLE.fullmatch(small):
                scores["vi"] += 0.5
            elif len(others) == 1 and small.isascii():
                scores[others[0]] += 0.5
    return scores


def without_marks(word: str) -> str:
    """Return a word in lower case without the marks of Vietnamese and other Latin letters."""
    letters = unicodedata.normalize("NFD", word.replace("đ", "d"))
    return "".join(c for c in letters if not unicodedata.combining(c))
