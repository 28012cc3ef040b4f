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

    ``blocks``: a sample with this flag is never approved by itself, even from a trusted source. ``never_trained``: an
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
            "language",
            "Có vẻ không phải ngôn ngữ của nhân vật.",
            "It does not look like a language that the character speaks.",
        ),
        Code("empty_reply", "Lời đáp trống.", "The reply is empty.", never_trained=True),
        Code("out_of_character", "Có từ mà nhân vật không dùng.", "It uses words that the character avoids."),
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
        Code("bad_held_out", "Không đọc được câu hỏi giữ riêng.", "A held-out prompt cannot be read."),
        # annotated rows and feedback
        Code("unlabelled", "Chưa ai duyệt tác vụ này.", "The task has no annotation."),
        Code("cancelled", "Mọi lần duyệt tác vụ này đều bị bỏ qua.", "Every annotation of the task was skipped."),
        Code("rejected_by_annotator", "Người duyệt đã loại.", "An annotator rejected it."),
        Code("superseded", "Có ý kiến mới hơn cho lượt này.", "Later feedback on the same turn replaces it."),
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
        Code("unreadable_member", "Không đọc được tệp trong zip.", "A file in the zip cannot be read."),
        # what is not dialogue
        Code("comment", "Chú thích của người làm phụ đề hay trang wiki.", "A comment by the authors of the file."),
        Code("heading", "Tiêu đề.", "A heading."),
        Code("reference", "Chú thích cuối trang, thể loại hoặc hình.", "A footnote, a category or a picture."),
        Code("template", "Bản mẫu wiki chưa được mô tả.", "A wiki template that is not described."),
        Code("ruby", "Cách đọc của một chữ Hán.", "The reading of a word (ruby)."),
        Code("stage_direction", "Hành động hoặc âm thanh, không phải lời nói.", "An action or a sound, not speech."),
        Code("sign", "Chữ trên màn hình.", "Text on the screen."),
        Code("karaoke", "Lời bài hát.", "The words of a song."),
        Code("drawing", "Hình vẽ vector.", "A vector drawing."),
        Code("credits", "Tên người làm phụ đề.", "Credits of the subtitles."),
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
        Evidence("column", "cột người nói", "a speaker column, or a block's `speaker` key", 0.95),
        Evidence("link", "liên kết của Manga109Dialog", "a Manga109Dialog link", 0.9),
        Evidence("bold", "tên in đậm", "a name in bold (wiki or Markdown)", 0.9),
        Evidence("template", "bản mẫu trích dẫn của wiki", "a quote template of a wiki", 0.9),
        Evidence("prefix", "tên và dấu hai chấm đầu dòng", "a name and a colon at the start of the line", 0.85),
        Evidence("name_line", "tên đứng riêng ở dòng trên", "the name alone on the line before", 0.8),
        Evidence("bracket", "tên trong ngoặc đầu dòng", "a known name in brackets at the start of the line", 0.8),
        Evidence("style", "tên kiểu chữ của ASS", "the name of an ASS style", 0.6),
        Evidence("dash", "gạch đầu dòng: một người khác", "a dash: another person than the line before", 0.0),
        Evidence("none", "không có bằng chứng", "no evidence", 0.0),
    )
}


def findings(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """Return the flags that an annotator should look at, without those that only store something."""
    return tuple(flag for flag in flags if flag.code not in FLAGS or FLAGS[flag.code].finding)


def blocks_approval(flags: Iterable[Flag]) -> bool:
    """Return whether one of the flags keeps a sample from being approved by itself."""
    return any(flag.code in FLAGS and FLAGS[flag.code].blocks for flag in flags)


def never_trained(flags: Iterable[Flag]) -> set[str]:
    """Return the codes among the flags that keep an approved sample out of the export."""
    return {flag.code for flag in flags if flag.code in FLAGS and FLAGS[flag.code].never_trained}


def explain_flag(code: str, language: Language) -> str:
    """Return what a flag means. A code that the table does not know (an older queue's) is returned as it is."""
    return FLAGS[code].words(language) if code in FLAGS else code
