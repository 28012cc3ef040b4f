"""Every code that the pipeline puts on a record, once: flags, rejections and the evidence for a speaker.

A code is written as a literal where it is emitted (``Flag("over_length", …)``, ``Rejected(reason="heading", …)``,
``evidence="voice"``) and described here. ``tests/curation/test_codes.py`` reads the code of all packages and fails for
a code that is emitted and not described, or described and never emitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from curation.record import Flag

Language = Literal["vi", "en"]


@dataclass(frozen=True, slots=True)
class Code:
    """A flag or a rejection, in the words that an annotator reads.

    ``blocks``: a sample with this flag is never approved by itself, even from a trusted source: the flag is nearly
    always right, and its fault would harm a model or a reader. Hints at style do not block. ``never_trained``: an
    approved sample with this flag stays out of the export. ``finding`` is False for what a flag only stores: the desk
    neither shows nor counts it.
    """

    code: str
    vi: str
    en: str
    blocks: bool = False
    never_trained: bool = False
    finding: bool = True

    def words(self, language: Language) -> str:
        """Return what the code means, in a language."""
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the speaker of a line is known. ``confidence``, 0 to 1, is how often such evidence is right."""

    code: str
    vi: str
    en: str
    confidence: float


# What an annotator should look at, and what to do about it.
FLAGS: dict[str, Code] = {
    row.code: row
    for row in (
        Code(
            "near_duplicate",
            "Gần giống một mẫu khác: giữ một, loại phần còn lại.",
            "Nearly the same as another sample: keep one, reject the rest.",
        ),
        Code(
            "diacritics",
            "Chỉ khác một mẫu khác ở dấu: xem có gõ thiếu dấu hay sai dấu không.",
            "Differs from another sample only in its diacritics: look for missing or wrong ones.",
        ),
        Code(
            "lost_referent",
            "Câu hỏi nói về một người mà không chỗ nào nêu tên: thêm tên vào.",
            "The question is about a person whom nothing names: add the name.",
            blocks=True,
        ),
        Code(
            "edited_since_review",
            "Dòng này đã được sửa trong nguồn sau khi được duyệt: duyệt lại lời mới.",
            "The row was edited in its source after it had been approved: judge the new words.",
        ),
        Code(
            "review_outdated",
            "Dòng này đã được sửa trong nguồn sau khi bị loại hoặc viết lại: quyết định lại.",
            "The row was edited in its source after it had been rejected or rewritten: decide again.",
            blocks=True,
        ),
        Code(
            "language",
            "Có vẻ không phải ngôn ngữ của nhân vật.",
            "It does not look like a language that the character speaks.",
            blocks=True,
        ),
        Code(
            "no_diacritics",
            "Tiếng Việt gõ không dấu: thêm dấu hoặc loại.",
            "Vietnamese typed without its diacritics: add them, or reject it.",
            blocks=True,
        ),
        Code(
            "chat_spelling",
            "Có chữ viết tắt kiểu nhắn tin (k, đc, bik, …): viết lại nếu nhân vật không nói thế.",
            "It has abbreviations of chats (k, đc, bik, …): rewrite them unless the character talks like that.",
            blocks=True,
        ),
        Code("empty_reply", "Lời đáp trống.", "The reply is empty.", never_trained=True),
        Code(
            "out_of_character",
            "Có từ mà nhân vật không dùng.",
            "It uses words that the character avoids.",
            blocks=True,
        ),
        Code(
            "over_length",
            "Dài hơn cách nói thường ngày của nhân vật.",
            "It is longer than the character usually talks.",
        ),
        Code(
            "label_in_reply",
            "Tên người nói lẫn vào lời đáp: phần sau đó có thể là lời người khác.",
            "A speaker's label is inside the reply: what follows may be another speaker's.",
            blocks=True,
            never_trained=True,
        ),
        Code(
            "example_row",
            "Đây vẫn là câu ví dụ của `inosuke new`: viết câu của nhân vật vào chỗ này.",
            "It is still an example of `inosuke new`: write a line of the character in its place.",
        ),
        Code(
            "possible_speaker",
            "Trong lời đáp có dòng có thể là lời người khác.",
            "A line of the reply may be another speaker's.",
            blocks=True,
        ),
        Code(
            "unknown_speaker",
            "Có lời không rõ ai nói; có thể là của chính nhân vật.",
            "The speaker of a line is unknown; it may be the character.",
            blocks=True,
        ),
        Code(
            "weak_speaker",
            "Chưa chắc đây là lời nhân vật: hãy đối chiếu với nguồn.",
            "It is uncertain that the character says this: compare it with the source.",
        ),
        # faults of any text (curation/faults)
        Code(
            "assistant_words",
            "Nói như trợ lý AI hay mô hình ngôn ngữ: sửa hoặc loại.",
            "It speaks as an AI assistant or a language model does: rewrite or reject it.",
            blocks=True,
        ),
        Code(
            "placeholder",
            "Còn chỗ chờ điền (TODO, [tên], …): viết nốt hoặc loại.",
            "It holds a text that was to be replaced (TODO, [name], …): complete or reject it.",
            blocks=True,
        ),
        Code(
            "markup",
            "Có mã HTML, Markdown hay wiki: bỏ mã, giữ lời.",
            "It holds HTML, Markdown or wiki markup: keep the words alone.",
            blocks=True,
        ),
        Code("link", "Có địa chỉ trang web: bỏ đi hoặc loại.", "It holds a web address: remove it.", blocks=True),
        Code(
            "stage_direction",
            "Có hành động trong ngoặc hay giữa dấu sao: chỉ giữ lời nói.",
            "It tells an action in brackets or between asterisks: keep what is said.",
            blocks=True,
        ),
        Code(
            "role_label",
            "Có nhãn vai (User:, Assistant:, Bạn:, …) trong lời đáp: phần sau có thể là lời người khác.",
            "A role's label (User:, Assistant:, You:, …) is in the reply: what follows may be another speaker's.",
            blocks=True,
        ),
        Code(
            "lost_letters",
            "Có dấu ? hay ô vuông thay cho chữ bị mất.",
            "A question mark or a box stands where a letter was lost.",
            blocks=True,
        ),
        Code(
            "repaired_letters",
            "Chữ hỏng do sai bảng mã đã được khôi phục: so với nguồn.",
            "Letters that a wrong encoding had damaged were repaired: compare them with the source.",
            blocks=True,
        ),
        Code("loop", "Lặp đi lặp lại cùng những từ.", "It says the same words again and again.", blocks=True),
        Code(
            "cut_off",
            "Bị ngắt giữa chừng: viết nốt hoặc loại.",
            "It breaks off in the middle: complete or reject it.",
            blocks=True,
        ),
        Code(
            "prompt_echoed",
            "Lời đáp chỉ chép lại câu hỏi.",
            "The reply only repeats the prompt.",
            blocks=True,
        ),
        Code(
            "profanity",
            "Có từ tục: sửa hoặc loại, hoặc cho phép từ đó trong persona.toml.",
            "It holds a vulgar word: rewrite or reject it, or allow the word in persona.toml.",
            blocks=True,
        ),
        Code("typing_error", "Có từ gõ sai.", "It holds a typing error.", blocks=True),
        Code(
            "name_spelling",
            "Tên viết khác cách viết thường gặp trong kho dữ liệu.",
            "A name is spelt in another way than usual in the corpus.",
            blocks=True,
        ),
        Code(
            "wrong_address",
            "Xưng hô khác với bảng [address] trong persona.toml.",
            "Someone is called by another word than the table [address] of persona.toml gives.",
            blocks=True,
        ),
        Code(
            "personal_data",
            "Có dữ liệu cá nhân (số điện thoại, địa chỉ e-mail, …): sửa hoặc loại.",
            "It holds personal data (a phone number, an e-mail address, …): rewrite or reject it.",
            blocks=True,
        ),
        Code(
            "feedback_better",
            "Một người dùng trang chat đã viết lại lời đáp này.",
            "A visitor of the chat page rewrote this reply.",
        ),
        Code("feedback_up", "Một người dùng trang chat thích lời đáp này.", "A visitor of the chat page liked it."),
        Code(
            "feedback_down",
            "Một người dùng trang chat chê lời đáp này: sửa hoặc loại.",
            "A visitor of the chat page disliked it: rewrite or reject it.",
        ),
        Code("user_line_repeated", "Lời đáp chép lại lời người hỏi.", "The reply repeats a line of the user's."),
        Code("empty_turn", "Có lượt trống.", "A turn is empty."),
        Code(
            "no_reply_at_the_end",
            "Lượt cuối phải là lời nhân vật.",
            "The last turn must be the character's.",
            never_trained=True,
        ),
        Code(
            "similar_name",
            "Có tên gần giống tên nhân vật: nếu là một người, hãy thêm tên đó vào `aliases` trong persona.toml.",
            "A name is close to the character's: if both are one person, add it to `aliases` in persona.toml.",
            blocks=True,
        ),
        Code(
            "template_words",
            "Còn sót chữ của chương trình chat hay mẫu câu nhắc ({{user}}, <START>, …): sửa hoặc loại.",
            "Words of a chat program or a prompt template are left in it ({{user}}, <START>, …): rewrite or reject it.",
            blocks=True,
        ),
        Code(
            "damaged_letters",
            "Chữ có vẻ hỏng do đọc sai bảng mã: sửa hoặc loại.",
            "Its letters look damaged by a wrong encoding: rewrite or reject it.",
            blocks=True,
        ),
        Code(
            "missing_attachment",
            "Một lượt còn có hình hoặc tệp mà mẫu này không giữ: lời đáp có thể nói về nó.",
            "A turn also held a picture or a file, which is left out: the reply may be about it.",
            blocks=True,
        ),
        Code(
            "written_by_model",
            "Lời đáp lấy từ cuộc trò chuyện với một mô hình: xem có đúng giọng nhân vật không.",
            "The reply comes from a chat with a model: judge whether it sounds like the character.",
            blocks=True,
        ),
        Code(
            "respelled",
            "Chữ được viết lại theo một cách thống nhất khi làm sạch.",
            "Cleaning spelled words in the one form of the dataset.",
            finding=False,
        ),
        Code(
            "replaced_reply",
            "Lời đáp mà người dùng trang chat đã viết lại.",
            "The reply that a visitor of the chat page rewrote.",
            finding=False,
        ),
        Code(
            "alpaca_layout",
            "Dòng gốc, giữ lại để xuất đúng như cũ.",
            "The row as it was imported, kept so that it can be written back unchanged.",
            finding=False,
        ),
    )
}

