"""Flagged samples, and how often each flag was right by the verdicts of people. Pure: queue and events in, figures out.

A person who rejects or rewrites a flagged sample agrees with its flags; one who approves it unchanged does not.
Approvals by trust, and verdicts on a whole filter at once, say nothing: no one read the sample for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curation.codes import FLAGS, findings, may_be_off
from curation.record import Sample
from curation.review.decisions import Decision, fold
from curation.review.facts import WHOLE_FILTER

# From this number of verdicts on, a code that was right less often than WORTH offers to be switched off. Of ten, that
# is at most one: a flag that is right three times in five does so badly once in 600 times.
ENOUGH = 10
WORTH = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFigures:
    """How many samples carry a code, and how often people agreed with it (``right``) or not (``wrong``)."""

    code: str
    flagged: int
    right: int
    wrong: int

    @property
    def precision(self) -> float | None:
        """The share of verdicts that agree with the flag, 0 to 1; None without verdicts."""
        judged = self.right + self.wrong
        return self.right / judged if judged else None

    @property
    def blocks(self) -> bool:
        """Whether a sample with this flag waits for a person."""
        return self.code in FLAGS and FLAGS[self.code].blocks

    @property
    def offers_to_be_off(self) -> bool:
        """Whether it was wrong so often that it costs more than it finds."""
        precision = self.precision
        enough = self.right + self.wrong >= ENOUGH and self.code in may_be_off()
        return enough and precision is not None and precision < WORTH


def with_findings(samples: Iterable[Sample], code: str = "") -> list[Sample]:
    """Return the samples with a flag that an annotator should look at, or with this one."""
    found = ((sample, codes_of(sample)) for sample in samples)
    return [sample for sample, codes in found if (code in codes if code else codes)]


def codes_of(sample: Sample) -> list[str]:
    """Return the codes of a sample's flags, each once."""
    return list(dict.fromkeys(flag.code for flag in findings(sample.flags)))


def text_of(sample: Sample) -> str:
    """Return the turns of a sample, one per line with the speaker."""
    return "\n".join(f"{m.name or m.role}: {m.content}" for m in sample.messages if m.role != "system")


def figures(samples: Sequence[Sample], decisions: Iterable[Decision]) -> list[CodeFigures]:
    """Return the figures of every code that the samples carry, the most frequent first."""
    read = [d for d in decisions if d.client != "import" and not d.reason.startswith(WHOLE_FILTER)]
    states = fold(read)
    flagged: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for sample in samples:
        codes = codes_of(sample)
        flagged.update(codes)
        state = states.get(sample.id)
        if state is None or state.status == "pending":
            continue
        unchanged = state.status == "approved" and state.messages is None
        (wrong if unchanged else right).update(codes)
    return [
        CodeFigures(code=code, flagged=n, right=right[code], wrong=wrong[code])
        for code, n in sorted(flagged.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
