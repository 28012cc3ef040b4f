"""Languages: the script first, then the words; cries and names are in none and follow their file."""

from __future__ import annotations

import pytest

from curation.cleaning.language import judge, language_flags, tag
from curation.persona import Persona
from curation.record import Message, Sample, Source, sample_id


def sample(reply: str, path: str = "a.json", *more: str) -> Sample:
    said = [Message("user", "?"), Message("assistant", reply)]
    for text in more:
        said += [Message("user", "?"), Message("assistant", text)]
    messages = tuple(said)
    return Sample(
        id=sample_id("quote", messages),
        kind="quote",
        messages=messages,
        language=None,
        topic=None,
        source=Source(path=path, sha256="", locator="", importer="alpaca"),
    )


VIETNAMESE = "Ngọn núi này là của ta, con suối kia cũng là của ta!"
ENGLISH = "This mountain is mine, and the river over there is mine as well!"
FRENCH = "Cette montagne est à moi et la rivière aussi, je vous le dis !"


def lines(text: str) -> list[str]:
    return text.strip().split("|")


def codes(one: Sample) -> list[str]:
    return [f.code for f in one.flags]


def beside(text: str, persona: Persona, around: str = VIETNAMESE) -> Sample:
    """Return a line tagged in a file with another line."""
    return tag([sample(around), sample(text)], persona)[1]


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("誰だお前？", "ja", "Hiragana"),
        ("い", "ja", "Hiragana"),
        ("カナヲ！", "ja", "Katakana"),
        ("猪突猛進！猪突猛進！オラオラ！", "ja", "Han"),
        ("너 누구야!", "ko", "Hangul"),
        ("ㅋㅋㅋ", "ko", "Hangul"),
        ("你叫什么？", "zh", "Han"),
        ("我是山大王！", "zh", "Han"),
        ("Привет, слабак!", "ru", "Cyrillic"),
        ("Да", "ru", "Cyrillic"),
        ("Я найсильніший у світі, що ти робиш?", "uk", "Cyrillic"),
        ("أنا الأقوى!", "ar", "Arabic"),
        ("ฉันแข็งแกร่งที่สุด", "th", "Thai"),
        ("אני הכי חזק!", "he", "Hebrew"),
        ("मैं सबसे ताकतवर हूँ!", "hi", "Devanagari"),
        ("Είμαι ο πιο δυνατός!", "el", "Greek"),
        ("მე ყველაზე ძლიერი ვარ", "ka", "Georgian"),
        ("ຂ້ອຍແຂງແຮງ", "lo", "Lao"),
        ("ខ្ញុំខ្លាំង", "km", "Khmer"),
        ("ငါအားအကြီးဆုံး", "my", "Myanmar"),
        ("Ես ամենաուժեղն եմ", "hy", "Armenian"),
        ("நான் வலிமையானவன்", "ta", "Tamil"),
        ("আমি শক্তিশালী", "bn", "Bengali"),
        ("እኔ ጠንካራ ነኝ", "am", "Ethiopic"),
        ("Inosuke 参上だ！", "ja", "Hiragana"),
        ("OK! 行くぞ、お前ら！", "ja", "Hiragana"),
        ("Ta là vua! 俺は山の王だ、全員かかってこい！", "ja", "Hiragana"),
    ],
)
def test_another_script_is_flagged_at_any_length_and_named(
    text: str, language: str, script: str, persona: Persona
) -> None:
    tagged = beside(text, persona)
    assert (tagged.language, codes(tagged)) == (language, ["language"])
    detail = tagged.flags[0].detail
    assert detail.startswith(f"looks like `{language}` (written in ") and script in detail
    assert detail.endswith("expected vi or en")