# Why a piece of a source did not become a sample (`Rejected.reason`, in the quarantine).
REJECTIONS: dict[str, Code] = {
    row.code: row
    for row in (
        # rows
        Code("not_a_row", "Không phải một dòng dữ liệu.", "It is not a row."),
        Code("bad_json", "Không đọc được dòng này.", "The row cannot be read."),
        Code("not_text", "Có trường không phải văn bản.", "A field does not hold text."),
        Code("no_output", "Không có lời đáp trong dòng.", "The row has no field for the reply."),
        Code("no_prompt", "Không ai nói gì với nhân vật.", "Nothing is said to the character."),
        Code("empty_reply", "Lời đáp trống.", "The reply is empty."),
        Code("empty_turn", "Có lượt trống.", "A turn is empty."),
        Code("reply_by_user", "Lời đáp mở đầu bằng lời người hỏi.", "The reply begins with a user's label."),
        Code("ends_with_user", "Lượt cuối không phải lời nhân vật.", "The last turn is not the character's."),
        Code("unknown_role", "Có lượt không rõ vai.", "The role of a turn is unknown."),
        Code("other_version", "Bản khác của lượt này đã được chọn.", "Another version of the turn was chosen."),
        Code("not_said", "Thông báo của chương trình hoặc dòng bị ẩn.", "A program's notice, or a line that it hides."),
        Code("bad_held_out", "Không đọc được câu hỏi giữ riêng.", "A held-out prompt cannot be read."),
        # annotated rows and feedback
        Code("unlabelled", "Chưa ai duyệt tác vụ này.", "The task has no annotation."),
        Code("cancelled", "Mọi lần duyệt tác vụ này đều bị bỏ qua.", "Every annotation of the task was skipped."),
        Code("rejected_by_annotator", "Người duyệt đã loại.", "An annotator rejected it."),
        Code("superseded", "Có ý kiến mới hơn cho lượt này.", "Later feedback on the same turn replaces it."),
        Code("other_character", "Câu trả lời của nhân vật khác.", "The reply is another character's."),
        Code("withdrawn", "Người dùng đã rút lại ý kiến.", "The visitor withdrew the feedback."),
        # text
        Code("undecodable", "Có chỗ không giải mã được.", "Some bytes cannot be decoded."),
        Code("not_unicode", "Có ký tự hỏng.", "It holds half of a character (a lone surrogate)."),
        Code("empty", "Không còn chữ nào để đọc.", "No text is left of it."),
        Code("empty_after_cleaning", "Có lượt không còn chữ nào sau khi làm sạch.", "Cleaning leaves a turn empty."),
        Code("oversized", "Quá dài cho một lời nói.", "It is too long for a spoken line."),
        # parts of files
        Code("bad_cue", "Không đọc được thời gian của phụ đề.", "The times of a cue cannot be read."),
        Code("bad_page", "Không đọc được trang truyện.", "A manga page cannot be read."),
        Code("bad_block", "Không đọc được ô chữ.", "A text box cannot be read."),
        Code("bad_markup", "Không đọc được mã wiki.", "The wiki markup cannot be read."),
        Code("unreadable_member", "Không đọc được tệp trong tệp nén.", "A file in an archive cannot be read."),
        # what is not dialogue
        Code("comment", "Chú thích của người làm phụ đề hay trang wiki.", "A comment by the authors of the file."),
        Code("heading", "Tiêu đề.", "A heading."),
        Code("reference", "Chú thích cuối trang, thể loại hoặc hình.", "A footnote, a category or a picture."),
        Code("template", "Bản mẫu wiki chưa được mô tả.", "A wiki template that is not described."),
        Code("page_furniture", "Menu, biểu mẫu hay khung trang web.", "A menu, a form or the frame of a web page."),
        Code("menu_choice", "Lựa chọn của người chơi.", "A choice of the player's."),
        Code("other_column", "Ô bên cạnh lời thoại.", "A cell beside the words, such as a note or another language."),
        Code("ruby", "Cách đọc của một chữ Hán.", "The reading of a word (ruby)."),
        Code("stage_direction", "Hành động hoặc âm thanh, không phải lời nói.", "An action or a sound, not speech."),
        Code("sign", "Chữ trên màn hình.", "Text on the screen."),
        Code("karaoke", "Lời bài hát.", "The words of a song."),
        Code("drawing", "Hình vẽ vector.", "A vector drawing."),
        Code("credits", "Tên người làm phụ đề.", "Credits of the subtitles."),
        Code("note", "Ghi chú của người dịch.", "A note by the translator."),
        Code("carried_over", "Lặp lại phụ đề ngay trước (chạy chữ).", "It repeats the cue before (rolling captions)."),
        Code("layered_double", "Bản chồng của cùng một lời.", "A second layer of the same line."),
        Code("repeated", "Lặp lại ở tập khác (mở đầu, kết thúc, tóm tắt).", "Other episodes repeat it (song, recap)."),
        # lines of a transcript that no dialogue needs
        Code("no_speakers", "Cảnh này không nêu tên ai.", "The scene names no speaker."),
        Code("character_silent", "Nhân vật không nói gì trong cảnh này.", "The character is silent in this scene."),
        Code("beyond_context", "Quá xa lời đáp của nhân vật.", "It is too far before the character's reply."),
        Code("after_last_reply", "Sau đó nhân vật không nói gì nữa.", "The character says nothing after it."),
        Code("too_short_alone", "Quá ngắn để đứng một mình.", "It is too short to stand alone."),
        Code("no_quote_prompt", "Không có câu gợi cho lời đứng một mình.", "There is no prompt for a line alone."),
    )
}

