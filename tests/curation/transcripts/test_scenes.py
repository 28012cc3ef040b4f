"""Utterances → samples: scenes, context, limits, songs."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from curation.record import Source, Utterance
from curation.transcripts.scenes import to_samples
from tests.curation.importers.looks import rejections, turns

NAMES = {"T": "Tanjiro", "Z": "Zenitsu", "I": "Inosuke", "?": None, "IZ": "Inosuke, Zenitsu"}
LONG = "Ta là chúa tể của ngọn núi này!"


def lines(*spoken: str, path: str = "a.srt", gap: Iterable[int] = (), evidence: str = "prefix: x", section: str = ""):
    """`T Đi!` → an utterance of Tanjiro's, a second long, a tenth after the one before; 5 s before those in ``gap``."""
    now, found = 0, []
    for index, line in enumerate(spoken):
        who, _, text = line.partition(" ")
        now += 5000 if index in gap else 100
        place = f"{section} · line {index}" if section else f"cue {index + 1}"
        how = evidence if NAMES[who] else "none"
        found.append(
            Utterance(
                text=text,
                speaker=NAMES[who],
                evidence=how,
                source=Source(path=path, sha256="sha", locator=place, importer="srt"),
                start_ms=now,
                end_ms=now + 1000,
            )
        )
        now += 1000
    return path, found


def test_context_with_names_then_the_characters_reply_and_again(persona):
    samples, rejected = to_samples([lines("T Đi!", "Z Không!", "I Ta đi!", "T Ừ.", "I Nhanh!", "Z Chờ!")], persona)
    (sample,) = samples
    assert turns(sample) == [
        ("Tanjiro", "Đi!"),
        ("Zenitsu", "Không!"),
        ("*", "Ta đi!"),
        ("Tanjiro", "Ừ."),
        ("*", "Nhanh!"),
    ]
    assert (sample.kind, sample.source.locator, sample.flags) == (
        "conversation",
        "scene 1 · cue 1 to cue 5",
        (),
    )
    assert rejections(rejected) == [("after_last_reply", "Zenitsu: Chờ!")]


def test_lines_of_one_speaker_are_one_turn_and_unknown_ones_are_not(persona):
    samples, _ = to_samples([lines("T Đi", "T nào!", "? Ai?", "? Ai thế?", "I Ta", "I đây!")], persona)
    assert turns(samples[0]) == [("Tanjiro", "Đi nào!"), ("?", "Ai?"), ("?", "Ai thế?"), ("*", "Ta đây!")]
    assert [f.code for f in samples[0].flags] == ["unknown_speaker"]


def test_a_silence_starts_a_scene_and_counts_from_the_latest_end(persona):
    samples, _ = to_samples([lines("T Đi!", "I Ta đi!", "Z Hả?", "I Gì!", gap=[2])], persona)
    assert [turns(s)[0] for s in samples] == [("Tanjiro", "Đi!"), ("Zenitsu", "Hả?")]
    path, (long, short, late) = lines("T Đi!", "Z Ừ", "I Ta!")
    overlapping = [replace(long, end_ms=9000), short, replace(late, start_ms=10_000, end_ms=11_000)]
    assert len(turns(to_samples([(path, overlapping)], persona)[0][0])) == 3


def test_sections_are_scenes(persona):
    _, first = lines("T Đi!", section="section 1")
    _, second = lines("I " + LONG, section="section 2")
    samples, rejected = to_samples([("a.wiki", [*first, *second])], persona)
    assert [s.kind for s in samples] == ["quote"]
    assert rejections(rejected) == [("character_silent", "Tanjiro: Đi!")]


def test_a_line_without_context_is_a_quote_in_the_characters_language(persona):
    samples, rejected = to_samples([lines(f"I {LONG}", "T Hả?", "I Hả!", "I Ừ!", gap=[1, 3])], persona)
    assert turns(samples[0]) == [("?", "Nói một câu đậm chất Inosuke (ngắn)."), ("*", LONG)]
    assert rejections(rejected) == [("too_short_alone", "Inosuke: Ừ!")]
    english = "I am the king of this mountain and nobody here can outrun me, so move aside before I get angry!"
    samples, _ = to_samples([lines(f"I {english}")], persona)
    assert turns(samples[0])[0] == ("?", "Say something only Inosuke would say (long).")


