"""Names that markup or marks of emphasis set apart from their words."""

from collections.abc import Callable

import pytest

from curation.importers.lines.marked_labels import unmarked
from curation.record import Imported

Reader = Callable[..., Imported]
SCENE = [("Tanjiro", "We go."), ("Inosuke", "Then run!"), ("Tanjiro", "Wait.")]


def _srt(lines: list[str]) -> str:
    return "\n".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{line}\n" for n, line in enumerate(lines, 1))


def _spoken(found: Imported) -> list[tuple[str | None, str]]:
    return [(u.speaker, u.text) for u in found.utterances]


@pytest.mark.parametrize(
    "form",
    [
        *("<b>{}</b> {}", "<b>{}:</b> {}", "<b>{}</b>: {}", "<i>{}:</i> {}", "<i>{}</i>: {}", "<b>{}</b>\n{}"),
        *('<font color="#ff0000">{}</font> {}', "<b>[{}]</b> {}", "<i>[{}] {}</i>", "<{}> {}", "{{\\b1}}{}{{\\b0}} {}"),
        *("*{}*: {}", "*{}:* {}", "_{}_: {}", "__{}__: {}", "**{}:** {}", "**{}**: {}", '"{}": {}', "“{}”: {}"),
        *("@{}: {}", "#{}: {}", "{}\t{}", "<v {}>{}</v>"),
    ],
)
def test_a_name_set_apart_is_a_label(form: str, imported: Reader) -> None:
    found = imported("a.srt", _srt([form.format(name, words) for name, words in SCENE]))
    assert _spoken(found) == SCENE
    assert found.rejected == ()


@pytest.mark.parametrize("form", ["{{{}}} {}", "{{\\b1}}{}{{\\b0}} {}", "{{\\c&H0000FF&}}{}{{\\c}} {}", "[{}] {}"])
def test_a_name_in_a_comment_or_in_bold_is_a_label_in_ass(form: str, imported: Reader) -> None:
    head = (
        "[Script Info]\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    )
    lines = [
        f"Dialogue: 0,0:00:0{n}.00,0:00:0{n}.90,Default,,0,0,0,,{form.format(*line)}" for n, line in enumerate(SCENE, 1)
    ]
    assert _spoken(imported("a.ass", head + "\n".join(lines))) == SCENE


def test_a_name_set_apart_is_a_label_in_sami_and_ttml(imported: Reader) -> None:
    sami = "".join(f"<SYNC Start={n}000><P Class=ENCC><b>{name}</b> {words}" for n, (name, words) in enumerate(SCENE))
    assert _spoken(imported("a.smi", f"<SAMI><BODY>{sami}</BODY></SAMI>")) == SCENE
    ttml = "".join(
        f'<p begin="{n}s" end="{n}.9s"><span style="bold">{name}</span> {words}</p>'
        for n, (name, words) in enumerate(SCENE)
    )
    head = '<tt xmlns="http://www.w3.org/ns/ttml"><body><div>'
    assert _spoken(imported("a.ttml", f"{head}{ttml}</div></body></tt>")) == SCENE


def test_words_in_bold_and_comments_are_nobodys_names(imported: Reader) -> None:
    assert _spoken(imported("a.srt", _srt(["<b>Never</b> do that.", "<i>Never</i> say so.", "<b>Wait</b> here."]))) == [
        (None, "Never do that."),
        (None, "Never say so."),
        (None, "Wait here."),
    ]


def test_a_sound_in_angle_brackets_is_set_aside_and_not_lost(imported: Reader) -> None:
    found = imported("a.srt", _srt(["<Sighs> I know.", "<Inosuke> Ha!", "<Inosuke> No!"]))
    assert _spoken(found) == [(None, "I know."), ("Inosuke", "Ha!"), ("Inosuke", "No!")]
    assert [(r.reason, r.text) for r in found.rejected] == [("stage_direction", "<Sighs>")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*Inosuke*: Ha!", "Inosuke: Ha!"),
        ("- _Inosuke:_ Ha!", "- Inosuke: Ha!"),
        ("*Grins*: Ha!", "*Grins*: Ha!"),
        ("*jumps* One rule: run!", "*jumps* One rule: run!"),
        ('"One rule: run!"', '"One rule: run!"'),
    ],
)
def test_only_a_label_loses_its_marks(text: str, expected: str) -> None:
    assert unmarked(text) == expected