# How the speaker of a line is known (`Utterance.evidence`, before the colon).
EVIDENCE: dict[str, Evidence] = {
    row.code: row
    for row in (
        Evidence("actor", "trường diễn viên của ASS", "the actor field of an ASS event", 0.95),
        Evidence("voice", "thẻ <v Tên> của WebVTT", "a WebVTT <v Name> tag", 0.95),
        Evidence("agent", "ttm:agent của TTML", "a TTML ttm:agent", 0.95),
        Evidence("say", "câu lệnh nói của Ren'Py", "a say statement of Ren'Py", 0.95),
        Evidence("column", "cột người nói", "a speaker column, or a block's `speaker` key", 0.95),
        Evidence("link", "liên kết của Manga109Dialog", "a Manga109Dialog link", 0.9),
        Evidence("bold", "tên in đậm", "a name in bold (wiki or Markdown)", 0.9),
        Evidence("template", "bản mẫu trích dẫn của wiki", "a quote template of a wiki", 0.9),
        Evidence("prefix", "tên và dấu hai chấm đầu dòng", "a name and a colon at the start of the line", 0.85),
        Evidence("name_line", "tên đứng riêng ở dòng trên", "the name alone on the line before", 0.8),
        Evidence("bracket", "tên trong ngoặc đầu dòng", "a known name in brackets at the start of the line", 0.8),
        Evidence(
            "shape", "tên đầu dòng, theo cách cả tệp viết", "a name before the line, as the file writes them", 0.8
        ),
        Evidence(
            "twin", "phụ đề khác của cùng tập, cùng thời điểm", "another track of the episode, at this moment", 0.8
        ),
        Evidence("style", "tên kiểu chữ của ASS", "the name of an ASS style", 0.6),
        Evidence("mixed", "có thể có lời người khác", "a line that may hold another speaker's words", 0.5),
        Evidence("dash", "gạch đầu dòng: một người khác", "a dash: another person than the line before", 0.0),
        Evidence("none", "không có bằng chứng", "no evidence", 0.0),
    )
}