def test_limits_of_turns_and_characters(persona):
    talk = [f"{'T' if n % 2 else 'Z'} câu số {n}" for n in range(12)]
    samples, rejected = to_samples([lines(*talk, f"I {LONG}")], persona)
    assert len(samples[0].messages) == persona.scenes.max_turns + 1
    assert [r for r, _ in rejections(rejected)] == ["beyond_context"] * 4
    again = [line for n in range(6) for line in (f"T hỏi {n}", f"I đáp {n}")]
    samples, rejected = to_samples([lines(*again)], persona)
    assert [len(s.messages) for s in samples] == [8, 4] and rejected == []
    samples, rejected = to_samples([lines("T " + "a" * 2000, f"I {LONG}")], persona)
    assert [s.kind for s in samples] == ["quote"]
    assert [r for r, _ in rejections(rejected)] == ["beyond_context"]


def test_flags_for_weak_evidence_and_for_several_at_once(persona):
    samples, _ = to_samples([lines("T Đi!", "I Ta đi!", evidence="style: Inosuke")], persona)
    assert [f.code for f in samples[0].flags] == ["weak_speaker"]
    samples, _ = to_samples([lines("IZ Hả?!", "I Ta đi!")], persona)
    assert [f.code for f in samples[0].flags] == ["unknown_speaker"]


def test_a_file_without_speakers_gives_rejections_and_no_sample(persona):
    samples, rejected = to_samples([lines("? Đi!", "? Không!")], persona)
    assert samples == [] and [r for r, _ in rejections(rejected)] == ["no_speakers"] * 2


OPENING = ("T gió gọi tên ta trên đỉnh núi", "T lửa cháy mãi trong tim này", "T ta đi về phía mặt trời")


def episode(number: int, *, first: bool = True) -> tuple[str, list[Utterance]]:
    talk = [f"{'TI'[k % 2]} câu riêng số {k} của tập {number} không giống ai" for k in range(12)]
    return lines(*(OPENING if first else ()), *talk, *(() if first else OPENING), path=f"{number}.srt")


def test_openings_are_found_across_episodes(persona):
    samples, rejected = to_samples([episode(1), episode(2), episode(3)], persona)
    assert [r for r, _ in rejections(rejected)] == ["repeated"] * 9
    assert all("mặt trời" not in m.content for s in samples for m in s.messages)
    assert to_samples([episode(1), episode(2)], persona)[1][0].reason == "repeated"


def test_a_recap_costs_the_later_episode_alone(persona):
    _, rejected = to_samples([episode(1, first=False), episode(2)], persona)
    assert [(r.reason, r.source.path) for r in rejected if r.reason == "repeated"] == [("repeated", "2.srt")] * 3


def test_the_same_episode_twice_is_not_a_song(persona):
    twice = [episode(1), ("1.ass", episode(1)[1])]
    assert [r for r in to_samples(twice, persona)[1] if r.reason == "repeated"] == []


@given(
    st.lists(st.tuples(st.sampled_from("TZI?"), st.text("ab c", min_size=1, max_size=300), st.booleans()), max_size=40)
)
def test_every_line_is_in_one_sample_or_has_a_reason(persona, spoken):
    path, found = lines(*(f"{w} {t}" for w, t, _ in spoken), gap=[i for i, s in enumerate(spoken) if s[2]])
    samples, rejected = to_samples([(path, found)], persona)
    prompts = {p for pair in persona.scenes.quote_prompts.values() for p in pair}
    kept = sum(len(m.content.replace(" ", "")) for s in samples for m in s.messages if m.content not in prompts)
    lost = sum(len(r.text.partition(": ")[2 if ": " in r.text else 0].replace(" ", "")) for r in rejected)
    assert kept + lost == sum(len(u.text.replace(" ", "")) for u in found)
    for sample in samples:
        assert sample.messages[0].role == "user" and sample.messages[-1].role == "assistant"
        assert len(sample.messages) <= persona.scenes.max_turns + 1