@pytest.mark.parametrize(
    "text",
    [
        "Ta là vua! なに!?",
        "なに?! Ta mà thua à?",
        "ばか！Đồ ngốc!",
        "Ой! Ta đau quá!",
        "Ta tên là 嘴平伊之助!",
        "Xin chào, 안녕, ta đói rồi!",
        "😀 Ta đây! ★☆ → 100%",
        "Nani?! Ta thua á?",
        "Sugoi! Ngươi mạnh ghê!",
        "Nezuko-chan dễ thương ghê",
        "Ta thích ramen, sushi, tempura, onigiri!",
        "Bro à, chill đi, ta đang farm level, no stress nha!",
        "Let's go nào anh em ơi!",
        "Level của ta max rồi, team ta win chắc!",
        "Sorry ta không biết",
        "Okay, ta đi!",
    ],
)
def test_a_vietnamese_line_with_a_foreign_word_stays_vietnamese(text: str, persona: Persona) -> None:
    tagged = beside(text, persona)
    assert (tagged.language, tagged.flags) == ("vi", ())


def test_a_vietnamese_line_with_a_foreign_half_is_flagged_for_that_half(persona: Persona) -> None:
    tagged = beside("Ta là vua núi rừng! 山の王だ、こい", persona)
    assert tagged.language == "vi"
    assert [f.detail for f in tagged.flags] == ["partly written in Hiragana, Han; expected vi or en"]


def test_han_letters_alone_are_japanese_in_a_japanese_file(persona: Persona) -> None:
    assert beside("馬鹿者！", persona).language == "zh"
    assert beside("馬鹿者！", persona, around="誰だお前？").language == "ja"


def test_the_characters_own_script_is_not_foreign(persona: Persona) -> None:
    japanese = persona.model_copy(update={"languages": ("ja", "vi")})
    for text in ("誰だお前？", "猪突猛進", "Ta đây!"):
        assert language_flags([text], japanese) == ()
    assert judge("猪突猛進", japanese).language == "ja"
    assert [f.code for f in language_flags(["너 누구야!"], japanese)] == ["language"]


FOREIGN = {
    "de": "Ich bin der Stärkste!|Komm her, du Feigling!|Wo ist mein Essen?|Ich habe Hunger.|Wer bist du?|Keine Angst!|"
    "Ich fürchte nichts!|Schneller!|Bist du taub?|Du hast keine Chance gegen mich",
    "fr": "Je suis le plus fort !|Viens ici, lâche !|J'ai faim.|Qui es-tu ?|Tais-toi !|Plus vite !|Regarde-moi !|"
    "Laisse-moi tranquille|Je m'ennuie",
    "es": "¡Soy el más fuerte!|¡Cállate!|Tengo hambre.|"
    "¿Quién eres?|¡Vete!|Déjame en paz|¡Corre!|Soy el rey de la montaña",
    "id": "Aku yang paling kuat!|Diam!|Aku lapar.|Siapa kamu?|Jangan takut.|Lari!|Kita harus menang|"
    "Ini gunungku karena bisa",
    "it": "Sono il più forte!|Chi sei?|Andiamo!|Che cosa vuoi?|Non ho paura di niente|Più veloce!|Mangia questo",
    "pt": "Eu sou o mais forte!|Estou com fome.|Quem é você?|Cala a boca!|Não tenho medo de nada|Vai embora!",
    "nl": "Ik ben de sterkste!|Wie ben jij?|Hou je mond!|Laat me met rust|Ik heb honger.",
    "pl": "Jestem najsilniejszy!|Kim jesteś?|Zamknij się!|Nie bój się.|Zostaw mnie",
    "tr": "En güçlü benim!|Sen kimsin?|Hadi gidelim!|Korkma.|Daha hızlı!|Beni rahat bırak",
    "tl": "Ako ang pinakamalakas!|Sino ka?|Gutom na ako.|Huwag kang matakot.|Wala akong takot",
    "sv": "Jag är starkast!|Vem är du?|Låt oss slåss!|Jag är inte rädd",
}


