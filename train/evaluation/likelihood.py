"""Likelihood figures of two models on the same rows, with intervals over the rows' groups. Pure.

In: a score of each row by each model (:class:`train.model.scoring.Score`) and the rows. Out: the parts of
``metrics.json`` and ``evaluation.json`` that hold them: all rows together, and by kind and by language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from curation.contracts.rows import ExportedRow
from train.data.groups import drawn_together
from train.evaluation import bootstrap
from train.evaluation.metrics import LIKELIHOOD_METRICS, LikelihoodMetric

if TYPE_CHECKING:
    from train.model.scoring import Score

PARTS = ("kind", "language")


def compared(
    rows: Sequence[ExportedRow],
    base: Sequence[Score],
    adapter: Sequence[Score],
    metrics: Sequence[LikelihoodMetric] = LIKELIHOOD_METRICS,
) -> dict[str, Any]:
    """Return ``rows``, ``groups``, both totals, ``figures`` and the same ``by`` kind and language; row i has score i.

    A figure holds ``base``, ``adapter`` and their ``difference``, each as :mod:`train.evaluation.bootstrap` returns it.
    """
    if not rows:
        return {"rows": 0}
    groups = drawn_together(rows)
    parts: dict[str, dict[str, Any]] = {}
    for name in PARTS:
        values = [str(getattr(row, name)) for row in rows]
        parts[name] = {}
        for value in sorted(set(values)):
            own = [i for i, v in enumerate(values) if v == value]
            parts[name][value] = _part(
                [groups[i] for i in own], [base[i] for i in own], [adapter[i] for i in own], metrics
            )
    return _part(groups, base, adapter, metrics) | {"by": parts}


def _part(
    groups: Sequence[str], base: Sequence[Score], adapter: Sequence[Score], metrics: Sequence[LikelihoodMetric]
) -> dict[str, Any]:
    from train.model.scoring import total

    figures = {}
    for metric in metrics:
        ours, theirs = ([float(getattr(s, metric.over)) for s in scores] for scores in (adapter, base))
        under = [float(getattr(s, metric.under)) for s in base]
        figures[metric.key] = {
            "base": bootstrap.ratio(theirs, under, groups),
            "adapter": bootstrap.ratio(ours, under, groups),
            "difference": bootstrap.ratio_difference(ours, theirs, under, groups),
        }
    return {
        "rows": len(groups),
        "groups": len(set(groups)),
        "base": total(base).as_json(),
        "adapter": total(adapter).as_json(),
        "figures": figures,
    }
