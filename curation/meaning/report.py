"""`inosuke dedup --meaning`: the pairs by meaning of some samples, with the threshold and where it is from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from curation.dedup.wording import normal
from curation.meaning.calibration import Calibration, calibrate_each
from curation.meaning.neighbours import Near, group_of, meaning_text, near_pairs, row_cosines
from curation.meaning.vectors import Vectors
from curation.meaning.verdicts import GROUPS, Group, SameVerdict, judged_pairs, pair_of, standing
from curation.record import Sample
from curation.review.records import read_records

_SHOWN = 20  # pairs that the terminal shows; --json has all
_SHOWN_CHARS = 100


def read_verdicts(path: Path) -> list[SameVerdict]:
    """Return the verdicts of ``datasets/same_meaning.jsonl`` that count. Raises InosukeError for a file that is not."""
    return standing(read_records(path).records)


def calibration_of(
    verdicts: Sequence[SameVerdict], vectors: Vectors, given: float | None = None
) -> dict[Group, Calibration]:
    """Return the threshold of each group that the verdicts give, with the cosines of this encoder."""
    pairs = judged_pairs(verdicts)
    one, other = vectors.of([pair.a for pair in pairs]), vectors.of([pair.b for pair in pairs])
    return calibrate_each(pairs, row_cosines(one, other), given)


def to_json(
    samples: Sequence[Sample],
    vectors: Vectors,
    verdicts: Sequence[SameVerdict],
    *,
    cosine: float | None,
    ratio: float,
    templates: Collection[str],
) -> dict[str, Any]:
    """Return the threshold and all pairs of the samples that reach it, the nearest first.

    ``cosine`` is a threshold that the user has given. ``exact`` says whether the exact join finds the pair, too: its
    turns are near by ``fuzz.ratio``. ``verdict`` is what annotators said of the two texts. Raises UsageError.
    """
    normals = {normal(prompt) for prompt in templates}
    calibration = calibration_of(verdicts, vectors, cosine)
    pairs = near_pairs(samples, vectors, {group: c.threshold for group, c in calibration.items()}, normals)
    said = {pair_of(p.a, p.b): "same" if p.same else "different" for p in judged_pairs(verdicts)}

    def side(at: int) -> dict[str, Any]:
        sample = samples[at]
        return {"id": sample.id, "place": sample.source.locator, "text": meaning_text(sample, normals)}

    def row(pair: Near) -> dict[str, Any]:
        a, b = side(pair.i), side(pair.j)
        exact = pair.ratio >= ratio
        verdict = said.get(pair_of(a["text"], b["text"]))
        return {
            "cosine": pair.cosine,
            "ratio": round(pair.ratio, 2),
            "exact": exact,
            "verdict": verdict,
            "a": a,
            "b": b,
        }

    rows = [row(pair) for pair in pairs]
    counts = {"pairs": len(rows), "exact": sum(r["exact"] for r in rows)}
    there = {group_of(sample) for sample in samples}
    return {
        "model": vectors.encoder.name,
        "counts": counts,
        "calibration": {group: calibration[group].to_json() for group in GROUPS if group in there},
        "pairs": rows,
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield what :func:`to_json` found as the terminal shows it."""
    calibrations = [Calibration(**one) for one in found["calibration"].values()]
    n = found["counts"]
    thresholds = ", ".join(f"{c.group} from cosine {c.threshold:g} on" for c in calibrations)
    yield f"By meaning: {n['pairs']:,} pairs{thresholds and f' ({thresholds})'}"
    yield f"  {n['exact']:,} of them are near by their letters, too"
    yield from (f"  {words}" for calibration in calibrations for words in calibration.words())
    yield "  these are suggestions: nothing is merged or flagged. Judge pairs at the desk (`make review`, key i)"
    for pair in found["pairs"][:_SHOWN]:
        marks = [f"ratio {pair['ratio']:.1f}", *(["also exact"] if pair["exact"] else [])]
        marks += [f"judged {'the same' if pair['verdict'] == 'same' else 'not the same'}"] if pair["verdict"] else []
        yield ""
        yield f"  {pair['cosine']:.3f} {_place(pair['a'])}"
        yield f"        {_place(pair['b'])}  ({', '.join(marks)})"
    if n["pairs"] > _SHOWN:
        yield f"\n  … and {n['pairs'] - _SHOWN:,} more pairs: --json has all"


def _place(side: dict[str, Any]) -> str:
    words = " ".join(side["text"].split())
    return f"{side['place']}: {words if len(words) <= _SHOWN_CHARS else words[: _SHOWN_CHARS - 1] + '…'}"
