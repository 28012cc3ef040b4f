"""The signals of :mod:`curation.review.teaching`, gathered for a build: scores of a run, flags, topics by meaning.

Topics are found among all samples, waiting or judged, so that a verdict does not move a sample to another topic.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

from curation import console
from curation.contracts.queue_scores import read_queue_scores
from curation.errors import InosukeError
from curation.folders import Folders
from curation.persona import Persona
from curation.record import Sample
from curation.review import flagged, teaching
from curation.review.decisions import Decision

_MOST_TOPICS = 200
# Not a check that can be right or wrong: it only says that its samples are judged together.
_NEAR = "near_duplicate"
_ROUNDS = 30


def places(
    samples: Sequence[Sample],
    waiting: Sequence[Sample],
    approved: Set[str],
    decisions: Iterable[Decision],
    clusters: Mapping[str, str],
    persona: Persona,
    folders: Folders,
    *,
    quiet: bool,
) -> dict[str, teaching.Placed]:
    """Return the place of each waiting sample. Raises InosukeError for a damaged ``queue_scores.json``.

    Where the package for meaning cannot run, the samples have no topics, and a line on standard error reports it.
    """
    scores = read_queue_scores(folders.queue_scores)
    surprise = {} if scores is None else scores.surprise()
    precision = {f.code: f.precision for f in flagged.figures(samples, decisions)}
    topic = _topics(samples, persona, folders, quiet) if waiting else {}
    signals = [
        teaching.Signals(
            id=sample.id,
            unit=clusters.get(sample.id, sample.id),
            surprise=surprise.get(sample.id),
            doubt=teaching.doubt(precision[c] for c in flagged.codes_of(sample) if c != _NEAR),
            topic=topic.get(sample.id),
        )
        for sample in waiting
    ]
    return teaching.order(signals, Counter(topic[i] for i in approved if i in topic))


def _topics(samples: Sequence[Sample], persona: Persona, folders: Folders, quiet: bool) -> dict[str, int]:
    """Return the number of each sample's cluster by meaning; k-means with a fixed seed, so always the same."""
    from scipy.cluster.vq import kmeans2

    from curation.dedup.wording import normal
    from curation.meaning.encoder import E5
    from curation.meaning.neighbours import meaning_text
    from curation.meaning.vectors import Vectors

    try:
        encoder = E5()
    except InosukeError as error:
        console.note(f"The queue is ordered without topics: {error}")
        return {}
    templates = {normal(prompt) for prompt in persona.dedup.template_prompts}
    ordered = sorted(samples, key=lambda s: s.id)
    texts = [meaning_text(sample, templates) for sample in ordered]
    vectors = Vectors(encoder, folders.vectors, console.note).of(texts, quiet=quiet)
    count = min(_MOST_TOPICS, math.ceil(math.sqrt(len(ordered))))
    _, label = kmeans2(vectors.astype("float64"), count, iter=_ROUNDS, minit="++", rng=0, missing="warn")
    return {sample.id: int(number) for sample, number in zip(ordered, label, strict=True)}
