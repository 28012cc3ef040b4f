"""What the summary on screen and the model card both say about a run, made from its ``metrics.json`` alone."""

from __future__ import annotations

import math
from typing import Any

from curation.contracts.run import RunMetrics, Speaking


def seen(training: dict[str, Any]) -> str:
    """Return how much a training saw of what was planned, in words."""
    planned = training["planned_rows"]
    epochs = planned / training["rows"]
    return (
        f"saw {training['rows_seen']:,} of {planned:,} planned dialogues ({training['share_of_planned']:.0%}; "
        f"{epochs:.3g} epochs of {training['rows']:,})"
    )


def speaking_line(speaking: Speaking) -> str:
    """Return the figures of the replies in a line."""
    return (
        f"of {speaking.prompts} replies to held-out prompts {speaking.looping} loop and {speaking.ended} end; "
        f"{speaking.right_language} of {speaking.judged} are in the prompt's language"
    )


def ceiling_note(metrics: RunMetrics) -> str:
    """Return what it means that the ceiling of minutes ended a training, and how to continue it."""
    training = metrics.training
    return (
        f"The ceiling of {training['max_minutes']:g} minutes cut it short: the last part was spent on taking the "
        f"learning rate down. Continue from step {training['resume_from']} of {training['planned_steps']}: "
        f"{resume_command(metrics)}"
    )


def resume_command(metrics: RunMetrics) -> str:
    """Return the command that trains what is missing, with the minutes that it would take at the speed so far."""
    training = metrics.training
    a_step = training["seconds"] / training["steps"]
    missing = (training["planned_steps"] - training["resume_from"]) * a_step
    # Loading and measuring come on top; and a ceiling that fits exactly would cut it short again.
    return f"`inosuke train --resume {metrics.run} --minutes {math.ceil(1.2 * missing / 60 + 2)}`"


def chosen_on(metrics: RunMetrics) -> str:
    """Return a sentence about the rows that the kept checkpoint was chosen on; empty for a run of an older version."""
    training = metrics.training
    if "chosen_on" not in training:
        return ""
    if training["chosen_on"] == "validation":
        return (
            f"It was chosen on {training['validation_rows']} dialogues of the train split that were not trained on, so "
            "the eval split was looked at once, at the end."
        )
    return (
        "It was chosen on the eval split itself, since the train split is too small to give some of it away: the "
        "figures above are somewhat too good."
    )
