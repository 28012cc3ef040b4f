"""What is done with pairs: exact ones merge, near ones are grouped and flagged, nothing is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from curation.dedup import Duplicates, Member, cluster, drop_near, flag
from curation.dedup.clusters import Ratio, Star, stars
from curation.dedup.wording import normal, without_diacritics
from curation.errors import UsageError
from curation.record import Flag, Kind, Message, Rights, Sample, Source, sample_id

SHORT, LONG = "Nói một câu đậm chất Inosuke (ngắn).", "Nói một câu đậm chất Inosuke (dài)."


def sample(
    *turns: str, kind: Kind = "quote", at: int = 1, rights: Rights = "own", flags: tuple[Flag, ...] = ()
) -> Sample:
    """A sample whose last turn is a reply, the one before it the user's, and so on."""
    if len(turns) == 1:
        turns = (SHORT, *turns)
    roles = ("user", "assistant")
    messages = tuple(Message(roles[(len(turns) - k) % 2 == 1], text) for k, text in enumerate(turns))
    return Sample(
        id=sample_id(kind, messages),
        kind=kind,
        messages=messages,
        language="vi",
        topic=None,
        source=Source(path="f.json", sha256="0" * 64, locator=f"row {at}", importer="json", rights=rights),
        flags=flags,
    )


def ids(*samples: Sample) -> list[str]:
    return [s.id for s in samples]


def found(duplicates: Duplicates) -> list[tuple[str, list[tuple[str, float]]]]:
    return [(c.kept, [(m.sample_id, round(m.score, 1)) for m in c.members]) for c in duplicates.near]


# ---------------------------------------------------------------- the normal form


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("TA LÀ VUA!", "ta là vua!"),
        ("Ta  là\n vua ! ", "Ta là vua !"),
        ("Hả??? Ai đó!!", "Hả? Ai đó!"),
        ("Ừ… có", "Ừ... có"),
        ("Tiê\u0301ng Viê\u0323t", "Tiếng Việt"),
        ("STRASSE", "straße"),
        ("伊之助!!", "伊之助!"),
    ],
)
def test_these_are_the_same(a: str, b: str) -> None:
    assert normal(a) == normal(b)


@pytest.mark.parametrize(
    ("a", "b"), [("mật", "mặt"), ("Hả?!", "Hả!?"), ("1000", "10"), ("aaa", "a"), ("か", "が"), ("", "!")]
)
def test_these_are_not_the_same(a: str, b: str) -> None:
    assert normal(a) != normal(b)


@given(st.text())
def test_a_normal_form_is_its_own(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@pytest.mark.parametrize(
    ("text", "bare"), [("mật", "mat"), ("mặt", "mat"), ("đường", "duong"), ("かが", "かが"), ("ё", "е")]
)
def test_diacritics_are_the_marks_of_letters_not_those_of_kana(text: str, bare: str) -> None:
    assert without_diacritics(text) == bare


# ---------------------------------------------------------------- exact duplicates


def test_exact_duplicates_merge_and_keep_every_source() -> None:
    a, b, c = (sample(text, at=k) for k, text in enumerate(["TA LÀ VUA!!", "Ta là vua!", "Ngươi là ai?"], 1))
    duplicates = cluster([a, b, a, c], 90)
    assert duplicates.kept == (b, c)
    (exact,) = duplicates.exact
    assert exact.kept == b.id
    assert exact.dropped == ((a.id, a.source), (a.id, a.source))


def test_identical_rows_merge_into_the_first() -> None:
    first, again = sample("Cào nát mặt!", at=7), sample("Cào nát mặt!", at=99)
    duplicates = cluster([first, again], 90)
    assert duplicates.kept == (first,)
    assert duplicates.exact[0].dropped == ((again.id, again.source),)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (sample("TA  ĐÂY!!", rights="own"), sample("Ta đây!", rights="unknown")),
        (sample("TA  ĐÂY!!", rights="licensed"), sample("Ta đây!", rights="private")),
        (sample("TA  ĐÂY!!"), sample("Ta đây!", flags=(Flag("weak_speaker"),))),
        (sample("Ta  đây!!!!"), sample("TA ĐÂY!")),
        (sample("Ta đây!"), sample("Ta  đây!!")),
        (sample("Ta đây!", at=1), sample("ta Đây!", at=2)),
    ],
    ids=["rights", "licence", "flags", "sentence", "shorter", "earlier"],
)
def test_the_better_row_is_kept(better: Sample, worse: Sample) -> None:
    orders = [[better, worse]] if better.source.locator != worse.source.locator else [[better, worse], [worse, better]]
    for order in orders:
        (kept,) = cluster(order, 90).kept
        assert (kept.id, kept.messages, kept.source) == (better.id, better.messages, better.source)


