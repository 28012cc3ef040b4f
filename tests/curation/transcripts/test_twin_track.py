"""Names from another track of the episode: pairs by file name, a shift found by votes, no guess where two speak."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from curation.importers import read
from curation.importers.together import read_together
from curation.persona import Persona
from curation.record import Imported, Source, Utterance
from curation.transcripts.episodes import episode_of
from curation.transcripts.twin_track import find_shift, name_by_twins
from tests.tools.transcripts import Cue, ass, srt

CAST = ["Inosuke", "Tanjiro", "Zenitsu", "Aoi", "Kanao"]


def made_episode(rng: random.Random, lines: int = 320) -> list[Cue]:
    """Return an episode: people who take turns or hold the floor, pauses, and interruptions."""
    cues: list[Cue] = []
    now, who = rng.randrange(2_000, 90_000), rng.choice(CAST)
    for n in range(lines):
        if rng.random() < 0.6:
            who = rng.choice(CAST)
        long = rng.randrange(700, 4_500)
        cues.append(Cue(now, now + long, f"line {n}", who))
        pause = rng.choice([40, 80, 200, 600, 1_500]) if rng.random() < 0.93 else rng.randrange(5_000, 40_000)
        now += long + (-rng.randrange(100, 600) if rng.random() < 0.06 else pause)
    return cues


def translated(rng: random.Random, cues: list[Cue], shift: int) -> list[tuple[Cue, str]]:
    """Return another timer's track and who really speaks: split, merged and missing cues, other starts and ends."""
    found: list[tuple[Cue, str]] = []
    n = 0
    while n < len(cues):
        cue, draw = cues[n], rng.random()
        n += 1
        start = cue.start + shift + round(rng.gauss(0, 90))
        end = cue.end + shift + round(rng.gauss(60, 180))
        if draw < 0.04:
            continue
        if draw < 0.14 and end - start > 1_800:
            middle = (start + end) // 2 + rng.randrange(-300, 300)
            found += [(Cue(start, middle, "a"), cue.actor), (Cue(middle, end, "b"), cue.actor)]
            continue
        if draw < 0.26 and n < len(cues) and cues[n].start - cue.end < 700:
            other = cues[n]
            n += 1
            who = cue.actor if cue.actor == other.actor else "several"
            found.append((Cue(start, other.end + shift, "c"), who))
            continue
        found.append((Cue(start, max(end, start + 300), "d"), cue.actor))
    return found


def imported(path: str, cues: list[Cue]) -> Imported:
    lines = [
        Utterance(
            text=c.text,
            speaker=c.actor or None,
            evidence="actor" if c.actor else "none",
            source=Source(path=path, sha256="0" * 64, locator=f"cue {n}", importer="ass"),
            start_ms=c.start,
            end_ms=c.end,
        )
        for n, c in enumerate(cues, 1)
    ]
    return Imported(utterances=tuple(lines), format="ass")


@pytest.mark.parametrize("seed", range(8))
def test_shifted_split_and_merged_cues_get_the_right_names(seed: int) -> None:
    rng = random.Random(seed)
    cues = made_episode(rng)
    shift = rng.choice([0, 350, -1_250, 24_040, -61_500])
    target = translated(rng, cues, shift)
    files = [imported("s/1.en.ass", cues), imported("s/1.vi.ass", [cue for cue, _ in target])]
    (_, named), (twin,) = name_by_twins(files)
    assert abs(twin.shift_ms + shift) <= 150 and twin.names_from == "s/1.en.ass"
    pairs = [(u.speaker, who) for u, (_, who) in zip(named.utterances, target, strict=True) if u.speaker]
    right = sum(given == who for given, who in pairs) / len(pairs)
    assert right >= 0.95, f"{right:.3f} of {len(pairs)}"
    assert len(pairs) >= 0.8 * len(target)
    assert all(u.evidence.startswith("twin:") for u in named.utterances if u.speaker)
    assert len(pairs) == twin.given and f"{twin.given:,} of" in named.notes[0]


@pytest.mark.parametrize("seed", range(8))
def test_another_episode_is_no_twin(seed: int) -> None:
    one, other = random.Random(seed), random.Random(seed + 1_000)
    target = [cue for cue, _ in translated(other, made_episode(other), 0)]
    starts = sorted({c.start for c in made_episode(one)})
    assert find_shift(sorted({c.start for c in target}), starts) is None


def test_two_people_in_one_cue_stay_unknown() -> None:
    english = [
        Cue(0, 2_000, "Come down!", "Tanjiro"),
        Cue(2_100, 4_000, "No!", "Inosuke"),
        Cue(6_000, 7_000, "Hm.", "Aoi"),
    ]
    vietnamese = [Cue(0, 4_000, "- Xuống đi! - Không!"), Cue(6_000, 7_000, "Hừm.")]
    (_, named), _ = name_by_twins([imported("1.en.ass", english), imported("1.vi.ass", vietnamese)])
    assert [u.speaker for u in named.utterances] == [None, "Aoi"]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("s/ep01.en.ass", "s/ep01.vi.ass", True),
        ("s/Show - 01 [1080p][A1B2C3D4].ass", "s/Tập 1 (tiếng Việt).srt", True),
        ("s/en/Show.S01E02.ass", "s/vi/show s1e2 v2.srt", True),
        ("s/ep 1/en.ass", "s/ep 1/vi.ass", True),
        ("s/movie.en.ass", "s/movie.vi.srt", True),
        ("s/第２話.ja.srt", "s/02.vi.ass", True),
        ("s/ep01.en.ass", "s/ep10.vi.ass", False),
        ("s/ep01.en.ass", "t/ep01.vi.ass", False),
        ("s/S01E01.en.ass", "s/S02E01.vi.ass", False),
        ("s/movie.en.ass", "s/special.vi.srt", False),
    ],
)
def test_tracks_of_one_episode_are_known_by_their_names(one: str, other: str, together: bool) -> None:
    assert (episode_of(one) == episode_of(other)) is together


def test_a_folder_with_a_named_track_gives_samples_to_the_other(tmp_path: Path, persona: Persona) -> None:
    rng = random.Random(5)
    cues = made_episode(rng, 60)
    (tmp_path / "Show 01.en.ass").write_text(ass(cues), encoding="utf-8")
    shifted = [Cue(c.start + 1_500, c.end + 1_500, f"Câu số {n} đây nhé") for n, c in enumerate(cues)]
    (tmp_path / "Show 01.vi.srt").write_text(srt(shifted), encoding="utf-8")
    assert not any(u.speaker for u in read(tmp_path / "Show 01.vi.srt", persona).utterances)
    found = [r for _, r in read_together([tmp_path], persona, quiet=True) if isinstance(r, Imported)]
    assert sum(u.speaker == cues[n].actor for n, u in enumerate(found[1].utterances)) >= 50
    assert "shifted by -1.50 s" in found[1].notes[0]