@pytest.mark.parametrize("language", FOREIGN)
def test_short_lines_of_other_languages_in_latin_letters_are_flagged(language: str, persona: Persona) -> None:
    for text in FOREIGN[language].split("|"):
        tagged = beside(text, persona)
        assert codes(tagged) == ["language"], text
        assert tagged.language not in ("vi", "en"), text
    whole = beside(FOREIGN[language].replace("|", " "), persona)
    assert whole.language == language
    assert whole.flags[0].detail == f"looks like `{language}` (by its words, 100%); expected vi or en"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Nuk kam frikë nga asgjë, eja këtu dhe lufto me mua tani, o frikacak!", "sq"),
        ("Ma olen kõige tugevam kuningas siin metsas ja sina ei julge minuga võidelda!", "et"),
        ("Rwyf yn gryfach na phawb arall yn y mynyddoedd hyn, ac nid wyf yn ofni neb!", "cy"),
    ],
)
def test_a_long_line_of_a_language_without_a_word_list_is_left_to_langdetect(
    text: str, language: str, persona: Persona
) -> None:
    tagged = beside(text, persona)
    assert (tagged.language, codes(tagged)) == (language, ["language"])


@pytest.mark.parametrize(
    "text",
    lines(
        "Get up and race me!|Who goes there?|Out of my way!|Come on!|Hungry! Feed me now!|To the top!|Me too!|"
        "Do it!|So hot!|Oh no!|Hang on!|Go home!|Ha! No!|Not so fast!|Run!|Food!|What?|Mine!|Again!|Bring it on!|"
        "Let me in!|Nice try|I got the hot dog|To me, men!|Hang him|Thank him, not me.|Tempura time!|"
        "Ten bucks on me|Chin up|Then hang on|Outta my way, punk!|Gonna smash ya!|Beast breathing, third fang!|"
        "Nezuko-chan is so cute|I love pho so much"
    ),
)
def test_a_short_english_line_is_english(text: str, persona: Persona) -> None:
    tagged = beside(text, persona, around=ENGLISH)
    assert (tagged.language, tagged.flags) == ("en", ())


@pytest.mark.parametrize(
    "text",
    lines(
        "Get up and race me!|I am the strongest!|Out of my way!|Feed me now!|Who are you?|Do not go in!|"
        "You are too slow"
    ),
)
def test_an_english_line_is_english_in_a_vietnamese_file_too(text: str, persona: Persona) -> None:
    assert (beside(text, persona).language, beside(text, persona).flags) == ("en", ())


@pytest.mark.parametrize(
    "text",
    lines(
        "Ta la Inosuke, chua te rung nui, nguoi hay quy xuong!|Toi qua ta ngu ngoai trang, muoi dot khap nguoi.|"
        "khong|ta se danh bai nguoi|Ta khong so!|Nguoi la ai?|Dung lai!|Doi qua!|Sao nguoi yeu the?|"
        "Khong bao gio!|May la dua nao?|Ta manh nhat|Con heo rung nay la cua ta|INOSUKE LA VUA CUA NUI!|"
        "Cam on nhe|Ban khoe khong?|Hom nay troi dep qua|Ta doi roi, cho ta com|Chay di!|Dau kiem khong nao?|"
        "Ta Se Danh Bai Nguoi|Ta khong so nguoi đâu"
    ),
)
def test_vietnamese_without_marks_is_vietnamese_and_flagged(text: str, persona: Persona) -> None:
    tagged = beside(text, persona)
    assert (tagged.language, codes(tagged)) == ("vi", ["no_diacritics"])
    assert tagged.flags[0].detail == text[:80]


@pytest.mark.parametrize(
    "text",
    lines(
        "Ta ngu!|Im!|Ngon!|Ai?|Cho ta ăn!|Ta đi ra.|Xem ta!|Ta ra tay!|Thua ta!|Ta leo lên cây cao|Ba con heo to|"
        "Theo ta!|To gan!|Tao!|Chua!|Ta thua?|Ta quay tay|Hay ghê|Ta xin|Ai cho?|Xông lên!|Á!|Ê, tên kia!|Hơ?|Xì!|"
        "Thanh gươm ta đâu?|Con ong vo ve quanh tai ta, ta đập chết!"
    ),
)
def test_vietnamese_words_that_have_no_marks_are_right_without(text: str, persona: Persona) -> None:
    tagged = beside(text, persona)
    assert (tagged.language, tagged.flags) == ("vi", ())