def test_what_any_copy_was_flagged_for_stays_on_the_kept_one() -> None:
    clear, doubtful = sample("Ta đây!", at=1), sample("Ta đây!!", at=2, flags=(Flag("unknown_speaker", "who?"),))
    (kept,) = cluster([clear, doubtful], 90).kept
    assert kept == replace(clear, flags=(Flag("unknown_speaker", "who?"),))


def test_the_prompt_of_a_quote_is_ignored_but_a_question_counts() -> None:
    assert len(cluster([sample(SHORT, "Ta!"), sample(LONG, "Ta!")], 90).kept) == 1
    asked = [sample(q, "Ta!", kind="conversation") for q in ("Ai là kẻ mạnh nhất?", "Ai là vua núi?")]
    assert len(cluster(asked, 90).kept) == 2


def test_template_prompts_are_left_out_of_the_comparison() -> None:
    lines = [sample(prompt, "Ta!", kind="persona") for prompt in ("Miêu tả bản thân.", "Hãy tự giới thiệu đi nào.")]
    assert len(cluster(lines, 90).kept) == 2
    assert len(cluster(lines, 90, ["MIÊU TẢ BẢN THÂN.", "Hãy tự giới thiệu đi nào."]).kept) == 1


def test_kinds_do_not_merge_but_are_shown_to_be_near() -> None:
    quote, line = sample("Ta đây!"), sample("Ta đây!", kind="persona")
    duplicates = cluster([quote, line], 90)
    assert duplicates.kept == (quote, line)
    assert found(duplicates) == [(quote.id, [(line.id, 100.0)])]


# ---------------------------------------------------------------- near duplicates


def test_a_near_duplicate_is_flagged_with_cluster_witness_and_score_and_stays() -> None:
    a, b = (
        sample("Mười hai chữ Việt trong câu này chỉ khác nhau đúng một từ."),
        sample("Mười hai chữ Việt trong câu này chỉ khác nhau đúng hai từ."),
    )
    duplicates = cluster([a, b], 90)
    score = fuzz.ratio(normal(a.replies[0]), normal(b.replies[0]))
    (near,) = duplicates.near
    assert near.members == (Member(b.id, a.id, score),)
    flagged = flag(duplicates)
    assert ids(*flagged) == ids(a, b)
    assert flagged[0].flags == ()
    assert flagged[1].flags == (Flag("near_duplicate", f"{near.id}: {score:.1f} like {a.id}"),)
    assert drop_near(duplicates) == ([a], [b])


def test_a_cluster_keeps_its_id_when_members_come() -> None:
    texts = ["Đập bẹp dí bọn quỷ!", "Đập bẹp dí bọn quỷ ơi!", "Đập bẹp dí lũ bọn quỷ!"]
    samples = [sample(text) for text in texts]
    before, after = cluster(samples[:2], 85), cluster(samples, 85)
    assert [c.id for c in before.near] == [c.id for c in after.near]
    assert len(after.near[0].members) == 2


def test_flagging_again_changes_nothing() -> None:
    samples = [sample("Ngươi vỡ mật rồi!"), sample("Ngươi vỡ mặt rồi!", flags=(Flag("weak_speaker"),))]
    once = flag(cluster(samples, 90))
    assert flag(cluster(once, 90)) == once
    assert [f.code for f in once[1].flags] == ["weak_speaker", "near_duplicate"]


def test_dialogues_are_near_only_if_every_turn_is() -> None:
    question = "Inosuke, cậu có thấy hang động ở phía sau ngọn núi kia không?"
    no = sample(question, "Không!", kind="conversation")
    yes = sample(question, "Có!", kind="conversation")
    loud = sample(question + "?", "KHÔNG!!", "Thật à?", "Không thật!", kind="conversation")
    assert fuzz.ratio(f"{question}\nKhông!", f"{question}\nCó!") > 90
    assert cluster([no, yes], 90).near == ()
    assert cluster([yes, loud], 90).near == ()
    (begun,) = cluster([no, yes, loud], 90).near
    assert begun.members == (Member(loud.id, no.id, 100.0, "begins"),)
    more = sample("Này, " + question, "Không!", kind="generic_qa")
    assert found(cluster([no, yes, more], 90)) == [
        (no.id, [(more.id, round(fuzz.ratio(normal(no.prompt), normal(more.prompt)), 1))])
    ]


def test_a_chain_is_cut_where_a_member_is_not_near_the_kept_text() -> None:
    a, b, c = "abcdefghijklmnopqrst", "abcdefghijklmnopqrXX", "abcdefghijklmnopYYXX"
    assert [fuzz.ratio(x, y) for x, y in ((a, b), (b, c), (a, c))] == [90, 90, 80]
    samples = [sample(text) for text in (a, b, c)]
    duplicates = cluster(samples, 90)
    assert found(duplicates) == [(samples[0].id, [(samples[1].id, 90.0)]), (samples[2].id, [])]
    assert duplicates.near[1].cut_from == Member(samples[2].id, samples[1].id, 90.0)
    assert flag(duplicates)[2].flags[0].detail.endswith(f"90.0 like {samples[1].id}, chain cut here")
    assert drop_near(duplicates)[0] == [samples[0], samples[2]]