# Why annotators reject a sample, in the order of the keys 1 to 7 (`Decision.reason`). Their words are the desk's;
# persona.toml may add others.
REASONS = ("wrong_voice", "wrong_speaker", "wrong_language", "near_duplicate", "no_sense", "harmful", "other")
# Of these, the ones that say something about how the character talks: such a reply is what a model should not say. The
# others are about whose line it is, or what it gives away, and teach nothing about the voice.
ABOUT_THE_REPLY = frozenset(("wrong_voice", "wrong_language", "no_sense"))


def findings(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """Return the flags that an annotator should look at, without those that only store something."""
    return tuple(flag for flag in flags if flag.code not in FLAGS or FLAGS[flag.code].finding)


def blocks_approval(flags: Iterable[Flag]) -> bool:
    """Return whether one of the flags keeps a sample from being approved by itself."""
    return any(flag.code in FLAGS and FLAGS[flag.code].blocks for flag in flags)


# Publishing depends on these.
_ALWAYS = frozenset({"personal_data", "example_row"})


def may_be_off() -> frozenset[str]:
    """Return the codes that ``[checks] off`` of persona.toml may name: not what the export or publishing rests on."""
    return frozenset(c for c, row in FLAGS.items() if row.finding and not row.never_trained and c not in _ALWAYS)


def never_trained(flags: Iterable[Flag]) -> set[str]:
    """Return the codes among the flags that keep an approved sample out of the export."""
    return {flag.code for flag in flags if flag.code in FLAGS and FLAGS[flag.code].never_trained}


def explain_flag(code: str, language: Language) -> str:
    """Return what a flag means. A code that the table does not know (an older queue's) is returned as it is."""
    return FLAGS[code].words(language) if code in FLAGS else code