def test_in_a_file_without_marks_a_short_line_lacks_them_too(persona: Persona) -> None:
    assert beside("Xong roi", persona).flags == ()
    assert codes(beside("Xong roi", persona, around="Ta khong so nguoi dau, nguoi dung co ma mo")) == ["no_diacritics"]
    assert beside("Get up and race me!", persona, around="Ta khong so nguoi dau, nguoi dung co ma mo").flags == ()


CRIES = (
    "Hahahahahahahahahaha!|AAAAAAAAAAAAAAAAAAAHHHH!!!|Grrrrrrrrr grrrrrrr grrrrrrrrr!|Uooooooooh!|Kya kya kya kya!|"
    "Hihihi hehehe hahaha|Yahoooooo!!!|Waaaaaaaaaaah waaaaaaaaah|Hmmmmmmmmmm|Tch!|Oi oi oi oi!|Nani?! Nani?!|"
    "Baka baka baka!|Kono yarou!!!|Omae wa mou shindeiru!|Ore wa tsuyoi zo!|Yosh! Ikuzo!|Yamete kudasai!|"
    "Sugoi sugoi sugoi ne!|Itadakimasu!|Chotto matte kudasai|Zzzzzzz... zzzzzz...|Uggghhhh arrrghhh!|Oink oink oink!|"
    "Lalalalala lalala la|Mwahahahahahaha!|Urusai urusai!|Kora kora kora!|Arigatou gozaimasu!|Yare yare daze|Kuso!|"
    "Ore no namae wa Inosuke da!|Zettai ni makenai!|Brrrrr!|Pffffft!|Tanjirooooo!|Rawr!|Psst!|Bzzzz|Ha! Ha! Ha!|"
    "Tanjiro, Zenitsu, Nezuko, Kanao, Shinobu, Giyu, Rengoku!|Inosuke! Inosuke! Inosuke!|Hashibira Inosuke!|"
    "Monjiro! Kentaro! Gonpachiro!|Muzan Kibutsuji, Akaza, Douma, Kokushibou|Kamado Tanjiro, Kamado Nezuko|"
    "Urokodaki Sakonji|Aoi, Kanao, Naho, Kiyo, Sumi|Maria! Pedro! Hans!|Naruto, Sasuke, Sakura!|Pierre!|Diego!|"
    "!!! 123|…|★|伊之助！"
)


@pytest.mark.parametrize("text", CRIES.split("|"))
@pytest.mark.parametrize("around", [VIETNAMESE, ENGLISH])
def test_cries_and_names_are_in_no_language(text: str, around: str, persona: Persona) -> None:
    tagged = beside(text, persona, around)
    assert tagged.flags == ()
    assert tagged.language == ("vi" if around == VIETNAMESE else "en")


def test_a_file_of_cries_takes_the_characters_first_language(persona: Persona) -> None:
    assert tag([sample("Ha!")], persona)[0].language == "vi"


def test_a_cry_in_a_foreign_file_is_not_flagged_for_its_file(persona: Persona) -> None:
    tagged = tag([sample(FRENCH), sample("Hahaha!")], persona)
    assert [(s.language, codes(s)) for s in tagged] == [("fr", ["language"]), ("vi", [])]


def test_every_reply_of_a_dialogue_is_judged_by_itself(persona: Persona) -> None:
    one = sample(VIETNAMESE, "a.json", "誰だお前？", "Ta khong so nguoi!", "Ta ko đi")
    tagged = tag([one], persona)[0]
    assert tagged.language == "vi"
    assert codes(tagged) == ["language", "no_diacritics", "chat_spelling"]
    assert [f.detail for f in tagged.flags][1:] == ["Ta khong so nguoi!", "ko"]


def test_chat_spelling_is_flagged_and_no_foreign_language(persona: Persona) -> None:
    tagged = beside("Ko sao đâu, t mạnh vl, m làm j đc t!!! hehehehe", persona)
    assert tagged.language == "vi"
    assert [(f.code, f.detail) for f in tagged.flags] == [("chat_spelling", "Ko, t, vl, m, j, đc")]
    both = beside("ta ko so nguoi dau", persona)
    assert (both.language, codes(both)) == ("vi", ["no_diacritics", "chat_spelling"])