def test_the_pass_without_diacritics_flags_only_what_the_first_missed() -> None:
    with_marks, without = sample("Ta là chúa tể núi rừng!"), sample("Ta la chua te nui rung!")
    seen_already = sample("Ta là chúa tể núi rừng ạ!")
    duplicates = cluster([with_marks, without, seen_already], 90)
    assert duplicates.diacritics == (Member(without.id, with_marks.id, 100.0),)
    assert [m.sample_id for c in duplicates.near for m in c.members] == [seen_already.id]
    codes = {s.id: [f.code for f in s.flags] for s in flag(duplicates)}
    assert codes == {with_marks.id: [], without.id: ["diacritics"], seen_already.id: ["near_duplicate"]}


def test_no_samples_and_bad_thresholds() -> None:
    assert cluster([], 90) == Duplicates((), (), (), ())
    with pytest.raises(UsageError, match="from 50 to 100"):
        cluster([sample("Ta!")], 30)


parts = st.lists(st.text("aăb c!", min_size=0, max_size=14), min_size=1, max_size=3).map(tuple)


@settings(max_examples=150)
@given(st.lists(parts, max_size=14), st.sampled_from([60, 75, 90]), st.randoms())
def test_stars_hold_every_near_text_once_and_only_what_is_near(
    texts: list[tuple[str, ...]], threshold: float, random: object
) -> None:
    rank = list(range(len(texts)))
    random.shuffle(rank)  # type: ignore[attr-defined]

    def score(a: int, b: int) -> float:
        if len(texts[a]) != len(texts[b]):
            return 0.0
        return min(fuzz.ratio(x, y, score_cutoff=threshold) for x, y in zip(texts[a], texts[b], strict=True))

    seen: Counter[int] = Counter()
    kept: list[int] = []
    for star in stars([Ratio(texts, threshold)], rank):
        assert isinstance(star, Star)
        seen.update([star.kept, *(member.at for member in star.members)])
        assert not any(score(star.kept, earlier) for earlier in kept)
        kept.append(star.kept)
        for member, value, by in star.members:
            assert by == "ratio"
            assert value == score(star.kept, member) > 0
            assert rank[member] > rank[star.kept]
        if star.cut_from:
            assert star.cut_from.score == score(star.kept, star.cut_from.at) > 0
    has_a_neighbour = {a for a in range(len(texts)) for b in range(len(texts)) if a != b and score(a, b)}
    assert seen == Counter(has_a_neighbour)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.text("aA !b", min_size=1, max_size=6), st.sampled_from(["quote", "persona"])), max_size=12)
)
def test_no_sample_and_no_source_is_lost(rows: list[tuple[str, Kind]]) -> None:
    samples = [sample(text, kind=kind, at=k) for k, (text, kind) in enumerate(rows)]
    duplicates = cluster(samples, 80)
    places = [s.source.locator for s in duplicates.kept] + [
        src.locator for e in duplicates.exact for _, src in e.dropped
    ]
    assert sorted(places) == sorted(s.source.locator for s in samples)
    left, dropped = drop_near(duplicates)
    assert sorted(ids(*left, *dropped)) == sorted(ids(*duplicates.kept))
    assert [replace(s, flags=()) for s in flag(duplicates)] == [replace(s, flags=()) for s in duplicates.kept]


@pytest.mark.parametrize(
    ("one", "other", "flagged"),
    [
        ("Ta sợ mật!", "Ta sợ mặt!", True),  # the same letters
        ("Ta la chua te rung nui!", "Ta là chúa tể rừng núi!", True),
        ("Đập vỡ đất!", "Đập vỡ đầu!", False),
        ("Xé tung bụng!", "Xé tung lưng!", False),
        ("Ngươi thảm quá!", "Ngươi chậm quá!", False),
        # long, and one letter differs beside the marks
        ("Ta la chua te rung nui, nguoi hay quy xuong di!", "Ta là chúa tể rừng núi, ngươi hãy quỳ xuống đì nà!", True),
    ],
)
def test_diacritics_are_flagged_where_the_letters_are_the_same(one: str, other: str, flagged: bool) -> None:
    samples = [sample(one), sample(other)]
    found = flag(cluster(samples, 90.0))
    near = any(f.code == "near_duplicate" for s in found for f in s.flags)
    assert (near or any(f.code == "diacritics" for s in found for f in s.flags)) is flagged
