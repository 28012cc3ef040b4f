"""The join finds what brute force finds: any Unicode, any threshold, by matrix, compiled code, index or Ray."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz, process

from curation.dedup import Local, components, similar_pairs
from curation.dedup.join.pairs import Pairs, expand
from curation.dedup.join.similar import compiled_pairs, cross_pairs, near_pairs, number_texts
from curation.errors import InosukeError, UsageError

ROOT = Path(__file__).resolve().parents[4]
Found = list[tuple[int, int, float]]


def brute_force(texts: list[str], threshold: float) -> Found:
    scores = (
        (i, j, fuzz.ratio(texts[i], texts[j], score_cutoff=threshold))
        for i in range(len(texts))
        for j in range(i + 1, len(texts))
    )
    return [(i, j, score) for i, j, score in scores if score > 0]


def compiled(texts: list[str], threshold: float) -> Found:
    """Return what the compiled path finds, at sizes where :func:`similar_pairs` would not take it."""
    distinct, number = number_texts(texts)
    return expand(Pairs.concatenate(compiled_pairs(distinct, threshold)), number).tolist()


# Few letters make histograms collide; the others are what characters can be: decomposed and composed Vietnamese,
# kana, emoji with modifiers and joiners, halves of surrogate pairs, controls.
alphabets = st.sampled_from(
    [
        "ab",
        "abc \n",
        "aăâeêioôơuưyđnhgtm ",
        "a\u0301\u0323\u031bờ",
        "かがカ漢字。",
        "😀👍🏽\u200d",
        "\ud83d\ude00\udc00a",
        "\x00\uffff\U0010ffff",
    ]
)


@st.composite
def families(draw: st.DrawFn) -> list[str]:
    """Texts and their variants: cut, grown, shuffled (same histogram, other order), repeated, doubled."""
    letters = st.text(draw(alphabets), max_size=draw(st.sampled_from([1, 4, 20, 70])))
    texts: list[str] = []
    for base in draw(st.lists(letters, min_size=1, max_size=6)):
        texts.append(base)
        for _ in range(draw(st.integers(0, 12))):
            at = draw(st.integers(0, len(base)))
            kind = draw(st.sampled_from(["insert", "delete", "swap", "same", "double"]))
            if kind == "insert":
                texts.append(base[:at] + draw(letters) + base[at:])
            elif kind == "delete":
                texts.append(base[:at] + base[at + draw(st.integers(1, 3)) :])
            elif kind == "swap":
                texts.append(base[at:] + base[:at])
            else:
                texts.append(base * (2 if kind == "double" else 1))
    return draw(st.permutations(texts))


# 66, 67, 68 and 93 are where `ratio >= t` and `score_cutoff=t` disagree at exact ties.
thresholds = st.sampled_from([50, 66, 67, 68, 75, 90, 93, 100]) | st.floats(50, 100)


@settings(max_examples=150)
@given(families(), thresholds)
@example(["", "", "a"], 90)
@example(["ab", "ac"], 50.00000000000001)  # rapidfuzz's cdist and cpdist take this for 50
@example(["aaab", "aaaaaab"], 72.72727272727275)
def test_both_paths_find_exactly_what_brute_force_finds(texts: list[str], threshold: float) -> None:
    expected = brute_force(texts, threshold)
    assert compiled(texts, threshold) == expected
    assert similar_pairs(texts, threshold).tolist() == expected


@settings(max_examples=60)
@given(families(), thresholds)
def test_components_are_those_of_the_near_pairs(texts: list[str], threshold: float) -> None:
    first = list(range(len(texts)))
    for _ in texts:
        for i, j, _score in brute_force(texts, threshold):
            first[i] = first[j] = min(first[i], first[j])
    assert components(texts, threshold).tolist() == first
    distinct, number = number_texts(texts)
    components_only = Pairs.concatenate(compiled_pairs(distinct, threshold, components_only=True))
    edges = [(int(i), int(j)) for i, j in zip(components_only.i, components_only.j, strict=True)]
    joined = list(range(len(distinct)))
    for _ in distinct:
        for i, j in edges:
            joined[i] = joined[j] = min(joined[i], joined[j])
    same = {(joined[number[a]], first[a]) for a in range(len(texts))}
    assert len(same) == len({x for x, _ in same}) == len({y for _, y in same})


@settings(max_examples=60)
@given(families(), families(), thresholds)
@example(["ab"], ["ac"], 50.00000000000001)
def test_cross_pairs_find_what_brute_force_finds(left: list[str], right: list[str], threshold: float) -> None:
    expected = sorted(
        (i, j, score)
        for i, a in enumerate(left)
        for j, b in enumerate(right)
        if (score := fuzz.ratio(a, b, score_cutoff=threshold)) > 0
    )
    assert cross_pairs(left, right, threshold).sorted_table().tolist() == expected


def test_ties_at_a_threshold_follow_score_cutoff() -> None:
    # Exactly 68%: plain ratio returns 68.0, and `score_cutoff=68` refuses it.
    ties = [(17, 8), (34, 16), (51, 24)]
    texts = [c for same, other in ties for c in ("a" * same + "b" * other, "a" * same + "c" * other)]
    plain = [(i, i + 1) for i in range(0, 6, 2) if fuzz.ratio(texts[i], texts[i + 1]) >= 68]
    found = [(i, j) for i, j, _ in compiled(texts, 68)]
    assert found == [(i, j) for i, j, _ in brute_force(texts, 68)]
    assert plain == [(0, 1), (2, 3), (4, 5)]
    assert not set(plain) & set(found)


def test_texts_of_ten_thousand_characters_whose_counts_exceed_a_byte() -> None:
    base = ("Ta là chúa tể núi rừng! " * 420)[:10_000]
    other = ("Hôm nay trời mưa mãi không thôi, " * 310)[:10_000]
    changed = base[:3000] + "x" * 400 + base[3000:]  # 400 insertions: 98.0
    far = base[:5000] + "z" * 5000  # half of it is gone: 50.0
    texts = [base, changed, far, other, other[::-1], base[:300], base[:254], base[:255], base[:256]]
    for threshold in (50, 90, 98, 98.5):
        assert compiled(texts, threshold) == brute_force(texts, threshold)


@pytest.mark.parametrize("length", [63, 64, 65, 127, 128, 129, 254, 255, 256, 510])
def test_no_pair_is_lost_where_a_register_or_a_byte_ends(length: int) -> None:
    texts = [f"{'a' * (length - k)}{'b' * k}" for k in range(0, min(length, 40), 3)]
    texts += ["a" * (length + k) for k in range(-3, 4)]
    for threshold in (50, 81.5, 90, 97):
        assert compiled(texts, threshold) == brute_force(texts, threshold)


def lines(count: int, seed: int) -> list[str]:
    """Random lines of words, one in three a variant of an earlier one."""
    rng = np.random.default_rng(seed)
    words = [
        "ta",
        "ngươi",
        "núi",
        "rừng",
        "lợn",
        "chém",
        "gào",
        "mạnh",
        "nhất",
        "đập",
        "heo",
        "!",
        "quỷ",
        "kẻ",
        "thắng",
    ]
    made: list[list[str]] = []
    for _ in range(count):
        if made and rng.random() < 0.33:
            line = list(made[rng.integers(len(made))])
            line[rng.integers(len(line))] = words[rng.integers(len(words))]
        else:
            line = [words[k] for k in rng.integers(len(words), size=rng.integers(3, 14))]
        made.append(line)
    return [" ".join(line) for line in made]


@pytest.mark.parametrize("threshold", [55, 90])
def test_many_blocks_tiles_and_full_candidate_buffers_lose_nothing(threshold: float) -> None:
    texts = lines(2500, seed=1)
    scores = np.triu(process.cdist(texts, texts, scorer=fuzz.ratio, score_cutoff=threshold, dtype=np.float64), 1)
    i, j = np.nonzero(scores)
    table = np.array(compiled(texts, threshold))
    assert len(i) > (100_000 if threshold == 55 else 500)
    assert np.array_equal(table, np.column_stack([i, j, scores[i, j]]))


def test_the_users_rows_have_the_pairs_that_brute_force_finds(corpus: Path) -> None:
    names = ["persona.json", "quotes.json", "conversations.json", "genericqa.json"]
    rows = [row for name in names for row in json.loads((corpus / name).read_text(encoding="utf-8"))]
    texts = ["\n".join((row["instruction"], row["input"], row["output"])).lower() for row in rows]
    pairs = similar_pairs(texts)
    assert len(texts) == 9259
    assert len(pairs) == 2717
    sample = np.random.default_rng(0).choice(len(texts), 400, replace=False)
    some = [texts[k] for k in sample]
    scores = process.cdist(some, texts, scorer=fuzz.ratio, score_cutoff=90, dtype=np.float64)
    expected = {
        (min(int(i), j), max(int(i), j), scores[k, j])
        for k, i in enumerate(sample)
        for j in np.flatnonzero(scores[k])
        if i != j
    }
    chosen = set(sample.tolist())
    assert {(i, j, s) for i, j, s in pairs.tolist() if i in chosen or j in chosen} == expected


@pytest.mark.slow
def test_ray_finds_what_threads_find() -> None:
    import ray

    from curation.dedup import Ray

    ray.init(
        num_cpus=2,
        _node_ip_address="127.0.0.1",
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )
    try:
        texts = [*lines(2500, seed=2), "\ud83d half", "\ud83d halb"]
        distinct, number = number_texts(texts)
        executor = Ray()
        assert expand(Pairs.concatenate(compiled_pairs(distinct, 80, executor)), number).tolist() == compiled(texts, 80)
        assert (components(texts, 80, executor) == components(texts, 80, Local())).all()
    finally:
        ray.shutdown()


def test_the_executor_ray_without_the_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from curation.dedup import Ray

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'ai-inosuke\[ray\]'"):
        Ray()


def test_the_result_is_a_record_array_sorted_by_i_then_j() -> None:
    pairs = similar_pairs(["chém!", "núi", "Chém!", "chém!"], 75)
    assert pairs.dtype == [("i", np.int64), ("j", np.int64), ("score", np.float64)]
    assert pairs.tolist() == [(0, 2, 80.0), (0, 3, 100.0), (2, 3, 80.0)]
    assert pairs.i.tolist() == [0, 0, 2]
    assert similar_pairs([]).tolist() == []


@pytest.mark.parametrize("bad", [None, 7, math.nan, b"bytes"])
def test_what_is_not_a_text_is_named_with_its_place(bad: object) -> None:
    with pytest.raises(InosukeError, match=r"text 1 is .*expected a str"):
        similar_pairs(["a", bad])  # type: ignore[list-item]


def test_a_single_text_is_not_taken_for_a_list_of_letters() -> None:
    with pytest.raises(InosukeError, match="Put it into a list"):
        similar_pairs("Ta mạnh nhất!")


@pytest.mark.parametrize("threshold", [49.9, 100.1, math.nan, -1])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match=r"expected a fuzz\.ratio from 50 to 100"):
        similar_pairs(["a"], threshold)


def test_a_result_that_does_not_fit_into_memory_is_refused_before_it_is_made() -> None:
    with pytest.raises(InosukeError, match=r"1,000,000,000,000 pairs need about .* GB of memory"):
        similar_pairs(["Miêu tả bản thân như Inosuke."] * 1_000_000)


def test_a_join_whose_signatures_do_not_fit_into_memory_is_refused_with_an_estimate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=100_000_000))
    with pytest.raises(InosukeError, match=r"1,000,000 texts need about 0\.3 GB of memory and 0\.1 GB are free"):
        list(compiled_pairs(["ta"] * 1_000_000, 90))


def test_importing_dedup_and_a_small_join_load_neither_numba_nor_ray() -> None:
    code = (
        "import sys, curation.dedup as d; d.similar_pairs(['lợn rừng', 'lợn rừng!'] * 100);"
        "print([m for m in ('numba', 'ray', 'pandas', 'jinja2', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_without_a_folder_for_compiled_code_it_works_and_warns_what_to_set(tmp_path: Path) -> None:
    # NUMBA_CACHE_LOCATOR_CLASSES allows only the user's cache folder, which cannot be written here.
    code = (
        "import warnings; warnings.simplefilter('always');"
        "from numba.core import caching; caching.CacheImpl._locator_classes = [];"
        "from curation.dedup.join.similar import compiled_pairs;"
        "print([len(p.i) for p in compiled_pairs(['lợn rừng', 'lợn rừng!'], 90)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[1]"
    assert "Set NUMBA_CACHE_DIR" in done.stderr


def test_near_pairs_come_once_each_from_both_paths() -> None:
    distinct, _ = number_texts(lines(400, seed=3))
    for found in (near_pairs(distinct, 80), compiled_pairs(distinct, 80)):
        pairs = Pairs.concatenate(found)
        keys = set(zip(pairs.i.tolist(), pairs.j.tolist(), strict=True))
        assert len(keys) == len(pairs.i) > 50
        assert (pairs.i < pairs.j).all()