def test_a_character_with_other_languages_has_those(persona: Persona) -> None:
    french = persona.model_copy(update={"languages": ("fr",)})
    assert language_flags(["Je suis le plus fort !", "Viens ici, lâche !", "Hahaha"], french) == ()
    (found,) = language_flags(["Ta là chúa tể núi rừng!"], french)
    assert found.detail.startswith("looks like `vi`")
    swahili = persona.model_copy(update={"languages": ("sw",)})
    assert language_flags(["Habari yako rafiki, leo ninakwenda sokoni kununua chakula"], swahili) == ()


def test_tick_is_called_once_a_sample(persona: Persona) -> None:
    ticks: list[int] = []
    tag([sample("Ha!"), sample(VIETNAMESE)], persona, lambda: ticks.append(1))
    assert len(ticks) == 2


# Kinds of lines beside those above, whose flags and, where it is no near tie, whose language is known.
MORE = {
    "foreign": (
        "Ich will nach Hause!|Der Berg gehört mir.|Guten Appetit!|Achtung!|Danke schön|Lass mich in Ruhe!|"
        "Ja, natürlich!|Nein!|Los geht's|Wer ist da?|Hallo, wie geht's?|Merci beaucoup|Oui!|Bien sûr!|Allons-y!|"
        "Bonjour!|Au secours !|C'est qui ?|Sacré bleu|Hola amigo|¡Gracias!|¿Qué pasa?|Muy bien|Buenas noches|"
        "¡Ayuda!|Por favor|Vámonos|Te quiero|Terima kasih|Apa kabar?|Selamat malam|Tolong!|Siapa namamu?|Ayo!|"
        "Tidak!|Aku suka makan|Raja hutan datang!|Jangan lari!|Grazie mille|Ciao bella|Buona notte|Mamma mia!|"
        "Aiuto!|Obrigado|Boa noite|Socorro!|Tot ziens|Dank je wel|Dziękuję|Cześć|Merhaba|Teşekkürler|Salamat po|"
        "Kumusta ka?|Mulțumesc|Tack så mycket|Hyvää päivää|Děkuji|Köszönöm|Takk for maten|"
        "Aku adalah raja gunung, bersiaplah!|Soy el jabalí más feroz del monte|Wo sind meine Schwerter?|"
        "Sanglier sauvage, à l'attaque!|Chciałbym zjeść obiad|Kde je moje meč?|Eg er sterkast"
    ),
    "without_marks": (
        "Ta la chua te|Toi doi bung|An com chua?|Di dau day?|Lam gi the?|Mau len!|Dung co ma so|Troi mua roi|"
        "Nguoi thua roi!|Ta khong can nguoi giup|Vua nui day!|Dau voi ta di|Biet ta la ai khong|"
        "Thit nuong ngon lam|Bo tay ra|Ta ghet mua|De do cho ta|May dam?|Quy kia, lai day|Ta thang roi|"
        "Cau oi cho to hoi|Cho minh xin it nuoc|Yeu the|Chuyen nho|Gio thi sao|Sang mai gap|Buon qua|Thoi bo di|"
        "Dep trai qua|Met qua di|Chan ghe|Sao lai the nhi|Ai bao nguoi the?|to ghet cau"
    ),
    "vi": (
        "Xin chào!|Ờ thì thôi|Á à!|Hế lô anh em|Chill thôi|Deadline dí quá|Mai lên office nhé|"
        "Feedback của ngươi đâu?|Stress quá đi mất|Boss này khó quá, build lại team đi|Ta check mail rồi nha|"
        "Ok luôn bạn ơi|Hello mọi người!|Bye bye nha|Thank you nhé|Ta ăn pizza với hamburger|"
        "Game over rồi ngươi ơi|Ngon vãi|Vãi chưởng|Ối giời ơi|Úi!|Ủa?|Gì cơ?|Ơ kìa|Hả hả hả|Hơ hơ hơ|"
        "Khà khà khà|Hô hô hô|Há há há|Ta ta ta|Đi đi đi!|Ha! Thua chưa?|Zenitsu, im!|Nezuko ăn cơm|"
        "Inosuke-sama muôn năm!|Kamaboko Gonpachiro, đứng lại!|Cho ta tempura!|Banzai! Ta thắng!|"
        "Arigatou nha Tanjiro|Baka! Ngươi ngu quá!|Ta là Hashibira Inosuke, king of the mountain!|Tao|Ừ|Vâng|Lao|"
        "Xa|Con|Tim ta đau|Ta cao to|Ba ta|Hai hai|Hai ta|Cam|Chanh|Thơm|Bia|Tai ta|Cho|Ta bay|Xe tăng|Chung tay|"
        "Mưa to"
    ),
    "en": (
        "Rawr! I win!|Hey you!|Pork!|Bacon?|Yum|Yuck!|Duck!|Dodge this!|Charge!|Pig pig pig|Boar boar|Ma'am|"
        "Aye aye|Sir, no sir|It hurts|Ouch, my leg|That's mine, thanh|Ta-da!|Long, thin, thin|Nothing|Hmph, fine|"
        "Two hundred men|Come on, bro|Gimme gimme|Let us go then|Ha Noi is far|Do it again, man|Me? Never!|"
        "Bow to me|Hi|Hi hi|Lame|Dumb|Wow, so big|Sang a song|Ban on tea|Be gone|Tie him|Gin|Lie low|Ten to one|"
        "Van man|Ham and tea|Hung him|So long|No can do|Thai tea|Chat on|Dance!|Mango|Mountain king|Demon slayer|"
        "Demons, demons, demons"
    ),
    "cries": (
        "Nyahaha|Kukuku|Fufufu|Ufufu|Mwehehe|Ora ora ora ora|Muda muda muda|Gomen ne|Ohayou|Daijoubu?|Tasukete!|"
        "Matte!|Yada!|Hontou ni?|Kawaii!|Nandato?!|Chotto!|Nande?|Ii ne|Maji ka|Uso!|Shinjirarenai|Okaeri|"
        "Tadaima|Sensei!|Oyakata-sama|Kaigaku|Sabito, Makomo|Rengoku Senjuro|Enmu! Rui! Susamaru!|Yushiro Tamayo|"
        "Haganezuka|Genya Shinazugawa|Sanemi Shinazugawa, Gyomei Himejima|Ubuyashiki Kagaya|Muichirou|"
        "Nguyễn Văn A|Yahallo|Zzz|Hic hic|Hu hu hu|Gừ gừ gừ|Éc éc|Ụt ịt|Ò ó o|Miau miau|Woof woof|Meow|Kaboom!|"
        "Swoosh|Whoosh!|Clang clang|Bum bum|Đùng đùng|Tèn ten|La la la|Na na na|Tada!|Ah|Oh|Eh|Uh|Hmm|Mm|Ssss|"
        "Ack!|Eek!|Gah!|Guh|Nggggh|Kyaa|Aaargh|Wheee|Yippee|Hurray|Hooray|Hup hup|Bleh|Meh|Pew pew"
    ),
}


@pytest.mark.parametrize("text", lines(MORE["foreign"]))
def test_more_foreign_lines(text: str, persona: Persona) -> None:
    tagged = beside(text, persona)
    assert codes(tagged) == ["language"] and tagged.language not in ("vi", "en")


@pytest.mark.parametrize("text", lines(MORE["without_marks"]))
def test_more_lines_without_marks(text: str, persona: Persona) -> None:
    tagged = beside(text, persona)
    assert (tagged.language, codes(tagged)) == ("vi", ["no_diacritics"])


@pytest.mark.parametrize(("language", "around"), [("vi", VIETNAMESE), ("en", ENGLISH)])
def test_more_lines_of_the_characters_own(language: str, around: str, persona: Persona) -> None:
    for text in lines(MORE[language]):
        tagged = beside(text, persona, around)
        assert (tagged.language, tagged.flags) == (language, ()), text


@pytest.mark.parametrize("around", [VIETNAMESE, ENGLISH])
def test_more_cries_and_names(around: str, persona: Persona) -> None:
    for text in lines(MORE["cries"]):
        assert beside(text, persona, around).flags == (), text
